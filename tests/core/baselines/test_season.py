"""Seasons are found from few weeks, levels are not moved by a burst, and summer time is noticed."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest

from apisec.baselines.season import WEEK, hour_of_week, outlook, share_of

MONDAY = 20_000 * 24 - 72 - (20_000 * 24) % WEEK  # an hour number, Monday's first
assert hour_of_week(MONDAY) == 0


def office(hour: int) -> float:
    """Return the usual load: working hours, a fifth of it at the weekend."""
    busy = math.exp(-(((hour % 24) - 13) ** 2) / 18.0)
    return (2.0 + 60.0 * busy) * (0.2 if hour_of_week(hour) >= 120 else 1.0)


def weeks(count: float, load: Callable[[int], float], seed: int = 1, start: int = MONDAY) -> list[int]:
    rng = random.Random(seed)
    return [poisson(rng, load(start + index)) for index in range(round(count * WEEK))]


def poisson(rng: random.Random, mean: float) -> int:
    if mean > 50.0:
        return max(0, round(rng.gauss(mean, math.sqrt(mean))))
    limit, count, product = math.exp(-mean), 0, rng.random()
    while product > limit:
        count += 1
        product *= rng.random()
    return count


@pytest.mark.parametrize("count", [1, 2, 4])
def test_the_week_is_learned(count: int) -> None:
    found = outlook(weeks(count, office), MONDAY)
    for hour in (3, 10, 13, 20, 5 * 24 + 13, 6 * 24 + 3):
        assert found.season[hour] == pytest.approx(office(MONDAY + hour), rel=0.35, abs=2.5)
    assert found.sums[WEEK] == pytest.approx(sum(office(MONDAY + hour) for hour in range(WEEK)), rel=0.08)


def test_an_hour_of_its_own_is_learned_after_weeks() -> None:
    def with_report(hour: int) -> float:
        return office(hour) + (200.0 if hour_of_week(hour) == 26 else 0.0)  # Tuesday at two

    early, late = outlook(weeks(1, with_report), MONDAY), outlook(weeks(4, with_report), MONDAY)
    assert late.season[26] > 2.0 * late.season[50], "Wednesday's is another hour"
    assert early.season[26] < late.season[26]


def test_without_evidence_there_is_no_season() -> None:
    flat = outlook(weeks(4, lambda hour: 20.0), MONDAY)
    assert max(flat.season) / min(flat.season) < 1.15
    rare = outlook([0] * 160 + [1, 0, 1, 0, 0, 0, 0, 1], MONDAY)
    assert set(rare.season) == {(3 + 0.5) / (168 + 24)}


def test_a_burst_moves_the_level_little() -> None:
    calm = weeks(3, office)
    burst = list(calm)
    for index in range(len(burst) - 60, len(burst) - 20):
        burst[index] *= 6
    assert outlook(burst, MONDAY).sums[WEEK] < 1.15 * outlook(calm, MONDAY).sums[WEEK]


def test_growth_is_followed_within_a_week() -> None:
    def grown(hour: int) -> float:
        return office(hour) * (2.0 if hour >= MONDAY + 2 * WEEK else 1.0)

    level = outlook(weeks(3, grown), MONDAY).sums[WEEK]
    assert level == pytest.approx(2.0 * sum(office(MONDAY + hour) for hour in range(WEEK)), rel=0.15)


@pytest.mark.parametrize("moved", [-1, 1])
def test_summer_time_is_noticed_in_two_days(moved: int) -> None:
    count = 4 + 3 / 7  # up to a Thursday
    change = MONDAY + round(count * WEEK) - 50

    def load(hour: int) -> float:
        return office(hour + moved) if hour >= change else office(hour)

    found = outlook(weeks(count, load), MONDAY)
    hour = 7 if moved > 0 else 8
    assert found.season[hour] == pytest.approx(office(MONDAY + hour + moved), rel=0.3)
    still = outlook(weeks(count, office), MONDAY)
    assert still.season[hour] == pytest.approx(office(MONDAY + hour), rel=0.3)


def test_expected_sums_follow_the_season() -> None:
    found = outlook(weeks(4, office), MONDAY)
    slot = (MONDAY + WEEK + 13) * 12 + 11  # the last slot of Monday's hour from 13 to 14
    assert found.expected(slot, 0) == pytest.approx(found.season[13], rel=0.05)
    assert found.expected(slot, 1) == pytest.approx(found.sums[14] + found.sums[WEEK] - found.sums[WEEK - 10])
    assert found.expected(slot, 2) == found.sums[WEEK]
    middle = (MONDAY + WEEK + 13) * 12 + 5
    assert found.expected(middle, 0) == pytest.approx((found.season[12] + found.season[13]) / 2, rel=0.1)


def test_a_share_is_robust_and_never_nothing() -> None:
    rng = random.Random(3)
    requests = [poisson(rng, 100.0) for _ in range(300)]
    failures = [poisson(rng, 0.02 * count) for count in requests]
    found = share_of(failures, requests)
    assert found.share == pytest.approx(0.02, rel=0.25)
    failures[50] += 400
    assert share_of(failures, requests).share == pytest.approx(found.share, rel=0.1)
    assert 0.0 < share_of([0] * 50, [10] * 50).share < 0.002
    assert share_of([], []).share > 0.0
