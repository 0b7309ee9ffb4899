"""Batches over HTTP: what gateways send becomes transactions, and nothing is answered before it is durable."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apisec.errors import DocumentError
from apisec.model.transaction import Body, Transaction
from apisec_forwarder.admin import tokens
from apisec_forwarder.config.reader import Address
from apisec_forwarder.config.receivers import HttpReceiver, Queue
from apisec_forwarder.receivers import documents, records
from apisec_forwarder.receivers.base import Place
from apisec_forwarder.receivers.http import HttpSource
from tests.support.certificates import self_signed
from tests.support.waiting import free_port, until

RECORD = {"time": 1, "request": {"method": "POST", "url": "https://shop.example/a?b=c", "body": "x"}}

# as Kong 3.10 documents it, with the bodies of a pre-function
KONG = {
    "request": {
        "id": "6f1a1b",
        "method": "POST",
        "uri": "/v1/orders?expand=items",
        "url": "https://shop.example:8443/v1/orders?expand=items",
        "querystring": {"expand": "items"},
        "size": "512",
        "headers": {"host": "shop.example", "authorization": "REDACTED", "x-a": ["1", "2"]},
        "tls": {"version": "TLSv1.3", "cipher": "TLS_AES_256_GCM_SHA384"},
        "body": "eyJhIjoxfQ==",
        "body_encoding": "base64",
    },
    "response": {"status": 201, "size": "300", "headers": {"content-type": "application/json"}, "body": "{}"},
    "latencies": {"kong": 3, "proxy": 30, "request": 33, "receive": 0},
    "consumer": {"username": "ada", "id": "c1"},
    "client_ip": "198.51.100.7",
    "started_at": 1767225600123,
}
# as APISIX 3.18 documents it, with include_req_body and include_resp_body
APISIX = {
    "request": {
        "method": "GET",
        "uri": "/get?x=1",
        "url": "http://shop.example:9080/get?x=1",
        "headers": {"host": "shop.example"},
        "querystring": {"x": "1"},
        "size": 120,
    },
    "response": {"status": 200, "size": 700, "headers": {"content-type": "text/plain"}, "body": "hello"},
    "service_id": "",
    "route_id": "1",
    "consumer": {"username": "bob"},
    "client_ip": "198.51.100.8",
    "start_time": 1767225600123,
    "latency": 12.5,
    "upstream_latency": 10,
}


def one(batch: Any, kind: str) -> Transaction:
    data = batch if isinstance(batch, bytes) else json.dumps(batch).encode()
    (found,) = records.read(data, records.FORMATS[kind])
    assert isinstance(found, Transaction), found
    return found


def test_kong() -> None:
    found = one(KONG, "kong")
    assert (found.id, found.time, found.duration) == ("6f1a1b", 1767225600.123, 33.0)
    assert (found.bytes_in, found.bytes_out) == (512, 300)
    request, response = found.request, found.response
    assert (request.method, request.target) == ("POST", "/v1/orders?expand=items")
    assert (request.scheme, request.host, request.body.data) == ("https", "shop.example:8443", b'{"a":1}')
    assert request.headers == (("host", "shop.example"), ("x-a", "1"), ("x-a", "2"))
    assert response is not None
    assert (response.status, response.body.data) == (201, b"{}")
    assert (found.client.address, found.client.tls_version) == ("198.51.100.7", "TLSv1.3")
    assert found.client.authenticated == "ada"


def test_kong_without_an_answer_or_a_consumer() -> None:
    bare = {**KONG, "response": {"size": 0}, "consumer": None, "authenticated_entity": {"id": "k7"}}
    found = one(bare, "kong")
    assert found.response is None
    assert found.client.authenticated == "k7"


def test_apisix() -> None:
    found = one([APISIX], "apisix")
    assert (found.time, found.duration, found.client.authenticated) == (1767225600.123, 12.5, "bob")
    assert (found.request.target, found.request.host, found.request.scheme) == ("/get?x=1", "shop.example:9080", "http")
    assert found.response is not None
    assert found.response.body.data == b"hello"
    assert not found.response.body.truncated


def test_a_body_that_apisix_cut_is_known_as_cut() -> None:
    cut = {**APISIX, "response": {**APISIX["response"], "body": "x" * 524_288}}  # type: ignore[dict-item]
    response = one(cut, "apisix").response
    assert response is not None
    assert response.body.truncated


@pytest.mark.parametrize("kind", ["kong", "apisix"])
@pytest.mark.parametrize(
    ("method", "status", "truncated"), [("POST", 200, True), ("HEAD", 200, False), ("GET", 304, False)]
)
def test_a_body_that_was_not_copied_is_a_gap_that_is_seen(kind: str, method: str, status: int, truncated: bool) -> None:
    record = json.loads(json.dumps(KONG if kind == "kong" else APISIX))
    record["request"] |= {"method": method, "headers": {"content-length": "900"}}
    record["response"] |= {"status": status, "headers": {"content-length": "700"}}
    for part in (record["request"], record["response"]):
        for name in ("body", "body_encoding"):
            part.pop(name, None)
    found = one(record if kind == "kong" else [record], kind)
    assert found.response is not None
    assert (found.request.body.size, found.response.body.truncated) == (900, truncated)


def test_what_kong_s_function_counted_is_the_size() -> None:
    record = json.loads(json.dumps(KONG))
    record["response"] |= {"body": "e30=", "body_encoding": "base64", "body_size": 70_000}
    response = one(record, "kong").response
    assert response is not None
    assert (response.body.data, response.body.size) == (b"{}", 70_000)


@pytest.mark.parametrize(
    ("text", "size", "body"),
    [
        ("4\r\nabcd\r\n2;x=1\r\nef\r\n0\r\n\r\n", None, Body(b"abcdef", 6)),
        ("4\r\nabcd\r\n9\r\nef", 400, Body(b"abcdef", 7)),  # cut: how much is missing is not known
    ],
)
def test_a_copy_that_still_has_chunks(text: str, size: int | None, body: Body) -> None:
    assert documents.body({"body": text, "body_framing": "chunked"}, "request", size) == body


MISSING = [
    ("kong", KONG, "request"),
    ("kong", KONG, "started_at"),
    ("kong", KONG, "request.method"),
    ("apisix", APISIX, "request"),
    ("apisix", APISIX, "start_time"),
    ("apisix", APISIX, "request.method"),
]


@pytest.mark.parametrize(("kind", "record", "missing"), MISSING)
def test_what_is_missing_is_named(kind: str, record: dict[str, Any], missing: str) -> None:
    broken = json.loads(json.dumps(record))
    outer, _, inner = missing.partition(".")
    if inner:
        del broken[outer][inner]
    else:
        del broken[outer]
    (error,) = records.read(json.dumps(broken).encode(), records.FORMATS[kind])
    assert isinstance(error, DocumentError)
    assert f"record[0]: {missing}: is missing" in str(error)


LINE = json.dumps(RECORD).encode()
BATCHES = [
    (LINE, 1, 0),
    (LINE + b"\n" + LINE + b"\n\n", 2, 0),
    (b"[" + LINE + b"," + LINE + b"]", 2, 0),
    (json.dumps(RECORD, indent=2).encode(), 1, 0),
    (b"\xef\xbb\xbf" + LINE, 1, 0),
    (LINE + b"\nnonsense\n" + LINE, 2, 1),
    (b'[1, "a", null, ' + LINE + b"]", 1, 3),
    (b"", 0, 0),
    (b"[", 0, 1),
    (b"[" * 100_000, 0, 1),
    (b'{"a":' * 100_000, 0, 1),
    (b'[{"time": 1, "request": {"method": "GET", "url": "/", "x": ' + b"[" * 5000 + b"]" * 5000 + b"}}]", 0, 1),
    (b'{"time": 1, "request": {"method": "POST", "url": "/", "body": "caf\xe9"}}', 1, 0),
    (b'[{"time": 1, "n": 123456789012345678901234567890, "request": {"method": "GET", "url": "/\\ud800"}}]', 1, 0),
]


@pytest.mark.parametrize(("batch", "good", "bad"), BATCHES)
def test_each_record_goes_its_own_way(batch: bytes, good: int, bad: int) -> None:
    found = list(records.read(batch, records.FORMATS["transactions"]))
    errors = [one for one in found if isinstance(one, DocumentError)]
    assert (len(found) - len(errors), len(errors)) == (good, bad)


def test_bytes_that_are_no_utf8_stay_what_they_were() -> None:
    batch = b'{"time": 1, "request": {"method": "POST", "url": "/", "headers": {"x": "caf\xe9"}, "body": "\xff\xfe"}}'
    for form in (batch, b"[" + batch + b"]"):
        request = one(form, "transactions").request
        assert request.body.data == b"\xff\xfe"
        assert request.headers == (("x", "café"),)


def test_equal_records_are_two_and_the_same_batch_again_is_the_same() -> None:
    batch = LINE + b"\n" + LINE
    ids = [[one.id for one in records.read(batch, records.FORMATS["transactions"])] for _ in range(2)]  # type: ignore[union-attr]
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 2


@given(st.sampled_from(sorted(records.FORMATS)), st.binary(max_size=300))
def test_no_bytes_stop_the_reader(kind: str, batch: bytes) -> None:
    assert all(isinstance(one, (Transaction, DocumentError)) for one in records.read(batch, records.FORMATS[kind]))


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(["kong", "apisix"]), st.data())
def test_any_member_may_be_anything(kind: str, data: st.DataObject) -> None:
    record = json.loads(json.dumps(KONG if kind == "kong" else APISIX))
    holder = data.draw(st.sampled_from([record, record["request"], record["response"]]))
    holder[data.draw(st.sampled_from(sorted(holder)))] = data.draw(JSONS)
    batch = json.dumps(record).encode()
    assert all(isinstance(one, (Transaction, DocumentError)) for one in records.read(batch, records.FORMATS[kind]))


class Client:
    """Sends batches, each in a thread of its own, and keeps the answers."""

    def __init__(self, connect: Any) -> None:
        self._connect = connect
        self.answers: list[tuple[int, Any]] = []

    def post(self, path: str, data: bytes, **headers: str) -> threading.Thread:
        def work() -> None:
            link: http.client.HTTPConnection = self._connect()
            link.request("POST", path, data, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = link.getresponse()
            body = answer.read()
            self.answers.append((answer.status, json.loads(body) if body else None))
            link.close()

        thread = threading.Thread(target=work)
        thread.start()
        return thread

    def refused(self, path: str, data: bytes, **headers: str) -> tuple[int, Any]:
        """Send a batch that is answered without being taken."""
        self.post(path, data, **headers).join(30)
        return self.answers.pop()


@contextmanager
def listening(tmp_path: Path, **settings: Any) -> Iterator[tuple[HttpSource, Client]]:
    port = free_port()
    given = HttpReceiver(**{"listen": Address("127.0.0.1", port), **settings})
    source = HttpSource(given, Place("edge", tmp_path))
    try:
        yield source, Client(lambda: http.client.HTTPConnection("127.0.0.1", port, timeout=30))
    finally:
        source.close()


def read_all(source: HttpSource, count: int) -> list[Transaction]:
    found: list[Transaction] = []

    def enough() -> bool:
        found.extend(source.read())
        return len(found) >= count

    until(enough, 30, "transactions")
    return found


def test_the_answer_waits_until_the_events_are_durable(tmp_path: Path) -> None:
    with listening(tmp_path) as (source, client):
        sending = client.post("/v1/transactions", LINE + b"\n" + LINE + b"\nnonsense")
        assert len(read_all(source, 2)) == 2
        assert client.answers == []
        assert not source.pending()
        source.commit()
        sending.join(30)
        (status, answer), *_ = client.answers
        assert (status, answer["accepted"], answer["rejected"]) == (200, 2, 1)
        assert "record[2]" in answer["errors"][0]
        assert source.counters() == {("transactions_received", ""): 2, ("transactions_skipped", "malformed"): 1}
        assert source.gauges() == {"queue_bytes": 0}


def test_gateways_have_their_paths_and_gzip_is_understood(tmp_path: Path) -> None:
    with listening(tmp_path) as (source, client):
        packed = gzip.compress(json.dumps([KONG, KONG]).encode())
        sending = [client.post("/v1/kong", packed, content_encoding="gzip"), client.post("/v1/apisix", b"[]")]
        assert len(read_all(source, 2)) == 2
        source.commit()
        for one in sending:
            one.join(30)
        assert sorted(status for status, _ in client.answers) == [200, 200]


def test_what_is_refused_is_said_and_counted(tmp_path: Path) -> None:
    with listening(tmp_path, max_bytes=2000) as (source, client):
        bomb = gzip.compress(b"x" * 1_000_000)
        assert client.refused("/v1/transactions", b"x" * 3000)[0] == 413
        assert client.refused("/v1/transactions", bomb, content_encoding="gzip")[0] == 413
        assert client.refused("/v1/transactions", b"no gzip", content_encoding="gzip")[0] == 400
        assert client.refused("/v1/transactions", gzip.compress(LINE)[:-5], content_encoding="gzip")[0] == 400
        assert client.refused("/v1/transactions", LINE, content_encoding="br")[0] == 415
        assert client.refused("/v1/transactions", b"nonsense")[0] == 400
        counts = source.counters()
        assert counts["batches_refused", "too_large"] == 2
        assert counts["batches_refused", "coding"] == 3
        assert source.read() == []


def test_a_full_queue_refuses_at_once_and_takes_again_later(tmp_path: Path) -> None:
    with listening(tmp_path, queue=Queue(bytes=1000)) as (source, client):
        first = client.post("/v1/transactions", LINE * 1 + b" " * 2000)
        until(lambda: source.gauges()["queue_bytes"] > 1000, 30, "the first batch")
        status, answer = client.refused("/v1/transactions", LINE)
        assert (status, answer["error"][:17]) == (503, "the queue is full")
        assert len(read_all(source, 1)) == 1
        source.commit()
        first.join(30)
        again = client.post("/v1/transactions", LINE)
        assert len(read_all(source, 1)) == 1
        source.commit()
        again.join(30)
        assert [status for status, _ in client.answers] == [200, 200]


def test_while_it_drains_nothing_new_is_taken(tmp_path: Path) -> None:
    with listening(tmp_path) as (source, client):
        first = client.post("/v1/transactions", LINE)
        until(source.pending, 30, "the batch")
        source.drain(handover=False)
        assert client.refused("/v1/transactions", LINE)[0] == 503
        assert len(source.read()) == 1
        source.commit()
        first.join(30)
        assert client.answers[0][0] == 200
        assert not source.pending()


def test_a_token_with_the_scope_is_needed(tmp_path: Path) -> None:
    file = tmp_path / "tokens.json"
    good = tokens.add(file, "kong", ["transactions:write"], ["*"])
    other = tokens.add(file, "soar", ["patterns:write"], ["*"])
    with listening(tmp_path, tokens_file=file) as (source, client):
        assert client.refused("/v1/kong", b"[]")[0] == 401
        assert client.refused("/v1/kong", b"[]", authorization="Bearer nothing")[0] == 401
        assert client.refused("/v1/kong", b"[]", authorization=f"Bearer {other}")[0] == 401
        assert client.refused("/v1/kong", b"[]", authorization=f"Bearer {good}")[0] == 200
        assert source.counters()["batches_refused", "unauthorized"] == 3


def test_a_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "http.sock"
    source = HttpSource(HttpReceiver(socket=path), Place("edge", tmp_path))
    try:
        with socket.socket(socket.AF_UNIX) as link:
            link.connect(str(path))
            link.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            assert link.makefile("rb").read().startswith(b"HTTP/1.1 200")
    finally:
        source.close()


def test_mutual_tls(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    tls = {"tls_certificate": certificate, "tls_key": key, "client_ca": certificate}
    with listening(tmp_path, **tls) as (source, client):
        plain = client._connect()
        context = ssl.create_default_context(cafile=certificate)
        stranger = http.client.HTTPSConnection("localhost", plain.port, context=context, timeout=30)

        def ask() -> None:
            stranger.request("GET", "/healthz")
            stranger.getresponse()

        with pytest.raises((ssl.SSLError, ConnectionError)):
            ask()
        stranger.close()
        known = ssl.create_default_context(cafile=certificate)
        known.load_cert_chain(certificate, key)
        link = http.client.HTTPSConnection("localhost", plain.port, context=known, timeout=30)
        link.request("GET", "/healthz")
        assert link.getresponse().status == 200
        link.close()
        assert source.counters().get(("transactions_received", ""), 0) == 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "one of listen and socket"),
        ({"listen": Address("0.0.0.0", 1)}, "in clear"),
        ({"listen": Address("0.0.0.0", 1), "tls_certificate": Path("c"), "tls_key": Path("k")}, "anybody could send"),
        ({"listen": Address("127.0.0.1", 1), "client_ca": Path("c")}, "client_ca needs"),
        ({"listen": Address("127.0.0.1", 1), "tls_key": Path("c")}, "belong together"),
    ],
)
def test_contradictions(settings: dict[str, Any], message: str) -> None:
    assert any(message in text for text in HttpReceiver(**settings).contradictions())
