"""Answers call-outs and takes in copies: pipeline, matcher and tallies together."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from apisec.model.decision import ALLOW, Decision, Match
from apisec.model.event import Event
from apisec.model.pattern import CANARY, ENFORCE, Scope
from apisec.model.transaction import Transaction
from apisec.patterns.matcher import Matcher
from apisec_forwarder.decisions.spelling import respelled
from apisec_forwarder.decisions.tally import Tallies

Process = Callable[[Transaction], Event]


@dataclass
class Counters:
    """Since the start of the process."""

    call_outs: int = 0
    refused: int = 0
    failed: int = 0  # could not be read or decided, and passed
    observed: int = 0
    feed_dropped: int = 0
    seconds: float = 0.0  # spent on answers


class DecisionService:
    """``process`` is the pipeline's: it never raises, and gives the same tokens as for the copy."""

    def __init__(self, process: Process, matcher: Matcher, tallies: Tallies) -> None:
        self._process = process
        self.matcher = matcher
        self.tallies = tallies
        self.counters = Counters()
        self._scopes: tuple[Scope, ...] = ()

    def patterns_changed(self) -> None:
        """To be called when patterns or their modes have changed."""
        active = [p for p in self.matcher.patterns if p.mode in (CANARY, ENFORCE)]
        self._scopes = tuple(p.scope for p in active)

    def answer(self, transaction: Transaction, now: float) -> Decision:
        """Decide on a request in its own spelling, then in each other one it may have to the upstream."""
        self.counters.call_outs += 1
        decision = self._decide(transaction, now)
        request = transaction.request
        if not decision.blocked:
            for method, target in respelled(request.method, request.target, self._scopes):
                other = dataclasses.replace(request, method=method, target=target)
                decision = self._decide(dataclasses.replace(transaction, request=other), now)
                if decision.blocked:
                    break
        self.counters.refused += decision.blocked
        return decision

    def _decide(self, transaction: Transaction, now: float) -> Decision:
        if not self._scopes:
            return ALLOW
        event = self._process(transaction)
        decision = self.matcher.decide(event, now)
        self.tallies.count(transaction.id, decision.matches, now)
        return decision

    def failed(self) -> None:
        self.counters.failed += 1

    def observe(self, event: Mapping[str, Any], now: float) -> None:
        """Take a copy; a refusal by the gateway's own rules is known from here alone."""
        self.counters.observed += 1
        matches = self.matcher.observe(event, now)
        identity = str(event.get("id", ""))
        if event.get("action") == "blocked":
            pattern, principal = str(event.get("pattern", "")), str(event.get("principal", ""))
            modes = {p.id: p.mode for p in self.matcher.patterns}
            matches = tuple(m for m in matches if m.pattern != pattern)
            self.tallies.count(identity, [Match(pattern, modes.get(pattern, ENFORCE), True, principal)], now)
        # A copy whose request was not refused tells of a match, never of a refusal.
        seen = [dataclasses.replace(match, refuses=False) for match in matches]
        self.tallies.count(identity, seen, now)

    def feed_dropped(self, count: int, now: float) -> None:
        """Copies were lost on their way here: steps may be missing, so knowledge begins anew."""
        self.counters.feed_dropped += count
        self.matcher.history.start(now)
