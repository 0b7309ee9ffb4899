"""Which changes of an operation are told, and which are not, by cases; and that each is told once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, List

import pytest
import yaml

from apisec.classification.overrides import Overrides
from apisec.endpoints.changes import schema
from apisec.endpoints.changes.watch import Context, Watch
from apisec.endpoints.inventory import Inventory, OperationStats
from apisec.errors import DocumentError
from tests.core.changes.watched import OPERATION, Watched
from tests.core.inventory.events import START, event

CASES: List[Dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parents[2] / "cases/changes/operations.yml").read_text("utf-8")
)
SSN = {"path": "ssn", "in": "body", "type": "string", "classes": ["pii.ssn"]}
KINDS_OF_CASES = {told["change"] for case in CASES for told in case.get("told", ())}


def known(before: Dict[str, Any], tell: bool = True, windows: int = 10) -> Watched:
    """An operation of three hundred requests that nothing is told of any more."""
    watched = Watched()
    for number in range(windows):
        watched.window(300 // windows, tell=tell and number > 0, **before)
    return watched


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_case(case: Dict[str, Any]) -> None:
    watched = known(case.get("before_events", {}), case.get("tell", True), case.get("windows", 10))
    assert watched.told == [], "before it changes"
    for _ in range(case.get("after", 1)):
        watched.window(case["now"], case.get("users", 20), case.get("tell", True), **case["events"])
    rows = sorted((one.row() for one in watched.told), key=lambda row: str(row["change"]))
    expected = case.get("told", [])
    assert [row["change"] for row in rows] == [one["change"] for one in expected]
    for row, one in zip(rows, expected):  # noqa: B905 - Python 3.9
        assert {name: row.get(name) for name in one} == one
        assert row.keys() <= schema.FIELD_NAMES
        assert {f.name for f in schema.FIELDS if f.required} <= row.keys()
        assert "{" not in row["reason"].replace(OPERATION, "")


def test_cases_are_of_many_kinds() -> None:
    assert len(CASES) > 20
    assert KINDS_OF_CASES <= schema.NAMES
    assert len(KINDS_OF_CASES) >= 7


def test_what_was_told_is_not_told_again() -> None:
    watched = known({})
    for _ in range(20):
        watched.window(30, auth="none", response_fields=[SSN])
    kinds = [one.kind for one in watched.told]
    assert sorted(kinds) == sorted(set(kinds))
    assert set(kinds) == {"sensitive_field", "authentication_dropped", "field_gone"}


def test_a_credential_that_comes_and_goes_is_told_after_a_day_then_after_two() -> None:
    watched = known({})
    times = []
    for _ in range(8):
        for auth in ("none", "bearer"):
            for _ in range(3):
                times += [(watched.end, one.times) for one in watched.window(30, auth=auth) if one.kind[0] == "a"]
            watched.end += 6 * 3600
    assert [n for _, n in times] == [1, 2, 3]
    assert times[1][0] - times[0][0] >= 86_400
    assert times[2][0] - times[1][0] >= 2 * 86_400


def test_the_same_windows_give_the_same_ids() -> None:
    one, two = known({}), known({})
    for watched in (one, two):
        watched.window(9, response_fields=[SSN])
    assert [change.row() for change in one.told] == [change.row() for change in two.told]
    assert len(one.told) == 1


def test_a_change_in_small_parts_is_told_as_in_one() -> None:
    watched = known({})
    for _ in range(9):
        watched.window(1, response_fields=[*event()["response_fields"], SSN])
    [told] = watched.told
    assert (told.count, told.details["messages"], told.details["messages_before"]) == (5, 5, 300)


def test_an_override_decides_what_is_sensitive() -> None:
    none = {"service": "shop", "path": "ssn", "class": "none", "author": "ada", "reason": "a ticket's number"}
    watched = Watched(Overrides.parse({"version": 1, "overrides": [none]}, "here"))
    for _ in range(10):
        watched.window(30)
    watched.told.clear()
    watched.window(30, response_fields=[*event()["response_fields"], SSN])
    assert watched.told == []
    card = {**none, "path": "state", "class": "pci.pan", "reason": "they are cards"}
    watched.overrides = Overrides.parse({"version": 1, "overrides": [none, card]}, "here")
    [told] = watched.window(30)
    assert (told.kind, told.before, told.after) == ("sensitivity_raised", "confidential", "restricted")
    assert watched.window(30) == []


def test_a_new_operation_is_told_when_it_answers() -> None:
    watched = Watched()
    assert watched.window(30, status=404, response_fields=[]) == []
    [told] = watched.window(3, response_fields=[SSN], auth="none")
    row = told.row()
    assert (row["change"], row["statuses"], row["level"]) == ("operation_new", ["200"], "restricted")
    assert (row["severity"], row["data_classes"]) == ("high", ["pii.email"]), "personal data, to whoever asks"
    assert watched.window(3) == []


@pytest.mark.parametrize(
    ("endpoint", "administrative", "severity"),
    [("/admin/users", True, "medium"), ("/administrators", None, "low"), ("/actuator/env", True, "medium")],
)
def test_ways_in_for_operators(endpoint: str, administrative: Any, severity: str) -> None:
    watched = Watched()
    [told] = watched.window(3, endpoint=endpoint, operation=f"GET {endpoint}", data_classes=[], response_fields=[])
    assert (told.details["administrative"], told.severity) == (administrative, severity)


def test_what_went_into_another_operation_is_no_news() -> None:
    old = known({"response_fields": [SSN]})
    target = Watch()
    target.merge(old.watch)
    stats = next(old.inventory.operations())
    part = Inventory()
    part.add(event(response_fields=[SSN], time=START))
    context = Context("shop", "GET /orders/{id}", START + 300, True, Overrides(), "red")
    assert target.observe(OperationStats(), next(part.operations()), context) == []
    assert Watch.of(stats).observe(stats, next(part.operations()), context) == []


def test_a_broken_state_is_refused() -> None:
    state = json.loads(json.dumps(Watched().watch.to_state()))
    for broken in (
        {},
        {**state, "v": 9},
        {**state, "trials": [["data"]]},
        {**state, "told": None},
        {**state, "hours": 3},
    ):
        with pytest.raises(DocumentError):
            Watch.from_state(broken)


def test_memory_is_bounded() -> None:
    watched = known({})
    for number in range(14):
        many = [{"path": f"f{number}_{n}", "in": "body", "type": "string", "classes": ["pii.ssn"]} for n in range(30)]
        watched.window(6, response_fields=many)
    assert len(json.dumps(watched.watch.to_state())) < 60_000
