"""What one event carries: its fields' classes as overrides and the inventory's verdicts see them, and its level.

An event says what detectors found in it. An override of the field's team goes above that, in both directions; the
verdict on the field says how sure it is, and adds the class that the field mostly has where this value was not told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple

from apisec.classification import levels
from apisec.classification.classes import BY_NAME
from apisec.classification.fields import MOST, field_level
from apisec.classification.overrides import NONE, Overrides
from apisec.classification.verdict import CHANCE, OVERRIDE, TRAFFIC, Verdict

MAX_FIELDS = 500  # of one message, as the forwarder lists them
_BLANK = ("null",)

Verdicts = Mapping[Tuple[str, str, str], Verdict]  # by message, location, path


class FieldFound(NamedTuple):
    """One field of an event that has a class. ``share`` is the verdict's confidence, None where there is no verdict."""

    message: str
    location: str
    path: str
    data_class: str
    level: str
    source: str
    share: Optional[float]
    samples: int

    def text(self) -> str:
        """Return a line for an analyst: ``request body card.number is pci.pan (restricted; traffic, 97 % of 900)``."""
        known = "" if self.share is None else f", {self.share:.0%} of {self.samples}"
        return f"{self.message} {self.location} {self.path} is {self.data_class} ({self.level}; {self.source}{known})"


@dataclass(frozen=True)
class EventClass:
    """What an event carries. ``conflicts`` are lines about fields whose override says something else than detectors."""

    level: str
    classes: Tuple[str, ...]
    fields: Tuple[FieldFound, ...]
    conflicts: Tuple[str, ...]


def of_event(event: Mapping[str, Any], overrides: Overrides, known: Verdicts) -> EventClass:
    """Return what an event (apisec:transaction) carries; ``known`` are the verdicts on its operation's fields."""
    service, operation = str(event.get("service", "")), str(event.get("operation", ""))
    found: List[FieldFound] = []
    conflicts: List[str] = []
    for message, entry in _entries(event):
        location, path = str(entry.get("in", "")), str(entry.get("path", ""))
        if entry.get("type") in _BLANK:
            continue
        shown = [name for name in _listed(entry.get("classes")) if name in BY_NAME]
        verdict = known.get((message, location, path))
        override = overrides.find(service, operation, location, path)
        if override is not None:
            against = sorted(name for name in shown if name != override and not name.startswith(f"{override}."))
            if against:
                conflicts.append(
                    f"{message} {location} {path}: override says {override}, this event shows {', '.join(against)}"
                )
        for name, source in _classes(shown, override, verdict):
            share, samples = _share(name, verdict)
            found.append(FieldFound(message, location, path, name, field_level(name, location), source, share, samples))
    fields = tuple(dict.fromkeys(found))
    classes = tuple(sorted({one.data_class for one in fields}))
    asked = [one.level for one in fields]
    if event.get("coverage", "complete") != "complete":  # what was not read shows nothing, and is not public for that
        asked.append(levels.INTERNAL_LEVEL)
    return EventClass(levels.highest(asked), classes, fields, tuple(dict.fromkeys(conflicts)))


def _entries(event: Mapping[str, Any]) -> Iterator[Tuple[str, Mapping[str, Any]]]:
    """Yield the listed fields with the message that they stand in: the request, or the answer by its status."""
    for name, message in (("request_fields", "request"), ("response_fields", str(event.get("status", "")))):
        listed = event.get(name)
        for entry in listed[:MAX_FIELDS] if isinstance(listed, list) else ():
            if isinstance(entry, Mapping):
                yield message, entry


def _listed(value: Any) -> List[str]:
    if isinstance(value, str):
        return [value]
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _classes(shown: List[str], override: Optional[str], verdict: Optional[Verdict]) -> Iterator[Tuple[str, str]]:
    """Yield the classes that count for a field of this event, each with what says so."""
    if override is not None:
        if override != NONE:
            yield override, OVERRIDE
        return
    chance = {one.data_class for one in verdict.classes if one.state == CHANCE} if verdict is not None else set()
    for name in shown:
        if name not in chance:
            yield name, TRAFFIC
    usual = verdict.data_class if verdict is not None and verdict.sure and verdict.confidence >= MOST else ""
    if usual in BY_NAME and not any(name.startswith(usual) for name in shown):
        yield usual, "field"


def _share(data_class: str, verdict: Optional[Verdict]) -> Tuple[Optional[float], int]:
    if verdict is None:
        return None, 0
    shown = next((one.low for one in verdict.classes if one.data_class == data_class), 0.0)
    return (verdict.confidence if verdict.data_class == data_class else shown), verdict.samples


def by_place(found: Iterable[Verdict]) -> Dict[Tuple[str, str, str], Verdict]:
    """Return verdicts by message, location and path, as ``of_event`` asks for them."""
    return {(one.message, one.location, one.path): one for one in found}
