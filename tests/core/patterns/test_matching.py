"""Which events a detection matches. Cases in tests/cases/patterns/matching.yml; the scope never excludes a match."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from apisec.model.pattern import Pattern
from apisec.patterns import expression
from apisec.patterns.document import parse

CASES = yaml.safe_load((Path(__file__).parents[2] / "cases/patterns/matching.yml").read_text())
BASE = {"service": "shop", "operation": "GET /orders/{order_id}", "principal": "~principal~1~", "status": 200}


def build(detection: dict[str, Any], **extension: Any) -> Pattern:
    return parse(
        {
            "title": "x",
            "id": "929a690e-bef0-4204-a928-ef5e620d6fcc",
            "logsource": {"category": "api", "product": "apisec", "service": "shop"},
            "detection": detection,
            "apisec": {"mode": "enforce", "expires": "2026-12-01T00:00:00Z", **extension},
        }
    )


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_case(case: dict[str, Any]) -> None:
    pattern = build(case["detection"])
    assert pattern.expression is not None
    assert case["match"]
    assert case["miss"]
    for wanted, events in ((True, case["match"]), (False, case["miss"])):
        for event in events:
            whole = {**BASE, **event}
            assert expression.holds(pattern.expression, whole) is wanted, event
            if wanted:
                method, _, template = whole["operation"].partition(" ")
                assert any(
                    m in (None, method) and (t is None or t.casefold() == template.casefold()) for m, t in pattern.scope
                ), "the gateway would not ask about an event that matches"


@pytest.mark.parametrize(
    ("detection", "scope"),
    [
        ({"a": {"operation": ["GET /a", "post /b"]}, "condition": "a"}, {("GET", "/a"), ("POST", "/b")}),
        ({"a": {"endpoint": "/a", "http_method": "get"}, "condition": "a"}, {("GET", "/a")}),
        ({"a": {"endpoint": "/a"}, "b": {"user": "x"}, "condition": "a and b"}, {(None, "/a")}),
        ({"a": {"endpoint": "/a"}, "b": {"user": "x"}, "condition": "a or b"}, {(None, None)}),
        ({"a": {"endpoint": "/a"}, "b": {"operation": "GET /b"}, "condition": "a and not b"}, {(None, "/a")}),
        ({"a": {"operation|startswith": "GET /a"}, "condition": "a"}, {(None, None)}),
        ({"a": {"endpoint": "/a"}, "b": {"operation": "GET /a"}, "condition": "a or b"}, {(None, "/a")}),
    ],
)
def test_scope(detection: dict[str, Any], scope: set[Any]) -> None:
    assert build(detection).scope == scope


def test_a_request_half_leaves_open_what_the_response_decides() -> None:
    rule = build({"a": {"operation": "GET /a"}, "condition": "a"}).expression
    assert rule is not None
    unknown = expression.holds
    status = parse(
        {
            "title": "x",
            "id": "929a690e-bef0-4204-a928-ef5e620d6fcc",
            "logsource": {"category": "api", "product": "apisec", "service": "shop"},
            "detection": {"r": {"operation": "GET /a", "status": 401}},
            "correlation": {
                "type": "event_count",
                "rules": ["r"],
                "group-by": ["principal"],
                "timespan": "1m",
                "condition": {"gte": 2},
            },
            "apisec": {"expires": "2026-12-01T00:00:00Z"},
        }
    )
    assert status.correlation is not None
    late = status.correlation.rules[0][1]
    assert unknown(late, {"operation": "GET /a"}, half=True) is None
    assert unknown(late, {"operation": "GET /b"}, half=True) is False
    assert unknown(late, {"operation": "GET /a", "status": 401}) is True
