"""Hours as levels: what latency and failures of an hour come to, and since when they are higher than usual.

A watch keeps the levels of a week, and of the week before, of which the inventory knows nothing any more.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from apisec.endpoints.changes.points import WATCHED, WEEK, Need, Point, Shift, lasting_shift
from apisec.endpoints.inventory.timing import HOUR, HourStats

MIN_REQUESTS = 20  # of a point: hours with fewer are taken together with the next
LEAST_RATIO = math.log(1.25)  # times as slow
LEAST_ANGLE = 0.02  # more failures, as an angle: about 2 % more where hardly any fail
FLOOR = 0.06  # of the standard deviation of hours, as a logarithm: an hour's sketch has 5 % error
FLOOR_FAILURES = 0.02  # the same of an angle
# Variance of a median of n values is (pi/2) sigma^2 / n; of a p95 of normal ones about 4.5 sigma^2 / n.
_SPREAD = {0.5: math.pi / 2, 0.95: 4.5}


class Level(NamedTuple):
    """An hour: requests, failures, p50 and p95 of the latency as logarithms of milliseconds (None for none), spread."""

    hour: int
    requests: int
    failures: int
    p50: Optional[float]
    p95: Optional[float]
    spread: float


class Levels:
    """The levels of the newest week by the hour, and those of the week before."""

    __slots__ = ("before", "hours")

    def __init__(self) -> None:
        self.hours: Dict[int, Level] = {}
        self.before: Dict[int, Tuple[Optional[float], Optional[float], float]] = {}

    def update(self, stats: Dict[int, HourStats], since: float) -> None:
        """Take the levels of hours that may have changed since a time; the oldest week goes."""
        newest = max(stats, default=0)
        first = int(since // HOUR)
        for hour, one in stats.items():
            if hour >= first or hour not in self.hours:
                self.hours[hour] = level_of(hour, one)
        for hour in [hour for hour in self.hours if hour <= newest - WEEK]:
            old = self.hours.pop(hour)
            self.before[hour] = (old.p50, old.p95, _angle(old.failures, old.requests))
        for hour in [hour for hour in self.before if hour <= newest - 2 * WEEK]:
            del self.before[hour]

    def to_state(self) -> List[Any]:
        hours = [
            [*one[:3], _short(one.p50), _short(one.p95), _short(one.spread)] for _, one in sorted(self.hours.items())
        ]
        before = [
            [hour, _short(p50), _short(p95), _short(share)] for hour, (p50, p95, share) in sorted(self.before.items())
        ]
        return [hours, before]

    @classmethod
    def from_state(cls, state: Any) -> Levels:
        """TypeError or ValueError when the state is not one of ``to_state``."""
        levels = cls()
        for hour, count, failures, p50, p95, spread in state[0]:
            levels.hours[int(hour)] = Level(
                int(hour), int(count), int(failures), _float(p50), _float(p95), float(spread)
            )
        for hour, p50, p95, share in state[1]:
            levels.before[int(hour)] = (_float(p50), _float(p95), float(share))
        return levels


def _short(value: Optional[float]) -> Optional[float]:
    return None if value is None else round(value, 3)


def _float(value: Any) -> Optional[float]:
    return None if value is None else float(value)


def level_of(hour: int, stats: HourStats) -> Level:
    """Return what an hour comes to."""
    latency = stats.latency
    quarter, half, most, three = (_log(latency.quantile(share)) for share in (0.25, 0.5, 0.95, 0.75))
    # Of a normal distribution the quartiles lie 1.35 standard deviations apart.
    spread = (three - quarter) / 1.35 if three is not None and quarter is not None else 0.0
    return Level(hour, stats.count, stats.failures, half, most, spread)


def _log(value: Optional[float]) -> Optional[float]:
    return None if value is None else math.log(max(0.01, value))


def _angle(failures: int, count: int) -> float:
    """Return a share as an angle, whose variance is 1/4n whatever the share is (Anscombe, 1948)."""
    return math.asin(math.sqrt((failures + 0.375) / (count + 0.75))) if count else 0.0


def latency_shift(
    hours: Iterable[Level], share: float, before: Optional[Levels] = None, need: Need = WATCHED
) -> Optional[Shift]:
    """Return since when a quantile is higher than usual; ``need`` says how much evidence it takes."""
    place = 3 if share == 0.5 else 4
    points = []
    for group in _groups(hours, MIN_REQUESTS if share == 0.5 else 3 * MIN_REQUESTS):
        measured = [(one[place], one.requests, one.spread) for one in group if one[place] is not None]
        count = sum(n for _, n, _ in measured)
        if not count:
            continue
        level = sum(value * n for value, n, _ in measured if value is not None) / count
        spread = sum(s * n for _, n, s in measured) / count
        points.append(Point(group[0].hour, level, _SPREAD[share] * spread * spread / count))
    week = {hour: one[place - 3] for hour, one in before.before.items()} if before else {}
    return lasting_shift(points, {h: v for h, v in week.items() if v is not None}, LEAST_RATIO, FLOOR, need)


def failure_shift(hours: Iterable[Level], before: Optional[Levels] = None, need: Need = WATCHED) -> Optional[Shift]:
    """Return since when more requests fail than is usual."""
    points = []
    for group in _groups(hours, MIN_REQUESTS):
        count, failures = sum(one.requests for one in group), sum(one.failures for one in group)
        points.append(Point(group[0].hour, _angle(failures, count), 0.25 / count))
    week = {hour: one[2] for hour, one in before.before.items()} if before else {}
    return lasting_shift(points, week, LEAST_ANGLE, FLOOR_FAILURES, need)


def _groups(hours: Iterable[Level], least: int) -> Iterator[List[Level]]:
    """Yield hours, together with those after them until there are enough requests."""
    waiting: List[Level] = []
    count = 0
    for one in hours:
        waiting.append(one)
        count += one.requests
        if count >= least:
            yield waiting
            waiting, count = [], 0
