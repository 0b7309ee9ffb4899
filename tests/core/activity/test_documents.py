"""Documents of rows come from anybody: what is no row is refused, and nothing else happens."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apisec.activity import Row
from apisec.errors import DocumentError
from tests.core.activity.events import START, WRONG, damaged, event, field, login, row_of


def full() -> Row:
    """A row with something of everything."""
    return row_of(
        event(
            1.25, object_ids=["order_id=42"], given={"id": 42, "items": [{"id": 7}], "owner_id": "u1"}, user="~user~1~"
        ),
        event(2.5, status=403, object_ids=["order_id=43"], bytes_out=50_000),
        event(3.0, action="blocked"),
        login(4.0, "~pii.email~0000000000000009~", 401),
        event(
            5.0,
            http_method="POST",
            operation="POST /orders",
            given={"id": 99},
            request_fields=[field("note")],
            response_fields=[field("mail", "body", "string", "pii.email")],
            signals=[
                {"family": "sqli", "detector": "injection.sqli", "where": "body.note", "score": 0.9},
                {"family": "answer", "detector": "answer.database_error", "where": "response.body", "score": 0.7},
            ],
        ),
    )


def test_a_document_gives_the_row_back() -> None:
    row = full()
    text = json.dumps(row.to_document())
    again = Row.from_document(json.loads(text))
    assert again.to_document() == row.to_document()
    assert again.key == row.key
    assert (again.first, again.last, again.requests, again.blocked) == (START + 1.25, START + 5.0, 4, 1)
    assert again.steps == row.steps
    assert again.examples == row.examples
    assert again.issued == row.issued
    assert {name: one.objects for name, one in again.operations.items()} == {
        name: one.objects for name, one in row.operations.items()
    }
    assert len(text) < 4000


def test_no_value_of_a_request_or_response_is_in_a_document() -> None:
    text = json.dumps(
        row_of(
            event(1.0, object_ids=["order_id=77123456"], given={"id": "abc-99881", "owner_id": "u-5544332"}),
            login(2.0, "~pii.email~aaaabbbbccccdddd~", 401),
        ).to_document()
    )
    for value in ("77123456", "99881", "5544332", "aaaabbbbccccdddd"):
        assert value not in text


@pytest.mark.parametrize(
    "document", [None, [], "x", 7, {}, {"v": 2}, {"v": 1}, {"v": 1, "p": "a", "n": 1}, {"v": True}]
)
def test_what_is_no_row_is_refused(document: Any) -> None:
    with pytest.raises(DocumentError):
        Row.from_document(document)


@settings(max_examples=250, deadline=None)
@given(WRONG, st.randoms(use_true_random=False))
def test_a_damaged_document_is_refused_or_is_a_row(wrong: Any, chance: random.Random) -> None:
    document = damaged(copy.deepcopy(FULL), wrong, chance)
    try:
        row = Row.from_document(document)
    except DocumentError:
        return
    # What passes is within its bounds, and can be worked with.
    assert len(json.dumps(row.to_document())) < 2 * len(json.dumps(FULL)) + 2000
    row.merge(Row.from_document(document))
    assert row.gaps is not None


FULL = json.loads(json.dumps(full().to_document()))
