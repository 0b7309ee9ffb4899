"""The pipeline: commands and subsearches, after comments and macros are gone (macros.py).

Source: Search Manual, "About the search language".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from apisec_sandbox.spl.errors import SplError, suggestion
from apisec_sandbox.spl.lexer import QUOTED, bracket_end
from apisec_sandbox.spl.macros import MAX_SEARCH, MacroSource, prepare

__all__ = ["MacroSource", "Segment", "prepare", "split", "unknown_command"]
COMMAND = re.compile(r"\s*([A-Za-z_][\w]*)")


@dataclass(frozen=True)
class Segment:
    """One command of a pipeline: its name, and where its arguments stand in the whole text."""

    name: str
    text: str
    name_at: int
    start: int
    end: int

    @property
    def body(self) -> str:
        return self.text[self.start : self.end]


def split(text: str, start: int = 0, end: int | None = None) -> list[Segment]:
    """Split a pipeline into its commands. Without a leading ``|`` the first command is ``search``.

    Raises:
        SplError: an empty command, unbalanced quotes or brackets.
    """
    stop = len(text) if end is None else end
    if stop - start > MAX_SEARCH:
        raise SplError(f"The search is longer than {MAX_SEARCH} characters")
    cuts = _cuts(text, start, stop)
    leading = text[start:stop].lstrip().startswith("|")
    bounds = list(zip([start, *(cut + 1 for cut in cuts)], [*cuts, stop], strict=True))
    if leading:
        bounds = bounds[1:]
    return [_segment(text, begin, finish, place == 0 and not leading) for place, (begin, finish) in enumerate(bounds)]


def _cuts(text: str, start: int, end: int) -> list[int]:
    cuts, position = [], start
    while position < end:
        char = text[position]
        if char == '"':
            match = QUOTED.match(text, position, end)
            if not match:
                raise SplError("Unbalanced quotes", text, position)
            position = match.end()
            continue
        if char == "[":
            position = bracket_end(text, position, end)
            continue
        if char == "|":
            cuts.append(position)
        position += 1
    return cuts


def _segment(text: str, begin: int, end: int, implicit: bool) -> Segment:
    match = COMMAND.match(text, begin, end)
    if implicit and not (match and match[1].lower() == "search" and _stands_alone(text, match.end(), end)):
        return Segment("search", text, begin, begin, end)
    if not match:
        at = next((place for place in range(begin, end) if not text[place].isspace()), end)
        raise SplError("A command is missing between the pipes", text, at)
    return Segment(match[1].lower(), text, match.start(1), match.end(), end)


def _stands_alone(text: str, position: int, end: int) -> bool:
    """``search`` as a command, not as a field: ``search=x`` is a comparison."""
    rest = text[position:end].lstrip()
    return not rest.startswith(("=", "!=", "<", ">"))


def unknown_command(segment: Segment, known: list[str]) -> SplError:
    near = suggestion(segment.name, known)
    return SplError(f"Unknown search command '{segment.name}'.{near}", segment.text, segment.name_at)
