"""One hyperscan call that says which values of a text need to be asked by the core: most need nothing.

The patterns are made from the core's own (detectors, telling words, encodings, assignments, signals) by ``loosen``, so
that there is no second list. A gate has no false negatives: where it finds nothing, the core finds nothing
(``tests/forwarder/test_native_gate.py`` holds that). What it finds is a place; the core decides.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import hyperscan

from apisec.detectors import DETECTORS
from apisec.detectors.base import Words
from apisec.detectors.engine import MIN_LENGTH
from apisec.detectors.signals import _SUSPECT as SUSPECT
from apisec.redaction.encodings import BASE64_TEXT, ENTITY, ESCAPED, PERCENT
from apisec.redaction.redactor import TELLING
from apisec_forwarder.pipeline.native.databases import Expression, database
from apisec_forwarder.pipeline.native.loosen import is_grouped_digits, loosen, needs_digit, uncommon
from apisec_forwarder.pipeline.native.plans import NotHere

SEPARATOR = "\x1f"  # between values that are scanned together; a control character that no detector asks for
VALUE, SUSPICIOUS, BASE64, SPOKEN = range(4)  # what a pattern's id says; ``SPOKEN``: if there is a digit as well

# Most shapes of numbers are long ones in groups: one pattern stands for them all. A date has eight digits.
MIN_DIGITS, MAX_GAP = 9, 2
_SEPARATORS = b" ./+-()_"
_GROUPED = rf"[0-9](?:[ ./+\-()_\x80-\xff]{{0,{4 * MAX_GAP}}}[0-9]){{{MIN_DIGITS - 1}}}"  # four bytes a character

_DIGIT = re.compile(r"[0-9]")

Hit = tuple[int, int]  # what, and the place behind the last byte

_ASSIGNED = r"[\w.-]*\\?[\"']?\]?\s{0,2}[:=]"
_EMBEDDED_HEAD, _EMBEDDED_TAIL = r"\s*[{\[<\"]", r"\}\s*"  # JSON, XML or GraphQL in a value


def found(kind: int, _: int, end: int, __: int, hits: Any) -> None:
    """Take one match (hyperscan's callback: a named function, for a temporary one crashes the process)."""
    hits.append((kind, end))


class Gate:
    """A compiled database and its scratch: of one process and one thread."""

    def __init__(self, database: hyperscan.Database) -> None:
        self._scratch = hyperscan.Scratch(database)
        self._scan = database.scan

    def hits(self, data: bytes) -> list[Hit]:
        """Return where something may stand; ``data`` is UTF-8."""
        hits: list[Hit] = []
        self._scan(data, match_event_handler=found, context=hits, scratch=self._scratch)
        return hits

    def places(self, values: Sequence[str]) -> list[tuple[int, int]]:
        """Return in which of some values something may stand: what, and the value's index, each once."""
        hay = SEPARATOR.join(("", *values, ""))
        if hay.count(SEPARATOR) != len(values) + 1:
            raise NotHere  # a value has a separator of its own
        hits = self.hits(hay.encode())
        if not hits:
            return []
        lengths = map(len, values) if hay.isascii() else [len(value.encode()) for value in values]
        ends = list(accumulate([length + 1 for length in lengths]))  # of each value, its separator in front
        last = len(values) - 1
        found = dict.fromkeys([(kind, min(bisect_right(ends, end - 1), last)) for kind, end in hits])
        spoken = [index for kind, index in found if kind == SPOKEN]
        for index in spoken:
            del found[SPOKEN, index]
            if _DIGIT.search(values[index]):
                found[VALUE, index] = None
        return list(found)


_known: dict[str, hyperscan.Database] = {}  # of this process


def text_gate(strict: bool, cache: Path | None = None) -> Gate:
    """Return the gate for decoded values, each between two separators. ``cache``: see ``databases``."""
    return Gate(_database("strict" if strict else "balanced", cache))


def signal_gate(cache: Path | None = None) -> Gate:
    """Return the gate for what may be an attack."""
    return Gate(_database("signals", cache))


def number_gate(strict: bool, cache: Path | None = None) -> Gate:
    """Return the gate for JSON on the wire: one hit in each long number (and in some texts with such digits)."""
    return Gate(_database("numbers, strict" if strict else "numbers", cache))


def _database(which: str, cache: Path | None) -> hyperscan.Database:
    known = _known.get(which)
    if known is None:
        known = _known[which] = database(_EXPRESSIONS[which](), cache)
    return known


def _texts(strict: bool) -> list[Expression]:
    patterns = [Expression(pattern, VALUE) for pattern in _values(strict)]
    return _once([*patterns, Expression(loosen(BASE64_TEXT.pattern), BASE64), *_words()])


def _signals() -> list[Expression]:
    return [Expression(loosen(SUSPECT.pattern, _flags(SUSPECT)), SUSPICIOUS)]


def _numbers(characters: int) -> list[Expression]:
    """Return what finds a number of so many characters, or one in scientific notation."""
    before = r"[:,\[\x09\x0a\x0d\x20]-?"
    return [Expression(f"{before}[0-9.]{{{characters}}}", VALUE), Expression(f"{before}[0-9.]{{1,400}}[eE]", VALUE)]


_EXPRESSIONS: dict[str, Callable[[], list[Expression]]] = {
    "balanced": lambda: _texts(False),
    "strict": lambda: _texts(True),
    "signals": _signals,
    "numbers": lambda: _numbers(MIN_DIGITS),  # shorter ones hold nothing
    "numbers, strict": lambda: _numbers(MIN_LENGTH - 1),  # a sign may be one of the characters
}


def _once(expressions: Iterable[Expression]) -> list[Expression]:
    return list(dict.fromkeys(expressions))


def _values(strict: bool) -> Iterator[str]:
    for pattern in (PERCENT, ENTITY, ESCAPED):
        yield loosen(pattern.pattern, _flags(pattern))
    yield uncommon()
    yield r"~[a-z_0-9.]{3,80}~"  # a token
    telling = TELLING.pattern.replace("(?i)", "")
    yield loosen(f"(?:{telling}){_ASSIGNED}", re.IGNORECASE)
    yield loosen(SEPARATOR + _EMBEDDED_HEAD)
    yield loosen(_EMBEDDED_TAIL + SEPARATOR)
    yield from _detectors(strict)


def _detectors(strict: bool) -> Iterator[str]:
    for detector in DETECTORS.values():
        if detector.confidence == "context" and not detector.literals and not (strict and detector.checked):
            continue
        source, flags = detector.shape.pattern, _flags(detector.shape)
        if is_grouped_digits(source, flags, MIN_DIGITS, _SEPARATORS, MAX_GAP):
            yield _GROUPED
        elif detector.literals and is_grouped_digits(source, flags, 1, _SEPARATORS, MAX_GAP):
            yield from map(loosen, map(re.escape, detector.literals))  # they say more than a few digits before them
        else:
            yield loosen(source, flags)


def _words() -> Iterator[Expression]:
    """Yield the telling words of detectors that need one before a value: each is a literal, which costs least."""
    stems: dict[str, int] = {}
    for detector in DETECTORS.values():
        if detector.confidence == "context" and detector.near:
            numeric = needs_digit(detector.shape.pattern, _flags(detector.shape))
            for stem in stems_of(detector.near):
                stems[stem] = SPOKEN if numeric and stems.get(stem, SPOKEN) == SPOKEN else VALUE
    for stem in sorted(stems):
        closed = stem.endswith(_CLOSED)
        source = f"[^A-Za-z0-9]{loosen(stem.removesuffix(_CLOSED))}" + (f"[^A-Za-z{SEPARATOR}]" if closed else "")
        yield Expression(source, stems[stem], hyperscan.HS_FLAG_CASELESS)


_OPENED, _CLOSED = r"(?i)(?:\b|_)(?:", r"(?:\b|_|\d)"  # how ``detectors.base.words`` writes a word's edges


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


def _flags(pattern: re.Pattern[str]) -> int:
    return pattern.flags & ~re.UNICODE
