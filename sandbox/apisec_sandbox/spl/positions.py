"""Text that knows where it came from, so that an error points into the search as it was typed.

Macros are replaced by their definitions and subsearches are cut out before they are parsed; a ``Source`` maps a
position in such a text back to the text it was made of.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

SNIPPET = 40  # characters of a macro's text shown around a fault inside it


@dataclass(frozen=True)
class Piece:
    """A run of characters: where it starts here, where in the origin. A macro's text has the place of its call only."""

    start: int
    origin: int
    macro: str = ""


class Source(str):
    """A text made of pieces of another one."""

    __slots__ = ("_pieces", "_starts", "parent")
    parent: str
    _pieces: list[Piece]
    _starts: list[int]

    @classmethod
    def made(cls, text: str, parent: str, pieces: list[Piece]) -> Source:
        source = cls(text)
        source.parent = parent
        source._pieces = pieces
        source._starts = [piece.start for piece in pieces]
        return source

    def __radd__(self, before: str) -> Source:
        """``"| " + source`` still knows where the rest stood."""
        return Source.made(str.__add__(before, self), self, [Piece(0, 0), Piece(len(before), 0)])

    def origin(self, position: int) -> tuple[str, int, str]:
        """Return the text that was typed, the position in it, and what to say of a macro on the way."""
        if not self._pieces:
            return self.parent, position, ""
        piece = self._pieces[max(0, bisect_right(self._starts, position) - 1)]
        inside = max(0, position - piece.start)
        note = ""
        if piece.macro:
            near = self[max(0, position - SNIPPET // 2) : position + SNIPPET // 2].replace("\n", " ")
            note, inside = f" In the macro `{piece.macro}`, near: {near}", 0
        if isinstance(self.parent, Source):
            text, place, more = self.parent.origin(piece.origin + inside)
            return text, place, note or more
        return self.parent, piece.origin + inside, note


def excerpt(text: str, start: int, end: int) -> Source:
    """A part of a text that remembers where it stood."""
    return Source.made(text[start:end], text, [Piece(0, start)])
