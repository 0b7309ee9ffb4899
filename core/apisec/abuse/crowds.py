"""What many do a little of each to a service as a whole: a path here, a token there, from another address each time.

Marks are added up over the service, the largest contributor left out, and judged by what the service shows at that hour
of the week. Who is accused are those who run what most of them run, where most of them run the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Dict, List, NamedTuple, Optional, Tuple

from apisec.abuse.base import OPERATION, SERVICE, Context, Observation, Window, decades, observation
from apisec.abuse.counters import Memory, Trail
from apisec.abuse.counting import CountingFamily
from apisec.abuse.lately import Lately
from apisec.abuse.tally import Counted
from apisec.abuse.weighing import HORIZON_SLOTS, HORIZON_WORDS, LEAST_EVIDENCE, figure
from apisec.activity import Row
from apisec.errors import DocumentError

LEAST_MEMBERS = 3
MAX_CONTRIBUTORS = 256  # of a mark
MAX_MARKS = 8
ALIKE = 0.6  # of what was counted comes from one kind of client: then it is theirs
HORIZONS = ("1h", "1d")
KEPT = HORIZON_SLOTS[HORIZONS[-1]]


@dataclass(frozen=True)
class Whole:
    """A claim about a service: ``counter`` is a mark of its principals. ``unit`` completes "41 …"."""

    feature: str
    counter: str
    unit: str
    least: float = 8.0
    example: str = "failure"


class Contribution(NamedTuple):
    times: Lately
    client: str  # agent and JA4


class Crowd:
    """Sums of marks of a service, and who contributed lately. The part "crowd" of its profile."""

    name: ClassVar[str] = "crowd"
    __slots__ = ("contributors", "memories", "trail")

    def __init__(self) -> None:
        self.trail = Trail()
        self.contributors: Dict[str, Dict[str, Contribution]] = {}
        self.memories: Dict[str, Memory] = {}  # what the service as a whole has seen lately, as hashes

    def fresh(self, kind: str, hashes: Iterable[int], slot: int) -> int:
        """Return how many hashes are new to the service in seven days."""
        return self.memories.setdefault(kind, Memory()).take(hashes, slot)

    def add(self, counted: Counted, marks: Iterable[str], slot: int) -> None:
        values = {mark: counted.counts[mark] for mark in marks if counted.counts.get(mark)}
        if not values:
            return
        self.trail.add(slot, values)
        for mark, count in values.items():
            held = self.contributors.setdefault(mark, {})
            before = held.get(counted.row.principal)
            times = (before.times if before else Lately()).add(slot, count)
            held[counted.row.principal] = Contribution(times, client_of(counted.row))
            if len(held) > MAX_CONTRIBUTORS:
                del held[min(held, key=lambda who: (held[who].times.slot, held[who].times.total, who))]

    def recent(self, mark: str, since: int) -> Dict[str, Contribution]:
        return {who: one for who, one in self.contributors.get(mark, {}).items() if one.times.slot > since}

    def forget(self, slot: int) -> None:
        self.trail.advance(slot)
        for mark in list(self.contributors):
            held = self.recent(mark, slot - KEPT)
            if held:
                self.contributors[mark] = held
            else:
                del self.contributors[mark]
        for memory in self.memories.values():
            memory.forget(slot)

    def merge(self, other: Crowd) -> None:
        self.trail.merge(other.trail)
        for mark, theirs in other.contributors.items():
            mine = self.contributors.setdefault(mark, {})
            for who, one in theirs.items():
                known = mine.get(who)
                mine[who] = one if known is None else Contribution(
                    known.times.merge(one.times), max(one.client, known.client)
                )  # fmt: skip
        for kind, memory in other.memories.items():
            self.memories.setdefault(kind, Memory()).merge(memory)

    def to_state(self) -> Dict[str, Any]:
        return {
            "trail": self.trail.to_state(),
            "contributors": {
                mark: {who: [*one.times.to_state(), one.client] for who, one in held.items()}
                for mark, held in self.contributors.items()
            },
            "memories": {kind: memory.to_state() for kind, memory in self.memories.items()},
        }

    @classmethod
    def from_state(cls, state: Any) -> Crowd:
        """Raises DocumentError when it is not one of ``to_state``."""
        crowd = cls()
        try:
            crowd.trail = Trail.from_state(state["trail"])
            for mark, held in list(state["contributors"].items())[:MAX_MARKS]:
                crowd.contributors[str(mark)] = {
                    str(who): Contribution(Lately.from_state(times), str(client))
                    for who, (*times, client) in list(held.items())[:MAX_CONTRIBUTORS]
                }
            for kind, memory in list(state["memories"].items())[:MAX_MARKS]:
                crowd.memories[str(kind)] = Memory.from_state(memory)
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
            raise DocumentError(f"is no crowd: {error}", where="crowd") from error
        return crowd


def client_of(row: Row) -> str:
    """Return what made most of the row's requests: agent and JA4."""
    return f"{row.client.agent} {row.client.ja4}".strip()


class CrowdFamily(CountingFamily):
    """A family that also looks at what all of a service's principals show together."""

    wholes: ClassVar[Tuple[Whole, ...]] = ()

    @property
    def features(self) -> Tuple[str, ...]:
        return (*super().features, *(whole.feature for whole in self.wholes))

    def observe(self, window: Window, context: Context) -> Iterable[Observation]:
        yield from super().observe(window, context)
        marks = [whole.counter for whole in self.wholes]
        for service in window.by_service:
            showing = [
                counted
                for (of, _), counted in context.tally.principals.items()
                if of == service and any(counted.counts.get(mark) for mark in marks)
            ]
            if not showing:
                continue
            crowd = context.part(SERVICE, (service,), Crowd)
            for counted in showing:
                crowd.add(counted, marks, context.now_slot)
            found = self._whole(service, crowd, showing, context)
            if found is not None:
                yield found

    def learn(self, window: Window, context: Context) -> None:
        super().learn(window, context)
        marks = [whole.counter for whole in self.wholes]
        sums: Dict[str, Dict[str, float]] = {service: {} for service in window.by_service}
        for key in window.by_principal:
            counts = context.tally.principals[key].counts
            of = sums[key[0]]
            for mark in marks:
                if counts.get(mark):
                    of[mark] = of.get(mark, 0.0) + counts[mark]
        for service, values in sums.items():
            context.expectations.learn_total(SERVICE, (service,), context.now_slot, values)

    def _whole(self, service: str, crowd: Crowd, showing: List[Counted], context: Context) -> Optional[Observation]:
        best = max(
            (one for whole in self.wholes for one in _weigh(whole, service, crowd, context)),
            key=lambda one: one.strength,
            default=None,
        )
        if best is None or best.strength < LEAST_EVIDENCE:
            return None
        members, client = best.accused()
        present = [counted for counted in showing if counted.row.principal in members]
        if not present:
            return None
        words = HORIZON_WORDS[best.horizon]
        unit = f"{best.whole.unit} {words}"
        reason = f"{figure(best.seen)} {unit}; {figure(best.expected)} expected for this service"
        reason += f", by {len(members)} principals" + (f" with {client}" if client else "")
        return observation(
            context,
            self.name,
            present[0].row,
            self._in_youth({best.whole.feature: best.strength}, context, service),
            entity=OPERATION,
            seen=best.seen,
            expected=best.expected,
            unit=unit,
            basis="service",
            members=members,
            first=min(row.first for one in present for row in one.rows),
            last=max(row.last for one in present for row in one.rows),
            requests=sum(row.requests for one in present for row in one.rows),
            evidence={"horizon": best.horizon, "members": len(members), **({"client": client} if client else {})},
            reasons=(reason,),
            examples=[one for each in present[:6] for one in each.row.examples.get(best.whole.example, [])[:1]],
            signature=client,
        )


class _Weighed(NamedTuple):
    strength: float
    whole: Whole
    horizon: str
    seen: float
    expected: float
    recent: Dict[str, float]  # by principal, within the horizon
    clients: Dict[str, str]

    def accused(self) -> Tuple[List[str], str]:
        """Return the contributors, the largest first; those with one client, where most of it came from that."""
        by_client: Dict[str, float] = {}
        for who, times in self.recent.items():
            by_client[self.clients[who]] = by_client.get(self.clients[who], 0.0) + times
        most = max(by_client, key=lambda client: (by_client[client], client))
        alike = by_client[most] >= ALIKE * sum(by_client.values())
        chosen = {who: times for who, times in self.recent.items() if not alike or self.clients[who] == most}
        return sorted(chosen, key=lambda who: (-chosen[who], who)), most if alike else ""


def _weigh(whole: Whole, service: str, crowd: Crowd, context: Context) -> Iterable[_Weighed]:
    slot = context.now_slot
    for horizon, seen in zip(HORIZONS, crowd.trail.sums(whole.counter)):
        lately = crowd.recent(whole.counter, slot - HORIZON_SLOTS[horizon])
        recent = {who: one.times.most(horizon, slot) for who, one in lately.items()}
        if seen < whole.least or len(recent) < LEAST_MEMBERS:
            continue
        rest = seen - min(seen, max(recent.values()))
        if rest <= 0:
            continue
        tail = context.expectations.tail(whole.counter, SERVICE, (service,), horizon, slot, rest)
        clients = {who: one.client for who, one in lately.items()}
        yield _Weighed(decades(tail.p, len(HORIZONS)), whole, horizon, seen, tail.expected, recent, clients)
