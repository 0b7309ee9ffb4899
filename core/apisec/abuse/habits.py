"""What one principal is used to: the operations that served it, and those that refused it (403)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Dict, List

from apisec.abuse.base import SLOTS_PER_DAY
from apisec.abuse.rarity import by_hash, numbers
from apisec.activity.hashing import value_hash32

if TYPE_CHECKING:
    from apisec.activity import Row

CLIENT = "%"  # begins the pseudo principal of a client
ANONYMOUS = "anonymous"  # kind of who sends no credential
PASSING_KINDS = frozenset(("session", ANONYMOUS))
MAX_HABITS = 96  # operations of one principal; those that served it least go first
REFUSED_SLOTS = 7 * SLOTS_PER_DAY
NOT_LEARNED, WAITING, LEARNED = 0, 1, 2


def signature_of(row: Row) -> str:
    """Return what tells that principals which last for a session only are one client's; "" for those that last."""
    if row.kind not in PASSING_KINDS or not row.clients:
        return ""
    return f"{row.client.network} {row.client.agent}"[:120]


def unit_of(row: Row) -> str:
    """Return under which name it is remembered what somebody is used to.

    That is the principal, or for principals that last for a session only the client: what it does over many sessions
    adds up there.
    """
    if row.kind not in PASSING_KINDS or not row.clients:
        return row.principal
    return f"{CLIENT}{value_hash32(row.client.text):08x}"


class Habit:
    """One operation of one principal: answers, when it was first served, refusals of the last seven days."""

    __slots__ = ("first", "last_refused", "refused", "served", "state")

    def __init__(self, values: Sequence[int] = (0, 0, 0, 0, NOT_LEARNED)) -> None:
        self.first, self.served, self.refused, self.last_refused, self.state = values


class Habits:
    """The operations of one principal."""

    name: ClassVar[str] = "habits"
    __slots__ = ("operations",)

    def __init__(self) -> None:
        self.operations: Dict[int, Habit] = {}

    def take(self, operation: int, served: int, refused: int, slot: int) -> Habit:
        """Count answers and refusals (403) of an operation in a row."""
        habit = self.operations.get(operation)
        if habit is None:
            habit = self.operations[operation] = Habit()
            if len(self.operations) > MAX_HABITS:
                others = [one for one in self.operations if one != operation]
                del self.operations[min(others, key=lambda one: (self.operations[one].served, one))]
        if served and not habit.served:
            habit.first = slot
        habit.served += served
        if refused:
            stale = slot - habit.last_refused > REFUSED_SLOTS
            habit.refused = refused if stale else habit.refused + refused
            habit.last_refused = slot
        return habit

    def never_served(self, operation: int) -> bool:
        habit = self.operations.get(operation)
        return habit is None or not habit.served

    def first(self, operation: int, never: int) -> int:
        """Return the slot in which the operation first served it; one after ``never`` when it never did."""
        habit = self.operations.get(operation)
        return habit.first if habit is not None and habit.served else never + 1

    def last_refused(self, operation: int) -> int:
        """Return the slot in which the operation last refused it, 0 for never."""
        habit = self.operations.get(operation)
        return habit.last_refused if habit is not None else 0

    def unlearned(self) -> List[int]:
        """Return the operations that served it and are not its habit yet."""
        return [one for one, habit in self.operations.items() if habit.served and habit.state != LEARNED]

    def learned(self) -> List[int]:
        """Return the operations that are its habit."""
        return [one for one, habit in self.operations.items() if habit.state == LEARNED]

    def served(self) -> List[int]:
        return [one for one, habit in self.operations.items() if habit.served]

    def known(self, before: int) -> List[int]:
        """Return the operations that served it before a slot."""
        return [one for one, habit in self.operations.items() if habit.served and habit.first < before]

    def refused(self, slot: int) -> Dict[int, int]:
        """Return the operations that refused it within seven days and are not its habit, with how often."""
        return {
            one: habit.refused
            for one, habit in self.operations.items()
            if habit.refused and habit.state != LEARNED and slot - habit.last_refused <= REFUSED_SLOTS
        }

    def merge(self, other: Habits) -> None:
        for operation, theirs in other.operations.items():
            mine = self.operations.setdefault(operation, Habit())
            mine.first = min(one for one in (mine.first, theirs.first, 1 << 40) if one) % (1 << 40)
            mine.served += theirs.served
            mine.refused += theirs.refused
            mine.last_refused = max(mine.last_refused, theirs.last_refused)
            mine.state = max(mine.state, theirs.state)

    def forget(self, slot: int) -> None:
        """Bounded by ``take``."""

    def to_state(self) -> Dict[str, List[int]]:
        return {
            str(operation): [one.first, one.served, one.refused, one.last_refused, one.state]
            for operation, one in self.operations.items()
        }

    @classmethod
    def from_state(cls, state: Any) -> Habits:
        """Raises DocumentError when it is not one of ``to_state``."""
        made = cls()
        for operation, values in by_hash(state, MAX_HABITS + 1, cls.name).items():
            made.operations[operation] = Habit([int(one) for one in numbers(values, 5, cls.name)])
        return made
