"""JSON as fields: the paths of spath and of automatic extraction (``a.b``, ``a{}``, ``a{}.b``, ``a{0}``).

Source: Search Reference, "spath"; Knowledge Manual, "Automatic key-value field extraction for search-time data".
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

PART = re.compile(r"([^.{}]*)((?:\{\d*\})*)(?:\.|\Z)")
MAX_DEPTH = 64
Fields = dict[str, Any]


def steps(path: str) -> list[str | int | None]:
    """Return the steps of a path: a name, a position, or None for every element."""
    found: list[str | int | None] = []
    position = 0
    while position < len(path):
        match = PART.match(path, position)
        if not match or match.end() == position:
            return [path]
        if match[1]:
            found.append(match[1])
        found += [int(inner) if inner else None for inner in re.findall(r"\{(\d*)\}", match[2])]
        position = match.end()
    return found


def extract(document: Any, path: str) -> list[Any]:
    """Return every value at the path."""
    current = [document]
    for step in steps(path):
        following: list[Any] = []
        for value in current:
            if step is None:
                following += value if isinstance(value, list) else []
            elif isinstance(step, int):
                following += value[step : step + 1] if isinstance(value, list) else []
            elif isinstance(value, dict) and step in value:
                following.append(value[step])
        current = following
    return current


def change_at(document: Any, path: str, change: Callable[[Any], Any] | None, create: bool = False) -> Any:
    """Return the document with the value at the path changed, or taken out where ``change`` is None.

    ``create`` makes objects on the way. What the path does not reach stays as it is.
    """
    parts = steps(path)
    if not parts:
        return document
    return _changed(document, parts, change, create)


def _changed(value: Any, parts: list[str | int | None], change: Callable[[Any], Any] | None, create: bool) -> Any:
    step, rest = parts[0], parts[1:]
    if isinstance(step, str):
        if not isinstance(value, dict) or (step not in value and not create):
            return value
        kept = dict(value)
        _replace(kept, step, kept.get(step, {} if rest else None), rest, change, create)
        return kept
    if not isinstance(value, list):
        return value
    places = range(len(value)) if step is None else [step] if step < len(value) else []
    items = list(value)
    for place in reversed(places):
        _replace(items, place, items[place], rest, change, create)
    return items


def _replace(
    holder: Any, key: Any, old: Any, rest: list[str | int | None], change: Callable[[Any], Any] | None, create: bool
) -> None:
    if rest:
        holder[key] = _changed(old, rest, change, create)
    elif change is None:
        del holder[key]
    else:
        holder[key] = change(old)


def parse(text: str) -> Any:
    """Parse JSON with numbers kept as their text, as an extracted field holds them; None when it is not JSON."""
    try:
        return _DECODER.decode(text)
    except (ValueError, RecursionError):
        return None


_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str, strict=False)


@dataclass(frozen=True)
class Wanted:
    """The fields that someone reads, and the objects and arrays on the way to them."""

    names: frozenset[str]
    containers: frozenset[str]


@functools.lru_cache(maxsize=256)
def wanted_of(names: frozenset[str]) -> Wanted:
    """Every part of a name before a ``.`` or a ``{`` may be a container: a key may hold dots of its own."""
    containers = {name[:place] for name in names for place, char in enumerate(name) if char in ".{"}
    return Wanted(names, frozenset(containers))


def flatten(document: Any, names: frozenset[str] | None = None) -> Fields:
    """Return all leaves as fields, arrays as multivalues. ``names`` leaves out what no one reads."""
    fields: Fields = {}
    wanted = None if names is None else wanted_of(names)
    if isinstance(document, dict):
        _object(document, "", fields, wanted, 0)
    elif isinstance(document, list):
        _array(document, "{}", fields, wanted, 0)
    return fields


def _object(value: Fields, prefix: str, fields: Fields, wanted: Wanted | None, depth: int) -> None:
    if depth > MAX_DEPTH:
        return
    for key, item in value.items():
        name = prefix + key
        kind = type(item)
        if kind is dict or kind is list:
            if wanted is None or name in wanted.containers:
                if kind is dict:
                    _object(item, name + ".", fields, wanted, depth + 1)
                else:
                    _array(item, name + "{}", fields, wanted, depth + 1)
        elif wanted is None or name in wanted.names:
            _add(fields, name, item if kind is str else "null" if item is None else "true" if item else "false")


def _array(value: list[Any], name: str, fields: Fields, wanted: Wanted | None, depth: int) -> None:
    if depth > MAX_DEPTH:
        return
    for item in value:
        kind = type(item)
        if kind is dict:
            if wanted is None or name in wanted.containers:
                _object(item, name + ".", fields, wanted, depth + 1)
        elif kind is list:
            _array(item, name + "{}", fields, wanted, depth + 1)
        elif wanted is None or name in wanted.names:
            _add(fields, name, item if kind is str else "null" if item is None else "true" if item else "false")


def _add(fields: dict[str, Any], name: str, value: str) -> None:
    held = fields.get(name)
    if held is None:
        fields[name] = value
    elif type(held) is list:
        held.append(value)
    else:
        fields[name] = [held, value]


def parse_plain(text: str) -> Any:
    """Parse JSON with numbers as numbers, for parts that stay JSON; None when it is not JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def leaf_text(value: Any) -> str:
    """A leaf as its text, an object or array as its JSON."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
