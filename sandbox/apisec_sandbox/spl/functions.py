"""Functions of eval and where, one builder each: given the compiled arguments it returns the compiled call.

Source: Search Reference, "Evaluation functions" and the page of each group (comparison and conditional,
conversion, cryptographic, date and time, informational, JSON, mathematical, multivalue, statistical, text).
"""

from __future__ import annotations

import functools
import hashlib
import json
import math
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from apisec_sandbox.spl import times
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.jsonpath import extract as json_path
from apisec_sandbox.spl.values import (
    Row,
    cidr_match,
    clean,
    collapse,
    compare,
    sort_key,
    to_number,
    to_text,
    values_of,
)

Evaluate = Callable[[Row], Any]
MANY = 999
MAX_PATTERN = 4096  # characters of a regular expression
MAX_REPEAT = 100_000


@dataclass(frozen=True)
class Call:
    """The arguments of one call: compiled, their constant values (None where not constant), the fields of each."""

    args: list[Evaluate]
    constants: list[Any]
    fields: list[list[str]]
    now: float


@dataclass(frozen=True)
class Signature:
    build: Callable[[Call], Evaluate]
    arity: tuple[int, int]
    boolean: bool = False


SIGNATURES: dict[str, Signature] = {}
PER_VALUE = frozenset(("mvfilter", "mvmap"))
Builder = Callable[[Call], Evaluate]


def function(name: str, least: int, most: int | None = None, boolean: bool = False) -> Callable[[Builder], Builder]:
    """Register a builder; a name that is taken is refused."""

    def register(build: Builder) -> Builder:
        if name in SIGNATURES:
            raise ValueError(f"function {name} is registered twice")
        SIGNATURES[name] = Signature(build, (least, least if most is None else most), boolean)
        return build

    return register


def simple(name: str, least: int, most: int | None = None, boolean: bool = False) -> Callable[[Any], Any]:
    """Register a plain function of the values; any null argument gives null."""

    def register(plain: Callable[..., Any]) -> Callable[..., Any]:
        def build(call: Call) -> Evaluate:
            args = call.args
            if len(args) == 1:
                only = args[0]

                def one(row: Row) -> Any:
                    value = only(row)
                    return None if value is None else plain(value)

                return one

            def run(row: Row) -> Any:
                values = [arg(row) for arg in args]
                return None if any(value is None for value in values) else plain(*values)

            return run

        function(name, least, most, boolean)(build)
        return plain

    return register


@functools.lru_cache(maxsize=1024)
def regex(pattern: str) -> re.Pattern[str]:
    """Compile a pattern of a search: PCRE's ``(?<name>`` is Python's ``(?P<name>``.

    Raises:
        SplError: it does not compile.
    """
    if len(pattern) > MAX_PATTERN:
        raise SplError(f"The regular expression is longer than {MAX_PATTERN} characters")
    text = re.sub(r"\(\?<(?![=!])", "(?P<", pattern)
    text = text.replace("\\Z", "(?=\\n?\\Z)").replace("\\z", "\\Z").replace("[[:alnum:]]", "[A-Za-z0-9]")
    try:
        return re.compile(text)
    except (re.error, RecursionError) as error:
        raise SplError(f"The regex '{pattern}' is invalid: {error}") from error


def _check_regex(call: Call, place: int) -> None:
    """Refuse a constant pattern that does not compile when the search is parsed, not when the first row comes."""
    if isinstance(call.constants[place], str):
        regex(call.constants[place])


# Comparison and conditional


@function("case", 2, MANY)
def _case(call: Call) -> Evaluate:
    if len(call.args) % 2:
        raise SplError("The 'case' function takes pairs of a condition and a value")
    pairs = list(zip(call.args[::2], call.args[1::2], strict=True))

    def run(row: Row) -> Any:
        for condition, value in pairs:
            if condition(row) is True:
                return value(row)
        return None

    return run


@function("validate", 2, MANY)
def _validate(call: Call) -> Evaluate:
    """The opposite of case: the value of the first condition that is false."""
    if len(call.args) % 2:
        raise SplError("The 'validate' function takes pairs of a condition and a value")
    pairs = list(zip(call.args[::2], call.args[1::2], strict=True))

    def run(row: Row) -> Any:
        for condition, value in pairs:
            if condition(row) is not True:
                return value(row)
        return None

    return run


@function("if", 3)
def _if(call: Call) -> Evaluate:
    condition, yes, no = call.args
    return lambda row: yes(row) if condition(row) is True else no(row)


@function("coalesce", 1, MANY)
def _coalesce(call: Call) -> Evaluate:
    args = call.args
    return lambda row: next((value for value in (arg(row) for arg in args) if value is not None), None)


@function("nullif", 2)
def _nullif(call: Call) -> Evaluate:
    first, second = call.args

    def run(row: Row) -> Any:
        x, y = first(row), second(row)
        return None if x is not None and y is not None and compare(x, y) == 0 else x

    return run


@function("isnull", 1, boolean=True)
def _isnull(call: Call) -> Evaluate:
    arg = call.args[0]
    return lambda row: arg(row) is None


@function("isnotnull", 1, boolean=True)
def _isnotnull(call: Call) -> Evaluate:
    arg = call.args[0]
    return lambda row: arg(row) is not None


@function("null", 0)
def _null(_call: Call) -> Evaluate:
    return lambda _row: None


@function("true", 0, boolean=True)
def _true(_call: Call) -> Evaluate:
    return lambda _row: True


@function("false", 0, boolean=True)
def _false(_call: Call) -> Evaluate:
    return lambda _row: False


@function("in", 2, MANY, boolean=True)
def _in(call: Call) -> Evaluate:
    first, others = call.args[0], call.args[1:]

    def run(row: Row) -> bool | None:
        values = values_of(first(row))
        if not values:
            return None
        wanted = [value for value in (other(row) for other in others) if value is not None]
        return any(compare(x, y) == 0 for x in values for y in wanted)

    return run


@simple("cidrmatch", 2, boolean=True)
def _cidrmatch(net: Any, ip: Any) -> bool:
    return any(cidr_match(to_text(net), to_text(value)) for value in values_of(ip))


@functools.lru_cache(maxsize=1024)
def _like_regex(pattern: str) -> re.Pattern[str]:
    """``%`` is any text, ``_`` one character; case counts."""
    parts = (".*?" if c == "%" else "." if c == "_" else re.escape(c) for c in re.sub("%+", "%", pattern))
    return re.compile("".join(parts) + r"\Z", re.DOTALL)


@simple("like", 2, boolean=True)
def _like(text: Any, pattern: Any) -> bool:
    test = _like_regex(to_text(pattern)).match
    return any(test(to_text(value)) for value in values_of(text))


@function("match", 2, boolean=True)
def _match(call: Call) -> Evaluate:
    _check_regex(call, 1)
    subject, pattern = call.args

    def run(row: Row) -> bool | None:
        x, y = subject(row), pattern(row)
        if x is None or y is None:
            return None
        search = regex(to_text(y)).search
        return any(search(to_text(value)) for value in values_of(x))

    return run


# Text


@simple("lower", 1)
def _lower(text: Any) -> Any:
    return _each(text, lambda value: to_text(value).lower())


@simple("upper", 1)
def _upper(text: Any) -> Any:
    return _each(text, lambda value: to_text(value).upper())


def _each(value: Any, change: Callable[[Any], Any]) -> Any:
    return [change(item) for item in value] if isinstance(value, list) else change(value)


@simple("len", 1)
def _len(text: Any) -> int:
    return len(to_text(text))


@simple("ltrim", 1, 2)
def _ltrim(text: Any, chars: Any = " \t") -> str:
    return to_text(text).lstrip(to_text(chars))


@simple("rtrim", 1, 2)
def _rtrim(text: Any, chars: Any = " \t") -> str:
    return to_text(text).rstrip(to_text(chars))


@simple("trim", 1, 2)
def _trim(text: Any, chars: Any = " \t") -> str:
    return to_text(text).strip(to_text(chars))


@simple("urldecode", 1)
def _urldecode(text: Any) -> str:
    return unquote_plus(to_text(text))


@simple("substr", 2, 3)
def _substr(text: Any, start: Any, length: Any = None) -> str | None:
    """Positions count from 1; a negative start counts from the end."""
    whole, first = to_text(text), to_number(start)
    size = None if length is None else to_number(length)
    if first is None or (length is not None and size is None):
        return None
    begin = int(first) - 1 if first > 0 else max(0, len(whole) + int(first)) if first < 0 else 0
    return whole[begin:] if size is None else whole[begin : begin + max(0, int(size))]


@function("replace", 3)
def _replace(call: Call) -> Evaluate:
    _check_regex(call, 1)
    subject, pattern, by = call.args

    def run(row: Row) -> Any:
        values = subject(row), pattern(row), by(row)
        if any(value is None for value in values):
            return None
        engine = regex(to_text(values[1]))
        template = _template(to_text(values[2]))
        return _each(values[0], lambda value: engine.sub(template, to_text(value)))

    return run


@functools.lru_cache(maxsize=1024)
def _template(text: str) -> str:
    r"""Python's replacement for Splunk's: ``\1`` is a group, any other backslash is itself."""
    return re.sub(r"\\(?!\d)", r"\\\\", text)


@simple("split", 2)
def _split(text: Any, delimiter: Any) -> Any:
    whole, by = to_text(text), to_text(delimiter)
    return collapse(whole.split(by) if by else list(whole))


@simple("printf", 1, MANY)
def _printf(layout: Any, *values: Any) -> str | None:
    return c_format(to_text(layout), list(values))


CONVERSION = re.compile(r"%([-+ 0#']*)(\*|\d+)?(?:\.(\*|\d+))?([diouxXeEfFgGcs%])")


def c_format(layout: str, values: list[Any]) -> str | None:
    """C's printf for d i o u x X e E f F g G c s %; null when a value does not fit its conversion."""
    rest = list(values)
    failed = False

    def one(match: re.Match[str]) -> str:
        nonlocal failed
        flags, width, precision, kind = match.groups()
        if kind == "%":
            return "%"
        width = str(rest.pop(0)) if width == "*" and rest else width
        precision = str(rest.pop(0)) if precision == "*" and rest else precision
        value = rest.pop(0) if rest else ""
        if len(width or "") > 3 or len(precision or "") > 3:
            failed = True
            return ""
        spec = flags.replace("'", "") + (width or "") + (f".{precision}" if precision is not None else "")
        if kind in "sc":
            text = to_text(value)
            return ("%" + spec + "s") % (text[:1] if kind == "c" else text)
        number = to_number(value)
        if number is None:
            failed = True
            return ""
        if kind in "diuoxX":
            return ("%" + spec + kind.replace("u", "d").replace("i", "d")) % int(number)
        return ("%" + spec + kind) % number

    text = CONVERSION.sub(one, layout)
    return None if failed else text


# Conversion


@simple("tonumber", 1, 2)
def _tonumber(text: Any, base: Any = None) -> Any:
    if base is None:
        number = to_number(text)
        return None if number is None else clean(number)
    radix = to_number(base)
    try:
        return int(to_text(text), int(radix)) if radix is not None and 2 <= radix <= 36 else None
    except ValueError:
        return None


@function("tostring", 1, 2)
def _tostring(call: Call) -> Evaluate:
    arg = call.args[0]
    layout = call.args[1] if len(call.args) == 2 else None
    if layout and call.constants[1] not in (None, "hex", "binary", "commas", "duration"):
        raise SplError("The second argument of 'tostring' is one of hex, binary, commas, duration")

    def run(row: Row) -> Any:
        value = arg(row)
        if value is None:
            return None
        return _shown(value, to_text(layout(row))) if layout else to_text(value)

    return run


def _shown(value: Any, layout: str) -> str | None:
    number = to_number(value)
    if number is None:
        return None
    if layout == "hex":
        return f"0x{int(number):X}"
    if layout == "binary":
        return f"{int(number):b}"
    if layout == "commas":
        return f"{number:,}" if isinstance(number, int) else f"{number:,.2f}"
    return duration(number)


def duration(seconds: float) -> str:
    """HH:MM:SS, with days and a fraction where there are any: ``1+02:03:04.500000``."""
    sign, rest = ("-", -seconds) if seconds < 0 else ("", seconds)
    whole = int(rest)
    days, hours, minutes, secs = whole // 86400, whole // 3600 % 24, whole // 60 % 60, whole % 60
    fraction = f".{round((rest - whole) * 1e6):06d}" if rest != whole else ""
    return sign + (f"{days}+" if days else "") + f"{hours:02d}:{minutes:02d}:{secs:02d}{fraction}"


@simple("ipmask", 2)
def _ipmask(mask: Any, ip: Any) -> str | None:
    try:
        masks = [int(part) for part in to_text(mask).split(".")]
        parts = [int(part) for part in to_text(ip).split(".")]
        return ".".join(str(a & b) for a, b in zip(masks, parts, strict=True)) if len(parts) == 4 else None
    except ValueError:
        return None


# Cryptographic


def _hash(name: str) -> None:
    simple(name, 1)(lambda text: hashlib.new(name, to_text(text).encode(), usedforsecurity=False).hexdigest())


for _name in ("md5", "sha1", "sha256", "sha512"):
    _hash(_name)


# Date and time


@function("now", 0)
def _now(call: Call) -> Evaluate:
    """The time the search started, the same in every row; time() too, to keep a search repeatable."""
    return lambda _row: clean(float(int(call.now)))


@function("time", 0)
def _time(call: Call) -> Evaluate:
    return lambda _row: call.now


@simple("strftime", 2)
def _strftime(when: Any, layout: Any) -> str | None:
    number = to_number(when)
    return None if number is None else times.strftime(number, to_text(layout))


@simple("strptime", 2)
def _strptime(text: Any, layout: Any) -> float | int | None:
    epoch = times.strptime(to_text(text), to_text(layout))
    return None if epoch is None else clean(epoch)


@simple("relative_time", 2)
def _relative_time(when: Any, modifier: Any) -> float | int | None:
    number = to_number(when)
    return None if number is None else clean(times.resolve(to_text(modifier), number))


# Informational


@function("typeof", 1)
def _typeof(call: Call) -> Evaluate:
    arg = call.args[0]

    def run(row: Row) -> str:
        value = arg(row)
        if value is None:
            return "Invalid"
        if isinstance(value, bool):
            return "Boolean"
        if isinstance(value, list):
            return "Multivalue"
        return "Number" if to_number(value) is not None else "String"

    return run


def _is(name: str, test: Callable[[Any], bool]) -> None:
    def build(call: Call) -> Evaluate:
        arg = call.args[0]
        return lambda row: (value := arg(row)) is not None and test(value)

    function(name, 1, boolean=True)(build)


_is("isnum", lambda value: to_number(value) is not None)
_is("isint", lambda value: isinstance(clean(to_number(value) or 0), int) and to_number(value) is not None)
_is("isstr", lambda value: to_number(value) is None and not isinstance(value, bool))
_is("isbool", lambda value: isinstance(value, bool))


# Mathematical


def _math(name: str, compute: Callable[..., float], least: int = 1, most: int | None = None) -> None:
    def plain(*values: Any) -> Any:
        numbers = [to_number(value) for value in values]
        if any(number is None for number in numbers):
            return None
        try:
            return clean(compute(*numbers))
        except (ValueError, OverflowError, ZeroDivisionError):
            return None

    simple(name, least, most)(plain)


def _power(base: float, exponent: float) -> float:
    return math.pow(base, exponent)


def round_half_up(number: float, digits: float = 0) -> float:
    """Splunk rounds halves away from zero; decimal arithmetic on the shortest text keeps 2.675 at 2.68."""
    from decimal import ROUND_HALF_UP, Decimal

    places = max(-20, min(20, int(digits)))
    return float(Decimal(repr(number)).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP))


_math("abs", abs)
_math("ceil", math.ceil)
_math("ceiling", math.ceil)
_math("floor", math.floor)
_math("round", round_half_up, 1, 2)
_math("sqrt", math.sqrt)
_math("exp", math.exp)
_math("ln", math.log)
_math("log", lambda number, base=10: math.log10(number) if base == 10 else math.log(number, base), 1, 2)
_math("pow", _power, 2)
_math("sin", math.sin)
_math("cos", math.cos)
_math("tan", math.tan)
_math("exact", lambda number: number)
_math("sigfig", lambda number: float(f"{number:.6g}"))


@function("pi", 0)
def _pi(_call: Call) -> Evaluate:
    return lambda _row: math.pi


@function("random", 0)
def _random(_call: Call) -> Evaluate:
    return lambda _row: random.randrange(2**31)  # noqa: S311 - documented as pseudo-random, 0 to 2^31-1


# Statistical: null arguments are left out


def _extreme(name: str, pick: Callable[[int], bool]) -> None:
    def build(call: Call) -> Evaluate:
        args = call.args

        def run(row: Row) -> Any:
            values = [item for arg in args for item in values_of(arg(row))]
            if not values:
                return None
            best = values[0]
            for value in values[1:]:
                a, b = sort_key(value), sort_key(best)  # numbers count as smaller than texts
                if pick((a > b) - (a < b)):
                    best = value
            return best

        return run

    function(name, 1, MANY)(build)


_extreme("max", lambda order: order > 0)
_extreme("min", lambda order: order < 0)


def _numbers(call: Call, row: Row) -> list[float]:
    found = (to_number(item) for arg in call.args for item in values_of(arg(row)))
    return [number for number in found if number is not None]


@function("sum", 1, MANY)
def _sum(call: Call) -> Evaluate:
    return lambda row: clean(sum(numbers)) if (numbers := _numbers(call, row)) else None


@function("avg", 1, MANY)
def _avg(call: Call) -> Evaluate:
    return lambda row: clean(sum(numbers) / len(numbers)) if (numbers := _numbers(call, row)) else None


# Multivalue


@function("mvcount", 1)
def _mvcount(call: Call) -> Evaluate:
    arg = call.args[0]
    return lambda row: len(values) if (values := values_of(arg(row))) else None


@simple("mvindex", 2, 3)
def _mvindex(field: Any, start: Any, end: Any = None) -> Any:
    """From 0; -1 is the last; with an end, inclusive."""
    values, first = values_of(field), to_number(start)
    last = first if end is None else to_number(end)
    if first is None or last is None:
        return None
    low = int(first) + (len(values) if first < 0 else 0)
    high = int(last) + (len(values) if last < 0 else 0)
    return None if low < 0 or high < low else collapse(values[low : high + 1])


@function("mvappend", 1, MANY)
def _mvappend(call: Call) -> Evaluate:
    args = call.args
    return lambda row: collapse([item for arg in args for item in values_of(arg(row))])


@simple("mvdedup", 1)
def _mvdedup(field: Any) -> Any:
    return collapse(_unique(values_of(field)))


def _unique(values: list[Any]) -> list[Any]:
    seen: dict[str, Any] = {}
    for value in values:
        seen.setdefault(to_text(value), value)
    return list(seen.values())


@simple("mvsort", 1)
def _mvsort(field: Any) -> Any:
    return collapse(sorted(values_of(field), key=to_text))


@simple("mvjoin", 2)
def _mvjoin(field: Any, delimiter: Any) -> str:
    return to_text(delimiter).join(to_text(value) for value in values_of(field))


@simple("mvzip", 2, 3)
def _mvzip(left: Any, right: Any, delimiter: Any = ",") -> Any:
    pairs = zip(values_of(left), values_of(right), strict=False)
    return collapse([to_text(a) + to_text(delimiter) + to_text(b) for a, b in pairs])


@function("mvfind", 2)
def _mvfind(call: Call) -> Evaluate:
    _check_regex(call, 1)
    field, pattern = call.args

    def run(row: Row) -> int | None:
        values, text = values_of(field(row)), pattern(row)
        if text is None:
            return None
        search = regex(to_text(text)).search
        return next((place for place, value in enumerate(values) if search(to_text(value))), None)

    return run


@function("mvfilter", 1)
def _mvfilter(call: Call) -> Evaluate:
    names = call.fields[0]
    if len(names) != 1:
        raise SplError(f"The 'mvfilter' function takes an expression over one field, given {names or 'none'}")
    name, test = names[0], call.args[0]

    def run(row: Row) -> Any:
        return collapse([value for value in values_of(row.get(name)) if test({**row, name: value}) is True])

    return run


@function("mvmap", 2)
def _mvmap(call: Call) -> Evaluate:
    names = call.fields[0]
    if len(names) != 1:
        raise SplError("The first argument of 'mvmap' is one field")
    name, change = names[0], call.args[1]

    def run(row: Row) -> Any:
        results = (change({**row, name: value}) for value in values_of(row.get(name)))
        return collapse([item for result in results for item in values_of(result)])

    return run


@simple("mvrange", 2, 3)
def _mvrange(start: Any, end: Any, step: Any = 1) -> Any:
    first, last, by = to_number(start), to_number(end), to_number(step)
    if first is None or last is None or not by:
        return None
    count = max(0, math.ceil((last - first) / by))
    if count > MAX_REPEAT:
        raise SplError(f"mvrange would make more than {MAX_REPEAT} values")
    return collapse([clean(first + place * by) for place in range(count)])


# JSON


def _json_value(value: Any) -> Any:
    """What a field's value becomes inside JSON: JSON text stays JSON, numbers numbers."""
    if isinstance(value, list):
        return [_json_value(item) for item in value]
    if isinstance(value, str):
        if value[:1] in ("{", "["):
            try:
                return json.loads(value)
            except (ValueError, RecursionError):
                return value
        number = to_number(value)
        return value if number is None else number
    return value


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@function("json_object", 0, MANY)
def _json_object(call: Call) -> Evaluate:
    if len(call.args) % 2:
        raise SplError("The 'json_object' function takes pairs of a name and a value")
    pairs = list(zip(call.args[::2], call.args[1::2], strict=True))
    return lambda row: _dump({to_text(name(row)): _json_value(value(row)) for name, value in pairs})


@function("json_array", 0, MANY)
def _json_array(call: Call) -> Evaluate:
    return lambda row: _dump([_json_value(arg(row)) for arg in call.args])


@simple("mv_to_json_array", 1, 2)
def _mv_to_json_array(field: Any, infer: Any = False) -> str:
    values = values_of(field)
    return _dump([_json_value(value) if infer is True else to_text(value) for value in values])


@simple("json_array_to_mv", 1, 2)
def _json_array_to_mv(text: Any, quotes: Any = False) -> Any:
    loaded = _load(text)
    if not isinstance(loaded, list):
        return None
    return collapse([_dump(item) if quotes is True or not isinstance(item, str) else item for item in loaded])


def _load(text: Any) -> Any:
    try:
        return json.loads(to_text(text))
    except (ValueError, RecursionError):
        return None


@function("json_extract", 1, MANY)
def _json_extract(call: Call) -> Evaluate:
    subject, paths = call.args[0], call.args[1:]

    def run(row: Row) -> Any:
        text = subject(row)
        loaded = None if text is None else _load(text)
        if loaded is None:
            return None
        if not paths:
            return to_text(text)
        found = [_found(loaded, to_text(path(row))) for path in paths]
        return found[0] if len(found) == 1 else collapse([item for value in found for item in values_of(value)])

    return run


def _found(document: Any, path: str) -> Any:
    """One match as itself, several as a JSON array; what is not a text or a number stays JSON."""
    matches = json_path(document, path)
    if not matches:
        return None
    return _plain(matches[0]) if len(matches) == 1 else _dump(matches)


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, (str, int, float)) else None if value is None else _dump(value)


@simple("json_keys", 1)
def _json_keys(text: Any) -> str | None:
    loaded = _load(text)
    return _dump(list(loaded)) if isinstance(loaded, dict) else None


@simple("json_valid", 1, boolean=True)
def _json_valid(text: Any) -> bool:
    return _load(text) is not None or to_text(text).strip() == "null"


@function("spath", 2)
def _spath(call: Call) -> Evaluate:
    subject, path = call.args

    def run(row: Row) -> Any:
        text, where = subject(row), path(row)
        loaded = None if text is None else _load(text)
        if loaded is None or where is None:
            return None
        return collapse([plain for item in json_path(loaded, to_text(where)) if (plain := _plain(item)) is not None])

    return run
