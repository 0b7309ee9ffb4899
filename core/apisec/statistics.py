"""Bounds of shares in pure Python: exact (Clopper and Pearson, Biometrika 26, 1934) and Wilson's score interval."""

from __future__ import annotations

import math
from typing import Tuple

Z_95 = 1.96  # two-sided 95 %

_TINY = 1e-300
_EPSILON = 1e-15
_ITERATIONS = 500


def beta_cdf(x: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b).

    Continued fraction by Lentz's method (Abramowitz and Stegun 26.5.8), on the side where it converges fast.
    """
    if x <= 0.0:
        return 0.0
    if x >= 1.0:
        return 1.0
    logarithm = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    front = math.exp(logarithm)
    if x < (a + 1.0) / (a + b + 2.0):
        return front * beta_fraction(x, a, b) / a
    return 1.0 - front * beta_fraction(1.0 - x, b, a) / b


def beta_fraction(x: float, a: float, b: float) -> float:
    """Return I_x(a, b) in units of x^a (1 - x)^b / (a B(a, b)); for x below about the mean, a / (a + b)."""
    c, d = 1.0, _nonzero(1.0 - (a + b) * x / (a + 1.0))
    d = 1.0 / d
    result = d
    # Convergence takes about sqrt(max(a, b)) steps.
    for m in range(1, _ITERATIONS + int(10.0 * math.sqrt(max(a, b)))):
        even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        d = 1.0 / _nonzero(1.0 + even * d)
        c = _nonzero(1.0 + even / c)
        result *= d * c
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        d = 1.0 / _nonzero(1.0 + odd * d)
        c = _nonzero(1.0 + odd / c)
        result *= d * c
        if abs(d * c - 1.0) < _EPSILON:
            break
    return result


def _nonzero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def upper_bound(hits: int, trials: int, confidence: float = 0.95) -> float:
    """Return the one-sided Clopper–Pearson upper bound of a rate: 0 of 300 gives 0.0099.

    No trial proves nothing: the bound is 1. Raises ValueError for counts that cannot be.
    """
    if not 0 <= hits <= trials or not 0.0 < confidence < 1.0:
        raise ValueError(f"{hits} of {trials} at {confidence} is not a binomial count")
    if hits == trials:
        return 1.0
    if hits == 0:
        return -math.expm1(math.log1p(-confidence) / trials)
    low, high = hits / trials, 1.0
    for _ in range(200):
        middle = (low + high) / 2.0
        if beta_cdf(middle, hits + 1.0, float(trials - hits)) < confidence:
            low = middle
        else:
            high = middle
        if high - low <= 1e-15:
            break
    return high


def wilson(hits: float, trials: float, z: float = Z_95) -> Tuple[float, float]:
    """Return the bounds of a share by Wilson (J. Am. Stat. Assoc. 22, 1927); (0, 1) of no trials.

    Raises ValueError for counts that cannot be.
    """
    if not 0 <= hits <= trials:
        raise ValueError(f"{hits} of {trials} is no share")
    if trials == 0:
        return 0.0, 1.0
    share, square = hits / trials, z * z / trials
    middle = (share + square / 2) / (1 + square)
    half = z * math.sqrt(share * (1 - share) / trials + square / (4 * trials)) / (1 + square)
    # At the ends rounding would leave a bound beside them.
    return (0.0 if hits == 0 else max(0.0, middle - half)), (1.0 if hits == trials else min(1.0, middle + half))
