"""Scoring: each event against what its principal, its peers and the learned baselines did before.

The scorer reads no clock: an event's own time is "now". Its state is bounded per principal and in the number
of principals. Events should come in order of time; ``score_batch`` puts a batch in order. Without learned
baselines it goes by the peers inside the data, and its evidence says so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Tuple

from apisec.baselines.learned import DEFAULT_OBJECTS, DEFAULT_REQUESTS, Baseline, Baselines
from apisec.baselines.values import event_time, mappings, number, text, texts, whole
from apisec.scoring import reasons
from apisec.scoring.client import client_of
from apisec.scoring.features import COMPONENTS, NAMES, excess, is_answer, noisy_or, saturating, share
from apisec.scoring.levels import MAX_SCORE, REASON_THRESHOLD, severity_of
from apisec.scoring.model import Model
from apisec.scoring.state import (
    Bodies,
    HourCount,
    ObjectWindow,
    OperationPeers,
    PrincipalState,
    Recent,
    ResponseMemory,
    was_issued,
)
from apisec.sequences.flows import SAFE_METHODS, FlowModel, Invariant, Step

MAX_PRINCIPALS = 20_000
MAX_OPERATIONS = 5_000
MAX_OWNERS = 200_000  # object ids whose first principal is remembered
MIN_OBJECTS = 3  # fewer different ids say nothing
MIN_PEERS = 5  # principals on the same operation before they are a yardstick
PEER_SHARE = 0.9
DEFAULT_CERTAINTY = 0.5  # how far an assumed count is trusted as a yardstick
PEER_PRIOR = 5.0  # peers inside the data are trusted n / (n + 5): all but one may be ordinary but this service desk
# Without a credential, a principal is an address, a TLS stack and an agent: an office full of people.
ANONYMOUS_CERTAINTY = 0.6
HABIT_SLACK = 1.5  # a known habit may be exceeded by half
LEAST_COVER_SECONDS = 10.0
MIN_SIZES = 20  # responses before a size is called unusual
UNUSUAL_DEVIATIONS = 3.0
OUT_OF_ORDER_SECONDS = 60.0
MANY_TURNS = 3.0  # of two clients with one credential
REFUSED = frozenset({401, 403, 404})
# Credentials of machines: many hosts share one on purpose.
SHARED_KINDS = frozenset({"api_key", "mtls", "basic"})
_INDEX = {name: index for index, name in enumerate(NAMES)}


@dataclass(frozen=True)
class Score:
    """``score`` and ``components`` are 0–100; ``reasons`` are sentences, the weightiest first."""

    score: float
    severity: str
    reasons: List[str]
    components: Dict[str, float]
    evidence: Dict[str, Any]


@dataclass
class _Look:
    """One event under examination: what was read of it, the features so far, and the evidence."""

    event: Mapping[str, Any]
    service: str
    operation: str
    principal: str
    time: float
    status: int
    blocked: bool
    anonymous: bool
    object_ids: Sequence[str]
    vector: List[float] = field(default_factory=lambda: [0.0] * len(NAMES))
    evidence: Dict[str, Any] = field(default_factory=dict)

    def set(self, name: str, value: float) -> None:
        self.vector[_INDEX[name]] = value


def _look(event: Mapping[str, Any]) -> _Look:
    return _Look(
        event,
        text(event.get("service")),
        text(event.get("operation")),
        text(event.get("principal")),
        event_time(event),
        whole(event.get("status")),
        event.get("action") == "blocked",
        event.get("principal_kind") == "anonymous",
        texts(event.get("object_ids"), 32),
    )


class Scorer:
    """Scores events one by one; not safe for use by several threads at once."""

    def __init__(self, model: Model, baselines: Optional[Baselines] = None, flows: Optional[FlowModel] = None) -> None:
        self._model = model
        self._baselines = baselines or Baselines()
        self._flows = flows or FlowModel()
        self._principals: Recent[str, PrincipalState] = Recent(MAX_PRINCIPALS)
        self._peers: Recent[Tuple[str, str], OperationPeers] = Recent(MAX_OPERATIONS)
        self._owners: Recent[Tuple[str, str], str] = Recent(MAX_OWNERS)
        self._memory = ResponseMemory()
        self._first: Optional[float] = None
        self._latest = -math.inf
        missing = (("baselines", self._baselines), ("flows", self._flows))
        self._cold = [name for name, learned in missing if not len(learned)]

    def score(self, event: Mapping[str, Any]) -> Score:
        """Take one event into account and score it."""
        look = self._examine(event)
        model, vector = self._model, look.vector
        probabilities = model.components(vector)
        components = {name: round(MAX_SCORE * value, 2) for name, value in probabilities.items()}
        score = round(MAX_SCORE * model.probability(vector), 2)
        telling = sorted(
            (name for name in COMPONENTS if components[name] >= REASON_THRESHOLD),
            key=lambda name: -components[name],
        )
        if score >= REASON_THRESHOLD and not telling:
            telling = [max(COMPONENTS, key=lambda name: components[name])]
        sentences = [line for name in telling for line in reasons.of(name, look.evidence.get(name))]
        if self._cold:
            look.evidence["cold_start"] = list(self._cold)
        return Score(score, severity_of(score), sentences, components, look.evidence)

    def score_batch(self, events: Sequence[Mapping[str, Any]]) -> List[Score]:
        """Score events in order of their time; the scores come back in the order of ``events``."""
        order = sorted(range(len(events)), key=lambda index: event_time(events[index]))
        scores: Dict[int, Score] = {index: self.score(events[index]) for index in order}
        return [scores[index] for index in range(len(events))]

    def features(self, event: Mapping[str, Any]) -> List[float]:
        """Take one event into account and return its features in the order of ``features.NAMES``."""
        return self._examine(event).vector

    def _examine(self, event: Mapping[str, Any]) -> _Look:
        look = _look(event)
        if not look.operation or not look.principal:
            look.evidence["unscored"] = "the event names no operation or no principal"
            return look
        if self._first is None:
            self._first = look.time
        state = self._principals.get(look.principal)
        if state is None:
            state = PrincipalState()
            self._principals.put(look.principal, state)
        peers = self._peers_of((look.service, look.operation))
        baseline = self._baselines.get(look.service, look.operation)
        window = state.operation((look.service, look.operation))
        self._objects(look, state.bodies, window, peers, baseline)
        self._sequence(look, state)
        self._payload(look, state, peers)
        self._identity(look, state)
        self._volume(look, state.requests, window, peers, baseline)
        body = event.get("response_body")
        # What a page that everyone reads gives away (an order's id in a review) is issued to nobody.
        if isinstance(body, str) and body and look.status < 400 and not peers.shared(MIN_PEERS):
            self._memory.keep(state.bodies, body)
        self._latest = max(self._latest, look.time)
        return look

    def _peers_of(self, key: Tuple[str, str]) -> OperationPeers:
        found = self._peers.get(key)
        if found is None:
            found = OperationPeers()
            self._peers.put(key, found)
        return found

    # --- object ---------------------------------------------------------------------------------------

    def _objects(
        self,
        look: _Look,
        bodies: Bodies,
        window: ObjectWindow,
        peers: OperationPeers,
        baseline: Optional[Baseline],
    ) -> None:
        window.requests.add(look.time, look.status in REFUSED and not look.blocked)
        for object_id in look.object_ids:
            foreign = self._is_foreign(look, object_id)
            window.add(object_id, look.time, foreign=foreign, issued=_was_issued(object_id, window, bodies))
        distinct = len(window.ids)
        if not look.object_ids or not distinct:
            return
        if distinct > window.peak:
            peers.objects.rise(window.peak, distinct)
            peers.readers += window.peak == 0
            window.peak = distinct
        strange = peers.unusual(window, "foreign", window.foreign)
        invented = peers.unusual(window, "unissued", window.unissued)
        if distinct < MIN_OBJECTS:
            return
        expected, basis = self._expected_objects(look, window, peers, baseline)
        certainty = _certainty(basis, peers, look)
        look.set("object_excess", excess(window.weighed, expected) * certainty)
        look.set("object_misses", share(window.requests.failures, window.requests.total, 3.0))
        look.set("object_walk", share(window.walked, distinct, 3.0))
        look.set("object_foreign", share(window.foreign, distinct, 3.0) * strange)
        look.set("object_unissued", share(window.unissued, distinct, 3.0) * invented)
        over = distinct > expected
        look.evidence["object"] = reasons.ObjectEvidence(
            operation=look.operation,
            name=window.commonest_name() if over else look.object_ids[0].partition("=")[0],
            distinct=distinct,
            recent=window.within(look.time, reasons.RECENT_SECONDS) if over else 0,
            expected=expected,
            basis=basis,
            missed=window.requests.failures,
            walked=window.walked,
            foreign=window.foreign,
            unissued=window.unissued,
        ).to_dict()

    def _is_foreign(self, look: _Look, object_id: str) -> bool:
        key = (look.service, object_id)
        owner = self._owners.get(key)
        if owner is None:
            self._owners.put(key, look.principal)
            return False
        return owner != look.principal

    def _expected_objects(
        self, look: _Look, window: ObjectWindow, peers: OperationPeers, baseline: Optional[Baseline]
    ) -> Tuple[float, str]:
        """Return how many different ids an hour are ordinary here, and what says so."""
        if baseline is not None:
            habit = baseline.habits.get(look.principal)
            expected = max(baseline.objects_p99, 1.0)
            # A habit of guessing ids excuses nothing.
            guesses = window.unissued * 2 > len(window.ids)
            if habit is not None and not guesses and habit[0] * HABIT_SLACK > expected:
                return habit[0] * HABIT_SLACK, "habit"
            return expected, "baseline"
        level, others = peers.objects.peers_quantile(window.peak, PEER_SHARE)
        if others >= MIN_PEERS:
            return max(float(level), 2.0), "peers"
        return DEFAULT_OBJECTS, "default"

    # --- sequence -------------------------------------------------------------------------------------

    def _sequence(self, look: _Look, state: PrincipalState) -> None:
        in_order = look.time >= self._latest - OUT_OF_ORDER_SECONDS
        if in_order and not look.anonymous and self._flows.requirements(look.operation, look.service):
            self._check_step(look, state)
        if look.operation in self._flows.steps:
            ids = tuple(look.object_ids)
            state.steps.append(Step(look.operation, look.time, 403 if look.blocked else look.status, ids))

    def _check_step(self, look: _Look, state: PrincipalState) -> None:
        skipped = self._flows.skipped(
            state.steps, look.operation, look.time, service=look.service, object_ids=look.object_ids
        )
        if skipped is None:
            return
        covered = self._covered(look, state, skipped.invariant)
        certainty = skipped.invariant.confidence * covered
        if skipped.expected.startswith(SAFE_METHODS):
            certainty *= 0.5
        if look.status >= 400:
            certainty *= 0.5  # the API itself refused
        look.set("sequence_skip", certainty)
        times = state.skips.add(look.time) if covered >= 1.0 else state.skips.count()
        look.set("sequence_repeat", saturating(max(times - 1, 0), 3.0))
        look.evidence["sequence"] = {
            "operation": look.operation,
            "expected": skipped.expected,
            "taken": skipped.taken,
            "confidence": round(skipped.invariant.confidence, 4),
            "support": skipped.invariant.support,
            "linked": skipped.invariant.linked,
            "times": times,
            "refused": look.status >= 400,
            "text": skipped.text,
        }

    def _covered(self, look: _Look, state: PrincipalState, rule: Invariant) -> float:
        """How surely a step taken before would have been seen, 0–1: it may lie before the data began."""
        started = look.time if self._first is None else self._first
        # Of a principal that was not seen taking any step, all of the flow may lie before.
        needed = max(3.0 * rule.gap, LEAST_COVER_SECONDS) if state.steps else rule.window
        return min(1.0, max(0.0, look.time - started) / max(needed, 1.0))

    # --- payload --------------------------------------------------------------------------------------

    def _payload(self, look: _Look, state: PrincipalState, peers: OperationPeers) -> None:
        size = number(look.event.get("bytes_out"))
        log_size = None if size is None else math.log1p(max(size, 0.0))
        signals = mappings(look.event.get("signals"), 32)
        if any(not is_answer(one) for one in signals):
            self._weigh_signals(look, state, peers, signals, log_size)
        elif log_size is not None:
            peers.add_size(log_size)

    def _weigh_signals(
        self,
        look: _Look,
        state: PrincipalState,
        peers: OperationPeers,
        signals: Sequence[Mapping[str, Any]],
        log_size: Optional[float],
    ) -> None:
        # What a response says of itself is no attack; beside one, it says that the payload arrived.
        found = [
            (text(one.get("detector"), 64), text(one.get("where"), 128), number(one.get("score")) or 0.0)
            for one in signals
            if not is_answer(one)
        ]
        before = state.signalled.count()
        state.signalled.add(look.time)
        strength = noisy_or(tuple(score for _, _, score in found))
        failed = look.status >= 500 or any(is_answer(one) for one in signals)
        unusual = log_size is not None and _is_unusual(log_size, peers)
        look.set("payload_signal", strength)
        look.set("payload_response", float(failed or unusual))
        look.set("payload_repeat", saturating(before, 5.0))
        look.evidence["payload"] = {
            "operation": look.operation,
            "detectors": sorted({detector for detector, _, _ in found}),
            "where": sorted({where for _, where, _ in found}),
            "strength": round(strength, 4),
            "status": look.status,
            "failed": failed,
            "unusual_size": unusual,
            "before": before,
        }

    # --- identity -------------------------------------------------------------------------------------

    def _identity(self, look: _Look, state: PrincipalState) -> None:
        event = look.event
        if look.anonymous:
            return
        # The credential itself before the session: a thief who has the bearer token lacks the cookie.
        credential = text(event.get("auth_token")) or text(event.get("session"))
        if not credential:
            return
        client = client_of(event.get("src"), event.get("http_user_agent"), event.get("ja4"))
        change, turns, former = state.credential(credential).add(client, look.time)
        if former is None or not change:
            return
        weight = 0.5 if event.get("principal_kind") in SHARED_KINDS else 1.0
        look.set("identity_change", change * weight)
        look.set("identity_overlap", change * weight * min(1.0, turns / MANY_TURNS))
        look.evidence["identity"] = {
            "seen": client.text,
            "expected": former.text,
            "change": round(change, 2),
            "turns": turns,
        }

    # --- volume ---------------------------------------------------------------------------------------

    def _volume(
        self,
        look: _Look,
        requests: HourCount,
        window: ObjectWindow,
        peers: OperationPeers,
        baseline: Optional[Baseline],
    ) -> None:
        requests.add(look.time, look.status >= 400 and not look.blocked)
        count = window.requests.total
        level = max(1, int(4 * math.log2(count)) + 1) if count else 0
        if level > window.request_peak:
            peers.requests.rise(window.request_peak, level)
            window.request_peak = level
        expected, basis = self._expected_requests(look, window, peers, baseline)
        over = excess(count, expected) * _certainty(basis, peers, look)
        errors = share(requests.failures, requests.total, 10.0)
        look.set("volume_excess", over)
        look.set("volume_errors", errors)
        if over or requests.failures:
            look.evidence["volume"] = {
                "operation": look.operation,
                "requests": count,
                "expected": round(expected, 1),
                "basis": basis,
                "failures": requests.failures,
                "total": requests.total,
            }

    def _expected_requests(
        self, look: _Look, window: ObjectWindow, peers: OperationPeers, baseline: Optional[Baseline]
    ) -> Tuple[float, str]:
        if baseline is not None:
            habit = baseline.habits.get(look.principal)
            expected = max(baseline.requests_p99, 10.0)
            if habit is not None and habit[1] * HABIT_SLACK > expected:
                return habit[1] * HABIT_SLACK, "habit"
            return expected, "baseline"
        level, others = peers.requests.peers_quantile(window.request_peak, PEER_SHARE)
        if others >= MIN_PEERS:
            return max(2.0 ** (level / 4.0), 10.0), "peers"
        return DEFAULT_REQUESTS, "default"


def _certainty(basis: str, peers: OperationPeers, look: _Look) -> float:
    """How far a yardstick is trusted, 0–1."""
    certainty = ANONYMOUS_CERTAINTY if look.anonymous else 1.0
    if basis == "peers":
        return certainty * peers.principals / (peers.principals + PEER_PRIOR)
    return certainty * (DEFAULT_CERTAINTY if basis == "default" else 1.0)


def _was_issued(object_id: str, window: ObjectWindow, bodies: Bodies) -> Optional[bool]:
    """Whether the id stands in a response to the principal; None when there is none to look into."""
    if not bodies or object_id in window.ids:
        return None
    return was_issued(object_id.partition("=")[2], bodies)


def _is_unusual(log_size: float, peers: OperationPeers) -> bool:
    if peers.sizes < MIN_SIZES:
        return False
    # Sizes of one operation that hardly vary still vary by some per cent.
    deviation = max(math.sqrt(peers.variance), 0.05)
    return abs(log_size - peers.mean_log_size) > UNUSUAL_DEVIATIONS * deviation
