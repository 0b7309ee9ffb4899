"""What developers ask of an inventory: how slow each operation is, since when, and with which version it became slow.

A regression is told only when the confidence intervals of both sides are apart: for quantiles by their ranks, for
failures by Wilson's interval, each at 99 %.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from apisec.baselines.sketches import QuantileSketch, merged
from apisec.endpoints.changes.hours import Level, failure_shift, latency_shift, level_of
from apisec.endpoints.changes.points import ASKED, Shift
from apisec.endpoints.inventory import Inventory
from apisec.endpoints.inventory.operation import MEASURES, SHARES, OperationStats
from apisec.endpoints.inventory.timing import HOUR, OTHER_VERSION, HourStats, VersionStats
from apisec.endpoints.inventory.versions import unversioned
from apisec.statistics import wilson

Row = Dict[str, Any]
Hours = Sequence[Tuple[int, HourStats]]

Z = 2.576  # of a normal distribution, 99 % on both sides
MIN_REQUESTS = 50  # on each side of a comparison
MIN_RATIO = 1.2  # times as slow before it is worth telling
MIN_MILLISECONDS = 5.0  # slower, too: 1 ms instead of 0.5 is nobody's regression
MIN_SHARE = 0.01  # more failures, as a share of requests
NEAR_HOURS = 2  # between a version's first request and the change that it is named for
_HOUR_SHARES = tuple(pair for pair in SHARES if pair[0] in ("p50", "p95", "p99"))


def _name(service: str, stats: OperationStats, operation: str) -> Row:
    return {"service": service, "team": stats.latest[1], "operation": operation}


def _latency(sketch: QuantileSketch, shares: Sequence[Tuple[str, float]] = SHARES) -> Row:
    found = ((label, sketch.quantile(share)) for label, share in shares)
    return {f"response_time_{label}": None if value is None else round(value, 3) for label, value in found}


def version_rows(inventory: Inventory) -> List[Row]:
    """Return latency by operation, version and class of status; milliseconds, times in seconds since the epoch."""
    return [
        {
            **_name(service, stats, operation),
            "version": version,
            "status": status,
            "count": times,
            "first_seen": one.first_seen,
            "last_seen": one.last_seen,
            **_latency(one.latency.get(status, QuantileSketch())),
        }
        for (service, operation), stats in inventory.items()
        for version, one in sorted(stats.timing.versions.items())
        for status, times in sorted(one.counts.items())
    ]


def hour_rows(inventory: Inventory) -> List[Row]:
    """Return counts and latency by operation and hour of the newest week; ``_time`` is the hour's start."""
    return [
        {
            **_name(service, stats, operation),
            "_time": hour * HOUR,
            "count": one.count,
            "refusals": one.refusals,
            "failures": one.failures,
            **_latency(one.latency, _HOUR_SHARES),
        }
        for (service, operation), stats in inventory.items()
        for hour, one in sorted(stats.timing.hours.items())
    ]


def body_operation_rows(inventory: Inventory) -> List[Row]:
    """Return what bodies ask for where one path stands for many operations (GraphQL, JSON-RPC, SOAP), with its cost."""
    return [
        {**_name(service, stats, operation), "body_operation": row.pop("name"), **row}
        for (service, operation), stats in inventory.items()
        for row in stats.asked.rows()
    ]


def slowest(inventory: Inventory) -> List[Row]:
    """Return operations by the time that their callers spent waiting, most first, with where it went."""
    rows = []
    for (service, operation), stats in inventory.items():
        latency = stats.timing.latency()
        upstream, gateway = (stats.measures[name] for name in MEASURES[2:])
        middle = latency.quantile(0.5)
        rows.append(
            {
                **_name(service, stats, operation),
                "count": stats.count,
                "failures": sum(one.errors for one in stats.timing.versions.values()),
                **_latency(latency),
                "upstream_time_p50": upstream.quantile(0.5),
                "upstream_time_p95": upstream.quantile(0.95),
                "gateway_time_p50": gateway.quantile(0.5),
                "gateway_time_p95": gateway.quantile(0.95),
                "waited": 0.0 if middle is None else round(middle * latency.count / 1000, 3),
            }
        )
    return sorted(rows, key=lambda row: (-float(row["waited"]), str(row["service"]), str(row["operation"])))


class Bounds(NamedTuple):
    """A figure with its 99 % confidence interval."""

    value: float
    low: float
    high: float


def quantile_bounds(sketch: QuantileSketch, share: float) -> Optional[Bounds]:
    """Return a quantile with the interval that its rank and the sketch's error leave open; None for no numbers."""
    value = sketch.quantile(share)
    if value is None:
        return None
    spread = Z * math.sqrt(share * (1 - share) / sketch.count)
    low, high = sketch.quantile(share - spread), sketch.quantile(share + spread)
    return Bounds(value, (low or 0.0) * (1 - sketch.error), (high or 0.0) * (1 + sketch.error))


def share_bounds(times: int, of: int) -> Bounds:
    """Return a share with Wilson's score interval."""
    share = times / of if of > 0 else 0.0
    return Bounds(share, *wilson(times, max(of, 0), Z))


@dataclass(frozen=True)
class Side:
    """One side of a comparison."""

    count: int
    failures: int
    latency: QuantileSketch  # of requests that succeeded, where that is known

    @classmethod
    def of_version(cls, stats: VersionStats) -> Side:
        return cls(stats.count, stats.errors, stats.latency.get("2xx", QuantileSketch()))

    @classmethod
    def of_hours(cls, hours: Sequence[HourStats]) -> Side:
        count, failures = sum(one.count for one in hours), sum(one.failures for one in hours)
        return cls(count, failures, merged(one.latency for one in hours))


def compare(before: Side, after: Side) -> Iterator[Row]:
    """Yield what became worse: ``kind``, ``before``, ``after`` and a sentence. Milliseconds, or a share."""
    if min(before.count, after.count) < MIN_REQUESTS:
        return
    if min(before.latency.count, after.latency.count) >= MIN_REQUESTS:
        for label, share in (("p95", 0.95), ("p50", 0.5)):
            old, new = quantile_bounds(before.latency, share), quantile_bounds(after.latency, share)
            if old and new and _slower(old, new):
                yield _told("latency", label, old.value, new.value, f"{old.value:.0f} ms -> {new.value:.0f} ms")
                break
    failed, fails = share_bounds(before.failures, before.count), share_bounds(after.failures, after.count)
    if fails.low > failed.high and fails.value - failed.value >= MIN_SHARE:
        yield _told("failures", "share", failed.value, fails.value, f"{failed.value:.1%} -> {fails.value:.1%}")


def _slower(old: Bounds, new: Bounds) -> bool:
    return new.low > old.high and new.value >= MIN_RATIO * old.value and new.value - old.value >= MIN_MILLISECONDS


def _told(kind: str, figure: str, before: float, after: float, sentence: str) -> Row:
    ratio = round(after / before, 2) if before > 0 else None
    named = "failures of the service" if kind == "failures" else f"latency {figure}"
    return {
        "kind": kind,
        "figure": figure,
        "before": round(before, 4),
        "after": round(after, 4),
        "ratio": ratio,
        "reason": f"{named}: {sentence}",
    }


def regressions(inventory: Inventory) -> List[Row]:
    """Return what became slower or fails more: by version against the one before it, and by hour."""
    return [*by_version(inventory), *by_hour(inventory)]


class _Known(NamedTuple):
    """A version of a family of operations, under the newest operation that had it."""

    version: str
    operation: str
    team: str
    stats: VersionStats


def _families(inventory: Inventory) -> Dict[Tuple[str, str], Dict[str, _Known]]:
    """Return versions by service and operation with its version left open: /v1/orders and /v2/orders are one."""
    families: Dict[Tuple[str, str], Dict[str, _Known]] = {}
    for (service, operation), stats in inventory.items():
        method, _, endpoint = operation.partition(" ")
        family = families.setdefault((service, f"{method} {unversioned(endpoint)}"), {})
        for version, one in stats.timing.versions.items():
            if version == OTHER_VERSION:
                continue
            total = VersionStats()
            total.merge(one)
            if version in family:
                total.merge(family[version].stats)
            family[version] = _Known(version, operation, stats.latest[1], total)
    return families


def by_version(inventory: Inventory) -> List[Row]:
    """Compare each version with the one that was first seen before it."""
    rows: List[Row] = []
    for (service, _), family in sorted(_families(inventory).items()):
        ordered = sorted(family.values(), key=lambda known: (known.stats.first_seen, known.version))
        for old, new in zip(ordered, ordered[1:]):
            rows += [
                {
                    "service": service,
                    "team": new.team,
                    "operation": new.operation,
                    "version": new.version or "none",
                    "previous_version": old.version or "none",
                    "since": new.stats.first_seen,
                    "requests_before": old.stats.count,
                    "requests_after": new.stats.count,
                    **found,
                }
                for found in compare(Side.of_version(old.stats), Side.of_version(new.stats))
            ]
    return rows


def by_hour(inventory: Inventory) -> List[Row]:
    """Look for the hour since which an operation is slower, or fails more, and for a version first seen then.

    What is told lasts until now. Hours are compared with the same hours of the days before, where there are
    some: nights are not mornings.
    """
    rows: List[Row] = []
    for (service, operation), stats in inventory.items():
        hours = sorted(stats.timing.hours.items())
        for kind in ("latency", "failures"):
            shift = _shift([level_of(hour, one) for hour, one in hours], kind)
            if shift is None:
                continue
            later = [(hour, one) for hour, one in hours if hour >= shift.hour]
            before = Side.of_hours(_like([(hour, one) for hour, one in hours if hour < shift.hour], later))
            after = Side.of_hours([one for _, one in later])
            since = shift.hour * HOUR
            rows += [
                {
                    **_name(service, stats, operation),
                    "version": _version_near(stats, since),
                    "previous_version": "",
                    "since": since,
                    "requests_before": before.count,
                    "requests_after": after.count,
                    **found,
                }
                for found in compare(before, after)
                if found["kind"] == kind
            ]
    return rows


def _shift(levels: Sequence[Level], kind: str) -> Optional[Shift]:
    """Return a change that lasts, in as much history as there is: who asks for a report sees how much that is."""
    if kind == "failures":
        return failure_shift(levels, need=ASKED)
    return latency_shift(levels, 0.5, need=ASKED) or latency_shift(levels, 0.95, need=ASKED)


def _like(before: Hours, after: Hours) -> List[HourStats]:
    """Return the hours of the days before that are those of ``after``; all, where these are too few."""
    wanted = {hour % 24 for hour, _ in after}
    alike = [one for hour, one in before if hour % 24 in wanted]
    return alike if sum(one.count for one in alike) >= MIN_REQUESTS else [one for _, one in before]


def _version_near(stats: OperationStats, since: float) -> str:
    near = [
        (abs(one.first_seen - since), name)
        for name, one in stats.timing.named_versions()
        if abs(one.first_seen - since) <= NEAR_HOURS * HOUR
    ]
    return min(near)[1] if near else ""
