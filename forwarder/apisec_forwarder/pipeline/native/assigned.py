"""Coarse shapes of a name that is given a value in a text: what comes before the equals sign or colon of the core's."""

from __future__ import annotations

import string

_OUTSIDE = r"[^0-9A-Za-z_.\-]"
_FIRST, _REST = string.ascii_letters + "_", r"0-9_.\-\x80-\xff"
_INNER = rf"[A-Za-z{_REST}]"
_END = r"\x5c?[\x22\x27]?\]?[\s\x80-\xff]*"  # a quote or bracket, escaped or not, and blanks


def _but(letter: str) -> str:
    return f"[{string.ascii_letters.replace(letter, '')}{_REST}]"


def _names_but(word: str) -> str:
    """Return names that are not a word, and do not only go on with an *s* behind it."""
    ways = [
        f"[{_FIRST.replace(word[0], '')}]{_INNER}+",
        *[f"{word[:at]}(?:{_but(word[at])}{_INNER}*)?" for at in range(1, len(word))],
        f"{word}{_but('s')}{_INNER}*",
        f"{word}s{_INNER}+",
    ]
    return f"(?:{'|'.join(ways)})"


# Most of what stands before a colon in ordinary values is the scheme of an address, and says nothing.
ASSIGNED_SHAPES = (
    f"{_OUTSIDE}[{_FIRST}]{_INNER}+{_END}(?:=|:[^/]|:/[^/])",
    f"{_OUTSIDE}{_names_but('http')}{_END}://",
)
