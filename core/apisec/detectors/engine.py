"""The pure engine: which values of a class stand in a text. Needs nothing but ``re``.

Cheap questions come first, because most values of ordinary traffic hold nothing: a text without a digit run
meets no number detector, a text without ``@`` no e-mail, a text of short words no credential.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Optional, Pattern, Sequence, Set, Tuple

from apisec.detectors import DETECTORS
from apisec.detectors.base import GATES, HEAD, NEAR, Detector, Match, any_stem, heads_of
from apisec.detectors.numbers import LEFT, RIGHT
from apisec.validators.lazy import lazy
from apisec.validators.numbers import CLOCK

MIN_LENGTH = 6  # no value of any class is shorter when it stands without a name


def _table(detectors: Iterable[Detector]) -> Dict[str, Detector]:
    return {detector.id: detector for detector in detectors}


def any_of(literals: Iterable[str]) -> Pattern[str]:
    """Compile a pattern whose group is the longest literal at a place. It finds those too that overlap.

    The literals form a trie: an alternation of hundreds would try each of them at every character.
    """
    root: Dict[str, Any] = {}
    for literal in literals:
        node = root
        for c in literal:
            node = node.setdefault(c, {})
        node[""] = {}
    heads = "".join([re.escape(c) for c in sorted(root)])
    return lazy(f"(?=[{heads}])(?=({_trie(root)}))")


def _trie(node: Dict[str, Any]) -> str:
    ways = [re.escape(c) + _trie(below) for c, below in sorted(node.items()) if c]
    if not ways:
        return ""
    pattern = ways[0] if len(ways) == 1 and "" not in node else f"(?:{'|'.join(ways)})"
    return pattern + "?" if "" in node else pattern


_ALL = tuple(DETECTORS.values())
_LITERAL = tuple(d for d in _ALL if d.literals)
_WORDS = sorted({text for d in _LITERAL for text in d.literals}, key=lambda text: (-len(text), text))
_ANY_LITERAL = any_of(_WORDS)
# A literal that was found stands for the detectors of those it begins with: sk-ant- begins with sk-.
_OF_LITERAL = {
    word: _table([d for d in _LITERAL if any(word.startswith(text) for text in d.literals)]) for word in _WORDS
}
_ORDER = {d.id: i for i, d in enumerate(_ALL)}
_HEADS = re.compile(rf"([^\W\d_]{{1,{HEAD}}})[^\W\d_]*")


class _Asked:
    """Detectors that one gate lets in. Numbers stand between the same guards: one pass asks all their forms."""

    def __init__(self, detectors: Sequence[Detector]) -> None:
        forms = {d.id: form for d in detectors for form in _form(d)}
        self.others = _table([d for d in detectors if d.id not in forms])
        self.numbers = _table([d for d in detectors if d.id in forms])
        # Without a difference of case, as some are asked: that one is refused later costs time and nothing else.
        self.any_number = lazy(f"{LEFT}(?:{'|'.join(forms.values())}){RIGHT}", re.IGNORECASE)

    def choose(self, text: str, chosen: Dict[str, Detector]) -> None:
        """Add the detectors that can find something in the text."""
        chosen.update(self.others)
        if self.numbers and self.any_number.search(text):
            chosen.update(self.numbers)


def _form(detector: Detector) -> Iterator[str]:
    """Yield what stands between the guards of a number's shape, where it has them and no groups of its own."""
    pattern = detector.shape.pattern
    if pattern.startswith(LEFT) and pattern.endswith(RIGHT) and not _GROUP.search(pattern[len(LEFT) : -len(RIGHT)]):
        yield pattern[len(LEFT) : -len(RIGHT)]


_GROUP = re.compile(r"\((?!\?[:=!<])|\\[1-9]|\(\?P")


class _Spoken:
    """The detectors that wait for telling words of one head, by word. Detectors of one family share most of theirs: a
    word is looked for once, however many wait for it.
    """

    def __init__(self, stems: Dict[str, Dict[str, Detector]]) -> None:
        self._any = lazy(any_stem(stems))
        self._each = [(lazy(any_stem([stem])), detectors) for stem, detectors in stems.items()]

    def prepare(self) -> None:
        """Compile what each text with a word of this head asks."""
        self._any.search("")

    def choose(self, text: str, chosen: Dict[str, Detector]) -> None:
        """Add the detectors of which a word stands in the text."""
        if self._any.search(text) is None:
            return
        for word, detectors in self._each:
            if word.search(text) is not None:
                chosen.update(detectors)


class _Gate:
    """The detectors behind one gate: those that fire alone, and those that wait for a telling word, by its head."""

    def __init__(self, pattern: str, detectors: Sequence[Detector]) -> None:
        self.shape = lazy(pattern)
        self.alone = _Asked([d for d in detectors if d.confidence != "context"])
        self.checked = _Asked([d for d in detectors if d.confidence == "context" and d.checked])
        by_head: Dict[str, Dict[str, Dict[str, Detector]]] = {}
        for detector in detectors:
            if detector.confidence == "context" and detector.near is not None:
                for stem in detector.near.stems:
                    for head in heads_of(stem):
                        by_head.setdefault(head, {}).setdefault(stem, {})[detector.id] = detector
        self.spoken = {head: _Spoken(stems) for head, stems in by_head.items()}


_GATED = tuple(
    _Gate(pattern, [d for d in _ALL if not d.literals and d.gate == name])
    for name, pattern in (*GATES.items(), ("near", ""))
)


def prepare() -> None:
    """Compile what any text may ask of telling words, which takes a tenth of a second: no text meets all of them."""
    for gate in _GATED:
        for spoken in gate.spoken.values():
            spoken.prepare()


# How much a match says about its class where values overlap: less is more.
_SECRET, _SPOKEN, _SHAPE, _CHECKSUM, _UNSPOKEN = range(5)


class Rank(NamedTuple):
    """Orders matches that overlap: by kind of evidence, nearness of the telling word, length, and registration."""

    kind: int
    distance: int
    length: int  # negative: the longer one says more
    order: int


_Found = Tuple[Match, Rank]


def candidates(text: str, hint: Optional[str] = None, strict: bool = False) -> Tuple[Detector, ...]:
    """Return the detectors that can find something in the text."""
    chosen: Dict[str, Detector] = {}
    literals = _ANY_LITERAL.findall(text)
    for literal in literals:
        chosen.update(_OF_LITERAL[literal])
    heads: Optional[Set[str]] = None
    for gate in _GATED:
        if not gate.shape.search(text):
            continue
        gate.alone.choose(text, chosen)
        if gate.spoken:
            heads = set(_HEADS.findall(text.lower())) if heads is None else heads
            for head in heads & gate.spoken.keys():
                gate.spoken[head].choose(text, chosen)
        if strict:
            gate.checked.choose(text, chosen)
    if hint is not None:
        chosen.update(_table(hinted(hint)))
    return tuple(chosen.values())


@lru_cache(maxsize=256)
def hinted(hint: str) -> Tuple[Detector, ...]:
    """Return the detectors that a field's name of this class speaks for."""
    return tuple([d for d in _ALL if d.confidence == "context" and d.hinted(hint)])


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


def scan(text: str, *, reference: bool = False, strict: bool = False, hint: Optional[str] = None) -> List[Match]:
    """Return the values in a text, in order and without overlap.

    ``reference``: the text stands under a name like *order_id* or *timestamp*, so that digits with a checksum are
    not taken for a card. ``strict``: a checksum alone is enough, whatever the name says and without telling words.
    ``hint``: the class that the field's name says.
    """
    if len(text) < MIN_LENGTH:
        return []
    found: List[_Found] = []
    for detector in candidates(text, hint, strict):
        if detector.confidence == "context":
            found.extend(_in_context(detector, text, strict, hint))
        elif strict or not (reference and detector.confidence == "checksum"):
            found.extend([(match, _rank(detector, match)) for match in find(detector, text)])
    return [match for match, _ in found] if len(found) < 2 else _merge(found)


def _rank(detector: Detector, match: Match) -> Rank:
    kind = _CHECKSUM if detector.confidence == "checksum" else _SHAPE
    kind = _SECRET if detector.data_class.startswith("secret.") else kind
    return Rank(kind, 0, match.start - match.end, _ORDER[detector.id])


def _in_context(detector: Detector, text: str, strict: bool, hint: Optional[str]) -> Iterator[_Found]:
    """Yield what a detector finds where the name or a word before the value speaks for its class."""
    named = hint is not None and detector.hinted(hint)
    alone = strict and detector.checked
    if not named and not alone and (detector.near is None or detector.near.shape.search(text) is None):
        return
    order = _ORDER[detector.id]
    for match in find(detector, text):
        length = match.start - match.end
        distance = -1 if detector.data_class == hint else _distance(detector, text, match.start)
        if distance is not None:
            yield match, Rank(_SPOKEN, distance, length, order)
        elif named:
            yield match, Rank(_SPOKEN, NEAR, length, order)
        elif alone and not CLOCK.fullmatch(text, match.start, match.end):
            yield match, Rank(_UNSPOKEN, 0, length, order)


def _distance(detector: Detector, text: str, start: int) -> Optional[int]:
    """Return how many characters lie between a value and the last telling word before it; None without one."""
    if detector.near is None:
        return None
    window = text[max(0, start - NEAR) : start]
    ends = [word.end() for word in detector.near.shape.finditer(window)]
    return len(window) - ends[-1] if ends else None


def _merge(found: List[_Found]) -> List[Match]:
    """Join overlapping values: the span of all, the class of the one that says most."""
    found.sort(key=lambda pair: (pair[0].start, pair[0].end))
    merged = [found[0]]
    for pair in found[1:]:
        match, last = pair[0], merged[-1][0]
        if match.start >= last.end:
            merged.append(pair)
            continue
        best, rank = min(merged[-1], pair, key=lambda candidate: candidate[1])
        merged[-1] = best._replace(start=last.start, end=max(last.end, match.end)), rank
    return [match for match, _ in merged]
