"""Evidence of attacks in one value: the value is decoded as far as a server may decode it, then asked."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple

from apisec.attacks import ATTACKS
from apisec.attacks.base import THRESHOLD, Index, Literals
from apisec.attacks.code import ENCODED
from apisec.attacks.graphql import BATCH, BATCHED, batched
from apisec.attacks.inclusion import REMOTE_SCORE, includes
from apisec.attacks.marks import suspicious
from apisec.attacks.protocol import runs
from apisec.attacks.prototype import POLLUTION, POLLUTION_SCORE, pollutes
from apisec.attacks.readings import MAX_VALUE, readings
from apisec.attacks.standing import HELD, weighed
from apisec.attacks.written import CODE, is_deadly, is_program, is_statement, is_text, outside
from apisec.attacks.xxe import prolog
from apisec.decoders.base import Document

# What looking may cost in one transaction, and one value of it: about microseconds of a small machine, counted so that
# the same transaction always gives the same signals (see ``redaction.work``).
MAX_WORK = 20_000
BROKEN_NAME_SCORE = 0.6
MAX_NAMES = 500  # different ones with a suspicious character, of one document
_PER_VALUE, _PER_CHARACTER = 30, 2
MAX_REMEMBERED = 256  # characters of a value whose evidence is remembered

# Text that people write has more that only looks like a payload, and less of it is one.
THRESHOLD_OF_TEXT = 0.88

_ATTACKS = tuple(ATTACKS.values())
_INDEX = Index(_ATTACKS)
FAMILY: Dict[str, str] = {attack.id: attack.family for attack in _ATTACKS}


class Signal(NamedTuple):
    """``where`` is the place: query.q, body.items[].note, header.referer, path.

    ``expected`` and ``seen`` say in words, without the value, how it departs from what the parameter usually carries.
    """

    detector: str
    where: str
    score: float
    expected: str = ""
    seen: str = ""

    @property
    def family(self) -> str:
        """What kind of attack it is; several detectors may be of one family."""
        kind = self.detector.partition(".")[0]
        return FAMILY.get(self.detector) or ("anomaly" if kind == "parameter" else kind)


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
        if not suspicious(value):
            return []
        self.spent += cost(value)
        if self.spent > MAX_WORK:
            self.skipped += 1
            return []
        return _asked(value)


def scan(value: str) -> List[Tuple[str, float]]:
    """Return detectors that see evidence in a value, with their scores, in registry order."""
    return _asked(value) if suspicious(value) else []


def _asked(value: str) -> List[Tuple[str, float]]:
    return list(_remembered(value)) if len(value) <= MAX_REMEMBERED else _judged(value)


@lru_cache(maxsize=4096)
def _remembered(value: str) -> Tuple[Tuple[str, float], ...]:
    """Return what a short value tells: agents, referrers, filters and the like come again and again."""
    return tuple(_judged(value))


def _judged(value: str) -> List[Tuple[str, float]]:
    best = _scores(value)
    if best:
        best = _as_written(value, best)
        if best and min(best.values()) < THRESHOLD_OF_TEXT and is_text(value):
            return [(name, score) for name, score in best.items() if score >= THRESHOLD_OF_TEXT]
    return list(best.items())


def _scores(value: str) -> Dict[str, float]:
    best: Dict[str, float] = {}
    for text in readings(value):
        for name, score in weighed(text, value, _INDEX.scores(text)).items():
            if score >= THRESHOLD and score > best.get(name, 0.0):
                best[name] = score
    return best


def _as_written(value: str, best: Dict[str, float]) -> Dict[str, float]:
    """Return what is left of the scores where a value is a program, or a text that quotes some code."""
    if CODE.isdisjoint(best):
        return best
    if is_program(value) or is_statement(value):
        return best if is_deadly(value) else {name: score for name, score in best.items() if name not in CODE}
    prose = outside(value)
    if prose is value or is_deadly(value):
        return best
    left = _scores(prose)
    return {
        name: left.get(name, 0.0) if name in CODE else score
        for name, score in best.items()
        if name in left or name not in CODE
    }


# What a plain word of a name may be all the same: the beginning of a serialised object, or a class in base64.
_HIDDEN = Literals(("ro0ab", "kztaau", "cs7qaf", "aced0005", *ENCODED))


@lru_cache(maxsize=8192)
def asked_name(name: str) -> bool:
    """Return whether a name may score: one that is no plain word, or that hides something."""
    if name.isalnum() and (len(name) < 6 or name.islower() or not _HIDDEN.present(name.lower())):
        return False
    return suspicious(name)


@lru_cache(maxsize=8192)
def of_name(name: str) -> Tuple[Tuple[str, float], ...]:
    """Return what ``scan`` does for a name, or nothing for a plain word. No client breaks a line within a name."""
    found = tuple(scan(name)) if asked_name(name) else ()
    if ("\n" in name or "\r" in name) and "injection.crlf" not in dict(found):
        return (*found, ("injection.crlf", BROKEN_NAME_SCORE))
    return found


def of_document(document: Document, location: str, watch: Optional[Watch] = None) -> Iterator[Signal]:
    """Yield the signals of all values and names of a document."""
    watch = Watch() if watch is None else watch
    names: Set[str] = set()
    for leaf in document.leaves:
        is_text = leaf.kind in ("string", "key")
        if is_text:
            yield from _placed(watch.scan(leaf.value), location, leaf.path)
            if includes(leaf.path, leaf.value):
                yield Signal("injection.inclusion", f"{location}.{leaf.path}", REMOTE_SCORE)
            if leaf.path.endswith("#filename") and runs(leaf.value):
                yield Signal("protocol.upload", f"{location}.{leaf.path}", 0.7)
        if pollutes(leaf.path):
            yield Signal(POLLUTION, f"{location}.{leaf.path}", POLLUTION_SCORE)
        name = leaf.name
        if name and (is_text or "$" in name) and asked_name(name):
            names.add(name)
            if len(names) <= MAX_NAMES:
                yield from _placed(of_name(name), location, leaf.path)
            else:
                watch.skipped += 1
    yield from _of_whole(document, location, watch)


def _of_whole(document: Document, location: str, watch: Watch) -> Iterator[Signal]:
    """Yield what no single value tells: what is before the first of them, and how many stand beside each other."""
    if document.decoder.name == "xml":
        yield from _placed(watch.scan(prolog(document.text)), location, "")
    yield from of_batch([leaf.value for leaf in document.leaves if leaf.path == BATCHED], location)


def of_batch(queries: Sequence[str], location: str) -> Iterator[Signal]:
    """Yield what an array of GraphQL's operations tells."""
    score = batched(queries) if len(queries) > 1 else 0.0
    if score:
        yield Signal(BATCH, f"{location}.{BATCHED}", score)


def _placed(found: Iterable[Tuple[str, float]], location: str, path: str) -> Iterator[Signal]:
    where = f"{location}.{path}" if path else location
    for detector, score in found:
        yield Signal(detector, where, score)


# What a browser is sent to and no server asks (RFC 6749, 3.1.2): a program that logs in listens on its own machine
# (RFC 8252, 7.3).
_FOLLOWED = re.compile(r"(?:^|[._])redirect_uris?(?:\[\])?$", re.IGNORECASE)
_OWN_MACHINE = 0.8  # what a plain address of one's own machine or network scores at most


def _followed(signal: Signal) -> Signal:
    if signal.detector == "injection.ssrf" and signal.score <= _OWN_MACHINE and _FOLLOWED.search(signal.where):
        return signal._replace(score=min(signal.score, HELD))
    return signal


def strongest(signals: Iterable[Signal], limit: int) -> List[Signal]:
    """Return the strongest signal of each detector and place, at most ``limit``, strongest first."""
    best: Dict[Tuple[str, str], Signal] = {}
    for signal in map(_followed, signals):
        known = best.get((signal.detector, signal.where))
        if known is None or known.score < signal.score:
            best[signal.detector, signal.where] = signal
    return sorted(best.values(), key=lambda s: (-s.score, s.detector, s.where))[:limit]
