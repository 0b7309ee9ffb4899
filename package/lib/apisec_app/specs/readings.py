"""When each input last read its source, and when it tries again: one document an input beside the stored documents.

What was read last stays in force when reading fails; here it is noted how old that is.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Container, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Dict, List, Optional

from apisec.openapi.drift import LOW, Drift, drift_id

from ..kvstore import Collection
from .fetch import Validators
from .remote import Files

VERSION = 1
KIND = "input"
DAY = 86_400.0
STALE_INTERVALS = 3  # that may fail before a document is stale, and a day at least
MAX_WAIT_INTERVALS = 8  # between two tries of a source that fails
FORGOTTEN = 30 * DAY  # an input that did not run for so long, and whose document is gone, is no input any more
MAX_ERROR = 500  # characters


@dataclass(frozen=True)
class Reading:
    """Times in seconds since the epoch, 0 for never. ``name`` is the stored document's, ``digest`` its version's."""

    input: str
    service: str
    name: str
    source: str = ""
    fingerprint: str = ""  # of what the input names: another one is tried at once, and without conditions
    digest: str = ""
    files: Files = ()
    began: float = 0.0
    tried: float = 0.0
    read: float = 0.0
    stale_at: float = 0.0
    failures: int = 0
    next_try: float = 0.0
    error: str = ""

    def succeeded(self, now: float, interval: float, digest: str, files: Files) -> Reading:
        stale_at = now + max(DAY, STALE_INTERVALS * interval)
        made = replace(self, digest=digest, files=files, tried=now, read=now, stale_at=stale_at)
        return replace(made, failures=0, next_try=0.0, error="")

    def failed(self, now: float, interval: float, error: str, retry_after: float = 0.0) -> Reading:
        """The wait doubles with each failure, and is what the server asked for where that is longer."""
        wait = interval * min(2.0**self.failures, MAX_WAIT_INTERVALS)
        # A little early: the run of the interval itself must not come too soon by a second.
        next_try = now + max(wait - 0.1 * interval, retry_after)
        stale_at = self.stale_at or now + DAY
        made = replace(self, tried=now, stale_at=stale_at, failures=min(self.failures + 1, 1_000_000))
        return replace(made, next_try=next_try, error=error[:MAX_ERROR])

    def stale(self, now: float) -> List[Drift]:
        """Return what is to be told: nothing of a source that was read lately."""
        if not self.stale_at or now < self.stale_at:
            return []
        when = f"was last read on {day(self.read)}" if self.read else "could never be read"
        text = f"The document of the input {self.input} ({self.source}) {when}"
        text += f": {self.error}" if self.error else "; no input reads it any more."
        found = Drift(
            id=drift_id(self.service, "stale_document", self.input), kind="stale_document", severity=LOW,
            service=self.service, team="", operation="", location="", field="", status="", reason=text,
            expected="read at each interval", seen=f"{self.failures} failures in a row", count=self.failures,
            messages=0, first_seen=self.read, last_seen=now, spec=self.source, pointer="",
        )  # fmt: skip
        return [found]


def fingerprint(*parts: object) -> str:
    """Return a short digest of what an input names; secrets are no part of it."""
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()[:16]


class Readings:
    """Those of all inputs. splunklib's HTTPError passes through."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection

    def load(self, begun: Reading, now: float) -> Reading:
        """Return what is known of an input; ``begun`` when that is nothing, or another source than it names now."""
        stored = [one for one in self._collection.find([_key(begun.input)]) if one.get("version") == VERSION]
        known = _reading(stored[0]) if stored else None
        if known is None or known.fingerprint != begun.fingerprint:
            return replace(begun, began=now)
        return replace(known, source=begun.source)

    def save(self, reading: Reading) -> None:
        row = {**asdict(reading), "files": [[name, *validators] for name, validators in reading.files]}
        self._collection.save([{"_key": _key(reading.input), "version": VERSION, "kind": KIND, **row}])

    def replaced(self, reading: Reading) -> Optional[Reading]:
        """Return what the input read before it named another document; None where another input still reads that."""
        rows = [_reading(row) for row in self._collection.load({"kind": KIND}) if row.get("version") == VERSION]
        others = {(one.service, one.name) for one in rows if one.input != reading.input}
        before = next((one for one in rows if one.input == reading.input), reading)
        named = (before.service, before.name)
        return None if named == (reading.service, reading.name) or named in others else before

    def of_service(self, service: str) -> List[Reading]:
        rows = self._collection.load({"kind": KIND, "service": service})
        return [_reading(row) for row in rows if row.get("version") == VERSION]


def stale(readings: Iterable[Reading], names: Container[str], now: float) -> List[Drift]:
    """Return the sources that were not read for long: of documents in force, by their names, and of inputs that try."""
    told = [one for one in readings if one.name in names or now - one.tried < FORGOTTEN]
    return [found for one in told for found in one.stale(now)]


def _key(name: str) -> str:
    return f"{KIND}|{name}"


def _reading(row: Mapping[str, Any]) -> Reading:
    known: Dict[str, Any] = {name: row[name] for name in Reading.__dataclass_fields__ if name in row}
    known["files"] = tuple((str(name), Validators(str(etag), str(date))) for name, etag, date in row.get("files") or ())
    return Reading(**known)


def day(seconds: float) -> str:
    """Return a moment as people read it, in UTC."""
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
