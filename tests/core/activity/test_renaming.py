"""Operations that turn out to be one are counted as one."""

from __future__ import annotations

from apisec.activity import value_hash32
from apisec.activity.renaming import relabel
from tests.core.activity.events import START, event, row_of


def rename(_service: str, operation: str) -> str:
    method, _, path = operation.partition(" ")
    return f"{method} /users/{{username}}/orders" if path.startswith("/users/") else operation


def signal(score: float) -> dict[str, object]:
    return {"family": "sqli", "where": "path", "score": score}


def test_operations_of_one_name_are_counted_together() -> None:
    row = row_of(
        event(1.0, operation="GET /users/anna/orders", signals=[signal(0.6)]),
        event(2.5, operation="GET /users/bob/orders", status=404, signals=[signal(0.6)]),
        event(3.0, operation="GET /health"),
        event(4.0, operation="POST /users/eve/orders", body_operation="Refund"),
    )
    relabel(row, rename)
    assert set(row.operations) == {
        "GET /users/{username}/orders",
        "GET /health",
        "POST /users/{username}/orders#Refund",
    }
    used = row.operations["GET /users/{username}/orders"]
    assert (used.requests, used.statuses, used.first - START, used.last - START) == (2, {200: 1, 404: 1}, 1.0, 2.5)
    assert used.objects == {value_hash32("anna"): 1, value_hash32("bob"): 2}, "names are ids now"
    assert used.refused.values == {value_hash32("bob")}
    assert used.object_names == {"username": 2}
    assert [step.operation for step in row.steps][:2] == ["GET /users/{username}/orders"] * 2
    assert row.signals["sqli"].operations == {"GET /users/{username}/orders": 2}
    assert (row.requests, row.operation_count) == (4, 3)


def test_a_row_whose_names_are_right_stays_as_it_is() -> None:
    row = row_of(event(1.0, object_ids=["order_id=4"]), event(2.0, operation="GET /health"))
    before = row.to_document()
    relabel(row, rename)
    assert row.to_document() == before
