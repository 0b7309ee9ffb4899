"""Histograms forget by generations, and merge exactly."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apisec.baselines.histograms import MAX_BIN, Histogram, bin_of, lower_edge, middle_of
from apisec.errors import DocumentError

weights = st.dictionaries(st.integers(1, MAX_BIN), st.integers(1, 10_000), max_size=40)


def histogram_of(recent: dict[int, int], former: dict[int, int]) -> Histogram:
    histogram = Histogram()
    histogram.recent, histogram.former = dict(recent), dict(former)
    return histogram


@given(st.floats(0.0, 1e15))
def test_a_value_lies_in_its_bin(value: float) -> None:
    index = bin_of(value)
    assert lower_edge(index) <= value * (1 + 1e-9)
    assert value < lower_edge(index + 1) * (1 + 1e-9)
    assert lower_edge(index) <= middle_of(index) <= lower_edge(index + 1)


def test_small_counts_have_a_bin_each_and_edges_are_exact() -> None:
    assert [bin_of(count) for count in range(16)] == list(range(16))
    assert all(bin_of(lower_edge(index)) == index for index in range(MAX_BIN))
    assert bin_of(1e300) == MAX_BIN


@given(weights, weights, weights, weights)
def test_merged_histograms_are_the_sum(
    a: dict[int, int], b: dict[int, int], c: dict[int, int], d: dict[int, int]
) -> None:
    one, other = histogram_of(a, b), histogram_of(c, d)
    one.merge(other)
    for index in {*a, *b, *c, *d}:
        assert one.recent.get(index, 0) == a.get(index, 0) + c.get(index, 0)
        assert one.total()[index] == sum(part.get(index, 0) for part in (a, b, c, d))


@given(weights, weights)
def test_state_is_read_back(recent: dict[int, int], former: dict[int, int]) -> None:
    histogram = histogram_of(recent, former)
    read = Histogram.from_state(json.loads(json.dumps(histogram.to_state())))
    assert (read.recent, read.former) == (recent, former)


def test_a_generation_is_forgotten_in_one_piece() -> None:
    histogram = histogram_of({3: 5}, {9: 1})
    histogram.age(1)
    assert (histogram.recent, histogram.former) == ({}, {3: 5})
    histogram.age(1)
    assert not histogram
    histogram = histogram_of({3: 5}, {9: 1})
    histogram.age(2)
    assert not histogram


@pytest.mark.parametrize(
    "state",
    [None, {}, [[1]], [[1, 0]], [[1, -1]], [[-1, 1]], [[1, 1, 0, 1]], [[1, 1.5]], [["a", 1]], [[True, 1]],
     [[10**9, 1]], [[1, 1], [1, 1], [1, 1]], [[1, 1 << 60]], [[1, 1] * 2000]],
)  # fmt: skip
def test_a_broken_state_is_refused(state: Any) -> None:
    with pytest.raises(DocumentError):
        Histogram.from_state(state)
