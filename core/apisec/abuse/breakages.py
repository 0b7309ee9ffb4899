"""Whether what fails for many at once is broken: a release of a client, or of the server.

A wave (``tally``) says that many fail at once; it does not say why. Where a release of a client broke, those who fail
run one or two kinds of client that have been ordinary here; where the server broke, nearly everybody fails who calls
the operation. Where neither is so, they have nothing in common but what they try: that is no accident.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Dict, Tuple

from apisec.abuse.base import SERVICE, SLOTS_PER_DAY, SLOTS_PER_HOUR, Context
from apisec.abuse.lately import Lately
from apisec.abuse.tally import Counted
from apisec.activity import OperationActivity, Row
from apisec.activity.hashing import value_hash32
from apisec.errors import DocumentError

# What says that a request is not as it should be; 402, 409, 410, 412 and the like speak of what it is about, 408 and
# 499 of the connection.
MALFORMED = frozenset((400, 405, 406, 411, 413, 414, 415, 416, 417, 422, 431))
REMEMBERED = 2 * SLOTS_PER_HOUR  # slots, as long as a wave
KINDS = 2  # of clients that one release is for
CONCENTRATED = 0.75  # of those who fail run these kinds
EVERYBODY = 0.85  # of those who call the operation fail
MAX_CALLERS = 256  # of an operation that are remembered
MAX_OPERATIONS = 32
MAX_CLIENTS = 96  # kinds of clients of a service
ALIKE = 0.9  # of what an operation refused as malformed within a day was refused in one way
MAX_WAYS = 16
ORDINARY_AFTER = SLOTS_PER_DAY  # slots after it was first seen

Caller = Tuple[int, int, bool]  # slot, kind of client, whether it failed


class Breakages:
    """Who called the operations that many fail at, and the kinds of clients of a service. Part of its profile."""

    name: ClassVar[str] = "breakages"
    __slots__ = ("_callers", "_clients", "_slot")

    def __init__(self) -> None:
        self._slot = -1  # the window that was counted last
        self._callers: Dict[str, Dict[int, Caller]] = {}  # by operation and principal
        self._clients: Dict[int, int] = {}  # kind of client: the slot it was first answered in

    def watch(self, operation: str) -> None:
        """Begin to remember who calls an operation."""
        if operation not in self._callers and len(self._callers) < MAX_OPERATIONS:
            self._callers[operation] = {}
            self._slot = -1

    def see(self, window: Iterable[Counted], service: str, slot: int) -> None:
        """Take who called the watched operations in a window; once for each."""
        if slot == self._slot:
            return
        self._slot = slot
        for counted in window:
            if counted.key[0] != service:
                continue
            for row, name, used in counted.used():
                held = self._callers.get(name)
                if held is not None:
                    held[value_hash32(row.principal)] = (slot, client_of_row(row), refused(used) * 2 > used.requests)
        for held in self._callers.values():
            if len(held) > MAX_CALLERS:
                for who in sorted(held, key=lambda one: held[one][0])[: len(held) - MAX_CALLERS]:
                    del held[who]

    def broken(self, operation: str, slot: int) -> bool:
        """Whether those who fail have a client in common, or fail with everybody."""
        callers = self._callers.get(operation, {}).values()
        failing = Counter(client for _, client, failed in callers if failed)
        count = sum(failing.values())
        if count >= EVERYBODY * len(callers):
            return True
        ordinary = [times for client, times in failing.items() if self._ordinary(client, slot)]
        return sum(sorted(ordinary)[-KINDS:]) >= CONCENTRATED * count

    def _ordinary(self, client: int, slot: int) -> bool:
        return slot - self._clients.get(client, slot) >= ORDINARY_AFTER

    def learn(self, rows: Iterable[Row], slot: int) -> None:
        """Take which kinds of clients are answered."""
        known = self._clients
        for row in rows:
            if row.failures < row.requests:
                known.setdefault(client_of_row(row), slot)
        for client in sorted(known, key=lambda one: known[one])[MAX_CLIENTS:]:
            del known[client]

    def forget(self, slot: int) -> None:
        oldest = slot - REMEMBERED
        for operation in list(self._callers):
            held = {who: one for who, one in self._callers[operation].items() if one[0] >= oldest}
            if held:
                self._callers[operation] = held
            else:
                del self._callers[operation]

    def merge(self, other: Breakages) -> None:
        for operation, callers in other._callers.items():
            self._callers.setdefault(operation, {}).update(callers)
        for client, first in other._clients.items():
            self._clients[client] = min(first, self._clients.get(client, first))

    def to_state(self) -> Dict[str, Any]:
        return {
            "callers": {
                operation: [[who, slot, client, int(failed)] for who, (slot, client, failed) in sorted(held.items())]
                for operation, held in sorted(self._callers.items())
            },
            "clients": sorted([client, first] for client, first in self._clients.items()),
        }

    @classmethod
    def from_state(cls, state: Any) -> Breakages:
        """Raises DocumentError when it is not one of ``to_state``."""
        found = cls()
        try:
            for operation, held in list(state["callers"].items())[:MAX_OPERATIONS]:
                found._callers[str(operation)] = {
                    int(who): (int(slot), int(client), bool(failed)) for who, slot, client, failed in held[:MAX_CALLERS]
                }
            found._clients = {int(client): int(first) for client, first in state["clients"][:MAX_CLIENTS]}
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
            raise DocumentError(f"are no breakages: {error}", where="breakages") from error
        return found


class Ways:
    """In which ways an operation refused what is malformed within a day. The part "ways" of its profile.

    A way is a status, or with what was amiss a hash.
    """

    name: ClassVar[str] = "ways"
    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held: Dict[int, Lately] = {}

    def add(self, statuses: Mapping[int, float], slot: int) -> None:
        for status, count in statuses.items():
            self._held[status] = self._held.get(status, Lately()).add(slot, count)
        for rare in sorted(self._held, key=lambda one: (self._held[one].total, one))[
            : max(0, len(self._held) - MAX_WAYS)
        ]:
            del self._held[rare]

    def alike(self, slot: int) -> bool:
        """Whether nearly all were refused in the same way: those who send it have the same fault."""
        counts = [one.most("1d", slot) for one in self._held.values()]
        return max(counts, default=0.0) >= ALIKE * sum(counts)

    def merge(self, other: Ways) -> None:
        for status, one in other._held.items():
            self._held[status] = self._held[status].merge(one) if status in self._held else one

    def forget(self, slot: int) -> None:
        self._held = {status: one for status, one in self._held.items() if one.most("1d", slot)}

    def to_state(self) -> Dict[str, Any]:
        return {str(status): one.to_state() for status, one in sorted(self._held.items())}

    @classmethod
    def from_state(cls, state: Any) -> Ways:
        """Raises DocumentError when it is not one of ``to_state``."""
        ways = cls()
        try:
            for status, one in list(state.items())[:MAX_WAYS]:
                ways._held[int(status)] = Lately.from_state(one)
        except (AttributeError, TypeError, ValueError, OverflowError) as error:
            raise DocumentError(f"are no ways to be refused: {error}", where="ways") from error
        return ways


def client_of_row(row: Row) -> int:
    """Return the kind of client (a hash) that made most of the row's requests: its agent without a version."""
    return value_hash32(row.client.agent) if row.clients else 0


def refused(used: OperationActivity) -> int:
    """Return how many requests the API refused as malformed."""
    return sum(count for status, count in used.statuses.items() if status in MALFORMED)


def accident(context: Context, counted: Counted, operation: str) -> bool:
    """Whether what the principal's fellows fail at is broken."""
    service = counted.row.service
    found = context.part(SERVICE, (service,), Breakages)
    found.watch(operation)
    found.see(context.tally.principals.values(), service, context.now_slot)
    return found.broken(operation, context.now_slot)


def learn_clients(rows: Iterable[Tuple[str, Sequence[Row]]], context: Context) -> None:
    for service, of_service in rows:
        context.part(SERVICE, (service,), Breakages).learn(of_service, context.now_slot)
