"""What an operation remembers of its principals' objects: shares by kind, and who has shown weak evidence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Dict

from apisec.abuse.base import SLOTS_PER_DAY
from apisec.abuse.daily import MAX_DAYS, DailyShares
from apisec.abuse.rarity import by_hash, mapping, numbers
from apisec.activity.hashing import value_hash32

MAX_CROWD = 256  # principals of a day


class ObjectShares(DailyShares):
    """Of an operation: shares of objects by kind of principal, and who has shown weak evidence on which day."""

    name: ClassVar[str] = "object_shares"
    __slots__ = ("_weak",)

    def __init__(self) -> None:
        super().__init__()
        self._weak: Dict[int, Dict[str, int]] = {}  # with one of the objects asked for (hash)

    def suspect(self, day: int, principals: Mapping[str, int]) -> Mapping[str, int]:
        """Add to the principals of a day with weak evidence, each with an object, and return all of them."""
        held = self._weak.setdefault(day, {})
        for principal, hashed in principals.items():
            if len(held) < MAX_CROWD:
                held.setdefault(principal, hashed)
            known = self._days.get(day, {}).get(principal)
            if known is not None:  # who comes once is to teach as well how usual it is
                known[2]["weak"] = (1.0, 1.0)
        return held

    def suspects(self, day: int) -> Mapping[str, int]:
        return self._weak.get(day, {})

    def forget(self, slot: int) -> None:
        super().forget(slot)
        oldest = slot // SLOTS_PER_DAY - MAX_DAYS
        for day in [one for one in self._weak if one < oldest]:
            del self._weak[day]

    def merge(self, other: DailyShares) -> None:
        super().merge(other)
        if isinstance(other, ObjectShares):
            for day, held in other._weak.items():
                self.suspect(day, held)

    def to_state(self) -> Dict[str, Any]:
        return {**super().to_state(), "weak": {str(day): dict(held) for day, held in self._weak.items()}}

    @classmethod
    def from_state(cls, state: Any) -> ObjectShares:
        made = super().from_state(state)
        for day, held in by_hash(state.get("weak"), 4 * MAX_DAYS, cls.name).items():
            if isinstance(held, list):  # as it was once: without objects
                held = {one: value_hash32(one) for one in held if isinstance(one, str)}
            objects = mapping(held, MAX_CROWD, cls.name)
            made.suspect(day, dict(zip(objects, map(int, numbers(list(objects.values()), len(objects), cls.name)))))
        return made
