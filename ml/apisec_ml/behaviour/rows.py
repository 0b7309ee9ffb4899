"""Activity rows of an event file, slot by slot, as the input makes them of its windows; kept on disk for the next time.

A cache folder holds one file of rows and one of truth for each event file and part. Its name carries a digest of the
code that makes rows, and size and time of the event file, so that what is stale is not found.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import IO

import orjson

import apisec.activity
from apisec.activity import Activity, Row
from apisec.baselines.values import event_time
from apisec.classification import names
from apisec.errors import DocumentError
from apisec_ml.behaviour.events import STDIN, Part, read_events
from apisec_ml.behaviour.labels import labelling_of
from apisec_ml.behaviour.truth import Truth

SLOT_SECONDS = 300
MAX_LATE_SLOTS = 12  # an hour: files are to be in order of time, retries may be late
MAX_QUIET_SLOTS = 12 * 24 * 14  # two weeks: a longer gap is no night
FORMAT = 4  # of the cache

Slot = tuple[int, list[Row]]


@dataclass(frozen=True)
class Source:
    """Events, with labels where there are any; ``name`` stands in reports."""

    events: Path
    labels: Path | None
    name: str
    part: Part = field(default_factory=Part)
    known: frozenset[bytes] = frozenset()
    dispositions: Path | None = None  # what analysts said, where there are no labels


def slots_of(source: Source, truth: Truth, cache: Path | None, tick: Callable[[int], None]) -> Iterator[Slot]:
    """Yield slot and rows in order of time, filling ``truth`` on the way; ``tick`` is told of events or rows done.

    DocumentError when the events are not in order of time, or one has no label.
    """
    yield from _every(_slots_of(source, truth, cache, tick))


def _every(slots: Iterator[Slot]) -> Iterator[Slot]:
    """Add slots in which nothing happened: the input has a window every five minutes, quiet or not."""
    expected = -1
    for slot, rows in slots:
        if 0 <= expected < slot:
            for quiet in range(max(expected, slot - MAX_QUIET_SLOTS), slot):
                yield quiet, []
        yield slot, rows
        expected = slot + 1


def _slots_of(source: Source, truth: Truth, cache: Path | None, tick: Callable[[int], None]) -> Iterator[Slot]:
    if cache is None or source.events == STDIN:
        yield from _made(source, truth, tick)
        return
    rows, told = (cache / f"{_cache_name(source)}.{kind}" for kind in ("rows", "truth"))
    if told.exists():
        vars(truth).update(vars(Truth.from_document(json.loads(told.read_bytes()))))
        yield from _kept(rows, tick)
        return
    cache.mkdir(parents=True, exist_ok=True)
    half = rows.with_suffix(f".{os.getpid()}")  # another run may make the same rows meanwhile
    with half.open("wb") as file:
        for slot, made in _made(source, truth, tick):
            _keep(file, slot, made)
            yield slot, made
    half.replace(rows)
    half.write_bytes(orjson.dumps(truth.to_document()))
    half.replace(told)


def _made(source: Source, truth: Truth, tick: Callable[[int], None]) -> Iterator[Slot]:
    labels = labelling_of(source.labels, source.dispositions)
    activity, current, count = Activity(), -1, 0
    for event_id, event in read_events(source.events, source.part, source.known):
        label = labels.of(event_id, event)
        if event is None:
            continue
        time = event_time(event)
        slot = int(time // SLOT_SECONDS)
        if slot > current:
            if count:
                yield current, activity.rows()
                tick(count)
            activity, current, count = Activity(), slot, 0
        elif slot < current - MAX_LATE_SLOTS:
            message = f"event {event_id} is more than an hour older than one before it: sort the file by time"
            raise DocumentError(message, where=str(source.events))
        truth.add(event, time, label)
        activity.add(event)
        count += 1
    if count:
        yield current, activity.rows()
        tick(count)


def _keep(file: IO[bytes], slot: int, rows: list[Row]) -> None:
    file.write(orjson.dumps([slot, [row.to_document() for row in rows]], option=orjson.OPT_NON_STR_KEYS) + b"\n")


def _kept(path: Path, tick: Callable[[int], None]) -> Iterator[Slot]:
    with path.open("rb") as file:
        for line in file:
            slot, documents = orjson.loads(line)
            rows = [Row.from_document(one) for one in documents]
            yield slot, rows
            tick(sum(row.requests for row in rows))


def _cache_name(source: Source) -> str:
    about = source.events.stat()
    services = sorted(name.decode() for name in source.part.services or ())
    labels = [path.stat().st_mtime_ns for path in (source.labels, source.dispositions) if path is not None]
    parts = (FORMAT, str(source.events.resolve()), about.st_size, about.st_mtime_ns, labels, services, _code())
    digest = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
    return f"{source.events.parent.name}-{source.part.number}-{digest[:12]}"


def _code() -> str:
    """Return a digest of the code that rows are made by."""
    digest = hashlib.sha256()
    for module in (apisec.activity, names):
        for path in sorted(_folder(module).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _folder(module: ModuleType) -> Path:
    return Path(inspect.getfile(module)).parent


def end_of(slot: int) -> float:
    """Return the end of a slot: when the input could have scored it (seconds since the epoch)."""
    return float((slot + 1) * SLOT_SECONDS)
