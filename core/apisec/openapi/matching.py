"""Which documented operation each operation of the traffic is: by shape of the path, below the servers' base paths."""

from __future__ import annotations

import re
from collections import Counter
from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple

from apisec.openapi.model import Spec, SpecOperation

MIN_VOTES = 2  # documented paths that a base path which no server names has to fit
MAX_COVERED = 64
_PARAMETER = re.compile(r"\{[^{}]*\}")
_VERB = re.compile(r"\{\}:[A-Za-z]+\Z")  # a method of its own on what a parameter names: {name}:cancel
Shape = Tuple[str, ...]  # segments; every parameter is {}


class Place(NamedTuple):
    """A documented operation and its document."""

    spec: Spec
    operation: SpecOperation


def shape_of(path: str) -> Shape:
    """Return a path's segments with all parameters alike; a slash at the end says nothing."""
    return tuple(_PARAMETER.sub("{}", segment) for segment in path.strip("/").split("/"))


class Matcher:
    """Documented operations by method and shape. ``paths`` are those of the traffic, all of one service."""

    def __init__(self, specs: Sequence[Spec], paths: Iterable[str]) -> None:
        self._places = [Place(spec, one) for spec in specs for one in spec.operations]
        self._table: Dict[Tuple[str, Shape], Place] = {}
        self._by_length: Dict[Tuple[str, int], List[Tuple[Shape, Place]]] = {}
        for place in self._places:
            for base in _bases(place.operation):
                self._enter(place, base)
        for prefix in self._undeclared({shape_of(path) for path in paths}):
            for place in self._places:
                self._enter(place, prefix)

    def _enter(self, place: Place, base: Shape) -> None:
        own = shape_of(place.operation.path)
        shape = tuple(part for part in (*base, *own) if part) or ("",)
        key = (place.operation.method, shape)
        if key not in self._table:
            self._table[key] = place
            self._by_length.setdefault((key[0], len(shape)), []).append((shape, place))

    def _undeclared(self, seen: Set[Shape]) -> List[Shape]:
        """Return the prefixes that a gateway puts before documented paths, when no declared base fits at all."""
        known = {shape for _, shape in self._table}
        if not seen or known & seen:
            return []
        votes: Counter[Shape] = Counter()
        own = {shape_of(place.operation.path) for place in self._places} - {("",)}
        for shape in seen:
            for cut in range(1, len(shape)):
                prefix = shape[:cut]
                if "{}" in "".join(prefix):
                    break
                votes[prefix] += shape[cut:] in own
        best = votes.most_common(1)
        return [best[0][0]] if best and best[0][1] >= min(MIN_VOTES, len(own)) else []

    def find(self, method: str, path: str) -> Optional[Place]:
        """Return the documented operation: of equal shape, else one whose parameters take the path's words."""
        shape = shape_of(path)
        found = self._table.get((method, shape))
        if found is not None:
            return found
        fitting = [
            (sum("{}" in part for part in known), known, place)
            for known, place in self._by_length.get((method, len(shape)), ())
            if all(mine == theirs or (theirs == "{}" and not _VERB.search(mine)) for mine, theirs in zip(shape, known))
        ]
        return min(fitting, key=lambda one: one[:2])[2] if fitting else None

    @staticmethod
    def words(place: Place, path: str) -> Iterator[Tuple[str, str]]:
        """Yield the names of documented parameters and the words that stand in their places in a path."""
        documented = place.operation.path.strip("/").split("/")
        for known, word in zip(reversed(documented), reversed(path.strip("/").split("/"))):
            if _PARAMETER.fullmatch(known) and not _PARAMETER.search(word):
                yield known[1:-1], word

    def is_exact(self, method: str, path: str) -> bool:
        """Return whether a documented path has this very shape."""
        return (method, shape_of(path)) in self._table

    def covered(self, method: str, path: str) -> List[Place]:
        """Return the documented words that a learned parameter took for values: at least two, or it is another path."""
        shape = shape_of(path)
        found = [
            place
            for known, place in self._by_length.get((method, len(shape)), ())
            if all(mine in (theirs, "{}") for mine, theirs in zip(shape, known))
        ]
        return found[:MAX_COVERED] if len(found) > 1 else []

    def methods(self, path: str) -> Set[str]:
        """Return the documented methods of a path."""
        shape = shape_of(path)
        return {method for method, known in self._table if known == shape}

    def __iter__(self) -> Iterator[Place]:
        return iter(self._places)


def _bases(operation: SpecOperation) -> List[Shape]:
    """Return the base paths, and what is left of each when a gateway strips segments from its front."""
    found: List[Shape] = []
    for base in (*operation.bases, ""):
        parts = tuple(part for part in base.split("/") if part)
        for cut in range(len(parts) + 1):
            if parts[cut:] not in found:
                found.append(parts[cut:])
    return sorted(found, key=len, reverse=True)[:16]
