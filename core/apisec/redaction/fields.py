"""The fields of a part: what type each has on the wire, and the classes of its values.

A field's entry does not depend on the order in which its values were met, so that an engine may read them in any.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Dict, List, Mapping, Set

# Of a field with values of several types, the first of these speaks: a number that is sometimes whole is a number.
_WIDEST = ("string", "binary", "number", "integer", "boolean", "null")
_RANK = {kind: rank for rank, kind in enumerate(_WIDEST)}


@dataclass
class FieldSeen:
    """A field of a part: its type on the wire, and the classes of its values."""

    kind: str
    classes: Set[str] = field(default_factory=set)


def note(fields: Dict[str, FieldSeen], path: str, kind: str, classes: Set[str]) -> None:
    """Count one value of a field."""
    known = fields.get(path)
    if known is None:
        fields[path] = FieldSeen(kind, classes)
        return
    known.kind = wider(known.kind, kind)
    known.classes |= classes


def wider(one: str, other: str) -> str:
    """Return which of two types covers both."""
    return one if _RANK[one] <= _RANK[other] else other


def field_list(location: str, fields: Mapping[str, FieldSeen], limit: int) -> List[Dict[str, object]]:
    """Return at most ``limit`` entries of an event's request_fields or response_fields, by path."""
    listed: List[Dict[str, object]] = []
    for path in sorted(fields)[:limit]:
        seen = fields[path]
        entry: Dict[str, object] = {"path": path or "$", "in": location, "type": seen.kind}
        if seen.classes:
            entry["classes"] = sorted(seen.classes)
        listed.append(entry)
    return listed
