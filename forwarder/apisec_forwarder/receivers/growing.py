"""A count that somebody else keeps."""

from __future__ import annotations


class Growing:
    """A counter of the gateway's, which begins at zero when the gateway is started anew."""

    def __init__(self) -> None:
        self.total = 0
        self._last: int | None = None

    def saw(self, value: int) -> None:
        if self._last is None:
            self._last = value  # what was before us an earlier process has counted
        self.total += value - self._last if value >= self._last else value
        self._last = value
