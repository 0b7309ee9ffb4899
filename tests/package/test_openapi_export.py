"""What was discovered is a valid OpenAPI 3.1 document, and says what the traffic said."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_spec_validator import OpenAPIV31SpecValidator

from apisec.endpoints.inventory import Inventory
from apisec.openapi.export import documents
from apisec.openapi.paths import templates
from tests.core.inventory.events import START, event, events, learned, principal


def exported(inventory: Inventory) -> dict[str, Any]:
    """The documents by service, each of them valid and JSON."""
    made = documents(inventory, START)
    for document in made.values():
        OpenAPIV31SpecValidator(json.loads(json.dumps(document))).validate()
    return made


def order(n: int, **changes: Any) -> dict[str, Any]:
    """An order of a shop: all that an export can tell."""
    body = {
        "id": f"7d444840-9dc0-11d1-b245-5ffdce7{n:05x}",
        "state": ["OPEN", "PAID", "SHIPPED"][n % 3],
        "total": 12.5 + n,
        "items": [{"sku": f"A-{n}-{m}", "count": m} for m in range(n % 3 + 1)],
        "customer": {"email": "~pii.email~00000000000000aa~", "since": "2024-01-02T03:04:05Z"},
        "note": None if n % 2 else "by hand",
    }
    fields = [
        {"path": "customer.email", "in": "body", "type": "string", "classes": ["pii.email"]},
        *({"path": path, "in": "body", "type": "string"} for path in ("customer.since", "id", "items[].sku", "state")),
        {"path": "items[].count", "in": "body", "type": "integer"},
        {"path": "note", "in": "body", "type": "null" if n % 2 else "string"},
        {"path": "total", "in": "body", "type": "number"},
        {"path": "x-request-cost", "in": "header", "type": "string"},
    ]
    key = {"path": "X-Shop-Key", "in": "header", "type": "string", "classes": ["secret.api_key.shop"]}
    base = event(
        time=START + n,
        principal=principal(n),
        auth="api_key" if n % 2 else "bearer",
        request_fields=[
            {"path": "order_id", "in": "path", "type": "integer"},
            {"path": "page", "in": "query", "type": "string"},
            {"path": "authorization", "in": "header", "type": "string", "classes": ["secret.jwt"]},
            {"path": "x-tenant", "in": "header", "type": "string"},
            *([key] if n % 2 else []),
        ],
        response_fields=fields,
        response_body=json.dumps(body),
    )
    return {**base, **changes}


@pytest.fixture(scope="module")
def shop() -> dict[str, Any]:
    inventory = learned([order(n) for n in range(120)])
    for n in range(60):
        inventory.add(order(n, status=404, response_fields=[], response_body='{"error":"no such order"}'))
    inventory.add(order(1, http_method="PURGE", operation="PURGE /cache", endpoint="/cache"))
    return dict(exported(inventory)["shop"])


def test_servers_paths_and_what_openapi_has_no_place_for(shop: dict[str, Any]) -> None:
    assert shop["servers"] == [{"url": "https://api.example"}]
    assert list(shop["paths"]) == ["/orders/{order_id}"]
    assert templates(shop) == ("/orders/{order_id}",)
    assert shop["x-apisec-left-out"] == ["PURGE /cache"]


def test_parameters_and_credentials(shop: dict[str, Any]) -> None:
    operation = shop["paths"]["/orders/{order_id}"]["get"]
    parameters = {(p["in"], p["name"]): p for p in operation["parameters"]}
    assert set(parameters) == {("path", "order_id"), ("query", "page"), ("header", "x-tenant")}
    assert parameters["path", "order_id"]["schema"] == {
        "type": "integer", "format": "int32", "x-apisec-range": [1042, 1042],
    }  # fmt: skip
    assert parameters["query", "page"]["required"] is True
    assert operation["security"] == [{"api_key_X-Shop-Key": []}, {"bearer": []}]
    schemes = shop["components"]["securitySchemes"]
    assert schemes["api_key_X-Shop-Key"] == {"type": "apiKey", "in": "header", "name": "X-Shop-Key"}
    assert schemes["bearer"] == {"type": "http", "scheme": "bearer"}


def test_schemas_of_answers_by_status(shop: dict[str, Any]) -> None:
    operation = shop["paths"]["/orders/{order_id}"]["get"]
    assert set(operation["responses"]) == {"200", "404"}
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert schema["required"] == ["id", "note", "state", "total"]
    properties = schema["properties"]
    assert properties["id"]["format"] == "uuid"
    assert properties["state"]["enum"] == ["OPEN", "PAID", "SHIPPED"]
    assert properties["total"]["format"] == "double"
    assert properties["note"]["type"] == ["string", "null"]
    assert properties["items"] == {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "count": {"type": "integer", "format": "int32", "x-apisec-range": [0, 2]},
                "sku": {"type": "string", "x-apisec-length": [5, 7]},
            },
        },
    }
    assert properties["customer"]["properties"]["email"] == {
        "type": "string", "format": "email", "x-apisec-classes": ["pii.email"],
    }  # fmt: skip
    assert properties["customer"]["properties"]["since"]["format"] == "date-time"
    assert set(operation["responses"]["200"]["headers"]) == {"x-request-cost"}
    assert operation["x-apisec-classes"] == ["pii.email"]
    assert operation["x-apisec-volume"]["count"] == 180


def test_an_operation_without_credentials_says_so() -> None:
    inventory = learned([event(auth="none", principal_kind="anonymous"), event()])
    operation = exported(inventory)["shop"]["paths"]["/orders/{order_id}"]["get"]
    assert operation["security"] == [{"bearer": []}, {}]


def test_hmac_mtls_cookies_and_a_key_in_the_query() -> None:
    key = [{"path": "apikey", "in": "query", "type": "string", "classes": ["secret.api_key"]}]
    cookie = [{"path": "sid", "in": "cookie", "type": "string", "classes": ["secret.session"]}]
    signed = [{"path": "x-signature", "in": "header", "type": "string"}]
    inventory = learned(
        [
            event(auth="api_key", request_fields=key),
            event(auth="cookie", request_fields=cookie),
            event(auth="mtls"),
            event(auth="gateway", request_fields=signed),
            event(auth="something new"),
        ]
    )
    schemes = exported(inventory)["shop"]["components"]["securitySchemes"]
    assert schemes["api_key_apikey"] == {"type": "apiKey", "in": "query", "name": "apikey"}
    assert schemes["cookie_sid"] == {"type": "apiKey", "in": "cookie", "name": "sid"}
    assert schemes["mtls"] == {"type": "mutualTLS"}
    assert {"hmac", "gateway", "something_new"} <= set(schemes)


def test_templates_that_openapi_holds_for_one_are_not_written_twice() -> None:
    names = ("/a/{x}", "/a/{y}", "/a/{x}/{x}", "/a-b", "/a_b", "/a/b", "/")
    inventory = learned([event(operation=f"GET {name}", endpoint=name) for name in names])
    made = exported(inventory)["shop"]
    assert set(made["paths"]) == {"/a/{x}", "/a/{x}/{x_2}", "/a-b", "/a_b", "/a/b", "/"}
    assert made["x-apisec-left-out"] == ["GET /a/{y}"]


@given(st.lists(events, min_size=1, max_size=25))
@settings(max_examples=25, deadline=None)
def test_whatever_was_seen_the_document_is_valid(some: list[dict[str, Any]]) -> None:
    made = exported(learned(some))
    assert set(made) == {one["service"] for one in some}


@pytest.mark.parametrize(
    "changes",
    [
        {"operation": "GET orders", "endpoint": "orders"},
        {"operation": "GET /a{b", "endpoint": "/a{b"},
        {"operation": "GET /{}", "endpoint": "/{}"},
        {"service": "", "url": "http://[::1"},
        {"url": "https://api.example:8443/x?y"},
        {"http_content_type": "weird", "status": 999},
        {"status": 0, "time": 1e300},
        {"response_fields": [{"path": path, "in": "body", "type": "x"} for path in (".", "[][]", "a..b", "$")]},
        {"request_fields": [{"path": path, "in": "header"} for path in ("", "X", "x")]},
    ],
)  # fmt: skip
def test_odd_traffic_gives_a_valid_document(changes: dict[str, Any]) -> None:
    exported(learned([event(**changes)] * 60))
