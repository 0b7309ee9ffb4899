"""What tells a fixed word from a value, as numbers: branching, popularity, subtrees, answers, words and known ids.

A *place* is a position of paths after the same fixed words and parameters; its *candidates* are the words that stood
there and may be values. Each candidate is compared with its siblings. The numbers go into ``decision``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Dict, FrozenSet, List, Optional, Set, Tuple

from apisec.endpoints.learning.answers import hashes_of
from apisec.endpoints.learning.trie import OTHERS, Node
from apisec.endpoints.learning.words import familiarity
from apisec.endpoints.templating import shape_of

MAX_COMPARED = 24  # siblings that each candidate is compared with
MAX_STEPS = 64  # different words below a candidate that count
DEPTH = 3  # steps below a candidate that are looked at
MAX_OFTEN = 4.0  # a logarithm: 55 times as often as usual says no more than that
FAMILIAR = 0.5  # a word is taken for fixed above it, when nothing else is known

Step = Tuple[int, str]


@dataclass(frozen=True)
class Profile:
    """One child of a place: how often it came, what stood below it, how it was asked and answered."""

    key: str
    count: int
    steps: FrozenSet[Step]  # fixed words below it, with their distance
    methods: FrozenSet[str]
    fields: FrozenSet[int]  # hashes of fields of answers of paths that end here
    deeper: FrozenSet[Tuple[Step, int]]  # ... and of paths that end below
    operations: int  # different ends at and below it, as far as shapes tell


def profile(key: str, nodes: Sequence[Node]) -> Profile:
    steps: Set[Step] = set()
    deeper: Set[Tuple[Step, int]] = set()
    methods = frozenset(method for node in nodes for method in node.ends)
    operations = {("", method) for method in methods}
    level: List[Tuple[str, Node]] = [("", node) for node in nodes]
    for distance in range(1, DEPTH + 1):
        below: List[Tuple[str, Node]] = []
        for path, node in level:
            for name, child in node.children.items():
                shaped = bool(shape_of(name)) or name == OTHERS
                shown = f"{path}/{{}}" if shaped else f"{path}/{name}"
                below.append((shown, child))
                operations.update((shown, method) for method in child.ends)
                if len(steps) < MAX_STEPS and not shaped:
                    steps.add((distance, name))
                if len(deeper) < MAX_STEPS:
                    step = (distance, "{}" if shaped else name)
                    deeper.update((step, found) for found in sorted(_fields([child]))[:4])
        level = below[: MAX_STEPS * 4]
    count = sum(node.count for node in nodes)
    below_ends = frozenset(deeper)
    return Profile(key, count, frozenset(steps), methods, _fields(nodes), below_ends, max(1, len(operations)))


def _fields(nodes: Sequence[Node]) -> FrozenSet[int]:
    found: Set[int] = set()
    for node in nodes:
        for method, answers in node.ends.items():
            seed = hash_of_method(method)
            for answer in answers:
                found.update(field ^ seed for field in hashes_of(answer))
    return frozenset(found)


def hash_of_method(method: str) -> int:
    """Return a number by which fields of different methods differ; GET and HEAD answer alike."""
    return {"GET": 0, "HEAD": 0}.get(method, sum(map(ord, method)) << 24)


class Commonness:
    """How telling it is that two answers share a field: fields of every answer (an error's code) are not."""

    def __init__(self, root: Node) -> None:
        self._answers: Set[str] = set()
        self._seen: Dict[int, int] = {}
        waiting = [root]
        while waiting:
            node = waiting.pop()
            waiting.extend(node.children.values())
            for found in node.ends.values():
                self._answers.update(found)
        for answer in self._answers:
            for field in hashes_of(answer):
                self._seen[field] = self._seen.get(field, 0) + 1

    def weight(self, field: int) -> float:
        seen = self._seen.get(field & 0xFFFFFF, 0)
        return math.log((len(self._answers) + 1) / (seen + 0.5)) if seen else 0.0

    def alike(self, one: FrozenSet[int], other: FrozenSet[int]) -> Optional[float]:
        """Return how much of the answers' fields two have in common, 0 to 1; None when one has none."""
        if not one or not other:
            return None
        both = sum(self.weight(field) for field in one & other)
        smaller = min(sum(self.weight(field) for field in one), sum(self.weight(field) for field in other))
        return both / smaller if smaller > 0 else 1.0


@dataclass(frozen=True)
class Place:
    """A place and its children, taken apart."""

    depth: int
    parent: str  # the fixed word before it, empty after a parameter
    candidates: Tuple[Profile, ...]
    values: Tuple[Profile, ...]  # children that are values by their shape
    forgotten: int  # requests of words that the place forgot
    distinct: int  # different values behind shared children

    @property
    def requests(self) -> int:
        return sum(p.count for p in self.candidates) + sum(p.count for p in self.values)


def typical(root: Node) -> float:
    """Return how often an operation is asked for, in the middle: paths that differ in unfamiliar words are one."""
    counts: Dict[Tuple[str, str], int] = {}
    waiting = [("", root)]
    while waiting:
        path, node = waiting.pop()
        for method, answers in node.ends.items():
            counts[path, method] = counts.get((path, method), 0) + sum(answers.values())
        for key, child in node.children.items():
            fixed = key[:1] != "{" and familiarity(key) > FAMILIAR and not shape_of(key)
            waiting.append((f"{path}/{key}" if fixed else f"{path}/{{}}", child))
    ordered = sorted(counts.values())
    return float(ordered[len(ordered) // 2]) if ordered else 1.0


FEATURES = (
    "bias", "density", "densities", "once", "familiar", "weak", "dashed", "upper", "length",
    "shares_steps", "has_steps", "methods_alike", "fields_alike", "fields_known", "fields_best", "deeper_alike",
    "values_share", "values_alike", "values_fields", "values_known",
    "candidates", "once_share", "familiar_mean", "steps_mean", "fields_mean",
    "root", "after_parameter", "plural", "parent_familiar", "forgotten", "known_id",
)  # fmt: skip


def features(
    place: Place, common: Commonness, is_known: Callable[[str], bool], typical: float
) -> Dict[str, Dict[str, float]]:
    """Return the numbers of each candidate of a place. ``typical`` is how often a fixed path is asked for, about."""
    shared = _Siblings(place, common)
    whole = shared.numbers(typical)
    return {
        candidate.key: {**whole, **shared.of(candidate, typical), "known_id": float(is_known(candidate.key))}
        for candidate in place.candidates
    }


def _often(count: float, typical: float) -> float:
    """Return how often something is asked for, against an operation in the middle: a logarithm between two bounds."""
    return max(-MAX_OFTEN, min(MAX_OFTEN, math.log(max(1.0, count) / typical)))


class _Siblings:
    def __init__(self, place: Place, common: Commonness) -> None:
        self._place = place
        self._common = common
        ordered = sorted(place.candidates, key=lambda p: (-p.count, p.key))
        stride = max(1, len(ordered) // MAX_COMPARED)
        self._compared = ordered[::stride][: MAX_COMPARED + 1]
        self._holders: Dict[Step, int] = {}
        self._deep: Dict[Tuple[Step, int], int] = {}
        for candidate in place.candidates:
            for step in candidate.steps:
                self._holders[step] = self._holders.get(step, 0) + 1
            for found in candidate.deeper:
                self._deep[found] = self._deep.get(found, 0) + 1
        self._values_steps = frozenset(step for value in place.values for step in value.steps)
        self._values_fields = frozenset(f for value in place.values for f in value.fields)
        self._values_methods = frozenset(m for value in place.values for m in value.methods)
        self._similar = {p.key: self._answers(p) for p in ordered[: MAX_COMPARED * 8]}

    def _answers(self, candidate: Profile) -> Tuple[Optional[float], Optional[float]]:
        found = [
            alike
            for other in self._compared
            if other.key != candidate.key
            for alike in [self._common.alike(candidate.fields, other.fields)]
            if alike is not None
        ]
        return (sum(found) / len(found), max(found)) if found else (None, None)

    def numbers(self, typical: float) -> Dict[str, float]:
        place = self._place
        candidates = place.candidates
        many = max(1, len(candidates))
        fields = [mean for mean, _ in self._similar.values() if mean is not None]
        value_requests = sum(p.count for p in place.values)
        return {
            "bias": 1.0,
            "candidates": math.log(many),
            "densities": sum(_often(p.count / p.operations, typical) for p in candidates) / many,
            "once_share": sum(p.count == 1 for p in candidates) / many,
            "familiar_mean": sum(familiarity(p.key) for p in candidates) / many,
            "steps_mean": sum(self._steps(p) for p in candidates) / many,
            "fields_mean": sum(fields) / len(fields) - 0.5 if fields else 0.0,
            "values_share": value_requests / max(1, place.requests),
            "root": float(place.depth == 0),
            "after_parameter": float(not place.parent and place.depth > 0),
            "plural": float(place.parent.endswith("s") and not place.parent.endswith("ss")),
            "parent_familiar": familiarity(place.parent) if place.parent else 0.5,
            "forgotten": float(place.forgotten > 0),
        }

    def _steps(self, candidate: Profile) -> float:
        """Return the share of what follows a candidate that follows another one too."""
        if not candidate.steps:
            return 0.0
        by_depth: Dict[int, List[bool]] = {}
        for step in candidate.steps:
            by_depth.setdefault(step[0], []).append(self._holders[step] > 1)
        return max(sum(found) / len(found) for found in by_depth.values())

    def of(self, candidate: Profile, typical: float) -> Dict[str, float]:
        mean, best = self._similar.get(candidate.key) or self._answers(candidate)
        deep = candidate.deeper
        others = [p for p in self._compared if p.key != candidate.key]
        alike = [p.methods == candidate.methods and bool(p.steps) == bool(candidate.steps) for p in others]
        with_values = self._common.alike(candidate.fields, self._values_fields)
        below = candidate.steps & self._values_steps
        return {
            "density": _often(candidate.count / candidate.operations, typical),
            "once": float(candidate.count == 1),
            "familiar": familiarity(candidate.key),
            "weak": float(bool(shape_of(candidate.key))),
            "dashed": float(sum(candidate.key.count(sign) for sign in "-_.") > 0),
            "upper": float(candidate.key[:1].isupper()),
            "length": math.log(len(candidate.key)),
            "shares_steps": self._steps(candidate),
            "has_steps": float(bool(candidate.steps)),
            "methods_alike": sum(alike) / len(alike) if alike else 0.5,
            "fields_alike": mean - 0.5 if mean is not None else 0.0,
            "fields_known": float(mean is not None),
            "fields_best": best - 0.5 if best is not None else 0.0,
            "deeper_alike": sum(self._deep[found] > 1 for found in deep) / len(deep) if deep else 0.5,
            "values_alike": len(below) / len(candidate.steps) if candidate.steps and self._values_steps else 0.5,
            "values_fields": with_values - 0.5 if with_values is not None else 0.0,
            "values_known": float(bool(self._values_methods)),
        }
