"""From Splunk's records to events, on every Python that Splunk brings."""

from __future__ import annotations

import json
from typing import Any, Dict

import pytest
from apisec_app.records import event_of, field_of, first, values
from hypothesis import given
from hypothesis import strategies as st

from apisec.model.event import FIELDS

EVENT: Dict[str, Any] = {
    "time": 1700000000.25, "service": "shop", "operation": "GET /orders/{order_id}", "principal": "~principal~aa~",
    "status": 200, "response_time": 12.5, "object_ids": ["order_id=1", "order_id=2"], "data_classes": ["pci.pan"],
    "signals": [{"detector": "injection.sqli", "where": "query.q", "score": 0.9}],
}  # fmt: skip


def flat(event: Dict[str, Any]) -> Dict[str, Any]:
    """As Splunk's search hands over an event after its JSON was extracted: text, and one field per path."""
    record: Dict[str, Any] = {"_time": str(event["time"])}
    for name, value in event.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            for member in value[0]:
                record[f"{name}{{}}.{member}"] = [str(item[member]) for item in value]
        elif isinstance(value, list):
            record[f"{name}{{}}"] = [str(item) for item in value]
        else:
            record[name] = str(value)
    return record


def test_raw_is_the_event_as_it_was_sent() -> None:
    assert event_of({"_raw": json.dumps(EVENT), "status": "500"}) == EVENT


def test_fields_make_the_same_event() -> None:
    assert event_of(flat(EVENT)) == EVENT


def test_indexed_fields_that_come_twice_count_once() -> None:
    record = {**flat(EVENT), "operation": [EVENT["operation"]] * 2, "status": ["200", "200"]}
    assert event_of(record) == EVENT


@pytest.mark.parametrize("raw", ["", "{", "[1]", '"text"', "{" + '"a":[' * 5000, "null", '{"a":1}' + " " * 1_100_000])
def test_what_is_no_event_falls_back_to_the_fields(raw: str) -> None:
    assert event_of({"_raw": raw, "_time": "5", "operation": "GET /"}) == {"time": 5.0, "operation": "GET /"}


@given(st.dictionaries(st.sampled_from([f.name for f in FIELDS] + ["_raw", "_time"]), st.text() | st.lists(st.text())))
def test_no_record_breaks_it(record: Dict[str, Any]) -> None:
    event = event_of(record)
    assert isinstance(event["time"], (int, float))


@given(st.lists(st.text(min_size=1)))
def test_values_and_first_agree(listed: list) -> None:  # type: ignore[type-arg]
    assert values(listed) == listed
    assert first(listed) == (listed[0] if listed else None)


def test_fields_of_rows() -> None:
    assert field_of([{"b": 1, "a": "é"}]) == ['{"a":"é","b":1}']
    assert field_of({"x", "a"}) == ["a", "x"]
    assert field_of(None) is None
    assert field_of(True) == "true"
