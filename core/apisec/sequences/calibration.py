"""How unusual a statistic is, against those of ordinary principals at the same length, as a p-value.

A session counts once for each class of lengths that it reaches, with the statistic it had then, so that sessions
are compared at the same length and none counts for more than another. Within the data the p-value is the share of
sessions above; beyond the 95th percentile it falls exponentially with the mean excess (a generalised Pareto tail of
shape 0: J. Pickands, Ann. Statist. 3, 1975), never faster than the highest session seen allows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar, Dict, List, Optional, Type, TypeVar

from apisec.errors import DocumentError
from apisec.sequences.steps import Beat

LENGTH_CLASSES = 8  # each twice as long as the one before
BINS_PER_BIT = 4
MAX_BIN = 512
TAIL_SHARE = 0.05
MIN_COUNTED = 20  # of a class before it says anything
LEAST_EXCESS = 1.0  # bits: the mean excess is at least this
MANY_A_TIME = 16.0  # steps: a person looks around
LEAST_TIMES = 6
LEAST_SPREAD, WIDE_SPREAD = 0.01, 4.0  # of the logarithms of pauses
STATE_VERSION = 1
GENERATION_SLOTS = 28 * 288

C = TypeVar("C", bound="Calibration")


class Calibration:
    """Statistics (in bits, at least 0) by class of length. Merges exactly."""

    name: ClassVar[str]
    shortest: ClassVar[int]  # length of the first class
    shorter_spread: ClassVar[bool]

    def __init__(self) -> None:
        self.generation = 0
        self._bins: List[Dict[int, int]] = [{} for _ in range(LENGTH_CLASSES)]

    @classmethod
    def place(cls, length: int) -> int:
        """Return the class of a length; -1 for one too short."""
        return min((length // cls.shortest).bit_length(), LENGTH_CLASSES) - 1

    @classmethod
    def begins(cls, length: int) -> bool:
        """Whether a class begins with this length."""
        times = length // cls.shortest
        return times * cls.shortest == length and times & (times - 1) == 0 < times <= 1 << (LENGTH_CLASSES - 1)

    def add(self, length: int, bits: float) -> None:
        """Count what has just reached ``length``, where a class begins."""
        place = self.place(length)
        if place >= 0:
            index = _bin(bits)
            bins = self._bins[place]
            bins[index] = bins.get(index, 0) + 1

    def counted(self, length: int) -> int:
        place = self.place(length)
        return sum(self._bins[place].values()) if place >= 0 else 0

    def p_value(self, length: int, bits: float) -> float:
        """Return how likely an ordinary one of that length has at least ``bits``; 1 when that is not known.

        Where few are as long, it is compared with shorter ones, too, if those spread more (``shorter_spread``).
        """
        bins = self._comparable(self.place(length))
        if bins is None:
            return 1.0
        index, count = _bin(bits), sum(bins.values())
        above = sum(times for one, times in bins.items() if one >= index)
        empirical = (above + 1.0) / (count + 1.0)
        if above > TAIL_SHARE * count:
            return min(1.0, empirical)
        # As long as some were as high, the tail says no less than they do.
        return max(min(empirical, self._tail(bins, count, index)), above / count)

    def _comparable(self, place: int) -> Optional[Mapping[int, int]]:
        bins: Dict[int, int] = {}
        while place >= 0:
            for one, times in self._bins[place].items():
                bins[one] = bins.get(one, 0) + times
            if sum(bins.values()) >= MIN_COUNTED:
                return bins
            if not self.shorter_spread:
                break
            place -= 1
        return None

    def _tail(self, bins: Mapping[int, int], count: int, index: int) -> float:
        """The exponential tail above the bin where the highest ``TAIL_SHARE`` begin."""
        above, threshold = 0, 0
        for one in sorted(bins, reverse=True):
            above, threshold = above + bins[one], one
            if above >= TAIL_SHARE * count:
                break
        excess = math.fsum((one - threshold + 1.0) * times for one, times in bins.items() if one >= threshold) / above
        reach = (max(bins) - threshold + 1.0) / math.log(above + math.e)
        scale = max(excess, reach, LEAST_EXCESS * BINS_PER_BIT)
        return above / count * math.exp(-max(0.0, index - threshold) / scale)

    def forget(self, slot: int) -> None:
        """Halve the counts when a generation has passed."""
        generation = slot // GENERATION_SLOTS
        steps = min(max(generation - self.generation, 0), 32) if self.generation else 0
        if steps:
            self._bins = [{one: times >> steps for one, times in bins.items() if times >> steps} for bins in self._bins]
        self.generation = max(self.generation, generation)

    def merge(self, other: Calibration) -> None:
        self.generation = max(self.generation, other.generation)
        for mine, theirs in zip(self._bins, other._bins):
            for index, times in theirs.items():
                mine[index] = mine.get(index, 0) + times

    def to_state(self) -> Dict[str, Any]:
        rows = [[part for index in sorted(bins) for part in (index, bins[index])] for bins in self._bins]
        return {"v": STATE_VERSION, "g": self.generation, "b": rows}

    @classmethod
    def from_state(cls: Type[C], state: Any) -> C:
        """Read what ``to_state`` gave; raises DocumentError for anything else."""
        if not isinstance(state, Mapping) or state.get("v") != STATE_VERSION:
            raise DocumentError(f"not a calibration of version {STATE_VERSION}", where=cls.name)
        made = cls()
        try:
            made.generation = int(state["g"])
            for bins, row in zip(made._bins, state["b"]):
                for index, times in zip(row[::2], row[1::2]):
                    if type(index) is not int or type(times) is not int or not 0 <= index <= MAX_BIN or times < 1:
                        raise ValueError("not a bin")
                    bins[index] = times
        except (KeyError, TypeError, ValueError) as problem:
            raise DocumentError("not the state of a calibration", where=cls.name) from problem
        return made


class Surprise(Calibration):
    """The highest surprisals of sessions, by their steps; a part of a service's profile."""

    name = "surprise"
    shortest = 4
    shorter_spread = False  # the longer, the more surprises


class Purity(Calibration):
    """How little principals do beside one operation, by how often they do it."""

    name = "purity"
    shortest = 2
    shorter_spread = True  # a rate is the steadier, the more it is of


class Rhythm(Calibration):
    """How regular the pauses between two times of one operation are, by how often it was done."""

    name = "rhythm"
    shortest = 2
    shorter_spread = True


def regularity(beat: Beat) -> float:
    """Return the bits by which pauses are more alike than people's: of the spread of their logarithms.

    0 for fewer than ``LEAST_TIMES``, and for those that spread like people's, over orders of magnitude.
    """
    if beat.times < LEAST_TIMES:
        return 0.0
    variance = min(beat.between.variance, beat.before.variance)
    return max(0.0, -math.log2((math.sqrt(variance) + LEAST_SPREAD) / WIDE_SPREAD))


def purity(times: float, others: float) -> float:
    """Return the bits by which ``others``, the steps beside something done so many times, are fewer than many each."""
    return math.log2(1.0 + MANY_A_TIME * times / (max(0.0, others) + 1.0))


def _bin(bits: float) -> int:
    return min(int(max(bits, 0.0) * BINS_PER_BIT), MAX_BIN)
