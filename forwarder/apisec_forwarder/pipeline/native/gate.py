"""One hyperscan call that says which values of a text need to be asked by the core: most need nothing.

The patterns are made from the core's own (detectors, telling words, encodings, assignments, signals) by ``loosen``, so
that there is no second list. A gate has no false negatives: where it finds nothing, the core finds nothing
(``tests/forwarder/test_native_gate.py`` holds that). What it finds is a place; the core decides.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import hyperscan

from apisec.detectors import DETECTORS
from apisec.detectors.base import Words
from apisec.detectors.signals import _SUSPECT as SUSPECT
from apisec.redaction.encodings import BASE64_TEXT, ENTITY, ESCAPED, PERCENT
from apisec.redaction.redactor import TELLING
from apisec_forwarder.pipeline.native.databases import Expression, database
from apisec_forwarder.pipeline.native.loosen import is_grouped_digits, loosen, uncommon
from apisec_forwarder.pipeline.native.plans import NotHere

SEPARATOR = "\x1f"  # between values that are scanned together; a control character that no detector asks for
VALUE, SUSPICIOUS, BASE64 = range(3)  # what a pattern's id says

# Most shapes of numbers are long ones in groups: one pattern stands for them all. A date has eight digits.
MIN_DIGITS, MAX_GAP = 9, 2
_SEPARATORS = b" ./+-()_"
_GROUPED = rf"[0-9](?:[ ./+\-()_\x80-\xff]{{0,{4 * MAX_GAP}}}[0-9]){{{MIN_DIGITS - 1}}}"  # four bytes a character

Hit = tuple[int, int]  # what, and the place behind the last byte

_ASSIGNED = r"[\w.-]*{quote}\]?\s{{0,2}}[:=]"
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
        return list(dict.fromkeys([(kind, min(bisect_right(ends, end - 1), last)) for kind, end in hits]))


_known: dict[tuple[str, bool], hyperscan.Database] = {}  # of this process: two modes of two gates


def json_gate(strict: bool, cache: Path | None = None) -> Gate:
    """Return the gate for JSON as it is on the wire, without a backslash in it. ``cache``: see ``databases``."""
    return Gate(_database("json", strict, cache))


def text_gate(strict: bool, cache: Path | None = None) -> Gate:
    """Return the gate for decoded values, each between two separators; it asks for signals too."""
    return Gate(_database("text", strict, cache))


def _database(gate: str, strict: bool, cache: Path | None) -> hyperscan.Database:
    known = _known.get((gate, strict))
    if known is None:
        listed = _json_expressions(strict) if gate == "json" else _text_expressions(strict)
        known = _known[gate, strict] = database(listed, cache)
    return known


def _json_expressions(strict: bool) -> list[Expression]:
    patterns = [Expression(pattern, VALUE) for pattern in _values(strict, quote="'?", edge='"')]
    return _once([*patterns, Expression(_base64(), BASE64), *_words('"')])


def _text_expressions(strict: bool) -> list[Expression]:
    patterns = [Expression(pattern, VALUE) for pattern in _values(strict, quote=r"\\?[\"']?", edge=SEPARATOR)]
    asked = Expression(loosen(SUSPECT.pattern, _flags(SUSPECT)), SUSPICIOUS)
    return _once([*patterns, Expression(_base64(), BASE64), asked, *_words(SEPARATOR)])


def _once(expressions: Iterable[Expression]) -> list[Expression]:
    return list(dict.fromkeys(expressions))


def _values(strict: bool, quote: str, edge: str) -> Iterator[str]:
    for pattern in (PERCENT, ENTITY, ESCAPED):
        yield loosen(pattern.pattern, _flags(pattern))
    yield uncommon()
    yield r"~[a-z_0-9.]{3,80}~"  # a token
    telling = TELLING.pattern.replace("(?i)", "")
    yield loosen(f"(?:{telling}){_ASSIGNED.format(quote=quote)}", re.IGNORECASE)
    yield loosen(edge + (_EMBEDDED_HEAD if edge == SEPARATOR else _EMBEDDED_HEAD.replace('\\"', "")))
    yield loosen(_EMBEDDED_TAIL + edge)
    if edge == '"':
        yield r"[0-9.][eE]\+?[0-9]{1,2}[,}\]\x09\x0a\x0d\x20]"  # a number that may be a whole one in another notation
        yield r"[0-9]{10}\.0"
        yield r"[0-9]{19}"  # does not fit into 64 bits
    yield from _detectors(strict)


def _detectors(strict: bool) -> Iterator[str]:
    for detector in DETECTORS.values():
        if detector.confidence == "context" and not detector.literals and not (strict and detector.checked):
            continue
        if is_grouped_digits(detector.shape.pattern, _flags(detector.shape), MIN_DIGITS, _SEPARATORS, MAX_GAP):
            yield _GROUPED
        else:
            yield loosen(detector.shape.pattern, _flags(detector.shape))


def _words(edge: str) -> Iterator[Expression]:
    """Yield the telling words of detectors that need one before a value: each is a literal, which costs least."""
    stems = {stem for d in DETECTORS.values() if d.confidence == "context" and d.near for stem in stems_of(d.near)}
    for stem in sorted(stems):
        closed = stem.endswith(_CLOSED)
        source = f"[^A-Za-z0-9]{loosen(stem.removesuffix(_CLOSED))}" + (f"[^A-Za-z{edge}]" if closed else "")
        yield Expression(source, VALUE, hyperscan.HS_FLAG_CASELESS)


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


def _base64() -> str:
    return loosen(BASE64_TEXT.pattern)


def _flags(pattern: re.Pattern[str]) -> int:
    return pattern.flags & ~re.UNICODE
