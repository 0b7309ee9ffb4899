"""Trails are trailing sums, whatever the order; shares are beta-binomial; states survive JSON and nothing else."""

from __future__ import annotations

import json
import math
from typing import Any, Dict, List, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apisec.abuse.counters import MAX_OPERATIONS, MAX_REMEMBERED, Memory, PrincipalCounters, Trail
from apisec.abuse.shares import Share, share_tail
from apisec.abuse.traffic import OperationTraffic, Wave, poisson_tail
from apisec.errors import DocumentError

START = 5_892_048  # a slot at which a quarter of a day begins
ADDED = st.lists(st.tuples(st.integers(0, 2_500), st.integers(1, 50)), min_size=1, max_size=40)


def expected(added: List[Tuple[int, int]], width: int, kept: int) -> int:
    newest = max(START + slot for slot, _ in added)
    return sum(count for slot, count in added if (START + slot) // width > newest // width - kept)


@settings(max_examples=60, deadline=None)
@given(ADDED)
def test_sums_are_those_of_the_last_hour_day_and_week(added: List[Tuple[int, int]]) -> None:
    trail = Trail()
    for slot, count in sorted(added):
        trail.add(START + slot, {"requests": count})
    found = trail.sums("requests")
    assert found == tuple(expected(added, width, kept) for width, kept in ((1, 12), (12, 24), (72, 28)))


@settings(max_examples=40, deadline=None)
@given(ADDED)
def test_a_late_slot_counts_where_it_belongs(added: List[Tuple[int, int]]) -> None:
    late, ordered = Trail(), Trail()
    newest = max(slot for slot, _ in added)
    for trail, events in ((late, added), (ordered, sorted(added))):
        for slot, count in events:
            trail.add(START + slot, {"requests": count})
        trail.advance(START + newest)
    assert late.sums("requests") == ordered.sums("requests")
    assert Trail.from_state(json.loads(json.dumps(late.to_state()))).sums("requests") == late.sums("requests")


def test_what_is_over_leaves_the_sums() -> None:
    trail = Trail()
    trail.add(START, {"requests": 5, "bytes": 1e9})
    trail.advance(START + 12)
    assert trail.sums("requests") == (0.0, 5, 5)
    assert trail.some_sums({"requests": {0, 2}}) == {"requests": (0, 0, 5)}
    trail.advance(START + 8 * 288)
    assert trail.some_sums({"requests": {0, 1, 2}, "bytes": {2}}) == {}


@pytest.mark.parametrize(
    "state",
    [None, [], {}, {"newest": "x", "levels": []}, {"newest": 1, "levels": [{"a": [0, -1]}]},
     {"newest": 1, "levels": [{"a": [0, math.inf]}]}, {"newest": 1, "levels": [{"a": [12, 1]}]},
     {"newest": 1, "levels": [{"a": [-1, 1]}]}, {"newest": 1, "levels": [["x"]]}],
)  # fmt: skip
def test_damaged_trails_are_refused(state: Any) -> None:
    with pytest.raises(DocumentError):
        Trail.from_state(state)


def test_an_id_is_new_once_in_seven_days() -> None:
    memory = Memory()
    assert memory.take([1, 2, 3], START) == 3
    assert memory.take([2, 3, 4], START + 288) == 1
    memory.forget(START + 9 * 288)
    assert memory.take([4], START + 9 * 288) == 1
    for slot in range(START, START + 40):
        memory.take(range(slot * 100, slot * 100 + 100), slot)
    assert len(memory.to_state()) <= MAX_REMEMBERED


def test_counters_of_a_principal_are_bounded_and_survive_json() -> None:
    counters = PrincipalCounters()
    for index in range(3 * MAX_OPERATIONS):
        counters.operation(f"GET /{index}").add(START + index, {"requests": 1})
        counters.fresh(f"o:GET /{index}", [index], START)
    counters.total.add(START, {"requests": 9})
    assert len(counters.operations) == MAX_OPERATIONS
    assert f"GET /{3 * MAX_OPERATIONS - 1}" in counters.operations
    again = PrincipalCounters.from_state(json.loads(json.dumps(counters.to_state())))
    assert again.to_state() == counters.to_state()


def test_counters_merge() -> None:
    one, other = PrincipalCounters(), PrincipalCounters()
    for part, ids in ((one, [1, 2]), (other, [2, 3])):
        part.total.add(START, {"requests": 4})
        part.operation("GET /x").add(START, {"requests": 4})
        part.fresh("accounts", ids, START)
    one.merge(other)
    assert one.total.sums("requests") == (8, 8, 8)
    assert one.operations["GET /x"].sums("requests") == (8, 8, 8)
    assert len(one.memories["accounts"]) == 3


def brute_force(hits: int, trials: int, a: float, b: float) -> float:
    """Pólya's urn: the beta-binomial by its definition as a chain of draws."""
    chances: Dict[int, float] = {0: 1.0}
    for drawn in range(trials):
        following: Dict[int, float] = {}
        for k, chance in chances.items():
            hit = (a + k) / (a + b + drawn)
            following[k + 1] = following.get(k + 1, 0.0) + chance * hit
            following[k] = following.get(k, 0.0) + chance * (1 - hit)
        chances = following
    return sum(chance for k, chance in chances.items() if k >= hits)


@pytest.mark.parametrize(
    ("hits", "trials", "a", "b"), [(0, 5, 1.0, 1.0), (3, 5, 1.0, 1.0), (5, 5, 0.5, 9.5), (40, 60, 2.0, 30.0)]
)
def test_the_tail_is_that_of_a_beta_binomial(hits: int, trials: int, a: float, b: float) -> None:
    assert share_tail(hits, trials, a, b) == pytest.approx(brute_force(hits, trials, a, b), rel=1e-9)


def test_a_share_is_learned_and_one_principal_does_not_move_it_far() -> None:
    share = Share()
    for index in range(300):
        share.learn(0.02 * (index % 3), 1.0)
    before = share_tail(30, 40, *share.beta(0.1, 0.1))
    share.learn(1.0, 1.0)
    after = share_tail(30, 40, *share.beta(0.1, 0.1))
    assert before < after < 1e-4
    assert Share.from_state(share.to_state()).beta(0.1, 0.1) == pytest.approx(share.beta(0.1, 0.1), rel=1e-4)


def test_a_wave_explains_what_befalls_many_and_nothing_else() -> None:
    wave = Wave()
    for index in range(2):
        wave.add(f"p{index}", START, 4)
    assert wave.explained("mallory") == 0.0
    for index in range(12):
        wave.add(f"p{index}", START, 4)
    assert 12 <= wave.explained("mallory") <= 24
    for step in range(3_000):  # where as many fail every day, it is no wave
        for index in range(12):
            wave.add(f"p{index}", START + step, 4)
        wave.close(START + step)
    assert wave.explained("mallory") == 0.0


def test_poisson() -> None:
    assert poisson_tail(0, 3.0) == 1.0
    assert poisson_tail(3, 2.0) == pytest.approx(1 - math.exp(-2) * (1 + 2 + 2))


def test_traffic_survives_json_and_merges() -> None:
    traffic, other = OperationTraffic(), OperationTraffic()
    for part in (traffic, other):
        part.total.add(START, {"requests": 2})
        part.contribute("guessed", "mallory", START, 2.0)
        part.succeeded.add(7)
        part.shares["monotony"] = Share()
        part.waves["s401"] = Wave()
        part.waves["s401"].add("a", START, 1)
    assert OperationTraffic.from_state(json.loads(json.dumps(traffic.to_state()))).to_state() == traffic.to_state()
    traffic.merge(other)
    assert traffic.members("guessed", START) == ["mallory"]
    assert traffic.total.sums("requests") == (4, 4, 4)
    with pytest.raises(DocumentError):
        OperationTraffic.from_state({"total": {}})
