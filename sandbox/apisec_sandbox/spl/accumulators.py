"""Accumulators: the running value of one statistical function in one group, fed many values at once and mergeable.

Source: Search Reference, "Statistical and charting functions". Sums run value by value in doubles, as Splunk's do: of
a hundred 3.99 the average is 3.9900000000000055 (the page of avg).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, ClassVar

from apisec_sandbox.spl.sketch import Sketch
from apisec_sandbox.spl.values import clean, collapse, sort_key, to_number, to_text

LIST_LIMIT = 100  # limits.conf [stats] list_maxsize
Number = int | float


class Accumulator:
    """The running value of one function in one group.

    ``add`` takes values that are never null, a multivalue's one by one, in the order of the rows. With ``numeric``
    they are numbers already. With ``timed`` ``add_timed`` is called, with the time of the row of each value.
    ``kept`` names the attributes that are its state.
    """

    __slots__ = ()
    numeric: ClassVar[bool] = False
    timed: ClassVar[bool] = False
    constant: ClassVar[bool] = False  # merging costs the same however many values it has seen
    kept: ClassVar[tuple[str, ...]] = ()

    def add(self, values: Sequence[Any]) -> None:
        raise NotImplementedError

    def add_timed(self, values: Sequence[Any], times: Sequence[Any]) -> None:  # noqa: ARG002
        self.add(values)

    def merge(self, other: Any) -> None:
        """Take over what another accumulator of the same function saw behind what this one saw."""
        raise NotImplementedError

    def result(self) -> Any:
        """Return the value so far, None for null."""
        raise NotImplementedError

    def state(self) -> list[Any]:
        """Return everything it knows, as JSON can hold it."""
        return [_dumped(getattr(self, name)) for name in self.kept]

    def restore(self, state: Sequence[Any]) -> None:
        for name, value in zip(self.kept, state, strict=True):
            setattr(self, name, _loaded(getattr(self, name), value))


def _dumped(value: Any) -> Any:
    if isinstance(value, Accumulator | Sketch):
        return value.state()
    if isinstance(value, dict):
        return [list(pair) for pair in value.items()]
    return sorted(value) if isinstance(value, set) else value


def _loaded(fresh: Any, value: Any) -> Any:
    """Return the value in the shape that the attribute of a fresh accumulator has."""
    if isinstance(fresh, Accumulator | Sketch):
        fresh.restore(value)
        return fresh
    if isinstance(fresh, dict):
        return type(fresh)(dict(value))
    return set(value) if isinstance(fresh, set) else value


class Count(Accumulator):
    __slots__ = ("number",)
    constant = True
    kept = ("number",)

    def __init__(self) -> None:
        self.number = 0

    def add(self, values: Sequence[Any]) -> None:
        self.number += len(values)

    def merge(self, other: Count) -> None:
        self.number += other.number

    def result(self) -> Any:
        return self.number


class DistinctCount(Accumulator):
    """Texts count: "1" and "1.0" are two (Statistical and charting functions, "How field values are processed")."""

    __slots__ = ("seen",)
    kept = ("seen",)

    def __init__(self) -> None:
        self.seen: set[str] = set()

    def add(self, values: Sequence[Any]) -> None:
        self.seen.update(texts(values))

    def merge(self, other: DistinctCount) -> None:
        self.seen |= other.seen

    def result(self) -> Any:
        return len(self.seen)


class EstimatedError(DistinctCount):
    """estdc_error: the error of estdc, which is exact here."""

    __slots__ = ()

    def result(self) -> Any:
        return 0 if self.seen else None


class Sum(Accumulator):
    __slots__ = ("any", "total")
    numeric = constant = True
    kept = ("total", "any")

    def __init__(self) -> None:
        self.total: Number = 0
        self.any = False

    def add(self, values: Sequence[Number]) -> None:
        if values:
            self.total = sum(values, self.total)
            self.any = True

    def merge(self, other: Sum) -> None:
        self.total += other.total
        self.any |= other.any

    def result(self) -> Any:
        return clean(self.total) if self.any else None


class SumOfSquares(Sum):
    __slots__ = ()

    def add(self, values: Sequence[Number]) -> None:
        super().add([value * value for value in values])


class Per(Sum):
    """per_second and its kin: the sum of a bucket of timechart for each so many seconds."""

    __slots__ = ("seconds", "span")

    def __init__(self, seconds: int) -> None:
        super().__init__()
        self.seconds = seconds
        self.span = 1.0  # length of the bucket, which timechart sets

    def result(self) -> Any:
        return clean(self.total * self.seconds / self.span) if self.any else None


class Average(Accumulator):
    __slots__ = ("number", "total")
    numeric = constant = True
    kept = ("total", "number")

    def __init__(self) -> None:
        self.total: Number = 0
        self.number = 0

    def add(self, values: Sequence[Number]) -> None:
        self.total = sum(values, self.total)
        self.number += len(values)

    def merge(self, other: Average) -> None:
        self.total += other.total
        self.number += other.number

    def result(self) -> Any:
        return clean(self.total / self.number) if self.number else None


class Extreme(Accumulator):
    """min and max: as numbers where values are numbers, texts behind them by code point."""

    __slots__ = ("held", "sign")
    constant = True
    kept = ("held",)

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.held: Any = None

    def add(self, values: Sequence[Any]) -> None:
        if values:
            choose = max if self.sign > 0 else min
            kinds = set(map(type, values))
            best = choose(values) if kinds <= {int, float} else choose(values, key=sort_key)
            self._offer(best)

    def _offer(self, value: Any) -> None:
        if self.held is None:
            self.held = value
            return
        new, old = sort_key(value), sort_key(self.held)
        if new > old if self.sign > 0 else new < old:
            self.held = value

    def merge(self, other: Extreme) -> None:
        if other.held is not None:
            self._offer(other.held)

    def result(self) -> Any:
        number = to_number(self.held)
        return self.held if number is None else clean(number)


class Range(Accumulator):
    __slots__ = ("high", "low")
    numeric = constant = True
    kept = ("low", "high")

    def __init__(self) -> None:
        self.low: Number | None = None
        self.high: Number | None = None

    def add(self, values: Sequence[Number]) -> None:
        if values:
            self._widen(min(values), max(values))

    def _widen(self, low: Number, high: Number) -> None:
        self.low = low if self.low is None else min(self.low, low)
        self.high = high if self.high is None else max(self.high, high)

    def merge(self, other: Range) -> None:
        if other.low is not None and other.high is not None:
            self._widen(other.low, other.high)

    def result(self) -> Any:
        return None if self.low is None or self.high is None else clean(self.high - self.low)


class Values(Accumulator):
    """Distinct values in lexicographic order; what counts is their text."""

    __slots__ = ("seen",)
    kept = ("seen",)

    def __init__(self) -> None:
        self.seen: dict[str, Any] = {}

    def add(self, values: Sequence[Any]) -> None:
        for text, value in zip(texts(values), values, strict=True):
            self.seen.setdefault(text, value)

    def merge(self, other: Values) -> None:
        self.seen = other.seen | self.seen

    def result(self) -> Any:
        return collapse([self.seen[name] for name in sorted(self.seen)])


class ListOf(Accumulator):
    """All values in order, at most 100."""

    __slots__ = ("held",)
    kept = ("held",)

    def __init__(self) -> None:
        self.held: list[Any] = []

    def add(self, values: Sequence[Any]) -> None:
        room = LIST_LIMIT - len(self.held)
        if room > 0:
            self.held += values[:room]

    def merge(self, other: ListOf) -> None:
        self.add(other.held)

    def result(self) -> Any:
        return collapse(list(self.held))


class First(Accumulator):
    __slots__ = ("held",)
    constant = True
    kept = ("held",)

    def __init__(self) -> None:
        self.held: Any = None

    def add(self, values: Sequence[Any]) -> None:
        if self.held is None and values:
            self.held = values[0]

    def merge(self, other: First) -> None:
        if self.held is None:
            self.held = other.held

    def result(self) -> Any:
        return self.held


class Last(First):
    __slots__ = ()

    def add(self, values: Sequence[Any]) -> None:
        if values:
            self.held = values[-1]

    def merge(self, other: First) -> None:
        if other.held is not None:
            self.held = other.held


class ByTime(Accumulator):
    """earliest and latest: the value of the row with the lowest or highest _time, of several the first seen."""

    __slots__ = ("give_time", "held", "sign", "time")
    timed = constant = True
    kept = ("time", "held")

    def __init__(self, sign: int, give_time: bool = False) -> None:
        self.sign = sign
        self.give_time = give_time
        self.time: Number | None = None
        self.held: Any = None

    def add_timed(self, values: Sequence[Any], times: Sequence[Any]) -> None:
        for value, when in zip(values, times, strict=True):
            if when is not None:
                self._offer(when, value)

    def _offer(self, when: Number, value: Any) -> None:
        if self.time is None or (when > self.time if self.sign > 0 else when < self.time):
            self.time, self.held = when, value

    def merge(self, other: ByTime) -> None:
        if other.time is not None:
            self._offer(other.time, other.held)

    def result(self) -> Any:
        return self.time if self.give_time else self.held


class Rate(Accumulator):
    """(latest - earliest) / (latest time - earliest time)."""

    __slots__ = ("first", "last")
    timed = constant = True
    kept = ("first", "last")

    def __init__(self) -> None:
        self.first = ByTime(-1)
        self.last = ByTime(1)

    def add_timed(self, values: Sequence[Any], times: Sequence[Any]) -> None:
        self.first.add_timed(values, times)
        self.last.add_timed(values, times)

    def merge(self, other: Rate) -> None:
        self.first.merge(other.first)
        self.last.merge(other.last)

    def result(self) -> Any:
        low, high = to_number(self.first.held), to_number(self.last.held)
        begin, end = self.first.time, self.last.time
        if low is None or high is None or begin is None or end is None or begin == end:
            return None
        return clean((high - low) / (end - begin))


class Mode(Accumulator):
    """The most frequent value, as text; of several the first seen."""

    __slots__ = ("counts",)
    kept = ("counts",)

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def add(self, values: Sequence[Any]) -> None:
        self.counts.update(texts(values))

    def merge(self, other: Mode) -> None:
        self.counts.update(other.counts)

    def result(self) -> Any:
        return max(self.counts, key=self.counts.__getitem__) if self.counts else None


def texts(values: Sequence[Any]) -> Sequence[str]:
    return values if set(map(type, values)) <= {str} else [to_text(value) for value in values]
