"""What bodies ask for behind one path: GraphQL, JSON-RPC, SOAP."""

from __future__ import annotations

import json
from typing import Any, Dict, List

import pytest

from apisec.endpoints.inventory import Inventory
from apisec.endpoints.inventory.asked import MAX_ASKED, holds_fault
from apisec.endpoints.inventory.fit import MAX_DOCUMENT
from apisec.endpoints.inventory.tally import OTHER
from apisec.endpoints.performance import body_operation_rows
from tests.core.inventory.events import START, event, learned, learned_from_text

FAULT = [{"path": "errors[].message", "in": "body", "type": "string"}]


def graphql(name: str, **changes: Any) -> Dict[str, Any]:
    where = {"operation": "POST /graphql", "endpoint": "/graphql", "uri_path": "/graphql", "http_method": "POST"}
    return event(**{**where, "body_operation": name, "data_classes": [], **changes})


def some() -> List[Dict[str, Any]]:
    made = [graphql("FindOrder", response_time=10.0, time=START + n) for n in range(20)]
    made += [graphql("SaveCard", response_time=100.0, data_classes=["pci.pan"]) for _ in range(5)]
    made += [graphql("SaveCard", status=500), graphql("SaveCard", response_fields=FAULT), graphql("SaveCard", status=0)]
    return [*made, event()]


@pytest.mark.parametrize("learn", [learned, learned_from_text])
def test_names_are_counted_inside_of_their_operation(learn: Any) -> None:
    rows = {row["operation"]: row for row in learn(some()).rows()}
    assert set(rows) == {"POST /graphql", "GET /orders/{order_id}"}  # the path is the operation, as before
    assert rows["GET /orders/{order_id}"]["body_operations"] == []
    find, save = rows["POST /graphql"]["body_operations"]
    assert (find["name"], find["count"], find["errors"], find["faults"]) == ("FindOrder", 20, 0, 0)
    assert (find["first_seen"], find["last_seen"]) == (START, START + 19)
    assert (save["name"], save["count"], save["errors"], save["faults"]) == ("SaveCard", 8, 2, 1)
    assert save["data_classes"] == ["pci.pan"]
    assert find["response_time_p50"] == pytest.approx(10, rel=0.02)
    assert save["response_time_p50"] == pytest.approx(100, rel=0.02)


def test_names_beyond_the_limit_are_counted_together() -> None:
    (row,) = learned([graphql(f"Made{n}") for n in range(3 * MAX_ASKED)]).rows()
    counts = {one["name"]: one["count"] for one in row["body_operations"]}
    assert len(counts) == MAX_ASKED + 1
    assert counts[OTHER] == 2 * MAX_ASKED
    assert sum(counts.values()) == row["count"]


def test_parts_merge_and_survive_their_state() -> None:
    made = some()
    total = Inventory()
    for at in range(3):
        total.merge(Inventory.from_state(learned(made[at::3]).to_state()))
    assert total.rows() == learned(made).rows()


def test_a_document_keeps_the_names_that_are_asked_for_most() -> None:
    names = [f"Operation_{n:03}" for n in range(MAX_ASKED)]
    fields = [{"path": f"a_long_member_{n}_{'x' * 90}", "in": "body", "type": "string"} for n in range(390)]
    sent = {"request_fields": fields, "response_fields": fields}
    made = [graphql(name, **sent, response_time=1.2**n) for n, name in enumerate(names)]
    whole = learned([*made, graphql(names[7])])
    assert len(json.dumps(whole.rows())) + len(whole.to_state()) > MAX_DOCUMENT
    (document,) = whole.to_documents()
    assert len(json.dumps(document)) <= MAX_DOCUMENT
    kept = {row["name"]: row["count"] for row in document["body_operations"]}
    assert len(kept) == 17
    assert (kept[names[7]], sum(kept.values())) == (2, MAX_ASKED + 1)


@pytest.mark.parametrize(
    ("path", "kind", "where", "fault"),
    [
        ("errors[].message", "string", "body", True),
        ("error", "string", "body", True),
        ("error.code", "integer", "body", True),
        ("[].error.code", "integer", "body", True),
        ("Envelope.Body.Fault.faultcode", "string", "body", True),
        ("error", "null", "body", False),
        ("errors_total", "integer", "body", False),
        ("data.error", "string", "body", False),
        ("error", "string", "header", False),
    ],
)
def test_errors_of_the_protocol(path: str, kind: str, where: str, fault: bool) -> None:
    assert holds_fault([{"path": path, "in": where, "type": kind}]) is fault


def test_developers_see_them_as_rows() -> None:
    rows = body_operation_rows(learned(some()))
    assert [(row["operation"], row["body_operation"], row["count"]) for row in rows] == [
        ("POST /graphql", "FindOrder", 20),
        ("POST /graphql", "SaveCard", 8),
    ]
