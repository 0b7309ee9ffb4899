"""Records of Kong and APISIX: whole ones as their versions write them, and any that lack or mangle members."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from apisec.errors import DocumentError
from apisec.model.transaction import Transaction
from apisec_forwarder.receivers import records

FOLDER = Path(__file__).parents[1] / "cases" / "gateways"
KINDS = ("kong", "apisix")
CASES = [(kind, case) for kind in KINDS for case in yaml.safe_load((FOLDER / f"{kind}.yml").read_text("utf-8"))]
# A record without one of these is no transaction.
NEEDED = {
    "kong": (("request", "method"), ("started_at",)),
    "apisix": (("request", "method"), ("start_time",)),
}
Path_ = tuple[str, ...]


def read(record: Any, kind: str) -> Transaction | DocumentError:
    (found,) = records.read(json.dumps(record).encode(), records.FORMATS[kind])
    return found


def told(found: Transaction) -> dict[str, Any]:
    """Return what a case says of a transaction; members that are not there are left out."""
    response = found.response
    facts = {
        "time": found.time, "duration": found.duration, "target": found.request.target, "host": found.request.host,
        "status": response.status if response else None, "request": found.request.body.data.decode(),
        "response": response.body.data.decode() if response else None, "who": found.client.authenticated,
        "address": found.client.address, "tls": found.client.tls_version, "in": found.bytes_in, "out": found.bytes_out,
        "cut": found.request.body.truncated or None, "upstream": found.upstream_time,
    }  # fmt: skip
    return {name: value for name, value in facts.items() if value is not None}


@pytest.mark.parametrize(("kind", "case"), CASES, ids=lambda value: value if isinstance(value, str) else value["name"])
def test_a_record_as_the_gateway_writes_it(kind: str, case: dict[str, Any]) -> None:
    found = read(case["record"], kind)
    assert isinstance(found, Transaction), found
    expected = dict(case["found"])
    assert found.id == expected.pop("id", found.id) != ""
    assert told(found) == expected


def places(value: Any, path: Path_ = ()) -> Iterator[Path_]:
    """Yield the path of every member, objects too."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield (*path, name)
            yield from places(inner, (*path, name))


def changed(record: dict[str, Any], path: Path_, value: Any) -> dict[str, Any]:
    """Return a copy with a member replaced, or gone when ``value`` is ``...``; unchanged where it is gone already."""
    made = copy.deepcopy(record)
    inner: Any = made
    for name in path[:-1]:
        inner = inner.get(name) if isinstance(inner, dict) else None
    if isinstance(inner, dict) and path[-1] in inner:
        if value is ...:
            del inner[path[-1]]
        else:
            inner[path[-1]] = value
    return made


ODD: st.SearchStrategy[Any] = st.sampled_from(
    (..., ..., ..., None, "", 0, -1, 1e300, True, [], {}, "x", [["a", 1]], {"a": {"b": []}})
)


@given(st.data())
def test_members_may_be_missing_and_no_shape_gets_through_unnamed(data: st.DataObject) -> None:
    kind, case = data.draw(st.sampled_from(CASES))
    record = case["record"]
    for path in data.draw(st.lists(st.sampled_from(sorted(places(record))), min_size=1, max_size=6)):
        record = changed(record, path, data.draw(ODD))
    found = read(record, kind)
    if isinstance(found, DocumentError):
        assert str(found).startswith("record[0]: ")
        return
    assert found.request.method
    assert found.request.target


@given(st.data())
def test_what_is_only_missing_costs_nothing_but_itself(data: st.DataObject) -> None:
    kind, case = data.draw(st.sampled_from(CASES))
    record, needed = case["record"], NEEDED[kind]
    optional = [
        path for path in sorted(places(record)) if path not in needed and path not in (("request",), ("request", "uri"))
    ]
    for path in data.draw(st.lists(st.sampled_from(optional), min_size=1, max_size=8)):
        record = changed(record, path, ...)
    found = read(record, kind)
    assert isinstance(found, Transaction), found


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_needed_is_named(kind: str) -> None:
    record = next(case["record"] for of, case in CASES if of == kind)
    for path in NEEDED[kind]:
        found = read(changed(record, path, ...), kind)
        assert isinstance(found, DocumentError)
        assert ".".join(path) in str(found)
