"""Takes batches out of the spool and forgets them when they are acknowledged."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from apisec_forwarder.files import private_directory, write_private
from apisec_forwarder.spool.segments import (
    POSITIONS_FILE,
    Position,
    Segment,
    decode,
    dump_positions,
    list_segments,
    read_positions,
    segment_path,
)
from apisec_forwarder.spool.writer import lock

MAX_RECORD_BYTES = 16 * 2**20  # a longer line without an end is damage, not a record


@dataclass(frozen=True)
class Batch:
    """Envelopes of one writer in order, and the position behind them."""

    writer: str
    envelopes: tuple[bytes, ...]
    end: Position


class SpoolReader:
    """The only reader of a spool (a lock holds that). Batches must be acknowledged in the order they were taken.

    ``damaged`` counts lines that were torn or did not match their checksum. After a restart, reading begins
    behind what was acknowledged: what had been taken but not acknowledged comes again.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = private_directory(directory)
        self._owner = lock(directory / "reader.lock")
        self._acknowledged = read_positions(directory)
        self._taken = dict(self._acknowledged)
        self._last_writer = ""
        self.damaged = 0

    def take(self, max_bytes: int) -> Batch | None:
        """Return the next envelopes, together at most ``max_bytes`` (or one that is larger); None: nothing new."""
        segments = list_segments(self._directory)
        writers = sorted({segment.writer for segment in segments})
        turn = [one for one in writers if one > self._last_writer] + [
            one for one in writers if one <= self._last_writer
        ]
        for writer in turn:
            batch = self._take_from(writer, [one for one in segments if one.writer == writer], max_bytes)
            if batch is not None:
                self._last_writer = writer
                return batch
        return None

    def acknowledge(self, batch: Batch) -> None:
        """Splunk has these envelopes: remember it, and delete the segments that are done."""
        self._acknowledged[batch.writer] = batch.end
        write_private(self._directory / POSITIONS_FILE, dump_positions(self._acknowledged), durable=False)
        self._clean(batch.writer)

    def pending_bytes(self) -> int:
        """Bytes that are not acknowledged yet, of all writers."""
        total = 0
        for segment in list_segments(self._directory):
            done = self._acknowledged.get(segment.writer, Position())
            if segment.number > done.segment:
                total += segment.size
            elif segment.number == done.segment:
                total += max(0, segment.size - done.offset)
        return total

    def _take_from(self, writer: str, segments: list[Segment], max_bytes: int) -> Batch | None:
        at = self._taken.get(writer, Position())
        for index, segment in enumerate(segments):
            if segment.number < at.segment:
                continue
            start = at.offset if segment.number == at.segment else 0
            # listed before it is read: when a newer segment exists, nothing more is appended to this one
            closed = index + 1 < len(segments)
            batch = self._read(segment, start, max_bytes, closed)
            if batch is not None:
                self._taken[writer] = batch.end
                return batch
        return None

    def _read(self, segment: Segment, start: int, max_bytes: int, closed: bool) -> Batch | None:
        envelopes: list[bytes] = []
        size, offset = 0, start
        try:
            file: BinaryIO = segment.path.open("rb")
        except FileNotFoundError:  # the cap dropped it since the folder was listed
            return None
        with file:
            file.seek(start)
            while line := file.readline(MAX_RECORD_BYTES):
                whole = line.endswith(b"\n")
                if not whole and not closed and len(line) < MAX_RECORD_BYTES:
                    break  # still being written
                envelope = decode(line[:-1]) if whole else None
                if envelope is None:
                    self.damaged += 1
                elif envelopes and size + len(envelope) > max_bytes:
                    break
                else:
                    envelopes.append(envelope)
                    size += len(envelope) + 1
                offset += len(line)
        self._taken[segment.writer] = Position(segment.number, offset)
        return Batch(segment.writer, tuple(envelopes), Position(segment.number, offset)) if envelopes else None

    def _clean(self, writer: str) -> None:
        """Delete the segments before the acknowledged position, and that one too when it is closed and done."""
        done = self._acknowledged[writer]
        own = [segment for segment in list_segments(self._directory) if segment.writer == writer]
        for segment in own[:-1]:
            finished = segment.number == done.segment and done.offset >= segment.size
            if segment.number < done.segment or finished:
                segment_path(self._directory, writer, segment.number).unlink(missing_ok=True)
