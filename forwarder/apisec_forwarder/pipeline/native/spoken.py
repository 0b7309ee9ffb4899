"""Telling words as literals, which cost least: of each word one that stands wherever it does."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

from apisec.detectors.base import Words
from apisec_forwarder.pipeline.native.bytesets import HIGH, byte_class, constants
from apisec_forwarder.pipeline.native.loosen import loosen

_parser: Any = importlib.import_module("re._parser")

_OPENED, _CLOSED = r"(?i)(?:\b|_)(?:", r"(?:\b|_|\d)"  # how ``detectors.base.words`` writes a word's edges
_SPACED = r"[\s._-]{0,2}"  # … and what may stand between two of them
_BEFORE, _BEHIND = "[^A-Za-z0-9]", r"[^A-Za-z\x1f]"  # a value follows, so that no separator does
_LETTER = re.compile("[A-Za-z]")
_GROUP = re.compile(r"\(\?:([^()]*)\)")  # the ways of a letter
MAX_SPELLINGS = 12  # of one word
_FOREIGN = r"[\x80-\xff]{4}"  # two letters of another script

# Parts that stand in all kinds of texts; the rest of a word says more.
_COMMON = frozenset(
    ("number", "nummer", "numero", "numer", "code", "date", "datum", "name", "order", "customer", "client")
)


class _Part(NamedTuple):
    text: str
    first: bool
    behind: str  # how a text goes on


def stems_of(words: Words) -> list[str]:
    """Return the sources of the alternatives of telling words."""
    source = words.pattern
    if not source.startswith(_OPENED) or not source.endswith(")"):
        raise ValueError("telling words are not written as detectors.base.words writes them")
    inner = source[len(_OPENED) : -1]
    stems, depth, start = [], 0, 0
    for index, character in enumerate(inner):
        depth += (character == "(") - (character == ")")
        if character == "|" and depth == 0:
            stems.append(inner[start:index])
            start = index + 1
    return [*stems, inner[start:]]


def exact_of(stem: str) -> list[str]:
    """Return hyperscan patterns, for any case, one of which matches wherever a stem does."""
    behind = _BEHIND if stem.endswith(_CLOSED) else ""
    return [f"{_BEFORE}{way}{behind}" for way in _gaps(stem.removesuffix(_CLOSED))]


def _gaps(bare: str) -> list[str]:
    """Return a word in its spellings; where letters stand alone, with each number of bytes between them."""
    ways = _spellings(bare)
    if max(map(len, bare.split(_SPACED))) > 1:
        return [loosen(way) for way in ways]
    gap = byte_class(frozenset(b"\t\n\v\f\r\x1c\x1d\x1e ._-") | HIGH)
    return [
        "".join([letter + between for letter, between in zip(bare.split(_SPACED), (*gaps, ""), strict=True)])
        for gaps in product(("", gap, f"{gap}{{2,6}}"), repeat=bare.count(_SPACED))
    ]


def _spellings(bare: str) -> list[str]:
    """Return the ways of a word's letters with accents, each alone: then they are literals."""
    group = _GROUP.search(bare)
    if group is None:
        return [bare]
    ways = [
        bare[: group.start()] + way + rest for way in group[1].split("|") for rest in _spellings(bare[group.end() :])
    ]
    return ways if len(ways) <= MAX_SPELLINGS else [bare]


def literals_of(stem: str, count: int) -> list[str]:
    """Return what asks a part of the stem alone, of ``count`` letters or more, where it has one: literals."""
    parts = list(_parts(stem.removesuffix(_CLOSED), _BEHIND if stem.endswith(_CLOSED) else ""))
    long = [part for part in parts if len(part.text) >= count and part.text not in _COMMON]
    if long:
        best = max(long, key=lambda part: (len(part.text), part.first))
        return [(_BEFORE if best.first else "") + re.escape(best.text) + best.behind]
    if not _LETTER.search(stem.removesuffix(_CLOSED).replace(_SPACED, "")):
        return [_FOREIGN]
    if len(parts) > 1 and parts[0].first and len(parts[0].text) == count - 1 and _SPACED in stem:
        first, second = parts[0].text, parts[1].text  # both are joined, or something stands between them
        return [f"{_BEFORE}{first}{_BEHIND}", f"{_BEFORE}{first}{re.escape(second)}"]
    return exact_of(stem)


def _parts(source: str, end: str) -> Iterator[_Part]:
    """Yield the letters of a word that stand together; ``end`` is what stands behind the word."""
    text, first = "", True
    for operation, argument in _parser.parse(source):
        if operation is constants.LITERAL and argument < 128:
            text += chr(argument)
            continue
        if text:
            yield _Part(text, first, _next(operation, argument))
        text, first = "", False
    if text:
        yield _Part(text, first, end)


def _next(operation: Any, argument: Any) -> str:
    """Return a class for the first byte of a letter with an accent, written in any way; nothing for blanks."""
    if operation is constants.SUBPATTERN:
        return _next(*argument[3][0])
    if operation is constants.IN:
        codes = [value for kind, value in argument if kind is constants.LITERAL]
        known = len(codes) == len(argument)
    elif operation is constants.BRANCH:
        codes = [branch[0][1] for branch in argument[1] if branch and branch[0][0] is constants.LITERAL]
        known = len(codes) == len(argument[1])
    else:
        return ""
    letters = "".join(sorted({chr(code) for code in codes if code < 128}))
    return rf"[{letters}\x80-\xff]" if known and letters.isalpha() else ""
