"""The management port as a network server: clients that are slow, wrong, or too much."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from apisec_sandbox.splunkd import streaming, web
from apisec_sandbox.splunkd.atom import Entry
from apisec_sandbox.splunkd.rest.filters import compile_search, ordered
from apisec_sandbox.splunkd.server import Addresses, Splunkd
from apisec_sandbox.splunkd.web import HttpError

Splunk = tuple[Splunkd, Addresses]


@contextlib.contextmanager
def raw(addresses: Addresses) -> Iterator[socket.socket]:
    host, _, port = addresses.mgmt.partition("://")[2].partition(":")
    with socket.create_connection((host, int(port)), timeout=20) as sock:
        yield sock


def answer(sock: socket.socket) -> bytes:
    pieces = []
    with contextlib.suppress(ConnectionResetError):
        while piece := sock.recv(65536):
            pieces.append(piece)
    return b"".join(pieces)


def key(splunk: Splunk) -> str:
    return splunk[0].users.open_session("admin").key


def test_a_request_in_pieces_is_one_request(splunk: Splunk) -> None:
    head = f"POST /services/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Splunk {key(splunk)}\r\n"
    body = b"name=slow&value=client"
    with raw(splunk[1]) as sock:
        for byte in head.encode() + f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body:
            sock.send(bytes([byte]))
        assert answer(sock).startswith(b"HTTP/1.1 201 ")
    assert splunk[0].messages["slow"][1] == "client"


@pytest.mark.parametrize(
    "text",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /services/%zz%00%ff HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"POST /services/receivers/stream HTTP/1.1\r\nX-Splunk-Input-Mode: Streaming\r\n\r\nno session\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_nonsense_is_refused_and_harms_nobody(splunk: Splunk, text: bytes) -> None:
    with raw(splunk[1]) as sock:
        sock.send(text)
        sock.shutdown(socket.SHUT_WR)
        assert not answer(sock).startswith(b"HTTP/1.1 200")
    with requests.Session() as client:
        client.trust_env = False
        assert client.get(splunk[1].mgmt + "/services/server/info", timeout=10).status_code == 401


def test_a_head_without_end_is_cut_off(splunk: Splunk) -> None:
    with raw(splunk[1]) as sock:
        sock.send(b"GET / HTTP/1.1\r\n")
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for number in range(200):
                sock.send(b"X-%d: " % number + b"a" * 4096 + b"\r\n")
        assert answer(sock)[:12] in (b"", b"HTTP/1.1 431", b"HTTP/1.1 400")


def test_a_connection_that_says_nothing_is_closed(splunk: Splunk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "HEAD_SECONDS", 0.2)
    with raw(splunk[1]) as sock:
        sock.send(b"POST /services/messages HTTP/1.1\r\n")
        assert answer(sock) == b""


def test_a_body_that_does_not_come_is_not_waited_for(splunk: Splunk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "BODY_SECONDS", 0.2)
    with raw(splunk[1]) as sock:
        sock.send(b"POST /services/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nname=never")
        assert answer(sock).startswith(b"HTTP/1.1 408 ")
    assert "never" not in splunk[0].messages


def test_half_a_body_is_no_request(splunk: Splunk) -> None:
    head = f"POST /services/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Splunk {key(splunk)}\r\n"
    with raw(splunk[1]) as sock:
        sock.send(head.encode() + b"Content-Length: 100\r\n\r\nname=half&value=x")
    with raw(splunk[1]) as sock:  # once this one is answered the other has been seen
        sock.send(head.replace("POST", "GET").encode() + b"Connection: close\r\n\r\n")
        answer(sock)
    assert "half" not in splunk[0].messages


def test_an_oversized_body_is_refused_before_it_is_read(splunk: Splunk) -> None:
    head = f"POST /services/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Splunk {key(splunk)}\r\n"
    with raw(splunk[1]) as sock:
        sock.send(head.encode() + b"Content-Length: 99999999999\r\nConnection: close\r\n\r\n")
        assert answer(sock).startswith(b"HTTP/1.1 413 ")


def test_many_clients_at_once_are_all_answered(splunk: Splunk) -> None:
    session = key(splunk)

    def ask(number: int) -> int:
        with requests.Session() as client:
            client.trust_env = False
            headers = {"authorization": f"Splunk {session}"}
            url = splunk[1].mgmt + "/services/messages"
            return client.post(url, data={"name": f"m{number}", "value": "x"}, headers=headers, timeout=30).status_code

    with ThreadPoolExecutor(40) as pool:
        assert list(pool.map(ask, range(120))) == [201] * 120
    assert len(splunk[0].messages) == 120


def test_open_connections_do_not_hold_up_the_end(splunk: Splunk) -> None:
    with raw(splunk[1]) as idle, raw(splunk[1]) as half:
        half.send(b"POST /services/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nna")
        started = time.monotonic()
        closer = threading.Thread(target=splunk[0]._servers.stop if splunk[0]._servers else lambda: None)
        closer.start()
        closer.join(20)
        assert not closer.is_alive()
        assert time.monotonic() - started < 15
        idle.settimeout(5)


# Listings


def entry(name: str, **content: object) -> Entry:
    return Entry(name, content)


@given(st.text(max_size=40))
@settings(max_examples=200, deadline=None)
def test_any_filter_is_a_test_or_a_refusal(text: str) -> None:
    with contextlib.suppress(HttpError):
        assert compile_search(text)(entry("a b", x="1")) in (True, False)


@given(st.lists(st.one_of(st.integers(-5, 5).map(str), st.sampled_from(["a", "B", "b", ""])), max_size=8))
def test_any_order_keeps_every_entry_and_turns_round(values: list[str]) -> None:
    entries = [entry(str(number), x=value) for number, value in enumerate(values)]
    for mode in ("auto", "alpha", "alpha_case", "num"):
        rising = [item.content["x"] for item in ordered(entries, "x", mode, descending=False)]
        falling = [item.content["x"] for item in ordered(entries, "x", mode, descending=True)]
        assert sorted(rising) == sorted(values)
        if mode == "alpha_case":
            assert falling == rising[::-1] == sorted(values, reverse=True)


def test_json_carries_what_xml_cannot() -> None:
    from apisec_sandbox.splunkd.atom import Feed, feed_reply

    feed = Feed(
        "t", [entry("a\x00b", text="\x01<&", flag=True, none=None, many=["x", 2], held={"k": 1.5})], "/services/t"
    )
    assert json.loads(feed_reply(feed, as_json=True).body)["entry"][0]["content"]["text"] == "\x01<&"
    body = feed_reply(feed, as_json=False).body.decode()
    assert '<s:key name="text"> &lt;&amp;</s:key>' in body
    assert '<s:key name="flag">1</s:key>' in body
