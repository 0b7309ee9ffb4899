"""Forms and query strings: ``application/x-www-form-urlencoded`` (WHATWG URL, 5)."""

# ruff: noqa: ARG002 - every decoder takes what the protocol gives
from __future__ import annotations

import re
from typing import List
from urllib.parse import quote, unquote_plus

from apisec.decoders.base import Document, Label, Leaf, Limits, MediaType
from apisec.errors import LimitExceeded

_PAIR = re.compile(r"([^&;=]*)(=)?([^&]*)")


def decode_part(raw: str) -> str:
    """Return a name or value with ``+`` and percent-encoding resolved once."""
    return unquote_plus(raw) if "%" in raw or "+" in raw else raw


class FormDecoder:
    """Name and value pairs. A member ``user[email]`` or ``items[0].sku`` gives the path ``user.email``."""

    name = "form"

    def accepts(self, media: MediaType) -> bool:
        return media.essence == "application/x-www-form-urlencoded"

    def decode(self, text: str, media: MediaType, limits: Limits, label: Label, truncated: bool) -> Document:
        leaves: List[Leaf] = []
        position = 0
        while position <= len(text) and text:
            stop = text.find("&", position)
            stop = len(text) if stop < 0 else stop
            self._pair(text, position, stop, label, leaves)
            position = stop + 1
            if len(leaves) > limits.leaves:
                raise LimitExceeded(f"more than {limits.leaves} values")
        end = len(text)
        if truncated and leaves:
            end = leaves.pop().start  # the last value may be cut, and a cut value is not recognised
        return Document(text, leaves, end, self, incomplete="ends too early" if truncated else None)

    def _pair(self, text: str, start: int, stop: int, label: Label, leaves: List[Leaf]) -> None:
        if start == stop:
            return
        equals = text.find("=", start, stop)
        name_end = stop if equals < 0 else equals
        name = decode_part(text[start:name_end])
        names = [part for part in re.split(r"[\[\].]+", name) if part] or [name]
        labels = [label(part) for part in names]
        path = ".".join(["[]" if part.isdigit() else shown for part, shown in zip(names, labels)])
        path = path.replace(".[]", "[]")
        whole = label(name) if len(names) > 1 else labels[0]
        if labels != names or whole != name:
            path = path if labels != names else whole
            leaves.append(Leaf(path, "", "", "key", name, start, name_end))
        if equals >= 0:
            last = names[-1] if not names[-1].isdigit() else (names[-2] if len(names) > 1 else names[-1])
            parent = names[-2] if len(names) > 1 else ""
            value = decode_part(text[equals + 1 : stop])
            leaves.append(Leaf(path, last, parent, "string", value, equals + 1, stop))

    def encode(self, leaf: Leaf, replacement: str) -> str:
        return quote(replacement, safe="~")
