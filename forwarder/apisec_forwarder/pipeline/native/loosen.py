"""Makes of a ``re`` pattern over text one for hyperscan over UTF-8 bytes that matches wherever the first one does.

It may match more often: assertions are dropped, repetitions lose their upper bound where a character may take several
bytes, and a pattern is cut where its beginning is proof enough. What it finds is asked again by the pattern itself,
so that looseness costs time and never an answer. Digits of other scripts, and letters that equal an ASCII letter only
when case is ignored, are left to ``bytesets.uncommon``: a text that has one is always asked.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from apisec_forwarder.pipeline.native.bytesets import (
    ASCII,
    DIGIT,
    HIGH,
    UntranslatableError,
    byte_class,
    constants,
    literal,
    members,
    one,
)

_parser: Any = importlib.import_module("re._parser")  # the standard library's own reading of a pattern

MAX_COUNT = 24  # of a required repetition; what comes after a longer one is cut off
MAX_LEAD, MAX_TAIL = 12, 6  # of one at an edge, where the rest of the pattern says more


_Groups = dict[int, Sequence[Any]]  # the items of each group, for references


@dataclass(frozen=True)
class Piece:
    """A translated element: its source, and whether everything behind it was cut off."""

    source: str
    cut: bool = False


@lru_cache(maxsize=2048)
def loosen(pattern: str, flags: int = 0) -> str:
    """Return a hyperscan pattern that matches in the UTF-8 of every text in which ``pattern`` matches."""
    parsed = _parser.parse(pattern, flags)
    groups: _Groups = {}
    items = list(parsed)
    _sequence(items, parsed.state.flags, groups)  # so that a reference knows its group as it was written
    return _sequence(_trim(items, parsed.state.flags, left=True, right=True), parsed.state.flags, groups).source


@lru_cache(maxsize=2048)
def whole(pattern: str, flags: int = 0) -> str:
    """Return the same from end to end, with the characters before and behind it as far as they are asked."""
    parsed = _parser.parse(pattern, flags)
    groups: _Groups = {}
    flags, items = parsed.state.flags, list(parsed)
    before, after = _guard(items, flags), _guard(items[::-1], flags, 1)
    piece = _sequence(items, flags, groups)
    lead = byte_class(before) if before else ""
    return f"{lead}{piece.source}" + (byte_class(after) if after and not piece.cut else "")


def needs_digit(pattern: str, flags: int = 0) -> bool:
    """Return whether an ASCII digit (or one that ``uncommon`` knows) stands in every text that the pattern matches."""
    parsed = _parser.parse(pattern, flags)
    return _has_digit(list(parsed), parsed.state.flags)


def _has_digit(items: Sequence[Any], flags: int) -> bool:
    for operation, argument in items:
        if operation is constants.LITERAL:
            certain = argument in DIGIT
        elif operation is constants.IN:
            certain = members((operation, argument), flags) <= DIGIT
        elif operation in _REPEATS:
            certain = argument[0] > 0 and _has_digit(list(argument[2]), flags)
        elif operation is constants.BRANCH:
            certain = all(_has_digit(list(branch), flags) for branch in argument[1])
        elif operation is constants.SUBPATTERN:
            certain = _has_digit(list(argument[3]), (flags | argument[1]) & ~argument[2])
        elif operation is constants.ASSERT:
            certain = _has_digit(list(argument[1]), flags)
        else:
            certain = False
        if certain:
            return True
    return False


def _trim(items: list[Any], flags: int, *, left: bool, right: bool) -> list[Any]:
    """Shorten what repeats at an edge to its least count, for the rest proves nothing more; look into groups there."""
    guard = _guard(items, flags) if left else None
    items = [item for item in items if not _is_assertion(item)]
    if guard is not None and _may_guard(items):
        first = (_BYTE, guard)
        return [first, *_edge(items, flags, -1)] if right else [first, *items]
    if left:
        items = _edge(items, flags, 0)
    return _edge(items, flags, -1) if right else items


def _edge(items: list[Any], flags: int, place: int) -> list[Any]:
    while items:
        operation, argument = items[place]
        if operation in _REPEATS:
            low, _, inner = argument
            if low == 0:
                items = items[1:] if place == 0 else items[:-1]
                continue
            if len(items) > 1:
                low = min(low, MAX_LEAD if place == 0 else MAX_TAIL)
            edge = (_EDGE, (low, inner))
            return [edge, *items[1:]] if place == 0 else [*items[:-1], edge]
        if operation is constants.SUBPATTERN:
            _, added, removed, inner = argument
            flags = (flags | added) & ~removed
            trimmed = [_trim(list(inner), flags, left=place == 0, right=place == -1)]
            items = [*items]
            items[place] = (operation, (None, added, removed, trimmed[0]))
        elif operation is constants.BRANCH:
            trimmed = [_trim(list(branch), flags, left=place == 0, right=place == -1) for branch in argument[1]]
            items = [*items]
            items[place] = (operation, (None, trimmed))
        else:
            return items
        if all(trimmed):
            return items
        items = items[1:] if place == 0 else items[:-1]  # it can be empty: what stands beside it is the edge
    return items


def _guard(items: Sequence[Any], flags: int, way: int = -1) -> frozenset[int] | None:
    """Return the bytes that may stand before a pattern (behind it: ``way`` is 1), or None where all may.

    There is always a character beside a value: a quote or a separator.
    """
    allowed = ASCII
    for operation, argument in items:
        if operation is not constants.ASSERT_NOT or argument[0] != way:
            break
        inner = list(argument[1])
        if len(inner) == 1 and inner[0][0] in (constants.IN, constants.LITERAL):
            allowed -= members(inner[0], flags)
    return None if allowed == ASCII else allowed | HIGH


def _may_guard(items: list[Any]) -> bool:
    """A guard stands before a first character that is certain; one that repeats is rather cut to its end."""
    if not items or items[0][0] not in _REPEATS:
        return bool(items)
    low, high, _ = items[0][1]
    return low > 0 and (len(items) == 1 or low == high <= MAX_COUNT)


def _is_assertion(item: Any) -> bool:
    return item[0] in (constants.AT, constants.ASSERT, constants.ASSERT_NOT)


_BYTE = "byte"  # one byte of these: the last one of the character that stands before
_EDGE = "edge"  # a repetition at an edge, of exactly so many: a character of several bytes has at least one

_REPEATS = (constants.MAX_REPEAT, constants.MIN_REPEAT, constants.POSSESSIVE_REPEAT)


def _sequence(items: Sequence[Any], flags: int, groups: _Groups) -> Piece:
    sources = []
    for item in items:
        piece = _item(item, flags, groups)
        sources.append(piece.source)
        if piece.cut:
            return Piece("".join(sources), cut=True)
    return Piece("".join(sources))


def _item(item: Any, flags: int, groups: _Groups) -> Piece:
    operation, argument = item
    if _is_assertion(item):
        return Piece("")
    if operation is constants.LITERAL:
        return Piece(literal(argument, flags))
    if operation in (constants.IN, constants.NOT_LITERAL, constants.ANY):
        return Piece(one(members(item, flags)))
    if operation is _BYTE:
        return Piece(byte_class(argument))
    if operation is _EDGE:
        piece = _repeated(argument[1], flags, groups)
        return Piece(f"(?:{piece.source}){{{argument[0]}}}", piece.cut)
    if operation in _REPEATS:
        return _repeat(argument, flags, groups)
    if operation is constants.BRANCH:
        pieces = [_sequence(list(branch), flags, groups) for branch in argument[1]]
        return Piece(f"(?:{'|'.join(piece.source for piece in pieces)})", cut=any(piece.cut for piece in pieces))
    if operation is constants.SUBPATTERN:
        group, added, removed, inner = argument
        if group is not None:
            groups[group] = list(inner)
        piece = _sequence(list(inner), (flags | added) & ~removed, groups)
        return Piece(f"(?:{piece.source})", piece.cut)
    if operation is constants.ATOMIC_GROUP:
        piece = _sequence(list(argument), flags, groups)
        return Piece(f"(?:{piece.source})", piece.cut)
    if operation is constants.GROUPREF:
        piece = _sequence(groups[argument], flags, groups)
        return Piece(f"(?:{piece.source})", piece.cut)
    raise UntranslatableError(str(operation))


def _repeat(argument: Any, flags: int, groups: _Groups) -> Piece:
    low, high, inner = argument
    piece = _repeated(inner, flags, groups)
    if low > MAX_COUNT or (piece.cut and low):
        return Piece(f"(?:{piece.source}){{{min(low, MAX_COUNT)}}}" if not piece.cut else piece.source, cut=True)
    if piece.cut:
        return Piece("", cut=True)  # it may be left out, and what follows it is not known
    wide = _is_wide(inner, flags)
    top = "" if high is constants.MAXREPEAT or high > MAX_COUNT or (wide and high) else str(high)
    return Piece(f"(?:{piece.source}){{{low},{top}}}" if top != str(low) else f"(?:{piece.source}){{{low}}}")


def _repeated(inner: Sequence[Any], flags: int, groups: _Groups) -> Piece:
    """Translate what repeats; of a class with characters of several bytes, its bytes, for at least as many repeat."""
    items = list(inner)
    if len(items) == 1 and items[0][0] in (constants.IN, constants.NOT_LITERAL, constants.ANY):
        return Piece(byte_class(members(items[0], flags)))
    return _sequence(items, flags, groups)


def _is_wide(inner: Sequence[Any], flags: int) -> bool:
    """Return whether one of the characters may take several bytes."""
    for item in inner:
        if item[0] in (constants.IN, constants.NOT_LITERAL, constants.ANY) and members(item, flags) & HIGH:
            return True
        if item[0] in (*_REPEATS, constants.BRANCH, constants.SUBPATTERN, constants.GROUPREF):
            return True
    return False
