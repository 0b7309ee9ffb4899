"""A document with what replaces its leaves, and its leaves as the names beside them are to be read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Dict, Iterator, List, Set

from apisec.classification.names.beside import MAX_NAMES, parent_beside
from apisec.decoders import Document, Leaf
from apisec.redaction.fields import FieldSeen


@dataclass
class Part:
    """A decoded document, what replaces its leaves (by index), and its fields by path."""

    document: Document
    replacements: Dict[int, str] = field(default_factory=dict)
    fields: Dict[str, FieldSeen] = field(default_factory=dict)

    def render(self) -> str:
        return self.document.render(self.replacements)


def beside(leaves: List[Leaf]) -> Iterator[Leaf]:
    """Yield leaves with the parent that the names of the same object give them, where these say more than their own."""
    names: Dict[int, Set[str]] = {}
    for leaf in leaves:
        if leaf.group >= 0 and leaf.name and leaf.kind != "key":
            names.setdefault(leaf.group, set()).add(leaf.name)
    known = {group: frozenset(some) for group, some in names.items() if 1 < len(some) <= MAX_NAMES}
    for leaf in leaves:
        if leaf.group in known and leaf.name and leaf.kind != "key":
            parent = parent_beside(leaf.name, leaf.parent, known[leaf.group])
            yield leaf if parent == leaf.parent else leaf._replace(parent=parent)
        else:
            yield leaf
