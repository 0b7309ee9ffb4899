"""Accumulators of distributions: variance, standard deviation, percentiles.

Source: Search Reference, "Aggregate functions". Percentiles interpolate between neighbours: of 10,9,…,1 perc95 is 9.55
and the median 5.5 (the page of perc).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from apisec_sandbox.spl.accumulators import Accumulator, Number
from apisec_sandbox.spl.sketch import Sketch
from apisec_sandbox.spl.values import clean

EXACT_DISTINCT = 1000  # distinct values up to which perc is exact (Search Reference, perc)


class Spread(Accumulator):
    """Variance and standard deviation; ``sample`` divides by n-1. Merged as Chan, Golub and LeVeque (1979) do."""

    __slots__ = ("mean", "number", "root", "sample", "square")
    numeric = constant = True
    kept = ("number", "mean", "square")

    def __init__(self, sample: bool, root: bool) -> None:
        self.sample = sample
        self.root = root
        self.number = 0
        self.mean = 0.0
        self.square = 0.0

    def add(self, values: Sequence[Number]) -> None:
        for value in values:  # Welford's update
            self.number += 1
            delta = value - self.mean
            self.mean += delta / self.number
            self.square += delta * (value - self.mean)

    def merge(self, other: Spread) -> None:
        number = self.number + other.number
        if not other.number:
            return
        delta = other.mean - self.mean
        self.mean += delta * other.number / number
        self.square += other.square + delta * delta * self.number * other.number / number
        self.number = number

    def result(self) -> Any:
        if not self.number:
            return None
        divisor = self.number - 1 if self.sample else self.number
        variance = self.square / divisor if divisor else 0.0
        return clean(math.sqrt(variance) if self.root else variance)


class Percentile(Accumulator):
    """Exact up to 1,000 distinct values; beyond a sketch of bounded size, unless it is exactperc."""

    __slots__ = ("counts", "exact", "percent", "sketch", "upper")
    numeric = True
    kept = ("counts", "sketch")

    def __init__(self, percent: float, exact: bool = False, upper: bool = False) -> None:
        self.percent = percent
        self.exact = exact
        self.upper = upper
        self.counts: Counter[Number] = Counter()
        self.sketch = Sketch()

    def add(self, values: Sequence[Number]) -> None:
        if self.sketch.number:
            self.sketch.add(values)
            return
        self.counts.update(values)
        self._bound()

    def _bound(self) -> None:
        if not self.exact and (self.sketch.number or len(self.counts) > EXACT_DISTINCT):
            for value, count in self.counts.items():
                self.sketch.add_weighted(value, count)
            self.counts.clear()

    def merge(self, other: Percentile) -> None:
        self.sketch.merge(other.sketch)
        self.counts.update(other.counts)
        self._bound()

    def result(self) -> Any:
        if self.sketch.number:
            more = 100 * self.sketch.error() if self.upper else 0.0
            return clean(quantile(self.sketch.weighted(), min(100.0, self.percent + more)))
        return clean(quantile(sorted(self.counts.items()), self.percent)) if self.counts else None


def quantile(ordered: Sequence[tuple[Number, int]], percent: float) -> Number:
    """Interpolate linearly between the two nearest ranks of values that come so many times each."""
    number = sum(count for _, count in ordered)
    place = percent / 100 * (number - 1)
    low = math.floor(place)
    below = above = ordered[-1][0]
    passed = 0
    for position, (value, count) in enumerate(ordered):
        passed += count
        if passed > low:
            below = value
            following = ordered[position + 1][0] if position + 1 < len(ordered) else value
            above = value if passed > low + 1 else following
            break
    if above == below or place == low:
        return below
    return round(below + (above - below) * (place - low), 10)
