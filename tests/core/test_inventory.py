"""The inventory of any split, merged, is the inventory of one pass."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apisec.endpoints.inventory import MAX_FIELDS, Inventory
from apisec.errors import DocumentError


def event(**changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "time": 1000.0,
        "service": "shop",
        "team": "red",
        "http_method": "GET",
        "endpoint": "/orders/{order_id}",
        "operation": "GET /orders/{order_id}",
        "principal": "~principal~00~",
        "principal_kind": "jwt",
        "auth": "bearer",
        "status": 200,
        "response_time": 10.0,
        "bytes_in": 100,
        "bytes_out": 2000,
        "data_classes": ["pii.email"],
        "request_fields": [{"path": "order_id", "in": "path", "type": "integer"}],
        "response_fields": [{"path": "$.email", "in": "body", "type": "string", "classes": ["pii.email"]}],
    }
    return {**base, **changes}


events = st.builds(
    event,
    time=st.floats(0, 1e9),
    team=st.sampled_from(["red", "blue"]),
    operation=st.sampled_from(["GET /a", "POST /a", "GET /b/{id}"]),
    service=st.sampled_from(["shop", "bank"]),
    principal=st.integers(0, 400).map(lambda n: f"~principal~{n:016x}~"),
    principal_kind=st.sampled_from(["jwt", "anonymous"]),
    auth=st.sampled_from(["bearer", "none"]),
    status=st.sampled_from([200, 201, 404, 500, 0]),
    response_time=st.floats(0, 1e5),
    data_classes=st.lists(st.sampled_from(["pii.email", "pci.pan"]), max_size=2),
    http_user_agent=st.sampled_from(["curl/8", "Mozilla/5.0"]),
    response_fields=st.lists(
        st.fixed_dictionaries(
            {
                "path": st.sampled_from(["$.a", "$.b"]),
                "in": st.just("body"),
                "type": st.sampled_from(["string", "integer"]),
                "classes": st.lists(st.sampled_from(["pii.email", "pii.phone"]), max_size=2),
            }
        ),
        max_size=4,
    ),
)


def learned(some: list[dict[str, Any]]) -> Inventory:
    inventory = Inventory()
    for one in some:
        inventory.add(one)
    return inventory


@given(st.lists(st.tuples(events, st.integers(0, 3)), max_size=60))
@settings(max_examples=60, deadline=None)
def test_merging_any_split_equals_one_pass(tagged: list[tuple[dict[str, Any], int]]) -> None:
    merged = Inventory()
    for part in range(4):
        piece = learned([one for one, tag in tagged if tag == part])
        merged.merge(Inventory.from_state(piece.to_state()))
    whole = learned([one for one, _ in tagged])
    assert merged.to_state() == whole.to_state()
    assert merged.rows() == whole.rows()


def test_a_row_says_what_the_operation_carries_and_costs() -> None:
    inventory = learned(
        [
            event(time=float(1000 + n), principal=f"~principal~{n % 7}~", status=404 if n % 10 == 0 else 200)
            for n in range(100)
        ]
    )
    (row,) = inventory.rows()
    assert (row["service"], row["team"], row["operation"]) == ("shop", "red", "GET /orders/{order_id}")
    assert (row["endpoint"], row["http_method"]) == ("/orders/{order_id}", "GET")
    assert (row["count"], row["principals"], row["errors"], row["anonymous"]) == (100, 7, 10, 0)
    assert row["statuses"] == {"200": 90, "404": 10}
    assert (row["first_seen"], row["last_seen"]) == (1000.0, 1099.0)
    assert row["response_time_p50"] == pytest.approx(10.0, rel=0.01)
    assert row["bytes_out_p99"] == pytest.approx(2000, rel=0.01)
    assert row["response_fields"] == [
        {"path": "$.email", "in": "body", "types": ["string"], "presence": 1.0, "classes": ["pii.email"]}
    ]


def test_events_that_came_through_splunk_count_the_same() -> None:
    plain = learned([event()])
    through = learned([event(time="1000.0", status="200", response_time="10", bytes_in="100", bytes_out="2000")])
    assert through.rows() == plain.rows()


def test_hostile_events_neither_fail_nor_grow_the_inventory_without_bound() -> None:
    inventory = Inventory()
    wide = [{"path": f"$.f{n}", "in": "body", "type": "string"} for n in range(5 * MAX_FIELDS)]
    for start in range(0, len(wide), 100):
        inventory.add(event(response_fields=wide[start : start + 100]))
    inventory.add({"operation": 7, "status": [], "time": "never"})
    inventory.add(event(response_fields="x", data_classes=3, status="nan", response_time="inf", principal=None))
    (row,) = inventory.rows()
    assert len(row["response_fields"]) == MAX_FIELDS
    assert row["fields_dropped"] > 0
    assert inventory.dropped == 1


def test_documents_carry_the_state_that_merges() -> None:
    first = learned([event(), event(operation="GET /b", endpoint="/b")])
    documents = json.loads(json.dumps(first.to_documents()))
    assert [document["_key"] for document in documents] == ["shop|GET /b", "shop|GET /orders/{order_id}"]
    again = Inventory.from_documents(documents)
    assert again.rows() == first.rows()
    again.merge(learned([event()]))
    assert [row["count"] for row in again.rows()] == [1, 2]


@pytest.mark.parametrize(
    "state", ["", "[]", "{}", '{"version":9}', '{"version":1,"dropped":0,"operations":[["a","b",{"n":1}]]}']
)
def test_a_state_that_is_none_is_refused(state: str) -> None:
    with pytest.raises(DocumentError):
        Inventory.from_state(state)
