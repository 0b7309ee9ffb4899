"""A mergeable sketch of a distribution, of bounded size: what perc uses above 1,000 distinct values.

Levels of values, as of Manku, Rajagopalan and Lindsay (1998) and KLL (Karnin, Lang, Liberty, 2016): a full level is
sorted and every other value moves up with twice the weight. Splunk promises less than 1 % error of rank (Search
Reference, "perc"); with 2,048 values a level the worst case stays below that up to some 10^9 values.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

LEVEL = 2048  # values of one level


class Sketch:
    __slots__ = ("levels", "number", "odd")

    def __init__(self) -> None:
        self.levels: list[list[int | float]] = [[]]
        self.number = 0
        self.odd = False  # which of two neighbours stays: it alternates, so that errors cancel

    def add(self, values: Iterable[int | float]) -> None:
        before = len(self.levels[0])
        self.levels[0].extend(values)
        self.number += len(self.levels[0]) - before
        self._settle()

    def add_weighted(self, value: int | float, count: int) -> None:
        """Take a value that comes ``count`` times: one entry for every bit of the count."""
        self.number += count
        for level in range(count.bit_length()):
            if count >> level & 1:
                self._level(level).append(value)
        self._settle()

    def _level(self, level: int) -> list[int | float]:
        while len(self.levels) <= level:
            self.levels.append([])
        return self.levels[level]

    def _settle(self) -> None:
        level = 0
        while level < len(self.levels):
            held = self.levels[level]
            if len(held) >= LEVEL:
                held.sort()
                rest = [held.pop()] if len(held) % 2 else []
                self._level(level + 1).extend(held[self.odd :: 2])
                self.odd = not self.odd
                self.levels[level] = rest
            level += 1

    def merge(self, other: Sketch) -> None:
        self.number += other.number
        for level, held in enumerate(other.levels):
            self._level(level).extend(held)
        self._settle()

    def weighted(self) -> list[tuple[int | float, int]]:
        """Return values in order, each with the number of values that it stands for."""
        return sorted((value, 1 << level) for level, held in enumerate(self.levels) for value in held)

    def error(self) -> float:
        """The largest error of a rank, as a share of all values."""
        return len(self.levels) / LEVEL

    def state(self) -> list[Any]:
        return [self.number, self.odd, self.levels]

    def restore(self, state: Sequence[Any]) -> None:
        self.number, self.odd, self.levels = state[0], state[1], [list(held) for held in state[2]]
