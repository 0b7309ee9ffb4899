"""What is new in an operation since the last refresh, as events of sourcetype ``apisec:inventory``."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Dict, List, Optional, Set

Row = Mapping[str, Any]

# Fixed: the same change in the same window gets the same id on every search head.
_NAMESPACE = uuid.UUID("6f0d3d0e-5d7a-4f0a-9b3a-0c6b8f1b7a51")
_MAX_CHANGES = 50  # told in one event; the operation's document holds everything
_KEPT = ("service", "team", "operation", "endpoint", "http_method", "count", "principals", "auth", "data_classes")


def _field_classes(row: Row, name: str) -> Set[str]:
    """``response_body.card.number: pci.pan``: fields with a class; a field without one is no news."""
    return {
        f"{field.get('in', '')}.{field.get('path', '')}: {cls}"
        for field in row.get(name) or ()
        for cls in field.get("classes") or ()
    }


def _difference(label: str, before: Set[str], after: Set[str]) -> List[str]:
    return [f"{label} + {item}" for item in sorted(after - before)]


def changes(before: Optional[Row], after: Row) -> List[str]:
    """Sentences; empty when nothing changed that someone would act on."""
    if before is None:
        return ["new operation"]
    found = _difference("data class", set(before.get("data_classes") or ()), set(after.get("data_classes") or ()))
    found += _difference("auth", set(before.get("auth") or ()), set(after.get("auth") or ()))
    for name, label in (("request_fields", "request field"), ("response_fields", "response field")):
        found += _difference(label, _field_classes(before, name), _field_classes(after, name))
    if before.get("team") != after.get("team"):
        found.append(f"team {before.get('team')} -> {after.get('team')}")
    return found[:_MAX_CHANGES]


def event_of(before: Optional[Row], after: Row, through: float) -> Optional[Dict[str, Any]]:
    """The event of one operation, or None. ``through`` is the window's end and becomes the event's time."""
    found = changes(before, after)
    if not found:
        return None
    name = f"{after['service']}|{after['operation']}|{through:.0f}"
    event = {key: after.get(key) for key in _KEPT}
    event.update(
        id=str(uuid.uuid5(_NAMESPACE, name)),
        time=through,
        change="new" if before is None else "changed",
        changes=found,
        first_seen=after.get("first_seen"),
        last_seen=after.get("last_seen"),
    )
    return event
