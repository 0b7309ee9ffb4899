"""Patterns on disk: one JSON file each, mode 600, replaced atomically."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apisec.errors import ApisecError
from apisec.model.pattern import Pattern
from apisec.patterns.document import parse
from apisec_forwarder import logs
from apisec_forwarder.files import private_directory, write_private

LOG = logging.getLogger(__name__)
VERSION = 1
MAX_CHANGES = 50  # of one pattern that are kept
_NAME = re.compile(r"\A[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.json\Z")


@dataclass(frozen=True)
class Record:
    """A pattern as it was pushed. ``changes`` are the last changes, oldest first; times are seconds."""

    pattern: Pattern
    pushed: float
    pushed_by: str
    changes: tuple[dict[str, Any], ...] = ()
    expired_noted: bool = False  # its expiry has been audited

    def to_document(self) -> dict[str, Any]:
        return {
            "version": VERSION,
            "document": dict(self.pattern.document),
            "pushed": self.pushed,
            "pushed_by": self.pushed_by,
            "changes": list(self.changes),
            "expired_noted": self.expired_noted,
        }

    @classmethod
    def from_document(cls, stored: dict[str, Any]) -> Record:
        if stored["version"] != VERSION:
            raise ValueError("unknown version")
        return cls(
            pattern=parse(stored["document"]),
            pushed=float(stored["pushed"]),
            pushed_by=str(stored["pushed_by"]),
            changes=tuple(stored["changes"]),
            expired_noted=bool(stored["expired_noted"]),
        )


class Store:
    """The folder ``decisions.store``."""

    def __init__(self, directory: Path) -> None:
        self.directory = private_directory(directory)

    def load(self) -> list[Record]:
        """Return all records; a file that cannot be read is logged, left where it is, and passed over."""
        records = []
        for path in sorted(self.directory.iterdir()):
            if not _NAME.match(path.name):
                continue
            try:
                records.append(Record.from_document(json.loads(path.read_bytes())))
            except (OSError, ValueError, KeyError, TypeError, ApisecError):
                logs.failure(LOG, "pattern_unreadable", file=path.name)
        return records

    def save(self, record: Record) -> None:
        data = json.dumps(record.to_document(), indent=1, ensure_ascii=False).encode()
        write_private(self._path(record.pattern.id), data)

    def delete(self, identity: str) -> None:
        self._path(identity).unlink(missing_ok=True)

    def _path(self, identity: str) -> Path:
        return self.directory / f"{identity}.json"
