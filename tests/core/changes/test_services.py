"""What is new of a whole service, when it is known well enough, and how much is told in an hour."""

from __future__ import annotations

import json
from typing import Any, Dict, List

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apisec.endpoints.changes.schema import Change
from apisec.endpoints.changes.services import ServiceWatch
from apisec.endpoints.changes.told import DAY, Told
from apisec.endpoints.changes.trials import Trial
from apisec.endpoints.inventory import Inventory
from apisec.errors import DocumentError
from tests.core.inventory.events import START, event, principal


def parts(count: int, **changes: Any) -> List[Any]:
    inventory = Inventory()
    for n in range(count):
        inventory.add(event(principal=principal(n % 20), time=START + n, **changes))
    return [(operation, stats) for (_, operation), stats in inventory.items()]


def learned() -> ServiceWatch:
    watch = ServiceWatch("shop", START)
    assert watch.observe(parts(1000), START + 1000, tell=False) == []
    return ServiceWatch.from_state(json.loads(json.dumps(watch.to_state())))


def test_a_service_is_known_after_its_time_and_its_requests() -> None:
    watch = learned()
    assert watch.knows_enough(START + DAY, DAY)
    assert not watch.knows_enough(START + DAY - 1, DAY)
    assert not ServiceWatch("shop", START).knows_enough(START + 9 * DAY, DAY)
    assert ServiceWatch("shop", START).knows_enough(START, 0)


@pytest.mark.parametrize(
    ("changes", "count", "told"),
    [
        ({"http_user_agent": "Sync/3.1"}, 60, [("consumer_new", "Sync/3")]),
        ({"http_user_agent": "Sync/3.1"}, 40, []),
        ({"principal_kind": "api_key"}, 30, [("consumer_new", "api_key")]),
        ({"principal_kind": "anonymous", "auth": "none"}, 80, []),
        ({"uri_query": "api-version=2027-01-01"}, 5, [("version_new", "2027-01-01")]),
        ({"uri_query": "api-version=2027-01-01", "status": 400}, 50, []),
        ({}, 80, []),
    ],
)
def test_callers_and_versions(changes: Dict[str, Any], count: int, told: List[Any]) -> None:
    watch = learned()
    found = watch.observe(parts(count, **changes), START + 2000, tell=True)
    assert [(one.kind, one.after) for one in found] == told
    assert all(one.row()["operation"] == "" and one.details["operations"] for one in found)
    if told:
        assert watch.observe(parts(count, **changes), START + 3000, tell=True) == [], "once"


def test_a_caller_of_one_request_in_a_thousand_is_nobody() -> None:
    watch = learned()
    rare = parts(999) + parts(1, http_user_agent="Rare/1", operation="GET /rare")
    for n in range(60):
        assert watch.observe(rare, START + 2000 + n, tell=True) == []


def test_the_team_of_operations_is_told_once_for_all() -> None:
    watch = learned()
    [told] = watch.moved({("red", "blue"): ["GET /a", "GET /b"]}, START, START + 300)
    assert (told.team, told.before, told.after, told.count) == ("blue", "red", "blue", 2)
    assert list(watch.moved({("red", "blue"): ["GET /c"]}, START, START + 600)) == []


def many(count: int, kind: str = "operation_new") -> List[Change]:
    return [
        Change(
            kind,
            "high" if n == count - 1 else "low",
            "",
            "",
            "",
            "",
            START,
            START + 300,
            service="shop",
            operation=f"GET /{n}",
        )
        for n in range(count)
    ]


def test_more_than_fits_an_hour_is_told_as_a_number() -> None:
    watch = learned()
    told = watch.admit(many(50))
    assert len(told) == 20
    assert told[0].severity == "high", "the gravest come first"
    assert list(watch.left_out(START + 300, "red")) == []
    watch = ServiceWatch.from_state(json.loads(json.dumps(watch.to_state())))
    [more] = watch.left_out(START + 3600, "red")
    assert (more.kind, more.after, more.count) == ("more", "operation_new", 30)
    assert list(watch.left_out(START + 7200, "red")) == []
    assert len(watch.admit(many(3, "field_gone"))) == 3


def test_a_broken_state_is_refused() -> None:
    state = learned().to_state()
    for broken in ({}, {**state, "v": 2}, {**state, "budget": {"a": [1]}}, {**state, "trials": 7}):
        with pytest.raises(DocumentError):
            ServiceWatch.from_state(broken)


@given(st.integers(0, 2000), st.integers(1, 2000), st.integers(1, 2000))
def test_an_equal_share_is_never_more_than_before(hits: int, messages: int, times: int) -> None:
    trial = Trial(min(hits, messages) * times, messages * times, 0.0)
    trial.add(min(hits, messages), messages, messages, 3)
    assert not trial.grown()
    assert Trial.from_state(json.loads(json.dumps(trial.to_state()))) == trial


@given(st.lists(st.floats(0, 60 * DAY), max_size=40))
def test_what_comes_back_is_told_ever_more_seldom(moments: List[float]) -> None:
    told, last, times = Told(), -1e9, 0
    for moment in sorted(moments):
        found = told.tell("kind", "subject", moment)
        if found:
            assert found == times + 1
            assert times == 0 or moment - last >= min(30 * DAY, DAY * 2 ** (times - 1))
            last, times = moment, found
    assert Told.from_state(json.loads(json.dumps(told.to_state()))).knows("kind", "subject") is bool(times)


def test_memory_of_what_was_told_is_bounded_and_says_so() -> None:
    told = Told()
    for n in range(1000):
        told.learn("data", str(n))
    assert told.dropped == 200
    assert told.tell("data", "another", 1.0) == 0
    other = Told()
    other.tell("data", "1", 5.0)
    other.merge(told)
    assert other.knows("data", "799")
    assert other.tell("data", "1", 6.0) == 0
