"""The error of a search: what, where, and the nearest thing that is known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from apisec_sandbox.errors import SandboxError
from apisec_sandbox.spl.positions import Source

EXCERPT = 100  # characters shown around the position


class SplError(SandboxError):
    """A search that does not parse or cannot run. ``position`` counts characters of ``text`` from 0.

    A position in a text made of another (macros, subsearches) becomes one in the search as it was typed.
    """

    def __init__(self, message: str, text: str = "", position: int = -1) -> None:
        if isinstance(text, Source) and position >= 0:
            text, position, note = text.origin(position)
            message = message if not note or note in message else message.rstrip(".") + "." + note
        super().__init__(message)
        self.message = message
        self.text = text
        self.position = position

    def located(self, text: str) -> SplError:
        """Return the error with its text, when it does not know it yet."""
        return self if self.text else type(self)(self.message, text, self.position)

    @property
    def line(self) -> int:
        return self.text.count("\n", 0, self.position) + 1

    @property
    def column(self) -> int:
        return self.position - (self.text.rfind("\n", 0, self.position) + 1) + 1

    def __str__(self) -> str:
        if self.position < 0 or not self.text:
            return self.message
        start = self.text.rfind("\n", 0, self.position) + 1
        end = self.text.find("\n", start)
        line = self.text[start : end if end >= 0 else len(self.text)]
        left = max(0, self.column - 1 - EXCERPT // 2)
        shown = line[left : left + EXCERPT]
        caret = " " * (self.column - 1 - left) + "^"
        return f"{self.message} (line {self.line}, column {self.column})\n  {shown}\n  {caret}"


class CancelledError(SplError):
    """The job was cancelled, or ran longer than it may."""


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?``, or nothing when no known name is near."""
    near = difflib.get_close_matches(name.lower(), sorted(known), n=1, cutoff=0.6)
    return f" Did you mean '{near[0]}'?" if near else ""
