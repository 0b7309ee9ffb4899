"""What a service takes and is asked for in its busiest hours, and how much of that one principal does alone."""

from __future__ import annotations

import math
from typing import Any, ClassVar, Dict

from apisec.abuse.base import SLOTS_PER_HOUR
from apisec.abuse.rarity import by_hash, numbers

KEPT_HOURS = 168
LEAST_HOURS = 24  # before the busiest are known
BUSIEST = 0.95  # quantile of the hours
LEAST_SPENT = 360_000.0  # milliseconds in an hour, a tenth of one worker: less is no load, however idle the service is
LEAST_ASKED = 240.0  # requests in an hour: four a minute, all the time
SHARE = 0.25  # of what the service takes then: nobody ordinary is as much
CAP = 2.0  # decades


class Load:
    """Response time of all ordinary requests together by hour, milliseconds. The part "load" of a service."""

    name: ClassVar[str] = "load"
    least: ClassVar[float] = LEAST_SPENT
    __slots__ = ("_hours",)

    def __init__(self) -> None:
        self._hours: Dict[int, float] = {}

    def take(self, slot: int, spent: float) -> None:
        hour = slot // SLOTS_PER_HOUR
        self._hours[hour] = self._hours.get(hour, 0.0) + spent

    def decades(self, spent: float) -> float:
        """Return what one principal took in an hour says: a decade for each doubling beyond ``SHARE``."""
        if len(self._hours) < LEAST_HOURS or spent < self.least:
            return 0.0
        ordered = sorted(self._hours.values())
        usual = ordered[int(BUSIEST * (len(ordered) - 1))]
        return min(CAP, max(0.0, math.log2(spent / (SHARE * usual)))) if usual > 0.0 else 0.0

    def merge(self, other: Load) -> None:
        for hour, spent in other._hours.items():
            self._hours[hour] = self._hours.get(hour, 0.0) + spent

    def forget(self, slot: int) -> None:
        oldest = slot // SLOTS_PER_HOUR - KEPT_HOURS
        if len(self._hours) > KEPT_HOURS:
            self._hours = {hour: spent for hour, spent in self._hours.items() if hour > oldest}

    def to_state(self) -> Dict[str, float]:
        return {str(hour): round(spent, 1) for hour, spent in self._hours.items()}

    @classmethod
    def from_state(cls, state: Any) -> Load:
        """Raises DocumentError when it is not one of ``to_state``."""
        load = cls()
        known = by_hash(state, 2 * KEPT_HOURS, cls.name)
        load._hours = dict(zip(known, numbers(list(known.values()), len(known), cls.name)))
        return load


class Arrivals(Load):
    """Requests of all ordinary principals together by hour. The part "arrivals" of a service."""

    name: ClassVar[str] = "arrivals"
    least: ClassVar[float] = LEAST_ASKED
    __slots__ = ()
