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
from dataclasses import dataclass, replace
from typing import Any, Dict, FrozenSet, List, NamedTuple, Optional, Set, Tuple

from apisec.baselines.values import event_time, number, text, texts, whole
from apisec.errors import DocumentError

DOCUMENT_VERSION = 1
MAX_FLOW_SECONDS = 4 * 3600.0  # a flow may last hours; a step longer ago than that is another flow's
MIN_WINDOW_SECONDS = 300.0
MIN_SUPPORT = 5  # principals that took the required step
MIN_CONFIDENCE = 0.85  # leaves room for one attacker among seven principals
MIN_CONFIDENCE_OF_READS = 0.95  # a GET before D is more often a habit than a rule
MIN_LIFT = 2.0
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
SAFE_METHODS = ("GET ", "HEAD ", "OPTIONS ")

Key = Tuple[str, str]  # service, operation
Ids = FrozenSet[str]  # "order_id=1042"


class Step(NamedTuple):
    """One thing that a principal did; ``time`` in seconds since the epoch, ``status`` 0 when unknown."""

    operation: str
    time: float
    status: int = 0
    object_ids: Tuple[str, ...] = ()

    @property
    def succeeded(self) -> bool:
        return self.status < 400


@dataclass(frozen=True)
class Invariant:
    """Before ``operation``, ``requires`` happened in the same flow."""

    service: str
    operation: str
    requires: str
    support: int  # principals that did ``operation``
    confidence: float  # share of them that did ``requires`` before
    window: float  # seconds in which the required step is looked for
    lift: float  # confidence, over how often ``requires`` stands before anything else
    linked: str = ""  # name of the object id that both steps carry ("checkout_id"), when they do
    gap: float = 0.0  # seconds within which 95 % of principals take ``operation`` after ``requires``

    def to_document(self) -> Dict[str, Any]:
        return {
            "_key": f"{self.service}|{self.operation}|{self.requires}",
            "version": DOCUMENT_VERSION,
            "service": self.service,
            "operation": self.operation,
            "requires": self.requires,
            "support": self.support,
            "confidence": round(self.confidence, 4),
            "window": round(self.window, 1),
            "lift": round(self.lift, 3),
            "linked": self.linked,
            "gap": round(self.gap, 1),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Invariant:
        """Numbers may be text; raises DocumentError when a part is missing."""
        operation, requires = text(document.get("operation")), text(document.get("requires"))
        support, confidence = number(document.get("support")), number(document.get("confidence"))
        window = number(document.get("window"))
        if not operation or not requires or support is None or confidence is None or window is None:
            raise DocumentError("needs operation, requires, support, confidence and window", where="flows")
        lift = number(document.get("lift"))
        return cls(
            text(document.get("service")),
            operation,
            requires,
            int(support),
            min(max(confidence, 0.0), 1.0),
            min(max(window, 0.0), MAX_FLOW_SECONDS),
            MIN_LIFT if lift is None else lift,
            text(document.get("linked"), 128),
            min(max(number(document.get("gap")) or 0.0, 0.0), MAX_FLOW_SECONDS),
        )


@dataclass(frozen=True)
class Skipped:
    """A step was left out: what was expected beside what was taken."""

    invariant: Invariant
    taken: str  # the last step before it, empty when there was none

    @property
    def operation(self) -> str:
        return self.invariant.operation

    @property
    def expected(self) -> str:
        return self.invariant.requires

    @property
    def text(self) -> str:
        """A sentence for an analyst."""
        rule = self.invariant
        after = f"after {self.taken}" if self.taken else "as the first step seen"
        same = f" for the same {rule.linked}" if rule.linked else ""
        return (
            f"did {rule.operation} {after} without {rule.requires}{same}; "
            f"{100 * rule.confidence:.0f} % of {rule.support} principals did that step first"
        )


def _linked_ids(object_ids: Sequence[str], name: str) -> Set[str]:
    prefix = f"{name}="
    return {one for one in object_ids if one.startswith(prefix)}


class FlowModel:
    """The learned invariants; ``trivial`` hold too, but say nothing: the step precedes everything, or once for all."""

    def __init__(self, invariants: Iterable[Invariant] = (), trivial: Iterable[Invariant] = ()) -> None:
        self.invariants = tuple(invariants)
        self.trivial = tuple(trivial)
        self._of: Dict[Key, List[Invariant]] = defaultdict(list)
        self._anywhere: Dict[str, List[Invariant]] = defaultdict(list)
        for invariant in self.invariants:
            self._of[invariant.service, invariant.operation].append(invariant)
            self._anywhere[invariant.operation].append(invariant)
        self.steps = frozenset(invariant.requires for invariant in self.invariants)

    def __len__(self) -> int:
        return len(self.invariants)

    def requirements(self, operation: str, service: Optional[str] = None) -> Sequence[Invariant]:
        """Return what ``operation`` requires, in ``service`` or in any."""
        if service is None:
            return self._anywhere.get(operation, ())
        return self._of.get((service, operation), ())

    def skipped(
        self,
        history: Sequence[Step],
        operation: str,
        now: float,
        *,
        service: Optional[str] = None,
        object_ids: Sequence[str] = (),
    ) -> Optional[Skipped]:
        """Return the most certain required step that ``history`` (of one principal, oldest first) lacks."""
        worst: Optional[Invariant] = None
        for invariant in self.requirements(operation, service):
            if (worst is None or invariant.confidence > worst.confidence) and not _fulfilled(
                invariant, history, now, object_ids
            ):
                worst = invariant
        if worst is None:
            return None
        taken = history[-1].operation if history else ""
        return Skipped(worst, taken)

    def to_documents(self) -> List[Dict[str, Any]]:
        """Return KV documents; trivial invariants stay out of them."""
        return [invariant.to_document() for invariant in self.invariants]

    @classmethod
    def from_documents(cls, documents: Iterable[Mapping[str, Any]]) -> FlowModel:
        """Raises DocumentError when a document lacks a part."""
        return cls(Invariant.from_document(document) for document in documents)


def _fulfilled(invariant: Invariant, history: Sequence[Step], now: float, object_ids: Sequence[str]) -> bool:
    """A linked step counts for hours, an unlinked one for the invariant's window."""
    wanted = _linked_ids(object_ids, invariant.linked) if invariant.linked else set()
    window = MAX_FLOW_SECONDS if wanted else invariant.window
    for step in reversed(history):
        if step.time > now:
            continue
        if now - step.time > window:
            return False
        if step.operation == invariant.requires and step.succeeded:
            if not wanted:
                return True
            offered = _linked_ids(step.object_ids, invariant.linked)
            if not offered or offered & wanted:
                return True
    return False


# --- learning ---------------------------------------------------------------------------------------------


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
        times = [self.by_id.get((required, one)) for one in _linked_ids(step.object_ids, link)]
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
