"""Server-sent events (WHATWG HTML, 9.2): the data of each event is a text of its own, mostly JSON."""

# ruff: noqa: ARG002 - every decoder takes what the protocol gives
from __future__ import annotations

import re
from bisect import bisect_right
from typing import List, Tuple

from apisec.decoders.base import Document, Inner, Label, Leaf, Limits, MediaType, Place

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_FIELD = re.compile(r"(data|event|id|retry):? ?")

_Line = Tuple[int, int]  # where the content of a data line stands


class EventStreamDecoder:
    """Fields of events. Several data lines of one event are one text, as a client reads them."""

    name = "event_stream"

    def __init__(self, inner: Inner) -> None:
        self._inner = inner

    def accepts(self, media: MediaType) -> bool:
        """Return whether the media type is of this family."""
        return media.essence == "text/event-stream"

    def decode(self, text: str, media: MediaType, limits: Limits, label: Label, truncated: bool) -> Document:
        """Return the document; an event that a cut copy does not end is left out."""
        leaves: List[Leaf] = []
        data: List[_Line] = []
        others: List[Leaf] = []
        position = end = 0
        while position < len(text):
            line = _LINE.match(text, position)
            assert line is not None  # it matches the empty line too
            content = line.group().rstrip("\r\n")
            if not content:
                leaves += self._event(text, data, others, limits, label)
                data, others, end = [], [], line.end()
            elif not self._data(content, position, data):
                others.append(self._other(content, position))
            position = line.end()
            if len(leaves) >= limits.leaves:
                return Document(text, leaves, end, self, incomplete=f"more than {limits.leaves} values")
        if truncated:
            return Document(text, leaves, end, self, incomplete="ends too early")
        leaves += self._event(text, data, others, limits, label)
        return Document(text, leaves, len(text), self)

    @staticmethod
    def _data(content: str, position: int, data: List[_Line]) -> bool:
        field = _FIELD.match(content)
        if field is None or field[1] != "data":
            return False
        data.append((position + field.end(), position + len(content)))
        return True

    @staticmethod
    def _other(content: str, position: int) -> Leaf:
        """Return an event's name or id, or a comment."""
        field = _FIELD.match(content)
        start = field.end() if field else 0
        path = f"#{field[1]}" if field else "#comment"
        return Leaf(path, "", "", "string", content[start:], position + start, position + len(content))

    def _event(self, text: str, data: List[_Line], others: List[Leaf], limits: Limits, label: Label) -> List[Leaf]:
        """Return the leaves of one event: of its data, and its other lines."""
        if not data:
            return others
        joined = "\n".join([text[start:end] for start, end in data])
        document = self._inner.embedded(joined, "data", limits, label)
        start, end = data[0][0], data[-1][1]
        if document is not None and len(data) == 1:
            return [*Place(start).take(document), *others]
        starts = _starts(data)
        found = [_moved(leaf, data, starts) for leaf in Place(0).take(document)] if document else []
        inside = [other for other in others if start <= other.start < end]
        if document is None or _overlap(found, inside):
            # One text; a line between its lines is looked at with it, for it stands where a replacement goes.
            value = "\n".join([joined, *[other.value for other in inside]])
            outside = [other for other in others if not start <= other.start < end]
            return [Leaf("data", "", "", "string", value, start, end), *outside]
        return found + others

    def encode(self, leaf: Leaf, replacement: str) -> str:
        """Write a replacement as its JSON asks, or as text: a line that follows is data too."""
        if leaf.within:
            return self._inner.encode(leaf, replacement)
        return replacement.replace("\r", " ").replace("\n", "\ndata: ")


def _overlap(found: List[Leaf], others: List[Leaf]) -> bool:
    """Return whether one of the others begins inside a leaf that was found."""
    if not others:
        return False
    places = sorted([(leaf.start, leaf.end) for leaf in found])
    starts = [start for start, _ in places]
    before = [(bisect_right(starts, other.start) - 1, other.start) for other in others]
    return any(index >= 0 and start < places[index][1] for index, start in before)


def _starts(data: List[_Line]) -> List[int]:
    """Return where each line begins in the joined text."""
    starts, offset = [], 0
    for start, end in data:
        starts.append(offset)
        offset += end - start + 1
    return starts


def _moved(leaf: Leaf, data: List[_Line], starts: List[int]) -> Leaf:
    """Return a leaf of the joined text with its places in the lines."""
    places = []
    for place in (leaf.start, leaf.end):
        line = max(0, bisect_right(starts, place) - 1)
        places.append(data[line][0] + place - starts[line])
    return leaf._replace(start=places[0], end=places[1])
