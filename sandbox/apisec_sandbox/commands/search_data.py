"""Files of events as a search scans them: line by line, never as a whole.

JSON lines are read where they are: HEC envelopes, plain JSON events, lines of ``search/jobs/export``. Other forms (CSV,
JSON arrays, raw text, compressed files, stdin) are first turned into JSON lines in the scratch folder. A search that
does not look at the order of events reads the file once; another one first notes time and place of every line.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
from array import array
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from json.decoder import JSONDecoder, scanstring  # type: ignore[attr-defined]
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from apisec_sandbox.errors import SandboxError
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.splunkd.indexes import Event, check_index_name

TIME_NAMES = ("time", "_time", "timestamp")
INDEX_NAMES = re.compile(rb'"index"\s*:\s*"([^"\\]{1,80})"')
SPACE = re.compile(r"[ \t\r\n]*")
READ_BYTES = 64 * 1024  # of a file that are read together
SPECIAL = frozenset(("event", "_raw", "preview"))  # what only envelopes and exported events have
EVENT: Any = tuple.__new__  # of a named tuple, without the detour over its constructor
NAMES = ("host", "source", "sourcetype", "index")
NONE: dict[str, Any] = {}  # the indexed fields of an event that has none
BLOCK = 4 * 1024 * 1024
LONGEST = 200  # bytes that the name of an index and its value take at most
REPORT_EVERY = 20_000  # lines between two calls of ``progress``
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Defaults:
    """What events have that do not say it themselves."""

    index: str = "main"
    sourcetype: str = "_json"
    host: str = "localhost"
    source: str = ""
    now: float = 0.0


def epoch(value: object, now: float) -> float:
    """Seconds since the epoch from a number, a text with a number, or an ISO 8601 text; else ``now``."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, str):
        return now
    try:
        return float(value)
    except ValueError:
        pass
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        return now
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()


class JsonLines:
    """A file with a JSON object a line."""

    def __init__(self, path: Path, shown: str, defaults: Defaults, progress: Progress | None = None) -> None:
        self.path = path
        self.shown = shown
        self.defaults = defaults
        self.progress = progress

    def index_names(self) -> set[str]:
        """Return the names that may be those of indexes: the file is searched as bytes, nothing is parsed."""
        found: set[str] = set()
        rest = b""
        with self.path.open("rb") as file:
            while block := file.read(BLOCK):
                block = rest + block
                if b'"index"' in block:  # many times faster than the expression
                    found.update(match[1].decode("utf-8", "replace") for match in INDEX_NAMES.finditer(block))
                rest = block[-LONGEST:]  # a name may stand across the border
        return {name for name in found if _is_index(name)}

    def scan(self, names: Container[str], earliest: float, latest: float) -> Iterator[Event]:
        yield from (event for event in self._newest_first(earliest, latest) if event.index_name in names)

    def batches(self, names: Container[str], earliest: float, latest: float) -> Iterator[list[Event]]:
        total, done, number = self.path.stat().st_size, 0, 0
        open_range = earliest == float("-inf") and latest == float("inf")
        with self.path.open("rb") as file:
            while lines := file.readlines(READ_BYTES):
                events = [event for event in map(self._event, lines, itertools.count(number + 1)) if event is not None]
                done += sum(map(len, lines))
                number += len(lines)
                self._report(done, total)
                yield [
                    event
                    for event in events
                    if event.index_name in names and (open_range or earliest <= event.time < latest)
                ]

    def _newest_first(self, earliest: float, latest: float) -> Iterator[Event]:
        """Yield by time; of one time the last line first, as of events that were indexed one after the other."""
        times, places, lengths = self._times(earliest, latest)
        order: Any = range(len(times))
        if any(times[place] > times[place + 1] for place in range(len(times) - 1)):
            order = sorted(order, key=times.__getitem__)
        with self.path.open("rb", buffering=0) as file:
            handle = file.fileno()
            for place in reversed(order):
                event = self._event(os.pread(handle, lengths[place], places[place]), 0)
                if event is not None:
                    yield event

    def _times(self, earliest: float, latest: float) -> tuple[array[float], array[int], array[int]]:
        """Return time, offset and length of every event in the range: 20 bytes an event."""
        times, places, lengths = array("d"), array("q"), array("i")
        total, done = self.path.stat().st_size, 0
        with self.path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if number % REPORT_EVERY == 0:
                    self._report(done, total)
                document = self._document(line, number)
                if document is not None:
                    when = self._time(document)
                    if earliest <= when < latest:
                        times.append(when)
                        places.append(done)
                        lengths.append(len(line))
                done += len(line)
        return times, places, lengths

    def _report(self, done: int, total: int) -> None:
        if self.progress:
            self.progress(done, total)

    def _document(self, line: bytes, number: int) -> dict[str, Any] | None:
        """Parse a line; None for one that holds no event."""
        try:
            document = orjson.loads(line)
        except orjson.JSONDecodeError:
            document = self._lenient(line, number)
        if type(document) is not dict:
            if document is None and not line.strip():
                return None
            raise SplError(f"{self.shown}, line {number}: a JSON object is needed, an event or a HEC envelope")
        if "preview" in document:  # a line of search/jobs/export
            result = document.get("result")
            if isinstance(result, dict):
                return result
            if document.keys() <= {"preview", "lastrow", "offset"}:
                return None
        return document

    def _lenient(self, line: bytes, number: int) -> Any:
        """What orjson refuses and Splunk takes: control characters, NaN, lone surrogates; and empty lines."""
        text = line.decode("utf-8", "replace").strip()
        if not text:
            return None
        try:
            return LENIENT.decode(text)
        except (ValueError, RecursionError) as error:
            raise SplError(f"{self.shown}, line {number}: not JSON: {error}. Give --sourcetype for raw text") from error

    def _time(self, document: dict[str, Any]) -> float:
        if "event" in document and not isinstance(document["event"], bool):
            return epoch(document.get("time"), self.defaults.now)
        for name in TIME_NAMES:
            if name in document:
                return epoch(document[name], self.defaults.now)
        return self.defaults.now

    def _event(self, line: bytes, number: int) -> Event | None:
        try:
            document = orjson.loads(line)
        except orjson.JSONDecodeError:
            document = None
        if type(document) is not dict or not SPECIAL.isdisjoint(document):
            return self._special(line, number, document)
        own = self.defaults
        when, host, source = document.get("time"), document.get("host"), document.get("source")
        values = (
            when if type(when) is float else self._time(document),
            own.now,
            host if type(host) is str and host else own.host,
            source if type(source) is str and source else own.source,
            own.sourcetype,
            line.decode("utf-8", "replace").strip(),
            NONE,
            own.index,
            document,
        )
        made: Event = EVENT(Event, values)
        return made

    def _special(self, line: bytes, number: int, parsed_line: Any) -> Event | None:
        """An envelope, an exported event, or what orjson does not take (``parsed_line`` is no object then)."""
        document: dict[str, Any] | None = parsed_line
        if type(parsed_line) is not dict or "preview" in parsed_line:
            document = self._document(line, number)
        if document is None:
            return None
        own = self.defaults
        host, source, kind, index = (str(document.get(name) or getattr(own, name)) for name in NAMES)
        when, fields, parsed = self._time(document), NONE, None
        if "event" in document and not isinstance(document["event"], bool):
            payload = document["event"]
            text = payload if isinstance(payload, str) else member(line, "event", payload)
            parsed = payload if isinstance(payload, dict) else None
            fields = _indexed(document.get("fields"))
        elif isinstance(document.get("_raw"), str):  # exported by a search: metadata beside the text
            text = document["_raw"]
        else:
            text, kind, index = line.decode("utf-8", "replace").strip(), own.sourcetype, own.index
        return Event(when, own.now, host, source, kind, text, fields, index, parsed)


LENIENT = JSONDecoder(strict=False)


def _indexed(fields: Any) -> dict[str, Any]:
    if not isinstance(fields, dict):
        return {}
    return {key: [str(v) for v in value] if isinstance(value, list) else str(value) for key, value in fields.items()}


def _is_index(name: str) -> bool:
    try:
        check_index_name(name)
    except SandboxError:
        return False
    return True


def _spaced(value: Any) -> bytes:
    """As Python's json writes by default."""
    return json.dumps(value).encode()


def member(line: bytes, name: str, value: Any) -> str:
    """Return the text of a member of a JSON object as it stands there: numbers keep their digits."""
    for dumps in (orjson.dumps, _spaced):
        with contextlib.suppress(TypeError):  # orjson refuses a lone surrogate
            written = dumps(value)
            if written in line:
                return written.decode()
    text = line.decode("utf-8", "replace")
    position = SPACE.match(text, text.index("{") + 1).end()  # type: ignore[union-attr]
    found = ""
    while text[position] == '"':
        key, position = scanstring(text, position + 1, False)
        start = SPACE.match(text, text.index(":", position) + 1).end()  # type: ignore[union-attr]
        _, position = LENIENT.raw_decode(text, start)
        if key == name:
            found = text[start:position]
        position = SPACE.match(text, position).end()  # type: ignore[union-attr]
        if text[position] != ",":
            break
        position = SPACE.match(text, position + 1).end()  # type: ignore[union-attr]
    return found


def first_bytes(file: BinaryIO) -> bytes:
    """Return the first bytes that are no white space, without moving on."""
    head = file.read(4096).lstrip(b"\xef\xbb\xbf \t\r\n")
    file.seek(0)
    return head
