"""bin, under its three names: numbers and times into ranges.

Source: Search Reference, "bin"; Search Manual, "Using bins and time spans".
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from apisec_sandbox.spl.commands.base import Arguments, Command, Env, Parse, added, checked, union, whole
from apisec_sandbox.spl.context import Context, Fields, Stage
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.parser import Segment
from apisec_sandbox.spl.times import SECONDS, floor_time, parse_span, resolve
from apisec_sandbox.spl.values import Row, collapse, format_float, to_number, values_of

OPTIONS_OF_BIN = ("span", "bins", "start", "end", "minspan", "aligntime")
LOG_SPAN = re.compile(r"(\d+(?:\.\d+)?)?log(\d+(?:\.\d+)?)?\Z")
SNAPPED = re.compile(r"(\d+\s*[a-z]+)@([a-z]+\d?)((?:[+-]\d*[a-z]+)*)\Z")
# Spans that are chosen for times: the first one that gives at most ``bins`` ranges.
TIME_SPANS = (1, 5, 10, 30, 60, 300, 600, 1800, 3600, 86400)
MONTH = 30 * 86400
Change = Callable[[float], Any]


@dataclass(frozen=True)
class LogSpan:
    """``<coefficient>log<base>``: each range is ``base`` times as wide as the one below."""

    coefficient: float
    base: float

    def place(self, number: float) -> str | None:
        if number <= 0:
            return None
        power = math.floor(math.log(number / self.coefficient, self.base) + 1e-9)
        low, high = (self.coefficient * self.base ** (power + more) for more in (0, 1))
        return f"{format_float(low)}-{format_float(high)}"


@dataclass(frozen=True)
class TimeSpan:
    amount: float  # seconds, or months
    unit: str  # s or mon
    origin: float = 0.0  # where the ranges of seconds start counting

    def place(self, number: float) -> float:
        if self.unit == "s":
            start = math.floor((number - self.origin) / self.amount) * self.amount + self.origin
            return int(start) if start == int(start) else round(start, 6)
        return floor_time(number, self.amount, self.unit)


@dataclass(frozen=True)
class NumberSpan:
    amount: float

    def place(self, number: float) -> str:
        low = math.floor(number / self.amount + 1e-12) * self.amount
        return f"{_tidy(low)}-{_tidy(low + self.amount)}"


def _tidy(number: float) -> str:
    return format_float(float(f"{number:.12g}"))


Span = LogSpan | TimeSpan | NumberSpan


def read_span(text: str, field: str, now: float = 0.0) -> Span:
    """Read a span: a length, a length with a unit of time and a snap, or a logarithmic one.

    Raises:
        SplError: it is none of them.
    """
    folded = text.strip().lower()
    if match := LOG_SPAN.match(folded):
        return _log_span(text, float(match[1] or 1), float(match[2] or 10))
    if field != "_time" and re.fullmatch(r"\d+(\.\d+)?", folded) and float(folded) > 0:
        return NumberSpan(float(folded))
    if match := SNAPPED.match(folded):
        amount, unit = parse_span(match[1])
        return TimeSpan(amount, unit, resolve(f"@{match[2]}{match[3]}", now))
    amount, unit = parse_span(folded)
    return TimeSpan(amount, unit)


def _log_span(text: str, coefficient: float, base: float) -> LogSpan:
    """Documented bounds: the base is above 1, the coefficient from 1 to below the base."""
    if base <= 1 or not 1 <= coefficient < base:
        raise SplError(
            f"Invalid span {text!r}: the base of a log span must be above 1, "
            "its coefficient at least 1 and below the base"
        )
    return LogSpan(coefficient, base)


@dataclass
class Bin(Command):
    field: str
    output: str
    span: str | None
    bins: int = 100
    start: float | None = None
    end: float | None = None
    minspan: str | None = None
    align: str | None = None

    def needs(self, wanted: Fields) -> Fields:
        own = None if wanted is None else wanted - {self.output}
        return union(own, (self.field,))

    def apply(self, stage: Stage, context: Context) -> Stage:
        return Stage(self._rows(stage, context), added(stage.header, self.output), stage.events)

    def _rows(self, stage: Stage, context: Context) -> Iterator[Row]:
        if self.span is not None:
            span = self._aligned(read_span(self.span, self.field, context.now), context)
            yield from self._placed(stage.rows, span)
            return
        rows = list(checked(stage.rows, context))
        numbers = [n for row in rows for value in values_of(row.get(self.field)) if (n := to_number(value)) is not None]
        yield from self._placed(rows, self._aligned(self._measured(numbers, context), context))

    def _measured(self, numbers: list[int | float], context: Context) -> Span:
        if self.field == "_time":
            low = context.earliest if context.earliest > 0 and math.isfinite(context.earliest) else None
            high = context.latest if math.isfinite(context.latest) else None
            low = min(numbers, default=0.0) if low is None else low
            high = max(numbers, default=0.0) if high is None else high
            return time_span(high - low, self.bins, self._least())
        low = min([*numbers, *([self.start] if self.start is not None else [])], default=0.0)
        high = max([*numbers, *([self.end] if self.end is not None else [])], default=0.0)
        return NumberSpan(max(nice_span(high - low, self.bins), self._least()))

    def _least(self) -> float:
        if self.minspan is None:
            return 0.0
        span = read_span(self.minspan, self.field)
        if isinstance(span, LogSpan):
            raise SplError("Error in 'bin' command: minspan must be a length, not a log span.")
        return span.amount if not isinstance(span, TimeSpan) or span.unit == "s" else span.amount * MONTH

    def _aligned(self, span: Span, context: Context) -> Span:
        """``aligntime`` moves where ranges start; spans of days and longer ignore it (docs: bin)."""
        if self.align is None or not isinstance(span, TimeSpan) or span.unit != "s" or span.amount % SECONDS["d"] == 0:
            return span
        edges = {"earliest": context.earliest, "latest": context.latest}
        origin = edges[self.align] if self.align in edges else resolve(self.align, context.now)
        return TimeSpan(span.amount, span.unit, origin) if math.isfinite(origin) else span

    def _placed(self, rows: Any, span: Span) -> Iterator[Row]:
        place: Change = span.place
        for row in rows:
            held = row.get(self.field)
            if held is not None:
                new = collapse([_one(place, value) for value in values_of(held)])
                row[self.output] = new
            yield row


def _one(place: Change, value: Any) -> Any:
    """A value that is no number stays as it is."""
    number = to_number(value)
    if number is None:
        return value
    found = place(number)
    return value if found is None else found


def nice_span(width: float, bins: int) -> float:
    """The smallest power of ten that cuts the width into at most ``bins`` ranges."""
    if width <= 0:
        return 1.0
    return float(10.0 ** math.ceil(math.log10(width / bins) - 1e-12))


def time_span(width: float, bins: int, least: float) -> TimeSpan:
    for seconds in TIME_SPANS:
        if seconds >= least and width / seconds <= bins:
            return TimeSpan(seconds, "s")
    return TimeSpan(1, "mon")


def parse_bin(segment: Segment, env: Env) -> Command:
    args = Arguments(segment)
    options = args.take(OPTIONS_OF_BIN)
    field = args.field_name()
    options |= args.take(OPTIONS_OF_BIN)
    output = args.field_name("a name behind AS") if args.accept_word("as") else field
    options |= args.take(OPTIONS_OF_BIN)
    args.close()
    try:
        for name in ("span", "minspan"):
            if name in options:
                read_span(options[name], field, env.context.now)
        align = options.get("aligntime")
        if align and align not in ("earliest", "latest"):
            resolve(align, env.context.now)
    except SplError as error:
        raise args.fail(error.message) from error
    bounds = [_bound(args, options, name) for name in ("start", "end")]
    bins = whole(args, "bins", options.get("bins", "100"), 2)
    return Bin(field, output, options.get("span"), bins, bounds[0], bounds[1], options.get("minspan"), align)


def _bound(args: Arguments, options: dict[str, str], name: str) -> float | None:
    if name not in options:
        return None
    number = to_number(options[name])
    if number is None:
        raise args.fail(f"{name} must be a number, given {options[name]!r}")
    return float(number)


COMMANDS: dict[str, Parse] = {"bin": parse_bin, "bucket": parse_bin, "discretize": parse_bin}
OPTIONS = dict.fromkeys(("bin", "bucket", "discretize"), OPTIONS_OF_BIN)
