"""The matcher: which patterns a request meets, and whether one of them refuses it.

One object holds all state of a forwarder's decisions; time is always an argument. Two calls feed it:

    decide(request half of an event, now)   a call-out, before the request is forwarded
    observe(event, now)                     the asynchronous copy, with the response

``observe`` is where shadow patterns count. ``decide`` refuses for canary and enforce patterns alone.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any, Dict, Iterable, List, Mapping, Optional, Tuple

from apisec.model.decision import Decision, Match
from apisec.model.pattern import CANARY, ENFORCE, EXPIRED, Pattern
from apisec.patterns import fields
from apisec.patterns.expression import holds
from apisec.patterns.history import History, HistoryLimits
from apisec.patterns.windows import Windows


@dataclass(frozen=True)
class Limits:
    history: HistoryLimits = field(default_factory=HistoryLimits)
    groups: int = 20_000  # of one correlation


def in_canary(pattern: Pattern, principal: str) -> bool:
    """Return whether the principal belongs to the canary's share: stable, and different for each pattern."""
    seed = hashlib.sha256(f"{pattern.id}\0{principal}".encode()).digest()
    return int.from_bytes(seed[:8], "big") / 2**64 * 100.0 < pattern.canary_percent


def refuses(pattern: Pattern, principal: str, now: float) -> bool:
    """Return whether a match of the pattern refuses this principal's request now."""
    mode = pattern.mode_at(now)
    return mode == ENFORCE or (mode == CANARY and in_canary(pattern, principal))


class Matcher:
    """AllOf patterns of a forwarder and their state. Not thread-safe."""

    def __init__(self, limits: Optional[Limits] = None) -> None:
        self.limits = limits or Limits()
        self.history = History(self.limits.history)
        self._patterns: Dict[str, Pattern] = {}
        self._windows: Dict[str, Windows] = {}
        self._asked_since: Dict[str, float] = {}
        self._by_operation: Dict[Tuple[str, str], List[Pattern]] = {}
        self._by_service: Dict[str, List[Pattern]] = {}

    @property
    def patterns(self) -> Tuple[Pattern, ...]:
        return tuple(self._patterns.values())

    def put(self, pattern: Pattern, now: float = float("-inf")) -> None:
        """Add or replace a pattern. Its windows survive unless what decides has changed.

        ``now`` is when the gateway begins to ask about it (default: it always has).
        """
        former = self._patterns.get(pattern.id)
        asked = former is not None and former.digest == pattern.digest and former.mode in (CANARY, ENFORCE)
        if not asked or pattern.id not in self._asked_since:
            self._asked_since[pattern.id] = now
        self._patterns[pattern.id] = pattern
        if pattern.correlation is None:
            self._windows.pop(pattern.id, None)
        elif former is None or former.digest != pattern.digest or pattern.id not in self._windows:
            self._windows[pattern.id] = Windows(pattern.correlation, self.limits.groups)
        self._index()

    def remove(self, identity: str) -> None:
        self._patterns.pop(identity, None)
        self._windows.pop(identity, None)
        self._asked_since.pop(identity, None)
        self._index()

    def _index(self) -> None:
        """Index by service and operation, so that a request meets only patterns that can hold for it."""
        self._by_operation = {}
        self._by_service = {}
        for pattern in self._patterns.values():
            if all(method and template for method, template in pattern.scope):
                for method, template in pattern.scope:
                    key = (pattern.service, f"{method} {template}".casefold())
                    self._by_operation.setdefault(key, []).append(pattern)
            else:
                self._by_service.setdefault(pattern.service, []).append(pattern)

    def _candidates(self, event: Mapping[str, Any]) -> Iterable[Pattern]:
        service = str(event.get("service", ""))
        yield from self._by_operation.get((service, str(event.get("operation", "")).casefold()), ())
        yield from self._by_service.get(service, ())

    def decide(self, event: Mapping[str, Any], now: float) -> Decision:
        """Answer a call-out. ``event`` is the request half; what it allows counts as done until its copy comes."""
        principal = str(event.get("principal", ""))
        matches: List[Match] = []
        refused: Optional[str] = None
        for pattern in self._candidates(event):
            mode = pattern.mode_at(now)
            if mode not in (CANARY, ENFORCE) or not self._would(pattern, event, now):
                continue
            hard = refuses(pattern, principal, now)
            matches.append(Match(pattern.id, mode, hard, principal))
            if hard and refused is None:
                refused = pattern.id
        for pattern in self._candidates(event):
            if pattern.correlation is not None:
                self._windows[pattern.id].observe(event, now, half=True)
        if refused is None:
            self.history.allowed(event, now)
        return Decision(refused, tuple(matches))

    def _would(self, pattern: Pattern, event: Mapping[str, Any], now: float) -> bool:
        if pattern.correlation is not None:
            return self._windows[pattern.id].would(event, now)
        return self._meets(pattern, event, now)

    def _meets(self, pattern: Pattern, event: Mapping[str, Any], now: float) -> bool:
        if pattern.expression is None or not holds(pattern.expression, event):
            return False
        if pattern.requirement is None:
            return True
        return self.history.done(pattern.requirement, event, now, self._asked_since[pattern.id]) is False

    def observe(self, event: Mapping[str, Any], now: float) -> Tuple[Match, ...]:
        """Take the copy of a transaction; return every match, in whatever mode.

        A copy may come late (``now`` is when), so that windows and steps go by the request's own time.
        """
        at = min(now, float(event.get("time", now)))
        principal = str(event.get("principal", ""))
        half: Optional[Dict[str, Any]] = None
        matches: List[Match] = []
        for pattern in self._candidates(event):
            if pattern.correlation is not None:
                met = self._windows[pattern.id].observe(event, at)
            else:
                half = fields.request_half(event) if half is None else half
                met = self._meets(pattern, half, at)
            mode = pattern.mode_at(now)
            if met and mode != EXPIRED:
                matches.append(Match(pattern.id, mode, refuses(pattern, principal, now), principal))
        self.history.observe(event, at)
        return tuple(matches)
