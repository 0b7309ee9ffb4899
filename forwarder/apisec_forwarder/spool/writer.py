"""Appends envelopes to a writer's segments."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import threading
import time
from collections.abc import Callable
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
)

SEGMENT_BYTES = 8 * 2**20
SYNC_BYTES = 2**20  # a power failure costs at most this much, or sync_seconds
LOCK_WAIT_SECONDS = 5.0  # a predecessor that is being ended still holds the lock for a moment
_FULL = (errno.ENOSPC, errno.EDQUOT)


class Spool:
    """One writer of the spool; safe for several threads.

    ``append`` hands the record to the kernel before it returns, so the death of this process loses nothing;
    fsync(2), which guards against power failure, follows within ``sync_seconds`` or ``SYNC_BYTES`` (``append``
    does it when it is due; a writer that may fall silent calls ``sync``). ``max_bytes`` caps all writers of the
    folder together: the oldest segments go first, and ``dropped`` counts what was lost. OSError when the disk
    takes no more; the envelope is then not in the spool and the caller keeps it.
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
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,31}", writer):
            raise ValueError(f"not a writer's name: {writer!r}")
        self._directory = private_directory(directory)
        self._writer = writer
        self._max_bytes = max_bytes
        self._segment_bytes = segment_bytes or max(4096, min(SEGMENT_BYTES, max_bytes // 8))
        self._sync_seconds = sync_seconds
        self._suffix = suffix
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

    def append(self, envelope: bytes) -> None:
        """Add one envelope: a line of JSON in UTF-8."""
        record = encode(envelope)
        with self._mutex:
            if self._descriptor is None or self._size + len(record) > self._segment_bytes:
                self._roll()
            self._write(record)
            if self._unsynced >= SYNC_BYTES or self._clock() - self._synced_at >= self._sync_seconds:
                self._sync()

    def sync(self) -> None:
        """Return when everything appended so far is on the disk."""
        with self._mutex:
            self._sync()

    def enforce(self) -> None:
        """Hold the cap now. Appending does it too, but only this writer's own appending."""
        with self._mutex:
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
        self._evict(self._max_bytes - self._segment_bytes)
        path = segment_path(self._directory, self._writer, self._number + 1, self._suffix)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, 0o600)
        self._number += 1
        self._size = 0
        sync_directory(self._directory)

    def _write(self, record: bytes) -> None:
        """Write the whole record or nothing of it; on a full disk the oldest segment makes room once."""
        for last in (False, True):
            assert self._descriptor is not None
            try:
                view = memoryview(record)
                while view:
                    view = view[os.write(self._descriptor, view) :]
            except OSError as error:
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
