"""Events out of a Splunk: search/v2/jobs/export, a slice of time after the other, in order of time.

An export gives the newest event first; activity needs the oldest first. So each slice is searched, put in order and
written, and memory holds one slice. A slice counts only when Splunk said which row was the last: a search that was
cut off is an error, not a quiet hour.
"""

from __future__ import annotations

import http.client
import os
import re
import ssl
import stat
import time
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, TypeVar

import orjson

from apisec.errors import ApisecError, ConfigError, KeyFileError

SLICE_SECONDS = 900.0
MAX_LINE_BYTES = 16_000_000
MAX_SLICE_EVENTS = 2_000_000
MAX_TOKEN_BYTES = 4096
TIMEOUT_SECONDS = 300.0
TRIES, PAUSE_SECONDS = 5, 2.0
BUSY = (429, 500, 502, 503, 504)
SOURCETYPE = "apisec:transaction"
ANOMALIES = "apisec:anomaly"
_NAME = re.compile(r"[\w.:*-]{1,128}\Z")
_RELATIVE = re.compile(r"-(\d{1,5})([mhdw])\Z")
T = TypeVar("T")
_UNITS = {"m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


class SplunkError(ApisecError):
    """Splunk refused, broke off, or cannot be reached."""


class _BusyError(SplunkError):
    """Splunk has no time now."""


@dataclass(frozen=True)
class Access:
    """Where a Splunk is (https://host:8089), and the token that it knows us by."""

    host: str
    port: int
    token: str = field(repr=False)
    context: ssl.SSLContext = field(repr=False)

    @classmethod
    def of(cls, url: str, token_file: Path | None, ca: Path | None) -> Access:
        """Read token and certificates; the token is in the file (mode 600) or in SPLUNK_TOKEN. Raises ConfigError."""
        parts = urllib.parse.urlsplit(url)
        if parts.scheme != "https" or not parts.hostname or parts.path.strip("/"):
            raise ConfigError(f"{url}: give https://host:8089; TLS is always verified (--ca names the CA)")
        token = read_token(token_file) if token_file is not None else os.environ.get("SPLUNK_TOKEN", "").strip()
        if not token or not token.isascii() or not token.isprintable():
            raise ConfigError("no token: name a file with --token-file, or set SPLUNK_TOKEN")
        try:
            context = ssl.create_default_context(cafile=str(ca) if ca is not None else None)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"--ca {ca}: {error}") from None
        return cls(parts.hostname, parts.port or 8089, token, context)


def read_token(path: Path) -> str:
    """Read a token from a file that only its owner can read; raises KeyFileError."""
    try:
        about = path.stat()
        if stat.S_IMODE(about.st_mode) & 0o077:
            raise KeyFileError(f"others can read it; chmod 600 {path}", where=str(path))
        with path.open("rb") as file:
            return file.read(MAX_TOKEN_BYTES).decode("ascii", "replace").strip()
    except OSError as error:
        raise KeyFileError(f"cannot be read: {error.strerror}", where=str(path)) from None


def moment(text: str, now: float) -> float:
    """Return the time that a text says: seconds since the epoch, ISO 8601 (UTC), -7d, now. Raises ConfigError."""
    if text == "now":
        return now
    relative = _RELATIVE.match(text)
    if relative is not None:
        return now - int(relative[1]) * _UNITS[relative[2]]
    try:
        return float(text)
    except ValueError:
        pass
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(
            f"{text!r} is no time: give -7d, 2026-01-05T00:00:00, seconds since the epoch, or now"
        ) from None
    return (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).timestamp()


def search_of(index: str, service: str | None, sourcetype: str = SOURCETYPE) -> str:
    """Return the search; raises ConfigError for names that could say more than a name."""
    return f"search {_wanted(index, service, sourcetype)} | fields _raw"


def _wanted(index: str, service: str | None, sourcetype: str) -> str:
    for name in (index, service or "x"):
        if not _NAME.match(name):
            raise ConfigError(f"{name!r}: letters, digits and . : * - only")
    wanted = f' service="{service}"' if service else ""
    return f'index="{index}" sourcetype="{sourcetype}"{wanted}'


def count(access: Access, index: str, service: str | None, span: tuple[float, float]) -> int:
    """Return how many transactions there were in ``span`` (seconds since the epoch). Raises SplunkError."""
    search = f"| tstats count where {_wanted(index, service, SOURCETYPE)}"
    found = _patiently(lambda: list(_exported(access, search, *span)))
    try:
        return int(found[0]["count"])
    except (IndexError, KeyError, TypeError, ValueError):
        raise SplunkError(f"the search gave no count: {search}") from None


def fetch(
    access: Access,
    search: str,
    span: tuple[float, float],
    output: IO[bytes],
    told: Callable[[float, int], None],
    slice_seconds: float = SLICE_SECONDS,
) -> int:
    """Write the events of ``span`` (seconds since the epoch, end excluded) in order of time; return how many.

    ``told`` hears the share that is done and the number of events. Raises SplunkError.
    """
    begin, end = span
    written, at = 0, begin
    while at < end:
        until = min(end, at + slice_seconds)
        rows = _slice(access, search, at, until)
        rows.sort(key=lambda row: row[0])
        for _, raw in rows:
            output.write(raw + b"\n")
        written += len(rows)
        at = until
        told((at - begin) / max(end - begin, 1e-9), written)
    return written


def _slice(access: Access, search: str, begin: float, end: float) -> list[tuple[float, bytes]]:
    """Return times and texts of one slice."""
    return _patiently(lambda: [_event(row) for row in _exported(access, search, begin, end)])


def _patiently(ask: Callable[[], T]) -> T:
    """Return the answer; what a busy Splunk refuses is tried again."""
    for attempt in range(TRIES):
        try:
            return ask()
        except _BusyError:
            if attempt == TRIES - 1:
                raise
            time.sleep(PAUSE_SECONDS * 2**attempt)
    raise AssertionError("the last try returns or raises")


def _exported(access: Access, search: str, begin: float, end: float) -> Iterator[Mapping[str, Any]]:
    form = {
        "search": search,
        "earliest_time": f"{begin:.6f}",
        "latest_time": f"{end:.6f}",
        "output_mode": "json",
        "preview": "0",
    }
    headers = {"Authorization": f"Bearer {access.token}", "Content-Type": "application/x-www-form-urlencoded"}
    connection = http.client.HTTPSConnection(access.host, access.port, timeout=TIMEOUT_SECONDS, context=access.context)
    try:
        connection.request("POST", "/services/search/v2/jobs/export", urllib.parse.urlencode(form), headers)
        yield from _rows(connection.getresponse())
    except (OSError, http.client.HTTPException) as error:
        raise SplunkError(f"https://{access.host}:{access.port}: {error}") from error
    finally:
        connection.close()


def _rows(answer: http.client.HTTPResponse) -> Iterator[Mapping[str, Any]]:
    if answer.status != 200:
        text = answer.read(2000).decode("utf-8", "replace").strip()
        kind = _BusyError if answer.status in BUSY else SplunkError
        raise kind(f"Splunk answered {answer.status}: {text[:500]}{_remedy(answer.status)}")
    complete, rows = False, 0
    while True:
        line = answer.readline(MAX_LINE_BYTES + 1)
        if not line:
            break
        if len(line) > MAX_LINE_BYTES:
            raise SplunkError(f"a row has more than {MAX_LINE_BYTES} bytes")
        row = _row(line)
        complete = complete or bool(row.get("lastrow"))
        result = row.get("result")
        if isinstance(result, dict):
            rows += 1
            if rows > MAX_SLICE_EVENTS:
                raise SplunkError(f"more than {MAX_SLICE_EVENTS} events in one slice: give a smaller --slice")
            yield result
    if not complete:
        raise SplunkError("the search broke off before its last row; try again, or give a smaller --slice")


def _remedy(status: int) -> str:
    return {401: " (has the token expired?)", 403: " (the token's role needs the capability search)"}.get(status, "")


def _row(line: bytes) -> Mapping[str, Any]:
    try:
        row = orjson.loads(line)
    except ValueError:
        raise SplunkError("a row is not JSON: is this the management port of a Splunk?") from None
    if not isinstance(row, dict):
        raise SplunkError("a row is not a JSON object: is this the management port of a Splunk?")
    for message in row.get("messages") or ():
        if isinstance(message, dict) and str(message.get("type")).upper() in ("ERROR", "FATAL"):
            raise SplunkError(f"the search failed: {str(message.get('text'))[:500]}")
    return row


def _event(result: Mapping[str, Any]) -> tuple[float, bytes]:
    raw = result.get("_raw")
    if not isinstance(raw, str):
        raise SplunkError("a row has no _raw")
    try:
        event = orjson.loads(raw)
        moment_of = float(event["time"])
    except (ValueError, KeyError, TypeError):
        raise SplunkError(f"an event is none of apisec: {raw[:80]!r}") from None
    return moment_of, orjson.dumps(event)
