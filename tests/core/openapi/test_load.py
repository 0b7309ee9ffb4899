"""Documents of every version are read; hostile and broken ones are refused or warned of, by their place."""

from __future__ import annotations

from typing import Any, Dict

import pytest

from apisec.errors import DocumentError, LimitExceeded
from apisec.openapi.expected import Schemas, types
from apisec.openapi.load import load
from apisec.openapi.model import Spec, SpecOperation


def document(operation: Dict[str, Any], **more: Any) -> Dict[str, Any]:
    base = {"openapi": "3.0.3", "info": {"title": "Shop", "version": "7"}}
    return {**base, "paths": {"/orders/{id}": {"get": operation}}, **more}


def one(spec: Spec) -> SpecOperation:
    [operation] = spec.operations
    return operation


def test_a_document_of_version_2() -> None:
    spec = load(
        {
            "swagger": "2.0",
            "basePath": "/v1",
            "consumes": ["application/json"],
            "produces": ["application/json"],
            "securityDefinitions": {
                "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
                "user": {"type": "basic"},
            },
            "security": [{"key": [], "user": []}, {"user": []}],
            "paths": {
                "/orders": {
                    "parameters": [{"name": "page", "in": "query", "type": "integer"}],
                    "post": {
                        "parameters": [{"name": "order", "in": "body", "required": True, "schema": {"type": "object"}}],
                        "responses": {"200": {"schema": {"$ref": "#/definitions/Order"}}, "default": {}},
                    },
                    "put": {"parameters": [{"name": "file", "in": "formData", "type": "file"}], "security": []},
                }
            },
            "definitions": {"Order": {"properties": {"total": {"type": "number"}}}},
        }
    )  # fmt: skip
    put, post = spec.operations
    assert (spec.format, post.name, post.bases) == ("2.0", "POST /orders", ("/v1",))
    assert [(p.name, p.location) for p in post.parameters] == [("page", "query")]
    assert post.request.required
    assert post.security == (("api_key", "basic"), ("basic",))
    assert post.demands_credentials
    assert not put.demands_credentials
    assert set(post.responses) == {"200", "DEFAULT"}
    schemas = Schemas(spec.document)
    assert schemas.find(post.responses["200"].schemas[0], "total").pieces
    assert schemas.find(put.request.schemas[0], "file").pieces


def test_statuses_ranges_and_media_types() -> None:
    content = {"application/json": {"schema": {"type": "string"}}}
    responses = {200: {"content": content}, "4XX": {"description": "no"}, "default": {}, "x-a": 1, "20": {}}
    spec = load(document({"responses": responses}))
    operation = one(spec)
    assert operation.response("200") is operation.responses["200"]
    assert operation.response("418") is operation.responses["4XX"]
    assert operation.response("503") is operation.responses["DEFAULT"]
    assert operation.responses["200"].matching("application/problem+json")
    assert not operation.responses["200"].matching("text/html")
    assert spec.warnings == ("#/paths/~1orders~1{id}/get/responses: '20' is no status",)


def test_servers_of_document_path_and_operation() -> None:
    made = document(
        {"servers": [{"url": "https://a.example/own"}]},
        servers=[{"url": "/{v}", "variables": {"v": {"default": "v2"}}}],
    )
    made["paths"]["/b"] = {"get": {}}
    assert [o.bases for o in load(made).operations] == [("/own",), ("/v2",)]


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"type": "http", "scheme": "Bearer"}, "bearer"),
        ({"type": "oauth2"}, "bearer"),
        ({"type": "openIdConnect"}, "bearer"),
        ({"type": "mutualTLS"}, "mtls"),
        ({"type": "apiKey", "in": "cookie", "name": "sid"}, "cookie"),
        ({"type": "apiKey", "in": "header", "name": "Authorization"}, "other"),
        ({"type": "http", "scheme": "digest"}, "other"),
        (None, "other"),
    ],
)
def test_credentials(said: Any, kind: str) -> None:
    made = document({"security": [{"s": []}]}, components={"securitySchemes": {"s": said}})
    assert one(load(made)).security == ((kind,),)


def test_a_sunset_says_deprecated() -> None:
    operation = one(load(document({"x-sunset": "2024-01-01"})))
    assert operation.deprecated
    assert operation.sunset == "2024-01-01"


ORDER = {
    "allOf": [
        {"$ref": "#/components/schemas/Base"},
        {"type": "object", "required": ["state"], "properties": {
            "state": {"type": ["string", "null"]},
            "items": {"type": "array", "items": {"oneOf": [
                {"properties": {"card": {"properties": {"number": {"type": "string"}}}}},
                {"properties": {"iban": {"type": "string", "nullable": True}}},
            ]}},
            "labels": {"type": "object", "additionalProperties": {"type": "integer"}},
            "free": {"type": "object"},
            "closed": {"type": "object", "properties": {"a": {}}, "additionalProperties": False},
            "parent": {"$ref": "#/components/schemas/Order"},
        }},
        {"required": ["id"]},
    ]
}  # fmt: skip
COMPONENTS = {"schemas": {"Order": ORDER, "Base": {"properties": {"id": {"enum": [1, 2]}}, "required": ["id"]}}}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("id", {"integer"}),
        ("state", {"string", "null"}),
        ("items[].card.number", {"string"}),
        ("items[].iban", {"string", "null"}),
        ("labels.anything", {"integer"}),
        ("free.at.all", "open"),
        ("closed.a", "open"),
        ("closed.b", "unknown"),
        ("parent.parent.parent.id", {"integer"}),
        ("nothing", "unknown"),
        ("state.inside", "unknown"),
        ("items[].card.number[]", "unknown"),
        ("$", {"object"}),
    ],
)
def test_what_is_documented_at_a_path(path: str, expected: Any) -> None:
    spec = load(document({}, components=COMPONENTS))
    found = Schemas(spec.document).find({"$ref": "#/components/schemas/Order"}, path)
    if expected in ("open", "unknown"):
        assert (found.open, found.pieces) == (expected == "open", ())
    else:
        assert set().union(*(types(piece) or set() for piece in found.pieces)) == expected


def test_leaves_end_where_a_schema_meets_itself() -> None:
    spec = load(document({}, components=COMPONENTS))
    leaves = {
        leaf.path: leaf.required for leaf in Schemas(spec.document).leaves({"$ref": "#/components/schemas/Order"})
    }
    assert leaves["id"] is True
    assert leaves["state"] is True
    assert leaves["items[].card.number"] is False
    assert not any(path.startswith("parent.parent") for path in leaves)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ([], "is not an object"),
        ({"info": {}}, "neither 'openapi' nor 'swagger'"),
        ({"swagger": "1.2"}, "#/swagger: version '1.2'"),
        ({"openapi": "4.0.0"}, "#/openapi: version '4.0.0'"),
        ({"openapi": "3.1.0", "paths": []}, "#/paths: is not an object"),
    ],
)
def test_refused(made: Any, said: str) -> None:
    with pytest.raises(DocumentError, match=said):
        load(made, "shop.yaml")


def test_what_is_wrong_inside_is_a_warning_with_its_place() -> None:
    made = document({"parameters": [{"in": "query"}, {"$ref": "#/nowhere"}, {"$ref": "other.yaml#/a"}]})
    made["paths"]["no-slash"] = {}
    warnings = " | ".join(load(made).warnings)
    for part in (
        "no-slash: does not begin with a slash",
        "number 1 has no name",
        "#/nowhere names nothing",
        "other.yaml#/a is in another document",
    ):
        assert part in warnings


def test_a_bomb_of_aliases_is_refused() -> None:
    bomb: Any = ["x"] * 10
    for _ in range(9):
        bomb = [bomb] * 10
    with pytest.raises(LimitExceeded, match="aliases"):
        load(document({"x-bomb": bomb}))


def test_depth_is_limited() -> None:
    deep: Any = {}
    for _ in range(1000):
        deep = {"a": deep}
    with pytest.raises(LimitExceeded, match="deeper"):
        load(document({"x-deep": deep}))


def test_references_in_circles_end() -> None:
    schemas: Dict[str, Any] = {
        "A": {"$ref": "#/components/schemas/B"},
        "B": {"$ref": "#/components/schemas/A"},
        "C": {"allOf": [{"$ref": "#/components/schemas/C"}, {"$ref": "#/components/schemas/D"}]},
        "D": {"oneOf": [{"$ref": "#/components/schemas/C"}, {"properties": {"x": {"$ref": "#/components/schemas/D"}}}]},
    }
    spec = load(document({}, components={"schemas": schemas}))
    reading = Schemas(spec.document)
    assert reading.find(schemas["A"], "x").open
    assert reading.find(schemas["C"], "x.x.x").pieces
    assert reading.leaves(schemas["C"]) == []


def test_alternatives_that_multiply_are_bounded() -> None:
    schemas: Dict[str, Any] = {"S0": {"properties": {"x": {"type": "string"}}}}
    for n in range(1, 20):
        schemas[f"S{n}"] = {"anyOf": [{"$ref": f"#/components/schemas/S{n - 1}"}] * 60}
    spec = load(document({}, components={"schemas": schemas}))
    assert Schemas(spec.document).find(schemas["S19"], "x").pieces
