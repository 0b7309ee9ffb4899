"""The KV store: queries against a plain reading, accelerations, concurrency, durability, its REST endpoints."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apisec_sandbox.splunkd.kvquery import Selection, bounds, compile_query, encode
from apisec_sandbox.splunkd.kvschema import Schema
from apisec_sandbox.splunkd.kvstore import KvStore, Scope
from apisec_sandbox.splunkd.web import HttpError

PLACE = Scope("app", "things")


@pytest.fixture
def store(tmp_path: Path) -> Any:
    kv = KvStore(tmp_path / "kv.sqlite")
    yield kv
    kv.close()


SCALAR = st.one_of(st.integers(-3, 3), st.sampled_from(["", "a", "b"]), st.booleans(), st.none())
DOCUMENT = st.dictionaries(st.sampled_from(["a", "b", "c"]), SCALAR | st.lists(SCALAR, max_size=3), max_size=3)
CONDITION = st.one_of(
    SCALAR,
    st.dictionaries(st.sampled_from(["$gt", "$gte", "$lt", "$lte", "$ne"]), SCALAR, min_size=1, max_size=2),
)
FIELDS = st.dictionaries(st.sampled_from(["a", "b", "c"]), CONDITION, min_size=1, max_size=2)
QUERY = st.recursive(
    FIELDS,
    lambda inner: (
        st.dictionaries(st.sampled_from(["$and", "$or"]), st.lists(inner, min_size=1, max_size=2), min_size=1)
        | inner.map(lambda query: {"$not": query})
    ),
    max_leaves=4,
)


@settings(max_examples=80, deadline=None)
@given(st.lists(DOCUMENT, max_size=12), QUERY)
def test_an_acceleration_changes_no_answer(
    tmp_path_factory: pytest.TempPathFactory, documents: list[dict[str, Any]], query: dict[str, Any]
) -> None:
    kv = KvStore(tmp_path_factory.mktemp("kv") / "kv.sqlite")
    try:
        kv.save(PLACE, documents)
        selection = Selection.parse({"query": json.dumps(query)})
        plain = kv.find(PLACE, selection)
        kv.accelerate("app", "things", ["a", "b"])
        assert kv.find(PLACE, selection) == plain
        assert plain == [document for document in kv.documents(PLACE) if compile_query(query)(document)]
    finally:
        kv.close()


def test_the_conditions_that_an_index_may_use() -> None:
    query = {"a": 1, "$or": [{"b": 2}], "$not": {"c": 3}, "$and": [{"d": {"$gt": "x", "$ne": 4}}], "e": None}
    assert [(bound.field, bound.operator, bound.value) for bound in bounds(query)] == [("a", "=", 1), ("d", ">", "x")]


def test_an_accelerated_field_is_found_without_a_scan(store: KvStore) -> None:
    rows = [{"_key": f"{n:06d}", "n": n, "group": n % 150} for n in range(30_000)]
    for start in range(0, len(rows), 1000):
        store.save(PLACE, rows[start : start + 1000])
    selection = Selection.parse({"query": '{"group": 7, "n": {"$gte": 15000}}'})
    scan = time.process_time()
    expected = store.find(PLACE, selection)
    scan = time.process_time() - scan
    store.accelerate("app", "things", ["group", "n"])
    seek = time.process_time()
    assert store.find(PLACE, selection) == expected
    seek = time.process_time() - seek
    assert len(expected) == 100
    assert seek < scan / 10
    assert store.find(PLACE, Selection.parse({"query": '{"_key": "000042"}'}))[0]["n"] == 42


def test_entries_follow_changes(store: KvStore) -> None:
    store.accelerate("app", "things", ["a"])
    key = store.insert(PLACE, {"a": ["x", "y"]})

    def found(value: str) -> list[str]:
        return [row["_key"] for row in store.find(PLACE, Selection.parse({"query": json.dumps({"a": value})}))]

    assert found("y") == [key]
    store.replace(PLACE, key, {"a": "z"})
    assert (found("y"), found("z")) == ([], [key])
    store.save(PLACE, [{"_key": key, "a": "w"}])
    assert (found("z"), found("w")) == ([], [key])
    store.delete(PLACE, [key])
    assert found("w") == []


def test_sort_fields_skip_and_limit(store: KvStore) -> None:
    store.save(PLACE, [{"_key": k, "a": a, "b": {"c": c}} for k, a, c in (("1", 2, "x"), ("2", 1, "y"), ("3", 2, "a"))])

    def keys(**params: str) -> list[str]:
        return [row["_key"] for row in store.find(PLACE, Selection.parse(params))]

    assert keys(sort="a:-1,b.c:1") == ["3", "1", "2"]
    assert keys(sort="a", skip="1", limit="1") == ["1"]
    assert store.find(PLACE, Selection.parse({"fields": "b.c,_key:0", "limit": "1"})) == [{"b": {"c": "x"}}]
    assert store.find(PLACE, Selection.parse({"fields": "b:0,_user:0", "limit": "1"})) == [{"_key": "1", "a": 2}]
    for bad in ({"fields": "a:1,b:0"}, {"sort": "a:2"}, {"skip": "-1"}, {"limit": "x"}, {"query": "{"}):
        with pytest.raises(HttpError):
            Selection.parse(bad)


def test_shared_reads_nobodys_too(store: KvStore) -> None:
    store.insert(PLACE, {"_key": "k", "whose": "all"})
    mine = Scope("app", "things", "ann")
    store.insert(mine, {"_key": "k", "whose": "ann"})
    assert [row["whose"] for row in store.find(mine, Selection())] == ["ann"]
    assert {row["whose"] for row in store.find(mine, Selection(), shared=True)} == {"ann", "all"}
    with pytest.raises(HttpError, match="same key and user"):
        store.insert(mine, {"_key": "k"})


def test_hostile_documents_and_queries(store: KvStore) -> None:
    deep: Any = 1
    for _ in range(150):
        deep = [deep]
    for bad in ({"$set": 1}, {"x": deep}, {"_key": "k" * 2000}, {"_key": "\ud800"}, {"x": "y" * (17 << 20)}):
        with pytest.raises(HttpError) as caught:
            store.insert(PLACE, bad)
        assert caught.value.status == 400
    key = store.insert(PLACE, {"a": "\ud800"})
    assert store.get(PLACE, key) == {"a": "\ud800", "_key": key, "_user": "nobody"}
    query: Any = {"a": 1}
    for _ in range(60):
        query = {"$not": query}
    with pytest.raises(HttpError, match="nested deeper"):
        compile_query(query)
    with pytest.raises(HttpError, match="more than"):
        compile_query({"$or": [{"a": n} for n in range(20_000)]})
    assert len(encode([{"x": "y" * 1_000_000}] * 60)) < 51 << 20


def test_types_convert_and_are_enforced() -> None:
    settings_ = {"field.n": "number", "field.t": "bool", "field.s": "string", "field.net": "cidr", "field.l": "array"}
    loose = Schema.of(settings_ | {"accelerated_fields.x": '{"n": 1, "s": -1}', "accelerated_fields.y": "{bad"})
    assert loose.accelerated == ("n", "s")
    given_ = {"n": "12", "t": "true", "s": 3, "net": "10.0.0.0/8", "l": [1], "free": {"a": 1}}
    assert loose.conform(given_) == {**given_, "n": 12, "t": True, "s": "3"}
    assert loose.conform({"n": "many", "net": "here", "l": "x", "s": "kept"}) == {"s": "kept"}
    with pytest.raises(HttpError, match="'n' is no number"):
        Schema.of(settings_ | {"enforceTypes": "true"}).conform({"n": "many"})


def test_writers_at_the_same_time_lose_nothing(store: KvStore) -> None:
    store.accelerate("app", "things", ["w"])

    def write(worker: int) -> None:
        for number in range(50):
            store.insert(PLACE, {"w": worker, "n": number})

    threads = [threading.Thread(target=write, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(store.documents(PLACE))) == 400
    assert len(store.find(PLACE, Selection.parse({"query": '{"w": 3}'}))) == 50


def _write_until_killed(path: str, progress: Any) -> None:
    kv = KvStore(Path(path))
    for number in range(100_000):
        kv.save(PLACE, [{"_key": f"{number}-{part}"} for part in range(3)])
        progress.value = number + 1


def test_what_was_answered_survives_a_kill(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    progress = context.Value("i", 0)
    path = tmp_path / "kv.sqlite"
    process = context.Process(target=_write_until_killed, args=(str(path), progress))
    process.start()
    deadline = time.monotonic() + 20
    while progress.value < 20 and time.monotonic() < deadline:
        time.sleep(0.005)
    assert process.pid
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    kv = KvStore(path)
    held = {document["_key"] for document in kv.documents(PLACE)}
    kv.close()
    assert progress.value >= 20
    assert {f"{number}-{part}" for number in range(progress.value) for part in range(3)} <= held
    assert len(held) % 3 == 0  # a batch is there as a whole or not at all


def test_a_store_of_the_first_version_is_taken_over(tmp_path: Path) -> None:
    import sqlite3

    path = tmp_path / "kv.sqlite"
    old = sqlite3.connect(path)
    old.execute("CREATE TABLE documents (app, collection, owner, key, body, PRIMARY KEY (app, collection, owner, key))")
    old.execute("""INSERT INTO documents VALUES ('app', 'things', 'nobody', 'k', '{"_key": "k", "a": 1}')""")
    old.commit()
    old.close()
    kv = KvStore(path)
    kv.accelerate("app", "things", ["a"])
    assert kv.find(PLACE, Selection.parse({"query": '{"a": 1}'})) == [{"_key": "k", "a": 1}]
    kv.close()
