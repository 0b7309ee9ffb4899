"""Evidence of attacks in one value: the value is decoded as far as a server may decode it, then asked."""

from __future__ import annotations

import html
import re
from functools import lru_cache
from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional, Set, Tuple
from urllib.parse import unquote

from apisec.decoders.base import Document
from apisec.detectors import SIGNALS

THRESHOLD = 0.5  # below it nothing is said
MAX_VALUE = 16_384  # characters of one value that are looked at

# What looking may cost in one transaction, and one value of it: about microseconds of a small machine, counted so that
# the same transaction always gives the same signals (see ``redaction.work``).
MAX_WORK = 20_000
MAX_NAMES = 500  # different ones with a suspicious character, of one document
_PER_VALUE, _PER_CHARACTER = 30, 2

# No payload of any family does without one of these.
SUSPECT = re.compile(
    r"[<>'\"`;|&${}\\%#()\n\r\x00\[]|\.\.|://|--|==?|(?i:\bunion\b|\bor\b|\band\b|script:|powershell|\bcmd|etc/|inf/|\.git|\.env|\.ht)"
)
_COMMENT = re.compile(r"/\*[^*]{0,200}\*+/")
_BLANKS = re.compile(r"[ \t\x0b\x0c\u00a0+]+")
_ESCAPED = re.compile(r"\\u([0-9a-f]{4})|\\x([0-9a-f]{2})", re.IGNORECASE)
_UNICODE_PERCENT = re.compile(r"%u([0-9a-fA-F]{4})")
_DETECTORS = tuple(SIGNALS.values())


class Signal(NamedTuple):
    """``where`` is the place: query.q, body.items[].note, header.referer, path."""

    detector: str
    where: str
    score: float


def readings(value: str) -> List[str]:
    """Return the texts a server may take the value for: decoded twice, without entities, comments folded."""
    text = value[:MAX_VALUE]
    found = [text]
    for _ in range(2):
        if "%" in text:
            text = unquote(_UNICODE_PERCENT.sub(lambda match: chr(int(match.group(1), 16)), text))
    if "&" in text and ";" in text:
        text = html.unescape(text)
    if "\\" in text:
        text = _ESCAPED.sub(lambda match: chr(int(match.group(1) or match.group(2), 16)), text)
    found.append(text)
    folded = _BLANKS.sub(" ", _COMMENT.sub(" ", text) if "/*" in text else text)
    found.append(folded)
    if "/*" in text:
        found.append(_BLANKS.sub(" ", _COMMENT.sub("", text)))
    return list(dict.fromkeys([reading.lower() for reading in found]))


def cost(value: str) -> int:
    """Return the units that a suspicious value costs."""
    return _PER_VALUE + _PER_CHARACTER * min(len(value), MAX_VALUE)


class Watch:
    """Asks the values of one transaction, as long as that may take. ``skipped``: suspicious ones left out."""

    def __init__(self) -> None:
        self.spent = 0
        self.skipped = 0

    def scan(self, value: str) -> List[Tuple[str, float]]:
        """Return what ``scan`` does, or nothing where too much was asked already."""
        if len(value) < 2 or not SUSPECT.search(value):
            return []
        self.spent += cost(value)
        if self.spent > MAX_WORK:
            self.skipped += 1
            return []
        return _asked(value)


def scan(value: str) -> List[Tuple[str, float]]:
    """Return detectors that see evidence in a value, with their scores, in registry order."""
    return [] if len(value) < 2 or not SUSPECT.search(value) else _asked(value)


def _asked(value: str) -> List[Tuple[str, float]]:
    best: Dict[str, float] = {}
    for text in readings(value):
        for detector in _DETECTORS:
            score = detector.score(text)
            if score >= THRESHOLD and score > best.get(detector.id, 0.0):
                best[detector.id] = score
    return list(best.items())


@lru_cache(maxsize=8192)
def _of_name(name: str) -> Tuple[Tuple[str, float], ...]:
    return tuple(scan(name))


def of_document(document: Document, location: str, watch: Optional[Watch] = None) -> Iterator[Signal]:
    """Yield the signals of all values and names of a document."""
    watch = Watch() if watch is None else watch
    names: Set[str] = set()
    for leaf in document.leaves:
        is_text = leaf.kind in ("string", "key")
        if is_text:
            yield from _placed(watch.scan(leaf.value), location, leaf.path)
        name = leaf.name
        if name and not name.isalnum() and (is_text or "$" in name) and SUSPECT.search(name):
            names.add(name)
            if len(names) <= MAX_NAMES:
                yield from _placed(_of_name(name), location, leaf.path)
            else:
                watch.skipped += 1


def _placed(found: Iterable[Tuple[str, float]], location: str, path: str) -> Iterator[Signal]:
    where = f"{location}.{path}" if path else location
    for detector, score in found:
        yield Signal(detector, where, score)


def strongest(signals: Iterable[Signal], limit: int) -> List[Signal]:
    """Return the strongest signal of each detector and place, at most ``limit``, strongest first."""
    best: Dict[Tuple[str, str], Signal] = {}
    for signal in signals:
        known = best.get((signal.detector, signal.where))
        if known is None or known.score < signal.score:
            best[signal.detector, signal.where] = signal
    return sorted(best.values(), key=lambda s: (-s.score, s.detector, s.where))[:limit]
