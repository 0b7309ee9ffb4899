"""What is counted of operations that stand before others: days of principals, in generations of two weeks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Dict, List, Optional, Set

from apisec.sequences.steps import Pair

MAX_TARGETS, MAX_PAIRS, KEPT_PAIRS = 64, 48, 24
MAX_AGES = 256  # operations whose age is known at picked moments
MAX_SUPPORTERS = 32
GAP_BITS = 20  # a gap's class is the bits of its whole seconds


class PairCounts:
    """How B stands before D: days that ``began`` with it, ``lost`` it later; broken a second time (``again``)."""

    __slots__ = ("again", "began", "gaps", "lost")

    def __init__(self) -> None:
        self.began = self.lost = self.again = 0
        self.gaps = [0] * (GAP_BITS + 1)

    def add(self, other: PairCounts) -> None:
        self.began += other.began
        self.lost += other.lost
        self.again += other.again
        self.gaps = [mine + theirs for mine, theirs in zip(self.gaps, other.gaps)]


class TargetCounts:
    """An operation D: days of principals, how often D was done again, hashes of some principals.

    ``refused``: days that did not teach, because their principals go on breaking a rule.
    """

    __slots__ = ("days", "pairs", "refused", "repeated", "supporters")

    def __init__(self) -> None:
        self.days = self.repeated = self.refused = 0
        self.supporters: Set[int] = set()
        self.pairs: Dict[Pair, PairCounts] = {}

    def support(self, principals: Iterable[int]) -> None:
        self.supporters.update(principals)
        if len(self.supporters) > MAX_SUPPORTERS:
            self.supporters = set(sorted(self.supporters)[:MAX_SUPPORTERS])

    def pair(self, pair: Pair) -> PairCounts:
        found = self.pairs.get(pair)
        if found is None:
            found = self.pairs[pair] = PairCounts()
            if len(self.pairs) > MAX_PAIRS:
                best = sorted(self.pairs.items(), key=lambda item: (-item[1].began, item[0]))
                self.pairs = dict(best[:KEPT_PAIRS])
        return found

    def add(self, other: TargetCounts) -> None:
        self.days += other.days
        self.repeated += other.repeated
        self.refused += other.refused
        self.support(other.supporters)
        for pair, counts in sorted(other.pairs.items()):
            self.pair(pair).add(counts)


class Generation:
    """Counts of two weeks: of targets, and how long ago each operation was at moments picked evenly (``ages``)."""

    __slots__ = ("ages", "moments", "targets")

    def __init__(self) -> None:
        self.targets: Dict[str, TargetCounts] = {}
        self.ages: Dict[str, List[int]] = {}
        self.moments = 0

    def target(self, operation: str) -> Optional[TargetCounts]:
        found = self.targets.get(operation)
        if found is None and len(self.targets) < MAX_TARGETS:
            found = self.targets[operation] = TargetCounts()
        return found

    def age(self, operation: str) -> List[int]:
        found = self.ages.get(operation)
        if found is None:
            found = self.ages[operation] = [0] * (GAP_BITS + 1)
        return found

    def add(self, other: Generation) -> None:
        self.moments += other.moments
        for operation, counts in sorted(other.targets.items()):
            target = self.target(operation)
            if target is not None:
                target.add(counts)
        for operation, ages in other.ages.items():
            self.ages[operation] = [mine + theirs for mine, theirs in zip(self.age(operation), ages)]


def gap_class(seconds: float) -> int:
    return min(int(max(seconds, 0.0)).bit_length(), GAP_BITS)


def gap_quantile(classes: Sequence[int], share: float) -> float:
    """Return the upper end of the class of gaps in which the quantile lies, in seconds."""
    rank, seen = share * sum(classes), 0
    for bits, count in enumerate(classes):
        seen += count
        if seen >= rank:
            return float(1 << bits)
    return math.inf


def _packed(classes: Sequence[int]) -> List[int]:
    """Classes without the empty ones at the end."""
    last = max((place for place, count in enumerate(classes) if count), default=-1)
    return list(classes[: last + 1])


def _unpacked(classes: Any) -> List[int]:
    counts = [checked_count(count) for count in classes]
    return counts[: GAP_BITS + 1] + [0] * (GAP_BITS + 1 - len(counts))


def checked_count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("not a count")
    return value


def generation_state(generation: Generation) -> Dict[str, Any]:
    return {
        "m": generation.moments,
        "a": {name: _packed(ages) for name, ages in sorted(generation.ages.items())},
        "t": {name: _target_state(target) for name, target in sorted(generation.targets.items())},
    }


def _target_state(target: TargetCounts) -> Dict[str, Any]:
    pairs = [
        [pair.requires, int(pair.linked), counts.began, counts.lost, counts.again, _packed(counts.gaps)]
        for pair, counts in sorted(target.pairs.items())
    ]
    return {"d": target.days, "r": target.repeated, "x": target.refused, "s": sorted(target.supporters), "p": pairs}


def read_generation(state: Mapping[str, Any]) -> Generation:
    made = Generation()
    made.moments = checked_count(state["m"])
    made.ages = {str(name): _unpacked(ages) for name, ages in list(state["a"].items())[:MAX_AGES]}
    for name, stored in list(state["t"].items())[:MAX_TARGETS]:
        target = made.targets[str(name)] = TargetCounts()
        target.days, target.repeated = checked_count(stored["d"]), checked_count(stored["r"])
        target.refused = checked_count(stored["x"])
        target.support(checked_count(one) for one in stored["s"])
        for requires, linked, began, lost, again, gaps in stored["p"][:MAX_PAIRS]:
            counts = target.pairs[Pair(str(requires), bool(linked))] = PairCounts()
            counts.began, counts.lost, counts.again = checked_count(began), checked_count(lost), checked_count(again)
            counts.gaps = _unpacked(gaps)
    return made
