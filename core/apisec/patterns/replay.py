"""Replay a pattern over history: what it would have refused, and whom of the innocent."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Callable, Dict, Iterable, Mapping, Optional, Set

from apisec.errors import PatternError
from apisec.model.pattern import ENFORCE, Pattern
from apisec.patterns import fields, spans
from apisec.patterns.matcher import Limits, Matcher
from apisec.statistics import upper_bound

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Evidence:
    """Counts over one window of one service's events; times are RFC 3339.

    ``false_positive_upper_bound`` is the one-sided 95 % Clopper–Pearson bound of the share of benign requests
    that would have been refused. ``digest`` names the pattern's deciding part: evidence is worthless for another.
    """

    digest: str
    window_start: Optional[str]
    window_end: Optional[str]
    events: int
    matched_events: int
    matched_principals: int
    benign_events: int
    benign_principals: int
    benign_matched_events: int
    benign_matched_principals: int
    false_positive_upper_bound: float

    def to_document(self) -> Dict[str, Any]:
        return asdict(self)


def replay(
    pattern: Pattern,
    events: Iterable[Mapping[str, Any]],
    benign: Callable[[Mapping[str, Any]], bool],
    limits: Optional[Limits] = None,
) -> Evidence:
    """Return what the pattern, enforced, would have done to ``events``, which come in the order of time.

    ``benign(event)`` says that an event is held to be an ordinary user's. Events of other services are passed
    over. Nothing is refused in the replay: as in shadow, each event really happened and counts as a step.
    """
    matcher = Matcher(limits)
    matcher.put(replace(pattern, mode=ENFORCE, expires=float("inf")))
    seen = matched = innocent = struck = 0
    first: Optional[float] = None
    now = float("-inf")
    principals: Dict[str, Set[str]] = {"matched": set(), "benign": set(), "struck": set()}
    for event in events:
        if event.get("service") != pattern.service:
            continue
        now = max(now, float(event.get("time", 0.0)))
        if first is None:
            first = now
            matcher.history.start(now)
        seen += 1
        principal = str(event.get("principal", ""))
        hit = matcher.decide(fields.request_half(event), now).blocked
        matcher.observe(event, now)
        good = benign(event)
        innocent += good
        matched += hit
        struck += good and hit
        for kind, applies in (("matched", hit), ("benign", good), ("struck", good and hit)):
            if applies:
                principals[kind].add(principal)
    return Evidence(
        digest=pattern.digest,
        window_start=None if first is None else spans.rfc3339(first),
        window_end=None if first is None else spans.rfc3339(now),
        events=seen,
        matched_events=matched,
        matched_principals=len(principals["matched"]),
        benign_events=innocent,
        benign_principals=len(principals["benign"]),
        benign_matched_events=struck,
        benign_matched_principals=len(principals["struck"]),
        false_positive_upper_bound=upper_bound(struck, innocent, CONFIDENCE) if innocent else 1.0,
    )


MAX_RATE = 0.01  # accepted upper bound of the false-positive rate
MAX_AGE = 7 * 86400.0  # seconds since the evidence's window ended


def check_evidence(pattern: Pattern, now: float, max_rate: float = MAX_RATE) -> None:
    """Raise PatternError unless the pattern's own evidence allows it to be enforced.

    The bound is computed from the counts again: what the document claims is not believed.
    """
    where = "apisec.evidence"
    found = pattern.document.get("apisec", {}).get("evidence")
    if not found:
        raise PatternError("none; replay the pattern over history and attach what that returns", where=where)
    counts = [found.get(name) for name in ("benign_matched_events", "benign_events")]
    if not all(isinstance(n, int) and not isinstance(n, bool) for n in counts) or not 0 <= counts[0] <= counts[1]:
        raise PatternError("benign_matched_events and benign_events must be counts", where=where)
    if found.get("digest") != pattern.digest:
        raise PatternError("belongs to another version of the pattern; replay this one", where=where)
    if spans.instant(found.get("window_end"), f"{where}.window_end") < now - MAX_AGE:
        raise PatternError("its window ended more than 7 days ago; replay again", where=where)
    if counts[0]:
        raise PatternError(f"would have refused {counts[0]} of {counts[1]} benign requests", where=where)
    bound = upper_bound(counts[0], counts[1], CONFIDENCE) if counts[1] else 1.0
    if bound > max_rate:
        message = f"0 of {counts[1]} benign requests bounds the false-positive rate by {bound:.2%} only"
        raise PatternError(f"{message}; {max_rate:.2%} is needed: replay over more history", where=where)
