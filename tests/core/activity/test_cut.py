"""JSON that was cut off is read as far as it goes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apisec.activity.bodies import read_body
from apisec.activity.cut import MAX_OPEN, close_cut

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)
DOCUMENTS = st.lists(VALUES, min_size=1, max_size=5) | st.dictionaries(st.text(max_size=4), VALUES, min_size=1)


@pytest.mark.parametrize(
    ("cut", "closed"),
    [
        ('{"items":[{"id":"a1","total":5},{"id":"b2","to', '{"items":[{"id":"a1","total":5},{"id":"b2"}]}'),
        ('{"items":[{"id":"a1"},{"id":"b2"', '{"items":[{"id":"a1"},{}]}'),  # the last value may go on
        ('[{"note":"a, b} ]","id":7},{"no', '[{"note":"a, b} ]","id":7},{}]'),
        ('[{"note":"she said \\"x,', "[{}]"),
        ('{"id":"a1"', "{}"),
        ('{"a":1} trailing', '{"a":1}'),
        ('{"a":[1,2}', '{"a":[1]}'),
        ("[" * (MAX_OPEN + 1) + "1,2", ""),
        ("", ""),
        ("plain, text", "plain"),
    ],
)
def test_it_is_closed_behind_its_last_whole_value(cut: str, closed: str) -> None:
    assert close_cut(cut) == closed


@given(DOCUMENTS, st.data())
def test_what_is_visible_of_json_is_a_beginning_of_it(document: Any, data: st.DataObject) -> None:
    text = json.dumps(document, separators=(",", ":"))
    closed = close_cut(text[: data.draw(st.integers(0, len(text)))])
    if closed:
        assert begins(json.loads(closed), document)


def begins(part: Any, whole: Any) -> bool:
    """Whether ``part`` is what was read of ``whole`` until it ended."""
    if isinstance(whole, dict) and isinstance(part, dict):
        return all(name in whole and begins(value, whole[name]) for name, value in part.items())
    if isinstance(whole, list) and isinstance(part, list):
        return len(part) <= len(whole) and all(map(begins, part, whole))
    return bool(part == whole)


def test_ids_and_records_before_the_cut_are_given() -> None:
    page = {"orders": [{"orderRef": f"imqlh{letter}", "owner": "u-7"} for letter in "abcdefgh"]}
    text = json.dumps(page)
    whole, cut = read_body(text), read_body(text[:-30])
    assert 0 < len(whole.ids - cut.ids) <= 2  # the last one is gone
    assert cut.ids < whole.ids
    assert cut.listed == whole.listed
    assert whole.records - 1 <= cut.records <= whole.records


def test_what_is_no_json_is_still_read_by_words() -> None:
    assert read_body("{oops order-4711, and").ids == read_body("order-4711").ids != frozenset()


def test_it_is_linear() -> None:
    assert close_cut('{"a":' * 50_000) == '{"a":' * (MAX_OPEN - 1) + "{" + "}" * MAX_OPEN
    assert close_cut('"' * 100_001) == ""
    assert close_cut("[" + '"\\' * 50_000) == ""
