"""Chances of seeing at least so much: negative binomial for counts, log-normal for sizes. Exact also far out.

The negative binomial is what counts of people are: each has a rate of his own, and rates are spread like a gamma
distribution (Greenwood and Yule, J. R. Stat. Soc. 83, 1920). ``size`` is the gamma's shape: the smaller, the more
the rates differ; the variance is mean + mean^2 / size.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

from apisec.statistics import beta_fraction

SMALLEST_SIZE, LARGEST_SIZE = 1e-6, 1e9  # beyond the latter the distribution is Poisson's to the ninth digit
_STIRLING_FROM = 16.0
_HALF_LOG_2PI = 0.5 * math.log(2.0 * math.pi)
_SQRT2 = math.sqrt(2.0)


class Tail(NamedTuple):
    """The chance of seeing at least this much, what was expected, and what says so."""

    p: float
    expected: float
    basis: str


def _stirling_error(n: float) -> float:
    """Return log(n!) less Stirling's formula for it, n > 0."""
    if n < _STIRLING_FROM:
        return math.lgamma(n + 1.0) - (n + 0.5) * math.log(n) + n - _HALF_LOG_2PI
    square = n * n
    return (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - 1 / 1188 / square) / square) / square) / square) / n


def _deviance(x: float, mean: float) -> float:
    """Return x log(x / mean) + mean - x without cancellation."""
    difference = x - mean
    if abs(difference) >= 0.1 * (x + mean):
        return x * math.log(x / mean) - difference
    v = difference / (x + mean)
    total, term, square = difference * v, 2.0 * x * v, v * v
    for j in range(1, 100):
        term *= square
        more = total + term / (2 * j + 1)
        if more == total:
            break
        total = more
    return total


def negative_binomial_pmf(count: float, mean: float, size: float) -> float:
    """Return the chance of exactly ``count`` > 0, by saddle points (Loader, 2000), without cancellation.

    It is size / (size + count) times the chance of ``count`` among ``size + count`` binomial trials.
    """
    trials = size + count
    logarithm = (
        _stirling_error(trials)
        - _stirling_error(size)
        - _stirling_error(count)
        - _deviance(size, trials * (size / (mean + size)))
        - _deviance(count, trials * (mean / (mean + size)))
    )
    return math.exp(logarithm) * math.sqrt(size / (2.0 * math.pi * trials * count))


@lru_cache(maxsize=65_536)
def negative_binomial_tail(count: float, mean: float, size: float) -> float:
    """Return P(X >= count) of a negative binomial; ``count`` is rounded up, and 1 is the chance of at least 0.

    The relative error is below 1e-9 down to 1e-300 (tests/ml compares with scipy).
    """
    count = math.ceil(count)
    if count <= 0:
        return 1.0
    if mean <= 0.0:
        return 0.0
    size = min(max(size, SMALLEST_SIZE), LARGEST_SIZE)
    share = mean / (mean + size)
    point = negative_binomial_pmf(float(count), mean, size)
    # P(X >= k) = I_share(k, size), and k * point is share^k (1 - share)^size / B(k, size).
    if share < (count + 1.0) / (count + size + 2.0):
        return min(1.0, point * beta_fraction(share, float(count), size))
    return max(0.0, 1.0 - point * (count / size) * beta_fraction(size / (mean + size), size, float(count)))


@lru_cache(maxsize=65_536)
def beta_binomial_tail(hits: int, trials: int, alpha: float, beta: float) -> float:
    """Return P(X >= hits) of ``trials`` whose share of hits is drawn from a beta distribution; 0 < hits <= trials.

    What shares of principals are: each has one of his own. The terms are summed upwards from ``hits``, each made of the
    one before (compared with a urn in tests).
    """
    if alpha <= 0.0:
        return 0.0
    if beta <= 0.0:
        return 1.0
    lgamma = math.lgamma
    logarithm = (
        lgamma(trials + 1) - lgamma(hits + 1) - lgamma(trials - hits + 1)
        + lgamma(hits + alpha) + lgamma(trials - hits + beta) - lgamma(trials + alpha + beta)
        - lgamma(alpha) - lgamma(beta) + lgamma(alpha + beta)
    )  # fmt: skip
    term = total = math.exp(logarithm)
    for k in range(hits, trials):
        term *= (trials - k) / (k + 1.0) * (alpha + k) / (beta + trials - k - 1.0)
        total += term
    return min(1.0, total)


def log_normal_decades(value: float, middle: float, sigma: float) -> float:
    """Return -log10 P(X >= value), where log X is normal about log ``middle`` with ``sigma``; 0 for nothing."""
    if value <= 0.0:
        return 0.0
    z = math.log(value / middle) / sigma
    if z < 25.0:
        return -math.log10(0.5 * math.erfc(z / _SQRT2))
    # Mills' ratio: beyond what a double holds.
    return (0.5 * z * z + _HALF_LOG_2PI + math.log(z)) / math.log(10.0)


def decades(p: float) -> float:
    """Return -log10 of a chance, 300 for 0."""
    return -math.log10(p) if p > 1e-300 else 300.0
