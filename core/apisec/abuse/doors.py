"""What an operation is by how it behaves: whether it logs in, registers, or answers questions about accounts.

A login gives a credential to who asks with an account and the right secret: where that is so, an answer without one is
a failure, whatever its status. An operation at which an account succeeds once and never again, and which creates
something, registers. A client that names an account and no secret, where nobody is given a credential, asks about it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, ClassVar, Dict, List, NamedTuple, Optional, Set, Tuple

from apisec.abuse.accounts import Accounts, accounts_of, clients_mask
from apisec.abuse.base import OPERATION, SERVICE, SLOTS_PER_HOUR, Context
from apisec.activity import OperationActivity, Row
from apisec.activity.attempts import CLOSED, MANNERS, MUTE, NAMED, OPENED, PRESUMED, SIGNED, TRIED, Attempts
from apisec.activity.hashing import smallest
from apisec.activity.packing import pack, unpack
from apisec.errors import DocumentError

MAX_RETURNING = 256  # accounts by which is seen whether they come again to an operation
LEAST_ANSWERS = 5  # requests by known manners, from which on an operation is known to give credentials
LEAST_KNOWN, ABOUT = 2, 0.2  # values that are known accounts, at least, and so many of all of them
LEAST_ANSWERED = 3  # from which on it is known to answer questions
LEAST_PRESUMED = 10  # the same where nothing else tells that accounts are named
GRANTING = 0.25  # of its successes give one
LEAST_ACCOUNTS = 15  # that succeeded, from which on it is known whether they come again
ONCE = 0.03  # of successes are of accounts that had succeeded, at most, where accounts are made
SHUT_SLOTS = SLOTS_PER_HOUR
LEAST_SHUT, SHUT = 4, 0.1  # accounts that fail at home, and of them, so many as are let in
MAX_RECENT = 4 * SHUT_SLOTS
CONFLICT = 409
CREATING = frozenset((201, CONFLICT))
MAX_COUNTED = 4_000.0  # answers, beyond which old ones fade


class Logins(NamedTuple):
    """What one principal did at a door: accounts as hashes."""

    attempts: int
    failures: int
    successes: int
    failed: AbstractSet[int]
    opened: AbstractSet[int]
    unread: int  # accounts that failed, beyond the bound of ``failed``

    def plus(self, other: Logins) -> Logins:
        opened = self.opened | other.opened
        return Logins(
            self.attempts + other.attempts,
            self.failures + other.failures,
            self.successes + other.successes,
            (self.failed | other.failed) - opened,
            opened,
            self.unread + other.unread,
        )


NOBODY = Logins(0, 0, 0, frozenset(), frozenset(), 0)


class Door:
    """How an operation answers those who name accounts. The part "door" of its profile."""

    name: ClassVar[str] = "door"
    __slots__ = ("_answers", "_created", "_first", "_known", "_later", "_presumed", "_recent", "_returning")

    def __init__(self) -> None:
        self._answers: Dict[str, List[float]] = {}  # by manner, of ordinary requests: opened, closed, mute
        self._created = 0.0  # answers with a status that says that something was, or is already, there
        self._known = self._presumed = 0.0  # accounts of requests of which nothing tells what they are; of these known
        self._recent: Dict[int, List[int]] = {}  # by slot: accounts that failed where they are at home, and that opened
        self._returning: Set[int] = set()  # a sample of accounts that succeeded
        self._first = 0  # successes of accounts of the sample's range: of those that were new
        self._later = 0  # and of those that had succeeded in an earlier window

    def grants(self, manner: str) -> bool:
        """Whether such requests are given a credential when they succeed."""
        opened, closed, mute = self._answers.get(manner, (0.0, 0.0, 0.0))
        if manner != PRESUMED:
            return opened >= LEAST_ANSWERS and opened >= GRANTING * (opened + mute)
        return opened >= LEAST_PRESUMED and opened >= GRANTING * (opened + closed + mute)

    @property
    def answers(self) -> bool:
        """Whether questions about accounts are answered to clients that nobody knows."""
        held = [self._answers.get(manner, (0.0, 0.0, 0.0)) for manner in (NAMED, PRESUMED)]
        return sum(opened + mute for opened, _, mute in held) >= LEAST_ANSWERED

    def registers(self, used: OperationActivity) -> bool:
        """Whether accounts succeed here once, by being made; ``used`` may say so itself."""
        refused = sum(used.statuses.get(status, 0) for status in (400, 401, 403, 404, 422))
        if used.statuses.get(CONFLICT, 0) > refused:  # what is to be made is there
            return True
        seen = self._first + self._later
        answers = sum(sum(one) for one in self._answers.values())
        return seen >= LEAST_ACCOUNTS and self._later <= ONCE * seen and self._created >= 0.5 * answers

    def shut(self, slot: int) -> bool:
        """Whether those who are at home are not let in: a directory that is away, a release that broke the login."""
        recent = [counts for at, counts in self._recent.items() if slot - SHUT_SLOTS < at <= slot]
        failed, opened = (sum(counts[place] for counts in recent) for place in (0, 1))
        return failed >= LEAST_SHUT and opened <= SHUT * failed

    def look(self, used: OperationActivity, accounts: Accounts, clients: int, slot: int) -> None:
        """Take which accounts were let in, and which not where they are at home; ordinary or not."""
        found = self.logins(used)
        if found.failed or found.opened:
            counts = self._recent.setdefault(slot, [0, 0])
            counts[0] += len(accounts.at_home(found.failed, clients))
            counts[1] += len(found.opened)

    def logins(self, used: OperationActivity) -> Logins:
        """Return what of the use is attempts to log in, or to register."""
        found = NOBODY
        for manner, attempts in used.attempts.items():
            if manner == TRIED or self.grants(manner):
                found = found.plus(_logins(attempts, self.grants(manner)))
        return found

    def asked(self, used: OperationActivity, accounts: Optional[Accounts] = None) -> Optional[Attempts]:
        """Return what of the use is questions about accounts, of which ``accounts`` are known in the service."""
        for manner in (NAMED, SIGNED, PRESUMED):
            attempts = used.attempts.get(manner)
            if attempts is not None and not self.grants(manner):
                if manner != PRESUMED or self.about_accounts or (accounts and accounts.named(used.fields)):
                    return attempts
                return None
        return None

    @property
    def about_accounts(self) -> bool:
        """Whether what such requests name are, often enough, accounts that log in elsewhere."""
        return self._known >= LEAST_KNOWN and self._known >= ABOUT * self._presumed

    def learn(self, used: OperationActivity, accounts: Optional[Accounts] = None) -> None:
        """Take an ordinary use; with the accounts that are known of the service."""
        self._learn_presumed(used, accounts)
        for manner, attempts in used.attempts.items():
            held = self._answers.setdefault(manner, [0.0, 0.0, 0.0])
            for outcome in (OPENED, CLOSED, MUTE):
                held[outcome] += attempts.counts[outcome]
            if sum(held) > MAX_COUNTED:
                self._created /= 2
                held[:] = [value / 2 for value in held]
        self._created += sum(count for status, count in used.statuses.items() if status in CREATING)
        self._learn_returning(self.logins(used).opened)

    def _learn_presumed(self, used: OperationActivity, accounts: Optional[Accounts]) -> None:
        presumed = used.attempts.get(PRESUMED)
        if presumed is None or accounts is None or self._presumed >= MAX_COUNTED:
            return
        for hashes in presumed.accounts:
            self._presumed += len(hashes)
            self._known += sum(account in accounts for account in hashes.values)

    def _learn_returning(self, accounts: Iterable[int]) -> None:
        held = self._returning
        limit = max(held) if len(held) >= MAX_RETURNING else None
        for account in accounts:
            if limit is not None and account > limit:
                continue
            if account in held:
                self._later += 1
            else:
                self._first += 1
                held.add(account)
        if len(held) > MAX_RETURNING:
            self._returning = smallest(held, MAX_RETURNING)

    def merge(self, other: Door) -> None:
        for manner, counts in other._answers.items():
            held = self._answers.setdefault(manner, [0.0, 0.0, 0.0])
            held[:] = [mine + theirs for mine, theirs in zip(held, counts)]
        self._created += other._created
        self._known += other._known
        self._presumed += other._presumed
        self._first += other._first
        self._later += other._later
        self._returning = smallest(self._returning | other._returning, MAX_RETURNING)
        for at, seen in other._recent.items():
            known = self._recent.get(at, [0, 0])
            self._recent[at] = [known[0] + seen[0], known[1] + seen[1]]

    def forget(self, slot: int) -> None:
        """Drop what was recent; what is older fades as new answers come."""
        self._recent = {at: counts for at, counts in self._recent.items() if at > slot - SHUT_SLOTS}

    def to_state(self) -> Dict[str, Any]:
        return {
            "answers": {manner: [round(one, 2) for one in held] for manner, held in sorted(self._answers.items())},
            "created": round(self._created, 2),
            "known": [self._known, self._presumed],
            "recent": sorted([at, *counts] for at, counts in self._recent.items()),
            "returning": pack(sorted(self._returning)),
            "seen": [self._first, self._later],
        }

    @classmethod
    def from_state(cls, state: Any) -> Door:
        """Raises DocumentError when it is not one of ``to_state``."""
        door = cls()
        try:
            for manner, held in state["answers"].items():
                opened, closed, mute = (_amount(one) for one in held)
                if manner in MANNERS:
                    door._answers[manner] = [opened, closed, mute]
            door._created = _amount(state["created"])
            door._known, door._presumed = (_amount(one) for one in state["known"])
            for at, failed, opened in state["recent"][:MAX_RECENT]:
                door._recent[int(at)] = [int(failed), int(opened)]
            door._returning = set(unpack(state["returning"], MAX_RETURNING, "door"))
            door._first, door._later = (int(_amount(one)) for one in state["seen"])
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise DocumentError(f"is no door: {error}", where="door") from error
        return door


def _logins(attempts: Attempts, grants: bool) -> Logins:
    _, closed, mute = attempts.counts
    good, bad, unclear = attempts.accounts
    successes = set(good.values if grants else good.values | unclear.values)
    failed = set(bad.values | unclear.values if grants else bad.values) - successes
    failures = closed + mute if grants else closed
    dropped = sum(one.count - len(one) for one in ((bad, unclear) if grants else (bad,)))
    return Logins(attempts.requests, failures, attempts.requests - failures - attempts.unanswered, failed, successes,
                  dropped)  # fmt: skip


def door_of(context: Context, service: str, operation: str) -> Door:
    """Return what is known of an operation; it is not to be changed."""
    return context.peek(OPERATION, (service, operation), Door) or _UNKNOWN


def names_accounts(context: Context, service: str, operation: str, used: OperationActivity) -> bool:
    """Whether a use logs in, registers, or asks about accounts."""
    if not used.attempts:
        return False
    door = door_of(context, service, operation)
    return door.asked(used, accounts_of(context, service)) is not None or bool(door.logins(used).attempts)


def opened_by_address(context: Context, service: str) -> Dict[str, Set[int]]:
    """Return who logs in to a service in this window, by the address it is done from."""
    found: Dict[str, Set[int]] = {}
    for (of, _), counted in context.tally.principals.items():
        for row, name, used in counted.used() if of == service else ():
            door = door_of(context, service, name)
            opened = door.logins(used).opened if used.attempts and not door.registers(used) else ()
            for address in row.sources if opened else ():
                found.setdefault(address, set()).update(opened)
    return found


def look_at_doors(rows: Mapping[Tuple[str, str], Iterable[Tuple[Row, OperationActivity]]], context: Context) -> None:
    """Take from all rows of a window which doors let people in who are at home; it counts from the next window on."""
    for (service, operation), uses in rows.items():
        for row, used in uses:
            if used.attempts:
                door = context.part(OPERATION, (service, operation), Door)
                door.look(used, accounts_of(context, service), clients_mask(row), context.now_slot)


def learn_doors(rows: Mapping[Tuple[str, str], Iterable[Tuple[Row, OperationActivity]]], context: Context) -> None:
    """Take from ordinary rows, by (service, operation), how operations answer and who logs in."""
    for (service, operation), uses in rows.items():
        for row, used in uses:
            if not used.attempts:
                continue
            door = context.part(OPERATION, (service, operation), Door)
            opened = door.logins(used).opened
            if opened:
                known = context.part(SERVICE, (service,), Accounts)
                known.add(opened, clients_mask(row), context.now_slot)
                known.add_names(used.fields)
            door.learn(used, accounts_of(context, service))


def _amount(value: Any) -> float:
    if type(value) not in (int, float) or not 0 <= value <= 1e15:
        raise ValueError(f"{value!r} is not a count")
    return float(value)


_UNKNOWN = Door()
