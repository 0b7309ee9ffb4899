"""XML 1.0 and SOAP, without entities of the document's own: a document type with a subset is refused.

A scanner, not a parser library: nothing is expanded, nothing fetched, depth and count are bounded.
"""

# ruff: noqa: ARG002 - every decoder takes what the protocol gives
from __future__ import annotations

import html
import re
from typing import List, Optional, Tuple
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


class _Scan:
    """State of one scan: the names and label paths of the open elements."""

    def __init__(self, text: str, limits: Limits, label: Label) -> None:
        self.text = text
        self.limits = limits
        self.label = label
        self.leaves: List[Leaf] = []
        self.stack: List[Tuple[str, str, str]] = []  # raw tag, local name, path
        self.end = 0
        self.seen_element = False

    def run(self) -> Optional[str]:
        """Scan to the end; return why that was not possible, or None."""
        position, size = 0, len(self.text)
        while position < size:
            piece = _PIECE.match(self.text, position)
            if piece is None or not self._take(piece):
                return f"not XML at character {position}"
            position = self.end = piece.end()
            if len(self.leaves) >= self.limits.leaves:
                return f"more than {self.limits.leaves} values"
        return "ends too early" if self.stack or not self.seen_element else None

    def _take(self, piece: re.Match[str]) -> bool:
        kind = piece.lastgroup
        if kind in ("attributes", "empty", "open"):
            return self._open(piece)
        if kind == "close":
            return bool(self.stack) and self.stack.pop()[0] == piece["close"]
        if kind == "doctype" and self.seen_element:
            return False
        if kind == "text" and not self.stack:
            return not piece["text"].strip("\ufeff \t\r\n")
        self._leaf(piece, kind or "text")
        return True

    def _leaf(self, piece: re.Match[str], kind: str) -> None:
        raw = piece[kind]
        if not raw.strip() or (kind == "pi" and raw.startswith("xml ")):
            return
        name, parent, path = "", "", f"#{kind}"
        if self.stack and kind in ("text", "cdata"):
            _, name, path = self.stack[-1]
            parent = self.stack[-2][1] if len(self.stack) > 1 else ""
        lead = len(raw) - len(raw.lstrip()) if kind == "text" else 0
        body = raw.strip() if kind == "text" else raw
        value = html.unescape(body) if kind == "text" and "&" in body else body
        start = piece.start(kind) + lead
        self.leaves.append(Leaf(path, name, parent, "string", value, start, start + len(body)))

    def _open(self, piece: re.Match[str]) -> bool:
        if not self.stack and self.seen_element:
            return False
        self.seen_element = True
        tag = piece["open"]
        local = tag.rpartition(":")[2]
        shown = self.label(local)
        path = f"{self.stack[-1][2]}.{shown}" if self.stack else shown
        for attribute in _ATTRIBUTE.finditer(piece["attributes"] or ""):
            self._attribute(attribute, piece.start("attributes"), local, path)
        if piece["empty"] is None:
            if len(self.stack) >= self.limits.depth:
                raise LimitExceeded(f"nesting deeper than {self.limits.depth} levels")
            self.stack.append((tag, local, path))
        return True

    def _attribute(self, attribute: re.Match[str], offset: int, parent: str, path: str) -> None:
        name = attribute[1].rpartition(":")[2]
        if attribute[1].startswith("xmlns"):
            name = "xmlns"
        group = 2 if attribute[2] is not None else 3
        raw = attribute[group]
        value = html.unescape(raw) if "&" in raw else raw
        start, end = attribute.span(group)
        where = f"{path}.@{self.label(name)}"
        self.leaves.append(Leaf(where, name, parent, "string", value, offset + start, offset + end))


class XmlDecoder:
    """XML by media type, or by its declaration where the type says nothing."""

    name = "xml"

    def accepts(self, media: MediaType) -> bool:
        essence = media.essence
        return essence in ("text/xml", "application/xml") or essence.endswith("+xml")

    def decode(self, text: str, media: MediaType, limits: Limits, label: Label, truncated: bool) -> Document:
        if "<!DOCTYPE" in text and re.search(r"<!DOCTYPE[^>]*\[", text):
            raise DecodeError("XML with a document type of its own")
        scan = _Scan(text, limits, label)
        reason = scan.run()
        if reason is None:
            return Document(text, scan.leaves, len(text), self)
        if not scan.leaves or not (truncated or len(scan.leaves) >= limits.leaves):
            raise DecodeError(f"cut in its first value: {reason}" if truncated else reason)
        end = scan.end
        if scan.leaves[-1].end == len(text):
            end = scan.leaves.pop().start
        return Document(text, scan.leaves, end, self, incomplete=reason)

    def encode(self, leaf: Leaf, replacement: str) -> str:
        return escape(replacement, {'"': "&quot;", "'": "&apos;"})
