"""Takes text apart as a browser would: tags with their attributes, forgiving where a browser forgives.

Linear: one pass for tags, one for the attributes of each, both bounded in count.
"""

from __future__ import annotations

import re
from typing import Iterator, List, NamedTuple, Tuple

MAX_TAGS = 100
MAX_TAG = 1_500  # characters from a tag's name that are read for its attributes
MAX_ATTRIBUTES = 24

_TAG = re.compile(r"<\s{0,2}(/?[a-z!?][a-z0-9:_!?-]{0,40})")
_ATTRIBUTE = re.compile(
    r"[\s/\x00]*(?P<name>[^\s/>=\x00\"'`<][^\s/>=\x00]{0,60})"
    r"(?:[\s\x00]{0,8}=[\s\x00]{0,8}(?P<value>\"[^\"]*\"?|'[^']*'?|`[^`]*`?|[^\s>]*))?"
)
_STRAY = re.compile(r"[\s/\x00]*[\"'`=<]+")


class Tag(NamedTuple):
    """``attributes``: name and value without quotes, in order. ``closed``: a ``>`` ends it."""

    name: str
    attributes: Tuple[Tuple[str, str], ...]
    closed: bool


def tags(text: str) -> Iterator[Tag]:
    """Yield the tags of a text in lower case."""
    for count, match in enumerate(_TAG.finditer(text)):
        if count >= MAX_TAGS:
            return
        yield _read(match.group(1), text, match.end())


def _read(name: str, text: str, at: int) -> Tag:
    found: List[Tuple[str, str]] = []
    end = min(len(text), at + MAX_TAG)
    while at < end and len(found) < MAX_ATTRIBUTES:
        if text[at] == ">":
            return Tag(name, tuple(found), True)
        match = _ATTRIBUTE.match(text, at, end)
        if match is None:
            match = _STRAY.match(text, at, end)
            at = match.end() if match is not None and match.end() > at else at + 1
            continue
        found.append((match.group("name"), (match.group("value") or "").strip("\"'`")))
        at = match.end()
    return Tag(name, tuple(found), False)
