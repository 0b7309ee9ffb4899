"""Appends envelopes to a writer's segments."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType

from apisec.errors import ConfigError
from apisec_forwarder.files import private_directory, sync_directory
from apisec_forwarder.spool.segments import (
    SUFFIX,
    Dropped,
    Position,
    encode,
    evict,
    list_segments,
    read_positions,
    segment_path,
    tidy,
)

SEGMENT_BYTES = 8 * 2**20
MAX_SEGMENTS = 64  # at least so many fit under the cap, so that one open segment of many workers is no great part of it
SYNC_BYTES = 2**20  # a power failure costs at most this much, or sync_seconds
LOCK_WAIT_SECONDS = 5.0  # a predecessor that is being ended still holds the lock for a moment
_FULL = (errno.ENOSPC, errno.EDQUOT)
OVERFLOWS = ("drop_oldest", "pause")


class SpoolFull(OSError):  # noqa: N818 (a state that the caller waits out)
    """The cap is reached, and ``overflow`` says to pause: the caller keeps its envelopes and reads no more."""


class Spool:
    """One writer of the spool; safe for several threads.

    ``append`` and ``extend`` hand the records to the kernel before they return, so the death of this process loses
    nothing; fsync(2), which guards against power failure, follows within ``sync_seconds`` or ``SYNC_BYTES``
    (appending does it when it is due; a writer that may fall silent calls ``sync``). ``max_bytes`` caps all writers
    of the folder together (each may go beyond it by the rest of its newest segment).

    At the cap and on a full disk, ``overflow`` decides: ``drop_oldest`` drops the oldest segments and ``dropped``
    counts what was lost; ``pause`` drops nothing and raises ``SpoolFull`` until Splunk has taken some. OSError in
    any case when the disk takes no more; the caller keeps what it wanted to add.

    ``state`` says how it stands: ``ok``, ``full`` (paused at the cap), ``no_space`` (the disk), ``error`` (another
    failure of the disk); it is ``ok`` again with the first append that succeeds.
    """

    def __init__(
        self,
        directory: Path,
        writer: str,
        max_bytes: int,
        *,
        sync_seconds: float = 0.5,
        segment_bytes: int | None = None,
        suffix: str = SUFFIX,
        overflow: str = "drop_oldest",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,31}", writer):
            raise ValueError(f"not a writer's name: {writer!r}")
        if overflow not in OVERFLOWS:
            raise ValueError(f"not a way to overflow: {overflow!r}")
        self._directory = private_directory(directory)
        self._writer = writer
        self._max_bytes = max_bytes
        self._segment_bytes = segment_bytes or max(4096, min(SEGMENT_BYTES, max_bytes // MAX_SEGMENTS))
        self._sync_seconds = sync_seconds
        self._suffix = suffix
        self._pause = overflow == "pause"
        self._clock = clock
        self._mutex = threading.Lock()
        self._owner = lock(directory / f"{writer}.lock")
        numbers = [one.number for one in list_segments(directory, suffix) if one.writer == writer]
        # never below what the reader has acknowledged: a number used twice would count as already sent
        self._number = max([*numbers, read_positions(directory).get(writer, Position()).segment])
        self._descriptor: int | None = None
        self._size = 0
        self._unsynced = 0
        self._synced_at = clock()
        self.dropped = Dropped()
        self.state = "ok"

    def append(self, envelope: bytes) -> None:
        """Add one envelope: a line of JSON in UTF-8."""
        self.extend((envelope,))

    def extend(self, envelopes: Iterable[bytes]) -> None:
        """Add envelopes in one write. After an error, the caller adds them again; a few may then stand twice."""
        record = b"".join(map(encode, envelopes))
        with self._mutex:
            try:
                if self._descriptor is None or (self._size and self._size + len(record) > self._segment_bytes):
                    self._roll()
                self._write(record)
                if self._unsynced >= SYNC_BYTES or self._clock() - self._synced_at >= self._sync_seconds:
                    self._sync()
            except SpoolFull:
                self.state = "full"
                raise
            except OSError as error:
                self.state = "no_space" if error.errno in _FULL else "error"
                raise
            self.state = "ok"

    def sync(self) -> None:
        """Return when everything appended so far is on the disk."""
        with self._mutex:
            self._sync()

    def enforce(self) -> None:
        """Hold the cap now. Appending does it too, but only this writer's own appending."""
        with self._mutex:
            if not self._pause:
                self._evict(self._max_bytes)

    def close(self) -> None:
        with self._mutex:
            self._sync()
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None
            os.close(self._owner)

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _roll(self) -> None:
        """Begin the next segment; the one before is complete from now on."""
        self._sync()
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
        self._make_room()
        path = segment_path(self._directory, self._writer, self._number + 1, self._suffix)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, 0o600)
        self._number += 1
        self._size = 0
        sync_directory(self._directory)

    def _make_room(self) -> None:
        """Room for one more segment under the cap; SpoolFull when none may be made."""
        if not self._pause:
            self._evict(self._max_bytes - self._segment_bytes)
            return
        # what is acknowledged and cannot be deleted yet (other writers' open segments) must not pause this one for ever
        positions = read_positions(self._directory)
        waiting = (one.waiting(positions) for one in tidy(self._directory, self._suffix))
        if sum(waiting) > self._max_bytes - self._segment_bytes:
            raise SpoolFull(errno.ENOSPC, "the spool is at its cap (spool.max_bytes)")

    def _write(self, record: bytes) -> None:
        """Write the records; on a full disk the oldest segment makes room once, and what was torn is written again."""
        for last in (self._pause, True):
            assert self._descriptor is not None
            view = memoryview(record)
            try:
                while view:
                    view = view[os.write(self._descriptor, view) :]
            except OSError as error:
                # only the torn end goes: the reader may have taken the whole records before it already
                self._size += record.rfind(b"\n", 0, len(record) - len(view)) + 1
                os.ftruncate(self._descriptor, self._size)
                if last or error.errno not in _FULL:
                    raise
                used = sum(one.size for one in list_segments(self._directory, self._suffix))
                self._evict(max(0, used - self._segment_bytes))
            else:
                self._size += len(record)
                self._unsynced += len(record)
                return

    def _evict(self, max_bytes: int) -> None:
        self.dropped += evict(self._directory, max_bytes, self._suffix)

    def _sync(self) -> None:
        if self._unsynced and self._descriptor is not None:
            os.fdatasync(self._descriptor)
            self._unsynced = 0
        self._synced_at = self._clock()


def lock(path: Path) -> int:
    """Take the writer's lock; it goes with the process, however that ends."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + LOCK_WAIT_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except BlockingIOError:
            if time.monotonic() > deadline:
                os.close(descriptor)
                raise ConfigError(
                    "another apisec-forwarder uses this spool; give each its own spool.directory",
                    where=str(path.parent),
                ) from None
            time.sleep(0.05)
