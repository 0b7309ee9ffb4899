"""Precedence in flows: "before D, ordinary principals did B", learned from traffic and checked against it.

An invariant is kept when nearly all principals that do D did B before it (confidence), when enough of them
did (support), and when B is not simply always there before anything else (lift): a login precedes everything
and says nothing about D. Confidence counts principals, not requests, so that a few attackers who repeat
themselves do not outvote the others. Support and confidence are those of association rules (Agrawal and
Srikant, VLDB 1994); the precedence is the one of Ammons, Bodik and Larus, "Mining specifications", POPL 2002.

Only operations that change something (not GET, HEAD, OPTIONS) can require a step: the order in which a client
reads is a habit of that client and no rule of the business.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Dict, List, Optional, Set, Tuple

from apisec.baselines.values import event_time, text, texts, whole
from apisec.sequences.invariants import (
    MAX_FLOW_SECONDS,
    MIN_LIFT,
    SAFE_METHODS,
    FlowModel,
    Invariant,
    Skipped,
    Step,
    linked_ids,
)

__all__ = ["SAFE_METHODS", "FlowModel", "Invariant", "Skipped", "Step", "learn_flows"]

MIN_WINDOW_SECONDS = 300.0
MIN_SUPPORT = 5  # principals that took the required step
MIN_CONFIDENCE = 0.85  # leaves room for one attacker among seven principals
MIN_CONFIDENCE_OF_READS = 0.95  # a GET before D is more often a habit than a rule
MIN_SUPPORT_OF_READS = 20
MIN_LIFT_OF_READS = 5.0
# Steps that share no object belong together only if doing D again takes doing B again. A registration before the
# first login does not recur, and may lie before everything that was ever seen.
FLOW_LENGTHS = 3.0  # typical gaps: people answer the door between two steps
MIN_REPEATERS = 3  # principals that did D more than once
MIN_RENEWING_SHARE = 0.6  # of them, those that mostly did B again in between
MAX_UNLINKED_GAP = 1800.0  # seconds: without a shared object, only closeness says that two steps belong together
CONFORMING_SHARE = 0.8  # of a principal's own D's; the rest are lost events and cut-off beginnings
MAX_OCCURRENCES = 50  # of one operation by one principal: more say nothing new
MAX_SAMPLES = 100  # events of one principal that the base rate is taken from
MAX_OPERATIONS = 400  # per service: the frequent ones


class _Pair:
    """Evidence for "B before D" over principals; ``gaps`` in seconds, one typical gap a principal."""

    __slots__ = ("conforming", "gaps", "repeats")

    def __init__(self) -> None:
        self.conforming = 0
        self.gaps: List[float] = []
        self.repeats: List[List[Repeat]] = []  # of each conforming principal

    def recurs(self, gap: float) -> bool:
        """Whether principals that do D again, more than a flow's length later, mostly did B again."""
        repeaters = renewers = 0
        for repeats in self.repeats:
            later = [renewed for interval, renewed in repeats if interval > FLOW_LENGTHS * gap]
            repeaters += bool(later)
            renewers += bool(later) and 2 * sum(later) >= len(later)
        return repeaters >= MIN_REPEATERS and renewers >= MIN_RENEWING_SHARE * repeaters


Repeat = Tuple[float, bool]  # seconds since D was done before; whether B was done in between
Flows = Dict[str, List[Step]]  # principal -> steps in order of time
Candidate = Tuple[str, str, str]  # D, B, name of the linking object id or ""


def learn_flows(rows: Iterable[Mapping[str, Any]]) -> FlowModel:
    """Learn invariants from rows of service, principal, session, operation, time, status[, object_ids, principal_kind].

    A row without a principal goes by its session; without either it is left out, and so is one whose
    ``principal_kind`` is anonymous: that may be several people. Order does not matter.
    """
    services: Dict[str, Flows] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        operation = text(row.get("operation"))
        actor = text(row.get("principal")) or text(row.get("session"))
        if operation and actor and row.get("principal_kind") != "anonymous":
            ids = tuple(texts(row.get("object_ids"), 16))
            step = Step(operation, event_time(row), whole(row.get("status")), ids)
            services[text(row.get("service"))][actor].append(step)
    kept: List[Invariant] = []
    trivial: List[Invariant] = []
    for service, flows in sorted(services.items()):
        for steps in flows.values():
            steps.sort(key=lambda step: step.time)
        good, plain = _learn_service(service, flows)
        kept.extend(good)
        trivial.extend(plain)
    return FlowModel(kept, trivial)


def _learn_service(service: str, flows: Flows) -> Tuple[List[Invariant], List[Invariant]]:
    operations = _frequent_operations(flows)
    principals: Dict[str, int] = defaultdict(int)  # of each D
    pairs: Dict[Candidate, _Pair] = defaultdict(_Pair)
    for steps in flows.values():
        _count_flow(steps, operations, principals, pairs)
    candidates: Dict[Candidate, Invariant] = {}
    loose: List[Invariant] = []
    for candidate, pair in pairs.items():
        target, required, link = candidate
        confidence = pair.conforming / principals[target]
        if pair.conforming < _least_support(required) or confidence < _least_confidence(required):
            continue
        gap = _typical_gap(pair.gaps)
        window = min(max(FLOW_LENGTHS * gap, MIN_WINDOW_SECONDS), MAX_FLOW_SECONDS)
        invariant = Invariant(service, target, required, principals[target], confidence, window, 0.0, link, gap)
        if link or (gap <= MAX_UNLINKED_GAP and pair.recurs(gap)):
            candidates[candidate] = invariant
        else:
            loose.append(invariant)
    base = _base_rates(flows, candidates, pairs)
    measured = [_with_lift(invariant, base[key]) for key, invariant in sorted(candidates.items())]
    specific = _prefer_linked([one for one in measured if one.lift >= _least_lift(one.requires)])
    named = {(one.operation, one.requires) for one in specific}
    rest = [one for one in (*measured, *loose) if (one.operation, one.requires) not in named]
    return _reduced(specific), _prefer_linked(rest)


def _least_confidence(required: str) -> float:
    return MIN_CONFIDENCE_OF_READS if required.startswith(SAFE_METHODS) else MIN_CONFIDENCE


def _least_support(required: str) -> int:
    return MIN_SUPPORT_OF_READS if required.startswith(SAFE_METHODS) else MIN_SUPPORT


def _least_lift(required: str) -> float:
    return MIN_LIFT_OF_READS if required.startswith(SAFE_METHODS) else MIN_LIFT


def _frequent_operations(flows: Flows) -> Set[str]:
    """Operations by the number of principals that do them; scanners' noise is done by one."""
    counts: Dict[str, int] = defaultdict(int)
    for steps in flows.values():
        for operation in {step.operation for step in steps}:
            counts[operation] += 1
    enough = [name for name, count in counts.items() if count >= MIN_SUPPORT]
    return set(sorted(enough, key=lambda name: (-counts[name], name))[:MAX_OPERATIONS])


class _Seen:
    """When one principal last did each step, in all and for each object id."""

    __slots__ = ("by_id", "last")

    def __init__(self) -> None:
        self.last: Dict[str, float] = {}
        self.by_id: Dict[Tuple[str, str], float] = {}

    def add(self, step: Step) -> None:
        self.last[step.operation] = step.time
        for one in step.object_ids:
            self.by_id[step.operation, one] = step.time

    def gap(self, required: str, step: Step, link: str) -> Optional[float]:
        """Seconds since ``required``, for the same object when ``link`` names one; None when never."""
        if not link:
            then = self.last.get(required)
            return None if then is None else step.time - then
        times = [self.by_id.get((required, one)) for one in linked_ids(step.object_ids, link)]
        found = [time for time in times if time is not None]
        return step.time - max(found) if found else None

    def preceding(self, step: Step) -> Dict[Tuple[str, str], float]:
        """Return what came before ``step``: (operation, linking id's name or "") with the gap."""
        found = {
            (operation, ""): step.time - then
            for operation, then in self.last.items()
            if operation != step.operation and step.time - then <= MAX_FLOW_SECONDS
        }
        for one in step.object_ids:
            name = one.partition("=")[0]
            for operation in self.last:
                then = self.by_id.get((operation, one))
                if operation != step.operation and then is not None and step.time - then <= MAX_FLOW_SECONDS:
                    found[operation, name] = step.time - then
        return found


class _Flow:
    """One principal's evidence while its steps are read in order."""

    __slots__ = ("gaps", "occurrences", "repeats", "seen")

    def __init__(self) -> None:
        self.seen = _Seen()
        self.occurrences: Dict[str, int] = defaultdict(int)
        self.gaps: Dict[Candidate, List[float]] = defaultdict(list)
        self.repeats: Dict[Candidate, List[Repeat]] = defaultdict(list)

    def add(self, step: Step) -> None:
        target = step.operation
        if not target.startswith(SAFE_METHODS) and self.occurrences[target] < MAX_OCCURRENCES:
            self._look_back(step)
        self.seen.add(step)

    def _look_back(self, step: Step) -> None:
        target, before = step.operation, self.seen.last.get(step.operation)
        self.occurrences[target] += 1
        for (required, link), gap in self.seen.preceding(step).items():
            candidate = (target, required, link)
            self.gaps[candidate].append(gap)
            if before is not None:
                self.repeats[candidate].append((step.time - before, self.seen.last[required] >= before))


def _count_flow(
    steps: Sequence[Step], operations: Set[str], principals: Dict[str, int], pairs: Dict[Candidate, _Pair]
) -> None:
    """Add one principal's evidence: for each D, which B's preceded nearly all of its occurrences."""
    flow = _Flow()
    for step in steps:
        if step.operation in operations and step.succeeded:
            flow.add(step)
    for target in flow.occurrences:
        principals[target] += 1
    for candidate, found in flow.gaps.items():
        if len(found) >= CONFORMING_SHARE * flow.occurrences[candidate[0]]:
            pair = pairs[candidate]
            pair.conforming += 1
            pair.gaps.append(sorted(found)[len(found) // 2])
            if candidate in flow.repeats:
                pair.repeats.append(flow.repeats[candidate])


def _typical_gap(gaps: Sequence[float]) -> float:
    """The 95th percentile over principals, in seconds."""
    ordered = sorted(gaps)
    return ordered[math.ceil(0.95 * len(ordered)) - 1]


def _base_rates(
    flows: Flows, candidates: Mapping[Candidate, Invariant], pairs: Mapping[Candidate, _Pair]
) -> Dict[Candidate, float]:
    """How often B stands as shortly before any other operation, of the principals that do D (mean of them)."""
    spans = {key: max(_typical_gap(pairs[key].gaps), 1.0) for key in candidates}
    sums: Dict[Candidate, List[float]] = {key: [0.0, 0.0] for key in candidates}
    for steps in flows.values():
        done = {step.operation for step in steps}
        mine = [key for key in candidates if key[0] in done]
        if mine:
            for key, share in _flow_base_rate(steps, mine, spans).items():
                sums[key][0] += share
                sums[key][1] += 1
    return {key: total / count if count else 1.0 for key, (total, count) in sums.items()}


def _flow_base_rate(
    steps: Sequence[Step], candidates: Sequence[Candidate], spans: Mapping[Candidate, float]
) -> Dict[Candidate, float]:
    seen = _Seen()
    stride = max(1, len(steps) // MAX_SAMPLES)
    counts = {key: [0, 0] for key in candidates}
    for index, step in enumerate(steps):
        if index % stride == 0:
            for key in candidates:
                target, required, link = key
                if step.operation in (target, required):
                    continue
                gap = seen.gap(required, step, link)
                counts[key][0] += gap is not None and gap <= spans[key]
                counts[key][1] += 1
        if step.succeeded:
            seen.add(step)
    return {key: hits / total for key, (hits, total) in counts.items() if total}


def _with_lift(invariant: Invariant, base: float) -> Invariant:
    lift = invariant.confidence / max(base, 0.01)
    return replace(invariant, lift=lift)


def _prefer_linked(invariants: Sequence[Invariant]) -> List[Invariant]:
    """Of the same two steps, the invariant over the same object says more than the one without."""
    best: Dict[Tuple[str, str], Invariant] = {}
    for one in invariants:
        key = (one.operation, one.requires)
        if key not in best or (bool(one.linked), one.lift) > (bool(best[key].linked), best[key].lift):
            best[key] = one
    return [best[key] for key in sorted(best)]


def _reduced(invariants: Sequence[Invariant]) -> List[Invariant]:
    """Drop a required step that a nearer required step requires itself."""
    required: Dict[str, Set[str]] = defaultdict(set)
    for one in invariants:
        required[one.operation].add(one.requires)

    def implied(one: Invariant) -> bool:
        return any(
            one.requires in required[other] and other not in required[one.requires]
            for other in required[one.operation]
            if other != one.requires
        )

    return [one for one in invariants if not implied(one)]
