"""The paths of one service as a trie in bounded memory: what stood at each position, how often, and what was answered.

Words are kept as they are. Values whose shape says that they are values (a UUID) share one child from the start; those
that may be fixed (``2``, ``2026-01-01``, ``ord-17``) once more than ``MAX_SHAPED`` of a shape came. So a trie holds
words and counts, not ids. Segments are those of events: redacted already.

Merging is exact, in any order, until a bound makes a node forget its rarest words (``MAX_WORDS``) or a trie its width
(``MAX_NODES``).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from typing import Any, Dict, FrozenSet, List, Optional

from apisec.endpoints.templating import MAX_SEGMENTS, STRONG_SHAPES, shape_of

MAX_SHAPED = 12  # different values of one weak shape at a place; more are one child
MAX_WORDS = 400  # different words at a place; beyond, the rarer half becomes one child
MAX_NODES = 20_000  # of one service, about a megabyte as JSON; beyond, rare words share a child
MIN_WORDS = (25, 8)  # places with fewer words keep them all; the second when the first was not enough
MAX_PASSES = 24  # of narrowing: each folds words up to twice as frequent
MAX_METHODS = 16
MAX_ANSWERS = 12  # shapes of answers kept for a method at a place
MAX_SHARED_ANSWERS = 4_096  # answers and names that are remembered
REST = "{rest}"  # what comes after MAX_SEGMENTS
OTHERS = "{word}"  # words that a place forgot
NO_ANSWER = ""
KMV_SIZE = 64  # distinct values of a shared child: exact up to here, 13 % beyond (see baselines.sketches)
_SPREAD = 0x9E3779B1  # Knuth's multiplicative hashing: spreads what CRC-32 leaves linear
_RANGE = float(1 << 32)

Ends = Dict[str, Dict[str, int]]


def small_hash(value: str) -> int:
    """Return 32 bits, the same ones in every process; cheap, and no secret."""
    return (zlib.crc32(value.encode("utf-8", "replace")) * _SPREAD) & 0xFFFFFFFF


class Distinct:
    """How many different values stood behind a shared child (k minimum values)."""

    __slots__ = ("_kept", "_limit")

    def __init__(self) -> None:
        self._kept: Dict[int, None] = {}
        self._limit = 1 << 32

    def add(self, hashed: int) -> None:
        if hashed < self._limit and hashed not in self._kept:
            self._kept[hashed] = None
            if len(self._kept) > KMV_SIZE:
                del self._kept[max(self._kept)]
                self._limit = max(self._kept)

    def merge(self, other: Distinct) -> None:
        for hashed in other._kept:
            self.add(hashed)

    def __len__(self) -> int:
        if len(self._kept) < KMV_SIZE:
            return len(self._kept)
        return round((KMV_SIZE - 1) * _RANGE / max(1, max(self._kept)))

    def to_state(self) -> List[int]:
        return sorted(self._kept)

    @classmethod
    def from_state(cls, state: Sequence[int]) -> Distinct:
        found = cls()
        for hashed in state[:KMV_SIZE]:
            found.add(int(hashed) & 0xFFFFFFFF)
        return found


class Node:
    """A position of paths: how many came by, what followed, and how those that ended here were answered."""

    __slots__ = ("children", "count", "distinct", "ends", "folded")

    def __init__(self) -> None:
        self.count = 0
        self.children: Dict[str, Node] = {}
        self.ends: Ends = {}
        self.distinct: Optional[Distinct] = None  # of a shared child: how many values it stands for
        self.folded: FrozenSet[str] = frozenset()  # shapes whose values share a child here

    def end(self, method: str, answer: str, times: int) -> None:
        answers = self.ends.get(method)
        if answers is None:
            if len(self.ends) >= MAX_METHODS:
                return
            answers = self.ends[method] = {}
        answers[answer] = answers.get(answer, 0) + times
        if len(answers) > MAX_ANSWERS:
            _forget_rarest(answers)


def _forget_rarest(answers: Dict[str, int]) -> None:
    """Count the rarest half of the answers as answers of an unknown shape."""
    ordered = sorted((a for a in answers if a), key=lambda a: (-answers[a], a))
    for answer in ordered[MAX_ANSWERS // 2 :]:
        answers[NO_ANSWER] = answers.get(NO_ANSWER, 0) + answers.pop(answer)


class Trie:
    """Paths of one service."""

    __slots__ = ("nodes", "root")

    def __init__(self) -> None:
        self.root = Node()
        self.nodes = 1

    def add(self, method: str, segments: Sequence[str], answer: str = NO_ANSWER, times: int = 1) -> None:
        """Count a path; ``segments`` are decoded and redacted, ``answer`` is a fingerprint of the response's fields."""
        node = self.root
        node.count += times
        for at, segment in enumerate(segments):
            if at >= MAX_SEGMENTS:
                segment = REST
            child = node.children.get(segment)
            if child is None:
                child = self._child(node, segment)
            node = child
            node.count += times
            if segment is REST:
                break
        node.end(method, answer, times)
        if self.nodes > MAX_NODES:
            self._narrow()

    def _child(self, node: Node, segment: str) -> Node:
        """Return the child of a segment that has none of its own: a shared one, or a new one."""
        shape = shape_of(segment)
        if shape and (shape in STRONG_SHAPES or shape in node.folded):
            return self._shared(node, "{" + shape + "}", segment)
        child = self._new(node, segment)
        if shape:
            self._fold_shape(node, shape)
        elif len(node.children) > MAX_WORDS:
            self._fold_words(node)
        moved = node.children.get(segment) is not child
        return self._child(node, segment) if moved else child

    def _new(self, node: Node, key: str) -> Node:
        child = node.children[key] = Node()
        self.nodes += 1
        return child

    def _shared(self, node: Node, key: str, value: str) -> Node:
        child = node.children.get(key)
        if child is None:
            child = self._new(node, key)
        if child.distinct is None:
            child.distinct = Distinct()
        child.distinct.add(small_hash(value))
        return child

    def _fold_shape(self, node: Node, shape: str) -> None:
        alike = [key for key in node.children if key[:1] != "{" and shape_of(key) == shape]
        if len(alike) > MAX_SHAPED:
            node.folded |= {shape}
            self._fold(node, alike, "{" + shape + "}")

    def _fold_words(self, node: Node) -> None:
        """Keep the more frequent half of a place's words, so that new ones are seen again."""
        words = _words(node)
        if len(words) > MAX_WORDS:
            words.sort(key=lambda key: (-node.children[key].count, small_hash(key), key))
            self._fold(node, words[MAX_WORDS // 2 :], OTHERS)

    def _fold(self, node: Node, keys: Sequence[str], into: str) -> None:
        for key in keys:
            child = node.children.pop(key)
            self.nodes -= sum(1 for _ in walk(child))
            self._merge(self._shared(node, into, key), child)

    def _narrow(self) -> None:
        """Let the rarest words share a child with their kind until half of the room is free."""
        for least in MIN_WORDS:
            for _ in range(MAX_PASSES):
                if self.nodes <= MAX_NODES // 2 or not self._fold_rarest(least):
                    break
            if self.nodes <= MAX_NODES * 3 // 4:
                return
        if self.nodes > MAX_NODES:  # few words at a place, and many places: nobody's API
            self._cut(self.root, 0)
            self.nodes = sum(1 for _ in walk(self.root))

    def _fold_rarest(self, least: int) -> bool:
        """Fold what came about as seldom as the rarest word of a wide place; what that puts together is wide itself."""
        wide = [
            (child.count, small_hash(key), key, place)
            for place in walk(self.root)
            for key, child in _wide(place, least).items()
        ]
        if not wide:
            return False
        rare = 2 * min(count for count, _, _, _ in wide) - 1
        for _, _, key, place in sorted((item for item in wide if item[0] <= rare), key=lambda item: item[:3]):
            if self.nodes <= MAX_NODES // 2:
                break
            if key in place.children:
                self._fold(place, [key], OTHERS)
        self.nodes = sum(1 for _ in walk(self.root))
        return True

    def _cut(self, node: Node, depth: int) -> None:
        """Forget what stands deep below."""
        if depth >= MAX_SEGMENTS // 8:
            node.children.clear()
        for child in node.children.values():
            self._cut(child, depth + 1)

    def merge(self, other: Trie) -> None:
        """Add what another trie counted; the other stays as it is."""
        self._merge(self.root, other.root)
        self.nodes = sum(1 for _ in walk(self.root))
        if self.nodes > MAX_NODES:
            self._narrow()

    def _merge(self, mine: Node, theirs: Node) -> None:
        mine.count += theirs.count
        for method, answers in theirs.ends.items():
            for answer, times in answers.items():
                mine.end(method, answer, times)
        if theirs.distinct is not None:
            if mine.distinct is None:
                mine.distinct = Distinct()
            mine.distinct.merge(theirs.distinct)
        for shape in sorted(theirs.folded - mine.folded):
            mine.folded |= {shape}
            alike = [key for key in mine.children if key[:1] != "{" and shape_of(key) == shape]
            self._fold(mine, alike, "{" + shape + "}")
        for key, child in theirs.children.items():
            self._merge(self._target(mine, key), child)
        self._fold_words(mine)

    def _target(self, node: Node, key: str) -> Node:
        found = node.children.get(key)
        if found is not None:
            return found
        return self._new(node, key) if key[:1] == "{" else self._child(node, key)

    def to_state(self) -> Dict[str, Any]:
        answers: Dict[str, int] = {}
        root = _state(self.root, answers)
        return {"answers": list(answers), "root": root}

    @classmethod
    def from_state(cls, state: Any) -> Trie:
        """Raises KeyError, TypeError, ValueError or IndexError when the state is not one of ``to_state``."""
        trie = cls()
        trie.root = _node(state["root"], [str(answer) for answer in state["answers"]], 0)
        trie.nodes = sum(1 for _ in walk(trie.root))
        if trie.nodes > MAX_NODES:
            raise ValueError("more nodes than a trie may have")
        return trie


def _words(node: Node) -> List[str]:
    return [key for key in node.children if key[:1] != "{" and not shape_of(key)]


def _wide(place: Node, least: int) -> Dict[str, Node]:
    """Return the words of a place that has more than ``least`` of them."""
    if len(place.children) <= least:
        return {}
    words = _words(place)
    return {key: place.children[key] for key in words} if len(words) > least else {}


def walk(node: Node) -> Iterator[Node]:
    """Give a node and all below it."""
    waiting = [node]
    while waiting:
        found = waiting.pop()
        yield found
        waiting.extend(found.children.values())


def _state(node: Node, answers: Dict[str, int]) -> List[Any]:
    """Return a node as a list without its empty end; answers are numbers into a table."""
    ends = {
        method: [[answers.setdefault(answer, len(answers)), times] for answer, times in sorted(found.items())]
        for method, found in sorted(node.ends.items())
    }
    children = {key: _state(child, answers) for key, child in sorted(node.children.items())}
    distinct = node.distinct.to_state() if node.distinct is not None else None
    parts: List[Any] = [node.count, ends, children, sorted(node.folded), distinct]
    while len(parts) > 1 and not parts[-1]:
        parts.pop()
    return parts


_EMPTY: List[Any] = [{}, {}, (), None]


def _node(state: Any, answers: Sequence[str], depth: int) -> Node:
    if depth > MAX_SEGMENTS + 1:
        raise ValueError("a trie deeper than paths are long")
    parts: List[Any] = [*state, *_EMPTY[len(state) - 1 :]]
    count, ends, children, folded, distinct = parts
    node = Node()
    node.count = int(count)
    for method, found in dict(ends).items():
        node.ends[str(method)] = {answers[int(number)]: int(times) for number, times in found}
    node.folded = frozenset(str(shape) for shape in folded)
    node.distinct = Distinct.from_state(distinct) if distinct is not None else None
    node.children = {str(key): _node(child, answers, depth + 1) for key, child in dict(children).items()}
    return node
