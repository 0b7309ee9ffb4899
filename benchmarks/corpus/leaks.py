"""Whether a planted value still stands in an event: as it is, or in any encoding that takes no key to undo."""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote_plus

_TOKEN = re.compile(r"~[a-z_]+(?:\.[a-z0-9_]+)*~[0-9a-f]{16}~")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}){8,}")
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})|\\(.)")
_OURS = (
    "id",
    "time",
    "key_id",
    "schema",
    "gateway",
    "bytes_in",
    "bytes_out",
    "src_port",
    "dest_port",
    "status",
    "response_time",
)
_ROUNDS = 3  # encodings within one another
_SHORT = 6  # characters below which a value must stand by itself to count


def strings(document: Any) -> Iterator[str]:
    """Yield every string and number of a JSON document, names of members too."""
    if isinstance(document, Mapping):
        for name, value in document.items():
            yield name
            yield from strings(value)
    elif isinstance(document, list):
        for value in document:
            yield from strings(value)
    elif document is not None and not isinstance(document, bool):
        yield str(document)


def _unescaped(text: str) -> str:
    def one(match: re.Match[str]) -> str:
        code = match[1] or match[2]
        return chr(int(code, 16)) if code else {"n": "\n", "t": "\t", "r": "\r"}.get(match[3], match[3])

    joined = _ESCAPE.sub(one, text)
    return joined.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _blobs(text: str) -> Iterator[str]:
    for match in _BASE64.finditer(text):
        run = match.group().rstrip("=").translate(str.maketrans("-_", "+/"))
        for skip in range(4 if len(run) < 400 else 1):
            part = run[skip:]
            part = part[: len(part) // 4 * 4] if len(part) % 4 == 1 else part + "=" * (-len(part) % 4)
            try:
                yield base64.b64decode(part).decode("utf-8", "ignore")
            except (binascii.Error, ValueError):
                continue
    for match in _HEX.finditer(text):
        yield bytes.fromhex(match.group()).decode("utf-8", "ignore")


class Shipped:
    """The text of one event, and of what its encodings hold."""

    def __init__(self, event: Mapping[str, Any]) -> None:
        text = "\n".join(strings({name: value for name, value in event.items() if name not in _OURS}))
        self.plain = _TOKEN.sub("~", text)
        layers, seen = [self.plain], {self.plain}
        for _ in range(_ROUNDS):
            fresh = []
            for layer in layers:
                for undone in (unquote_plus(layer), html.unescape(layer), _unescaped(layer), "\n".join(_blobs(layer))):
                    if undone and undone not in seen:
                        seen.add(undone)
                        fresh.append(undone)
            layers = fresh[:24]
        self.all = "\n".join(seen)
        # Where short values are looked for: bytes of a blob would show some by chance.
        self.read = "\n".join((self.plain, *(undo(self.plain) for undo in (unquote_plus, html.unescape, _unescaped))))
        self.digits = re.sub(r"[ .()/-]", "", self.all)

    def holds(self, value: str | int | float) -> bool:
        """True when a value stands there."""
        text = str(value).lower() if isinstance(value, bool) else str(value)
        if len(text) < _SHORT:
            return bool(re.search(rf"(?<![0-9A-Za-z]){re.escape(text)}(?![0-9A-Za-z])", self.read))
        if text in self.all or json.dumps(text)[1:-1] in self.all:
            return True
        compact = re.sub(r"[ .()/-]", "", text)
        return len(compact) >= 9 and sum(map(str.isdigit, compact)) >= 7 and compact in self.digits
