"""Macros of a search expanded, with a way back from each position to the text as it was written."""

from __future__ import annotations

from dataclasses import dataclass, field

from apisec_sandbox.spl.parser import MacroSource, expand, strip_comments


@dataclass
class Expansion:
    """``pieces``: where an expanded piece begins, where it came from, and whether it is a macro's text."""

    text: str = ""
    pieces: list[tuple[int, int, bool]] = field(default_factory=list)

    def origin(self, position: int) -> int:
        """What a macro brought stands where the macro is called."""
        begin, source, macro = next((p for p in reversed(self.pieces) if p[0] <= position), (0, 0, False))
        return source if macro else source + position - begin


def expanded(text: str, macros: MacroSource) -> Expansion:
    """Expand as the stand-in does.

    Raises:
        SplError: of the parser, for a macro that is not there or refuses its arguments.
    """
    bare = strip_comments(text)
    found, parts, position = Expansion(), [], 0
    length = 0
    for begin, end in _calls(bare):
        for start, stop, macro in ((position, begin, False), (begin, end, True)):
            part = expand(bare[start:stop], macros, ()) if macro else bare[start:stop]
            found.pieces.append((length, start, macro))
            parts.append(part)
            length += len(part)
        position = end
    found.pieces.append((length, position, False))
    found.text = "".join([*parts, bare[position:]])
    return found


def _calls(text: str) -> list[tuple[int, int]]:
    """Pairs of backticks outside of double quotes; one that is not closed is left to the parser."""
    found, position, opened, quoted = [], 0, -1, False
    while position < len(text):
        char = text[position]
        if quoted and char == "\\":
            position += 1
        elif char == '"' and opened < 0:
            quoted = not quoted
        elif char == "`" and not quoted:
            if opened < 0:
                opened = position
            else:
                found.append((opened, position + 1))
                opened = -1
        position += 1
    return found
