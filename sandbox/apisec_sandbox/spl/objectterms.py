"""Terms of a search that stand for knowledge objects: event types, tags, saved searches.

Source: Knowledge Manager Manual, "Define event types" and "Tag and alias field values"; Search Reference, "search"
(savedsearch=, hosttag=).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Protocol

from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.lexer import QUOTED
from apisec_sandbox.spl.searchnodes import Node, any_of, negated

SAVED = ("savedsearch", "savedsplunk")
OBJECT_TERMS = frozenset(("eventtype", "hosttag", "tag", *SAVED))


class Objects(Protocol):
    """Where the objects are. ``saved_search(name)`` is asked for where it is there."""

    def eventtype(self, name: str) -> str | None: ...

    def tag_pairs(self, tag: str) -> list[tuple[str, str]]: ...


class Parts(Protocol):
    """The parser, as far as these terms need it."""

    def nested(self, expression: str) -> Node:
        """Parse text that stands for itself."""

    def comparing(self, name: str, op: str, value: str) -> Node:
        """The comparison of a field with a value."""


def is_object_term(name: str) -> bool:
    return name in OBJECT_TERMS or name.startswith("tag::")


def object_term(name: str, op: str, value: str, objects: Objects, parts: Parts) -> Node:
    """Compile the term.

    Raises:
        SplError: without a position, where there is no such object.
    """
    if name == "eventtype":
        return _eventtype(op, value, objects, parts)
    if name in SAVED:
        return _saved(value, objects, parts)
    return _tag("tag::host" if name == "hosttag" else name, op, value, objects, parts)


def _eventtype(op: str, value: str, objects: Objects, parts: Parts) -> Node:
    if "*" in value:
        return parts.comparing("eventtype", op, value)
    definition = objects.eventtype(value)
    if definition is None:
        raise SplError(f"Eventtype '{value}' does not exist or is disabled.")
    node = parts.nested(definition)
    return negated(node) if op == "!=" else node


def _tag(name: str, op: str, value: str, objects: Objects, parts: Parts) -> Node:
    only = name[5:] if name.startswith("tag::") else None
    nodes = [parts.comparing(f, "=", v) for f, v in objects.tag_pairs(value) if only is None or f == only]
    found = any_of(nodes)
    return negated(found) if op == "!=" else found


def _saved(name: str, objects: Objects, parts: Parts) -> Node:
    """``savedsearch=name``: the conditions of a saved search that has nothing but those."""
    ask: Callable[[str], str | None] | None = getattr(objects, "saved_search", None)
    text = ask(name) if ask else None
    if text is None:
        raise SplError(f"No saved search named {name!r}")
    body = re.sub(r"\A\s*search\s+", "", text)
    if "|" in QUOTED.sub("", body):
        raise SplError(f"The saved search {name!r} has commands; only conditions can stand in a search")
    return parts.nested(body)
