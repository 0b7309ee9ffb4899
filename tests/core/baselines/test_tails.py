"""Tails of counts: exact values, whichever Python."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apisec.baselines.tails import decades, log_normal_decades, negative_binomial_tail


def exact(count: int, mean: Fraction, size: int) -> Fraction:
    """Sum the chances below ``count`` in fractions: exact for whole sizes."""
    share = mean / (mean + size)
    term, below = (1 - share) ** size, Fraction(0)
    for k in range(count):
        below += term
        term *= Fraction(k + size, k + 1) * share
    return 1 - below


@given(st.integers(1, 120), st.fractions(Fraction(1, 20), Fraction(30), max_denominator=40), st.integers(1, 20))
@settings(max_examples=60, deadline=None)
def test_tails_are_exact(count: int, mean: Fraction, size: int) -> None:
    assert negative_binomial_tail(count, float(mean), float(size)) == pytest.approx(
        float(exact(count, mean, size)), rel=1e-9
    )


@given(st.floats(0.01, 1e4), st.floats(0.01, 1e4), st.integers(1, 10_000))
@settings(max_examples=100, deadline=None)
def test_a_higher_count_is_never_likelier(mean: float, size: float, count: int) -> None:
    assert negative_binomial_tail(count + 1, mean, size) <= negative_binomial_tail(count, mean, size) * (1 + 1e-12)


def test_the_ends() -> None:
    assert negative_binomial_tail(0, 5.0, 1.0) == 1.0
    assert negative_binomial_tail(-3, 5.0, 1.0) == 1.0
    assert negative_binomial_tail(1, 0.0, 1.0) == 0.0
    assert negative_binomial_tail(4.2, 3.0, 2.0) == negative_binomial_tail(5, 3.0, 2.0)
    assert negative_binomial_tail(100_000, 1.0, 1e6) == 0.0, "too small for a double"
    assert decades(0.0) == 300.0
    assert log_normal_decades(0.0, 10.0, 1.0) == 0.0


def test_log_normal_tails_go_on_where_doubles_end() -> None:
    values = [log_normal_decades(10.0 * 1.5**step, 10.0, 0.5) for step in range(80)]
    assert values == sorted(set(values))
    assert values[0] == pytest.approx(0.30103, abs=1e-5)
