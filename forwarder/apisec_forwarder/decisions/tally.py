"""What each pattern has done since it was pushed: counts for people and for Prometheus."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from apisec.model.decision import Match
from apisec.model.pattern import MODES

MAX_PRINCIPALS = 1000  # of one pattern that are counted one by one
MAX_COUNTED = 20_000  # (pattern, event) pairs that are remembered, so that call-out and copy count once


@dataclass
class Tally:
    """``since`` and all times are seconds since the epoch; counts are requests, by the mode at their time."""

    since: float
    matched: dict[str, int] = field(default_factory=lambda: dict.fromkeys(MODES, 0))
    refused: dict[str, int] = field(default_factory=lambda: dict.fromkeys(MODES, 0))
    principals: dict[str, int] = field(default_factory=dict)
    first_match: float | None = None
    last_match: float | None = None
    first_refusal: float | None = None
    last_refusal: float | None = None
    changed: float = 0.0  # time of the last change of mode
    refusal_after_change: float | None = None  # seconds from that change to the first refusal under it

    def add(self, match: Match, now: float) -> None:
        self.matched[match.mode] = self.matched.get(match.mode, 0) + 1
        self.first_match = now if self.first_match is None else self.first_match
        self.last_match = now
        if match.principal in self.principals or len(self.principals) < MAX_PRINCIPALS:
            self.principals[match.principal] = self.principals.get(match.principal, 0) + 1
        if match.refuses:
            self.refused[match.mode] = self.refused.get(match.mode, 0) + 1
            self.first_refusal = now if self.first_refusal is None else self.first_refusal
            self.last_refusal = now
            if self.refusal_after_change is None:
                self.refusal_after_change = round(now - self.changed, 6)

    def mode_changed(self, now: float) -> None:
        self.changed, self.refusal_after_change = now, None

    def to_document(self) -> dict[str, Any]:
        top = sorted(self.principals.items(), key=lambda item: (-item[1], item[0]))[:20]
        return {
            "since": self.since,
            "matched": self.matched,
            "refused": self.refused,
            "principals": len(self.principals),
            "principals_complete": len(self.principals) < MAX_PRINCIPALS,
            "top_principals": [{"principal": name, "matched": count} for name, count in top],
            "first_match": self.first_match,
            "last_match": self.last_match,
            "first_refusal": self.first_refusal,
            "last_refusal": self.last_refusal,
            "seconds_from_change_to_first_refusal": self.refusal_after_change,
        }


class Tallies:
    """The tallies of all patterns, each event counted once a pattern."""

    def __init__(self) -> None:
        self._by_pattern: dict[str, Tally] = {}
        self._counted: OrderedDict[tuple[str, str], None] = OrderedDict()

    def open(self, pattern: str, now: float) -> Tally:
        """Return the pattern's tally; a new one begins at ``now``."""
        return self._by_pattern.setdefault(pattern, Tally(since=now, changed=now))

    def drop(self, pattern: str) -> None:
        self._by_pattern.pop(pattern, None)

    def count(self, event_id: str, matches: Iterable[Match], now: float) -> None:
        for match in matches:
            key = (match.pattern, event_id)
            if event_id and key in self._counted:
                continue
            self._counted[key] = None
            if len(self._counted) > MAX_COUNTED:
                self._counted.popitem(last=False)
            tally = self._by_pattern.get(match.pattern)
            if tally is not None:
                tally.add(match, now)
