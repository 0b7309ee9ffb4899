"""Other forms of events, turned into JSON lines: compressed files, stdin, CSV, JSON arrays, raw text.

Source: REST API Reference, "search/jobs/export" (its CSV and JSON); Getting Data In, "How timestamp assignment works".
"""

from __future__ import annotations

import csv
import gzip
import itertools
import shutil
import sys
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from apisec_sandbox.commands.search_data import Defaults, JsonLines, Progress, epoch, first_bytes
from apisec_sandbox.errors import SandboxError
from apisec_sandbox.splunkd.confs import Confs
from apisec_sandbox.splunkd.indexes import Event
from apisec_sandbox.splunkd.parsing.parser import Meta, Parser

CHUNK = 8 * 1024 * 1024  # characters of raw text that are broken into events together
GZIP = b"\x1f\x8b"
csv.field_size_limit(64 * 1024 * 1024)  # characters of one cell


class Opener:
    """Opens files of events; what has to be turned into JSON lines goes to the scratch folder."""

    def __init__(self, scratch: Path, confs: Confs, raw: bool, progress: Progress | None = None) -> None:
        self._scratch = scratch
        self._confs = confs
        self._raw = raw  # a source type was given: text that is no JSON is raw text of it
        self._progress = progress
        self._numbers = itertools.count()

    def open(self, name: str, defaults: Defaults) -> JsonLines:
        """Return the file as JSON lines.

        Raises:
            SandboxError: the file cannot be read, or its form is not known.
        """
        defaults = replace(defaults, source=defaults.source or ("stdin" if name == "-" else name))
        shown = "stdin" if name == "-" else f"--data {name}"
        try:
            path = self._plain(name)
            with path.open("rb") as file:
                head = first_bytes(file)
            lines = self._converted(path, name, head, defaults)
        except (OSError, EOFError, zlib.error) as error:
            raise SandboxError(f"--data {name}: {getattr(error, 'strerror', None) or error}") from error
        if lines is not None:
            path = self._spool(lines)
        return JsonLines(path, shown, defaults, self._progress)

    def _plain(self, name: str) -> Path:
        """Return a file on disk that is not compressed."""
        if name == "-":
            path = self._new()
            with path.open("wb") as target:
                shutil.copyfileobj(sys.stdin.buffer, target)
        else:
            path = Path(name)
        with path.open("rb") as file:
            if file.read(2) != GZIP:
                return path
            file.seek(0)
            unpacked = self._new()
            with gzip.open(file) as source, unpacked.open("wb") as target:
                shutil.copyfileobj(source, target, 1024 * 1024)
        return unpacked

    def _new(self) -> Path:
        return self._scratch / f"events-{next(self._numbers)}.jsonl"

    def _spool(self, items: Iterable[dict[str, Any]]) -> Path:
        path = self._new()
        with path.open("wb") as file:
            file.writelines(orjson.dumps(item) + b"\n" for item in items)
        return path

    def _converted(self, path: Path, name: str, head: bytes, defaults: Defaults) -> Iterator[dict[str, Any]] | None:
        """Return the events of another form, None when the file holds JSON lines already."""
        stem = name.lower().removesuffix(".gz")
        if stem.endswith(".csv"):
            return _csv(path)
        if head[:1] == b"[" or (head[:1] == b"{" and b'"results"' in head and b"\n" not in head.rstrip()):
            return _array(path, name)
        if head[:1] in (b"{", b""):
            return None
        if not self._raw:
            raise SandboxError(
                f"--data {name}: neither JSON nor CSV (line 1); give --sourcetype to read it as raw text of that type"
            )
        return self._text(path, defaults)

    def _text(self, path: Path, defaults: Defaults) -> Iterator[dict[str, Any]]:
        """Break raw text into events and find their times as the source type's props.conf says."""
        parser = Parser(self._confs, lambda: defaults.now)
        parser.refresh()
        meta = Meta(defaults.host, defaults.source, defaults.sourcetype, defaults.index)
        with path.open(encoding="utf-8", errors="replace", newline="") as file:
            while text := "".join(file.readlines(CHUNK)):
                yield from (_envelope(event) for event in parser.raw(text, meta))


def _envelope(event: Event) -> dict[str, Any]:
    return {
        "time": event.time,
        "host": event.host,
        "source": event.source,
        "sourcetype": event.sourcetype,
        "index": event.index_name,
        "event": event.raw,
        "fields": event.fields,
    }


def _csv(path: Path) -> Iterator[dict[str, Any]]:
    """Rows as events; with ``_raw`` that is the event, and the metadata beside it stay."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        for row in csv.DictReader(file):
            yield {
                name: cell for name, cell in row.items() if name and cell and not name.startswith(("__mv_", "punct"))
            }


def _array(path: Path, name: str) -> Iterator[dict[str, Any]]:
    try:
        document = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise SandboxError(f"--data {name}: not JSON: {error}") from error
    items = document.get("results") if isinstance(document, dict) else document
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise SandboxError(f"--data {name}: an array of JSON objects is needed")
    yield from items


def moment(text: str | None, now: float) -> float:
    """Read --now: an epoch time or an ISO 8601 time."""
    if text is None:
        return now
    found = epoch(text, float("nan"))
    if found != found:
        raise SandboxError(f"--now {text!r}: an epoch time or a time such as 2026-01-31T12:00:00Z is needed")
    return found
