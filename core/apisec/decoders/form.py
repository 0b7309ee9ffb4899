"""Forms and query strings: ``application/x-www-form-urlencoded`` (WHATWG URL, 5)."""

# ruff: noqa: ARG002 - every decoder takes what the protocol gives
from __future__ import annotations

import re
from functools import lru_cache
from typing import Dict, List, Optional, Tuple
from urllib.parse import quote, unquote_plus, unquote_to_bytes

from apisec.decoders.base import MAX_NAME, Document, Label, Leaf, Limits, MediaType, labelled
from apisec.decoders.charsets import lenient

_FLAG = re.compile(r"[\w.\[\]-]{1,64}")
MAX_KNOWN = 64  # characters of a name whose parts are remembered
MAX_NESTING = 32  # brackets or dots in one name that are told apart
_BRACKETS = re.compile(r"[\[\].]+")


def decode_part(raw: str) -> str:
    """Return a name or value with ``+`` and percent-encoding resolved once, be its bytes UTF-8 or not."""
    if "%" not in raw:
        return raw.replace("+", " ") if "+" in raw else raw
    text = unquote_plus(raw)
    return lenient(unquote_to_bytes(raw.replace("+", " "))) if "\ufffd" in text else text


def member(name: str, label: Label) -> Tuple[str, str, str, bool]:
    """Return a member's path, last name, name before it, and whether the name is shown as it is.

    ``items[0].card[number]`` is ``items[].card.number``, ``number``, ``card``.
    """
    if len(name) > MAX_NAME:
        return labelled(name, label), "", "", False
    return _known_member(name, label) if len(name) <= MAX_KNOWN else _member(name, label)


def _member(name: str, label: Label) -> Tuple[str, str, str, bool]:
    names = [part for part in _BRACKETS.split(name, MAX_NESTING) if part] or [name]
    labels = [label(part) for part in names]
    path = ".".join(["[]" if part.isdigit() and i else shown for i, (part, shown) in enumerate(zip(names, labels))])
    plain = labels == names if len(names) == 1 else labels == names and label(name) == name
    words = [part for part in names if not part.isdigit()] or names
    return path.replace(".[]", "[]"), words[-1], words[-2] if len(words) > 1 else "", plain


_known_member = lru_cache(maxsize=4096)(_member)


def _around(name: str) -> Optional[str]:
    """Return the name of the object that a member belongs to: ``items[0]`` of ``items[0][sku]``; None in a list."""
    cut = max(name.rfind("["), name.rfind("."))
    last = name[cut + 1 :].rstrip("]")
    if cut < 0:
        return ""
    return None if not last or last.isdigit() else name[:cut]


class FormDecoder:
    """Name and value pairs. A member ``user[email]`` or ``items[0].sku`` gives the path ``user.email``."""

    name = "form"

    def accepts(self, media: MediaType) -> bool:
        return media.essence == "application/x-www-form-urlencoded"

    def decode(self, text: str, media: MediaType, limits: Limits, label: Label, truncated: bool) -> Document:
        leaves: List[Leaf] = []
        groups: Dict[str, int] = {}  # by the name of what encloses a member
        position, end, reason = 0, len(text), "ends too early" if truncated else None
        while position < len(text):
            if len(leaves) >= limits.leaves:
                return Document(text, leaves, position, self, incomplete=f"more than {limits.leaves} values")
            stop = text.find("&", position)
            stop = len(text) if stop < 0 else stop
            if truncated and stop == len(text):
                end = position  # the last pair may be cut, and a cut value is not recognised
                break
            self._pair(text, position, stop, label, leaves, groups)
            position = stop + 1
        return Document(text, leaves, end, self, incomplete=reason)

    def _pair(self, text: str, start: int, stop: int, label: Label, leaves: List[Leaf], groups: Dict[str, int]) -> None:
        if start == stop:
            return
        equals = text.find("=", start, stop)
        name_end = stop if equals < 0 else equals
        name = decode_part(text[start:name_end])
        path, last, parent, plain = member(name, label)
        if equals < 0:  # a name without a value may be a value without a name
            shown = path if _FLAG.fullmatch(name) else "#flag"
            leaves.append(Leaf(shown, "", "", "string", name, start, stop))
            return
        if not plain:
            leaves.append(Leaf(path, "", "", "key", name, start, name_end))
        value = decode_part(text[equals + 1 : stop])
        around = _around(name)
        group = -1 if around is None else groups.setdefault(around, start)
        leaves.append(Leaf(path, last, parent, "string", value, equals + 1, stop, "", group))

    def encode(self, leaf: Leaf, replacement: str) -> str:
        return quote(replacement, safe="~")
