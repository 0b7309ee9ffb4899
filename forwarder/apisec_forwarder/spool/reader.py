"""Takes batches out of the spool and forgets them when they are acknowledged."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

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
    tidy,
)
from apisec_forwarder.spool.writer import lock

MAX_RECORD_BYTES = 16 * 2**20  # a longer line without an end is damage, not a record
RELIST_TAKES = 16  # a writer that is new is seen after at most so many batches
_SLACK_BYTES = 64 * 2**10


@dataclass(frozen=True)
class Span:
    """Where a batch lies: in one segment of one writer, from ``start`` up to ``end``."""

    writer: str
    start: Position
    end: Position


@dataclass(frozen=True)
class Batch:
    """Envelopes of one writer in order, and where they lie. ``growing``: more may be appended right behind them."""

    span: Span
    envelopes: tuple[bytes, ...]
    growing: bool = True


class SpoolReader:
    """The only reader of a spool (a lock holds that). Spans must be acknowledged in the order they were taken.

    ``damaged`` counts lines that were torn or did not match their checksum, ``unsaved`` times that the disk had no
    room for the positions. After a restart, reading begins behind what was acknowledged: what had been taken but
    not acknowledged comes again.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = private_directory(directory)
        self._owner = lock(directory / "reader.lock")
        self._acknowledged = read_positions(directory)
        self._taken = dict(self._acknowledged)
        self._last_writer = ""
        self._listing: list[Segment] = []
        self._takes = 0
        self.damaged = 0
        self.unsaved = 0

    def take(self, max_bytes: int, skip: Collection[str] = ()) -> Batch | None:
        """Return the next envelopes, together at most ``max_bytes`` (or one that is larger); None: nothing new.

        Writers take turns; those named in ``skip`` are passed over.
        """
        self._takes += 1
        if self._listing and self._takes % RELIST_TAKES:
            batch = self._turn(max_bytes, skip)
            if batch is not None:
                return batch
        self._listing = list_segments(self._directory)
        return self._turn(max_bytes, skip)

    def reread(self, span: Span) -> tuple[bytes, ...] | None:
        """Return a taken batch's envelopes once more; None when the cap has dropped them since."""
        try:
            descriptor = os.open(segment_path(self._directory, span.writer, span.start.segment), os.O_RDONLY)
        except FileNotFoundError:
            return None
        try:
            data = os.pread(descriptor, span.end.offset - span.start.offset, span.start.offset)
        finally:
            os.close(descriptor)
        return tuple(filter(None, map(decode, data.split(b"\n"))))

    def acknowledge(self, *spans: Span) -> None:
        """Splunk has these envelopes: remember it in one write, and delete the segments that are done.

        A full disk is no reason to stop: deleting comes first then, and the positions are written when there is room
        (until then, the end of this process means duplicates).
        """
        moved: set[str] = set()
        for span in spans:
            if span.end.segment > self._acknowledged.get(span.writer, Position()).segment:
                moved.add(span.writer)
            self._acknowledged[span.writer] = span.end
        saved = self._save()
        for writer in moved if saved else sorted({span.writer for span in spans}):
            with contextlib.suppress(OSError):  # a disk that fails here costs room, not events
                self._clean(writer)
        if not saved and not self._save():
            self.unsaved += 1

    def pending_bytes(self) -> int:
        """Bytes that are not acknowledged yet, of all writers."""
        return sum(segment.waiting(self._acknowledged) for segment in list_segments(self._directory))

    def tidy(self) -> None:
        """Delete acknowledged segments that no later acknowledgement would: the last ones of ended writers."""
        tidy(self._directory)

    def close(self) -> None:
        """Let another reader have the spool."""
        os.close(self._owner)

    def _save(self) -> bool:
        try:
            write_private(self._directory / POSITIONS_FILE, dump_positions(self._acknowledged), durable=False)
        except OSError:
            return False
        return True

    def _turn(self, max_bytes: int, skip: Collection[str]) -> Batch | None:
        writers = sorted({segment.writer for segment in self._listing} - set(skip))
        after = [one for one in writers if one > self._last_writer]
        for writer in after + [one for one in writers if one <= self._last_writer]:
            batch = self._take_from(writer, [one for one in self._listing if one.writer == writer], max_bytes)
            if batch is not None:
                self._last_writer = writer
                return batch
        return None

    def _take_from(self, writer: str, segments: list[Segment], max_bytes: int) -> Batch | None:
        at = self._taken.get(writer, Position())
        for index, segment in enumerate(segments):
            if segment.number < at.segment:
                continue
            start = at.offset if segment.number == at.segment else 0
            # listed before it is read: when a newer segment exists, nothing more is appended to this one
            closed = index + 1 < len(segments)
            if closed and start >= segment.size:
                continue
            batch = self._read(segment, start, max_bytes, closed)
            if batch is not None:
                return batch
        return None

    def _read(self, segment: Segment, start: int, max_bytes: int, closed: bool) -> Batch | None:
        try:
            descriptor = os.open(segment.path, os.O_RDONLY)
        except FileNotFoundError:  # the cap dropped it since the folder was listed
            return None
        try:
            envelopes, end = self._scan(descriptor, start, max_bytes, closed)
        finally:
            os.close(descriptor)
        place = Position(segment.number, end)
        self._taken[segment.writer] = place
        if not envelopes:
            return None
        return Batch(Span(segment.writer, Position(segment.number, start), place), tuple(envelopes), not closed)

    def _scan(self, descriptor: int, start: int, max_bytes: int, closed: bool) -> tuple[list[bytes], int]:
        """Return whole records from ``start``, and where the next one begins."""
        envelopes: list[bytes] = []
        size, offset, want = 0, start, max_bytes + _SLACK_BYTES
        while True:
            data = os.pread(descriptor, want, offset)
            at = 0
            while (end := data.find(b"\n", at)) >= 0:
                envelope = decode(data, at, end)
                if envelope is None:
                    self.damaged += 1
                elif envelopes and size + len(envelope) > max_bytes:
                    return envelopes, offset + at
                else:
                    envelopes.append(envelope)
                    size += len(envelope) + 1
                at = end + 1
            offset += at
            if len(data) < want:  # the end of the file
                if closed and at < len(data):
                    self.damaged += 1
                    offset += len(data) - at
                return envelopes, offset
            if envelopes:
                return envelopes, offset
            if at == 0 and want >= MAX_RECORD_BYTES:
                self.damaged += 1
                offset += len(data)
            want = min(MAX_RECORD_BYTES, want * 4) if at == 0 else want

    def _clean(self, writer: str) -> None:
        """Delete the segments before the acknowledged position, and what else is done as far as that is on the disk."""
        done = self._acknowledged[writer]
        for segment in list_segments(self._directory):
            if segment.writer == writer and segment.number < done.segment:
                segment.path.unlink(missing_ok=True)
        tidy(self._directory)
