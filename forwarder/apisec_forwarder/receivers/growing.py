"""A count that somebody else keeps."""

from __future__ import annotations


class Growing:
    """A counter of the gateway's, which begins at zero when the gateway is started anew.

    ``last``: the value that an earlier process saw last; without it, what was before us counts as counted.
    """

    def __init__(self, last: int | None = None) -> None:
        self.total = 0
        self.last = last

    def saw(self, value: int) -> None:
        if self.last is None:
            self.last = value
        self.total += value - self.last if value >= self.last else value
        self.last = value
