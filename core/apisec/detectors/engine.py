"""The pure engine: which values of a class stand in a text. Needs nothing but ``re``.

Cheap questions come first, because most values of ordinary traffic hold nothing: a text without a digit run
meets no number detector, a text without ``@`` no e-mail, a text of short words no credential.
"""

from __future__ import annotations

import re
from typing import Iterator, List, Tuple

from apisec.detectors import DETECTORS
from apisec.detectors.base import Detector, Match

MIN_LENGTH = 6  # no value of any class is shorter when it stands without a name

_NUMBERS = re.compile(r"\d(?:[\W_]{0,2}\d){6}|\d\D{1,4}\d{6}")
_IBAN_LIKE = re.compile(r"[A-Za-z]{2}\d\d[ -]?[A-Za-z0-9]")

_ALL = tuple(DETECTORS.values())
_LITERAL = tuple(d for d in _ALL if d.literals)
_IBAN = tuple(d for d in _ALL if d.data_class == "fin.iban")
_NUMERIC = tuple(d for d in _ALL if not d.literals and d not in _IBAN)
_WORDS = sorted({text for d in _LITERAL for text in d.literals}, key=lambda text: (-len(text), text))
_ANY_LITERAL = re.compile("|".join([re.escape(word) for word in _WORDS]))
# A literal that was found stands for the detectors of all literals it holds: sk-ant- holds sk-.
_OF_LITERAL = {word: tuple(d for d in _LITERAL if any(text in word for text in d.literals)) for word in _WORDS}
_RANK = {d.id: i for i, d in enumerate(_ALL)}


def candidates(text: str) -> Tuple[Detector, ...]:
    """Return the detectors that can find something in the text."""
    chosen: Tuple[Detector, ...] = ()
    literals = _ANY_LITERAL.findall(text)
    if literals:
        chosen = tuple(dict.fromkeys([d for literal in literals for d in _OF_LITERAL[literal]]))
    if _NUMBERS.search(text):
        chosen += _NUMERIC
    if len(text) >= 15 and _IBAN_LIKE.search(text):
        chosen += _IBAN
    return chosen


def find(detector: Detector, text: str) -> Iterator[Match]:
    """Yield the values one detector accepts; a rejected candidate is retried one character later."""
    shape, grouped = detector.shape, "value" in detector.shape.groupindex
    position = 0
    while True:
        match = shape.search(text, position)
        if match is None:
            return
        start, end = match.span("value") if grouped else match.span()
        canonical = detector.validate(text[start:end])
        if canonical is not None and detector.trim:
            end = _trimmed(text, start, len(canonical))
            if end < len(text) and text[end].isalnum():
                canonical = None
        if canonical is None:
            position = match.start() + 1
            continue
        yield Match(start, end, detector.data_class, canonical, detector.id)
        position = max(end, match.start() + 1)


def _trimmed(text: str, start: int, count: int) -> int:
    """Return the position after ``count`` letters or digits from ``start`` on."""
    position = start
    while count:
        count -= text[position].isalnum()
        position += 1
    return position


def scan(text: str, *, reference: bool = False) -> List[Match]:
    """Return the values in a text, in order and without overlap.

    ``reference``: the text stands under a name like *order_id* or *timestamp*, so that bare digits are not
    taken for a card (balanced mode).
    """
    if len(text) < MIN_LENGTH:
        return []
    found: List[Match] = []
    for detector in candidates(text):
        if not (reference and detector.bare):
            found.extend(find(detector, text))
    return found if len(found) < 2 else _merge(found)


def _merge(found: List[Match]) -> List[Match]:
    """Join overlapping values: the span of all, the class of the detector registered first."""
    found.sort(key=lambda m: (m.start, m.end))
    merged = [found[0]]
    for match in found[1:]:
        last = merged[-1]
        if match.start >= last.end:
            merged.append(match)
            continue
        best = min(last, match, key=lambda m: _RANK[m.detector])
        end = max(last.end, match.end)
        merged[-1] = best._replace(start=last.start, end=end)
    return merged
