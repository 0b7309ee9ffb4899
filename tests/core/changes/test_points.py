"""Since which hour a series is higher than usual."""

from __future__ import annotations

import math
import random
from typing import Callable, Dict, List, Optional

import pytest

from apisec.endpoints.changes.points import Point, Shift, lasting_shift

WEEK = 168
Series = Callable[[int], float]


def series(level: Series, hours: int, noise: float = 0.05, seed: int = 1, variance: float = 0.0004) -> List[Point]:
    chance = random.Random(seed)
    return [Point(hour, level(hour) + chance.gauss(0, noise), variance) for hour in range(1000, 1000 + hours)]


def shift(points: List[Point], before: Optional[Dict[int, float]] = None) -> Optional[Shift]:
    return lasting_shift(points, dict.fromkeys(range(800, 1000), 4.0) if before is None else before, 0.22, 0.06)


def step(at: int, height: float) -> Series:
    return lambda hour: 4.0 + (height if hour >= 1000 + at else 0.0)


def daily(hour: int) -> float:
    return 4.0 + 0.5 * math.sin(hour / 24 * 2 * math.pi)


@pytest.mark.parametrize("height", [0.4, 0.7, 1.4])
@pytest.mark.parametrize("at", [40, 100, 160])
def test_a_step_is_found_where_it_is(height: float, at: int) -> None:
    found = shift(series(step(at, height), at + 8))
    assert found is not None
    assert abs(found.hour - 1000 - at) <= 1
    assert found.height == pytest.approx(height, abs=0.15)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(
    ("name", "level", "noise"),
    [
        ("flat", lambda _: 4.0, 0.05),
        ("daily", daily, 0.05),
        ("noisy", lambda _: 4.0, 0.3),
        ("step down", step(60, -1.0), 0.05),
    ],
)
def test_nothing_is_found_in_what_lasts(seed: int, name: str, level: Series, noise: float) -> None:
    before = {hour - WEEK: level(hour) for hour in range(1000, 1168)}
    points = series(level, WEEK, noise, seed)
    assert all(shift(points[:n], before) is None for n in (60, 100, 130, 168)), name


def test_two_hours_do_when_they_are_far_above_and_one_never_does() -> None:
    assert shift(series(step(100, 2.0), 102)) is not None
    assert shift(series(step(100, 2.0), 101)) is None
    assert shift(series(step(100, 0.3), 102)) is None


def test_what_was_so_a_week_ago_is_usual() -> None:
    def weekend(hour: int) -> float:
        return 5.0 if (hour // 24) % 7 >= 5 else 4.0

    points = series(weekend, WEEK)
    assert shift(points[:130], {hour: weekend(hour) for hour in range(800, 1000)}) is None


def test_what_is_over_is_not_told() -> None:
    assert shift(series(lambda hour: 5.0 if 1060 <= hour < 1090 else 4.0, 120)) is None


def test_nothing_is_told_before_a_week_is_known() -> None:
    assert shift(series(step(100, 2.0), 110), {}) is None
    assert shift(series(step(200, 2.0), 210), {}) is not None


def test_few_requests_say_little() -> None:
    assert shift(series(step(100, 0.5), 106)) is not None
    assert shift(series(step(100, 0.5), 106, variance=0.5)) is None
    assert shift([]) is None
