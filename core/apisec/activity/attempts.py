"""Requests that name an account, and how they were answered: attempts to log in, questions about accounts.

Whether an operation is a login shows in what many do with it (``apisec.abuse.doors``); a row only says how each
request was answered. ``Attempts.opened`` are those whose answer gave a credential (a token, a cookie with a session);
``mute`` succeeded by their status and gave none: a failure where others are given one, a success where nobody is.
"""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple

from apisec.activity.packing import columns, count, members
from apisec.activity.parts import Hashes

# Manners: with a secret beside the account; without one, by nobody known or by who is signed in; and, by nobody known,
# with a body of which nothing tells what it is.
TRIED, NAMED, SIGNED, PRESUMED = "t", "n", "s", "p"
MANNERS = (TRIED, NAMED, SIGNED, PRESUMED)
OPENED, CLOSED, MUTE = 0, 1, 2  # how they were answered
MAX_ACCOUNTS = 128  # of an operation, manner and outcome
_NO_ANSWER = frozenset((0, 408, 425, 429))


def outcome_of(status: int, grants: bool) -> Optional[int]:
    """Return how an attempt ended; None where the server had no answer to it.

    ``grants``: the answer holds a credential.
    """
    if status in _NO_ANSWER or status >= 500:
        return None
    if status >= 400:
        return CLOSED
    return OPENED if grants else MUTE


class Attempts:
    """How many requests had which outcome, and for which accounts (hashes)."""

    __slots__ = ("accounts", "counts", "unanswered")

    def __init__(self) -> None:
        self.counts = [0, 0, 0]
        self.unanswered = 0
        self.accounts: Tuple[Hashes, ...] = (Hashes(MAX_ACCOUNTS), Hashes(MAX_ACCOUNTS), Hashes(MAX_ACCOUNTS))

    @property
    def requests(self) -> int:
        return sum(self.counts) + self.unanswered

    def add(self, outcome: Optional[int], account: Optional[int]) -> None:
        if outcome is None:
            self.unanswered += 1
            return
        self.counts[outcome] += 1
        if account is not None:
            self.accounts[outcome].add(account)

    def merge(self, other: Attempts) -> None:
        self.unanswered += other.unanswered
        for outcome in (OPENED, CLOSED, MUTE):
            self.counts[outcome] += other.counts[outcome]
            self.accounts[outcome].merge(other.accounts[outcome])

    def trim(self) -> None:
        for hashes in self.accounts:
            hashes.trim()

    def to_state(self) -> List[Any]:
        return [*self.counts, self.unanswered, *(hashes.to_state() for hashes in self.accounts)]

    @classmethod
    def from_state(cls, state: Any, where: str) -> Attempts:
        """Raises DocumentError."""
        attempts = cls()
        parts = columns(state, where, 7)
        attempts.counts = [count(one, where) for one in parts[:3]]
        attempts.unanswered = count(parts[3], where)
        for hashes, packed in zip(attempts.accounts, parts[4:]):
            hashes.read_state(packed, where)
        return attempts


def attempts_state(held: Dict[str, Attempts]) -> Dict[str, Any]:
    return {manner: one.to_state() for manner, one in sorted(held.items())}


def attempts_of(state: Any, where: str) -> Dict[str, Attempts]:
    """Read what ``attempts_state`` gave; raises DocumentError."""
    held = members(state, where, len(MANNERS))
    return {manner: Attempts.from_state(held[manner], where) for manner in MANNERS if manner in held}
