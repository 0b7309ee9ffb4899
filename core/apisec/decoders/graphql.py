"""GraphQL documents (spec.graphql.org, October 2021): the literals inside a query, named by their arguments.

``mutation { login(user: {email: "x"}) }`` has one leaf: path ``login.user.email``, name ``email``. Variables
travel beside the document, as JSON. A scanner: it knows where values stand and not whether the query is valid.
"""

# ruff: noqa: ARG002 - every decoder takes what the protocol gives
from __future__ import annotations

import json
import re
from typing import List, NamedTuple, Optional, Tuple

from apisec.decoders.base import Document, Label, Leaf, Limits, MediaType
from apisec.errors import DecodeError, LimitExceeded

_TOKEN = re.compile(
    r"[\s,\ufeff]*(?:"
    r'(?P<block>"""(?:[^"\\]|\\.|"(?!""))*""")'
    r'|(?P<string>"(?:[^"\\\r\n]|\\.)*")'
    r"|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.]))"
    r"|(?P<name>[_A-Za-z]\w{0,511})"
    r"|(?P<comment>\#[^\r\n]*)"
    r"|(?P<spread>\.\.\.)"
    r"|(?P<mark>[!$&()\[\]{}:=@|])"
    r"|\Z)",
    re.ASCII | re.DOTALL,
)
_SELECTION, _ARGUMENTS, _OBJECT, _LIST, _VARIABLES, _TYPE = range(6)
_CLOSES = {"}": (_SELECTION, _OBJECT), ")": (_ARGUMENTS, _VARIABLES), "]": (_LIST, _TYPE)}
_WORDS = {"true": "boolean", "false": "boolean", "null": "null"}
_LOOKS = re.compile(
    r"[\s\ufeff]*(?:(?:query|mutation|subscription|fragment)\b[^;{]{0,2000}\{|\{\s*(?:\.\.\.|[_A-Za-z]))"
)


class _Frame(NamedTuple):
    """An open bracket: its kind, the path and name of its owner, the name around that, the name to go on with;
    and its number.
    """

    kind: int
    path: str
    name: str
    parent: str
    after: str
    number: int


class _Scan:
    """State of one scan. ``name`` is the last name seen: a field's in a selection, a key's before its value.

    ``valued`` says that a value comes next, ``before`` is the last token, ``directive`` the last name after an @.
    """

    def __init__(self, text: str, limits: Limits, label: Label) -> None:
        self.text = text
        self.limits = limits
        self.label = label
        self.leaves: List[Leaf] = []
        self.stack: List[_Frame] = []
        self.name = ""
        self.valued = False
        self.before = ""
        self.directive = ""
        self.opened = False
        self.frames = 0

    def run(self) -> None:
        """Scan to the end, or raise DecodeError."""
        position = 0
        while position < len(self.text):
            token = _TOKEN.match(self.text, position)
            if token is None:
                raise DecodeError(f"not GraphQL at character {position}")
            position = token.end()
            kind = token.lastgroup
            if kind is None:
                break
            self._take(token, kind)
            self.before = token[kind]
            if len(self.leaves) > self.limits.leaves:
                raise LimitExceeded(f"more than {self.limits.leaves} values")
        if self.stack or not self.opened:
            raise DecodeError("GraphQL ends too early")

    def _take(self, token: re.Match[str], kind: str) -> None:
        if kind == "mark":
            self._mark(token[kind])
        elif kind == "name":
            self._name(token)
        elif kind == "comment":
            start, end = token.span(kind)
            self.leaves.append(Leaf("#comment", "", "", "string", self.text[start + 1 : end], start + 1, end))
        elif kind == "spread":
            self.name = ""
        else:
            self._literal(token, kind)

    def _mark(self, mark: str) -> None:
        top = self.stack[-1] if self.stack else None
        if mark in "({[":
            self._open(mark, top)
        elif mark in _CLOSES:
            if top is None or top.kind not in _CLOSES[mark]:
                raise DecodeError("GraphQL with brackets that do not match")
            self.name = self.stack.pop().after
            self.valued = bool(self.stack) and self.stack[-1].kind == _LIST
        elif mark in ":=":
            self.valued = top is not None and (mark == "=" or top.kind not in (_VARIABLES, _SELECTION))

    def _open(self, mark: str, top: Optional[_Frame]) -> None:
        if len(self.stack) >= self.limits.depth:
            raise LimitExceeded(f"nesting deeper than {self.limits.depth} levels")
        after, directive, self.opened = self.name, self.directive, True
        if mark == "(" and directive:
            self.name, self.directive = directive, ""
        path, name, parent = self._place(top)
        kind = self._kind(mark, top, bool(directive))
        if top is None:
            path, name = (self.label(directive), directive) if kind == _ARGUMENTS else ("", "")
        self.frames += 1
        self.stack.append(_Frame(kind, f"{path}[]" if kind == _LIST else path, name, parent, after, self.frames))
        self.valued = kind == _LIST

    def _kind(self, mark: str, top: Optional[_Frame], directive: bool) -> int:
        if mark == "(":
            return _ARGUMENTS if top or directive else _VARIABLES
        if mark == "[":
            return _LIST if self.valued else _TYPE
        return _OBJECT if self.valued else _SELECTION

    def _place(self, top: Optional[_Frame]) -> Tuple[str, str, str]:
        """Return path, name and the name around it of what comes next."""
        if top is not None and top.kind == _LIST:
            return top.path, top.name, top.parent
        shown = self.label(self.name) if self.name else ""
        around, parent = (top.path, top.name) if top else ("", "")
        return (f"{around}.{shown}" if around and shown else around or shown), self.name, parent

    def _name(self, token: re.Match[str]) -> None:
        word = token["name"]
        top = self.stack[-1] if self.stack else None
        if self.valued and self.before != "$":
            self._value(word, _WORDS.get(word, "string"), token.span("name"))
            return
        shown = self.label(word)
        if shown != word:
            self.leaves.append(Leaf(shown, "", "", "key", word, *token.span("name")))
        if self.before == "@":
            self.directive = word
        elif self.before == "$" and self.valued:
            self.valued = top is not None and top.kind == _LIST
        elif top is None or self.before == "$" or top.kind not in (_VARIABLES, _TYPE):
            self.name = word

    def _literal(self, token: re.Match[str], kind: str) -> None:
        raw, place = token[kind], token.span(kind)
        if kind == "number":
            self._value(raw, "integer" if raw.lstrip("-").isdigit() else "number", place)
        elif kind == "block":
            self._value(raw[3:-3].replace('\\"""', '"""'), "string", place)
        else:
            self._value(_unescape(raw), "string", place)

    def _value(self, value: str, kind: str, place: Tuple[int, int]) -> None:
        top = self.stack[-1] if self.stack else None
        path, name, parent = self._place(top)
        group = -1 if top is None or top.kind == _LIST else top.number
        self.leaves.append(Leaf(path, name, parent, kind, value, *place, "", group))
        self.valued = top is not None and top.kind == _LIST


def _unescape(raw: str) -> str:
    try:
        return str(json.loads(raw, strict=False))
    except ValueError:
        return raw[1:-1]


def looks_like(text: str) -> bool:
    """Return whether a text may be a GraphQL document: a definition's keyword and brace, or a bare selection."""
    return "}" in text and _LOOKS.match(text) is not None


class GraphqlDecoder:
    """A document alone, as ``application/graphql`` or inside a JSON member or query parameter."""

    name = "graphql"

    def accepts(self, media: MediaType) -> bool:
        """Return whether the media type is of this family."""
        return media.essence == "application/graphql"

    def decode(self, text: str, media: MediaType, limits: Limits, label: Label, truncated: bool) -> Document:
        """Return the document; one that is cut is not understood, for what is open has no end."""
        scan = _Scan(text, limits, label)
        scan.run()
        return Document(text, scan.leaves, len(text), self)

    def encode(self, leaf: Leaf, replacement: str) -> str:
        """Write a string; a name or a comment stays bare."""
        if leaf.kind == "key":
            return replacement
        if leaf.path == "#comment":
            return replacement.replace("\r", " ").replace("\n", " ")
        return json.dumps(replacement, ensure_ascii=False)
