"""Reading values of events that may have travelled through Splunk, where every number became text."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, List, Optional


def number(value: Any) -> Optional[float]:
    """Return a finite number, or None for anything that is not one."""
    if type(value) is int or type(value) is float:
        result = float(value)
    elif isinstance(value, str):
        try:
            result = float(value)
        except ValueError:
            return None
    else:
        return None
    return result if math.isfinite(result) else None


def whole(value: Any, default: int = 0) -> int:
    """Return a whole number, or ``default`` for anything that is not one."""
    if type(value) is int:
        return value
    result = number(value)
    return default if result is None else int(result)


def text(value: Any, limit: int = 512) -> str:
    """Return text of at most ``limit`` characters; empty for anything that is not text."""
    return value[:limit] if isinstance(value, str) else ""


def texts(value: Any, limit: int = 64) -> List[str]:
    """Return at most ``limit`` texts of a list; a single text counts as a list of one."""
    if isinstance(value, str):
        return [value] if value else []
    if isinstance(value, (list, tuple)):
        return [item for item in value[:limit] if isinstance(item, str)]
    return []


def mappings(value: Any, limit: int) -> List[Mapping[str, Any]]:
    """Return at most ``limit`` objects of a list of objects."""
    if isinstance(value, (list, tuple)):
        return [item for item in value[:limit] if isinstance(item, Mapping)]
    return []


def event_time(row: Mapping[str, Any]) -> float:
    """Return seconds since the epoch: the event's ``time``, else Splunk's ``_time``, else 0."""
    found = number(row.get("time"))
    if found is None:
        found = number(row.get("_time"))
    return found or 0.0
