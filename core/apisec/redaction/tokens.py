"""What a token looks like: ``~class~16 hex digits~``, safe in JSON, XML and URLs.

A format-preserving token has ``n`` and digits, or ``a`` and letters and digits, in place of the hex digits.

The shape is closed over the table of classes, so that nothing else can pass for a token and escape scanning.
"""

from __future__ import annotations

import re

from apisec.classification.classes import CLASSES

DIGEST_BYTES = 8  # 16 hex digits: a collision among 10 million values of one class has odds of 3e-6

_NAMES = "|".join(sorted((re.escape(c.name) for c in CLASSES), key=len, reverse=True))
_BODY = rf"(?:[0-9a-f]{{{2 * DIGEST_BYTES}}}|n[0-9]{{6,64}}|a[0-9a-z]{{4,64}})"
TOKEN = re.compile(rf"~(?:{_NAMES})~{_BODY}~")
LONGEST = 3 + max(len(c.name) for c in CLASSES) + 65  # characters


def is_token(text: str) -> bool:
    """Return whether the whole text is one token."""
    return text.startswith("~") and TOKEN.fullmatch(text) is not None


def class_of(token: str) -> str:
    """Return the class of a token."""
    return token.split("~", 2)[1]


def cut(text: str, limit: int) -> str:
    """Return at most ``limit`` characters of a redacted text without breaking a token in two."""
    if len(text) <= limit:
        return text
    for match in TOKEN.finditer(text, max(0, limit - LONGEST)):
        if match.start() < limit < match.end():
            return text[: match.start()]
        if match.start() >= limit:
            break
    return text[:limit]
