"""Globs over dotted paths and over operations, and a trie that asks thousands of them at once.

``*`` stands for any characters inside one segment; a segment ``**`` for any number of segments. Nothing else is
special, so that ``{id}`` and ``[]`` stand for themselves. All of it is free of backtracking that hostile text
could make exponential.
"""

from __future__ import annotations

from typing import Dict, Generic, Iterator, List, Set, Tuple, TypeVar

T = TypeVar("T")

DEEP = "**"


def segments(path: str) -> Tuple[str, ...]:
    """Return the segments of a path: ``items[].sku`` is ``items[]``, ``sku``."""
    return tuple(path.split("."))


def literal_length(glob: str) -> int:
    """Return how many characters of a glob stand for themselves; separators do not count."""
    return sum(c not in "*." for c in glob)


def fits(glob: str, text: str) -> bool:
    """Whether a text is one that a glob stands for; time is at most the product of both lengths."""
    if "*" not in glob:
        return glob == text
    g = t = 0
    star, mark = -1, 0  # where to go back to: the last star, and what of the text it has taken
    while t < len(text):
        if g < len(glob) and glob[g] == "*":
            star, mark = g, t
            g += 1
        elif g < len(glob) and glob[g] == text[t]:
            g, t = g + 1, t + 1
        elif star >= 0:
            mark += 1
            g, t = star + 1, mark
        else:
            return False
    return not glob[g:].strip("*")


def intersect(left: str, right: str) -> bool:
    """Whether some text fits both globs."""
    if "*" not in left or "*" not in right:
        return fits(right, left) if "*" not in left else fits(left, right)
    reachable = {0}  # positions in ``right`` after the part of ``left`` that was read
    for mark in [*left, ""]:
        reachable = _past_stars(reachable, right)
        if not mark:
            break
        if mark == "*":
            reachable = set(range(min(reachable), len(right) + 1)) if reachable else reachable
        else:
            reachable = {at + (right[at] != "*") for at in reachable if at < len(right) and right[at] in (mark, "*")}
    return len(right) in reachable


def _past_stars(positions: Set[int], glob: str) -> Set[int]:
    """Add what follows stars that stand for nothing."""
    found = set(positions)
    for at in positions:
        while at < len(glob) and glob[at] == "*":
            at += 1
            found.add(at)
    return found


def paths_intersect(left: Tuple[str, ...], right: Tuple[str, ...]) -> bool:
    """Whether some path fits both, each given by its segments."""
    pending = [(0, 0)]
    seen = set(pending)
    while pending:
        i, j = pending.pop()
        if (i, j) == (len(left), len(right)):
            return True
        for step in _steps(left, right, i, j):
            if step not in seen:
                seen.add(step)
                pending.append(step)
    return False


def _steps(left: Tuple[str, ...], right: Tuple[str, ...], i: int, j: int) -> Iterator[Tuple[int, int]]:
    deep_left = i < len(left) and left[i] == DEEP
    deep_right = j < len(right) and right[j] == DEEP
    if deep_left or (deep_right and i < len(left)):
        yield i + 1, j
    if deep_right or (deep_left and j < len(right)):
        yield i, j + 1
    if i < len(left) and j < len(right) and not deep_left and not deep_right and intersect(left[i], right[j]):
        yield i + 1, j + 1


class Trie(Generic[T]):
    """Things by the globs of paths they are for; a lookup follows the path, not the number of things."""

    def __init__(self) -> None:
        self._things: List[T] = []
        self._exact: Dict[str, Trie[T]] = {}
        self._globs: Dict[str, Trie[T]] = {}  # also DEEP

    def add(self, path: Tuple[str, ...], thing: T) -> None:
        """Add a thing under the segments of a glob."""
        node = self
        for segment in path:
            table = node._globs if "*" in segment else node._exact
            node = table.setdefault(segment, Trie())
        node._things.append(thing)

    def find(self, path: Tuple[str, ...]) -> Iterator[T]:
        """Yield what stands under each glob that the path fits, each thing once."""
        nodes = _beside([self])
        deep = [node for node in nodes if node is not self]
        for segment in path:
            nodes, deep = _advance(nodes, deep, segment)
        for node in nodes:
            yield from node._things


def _beside(nodes: List[Trie[T]]) -> List[Trie[T]]:
    """Add the nodes behind a DEEP that stands for nothing."""
    found = list(nodes)
    for node in found:  # grows while it is read
        behind = node._globs.get(DEEP)
        if behind is not None and behind not in found:
            found.append(behind)
    return found


def _advance(nodes: List[Trie[T]], deep: List[Trie[T]], segment: str) -> Tuple[List[Trie[T]], List[Trie[T]]]:
    """Return the nodes after one more segment, and those of them that a DEEP leads to, which take any segment."""
    after = list(deep)
    for node in nodes:
        exact = node._exact.get(segment)
        if exact is not None:
            after.append(exact)
        after += [child for glob, child in node._globs.items() if glob != DEEP and fits(glob, segment)]
    after = _beside(list(dict.fromkeys(after)))
    reached = [node._globs[DEEP] for node in after if DEEP in node._globs]
    return after, list(dict.fromkeys([*deep, *reached]))
