"""One hyperscan call that says which values of a text need to be asked by the core: most need nothing.

The patterns are made from the core's own (detectors, telling words, encodings, assignments, signals), so that there is
no second list: by ``loosen``, or by coarse shapes that are proven to stand for them (``cover``). A gate has no false
negatives: where it finds nothing, the core finds nothing (``tests/forwarder/test_native_gate.py`` holds that). What it
finds is a place; the core decides.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any

import hyperscan

from apisec.attacks.answers import TELLING as ANSWERED
from apisec.attacks.marks import SUSPECT
from apisec.detectors import DETECTORS
from apisec.detectors.base import Detector
from apisec.detectors.engine import MIN_LENGTH
from apisec.redaction.encodings import BASE64_GATE, BASE64_TEXT, ENTITY, ESCAPED, PERCENT
from apisec.redaction.redactor import TELLING
from apisec_forwarder.pipeline.native.assigned import ASSIGNED_SHAPES
from apisec_forwarder.pipeline.native.bytesets import uncommon
from apisec_forwarder.pipeline.native.cover import stand_for
from apisec_forwarder.pipeline.native.databases import Expression, database
from apisec_forwarder.pipeline.native.loosen import loosen, needs_digit, whole
from apisec_forwarder.pipeline.native.plans import NotHere
from apisec_forwarder.pipeline.native.shapes import GROUPS, MARKS, SHAPES
from apisec_forwarder.pipeline.native.spoken import literals_of, stems_of

SEPARATOR = "\x1f"  # between values that are scanned together; a control character that no detector asks for

# What a pattern's id says; see ``holds``.
VALUE, SUSPICIOUS, BASE64, SPOKEN, ASSIGNED = range(5)

MIN_DIGITS = 9  # of a number that is asked: shorter ones hold nothing, in balanced mode
MIN_SPOKEN, MIN_TELLING = 4, 6  # letters of a part of a telling word that stands for it, with a digit and without
MIN_LITERAL = 4  # characters of a literal that is rare enough to be asked alone
MIN_LOST = 3  # … where it was in a lookahead, so that the pattern has lost it

_DIGIT = re.compile(r"[0-9]")

Hit = tuple[int, int]  # what, and the place behind the last byte

_BLANKS = r"[\x09-\x0d\x1c-\x1e\x20\x80-\xff]*"
_EMBEDDED = (rf"\x1f{_BLANKS}[\x22<[{{]", rf"\}}{_BLANKS}\x1f")  # JSON, XML or GraphQL in a value
_PAIR = r"&[0-9A-Za-z_.\[\]%+\-\x80-\xff]+="  # … and the second pair of a form
_FORM = re.compile(r"[\w.\[\]%+-]{1,64}=[^&\s\"'<>{}]*&")  # a value is one: an address with a query is none


def found(kind: int, _: int, end: int, __: int, hits: Any) -> None:
    """Take one match (hyperscan's callback: a named function, for a temporary one crashes the process)."""
    hits.append((kind, end))


class Gate:
    """Compiled databases and their scratch: of one process and one thread."""

    def __init__(self, databases: Sequence[hyperscan.Database]) -> None:
        self._scans = [(database.scan, hyperscan.Scratch(database)) for database in databases]

    def hits(self, data: bytes) -> list[Hit]:
        """Return where something may stand; ``data`` is UTF-8."""
        hits: list[Hit] = []
        for scan, scratch in self._scans:
            scan(data, match_event_handler=found, context=hits, scratch=scratch)
        return hits

    def places(self, values: Sequence[str]) -> list[tuple[int, int]]:
        """Return in which of some values something may stand: what, and the value's index, each once."""
        hay = SEPARATOR.join(("", *values, ""))
        if hay.count(SEPARATOR) != len(values) + 1:
            raise NotHere  # a value has a separator of its own
        ends = list(accumulate([len(value.encode()) + 1 for value in values]))  # of each value, its separator in front
        last = len(values) - 1
        places = [(kind, min(bisect_right(ends, end - 1), last)) for kind, end in self.hits(hay.encode())]
        return [(kind, index) for kind, index in dict.fromkeys(places) if holds(kind, values[index])]


def holds(kind: int, value: str) -> bool:
    """Return whether a value with a hit has to be asked: what some patterns find tells only beside more."""
    if kind == SPOKEN:
        return _DIGIT.search(value) is not None
    if kind == ASSIGNED:
        return TELLING.search(value) is not None or _FORM.match(value) is not None
    return kind != BASE64 or BASE64_TEXT.search(value) is not None


_known: dict[str, hyperscan.Database] = {}  # of this process


def text_gate(strict: bool, cache: Path | None = None) -> Gate:
    """Return the gate for decoded values, each between two separators. ``cache``: see ``databases``."""
    mode = ", strict" if strict else ""
    return _gate(cache, f"classes{mode}", f"literals{mode}", "base64")


def signal_gate(cache: Path | None = None) -> Gate:
    """Return the gate for what may be an attack."""
    return _gate(cache, "signals")


def answer_gate(cache: Path | None = None) -> Gate:
    """Return the gate for what a response may tell."""
    return _gate(cache, "answers")


def number_gate(strict: bool, cache: Path | None = None) -> Gate:
    """Return the gate for JSON on the wire: one hit in each long number (and in some texts with such digits)."""
    return _gate(cache, "numbers, strict" if strict else "numbers")


def _gate(cache: Path | None, *parts: str) -> Gate:
    for part in parts:
        if part not in _known:
            _known[part] = database(lambda: _once(_EXPRESSIONS[part]()), f"{part}: {_recipe()}", cache)  # noqa: B023
    return Gate([_known[part] for part in parts])


@lru_cache(maxsize=1)
def _recipe() -> str:
    """Return a digest of all that the patterns are made of: the core's, and the code that makes them."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    for detector in DETECTORS.values():
        said = [
            getattr(detector, each.name) for each in fields(detector) if each.name not in ("shape", "validate", "near")
        ]
        near = detector.near.pattern if detector.near else ""
        digest.update(repr((said, near, detector.shape.pattern, detector.shape.flags)).encode())
    for pattern in (SUSPECT, ANSWERED, TELLING, PERCENT, ENTITY, ESCAPED, BASE64_GATE):
        digest.update(repr((pattern.pattern, pattern.flags)).encode())
    return digest.hexdigest()


def _signals() -> Iterator[Expression]:
    yield Expression(loosen(SUSPECT.pattern, _flags(SUSPECT)), SUSPICIOUS)


def _answers() -> Iterator[Expression]:
    yield Expression(loosen(ANSWERED.pattern, _flags(ANSWERED)), SUSPICIOUS)


def _numbers(characters: int) -> Iterator[Expression]:
    """Yield what finds a number of so many characters, or one in scientific notation."""
    long = rf"[:,\[\x09\x0a\x0d\x20]-?[0-9.]{{{characters}}}"
    yield Expression(rf"{long}|[0-9][eE][+\-]?[0-9]+[,\]}}\x09\x0a\x0d\x20]", VALUE)


def _base64() -> Iterator[Expression]:
    yield Expression(loosen(BASE64_GATE.pattern), BASE64)


# Patterns that begin with a literal are cheap among their like, and dear among those that begin with any digit: each
# kind has a database of its own, and all of them together are faster than one.
_EXPRESSIONS: dict[str, Callable[[], Iterable[Expression]]] = {
    "classes": lambda: _classes(False),
    "classes, strict": lambda: _classes(True),
    "literals": lambda: _literals(False),
    "literals, strict": lambda: _literals(True),
    "base64": _base64,
    "signals": _signals,
    "answers": _answers,
    "numbers": lambda: _numbers(MIN_DIGITS),
    "numbers, strict": lambda: _numbers(MIN_LENGTH - 1),  # a sign may be one of the characters
}


def _once(expressions: Iterable[Expression]) -> list[Expression]:
    return list(dict.fromkeys(expressions))


_MARKS = tuple((mark,) for mark in sorted(MARKS))


def _classes(strict: bool) -> Iterator[Expression]:
    """Yield what begins with any digit, letter or separator."""
    for pattern in (*_EMBEDDED, *SHAPES):
        yield Expression(pattern, VALUE)
    for pattern in ASSIGNED_SHAPES:
        yield Expression(pattern, ASSIGNED)
    for detector in _not_covered(strict):
        if detector.gate and detector.gate not in _WORDY:
            yield from _alone(detector)


def _literals(strict: bool) -> Iterator[Expression]:
    """Yield what has a literal in it."""
    for pattern in (PERCENT, ENTITY, ESCAPED):
        yield Expression(loosen(pattern.pattern, _flags(pattern)), VALUE)
    for source in (uncommon(), r"~[a-z_0-9.]{3,80}~", *sorted(MARKS)):  # the second one is a token
        yield Expression(source, VALUE)
    yield Expression(_PAIR, ASSIGNED)
    for detector in _not_covered(strict):
        if not detector.gate or detector.gate in _WORDY:
            yield from _alone(detector)
    yield from _words()


_WORDY = ("names", "dotted")  # gates of detectors whose own patterns have literals


def _not_covered(strict: bool) -> Iterator[Detector]:
    """Yield the detectors that ask something and that no coarse shape stands for."""
    for detector in DETECTORS.values():
        if detector.confidence == "context" and not detector.literals and not (strict and detector.checked):
            continue
        if detector.literals and MARKS.issuperset(detector.literals):
            continue  # one of them stands wherever it finds anything
        groups = _MARKS if detector.literals else GROUPS
        if not stand_for(groups, whole(detector.shape.pattern, _flags(detector.shape))):
            yield detector


# What several detectors have in common, as the beginning of a database's message: one literal asks all of them.
_SHARED = {found for found, count in Counter(d.literals for d in DETECTORS.values()).items() if found and count > 2}


def _alone(detector: Detector) -> Iterator[Expression]:
    """Yield what asks one detector: its literals where they are rare, or say more than what stands beside them."""
    flags = _flags(detector.shape)
    pattern = loosen(detector.shape.pattern, flags)
    literals = [loosen(re.escape(text)) for text in detector.literals]
    shortest = min(map(len, detector.literals), default=0)
    of_one_kind = detector.data_class.startswith("secret.") or detector.literals in _SHARED
    rare = of_one_kind and shortest >= MIN_LITERAL
    if literals and (rare or (shortest >= MIN_LOST and not stand_for([literals], pattern))):
        kind = SPOKEN if needs_digit(detector.shape.pattern, flags) else VALUE
        yield from [Expression(source, kind) for source in literals]
    else:
        yield Expression(pattern, VALUE)


def _words() -> Iterator[Expression]:
    """Yield the telling words of detectors that need one before a value."""
    stems: dict[str, int] = {}
    for detector in DETECTORS.values():
        if detector.confidence == "context" and detector.near:
            numeric = needs_digit(detector.shape.pattern, _flags(detector.shape))
            for stem in stems_of(detector.near):
                stems[stem] = SPOKEN if numeric and stems.get(stem, SPOKEN) == SPOKEN else VALUE
    for stem, kind in sorted(stems.items()):
        part = MIN_SPOKEN if kind == SPOKEN else MIN_TELLING
        for literal in literals_of(stem, part):
            yield Expression(literal, kind, hyperscan.HS_FLAG_CASELESS)


def _flags(pattern: re.Pattern[str]) -> int:
    return pattern.flags & ~re.UNICODE
