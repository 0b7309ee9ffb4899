"""Events as a search gives them to a command."""

from __future__ import annotations

from typing import Any, Dict

from apisec.endpoints.inventory import read

from ..records import event_of, first, raw_of

Record = Dict[str, Any]


def event_from(record: Record) -> Record:
    """Return the event of a record: from its text where there is one, else from its fields."""
    raw = raw_of(record)
    event = read(raw, first(record.get("_time"))) if raw is not None else None
    return event_of(record) if event is None else event
