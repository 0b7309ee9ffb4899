"""HEC as an HTTP server: framings, pipelining, old clients, browsers."""

from __future__ import annotations

import gzip
import json
import socket
from urllib.parse import urlsplit

import pytest

from apisec_sandbox.splunkd.server import Addresses

from .conftest import TOKEN
from .hec_client import CHANNEL, DEADLINE, Splunk, events, send

HEAD = f"Authorization: Splunk {TOKEN}\r\nX-Splunk-Request-Channel: {CHANNEL}\r\nHost: hec.example:8088\r\n"


class Wire:
    """A socket on which requests are written byte by byte as the test wants them."""

    def __init__(self, addresses: Addresses) -> None:
        at = urlsplit(addresses.hec)
        self._socket = socket.create_connection((at.hostname or "", at.port or 0), timeout=DEADLINE)
        self._file = self._socket.makefile("rb")

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._socket.close()

    def write(self, *pieces: str | bytes) -> None:
        for piece in pieces:
            self._socket.sendall(piece.encode() if isinstance(piece, str) else piece)

    def answer(self) -> tuple[str, dict[str, str], bytes]:
        status = self._file.readline().decode().strip()
        headers: dict[str, str] = {}
        for line in iter(lambda: self._file.readline().strip(), b""):
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        body = self._file.read(int(headers.get("content-length", "0")))
        return status, headers, body

    def closed(self) -> bool:
        return self._file.read(1) == b""


def request(body: bytes, more: str = "", version: str = "1.1") -> bytes:
    head = f"POST /services/collector/event HTTP/{version}\r\n{HEAD}Content-Length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body


def code(body: bytes) -> int:
    return int(json.loads(body)["code"])


def test_chunked_in_small_pieces(splunk: Splunk) -> None:
    packed = gzip.compress(b'{"event": "one"}{"event": "two"}')
    with Wire(splunk[1]) as wire:
        wire.write(f"POST /services/collector HTTP/1.1\r\n{HEAD}Transfer-Encoding: chunked\r\n")
        wire.write("Content-Encoding: gzip\r\n\r\n")
        for place in range(0, len(packed), 7):
            piece = packed[place : place + 7]
            wire.write(f"{len(piece):x}\r\n", piece, "\r\n")
        wire.write("0\r\n\r\n")
        assert code(wire.answer()[2]) == 0
    assert [(event.raw, event.host) for event in events(splunk[0])] == [
        ("one", "hec.example:8088"),
        ("two", "hec.example:8088"),
    ]


def test_expect_continue(splunk: Splunk) -> None:
    body = b'{"event": "patient"}'
    with Wire(splunk[1]) as wire:
        wire.write(request(body, "Expect: 100-continue\r\n")[: -len(body)])
        assert wire.answer()[0] == "HTTP/1.1 100 Continue"
        wire.write(body)
        assert code(wire.answer()[2]) == 0


def test_keep_alive_and_pipelining(splunk: Splunk) -> None:
    with Wire(splunk[1]) as wire:
        wire.write(b"".join(request(f'{{"event": "{number}"}}'.encode()) for number in range(5)))
        answers = [wire.answer() for _ in range(5)]
    assert [json.loads(body)["ackId"] for _, _, body in answers] == [0, 1, 2, 3, 4]
    assert {headers["connection"].lower() for _, headers, _ in answers} == {"keep-alive"}


def test_http_1_0_is_closed_afterwards(splunk: Splunk) -> None:
    with Wire(splunk[1]) as wire:
        wire.write(request(b'{"event": "old"}', version="1.0"))
        assert code(wire.answer()[2]) == 0
        assert wire.closed()


def test_connection_close(splunk: Splunk) -> None:
    with Wire(splunk[1]) as wire:
        wire.write(request(b'{"event": "last"}', "Connection: close\r\n"))
        _, headers, body = wire.answer()
        assert (headers["connection"], code(body)) == ("close", 0)
        assert wire.closed()


def test_a_refused_request_leaves_the_connection_usable(splunk: Splunk) -> None:
    with Wire(splunk[1]) as wire:
        wire.write(request(b"nonsense"), request(b'{"event": "x"}'))
        assert [code(wire.answer()[2]) for _ in range(2)] == [6, 0]


def test_head_of_health_has_no_body(splunk: Splunk) -> None:
    answer = send(splunk[1], b"", "health", "HEAD")
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize(
    "kind", ["", "application/json", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "x"]
)
def test_any_content_type_is_taken(splunk: Splunk, kind: str) -> None:
    assert send(splunk[1], '{"event": "a=b&c"}', Content_Type=kind or None).json()["code"] == 0


def test_a_browser_of_an_allowed_origin(splunk: Splunk) -> None:
    splunkd, addresses = splunk
    settings = {
        "crossOriginSharingPolicy": "!https://bad.example https://*.example",
        "crossOriginSharingHeaders": "X-A",
    }
    splunkd.confs.write("inputs", "http", settings, "system")
    good = "https://shop.example"
    asked = send(addresses, b"", method="OPTIONS", Origin=good, Authorization=None)
    assert asked.status_code == 200
    assert asked.headers["Access-Control-Allow-Origin"] == good
    assert {"Authorization", "X-A"} <= set(asked.headers["Access-Control-Allow-Headers"].split(", "))
    sent = send(addresses, '{"event": "x"}', Origin=good)
    assert (sent.json()["code"], sent.headers["Access-Control-Allow-Origin"]) == (0, good)
    for bad in ("https://bad.example", "https://elsewhere.test"):
        for answer in (
            send(addresses, b"", method="OPTIONS", Origin=bad),
            send(addresses, '{"event": "x"}', Origin=bad),
        ):
            assert answer.status_code == 200
            assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_options_without_a_token_verifies_the_connection(splunk: Splunk) -> None:
    """As Docker's logging driver for Splunk asks before the first container starts."""
    answer = send(splunk[1], b"", "event/1.0", "OPTIONS", Authorization=None, X_Splunk_Request_Channel=None)
    assert (answer.status_code, answer.content) == (200, b"")
