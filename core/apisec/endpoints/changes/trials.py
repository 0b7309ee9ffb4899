"""Shares that are seen now against shares that were seen before: enough evidence, or not yet.

A trial begins with the first message that shows something that is not known, and counts from there. What was counted
before it is what it is compared with. A trial that shows nothing in time is given up, and the next message that shows
it begins another: so a change is not drowned in what was seen of it by chance long ago.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, List

from apisec.endpoints.performance import share_bounds

RATIO = 3.0  # times as often as before, between the bounds of both shares at 99 %
OF_WINDOWS = 2.0  # the same of windows of time
MANY_PRINCIPALS = 5  # of an operation, from which on one principal alone is no evidence


@dataclass
class Trial:
    """``hits`` of ``messages`` show it since ``since``, ``hits_before`` of ``messages_before`` did.

    ``present`` are messages that could have shown it (that had the field); ``principals`` is the greatest number of
    different principals in a window that showed it; ``windows`` of ``spans`` windows did, after ``spans_before``.
    """

    hits_before: int
    messages_before: int
    since: float
    hits: int = 0
    messages: int = 0
    present: int = 0
    principals: int = 0
    windows: int = 0
    spans: int = 0
    spans_before: int = 0

    def add(self, hits: int, messages: int, present: int, principals: int) -> None:
        self.hits += hits
        self.messages += messages
        self.present += present
        self.spans += 1
        if hits:
            self.principals = max(self.principals, principals)
            self.windows += 1

    @property
    def least(self) -> float:
        """The share of messages that shows it, at least."""
        return share_bounds(min(self.hits, self.messages), self.messages).low

    @property
    def most_before(self) -> float:
        """The share of messages that showed it before, at most."""
        return share_bounds(min(self.hits_before, self.messages_before), self.messages_before).high

    def grown(self) -> bool:
        """Return whether it is surely seen more often than before."""
        return self.least > RATIO * self.most_before

    def spread(self) -> bool:
        """Return whether windows show it more often than before, too.

        What few users have comes in their bursts: many messages, and still as many windows as ever.
        """
        before = share_bounds(min(self.hits_before, self.spans_before), self.spans_before)
        return share_bounds(self.windows, self.spans).low > OF_WINDOWS * before.high

    def consistent(self) -> bool:
        """Return whether at least half of what could show it does."""
        return share_bounds(min(self.hits, self.present), self.present).low >= 0.5

    def to_state(self) -> List[Any]:
        before = [self.hits_before, self.messages_before, self.since]
        return [
            *before,
            self.hits,
            self.messages,
            self.present,
            self.principals,
            self.windows,
            self.spans,
            self.spans_before,
        ]

    @classmethod
    def from_state(cls, state: Any) -> Trial:
        """TypeError or ValueError when the state is not one of ``to_state``."""
        hits_before, messages_before, since, *counts = state
        if len(counts) != 7:
            raise ValueError("a trial has ten numbers")
        return cls(int(hits_before), int(messages_before), float(since), *(int(n) for n in counts))
