"""Overrides in the KV store: one row a selector, refused by core's rules, exchanged as a whole by a bundle."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest
from apisec_app.connection import connect
from apisec_app.kvstore import Collection
from apisec_app.overrides import OVERRIDES, OverrideStore, key_of

from apisec.errors import DocumentError
from tests.support.splunk import Splunk

NOW = 1_790_000_000.0
REF = {"service": "shop", "path": "customer.*.ref", "class": "pii.name", "reason": "holds initials"}
CODE = {"service": "shop", "path": "items[].code", "in": "body", "class": "none", "reason": "article codes"}


class Memory:
    """A collection in memory, with the methods that the store calls."""

    def __init__(self) -> None:
        self.held: dict[str, dict[str, Any]] = {}

    def load(self, query: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        wanted = [one["service"] for one in query["$or"]] if query else None
        return [one for _, one in sorted(self.held.items()) if wanted is None or one.get("service") in wanted]

    def get(self, key: str) -> dict[str, Any] | None:
        return self.held.get(key)

    def save(self, documents: list[dict[str, Any]]) -> None:
        self.held.update({one["_key"]: json.loads(json.dumps(one)) for one in documents})

    def delete(self, key: str) -> None:
        del self.held[key]

    def delete_all(self, keys: list[str]) -> None:
        for key in keys:
            del self.held[key]


@pytest.fixture
def memory() -> Memory:
    return Memory()


def test_an_override_is_stored_with_who_said_it_and_decides(memory: Memory) -> None:
    row = OverrideStore(memory).put({**REF, "author": "mallory"}, "ada", NOW)

    assert row["author"] == "ada"
    assert (row["created"], row["updated"]) == (NOW, NOW)
    assert row["_key"] == key_of(REF)
    assert OverrideStore(memory).load().find("shop", "GET /x", "body", "customer.7.ref") == "pii.name"


def test_a_second_word_about_the_same_fields_takes_the_place_of_the_first(memory: Memory) -> None:
    store = OverrideStore(memory)
    store.put(REF, "ada", NOW)

    store.put({**REF, "class": "pii.email"}, "bob", NOW + 5)

    (row,) = store.rows()
    assert (row["class"], row["author"], row["created"], row["updated"]) == ("pii.email", "bob", NOW, NOW + 5)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({**REF, "class": "pii.nam"}, "did you mean 'pii.name'"),
        ({**REF, "reason": ""}, "reason"),
        ({**REF, "colour": "red"}, "unknown key"),
        ({**REF, "path": "**", "class": "none"}, "names no field"),
    ],
)
def test_what_core_refuses_is_not_stored(memory: Memory, entry: dict[str, Any], message: str) -> None:
    with pytest.raises(DocumentError, match=message):
        OverrideStore(memory).put(entry, "ada", NOW)

    assert not memory.held


def test_a_tie_names_the_row_and_is_not_stored(memory: Memory) -> None:
    store = OverrideStore(memory)
    store.put({**REF, "path": "a.*.ref"}, "ada", NOW)

    with pytest.raises(DocumentError, match="as specific as"):
        store.put({**REF, "path": "*.b.ref", "class": "pii.email"}, "ada", NOW)

    assert len(memory.held) == 1


def test_a_damaged_row_is_named_and_hides_no_other(memory: Memory) -> None:
    store = OverrideStore(memory)
    store.put(REF, "ada", NOW)
    bad = store.put(CODE, "ada", NOW)["_key"]
    memory.held[bad]["class"] = "nonsense"

    found, problems = store.readable()

    assert len(found) == 1
    assert bad in problems[0]
    with pytest.raises(DocumentError, match=bad):
        store.load()


def test_what_expired_does_not_count_on_that_day(memory: Memory) -> None:
    store = OverrideStore(memory)
    store.put({**REF, "expires": "2027-01-01"}, "ada", NOW)

    assert len(store.load(today=datetime.date(2026, 12, 31))) == 1
    assert len(store.load(today=datetime.date(2027, 1, 1))) == 0


def test_one_service_reads_its_own_rows_and_those_for_all(memory: Memory) -> None:
    store = OverrideStore(memory)
    for service in ("shop", "pay", "*"):
        store.put({**REF, "service": service}, "ada", NOW)

    assert [row["service"] for row in store.rows(["shop"])] == ["*", "shop"]
    assert store.load(["pay"]).find("shop", "GET /", "body", "customer.1.ref") == "pii.name"  # that of every service


def test_a_bundle_replaces_the_overrides_of_its_service_and_of_no_other(memory: Memory) -> None:
    store = OverrideStore(memory)
    store.put(REF, "ada", NOW)
    store.put({**REF, "service": "pay"}, "ada", NOW)

    made = store.replace("shop", [CODE], author="release", now=NOW + 1, bundle="sha256:1")
    again = store.replace("shop", [CODE], author="release", now=NOW + 9, bundle="sha256:1")

    assert made == again
    assert [(row["service"], row["path"], row.get("bundle")) for row in store.rows()] == [
        ("pay", "customer.*.ref", None),
        ("shop", "items[].code", "sha256:1"),
    ]
    assert made[0]["author"] == "release"


def test_a_bundle_that_disagrees_with_itself_changes_nothing(memory: Memory) -> None:
    store = OverrideStore(memory)
    store.put(CODE, "ada", NOW)
    tied = [{**REF, "path": "a.*.ref"}, {**REF, "path": "*.b.ref", "class": "pii.email"}]

    with pytest.raises(DocumentError, match="as specific as"):
        store.replace("shop", tied, author="release", now=NOW, bundle="sha256:2")

    assert [row["path"] for row in store.rows()] == ["items[].code"]


def test_rows_that_are_kept_survive_a_bundle_unless_it_speaks_of_the_same_fields(memory: Memory) -> None:
    store = OverrideStore(memory)
    store.put({**REF, "operation": "GET /theirs"}, "eve", NOW)
    store.put({**CODE, "class": "fin.tax_id"}, "eve", NOW)

    store.replace("shop", [CODE], author="release", now=NOW, keep=lambda row: row["author"] == "eve")

    assert [(row["path"], row["author"]) for row in store.rows()] == [
        ("customer.*.ref", "eve"),
        ("items[].code", "release"),
    ]


def test_a_removed_override_is_given_back(memory: Memory) -> None:
    store = OverrideStore(memory)
    key = store.put(REF, "ada", NOW)["_key"]

    assert store.delete(key)["path"] == "customer.*.ref"  # type: ignore[index]
    assert store.delete(key) is None
    assert store.rows() == []


def test_the_kv_store_takes_what_it_needs(splunk: Splunk) -> None:
    target = splunk.rest.target
    service = connect(target.url, splunk.rest.session_key)
    store, name = OverrideStore(Collection(service, OVERRIDES)), splunk.own("shop")
    splunk.undo(lambda: store.replace(name, [], author="test", now=NOW))

    store.replace(name, [REF, CODE], author="ada", now=NOW)
    store.delete(key_of({**CODE, "service": name}))

    assert [row["path"] for row in store.rows([name]) if row["service"] == name] == ["customer.*.ref"]
