"""Reading labelled events: the events as the forwarder writes them, the labels beside them, joined by id."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apisec.baselines.values import event_time
from apisec.errors import DocumentError

Event = dict[str, Any]
MAX_LINE_BYTES = 16_000_000


@dataclass(frozen=True)
class Label:
    """``attack`` is None for an ordinary transaction; ``actor`` is who made it, whatever credential it used."""

    attack: str | None
    actor: str
    kind: str


@dataclass(frozen=True)
class Dataset:
    """Events in order of time, each with its label."""

    name: str
    events: list[Event]
    labels: list[Label]

    def split(self, share: float) -> tuple[Dataset, Dataset]:
        """Cut by time: the events of the first ``share`` (0–1) of the span, and the rest."""
        if not self.events:
            return self, self
        start, end = event_time(self.events[0]), event_time(self.events[-1])
        border = start + share * (end - start)
        cut = sum(event_time(event) < border for event in self.events)
        return (
            Dataset(f"{self.name}, history", self.events[:cut], self.labels[:cut]),
            Dataset(self.name, self.events[cut:], self.labels[cut:]),
        )


def _lines(path: Path) -> Iterator[tuple[int, Event]]:
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            where = f"{path}:{number}"
            if len(line) > MAX_LINE_BYTES:
                raise DocumentError(f"line longer than {MAX_LINE_BYTES} characters", where=where)
            try:
                value = json.loads(line)
            except ValueError as error:
                raise DocumentError(f"not JSON: {error}; one object a line is needed", where=where) from error
            if not isinstance(value, dict):
                raise DocumentError("not a JSON object; one object a line is needed", where=where)
            yield number, value


def _label(value: Event, where: str) -> Label:
    attack = value.get("attack")
    if "attack" not in value or not (attack is None or isinstance(attack, str)):
        raise DocumentError("needs 'attack': a name, or null for an ordinary transaction", where=where)
    return Label(attack, str(value.get("actor", "")), str(value.get("kind", "")))


def read_labels(path: Path) -> dict[str, Label]:
    """Return labels by event id; raises DocumentError naming file and line."""
    labels: dict[str, Label] = {}
    for number, value in _lines(path):
        where = f"{path}:{number}"
        if not isinstance(value.get("id"), str):
            raise DocumentError("needs 'id', the id of the event", where=where)
        labels[value["id"]] = _label(value, where)
    return labels


def read_dataset(events: Path, labels: Path) -> Dataset:
    """Join events and labels; every event must have a label, or DocumentError names the first that has none."""
    known = read_labels(labels)
    rows: list[tuple[float, int, Event, Label]] = []
    for number, event in _lines(events):
        found = known.get(str(event.get("id")))
        if found is None:
            message = f"event {event.get('id')!r} has no label in {labels}; were both made by the same run?"
            raise DocumentError(message, where=f"{events}:{number}")
        rows.append((event_time(event), number, event, found))
    if not rows:
        raise DocumentError("holds no event", where=str(events))
    rows.sort(key=lambda row: row[:2])
    return Dataset(events.name, [row[2] for row in rows], [row[3] for row in rows])
