"""Shares that differ from principal to principal: how much of what it does goes to one operation, how much of it fails.

The share of a principal is drawn from a beta distribution, fitted to ordinary principals by moments; what one shows is
then beta-binomial, so that some who nearly always fail make it less telling that another does.
"""

from __future__ import annotations

import math
from typing import Any, Dict, List, Tuple

from apisec.baselines.tails import beta_binomial_tail
from apisec.errors import DocumentError

MAX_TRIALS = 200  # more say no more: the shares of people are not known better than that
PRIOR_WEIGHT = 20.0  # principals that the prior weighs
MIN_PRECISION, MAX_PRECISION = 0.5, 100.0  # of the beta distribution: its two parameters together
MAX_WEIGHT = 5_000.0  # beyond it what is old fades
MIN_MEAN = 1e-4


class Share:
    """Moments of a share over ordinary principals; ``prior`` is its mean where nothing is known."""

    __slots__ = ("_square", "_sum", "_weight")

    def __init__(self) -> None:
        self._weight = 0.0
        self._sum = 0.0
        self._square = 0.0

    def learn(self, share: float, weight: float) -> None:
        if self._weight >= MAX_WEIGHT:
            self._weight, self._sum, self._square = self._weight / 2, self._sum / 2, self._square / 2
        self._weight += weight
        self._sum += weight * share
        self._square += weight * share * share

    @property
    def weight(self) -> float:
        return self._weight

    def beta(self, prior: float, spread: float) -> Tuple[float, float]:
        """Return the parameters of the beta distribution; ``prior`` and ``spread`` are mean and deviation before."""
        weight = self._weight + PRIOR_WEIGHT
        mean = (self._sum + PRIOR_WEIGHT * prior) / weight
        square = (self._square + PRIOR_WEIGHT * (prior * prior + spread * spread)) / weight
        mean = min(max(mean, MIN_MEAN), 1.0 - MIN_MEAN)
        variance = max(square - mean * mean, 1e-9)
        precision = min(max(mean * (1.0 - mean) / variance - 1.0, MIN_PRECISION), MAX_PRECISION)
        return mean * precision, (1.0 - mean) * precision

    def merge(self, other: Share) -> None:
        self._weight += other._weight
        self._sum += other._sum
        self._square += other._square

    def to_state(self) -> List[float]:
        return [round(self._weight, 4), round(self._sum, 6), round(self._square, 6)]

    @classmethod
    def from_state(cls, state: Any) -> Share:
        """Raises DocumentError when it is not one of ``to_state``."""
        share = cls()
        if not isinstance(state, list) or len(state) != 3:
            raise DocumentError("is no share", where="shares")
        numbers = [float(one) for one in state if type(one) in (int, float) and 0 <= one < 1e12]
        if len(numbers) != 3:
            raise DocumentError("holds something that is no weight", where="shares")
        share._weight, share._sum, share._square = numbers
        return share


def share_tail(hits: float, trials: float, a: float, b: float) -> float:
    """Return P(X >= hits) of a beta-binomial distribution; more than ``MAX_TRIALS`` trials are scaled down."""
    if trials > MAX_TRIALS:
        hits, trials = hits * MAX_TRIALS / trials, MAX_TRIALS
    count = round(trials)
    reached = min(math.floor(hits + 1e-9), count)
    if reached <= 0:
        return 1.0
    return beta_binomial_tail(reached, count, max(round(a, 3), 1e-3), max(round(b, 3), 1e-3))


def merged(mine: Dict[str, Share], others: Dict[str, Share]) -> None:
    for name, share in others.items():
        mine.setdefault(name, Share()).merge(share)
