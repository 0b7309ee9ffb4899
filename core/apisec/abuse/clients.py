"""The clients behind credentials: what changes ordinarily about them, in a service and for one principal.

A change is told by what differs from the nearest client that the credential had: network, agent family, JA4. Each
service teaches how often its ordinary traffic shows which change (a phone changes its network all the time and its TLS
stack hardly ever), and which JA4s and agents belong together: an app and its web view, HTTP/2 and HTTP/3, a handshake
resumed and a new one have different fingerprints on one machine, and so do many principals' credentials show them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Dict, List, NamedTuple, Tuple

from apisec.abuse.base import SLOTS_PER_DAY
from apisec.abuse.rarity import by_hash, mapping, numbers
from apisec.activity.client import ClientKey
from apisec.activity.hashing import value_hash32
from apisec.errors import DocumentError

if TYPE_CHECKING:
    pass

NETWORK, AGENT, JA4 = 1, 2, 4  # what differs, as bits
KINDS_OF_CHANGE = 8
# Credentials of machines are copied to a second machine on purpose now and then.
SHARED_KINDS = frozenset(("api_key", "mtls", "basic"))
MAX_CREDENTIALS = 8  # of one principal; those used longest ago go first
MAX_CLIENTS = 8  # of one credential
MAX_LEARNING = 32  # changes of one principal that become habit
CREDENTIAL_DAYS = 30


class Seen(NamedTuple):
    """A client that a credential had: hashes of network, agent and JA4 (0 when the gateway gives none), and times.

    ``bits`` say in what it differed from the nearest client that was there when it came (0 for the first one),
    ``back`` whether one of those went on after that.
    """

    network: int
    agent: int
    ja4: int
    first: float
    last: float
    requests: int
    bits: int = 0
    back: int = 0


Hashes = Tuple[int, int, int]


def hashes_of(key: ClientKey) -> Hashes:
    return _hash(key.network), _hash(key.agent), _hash(key.ja4)


def _hash(text: str) -> int:
    return value_hash32(text) if text else 0


class Change(NamedTuple):
    """A client that a credential did not have before; ``is_new`` in the row at hand, or it has ``come_back`` in it."""

    client: Seen
    before: Seen
    is_new: bool
    has_come_back: bool
    clients: int  # of the credential


class Credentials:
    """Of one principal: the clients of its credentials."""

    name: ClassVar[str] = "credentials"
    __slots__ = ("changes", "held", "learning", "rows", "waiting")

    def __init__(self) -> None:
        self.waiting: List[Change] = []  # of the window at hand, between observing and learning
        self.learning: List[List[int]] = []  # [slot, what differed] of changes that become habit a day later
        self.held: Dict[int, List[Seen]] = {}  # by hash of the credential, clients in the order of their coming
        self.changes: List[int] = [0] * KINDS_OF_CHANGE  # that were learned, by what differed
        self.rows = 0

    def clients(self, credential: int) -> List[Seen]:
        found = self.held.pop(credential, [])
        self.held[credential] = found  # used last
        if len(self.held) > MAX_CREDENTIALS:
            del self.held[next(iter(self.held))]
        return found

    def knows(self, agent: int, ja4: int, credential: int) -> bool:
        """Whether another credential of the principal was used by such a machine: a second device of its owner."""
        return any(
            one.agent == agent and one.ja4 == ja4
            for other, clients in self.held.items()
            if other != credential
            for one in clients
        )

    def learn(self, slot: int, wait: int) -> None:
        """Take a row of somebody ordinary: what changed ``wait`` slots ago becomes habit."""
        self.rows += 1
        for change in self.waiting:
            if change.is_new and len(self.learning) < MAX_LEARNING:
                self.learning.append([slot, change.client.bits])
        while self.learning and self.learning[0][0] <= slot - wait:
            self.changes[self.learning.pop(0)[1]] += 1
        self.waiting = []

    def merge(self, other: Credentials) -> None:
        for credential, clients in other.held.items():
            mine = self.clients(credential)
            for one in clients:
                put(mine, one)
        self.changes = [one + two for one, two in zip(self.changes, other.changes)]
        self.rows += other.rows
        self.learning = sorted(self.learning + other.learning)[-MAX_LEARNING:]

    def forget(self, slot: int) -> None:
        oldest = (slot - CREDENTIAL_DAYS * SLOTS_PER_DAY) * 300.0
        for credential in [one for one, clients in self.held.items() if all(seen.last < oldest for seen in clients)]:
            del self.held[credential]

    def to_state(self) -> Dict[str, Any]:
        held = {str(credential): [list(one) for one in clients] for credential, clients in self.held.items()}
        return {"held": held, "changes": self.changes, "rows": self.rows, "learning": self.learning}

    @classmethod
    def from_state(cls, state: Any) -> Credentials:
        """Raises DocumentError when it is not one of ``to_state``."""
        members = mapping(state, 4, cls.name)
        made = cls()
        made.changes = [int(one) for one in numbers(members.get("changes"), KINDS_OF_CHANGE, cls.name)]
        made.rows = int(numbers([members.get("rows")], 1, cls.name)[0])
        learning = members.get("learning")
        if not isinstance(learning, list) or len(learning) > MAX_LEARNING:
            raise DocumentError(f"learns at most {MAX_LEARNING} changes", where=cls.name)
        for one in learning:
            slot, bits = numbers(one, 2, cls.name)
            made.learning.append([int(slot), int(bits) % KINDS_OF_CHANGE])
        for credential, clients in by_hash(members.get("held"), MAX_CREDENTIALS, cls.name).items():
            if not isinstance(clients, list) or len(clients) > MAX_CLIENTS:
                raise DocumentError(f"a credential has a list of at most {MAX_CLIENTS} clients", where=cls.name)
            made.held[credential] = [_seen(one) for one in clients]
        return made


def _seen(state: Any) -> Seen:
    values = numbers(state, len(Seen._fields), Credentials.name)
    network, agent, ja4, requests, bits, back = (int(values[index]) for index in (0, 1, 2, 5, 6, 7))
    return Seen(network, agent, ja4, values[3], values[4], requests, bits % KINDS_OF_CHANGE, min(back, 1))


def put(clients: List[Seen], one: Seen) -> None:
    """Add a client, or its time to the same one; of too many the one with the fewest requests but the first goes."""
    for index, known in enumerate(clients):
        if known[:3] == one[:3]:
            clients[index] = known._replace(
                first=min(known.first, one.first),
                last=max(known.last, one.last),
                requests=known.requests + one.requests,
                back=max(known.back, one.back),
            )
            return
    clients.append(one)
    if len(clients) > MAX_CLIENTS:
        clients.remove(min(clients[1:-1], key=lambda seen: (seen.requests, seen.last)))
