"""An activity row: everything about one principal of one service in five minutes that detection needs.

Bounded, without raw values, and mergeable: the rows of any split of the events give what one pass gives, beyond the
bounds too. For of what is too much a row keeps a sample that does not depend on order: the smallest hashes, or the
first times. Counts beside a sample stay exact; ``*_count`` estimates how many there were.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Dict, List, Tuple

from apisec.activity.client import ClientKey
from apisec.activity.hashing import distinct, fewest, keep, value_hash32
from apisec.activity.operation import OperationActivity
from apisec.activity.packing import (
    SLOT_SECONDS,
    columns,
    count,
    members,
    number_counts,
    offset_of,
    pack,
    sequence,
    string,
    time_of,
    unpack,
)
from apisec.activity.parts import (
    Accounts,
    ClientUse,
    CredentialUse,
    Examples,
    Hashes,
    SignalActivity,
    add_counts,
    clients_of,
    clients_state,
    lesser,
    span,
    under,
)
from apisec.activity.steps import Step, steps_of, steps_state
from apisec.errors import DocumentError

__all__ = ["OTHER", "SLOT_SECONDS", "Hashes", "OperationActivity", "Row", "Step"]

DOCUMENT_VERSION = 1
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
MAX_SLOT = 1 << 24  # the year 2129


class Row:
    """One principal of one service in one slot; ``key`` is (service, principal, slot)."""

    __slots__ = (
        "_examples", "accounts", "bodies_seen", "clients", "credential_hashes", "credentials", "first",
        "issued", "issued_trimmed", "kind", "last", "operation_hashes", "operations", "owners", "principal", "requests",
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
        # Hash of an id that a response gave to the principal, not the one that asked for it: seconds from the slot's
        # start to the first time.
        self.issued: Dict[int, int] = {}
        self.issued_trimmed = False
        self.bodies_seen = 0  # responses whose body was visible
        self.owners: Dict[str, Dict[int, int]] = {}
        self.steps: List[Step] = []
        self.signals: Dict[str, SignalActivity] = {}
        self._examples = Examples()

    @property
    def key(self) -> Tuple[str, str, int]:
        return self.service, self.principal, self.slot

    @property
    def client(self) -> ClientKey:
        """The client that made most of the requests; all empty when none is known."""
        return max(self.clients, key=lambda one: (self.clients[one].requests, one), default=ClientKey("", "", ""))

    @property
    def start(self) -> float:
        """Seconds since the epoch at which the slot starts."""
        return float(self.slot * SLOT_SECONDS)

    @property
    def issued_dropped(self) -> int:
        """How many ids that were issued ``issued`` does not hold."""
        return distinct(self.issued, self.issued_trimmed) - len(self.issued)

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

    def add_issued(self, hashes: Iterable[int], offset: int) -> None:
        """Count ids that a response gave ``offset`` seconds after the slot's start."""
        issued = self.issued
        for one in hashes:
            known = issued.get(one)
            if known is None or offset < known:
                issued[one] = offset
        if len(issued) > 2 * MAX_ISSUED:
            self.trim_issued()

    def trim_issued(self) -> None:
        if len(self.issued) > MAX_ISSUED:
            self.issued = {one: self.issued[one] for one in sorted(self.issued)[:MAX_ISSUED]}
            self.issued_trimmed = True

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
        self.issued_trimmed = self.issued_trimmed or other.issued_trimmed
        for one, offset in other.issued.items():
            if offset < self.issued.get(one, SLOT_SECONDS):
                self.issued[one] = offset
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
        for hashes in (self.operation_hashes, self.source_hashes, self.credential_hashes):
            hashes.trim()
        self.trim_issued()
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

    def to_document(self) -> Dict[str, Any]:
        """Return the row as JSON without what is empty; call it on a closed row."""
        start = self.start
        state: Dict[str, Any] = {
            "v": DOCUMENT_VERSION,
            "s": self.service,
            "p": self.principal,
            "n": self.slot,
            "tm": self.team,
            "k": self.kind,
            "t": [offset_of(self.first, start), offset_of(self.last, start)],
            "r": self.requests,
            "b": self.bodies_seen,
            "o": {name: one.to_state(start) for name, one in sorted(self.operations.items())},
            "oh": self.operation_hashes.to_state(),
            "c": clients_state(self.clients, start),
            "so": self.sources,
            "sh": self.source_hashes.to_state(),
            "cr": {name: use.to_state(start) for name, use in sorted(self.credentials.items())},
            "ch": self.credential_hashes.to_state(),
            "u": self.users,
            "is": pack(sorted(self.issued)),
            "io": [self.issued[one] for one in sorted(self.issued)],
            "it": int(self.issued_trimmed),
            "ow": {name: _texts(values) for name, values in sorted(self.owners.items())},
            "st": steps_state(self.steps, start),
            "sg": {family: one.to_state() for family, one in sorted(self.signals.items())},
            "e": self._examples.to_state(),
        }
        if self.accounts.attempts:
            state["a"] = self.accounts.to_state()
        return {name: value for name, value in state.items() if value}

    @classmethod
    def from_document(cls, document: Any) -> Row:
        """Read what ``to_document`` gave; raises DocumentError for anything else."""
        held = members(document, "row", 40)
        if held.get("v") != DOCUMENT_VERSION:
            raise DocumentError(
                f"of version {held.get('v')!r}, which is unknown; known: {DOCUMENT_VERSION}", where="row"
            )
        slot = count(held.get("n", 0), "row.n", MAX_SLOT)
        row = cls(string(held.get("s", ""), "row.s"), string(held.get("p"), "row.p"), slot)
        row._read_numbers(held)
        row._read_uses(held)
        row._read_ids(held)
        row.steps = steps_of(held.get("st", []), row.start, MAX_STEPS)
        for family, state in members(held.get("sg", {}), "row.sg", MAX_FAMILIES).items():
            row.signals[string(family, "row.sg")] = SignalActivity.from_state(state, "row.sg")
        row._examples = Examples.from_state(held.get("e", {}), "row.e")
        return row

    def _read_numbers(self, held: Mapping[str, Any]) -> None:
        self.team, self.kind = string(held.get("tm", ""), "row.tm"), string(held.get("k", ""), "row.k")
        first, last = columns(held.get("t"), "row.t", 2)
        self.first, self.last = time_of(first, self.start, "row.t"), time_of(last, self.start, "row.t")
        self.requests = count(held.get("r", 0), "row.r")
        self.bodies_seen = count(held.get("b", 0), "row.b")
        for name, state in members(held.get("o", {}), "row.o", MAX_OPERATIONS + 1).items():
            activity = OperationActivity.from_state(state, self.start, "row.o")
            self.operations[string(name, "row.o")] = activity
        if "a" in held:
            self.accounts = Accounts.from_state(held["a"], "row.a")

    def _read_uses(self, held: Mapping[str, Any]) -> None:
        start = self.start
        self.clients = clients_of(held.get("c", []), start, "row.c", MAX_CLIENTS)
        for name, state in members(held.get("cr", {}), "row.cr", MAX_CREDENTIALS).items():
            self.credentials[string(name, "row.cr")] = CredentialUse.from_state(state, start, "row.cr")
        self.sources = [string(one, "row.so") for one in sequence(held.get("so", []), "row.so", MAX_SOURCES)]
        self.users = [string(one, "row.u") for one in sequence(held.get("u", []), "row.u", MAX_USERS)]
        self.operation_hashes.read_state(held.get("oh", ""), "row.oh")
        self.source_hashes.read_state(held.get("sh", ""), "row.sh")
        self.credential_hashes.read_state(held.get("ch", ""), "row.ch")

    def _read_ids(self, held: Mapping[str, Any]) -> None:
        hashes = unpack(held.get("is", ""), MAX_ISSUED, "row.is")
        offsets = columns(held.get("io", []), "row.io", len(hashes))
        self.issued = {one: count(at, "row.io", SLOT_SECONDS - 1) for one, at in zip(hashes, offsets)}
        self.issued_trimmed = count(held.get("it", 0), "row.it", 1) == 1
        for name, values in members(held.get("ow", {}), "row.ow", MAX_OWNERS).items():
            self.owners[string(name, "row.ow")] = number_counts(values, "row.ow", MAX_OWNER_VALUES)


def _texts(counts: Mapping[int, int]) -> Dict[str, int]:
    return {str(name): times for name, times in sorted(counts.items())}


def _no_counts() -> Dict[int, int]:
    return {}
