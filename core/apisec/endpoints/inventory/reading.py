"""Reading events from their JSON text without reading again what most events of an operation share.

The lists of fields are half of an event, and the events of one operation have few different ones. They are cut out as
text, counted as text, and read once for all events that carry the same. Whatever is not as the forwarder writes it is
read as JSON in the ordinary way: a cut is taken only when both the rest and the part are JSON by themselves.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any, Dict, List, Optional, Tuple

_LISTS = ("request_fields", "response_fields")
MAX_SHARED = 65_536  # characters of one list that are kept to recognise it again


class Listed(List[Any]):
    """A list of fields that many events share; ``text`` tells it from others. Nobody changes it.

    ``fault`` is what ``asked.holds_fault`` found, once it was asked.
    """

    __slots__ = ("fault", "text")

    def __init__(self, text: str, fields: List[Any]) -> None:
        super().__init__(fields)
        self.text = text
        self.fault: Optional[bool] = None


def read(raw: str, time: Any = None) -> Optional[Dict[str, Any]]:
    """Return the event of a JSON text, or None for no event; ``time`` counts where the event has none.

    Its lists of fields are ``Listed`` where they could be cut out: an inventory counts those in half the time.
    """
    event = _by_cutting(raw)
    if event is None:
        try:
            event = json.loads(raw)
        except (ValueError, RecursionError):
            return None
    if not isinstance(event, dict):
        return None
    if not isinstance(event.get("time"), (int, float)):
        event["time"] = time
    return event


def _by_cutting(raw: str) -> Optional[Dict[str, Any]]:
    rest = raw
    found: Dict[str, Listed] = {}
    for name in _LISTS:
        part, rest = _cut(rest, name)
        if part:
            fields = _parsed(part)
            if fields is None:
                return None
            found[name] = fields
    if not found:
        return None
    try:
        event = json.loads(rest)
    except (ValueError, RecursionError):
        return None
    if not isinstance(event, dict) or not found.keys().isdisjoint(event):
        return None
    event.update(found)
    return event


def _cut(raw: str, name: str) -> Tuple[str, str]:
    """Return the text of a list of objects and what is left without it; an unescaped quote never stands in a text."""
    mark = f',"{name}":['
    start = raw.find(mark)
    if start < 0:
        return "", raw
    end = raw.find("}]", start) + 2
    begin = start + len(mark) - 1
    if end < 2 or end - begin > MAX_SHARED:
        return "", raw
    return raw[begin:end], raw[:start] + raw[end:]


@lru_cache(maxsize=4096)
def _parsed(part: str) -> Optional[Listed]:
    try:
        fields = json.loads(part)
    except (ValueError, RecursionError):
        return None
    return Listed(part, fields) if isinstance(fields, list) else None
