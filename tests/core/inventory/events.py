"""Events for tests of the inventory: one that says a lot, and a strategy of them."""

from __future__ import annotations

import json
from typing import Any, Dict, List

from hypothesis import strategies as st

from apisec.endpoints.inventory import Inventory, read

START = 1_699_999_200.0  # a full hour


def event(**changes: Any) -> Dict[str, Any]:
    base: Dict[str, Any] = {
        "time": START,
        "service": "shop",
        "team": "red",
        "env": "PROD",
        "http_method": "GET",
        "url": "https://api.example/orders/1042?page=2",
        "uri_path": "/orders/1042",
        "uri_query": "page=2",
        "endpoint": "/orders/{order_id}",
        "operation": "GET /orders/{order_id}",
        "principal": "~principal~00000000000000aa~",
        "principal_kind": "jwt",
        "auth": "bearer",
        "status": 200,
        "action": "allowed",
        "http_user_agent": "okhttp/4.9.1",
        "http_content_type": "application/json",
        "response_time": 10.0,
        "bytes_in": 100,
        "bytes_out": 2000,
        "data_classes": ["pii.email"],
        "request_fields": [
            {"path": "order_id", "in": "path", "type": "integer"},
            {"path": "page", "in": "query", "type": "string"},
        ],
        "response_fields": [
            {"path": "email", "in": "body", "type": "string", "classes": ["pii.email"]},
            {"path": "state", "in": "body", "type": "string"},
        ],
        "response_body": json.dumps({"email": "~pii.email~00000000000000aa~", "state": "OPEN"}),
    }
    return {**base, **changes}


def principal(n: int) -> str:
    return f"~principal~{n:016x}~"


_bodies = st.one_of(
    st.none(),
    st.just("{not json"),
    st.just("a=1&b=2"),
    st.just("<a><b>1</b><b>two</b></a>"),
    st.just('{"a": [1, 2, {"b": "x, y'),
    st.recursive(
        st.one_of(
            st.none(),
            st.booleans(),
            st.integers(-(2**40), 2**70),
            st.floats(-1e6, 1e6),
            st.sampled_from(["OPEN", "CLOSED", "2024-01-02", "x" * 50, "~pii.email~00000000000000aa~", "7", ""]),
        ),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
        ),
        max_leaves=6,
    ).map(json.dumps),
)
_fields = st.lists(
    st.fixed_dictionaries(
        {
            "path": st.sampled_from(["a", "b", "a.b[]", 'odd}],"x', "errors[].message", "error"]),
            "in": st.sampled_from(["body", "query"]),
            "type": st.sampled_from(["string", "integer", "null"]),
            "classes": st.lists(st.sampled_from(["pii.email", "pii.phone"]), max_size=2),
        }
    ),
    max_size=4,
)
events = st.builds(
    event,
    time=st.floats(START, START + 500 * 86_400),
    team=st.sampled_from(["red", "blue"]),
    operation=st.sampled_from(["GET /a", "POST /a", "GET /b/{id}"]),
    service=st.sampled_from(["shop", "bank"]),
    principal=st.integers(0, 400).map(principal),
    principal_kind=st.sampled_from(["jwt", "anonymous"]),
    auth=st.sampled_from(["bearer", "none"]),
    status=st.sampled_from([200, 201, 404, 500, 0]),
    action=st.sampled_from(["allowed", "blocked"]),
    endpoint=st.sampled_from(["/v1/orders/{order_id}", "/v2/orders/{order_id}", "/orders"]),
    uri_path=st.sampled_from(["/v1/orders/7", "/v2/orders/abc", "/orders"]),
    uri_query=st.sampled_from(["", "page=2&open=true", "api-version=2024-01-01", "state=OPEN&state=SHUT"]),
    response_time=st.floats(0, 1e5),
    upstream_time=st.one_of(st.none(), st.floats(0, 1e5)),
    http_user_agent=st.sampled_from(["curl/8", "Mozilla/5.0 Chrome/120.0 Safari/537.36", ""]),
    data_classes=st.lists(st.sampled_from(["pii.email", "pci.pan"]), max_size=2),
    gateway=st.sampled_from(["edge-1", "edge-2", ""]),
    api_version=st.sampled_from([None, "2", "2024-01-01"]),
    request_content_type=st.sampled_from(
        [None, "application/json", "application/x-www-form-urlencoded", "text/xml", "application/vnd.a.v3+json"]
    ),
    body_operation=st.sampled_from([None, None, "FindOrder", "SaveOrder"]),
    coverage_reasons=st.sampled_from([None, ["request.body: not JSON"], ["transaction: 7 characters not analysed"]]),
    request_fields=_fields,
    response_fields=_fields,
    request_body=_bodies,
    response_body=_bodies,
)


def learned(some: List[Dict[str, Any]]) -> Inventory:
    inventory = Inventory()
    for one in some:
        inventory.add(one)
    return inventory


def learned_from_text(some: List[Dict[str, Any]]) -> Inventory:
    """The same from the events' text, as the forwarder writes it."""
    inventory = Inventory()
    for one in some:
        made = read(json.dumps(one, separators=(",", ":")))
        assert made is not None
        inventory.add(made)
    return inventory
