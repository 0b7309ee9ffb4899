"""What a refresh remembers and tells."""

from __future__ import annotations

from typing import Any, Dict

import pytest
from apisec_app.commands.unique import Once, Together, id_hash, pack, unpack
from apisec_app.refresh.changes import changes, event_of

ROW: Dict[str, Any] = {
    "service": "shop", "team": "commerce", "operation": "GET /me", "auth": ["bearer"], "data_classes": ["pii.email"],
    "request_fields": [], "response_fields": [{"in": "body", "path": "mail", "classes": ["pii.email"]}], "count": 3,
}  # fmt: skip


def test_ids_of_several_processes_are_compared() -> None:
    first, second = Once(), Once([id_hash("c")])
    assert [first.first(id_hash(one)) for one in "aab"] == [True, False, True]
    assert second.first(id_hash("b"))
    assert second.is_duplicate(id_hash("c"))
    together = Together()
    for packed in (first.take(), second.take(), first.take()):
        together.add(packed)
    assert together.duplicates() == [id_hash("b")]
    assert unpack(pack([1, 2**64 - 1])) == [1, 2**64 - 1]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"count": 9}, []),
        ({"data_classes": ["pii.email", "pii.ssn"]}, ["data class + pii.ssn"]),
        ({"auth": ["bearer", "none"]}, ["auth + none"]),
        ({"team": "payments"}, ["team commerce -> payments"]),
        (
            {"response_fields": [{"in": "body", "path": "ssn", "classes": ["pii.ssn"]}]},
            ["response field + body.ssn: pii.ssn"],
        ),
    ],
)
def test_what_changed(change: Dict[str, Any], told: list) -> None:  # type: ignore[type-arg]
    assert changes(ROW, {**ROW, **change}) == told


def test_the_same_change_has_the_same_id() -> None:
    one, two = (event_of(None, ROW, 100.0) for _ in range(2))
    assert one is not None
    assert one == two
    assert one["change"] == "new"
    assert event_of(ROW, ROW, 100.0) is None
    later = event_of(None, ROW, 200.0)
    assert later is not None
    assert later["id"] != one["id"]
