"""Bodies, ETags, media types and problems."""

from __future__ import annotations

from typing import Any, Optional

import pytest

from apisec.http import conditional, documents, negotiation
from apisec.http.problem import Fault, Problem, not_found


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "not JSON"),
        ("", "not JSON"),
        ('{"a": 1, "a": 2}', "stands twice"),
        ("{" + "".join(f'"{n}":1,' for n in range(100_000)) + '"99999":1}', "'99999' stands twice"),
        ('{"a": NaN}', "NaN is not JSON"),
        ('{"a": -Infinity}', "-Infinity is not JSON"),
        ('{"a": 1e999}', "too large"),
        ('{"a": ' + "1" * 5_000 + "}", "5000 digits"),
        ("[" * 33 + "]" * 33, "deeper than 32"),
        ("[" * 100_000, "deeper than 32"),
        ('{"a": "\\ud800"}', "surrogate"),
        ('{"\\udfff": 1}', "surrogate"),
    ],
)
def test_a_body_that_cannot_be_read_says_why(text: str, why: str) -> None:
    with pytest.raises(Problem, match=why) as caught:
        documents.read(text)
    assert caught.value.status == 400


def test_a_body_is_what_it_says() -> None:
    assert documents.read('{"a": ["\\u00e4\\ud83d\\ude00", 1.5, null, true]}') == {"a": ["ä😀", 1.5, None, True]}
    depth = documents.MAX_DEPTH - 1
    assert documents.read("[" * depth + "]" * depth)
    assert documents.canonical({"b": 1, "a": "ä"}) == '{"a":"\\u00e4","b":1}'


ONE, TWO = conditional.etag({"a": 1}), conditional.etag({"a": 2})


def test_an_etag_names_the_content_and_not_its_order() -> None:
    assert conditional.etag({"a": 1, "b": 2}) == conditional.etag({"b": 2, "a": 1})
    assert len({ONE, TWO, conditional.etag("text")}) == 3


@pytest.mark.parametrize(
    ("header", "unchanged"),
    [(ONE, True), (f'"x", W/{ONE}', True), ("*", True), (TWO, False), ("", False), (ONE.strip('"'), False)],
)
def test_a_client_that_has_the_version_is_told_so(header: str, unchanged: bool) -> None:
    assert conditional.unchanged({"if-none-match": header}, ONE) is unchanged


@pytest.mark.parametrize(
    ("headers", "current", "required", "status"),
    [
        ({}, ONE, False, None),
        ({}, ONE, True, 428),
        ({}, None, True, None),  # nothing is overwritten
        ({"if-match": ONE}, ONE, True, None),
        ({"if-match": f"{TWO}, {ONE}"}, ONE, True, None),
        ({"if-match": f"W/{ONE}"}, ONE, True, 412),  # strong comparison
        ({"if-match": TWO}, ONE, True, 412),
        ({"if-match": "*"}, ONE, True, None),
        ({"if-match": "*"}, None, True, 412),
        ({"if-match": ONE}, None, True, 412),
        ({"if-none-match": "*"}, None, True, None),
        ({"if-none-match": "*"}, ONE, True, 412),
        ({"if-none-match": ONE}, ONE, False, 412),
        ({"if-none-match": TWO}, ONE, False, None),
    ],
)
def test_changes_hold_their_conditions(
    headers: Any, current: Optional[str], required: bool, status: Optional[int]
) -> None:
    if status is None:
        conditional.check(headers, current, required=required)
        return
    with pytest.raises(Problem) as caught:
        conditional.check(headers, current, required=required)
    assert caught.value.status == status


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("", True),
        ("*/*", True),
        ("application/json", True),
        ("text/html, application/*;q=0.8", True),
        ("text/html", False),
        ("application/json;q=0", False),
        ("*/*;q=1, application/json;q=0", False),
        ("application/json; q=0.000, */*", False),
        ("APPLICATION/JSON", True),
        (", ,", True),
        ("application/json;q=9", True),  # no quality at all, so it counts as 1
    ],
)
def test_accept(header: str, accepted: bool) -> None:
    assert negotiation.accepts(header, ("application/json; charset=utf-8",)) is accepted


def test_media_types_lose_their_parameters() -> None:
    assert negotiation.media_type(" Application/JSON ; charset=utf-8") == "application/json"


def test_a_problem_says_what_and_what_to_do() -> None:
    problem = Problem(422, "", "d" * 9_999, "r", errors=[Fault("/a", "b")], extra={"refusals": [1]})
    made = problem.document()
    assert (made["title"], made["status"], len(made["detail"])) == ("Unacceptable document", 422, 2_000)
    assert made["errors"] == [{"pointer": "/a", "detail": "b"}]
    assert made["refusals"] == [1]
    assert not_found("x", "y").document() == not_found("x", "y").document()
