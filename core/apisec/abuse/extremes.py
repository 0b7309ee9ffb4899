"""The most that each ordinary principal got from an operation at once, and how unusual it is to get more.

What an application asks for has an upper end that most of its clients reach: a page, one account's records. Who gets
twice that asked in another way. How heavy the end is differs between operations, so it is fitted: beyond the upper
quarter of the principals the largest ones follow a Pareto law, whose exponent is Hill's estimate (Annals of Statistics
3, 1975), shrunk to a prior. The principal is the unit, not the response: who is large is so again and again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar, Dict, List, Optional, Tuple

from apisec.abuse.base import P_FLOOR
from apisec.abuse.rarity import by_hash, mapping, numbers

MAX_PRINCIPALS = 96  # of a measure that are remembered: those of the smallest hashes
MAX_MEASURES = 8
LEAST_PRINCIPALS = 20  # with fewer nothing is said
LEFT_OUT = 30  # one in so many, the largest, does not count for the fit: staff, and who was not caught
UPPER = 4  # the upper fourth makes the tail
PRIOR_INDEX, PRIOR_WEIGHT = 0.25, 4.0  # Hill's index before anything is known, and the principals that it weighs


class Extremes:
    """By measure: hash of a principal to the most that it got. The part "extremes" of an operation's profile."""

    name: ClassVar[str] = "extremes"
    __slots__ = ("_fits", "_held")

    def __init__(self) -> None:
        self._held: Dict[str, Dict[int, float]] = {}
        self._fits: Dict[str, Tuple[float, float, float]] = {}

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

    def tail(self, measure: str, value: float, grain: float) -> float:
        """Return the chance that the most of an ordinary principal is at least ``value``; 1 where too few are known.

        ``grain`` is a difference that says nothing: a few bytes, one record.
        """
        fit = self._fit(measure, grain)
        if fit is None or value <= fit[0]:
            return 1.0
        start, share, index = fit
        return max(P_FLOOR, share * math.exp(-math.log((value + grain) / (start + grain)) / index))

    def usual(self, measure: str, grain: float) -> float:
        """Return the most that three in four principals got."""
        fit = self._fit(measure, grain)
        return fit[0] if fit else 0.0

    def _fit(self, measure: str, grain: float) -> Optional[Tuple[float, float, float]]:
        """Return (where the tail begins, the share of principals in it, Hill's index)."""
        held = self._held.get(measure)
        if held is None or len(held) < LEAST_PRINCIPALS:
            return None
        found = self._fits.get(measure)
        if found is None:
            ordered = sorted(held.values())
            kept = len(ordered) - len(ordered) // LEFT_OUT
            upper = max(4, len(ordered) // UPPER)
            start = ordered[-upper - 1]
            excess = [math.log((most + grain) / (start + grain)) for most in ordered[-upper:kept]]
            index = (sum(excess) + PRIOR_INDEX * PRIOR_WEIGHT) / (len(excess) + PRIOR_WEIGHT)
            found = self._fits[measure] = (start, upper / len(ordered), index)
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
