"""Keeps the models of parameters beside the spool: one private file a worker, merged with those of the others.

``parameters-<process>.json`` is compressed JSON (mode 600): hashed traits, no value. A worker writes its own each five
minutes where something changed, and takes what the others wrote; merging is idempotent. A file that cannot be read is
said and left out: what is usual is learned again.
"""

from __future__ import annotations

import json
import logging
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from apisec.errors import ApisecError, DocumentError
from apisec.parameters import Book
from apisec.parameters.document import dump, load
from apisec_forwarder import logs
from apisec_forwarder.files import read_private, write_private

EVERY_SECONDS = 300.0
MAX_FILE = 8 * 2**20  # bytes, compressed
MAX_TEXT = 32 * 2**20  # bytes, not compressed
NAME = "parameters-*.json.z"

logger = logging.getLogger(__name__)


class Learning:
    """A worker's models, their file, and those of its siblings."""

    def __init__(self, directory: Path, process: str) -> None:
        self.book = Book()
        self._directory = directory
        self._path = directory / NAME.replace("*", process)
        self._due = 0.0
        self._taken: dict[Path, int] = {}  # when files were written that are merged already, nanoseconds
        self.failures = 0  # files that could not be read or written

    def refresh(self, now: float) -> None:
        """Write and merge where five minutes have passed. ``now``: seconds since the epoch."""
        if now >= self._due:
            self._due = now + EVERY_SECONDS
            self.merge()
            self.save()

    def merge(self) -> None:
        """Take what any worker has written since the last time."""
        for path, written in self._files():
            if self._taken.get(path) == written:
                continue
            self._taken[path] = written
            try:
                load(_read(path), self.book)
            except ApisecError as error:
                self.failures += 1
                logs.emit(logger, logging.WARNING, "parameters.unreadable", file=path.name, error=str(error)[:200])

    def _files(self) -> Iterator[tuple[Path, int]]:
        for path in sorted(self._directory.glob(NAME)):
            try:
                yield path, path.stat().st_mtime_ns
            except OSError:
                continue  # its worker has replaced it just now

    def save(self) -> None:
        """Write the models where they changed; a full disk is counted, and tried again."""
        if not self.book.dirty:
            return
        data = zlib.compress(json.dumps(dump(self.book), separators=(",", ":")).encode(), 6)
        try:
            write_private(self._path, data, durable=False)
            self._taken[self._path] = self._path.stat().st_mtime_ns
        except OSError as error:
            self.failures += 1
            logs.emit(logger, logging.WARNING, "parameters.not_written", errno=error.errno)
        else:
            self.book.dirty = False


def _read(path: Path) -> Any:
    """Return the document of a file; DocumentError where it is none, ApisecError where others may have written it."""
    packed = read_private(path, MAX_FILE, "it is written again")
    unpack = zlib.decompressobj()
    try:
        text = unpack.decompress(packed, MAX_TEXT)
        if unpack.unconsumed_tail or not unpack.eof:
            raise DocumentError(f"is cut off, or more than {MAX_TEXT} bytes", where=path.name)
        return json.loads(text)
    except (zlib.error, ValueError, RecursionError) as error:
        raise DocumentError(f"cannot be read: {type(error).__name__}", where=path.name) from None
