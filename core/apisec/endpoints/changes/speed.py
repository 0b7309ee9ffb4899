"""Regressions: latency and failures that are higher than usual, since when, and with which version."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, List, Optional, Tuple

from apisec.baselines.sketches import QuantileSketch, merged
from apisec.endpoints.changes import schema
from apisec.endpoints.changes.found import Found, Span
from apisec.endpoints.changes.hours import MIN_REQUESTS, failure_shift, latency_shift
from apisec.endpoints.changes.points import Shift
from apisec.endpoints.changes.trials import Trial
from apisec.endpoints.inventory.operation import OperationStats
from apisec.endpoints.inventory.timing import HOUR, HourStats

if TYPE_CHECKING:
    from apisec.endpoints.changes.watch import Watch

LATENCY, FAILURES = "latency", "failures"
SHORTEST = 6.0  # hours that are looked at again when a window comes: late events
LEAST_MILLISECONDS = 5.0  # slower by that: 1 ms instead of 0.5 is nobody's regression
LEAST_SHARE = 0.02  # more failures, as a share of requests
NEAR_HOURS = 2  # between a version's first request and the change that it is named for
WORSE = math.log(1.5)  # above what was told, before a regression that lasts is told once more


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
        shift = latency_shift(complete, share, watch.levels)
        if shift is not None:
            yield from _latency(watch, after, shift, figure, share, span)
            break
    else:
        watch.better(LATENCY)
    shift = failure_shift(complete, watch.levels)
    if shift is not None:
        yield from _failures(watch, after, shift, span)
    else:
        watch.better(FAILURES)


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
