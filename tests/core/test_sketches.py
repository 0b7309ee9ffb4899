"""Sketches keep their stated bounds, alone and merged."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apisec.baselines.sketches import (
    KMV_SIZE,
    MAX_BINS,
    RELATIVE_ERROR,
    DistinctCount,
    QuantileSketch,
)
from apisec.errors import DocumentError

values = st.lists(st.one_of(st.just(0.0), st.floats(1e-6, 1e9)), min_size=1, max_size=200)


def sketch_of(numbers: list[float]) -> QuantileSketch:
    sketch = QuantileSketch()
    for one in numbers:
        sketch.add(one)
    return sketch


@given(values, st.floats(0, 1))
@settings(deadline=None)
def test_a_quantile_is_within_one_percent_of_the_exact_one(numbers: list[float], share: float) -> None:
    exact = sorted(numbers)[int(share * (len(numbers) - 1))]
    found = sketch_of(numbers).quantile(share)
    assert found == pytest.approx(exact, rel=RELATIVE_ERROR * 1.001, abs=1e-9)


@given(values, st.floats(0, 1))
@settings(deadline=None)
def test_a_coarser_sketch_keeps_its_own_bound(numbers: list[float], share: float) -> None:
    coarse = QuantileSketch(0.05)
    for one in numbers:
        coarse.add(one)
    exact = sorted(numbers)[int(share * (len(numbers) - 1))]
    read = QuantileSketch.from_state(json.loads(json.dumps(coarse.to_state())), 0.05)
    assert read.quantile(share) == pytest.approx(exact, rel=0.0501, abs=1e-9)


def test_sketches_of_different_errors_do_not_mix() -> None:
    coarse = QuantileSketch(0.05)
    coarse.add(1.0)
    with pytest.raises(ValueError, match="do not merge"):
        QuantileSketch().merge(coarse)
    with pytest.raises(DocumentError, match="relative error"):
        QuantileSketch.from_state(coarse.to_state())


@given(values, values)
@settings(deadline=None)
def test_merged_quantiles_are_those_of_one_pass(left: list[float], right: list[float]) -> None:
    merged = sketch_of(left)
    merged.merge(QuantileSketch.from_state(json.loads(json.dumps(sketch_of(right).to_state()))))
    assert merged.to_state() == sketch_of(left + right).to_state()


def test_a_collapsed_sketch_stays_bounded_and_keeps_high_quantiles() -> None:
    numbers = [1.03**n for n in range(2 * MAX_BINS)]
    sketch = sketch_of(numbers)
    assert len(sketch.to_state()["b"]) <= 2 * MAX_BINS, "distances and counts"
    assert sketch.count == len(numbers)
    assert sketch.quantile(0.9) == pytest.approx(numbers[int(0.9 * (len(numbers) - 1))], rel=0.0101)


@given(st.lists(st.integers(0, 3000), max_size=2000), st.lists(st.integers(0, 3000), max_size=2000))
@settings(max_examples=20, deadline=None)
def test_merged_distinct_counts_are_those_of_one_pass(left: list[int], right: list[int]) -> None:
    one, other, both = DistinctCount(), DistinctCount(), DistinctCount()
    for n in left:
        one.add(str(n))
        both.add(str(n))
    for n in right:
        other.add(str(n))
        both.add(str(n))
    one.merge(DistinctCount.from_state(other.to_state()))
    assert one.to_state() == both.to_state()
    assert one.estimate() == both.estimate()


def test_a_distinct_count_is_exact_when_small_and_near_when_large() -> None:
    counter = DistinctCount()
    for n in range(KMV_SIZE - 1):
        counter.add(f"user-{n}")
        counter.add(f"user-{n}")
    assert counter.estimate() == KMV_SIZE - 1
    for n in range(50_000):
        counter.add(f"user-{n}")
    assert counter.estimate() == pytest.approx(50_000, rel=0.2)  # three standard errors


@pytest.mark.parametrize(
    "state", [{"z": -1, "min": 0, "max": 1, "b": []}, {"z": 0}, {"z": 0, "min": 0, "max": 1, "b": 3}]
)
def test_a_broken_quantile_state_is_refused(state: dict[str, object]) -> None:
    with pytest.raises(DocumentError):
        QuantileSketch.from_state(state)


@pytest.mark.parametrize("state", ["!", "AAAA"])
def test_a_broken_distinct_state_is_refused(state: str) -> None:
    with pytest.raises(DocumentError):
        DistinctCount.from_state(state)
