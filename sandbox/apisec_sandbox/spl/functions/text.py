"""Text functions. Source: Search Reference, "Text functions"."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_plus

from apisec_sandbox.spl.functions.registry import MANY, Call, Evaluate, check_regex, function, regex, simple
from apisec_sandbox.spl.values import (
    Row,
    collapse,
    to_number,
    to_text,
)


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
    check_regex(call, 1)
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
