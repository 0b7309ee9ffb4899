"""How much one of many contributed to a sum over the last hour and day, in five numbers.

It is left out of the sum when it is the largest: what is claimed of many must not rest on one. So it must not be taken
for smaller than it is, nor for all that it added up to in weeks: who fails for ever would hide the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, List, NamedTuple

from apisec.abuse.base import SLOTS_PER_DAY, SLOTS_PER_HOUR


class Lately(NamedTuple):
    """Counts of the hour and the day (of the clock) that ``slot`` is in, and of those before them."""

    slot: int = 0  # of the last contribution
    hour: float = 0.0
    hour_before: float = 0.0
    day: float = 0.0
    day_before: float = 0.0

    def add(self, slot: int, count: float) -> Lately:
        moved = self.at(slot)
        return moved._replace(slot=max(slot, self.slot), hour=moved.hour + count, day=moved.day + count)

    def at(self, slot: int) -> Lately:
        """Return it as it is to be seen in a later slot."""
        hours = slot // SLOTS_PER_HOUR - self.slot // SLOTS_PER_HOUR
        days = slot // SLOTS_PER_DAY - self.slot // SLOTS_PER_DAY
        if hours <= 0:
            return self
        hour_before = self.hour if hours == 1 else 0.0
        if days <= 0:
            return Lately(slot, 0.0, hour_before, self.day, self.day_before)
        return Lately(slot, 0.0, hour_before, 0.0, self.day if days == 1 else 0.0)

    def most(self, horizon: str, slot: int) -> float:
        """Return what it contributed within a horizon up to ``slot``, and before it as long again at most."""
        now = self.at(slot)
        return now.hour + now.hour_before if horizon == "1h" else now.day + now.day_before

    @property
    def total(self) -> float:
        return self.day + self.day_before

    def merge(self, other: Lately) -> Lately:
        newest = max(self.slot, other.slot)
        mine, theirs = self.at(newest), other.at(newest)
        return Lately(newest, *(one + more for one, more in zip(mine[1:], theirs[1:])))

    def to_state(self) -> List[float]:
        return [self.slot, *(round(one, 3) for one in self[1:])]

    @classmethod
    def from_state(cls, state: Sequence[Any]) -> Lately:
        """Raises TypeError or ValueError. A sum over an unknown time, as it was kept once, is forgotten."""
        slot, *counts = state
        if len(counts) == 1:
            return cls(int(slot), 0.0, 0.0, 0.0, 0.0)
        hour, hour_before, day, day_before = (float(one) for one in counts)
        return cls(int(slot), hour, hour_before, day, day_before)
