"""Hours, days, versions and families of clients."""

from __future__ import annotations

from typing import Any

import pytest

from apisec.endpoints.inventory.timing import HOUR, MAX_DAYS, MAX_HOURS, MAX_VERSIONS, OTHER_VERSION, Timing
from apisec.endpoints.inventory.versions import agent_family, unversioned, version_of
from tests.core.inventory.events import START, event


def test_the_newest_hours_and_days_stay_in_any_order() -> None:
    hours = [n * 7 for n in range(2000)]
    forwards, backwards = Timing(), Timing()
    for hour in hours:
        forwards.add(START + hour * HOUR, 200, "", 5.0)
    for hour in reversed(hours):
        backwards.add(START + hour * HOUR, 200, "", 5.0)
    assert forwards.to_state() == backwards.to_state()
    newest = max(forwards.hours)
    assert min(forwards.hours) > newest - MAX_HOURS
    assert len(forwards.days) <= MAX_DAYS
    assert forwards.versions[""].count == len(hours), "what is dropped by the hour is still in the sums"


def test_statuses_by_hour() -> None:
    timing = Timing()
    for status in (200, 301, 404, 429, 500, 503, 0):
        timing.add(START, status, "v1", None)
    (hour,) = timing.hours.values()
    assert (hour.count, hour.refusals, hour.failures) == (7, 2, 3)
    assert timing.by_class() == {"2xx": 1, "3xx": 1, "4xx": 2, "5xx": 2, "none": 1}
    assert timing.versions["v1"].errors == 3


def test_versions_beyond_the_limit_are_counted_together() -> None:
    timing = Timing()
    for n in range(MAX_VERSIONS + 5):
        timing.add(START, 200, f"v{n}", 1.0)
    assert timing.versions[OTHER_VERSION].count == 5
    assert len(timing.versions) == MAX_VERSIONS + 1


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"endpoint": "/v1/orders", "uri_query": ""}, "v1"),
        ({"endpoint": "/api/V2.1/orders", "uri_query": ""}, "v2.1"),
        ({"endpoint": "/v2beta1/orders", "uri_query": ""}, "v2beta1"),
        ({"endpoint": "/vat/orders", "uri_query": ""}, ""),
        ({"endpoint": "/v1/orders", "uri_query": "a=b&api-version=2024-01-01-preview"}, "2024-01-01-preview"),
        ({"uri_query": "version=~secret.token~00000000000000aa~"}, ""),
        ({"uri_query": "v=how+are+you"}, ""),
        ({"uri_query": "", "http_content_type": "application/vnd.acme.v3+json"}, "v3"),
        ({"uri_query": "", "http_content_type": "video/mp4"}, ""),
        ({"uri_query": "", "request_content_type": "application/vnd.acme.v3+json"}, "v3"),
        ({"uri_query": "", "endpoint": "/v1/orders", "api_version": "2024-01-01"}, "2024-01-01"),
        ({"uri_query": "api-version=2", "api_version": "2024-01-01"}, "2"),
    ],
)
def test_versions(changes: Any, expected: str) -> None:
    assert version_of(event(**changes)) == expected


def test_what_versions_have_in_common() -> None:
    assert (
        unversioned("/v1/orders/{order_id}") == unversioned("/v2/orders/{order_id}") == "/{version}/orders/{order_id}"
    )
    assert unversioned("/orders/v") == "/orders/v"


@pytest.mark.parametrize(
    ("agent", "family"),
    [
        ("okhttp/4.9.1", "okhttp/4"), ("curl/8.5.0", "curl/8"), ("python-requests/2.31", "python-requests/2"),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/120.0 Safari/537.36", "Chrome"),
        ("Mozilla/5.0 (iPhone) AppleWebKit/605.1.15 Version/17.0 Safari/604.1", "Safari"),
        ("Mozilla/5.0 Chrome/120.0 Safari/537.36 Edg/120.0", "Edge"),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "Googlebot"),
        ("Mozilla/5.0", "Mozilla"), ("MyApp", "MyApp"), ("~pii.email~00000000000000aa~", "other"), ("", ""),
    ],
)  # fmt: skip
def test_families_of_clients(agent: str, family: str) -> None:
    assert agent_family(agent) == family
