"""Echoes: a value found by its name in one place is redacted wherever else it stands in its transaction.

A password is known as one only in the login body; the error message that repeats it, the redirect that
carries it and the base64 that hides it are found by the value itself, in the forms that senders give it.
"""

from __future__ import annotations

import base64
import html
import json
import re
from typing import Dict, Iterator, List, Mapping, NamedTuple, Optional, Tuple
from urllib.parse import quote, quote_plus

from apisec.classification.classes import BY_NAME
from apisec.redaction.encodings import BASE64_TEXT
from apisec.redaction.redactor import Part
from apisec.redaction.tokens import TOKEN, class_of, is_token

MIN_ANYWHERE = 6  # shorter values are replaced only between word boundaries of a message
MIN_WORD = 3
MAX_VALUES = 256  # values of one transaction that are looked for; the longest first
_WORDS_ONLY = ("pii.name", "pii.dob", "pii.address")  # ordinary words: only between word boundaries
_HEX = re.compile(r"%[0-9A-F]{2}")


class Writing(NamedTuple):
    """Which ways of writing a value stand anywhere in a transaction; the others need not be looked for."""

    percent: bool = True
    entity: bool = True
    escape: bool = True
    base64: bool = True


ANY_WRITING = Writing()


def writing(text: str) -> Writing:
    """Return the ways of writing that a transaction's text has."""
    return Writing("%" in text or "+" in text, "&" in text, "\\" in text, BASE64_TEXT.search(text) is not None)


def forms(value: str, ways: Writing = ANY_WRITING) -> Iterator[str]:
    """Yield a value as it may be written: plain, percent-encoded once and twice, escaped, base64."""
    yield value
    if not (value.isascii() and value.isalnum()):
        yield from _escaped(value, ways)
    # The bytes of a value that is not ASCII are no text in base64 to ``BASE64_TEXT``.
    if len(value) >= MIN_ANYWHERE and (ways.base64 or not value.isascii()):
        yield from _base64_forms(value.encode("utf-8", "surrogatepass"))


def _escaped(value: str, ways: Writing) -> Iterator[str]:
    if ways.percent:
        once = quote(value, safe="", errors="replace")
        yield once
        yield quote_plus(value, errors="replace")
        yield quote(value, errors="replace")
        yield quote(once, safe="")
        yield _HEX.sub(lambda match: match.group().lower(), once)
    if ways.escape:
        yield json.dumps(value)[1:-1]
        yield json.dumps(value, ensure_ascii=False)[1:-1]
    if ways.entity:
        yield html.escape(value)


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
    """Replaces known values in whatever is shown of a transaction.

    ``shown`` is all of that, so that forms in which nothing is written there are not looked for; or ``ways`` says
    in which ones something is.
    """

    def __init__(self, secrets: Mapping[str, str], shown: Optional[str] = None, ways: Optional[Writing] = None) -> None:
        self._needles: List[Tuple[str, str]] = []
        self._in_names: List[Tuple[str, str]] = []  # a plain word is a name, even where a value equals it
        self._words: List[Tuple[str, str]] = []
        if ways is None:
            ways = writing(shown) if secrets and shown is not None else ANY_WRITING
        for value, token in known(secrets):
            if is_word(value, class_of(token)):
                self._words.append((value, token))
                continue
            needles = [(form, token) for form in dict.fromkeys(forms(value, ways))]
            self._needles += needles
            self._in_names += needles[1:] if value.isalpha() else needles

    def __bool__(self) -> bool:
        return bool(self._needles or self._words)

    def text(self, text: str) -> str:
        """Return a text without any known value."""
        for needle, token in self._needles:
            if needle in text:
                text = _outside_tokens(text, needle, token)
        for value, token in self._words:
            if value in text:
                text = _replace_words(text, value, token)
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
        if not self.stands_in(hay):
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

    def stands_in(self, hay: str) -> bool:
        """Return whether any known value may stand in a text."""
        return any(needle in hay for needle, _ in self._needles) or any(
            value in hay and next(_words(hay, value), None) is not None for value, _ in self._words
        )


def known(secrets: Mapping[str, str]) -> List[Tuple[str, str]]:
    """Return the values that are looked for, with their tokens: the longest first."""
    longest = sorted(secrets.items(), key=lambda item: -len(item[0]))[:MAX_VALUES]
    return [(value, token) for value, token in longest if counts(value, class_of(token))]


def counts(value: str, data_class: str) -> bool:
    """Return whether a value of a class is looked for elsewhere at all."""
    if not BY_NAME[data_class].echo or len(value) < MIN_WORD:
        return False
    return not is_word(value, data_class) or len(value) > MIN_WORD or not value.isdigit()


def is_word(value: str, data_class: str) -> bool:
    """Return whether a value is looked for only between word boundaries."""
    return len(value) < MIN_ANYWHERE or data_class in _WORDS_ONLY


def _words(text: str, value: str) -> Iterator[int]:
    """Yield where a value stands in a text without a letter, digit or token's mark beside it."""
    at = text.find(value)
    while at >= 0:
        end = at + len(value)
        before, after = text[at - 1 : at], text[end : end + 1]
        if not (before and (before.isalnum() or before in "_~.")) and not (
            after and (after.isalnum() or after in "_~")
        ):
            yield at
            at = text.find(value, end)
        else:
            at = text.find(value, at + 1)


def _replace_words(text: str, value: str, token: str) -> str:
    pieces: List[str] = []
    position = 0
    for at in _words(text, value):
        pieces += [text[position:at], token]
        position = at + len(value)
    return "".join([*pieces, text[position:]])


def _outside_tokens(text: str, needle: str, token: str) -> str:
    """Replace a needle, but never inside a token that stands already."""
    if "~" not in text:
        return text.replace(needle, token)
    pieces: List[str] = []
    position = 0
    for found in TOKEN.finditer(text):
        pieces += [text[position : found.start()].replace(needle, token), found.group()]
        position = found.end()
    return "".join([*pieces, text[position:].replace(needle, token)])
