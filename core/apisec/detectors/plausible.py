"""Tells a secret from what stands in its place: placeholders of documentation, variables, words, counted-up digits."""

from __future__ import annotations

import math
import re
from collections import Counter

# What documentation and templates write where a secret belongs.
_PLACEHOLDER = re.compile(
    r"(?i)example|placeholder|sample|dummy|redacted|replace|changeme|change[_-]|insert[_-]?|your[_-]|[_-]your|\byour"
    r"|x{8}|\*{3}|\.{3}|todo[_-]|<|>|\$\{|\{\{|%\("
)
_COUNTED = re.compile(r"(?i)(?:123456|abcdef){2}|1234567890|0123456789|abcdefgh|deadbeef|x{5}|0{8}|1{8}")
_WORDS = re.compile(r"[A-Za-z]?[a-z]{0,20}|[A-Z]{1,20}|\d{1,4}")
_PIECES = re.compile(r"[-_./+=:~]+")


def entropy(text: str) -> float:
    """Return Shannon's entropy of the characters of a text, in bits a character."""
    length = len(text)
    return -sum([n / length * math.log2(n / length) for n in Counter(text).values()]) if text else 0.0


def placeholder(text: str) -> bool:
    """Return whether a text says of itself that it is no secret."""
    return _PLACEHOLDER.search(text) is not None


def random_looking(text: str) -> bool:
    """Return whether a text of at least 12 characters can have been drawn at random.

    Random hex of 32 digits has 3.6 bits a character on average and hardly ever less than 3; names in any notation
    are words between separators.
    """
    if placeholder(text) or _COUNTED.search(text) or entropy(text) < (3.0 if len(text) >= 20 else 2.5):
        return False
    pieces = [piece for piece in _PIECES.split(text) if piece]
    if len(pieces) > 1 and all(_WORDS.fullmatch(piece) for piece in pieces):
        return False
    return any(c.isdigit() for c in text) or _mixed(text) or (text.isupper() and len(pieces) == 1)


def _mixed(text: str) -> bool:
    """Return whether letters change case more often than in camel case: more often than every fourth letter."""
    changes = sum([a.islower() != b.islower() for a, b in zip(text, text[1:])])
    return changes * 4 > len(text)
