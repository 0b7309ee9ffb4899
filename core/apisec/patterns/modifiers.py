"""Sigma's value modifiers (modifiers appendix 2.1.0) compiled into tests of one value.

Values are compared as strings without regard to case unless ``cased`` is given; ``*`` and ``?`` are wildcards
and a backslash escapes them (Sigma rules 2.0.0, "String Wildcard", "Escaping").
"""

from __future__ import annotations

import ipaddress
import operator
from typing import Any, Callable, Dict, List, Optional, Tuple

from apisec.errors import PatternError, did_you_mean
from apisec.patterns import fields
from apisec.patterns.regex import Regex

Test = Callable[[Any], bool]

PLACES = ("contains", "startswith", "endswith")
COMPARISONS: Dict[str, Callable[[Any, Any], Any]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}
KINDS = (*PLACES, "re", "cidr", *COMPARISONS, "exists")  # at most one of these a field
KNOWN = (*KINDS, "all", "cased", "i")
MAX_TEXT = 2048  # characters of one value

ANY, ONE = object(), object()  # wildcards in a parsed value


def check(name: str, modifiers: Tuple[str, ...], count: int, where: str) -> str:
    """Return the kind of comparison (``equals`` by default); raise PatternError for what cannot be combined."""
    for modifier in modifiers:
        if modifier not in KNOWN:
            raise PatternError(f"unknown modifier {modifier!r}{did_you_mean(modifier, KNOWN)}", where=where)
    kinds = [m for m in modifiers if m in KINDS]
    if len(kinds) > 1 or len(set(modifiers)) != len(modifiers):
        raise PatternError(f"modifiers {'|'.join(modifiers)} cannot be combined", where=where)
    kind = kinds[0] if kinds else "equals"
    if "i" in modifiers and kind != "re":
        raise PatternError("modifier 'i' belongs to 're'; other comparisons ignore case unless 'cased'", where=where)
    if "cased" in modifiers and kind not in ("equals", *PLACES):
        raise PatternError(f"modifier 'cased' does not apply to {kind!r}", where=where)
    if "all" in modifiers and (count < 2 or kind in ("exists", *COMPARISONS)):
        raise PatternError("modifier 'all' needs a list of two or more texts", where=where)
    if kind in COMPARISONS and not fields.is_number(name):
        raise PatternError(f"modifier {kind!r} needs a numeric field; {name!r} is a text", where=where)
    if kind == "cidr" and name != "src":
        raise PatternError(f"modifier 'cidr' needs the field 'src', not {name!r}", where=where)
    return kind


def compile_test(kind: str, value: Any, modifiers: Tuple[str, ...], where: str) -> Test:
    """Return the test of one value of the event; it never raises whatever it is given."""
    if kind in COMPARISONS:
        return _comparison(kind, value, where)
    if kind == "equals" and not isinstance(value, str):
        return _scalar(value, where)
    if not isinstance(value, str):
        raise PatternError(f"{value!r} is not a text; quote it", where=where)
    if len(value) > MAX_TEXT:
        raise PatternError(f"a value of more than {MAX_TEXT} characters", where=where)
    if kind == "cidr":
        return _network(value, where)
    if kind == "re":
        expression = Regex(value, ignore_case="i" in modifiers, where=where)
        return lambda seen: isinstance(seen, str) and expression.search(seen)
    return _text(kind, value, "cased" in modifiers)


def _comparison(kind: str, value: Any, where: str) -> Test:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise PatternError(f"{value!r} is not a number", where=where)
    compare = COMPARISONS[kind]
    return lambda seen: isinstance(seen, (int, float)) and not isinstance(seen, bool) and bool(compare(seen, value))


def _scalar(value: Any, where: str) -> Test:
    if not isinstance(value, (bool, int, float)):
        raise PatternError(f"{value!r} is neither text, number, boolean nor null", where=where)
    if isinstance(value, bool):
        return lambda seen: seen is value
    text = str(value)
    return lambda seen: not isinstance(seen, bool) and seen in (value, text)


def _network(value: str, where: str) -> Test:
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError as error:
        raise PatternError(f"not a network: {error}", where=where) from None

    def inside(seen: Any) -> bool:
        try:
            return ipaddress.ip_address(seen) in network
        except ValueError:
            return False

    return inside


def split_wildcards(value: str) -> List[Any]:
    """Return the literal characters and wildcards (``ANY``, ``ONE``) of a Sigma value."""
    parts: List[Any] = []
    position = 0
    while position < len(value):
        char = value[position]
        if char == "\\" and position + 1 < len(value) and value[position + 1] in "*?\\":
            position += 1
            parts.append(value[position])
        else:
            parts.append({"*": ANY, "?": ONE}.get(char, char))
        position += 1
    return parts


def literal(value: str) -> Optional[str]:
    """Return the text a value stands for, None when it holds a wildcard."""
    parts = split_wildcards(value)
    return "".join(parts) if all(isinstance(p, str) for p in parts) else None


def _text(kind: str, value: str, cased: bool) -> Test:
    def fold(text: str) -> str:
        return text if cased else text.casefold()

    plain = literal(value)
    if plain is None:
        return _glob(split_wildcards(value), kind, fold)
    wanted = fold(plain)
    if kind == "contains":
        return lambda seen: wanted in fold(str(seen))
    if kind == "startswith":
        return lambda seen: fold(str(seen)).startswith(wanted)
    if kind == "endswith":
        return lambda seen: fold(str(seen)).endswith(wanted)
    return lambda seen: fold(str(seen)) == wanted


def _glob(parts: List[Any], kind: str, fold: Callable[[str], str]) -> Test:
    """Return a wildcard match by greedy search of the pieces between ``*``: time linear in text x pattern."""
    if kind in ("contains", "endswith"):
        parts = [ANY, *parts]
    if kind in ("contains", "startswith"):
        parts = [*parts, ANY]
    pieces: List[List[Any]] = [[]]
    for part in parts:
        if part is ANY:
            pieces.append([])
        else:
            pieces[-1].extend([part] if part is ONE else list(fold(part)))
    head, middle, tail = pieces[0], [p for p in pieces[1:-1] if p], pieces[-1]

    def matches(seen: Any) -> bool:
        text = fold(str(seen))
        if len(pieces) == 1:
            return len(text) == len(head) and _fits(head, text, 0)
        if len(text) < len(head) + len(tail) or not _fits(head, text, 0):
            return False
        if not _fits(tail, text, len(text) - len(tail)):
            return False
        position, end = len(head), len(text) - len(tail)
        for piece in middle:
            while position + len(piece) <= end and not _fits(piece, text, position):
                position += 1
            if position + len(piece) > end:
                return False
            position += len(piece)
        return True

    return matches


def _fits(piece: List[Any], text: str, at: int) -> bool:
    return all(part is ONE or text[at + offset] == part for offset, part in enumerate(piece))
