"""The most that each ordinary principal got from an operation at once, and how unusual it is to get more.

What an application asks for has an upper end that most of its clients reach: a page, one account's records. Who gets
twice that asked in another way. How heavy the end is differs between operations, so it is fitted: those who go beyond
the upper quarter of the principals follow a Pareto law (Hill, Annals of Statistics 3, 1975). Its exponent is not known
better than those few tell: what is said is the chance by all exponents that they leave possible (with a gamma prior,
Lomax's law of the logarithm). The principal is the unit, not the response: who is large is so again and again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar, Dict, List, NamedTuple, Optional

from apisec.abuse.base import P_FLOOR
from apisec.abuse.rarity import by_hash, mapping, numbers

MAX_PRINCIPALS = 96  # of a measure that are remembered: those of the smallest hashes
MAX_MEASURES = 12
LEAST_PRINCIPALS = 20  # with fewer nothing is said
LEFT_OUT = 30  # one in so many, the largest, does not tell how far people go: staff, and who was not caught
UPPER = 4  # the upper fourth is where the tail begins
BEYOND = 1.1  # times that: who has less reached the same end, and does not tell how far others go who pass it
PRIOR_INDEX, PRIOR_WEIGHT = 0.25, 6.0  # Hill's index before anything is known, and the principals that it weighs


class Fit(NamedTuple):
    """Where the tail starts, of so many principals, and the logarithms of those beyond less the largest ones."""

    start: float
    principals: int
    beyond: int
    counting: int
    total: float
    largest: float  # of those that count


class Extremes:
    """By measure: hash of a principal to the most that it got. The part "extremes" of an operation's profile."""

    name: ClassVar[str] = "extremes"
    __slots__ = ("_fits", "_held")

    def __init__(self) -> None:
        self._held: Dict[str, Dict[int, float]] = {}
        self._fits: Dict[str, Fit] = {}

    def take(self, measure: str, principal: int, most: float) -> None:
        """Take the most that an ordinary principal (a hash) got."""
        held = self._held.get(measure)
        if held is None:
            if len(self._held) >= MAX_MEASURES:
                return
            held = self._held[measure] = {}
        known = held.get(principal)
        if known is None:
            if len(held) >= MAX_PRINCIPALS and principal > max(held):
                return
            held[principal] = most
            if len(held) > MAX_PRINCIPALS:
                del held[max(held)]
        elif most > known:
            held[principal] = most
        else:
            return
        self._fits.pop(measure, None)

    def known(self, measure: str) -> bool:
        return len(self._held.get(measure, ())) >= LEAST_PRINCIPALS

    def tail(self, measure: str, value: float, grain: float, principal: int = -1) -> float:
        """Return the chance that the most of an ordinary principal is at least ``value``; 1 where too few are known.

        ``grain`` is a difference that says nothing: a few bytes, one record. What the ``principal`` (a hash) taught
        itself does not count.
        """
        fit = self._fit(measure, grain)
        if fit is None or value <= fit.start:
            return 1.0
        ratio = (value + grain) / (fit.start + grain)
        if ratio <= BEYOND:
            return 1.0 / UPPER
        beyond, count, total = fit.beyond, fit.counting + PRIOR_WEIGHT, fit.total + PRIOR_INDEX * PRIOR_WEIGHT
        own = (self._held[measure].get(principal, 0.0) + grain) / (fit.start + grain)
        if own > BEYOND:
            beyond -= 1
            if math.log(own) <= fit.largest:
                count, total = count - 1.0, total - math.log(own)
        share = (beyond + 0.5) / (fit.principals + 1.0)  # where nobody is beyond, the next one may be
        return max(P_FLOOR, share * math.pow(total / (total + math.log(ratio)), count))

    def usual(self, measure: str, grain: float) -> float:
        """Return the most that three in four principals got."""
        fit = self._fit(measure, grain)
        return fit.start if fit else 0.0

    def _fit(self, measure: str, grain: float) -> Optional[Fit]:
        held = self._held.get(measure)
        if held is None or len(held) < LEAST_PRINCIPALS:
            return None
        found = self._fits.get(measure)
        if found is None:
            ordered = sorted(held.values())
            upper = max(4, len(ordered) // UPPER)
            start = ordered[-upper - 1]
            ratios = [(most + grain) / (start + grain) for most in ordered[-upper:]]
            beyond = [math.log(ratio) for ratio in ratios if ratio > BEYOND]
            known = beyond[: max(0, len(beyond) - len(ordered) // LEFT_OUT)]
            largest = known[-1] if known else 0.0
            found = self._fits[measure] = Fit(start, len(ordered), len(beyond), len(known), sum(known), largest)
        return found

    def merge(self, other: Extremes) -> None:
        for measure, held in other._held.items():
            for principal, most in held.items():
                self.take(measure, principal, most)

    def forget(self, slot: int) -> None:
        """Bounded by ``take``."""

    def to_state(self) -> Dict[str, Any]:
        return {
            measure: {str(one): round(most, 3) for one, most in sorted(held.items())}
            for measure, held in self._held.items()
        }

    @classmethod
    def from_state(cls, state: Any) -> Extremes:
        """Raises DocumentError when it is not one of ``to_state``."""
        made = cls()
        for measure, held in mapping(state, MAX_MEASURES, cls.name).items():
            known: Mapping[int, Any] = by_hash(held, MAX_PRINCIPALS, cls.name)
            values: List[float] = numbers(list(known.values()), len(known), cls.name)
            made._held[measure] = dict(zip(known, values))
        return made
