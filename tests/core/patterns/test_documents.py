"""Documents: what is accepted, and what the errors name. Cases in tests/cases/patterns/documents.yml."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from apisec.errors import PatternError
from apisec.patterns.document import digest, parse

NOW = 1795219200.0  # 2026-11-21T00:00:00Z
GOOD: dict[str, Any] = {
    "title": "Orders of others",
    "id": "929a690e-bef0-4204-a928-ef5e620d6fcc",
    "status": "experimental",
    "logsource": {"category": "api", "product": "apisec", "service": "shop"},
    "detection": {"selection": {"operation": "GET /orders/{order_id}"}, "condition": "selection"},
    "apisec": {"mode": "shadow", "expires": "2026-12-01T00:00:00Z"},
}
CASES = yaml.safe_load((Path(__file__).parents[2] / "cases/patterns/documents.yml").read_text())


def changed(changes: dict[str, Any]) -> dict[str, Any]:
    document = copy.deepcopy(GOOD)
    for path, value in changes.items():
        *parents, last = path.split(".") if not path.startswith("detection.") else path.split(".", 1)
        target = document
        for parent in parents:
            target = target[parent]
        if value is None:
            target.pop(last)
        else:
            target[last] = value
    return document


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_case(case: dict[str, Any]) -> None:
    document = changed(case["set"])
    if "error" not in case:
        assert parse(document, NOW).id == GOOD["id"]
        return
    with pytest.raises(PatternError) as found:
        parse(document, NOW)
    assert case["error"] in str(found.value)


def test_cases_are_many_and_named_apart() -> None:
    names = [case["name"] for case in CASES]
    assert len(names) >= 60
    assert len(set(names)) == len(names)


def test_an_expired_document_is_read_without_a_clock() -> None:
    document = changed({"apisec.expires": "2020-01-01T00:00:00Z"})
    assert parse(document).mode_at(NOW) == "expired"


def test_the_digest_is_of_what_decides() -> None:
    first = digest(GOOD)
    assert digest(changed({"title": "another", "apisec.mode": "enforce", "apisec.reason": "x"})) == first
    assert digest(changed({"detection.condition": "not (not selection)"})) != first
    assert parse(GOOD, NOW).digest == first


@pytest.mark.parametrize(
    "document", [None, [], "x", {}, {"title": 1}, {1: 2}, {"title": "x", "id": GOOD["id"], "logsource": []}]
)
def test_nonsense_is_an_error_of_ours(document: Any) -> None:
    with pytest.raises(PatternError):
        parse(document, NOW)


def test_the_document_is_a_copy() -> None:
    document = copy.deepcopy(GOOD)
    pattern = parse(document, NOW)
    document["detection"]["selection"]["operation"] = "GET /other"
    assert pattern.document["detection"]["selection"]["operation"] == "GET /orders/{order_id}"
