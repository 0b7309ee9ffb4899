"""What became slower is told, with its version; what did not, is not."""

from __future__ import annotations

import math
import random
from typing import Any, Dict, List

import pytest

from apisec.baselines.sketches import QuantileSketch
from apisec.endpoints import performance
from apisec.endpoints.inventory import Inventory
from apisec.endpoints.performance import quantile_bounds, regressions, share_bounds
from tests.core.inventory.events import START, event, learned

HOUR = 3600.0


def traffic(hours: Any, count: int, middle: float, seed: int = 1, **changes: Any) -> List[Dict[str, Any]]:
    """``count`` requests in each hour, with latencies around ``middle`` milliseconds."""
    chance = random.Random(seed)
    return [
        event(
            time=START + hour * HOUR + n * HOUR / count, response_time=middle * chance.lognormvariate(0, 0.4), **changes
        )
        for hour in hours
        for n in range(count)
    ]


def versioned(version: str) -> Dict[str, Any]:
    return {"endpoint": f"/{version}/orders", "operation": f"GET /{version}/orders", "uri_query": ""}


def test_a_slower_version_is_told_with_the_one_before_it() -> None:
    old, new = traffic(range(24), 20, 40, **versioned("v1")), traffic(range(24, 30), 20, 90, **versioned("v2"))
    inventory = learned(old + new)
    (found,) = performance.by_version(inventory)
    assert (found["operation"], found["version"], found["previous_version"]) == ("GET /v2/orders", "v2", "v1")
    assert (found["kind"], found["figure"], found["since"]) == ("latency", "p95", START + 24 * HOUR)
    assert found["ratio"] == pytest.approx(90 / 40, rel=0.25)
    assert "ms ->" in found["reason"]


def test_versions_in_the_query_are_compared_within_the_operation() -> None:
    old = traffic(range(10), 20, 40, uri_query="api-version=2024-01-01")
    new = traffic(range(10, 20), 20, 80, uri_query="api-version=2024-06-01")
    found = performance.by_version(learned(old + new))
    assert [(row["version"], row["previous_version"]) for row in found] == [("2024-06-01", "2024-01-01")]


def test_the_hour_of_a_change_is_found_and_the_version_of_then_is_named() -> None:
    slow_from = 60
    before = traffic(range(slow_from), 30, 50, uri_query="v=1")
    after = traffic(range(slow_from, 72), 30, 110, seed=2, uri_query="v=2")
    found = [row for row in performance.by_hour(learned(before + after)) if row["kind"] == "latency"]
    assert [(row["since"], row["version"]) for row in found] == [(START + slow_from * HOUR, "2")]
    assert found[0]["after"] > 1.5 * found[0]["before"]


def test_failures_are_told_apart_from_refusals() -> None:
    fine = traffic(range(20), 20, 40)
    broken = traffic(range(20, 30), 18, 40) + traffic(range(20, 30), 2, 40, status=503)
    refused = traffic(range(20, 30), 10, 40) + traffic(range(20, 30), 10, 40, status=403)
    (found,) = regressions(learned(fine + broken))
    assert (found["kind"], found["before"], found["after"]) == ("failures", 0.0, pytest.approx(0.1, abs=0.03))
    assert [row for row in regressions(learned(fine + refused)) if row["kind"] == "failures"] == []


@pytest.mark.parametrize("seed", range(25))
def test_what_only_varies_is_not_told(seed: int) -> None:
    steady = traffic(range(48), 25, 40, seed=seed, uri_query="v=1")
    more = traffic(range(48, 60), 60, 40, seed=seed + 99, uri_query="v=2")
    assert regressions(learned(steady + more)) == []


@pytest.mark.parametrize(
    ("count", "more", "old", "new"), [(1000, 49, 40, 400), (49, 1000, 40, 400), (900, 900, 1.0, 3.0)]
)
def test_too_little_to_tell(count: int, more: int, old: float, new: float) -> None:
    """Too few requests on a side, or milliseconds that nobody feels."""
    inventory = learned(traffic([0], count, old, uri_query="v=1") + traffic([1], more, new, uri_query="v=2"))
    assert performance.by_version(inventory) == []


def test_rows_by_version_hour_and_waiting() -> None:
    inventory = learned(
        traffic([0, 1], 10, 40, upstream_time=30.0)
        + traffic([1], 5, 900, operation="GET /slow", endpoint="/slow", status=500)
    )
    versions = performance.version_rows(inventory)
    assert [(row["operation"], row["status"], row["count"]) for row in versions] == [
        ("GET /orders/{order_id}", "2xx", 20), ("GET /slow", "5xx", 5),
    ]  # fmt: skip
    hours = performance.hour_rows(inventory)
    assert [(row["operation"], row["count"], row["failures"]) for row in hours] == [
        ("GET /orders/{order_id}", 10, 0), ("GET /orders/{order_id}", 10, 0), ("GET /slow", 5, 5),
    ]  # fmt: skip
    slowest = performance.slowest(inventory)
    assert [row["operation"] for row in slowest] == ["GET /slow", "GET /orders/{order_id}"]
    assert slowest[0]["upstream_time_p50"] is None
    assert slowest[1]["upstream_time_p50"] == pytest.approx(30, rel=0.01)
    assert slowest[1]["waited"] == pytest.approx(0.04 * 20, rel=0.5)


def test_the_interval_of_a_quantile_holds_it_in_99_of_100_samples() -> None:
    chance = random.Random(3)
    truth = 40 * 1.9308  # exp(0.4 z), z of 95 %
    outside = 0
    for _ in range(300):
        sketch = QuantileSketch()
        for _ in range(400):
            sketch.add(40 * chance.lognormvariate(0, 0.4))
        bounds = quantile_bounds(sketch, 0.95)
        assert bounds is not None
        outside += not bounds.low <= truth <= bounds.high
    assert outside <= 9  # 3 expected; more than 9 has odds below 1e-3


@pytest.mark.parametrize(("times", "of"), [(5, 100), (0, 60), (60, 60), (1, 10_000)])
def test_wilsons_interval_ends_where_the_share_would_be_too_unlikely(times: int, of: int) -> None:
    found = share_bounds(times, of)
    assert found.low <= found.value == times / of <= found.high
    for bound in (found.low, found.high):
        distance = performance.Z * math.sqrt(bound * (1 - bound) / of)
        assert abs(found.value - bound) == pytest.approx(distance, abs=1e-9)
    assert share_bounds(0, 0) == (0.0, 0.0, 1.0)


def daily(days: range, factor: float = 1.0) -> List[Dict[str, Any]]:
    """Nights at 30 ms, days at 70."""
    hours = [day * 24 + hour for day in days for hour in range(24)]
    return [
        one for hour in hours for one in traffic([hour], 12, factor * (70 if 8 <= hour % 24 < 20 else 30), seed=hour)
    ]


def test_a_morning_is_no_regression() -> None:
    assert regressions(learned(daily(range(6)))) == []
    found = [row for row in regressions(learned(daily(range(5)) + daily(range(5, 6), 1.8))) if row["kind"] == "latency"]
    assert [row["since"] for row in found] == [START + 5 * 24 * HOUR]


def test_an_empty_inventory_has_no_regressions() -> None:
    assert regressions(Inventory()) == []
