"""The operations of a service as its roles know them: who took them up, from where, and who did so lately."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, Dict, List, NamedTuple, Set

from apisec.abuse.rarity import by_hash, mapping, numbers
from apisec.errors import DocumentError

MAX_OPERATIONS = 160  # of a service that are told apart
MAX_PLACES = 24  # networks or agents of one operation
MAX_RECENT = 32  # principals that took an operation up lately
MUCH, MUCH_CAP = 4.0, 1.0  # requests of a row that anybody may need; decades
_WHERE = "roles"
# Names of what is for staff, by the words of a path or an operation's name; those that are about things of customers as
# well (maintenance_orders, data-export) only alone.
_STAFF = re.compile(
    r"(?<![a-z])(?:admin\w*|back-?office|internal|staff|moderat\w*|sudo|superuser|impersonate)(?![a-z])|"
    r"(?<![a-z_-])(?:manage(?:ment)?|console|operator|root|debug|config(?:uration)?|dump|export|audit|maintenance|"
    r"provision\w*)(?![a-z_-])",
    re.I,
)


class Use:
    """One operation of a service: ``adopters`` principals took it up, in the rows since it ``appeared``.

    ``late`` of them did so when it had its users (``settled``: rows until then, 0 while it has not). ``networks`` and
    ``agents`` count the adopters by where they came from, ``most`` is the largest number of requests of their rows.
    ``open`` counts the clients that it served without a credential: they say nothing of roles, but that it has none.
    """

    __slots__ = ("adopters", "agents", "appeared", "late", "most", "name", "networks", "open", "settled", "slot")

    def __init__(self, name: str, slot: int, appeared: float) -> None:
        self.name = name
        self.slot = slot
        self.appeared = appeared
        self.settled = 0.0
        self.adopters = 0.0
        self.late = 0.0
        self.most = 0.0
        self.open = 0.0
        self.networks: Dict[int, int] = {}
        self.agents: Dict[int, int] = {}

    def rate(self, rows: float, takers: int, fresh: int) -> float:
        """Return the chance that a row is of a principal that takes the operation up; ``takers`` did so just now.

        ``fresh`` of them are no session of a client that did so before.

        Who used it from the beginning says nothing on how often others join: once there are enough rows since then,
        only those count.
        """
        ever = (self.adopters + self.open + takers + 0.5) / (max(0.0, rows - self.appeared) + 1.0)
        if not self.settled:
            return ever
        return min(ever, (self.late + fresh + 0.5) / (max(0.0, rows - self.settled) + 1.0))

    def much(self, served: int) -> float:
        """Return the decades of so many requests in a row, beside the most that those who use the operation need."""
        return min(MUCH_CAP, math.log10(max(1.0, served / max(MUCH, self.most))))

    def halve(self) -> None:
        self.adopters, self.late, self.open = self.adopters / 2.0, self.late / 2.0, self.open / 2.0
        self.appeared, self.settled = self.appeared / 2.0, self.settled / 2.0

    def merge(self, other: Use) -> None:
        """Add the counts of another one; places are added by who knows how many there may be."""
        self.adopters += other.adopters
        self.late += other.late
        self.open += other.open
        self.slot, self.appeared = min(self.slot, other.slot), min(self.appeared, other.appeared)
        self.settled, self.most = max(self.settled, other.settled), max(self.most, other.most)

    def to_state(self) -> List[Any]:
        counts = [self.slot, round(self.appeared, 1), self.adopters, self.late, round(self.settled, 1), self.most]
        return [self.name, *counts, _texts(self.networks), _texts(self.agents), self.open]


class Place(NamedTuple):
    """Where a principal acted from, as hashes."""

    network: int
    agent: int


def is_for_staff(name: str) -> bool:
    """Whether an operation's name says that it is not for everybody."""
    return _STAFF.search(name) is not None


def note(notes: Dict[int, Dict[str, int]], operation: int, principal: str, slot: int) -> None:
    held = notes.setdefault(operation, {})
    held.setdefault(principal, slot)
    if len(held) > MAX_RECENT:
        del held[min(held, key=lambda who: (held[who], who))]
    if len(notes) > 2 * MAX_OPERATIONS:
        del notes[min(notes, key=lambda one: (max(notes[one].values()), one))]


def notes_of(state: Any) -> Dict[int, Dict[str, int]]:
    found = by_hash(state, 2 * MAX_OPERATIONS, _WHERE)
    return {
        operation: {who: int(numbers([slot], 1, _WHERE)[0]) for who, slot in mapping(held, MAX_RECENT, _WHERE).items()}
        for operation, held in found.items()
    }


def _texts(counts: Mapping[int, int]) -> Dict[str, int]:
    return {str(one): count for one, count in counts.items()}


def counts_of(state: Any, limit: int) -> Dict[int, int]:
    found = by_hash(state, limit, _WHERE)
    return {one: int(numbers([count], 1, _WHERE)[0]) for one, count in found.items()}


def use_of(state: Any) -> Use:
    if not isinstance(state, list) or len(state) not in (9, 10) or not isinstance(state[0], str):  # 9: before ``open``
        raise DocumentError("an operation has another shape", where=_WHERE)
    slot, appeared, *counts = numbers(state[1:7], 6, _WHERE)
    use = Use(state[0], int(slot), appeared)
    use.adopters, use.late, use.settled, use.most = counts
    use.networks, use.agents = counts_of(state[7], MAX_PLACES), counts_of(state[8], MAX_PLACES)
    (use.open,) = numbers(state[9:] or [0.0], 1, _WHERE)
    return use


def tags_of(principal: int, places: Iterable[Place]) -> List[int]:
    """Return the tags under which refusals are remembered: the principal's and its networks'."""
    found: Set[int] = {place.network for place in places if place.network}
    return [principal, *sorted(found)]


def merge_notes(mine: Dict[int, Dict[str, int]], theirs: Mapping[int, Mapping[str, int]]) -> None:
    for operation, held in theirs.items():
        for who, slot in held.items():
            note(mine, operation, who, slot)
