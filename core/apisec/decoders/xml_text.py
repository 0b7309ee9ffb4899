"""XML 1.0 and SOAP, without entities of the document's own: a document type with a subset is refused.

A scanner, not a parser library: nothing is expanded, nothing fetched, depth and count are bounded.
"""

# ruff: noqa: ARG002 - every decoder takes what the protocol gives
from __future__ import annotations

import re
from typing import List, NamedTuple, Optional, Tuple
from xml.sax.saxutils import escape

from apisec.decoders.base import Document, Label, Leaf, Limits, MediaType
from apisec.errors import DecodeError, LimitExceeded

_NAME = r"[A-Za-z_:\u00c0-\uffff][\w:.\-\u00b7]{0,255}"
# One piece of markup, or text up to the next one. Alternatives differ by their first characters.
_PIECE = re.compile(
    r"(?P<text>[^<]+)"
    r"|<!--(?P<comment>(?:[^-]|-(?!->))*)-->"
    r"|<!\[CDATA\[(?P<cdata>(?:[^\]]|\](?!\]>))*)\]\]>"
    r"|<\?(?P<pi>(?:[^?]|\?(?!>))*)\?>"
    r"|<!DOCTYPE(?P<doctype>[^\[<>]*)>"
    rf"|</(?P<close>{_NAME})\s*>"
    rf"|<(?P<open>{_NAME})(?P<attributes>(?:\s+{_NAME}\s*=\s*(?:\"[^\"<]*\"|'[^'<]*'))*)\s*(?P<empty>/)?>"
)
_ATTRIBUTE = re.compile(rf"({_NAME})\s*=\s*(?:\"([^\"<]*)\"|'([^'<]*)')")


_REFERENCE = re.compile(r"&(?:#(\d{1,7})|#[xX]([0-9A-Fa-f]{1,6})|(amp|lt|gt|quot|apos));")
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_DECLARED = re.compile(rb"<\?xml[^>]{0,200}?\bencoding\s{0,8}=\s{0,8}[\"']([\w.:-]{1,40})[\"']")


def declared_charset(data: bytes) -> Optional[str]:
    """Return the encoding that an XML declaration names, or None."""
    if not data[:8].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<?xm"):
        return None
    found = _DECLARED.search(data, 0, 256)
    return found[1].decode("latin-1") if found else None


def expand(text: str) -> str:
    """Return a text with the five entities and character references expanded; others stay as they are."""
    return _REFERENCE.sub(_character, text) if "&" in text else text


def _character(match: re.Match[str]) -> str:
    if match[3]:
        return _ENTITIES[match[3]]
    code = int(match[1]) if match[1] else int(match[2], 16)
    return chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else match.group()


class _Run(NamedTuple):
    """Text of one element that no child interrupts: pieces of text and CDATA, comments between them."""

    start: int
    end: int
    text: str  # as a parser gives it: joined, comments left out
    aside: str  # what stands between the pieces, looked at too


class _Scan:
    """State of one scan: the names and label paths of the open elements, the text that has begun."""

    def __init__(self, text: str, limits: Limits, label: Label) -> None:
        self.text = text
        self.limits = limits
        self.label = label
        self.leaves: List[Leaf] = []
        self.stack: List[Tuple[str, str, str, int]] = []  # raw tag, local name, path, where it begins
        self.runs: List[_Run] = []
        self.end = 0
        self.seen_element = False

    def run(self) -> Optional[str]:
        """Scan to the end; return why that was not possible, or None."""
        position, size = 0, len(self.text)
        while position < size:
            piece = _PIECE.match(self.text, position)
            if piece is None or not self._take(piece):
                return f"not XML at character {position}"
            position = piece.end()
            if not self.runs:
                self.end = position
            if len(self.leaves) >= self.limits.leaves:
                return f"more than {self.limits.leaves} values"
        return "ends too early" if self.stack or not self.seen_element else None

    def _take(self, piece: re.Match[str]) -> bool:
        kind = piece.lastgroup
        if kind in ("attributes", "empty", "open"):
            self._flush()
            return self._open(piece)
        if kind == "close":
            self._flush()
            return bool(self.stack) and self.stack.pop()[0] == piece["close"]
        if kind == "doctype" and self.seen_element:
            return False
        if self.stack:
            self._collect(piece, kind or "text")
            return True
        if kind == "text":
            return not piece["text"].strip("\ufeff \t\r\n")
        self._aside(piece, kind or "")
        return kind != "cdata"

    def _collect(self, piece: re.Match[str], kind: str) -> None:
        """Take a piece inside an element: a comment alone is a leaf, one between texts belongs to them."""
        raw = piece[kind]
        if kind in ("text", "cdata"):
            value = expand(raw) if kind == "text" else raw
            self.runs.append(_Run(piece.start(), piece.end(), value, ""))
        else:
            self.runs.append(_Run(piece.start(), piece.end(), "", raw))

    def _flush(self) -> None:
        """Make leaves of the text that has ended."""
        runs = self.runs
        if not runs:
            return
        self.runs = []
        self.end = runs[-1].end
        if len(runs) == 1 and not runs[0].aside and self.text[runs[0].start] != "<":
            self._plain(runs[0])
        elif any(run.text.strip() for run in runs):
            self._joined(runs)
        else:
            for run in runs:
                if run.aside.strip():
                    self._leaf("#comment", "", "", run.aside, self.text.index(run.aside, run.start, run.end))

    def _text(self, value: str, start: int, end: int) -> None:
        """Take the text of the open element, a member of the one around it."""
        _, name, path, _ = self.stack[-1]
        around, group = (self.stack[-2][1], self.stack[-2][3]) if len(self.stack) > 1 else ("", -1)
        self.leaves.append(Leaf(path, name, around, "string", value, start, end, "", group))

    def _plain(self, run: _Run) -> None:
        """Take text that nothing parts, without the blanks around it."""
        value = run.text.strip()
        if not value:
            return
        raw = self.text[run.start : run.end]
        start = run.start + len(raw) - len(raw.lstrip())
        self._text(value, start, start + len(raw.strip()))

    def _joined(self, runs: List[_Run]) -> None:
        """Take text as a parser joins it; what stands between is looked at with it."""
        joined = "".join([run.text for run in runs]).strip()
        value = " ".join([joined, *[run.aside for run in runs if run.aside.strip()]])
        self._text(value, runs[0].start, runs[-1].end)

    def _aside(self, piece: re.Match[str], kind: str) -> None:
        raw = piece[kind]
        if raw.strip() and not (kind == "pi" and raw.startswith("xml ")):
            self._leaf(f"#{kind}", "", "", raw, piece.start(kind))

    def _leaf(self, path: str, name: str, parent: str, value: str, start: int) -> None:
        self.leaves.append(Leaf(path, name, parent, "string", value, start, start + len(value)))

    def _open(self, piece: re.Match[str]) -> bool:
        if not self.stack and self.seen_element:
            return False
        self.seen_element = True
        tag = piece["open"]
        local = tag.rpartition(":")[2]
        shown = self.label(local)
        path = f"{self.stack[-1][2]}.{shown}" if self.stack else shown
        for attribute in _ATTRIBUTE.finditer(piece["attributes"] or ""):
            self._attribute(attribute, piece, local, path)
        if piece["empty"] is None:
            if len(self.stack) >= self.limits.depth:
                raise LimitExceeded(f"nesting deeper than {self.limits.depth} levels")
            self.stack.append((tag, local, path, piece.start()))
        return True

    def _attribute(self, attribute: re.Match[str], piece: re.Match[str], parent: str, path: str) -> None:
        name = attribute[1].rpartition(":")[2]
        if attribute[1].startswith("xmlns"):
            name = "xmlns"
        group = 2 if attribute[2] is not None else 3
        raw = attribute[group]
        value = expand(raw)
        start, end = attribute.span(group)
        offset = piece.start("attributes")
        where = f"{path}.@{self.label(name)}"
        whole = piece.start()
        self.leaves.append(Leaf(where, name, parent, "string", value, offset + start, offset + end, "", whole))


class XmlDecoder:
    """XML by media type, or by its declaration where the type says nothing."""

    name = "xml"

    def accepts(self, media: MediaType) -> bool:
        essence = media.essence
        return essence in ("text/xml", "application/xml") or essence.endswith("+xml")

    def decode(self, text: str, media: MediaType, limits: Limits, label: Label, truncated: bool) -> Document:
        doctype = text.find("<!DOCTYPE")
        if doctype >= 0 and "[" in text[doctype : text.find(">", doctype)]:
            raise DecodeError("XML with a document type of its own")
        scan = _Scan(text, limits, label)
        reason = scan.run()
        if reason is None:
            return Document(text, scan.leaves, len(text), self)
        cut = truncated or (reason == "ends too early" and bool(scan.stack))
        if not scan.leaves or not (cut or len(scan.leaves) >= limits.leaves):
            raise DecodeError(f"cut in its first value: {reason}" if truncated else reason)
        end = scan.end
        if scan.leaves[-1].end == len(text):
            end = scan.leaves.pop().start
        return Document(text, scan.leaves, end, self, incomplete=reason)

    def encode(self, leaf: Leaf, replacement: str) -> str:
        """Write a replacement as text or inside an attribute; two hyphens would end a comment."""
        if leaf.path.startswith("#"):
            return replacement.replace("--", "- -").replace("?>", "? >")
        return escape(replacement, {'"': "&quot;", "'": "&apos;"})
