"""What an operation remembers of its principals' objects: shares by kind, and who has shown weak evidence."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Dict, Set

from apisec.abuse.base import SLOTS_PER_DAY
from apisec.abuse.daily import MAX_DAYS, DailyShares
from apisec.abuse.rarity import by_hash
from apisec.errors import DocumentError

MAX_CROWD = 256  # principals of a day


class ObjectShares(DailyShares):
    """Of an operation: shares of objects by kind of principal, and who has shown weak evidence on which day."""

    name: ClassVar[str] = "object_shares"
    __slots__ = ("_weak",)

    def __init__(self) -> None:
        super().__init__()
        self._weak: Dict[int, Set[str]] = {}

    def suspect(self, day: int, principals: Iterable[str]) -> Set[str]:
        """Add to the principals of a day with weak evidence, and return all of them."""
        held = self._weak.setdefault(day, set())
        for principal in principals:
            if len(held) < MAX_CROWD:
                held.add(principal)
        return held

    def suspects(self, day: int) -> Set[str]:
        return self._weak.get(day, set())

    def forget(self, slot: int) -> None:
        super().forget(slot)
        oldest = slot // SLOTS_PER_DAY - MAX_DAYS
        for day in [one for one in self._weak if one < oldest]:
            del self._weak[day]

    def merge(self, other: DailyShares) -> None:
        super().merge(other)
        if isinstance(other, ObjectShares):
            for day, held in other._weak.items():
                self.suspect(day, sorted(held))

    def to_state(self) -> Dict[str, Any]:
        return {**super().to_state(), "weak": {str(day): sorted(held) for day, held in self._weak.items()}}

    @classmethod
    def from_state(cls, state: Any) -> ObjectShares:
        made = super().from_state(state)
        for day, held in by_hash(state.get("weak"), 4 * MAX_DAYS, cls.name).items():
            if not isinstance(held, list) or not all(isinstance(one, str) for one in held):
                raise DocumentError("principals are no list of texts", where=cls.name)
            made.suspect(day, held)
        return made
