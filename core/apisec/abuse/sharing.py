"""Whether an operation is about what belongs to somebody, or about what is there for everybody.

Of what belongs to somebody the owner is the first who gets it, and staff comes after. So of the objects that ordinary
principals ask for, what counts is how many others held before them: some, where many ask for their own; nearly all,
where everybody reads one collection. The principal is the unit (of those that last for a session the client), so that a
few desks do not speak for all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Dict

from apisec.abuse.base import OPERATION, SERVICE, Context, Window
from apisec.abuse.habits import unit_of
from apisec.abuse.provenance import Holders
from apisec.abuse.rarity import by_hash, numbers
from apisec.activity.hashing import value_hash32

if TYPE_CHECKING:
    from apisec.abuse.tally import Counted

KNOWN, BORROWED = "sampled", "borrowed"  # marks: objects whose holders are known, and those that others held before
LEAST_OBJECTS = 2.0  # of a principal in seven days
LEAST_PRINCIPALS = 8
MAX_PRINCIPALS = 64  # those of the smallest hashes
# Of what the fourth of the principals asks for that borrow least: where people ask for their own, staff and partners,
# who may be more, come after; staff is first to see some of what it owns.
PRIVATE, LEAST_BORROWING = 0.75, 4


class Sharing:
    """Hash of a principal to the share of borrowed objects. The part "sharing" of an operation's profile."""

    name: ClassVar[str] = "sharing"
    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held: Dict[int, float] = {}

    def take(self, principal: int, share: float) -> None:
        held = self._held
        if principal not in held and len(held) >= MAX_PRINCIPALS:
            largest = max(held)
            if principal > largest:
                return
            del held[largest]
        held[principal] = share

    @property
    def known(self) -> bool:
        return len(self._held) >= LEAST_PRINCIPALS

    def is_private(self) -> bool:
        """Whether many principals ask for much that nobody held before. False where too little is known."""
        return self.known and sorted(self._held.values())[len(self._held) // LEAST_BORROWING] < PRIVATE

    def merge(self, other: Sharing) -> None:
        for principal, share in other._held.items():
            self.take(principal, share)

    def forget(self, slot: int) -> None:
        """Bounded by ``take``."""

    def to_state(self) -> Dict[str, float]:
        return {str(principal): round(share, 3) for principal, share in sorted(self._held.items())}

    @classmethod
    def from_state(cls, state: Any) -> Sharing:
        """Raises DocumentError when it is not one of ``to_state``."""
        made = cls()
        known = by_hash(state, MAX_PRINCIPALS, cls.name)
        made._held = dict(zip(known, numbers(list(known.values()), len(known), cls.name)))
        return made


def mark(counted: Counted, context: Context) -> None:
    """Mark the objects of the window whose holders are known, and those that others held before."""
    holders = context.peek(SERVICE, (counted.row.service,), Holders)
    if holders is None:
        return
    for row, name, used in counted.used():
        if used.objects:
            known, others, public = holders.judge(used.objects, used.objects, value_hash32(unit_of(row)))
            counted.mark(name, KNOWN, known)
            counted.mark(name, BORROWED, len(others) + public)


def is_private(context: Context, operation: str, counted: Counted) -> bool:
    """Whether others ask the operation for their own: desks and auditors do nothing else there, and are no scrapers."""
    sharing = context.peek(OPERATION, (counted.row.service, operation), Sharing)
    return sharing is not None and sharing.is_private()


def is_public(context: Context, operation: str, counted: Counted) -> bool:
    """Whether others are known to ask the operation for what is there for everybody."""
    sharing = context.peek(OPERATION, (counted.row.service, operation), Sharing)
    return sharing is not None and sharing.known and not sharing.is_private()


def learn(window: Window, context: Context) -> None:
    """Take from ordinary principals how much of what they asked for in seven days others held before."""
    for key in window.by_principal:
        counted = context.tally.principals[key]
        for name, counts in counted.by_operation.items():
            trail = counted.part.operations.get(name)
            known = trail.sums(KNOWN)[2] if trail is not None and counts.get(KNOWN) else 0.0
            if trail is not None and known >= LEAST_OBJECTS:
                sharing = context.part(OPERATION, (key[0], name), Sharing)
                sharing.take(value_hash32(unit_of(counted.row)), min(1.0, trail.sums(BORROWED)[2] / known))
