"""Event files line by line, split into parts by service: the services of one part never meet those of another."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import orjson

from apisec.errors import DocumentError

MAX_LINE_BYTES = 16_000_000
_NEEDED = ("id", "service", "principal", "operation")
SAMPLED_LINES = 50_000  # read ahead to share services evenly
STDIN = Path("-")
_SERVICE = re.compile(rb'"service":\s*"([^"\\]{1,200})"')
_ID = re.compile(rb'^\{"schema":\d{1,3},"id":"([^"\\]{1,200})"')

Event = Mapping[str, Any]


@dataclass(frozen=True)
class Part:
    """Some services of a file; ``services`` is None for all of them, ``rest`` says that unknown ones belong here."""

    number: int = 0
    services: frozenset[bytes] | None = None
    rest: bool = True

    def takes(self, service: bytes, known: frozenset[bytes]) -> bool:
        if self.services is None or service in self.services:
            return True
        return self.rest and service not in known


def parts_of(path: Path, count: int) -> tuple[list[Part], frozenset[bytes]]:
    """Share the services of a file so that the parts have about the same number of events; and the known services."""
    if count <= 1 or path == STDIN:
        return [Part()], frozenset()
    events: dict[bytes, int] = {}
    with path.open("rb") as file:
        for number, line in enumerate(file):
            found = _SERVICE.search(line)
            if found is not None:
                events[found[1]] = events.get(found[1], 0) + 1
            if number >= SAMPLED_LINES:
                break
    shares: list[set[bytes]] = [set() for _ in range(min(count, max(1, len(events))))]
    loads = [0] * len(shares)
    for service in sorted(events, key=lambda one: (-events[one], one)):
        least = loads.index(min(loads))
        shares[least].add(service)
        loads[least] += events[service]
    parts = [Part(number, frozenset(share), rest=number == 0) for number, share in enumerate(shares)]
    return parts, frozenset(events)


def opened(path: Path) -> IO[bytes]:
    """Return a file to read, stdin for '-'."""
    return sys.stdin.buffer if path == STDIN else path.open("rb")


def read_events(path: Path, part: Part, known: frozenset[bytes]) -> Iterator[tuple[str, Event | None]]:
    """Yield the id of each event of a file, and the event where it belongs to the part.

    DocumentError names the line that is not an event.
    """
    with opened(path) as file:
        for number, line in enumerate(file, 1):
            if part.services is not None:
                found, name = _SERVICE.search(line), _ID.match(line)
                if found is not None and name is not None and not part.takes(found[1], known):
                    yield name[1].decode(), None
                    continue
            if line.strip():
                yield _event(line, f"{path}:{number}", part, known)


def _event(line: bytes, where: str, part: Part, known: frozenset[bytes]) -> tuple[str, Event | None]:
    if len(line) > MAX_LINE_BYTES:
        raise DocumentError(f"line longer than {MAX_LINE_BYTES} bytes", where=where)
    try:
        event = orjson.loads(line)
    except ValueError as error:
        raise DocumentError(f"not JSON: {error}; one event a line is needed", where=where) from error
    if not isinstance(event, dict) or not all(isinstance(event.get(key), str) for key in _NEEDED):
        raise DocumentError(f"is no event of sourcetype apisec:transaction: needs {', '.join(_NEEDED)}", where=where)
    return event["id"], event if part.takes(event["service"].encode(), known) else None
