"""Mergeable sketches: quantiles and distinct counts in bounded memory.

Each one's state is plain JSON, and merging the sketches of any split of the data gives what one pass gives
(``QuantileSketch`` until it collapses, ``DistinctCount`` always).
"""

from __future__ import annotations

import base64
import hashlib
import heapq
import math
import struct
from collections.abc import Iterable, Mapping
from typing import Any, Dict, List, Optional

from apisec.errors import DocumentError

# DDSketch: Masson, Rim and Lee, "DDSketch: A fast and fully-mergeable quantile sketch with relative-error
# guarantees", PVLDB 12(12), 2019.
RELATIVE_ERROR = 0.01  # a quantile is off by at most 1 % of its value, unless a sketch is made coarser
MAX_BINS = 1024  # covers nine decades at 1 %; beyond that the lowest bins collapse
SMALLEST = 1e-9  # smaller values count as zero

# KMV: Bar-Yossef et al., "Counting distinct elements in a data stream", RANDOM 2002; the unbiased estimator
# (k - 1) / U_k is that of Beyer et al., SIGMOD 2007. Standard error 1 / sqrt(k - 2).
KMV_SIZE = 256  # exact up to 256 values, then 6.3 %
_HASH_RANGE = float(1 << 64)


class QuantileSketch:
    """Quantiles of non-negative numbers within the relative ``error``; negative numbers count as zero."""

    __slots__ = ("_bins", "_log_gamma", "_zeros", "count", "error", "maximum", "minimum")

    def __init__(self, error: float = RELATIVE_ERROR) -> None:
        self.error = error
        self._log_gamma = math.log((1 + error) / (1 - error))
        self._bins: Dict[int, int] = {}
        self._zeros = 0
        self.count = 0
        self.minimum = math.inf
        self.maximum = 0.0

    def add(self, value: float, times: int = 1) -> None:
        """Count ``value`` ``times`` times; not-a-number and infinity are ignored."""
        if not -math.inf < value < math.inf or times < 1:
            return
        if value < 0.0:
            value = 0.0
        self.count += times
        if value < self.minimum:
            self.minimum = value
        if value > self.maximum:
            self.maximum = value
        if value < SMALLEST:
            self._zeros += times
            return
        index = math.ceil(math.log(value) / self._log_gamma)
        bins = self._bins
        if index in bins:
            bins[index] += times
            return
        bins[index] = times
        if len(self._bins) > MAX_BINS:
            self._collapse()

    def merge(self, other: QuantileSketch) -> None:
        """Add another sketch of the same ``error``. ValueError for one of another."""
        if other.error != self.error:
            raise ValueError(f"sketches of relative errors {self.error} and {other.error} do not merge")
        for index, times in other._bins.items():
            self._bins[index] = self._bins.get(index, 0) + times
        self._zeros += other._zeros
        self.count += other.count
        self.minimum = min(self.minimum, other.minimum)
        self.maximum = max(self.maximum, other.maximum)
        if len(self._bins) > MAX_BINS:
            self._collapse()

    def _collapse(self) -> None:
        """Fold the lowest bins together: the high quantiles, which matter here, keep their bound."""
        ordered = sorted(self._bins)
        surplus = ordered[: len(ordered) - MAX_BINS]
        target = ordered[len(surplus)]
        for index in surplus:
            self._bins[target] += self._bins.pop(index)

    def quantile(self, share: float) -> Optional[float]:
        """Return the value below which ``share`` (0–1) of the numbers lie; None when there are none."""
        if not self.count:
            return None
        rank = min(max(share, 0.0), 1.0) * (self.count - 1)
        seen = self._zeros
        if rank < seen:
            return 0.0
        for index in sorted(self._bins):
            seen += self._bins[index]
            if rank < seen:
                # The middle of (gamma^(i-1), gamma^i] in relative terms.
                value = math.exp(index * self._log_gamma) * (1 - self.error)
                return min(max(value, self.minimum), self.maximum)
        return self.maximum

    def to_state(self) -> Dict[str, Any]:
        """Return JSON-able state; ``b`` alternates a bin's distance from the one before and its count."""
        if not self.count:
            return {}
        bins: List[int] = []
        before = 0
        for index in sorted(self._bins):
            bins += (index - before, self._bins[index])
            before = index
        state = {"z": self._zeros, "min": self.minimum, "max": self.maximum, "b": bins}
        return state if self.error == RELATIVE_ERROR else {**state, "e": self.error}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], error: float = RELATIVE_ERROR) -> QuantileSketch:
        """Return the sketch of a state; an empty state gives an empty sketch of ``error``.

        Raises DocumentError when the state is not one of ``to_state``, or is of another error.
        """
        sketch = cls(error)
        if not state:
            return sketch
        try:
            stated = float(state.get("e", RELATIVE_ERROR))
            sketch._zeros = int(state["z"])
            sketch.minimum = float(state["min"])
            sketch.maximum = float(state["max"])
            index = 0
            bins = state["b"]
            for distance, times in zip(bins[::2], bins[1::2]):
                index += int(distance)
                sketch._bins[index] = int(times)
        except (AttributeError, KeyError, TypeError, ValueError) as problem:
            raise DocumentError("not the state of a quantile sketch", where="quantiles") from problem
        if stated != error:
            raise DocumentError(f"a sketch of relative error {stated}, not {error}", where="quantiles")
        counts = [sketch._zeros, *sketch._bins.values()]
        if min(counts) < 0 or len(sketch._bins) > MAX_BINS or not math.isfinite(sketch.maximum):
            raise DocumentError("counts or bins of a quantile sketch are out of range", where="quantiles")
        sketch.count = sum(counts)
        return sketch


def value_hash(value: str) -> int:
    """Return 64 bits that are the same in every process and on every Python."""
    return int.from_bytes(hashlib.blake2b(value.encode("utf-8", "replace"), digest_size=8).digest(), "big")


class DistinctCount:
    """The number of different texts: exact up to ``KMV_SIZE``, an estimate beyond."""

    __slots__ = ("_heap", "_members")

    def __init__(self) -> None:
        self._members: set[int] = set()
        self._heap: List[int] = []  # negated, so that the largest kept hash is at the front

    def add(self, value: str) -> None:
        self.add_hash(value_hash(value))

    def add_hash(self, hashed: int) -> None:
        """Count a text whose ``value_hash`` is known already."""
        if hashed in self._members:
            return
        if len(self._heap) < KMV_SIZE:
            heapq.heappush(self._heap, -hashed)
        elif hashed < -self._heap[0]:
            self._members.discard(-heapq.heappushpop(self._heap, -hashed))
        else:
            return
        self._members.add(hashed)

    def merge(self, other: DistinctCount) -> None:
        for hashed in other._members:
            self.add_hash(hashed)

    def estimate(self) -> int:
        if len(self._heap) < KMV_SIZE:
            return len(self._heap)
        return round((KMV_SIZE - 1) * _HASH_RANGE / -self._heap[0])

    def to_state(self) -> str:
        packed = struct.pack(f">{len(self._members)}Q", *sorted(self._members))
        return base64.b64encode(packed).decode("ascii")

    @classmethod
    def from_state(cls, state: str) -> DistinctCount:
        """Raises DocumentError when the state is not one of ``to_state``."""
        counter = cls()
        try:
            packed = base64.b64decode(state, validate=True)
            hashes = struct.unpack(f">{len(packed) // 8}Q", packed)
        except (TypeError, ValueError, struct.error) as error:
            raise DocumentError("not the state of a distinct count", where="distinct") from error
        if len(hashes) > KMV_SIZE:
            raise DocumentError(f"more than {KMV_SIZE} values in a distinct count", where="distinct")
        for hashed in hashes:
            counter.add_hash(hashed)
        return counter


def merged(sketches: Iterable[QuantileSketch]) -> QuantileSketch:
    """Return one sketch over all of the given ones, which are of one error and stay as they are."""
    total: Optional[QuantileSketch] = None
    for sketch in sketches:
        total = total or QuantileSketch(sketch.error)
        total.merge(sketch)
    return total or QuantileSketch()
