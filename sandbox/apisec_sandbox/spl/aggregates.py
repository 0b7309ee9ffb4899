"""Statistical functions of stats and its kin, as accumulators: fed value by value, memory by group.

Source: Search Reference, "Statistical and charting functions". Percentiles interpolate between neighbours: of
10,9,…,1 perc95 is 9.55 and the median 5.5, as that page's examples show.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from apisec_sandbox.spl.errors import SplError, suggestion
from apisec_sandbox.spl.values import Row, clean, collapse, sort_key, to_number, to_text

PERCENTILE = re.compile(r"(?:exactperc|upperperc|perc|p)(\d{1,2}(?:\.\d+)?|100)\Z")


class Accumulator(Protocol):
    """Takes values (never null; a multivalue's one by one) with the row they stand in."""

    def add(self, value: Any, row: Row) -> None: ...

    def result(self) -> Any:
        """Return the value so far, None for null."""


@dataclass
class Count:
    number: int = 0
    empty: Any = 0

    def add(self, value: Any, row: Row) -> None:  # noqa: ARG002
        self.number += 1

    def result(self) -> Any:
        return self.number


@dataclass
class DistinctCount:
    seen: set[str] = field(default_factory=set)

    def add(self, value: Any, row: Row) -> None:  # noqa: ARG002
        self.seen.add(value if type(value) is str else to_text(value))

    def result(self) -> Any:
        return len(self.seen)


@dataclass
class Sum:
    total: float = 0
    any: bool = False

    def add(self, value: Any, row: Row) -> None:  # noqa: ARG002
        number = to_number(value)
        if number is not None:
            self.total += number
            self.any = True

    def result(self) -> Any:
        return clean(self.total) if self.any else None


@dataclass
class SumOfSquares:
    total: float = 0
    any: bool = False

    def add(self, value: Any, row: Row) -> None:  # noqa: ARG002
        number = to_number(value)
        if number is not None:
            self.total += number * number
            self.any = True

    def result(self) -> Any:
        return clean(self.total) if self.any else None


@dataclass
class Average:
    total: float = 0
    number: int = 0

    def add(self, value: Any, row: Row) -> None:  # noqa: ARG002
        own = to_number(value)
        if own is not None:
            self.total += own
            self.number += 1

    def result(self) -> Any:
        return clean(self.total / self.number) if self.number else None


@dataclass
class Extreme:
    """min and max: numbers before texts."""

    sign: int
    best: Any = None
    key: Any = None

    def add(self, value: Any, row: Row) -> None:  # noqa: ARG002
        key = sort_key(value)
        if self.key is None or (key > self.key if self.sign > 0 else key < self.key):
            self.best, self.key = value, key

    def result(self) -> Any:
        number = to_number(self.best)
        return self.best if number is None else clean(number)


@dataclass
class Range:
    low: float = math.inf
    high: float = -math.inf

    def add(self, value: Any, row: Row) -> None:  # noqa: ARG002
        number = to_number(value)
        if number is not None:
            self.low, self.high = min(self.low, number), max(self.high, number)

    def result(self) -> Any:
        return clean(self.high - self.low) if self.high >= self.low else None


@dataclass
class Values:
    """Distinct values in lexicographic order; what counts is their text."""

    seen: dict[str, Any] = field(default_factory=dict)

    def add(self, value: Any, row: Row) -> None:  # noqa: ARG002
        self.seen.setdefault(value if type(value) is str else to_text(value), value)

    def result(self) -> Any:
        return collapse([self.seen[name] for name in sorted(self.seen)])


@dataclass
class ListOf:
    """All values in order, at most 100 (limits.conf [stats] list_maxsize)."""

    limit: int = 100
    held: list[Any] = field(default_factory=list)

    def add(self, value: Any, row: Row) -> None:  # noqa: ARG002
        if len(self.held) < self.limit:
            self.held.append(value)

    def result(self) -> Any:
        return collapse(list(self.held))


@dataclass
class First:
    held: Any = None

    def add(self, value: Any, row: Row) -> None:  # noqa: ARG002
        if self.held is None:
            self.held = value

    def result(self) -> Any:
        return self.held


@dataclass
class Last:
    held: Any = None

    def add(self, value: Any, row: Row) -> None:  # noqa: ARG002
        self.held = value

    def result(self) -> Any:
        return self.held


@dataclass
class ByTime:
    """earliest and latest: the value of the row with the lowest or highest _time."""

    sign: int
    time: float | None = None
    held: Any = None
    give_time: bool = False

    def add(self, value: Any, row: Row) -> None:
        when = to_number(row.get("_time"))
        if when is None:
            return
        if self.time is None or (when > self.time if self.sign > 0 else when < self.time):
            self.time, self.held = when, value

    def result(self) -> Any:
        return self.time if self.give_time else self.held


@dataclass
class Rate:
    """(latest - earliest) / (latest time - earliest time)."""

    first: ByTime = field(default_factory=lambda: ByTime(-1))
    last: ByTime = field(default_factory=lambda: ByTime(1))

    def add(self, value: Any, row: Row) -> None:
        self.first.add(value, row)
        self.last.add(value, row)

    def result(self) -> Any:
        low, high = to_number(self.first.held), to_number(self.last.held)
        if low is None or high is None or self.first.time is None or self.last.time in (None, self.first.time):
            return None
        assert self.last.time is not None
        return clean((high - low) / (self.last.time - self.first.time))


@dataclass
class Spread:
    """Variance and standard deviation by Welford's update; ``sample`` divides by n-1."""

    sample: bool
    root: bool
    number: int = 0
    mean: float = 0.0
    square: float = 0.0

    def add(self, value: Any, row: Row) -> None:  # noqa: ARG002
        own = to_number(value)
        if own is None:
            return
        self.number += 1
        delta = own - self.mean
        self.mean += delta / self.number
        self.square += delta * (own - self.mean)

    def result(self) -> Any:
        if not self.number:
            return None
        divisor = self.number - 1 if self.sample else self.number
        variance = self.square / divisor if divisor else 0.0
        return clean(math.sqrt(variance) if self.root else variance)


@dataclass
class Mode:
    counts: dict[str, int] = field(default_factory=dict)
    held: dict[str, Any] = field(default_factory=dict)

    def add(self, value: Any, row: Row) -> None:  # noqa: ARG002
        text = to_text(value)
        self.counts[text] = self.counts.get(text, 0) + 1
        self.held.setdefault(text, value)

    def result(self) -> Any:
        if not self.counts:
            return None
        return self.held[max(self.counts, key=lambda text: self.counts[text])]


@dataclass
class Percentile:
    """Exact, by linear interpolation between the two nearest ranks."""

    percent: float
    numbers: list[float] = field(default_factory=list)

    def add(self, value: Any, row: Row) -> None:  # noqa: ARG002
        number = to_number(value)
        if number is not None:
            self.numbers.append(number)

    def result(self) -> Any:
        return percentile(self.numbers, self.percent)


def percentile(numbers: list[float], percent: float) -> float | int | None:
    if not numbers:
        return None
    ordered = sorted(numbers)
    place = percent / 100 * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    value = ordered[low] + (ordered[high] - ordered[low]) * (place - low)
    return clean(round(value, 10) if value != ordered[low] else value)


Factory = Callable[[], Accumulator]
FUNCTIONS: dict[str, Factory] = {
    "count": Count,
    "c": Count,
    "dc": DistinctCount,
    "distinct_count": DistinctCount,
    "estdc": DistinctCount,
    "sum": Sum,
    "sumsq": SumOfSquares,
    "avg": Average,
    "mean": Average,
    "min": lambda: Extreme(-1),
    "max": lambda: Extreme(1),
    "range": Range,
    "values": Values,
    "list": ListOf,
    "first": First,
    "last": Last,
    "earliest": lambda: ByTime(-1),
    "latest": lambda: ByTime(1),
    "earliest_time": lambda: ByTime(-1, give_time=True),
    "latest_time": lambda: ByTime(1, give_time=True),
    "rate": Rate,
    "stdev": lambda: Spread(sample=True, root=True),
    "stdevp": lambda: Spread(sample=False, root=True),
    "var": lambda: Spread(sample=True, root=False),
    "varp": lambda: Spread(sample=False, root=False),
    "mode": Mode,
    "median": lambda: Percentile(50.0),
}
NEEDS_TIME = frozenset(("earliest", "latest", "earliest_time", "latest_time", "rate"))
COUNTING = frozenset(("count", "c", "dc", "distinct_count", "estdc"))


def factory(name: str) -> Factory:
    """Return what makes an accumulator of this function.

    Raises:
        SplError: no such function; it names the nearest.
    """
    folded = name.lower()
    if folded in FUNCTIONS:
        return FUNCTIONS[folded]
    match = PERCENTILE.match(folded)
    if match:
        percent = float(match[1])
        return lambda: Percentile(percent)
    near = suggestion(name, [*FUNCTIONS, "perc95", "p95"])
    raise SplError(f"The aggregation function '{name}' is unknown.{near}")
