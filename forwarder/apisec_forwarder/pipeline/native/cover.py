"""Proves that a few coarse shapes stand for many patterns: in whatever a pattern matches, one of the shapes does.

A scan asks the shapes alone then, which costs a fraction. Nothing is assumed: the pattern is walked as an automaton
beside that of the shapes, byte by byte, and a way to its end on which no shape has matched refutes the claim.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from apisec_forwarder.pipeline.native.bytesets import constants

MAX_STATES = 3_000  # pairs that are walked for one pattern; beyond it nothing is claimed

_parser: Any = importlib.import_module("re._parser")
_REPEATS = (constants.MAX_REPEAT, constants.MIN_REPEAT)
_ANY = frozenset(range(256))

_TAIL = r"[^\x1f]*\x1f"

Edge = tuple[frozenset[int], int]


class Automaton:
    """States of patterns over bytes, from ``start`` to ``end``; written without assertions."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self.edges: list[list[Edge]] = []
        self._silent: list[list[int]] = []
        self.start, self.end = self._state(), self._state()
        for pattern in patterns:
            items = list(_parser.parse(pattern.encode("latin-1"), re.DOTALL))
            self._silent[self._add(items, self.start)].append(self.end)
        self._closed: dict[int, frozenset[int]] = {}

    def _state(self) -> int:
        self.edges.append([])
        self._silent.append([])
        return len(self.edges) - 1

    def _add(self, items: Sequence[Any], at: int) -> int:
        for operation, argument in items:
            at = self._item(operation, argument, at)
        return at

    def _item(self, operation: Any, argument: Any, at: int) -> int:
        if operation in _REPEATS:
            low, high, inner = argument
            return self._repeat(low, high, inner, at)
        if operation is constants.BRANCH:
            after = self._state()
            for branch in argument[1]:
                self._silent[self._add(list(branch), at)].append(after)
            return after
        if operation is constants.SUBPATTERN:
            return self._add(list(argument[3]), at)
        after = self._state()
        self.edges[at].append((_bytes(operation, argument), after))
        return after

    def _repeat(self, low: int, high: Any, inner: Any, at: int) -> int:
        items = list(inner)
        for _ in range(low):
            at = self._add(items, at)
        if high is constants.MAXREPEAT:
            loop = self._state()
            self._silent[at].append(loop)
            self._silent[self._add(items, loop)].append(loop)
            return loop
        after = self._state()
        self._silent[at].append(after)
        for _ in range(high - low):
            at = self._add(items, at)
            self._silent[at].append(after)
        return after

    def closed(self, state: int) -> frozenset[int]:
        """Return a state and those that are reached from it without a byte."""
        known = self._closed.get(state)
        if known is None:
            found, waiting = {state}, [state]
            while waiting:
                new = [other for other in self._silent[waiting.pop()] if other not in found]
                found.update(new)
                waiting += new
            known = self._closed[state] = frozenset(found)
        return known


def _bytes(operation: Any, argument: Any) -> frozenset[int]:
    if operation is constants.LITERAL:
        return frozenset((argument,))
    if operation is constants.NOT_LITERAL:
        return _ANY - {argument}
    if operation is constants.ANY:
        return _ANY
    found: set[int] = set()
    for kind, value in argument:
        if kind is constants.LITERAL:
            found.add(value)
        elif kind is constants.RANGE:
            found.update(range(value[0], value[1] + 1))
        elif kind is not constants.NEGATE:
            raise ValueError(f"shapes are written with bytes and ranges of them, not with {value}")
    return _ANY - found if argument[0][0] is constants.NEGATE else frozenset(found)


def stand_for(groups: Iterable[Sequence[str]], pattern: str) -> bool:
    """Return whether one of some groups of coarse shapes stands for a pattern."""
    return any(known(*group).cover(pattern) for group in groups)


class Shapes:
    """Coarse shapes, asked whether they stand for a pattern."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._automaton = Automaton(patterns)
        self._kinds = list(_kinds(self._automaton))  # bytes that no shape tells apart, one for each
        self._first = self._automaton.closed(self._automaton.start)
        self._next: dict[tuple[frozenset[int], int], frozenset[int] | None] = {}

    def cover(self, pattern: str) -> bool:
        """Return whether one of the shapes matches in every value that a pattern (without assertions) matches in.

        At the latest it does so at the separator behind the value.
        """
        automaton = Automaton([pattern + _TAIL])
        waiting = [(state, self._first) for state in automaton.closed(automaton.start)]
        seen = set(waiting)
        while waiting:
            if len(seen) > MAX_STATES:
                return False
            state, shapes = waiting.pop()
            if state == automaton.end:
                return False
            for some, target in automaton.edges[state]:
                for byte, alike in self._kinds:
                    after = self._after(shapes, byte) if some & alike else None
                    if after is not None:
                        new = [(each, after) for each in automaton.closed(target) if (each, after) not in seen]
                        seen.update(new)
                        waiting += new
        return True

    def _after(self, shapes: frozenset[int], byte: int) -> frozenset[int] | None:
        """Return where the shapes are after one more byte; None when one has matched."""
        key = (shapes, byte)
        if key not in self._next:
            found = set(self._first)
            for state in shapes:
                for some, target in self._automaton.edges[state]:
                    if byte in some:
                        found |= self._automaton.closed(target)
            self._next[key] = None if self._automaton.end in found else frozenset(found)
        return self._next[key]


def _kinds(automaton: Automaton) -> Iterator[tuple[int, frozenset[int]]]:
    sets = {some for edges in automaton.edges for some, _ in edges}
    kinds: dict[frozenset[frozenset[int]], set[int]] = {}
    for byte in range(256):
        kinds.setdefault(frozenset([some for some in sets if byte in some]), set()).add(byte)
    for alike in kinds.values():
        yield min(alike), frozenset(alike)


@lru_cache(maxsize=64)
def known(*patterns: str) -> Shapes:
    """Return shapes, made once."""
    return Shapes(patterns)
