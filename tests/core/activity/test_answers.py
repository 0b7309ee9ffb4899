"""What an answer means where every answer comes as a success."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict

import pytest
import yaml

from apisec.activity.answers import UNTOLD, meant
from tests.core.activity.events import event, field, row_of

CASES = yaml.safe_load((Path(__file__).parents[2] / "cases/activity/answers.yml").read_text("utf-8"))


@pytest.mark.parametrize("case", CASES, ids=[case["body"][:40] for case in CASES])
def test_an_error_under_success_is_one(case: Dict[str, Any]) -> None:
    assert meant(200, False, case["body"]) == (case["means"] or 200)
    assert meant(418, False, case["body"]) == 418


def test_where_the_body_is_not_shipped_its_fields_tell() -> None:
    errors = [field("errors[].message")]
    assert row_of(event(1.0, response_fields=errors)).operations["GET /orders/{order_id}"].statuses == {UNTOLD: 1}
    nothing = [field("error", "body", "null")]
    assert row_of(event(1.0, response_fields=nothing)).failures == 0


def test_a_row_counts_what_was_meant() -> None:
    row = row_of(event(1.0, given={"error": "unauthorized"}, object_ids=["order_id=7"]))
    (used,) = row.operations.values()
    assert (row.failures, used.statuses, used.objects_refused) == (1, {401: 1}, 1)
    assert row.steps[0].status == 401
    assert row.examples["failure"]
