"""What is published against what happens: documents of a service against its inventory.

Absence is claimed only of what had a chance to be seen: enough messages, bodies that were looked at. Presence counts
only above a share of messages, so that one odd request in ten thousand is no difference; data that are sensitive count
from the second message on.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Set, Tuple

from apisec.endpoints.inventory import OperationStats
from apisec.endpoints.inventory.tally import names
from apisec.openapi.difference import Difference, Limits
from apisec.openapi.drift import (
    CRITICAL,
    HIGH,
    INFO,
    LOW,
    MEDIUM,
    SEVERITIES,
    Drift,
    drift_id,
    graded_by_data,
    is_sensitive,
    raised,
)  # fmt: skip
from apisec.openapi.expected import Schemas
from apisec.openapi.matching import Matcher, Place, shape_of
from apisec.openapi.messages import MessageComparison
from apisec.openapi.model import METHODS, Spec

DAY = 86_400.0
NOISE = Limits()
_SAFE = frozenset(("GET", "HEAD", "OPTIONS", "TRACE"))
_NO_ANSWER = frozenset(("404", "405", "0", "501"))


@dataclass(frozen=True)
class Settings:
    """``now``: seconds since the epoch; ``orphan_days`` without a request make an operation an orphan."""

    now: float
    orphan_days: float = 30.0
    limits: Limits = NOISE


class Comparison:
    """One service. ``specs`` are in force; ``former`` are earlier versions of them, newest first."""

    def __init__(
        self,
        service: str,
        specs: Sequence[Spec],
        operations: Mapping[str, OperationStats],
        settings: Settings,
        former: Sequence[Spec] = (),
    ) -> None:
        self.service = service
        self.settings = settings
        self.operations = operations
        paths = [name.partition(" ")[2] for name in operations]
        self._matcher = Matcher(specs, paths)
        self._former = Matcher(former, paths)
        self._schemas = {id(spec): Schemas(spec.document) for spec in specs}
        self._seen: Dict[int, float] = {}  # documented operations: when last asked for
        self._found: Dict[str, Drift] = {}

    def run(self) -> List[Drift]:
        """Return the differences, the gravest first. LimitExceeded for a document that is too entangled."""
        for name, stats in sorted(self.operations.items()):
            method, _, path = name.partition(" ")
            place = self._matcher.find(method, path)
            if place is not None and not self._is_another(place, path, stats):
                self._note(place, stats)
                self._documented(name, place, stats)
                continue
            covered = [] if place else self._matcher.covered(method, path)
            for one in covered:
                self._note(one, stats)
            if not covered:
                self._undocumented(name, method, path, stats)
        self._orphans()
        return sorted(self._found.values(), key=lambda one: (SEVERITIES.index(one.severity), one.operation, one.id))

    def _is_another(self, place: Place, path: str, stats: OperationStats) -> bool:
        """Return whether a word that is answered cannot be a value of the parameter in whose place it stands.

        ``/orders/export`` is no order where orders have numbers. What is refused may be anybody's guess.
        """
        words = list(self._matcher.words(place, path))
        if not words or not any(status.startswith("2") for status in stats.statuses):
            return False
        schemas = self._schemas[id(place.spec)]
        known = {one.name: one.schema for one in place.operation.parameters if one.location == "path"}
        return any(name in known and not schemas.may_hold(known[name], word) for name, word in words)

    def _note(self, place: Place, stats: OperationStats) -> None:
        key = id(place.operation)
        self._seen[key] = max(self._seen.get(key, -math.inf), stats.last_seen)

    def _add(
        self, kind: str, severity: str, name: str, stats: OperationStats, place: Optional[Place], reason: str,
        seen: str = "", expected: str = "", count: Optional[int] = None,
    ) -> None:  # fmt: skip
        found = Difference(kind, severity, reason, expected=expected, seen=seen)
        found.count, found.messages = (stats.count if count is None else count), stats.count
        self._tell(found, name, stats, place)

    def _tell(self, found: Difference, name: str, stats: OperationStats, place: Optional[Place]) -> None:
        method, _, path = name.partition(" ")
        about = (found.kind, method, "/".join(shape_of(path)), found.location, found.field, found.status, found.about)
        made = Drift(
            id=drift_id(self.service, *about),
            kind=found.kind, severity=found.severity, service=self.service, team=stats.latest[1], operation=name,
            location=found.location, field=found.field, status=found.status, reason=found.reason,
            expected=found.expected, seen=found.seen, count=found.count, messages=found.messages,
            first_seen=_moment(stats.first_seen), last_seen=_moment(stats.last_seen),
            spec=f"{place.spec.title} {place.spec.version}".strip() if place else "",
            pointer=place.operation.pointer if place else "", data_classes=tuple(found.classes),
        )  # fmt: skip
        self._found.setdefault(made.id, made)

    def _undocumented(self, name: str, method: str, path: str, stats: OperationStats) -> None:
        former = self._former.find(method, path)
        if method.lower() not in METHODS or not _answers(stats) or method == "OPTIONS":
            return
        documented = self._matcher.methods(path)
        if method == "HEAD" and "GET" in documented:
            return
        classes = names(stats.classes)
        anonymous = stats.open > 0
        if former is not None:
            severity = raised(MEDIUM, is_sensitive(classes), anonymous)
            text = f"It is gone from the newest document and answers still. {_who(stats)}"
            self._add("zombie", severity, name, stats, former, text, expected="not there")
            return
        severity = graded_by_data(classes, MEDIUM)
        severity = raised(severity, anonymous and bool(classes), bool(documented) and method not in _SAFE)
        text = f"No document names it. {_who(stats)}"
        if documented:
            text = f"The documents name {', '.join(sorted(documented))} for this path and not {method}. {_who(stats)}"
        self._add("shadow", severity, name, stats, None, text, seen=", ".join(classes[:8]))

    def _documented(self, name: str, place: Place, stats: OperationStats) -> None:
        if place.operation.deprecated and _answers(stats):
            self._deprecated(name, place, stats)
        self._authentication(name, place, stats)
        method, _, path = name.partition(" ")
        if not self._matcher.is_exact(method, path):
            return  # a word where the document has a parameter: perhaps a value, perhaps an operation of its own
        schemas = self._schemas[id(place.spec)]
        comparison = MessageComparison(schemas, place.operation, stats, self.settings.limits)
        for found in comparison.run():
            self._tell(found, name, stats, place)

    def _deprecated(self, name: str, place: Place, stats: OperationStats) -> None:
        sunset = place.operation.sunset
        over = _is_over(sunset, self.settings.now)
        severity = raised(LOW, over, is_sensitive(names(stats.classes)), stats.open > 0)
        text = "The document calls it deprecated"
        text += f", its end was {sunset}" if over else f", its end is {sunset}" if sunset else ""
        self._add("zombie", severity, name, stats, place, f"{text}; it is called still. {_who(stats)}")

    def _authentication(self, name: str, place: Place, stats: OperationStats) -> None:
        operation = place.operation
        if not operation.demands_credentials or operation.method == "OPTIONS":
            return
        demanded = {kind for alternative in operation.security or () for kind in alternative}
        said = " or ".join(sorted(" and ".join(one) for one in set(operation.security or ())))
        if stats.open and any(status.startswith("2") for status in stats.statuses):
            classes = names(stats.classes)
            severity = CRITICAL if is_sensitive(classes) or operation.method not in _SAFE else HIGH
            text = f"The document demands {said}; {stats.open} requests were answered without any credential."
            self._add("missing_authentication", severity, name, stats, place, text, "none", said, stats.open)
        seen = set(stats.auth_seen()) - {"none", "gateway", "hmac", "~other"}
        if "other" in demanded or not seen - demanded:
            return
        others = sorted(seen - demanded)
        severity = MEDIUM if "basic" in others else LOW
        count = sum(stats.auth.get(kind, 0) for kind in others)
        text = f"The document demands {said}; requests came with {', '.join(others)}."
        self._add("other_authentication", severity, name, stats, place, text, ", ".join(others), said, count)

    def _orphans(self) -> None:
        now, days = self.settings.now, self.settings.orphan_days
        began = min((stats.first_seen for stats in self.operations.values()), default=math.inf)
        if now - began < days * DAY:
            return  # nothing can have been missing for longer than anything was watched
        told: Set[Tuple[str, Tuple[str, ...]]] = set()
        for place in self._matcher:
            operation = place.operation
            last = self._seen.get(id(operation))
            key = (operation.method, shape_of(operation.path))
            if key in told or operation.method == "OPTIONS" or (last is not None and now - last < days * DAY):
                continue
            told.add(key)
            nobody = OperationStats()
            nobody.last_seen = -math.inf if last is None else last
            when = "never" if last is None else f"last on {_day(last)}"
            text = f"It is documented and was {when} called; {days:.0f} days and more were watched."
            severity = LOW if operation.security is not None and not operation.demands_credentials else INFO
            self._add("orphan", severity, operation.name, nobody, place, text)


def compare(
    service: str,
    specs: Sequence[Spec],
    operations: Mapping[str, OperationStats],
    settings: Settings,
    former: Sequence[Spec] = (),
) -> List[Drift]:
    """Return how a service's traffic differs from its documents; ``operations`` by name (``GET /orders/{id}``)."""
    return Comparison(service, specs, operations, settings, former).run()


def _answers(stats: OperationStats) -> bool:
    """Return whether anything is there: a path that was only ever not found is somebody's guess."""
    return any(status not in _NO_ANSWER and not status.startswith("4") for status in stats.statuses) or any(
        status in ("400", "401", "402", "403", "409", "412", "415", "422", "429") for status in stats.statuses
    )


def _who(stats: OperationStats) -> str:
    text = f"{stats.count} requests of about {stats.principals.estimate()} principals"
    return f"{text}, {stats.open} of them answered without any credential." if stats.open else f"{text}."


def _moment(seconds: float) -> float:
    return seconds if math.isfinite(seconds) else 0.0


def _day(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%d")


def _is_over(sunset: str, now: float) -> bool:
    """Return whether a date (ISO 8601; anything else is no date) has passed."""
    try:
        return bool(sunset) and sunset[:10] < _day(now) and bool(datetime.date.fromisoformat(sunset[:10]))
    except (ValueError, OverflowError, OSError):
        return False


def summary(drifts: Iterable[Drift]) -> Dict[str, Any]:
    """Return how many differences there are by severity."""
    counts = dict.fromkeys(SEVERITIES, 0)
    for one in drifts:
        counts[one.severity] += 1
    return counts
