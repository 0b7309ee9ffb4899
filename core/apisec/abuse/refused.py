"""How often principals were refused by what is for few (a member of ``roles.Roles``)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Dict, Tuple

from apisec.abuse.rarity import by_hash, mapping, numbers

MAX_REFUSED = 512  # principals and networks; those refused longest ago go first
_WHERE = "roles"


class Refused:
    """Tags of principals and of networks, with the bit length of their refusals. ``count``: principals ever refused."""

    __slots__ = ("_held", "count")

    def __init__(self) -> None:
        self.count = 0.0
        # Bit length of the refusals, and the slot in which it was refused first.
        self._held: Dict[int, Tuple[int, int]] = {}

    def chance(self, bits: int, own: Iterable[int], before: int, rows: float, usual: int) -> float:
        """Return the chance that one of so many rows is of somebody who was refused so often; 1 when it is habit.

        A habit is what began ``before`` a slot, and reached ``usual`` bits: who is refused a little more each day is
        not used to it.
        """
        mine = set(own)
        held = (self._held.get(one, (0, 0)) for one in mine)
        if any(known >= usual > 0 and since <= before for known, since in held):
            return 1.0
        others = sum(found >= bits for one, (found, _) in self._held.items() if one not in mine)
        return (others + 0.5) / (rows + 1.0)

    def remember(self, own: Sequence[int], bits: int, slot: int) -> None:
        """Take it that the first of these tags, and those of its networks, was refused so often."""
        self.count += own[0] not in self._held if own else 0
        for one in own:
            known, since = self._held.pop(one, (0, slot))
            self._held[one] = max(bits, known), min(slot, since)  # refused last
        while len(self._held) > MAX_REFUSED:
            del self._held[next(iter(self._held))]

    def merge(self, other: Refused) -> None:
        count = max(self.count, other.count)
        for one, (bits, since) in other._held.items():
            self.remember([one], bits, since)
        self.count = count

    def to_state(self) -> Dict[str, Any]:
        return {"count": self.count, "held": {str(one): list(known) for one, known in self._held.items()}}

    @classmethod
    def from_state(cls, state: Any) -> Refused:
        """Raises DocumentError when it is not one of ``to_state``."""
        members = mapping(state, 2, _WHERE)
        made = cls()
        made.count = numbers([members.get("count")], 1, _WHERE)[0]
        for one, known in by_hash(members.get("held"), MAX_REFUSED, _WHERE).items():
            bits, since = numbers(known, 2, _WHERE)
            made._held[one] = int(bits), int(since)
        return made
