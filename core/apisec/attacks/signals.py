"""Evidence of attacks in one value: the value is decoded as far as a server may decode it, then asked."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional, Set, Tuple

from apisec.attacks import ATTACKS
from apisec.attacks.base import THRESHOLD, Index, Literals
from apisec.attacks.code import ENCODED
from apisec.attacks.readings import MAX_VALUE, TELLING_BASE64, readings
from apisec.decoders.base import Document

# What looking may cost in one transaction, and one value of it: about microseconds of a small machine, counted so that
# the same transaction always gives the same signals (see ``redaction.work``).
MAX_WORK = 20_000
MAX_NAMES = 500  # different ones with a suspicious character, of one document
_PER_VALUE, _PER_CHARACTER = 30, 2

# Text that people write has more that only looks like a payload, and less of it is one.
THRESHOLD_OF_TEXT = 0.88
TEXT_LENGTH, TEXT_WORDS = 60, 8
_STOPS = ".,;:!?()\"'*_`-"

# No payload of any family does without one of these characters, ways of writing or words.
MARKS = r"[<>'\"`;|&${}\\%#()*!=\n\r\x00\[^\ufffd\uff01-\uff5e\u2019]|\.\.|:/|//|--|/\w{0,3}\?\w{0,4}/"
BEGUN = rf"^\s?{TELLING_BASE64}[A-Za-z0-9+/_-]{{10}}"
WORDS: Tuple[str, ...] = (
    "union",
    "select ",
    "script",
    "powershell",
    "cmd.",
    "cmd ",
    "etc/",
    "inf/",
    ".git",
    ".env",
    ".ht",
    ".svn",
    ".ssh",
    ".aws",
    "_history",
    "proc/",
    "if ",
    "for ",
    "java",
    "runtime",
    "processbuilder",
    "transformer",
    "closure",
    "org.",
    "com.",
    "sun.",
    "proto",
    "constructor",
    ".ph",
    "base64_",
    "_exec",
    "_func",
    "_contents",
    "sockopen",
    "session.",
    "allow_url",
    "safe_mode",
    "open_basedir",
    "ini_",
    "ro0ab",
    "kztaau",
    "cs7qaf",
    "aced0",
    "gasv",
    "gasu",
    "aaeaaad",
    "h4sia",
    "tzo",
    "yto",
    "xp_",
    "sp_",
    "_schema",
    "schema_",
    "sysobj",
    "msysa",
    "tempdb",
    "msdb",
    "msdasql",
    "northwind",
    "openrowset",
    "nvarchar",
    "mysql.",
    "pg_",
    "waitfor",
    "order by",
    "having",
    "document",
    "window",
    "metadata",
    "meta-data",
    "process.",
    "innerhtml",
    "require",
    "console.",
    "module.",
    "jndi",
    "freemarker",
    "groovy",
    "ognl",
    "classloader",
    "http/",
    "passwd",
    " like ",
    "drop ",
    "php",
    "__halt",
    "bzdecompress",
    "uudecode",
    "get_class",
    "invokeargs",
    "pcntl_",
    "posix_",
    "reflection",
    "temp_dir",
    *ENCODED,
)
_MARKED = re.compile(f"{MARKS}|{BEGUN}")
_WORDS = Literals(WORDS)
# The same question as one expression, for engines that ask many values at once.
SUSPECT = re.compile(f"{MARKS}|{BEGUN}|(?i:{'|'.join(map(re.escape, WORDS))})")


def suspicious(value: str) -> bool:
    """Return whether a value may score at all."""
    if len(value) < 2:
        return False
    if _MARKED.search(value):
        return True
    return bool(_WORDS.present(value.lower()))


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
    best: Dict[str, float] = {}
    for text in readings(value):
        for name, score in _INDEX.scores(text).items():
            if score >= THRESHOLD and score > best.get(name, 0.0):
                best[name] = score
    if best and min(best.values()) < THRESHOLD_OF_TEXT and _is_text(value):
        return [(name, score) for name, score in best.items() if score >= THRESHOLD_OF_TEXT]
    return list(best.items())


def _is_text(text: str) -> bool:
    """Return whether somebody may have written it to be read: eight words or more, between blanks."""
    if len(text) <= TEXT_LENGTH:
        return False
    words = [word.strip(_STOPS) for word in text[:2_000].split()]
    return sum([len(word) > 1 and word.isalpha() for word in words]) >= TEXT_WORDS


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
        if name and not name.isalnum() and (is_text or "$" in name) and suspicious(name):
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
