"""Follows a file, or reads a named pipe, that another program writes: a transaction a line, in one of several formats.

A file is a buffer: it is read from the last checkpoint, across rotations by its owner, and never changed. A pipe is
none: what its writer had written when we died is lost, which is what a pipe is.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from apisec.errors import ConfigError, DecodeError, DocumentError
from apisec.model.transaction import Transaction
from apisec_forwarder.receivers import envoy, records
from apisec_forwarder.receivers.base import RECEIVED, SKIPPED, Place
from apisec_forwarder.receivers.documents import parsed
from apisec_forwarder.receivers.tail import LogTail

if TYPE_CHECKING:
    from apisec_forwarder.config.schema import FileReceiver

MAX_LINE_BYTES = 16 * 2**20
PIPE_BYTES = 2**20

Parse = Callable[[bytes], Transaction]


def parser(kind: str) -> Parse:
    """Return what reads a line of a format; it raises DocumentError or DecodeError, which repeat no byte of it."""
    if kind == "envoy":
        return envoy.parse
    reader = records.FORMATS["transactions" if kind == "jsonl" else kind]
    return lambda line: reader(parsed(line), line, 0)


class Lines(Protocol):
    """Where lines come from."""

    def read(self) -> list[bytes]: ...
    def commit(self) -> None: ...
    def skipped(self) -> Iterator[tuple[str, int]]: ...
    def unread_bytes(self) -> int: ...
    def close(self) -> None: ...


class _File:
    """A file that its owner rotates."""

    def __init__(self, path: Path, state: Path) -> None:
        name = hashlib.blake2b(os.fsencode(path.absolute()), digest_size=8).hexdigest()
        self._tail = LogTail(path, state / f"file-{name}.json", MAX_LINE_BYTES, owned=False)

    def read(self) -> list[bytes]:
        return self._tail.read()

    def commit(self) -> None:
        self._tail.commit(self._tail.mark())

    def skipped(self) -> Iterator[tuple[str, int]]:
        yield "unended", self._tail.counts.torn
        yield "oversized", self._tail.counts.oversized

    def unread_bytes(self) -> int:
        return self._tail.unread_bytes()

    def close(self) -> None:
        self._tail.close()


class _Pipe:
    """A named pipe; writers may come and go."""

    def __init__(self, path: Path) -> None:
        try:
            # for reading and writing, so that the end of one writer is not the end of the pipe (fifo(7), Linux)
            self._handle = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise ConfigError(f"cannot be opened: {error.strerror}", where=f"receiver.files: {path}") from error
        self._partial = b""
        self._skipping = False
        self._oversized = 0

    def read(self) -> list[bytes]:
        try:
            chunk = os.read(self._handle, PIPE_BYTES)
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EINTR):
                return []
            raise
        *lines, self._partial = (self._partial + chunk).split(b"\n")
        if lines and self._skipping:
            del lines[0]
            self._skipping = False
        if len(self._partial) > MAX_LINE_BYTES:
            self._oversized += 0 if self._skipping else 1
            self._partial, self._skipping = b"", True
        return lines

    def commit(self) -> None:
        """A pipe has no way back."""

    def skipped(self) -> Iterator[tuple[str, int]]:
        yield "oversized", self._oversized

    def unread_bytes(self) -> int:
        return len(self._partial)

    def close(self) -> None:
        os.close(self._handle)


class FileSource:
    """One file or pipe; a ``Source`` for the worker that owns it."""

    prompt = False

    def __init__(self, settings: FileReceiver, place: Place, name: str) -> None:
        self.name = name
        self._parse = parser(settings.format)
        self._lines: Lines = _Pipe(settings.path) if _is_pipe(settings.path) else _File(settings.path, place.state)
        self._counts: Counter[tuple[str, str]] = Counter()
        self._draining = self._empty = False

    def read(self) -> Sequence[Transaction]:
        lines = self._lines.read()
        self._empty = not lines
        found = [one for one in map(self._transaction, lines) if one is not None]
        self._counts[RECEIVED, ""] += len(found)
        return found

    def _transaction(self, line: bytes) -> Transaction | None:
        if not line.strip():
            return None
        try:
            return self._parse(line)
        except (DecodeError, DocumentError):
            self._counts[SKIPPED, "malformed"] += 1
        except (ValueError, TypeError, RecursionError):  # a shape that no reader thought of
            self._counts[SKIPPED, "failed"] += 1
        return None

    def commit(self) -> None:
        self._lines.commit()

    def drain(self, *, handover: bool) -> None:
        """A file waits for the successor; without one it is read to its present end."""
        self._draining, self._empty = True, handover

    def pending(self) -> bool:
        return self._draining and not self._empty

    def counters(self) -> Mapping[tuple[str, str], int]:
        return {**self._counts, **{(SKIPPED, cause): count for cause, count in self._lines.skipped() if count}}

    def gauges(self) -> Mapping[str, float]:
        return {"unread_bytes": self._lines.unread_bytes()}

    def close(self) -> None:
        self._lines.close()


def _is_pipe(path: Path) -> bool:
    try:
        return stat.S_ISFIFO(path.stat().st_mode)
    except OSError:
        return False  # a file that is yet to come
