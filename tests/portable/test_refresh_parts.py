"""What a refresh remembers and tells."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict

import pytest
from apisec_app.refresh.changes import changes, event_of
from apisec_app.refresh.checkpoint import Checkpoint, Progress

ROW: Dict[str, Any] = {
    "service": "shop", "team": "commerce", "operation": "GET /me", "auth": ["bearer"], "data_classes": ["pii.email"],
    "request_fields": [], "response_fields": [{"in": "body", "path": "mail", "classes": ["pii.email"]}], "count": 3,
}  # fmt: skip


def test_progress_is_kept_and_a_broken_file_is_none(tmp_path: Path) -> None:
    checkpoint = Checkpoint(str(tmp_path / "made"), "a/b name")
    assert checkpoint.read() == Progress()
    checkpoint.write(Progress(10.0, 5.0, 20.0))
    assert checkpoint.read() == Progress(10.0, 5.0, 20.0)
    [path] = (tmp_path / "made").iterdir()
    for broken in ("", "[]", '{"version": 2}', '{"version": 1, "through": "x", "learned": 0}'):
        path.write_text(broken)
        assert checkpoint.read() == Progress()


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
