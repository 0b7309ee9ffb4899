"""Follows a log that another process writes: across rotations, restarts of either side, and torn lines.

The log is the buffer between gateway and forwarder. What has been read but is not durable yet is read again after
a crash: ``commit`` moves the checkpoint only when the caller says that everything up to a mark is safe.
Rotated files are ``<log>.<number>``; they are read oldest first and deleted when they are done. A log that is not
ours (``owned=False``) is followed wherever its owner moves it, and nothing of it is ever deleted.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from apisec_forwarder.files import write_private

CHUNK_BYTES = 2**20
HEAD_BYTES = 256  # of a file, hashed into the checkpoint: inode numbers are used again
QUIET_SECONDS = 15.0  # longer than Envoy's default flush interval of 10 s: then it writes elsewhere


@dataclasses.dataclass(frozen=True)
class Mark:
    """A place in a log: everything before it has been handed out."""

    device: int = 0
    inode: int = 0
    offset: int = 0
    head: str = ""  # hash of the first bytes
    order: int = 0  # counts the files of this run; not stored


@dataclasses.dataclass
class _Open:
    """The file that is being read."""

    file: BinaryIO
    path: Path  # as we opened or renamed it
    device: int
    inode: int
    order: int
    offset: int = 0  # behind the last whole line handed out
    partial: bytes = b""  # read behind ``offset``, without a line break so far
    skipping: bool = False  # inside a line that is too long
    active_at: float = 0.0  # when it last grew, or was found to have been moved away
    moved: bool = False


@dataclasses.dataclass
class TailCounts:
    """What went wrong, counted since the start; the caller ships it."""

    torn: int = 0  # lines without an end in a file that is done
    oversized: int = 0  # lines beyond the bound
    truncated: int = 0  # times that the log became shorter under us
    rotations: int = 0
    reopen_failures: int = 0


class LogTail:
    """Reads a log to its end and on; ``read`` never blocks."""

    def __init__(
        self,
        log: Path,
        checkpoint: Path,
        max_line_bytes: int,
        *,
        rotate_bytes: int = 0,
        reopen: Callable[[], None] | None = None,
        owned: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log = log
        self._owned = owned
        self._checkpoint = checkpoint
        self._max_line = max_line_bytes
        self._rotate_bytes = rotate_bytes
        self._reopen = reopen
        self._clock = clock
        self._open: _Open | None = None
        self._orders = 0
        self._done: list[tuple[int, Path, int]] = []  # order, path, inode of rotated files read to their end
        self._reopen_at: float | None = None  # when to ask Envoy (again) to reopen
        self._resume: Mark | None = load_mark(checkpoint)
        self._committed: Mark | None = self._resume
        self.counts = TailCounts()

    def read(self) -> list[bytes]:
        """Return the next whole lines without their line breaks; an empty list when there is nothing new now."""
        self._rotate_when_due()
        if self._open is None and not self._start():
            return []
        current = self._open
        assert current is not None
        lines = self._read_lines(current)
        if not lines and self._drained(current):
            self._finish(current)
        return lines

    def mark(self) -> Mark | None:
        """Return the place behind the last line handed out."""
        current = self._open
        if current is None:
            return None
        head = _head(current.file, current.offset)
        return Mark(current.device, current.inode, current.offset, head, current.order)

    def commit(self, mark: Mark | None) -> None:
        """Everything before ``mark`` is durable elsewhere: store that, and delete the rotated files before it."""
        if mark is None or mark == self._committed:
            return
        document = {"version": 1, **{key: value for key, value in vars(mark).items() if key != "order"}}
        write_private(self._checkpoint, json.dumps(document).encode())
        self._committed = mark
        for order, path, inode in [one for one in self._done if one[0] < mark.order]:
            _unlink(path, inode)
            self._done.remove((order, path, inode))

    def unread_bytes(self) -> int:
        """Bytes in the log and its rotated files that have not been handed out."""
        current = self._open
        total = 0
        for path in [*self._rotated(), self._log]:
            try:
                status = path.stat()
            except OSError:
                continue
            if current is not None and status.st_ino == current.inode:
                total += max(0, status.st_size - current.offset)
            elif not any(status.st_ino == inode for _, _, inode in self._done):
                total += status.st_size
        return total

    def close(self) -> None:
        if self._open is not None:
            self._open.file.close()
            self._open = None

    def _rotated(self) -> list[Path]:
        """Return the rotated files, oldest first."""
        if not self._owned:
            return []
        prefix = self._log.name + "."
        numbered = [path for path in self._log.parent.glob(f"{prefix}*") if path.name[len(prefix) :].isdigit()]
        return sorted(numbered, key=lambda path: int(path.name[len(prefix) :]))

    def _start(self) -> bool:
        """Open where the checkpoint points, or the oldest file there is."""
        resume, self._resume = self._resume, None
        moved = self._moved(resume) if resume is not None and not self._owned else []
        candidates = [path for path in [*moved, *self._rotated(), self._log] if path.exists()]
        for at, path in enumerate(candidates):
            if resume is not None and self._open_file(path, resume):
                for before in (
                    candidates[:at] if self._owned else []
                ):  # read to their end before the checkpoint moved on
                    _unlink(before, before.stat().st_ino)
                return True
        if candidates:
            return self._open_file(candidates[0], None)
        self._resume = resume
        return False

    def _moved(self, resume: Mark) -> list[Path]:
        """Return where the owner moved the file of the checkpoint while we were away: beside the log, if anywhere."""
        try:
            beside = [entry.path for entry in os.scandir(self._log.parent) if entry.inode() == resume.inode]
        except OSError:
            return []
        return [Path(path) for path in beside if Path(path) != self._log]

    def _open_file(self, path: Path, resume: Mark | None) -> bool:
        """Open ``path``; with ``resume`` only when it is that very file, and behind what was committed."""
        try:
            file = path.open("rb", buffering=0)
        except OSError:
            return False
        status = os.fstat(file.fileno())
        if resume is not None:
            same = (status.st_dev, status.st_ino) == (resume.device, resume.inode)
            if not same or status.st_size < resume.offset or _head(file, resume.offset) != resume.head:
                file.close()
                return False
            file.seek(resume.offset)
        if self._owned and status.st_mode & 0o077 and status.st_uid == os.geteuid():
            os.fchmod(file.fileno(), 0o600)  # raw traffic
        self._orders += 1
        offset = resume.offset if resume is not None else 0
        self._open = _Open(file, path, status.st_dev, status.st_ino, self._orders, offset, active_at=self._clock())
        return True

    def _read_lines(self, current: _Open) -> list[bytes]:
        if os.fstat(current.file.fileno()).st_size < current.offset + len(current.partial):
            self.counts.truncated += 1
            current.file.seek(0)
            current.offset, current.partial, current.skipping = 0, b"", False
        chunk = current.file.read(CHUNK_BYTES)
        if not chunk:
            return []
        current.active_at = self._clock()
        whole, found, rest = (current.partial + chunk).rpartition(b"\n")
        current.partial = rest
        lines = whole.split(b"\n") if found else []
        current.offset += len(whole) + len(found)
        if lines and current.skipping:
            del lines[0]
            current.skipping = False
        if len(rest) > self._max_line:
            self.counts.oversized += 0 if current.skipping else 1
            current.offset += len(rest)
            current.partial, current.skipping = b"", True
        return [line for line in lines if line]

    def _drained(self, current: _Open) -> bool:
        """Whether nothing more will come in this file: it was moved away, and the next one is being written."""
        try:
            live = self._log.stat()
        except OSError:
            return False
        if live.st_ino == current.inode and live.st_dev == current.device:
            return False
        if not current.moved:
            current.moved, current.active_at = True, self._clock()
        successors = [path for path in self._rotated() if path > current.path]
        return bool(live.st_size or successors) or self._clock() - current.active_at > QUIET_SECONDS

    def _finish(self, current: _Open) -> None:
        """Go on to the file after this one."""
        if self._read_more(current):
            return
        if current.partial and not current.skipping:
            self.counts.torn += 1
        current.file.close()
        rotated = self._rotated()
        if current.path in rotated:
            self._done.append((current.order, current.path, current.inode))
            rotated = rotated[rotated.index(current.path) + 1 :]
        self._open = None
        for path in [*rotated, self._log]:
            if self._open_file(path, None):
                return

    def _read_more(self, current: _Open) -> bool:
        """Whether the writer added something between our last read and the sign that it had moved on."""
        size = os.fstat(current.file.fileno()).st_size
        return size > current.offset + len(current.partial) and not current.skipping

    def _rotate_when_due(self) -> None:
        if self._reopen is None:
            return
        if self._reopen_at is not None:
            if self._clock() >= self._reopen_at:
                self._ask_to_reopen()
            return
        try:
            if self._log.stat().st_size <= self._rotate_bytes:
                return
        except OSError:
            return
        self._rotate()
        self._ask_to_reopen()

    def _rotate(self) -> None:
        """Rename the log and put an empty one of mode 600 in its place."""
        rotated = self._rotated()
        number = int(rotated[-1].name.rpartition(".")[2]) + 1 if rotated else 1
        target = self._log.with_name(f"{self._log.name}.{number:012d}")
        self._log.rename(target)
        current = self._open
        if current is not None and current.inode == target.stat().st_ino:
            current.path = target
        with contextlib.suppress(FileExistsError):  # a starting Envoy was faster
            os.close(os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        self.counts.rotations += 1

    def _ask_to_reopen(self) -> None:
        assert self._reopen is not None
        try:
            self._reopen()
            self._reopen_at = None
        except OSError:  # Envoy is away: when it starts, it opens the new file by itself
            self.counts.reopen_failures += 1
            self._reopen_at = self._clock() + 1.0


def load_mark(path: Path) -> Mark | None:
    """Return the stored checkpoint; None when there is none or it is damaged (everything is read again)."""
    try:
        document = json.loads(path.read_bytes())
        return Mark(int(document["device"]), int(document["inode"]), int(document["offset"]), str(document["head"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _head(file: BinaryIO, offset: int) -> str:
    data = os.pread(file.fileno(), min(offset, HEAD_BYTES), 0)
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def _unlink(path: Path, inode: int) -> None:
    """Delete a file that is done, if it is still the one we read."""
    try:
        if path.stat().st_ino == inode:
            path.unlink()
    except OSError:
        pass
