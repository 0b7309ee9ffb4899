"""An activity row: everything about one principal of one service in five minutes that detection needs.

Bounded, without raw values, and mergeable: the rows of any split of the events give what one pass gives, beyond the
bounds too. For of what is too much a row keeps a sample that does not depend on order: the smallest hashes, or the
first times. Counts beside a sample stay exact; ``*_count`` estimates how many there were.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Set as AbstractSet
from typing import Dict, List, Tuple

from apisec.activity.client import ClientKey
from apisec.activity.hashing import fewest, keep, value_hash32
from apisec.activity.operation import OperationActivity
from apisec.activity.parts import (
    Accounts,
    ClientUse,
    CredentialUse,
    Examples,
    Hashes,
    SignalActivity,
    Step,
    add_counts,
    lesser,
    span,
    under,
)

__all__ = [
    "OTHER", "SLOT_SECONDS", "Accounts", "ClientKey", "ClientUse", "CredentialUse", "Hashes", "OperationActivity", "Row",
    "SignalActivity", "Step",
]  # fmt: skip

SLOT_SECONDS = 300
MAX_OPERATIONS = 64  # of one row; the others are counted together as OTHER
OTHER = "other"
MAX_CLIENTS = 16
MAX_CREDENTIALS = 16
MAX_SOURCES = 8
MAX_USERS = 8
MAX_COUNTED = 64  # hashes from which the number of sources, credentials or operations is estimated: exact up to here
MAX_ISSUED = 1024
MAX_OWNERS = 4
MAX_OWNER_VALUES = 8
MAX_STEPS = 128
MAX_FAMILIES = 32


class Row:
    """One principal of one service in one slot; ``key`` is (service, principal, slot)."""

    __slots__ = (
        "_examples", "accounts", "bodies_seen", "clients", "credential_hashes", "credentials", "first",
        "issued_hashes", "kind", "last", "operation_hashes", "operations", "owners", "principal", "requests",
        "service", "signals", "slot", "source_hashes", "sources", "steps", "team", "users",
    )  # fmt: skip

    def __init__(self, service: str, principal: str, slot: int) -> None:
        self.service = service
        self.principal = principal
        self.slot = slot
        self.team = ""
        self.kind = ""
        self.first = 0.0
        self.last = 0.0
        self.requests = 0
        self.operations: Dict[str, OperationActivity] = {}
        self.operation_hashes = Hashes(MAX_COUNTED)
        self.clients: Dict[ClientKey, ClientUse] = {}
        self.sources: List[str] = []
        self.source_hashes = Hashes(MAX_COUNTED)
        self.credentials: Dict[str, CredentialUse] = {}
        self.credential_hashes = Hashes(MAX_COUNTED)
        self.users: List[str] = []
        self.accounts = Accounts()
        self.issued_hashes = Hashes(MAX_ISSUED)
        self.bodies_seen = 0  # responses whose body was visible
        self.owners: Dict[str, Dict[int, int]] = {}
        self.steps: List[Step] = []
        self.signals: Dict[str, SignalActivity] = {}
        self._examples = Examples()

    @property
    def key(self) -> Tuple[str, str, int]:
        return self.service, self.principal, self.slot

    @property
    def start(self) -> float:
        """Seconds since the epoch at which the slot starts."""
        return float(self.slot * SLOT_SECONDS)

    @property
    def issued(self) -> AbstractSet[int]:
        """Hashes of the ids that responses gave to this principal."""
        return self.issued_hashes.values

    @property
    def issued_dropped(self) -> int:
        return self.issued_hashes.count - len(self.issued_hashes)

    @property
    def operation_count(self) -> int:
        """How many different operations there were, those that are counted as OTHER among them."""
        return self.operation_hashes.count

    @property
    def source_count(self) -> int:
        return self.source_hashes.count

    @property
    def credential_count(self) -> int:
        return self.credential_hashes.count

    @property
    def steps_dropped(self) -> int:
        return self.requests - len(self.steps)

    @property
    def blocked(self) -> int:
        return sum(one.blocked for one in self.operations.values())

    @property
    def failures(self) -> int:
        return sum(one.failures for one in self.operations.values())

    @property
    def examples(self) -> Dict[str, List[str]]:
        """Ids of events by kind: any, failure, object, refused, large, signal:<family>."""
        return self._examples.by_kind()

    @property
    def gaps(self) -> Dict[int, int]:
        """Times between the requests of ``steps``, as a histogram: bit length of milliseconds to count."""
        found: Dict[int, int] = defaultdict(int)
        for one, other in zip(self.steps, self.steps[1:]):
            found[round((other.time - one.time) * 1000).bit_length()] += 1
        return dict(found)

    def add_step(self, step: Step) -> None:
        self.steps.append(step)
        if len(self.steps) > 4 * MAX_STEPS:
            self.trim_steps()

    def add_issued(self, hashes: AbstractSet[int]) -> None:
        if hashes:
            self.issued_hashes.update(hashes)

    def add_owner(self, name: str, hashed: int) -> None:
        values = under(self.owners, name, _no_counts)
        values[hashed] = values.get(hashed, 0) + 1
        if len(values) > 8 * MAX_OWNER_VALUES or len(self.owners) > 8 * MAX_OWNERS:
            self.trim_owners()

    def add_source(self, source: str) -> None:
        """Count an address that is not in ``sources``."""
        self.source_hashes.add(value_hash32(source))
        self.sources.append(source)
        if len(self.sources) > 2 * MAX_SOURCES:
            self.sources = keep(self.sources, MAX_SOURCES)

    def add_credential(self, credential: str) -> CredentialUse:
        """Return the use of a credential that is not in ``credentials``."""
        self.credential_hashes.add(value_hash32(credential))
        if len(self.credentials) > 2 * MAX_CREDENTIALS:
            self.trim_uses()
        use = self.credentials[credential] = CredentialUse()
        return use

    def add_user(self, user: str) -> None:
        """Remember a user that is not in ``users``."""
        if user and user not in self.users:
            self.users.append(user)
            if len(self.users) > 2 * MAX_USERS:
                self.users = keep(self.users, MAX_USERS)

    def add_example(self, kind: str, rank: int, identifier: str) -> None:
        self._examples.add(kind, rank, identifier)

    def signal(self, family: str) -> SignalActivity:
        found = under(self.signals, family, SignalActivity)
        if len(self.signals) > 2 * MAX_FAMILIES:
            self.trim_signals()
        return found

    def merge(self, other: Row) -> None:
        """Add another row of the same key. ValueError for one of another."""
        if other.key != self.key:
            raise ValueError(f"rows of {self.key} and {other.key} do not merge")
        self.team = lesser(self.team, other.team)
        self.kind = lesser(self.kind, other.kind)
        self.first, self.last = span(self, other)
        self.requests += other.requests
        self.bodies_seen += other.bodies_seen
        for name, activity in other.operations.items():
            under(self.operations, name, OperationActivity).merge(activity)
        for key, use in other.clients.items():
            under(self.clients, key, ClientUse).merge(use)
        for credential, credential_use in other.credentials.items():
            under(self.credentials, credential, CredentialUse).merge(credential_use)
        for family, signal in other.signals.items():
            under(self.signals, family, SignalActivity).merge(signal)
        for name, values in other.owners.items():
            add_counts(self.owners.setdefault(name, {}), values)
        self.operation_hashes.merge(other.operation_hashes)
        self.source_hashes.merge(other.source_hashes)
        self.credential_hashes.merge(other.credential_hashes)
        self.issued_hashes.merge(other.issued_hashes)
        self.accounts.merge(other.accounts)
        self.sources = list(dict.fromkeys((*self.sources, *other.sources)))
        self.users = list(dict.fromkeys((*self.users, *other.users)))
        self.steps += other.steps
        self._examples.merge(other._examples)
        self.close()

    def close(self) -> None:
        """Bring everything within its bounds, in an order that does not depend on that of the events."""
        self.trim_operations()
        for activity in self.operations.values():
            activity.trim()
        self.trim_uses()
        for hashes in (self.operation_hashes, self.source_hashes, self.credential_hashes, self.issued_hashes):
            hashes.trim()
        self.accounts.hashes.trim()
        self.sources = sorted(keep(self.sources, MAX_SOURCES))
        self.users = sorted(keep(self.users, MAX_USERS))
        self.trim_owners()
        self.trim_signals()
        for signal in self.signals.values():
            signal.trim()
        self.trim_steps()

    def trim_operations(self) -> None:
        """Count operations beyond the bound together."""
        names = [name for name in self.operations if name != OTHER]
        if len(names) <= MAX_OPERATIONS:
            return
        kept = frozenset(keep(names, MAX_OPERATIONS))
        for name in names:
            if name not in kept:
                under(self.operations, OTHER, OperationActivity).merge(self.operations.pop(name))

    def trim_uses(self) -> None:
        if len(self.clients) > MAX_CLIENTS:
            self.clients = {key: self.clients[key] for key in keep(self.clients, MAX_CLIENTS)}
        if len(self.credentials) > MAX_CREDENTIALS:
            self.credentials = {key: self.credentials[key] for key in keep(self.credentials, MAX_CREDENTIALS)}
        for use in self.credentials.values():
            use.trim()

    def trim_owners(self) -> None:
        self.owners = {name: fewest(self.owners[name], MAX_OWNER_VALUES) for name in keep(self.owners, MAX_OWNERS)}

    def trim_signals(self) -> None:
        if len(self.signals) > MAX_FAMILIES:
            self.signals = {name: self.signals[name] for name in keep(self.signals, MAX_FAMILIES)}

    def trim_steps(self) -> None:
        self.steps.sort()
        del self.steps[MAX_STEPS:]


def _no_counts() -> Dict[int, int]:
    return {}
