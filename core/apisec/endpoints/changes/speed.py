"""Regressions by the hour: latency and failures that are higher than usual, since when, and with which version.

A watch keeps the level of each hour of a week, and of the same hour a week before: the inventory keeps but one week.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Dict, List, NamedTuple, Optional, Tuple

from apisec.baselines.sketches import QuantileSketch, merged
from apisec.endpoints.changes import schema
from apisec.endpoints.changes.found import Found, Span
from apisec.endpoints.changes.points import WEEK, Point, Shift, lasting_shift
from apisec.endpoints.changes.trials import Trial
from apisec.endpoints.inventory.operation import OperationStats
from apisec.endpoints.inventory.timing import HOUR, HourStats

if TYPE_CHECKING:
    from apisec.endpoints.changes.watch import Watch

LATENCY, FAILURES = "latency", "failures"
MIN_REQUESTS = 20  # of a point: hours with fewer are taken together with the next
SHORTEST = 6.0  # hours that are looked at again when a window comes: late events
LEAST_RATIO = math.log(1.25)  # times as slow
LEAST_MILLISECONDS = 5.0  # and slower by that: 1 ms instead of 0.5 is nobody's regression
LEAST_SHARE = 0.02  # more failures, as a share of requests
FLOOR = 0.06  # of the standard deviation of hours, as a logarithm: an hour's sketch has 5 % error
FLOOR_FAILURES = 0.02  # the same of an angle
# Variance of a median of n values is (pi/2) sigma^2 / n; of a p95 of normal ones about 4.5 sigma^2 / n.
_SPREAD = {0.5: math.pi / 2, 0.95: 4.5}
NEAR_HOURS = 2  # between a version's first request and the change that it is named for
WORSE = math.log(1.5)  # above what was told, before a regression that lasts is told once more


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
                self.hours[hour] = _level(hour, one)
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


def _level(hour: int, stats: HourStats) -> Level:
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


def regressions(watch: Watch, after: OperationStats, span: Span) -> Iterator[Found]:
    """Yield what is slower, or fails more, than is usual for the hour; once, until it is better or much worse."""
    hours = after.timing.hours
    watch.levels.update(hours, span.since - SHORTEST * HOUR)
    now = int(span.end // HOUR)
    if now <= watch.looked:  # no hour is over since
        return
    watch.looked = now
    complete = [one for hour, one in sorted(watch.levels.hours.items()) if hour < now]
    for figure, share in (("p50", 0.5), ("p95", 0.95)):
        shift = _shift_of_latency(complete, share, watch.levels)
        if shift is not None:
            yield from _latency(watch, after, shift, figure, share, span)
            break
    else:
        watch.better(LATENCY)
    shift = _shift_of_failures(complete, watch.levels)
    if shift is not None:
        yield from _failures(watch, after, shift, span)
    else:
        watch.better(FAILURES)


def _shift_of_latency(hours: List[Level], share: float, levels: Levels) -> Optional[Shift]:
    place = 3 if share == 0.5 else 4
    points = []
    for group in _groups(hours, MIN_REQUESTS if share == 0.5 else 3 * MIN_REQUESTS):
        known = [(one[place], one.requests, one.spread) for one in group if one[place] is not None]
        count = sum(n for _, n, _ in known)
        if not count:
            continue
        level = sum(value * n for value, n, _ in known if value is not None) / count
        spread = sum(s * n for _, n, s in known) / count
        points.append(Point(group[0].hour, level, _SPREAD[share] * spread * spread / count))
    before = {hour: one[place - 3] for hour, one in levels.before.items()}
    return lasting_shift(points, {h: v for h, v in before.items() if v is not None}, LEAST_RATIO, FLOOR)


def _shift_of_failures(hours: List[Level], levels: Levels) -> Optional[Shift]:
    points = []
    for group in _groups(hours, MIN_REQUESTS):
        count, failures = sum(one.requests for one in group), sum(one.failures for one in group)
        points.append(Point(group[0].hour, _angle(failures, count), 0.25 / count))
    return lasting_shift(points, {hour: one[2] for hour, one in levels.before.items()}, LEAST_SHARE, FLOOR_FAILURES)


def _groups(hours: List[Level], least: int) -> Iterator[List[Level]]:
    """Yield hours, together with those after them until there are enough requests."""
    waiting: List[Level] = []
    count = 0
    for one in hours:
        waiting.append(one)
        count += one.requests
        if count >= least:
            yield waiting
            waiting, count = [], 0


def _sides(after: OperationStats, since: int, end: float) -> Tuple[List[HourStats], List[HourStats]]:
    """Return the hours since a change, and those before it that are hours of the day like them."""
    hours = after.timing.hours
    later = [hour for hour in hours if since <= hour < int(end // HOUR)]
    wanted = {hour % 24 for hour in later}
    alike = [hour for hour in hours if hour < since and hour % 24 in wanted]
    if sum(hours[hour].count for hour in alike) < 2 * MIN_REQUESTS:
        alike = [hour for hour in hours if hour < since]
    return [hours[hour] for hour in alike], [hours[hour] for hour in later]


def _latency(
    watch: Watch, after: OperationStats, shift: Shift, figure: str, share: float, span: Span
) -> Iterator[Found]:
    old, new = (merged(one.latency for one in side) for side in _sides(after, shift.hour, span.end))
    before, value = old.quantile(share), new.quantile(share)
    if before is None or value is None or value - before < LEAST_MILLISECONDS:
        return
    times = watch.worse(LATENCY, math.log(max(0.01, value)), WORSE, span.end)
    if times and span.tell:
        yield _found(after, shift, LATENCY, figure, before, value, times, (old, new))


def _failures(watch: Watch, after: OperationStats, shift: Shift, span: Span) -> Iterator[Found]:
    sides = _sides(after, shift.hour, span.end)
    old, new = ((sum(one.failures for one in side), sum(one.count for one in side)) for side in sides)
    before, value = old[0] / max(1, old[1]), new[0] / max(1, new[1])
    if value - before < LEAST_SHARE:
        return
    times = watch.worse(FAILURES, math.log(max(1e-6, value)), WORSE, span.end)
    if times and span.tell:
        yield _found(after, shift, FAILURES, "share", before, value, times, None, (*old, *new))


def _found(
    after: OperationStats,
    shift: Shift,
    kind: str,
    figure: str,
    before: float,
    value: float,
    times: int,
    sketches: Optional[Tuple[QuantileSketch, QuantileSketch]],
    counts: Tuple[int, int, int, int] = (0, 0, 0, 0),
) -> Found:
    if sketches is not None:
        counts = (0, sketches[0].count, sketches[1].count, sketches[1].count)
        was, now = f"{before:.0f} ms", f"{value:.0f} ms"
        said = f"{{operation}} is slower: {figure} {was} -> {now}"
    else:
        was, now = f"{before:.1%}", f"{value:.1%}"
        said = f"{{operation}} fails more often: {was} -> {now} of the requests"
    version = version_near(after, shift.hour * HOUR)
    trial = Trial(counts[0], counts[1], shift.hour * HOUR, counts[2], counts[3])
    ratio = value / before if before > 0 else None
    with_version = f", with version {version}" if version else ""
    return Found(
        f"{'latency' if kind == LATENCY else 'failure'}_regression",
        schema.MEDIUM if ratio is None or ratio >= 2 else schema.LOW,
        "",
        was,
        now,
        f"{said} since the hour that began {{since}}{with_version}, in {counts[3]} requests",
        trial,
        {
            "figure": figure,
            "value_before": round(before, 4),
            "value": round(value, 4),
            "ratio": None if ratio is None else round(ratio, 2),
            "strength": round(shift.strength, 1),
            "version": version,
        },
        times,
    )


def version_near(stats: OperationStats, since: float) -> str:
    """Return the version that was first seen closest to a time, and within two hours of it."""
    near = [
        (abs(one.first_seen - since), name)
        for name, one in stats.timing.named_versions()
        if abs(one.first_seen - since) <= NEAR_HOURS * HOUR
    ]
    return min(near)[1] if near else ""
