"""Commands that turn values into other values: convert, rangemap, reltime, strcat.

Source: Search Reference, the page of each.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from apisec_sandbox.spl.commands.base import Arguments, Command, Env, OnField, Parse, added, boolean, union
from apisec_sandbox.spl.commands.fields import expanded, has_wildcard, visible
from apisec_sandbox.spl.context import EVERY, Context, Fields, Stage
from apisec_sandbox.spl.lexer import Token
from apisec_sandbox.spl.parser import Segment
from apisec_sandbox.spl.times import strftime, strptime
from apisec_sandbox.spl.values import Row, clean, collapse, to_number, to_text, values_of, wildcard_names

TIME_FORMAT = "%m/%d/%Y %H:%M:%S"
DURATION = re.compile(r"(?:(\d+)\+)?(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:\.\d+)?)\Z")
MINUTES = re.compile(r"(?:(\d+):)?(\d+(?:\.\d+)?)\Z")
MEMORY = re.compile(r"([+-]?\d+(?:\.\d+)?)\s*([kmg]?)b?\Z", re.IGNORECASE)
LEADING = re.compile(r"\s*([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)")
KILOBYTES = {"": 1, "k": 1, "m": 1024, "g": 1024 * 1024}
Conversion = Callable[[str, str], Any]  # text, time format -> value, None where it does not convert


def _ctime(text: str, layout: str) -> Any:
    number = to_number(text)
    return None if number is None else strftime(float(number), layout)


def _mktime(text: str, layout: str) -> Any:
    epoch = strptime(text, layout)
    return None if epoch is None else clean(epoch)


def _dur2sec(text: str, layout: str) -> Any:  # noqa: ARG001
    """``[D+]HH:MM:SS`` in seconds."""
    match = DURATION.match(text.strip())
    if not match:
        return None
    days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return clean(days * 86400 + hours * 3600 + minutes * 60 + seconds)


def _mstime(text: str, layout: str) -> Any:  # noqa: ARG001
    """``[MM:]SS.SSS`` in seconds."""
    match = MINUTES.match(text.strip())
    return clean(float(match[1] or 0) * 60 + float(match[2])) if match else None


def _memk(text: str, layout: str) -> Any:  # noqa: ARG001
    """A size with k, m or g in kilobytes."""
    match = MEMORY.match(text.strip())
    return clean(float(match[1]) * KILOBYTES[match[2].lower()]) if match else None


def _rmcomma(text: str, layout: str) -> Any:  # noqa: ARG001
    bare = text.replace(",", "")
    number = to_number(bare)
    return bare if number is None else number


def _rmunit(text: str, layout: str) -> Any:  # noqa: ARG001
    match = LEADING.match(text)
    return to_number(match[1]) if match else None


def _auto(text: str, layout: str) -> Any:
    """The first of the conversions that takes the whole text."""
    number = to_number(text)
    if number is not None:
        return number
    epoch = strptime(text, layout) if re.search(r"\d[/:-]\d", text) else None
    if epoch is not None:
        return clean(epoch)
    for convert in (_dur2sec, _memk):
        if (found := convert(text, layout)) is not None:
            return found
    bare = to_number(text.replace(",", ""))
    return bare if bare is not None else _rmunit(text, layout)


CONVERSIONS: dict[str, Conversion] = {
    "auto": _auto,
    "ctime": _ctime,
    "dur2sec": _dur2sec,
    "memk": _memk,
    "mktime": _mktime,
    "mstime": _mstime,
    "num": _auto,
    "rmcomma": _rmcomma,
    "rmunit": _rmunit,
}


@dataclass(frozen=True)
class Clause:
    function: str
    source: str
    target: str

    def apply(self, row: Row, name: str, target: str, layout: str) -> None:
        values = values_of(row.get(name))
        if not values:
            return
        convert = CONVERSIONS[self.function]
        found = [convert(to_text(value), layout) for value in values]
        if self.function == "num":  # what does not convert is removed
            kept = collapse([value for value in found if value is not None])
            if kept is None:
                row.pop(target, None)
            else:
                row[target] = kept
            return
        row[target] = collapse([old if new is None else new for old, new in zip(values, found, strict=True)])


@dataclass
class Convert(Command):
    """Fields of ``none()`` are left alone, whatever a wildcard in another function says."""

    streaming: ClassVar[bool] = True
    clauses: list[Clause]
    excluded: list[str]
    layout: str

    def needs(self, wanted: Fields) -> Fields:
        names = [clause.source for clause in self.clauses]
        return EVERY if has_wildcard(names) else union(wanted, names)

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        plain = [clause.target for clause in self.clauses if "*" not in clause.source]
        return Stage(self._rows(stage), added(stage.header, *plain), stage.events)

    def _rows(self, stage: Stage) -> Iterator[Row]:
        for row in stage.rows:
            kept = frozenset(expanded(self.excluded, list(row)))
            for clause in self.clauses:
                for name, target in _targets(clause, row):
                    if name not in kept:
                        clause.apply(row, name, target, self.layout)
            yield row


def _targets(clause: Clause, row: Row) -> list[tuple[str, str]]:
    if "*" not in clause.source:
        return [(clause.source, clause.target)]
    test = wildcard_names(clause.source)
    found = []
    for name in list(row):
        match = test(name)
        if match and visible(clause.source, name):
            groups = iter(match.groups())
            target = re.sub(r"\*", lambda _, left=groups: next(left, ""), clause.target)  # type: ignore[misc]
            found.append((name, target))
    return found


def parse_convert(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    options = args.take(("timeformat",))
    clauses: list[Clause] = []
    excluded: list[str] = []
    while not args.done():
        if args.accept_op(","):
            continue
        options |= args.options("timeformat")
        if args.done():
            break
        token = args.next("a conversion such as ctime(_time)")
        function = token.value.lower()
        if function not in CONVERSIONS and function != "none":
            known = ", ".join(sorted([*CONVERSIONS, "none"]))
            raise args.fail(f"unknown function '{token.value}'; known: {known}", token)
        args.expect_op("(")
        source = args.field_name()
        args.expect_op(")")
        target = args.field_name("a name behind AS") if args.accept_word("as") else source
        if function == "none":
            excluded.append(source)
        else:
            clauses.append(_clause(args, token, function, source, target))
    if not clauses and not excluded:
        raise args.fail("at least one conversion such as ctime(_time) is needed")
    return Convert(clauses, excluded, options.get("timeformat", TIME_FORMAT))


def _clause(args: Arguments, token: Token, function: str, source: str, target: str) -> Clause:
    if source.count("*") < target.count("*") or ("*" in source and "*" not in target):
        raise args.fail("both names need the same number of wildcards", token)
    return Clause(function, source, target)


@dataclass
class RangeMap(Command):
    """The names of all ranges that hold the value, both ends included, in the field ``range``."""

    streaming: ClassVar[bool] = True
    field: str
    ranges: list[tuple[str, float, float]]
    default: str

    def needs(self, wanted: Fields) -> Fields:
        return union(wanted, (self.field,))

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        return Stage(self._rows(stage), added(stage.header, "range"), stage.events)

    def _rows(self, stage: Stage) -> Iterator[Row]:
        for row in stage.rows:
            numbers = [n for value in values_of(row.get(self.field)) if (n := to_number(value)) is not None]
            found = [name for name, low, high in self.ranges if any(low <= number <= high for number in numbers)]
            row["range"] = collapse(found) if found else self.default
            yield row


def parse_rangemap(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    field = ""
    default = "None"
    ranges: list[tuple[str, float, float]] = []
    while not args.done():
        if args.accept_op(","):
            continue
        token = args.next("name=low-high")
        args.expect_op("=")
        value = args.next("a value")
        if token.is_word("field"):
            field = value.value
        elif token.is_word("default"):
            default = value.value
        else:
            match = re.fullmatch(r"(-?\d+(?:\.\d+)?)-(-?\d+(?:\.\d+)?)", value.value)
            if not match:
                raise args.fail(f"invalid range {value.value!r}: expected for instance 1-30", value)
            ranges.append((token.value, float(match[1]), float(match[2])))
    if not field:
        raise args.fail("field=<field> is needed")
    if not ranges:
        raise args.fail("at least one range such as low=0-30 is needed")
    return RangeMap(field, ranges, default)


UNITS = ((31_536_000, "year"), (2_592_000, "month"), (86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


@dataclass
class RelTime(OnField):
    """How long ago a row's time is, in the largest whole unit, in the field ``reltime``."""

    field: str = "_time"

    def apply(self, stage: Stage, context: Context) -> Stage:
        self.now = context.now
        return Stage(self._rows(stage), added(stage.header, "reltime"), stage.events)

    def _rows(self, stage: Stage) -> Iterator[Row]:
        for row in stage.rows:
            when = to_number(row.get(self.field))
            if when is not None:
                row["reltime"] = _ago(self.now - when)
            yield row


def _ago(seconds: float) -> str:
    for size, name in UNITS:
        count = int(abs(seconds) // size)
        if count:
            return f"{count} {name}{'s' if count > 1 else ''} {'ago' if seconds > 0 else 'from now'}"
    return "now"


def parse_reltime(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    for name in ("timefield", "prefix"):
        if args.option((name,)):
            raise args.fail(f"{name} is an option that this stand-in does not run")
    args.close()
    return RelTime()


@dataclass
class StrCat(Command):
    streaming: ClassVar[bool] = True
    parts: list[tuple[bool, str]]  # (a literal text, its text or a field's name)
    target: str
    all_required: bool

    def needs(self, wanted: Fields) -> Fields:
        own = None if wanted is None else wanted - {self.target}
        return union(own, [text for literal, text in self.parts if not literal])

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        return Stage(self._rows(stage), added(stage.header, self.target), stage.events)

    def _rows(self, stage: Stage) -> Iterator[Row]:
        names = [text for literal, text in self.parts if not literal]
        for row in stage.rows:
            if not self.all_required or all(row.get(name) is not None for name in names):
                row[self.target] = "".join(
                    text if literal else to_text(row[text]) if row.get(text) is not None else ""
                    for literal, text in self.parts
                )
            yield row


def parse_strcat(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    options = args.take(("allrequired",))
    parts: list[tuple[bool, str]] = []
    while not args.done():
        if not args.accept_op(","):
            token = args.next()
            parts.append((token.kind == "text", token.value))
    if len(parts) < 3:
        raise args.fail("two sources and a target are needed at least")
    target = parts.pop()[1]
    return StrCat(parts, target, boolean(args, "allrequired", options.get("allrequired", "f")))


COMMANDS: dict[str, Parse] = {
    "convert": parse_convert,
    "rangemap": parse_rangemap,
    "reltime": parse_reltime,
    "strcat": parse_strcat,
}
OPTIONS = {"convert": ("timeformat",), "rangemap": ("field", "default"), "strcat": ("allrequired",)}
