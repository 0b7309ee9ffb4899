"""Tails in pure Python against scipy's, which the core cannot have."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from apisec.baselines.tails import log_normal_decades, negative_binomial_pmf, negative_binomial_tail

means = st.floats(-2.0, 3.5).map(lambda power: 10.0**power)
sizes = st.floats(-2.0, 3.0).map(lambda power: 10.0**power)


@given(st.integers(1, 20_000), means, sizes)
@settings(max_examples=400, deadline=None)
def test_tails_are_those_of_scipy_to_nine_digits(count: int, mean: float, size: float) -> None:
    # scipy's nbinom takes the share of successes, which loses digits when it is near 1; betainc is asked directly.
    expected = float(special.betainc(count, size, mean / (mean + size)))
    if expected > 1e-280:
        assert negative_binomial_tail(count, mean, size) == pytest.approx(expected, rel=1e-9)


@given(st.integers(1, 500), st.floats(0.5, 50.0), st.floats(0.5, 50.0))
@settings(max_examples=200, deadline=None)
def test_tails_and_points_are_those_of_nbinom(count: int, mean: float, size: float) -> None:
    share = size / (mean + size)
    assert negative_binomial_tail(count, mean, size) == pytest.approx(stats.nbinom.sf(count - 1, size, share), rel=1e-9)
    assert negative_binomial_pmf(count, mean, size) == pytest.approx(stats.nbinom.pmf(count, size, share), rel=1e-9)


@pytest.mark.parametrize("decades", [3, 6, 9, 12, 15, 60, 200])
def test_the_far_tail_is_right_as_well(decades: int) -> None:
    mean, size = 7.3, 1.7
    count = 1
    while special.betainc(count, size, mean / (mean + size)) > 10.0**-decades:
        count += 1
    expected = float(special.betainc(count, size, mean / (mean + size)))
    assert negative_binomial_tail(count, mean, size) == pytest.approx(expected, rel=1e-9)


def test_a_huge_size_is_poisson() -> None:
    assert negative_binomial_tail(30, 10.0, 1e9) == pytest.approx(float(stats.poisson.sf(29, 10.0)), rel=1e-6)


@pytest.mark.parametrize("z", [-3.0, 0.0, 1.0, 5.0, 20.0, 24.9, 25.1, 36.0])
def test_log_normal_tails_are_those_of_the_normal_distribution(z: float) -> None:
    expected = -float(stats.norm.logsf(z)) / 2.302585092994046
    assert log_normal_decades(2.718281828459045 ** (0.5 * z), 1.0, 0.5) == pytest.approx(expected, rel=2e-3, abs=1e-9)
