"""Whose objects a principal is shown: the values of owner-like members of responses (customer, holder, created_by …).

An ordinary user is shown what is its own, so that one value of ``customer`` dominates all it ever gets; a service desk
sees everybody's. What others' values mean is therefore a share of a population, by the kind of principal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Dict, Tuple

from apisec.abuse.base import SLOTS_PER_DAY
from apisec.abuse.daily import DailyShares
from apisec.abuse.rarity import by_hash, mapping, numbers

if TYPE_CHECKING:
    from apisec.activity import Row

MAX_FIELDS = 6  # of one principal
MAX_VALUES = 12  # of one field: its own, and those shown last
MAX_NAME = 64


class OwnerShares(DailyShares):
    """Of a service: of the owners shown on a day, how many were not the principal's own; measures are field names.

    One more is what of all objects asked for was neither given nor there (``object_enumeration.MISSED``).
    """

    name: ClassVar[str] = "owner_shares"


class Shown:
    """The owners that one field showed: how often each, and today's own and others'."""

    __slots__ = ("counts", "day", "today")

    def __init__(self) -> None:
        self.counts: Dict[int, int] = {}
        self.day = 0
        self.today: Dict[int, int] = {}

    def take(self, values: Dict[int, int], day: int) -> None:
        if day != self.day:
            self.day, self.today = day, {}
        for value, count in values.items():
            self.counts[value] = self.counts.get(value, 0) + count
            self.today[value] = self.today.get(value, 0) + count
        for held in (self.counts, self.today):
            # The rarest go: what is its own is shown again and again.
            while len(held) > 2 * MAX_VALUES:
                kept = sorted(held.items(), key=lambda item: (-item[1], item[0]))[:MAX_VALUES]
                held.clear()
                held.update(kept)

    def foreign(self) -> Tuple[float, float]:
        """Return how many of today's owners are others', and how many there are."""
        total = sum(self.today.values())
        own = max(self.counts, key=lambda one: (self.counts[one], one))
        return float(total - self.today.get(own, 0)), float(total)


class Owners:
    """Of one principal: the owners of what it was shown, by field."""

    name: ClassVar[str] = "owners"
    __slots__ = ("fields",)

    def __init__(self) -> None:
        self.fields: Dict[str, Shown] = {}

    def take(self, row: Row) -> None:
        """Count the owners of a row."""
        day = row.slot // SLOTS_PER_DAY
        for name, values in row.owners.items():
            short = name[:MAX_NAME]
            shown = self.fields.get(short)
            if shown is None:
                if len(self.fields) >= MAX_FIELDS:
                    continue
                shown = self.fields[short] = Shown()
            shown.take(values, day)

    def today(self, day: int) -> Dict[str, Tuple[float, float]]:
        """Return by field how many of the day's owners are others', of how many."""
        return {name: shown.foreign() for name, shown in self.fields.items() if shown.day == day and shown.today}

    def merge(self, other: Owners) -> None:
        for name, shown in other.fields.items():
            mine = self.fields.setdefault(name, Shown())
            mine.take(shown.today, shown.day)
            for value, count in shown.counts.items():
                mine.counts[value] = mine.counts.get(value, 0) + count - shown.today.get(value, 0)

    def forget(self, slot: int) -> None:
        """Nothing grows here with time."""

    def to_state(self) -> Dict[str, Any]:
        return {
            name: {
                "counts": {str(value): count for value, count in shown.counts.items()},
                "day": shown.day,
                "today": {str(value): count for value, count in shown.today.items()},
            }
            for name, shown in self.fields.items()
        }

    @classmethod
    def from_state(cls, state: Any) -> Owners:
        """Raises DocumentError when it is not one of ``to_state``."""
        made = cls()
        for name, found in mapping(state, MAX_FIELDS, cls.name).items():
            members = mapping(found, 3, cls.name)
            shown = made.fields[name[:MAX_NAME]] = Shown()
            shown.day = int(numbers([members.get("day")], 1, cls.name)[0])
            shown.counts = _counts(members.get("counts"))
            shown.today = _counts(members.get("today")) if shown.counts else {}
        return made


def _counts(state: Any) -> Dict[int, int]:
    found = by_hash(state, 2 * MAX_VALUES, Owners.name)
    return {value: int(numbers([count], 1, Owners.name)[0]) for value, count in found.items()}
