"""Values of bodies that are no whole JSON, and what of messages was not looked at."""

from __future__ import annotations

import json
from typing import Any, Dict, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apisec.endpoints.inventory.bodies import MAX_DECODED, MAX_VALUES, read_cut, read_other
from apisec.endpoints.inventory.messages import partial
from tests.core.inventory.events import event, learned, principal

FORM, XML = "application/x-www-form-urlencoded", "text/xml"
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text('ab,"\\{}[]:', max_size=6)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text('ab,"}', max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1, "b": [1, 2, {"c": "x', {"a": 1, "b": [1, 2]}),
        ('{"a": {"b": 1}, "c": "x, y, ', {"a": {"b": 1}}),
        ('[{"a": 1}, {"a": 2}, {"a', [{"a": 1}, {"a": 2}]),
        ('["a, b", "c', ["a, b"]),
        ('["a \\", b", "c', ['a ", b']),
        ('{"a": "long', None),
        ('{"a, b": "long', None),
        ("[1, 2}, 3", None),
        ("[" * 600 + "1, 2", None),
        ("", None),
    ],
)
def test_json_that_was_cut(text: str, value: Any) -> None:
    assert read_cut(text) == value


def within(part: Any, whole: Any) -> bool:
    """Return whether a value is the beginning of another."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(name in whole and within(inner, whole[name]) for name, inner in part.items())
    if isinstance(part, list) and isinstance(whole, list):
        return len(part) <= len(whole) and all(within(one, whole[at]) for at, one in enumerate(part))
    return type(part) is type(whole) and bool(part == whole)


@given(VALUES.filter(lambda value: isinstance(value, (list, dict))), st.floats(0, 1))
def test_what_is_read_of_a_cut_text_stood_in_the_whole(value: Any, share: float) -> None:
    text = json.dumps(value)
    found = read_cut(text[: int(len(text) * share)])
    assert found is None or within(found, value)


def test_forms_and_xml_have_the_names_that_the_forwarder_lists() -> None:
    form = "user%5Bage%5D=42&state=OPEN&on=true"
    assert read_other(form, FORM) == [("user.age", 42), ("state", "OPEN"), ("on", True)]
    order = "<order id='7'><line><sku>A-1</sku><count>2</count></line></order>"
    found = {path.rpartition(".")[2]: value for path, value in read_other(order, "application/soap+xml")}
    assert found == {"@id": 7, "sku": "A-1", "count": 2}


@pytest.mark.parametrize("media_type", ["", "text/plain", "multipart/form-data", "application/grpc", "text/xmlish"])
def test_other_bodies_are_not_guessed_at(media_type: str) -> None:
    assert read_other("a=1&b=2", media_type) == []
    assert read_other("<a>1</a>", media_type) == []


@pytest.mark.parametrize(
    "text", ["<a><b>1</b>" * 2000, "<a" * 3000, "&=" * 9000, "a=1&" * 9000, "<!DOCTYPE a [" + "<" * 500]
)
def test_hostile_texts_are_read_in_bounds(text: str) -> None:
    for media_type in (FORM, XML):
        assert len(read_other(text, media_type)) <= MAX_VALUES


def test_a_long_form_is_read_up_to_a_bound() -> None:
    text = "&".join(f"name{n}={'v' * 100}" for n in range(100))
    assert len(text) > MAX_DECODED
    found = read_other(text, FORM)
    assert found[0] == ("name0", "v" * 100)
    assert 0 < len(found) < 100


def shapes(side: str, **changes: Any) -> Dict[str, Dict[str, Any]]:
    inventory = learned([event(principal=principal(n), http_method="POST", **changes) for n in range(60)])
    (row,) = inventory.rows()
    return {field["path"]: field for field in row[side] if field["in"] == "body"}


def test_fields_of_forms_and_of_cut_bodies_have_shapes() -> None:
    fields = [{"path": name, "in": "body", "type": "string"} for name in ("state", "count")]
    form = {"request_fields": fields, "request_body": "state=OPEN&count=7"}
    found = shapes("request_fields", **form, request_content_type=FORM)
    assert found["state"]["values"] == ["OPEN"]
    assert found["count"]["range"] == [7, 7]
    assert found == shapes("request_fields", **form)  # known by its look
    cut = {"response_fields": fields, "response_body": '{"count": 7, "state": "OPEN", "more": "abc'}
    assert shapes("response_fields", **cut)["state"]["values"] == ["OPEN"]


def test_the_media_type_of_requests_is_known() -> None:
    (row,) = learned([event(request_content_type="application/vnd.shop.v2+json", request_body=None)]).rows()
    assert row["request_content_types"] == ["application/vnd.shop.v2+json"]
    assert row["versions"] == ["v2"]


@pytest.mark.parametrize(
    ("reasons", "found"),
    [
        (None, (0, 0)),
        ([], (0, 0)),
        (["request.body: not JSON"], (1, 0)),
        (["response.body: the first 9 of 90 bytes"], (0, 1)),
        (["transaction: analysis failed"], (1, 1)),
        (["request_fields: the first 500 of 600 fields", "response_fields: x"], (1, 1)),
        (["response_body: shown up to character 9 of 90"], (0, 0)),
        ("request.target: longer than 65536 characters", (1, 0)),
        ([7, {}], (0, 0)),
    ],
)
def test_what_was_not_looked_at_whole_is_counted(reasons: Any, found: Tuple[int, int]) -> None:
    assert partial(reasons) == found
    ((_, stats),) = learned([event(coverage_reasons=reasons), event()]).items()
    assert (stats.request.partial, stats.responses["200"].partial) == found
