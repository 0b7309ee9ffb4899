"""Lists in pages: every row once, in order, whatever comes and goes in between."""

from __future__ import annotations

import base64
import json
from typing import Any, Dict, List

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apisec.http import paging
from apisec.http.problem import Problem
from apisec.http.schema import faults

VALUES = st.one_of(st.none(), st.integers(-3, 3), st.floats(-2, 2), st.text(max_size=2), st.lists(st.integers()))
ROWS = st.lists(VALUES, max_size=40).map(lambda values: [{"id": f"k{i}", "v": v} for i, v in enumerate(values)])


def ask(rows: List[Dict[str, Any]], sort: str, limit: int, cursor: Any = None) -> Dict[str, Any]:
    return paging.page(rows, {"limit": limit, "sort": sort, "cursor": cursor})


def pages(rows: List[Dict[str, Any]], sort: str, limit: int) -> List[List[Any]]:
    found, cursor = [], None
    while True:
        page = json.loads(json.dumps(ask(rows, sort, limit, cursor)))
        found.append([row["id"] for row in page["items"]])
        cursor = page["next"]
        if cursor is None:
            return found
        assert len(page["items"]) == limit
        assert len(cursor) <= paging.MAX_CURSOR


@settings(max_examples=60, deadline=None)
@given(ROWS, st.sampled_from(["v", "-v", "id", "-id"]), st.integers(1, 7))
def test_pages_hold_each_row_once_and_in_order(rows: List[Dict[str, Any]], sort: str, limit: int) -> None:
    found = pages(rows, sort, limit)
    whole = ask(rows, sort, 1000)["items"]
    assert [key for page in found for key in page] == [row["id"] for row in whole]
    ranks = [paging.rank(row[sort.lstrip("-")]) for row in whole]
    assert ranks == sorted(ranks, reverse=sort.startswith("-"))


@settings(max_examples=40, deadline=None)
@given(ROWS.filter(lambda rows: len(rows) > 3), st.sampled_from(["v", "-v"]), st.data())
def test_rows_that_stay_are_shown_once_while_others_come_and_go(rows: Any, sort: str, data: st.DataObject) -> None:
    first = ask(rows, sort, 2)
    gone = data.draw(st.sets(st.sampled_from([row["id"] for row in rows])))
    after = [row for row in rows if row["id"] not in gone] + [{"id": "new", "v": data.draw(VALUES)}]
    rest = ask(after, sort, 1000, first["next"])["items"]
    shown = [row["id"] for row in (*first["items"], *rest)]
    assert len(shown) == len(set(shown))
    assert {row["id"] for row in rows} - gone <= set(shown)


@pytest.mark.parametrize("sort", ["id", "-id", "v"])
@pytest.mark.parametrize("word", ["a", "ä", "字"])
def test_the_longest_keys_that_traffic_makes_lead_to_the_next_page(sort: str, word: str) -> None:
    """Names of a service and an operation, of 512 characters each."""
    keys = [f"{word * 512}|{word * 511}{n}" for n in range(3)]
    rows = [{"id": key, "v": key} for key in keys]
    cursor = next(one.schema for one in paging.parameters(("id", "v"), "id") if one.name == "cursor")
    first = ask(rows, sort, 1)
    assert faults(first["next"], cursor, {}) == []
    assert {row["id"] for row in (*first["items"], *ask(rows, sort, 9, first["next"])["items"])} == set(keys)


def test_values_with_an_order_of_their_own_are_sorted_by_it() -> None:
    order = ["public", "internal", "restricted"]
    rows = [{"id": str(n), "v": order[n % 3]} for n in range(7)]
    query = {"limit": 2, "sort": "-v", "cursor": None}
    found: List[str] = []
    while True:
        page = paging.page(rows, query, ranks={"v": order.index})
        found += [row["v"] for row in page["items"]]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert found == ["restricted"] * 2 + ["internal"] * 2 + ["public"] * 3


def forged(*parts: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "AAAA",
        forged(),
        forged("v", 9, 1, "k"),
        forged("v", 1, "x", "k"),
        forged("v", 1, [1], "k"),
        forged("v", [], 1, "k"),
        forged("-v", 1, 1, "k"),
        base64.urlsafe_b64encode(b'["v",1,1' + b"0" * 400 + b',"k"]').decode(),
        base64.urlsafe_b64encode(b"[" * 600).decode(),
    ],
)
def test_a_cursor_that_is_none_is_refused(cursor: str) -> None:
    with pytest.raises(Problem) as caught:
        ask([{"id": "k", "v": 1}], "v", 1, cursor)
    assert (caught.value.status, caught.value.errors[0].pointer) == (422, "query/cursor")


def test_filters_take_values_lists_and_truth() -> None:
    rows: List[Dict[str, Any]] = [{"a": "x", "l": ["p", "q"], "b": True}, {"a": "y", "l": [], "b": False}, {"a": None}]
    assert paging.filtered(rows, {"a": "x"}, ("a",)) == rows[:1]
    assert paging.filtered(rows, {"l": "q"}, ("l",)) == rows[:1]
    assert paging.filtered(rows, {"b": False}, ("b",)) == rows[1:]
    assert paging.filtered(rows, {"a": None, "c": "x"}, ("a",)) == rows
