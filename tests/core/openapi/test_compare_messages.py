"""Bodies and media types: what is told once, what is required, what requests send, and paths of many operations."""

from __future__ import annotations

from typing import Any, Dict, List

import pytest

from tests.core.openapi.test_compare import ANSWER, document, drifts, kinds, traffic

# Bodies: what is told once


def fields(*paths: str, kind: str = "string") -> List[Dict[str, Any]]:
    return [{"path": path, "in": "body", "type": kind} for path in paths]


def answering(schema: Dict[str, Any]) -> Dict[str, Any]:
    return document(responses={"200": {"content": {"application/json": {"schema": schema}}}})


def test_an_object_that_no_document_names_is_told_once() -> None:
    inside = [f"meta.trace[].step{n}" for n in range(9)]
    found = drifts(traffic(response_fields=fields("email", "state", *inside)))
    assert [(one.kind, one.field, one.seen) for one in found] == [("undocumented_field", "meta", "object")]
    assert (
        "with trace[].step0, trace[].step1, trace[].step2, trace[].step3, trace[].step4 and 4 more." in found[0].reason
    )
    secret = [{"path": "meta.ssn", "in": "body", "type": "string", "classes": ["pii.ssn"]}]
    both = drifts(traffic(response_fields=[*fields("email", "state", *inside), *secret]))
    assert [(one.kind, one.field) for one in both] == [
        ("undocumented_sensitive_field", "meta.ssn"),
        ("undocumented_field", "meta"),
    ]


def test_an_object_that_nobody_sends_is_told_once() -> None:
    inner = {"properties": {"a": {"type": "string"}, "b": {"items": {"type": "string"}}}}
    made = answering({"properties": {"state": {"type": "string"}, "extra": inner, "list": {"items": inner}}})
    found = drifts(traffic(response_fields=fields("state", "list[].a")), made)
    assert [(one.kind, one.field) for one in found] == [("unseen_field", "extra"), ("unseen_field", "list[].b")]
    assert "any of the 2 documented fields there" in next(one.reason for one in found if one.field == "extra")


def test_what_every_alternative_requires_is_required() -> None:
    text = {"type": "string"}
    ways = [{"required": ["state", kind], "properties": {"state": text, kind: text}} for kind in ("card", "cash")]
    some = traffic(response_fields=fields("id", "card")) + traffic(response_fields=fields("id", "state", "cash"))
    found = drifts(some, answering({"oneOf": ways, "properties": {"id": text}}))
    assert [(one.kind, one.field, one.count) for one in found] == [("missing_required", "state", 300)]


def test_a_null_object_lacks_nothing() -> None:
    inner = {"nullable": True, "type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}}
    made = answering({"required": ["state", "owner"], "properties": {"state": {"type": "string"}, "owner": inner}})
    some = traffic(100, response_fields=fields("state", "owner.a")) + traffic(200, response_fields=fields("state"))
    assert drifts(some, made) == []


def test_bodies_that_were_cut_prove_no_absence() -> None:
    only = fields("email")
    cut = traffic(response_fields=only, coverage_reasons=["response_fields:limit"])
    assert drifts(cut) == []
    assert kinds(drifts(cut + traffic(response_fields=only))) == ["unseen_field"]


def test_schemas_that_require_one_another_come_to_an_end() -> None:
    made = answering({"$ref": "#/components/schemas/A"})
    text = {"type": "string"}
    twice = [{"$ref": "#/components/schemas/A"}] * 40
    made["components"]["schemas"] = {
        "A": {"allOf": twice, "required": ["state"], "properties": {"state": text, "x": text}}
    }
    some = traffic(200, response_fields=fields("state", "x")) + traffic(100, response_fields=fields("x"))
    assert kinds(drifts(some, made)) == ["missing_required"]


# Media types of requests


def posting(**operation: Any) -> Dict[str, Any]:
    made = document()
    body = {"content": {"application/json": {"schema": {"properties": {"a": {"type": "string"}}}}}}
    made["paths"] = {"/orders": {"post": {"requestBody": body, "responses": ANSWER, **operation}}}
    return made


POST: Dict[str, Any] = {"operation": "POST /orders", "endpoint": "/orders", "http_method": "POST"}


def posted(media: str, count: int = 300, **changes: Any) -> List[Dict[str, Any]]:
    sent = fields("a")
    return traffic(count, **{**POST, "request_fields": sent, "request_content_type": media, "uri_query": "", **changes})


@pytest.mark.parametrize(
    ("media", "said"),
    [
        ("text/plain", "no preflight"),
        ("application/xml", "read files and addresses"),
        ("application/msgpack", "documented."),
    ],
)
def test_media_types_of_requests(media: str, said: str) -> None:
    assert drifts(posted("application/json") + posted("application/merge-patch+json", 50), posting()) == []
    [found] = drifts(posted("application/json") + posted(media, 50), posting())
    assert (found.kind, found.status, found.seen, found.count) == ("undocumented_content_type", "", media, 50)
    assert said in found.reason
    refused = posted(media, 50, status=415, response_fields=[], data_classes=[])
    assert kinds(drifts(posted("application/json") + refused, posting())) == ["undocumented_status"]


def test_a_media_type_without_a_body_means_nothing() -> None:
    assert drifts(traffic(request_content_type="application/json")) == []
    both: Dict[str, Any] = {"content": {"application/json": {}, "application/xml": {}}}
    [unseen] = drifts(posted("application/json"), posting(requestBody=both))
    assert (unseen.kind, unseen.expected) == ("unseen_content_type", "application/xml")


# One path for many operations


def test_what_bodies_ask_for_differs_and_is_no_drift() -> None:
    made = posting()
    made["paths"] = {"/graphql": made["paths"]["/orders"]}
    named = {**POST, "operation": "POST /graphql", "endpoint": "/graphql"}
    asked = [
        {
            **one,
            **named,
            "body_operation": f"query Orders{n % 5}",
            "response_fields": fields(f"data.orders{n % 5}.id", "state"),
        }
        for n, one in enumerate(posted("application/json", request_fields=fields("query", "variables.id")))
    ]
    assert drifts(asked, made) == []
    leak = [{**one, "response_fields": [{**fields("data.ssn")[0], "classes": ["pii.ssn"]}]} for one in asked]
    assert kinds(drifts(leak, made)) == ["undocumented_sensitive_field"]
    plain = [{name: value for name, value in one.items() if name != "body_operation"} for one in asked]
    assert "undocumented_field" in kinds(drifts(plain, made))
