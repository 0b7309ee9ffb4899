"""Between Splunk's records (strings and lists of strings) and the event that core reads.

A record that still carries ``_raw`` is parsed from there, because that is the event as the forwarder sent it. After
``table`` or from a lookup only fields are left; then the event is put together from them, with the names that
Splunk gives to JSON arrays (``object_ids{}``, ``signals{}.detector``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Callable, Dict, List, Optional

from apisec.model.event import FIELDS

Record = Mapping[str, Any]

# Members of the objects inside each array of objects, as model/event.py describes them.
ARRAYS_OF_OBJECTS: Dict[str, tuple[str, ...]] = {
    "signals": ("detector", "where", "score"),
    "request_fields": ("path", "in", "type"),
    "response_fields": ("path", "in", "type"),
}
_MAX_RAW_CHARS = 1_048_576  # an event holds two capped bodies; what is larger was not made by a forwarder


def values(field: Any) -> List[str]:
    """A field's values: none, one or several."""
    if field is None or field == "":
        return []
    return [str(v) for v in field] if isinstance(field, (list, tuple)) else [str(field)]


def first(field: Any) -> Optional[str]:
    """A field's first value. Indexed fields meet the same fields of the JSON, so that both give one value each."""
    found = values(field)
    return found[0] if found else None


def raw_of(record: Record) -> Optional[str]:
    """The text of a record's event when it may be a JSON object, else None."""
    raw = first(record.get("_raw"))
    return raw if raw and raw.startswith("{") and len(raw) <= _MAX_RAW_CHARS else None


def event_of(record: Record) -> Dict[str, Any]:
    """The event of a record: from ``_raw`` when that is a JSON object, else from the fields."""
    raw = raw_of(record)
    if raw is not None:
        try:
            event = json.loads(raw)
        except (ValueError, RecursionError):
            event = None
        if isinstance(event, dict):
            return _with_time(event, record)
    return _with_time(_from_fields(record), record)


def _with_time(event: Dict[str, Any], record: Record) -> Dict[str, Any]:
    if not isinstance(event.get("time"), (int, float)):
        time = _number(first(record.get("_time")))
        event["time"] = time if time is not None else 0.0
    return event


def _from_fields(record: Record) -> Dict[str, Any]:
    event: Dict[str, Any] = {}
    for field in FIELDS:
        value = _CONVERT[field.kind](field.name, record)
        if value is not None:
            event[field.name] = value
    return event


def _number(text: Optional[str]) -> Optional[float]:
    try:
        return float(text) if text is not None else None
    except ValueError:
        return None


def _integer(text: Optional[str]) -> Optional[int]:
    number = _number(text)
    return int(number) if number is not None and abs(number) < 2**63 else None


def _array(name: str, record: Record) -> Optional[List[Any]]:
    members = ARRAYS_OF_OBJECTS.get(name)
    if members is None:
        found = values(record.get(name)) or values(record.get(name + "{}"))
        return found or None
    columns = {m: values(record.get(f"{name}{{}}.{m}")) for m in members}
    length = max(len(c) for c in columns.values())
    rows: List[Any] = [{m: c[i] for m, c in columns.items() if i < len(c)} for i in range(length)]
    for row in rows:
        if "score" in row:
            row["score"] = _number(row["score"]) or 0.0
    return rows or None


_CONVERT: Dict[str, Callable[[str, Record], Any]] = {
    "string": lambda name, record: first(record.get(name)),
    "integer": lambda name, record: _integer(first(record.get(name))),
    "number": lambda name, record: _number(first(record.get(name))),
    "array": _array,
}


def field_of(value: Any) -> Any:
    """A Python value as a Splunk field: scalars as they are, lists as multivalue, objects as compact JSON."""
    if isinstance(value, (list, tuple, set, frozenset)):
        items = sorted(value) if isinstance(value, (set, frozenset)) else value
        return [_scalar(item) for item in items]
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, (Mapping, list, tuple)):
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    if isinstance(value, bool):
        return "true" if value else "false"
    return value


def same_fields(rows: Iterable[Record]) -> List[Dict[str, Any]]:
    """Give all rows all fields: the SDK takes a chunk's header from its first record."""
    listed = list(rows)
    names = list(dict.fromkeys(name for row in listed for name in row))
    return [{name: field_of(row.get(name)) for name in names} for row in listed]
