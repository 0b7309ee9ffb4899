"""The event store: one folder per index, events as lines of append-only segment files.

A line is a JSON array ``[time, indextime, host, source, sourcetype, raw, fields]``. Writes go to the last
segment; a committer thread fsyncs what was written and only then calls it durable, so that one fsync serves
all requests of the last moment. A torn last line (the process died) is cut off on opening.
"""

from __future__ import annotations

import heapq
import itertools
import json
import logging
import os
import threading
import time
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol

import orjson

from apisec_sandbox.errors import SandboxError

LOG = logging.getLogger("apisec_sandbox.indexes")
SEGMENT_BYTES = 8 * 1024 * 1024
READ_BYTES = 1024 * 1024  # of a segment that are read together
FIRST_BATCH, BATCH = 64, 4096  # events: few at first, as ``head`` may want no more
FLOOR, CEILING = float("-inf"), float("inf")


class Event(NamedTuple):
    """One indexed event. ``fields`` are indexed fields (HEC ``fields``): text or a list of texts each.

    ``document`` is what orjson made of ``raw``, where someone had to parse it already.
    """

    time: float
    indextime: float
    host: str
    source: str
    sourcetype: str
    raw: str
    fields: dict[str, Any]
    index_name: str = "main"
    document: dict[str, Any] | None = None


@dataclass
class _Segment:
    path: Path
    size: int = 0
    count: int = 0
    low: float = CEILING
    high: float = FLOOR
    last_indextime: float = 0.0

    def note(self, event: Event, size: int) -> None:
        self.size += size
        self.count += 1
        self.low = min(self.low, event.time)
        self.high = max(self.high, event.time)
        self.last_indextime = max(self.last_indextime, event.indextime)

    def overlaps(self, earliest: float, latest: float) -> bool:
        return self.count > 0 and self.low < latest and self.high >= earliest

    @property
    def about(self) -> Path:
        return self.path.with_suffix(".meta")


@dataclass
class IndexStats:
    events: int
    bytes: int
    earliest: float | None
    latest: float | None


@dataclass
class Index:
    """One index: its segments and the file that is being appended to."""

    name: str
    folder: Path
    segments: list[_Segment] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    _file: BinaryIO | None = None

    def open(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(self.folder.glob("*.jsonl")):
            self.segments.append(_load_segment(path))

    def append(self, events: Sequence[Event]) -> None:
        """Write the events to the operating system; on an error nothing of them stays."""
        lines = [_encode(event) for event in events]
        with self.lock:
            file, segment = self._writable()
            try:
                file.write(b"".join(lines))
                file.flush()
            except OSError:
                file.truncate(segment.size)
                raise
            for event, line in zip(events, lines, strict=True):
                segment.note(event, len(line))

    def _writable(self) -> tuple[BinaryIO, _Segment]:
        if self._file and self.segments[-1].size >= SEGMENT_BYTES:
            self._seal()
        if self._file is None:
            if not self.segments or self.segments[-1].size >= SEGMENT_BYTES:
                self.segments.append(_Segment(self.folder / f"{len(self.segments):08d}.jsonl"))
            # Unbuffered append: the kernel holds every byte once write() returns.
            self._file = self.segments[-1].path.open("ab")
            _sync_folder(self.folder)
        return self._file, self.segments[-1]

    def _seal(self) -> None:
        assert self._file is not None
        os.fsync(self._file.fileno())
        self._file.close()
        self._file = None
        segment = self.segments[-1]
        about = [segment.size, segment.count, segment.low, segment.high, segment.last_indextime]
        segment.about.write_text(json.dumps(about))

    def sync(self) -> None:
        with self.lock:
            if self._file:
                os.fsync(self._file.fileno())

    def close(self) -> None:
        with self.lock:
            if self._file:
                os.fsync(self._file.fileno())
                self._file.close()
                self._file = None

    def snapshot(self, earliest: float, latest: float) -> list[tuple[_Segment, int]]:
        """Segments that hold events of the span, with the length that is safe to read now; newest first."""
        with self.lock:
            held = [(s, s.size) for s in self.segments if s.overlaps(earliest, latest)]
        return sorted(held, key=lambda item: item[0].high, reverse=True)

    def stats(self) -> IndexStats:
        held = [segment for segment in self.segments if segment.count]
        return IndexStats(
            sum(segment.count for segment in held),
            sum(segment.size for segment in held),
            min((segment.low for segment in held), default=None),
            max((segment.high for segment in held), default=None),
        )


def _encode(event: Event) -> bytes:
    try:
        return orjson.dumps(event[:7]) + b"\n"
    except TypeError:  # a lone surrogate, or a number that no JSON holds
        pass
    text = json.dumps(event[:7], ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace") + b"\n"


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _load_segment(path: Path) -> _Segment:
    segment = _Segment(path)
    if segment.about.exists() and path.stat().st_size == json.loads(segment.about.read_text())[0]:
        about = json.loads(segment.about.read_text())
        segment.size, segment.count, segment.low, segment.high, segment.last_indextime = about
        return segment
    with path.open("rb") as file:
        for line in file:
            event = _decode(line, "")
            if event is None:
                break
            segment.note(event, len(line))
    if segment.size < path.stat().st_size:
        LOG.warning("%s: cut off a torn line at byte %d", path, segment.size)
        os.truncate(path, segment.size)
    return segment


def _loads(line: bytes) -> list[Any]:
    try:
        found: list[Any] = orjson.loads(line)
    except orjson.JSONDecodeError:
        found = json.loads(line)
    return found


def _decoded(lines: Iterable[bytes], index: str) -> list[Event]:
    new: Any = tuple.__new__  # of a named tuple, without the detour over its constructor
    try:
        return [new(Event, (*orjson.loads(line), index, None)) for line in lines]
    except orjson.JSONDecodeError:
        return [_event(_loads(line), index) for line in lines]


def _event(values: list[Any], index: str) -> Event:
    return Event._make([*values, index, None])


def _decode(line: bytes, index: str) -> Event | None:
    if not line.endswith(b"\n"):
        return None
    try:
        return _event(_loads(line), index)
    except (ValueError, TypeError):
        return None


def _read(segment: _Segment, size: int, index: str, earliest: float, latest: float) -> list[Event]:
    """Events of one segment in the span, newest first; of one time the last written first, as Splunk shows them."""
    with segment.path.open("rb") as file:
        content = file.read(size)
    events = _decoded([line for line in content.split(b"\n") if line], index)
    events.reverse()
    if segment.low < earliest or segment.high >= latest:
        events = [event for event in events if earliest <= event.time < latest]
    events.sort(key=lambda event: event.time, reverse=True)
    return events


def _lines(segment: _Segment, size: int, index: str, earliest: float, latest: float) -> Iterator[list[Event]]:
    """Events of one segment in the span, as they were written."""
    inside = segment.low >= earliest and segment.high < latest
    left = size
    with segment.path.open("rb") as file:
        while left > 0 and (lines := file.readlines(min(left, READ_BYTES))):
            taken = sum(map(len, lines))
            if taken > left:  # written while this is read
                lines = b"".join(lines)[:left].splitlines(keepends=True)
            left -= taken
            events = _decoded(lines, index)
            yield events if inside else [event for event in events if earliest <= event.time < latest]


class EventSource(Protocol):
    """Events that are not of the store but searched with it, such as files."""

    def scan(self, names: Container[str], earliest: float, latest: float) -> Iterator[Event]:
        """Yield events, newest first."""

    def batches(self, names: Container[str], earliest: float, latest: float) -> Iterator[list[Event]]:
        """Yield events in any order, many together."""


class Store:
    """All indexes of a HOME."""

    def __init__(self, root: Path, clock: Callable[[], float] = time.time) -> None:
        self._root = root
        self.clock = clock
        self._indexes: dict[str, Index] = {}
        self._lock = threading.Lock()
        self._wake = threading.Condition()
        self._dirty: set[str] = set()
        self._written = 0
        self._durable = 0
        self._closing = False
        self.sources: list[EventSource] = []
        for path in sorted(root.glob("*/db")) if root.exists() else []:
            self._open(path.parent.name)
        self._committer = threading.Thread(target=self._commit_loop, name="committer", daemon=True)
        self._committer.start()

    def _open(self, name: str) -> Index:
        index = Index(name, self._root / name / "db")
        index.open()
        self._indexes[name] = index
        return index

    def index(self, name: str) -> Index:
        with self._lock:
            return self._indexes.get(name) or self._open(name)

    def names(self) -> list[str]:
        return sorted(self._indexes)

    def append(self, events: Iterable[Event]) -> int:
        """Write the events; return a ticket for ``durable``.

        Raises:
            OSError: the disk refused; events of indexes not yet written are not written.
        """
        groups: dict[str, list[Event]] = {}
        for event in events:
            groups.setdefault(event.index_name, []).append(event)
        for name, group in groups.items():
            self.index(name).append(group)
        with self._wake:
            self._dirty.update(groups)
            self._written += 1
            self._wake.notify_all()
            return self._written

    def durable(self, ticket: int) -> bool:
        return self._durable >= ticket

    def wait_durable(self, ticket: int, seconds: float) -> bool:
        with self._wake:
            return self._wake.wait_for(lambda: self._durable >= ticket, seconds)

    def _commit_loop(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._dirty or self._closing)
                if not self._dirty:
                    return
                names, self._dirty = self._dirty, set()
                ticket = self._written
            try:
                for name in names:
                    self.index(name).sync()
            except OSError:
                LOG.exception("fsync failed; what was written since stays unacknowledged")
                return
            with self._wake:
                self._durable = ticket
                self._wake.notify_all()

    def scan(self, names: Iterable[str], earliest: float = FLOOR, latest: float = CEILING) -> Iterator[Event]:
        """Yield events with earliest <= time < latest, newest first over all the indexes."""
        chosen = frozenset(names)
        held = self._held(chosen, earliest, latest)
        held.sort(key=lambda item: item[0].high, reverse=True)
        own = _merge(held, earliest, latest)
        more = [source.scan(chosen, earliest, latest) for source in self.sources]
        return heapq.merge(own, *more, key=lambda event: -event.time) if more else own

    def batches(
        self, names: Iterable[str], earliest: float = FLOOR, latest: float = CEILING, ordered: bool = True
    ) -> Iterator[list[Event]]:
        """Yield the same events many together: newest first only where that is asked."""
        chosen = frozenset(names)
        if ordered:
            events, size = iter(self.scan(chosen, earliest, latest)), FIRST_BATCH
            while batch := list(itertools.islice(events, size)):
                yield batch
                size = min(2 * size, BATCH)
            return
        for source in self.sources:
            yield from source.batches(chosen, earliest, latest)
        for segment, size, name in self._held(chosen, earliest, latest):
            yield from _lines(segment, size, name, earliest, latest)

    def _held(self, names: Iterable[str], earliest: float, latest: float) -> list[tuple[_Segment, int, str]]:
        """The segments to read, with the length that is safe to read and the index."""
        return [
            (*item, name)
            for name in sorted(names)
            if name in self._indexes
            for item in self._indexes[name].snapshot(earliest, latest)
        ]

    def delete(self, name: str) -> None:
        with self._lock:
            index = self._indexes.pop(name, None)
        if index:
            index.close()
            for path in index.folder.iterdir():
                path.unlink()
            index.folder.rmdir()

    def close(self) -> None:
        with self._wake:
            self._closing = True
            self._wake.notify_all()
        self._committer.join(timeout=10)
        for index in self._indexes.values():
            index.close()


def _merge(held: list[tuple[_Segment, int, str]], earliest: float, latest: float) -> Iterator[Event]:
    """Merge segments, opening each only when its newest event is next: memory follows the overlap, not the whole."""
    heap: list[tuple[float, int, int, list[Event]]] = []
    waiting = list(reversed(held))
    number = 0
    while heap or waiting:
        while waiting and (not heap or waiting[-1][0].high >= -heap[0][0]):
            segment, size, name = waiting.pop()
            events = _read(segment, size, name, earliest, latest)
            if events:
                heapq.heappush(heap, (-events[0].time, number, 0, events))
            number += 1
        if not heap:
            continue
        _, order, position, events = heap[0]
        if len(heap) == 1 and (not waiting or waiting[-1][0].high < events[-1].time):
            yield from events[position:]
            heap.clear()
            continue
        yield events[position]
        if position + 1 < len(events):
            heapq.heapreplace(heap, (-events[position + 1].time, order, position + 1, events))
        else:
            heapq.heappop(heap)


def check_index_name(name: str) -> str:
    """Lower-case letters, digits, _ and -; not first - ; not 'kvstore' (docs: indexes.conf.spec)."""
    ok = name and all(c.isascii() and (c.islower() or c.isdigit() or c in "_-") for c in name)
    if not ok or name[0] == "-" or "kvstore" in name or len(name) > 80:
        raise SandboxError(f"Index name {name!r} is not valid: use lower case letters, digits, _ and -")
    return name
