"""Segments on disk: their names, their records, the reader's position, and dropping the oldest."""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

try:  # the same CRC-32, 20 times as fast as zlib's
    from isal.isal_zlib import crc32
except ImportError:  # no wheel for this machine
    from zlib import crc32

_NAME = re.compile(r"([a-z][a-z0-9_]{0,31})-([0-9]{12})")
SUFFIX = ".log"
POSITIONS_FILE = "acknowledged.json"
_CRC_BYTES = 9  # eight hex digits and the space


@dataclass(frozen=True, order=True)
class Position:
    """A place in one writer's segments: everything before it is done."""

    segment: int = 0
    offset: int = 0


@dataclass(frozen=True)
class Segment:
    """One file, as it was when the folder was listed."""

    path: Path
    writer: str
    number: int
    size: int
    modified: float

    def waiting(self, positions: Mapping[str, Position]) -> int:
        """Bytes that are not acknowledged."""
        done = positions.get(self.writer, Position())
        if self.number == done.segment:
            return max(0, self.size - done.offset)
        return self.size if self.number > done.segment else 0


@dataclass(frozen=True)
class Dropped:
    """What the cap cost: events and bytes that Splunk had not acknowledged."""

    records: int = 0
    size: int = 0

    def __add__(self, other: Dropped) -> Dropped:
        return Dropped(self.records + other.records, self.size + other.size)


def encode(envelope: bytes) -> bytes:
    """Return the record of an envelope; ValueError when it holds a line break (JSON never needs one)."""
    if b"\n" in envelope:
        raise ValueError("an envelope must be one line of JSON")
    return b"%08x %b\n" % (crc32(envelope), envelope)


def decode(data: bytes, start: int = 0, end: int | None = None) -> bytes | None:
    """Return the envelope of the record ``data[start:end]``, without its line break; None when torn or damaged."""
    envelope = data[start + _CRC_BYTES : end]
    return envelope if data[start : start + _CRC_BYTES] == b"%08x " % crc32(envelope) else None


def segment_path(directory: Path, writer: str, number: int, suffix: str = SUFFIX) -> Path:
    return directory / f"{writer}-{number:012d}{suffix}"


def list_segments(directory: Path, suffix: str = SUFFIX) -> list[Segment]:
    """Return all segments, by writer and number. A file that goes away meanwhile is left out."""
    found = []
    with os.scandir(directory) as entries:
        for entry in entries:
            name = _NAME.fullmatch(entry.name.removesuffix(suffix)) if entry.name.endswith(suffix) else None
            if name is None:
                continue
            try:
                status = entry.stat()
            except FileNotFoundError:
                continue
            found.append(Segment(Path(entry.path), name[1], int(name[2]), status.st_size, status.st_mtime))
    return sorted(found, key=lambda segment: (segment.writer, segment.number))


def read_positions(directory: Path) -> dict[str, Position]:
    """Return what was acknowledged per writer; nothing when the file is missing or damaged (all is resent)."""
    try:
        document = json.loads((directory / POSITIONS_FILE).read_bytes())
        return {str(writer): Position(int(at[0]), int(at[1])) for writer, at in document["positions"].items()}
    except (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError):
        return {}


def dump_positions(positions: dict[str, Position]) -> bytes:
    document = {writer: [at.segment, at.offset] for writer, at in sorted(positions.items())}
    return json.dumps({"version": 1, "positions": document}).encode()


def tidy(directory: Path, suffix: str = SUFFIX) -> list[Segment]:
    """Delete the segments that are acknowledged to their end and closed (a newest one: by its writer's end).

    Returns what is left.
    """
    positions = read_positions(directory)
    segments = list_segments(directory, suffix)
    newest = {segment.writer: segment.number for segment in segments}
    left = []
    for segment in segments:
        behind = segment.number <= positions.get(segment.writer, Position()).segment
        if (
            behind
            and not segment.waiting(positions)
            and (segment.number != newest[segment.writer] or _ended(directory, segment.writer))
        ):
            segment.path.unlink(missing_ok=True)
        else:
            left.append(segment)
    return left


def _ended(directory: Path, writer: str) -> bool:
    """Whether nobody holds the writer's lock. One that starts now begins a new segment in any case."""
    try:
        descriptor = os.open(directory / f"{writer}.lock", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    else:
        return True
    finally:
        os.close(descriptor)


def evict(directory: Path, max_bytes: int, suffix: str = SUFFIX) -> Dropped:
    """Delete the oldest segments until the rest fits ``max_bytes``; never a writer's newest one.

    What is acknowledged goes first and costs nothing.
    """
    segments = tidy(directory, suffix)
    newest = {segment.writer: segment.number for segment in segments}
    total = sum(segment.size for segment in segments)
    positions = read_positions(directory)
    dropped = Dropped()
    for segment in _by_age(segments):
        if total <= max_bytes:
            break
        if segment.number == newest[segment.writer]:
            continue
        cost = unacknowledged(segment, positions.get(segment.writer, Position()))
        try:
            segment.path.unlink()
        except FileNotFoundError:  # another writer made room at the same time, and counted it
            continue
        else:
            dropped += cost
        finally:
            total -= segment.size
    return dropped


def _by_age(segments: list[Segment]) -> list[Segment]:
    """Sort by age: within a writer by number, whatever a step of the clock did to the files' times."""
    aged: list[tuple[float, int, Segment]] = []
    latest: dict[str, float] = {}
    for segment in segments:  # in the order of numbers
        latest[segment.writer] = max(latest.get(segment.writer, 0.0), segment.modified)
        aged.append((latest[segment.writer], segment.number, segment))
    return [segment for _, _, segment in sorted(aged, key=lambda one: one[:2])]


def unacknowledged(segment: Segment, done: Position) -> Dropped:
    """Count the records of a segment that lie beyond the acknowledged position."""
    if segment.number < done.segment:
        return Dropped()
    start = done.offset if segment.number == done.segment else 0
    records = 0
    try:
        with segment.path.open("rb") as file:
            file.seek(start)
            while chunk := file.read(1 << 20):
                records += chunk.count(b"\n")
    except FileNotFoundError:
        return Dropped()
    return Dropped(records, max(0, segment.size - start))
