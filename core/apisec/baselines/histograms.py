"""Histograms of whole weights in two generations: they forget, and merge exactly.

What is older than a generation of two weeks is dropped in one piece, not faded: so sums of whole numbers stay sums,
and sharded is the same as one pass. Between two and four weeks are remembered.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Dict, List, Tuple

from apisec.errors import DocumentError

GENERATION_SLOTS = 2 * 2016  # two weeks of 300 s
UNIT = 120  # weights are whole 120ths
EXACT = 16  # values below have a bin each
PER_OCTAVE = 8  # bins: 9 % wide
MAX_BIN = EXACT + PER_OCTAVE * 60
MAX_WEIGHT = 1 << 53


def generation_of(slot: int) -> int:
    return slot // GENERATION_SLOTS


def bin_of(value: float) -> int:
    """Return the bin of a number of at least 0; the lower edge belongs to its bin."""
    if value < EXACT:
        return int(value)
    found = EXACT + int(PER_OCTAVE * math.log2(value / EXACT) + 1e-9)
    return found if found < MAX_BIN else MAX_BIN


def lower_edge(index: int) -> float:
    return float(index) if index <= EXACT else EXACT * 2.0 ** ((index - EXACT) / PER_OCTAVE)


def middle_of(index: int) -> float:
    return float(index) if index < EXACT else EXACT * 2.0 ** ((index - EXACT + 0.5) / PER_OCTAVE)


class Histogram:
    """Weights by bin, of this generation and the one before. Bin 0 is not kept: it is the rest of the total."""

    __slots__ = ("former", "recent")

    def __init__(self) -> None:
        self.recent: Dict[int, int] = {}
        self.former: Dict[int, int] = {}

    def age(self, generations: int) -> None:
        """Move on by this many generations."""
        if generations == 1:
            self.former, self.recent = self.recent, {}
        elif generations > 1:
            self.former, self.recent = {}, {}

    def merge(self, other: Histogram) -> None:
        """Add another one of the same generation."""
        for mine, others in ((self.recent, other.recent), (self.former, other.former)):
            for index, weight in others.items():
                mine[index] = mine.get(index, 0) + weight

    def __bool__(self) -> bool:
        return bool(self.recent or self.former)

    def total(self) -> Dict[int, int]:
        """Return the weights of both generations."""
        if not self.former:
            return self.recent
        total = dict(self.former)
        for index, weight in self.recent.items():
            total[index] = total.get(index, 0) + weight
        return total

    def to_state(self) -> List[List[int]]:
        return [flat(self.recent), flat(self.former)] if self.former else [flat(self.recent)]

    @classmethod
    def from_state(cls, state: Any) -> Histogram:
        """Raises DocumentError when the state is not one of ``to_state``."""
        histogram = cls()
        if not isinstance(state, list) or len(state) > 2:
            raise DocumentError("not the state of a histogram", where="expectations")
        if state:
            histogram.recent = unflat(state[0])
        if len(state) == 2:
            histogram.former = unflat(state[1])
        return histogram


def flat(weights: Mapping[int, int]) -> List[int]:
    """Return bins and weights in turn; each bin as its distance from the one before."""
    result: List[int] = []
    before = 0
    for index in sorted(weights):
        result += (index - before, weights[index])
        before = index
    return result


def unflat(state: Any) -> Dict[int, int]:
    """Read what ``flat`` gave. Raises DocumentError."""
    if not isinstance(state, list) or len(state) % 2 or len(state) > 2 * MAX_BIN + 2:
        raise DocumentError("not the bins of a histogram", where="expectations")
    weights: Dict[int, int] = {}
    index = 0
    for distance, weight in zip(state[::2], state[1::2]):
        if type(distance) is not int or type(weight) is not int or not 0 < weight < MAX_WEIGHT:
            raise DocumentError("bins and weights of a histogram are whole numbers", where="expectations")
        index += distance
        if not 0 <= index <= MAX_BIN or index in weights:
            raise DocumentError("a bin of a histogram is out of range", where="expectations")
        weights[index] = weight
    return weights


def descending(weights: Mapping[int, int]) -> Iterable[Tuple[int, int]]:
    """Yield (bin, weight of it and all above), highest bin first."""
    above = 0
    for index in sorted(weights, reverse=True):
        above += weights[index]
        yield index, above
