"""Ids that requests named outside of paths (a query's ``username=alice``), for knowing them again inside of paths.

A bounded sample of hashes that two samplers choose alike: the ``MAX_KNOWN`` smallest ones (bottom-k). So samples
merge in any order.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from typing import List, Set

from apisec.endpoints.learning.trie import small_hash

MAX_KNOWN = 2_048


class KnownIds:
    """A sample of ids; ``in`` asks whether a word is one of them."""

    __slots__ = ("_heap", "_kept")

    def __init__(self, hashes: Iterable[int] = ()) -> None:
        self._kept: Set[int] = set()
        self._heap: List[int] = []  # negated: the largest kept hash is at the front
        for hashed in hashes:
            self._add(int(hashed) & 0xFFFFFFFF)

    def add(self, value: str) -> None:
        self._add(small_hash(value))

    def _add(self, hashed: int) -> None:
        if hashed in self._kept:
            return
        if len(self._heap) < MAX_KNOWN:
            heapq.heappush(self._heap, -hashed)
        elif hashed < -self._heap[0]:
            self._kept.discard(-heapq.heappushpop(self._heap, -hashed))
        else:
            return
        self._kept.add(hashed)

    def merge(self, other: KnownIds) -> None:
        for hashed in other._kept:
            self._add(hashed)

    def __contains__(self, word: object) -> bool:
        return isinstance(word, str) and small_hash(word) in self._kept

    def to_state(self) -> List[int]:
        return sorted(self._kept)
