"""The inventory of any split, merged, is the inventory of one pass."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apisec.endpoints.inventory import MAX_FIELDS, Inventory
from apisec.errors import DocumentError
from tests.core.inventory.events import START, event, events, learned, learned_from_text, principal


@given(st.lists(st.tuples(events, st.integers(0, 3)), max_size=60))
@settings(max_examples=60, deadline=None)
def test_merging_any_split_equals_one_pass(tagged: List[Tuple[Dict[str, Any], int]]) -> None:
    merged = Inventory()
    for part in range(4):
        piece = learned([one for one, tag in tagged if tag == part])
        merged.merge(Inventory.from_state(piece.to_state()))
    whole = learned([one for one, _ in tagged])
    assert merged.to_state() == whole.to_state()
    assert merged.rows() == whole.rows()


@given(st.lists(events, max_size=30))
@settings(max_examples=60, deadline=None)
def test_events_read_from_text_count_the_same(some: List[Dict[str, Any]]) -> None:
    assert learned_from_text(some).to_state() == learned(some).to_state()


@given(st.lists(events, max_size=30), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_the_order_of_events_does_not_matter(some: List[Dict[str, Any]], chance: Any) -> None:
    shuffled = list(some)
    chance.shuffle(shuffled)
    assert learned(shuffled).to_state() == learned(some).to_state()


def test_a_row_says_what_the_operation_carries_and_costs() -> None:
    inventory = learned(
        [
            event(time=START + n, principal=principal(n % 7), status=404 if n % 10 == 0 else 200, upstream_time=8.0)
            for n in range(100)
        ]
    )
    (row,) = inventory.rows()
    assert (row["service"], row["team"], row["operation"]) == ("shop", "red", "GET /orders/{order_id}")
    assert (row["endpoint"], row["http_method"]) == ("/orders/{order_id}", "GET")
    assert (row["count"], row["principals"], row["errors"], row["anonymous"]) == (100, 7, 10, 0)
    assert row["statuses"] == {"200": 90, "404": 10}
    assert row["status_classes"] == {"2xx": 90, "4xx": 10}
    assert (row["first_seen"], row["last_seen"]) == (START, START + 99)
    assert (row["servers"], row["envs"], row["user_agents"]) == (["https://api.example"], ["PROD"], ["okhttp/4"])
    assert (row["auth"], row["principal_kinds"], row["open"]) == (["bearer"], ["jwt"], 0)
    assert row["content_types"] == ["application/json"]
    for label in ("p50", "p90", "p95", "p99", "p999"):
        assert row[f"response_time_{label}"] == pytest.approx(10.0, rel=0.01)
        assert row[f"upstream_time_{label}"] == pytest.approx(8.0, rel=0.01)
        assert row[f"gateway_time_{label}"] == pytest.approx(2.0, rel=0.01)
    assert row["bytes_out_p99"] == pytest.approx(2000, rel=0.01)
    assert row["response_fields"] == [
        {
            "path": "email", "in": "body", "types": ["string"], "presence": 1.0, "classes": ["pii.email"],
            "format": "email",
        },
        {
            "path": "state", "in": "body", "types": ["string"], "presence": 1.0, "classes": [], "length": [4, 4],
            "values": ["OPEN"],
        },
    ]  # fmt: skip
    assert [(field["in"], field["path"], field["format"], field["range"]) for field in row["request_fields"]] == [
        ("path", "order_id", "int32", [1042, 1042]),
        ("query", "page", "int32", [2, 2]),
    ]


def test_anonymous_use_and_signatures_are_seen() -> None:
    signed = [{"path": "x-hub-signature-256", "in": "header", "type": "string"}]
    inventory = learned(
        [
            event(auth="none", principal_kind="anonymous"),
            event(auth="none", principal_kind="anonymous", status=401),
            event(auth="api_key", principal_kind="api_key", request_fields=signed),
            event(auth="hmac", principal_kind="api_key", request_fields=signed),
            event(action="blocked", status=403),
        ]
    )
    (row,) = inventory.rows()
    assert row["auth"] == ["api_key", "bearer", "hmac", "none"]
    assert (row["anonymous"], row["open"], row["blocked"]) == (2, 1, 1)


def test_operations_that_get_one_name_become_one() -> None:
    inventory = learned(
        [event(operation=f"GET /users/{who}", endpoint=f"/users/{who}") for who in ("ann", "bob", "me")]
    )
    renamed = inventory.relabel(lambda _, name: name if name.endswith("/me") else "GET /users/{username}")
    assert renamed == {
        ("shop", "GET /users/ann"): ("shop", "GET /users/{username}"),
        ("shop", "GET /users/bob"): ("shop", "GET /users/{username}"),
    }
    rows = {row["operation"]: row for row in inventory.rows()}
    assert {name: (row["count"], row["endpoint"]) for name, row in rows.items()} == {
        "GET /users/me": (1, "/users/me"),
        "GET /users/{username}": (2, "/users/{username}"),
    }


def test_events_that_came_through_splunk_count_the_same() -> None:
    plain = learned([event()])
    through = learned([event(time=str(START), status="200", response_time="10", bytes_in="100", bytes_out="2000")])
    assert through.rows() == plain.rows()


def test_hostile_events_neither_fail_nor_grow_the_inventory_without_bound() -> None:
    inventory = Inventory()
    wide = [{"path": f"f{n}", "in": "body", "type": "string"} for n in range(5 * MAX_FIELDS)]
    for start in range(0, len(wide), 100):
        members = {field["path"]: {"deep": {}, "n": start} for field in wide[start : start + 100]}
        inventory.add(event(response_fields=wide[start : start + 100], response_body=json.dumps(members)))
    inventory.add({"operation": 7, "status": [], "time": "never"})
    inventory.add(event(response_fields="x", data_classes=3, status="nan", response_time="inf", principal=None))
    inventory.add(event(response_body="[" * 100_000, request_body="{" * 9, uri_query="&".join(["a"] * 5000)))
    inventory.add(event(response_body=json.dumps([1e400, -(10**400)]), time=-5, url="https://[", endpoint=3))
    for n in range(200):
        inventory.add(event(status=n + 600, auth=f"auth-{n}", http_user_agent=f"agent{n}", uri_query=f"v={n}"))
    (row,) = inventory.rows()
    assert len(row["response_fields"]) == MAX_FIELDS
    assert row["fields_dropped"] > 0
    assert inventory.dropped == 1
    assert sum(row["statuses"].values()) == row["count"], "what has no name of its own is counted together"
    assert len(inventory.to_state()) < 200_000
    assert learned([]).rows() == []


def test_documents_carry_the_state_that_merges() -> None:
    first = learned([event(), event(operation="GET /b", endpoint="/b")])
    documents = json.loads(json.dumps(first.to_documents()))
    assert [document["_key"] for document in documents] == ["shop|GET /b", "shop|GET /orders/{order_id}"]
    again = Inventory.from_documents(documents)
    assert again.rows() == first.rows()
    again.merge(learned([event()]))
    assert [row["count"] for row in again.rows()] == [1, 2]


@pytest.mark.parametrize(
    "state",
    [
        "", "[]", "{}", "7", '{"version":9}', '{"version":2,"dropped":0,"operations":[["a","b",{"n":1}]]}',
        '{"version":1,"dropped":0,"operations":[["a","b",{"n":1}]]}', '{"version":[]}',
    ],
)  # fmt: skip
def test_a_state_that_is_none_is_refused(state: str) -> None:
    with pytest.raises(DocumentError):
        Inventory.from_state(state)
