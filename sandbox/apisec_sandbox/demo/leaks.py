"""Search files for planted values, in every form in which a copy could have carried them.

Knows nothing of how the product redacts: it takes the values that the traffic planted and looks for their bytes.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

CHUNK = 8 * 1024 * 1024
# A value shorter than this occurs by chance in any megabyte of hexadecimal; the traffic plants none.
SHORTEST = 6


@dataclass(frozen=True)
class Leak:
    """``form`` says how the value stood in the file; the value itself is named by its class only."""

    file: Path
    class_: str
    form: str
    offset: int


def forms(value: str) -> Iterator[tuple[str, bytes]]:
    """Yield the encodings of a value: plain, percent (once, twice), JSON escapes, base64 at each alignment."""
    raw = value.encode()
    yield "plain", raw
    once = quote(value, safe="")
    yield "percent", once.encode()
    yield (
        "percent, lower case",
        "".join(part.lower() if part.startswith("%") else part for part in _percent_parts(once)).encode(),
    )
    yield "percent, every byte", "".join(f"%{byte:02X}" for byte in raw).encode()
    yield "percent twice", quote(once, safe="").encode()
    yield "plus for space", value.replace(" ", "+").encode()
    yield "JSON", json.dumps(value)[1:-1].encode()
    yield "JSON, solidus", json.dumps(value)[1:-1].replace("/", "\\/").encode()
    yield "JSON, every character", "".join(f"\\u{ord(char):04x}" for char in value).encode()
    yield "JSON twice", json.dumps(json.dumps(value)[1:-1])[1:-1].encode()
    for shift in range(3):
        yield f"base64 at {shift}", _base64_inside(raw, shift)
        yield f"base64url at {shift}", _base64_inside(raw, shift).replace(b"+", b"-").replace(b"/", b"_")


def _percent_parts(text: str) -> Iterator[str]:
    position = 0
    while position < len(text):
        length = 3 if text[position] == "%" else 1
        yield text[position : position + length]
        position += length


def _base64_inside(raw: bytes, shift: int) -> bytes:
    """The characters that base64 gives for ``raw`` whatever stands around it, when it starts at ``shift`` mod 3."""
    encoded = base64.b64encode(b"\0" * shift + raw)
    start = (0, 2, 3)[shift]  # characters that depend on the bytes before
    tail = (len(raw) + shift) % 3
    end = len(encoded) if tail == 0 else len(encoded) - (3 if tail == 1 else 2)
    return encoded[start:end]


class Needles:
    """All forms of all values.

    A form is looked for by its first ``SHORTEST`` bytes in a hash of all forms: one pass over the data however
    many values were planted (100,000 forms cost what one does).
    """

    def __init__(self, planted: Iterable[tuple[str, str]]) -> None:
        """``planted`` holds (value, class)."""
        self._by_prefix: dict[bytes, dict[bytes, tuple[str, str]]] = {}
        self._longest = 0
        self.values = 0
        for value, class_ in planted:
            if len(value) < SHORTEST:
                continue
            self.values += 1
            for form, needle in forms(value):
                if len(needle) >= SHORTEST:
                    self._by_prefix.setdefault(needle[:SHORTEST], {}).setdefault(needle, (class_, form))
                    self._longest = max(self._longest, len(needle))

    def search(self, path: Path) -> list[Leak]:
        """Return the first place of each form found in a file; gzip is looked into."""
        found: dict[bytes, Leak] = {}
        offset, carried = 0, b""
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            while chunk := file.read(CHUNK):
                window = carried + chunk
                for at, needle, (class_, form) in self._hits(window):
                    found.setdefault(needle, Leak(path, class_, form, offset - len(carried) + at))
                offset += len(chunk)
                carried = window[-self._longest :] if self._longest else b""
        return list(found.values())

    def _hits(self, data: bytes) -> Iterator[tuple[int, bytes, tuple[str, str]]]:
        prefixes = self._by_prefix
        last = len(data) - SHORTEST + 1
        for at in [at for at in range(last) if data[at : at + SHORTEST] in prefixes]:
            for needle, what in prefixes[data[at : at + SHORTEST]].items():
                if data.startswith(needle, at):
                    yield at, needle, what


def search_tree(needles: Needles, folders: Iterable[Path]) -> tuple[int, list[Leak]]:
    """Search every regular file below the folders; return how many bytes were read, and what leaked."""
    size, leaks = 0, []
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                size += path.stat().st_size
                leaks += needles.search(path)
    return size, leaks
