"""Echoes: a value found by its name in one place is redacted wherever else it stands in its transaction.

A password is known as one only in the login body; the error message that repeats it, the redirect that
carries it and the base64 that hides it are found by the value itself, in the forms that senders give it.
"""

from __future__ import annotations

import base64
import html
import json
import re
from typing import Dict, Iterator, List, Mapping, Pattern, Tuple
from urllib.parse import quote, quote_plus

from apisec.classification.classes import BY_NAME
from apisec.redaction.redactor import Part
from apisec.redaction.tokens import TOKEN, class_of, is_token

MIN_ANYWHERE = 6  # shorter values are replaced only between word boundaries of a message
MIN_WORD = 3
MAX_VALUES = 256  # values of one transaction that are looked for; the longest first
_WORDS_ONLY = ("pii.name", "pii.dob", "pii.address")  # ordinary words: only between word boundaries


def forms(value: str) -> Iterator[str]:
    """Yield a value as it may be written: plain, percent-encoded once and twice, escaped, base64."""
    once = quote(value, safe="")
    yield value
    yield once
    yield quote_plus(value)
    yield quote(value)
    yield quote(once, safe="")
    yield re.sub(r"%[0-9A-F]{2}", lambda match: match.group().lower(), once)
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    yield html.escape(value)
    if len(value) >= MIN_ANYWHERE:
        yield from _base64_forms(value.encode("utf-8", "surrogatepass"))


def _base64_forms(data: bytes) -> Iterator[str]:
    """Yield what base64 of any text around ``data`` must hold, for each of the three alignments."""
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + data).rstrip(b"=")
        first = (shift * 8 + 5) // 6  # characters that hold bits of what stands before
        last = len(encoded) - (1 if (shift + len(data)) % 3 else 0)  # … and after
        stable = encoded[first:last].decode()
        yield stable
        if "+" in stable or "/" in stable:
            yield stable.translate({43: "-", 47: "_"})


class Echo:
    """Replaces known values in whatever is shown of a transaction."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._needles: List[Tuple[str, str]] = []
        self._in_names: List[Tuple[str, str]] = []  # a plain word is a name, even where a value equals it
        self._words: List[Tuple[Pattern[str], str, str]] = []
        known = sorted(secrets.items(), key=lambda item: -len(item[0]))[:MAX_VALUES]
        for value, token in known:
            data_class = class_of(token)
            if not BY_NAME[data_class].echo or len(value) < MIN_WORD:
                continue
            if len(value) >= MIN_ANYWHERE and data_class not in _WORDS_ONLY:
                needles = [(form, token) for form in dict.fromkeys(forms(value))]
                self._needles += needles
                self._in_names += needles[1:] if value.isalpha() else needles
            elif len(value) > MIN_WORD or not value.isdigit():
                pattern = re.compile(rf"(?<![\w~.]){re.escape(value)}(?![\w~])")
                self._words.append((pattern, value, token))

    def __bool__(self) -> bool:
        return bool(self._needles or self._words)

    def text(self, text: str) -> str:
        """Return a text without any known value."""
        for needle, token in self._needles:
            if needle in text:
                text = _outside_tokens(text, needle, token)
        for pattern, value, token in self._words:
            if value in text:
                text = pattern.sub(token, text)
        return text

    def name(self, path: str) -> str:
        """Return a field's path without known values."""
        for needle, token in self._in_names:
            if needle in path:
                path = path.replace(needle, "{" + class_of(token) + "}")
        return path

    def rendered(self, text: str) -> str:
        """Return a part's text without known values in its names, which are no leaves."""
        for needle, token in self._in_names:
            if needle in text:
                text = _outside_tokens(text, needle, token)
        return text

    def part(self, part: Part) -> None:
        """Replace known values in the leaves of a part; asks cheaply first whether any stands there."""
        leaves = part.document.leaves
        shown: Dict[int, str] = part.replacements
        hay = "\0".join([shown.get(i, leaf.value) for i, leaf in enumerate(leaves)])
        if not self._stands_in(hay):
            return
        for index, leaf in enumerate(leaves):
            before = shown.get(index, leaf.value)
            if leaf.kind in ("boolean", "null", "binary") or is_token(before):
                continue
            if leaf.kind in ("integer", "number") and index not in shown and len(before) < MIN_ANYWHERE:
                continue
            if leaf.kind == "key" and before.isalpha():
                continue
            after = self.text(before)
            if after != before:
                shown[index] = after

    def _stands_in(self, hay: str) -> bool:
        return any(needle in hay for needle, _ in self._needles) or any(value in hay for _, value, _ in self._words)


def _outside_tokens(text: str, needle: str, token: str) -> str:
    """Replace a needle, but never inside a token that stands already."""
    if "~" not in text:
        return text.replace(needle, token)
    pieces: List[str] = []
    position = 0
    for known in TOKEN.finditer(text):
        pieces += [text[position : known.start()].replace(needle, token), known.group()]
        position = known.end()
    return "".join([*pieces, text[position:].replace(needle, token)])
