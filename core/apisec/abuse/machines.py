"""The machines of a service: how often ordinary credentials change theirs, which agents and JA4s belong together."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Dict, List, Optional, Set, Tuple

from apisec.abuse.clients import (
    AGENT,
    JA4,
    KINDS_OF_CHANGE,
    NETWORK,
    SHARED_KINDS,
    Change,
    Credentials,
    Hashes,
    Seen,
    hashes_of,
    put,
)
from apisec.abuse.rarity import Queue, beginning, by_hash, mapping, numbers
from apisec.activity.client import ClientKey
from apisec.activity.hashing import MASK, value_hash32
from apisec.errors import DocumentError

if TYPE_CHECKING:
    from apisec.activity import ClientUse

# Chances that a row shows a credential on a client that differs so, before anything is known, and how many rows that
# knowledge weighs. A network changes with every walk to the bus; a session that changes machine, software and network
# at once was copied, or carried over by its owner (Browser migration, a shared script), which is rare.
PRIOR: Dict[int, Tuple[float, float]] = {
    0: (1.0, 1.0),
    NETWORK: (3e-2, 200.0),
    AGENT: (3e-3, 500.0),
    JA4: (1e-2, 200.0),
    NETWORK | AGENT: (2e-4, 5_000.0),
    NETWORK | JA4: (1e-4, 5_000.0),
    AGENT | JA4: (1e-3, 2_000.0),
    NETWORK | AGENT | JA4: (5e-5, 10_000.0),
}
SHARED_FACTOR, SHARED_WEIGHT = 10.0, 0.1
PRIOR_BACK = (0.3, 10.0)  # share of such changes after which the old client goes on
MAX_PAIRS = 256  # of JA4s or agents that one credential showed on one network
MAX_WAITING = 256
PAIR_PRINCIPALS = 2  # others who must have shown a pair before it is one machine's
MAX_KINDS = 8
MAX_AGENTS = 96  # and pairs of an agent and a JA4
MAX_ROWS = 500_000.0  # that a rate rests on; then both halve


class Machines:
    """Of a service: how often ordinary credentials change their client, by kind of principal; what goes together."""

    name: ClassVar[str] = "machines"
    __slots__ = ("_agents", "_builds", "_kinds", "_pairs", "_principals", "_waiting")

    def __init__(self) -> None:
        # Kind to [rows with a credential, changes by what differs (8), those after which the old client went on (8)].
        self._kinds: Dict[str, List[float]] = {}
        self._pairs: Dict[Tuple[int, int], List[int]] = {}  # two JA4s or agents: principals that showed both
        self._agents: Dict[int, int] = {}  # agent family: principals with a credential
        self._builds: Dict[int, int] = {}  # agent family and JA4: the same
        self._principals = 0
        self._waiting = Queue(MAX_WAITING)

    # --- asking ---------------------------------------------------------------------------------------------

    def differs(self, one: Tuple[int, int, int], other: Seen, principal: int) -> int:
        """Return as bits in what two clients differ, less what is known to be one machine's."""
        bits = NETWORK if one[0] != other.network else 0
        if one[1] != other.agent and not self._together(one[1], other.agent, principal):
            bits |= AGENT
        if one[2] and other.ja4 and one[2] != other.ja4 and not self._together(one[2], other.ja4, principal):
            bits |= JA4
        return bits

    def _together(self, one: int, other: int, principal: int) -> bool:
        found = self._pairs.get((one, other) if one < other else (other, one))
        return found is not None and len(found) - (principal in found) >= PAIR_PRINCIPALS

    def chance(self, kind: str, bits: int) -> float:
        """Return the chance that a row shows a change in at least this much, in the principal's kind."""
        rows, changes, _ = self._counts(kind)
        found = sum(changes[one] for one in range(1, KINDS_OF_CHANGE) if one & bits == bits)
        prior, weight = PRIOR[bits]
        if kind in SHARED_KINDS:
            prior, weight = min(1.0, prior * SHARED_FACTOR), weight * SHARED_WEIGHT
        return beginning(found, rows, prior, weight)

    def chance_back(self, kind: str, bits: int) -> float:
        """Return the chance that after such a change the old client goes on."""
        _, changes, back = self._counts(kind)
        alike = [one for one in range(1, KINDS_OF_CHANGE) if one & bits == bits]
        return beginning(sum(back[one] for one in alike), sum(changes[one] for one in alike), *PRIOR_BACK)

    def rows(self, kind: str) -> float:
        return self._counts(kind)[0]

    def chance_agent(self, agent: int) -> float:
        """Return the chance that a principal's agent is this one; of one that nobody had, that it is a new one."""
        return (self._agents.get(agent, 0) + 0.5) / (self._principals + 10.0)

    def chance_build(self, agent: int, ja4: int) -> float:
        """Return the chance that a principal's agent has this JA4: who takes over an agent's name keeps its own TLS.

        Of a pair that nobody had, the chance that a principal brings a new one (Good and Turing's estimate).
        """
        known = self._builds.get(_build(agent, ja4), 0)
        once = sum(count == 1 for count in self._builds.values())
        return ((known or once) + 0.5) / (self._principals + 10.0)

    def _counts(self, kind: str) -> Tuple[float, List[float], List[float]]:
        found = self._kinds.get(kind)
        if found is None:
            return 0.0, [0.0] * KINDS_OF_CHANGE, [0.0] * KINDS_OF_CHANGE
        return found[0], found[1 : 1 + KINDS_OF_CHANGE], found[1 + KINDS_OF_CHANGE :]

    # --- learning -------------------------------------------------------------------------------------------

    def expose(self, kind: str) -> None:
        """Count a row with a credential."""
        self._kind(kind)[0] += 1.0

    def _kind(self, kind: str) -> List[float]:
        found = self._kinds.get(kind)
        if found is None:
            if len(self._kinds) >= MAX_KINDS:
                kind = next(iter(self._kinds))
                return self._kinds[kind]
            found = self._kinds[kind] = [0.0] * (1 + 2 * KINDS_OF_CHANGE)
        return found

    def wait(self, slot: int, principal: str, kind: str, change: Change) -> None:
        """Note a change of an ordinary credential, to be learned in a day."""
        client, before = change.client, change.before
        pairs = [0, 0, 0, 0]
        if change.is_new and not client.bits & NETWORK:
            pairs = [before.agent, client.agent, before.ja4, client.ja4]
        self._waiting.add(slot, principal, kind, client.bits, int(change.is_new), int(change.has_come_back), *pairs)

    def machine(self, agent: int, ja4: int) -> None:
        """Count a machine of a principal that was not seen before."""
        self._principals += 1
        _count(self._agents, agent, 1)
        if ja4:
            _count(self._builds, _build(agent, ja4), 1)

    def learn(self, slot: int, suspicious: Callable[[str], bool], wait: int) -> None:
        """Learn what has waited; of one principal a kind of change counts once each time."""
        counted: Set[Tuple[str, int]] = set()
        for _, principal, kind, bits, new, back, *pairs in self._waiting.ripe(slot, suspicious, wait):
            tag = value_hash32(principal)
            self._pair(pairs[0], pairs[1], tag)
            self._pair(pairs[2], pairs[3], tag)
            counts = self._kind(kind)
            if new and (principal, bits) not in counted:
                counts[1 + bits] += 1.0
                counted.add((principal, bits))
            if back and counts[1 + KINDS_OF_CHANGE + bits] < counts[1 + bits]:
                counts[1 + KINDS_OF_CHANGE + bits] += 1.0

    def _pair(self, one: int, other: int, tag: int) -> None:
        if not one or not other or one == other:
            return
        key = (one, other) if one < other else (other, one)
        found = self._pairs.pop(key, [])
        if tag not in found and len(found) <= PAIR_PRINCIPALS:
            found.append(tag)
        self._pairs[key] = found  # shown last
        if len(self._pairs) > MAX_PAIRS:
            rarest = min(self._pairs, key=lambda one: len(self._pairs[one]))
            del self._pairs[rarest]

    # --- keeping --------------------------------------------------------------------------------------------

    def merge(self, other: Machines) -> None:
        for kind, counts in other._kinds.items():
            mine = self._kind(kind)
            mine[:] = [one + two for one, two in zip(mine, counts)]
        for (one, two), tags in other._pairs.items():
            for tag in tags:
                self._pair(one, two, tag)
        for held, theirs in ((self._agents, other._agents), (self._builds, other._builds)):
            for machine, count in theirs.items():
                _count(held, machine, count)
        self._principals += other._principals
        self._waiting.merge(other._waiting)

    def forget(self, slot: int) -> None:  # noqa: ARG002 - by their bound
        """Rates fade: a service's ways change within months."""
        for counts in self._kinds.values():
            if counts[0] > MAX_ROWS:
                counts[:] = [one / 2.0 for one in counts]

    def to_state(self) -> Dict[str, Any]:
        return {
            "kinds": {kind: [round(one, 3) for one in counts] for kind, counts in self._kinds.items()},
            "pairs": [[*key, *tags] for key, tags in self._pairs.items()],
            "agents": {str(agent): count for agent, count in self._agents.items()},
            "builds": {str(build): count for build, count in self._builds.items()},
            "principals": self._principals,
            "waiting": self._waiting.to_state(),
        }

    @classmethod
    def from_state(cls, state: Any) -> Machines:
        """Raises DocumentError when it is not one of ``to_state``."""
        members = mapping(state, 8, cls.name)
        made = cls()
        for kind, counts in mapping(members.get("kinds"), MAX_KINDS, cls.name).items():
            made._kinds[kind] = numbers(counts, 1 + 2 * KINDS_OF_CHANGE, cls.name)
        pairs = members.get("pairs")
        if not isinstance(pairs, list) or len(pairs) > MAX_PAIRS:
            raise DocumentError(f"is not a list of at most {MAX_PAIRS} pairs", where=cls.name)
        for pair in pairs:
            if not isinstance(pair, list) or not 2 <= len(pair) <= 3 + PAIR_PRINCIPALS:
                raise DocumentError("a pair has another shape", where=cls.name)
            one, two, *tags = (int(value) for value in numbers(pair, len(pair), cls.name))
            made._pairs[(one, two)] = tags
        for held, name in ((made._agents, "agents"), (made._builds, "builds")):
            for one, count in by_hash(members.get(name), MAX_AGENTS, cls.name).items():
                held[one] = int(numbers([count], 1, cls.name)[0])
        made._principals = int(numbers([members.get("principals")], 1, cls.name)[0])
        made._waiting = Queue.from_state(members.get("waiting"), MAX_WAITING, (str, *(int,) * 7))
        return made


def _build(agent: int, ja4: int) -> int:
    return (agent * 31 + ja4) & MASK


def _count(counts: Dict[int, int], one: int, more: int) -> None:
    if one in counts or len(counts) < MAX_AGENTS:
        counts[one] = counts.get(one, 0) + more


def take(
    credentials: Credentials,
    machines: Machines,
    credential: int,
    uses: Iterable[Tuple[ClientKey, ClientUse]],
    principal: int,
) -> List[Change]:
    """Take the clients of one credential in a row into account; return what changed, in order of time.

    That is: clients that are new to the credential, and those of before that came (or came back) after one of those.
    """
    clients = credentials.clients(credential)
    known = {one[:3] for one in clients}
    for key, use in sorted(uses, key=lambda item: (item[1].first, item[0])):
        hashes = hashes_of(key)
        bits = 0
        if hashes not in known:
            nearest = _nearest(machines, hashes, clients, principal)
            bits = machines.differs(hashes, nearest, principal) if nearest is not None else 0
        put(clients, Seen(*hashes, use.first, use.last, use.requests, bits))
    changes: List[Change] = []
    for index, one in enumerate(clients):
        if not one.bits:
            continue
        earlier = [other for other in clients[:index] if other.first <= one.first]
        came_back = not one.back and any(other.last > one.first for other in earlier)
        if came_back:
            one = clients[index] = one._replace(back=1)
        before = _nearest(machines, one[:3], earlier, principal)
        if before is not None:
            changes.append(Change(one, before, one[:3] not in known, came_back, len(clients)))
    return changes


def _nearest(machines: Machines, hashes: Hashes, clients: Iterable[Seen], principal: int) -> Optional[Seen]:
    """Return the client that differs in least from the one with these hashes; of several the one seen last."""
    return min(
        clients,
        key=lambda one: (bin(machines.differs(hashes, one, principal)).count("1"), -one.last),
        default=None,
    )
