"""JSON (RFC 8259), NDJSON, JSON text sequences (RFC 7464) and what servers send besides: a byte order mark,
NaN, several values in a row, a line before the text that keeps scripts of other origins from reading it.

A scanner with an explicit stack, not ``json.loads``: duplicate members and number notation survive, a cut
document keeps what is whole, and nesting cannot exhaust the interpreter's stack. One match of ``_STEP`` takes
one member or element with its comma, so that a body costs one match a value.
"""

# ruff: noqa: ARG002 - every decoder takes what the protocol gives
from __future__ import annotations

import json
import re
from typing import List, Optional, Tuple

from apisec.decoders.base import Document, Label, Leaf, Limits, MediaType, labelled
from apisec.errors import DecodeError, LimitExceeded

_WS = r"[ \t\n\r\x1e]*"
_STRING = r'"([^"\\]*(?:\\.[^"\\]*)*)"'
_SCALAR = r"(-?(?:\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|Infinity)(?![\w.])|NaN\b|true\b|false\b|null\b)"
_OPEN = r"([{\[])"
# Groups: 1 comma, 2 string (or a member's name), 3 to 5 a member's value, 6 scalar, 7 open, 8 close.
_STEP = re.compile(
    rf"{_WS}(?:(,){_WS})?(?:{_STRING}(?:{_WS}:{_WS}(?:{_STRING}|{_SCALAR}|{_OPEN}))?|{_SCALAR}|{_OPEN}|([}}\]]))",
    re.ASCII | re.DOTALL,
)
_ELEMENT_STRING, _MEMBER_STRING, _MEMBER_SCALAR, _MEMBER_OPEN, _SCALAR_ALONE, _OPEN_ALONE, _CLOSE = range(2, 9)
_GUARD = re.compile(r"\s{0,8}(?:\)\]\}'?,?|while\(1\);|for\(;;\);)")  # against inclusion as a script
# The rest of a text that ends inside a member or an element: what stands before it is whole.
_CUT = re.compile(
    rf'{_WS}(?:,{_WS})?(?:"(?:[^"\\]|\\.)*\\?|{_STRING}{_WS}(?::{_WS}(?:"(?:[^"\\]|\\.)*\\?|[\w.+-]{{0,64}}))?|[\w.+-]{{0,64}})',
    re.ASCII | re.DOTALL,
)
_KINDS = {"true": "boolean", "false": "boolean", "null": "null"}


class _Scan:
    """State of one scan. ``stack`` holds, per open container: is object, its path, its name, its parent, its place."""

    def __init__(self, text: str, limits: Limits, label: Label) -> None:
        self.text = text
        self.limits = limits
        self.label = label
        self.leaves: List[Leaf] = []
        self.stack: List[Tuple[bool, str, str, str, int]] = []
        self.in_object = False
        self.group = -1  # where the object began whose members come
        self.base = ""  # path of the container
        self.name = ""  # name of the container
        self.parent = ""  # name of what encloses it
        self.path = ""  # path of the current value
        self.first = True  # nothing stands yet in the container
        self.end = 0  # after the last whole value

    def run(self) -> Optional[str]:
        """Scan to the end; return why that was not possible, or None."""
        step, text, limit = _STEP.match, self.text, self.limits.leaves
        guard = _GUARD.match(text)
        position = guard.end() if guard else 0
        while True:
            match = step(text, position)
            if match is None:
                return self._stop(position)
            what = match.lastindex or 0
            taken = self._close(match[8], bool(match[1])) if what == _CLOSE else self._value(match, what)
            if not taken:
                return f"not JSON at character {position}"
            position = self.end = match.end()
            if len(self.leaves) >= limit:
                return f"more than {limit} values"
            self.first = what in (_MEMBER_OPEN, _OPEN_ALONE)

    def _value(self, match: re.Match[str], what: int) -> bool:
        """Take a member or an element; return False when the grammar does not allow it here."""
        member = _MEMBER_STRING <= what <= _MEMBER_OPEN
        comma_due = bool(self.stack) and not self.first
        if member is not self.in_object or (match[1] is not None) is not comma_due:
            return False
        name, parent, path = self.name, self.parent, self.path
        if member:
            raw = match[2]
            name, parent = (_unescape(raw) if "\\" in raw else raw), self.name
            label = labelled(name, self.label)
            path = f"{self.base}.{label}" if self.base else label
            if label != name:
                self.leaves.append(Leaf(path, "", "", "key", name, match.start(2), match.end(2)))
        if what in (_MEMBER_OPEN, _OPEN_ALONE):
            self._open(match[what] == "{", path, name, parent, match.start(what))
            return True
        raw = match[what]
        start, end = match.span(what)
        if what in (_MEMBER_SCALAR, _SCALAR_ALONE):
            kind = _KINDS.get(raw) or ("integer" if raw.lstrip("-").isdigit() else "number")
            self.leaves.append(Leaf(path, name, parent, kind, raw, start, end, "", self.group))
        else:
            value = _unescape(raw) if "\\" in raw else raw
            self.leaves.append(Leaf(path, name, parent, "string", value, start, end, "", self.group))
        return True

    def _open(self, is_object: bool, path: str, name: str, parent: str, start: int) -> None:
        if len(self.stack) >= self.limits.depth:
            raise LimitExceeded(f"nesting deeper than {self.limits.depth} levels")
        self.stack.append((self.in_object, self.base, self.name, self.parent, self.group))
        self.in_object, self.base, self.name, self.parent = is_object, path, name, parent
        self.group = start if is_object else -1
        self.path = path if is_object else f"{path}[]"

    def _close(self, mark: str, comma: bool) -> bool:
        if comma or not self.stack or (mark == "}") is not self.in_object:
            return False
        self.in_object, self.base, self.name, self.parent, self.group = self.stack.pop()
        self.path = self.base if self.in_object or not self.stack else f"{self.base}[]"
        return True

    def _stop(self, position: int) -> Optional[str]:
        if self.text[position:].strip(" \t\n\r\x1e"):
            return f"not JSON at character {position}"
        return "ends too early" if self.stack or self.first else None


def _unescape(raw: str) -> str:
    try:
        return str(json.loads(f'"{raw}"', strict=False))
    except ValueError:
        return raw  # an escape that JSON does not know: as it stands


class JsonDecoder:
    """JSON, and JSON values in a row (NDJSON, JSON text sequences)."""

    name = "json"

    def accepts(self, media: MediaType) -> bool:
        essence = media.essence
        return essence.endswith(("/json", "+json", "json-seq", "ndjson", "jsonl", "/json5", "x-json")) or (
            essence in ("application/graphql-response+json", "text/x-json", "application/json-rpc")
        )

    def decode(self, text: str, media: MediaType, limits: Limits, label: Label, truncated: bool) -> Document:
        scan = _Scan(text, limits, label)
        reason = scan.run()
        if reason is None:
            return Document(text, scan.leaves, len(text), self)
        cut = truncated or (bool(scan.stack) and _CUT.fullmatch(text, scan.end) is not None)
        if not scan.leaves or not (cut or len(scan.leaves) >= limits.leaves):
            raise DecodeError(f"cut in its first value: {reason}" if truncated else reason)
        end = scan.end
        if scan.leaves[-1].end == len(text):  # a number at the cut: more digits may have followed
            end = scan.leaves.pop().start
        return Document(text, scan.leaves, end, self, incomplete=reason)

    def encode(self, leaf: Leaf, replacement: str) -> str:
        quoted = json.dumps(replacement, ensure_ascii=False)
        return quoted[1:-1] if leaf.kind in ("string", "key") else quoted
