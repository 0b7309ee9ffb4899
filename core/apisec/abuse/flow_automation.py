"""Flow automation: doing what changes something again and again by script, as scalpers, card testers and farmers do.

What a business flow is, is not asked first: any operation that changes something may be worth automating, the last step
of a purchase, the first one (seats that are held and never paid for), or a voucher's code that is tried. Whoever
automates one must do it often, and a script does little beside, the same way each time. Three things tell one account:
more of it than others do (``flows``), next to nothing beside it (``alone``), and a pace or regularity that few keep
(``pace``, ``regular``). A pace says that it is a program, and programs of partners are ordinary: so it counts no more
than what is left out beside, and being many times alone is no finding. Many accounts are told by what they have in
common (``flow_crowds``), or by how much of an operation comes from such as do little else (``scripted``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Dict, List, NamedTuple, Optional, Set, Tuple

from apisec.abuse.base import (
    OPERATION,
    PRINCIPAL,
    PRINCIPAL_OPERATION,
    SLOTS_PER_DAY,
    Context,
    Observation,
    Window,
    decades,
    observation,
)
from apisec.abuse.counting import (
    HORIZON_WORDS,
    LEAST_EVIDENCE,
    Claim,
    CountingFamily,
    Total,
    Weighed,
    examples_of,
    figure,
    weigh,
)
from apisec.abuse.flow_crowds import Crowd, Takers
from apisec.abuse.flow_repeats import ALONE, ANONYMOUS, HORIZONS, MACHINE, REGULAR, Doing, Repeats, doing, pool_of
from apisec.abuse.tally import Counted
from apisec.activity import Row
from apisec.activity.hashing import value_hash32
from apisec.sequences import window as sequences
from apisec.sequences.calibration import Purity, Rhythm, regularity
from apisec.sequences.explanation import percent
from apisec.sequences.following import Moment, Order
from apisec.sequences.steps import changes, split_ids

LEAST_TIMES = 3.0  # of an operation, in the horizon
LEAST_DECADES = 1.5
PURE = 1.5  # decades of so little beside it, from which on it counts as scripted
KNOWN = 30  # principals that do it as often, before anything counts as scripted
PACE_TIMES = 3  # in the window, before a pace is one
FLOW_CAP, ALONE_CAP = 3.5, 4.0  # decades
CROWD_CAP, CLIENT_CAP, NEWCOMER_CAP = 3.5, 3.0, 2.5
LONGEST_WAY = 16  # steps of a session to an operation; longer ones are people's
YOUNG_SLOTS = 2 * SLOTS_PER_DAY  # of a service: everybody is new
SCRIPTED = "scripted_flows"
REPEATABLE = "POST "
FOREIGN = 0.5  # share of times on another thing that was there before, beyond which it keeps data
DENIED = (401, 403)


class _Found(NamedTuple):
    """What is unusual about one operation of one principal."""

    operation: str
    features: Dict[str, float]
    flows: Optional[Weighed]
    doing: Doing
    horizon: str


class FlowAutomation(CountingFamily):
    name = "flow_automation"
    claims = (Claim("flows", "requests", "times", PRINCIPAL_OPERATION, least=4.0, cap=FLOW_CAP),)
    totals = (Total("scripted", SCRIPTED, "times by principals that do little else", per="requests", least=6.0),)
    further = ("alone", "pace", "regular", "path", "client", "newcomers")

    def mark(self, counted: Counted, context: Context) -> None:
        service = counted.key[0]
        if pool_of(counted.row.kind) == MACHINE:
            return  # a program's key does little else
        for operation in _worth(counted):
            repeats = context.peek(OPERATION, (service, operation), Repeats)
            if repeats is None:
                continue
            flow = _flow(context, service)
            done = _with_window(doing(counted.part, operation, flow, HORIZONS[0]), counted, operation, flow)
            kind = counted.row.kind
            if done.times < LEAST_TIMES - 1 or repeats.counted(ALONE[0], kind, Purity.shortest) < KNOWN:
                continue
            if repeats.decades(ALONE[0], kind, done.times, done.bits) >= PURE:
                counted.mark(operation, SCRIPTED, counted.by_operation[operation].get("requests", 0.0))

    def observe(self, window: Window, context: Context) -> Iterable[Observation]:
        yield from super().observe(window, context)
        yield from self._crowds(context)

    # --- one principal ------------------------------------------------------------------------------------

    def _principal(self, counted: Counted, context: Context) -> Optional[Observation]:
        found = [one for one in (self._weigh_one(counted, context, name) for name in _worth(counted)) if one]
        if not found:
            return None
        order = sequences.order_of(context, counted.key[0])
        required = {rule.requires for rule in order.precedence.all_rules()}
        # Of a flow's steps, all of which are as many: the one that it is about.
        best = max(found, key=lambda one: (sum(one.features.values()) - (one.operation in required), one.operation))
        features = self._in_youth(dict(best.features), context, counted.key[0])
        flows = best.flows
        return observation(
            context,
            self.name,
            counted.row,
            features,
            operation=best.operation,
            seen=flows.seen if flows else best.doing.times,
            expected=flows.expected if flows else 0.0,
            unit=f"times {HORIZON_WORDS[flows.horizon] if flows else best.horizon}",
            basis=flows.basis if flows else "peers",
            first=min(row.first for row in counted.rows),
            last=max(row.last for row in counted.rows),
            requests=sum(row.requests for row in counted.rows),
            evidence={"times": best.doing.times, "other_steps": best.doing.others},
            reasons=_reasons(best),
            examples=examples_of(counted, "any"),
        )

    def _weigh_one(self, counted: Counted, context: Context, operation: str) -> Optional[_Found]:
        service, principal = counted.key
        repeats = context.peek(OPERATION, (service, operation), Repeats)
        trail = counted.part.operations.get(operation)
        if trail is None or repeats is None or trail.sums("requests")[2] < LEAST_TIMES:
            return None
        alone, done, horizon = _alone(counted, context, operation, repeats)
        flows = weigh(context, self.claims[0], (service, operation, principal), trail, operation)
        many = flows.decades if flows else 0.0
        if many + alone < LEAST_DECADES:
            return None
        features = {"flows": many, "alone": min(alone, ALONE_CAP)}
        moments = [one for one in sequences.moments(context, counted) if one.step.operation == operation]
        if _keeps(moments):
            return None
        if moments and pool_of(counted.row.kind) != MACHINE:
            features.update(_machine(sequences.order_of(context, service), moments, repeats, counted.row.kind, alone))
        return _Found(operation, features, flows, done, horizon)

    # --- many ---------------------------------------------------------------------------------------------

    def _crowds(self, context: Context) -> Iterable[Observation]:
        """Note who comes to which operation and how; say which of those that come today are alike."""
        came: Dict[Tuple[str, str], Dict[int, Counted]] = {}
        for counted in context.tally.principals.values():
            if pool_of(counted.row.kind) == ANONYMOUS:
                continue  # an address may be many
            for moment in sequences.moments(context, counted):
                place = counted.key[0], moment.step.operation
                if _counts(moment) and place[1] in counted.by_operation and _is_worth(counted, place[1]):
                    takers = context.part(OPERATION, place, Takers)
                    takers.take(context.now_slot, counted.key[1], _values(counted, moment, context))
                    came.setdefault(place, {}).setdefault(moment.trace, counted)
        for (service, operation), ways in came.items():
            if context.age(service) < YOUNG_SLOTS:
                continue
            takers = context.part(OPERATION, (service, operation), Takers)
            crowds = [(crowd, counted) for crowd, counted in ((takers.crowd(way), ways[way]) for way in ways) if crowd]
            best = max(crowds, key=lambda one: (sum(_crowd_features(one[0]).values()), one[0].members), default=None)
            if best is not None:
                found = self._crowd(best[0], best[1], operation, context)
                if found is not None:
                    yield found

    def _crowd(self, crowd: Crowd, counted: Counted, operation: str, context: Context) -> Optional[Observation]:
        features = _crowd_features(crowd)
        if sum(features.values()) < 2 * LEAST_EVIDENCE:
            return None
        who = len(crowd.members)
        reasons = [
            f"{who} of the {crowd.takers} principals that did {operation} within a day came to it by the same steps; "
            f"{figure(round(crowd.expected, 2))} expected"
        ]
        reasons += [_CROWD_REASONS[name] for name in ("client", "newcomers", "pace") if features.get(name, 0.0) >= 1.0]
        return observation(
            context,
            self.name,
            counted.row,
            features,
            entity=OPERATION,
            operation=operation,
            seen=float(who),
            expected=round(crowd.expected, 4),
            unit="principals in a day that come by the same steps",
            basis="operation",
            members=crowd.members,
            requests=sum(row.requests for row in counted.rows),
            evidence={"principals": who, "of": crowd.takers},
            reasons=reasons,
            examples=examples_of(counted, "any"),
        )

    # --- learning -----------------------------------------------------------------------------------------

    def learn(self, window: Window, context: Context) -> None:
        for key in window.by_principal:
            counted = context.tally.principals[key]
            for operation in _worth(counted):
                _learn(counted, operation, context)
        for key in context.tally.operations:
            _ripen(key, context)
        sequences.learn(context, window)


_CROWD_REASONS = {
    "client": "most of them by the same software or from the same network",
    "newcomers": "most of them were not there the day before",
    "pace": "at the same pace",
}


def _worth(counted: Counted) -> List[str]:
    """The operations of the window that may be worth automating."""
    return [name for name in counted.by_operation if _is_worth(counted, name)]


def _is_worth(counted: Counted, operation: str) -> bool:
    """Whether an operation does something each time, is no reading in disguise, and no login (which others look at).

    PUT and DELETE do the same when they are repeated (RFC 9110, 9.2.2), and PATCH changes what is there: by these
    data is kept, and nothing won by doing it often.
    """
    if not operation.startswith(REPEATABLE):
        return False
    for row in counted.rows:
        used = row.operations.get(operation)
        if used is not None and (used.records or used.attempts):
            return False
    return True


def _flow(context: Context, service: str) -> Tuple[str, ...]:
    return tuple(sequences.order_of(context, service).precedence.steps)


def _with_window(done: Doing, counted: Counted, operation: str, flow: Sequence[str]) -> Doing:
    """Add the window, which the trails do not hold yet."""
    by_operation = counted.by_operation
    company = set(flow) if operation in flow else {operation}
    own = sum(by_operation[name].get("requests", 0.0) for name in company if name in by_operation)
    times = by_operation[operation].get("requests", 0.0)
    return Doing(done.times + times, done.others + max(0.0, counted.counts.get("requests", 0.0) - own))


def _alone(counted: Counted, context: Context, operation: str, repeats: Repeats) -> Tuple[float, Doing, str]:
    """How little the principal did beside, in a day or in seven: the more unusual of both."""
    flow = _flow(context, counted.key[0])
    best = 0.0, Doing(0.0, 0.0), HORIZON_WORDS["7d"]
    for what, horizon, words in zip(ALONE, HORIZONS, ("1d", "7d")):
        done = doing(counted.part, operation, flow, horizon)
        if done.times >= LEAST_TIMES:
            found = repeats.decades(what, counted.row.kind, done.times, done.bits)
            if found >= best[0]:
                best = found, done, HORIZON_WORDS[words]
    return best


def _keeps(moments: Sequence[Moment]) -> bool:
    """Whether an operation is done to one thing after the other that is there already, as migrations do it."""
    things: Set[Tuple[int, ...]] = set()
    for moment in moments:
        named, given = split_ids(moment.step.ids)
        if named and not given and not any(pair.linked and changes(pair.requires) for pair in moment.before):
            things.add(named)
    return len(things) > FOREIGN * len(moments)


def _machine(order: Order, moments: Sequence[Moment], repeats: Repeats, kind: str, alone: float) -> Dict[str, float]:
    """What tells a machine: its pace or its regularity, whichever says more; no more than ``alone`` does."""
    pace = min(alone, _pace(order, moments))
    beat = moments[-1].beat
    regular = min(alone, repeats.decades(REGULAR, kind, beat.times, regularity(beat))) if beat else 0.0
    return {"pace": pace} if pace >= regular else {"regular": regular}


def _pace(order: Order, moments: Sequence[Moment]) -> float:
    """How quickly the operation follows the one that it requires: in the median of the window's."""
    found = [(moment.before.get(rule.pair), rule) for moment in moments for rule in moment.kept[:1]]
    gaps = sorted(((gap, rule) for gap, rule in found if gap is not None), key=lambda one: one[0])
    if len(gaps) < PACE_TIMES:
        return 0.0
    gap, rule = gaps[len(gaps) // 2]
    return decades(order.precedence.quickness(rule, gap))


def _learn(counted: Counted, operation: str, context: Context) -> None:
    """Note how an ordinary principal repeats an operation, each time it has done so twice as often."""
    (service, principal), kind, slot = counted.key, counted.row.kind, context.now_slot
    repeats = context.part(OPERATION, (service, operation), Repeats)
    now = counted.by_operation[operation].get("requests", 0.0)
    flow = _flow(context, service)
    for what, horizon in zip(ALONE, HORIZONS):
        done = doing(counted.part, operation, flow, horizon)
        if Purity.place(int(done.times)) > Purity.place(int(done.times - now)):
            repeats.wait(slot, principal, what, kind, done.times, done.bits)
    beat = sequences.walk_of(context, counted.key).beats.get(operation)
    if beat is not None and Rhythm.place(beat.times) > Rhythm.place(beat.times - int(now)):
        repeats.wait(slot, principal, REGULAR, kind, beat.times, regularity(beat))


def _ripen(key: Tuple[str, str], context: Context) -> None:
    """Learn what has waited for a day, of those who are not under suspicion."""

    def suspicious(principal: str) -> bool:
        return context.frozen(key[0], principal)

    if context.peek(OPERATION, key, Repeats) is not None:
        context.part(OPERATION, key, Repeats).learn(context.now_slot, suspicious)
    if context.peek(OPERATION, key, Takers) is not None:
        context.part(OPERATION, key, Takers).learn(context.now_slot, suspicious)


def _counts(moment: Moment) -> bool:
    """Whether a step says by which way somebody came to an operation."""
    if moment.late or not changes(moment.step.operation) or moment.step.status in DENIED:
        return False
    return 0 < moment.length <= LONGEST_WAY


def _values(counted: Counted, moment: Moment, context: Context) -> Tuple[int, ...]:
    """The attributes of somebody who does an operation: way, software, network, newness, pace (``flow_crowds``)."""
    client = _client(counted.row)
    software = value_hash32(f"{client[0]} {client[1]}") if any(client[:2]) else 0
    network = value_hash32(client[2]) if client[2] else 0
    seconds = max(0.0, moment.step.time - moment.began) / max(1, moment.length - 1)
    pace = value_hash32(f"{moment.trace} {int(seconds * 8.0).bit_length()}")
    fresh = int(context.age_of(PRINCIPAL, counted.key) < SLOTS_PER_DAY)
    return (moment.trace, software, network, pace, fresh)


def _client(row: Row) -> Tuple[str, str, str]:
    """Agent, JA4 and network of the client that sent most of a row."""
    if not row.clients:
        return "", "", ""
    key = max(row.clients, key=lambda one: (row.clients[one].requests, one))
    return key.agent, key.ja4, key.network


def _crowd_features(crowd: Crowd) -> Dict[str, float]:
    """How they act (way and pace) and who they are (client and newness), each within bounds."""
    found = crowd.features
    path = min(found["path"], CROWD_CAP)
    pace = min(found["pace"], CROWD_CAP + 0.5 - path) if path else 0.0
    client, newcomers = min(found["client"], CLIENT_CAP), min(found["newcomers"], NEWCOMER_CAP)
    return {"path": path, "pace": max(0.0, pace), "client": client, "newcomers": newcomers}


def _reasons(found: _Found) -> List[str]:
    features, reasons = found.features, []
    if found.flows is not None and features.get("flows", 0.0) >= LEAST_EVIDENCE:
        reasons.append(found.flows.reason)
    if features.get("alone", 0.0) >= LEAST_EVIDENCE:
        share = percent(10.0 ** -features["alone"])
        beside = f"{figure(found.doing.others)} other steps beside {figure(found.doing.times)} times {found.operation}"
        reasons.append(f"{beside} {found.horizon}; at most {share} of principals do as little else")
    if features.get("pace", 0.0) >= LEAST_EVIDENCE:
        reasons.append(f"faster than all but {percent(10.0 ** -features['pace'])} of principals")
    if features.get("regular", 0.0) >= LEAST_EVIDENCE:
        reasons.append(f"its pauses are more alike than those of all but {percent(10.0 ** -features['regular'])}")
    return reasons
