"""A source that only one process may have at a time: the next one waits until the one before has let go.

That is how a file is handed over from one generation of workers to the next: the old one commits its checkpoint and
closes, the lock comes free, and the new one opens the source behind the checkpoint.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from apisec.model.transaction import Transaction
from apisec_forwarder.receivers.base import Source


class Claimed:
    """Opens a source once the lock is ours; until then it gives nothing."""

    prompt = False

    def __init__(self, name: str, lock: Path, opener: Callable[[], Source]) -> None:
        self.name = name
        self._opener = opener
        self._source: Source | None = None
        self._descriptor: int | None = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._leaving = False
        self._claim()

    def _claim(self) -> Source | None:
        if self._source is None and self._descriptor is not None and not self._leaving:
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return None
            self._source = self._opener()
        return self._source

    def read(self) -> Sequence[Transaction]:
        source = self._claim()
        return source.read() if source is not None else ()

    def commit(self) -> None:
        if self._source is not None:
            self._source.commit()

    def drain(self, *, handover: bool) -> None:
        self._leaving = True
        if self._source is not None:
            self._source.drain(handover=handover)

    def pending(self) -> bool:
        return self._source is not None and self._source.pending()

    def counters(self) -> Mapping[tuple[str, str], int]:
        return self._source.counters() if self._source is not None else {}

    def gauges(self) -> Mapping[str, float]:
        return self._source.gauges() if self._source is not None else {}

    def close(self) -> None:
        if self._source is not None:
            self._source.close()
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
