"""A source whose input is lines, each a transaction: what files, pipes and rings have in common."""

from __future__ import annotations

import errno
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from apisec.errors import ConfigError, DecodeError, DocumentError
from apisec.model.transaction import Transaction
from apisec_forwarder.receivers.base import RECEIVED, SKIPPED
from apisec_forwarder.receivers.tail import LogTail

MAX_LINE_BYTES = 16 * 2**20
PIPE_BYTES = 2**20


class Lines(Protocol):
    """Where lines come from; the methods are those of ``Source``, for bytes."""

    def read(self) -> Sequence[bytes]: ...
    def commit(self) -> None: ...
    def drain(self, *, handover: bool) -> bool:
        """Take in nothing new; return whether there may still be lines to read."""
        ...

    def counters(self) -> Iterator[tuple[tuple[str, str], int]]: ...
    def gauges(self) -> Mapping[str, float]: ...
    def close(self) -> None: ...


class LineSource:
    """Parses lines; a ``Source`` for the worker."""

    prompt = False

    def __init__(self, name: str, lines: Lines, parse: Callable[[bytes], Transaction]) -> None:
        self.name = name
        self._lines = lines
        self._parse = parse
        self._counts: Counter[tuple[str, str]] = Counter()
        self._left = False

    def read(self) -> Sequence[Transaction]:
        lines = self._lines.read()
        self._left = self._left and bool(lines)
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
        self._left = self._lines.drain(handover=handover)

    def pending(self) -> bool:
        return self._left

    def counters(self) -> Mapping[tuple[str, str], int]:
        return {**self._counts, **{key: count for key, count in self._lines.counters() if count}}

    def gauges(self) -> Mapping[str, float]:
        return self._lines.gauges()

    def close(self) -> None:
        self._lines.close()


class LogLines:
    """A log on disk: the buffer is the file itself, whoever rotates it."""

    def __init__(self, tail: LogTail) -> None:
        self._tail = tail

    def read(self) -> Sequence[bytes]:
        return self._tail.read()

    def commit(self) -> None:
        self._tail.commit(self._tail.mark())

    def drain(self, *, handover: bool) -> bool:
        """A file waits for the successor; without one it is read to its present end."""
        return not handover

    def counters(self) -> Iterator[tuple[tuple[str, str], int]]:
        counts = self._tail.counts
        yield (SKIPPED, "unended"), counts.torn
        yield (SKIPPED, "oversized"), counts.oversized
        yield ("log_rotations", ""), counts.rotations
        yield ("log_truncations", ""), counts.truncated
        yield ("log_reopen_failures", ""), counts.reopen_failures

    def gauges(self) -> Mapping[str, float]:
        return {"unread_bytes": self._tail.unread_bytes()}

    def close(self) -> None:
        self._tail.close()


class PipeLines:
    """A named pipe; writers may come and go."""

    def __init__(self, path: Path, where: str) -> None:
        try:
            # for reading and writing, so that the end of one writer is not the end of the pipe (fifo(7), Linux)
            self._handle = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise ConfigError(f"cannot be opened: {error.strerror}", where=f"{where}: {path}") from error
        self._partial = b""
        self._skipping = False
        self._oversized = 0

    def read(self) -> Sequence[bytes]:
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

    def drain(self, *, handover: bool) -> bool:
        """What stands in the pipe stays there for a successor, and is read without one."""
        return not handover

    def counters(self) -> Iterator[tuple[tuple[str, str], int]]:
        yield (SKIPPED, "oversized"), self._oversized

    def gauges(self) -> Mapping[str, float]:
        return {"unread_bytes": len(self._partial)}

    def close(self) -> None:
        os.close(self._handle)
