"""Labels of events, joined by id while both files stream by.

A label is a JSON line ``{"id", "actor", "persona", "campaign", "family", "style", "cover"}``; ``campaign`` is null for
an ordinary event, ``cover`` marks what an attacker does beside the attack. Only ``id`` and ``campaign`` are needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import orjson

from apisec.baselines.values import event_time
from apisec.errors import DocumentError

MAX_READ_AHEAD = 5_000_000  # labels held because their events have not come yet


class Labelling(Protocol):
    """Where labels come from."""

    def of(self, event_id: str, event: Mapping[str, Any] | None) -> Mapping[str, Any]:
        """Return the label of an event; ``event`` is None for one of another part. Raises DocumentError."""
        ...


class Labels:
    """Labels by event id, read as far as the events need: files of equal order are joined in no memory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ahead: dict[str, Mapping[str, Any]] = {}
        self._lines = _lines(path)

    def of(self, event_id: str, event: Mapping[str, Any] | None) -> Mapping[str, Any]:  # noqa: ARG002 - by id alone
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


class Unlabelled:
    """For events without labels: everything is taken as ordinary, so that each finding is listed."""

    def of(self, event_id: str, event: Mapping[str, Any] | None) -> Mapping[str, Any]:  # noqa: ARG002 - none is asked
        return _ORDINARY


class Dispositions:
    """What analysts said of findings: their true positives are campaigns, all else is ordinary.

    JSON lines ``{"campaign", "service", "families", "principals", "first_time", "last_time", "verdict"}``, as the app's
    REST gives them (``/labels``). What nobody judged is taken as ordinary too; so train on a time that was worked off.
    """

    def __init__(self, path: Path) -> None:
        self._spans: dict[tuple[str, str], list[tuple[float, float, Mapping[str, Any]]]] = {}
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    self._take(_object(line, f"{path}:{number}"), f"{path}:{number}")

    def _take(self, said: Mapping[str, Any], where: str) -> None:
        verdict = said.get("verdict")
        if verdict not in ("benign", "true_positive"):
            raise DocumentError(f"verdict {verdict!r} is neither benign nor true_positive", where=where)
        try:
            first, last = float(said["first_time"]), float(said["last_time"])
            service, campaign = str(said["service"]), str(said["campaign"])
            families, principals = list(map(str, said["families"])), list(map(str, said["principals"]))
        except (KeyError, TypeError, ValueError) as error:
            raise DocumentError(f"is no label of a finding: {error!r}", where=where) from None
        if verdict == "benign" or not families:
            return
        label = {"campaign": campaign, "family": families[0], "style": "judged", "persona": "judged"}
        for principal in principals:
            self._spans.setdefault((service, principal), []).append((first, last, label))

    def of(self, event_id: str, event: Mapping[str, Any] | None) -> Mapping[str, Any]:  # noqa: ARG002 - by who and when
        if event is not None:
            time = event_time(event)
            for first, last, label in self._spans.get((str(event["service"]), str(event["principal"])), ()):
                if first <= time <= last:
                    return label
        return _ORDINARY


_ORDINARY: Mapping[str, Any] = {"campaign": None, "persona": "unlabelled"}


def labelling_of(labels: Path | None, dispositions: Path | None) -> Labelling:
    """Return where labels come from; raises DocumentError."""
    if labels is not None:
        return Labels(labels)
    return Dispositions(dispositions) if dispositions is not None else Unlabelled()


def _lines(path: Path) -> Iterator[Mapping[str, Any]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield _label(line, f"{path}:{number}")


def _label(line: bytes, where: str) -> Mapping[str, Any]:
    label = _object(line, where)
    if not isinstance(label.get("id"), str):
        raise DocumentError("needs 'id', the id of the event", where=where)
    if "campaign" not in label or not (label["campaign"] is None or isinstance(label["campaign"], str)):
        raise DocumentError("needs 'campaign': a name, or null for an ordinary event", where=where)
    return label


def _object(line: bytes, where: str) -> Mapping[str, Any]:
    try:
        found = orjson.loads(line)
    except ValueError as error:
        raise DocumentError(f"not JSON: {error}; one label a line is needed", where=where) from error
    if not isinstance(found, dict):
        raise DocumentError("not a JSON object; one label a line is needed", where=where)
    return found
