"""multipart/form-data and its kin (RFC 7578, RFC 2046): each part's name gives evidence for its content.

The text may hold bytes that are no UTF-8, as surrogates: a part with such bytes is binary and is never shown.
"""

# ruff: noqa: ARG002 - every decoder takes what the protocol gives
from __future__ import annotations

import re
from typing import List, Optional, Tuple

from apisec.decoders.base import Document, Label, Leaf, Limits, MediaType
from apisec.decoders.form import member
from apisec.detectors.engine import scan
from apisec.errors import DecodeError, LimitExceeded

MAX_PARTS = 256
MAX_BOUNDARY = 70  # RFC 2046, 5.1.1

_NO_HEADERS = re.compile(r"\r?\n")
_BLANK = re.compile(r"\r?\n\r?\n")
_LINE = re.compile(r"[^\r\n]+")
_HEADER = re.compile(r"([!#$%&'*+.^_`|~\w-]{1,64}):[ \t]*(.*)")
_PARAMETER = re.compile(r";[ \t]*([\w*-]{1,32})[ \t]*=[ \t]*(?:\"((?:[^\"\\\r\n]|\\.)*)\"|([^;\s]*))")
_DISPOSITION = re.compile(rf"[\w-]{{1,32}}(?:{_PARAMETER.pattern}){{0,16}}[ \t]*")
_BYTES = re.compile(r"[\ud800-\udfff\x00]")


class MultipartDecoder:
    """Parts by their boundary. Header lines, preamble and epilogue are values too: nothing is passed unseen."""

    name = "multipart"

    def accepts(self, media: MediaType) -> bool:
        return media.essence.startswith("multipart/")

    def decode(self, text: str, media: MediaType, limits: Limits, label: Label, truncated: bool) -> Document:
        boundary = media.parameter("boundary")
        if not boundary or len(boundary) > MAX_BOUNDARY:
            raise DecodeError("multipart without a usable boundary")
        if scan(boundary):
            raise DecodeError("multipart with a sensitive value as its boundary")
        places, close = _parts(text, boundary)
        if not places:
            raise DecodeError("multipart without its boundary")
        if len(places) > MAX_PARTS:
            raise LimitExceeded(f"more than {MAX_PARTS} parts")
        leaves: List[Leaf] = []
        closed = close is not None
        if not closed and not truncated:
            raise DecodeError("multipart ends too early")
        whole = places if closed else places[:-1]
        end = len(text) if closed else places[-1][0]
        _aside(text, 0, _start(text, boundary), leaves)
        for start, stop in whole:
            _part(text, start, stop, label, leaves)
        if close is not None:
            _aside(text, close, len(text), leaves)
        return Document(text, leaves, end, self, incomplete=None if closed else "ends too early")

    def encode(self, leaf: Leaf, replacement: str) -> str:
        return replacement.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A") if leaf.name else replacement


def _start(text: str, boundary: str) -> int:
    return max(0, text.find(f"--{boundary}"))


def _parts(text: str, boundary: str) -> Tuple[List[Tuple[int, int]], Optional[int]]:
    """Return where parts begin (after the boundary's line) and end (before the next one), and where all end.

    The second is None when the closing boundary is missing.
    """
    mark = re.compile(rf"(?:^|\r?\n)--{re.escape(boundary)}(--)?[ \t]*(?:\r?\n|$)")
    found: List[Tuple[int, int]] = []
    begin: Optional[int] = None
    for match in mark.finditer(text):
        if begin is not None:
            found.append((begin, match.start()))
        begin = None if match.group(1) else match.end()
        if match.group(1):
            return found, match.end()
    if begin is not None:
        found.append((begin, len(text)))
    return found, None


def _aside(text: str, start: int, end: int, leaves: List[Leaf]) -> None:
    if text[start:end].strip():
        leaves.append(Leaf("#aside", "", "", _kind(text[start:end]), text[start:end], start, end))


def _kind(content: str) -> str:
    return "binary" if _BYTES.search(content) else "string"


def _part(text: str, start: int, stop: int, label: Label, leaves: List[Leaf]) -> None:
    """Add the leaves of one part: parameters and values of its headers, its content."""
    blank = _NO_HEADERS.match(text, start, stop) or _BLANK.search(text, start, stop)
    head_end, content = (blank.start(), blank.end()) if blank else (stop, stop)
    name = ""
    for line in _LINE.finditer(text, start, head_end):
        header = _HEADER.fullmatch(text, *line.span())
        if header is None:
            leaves.append(Leaf("#header", "", "", _kind(line.group()), line.group(), *line.span()))
        elif _DISPOSITION.fullmatch(header[2]):
            name = _disposition(header, label, leaves) or name
        else:
            shown = label(header[1])
            if shown != header[1]:
                leaves.append(Leaf("#header", "", "", "key", header[1], *header.span(1)))
            leaves.append(Leaf(f"#{shown.lower()}", header[1], "", _kind(header[2]), header[2], *header.span(2)))
    value = text[content:stop]
    if value:
        path, last, parent, _ = member(name, label) if name else ("#part", "", "", True)
        leaves.append(Leaf(path, last, parent, _kind(value), value, content, stop))


def _disposition(header: re.Match[str], label: Label, leaves: List[Leaf]) -> str:
    name = ""
    for parameter in _PARAMETER.finditer(header[2]):
        group = 2 if parameter[2] is not None else 3
        value = parameter[group]
        start, end = (header.start(2) + place for place in parameter.span(group))
        if parameter[1].lower() == "name":
            name = value
            path, _, _, plain = member(value, label)
            if not plain:
                leaves.append(Leaf(path, "", "", "key", value, start, end))
        else:
            leaves.append(Leaf("#filename", "filename", "", "string", value, start, end))
    return name
