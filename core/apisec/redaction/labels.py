"""Names as a field's path may hold them: a name that is data itself, an id or a person's value, is not shown."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import List

from apisec.detectors.base import Match
from apisec.detectors.engine import scan
from apisec.redaction.encodings import BASE64, resolve, unbase64
from apisec.redaction.tokens import TOKEN, class_of

MAX_LABEL = 64  # characters of a member's name in a field's path

_ID = re.compile(r"\d+|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|(?=.*\d)[0-9a-f]{16,}")
_KEY = re.compile(r"[A-Za-z0-9+/=_-]{24,}")  # of a map by random keys, unless it is made of words
_PIECE = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_DIGITS = re.compile(r"\d+")
_INSIDE = re.compile(r"\d[a-z]")
_UNSPEAKABLE = re.compile(r"(?i)[bcdfghjklmnpqrstvwxz]{6}|^[^aeiouy]{5}")
MEAN_PIECE = 3.5  # letters; random base64 changes its case or kind after 1.7 of them
MAX_PIECE = 28  # letters; German compounds have so many
MAX_NUMBERS, MAX_NUMBER = 2, 4  # in a name of words: line2, v2024


def label(name: str) -> str:
    """Return a member's name as a path may hold it: ids become ``{id}``, sensitive names ``{class}``."""
    return _known(name) if len(name) <= MAX_LABEL else _label(name)


def _label(name: str) -> str:
    if len(name) < 12 and name.isidentifier() and name.isascii() and not _has_digits(name):
        return name
    if _ID.fullmatch(name):
        return "{id}"
    found = scan(name) or scan(resolve(name)) or _hides(resolve(name))
    if found:
        return "{" + found[0].data_class + "}"
    token = TOKEN.search(name)
    if token:
        return "{" + class_of(token.group()) + "}"
    if len(name) > MAX_LABEL or (_KEY.search(name) and not _is_wordy(name)):
        return "{key}"
    return "".join([c if c.isprintable() and c not in "~.%" else "_" for c in name])


_known = lru_cache(maxsize=16384)(_label)


def _has_digits(name: str) -> bool:
    return sum(c.isdigit() for c in name) > 4


def _is_wordy(name: str) -> bool:
    """Return whether a long name is made of words: employerIdentificationNumber, borrower_ssn_last_updated_at."""
    pieces = _PIECE.findall(name)
    numbers = _DIGITS.findall(name)
    return (
        bool(pieces)
        and sum(map(len, pieces)) >= MEAN_PIECE * len(pieces)
        and max(map(len, pieces)) <= MAX_PIECE
        and not any(_UNSPEAKABLE.search(piece) for piece in pieces)
        and len(numbers) <= (1 if _INSIDE.search(name) else MAX_NUMBERS)
        and all(len(number) <= MAX_NUMBER for number in numbers)
    )


def _hides(name: str) -> List[Match]:
    """Return what stands in base64 inside a name."""
    for match in BASE64.finditer(name):
        for inner in unbase64(match.group()):
            found = scan(resolve(inner))
            if found:
                return found
    return []
