"""Makes of a ``re`` pattern over text one for hyperscan over UTF-8 bytes that matches wherever the first one does.

It may match more often: assertions are dropped, repetitions lose their upper bound where a character may take several
bytes, and a pattern is cut where its beginning is proof enough. What it finds is asked again by the pattern itself,
so that looseness costs time and never an answer. Digits of other scripts, and letters that equal an ASCII letter only
when case is ignored, are left to ``uncommon``: a text that has one is always asked.
"""

from __future__ import annotations

import importlib
import re
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

_parser: Any = importlib.import_module("re._parser")  # the standard library's own reading of a pattern
_constants: Any = importlib.import_module("re._constants")

MAX_COUNT = 24  # of a required repetition; what comes after a longer one is cut off
MAX_LEAD, MAX_TAIL = 12, 12  # of one at an edge, where the rest of the pattern says more
_HIGH = frozenset(range(128, 256))
_ASCII = frozenset(range(128))
_DIGIT = frozenset(b"0123456789")
_SPACE = frozenset(c for c in _ASCII if chr(c).isspace())
_WORD = frozenset(c for c in _ASCII if chr(c).isalnum() or chr(c) == "_")
FOLDED = "\u017f\u212a\u0130\u0131"  # equal to s, k and i when case is ignored


class UntranslatableError(ValueError):
    """A construct that has no looser form here."""


@dataclass(frozen=True)
class Piece:
    """A translated element: its source, and whether everything behind it was cut off."""

    source: str
    cut: bool = False


@lru_cache(maxsize=2048)
def loosen(pattern: str, flags: int = 0) -> str:
    """Return a hyperscan pattern that matches in the UTF-8 of every text in which ``pattern`` matches."""
    parsed = _parser.parse(pattern, flags)
    groups: dict[int, Sequence[Any]] = {}
    items = list(parsed)
    _sequence(items, parsed.state.flags, groups)  # so that a reference knows its group as it was written
    return _sequence(_trim(items, parsed.state.flags, left=True, right=True), parsed.state.flags, groups).source


def is_grouped_digits(pattern: str, flags: int, count: int, separators: bytes, gap: int) -> bool:
    """Return whether a pattern matches nothing but ``count`` digits or more, with at most ``gap`` separators between.

    Then one pattern for such digits stands for all of them.
    """
    parsed = _parser.parse(pattern, flags)
    groups: dict[int, Sequence[Any]] = {}
    allowed = frozenset(separators) | _HIGH
    try:
        ends = _walk(list(parsed), frozenset(((0, 0),)), parsed.state.flags, groups, allowed, gap)
    except UntranslatableError:
        return False
    return all(digits >= count for digits, _ in ends)


_Groups = dict[int, Sequence[Any]]
_States = frozenset[tuple[int, int]]  # digits so far, and separators behind the last one


def _walk(
    items: Sequence[Any],
    states: _States,
    flags: int,
    groups: _Groups,
    allowed: frozenset[int],
    gap: int,
) -> _States:
    for item in items:
        states = _step(item, states, flags, groups, allowed, gap)
        if len(states) > 64 or any(run > gap for _, run in states):
            raise UntranslatableError
    return states


def _step(item: Any, states: _States, flags: int, groups: _Groups, allowed: frozenset[int], gap: int) -> _States:
    operation, argument = item
    if _is_assertion(item):
        return states
    if operation in (_constants.IN, _constants.LITERAL):
        members = _members((_constants.IN, [item]) if operation is _constants.LITERAL else item, flags)
        if members <= _DIGIT:
            return frozenset((digits + 1, 0) for digits, _ in states)
        if members <= allowed:
            return frozenset((digits, run + 1) for digits, run in states)
        raise UntranslatableError
    if operation in _REPEATS:
        low, high, inner = argument
        ends: set[tuple[int, int]] = set(states) if low == 0 else set()
        for turn in range(1, max(low, min(high, gap + 1)) + 1):
            states = _walk(list(inner), states, flags, groups, allowed, gap)
            if turn >= low:
                ends |= states
        return frozenset(ends)
    if operation is _constants.BRANCH:
        found = [_walk(list(branch), states, flags, groups, allowed, gap) for branch in argument[1]]
        return frozenset().union(*found)
    if operation is _constants.SUBPATTERN:
        group, _, _, inner = argument
        if group is not None:
            groups[group] = list(inner)
        return _walk(list(inner), states, flags, groups, allowed, gap)
    if operation is _constants.GROUPREF:
        return _walk(groups[argument], states, flags, groups, allowed, gap)
    raise UntranslatableError


def needs_digit(pattern: str, flags: int = 0) -> bool:
    """Return whether an ASCII digit (or one that ``uncommon`` knows) stands in every text that the pattern matches."""
    parsed = _parser.parse(pattern, flags)
    return _has_digit(list(parsed), parsed.state.flags)


def _has_digit(items: Sequence[Any], flags: int) -> bool:
    for operation, argument in items:
        if operation is _constants.LITERAL:
            certain = argument in _DIGIT
        elif operation is _constants.IN:
            certain = _members((operation, argument), flags) <= _DIGIT
        elif operation in _REPEATS:
            certain = argument[0] > 0 and _has_digit(list(argument[2]), flags)
        elif operation is _constants.BRANCH:
            certain = all(_has_digit(list(branch), flags) for branch in argument[1])
        elif operation is _constants.SUBPATTERN:
            certain = _has_digit(list(argument[3]), (flags | argument[1]) & ~argument[2])
        elif operation is _constants.ASSERT:
            certain = _has_digit(list(argument[1]), flags)
        else:
            certain = False
        if certain:
            return True
    return False


@lru_cache(maxsize=1)
def uncommon() -> str:
    """Return a hyperscan pattern for what the patterns here do not know: decimal digits and letters as said above."""
    digits = [chr(c) for c in range(128, sys.maxunicode + 1) if unicodedata.category(chr(c)) == "Nd"]
    by_head: dict[bytes, set[int]] = {}
    for digit in digits:
        encoded = digit.encode()
        by_head.setdefault(encoded[:-1], set()).add(encoded[-1])
    letters = [_bytes(letter.encode()) for letter in FOLDED]
    return "|".join([*letters, *[_bytes(head) + _set(frozenset(by_head[head])) for head in sorted(by_head)]])


def _trim(items: list[Any], flags: int, *, left: bool, right: bool) -> list[Any]:
    """Shorten what repeats at an edge to its least count, for the rest proves nothing more; look into groups there."""
    guard = _guard(items, flags) if left else None
    items = [item for item in items if not _is_assertion(item)]
    if guard is not None and _may_guard(items):
        return [guard, *_edge(items, flags, -1)] if right else [guard, *items]
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
        if operation is _constants.SUBPATTERN:
            _, added, removed, inner = argument
            flags = (flags | added) & ~removed
            trimmed = [_trim(list(inner), flags, left=place == 0, right=place == -1)]
            items = [*items]
            items[place] = (operation, (None, added, removed, trimmed[0]))
        elif operation is _constants.BRANCH:
            trimmed = [_trim(list(branch), flags, left=place == 0, right=place == -1) for branch in argument[1]]
            items = [*items]
            items[place] = (operation, (None, trimmed))
        else:
            return items
        if all(trimmed):
            return items
        items = items[1:] if place == 0 else items[:-1]  # it can be empty: what stands beside it is the edge
    return items


def _guard(items: list[Any], flags: int) -> Any:
    """Return a class for the character before a pattern that says which ones must not stand there, or None.

    There is always a character before a value: a quote or a separator.
    """
    allowed = _ASCII
    for operation, argument in items:
        if operation is not _constants.ASSERT_NOT or argument[0] != -1:
            break
        inner = list(argument[1])
        if len(inner) == 1 and inner[0][0] in (_constants.IN, _constants.LITERAL):
            refused = _members((_constants.IN, [inner[0]]) if inner[0][0] is _constants.LITERAL else inner[0], flags)
            allowed -= refused
    if allowed == _ASCII:
        return None
    return (_BYTE, allowed | _HIGH)


def _may_guard(items: list[Any]) -> bool:
    """A guard stands before a first character that is certain; one that repeats is rather cut to its end."""
    if not items or items[0][0] not in _REPEATS:
        return bool(items)
    low, high, _ = items[0][1]
    return low > 0 and (len(items) == 1 or low == high <= MAX_LEAD)


def _is_assertion(item: Any) -> bool:
    return item[0] in (_constants.AT, _constants.ASSERT, _constants.ASSERT_NOT)


_BYTE = "byte"  # one byte of these: the last one of the character that stands before
_EDGE = "edge"  # a repetition at an edge, of exactly so many: a character of several bytes has at least one

_REPEATS = (_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT)


def _sequence(items: Sequence[Any], flags: int, groups: dict[int, Sequence[Any]]) -> Piece:
    sources = []
    for item in items:
        piece = _item(item, flags, groups)
        sources.append(piece.source)
        if piece.cut:
            return Piece("".join(sources), cut=True)
    return Piece("".join(sources))


def _item(item: Any, flags: int, groups: dict[int, Sequence[Any]]) -> Piece:
    operation, argument = item
    if _is_assertion(item):
        return Piece("")
    if operation is _constants.LITERAL:
        return Piece(_literal(argument, flags))
    if operation in (_constants.IN, _constants.NOT_LITERAL, _constants.ANY):
        return Piece(_one(_members(item, flags)))
    if operation is _BYTE:
        return Piece(_set(argument))
    if operation is _EDGE:
        piece = _repeated(argument[1], flags, groups)
        return Piece(f"(?:{piece.source}){{{argument[0]}}}", piece.cut)
    if operation in _REPEATS:
        return _repeat(argument, flags, groups)
    if operation is _constants.BRANCH:
        pieces = [_sequence(list(branch), flags, groups) for branch in argument[1]]
        return Piece(f"(?:{'|'.join(piece.source for piece in pieces)})", cut=any(piece.cut for piece in pieces))
    if operation is _constants.SUBPATTERN:
        group, added, removed, inner = argument
        if group is not None:
            groups[group] = list(inner)
        piece = _sequence(list(inner), (flags | added) & ~removed, groups)
        return Piece(f"(?:{piece.source})", piece.cut)
    if operation is _constants.ATOMIC_GROUP:
        piece = _sequence(list(argument), flags, groups)
        return Piece(f"(?:{piece.source})", piece.cut)
    if operation is _constants.GROUPREF:
        piece = _sequence(groups[argument], flags, groups)
        return Piece(f"(?:{piece.source})", piece.cut)
    raise UntranslatableError(str(operation))


def _literal(code: int, flags: int) -> str:
    folds = bool(flags & re.IGNORECASE)
    if code >= 128:
        return _MANY if folds else _bytes(chr(code).encode())
    if not folds or not chr(code).isalpha():
        return _character(code)
    return _set(frozenset((ord(chr(code).lower()), ord(chr(code).upper()))))


def _repeat(argument: Any, flags: int, groups: dict[int, Sequence[Any]]) -> Piece:
    low, high, inner = argument
    piece = _repeated(inner, flags, groups)
    if low > MAX_COUNT or (piece.cut and low):
        return Piece(f"(?:{piece.source}){{{min(low, MAX_COUNT)}}}" if not piece.cut else piece.source, cut=True)
    if piece.cut:
        return Piece("", cut=True)  # it may be left out, and what follows it is not known
    wide = _is_wide(inner, flags)
    top = "" if high is _constants.MAXREPEAT or high > MAX_COUNT or (wide and high) else str(high)
    return Piece(f"(?:{piece.source}){{{low},{top}}}" if top != str(low) else f"(?:{piece.source}){{{low}}}")


def _repeated(inner: Sequence[Any], flags: int, groups: dict[int, Sequence[Any]]) -> Piece:
    """Translate what repeats; of a class with characters of several bytes, its bytes, for at least as many repeat."""
    items = list(inner)
    if len(items) == 1 and items[0][0] in (_constants.IN, _constants.NOT_LITERAL, _constants.ANY):
        return Piece(_set(_members(items[0], flags)))
    return _sequence(items, flags, groups)


def _is_wide(inner: Sequence[Any], flags: int) -> bool:
    """Return whether one of the characters may take several bytes."""
    for item in inner:
        if item[0] in (_constants.IN, _constants.NOT_LITERAL, _constants.ANY) and _members(item, flags) & _HIGH:
            return True
        if item[0] in (*_REPEATS, _constants.BRANCH, _constants.SUBPATTERN, _constants.GROUPREF):
            return True
    return False


def _members(item: Any, flags: int) -> frozenset[int]:
    """Return the bytes that a character of a class may begin or go on with."""
    operation, argument = item
    if operation is _constants.ANY:
        return _ASCII | _HIGH if flags & re.DOTALL else (_ASCII - {10}) | _HIGH
    if operation is _constants.NOT_LITERAL:
        return (_ASCII - {argument}) | _HIGH
    members: set[int] = set()
    negated = False
    for kind, value in argument:
        if kind is _constants.NEGATE:
            negated = True
        else:
            members |= _class(kind, value)
    if negated:
        return frozenset((_ASCII - members) | _HIGH)
    if flags & re.IGNORECASE:
        letters = {c for c in members if c < 128 and chr(c).isalpha()}
        members |= {ord(chr(c).lower()) for c in letters} | {ord(chr(c).upper()) for c in letters}
    return frozenset(members)


def _class(kind: Any, value: Any) -> frozenset[int]:
    if kind is _constants.LITERAL:
        return frozenset((value,)) if value < 128 else _HIGH
    if kind is _constants.RANGE:
        low, high = value
        return frozenset(range(low, min(high, 127) + 1)) | (_HIGH if high > 127 else frozenset())
    known = {
        _constants.CATEGORY_DIGIT: _DIGIT,
        _constants.CATEGORY_NOT_DIGIT: (_ASCII - _DIGIT) | _HIGH,
        _constants.CATEGORY_SPACE: _SPACE | _HIGH,
        _constants.CATEGORY_NOT_SPACE: (_ASCII - _SPACE) | _HIGH,
        _constants.CATEGORY_WORD: _WORD | _HIGH,
        _constants.CATEGORY_NOT_WORD: (_ASCII - _WORD) | _HIGH,
    }
    if value not in known:
        raise UntranslatableError(str(value))
    return known[value]


def _one(members: frozenset[int]) -> str:
    """Return what matches one character of a class, of one byte or of several."""
    if not members & _HIGH:
        return _set(members)
    low = members - _HIGH
    return f"(?:{_set(low)}|{_MANY})" if low else f"(?:{_MANY})"


_MANY = "[\\x80-\\xff]{2,4}"  # the bytes of a character that is not ASCII


def _set(members: frozenset[int]) -> str:
    if len(members) == 1:
        return _character(min(members))
    pairs = _ranges(sorted(members))
    ranges = [_character(a) if a == b else f"{_character(a)}-{_character(b)}" for a, b in pairs]
    return f"[{''.join(ranges)}]"


def _character(code: int) -> str:
    return chr(code) if chr(code).isalnum() and code < 128 else f"\\x{code:02x}"


def _ranges(codes: Sequence[int]) -> Iterator[tuple[int, int]]:
    first = last = codes[0]
    for code in codes[1:]:
        if code != last + 1:
            yield first, last
            first = code
        last = code
    yield first, last


def _bytes(data: bytes) -> str:
    return "".join(map(_character, data))
