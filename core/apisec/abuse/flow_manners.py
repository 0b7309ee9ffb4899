"""Since when a principal does an operation the way it does: what has been so for a week is a habit.

A monitor, a script of somebody's own and a partner's program do little beside what they are for, and evenly. Nothing
that they do is new after a week, but the more of it has been seen, the more unusual it is by its number: so what began
a week ago, goes on in the same way and was no finding since, is none by going on. How often it is done is another
matter, which one's own habit says (``weighing``).
"""

from __future__ import annotations

from typing import Any, ClassVar, Dict, List, Tuple

from apisec.abuse.base import SLOTS_PER_DAY
from apisec.abuse.rarity import by_hash, numbers

HABIT_SLOTS = 7 * SLOTS_PER_DAY
MAX_OPERATIONS = 24  # of a principal, as many as have a trail; what changed last goes first
ALIKE = 4.0  # times as much beside it, or a fourth, is another way
LEAST_BESIDE = 0.1  # steps beside each time; fewer are all the same


class Manners:
    """By operation (a hash) the slot since which it is done in one way, and the steps beside each time then."""

    name: ClassVar[str] = "manners"
    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held: Dict[int, Tuple[int, float]] = {}

    def note(self, slot: int, operation: int, beside: float) -> None:
        """Note how much is done beside an operation now."""
        now = max(beside, LEAST_BESIDE)
        since, before = self._held.pop(operation, (slot, now))
        if not before / ALIKE <= now <= before * ALIKE:
            since, before = slot, now
        self._held[operation] = since, before
        if len(self._held) > MAX_OPERATIONS:
            del self._held[max(self._held, key=lambda one: (self._held[one][0], one != operation))]

    def begin_anew(self, operation: int) -> None:
        """Forget since when: its principal is accused."""
        self._held.pop(operation, None)

    def is_habit(self, slot: int, operation: int) -> bool:
        """Whether it has been done in the present way for a week."""
        known = self._held.get(operation)
        return known is not None and known[0] <= slot - HABIT_SLOTS

    # --- a part of a profile --------------------------------------------------------------------------------

    def forget(self, slot: int) -> None:
        """Bounded by ``note``; a profile goes with its principal."""

    def merge(self, other: Manners) -> None:
        for operation, theirs in other._held.items():
            mine = self._held.get(operation, theirs)
            alike = mine[1] / ALIKE <= theirs[1] <= mine[1] * ALIKE
            self._held[operation] = (min if alike else max)(mine, theirs)
        while len(self._held) > MAX_OPERATIONS:
            del self._held[max(self._held, key=lambda one: (self._held[one][0], one))]

    def to_state(self) -> Dict[str, List[float]]:
        return {str(operation): [since, round(beside, 4)] for operation, (since, beside) in self._held.items()}

    @classmethod
    def from_state(cls, state: Any) -> Manners:
        """Read what ``to_state`` gave; raises DocumentError for anything else."""
        made = cls()
        for operation, values in by_hash(state, MAX_OPERATIONS, cls.name).items():
            since, beside = numbers(values, 2, cls.name)
            made._held[operation] = int(since), beside
        return made
