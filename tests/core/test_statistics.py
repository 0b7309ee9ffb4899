"""Bounds of shares against published and independently computed values."""

from __future__ import annotations

from typing import Tuple

import pytest

from apisec.statistics import beta_cdf, upper_bound, wilson

# One-sided 95 % bounds: scipy.stats.beta.ppf(0.95, k + 1, n - k).
KNOWN = [
    (0, 1, 0.95),
    (0, 10, 0.2588655508930426),
    (0, 300, 0.009936081944457708),
    (1, 100, 0.046559811453538935),
    (3, 10, 0.6066242161054123),
    (5, 1000, 0.010484076911415651),
    (50, 100_000, 0.0006328286928247057),
    (999, 1000, 0.999948708021091),
    (7, 7, 1.0),
]


@pytest.mark.parametrize(("hits", "trials", "bound"), KNOWN)
def test_known_bounds(hits: int, trials: int, bound: float) -> None:
    assert upper_bound(hits, trials) == pytest.approx(bound, rel=1e-9)


def test_rule_of_three() -> None:
    """0 of n: about 3 / n (Hanley and Lippman-Hand, JAMA 249, 1983)."""
    assert upper_bound(0, 10_000) == pytest.approx(3 / 10_000, rel=0.01)


@pytest.mark.parametrize(("x", "a", "b", "value"), [(0.5, 1, 1, 0.5), (0.25, 2, 1, 0.0625), (0.5, 2, 3, 0.6875)])
def test_incomplete_beta(x: float, a: float, b: float, value: float) -> None:
    """Closed forms: x^a for b = 1, and binomial sums for whole numbers."""
    assert beta_cdf(x, a, b) == pytest.approx(value, abs=1e-12)
    assert beta_cdf(1 - x, b, a) == pytest.approx(1 - value, abs=1e-12)


@pytest.mark.parametrize(("hits", "trials"), [(-1, 3), (4, 3)])
def test_counts_that_cannot_be(hits: int, trials: int) -> None:
    with pytest.raises(ValueError, match="not a binomial count"):
        upper_bound(hits, trials)


@pytest.mark.parametrize(
    ("share", "trials", "expected"),
    [(0.5, 10, (0.2366, 0.7634)), (0.0, 10, (0.0, 0.2775)), (1.0, 100, (0.9630, 1.0)), (0.1, 263, (0.0692, 0.1422))],
)
def test_wilson_gives_the_intervals_of_the_tables(share: float, trials: int, expected: Tuple[float, float]) -> None:
    assert wilson(share * trials, trials) == pytest.approx(expected, abs=0.0006)


def test_wilson_of_nothing_says_nothing() -> None:
    assert wilson(0.0, 0) == (0.0, 1.0)
