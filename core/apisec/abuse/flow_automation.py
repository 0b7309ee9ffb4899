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
    SERVICE,
    Context,
    Key,
    Observation,
    Window,
    decades,
    observation,
)
from apisec.abuse.counting import CountingFamily, examples_of
from apisec.abuse.flow_company import Company
from apisec.abuse.flow_crowds import Takers, crowds_of, named_software, note
from apisec.abuse.flow_manners import Manners
from apisec.abuse.flow_repeats import (
    ALONE,
    ANONYMOUS,
    HORIZONS,
    MACHINE,
    REGULAR,
    Doing,
    Repeats,
    doing,
    pool_of,
    worth,
)
from apisec.abuse.habits import unit_of
from apisec.abuse.tally import Counted
from apisec.abuse.weighing import HORIZON_WORDS, LEAST_EVIDENCE, Claim, Total, Weighed, figure, weigh
from apisec.activity.hashing import value_hash32
from apisec.sequences import window as sequences
from apisec.sequences.calibration import Purity, Rhythm, regularity
from apisec.sequences.explanation import percent
from apisec.sequences.following import Moment, Order
from apisec.sequences.steps import changes, split_ids

LEAST_TIMES = 3.0  # of an operation, in the horizon
LEAST_DECADES = 1.5
PURE = 2.0  # decades of so little beside it so regularly, from which on it counts as scripted
KNOWN = 30  # principals that do it as often, before anything counts as scripted
PACE_TIMES = 3  # in the window, before a pace is one
FLOW_CAP, ALONE_CAP = 3.5, 4.0  # decades
TRIES = "tries"
# Answers to a code that is none, is used up, a card that is refused; 400 and 422 are of requests that are malformed.
VAIN = (402, 404, 409, 410)
FOREIGN = 0.5  # share of times on another thing that was there before, beyond which it keeps data
BUSY_CAP = 4.5  # decades that it says with all but tries in vain, beside other things: no finding
MACHINE_MORE = 0.5  # decades that being a machine may say beyond doing little else
HIDDEN_MORE = 2.5  # the same, where it comes by the software by which people come
LOOP = 1.5  # times as often as what it requires


class _Found(NamedTuple):
    """What is unusual about one operation of one principal."""

    operation: str
    features: Dict[str, float]
    flows: Optional[Weighed]
    doing: Doing
    horizon: str


class FlowAutomation(CountingFamily):
    name = "flow_automation"
    claims = (
        Claim("flows", "requests", "times", PRINCIPAL_OPERATION, least=4.0, cap=FLOW_CAP),
        Claim("tries", TRIES, "tries in vain", PRINCIPAL_OPERATION, least=6.0, of="requests", usual=(0.05, 0.08)),
    )
    totals = (Total("tried", TRIES, "tries in vain", per="requests", least=10.0),)
    further = ("alone", "pace", "regular", "path", "scripted", "client", "newcomers")

    def mark(self, counted: Counted, context: Context) -> None:  # noqa: ARG002 - as the protocol has it
        for operation in worth(counted):
            used = [row.operations[operation] for row in counted.rows if operation in row.operations]
            counted.mark(operation, TRIES, sum(one.statuses.get(status, 0) for one in used for status in VAIN))

    def observe(self, window: Window, context: Context) -> Iterable[Observation]:
        came = note(context)
        _note_company(context)
        yield from super().observe(window, context)
        yield from crowds_of(context, came)

    # --- one principal ------------------------------------------------------------------------------------

    def _principal(self, counted: Counted, context: Context) -> Optional[Observation]:
        found = [one for one in (self._weigh_one(counted, context, name) for name in worth(counted)) if one]
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
            unit=f"{flows.unit if flows else 'times'} {HORIZON_WORDS[flows.horizon] if flows else best.horizon}",
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
        trail = counted.part.operations.get(operation)
        if trail is None or trail.sums("requests")[2] < LEAST_TIMES:
            return None
        alone, done, horizon = _alone(counted, context, operation)
        key = (service, operation, principal)
        flows, tries = (weigh(context, claim, key, trail, operation) for claim in self.claims)
        many, vain = (one.decades if one else 0.0 for one in (flows, tries))
        features = {"flows": many, "alone": min(alone, ALONE_CAP), "tries": vain}
        moments = [one for one in sequences.moments(context, counted) if one.step.operation == operation]
        if moments:
            features.update(_machine(context, counted, moments, alone))
        if features["alone"] < LEAST_EVIDENCE:  # a partner whose trade it is
            features["flows"] = min(many, max(0.0, BUSY_CAP - sum(features.values()) + many + vain))
        if sum(features.values()) < LEAST_DECADES:
            return None
        is_step = operation in _flow(context, service)
        if not vain and (_keeps(moments, is_step) or _repeats_itself(moments) or _is_loop(counted, context, operation)):
            return None
        if alone >= LEAST_EVIDENCE and sum(features.values()) - many >= PURE:
            context.part(OPERATION, key[:2], Takers).script(principal, _hides(context, counted, operation))
        return _Found(operation, features, tries if vain > many else flows, done, horizon)

    # --- learning -----------------------------------------------------------------------------------------

    def learn(self, window: Window, context: Context) -> None:
        for key in window.by_principal:
            counted = context.tally.principals[key]
            for operation in worth(counted):
                _learn(counted, operation, context)
        for service in context.tally.services:
            _ripen(SERVICE, (service,), context)
        for key in context.tally.operations:
            _ripen(OPERATION, key, context)
        sequences.learn(context, window)


def _note_company(context: Context) -> None:
    """Note who does what, of all principals of the window but those who are accused."""
    for (service, principal), counted in context.tally.principals.items():
        if pool_of(counted.row.kind) == ANONYMOUS:
            continue
        for operation in worth(counted):
            done = doing(counted.part, operation, _flow(context, service), HORIZONS[-1])
            unit, software = unit_of(counted.row), named_software(counted.row)
            company = context.part(OPERATION, (service, operation), Company)
            manners = context.part(PRINCIPAL, (service, unit), Manners)
            if context.frozen(service, principal):
                company.drop(unit)
                manners.begin_anew(value_hash32(operation))
                continue
            company.note(context.now_slot, unit, done, software)
            if done.times >= LEAST_TIMES:
                manners.note(context.now_slot, value_hash32(operation), (done.others + 1.0) / done.times)


def _flow(context: Context, service: str) -> Tuple[str, ...]:
    return tuple(sequences.order_of(context, service).precedence.steps)


def _places(service: str, operation: str) -> Tuple[Tuple[str, Key], ...]:
    """Where it is remembered how ordinary principals repeat an operation: at its own, and with all others."""
    return (OPERATION, (service, operation)), (SERVICE, (service,))


def _repeats(context: Context, service: str, operation: str, what: str, kind: str) -> Optional[Repeats]:
    """What a principal's repetition of an operation is compared with; None where too little is known."""
    for scope, key in _places(service, operation):
        found = context.peek(scope, key, Repeats)
        if found is not None and found.known(what, kind) >= KNOWN:
            return found
    return None


def _alone(counted: Counted, context: Context, operation: str) -> Tuple[float, Doing, str]:
    """How little the principal did beside, in a day or in seven: the more unusual of both; 0 for a habit."""
    service, kind = counted.key[0], counted.row.kind
    flow, company = _flow(context, service), context.peek(OPERATION, (service, operation), Company)
    best = 0.0, Doing(0.0, 0.0), HORIZON_WORDS["7d"]
    manners = context.peek(PRINCIPAL, (service, unit_of(counted.row)), Manners)
    if manners is not None and manners.is_habit(context.now_slot, value_hash32(operation)):
        return 0.0, doing(counted.part, operation, flow, HORIZONS[-1]), HORIZON_WORDS["7d"]
    for what, horizon, words in zip(ALONE, HORIZONS, ("1d", "7d")):
        done = doing(counted.part, operation, flow, horizon)
        repeats = _repeats(context, service, operation, what, kind)
        if done.times >= LEAST_TIMES and repeats is not None:
            found = repeats.decades(what, kind, done.times, done.bits)
            if company is not None and found > 0.0:
                found = _here(company, counted, context.now_slot, done, found)
            if found >= best[0]:
                best = found, done, HORIZON_WORDS[words]
    return best


def _here(company: Company, counted: Counted, slot: int, done: Doing, strength: float) -> float:
    """How much of that is unusual of this operation, too."""
    return company.alone(slot, unit_of(counted.row), done, named_software(counted.row), strength)


def _keeps(moments: Sequence[Moment], is_step: bool) -> bool:
    """Whether an operation is done to one thing after the other that is there already, as migrations do it.

    A step of a flow that gives something makes it (a seat is held); of anything else, what is given is what was named.
    """
    things: Set[Tuple[int, ...]] = set()
    for moment in moments:
        named, given = split_ids(moment.step.ids)
        own = any(pair.linked and changes(pair.requires) for pair in moment.before)
        if named and not own and not (given and is_step):
            things.add(named)
    return len(things) > FOREIGN * len(moments)


def _repeats_itself(moments: Sequence[Moment]) -> bool:
    """Whether it mostly is about what the same operation was about before: a state that is read, or kept."""
    return sum(moment.again for moment in moments) > FOREIGN * len(moments)


def _is_loop(counted: Counted, context: Context, operation: str) -> bool:
    """Whether an operation is mostly done several times within one flow, as lines are added to an order."""
    trails = counted.part.operations
    rules = sequences.order_of(context, counted.key[0]).precedence.rules(operation)
    begun = [trails[rule.requires].sums("requests")[2] if rule.requires in trails else 0.0 for rule in rules]
    return bool(begun) and trails[operation].sums("requests")[2] > LOOP * min(begun)


def _hides(context: Context, counted: Counted, operation: str) -> bool:
    """Whether a principal comes by a software by which people do the operation."""
    company = context.peek(OPERATION, (counted.key[0], operation), Company)
    return company is not None and company.is_common(named_software(counted.row))


def _machine(context: Context, counted: Counted, moments: Sequence[Moment], alone: float) -> Dict[str, float]:
    """What tells a machine: its pace or its regularity, whichever says more.

    A program is no abuse, and says hardly more than ``alone`` does; but one that comes as people's software hides.
    """
    (service, _), kind = counted.key, counted.row.kind
    most = alone + (HIDDEN_MORE if _hides(context, counted, moments[-1].step.operation) else MACHINE_MORE)
    pace = 0.0 if pool_of(kind) == MACHINE else min(most, _pace(sequences.order_of(context, service), moments))
    beat = moments[-1].beat
    repeats = _repeats(context, service, moments[-1].step.operation, REGULAR, kind)
    regular = 0.0
    if beat is not None and repeats is not None:
        regular = min(most, repeats.decades(REGULAR, kind, beat.times, regularity(beat)))
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
    both = [context.part(scope, key, Repeats) for scope, key in _places(service, operation)]
    now = counted.by_operation[operation].get("requests", 0.0)
    flow = _flow(context, service)
    for what, horizon in zip(ALONE, HORIZONS):
        done = doing(counted.part, operation, flow, horizon)
        if Purity.place(int(done.times)) > Purity.place(int(done.times - now)):
            for repeats in both:
                repeats.wait(slot, principal, what, kind, done.times, done.bits)
    beat = sequences.walk_of(context, counted.key).beats.get(operation)
    if beat is not None and Rhythm.place(beat.times) > Rhythm.place(beat.times - int(now)):
        for repeats in both:
            repeats.wait(slot, principal, REGULAR, kind, beat.times, regularity(beat))


def _ripen(scope: str, key: Key, context: Context) -> None:
    """Learn what has waited for a day, of those who are not under suspicion."""

    def suspicious(principal: str) -> bool:
        return context.frozen(key[0], principal)

    if context.peek(scope, key, Repeats) is not None:
        context.part(scope, key, Repeats).learn(context.now_slot, suspicious)
    if context.peek(scope, key, Takers) is not None:
        context.part(scope, key, Takers).learn(context.now_slot, suspicious)


def _reasons(found: _Found) -> List[str]:
    features, reasons = found.features, []
    if found.flows is not None and found.flows.decades >= LEAST_EVIDENCE:
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
