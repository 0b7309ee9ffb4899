"""multipart/form-data and its kin (RFC 7578, RFC 2046): each part's name gives evidence for its content.

The text may hold bytes that are no UTF-8, as surrogates: a part with such bytes is shown only when they are
text in its charset. A part of a type with a decoder of its own is decoded by it, multipart in multipart too.
"""

from __future__ import annotations

import binascii
import quopri
import re
from dataclasses import dataclass, field
from typing import List, Optional, Tuple
from urllib.parse import unquote

from apisec.decoders import charsets
from apisec.decoders.base import Document, Inner, Label, Leaf, Limits, MediaType, Place
from apisec.decoders.form import member
from apisec.detectors.engine import scan
from apisec.errors import DecodeError, LimitExceeded

MAX_PARTS = 256
MAX_HEADER = 8192  # characters of a part's headers
MAX_BOUNDARY = 70  # RFC 2046, 5.1.1

_NO_HEADERS = re.compile(r"\r?\n")
_BLANK = re.compile(r"\r?\n\r?\n")
_LINE = re.compile(r"[^\r\n]+(?:\r?\n[ \t]+[^\r\n]+)*")  # a folded line is one (RFC 5322, 2.2.3)
_HEADER = re.compile(r"([!#$%&'*+.^_`|~\w-]{1,64}):[ \t]*(.*)", re.DOTALL)
_PARAMETER = re.compile(r";\s*([\w*-]{1,32})[ \t]*=\s*(?:\"((?:[^\"\\\r\n]|\\.)*)\"|([^;\s]*))")
_DISPOSITION = re.compile(r"[\w-]{1,32}\s*(?:;|\Z)")
_BYTES = re.compile(r"[\ud800-\udfff\x00]")
_EXTENDED = re.compile(r"[\w-]{1,32}'[\w-]{0,32}'(.*)", re.DOTALL)  # RFC 8187
_NAMES = ("name", "name*", "name*0", "name*0*")
_ORDINARY = ("content-type", "content-transfer-encoding", "content-id", "content-length", "content-description")
_BINARY_TYPES = (
    "image/",
    "audio/",
    "video/",
    "font/",
    "application/octet-stream",
    "application/pdf",
    "application/zip",
)


@dataclass
class _Head:
    """What the headers of a part say about its content."""

    name: str = ""
    media: str = ""
    parameters: List[Tuple[str, str]] = field(default_factory=list)
    transfer: str = ""
    leaves: List[Leaf] = field(default_factory=list)


class MultipartDecoder:
    """Parts by their boundary. Header lines, preamble and epilogue are values too: nothing is passed unseen."""

    name = "multipart"

    def __init__(self, inner: Inner) -> None:
        self._inner = inner

    def accepts(self, media: MediaType) -> bool:
        """Return whether the media type is of this family."""
        return media.essence.startswith("multipart/")

    def decode(self, text: str, media: MediaType, limits: Limits, label: Label, truncated: bool) -> Document:
        """Return the document; a last part that no boundary ends is left out."""
        boundary = _boundary(media)
        parts, asides, closed = _parts(text, boundary)
        if not parts:
            raise DecodeError("multipart without its boundary")
        if len(parts) > MAX_PARTS:
            raise LimitExceeded(f"more than {MAX_PARTS} parts")
        if not closed and not truncated and len(parts) == 1:
            raise DecodeError("multipart ends too early")
        leaves: List[Leaf] = []
        for start, end in asides:
            if text[start:end].strip():
                leaves.append(Leaf("#aside", "", "", _kind(text[start:end]), text[start:end], start, end))
        for start, stop in parts if closed else parts[:-1]:
            leaves += self._part(text, start, stop, limits, label)
            if len(leaves) > limits.leaves:
                raise LimitExceeded(f"more than {limits.leaves} values")
        leaves.sort(key=lambda leaf: leaf.start)
        end = len(text) if closed else parts[-1][0]
        return Document(text, leaves, end, self, incomplete=None if closed else "ends too early")

    def _part(self, text: str, start: int, stop: int, limits: Limits, label: Label) -> List[Leaf]:
        """Return the leaves of one part: parameters and values of its headers, its content."""
        blank = _NO_HEADERS.match(text, start, stop) or _BLANK.search(text, start, stop)
        head_end, content = (blank.start(), blank.end()) if blank else (stop, stop)
        head = _head(text, start, head_end, label)
        value = text[content:stop]
        if not value:
            return head.leaves
        path, last, parent, _ = member(head.name, label) if head.name else ("#part", "", "", True)
        place = Place(content, path, last, parent)
        if head.transfer in ("base64", "quoted-printable"):
            return [*head.leaves, _transferred(value, head, place)]
        media = MediaType(head.media, tuple(head.parameters))
        nested = Limits(limits.text, limits.depth, limits.leaves, limits.nested - 1)
        if head.media and nested.nested > 0 and not _BYTES.search(value):
            document = self._inner.declared(value, media, nested, label)
            if document is not None:
                return [*head.leaves, *place.take(document)]
        kind, shown = _content(value, head)
        return [*head.leaves, Leaf(path, last, parent, kind, shown, content, stop, "", 0)]

    def encode(self, leaf: Leaf, replacement: str) -> str:
        """Write a replacement as its place asks: inside a quoted parameter, in the part's transfer encoding."""
        if leaf.within == "base64":
            return binascii.b2a_base64(replacement.encode("utf-8", "replace"), newline=False).decode()
        if leaf.within == "quoted-printable":
            return quopri.encodestring(replacement.encode("utf-8", "replace")).decode("latin-1")
        if leaf.within:
            return self._inner.encode(leaf, replacement)
        return replacement.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A") if leaf.name else replacement


def _boundary(media: MediaType) -> str:
    """Return the boundary, or raise DecodeError where servers may take different ones."""
    boundaries = {value for name, value in media.parameters if name.startswith("boundary")}
    boundary = media.parameter("boundary")
    if not boundary or len(boundary) > MAX_BOUNDARY or "\n" in boundary or "\r" in boundary:
        raise DecodeError("multipart without a usable boundary")
    if len(boundaries) > 1:
        raise DecodeError("multipart with several boundaries")
    if scan(boundary):
        raise DecodeError("multipart with a sensitive value as its boundary")
    return boundary


def _parts(text: str, boundary: str) -> Tuple[List[Tuple[int, int]], List[Tuple[int, int]], bool]:
    """Return the places of the parts, those of what stands between and around them, and whether all are closed.

    Parts behind the closing boundary count: some servers read on.
    """
    mark = re.compile(rf"(?:\A|(?<=\n)|\r?\n)--{re.escape(boundary)}(--)?[ \t]*(?:\r?\n|$)")
    parts: List[Tuple[int, int]] = []
    asides: List[Tuple[int, int]] = []
    begin, aside = -1, 0
    for match in mark.finditer(text):
        if begin >= 0:
            parts.append((begin, match.start()))
        else:
            asides.append((aside, match.start()))
        begin = -1 if match[1] else match.end()
        aside = match.end()
    if begin >= 0:
        parts.append((begin, len(text)))
    else:
        asides.append((aside, len(text)))
    return parts, asides, begin < 0


def _kind(content: str) -> str:
    return "binary" if _BYTES.search(content) else "string"


def _head(text: str, start: int, end: int, label: Label) -> _Head:
    """Return what a part's headers say; two names or types are refused, for servers differ in which they take."""
    if end - start > MAX_HEADER:
        raise LimitExceeded(f"headers of a part longer than {MAX_HEADER} characters")
    head = _Head()
    seen = set()
    for line in _LINE.finditer(text, start, end):
        header = _HEADER.fullmatch(text, *line.span())
        if header is None:
            head.leaves.append(Leaf("#header", "", "", _kind(line.group()), line.group(), *line.span()))
            continue
        name = header[1].lower()
        if name in seen and name.startswith("content-"):
            raise DecodeError("a part with a header twice")
        seen.add(name)
        if name == "content-disposition" and _DISPOSITION.match(header[2]):
            _disposition(header, label, head)
            continue
        _other(header, name, label, head)
    return head


def _other(header: re.Match[str], name: str, label: Label, head: _Head) -> None:
    value = header[2]
    if name == "content-type":
        head.media = value.partition(";")[0].strip().lower()
        head.parameters = [
            (match[1].lower(), match[3] if match[2] is None else match[2]) for match in _PARAMETER.finditer(value)
        ]
    elif name == "content-transfer-encoding":
        head.transfer = value.strip().lower()
    shown = header[1] if name in _ORDINARY else label(header[1])
    if shown != header[1]:
        head.leaves.append(Leaf("#header", "", "", "key", header[1], *header.span(1)))
    head.leaves.append(Leaf(f"#{shown.lower()}", header[1], "", _kind(value), value, *header.span(2)))


def _disposition(header: re.Match[str], label: Label, head: _Head) -> None:
    names = set()
    position = header.start(2)
    for parameter in _PARAMETER.finditer(header[2]):
        group = 2 if parameter[2] is not None else 3
        value = parameter[group]
        start, end = (header.start(2) + place for place in parameter.span(group))
        position = max(position, header.start(2) + parameter.end())
        if parameter[1].lower() in _NAMES:
            value = _extended(value) if "*" in parameter[1] else value
            names.add(value)
            head.name = value
            path, _, _, plain = member(value, label)
            if not plain:
                head.leaves.append(Leaf(path, "", "", "key", value, start, end))
        else:
            head.leaves.append(Leaf("#filename", "filename", "", _kind(value), _extended(value), start, end))
    if len(names) > 1:
        raise DecodeError("a part with several names")
    rest = header.string[position : header.end(2)]
    if position > header.start(2) and rest.strip():  # what no parameter took
        head.leaves.append(Leaf("#header", "", "", _kind(rest), rest, position, header.end(2)))


def _extended(value: str) -> str:
    found = _EXTENDED.fullmatch(value)
    return unquote(found[1]) if found else value


def _raw(value: str) -> bytes:
    return value.encode("utf-8", "surrogateescape")


def _transferred(value: str, head: _Head, place: Place) -> Leaf:
    """Return the leaf of content in a transfer encoding; what cannot be undone is taken as it stands."""
    start, stop = place.start, place.start + len(value)
    data: Optional[bytes] = None
    if head.transfer == "quoted-printable":
        data = quopri.decodestring(_raw(value))
    else:
        compact = re.sub(r"\s+", "", value)
        if re.fullmatch(r"[A-Za-z0-9+/]*={0,2}", compact) and len(compact) % 4 == 0:
            data = binascii.a2b_base64(compact)
    if data is None:
        kind, shown = _content(value, head)
        return Leaf(place.path, place.name, place.parent, kind, shown, start, stop)
    kind, shown = _content(data.decode("utf-8", "surrogateescape"), head)
    within = head.transfer if kind == "string" else ""
    return Leaf(place.path, place.name, place.parent, kind, shown, start, stop, within)


def _content(value: str, head: _Head) -> Tuple[str, str]:
    """Return kind and text of a part's content: text in its charset, or binary."""
    if not _BYTES.search(value):
        return "string", value
    if head.media.startswith(_BINARY_TYPES):
        return "binary", value
    charset = next((text for name, text in head.parameters if name == "charset"), None)
    try:
        return "string", charsets.to_text(_raw(value), charset)
    except DecodeError:
        return "binary", value
