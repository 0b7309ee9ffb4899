"""What characters of a ``re`` pattern are in UTF-8, and how sets of bytes are written for hyperscan."""

from __future__ import annotations

import importlib
import re
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

constants: Any = importlib.import_module("re._constants")  # the standard library's own reading of a pattern

ASCII, HIGH = frozenset(range(128)), frozenset(range(128, 256))
DIGIT = frozenset(b"0123456789")
_SPACE = frozenset(c for c in ASCII if chr(c).isspace())
_WORD = frozenset(c for c in ASCII if chr(c).isalnum() or chr(c) == "_")
_CLASSES = {
    constants.CATEGORY_DIGIT: DIGIT,
    constants.CATEGORY_NOT_DIGIT: (ASCII - DIGIT) | HIGH,
    constants.CATEGORY_SPACE: _SPACE | HIGH,
    constants.CATEGORY_NOT_SPACE: (ASCII - _SPACE) | HIGH,
    constants.CATEGORY_WORD: _WORD | HIGH,
    constants.CATEGORY_NOT_WORD: (ASCII - _WORD) | HIGH,
}
FOLDED = "\u017f\u212a\u0130\u0131"  # equal to s, k and i when case is ignored
MANY = "[\\x80-\\xff]{2,4}"  # the bytes of a character that is not ASCII


class UntranslatableError(ValueError):
    """A construct that has no looser form here."""


def members(item: Any, flags: int) -> frozenset[int]:
    """Return the bytes that a character of a class (or a literal) may begin or go on with."""
    operation, argument = item
    if operation is constants.ANY:
        return ASCII | HIGH if flags & re.DOTALL else (ASCII - {10}) | HIGH
    if operation is constants.NOT_LITERAL:
        return (ASCII - {argument}) | HIGH
    found: set[int] = set()
    negated = False
    for kind, value in [item] if operation is constants.LITERAL else argument:
        if kind is constants.NEGATE:
            negated = True
        else:
            found |= _class(kind, value)
    if negated:
        return frozenset((ASCII - found) | HIGH)
    if flags & re.IGNORECASE:
        letters = {c for c in found if c < 128 and chr(c).isalpha()}
        found |= {ord(chr(c).lower()) for c in letters} | {ord(chr(c).upper()) for c in letters}
    return frozenset(found)


def _class(kind: Any, value: Any) -> frozenset[int]:
    if kind is constants.LITERAL:
        return frozenset((value,)) if value < 128 else HIGH
    if kind is constants.RANGE:
        low, high = value
        return frozenset(range(low, min(high, 127) + 1)) | (HIGH if high > 127 else frozenset())
    if value not in _CLASSES:
        raise UntranslatableError(str(value))
    return _CLASSES[value]


def one(found: frozenset[int]) -> str:
    """Return what matches one character of a class, of one byte or of several."""
    if not found & HIGH:
        return byte_class(found)
    low = found - HIGH
    return f"(?:{byte_class(low)}|{MANY})" if low else f"(?:{MANY})"


def literal(code: int, flags: int) -> str:
    """Return what matches a character that is written out."""
    folds = bool(flags & re.IGNORECASE)
    if code >= 128:
        return MANY if folds else written(chr(code).encode())
    if not folds or not chr(code).isalpha():
        return character(code)
    return byte_class(frozenset((ord(chr(code).lower()), ord(chr(code).upper()))))


def byte_class(found: frozenset[int]) -> str:
    """Return what matches one byte of a set."""
    if len(found) == 1:
        return character(min(found))
    pairs = _ranges(sorted(found))
    ranges = [character(a) if a == b else f"{character(a)}-{character(b)}" for a, b in pairs]
    return f"[{''.join(ranges)}]"


def character(code: int) -> str:
    """Return what matches one byte."""
    return chr(code) if chr(code).isalnum() and code < 128 else f"\\x{code:02x}"


def written(data: bytes) -> str:
    """Return what matches these bytes."""
    return "".join(map(character, data))


def _ranges(codes: Sequence[int]) -> Iterator[tuple[int, int]]:
    first = last = codes[0]
    for code in codes[1:]:
        if code != last + 1:
            yield first, last
            first = code
        last = code
    yield first, last


@lru_cache(maxsize=1)
def uncommon() -> str:
    """Return a pattern for what the translation does not know: decimal digits of other scripts, and ``FOLDED``."""
    digits = [chr(c) for c in range(128, sys.maxunicode + 1) if unicodedata.category(chr(c)) == "Nd"]
    by_head: dict[bytes, set[int]] = {}
    for digit in digits:
        encoded = digit.encode()
        by_head.setdefault(encoded[:-1], set()).add(encoded[-1])
    letters = [written(letter.encode()) for letter in FOLDED]
    return "|".join([*letters, *[written(head) + byte_class(frozenset(by_head[head])) for head in sorted(by_head)]])
