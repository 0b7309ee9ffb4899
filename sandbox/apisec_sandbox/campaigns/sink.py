"""Where events and labels go, and what is counted of them on the way."""

from __future__ import annotations

import sys
import time
from collections import Counter
from typing import Any, TextIO

BATCH = 2_000  # lines held before they are written
MAX_COUNTED = 100_000  # distinct principals and addresses counted of one campaign or persona


class Tally:
    """What was generated for one persona or campaign."""

    __slots__ = ("addresses", "events", "first", "hours", "last", "principals", "statuses")

    def __init__(self) -> None:
        self.events, self.first, self.last = 0, 0.0, 0.0
        self.statuses: Counter[int] = Counter()
        self.hours: Counter[int] = Counter()
        self.principals: set[str] = set()
        self.addresses: set[str] = set()

    def add(self, now: float, status: int, principal: str, address: str) -> None:
        if not self.events:
            self.first = now
        self.events += 1
        self.last = now
        self.statuses[status] += 1
        self.hours[int(now // 3600) % 24] += 1
        if len(self.principals) < MAX_COUNTED:
            self.principals.add(principal)
        if len(self.addresses) < MAX_COUNTED:
            self.addresses.add(address)

    def document(self) -> dict[str, Any]:
        events = max(1, self.events)
        return {
            "events": self.events,
            "principals": len(self.principals),
            "addresses": len(self.addresses),
            "first": round(self.first, 3),
            "last": round(self.last, 3),
            "share_4xx": round(sum(n for s, n in self.statuses.items() if 400 <= s < 500) / events, 5),
            "share_5xx": round(sum(n for s, n in self.statuses.items() if s >= 500 or s == 0) / events, 5),
            "by_hour_utc": [self.hours[hour] for hour in range(24)],
        }


class Sink:
    """Writes lines in batches; ``events`` or ``transactions`` may be None."""

    def __init__(self, events: TextIO | None, transactions: TextIO | None, labels: TextIO | None) -> None:
        self._files = (events, transactions, labels)
        self.wants_events, self.wants_raw = events is not None, transactions is not None
        self.lines: tuple[list[str], list[str], list[str]] = ([], [], [])
        self.total = 0
        self.ordinary: dict[str, Tally] = {}
        self.campaigns: dict[str, Tally] = {}

    def tally(self, persona: str, campaign: str) -> Tally:
        group, name = (self.campaigns, campaign) if campaign else (self.ordinary, persona)
        found = group.get(name)
        if found is None:
            found = group[name] = Tally()
        return found

    def flush(self) -> None:
        for file, lines in zip(self._files, self.lines, strict=True):
            if file is not None:
                file.write("".join(lines))
            lines.clear()


class Progress:
    """One line on stderr, rewritten a few times a second, or one line each ten seconds where that is no terminal."""

    def __init__(self, start: float, end: float) -> None:
        self._start, self._end = start, end
        self._began = self._shown = time.monotonic()
        self._live = sys.stderr.isatty()

    def show(self, now: float, events: int) -> None:
        clock = time.monotonic()
        if clock - self._shown >= (0.2 if self._live else 10.0):
            self._shown = clock
            share = min(1.0, (now - self._start) / (self._end - self._start))
            rate = events / max(1e-6, clock - self._began)
            head, tail = ("\r", "") if self._live else ("", "\n")
            sys.stderr.write(f"{head}{share:6.1%}  {events:,} events  {rate:,.0f}/s{tail}")
            sys.stderr.flush()

    def close(self) -> None:
        if self._live:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
