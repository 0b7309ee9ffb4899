"""Both engines ask and teach the models of parameters alike, and workers keep them in private files."""

from __future__ import annotations

import json
import random
import stat
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest

from apisec.model.transaction import Body, Client, Request, Response, Transaction
from apisec.parameters import Book
from apisec.parameters.document import dump
from apisec.redaction.keys import KeyRing, Tokenizer
from apisec_forwarder import keys
from apisec_forwarder.pipeline import PipelineSettings, Service
from apisec_forwarder.pipeline.engines import Engine, PureEngine
from apisec_forwarder.pipeline.learning import Learning
from tests.forwarder.test_native import CACHE

native = pytest.importorskip("apisec_forwarder.pipeline.native", exc_type=ImportError)

SETTINGS = PipelineSettings("edge", "DEV", (Service("shop", "commerce", ("shop.example",)),))
JSON = ("content-type", "application/json")
DAY = 86_400.0
WORDS = ["the", "parcel", "did", "not", "arrive", "please", "look", "where", "it", "is", "call", "me", "back", "thanks"]
CODE = "see `SELECT name FROM t WHERE a = 'b'`; then <b>{x}</b> (100 %)"


def transaction(
    number: int, target: str, sent: Any, principal: int, status: int = 200, tenant: str = "north", lang: str = "de"
) -> Transaction:
    data = json.dumps(sent).encode()
    body = Body(data, len(data))
    headers = (
        JSON,
        ("authorization", f"Bearer key-of-principal-{principal:04d}-0123456789abcdef"),
        ("x-tenant", tenant),
        ("x-forwarded-port", "443"),
        ("cookie", f"lang={lang}; sid=0123456789abcdef{principal:04d}"),
    )
    request = Request("POST", target, headers, body, "https", "shop.example")
    answer = Body(b'{"id":7}', 8)
    return Transaction(
        f"t-{number}", number * 600.0, Client("192.0.2.1"), request, Response(status, (JSON,), answer), 12.0
    )


def ordinary(count: int) -> Iterator[Transaction]:
    chance = random.Random(7)
    for number in range(count):
        note = " ".join(chance.choices(WORDS, k=12))
        if chance.random() < 0.4:
            note = f"{note} {CODE}"
        rows = [{"sku": f"SKU-{chance.randrange(9999):04d}", "count": chance.randrange(9)} for _ in range(4)]
        sent = {"note": note, "age": chance.randrange(18, 90), "gift": chance.random() < 0.2, "rows": rows}
        target = (
            f"/orders/{chance.randrange(9999)}/notes?sort={chance.choice(('asc', 'desc'))}&page={chance.randrange(9)}"
        )
        tenant, lang = chance.choice(("north", "south")), chance.choice(("de", "fr", "en"))
        yield transaction(number, target, sent, chance.randrange(40), tenant=tenant, lang=lang)


def engines(every: int = 1) -> tuple[Engine, Engine]:
    tokenizer = Tokenizer(KeyRing.parse(keys.generate()))
    both: tuple[Engine, Engine] = (
        PureEngine(SETTINGS, tokenizer),
        native.NativePipeline(SETTINGS, tokenizer, None, CACHE),
    )
    for one in both:
        one.learn(Book(every=every))
    return both


def book_of(engine: Any) -> Book:
    writer = engine._pipeline.writer if isinstance(engine, PureEngine) else engine.core.writer
    book = writer.book
    assert isinstance(book, Book)
    return book


def asked(target: str, **sent: Any) -> Transaction:
    return beside(target, sent)


def beside(target: str, sent: dict[str, Any], tenant: str = "north", lang: str = "de") -> Transaction:
    document = {"note": "please call", "age": 30, "gift": False, "rows": []} | sent
    return transaction(10**6, target, document, 777, tenant=tenant, lang=lang)


PLAIN = "/orders/7/notes?sort=asc&page=1"
UNUSUAL = {
    "an enumeration": (asked("/orders/7/notes?sort=random&page=1"), "parameter.enum", "query.sort"),
    "a type": (asked("/orders/7/notes?sort=asc&page=one"), "parameter.type", "query.page"),
    "the type of a member": (asked(PLAIN, age="thirty"), "parameter.type", "body.age"),
    "characters": (asked(PLAIN, rows=[{"sku": "SKU-1;2"}]), "parameter.charset", "body.rows[].sku"),
    "a length": (asked(PLAIN, rows=[{"sku": "SKU" * 30}]), "parameter.length", "body.rows[].sku"),
    "a header": (beside(PLAIN, {}, tenant="north|south"), "parameter.charset", "header.x-tenant"),
    "a header of an operation that nobody taught": (
        beside("/invoices?sort=asc", {}, tenant="north" * 20),
        "parameter.length",
        "header.x-tenant",
    ),
    "a cookie": (beside(PLAIN, {}, lang="d/"), "parameter.charset", "cookie.lang"),
}


@pytest.fixture(scope="module")
def taught() -> tuple[Engine, Engine]:
    both = engines()
    for one in ordinary(500):
        for engine in both:
            engine.record(one)
    return both


def test_engines_learn_the_same(taught: tuple[Engine, Engine]) -> None:
    pure, fast = taught
    assert fast.lanes["pure"] == fast.lanes["failed"] == 0
    first, second = dump(book_of(pure)), dump(book_of(fast))
    for document in (first, second):
        document["operations"].sort(key=lambda each: each["operation"])
        for each in document["operations"]:
            for model in each["parameters"].values():
                model["values"] = sorted((model["values"] or {}).items())
    assert first == second
    heads, operation = first["operations"]
    assert {"query.sort", "body.rows[].sku", "body.age", "response.time"} <= set(operation["parameters"])
    assert set(heads["parameters"]) == {"header.x-tenant", "cookie.lang"}  # no proxy's, no session's
    assert all(model["values"] == [] for model in heads["parameters"].values())


@pytest.mark.parametrize("name", sorted(UNUSUAL))
def test_engines_say_the_same_departure(taught: tuple[Engine, Engine], name: str) -> None:
    one, detector, where = UNUSUAL[name]
    first, second = [engine.process(one).get("signals", []) for engine in taught]
    assert first == second
    assert [(s["detector"], s["where"], s["family"]) for s in first] == [(detector, where, "anomaly")]
    assert first[0]["expected"]
    assert first[0]["seen"]


def test_what_is_usual_has_no_signal(taught: tuple[Engine, Engine]) -> None:
    for one in (
        asked(PLAIN),
        beside(PLAIN, {}, tenant="west"),
        asked(PLAIN, rows=[{"sku": "SKU-4711", "count": 1}]),
        asked(f"{PLAIN}&new=a;b"),
    ):
        assert [engine.process(one).get("signals") for engine in taught] == [None, None]


def test_a_payload_is_stronger_where_it_departs(taught: tuple[Engine, Engine]) -> None:
    usual, strange = quote_plus("x' or sleep(5)#"), "/orders/7/notes?page=1&sort="
    for engine in taught:
        new = engine.process(asked(f"/other?sort={usual}"))["signals"]
        known = engine.process(asked(f"{strange}{usual}"))["signals"]
        assert {s["detector"] for s in new} == {s["detector"] for s in known}
        assert (
            min(s["score"] for s in known) > max(s["score"] for s in new if s["detector"] == known[0]["detector"]) - 1
        )
        assert known[0]["score"] >= new[0]["score"]
        assert known[0]["seen"]


def test_workers_share_what_they_learned(tmp_path: Path, taught: tuple[Engine, Engine]) -> None:
    one, other = Learning(tmp_path, "worker-0a"), Learning(tmp_path, "worker-1a")
    one.book = book_of(taught[1])
    one.book.dirty = True
    one.refresh(0.0)
    path = tmp_path / "parameters-worker-0a.json.z"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    other.book.salt = one.book.salt
    other.refresh(0.0)
    assert dump(other.book) == dump(one.book)
    assert other.failures == 0
    text = zlib.decompress(path.read_bytes()).decode()
    assert "SKU" not in text
    assert "parcel" not in text
    assert "asc" not in text.replace("descend", "")
    assert "north" not in text


@pytest.mark.parametrize("content", [b"", b"no zlib", zlib.compress(b"{}"), zlib.compress(b"[" * 100_000)])
def test_a_file_that_cannot_be_read_is_left_out(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "parameters-worker-1a.json.z"
    path.write_bytes(content)
    path.chmod(0o600)
    learning = Learning(tmp_path, "worker-0a")
    learning.refresh(0.0)
    assert learning.failures == 1
    assert not learning.book.tables


def test_a_key_that_changes_leaves_traits_and_forgets_values(taught: tuple[Engine, Engine]) -> None:
    book = Book(b"one", every=1)
    book.merge(book_of(taught[0]))
    before = book.models("shop", "POST /orders/{order_id}/notes")["query.sort"]
    assert before.values
    book.rekey(b"two")
    assert before.values == {}
    assert before.groups
