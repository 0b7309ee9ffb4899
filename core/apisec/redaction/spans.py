"""Parts of a text that are replaced."""

from __future__ import annotations

from bisect import bisect_left
from typing import List, NamedTuple


class Span(NamedTuple):
    """A part of a text and the token that replaces it."""

    start: int
    end: int
    token: str


class Taken:
    """Places of a text that are replaced already; asked by bisection, since hostile text has thousands."""

    def __init__(self, spans: List[Span]) -> None:
        self._spans = sorted(spans)
        self._starts = [span.start for span in self._spans]

    def overlaps(self, start: int, end: int) -> bool:
        if not self._starts:
            return False
        after = bisect_left(self._starts, end)
        return after > 0 and self._spans[after - 1].end > start


def splice(text: str, spans: List[Span]) -> str:
    """Return a text with its spans replaced; where they overlap, the first one counts up to its end."""
    pieces: List[str] = []
    position = 0
    for start, end, token in sorted(spans):
        if end > position:  # a rest that was left unseen covers what was found in it
            pieces += [text[position : max(start, position)], token]
            position = end
    return "".join([*pieces, text[position:]])
