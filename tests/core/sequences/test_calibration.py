"""P-values of statistics: honest within the data, falling beyond it, silent without it; merging exactly."""

from __future__ import annotations

import json
import random

import pytest

from apisec.errors import DocumentError
from apisec.sequences.calibration import GENERATION_SLOTS, MIN_COUNTED, Purity, Surprise, purity, regularity
from apisec.sequences.steps import Beat, Pauses


def filled(count: int, seed: int = 1, length: int = 4) -> Surprise:
    chance = random.Random(seed)
    made = Surprise()
    for _ in range(count):
        made.add(length, chance.expovariate(0.25))
    return made


def test_of_few_sessions_nothing_is_said() -> None:
    assert filled(MIN_COUNTED - 1).p_value(4, 100.0) == 1.0
    assert filled(MIN_COUNTED).p_value(4, 100.0) < 0.1
    longest = filled(1000, length=512)
    assert longest.p_value(600, 100.0) < 0.1
    assert longest.p_value(3, 100.0) == 1.0, "too short"


def test_new_ordinary_sessions_are_as_rare_as_their_p_value_says() -> None:
    made, chance = filled(4000), random.Random(99)
    values = [made.p_value(4, chance.expovariate(0.25)) for _ in range(20_000)]
    for level in (0.1, 0.01, 0.001):
        assert sum(value <= level for value in values) / len(values) <= 2.0 * level


def test_beyond_the_data_it_keeps_falling_and_never_below_what_was_seen() -> None:
    made = filled(4000)
    falling = [made.p_value(4, float(bits)) for bits in range(0, 120, 4)]
    assert falling == sorted(falling, reverse=True)
    assert falling[-1] < 1e-8
    made.add(4, 119.0)
    assert made.p_value(4, 118.0) >= 1 / 4001


def test_where_few_are_as_long_only_those_that_spread_more_are_compared_with() -> None:
    chance, flows = random.Random(1), Purity()
    for _ in range(1000):
        flows.add(2, chance.expovariate(1.0))
    assert flows.p_value(16, 6.0) == flows.p_value(2, 6.0) < 0.01
    for _ in range(MIN_COUNTED):
        flows.add(16, 30.0)
    assert flows.p_value(16, 6.0) == 1.0
    assert filled(1000).p_value(16, 60.0) == 1.0, "a longer session has more surprises"


def test_classes_begin_at_doubles() -> None:
    assert [length for length in range(1, 600) if Surprise.begins(length)] == [4, 8, 16, 32, 64, 128, 256, 512]
    assert [length for length in range(1, 20) if Purity.begins(length)] == [2, 4, 8, 16]
    assert [Surprise.place(length) for length in (3, 4, 7, 8, 511, 512, 100_000)] == [-1, 0, 0, 1, 6, 7, 7]


def test_parts_merge_to_the_whole() -> None:
    whole, left, right = Surprise(), filled(300, 1), filled(200, 2, length=8)
    for count, seed, length in ((300, 1, 4), (200, 2, 8)):
        whole.merge(filled(count, seed, length))
    left.merge(Surprise.from_state(json.loads(json.dumps(right.to_state()))))
    assert left.to_state() == whole.to_state()


def test_old_counts_fade() -> None:
    made = filled(100)
    made.forget(5 * GENERATION_SLOTS)
    assert made.counted(4) == 100
    made.forget(6 * GENERATION_SLOTS)
    assert 30 <= made.counted(4) <= 50


def test_the_fewer_steps_beside_the_flows_the_purer() -> None:
    assert purity(8, 0) > purity(4, 0) > purity(4, 10) > purity(4, 100) > 0.0


def test_a_timer_is_more_regular_than_people() -> None:
    chance = random.Random(4)
    timer = [3600.0 * chance.uniform(0.95, 1.05) for _ in range(12)]
    people = [chance.lognormvariate(2.0, 1.0) for _ in range(12)]
    assert regular(timer) > 4.0 > 3.0 > regular(people)
    assert regular([60.0] * 12) > regular(timer)
    assert regular([60.0] * 3) == 0.0, "too few"
    assert regular([0.0] * 12) > 0.0


def regular(pauses: list[float]) -> float:
    beat, now = Beat(0.0, 1, Pauses(), Pauses()), 0.0
    for pause in pauses:
        now += pause
        beat = beat.after(now, pause, 1.0 / 16.0)
    return regularity(beat)


@pytest.mark.parametrize("bins", [[[-1, 1]], [[1, 0]], [[1.5, 1]], [["a", 1]], 7])
def test_states_that_are_none_are_refused(bins: object) -> None:
    with pytest.raises(DocumentError, match="purity"):
        Purity.from_state({**Purity().to_state(), "b": bins})
    with pytest.raises(DocumentError):
        Surprise.from_state({})
