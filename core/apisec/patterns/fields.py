"""Access to an event's fields by the names that patterns use.

A name is one of ``model.event.FIELDS``, or reaches into a list: ``signals.detector``, ``request_fields.path``,
and ``object_ids.order_id`` (the value behind ``order_id=``).
"""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping, Tuple

from apisec.errors import PatternError, did_you_mean
from apisec.model.event import FIELDS, NAMES, Event

KINDS: Dict[str, str] = {field.name: field.kind for field in FIELDS}

_FIELD_OBJECT = ("path", "in", "type", "classes")
SUBFIELDS: Dict[str, Tuple[str, ...]] = {
    "request_fields": _FIELD_OBJECT,
    "response_fields": _FIELD_OBJECT,
    "signals": ("detector", "family", "where", "score"),
}
_SUBKINDS = {"signals.score": "number"}
_ID_NAME = re.compile(r"\A[A-Za-z_][A-Za-z0-9_.-]{0,63}\Z")

# Known only once the response has passed: no call-out can decide on them.
AFTERWARDS = frozenset(
    (
        "status", "action", "bytes_in", "bytes_out", "response_time", "upstream_time", "http_content_type",
        "response_fields", "response_body", "coverage", "coverage_reasons", "decision", "pattern",
    )
)  # fmt: skip


def base(name: str) -> str:
    return name.split(".", 1)[0]


def check(name: str, where: str) -> None:
    """Raise PatternError when ``name`` is no field of an event, naming the nearest one."""
    head, dot, tail = name.partition(".")
    if head not in NAMES:
        raise PatternError(f"unknown field {name!r}{did_you_mean(head, NAMES)}", where=where)
    if not dot:
        if head in SUBFIELDS:
            hint = ", ".join(f"{head}.{sub}" for sub in SUBFIELDS[head])
            raise PatternError(f"{name!r} holds objects: name one of {hint}", where=where)
        return
    if head == "object_ids":
        if not _ID_NAME.match(tail):
            raise PatternError(f"{name!r} does not name an id, such as object_ids.order_id", where=where)
    elif tail not in SUBFIELDS.get(head, ()):
        known = [f"{head}.{sub}" for sub in SUBFIELDS.get(head, ())]
        raise PatternError(f"unknown field {name!r}{did_you_mean(name, known or NAMES)}", where=where)


def is_number(name: str) -> bool:
    return _SUBKINDS.get(name, KINDS.get(name, "string")) in ("number", "integer")


def values(event: Mapping[str, Any], name: str) -> List[Any]:
    """Return the scalar values of a field, an empty list when it is absent or null."""
    head, dot, tail = name.partition(".")
    found = event.get(head)
    if found is None:
        return []
    if not isinstance(found, list):
        return [] if dot else [found]
    if not dot:
        return [value for value in found if not isinstance(value, (dict, list))]
    if head == "object_ids":
        prefix = tail + "="
        return [v[len(prefix) :] for v in found if isinstance(v, str) and v.startswith(prefix)]
    collected: List[Any] = []
    for item in found:
        value = item.get(tail) if isinstance(item, dict) else None
        if isinstance(value, list):
            collected.extend(value)
        elif value is not None:
            collected.append(value)
    return collected


def request_half(event: Mapping[str, Any]) -> Event:
    """Return what of an event a call-out could have known, so that replaying history decides as live."""
    half = {name: value for name, value in event.items() if name not in AFTERWARDS}
    if "signals" in half:
        half["signals"] = [
            s for s in half["signals"] if not (isinstance(s, dict) and str(s.get("where", "")).startswith("response"))
        ]
    if "response_fields" in event or "data_classes" in half:
        half["data_classes"] = sorted({str(c) for c in values(event, "request_fields.classes")})
    return half
