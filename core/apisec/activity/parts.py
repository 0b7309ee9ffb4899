"""The parts of an activity row: samples of hashes, uses of clients and credentials, log-ins, signals, examples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Callable, Dict, FrozenSet, List, Optional, Protocol, Set, Tuple, TypeVar, Union

from apisec.activity.client import ClientKey
from apisec.activity.hashing import distinct, fewest, keep, smallest
from apisec.activity.packing import (
    MAX_COUNT,
    columns,
    count,
    counts,
    members,
    number_counts,
    offset_of,
    pack,
    sequence,
    share,
    string,
    time_of,
    unpack,
)

MAX_CREDENTIAL_CLIENTS = 8
MAX_IDENTITIES = 128
MAX_NAMES = 16  # of any small count: statuses, classes, detectors
MAX_EXAMPLES = 3
MAX_KINDS = 64  # of examples

K = TypeVar("K")
V = TypeVar("V")
_NONE: FrozenSet[int] = frozenset()


class Hashes:
    """Different values, as hashes: all of them, or a fair sample of ``limit``."""

    __slots__ = ("limit", "trimmed", "values")

    def __init__(self, limit: int, values: Optional[AbstractSet[int]] = None, trimmed: bool = False) -> None:
        self.limit = limit
        self.values: Union[Set[int], FrozenSet[int]] = _NONE if values is None else frozenset(values)
        self.trimmed = trimmed

    def __len__(self) -> int:
        return len(self.values)

    def add(self, hashed: int) -> None:
        self.update((hashed,))

    def update(self, hashes: Iterable[int]) -> None:
        values = self.values
        if not isinstance(values, set):
            values = self.values = set(values)
        values.update(hashes)
        if len(values) > 2 * self.limit:
            self.trim()

    def merge(self, other: Hashes) -> None:
        self.trimmed = self.trimmed or other.trimmed
        if other.values:
            self.update(other.values)
            self.trim()

    def trim(self) -> None:
        if len(self.values) > self.limit:
            self.values = smallest(self.values, self.limit)
            self.trimmed = True

    @property
    def count(self) -> int:
        """How many there were: exact until a sample was taken."""
        return distinct(self.values, self.trimmed)

    def to_state(self) -> Any:
        if not self.values:
            return ""
        packed = pack(sorted(self.values))
        return [packed] if self.trimmed else packed

    def read_state(self, state: Any, where: str) -> None:
        """Take the values of ``to_state``; raises DocumentError."""
        self.trimmed = isinstance(state, list)
        packed = columns(state, where, 1)[0] if self.trimmed else state
        self.values = frozenset(unpack(packed, self.limit, where))


class ClientUse:
    """What one client did; ``first`` and ``last`` are seconds since the epoch."""

    __slots__ = ("failures", "first", "last", "requests")

    def __init__(self, requests: int = 0, failures: int = 0, first: float = 0.0, last: float = 0.0) -> None:
        self.requests = requests
        self.failures = failures
        self.first = first
        self.last = last

    def add(self, time: float, failed: bool) -> None:
        if not self.requests:
            self.first = self.last = time
        elif time < self.first:
            self.first = time
        elif time > self.last:
            self.last = time
        self.requests += 1
        self.failures += failed

    def merge(self, other: ClientUse) -> None:
        if not other.requests:
            return
        self.first = min(self.first, other.first) if self.requests else other.first
        self.last = max(self.last, other.last)
        self.requests += other.requests
        self.failures += other.failures

    def to_state(self, start: float) -> List[int]:
        """``start`` is that of the slot, seconds since the epoch."""
        return [self.requests, self.failures, offset_of(self.first, start), offset_of(self.last, start)]

    @classmethod
    def from_state(cls, state: Any, start: float, where: str) -> ClientUse:
        """Raises DocumentError."""
        requests, failures, first, last = columns(state, where, 4)
        return cls(
            count(requests, where), count(failures, where), time_of(first, start, where), time_of(last, start, where)
        )


class CredentialUse:
    """The clients that used one credential."""

    __slots__ = ("clients",)

    def __init__(self) -> None:
        self.clients: Dict[ClientKey, ClientUse] = {}

    @property
    def requests(self) -> int:
        return sum(use.requests for use in self.clients.values())

    def merge(self, other: CredentialUse) -> None:
        for key, use in other.clients.items():
            under(self.clients, key, ClientUse).merge(use)

    def trim(self) -> None:
        if len(self.clients) > MAX_CREDENTIAL_CLIENTS:
            self.clients = {key: self.clients[key] for key in keep(self.clients, MAX_CREDENTIAL_CLIENTS)}

    def to_state(self, start: float) -> List[Any]:
        return clients_state(self.clients, start)

    @classmethod
    def from_state(cls, state: Any, start: float, where: str) -> CredentialUse:
        """Raises DocumentError."""
        use = cls()
        use.clients = clients_of(state, start, where, MAX_CREDENTIAL_CLIENTS)
        return use


def clients_state(clients: Mapping[ClientKey, ClientUse], start: float) -> List[Any]:
    return [[*key, *use.to_state(start)] for key, use in sorted(clients.items(), key=lambda item: item[0])]


def clients_of(state: Any, start: float, where: str, limit: int) -> Dict[ClientKey, ClientUse]:
    """Read what ``clients_state`` gave; raises DocumentError."""
    found: Dict[ClientKey, ClientUse] = {}
    for one in sequence(state, where, limit):
        parts = columns(one, where, 7)
        key = ClientKey(*(string(part, where) for part in parts[:3]))
        found[key] = ClientUse.from_state(parts[3:], start, where)
    return found


class Accounts:
    """Attempts to log in: requests with a password and an identity. ``tried`` has the identities, where visible.

    Neither a failure nor a success is what the server had no answer to (5xx, no status, 429).
    """

    __slots__ = ("attempts", "failures", "hashes", "successes")

    def __init__(self) -> None:
        self.hashes = Hashes(MAX_IDENTITIES)
        self.attempts = 0
        self.failures = 0
        self.successes = 0

    @property
    def tried(self) -> AbstractSet[int]:
        return self.hashes.values

    @property
    def tried_count(self) -> int:
        return self.hashes.count

    def merge(self, other: Accounts) -> None:
        self.hashes.merge(other.hashes)
        self.attempts += other.attempts
        self.failures += other.failures
        self.successes += other.successes

    def to_state(self) -> List[Any]:
        return [self.attempts, self.failures, self.successes, self.hashes.to_state()]

    @classmethod
    def from_state(cls, state: Any, where: str) -> Accounts:
        """Raises DocumentError."""
        accounts = cls()
        attempts, failures, successes, hashes = columns(state, where, 4)
        accounts.attempts, accounts.failures = count(attempts, where), count(failures, where)
        accounts.successes = count(successes, where)
        accounts.hashes.read_state(hashes, where)
        return accounts


class SignalActivity:
    """Requests with signals of one family.

    ``strength`` is that of the strongest request, whose signals add up as independent evidence (noisy-or);
    ``answered`` counts requests whose answer gave something away.
    """

    __slots__ = ("answered", "detectors", "operations", "requests", "statuses", "strength", "where")

    def __init__(self) -> None:
        self.requests = 0
        self.answered = 0
        self.strength = 0.0
        self.detectors: Dict[str, int] = {}
        self.where: Dict[str, int] = {}
        self.operations: Dict[str, int] = {}
        self.statuses: Dict[int, int] = {}

    def merge(self, other: SignalActivity) -> None:
        self.requests += other.requests
        self.answered += other.answered
        self.strength = max(self.strength, other.strength)
        for mine, theirs in ((self.detectors, other.detectors), (self.where, other.where)):
            add_counts(mine, theirs)
        add_counts(self.operations, other.operations)
        add_counts(self.statuses, other.statuses)

    def trim(self) -> None:
        self.detectors = fewest(self.detectors, MAX_NAMES)
        self.where = fewest(self.where, MAX_NAMES)
        self.operations = fewest(self.operations, MAX_NAMES)
        self.statuses = fewest(self.statuses, MAX_NAMES)

    def to_state(self) -> List[Any]:
        return [
            self.requests,
            self.answered,
            self.strength,
            self.detectors,
            self.where,
            self.operations,
            {str(status): times for status, times in self.statuses.items()},
        ]

    @classmethod
    def from_state(cls, state: Any, where: str) -> SignalActivity:
        """Raises DocumentError."""
        signal = cls()
        requests, answered, strength, detectors, places, operations, statuses = columns(state, where, 7)
        signal.requests, signal.answered = count(requests, where), count(answered, where)
        signal.strength = share(strength, where)
        signal.detectors = counts(detectors, where, MAX_NAMES)
        signal.where = counts(places, where, MAX_NAMES)
        signal.operations = counts(operations, where, MAX_NAMES)
        signal.statuses = number_counts(statuses, where, MAX_NAMES)
        return signal


class Examples:
    """A few event ids a kind, those of the lowest rank: the earliest, of large responses the largest."""

    __slots__ = ("kept",)

    def __init__(self) -> None:
        self.kept: Dict[str, List[Tuple[int, str]]] = {}

    def add(self, kind: str, rank: int, identifier: str) -> None:
        held = self.kept.get(kind)
        if held is None:
            self.kept[kind] = [(rank, identifier)]
        elif len(held) < MAX_EXAMPLES or rank <= held[-1][0]:
            one = (rank, identifier)
            if one not in held:
                held.append(one)
                held.sort()
                del held[MAX_EXAMPLES:]

    def merge(self, other: Examples) -> None:
        for kind, held in other.kept.items():
            for rank, identifier in held:
                self.add(kind, rank, identifier)

    def by_kind(self) -> Dict[str, List[str]]:
        return {kind: [identifier for _, identifier in held] for kind, held in self.kept.items()}

    def to_state(self) -> Dict[str, List[List[Any]]]:
        return {kind: [list(one) for one in held] for kind, held in sorted(self.kept.items())}

    @classmethod
    def from_state(cls, state: Any, where: str) -> Examples:
        """Raises DocumentError."""
        examples = cls()
        for kind, held in members(state, where, MAX_KINDS).items():
            for one in sequence(held, where, MAX_EXAMPLES):
                rank, identifier = columns(one, where, 2)
                ranked = count(rank, where, MAX_COUNT, -MAX_COUNT)
                examples.add(string(kind, where), ranked, string(identifier, where))
        return examples


class _Spanned(Protocol):
    first: float
    last: float


def span(one: _Spanned, other: _Spanned) -> Tuple[float, float]:
    """First and last time of two; 0 stands for none."""
    first = min(one.first, other.first) if one.first and other.first else one.first or other.first
    return first, max(one.last, other.last)


def lesser(one: str, other: str) -> str:
    """One of two names, the same whichever comes first."""
    return min(one, other) if one and other else one or other


def under(mapping: Dict[K, V], name: K, make: Callable[[], V]) -> V:
    found = mapping.get(name)
    if found is None:
        found = mapping[name] = make()
    return found


def add_counts(held: Dict[K, int], more: Mapping[K, int]) -> None:
    for name, times in more.items():
        held[name] = held.get(name, 0) + times
