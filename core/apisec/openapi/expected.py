"""What a schema expects at a field's path, as events name it: ``items[].card.number``.

A path is followed through the schema, so that recursive schemas cost what was seen and not what they allow. Patterns of
the document are never run. Alternatives (oneOf, anyOf) count together: what one of them has is documented.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Dict, FrozenSet, List, NamedTuple, Optional, Sequence, Tuple

from apisec.errors import LimitExceeded
from apisec.openapi.model import Node, followed, members

MAX_PIECES = 64  # alternatives at one place
MAX_NESTING = 24  # schemas inside of allOf, oneOf, anyOf
MAX_EXPANSIONS = 2_000  # schemas that one combination is made of; what is beyond is not looked at
MAX_WORK = 3_000_000  # pieces looked at for one document: some seconds
MAX_LEAVES = 500  # fields of one body that are listed
MAX_LEVELS = 8  # objects and arrays inside of one another, of what is listed
_STRUCTURE = ("properties", "items", "additionalProperties", "patternProperties", "prefixItems")
_SCALARS = frozenset(("string", "number", "integer", "boolean", "null"))


class Piece(NamedTuple):
    """A schema without combinations."""

    schema: Node
    nullable: bool


class Leaf(NamedTuple):
    """A scalar that a schema lists. ``required``: every body has it."""

    path: str
    required: bool
    read_only: bool
    write_only: bool


class Found(NamedTuple):
    """What is documented at a path: ``pieces``; ``open`` when the document allows anything there."""

    pieces: Tuple[Piece, ...]
    open: bool


UNKNOWN = Found((), False)
ANYTHING = Found((), True)


class Schemas:
    """The schemas of one document. LimitExceeded when they are too entangled to be followed."""

    def __init__(self, document: Node) -> None:
        self._document = document
        self._work = 0
        self._left = 0
        self._known: Dict[int, Tuple[Any, List[Piece]]] = {}
        self._required: Dict[int, Tuple[Any, FrozenSet[str]]] = {}

    def pieces(self, schema: Any) -> List[Piece]:
        """Return a schema's alternatives and parts; none for one that allows anything."""
        known = self._known.get(id(schema))
        if known is None:
            self._left = MAX_EXPANSIONS
            found = self._expand(schema, False, 0, frozenset())
            known = self._known[id(schema)] = (schema, found[:MAX_PIECES])  # the schema too: its id stays its own
        self._spend(len(known[1]) + 1)
        return known[1]

    def _spend(self, work: int) -> None:
        self._work += work
        if self._work > MAX_WORK:
            raise LimitExceeded("schemas of the document refer to one another too often to be compared")

    def _expand(self, schema: Any, nullable: bool, depth: int, above: FrozenSet[int]) -> List[Piece]:
        node = followed(self._document, schema)
        self._spend(1)
        self._left -= 1
        if self._left < 0 or not isinstance(node, Mapping) or depth > MAX_NESTING or id(node) in above:
            return []
        nullable = nullable or node.get("nullable") is True or node.get("x-nullable") is True
        inside = above | {id(node)}
        found: List[Piece] = []
        for part in _parts(node, "allOf"):
            found += [p for p in self._expand(part, nullable, depth + 1, inside) if _says(p.schema)]
            if len(found) >= MAX_PIECES:
                return found[:MAX_PIECES]
        for name in ("oneOf", "anyOf"):
            parts = _parts(node, name)
            for part in parts:
                found += self._expand(part, nullable, depth + 1, inside)
                if len(found) >= MAX_PIECES:
                    return found[:MAX_PIECES]
        if any(name in node for name in _STRUCTURE) or (not found and _says(node)):
            found.append(Piece(node, nullable))
        return found

    def may_hold(self, schema: Any, text: str) -> bool:
        """Return whether a parameter's text may be a value: by types, formats and enumerations, not by patterns."""
        if schema is None:
            return True
        found = self.pieces(schema)
        return not found or any(_may_be(piece, text) for piece in found)

    def find(self, schema: Any, path: str) -> Found:
        """Return what is documented at a path of a body (``$``: the body itself)."""
        found = self._at(schema)
        for kind, name in _steps(path):
            if found.open or not found.pieces:
                return found
            found = self._items(found.pieces) if kind else self._member(found.pieces, name)
        return found

    def _at(self, schema: Any) -> Found:
        pieces = self.pieces(schema)
        return Found(tuple(pieces), False) if pieces else ANYTHING

    def _joined(self, schemas: Sequence[Any]) -> Found:
        pieces: List[Piece] = []
        for schema in schemas[:MAX_PIECES]:
            found = self.pieces(schema)
            if not found:
                return ANYTHING
            pieces += found
        return Found(tuple(pieces[:MAX_PIECES]), False)

    def _member(self, pieces: Sequence[Piece], name: str) -> Found:
        named = [props[name] for props in (members(p.schema.get("properties")) for p in pieces) if name in props]
        if named:
            return self._joined(named)
        others: List[Any] = []
        for piece in pieces:
            more = piece.schema.get("additionalProperties")
            others += members(piece.schema.get("patternProperties")).values()
            if more is True or (more is None and _free(piece.schema)):
                return ANYTHING
            if isinstance(more, Mapping):
                others.append(more)
        return self._joined(others) if others else UNKNOWN

    def _items(self, pieces: Sequence[Piece]) -> Found:
        found: List[Any] = []
        for piece in pieces:
            items, first = piece.schema.get("items"), piece.schema.get("prefixItems")
            found += first if isinstance(first, list) else []
            found += items if isinstance(items, list) else [items] if isinstance(items, Mapping) else []
            if "array" in (types(piece) or ()) and items is None and first is None:
                return ANYTHING
        return self._joined(found) if found else UNKNOWN

    def leaves(self, schema: Any) -> List[Leaf]:
        """Return the scalars that a schema lists, nearest first; recursion ends where a schema meets itself."""
        found: Dict[str, Leaf] = {}
        waiting: List[Tuple[str, Any, bool, bool, bool, FrozenSet[int], int]] = [
            ("", schema, True, False, False, frozenset(), 0)
        ]
        while waiting and len(found) < MAX_LEAVES:
            following = []
            for path, node, required, reading, writing, above, level in waiting:
                for piece in self.pieces(node):
                    if id(piece.schema) in above:
                        continue
                    reads = reading or piece.schema.get("readOnly") is True
                    writes = writing or piece.schema.get("writeOnly") is True
                    inside = list(self._inside(piece, path, required, node))
                    if not inside and _is_scalar(piece) and path and len(found) < MAX_LEAVES:
                        found.setdefault(path, Leaf(path, required, reads, writes))
                    if level < MAX_LEVELS:
                        more = above | {id(piece.schema)}
                        following += [(p, n, r, reads, writes, more, level + 1) for p, n, r in inside]
            waiting = following[: 4 * MAX_LEAVES]
        return list(found.values())

    def _inside(self, piece: Piece, path: str, required: bool, node: Any) -> Iterator[Tuple[str, Any, bool]]:
        named = members(piece.schema.get("properties"))
        sure = required and bool(named) and "null" not in (types(piece) or ())
        always = self._demanded(node, 0) if sure else frozenset()
        for name, schema in named.items():
            yield f"{path}.{name}" if path else name, schema, name in always
        items = piece.schema.get("items")
        if isinstance(items, Mapping):
            yield path + "[]", items, False

    def _demanded(self, schema: Any, depth: int) -> FrozenSet[str]:
        """Return the members that every object of a schema has, whatever alternative it is."""
        node = followed(self._document, schema)
        self._spend(1)
        if not isinstance(node, Mapping) or depth > MAX_NESTING:
            return frozenset()
        known = self._required.get(id(node))
        if known is not None:
            return known[1]
        self._required[id(node)] = (node, frozenset())  # what a schema that names itself finds
        wanted = node.get("required")
        found = {one for one in wanted if isinstance(one, str)} if isinstance(wanted, list) else set()
        for part in _parts(node, "allOf"):
            found |= self._demanded(part, depth + 1)
        for name in ("oneOf", "anyOf"):
            ways = [self._demanded(part, depth + 1) for part in _parts(node, name)]
            found |= frozenset.intersection(*ways) if ways else frozenset()
        self._required[id(node)] = (node, frozenset(found))
        return self._required[id(node)][1]


def _parts(node: Node, name: str) -> List[Any]:
    parts = node.get(name)
    return parts[:MAX_PIECES] if isinstance(parts, list) else []


def _says(node: Node) -> bool:
    """Return whether a schema says what its values are; one of descriptions and ``required`` alone does not."""
    return any(name in node for name in (*_STRUCTURE, "type", "enum", "const", "format"))


def _free(schema: Node) -> bool:
    """Return whether an object may hold anything: it names none of its members."""
    return not any(name in schema for name in _STRUCTURE) and "object" in (types(Piece(schema, False)) or ())


def _is_scalar(piece: Piece) -> bool:
    kinds = types(piece)
    return kinds is None or bool(kinds & _SCALARS - {"null"})


def types(piece: Piece) -> Optional[FrozenSet[str]]:
    """Return the types that a schema allows; None when it allows any."""
    schema = piece.schema
    named = schema.get("type")
    kinds = {one for one in (named if isinstance(named, list) else [named]) if isinstance(one, str)}
    if not kinds and isinstance(schema.get("enum"), list):
        kinds = {_type_of(value) for value in schema["enum"][:1000]}
    if not kinds and "const" in schema:
        kinds = {_type_of(schema["const"])}
    if not kinds:
        kinds = {"object"} if "properties" in schema else {"array"} if "items" in schema else set()
    if not kinds:
        return None
    values = schema.get("enum")
    if piece.nullable or (isinstance(values, list) and None in values):
        kinds.add("null")
    return frozenset("string" if kind == "file" else kind for kind in kinds)


_FORMATS = {
    "uuid": re.compile(r"[0-9A-Fa-f]{8}-?(?:[0-9A-Fa-f]{4}-?){3}[0-9A-Fa-f]{12}"),
    "date": re.compile(r"\d{4}-\d\d-\d\d"),
    "date-time": re.compile(r"\d{4}-\d\d-\d\d[Tt ].{0,30}"),
}
_NUMBER = re.compile(r"[+-]?\d{1,40}(?:\.\d{1,40})?(?:[eE][+-]?\d{1,3})?")


def _may_be(piece: Piece, text: str) -> bool:
    kinds, listed = types(piece), piece.schema.get("enum")
    if isinstance(listed, list) and listed:
        return any(str(value).lower() == text.lower() for value in listed[:1000])
    if kinds is None or kinds & {"array", "object"}:
        return True
    if "string" in kinds:
        shape = _FORMATS.get(str(piece.schema.get("format", "")).lower())
        return shape is None or shape.fullmatch(text) is not None
    if kinds & {"integer", "number"} and _NUMBER.fullmatch(text):
        return True
    return "boolean" in kinds and text.lower() in ("true", "false", "0", "1")


def _type_of(value: Any) -> str:
    if value is None:
        return "null"
    for kind, name in ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"), (list, "array")):
        if isinstance(value, kind):
            return name
    return "object"


def _steps(path: str) -> Iterator[Tuple[bool, str]]:
    """Yield (is an item, name) for each step of a path."""
    for part in path.split(".") if path and path != "$" else ():
        name = part
        while name.endswith("[]"):
            name = name[:-2]
        if name:
            yield False, name
        for _ in range((len(part) - len(name)) // 2):
            yield True, ""
