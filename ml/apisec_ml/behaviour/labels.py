"""Labels of events, joined by id while both files stream by.

A label is a JSON line ``{"id", "actor", "persona", "campaign", "family", "style", "cover"}``; ``campaign`` is null for
an ordinary event, ``cover`` marks what an attacker does beside the attack. Only ``id`` and ``campaign`` are needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from apisec.errors import DocumentError

MAX_READ_AHEAD = 5_000_000  # labels held because their events have not come yet


class Labels:
    """Labels by event id, read as far as the events need: files of equal order are joined in no memory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ahead: dict[str, Mapping[str, Any]] = {}
        self._lines = _lines(path)

    def of(self, event_id: str) -> Mapping[str, Any]:
        """Return the label of an event, once; DocumentError when there is none."""
        found = self._ahead.pop(event_id, None)
        if found is not None:
            return found
        for label in self._lines:
            if label["id"] == event_id:
                return label
            self._ahead[label["id"]] = label
            if len(self._ahead) > MAX_READ_AHEAD:
                raise DocumentError(f"has {MAX_READ_AHEAD} labels ahead of their events", where=str(self._path))
        message = f"event {event_id!r} has no label in {self._path}; were both made by the same run?"
        raise DocumentError(message, where=str(self._path))


class Unlabelled(Labels):
    """For events without labels: everything is taken as ordinary, so that each finding is listed."""

    def __init__(self) -> None:
        self._label: Mapping[str, Any] = {"campaign": None, "persona": "unlabelled"}

    def of(self, event_id: str) -> Mapping[str, Any]:  # noqa: ARG002 - the interface of labels
        return self._label


def _lines(path: Path) -> Iterator[Mapping[str, Any]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield _label(line, f"{path}:{number}")


def _label(line: bytes, where: str) -> Mapping[str, Any]:
    try:
        label = orjson.loads(line)
    except ValueError as error:
        raise DocumentError(f"not JSON: {error}; one label a line is needed", where=where) from error
    if not isinstance(label, dict) or not isinstance(label.get("id"), str):
        raise DocumentError("needs 'id', the id of the event", where=where)
    if "campaign" not in label or not (label["campaign"] is None or isinstance(label["campaign"], str)):
        raise DocumentError("needs 'campaign': a name, or null for an ordinary event", where=where)
    return label
