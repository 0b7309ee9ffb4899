"""The server of external processing against peers that are not Envoy: damaged, hostile, or configured otherwise."""

from __future__ import annotations

import struct
from collections import Counter
from typing import Any

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import StreamEnded, StreamReset
from hypothesis import given, settings
from hypothesis import strategies as st

from apisec.errors import DecodeError
from apisec.model.transaction import Refusal, Transaction
from apisec_forwarder.config.receivers import Queue
from apisec_forwarder.receivers import ext_proc_wire as wire
from apisec_forwarder.receivers.base import DROPPED, RECEIVED, SKIPPED
from apisec_forwarder.receivers.ext_proc import Intake
from apisec_forwarder.receivers.ext_proc_exchange import Exchange
from apisec_forwarder.receivers.ext_proc_server import MAX_MESSAGE, METHOD, Connection, Server


def varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def put(number: int, value: bytes | int | str) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def headers(number: int, pairs: dict[str, str | bytes], ended: bool, attributes: bytes = b"") -> bytes:
    block = b"".join(put(1, put(1, name) + put(3, value)) for name, value in pairs.items())
    return put(number, put(1, block) + put(3, int(ended))) + attributes + put(10, 1)


def body(number: int, data: bytes, ended: bool) -> bytes:
    return put(number, put(1, data) + put(2, int(ended))) + put(10, 1)


def attributes(**values: str | float | bool) -> bytes:
    members = b""
    for name, value in values.items():
        if isinstance(value, bool):
            content = put(4, int(value))
        elif isinstance(value, str):
            content = put(3, value)
        else:
            content = varint(2 << 3 | 1) + struct.pack("<d", value)
        members += put(1, put(1, name.replace("__", ".")) + put(2, content))
    return put(9, put(1, "envoy.filters.http.ext_proc") + put(2, members))


REQUEST: dict[str, str | bytes] = {
    ":method": "POST",
    ":path": "/a?b",
    ":scheme": "https",
    ":authority": "shop",
    "x-request-id": "id-1",
}
WHOLE = [
    headers(2, REQUEST, False, attributes(source__address="192.0.2.1:4711", source__port=4711.0, other=True)),
    body(4, b"ab", False),
    body(4, b"cd", True),
    headers(3, {":status": "200", "x": b"caf\xe9"}, False, attributes(response__code_details="via_upstream")),
    body(5, b"ok", False),
    put(7, b"") + put(10, 1),
]


class Wire:
    """A connection to the server without a socket, and the client's end of it."""

    def __init__(self, queue: Queue | None = None, body_bytes: int = 1000) -> None:
        self.intake = Intake(
            queue or Queue(), "edge", lambda details, pattern: Refusal("p", details) if details == "no" else None
        )
        self.server = Server(self.intake, body_bytes)
        self.connection: Connection = self.server.connection()
        self.closed = False
        self.ended: set[int] = set()
        self.client = H2Connection(H2Configuration(client_side=True))
        self.client.initiate_connection()
        self.connection.connection_made(self)
        self.flush()

    def write(self, data: bytes) -> None:
        for event in self.client.receive_data(data):
            if isinstance(event, (StreamEnded, StreamReset)):
                self.ended.add(event.stream_id or 0)

    def close(self) -> None:
        self.closed = True

    def flush(self) -> None:
        self.connection.data_received(self.client.data_to_send())

    def open(self, path: bytes = METHOD) -> int:
        number = self.client.get_next_available_stream_id()
        self.client.send_headers(
            number, [(":method", "POST"), (":path", path), (":scheme", "http"), (":authority", "a")]
        )
        self.flush()
        return number

    def send(self, number: int, message: bytes, flag: int = 0) -> None:
        self.raw(number, bytes([flag]) + len(message).to_bytes(4, "big") + message)

    def raw(self, number: int, data: bytes) -> None:
        for at in range(0, len(data), 16384):
            if number in self.ended:
                return
            self.client.send_data(number, data[at : at + 16384])
            self.flush()

    def counts(self) -> Counter[tuple[str, str]]:
        return Counter(self.intake.counters())

    def held(self) -> float:
        return self.intake.gauges()["queue_bytes"]


def sent(messages: list[bytes], **options: Any) -> tuple[Wire, list[Transaction]]:
    peer = Wire(**options)
    number = peer.open()
    for message in messages:
        peer.send(number, message)
    return peer, peer.intake.take()


def test_a_whole_exchange_ends_its_stream_and_frees_its_memory() -> None:
    peer, (found,) = sent(WHOLE)
    assert peer.ended == {1}
    assert (found.id, found.request.method, found.request.target, found.request.host) == (
        "id-1",
        "POST",
        "/a?b",
        "shop",
    )
    assert (found.request.body.data, found.request.body.size) == (b"abcd", 4)
    assert (found.client.address, found.client.port) == ("192.0.2.1", 4711)
    assert found.response is not None
    assert found.response.headers == (("x", "café"),)
    assert found.response.body.data == b"ok"
    assert found.refusal is None
    assert peer.held() == 0


def test_a_refusal_of_ours_is_known() -> None:
    refused = headers(3, {":status": "403"}, True, attributes(response__code_details="no"))
    _, (found,) = sent([headers(2, REQUEST, True), refused])
    assert found.refusal == Refusal("p", "no")


@pytest.mark.parametrize("size", [1, 3, 5, 7, 4096])
def test_messages_come_in_any_pieces(size: int) -> None:
    peer = Wire()
    number = peer.open()
    stream = b"".join(b"\0" + len(one).to_bytes(4, "big") + one for one in WHOLE)
    for at in range(0, len(stream), size):
        peer.raw(number, stream[at : at + size])
    (found,) = peer.intake.take()
    assert found.request.body.data == b"abcd"
    assert peer.held() == 0


def test_a_body_is_kept_up_to_its_cap_without_a_gap_in_the_middle() -> None:
    parts = [headers(2, REQUEST, False), body(4, b"x" * 800, False), body(4, b"y" * 800, False), body(4, b"z", True)]
    _, (found,) = sent([*parts, *WHOLE[3:]])
    assert found.request.body.data == b"x" * 800 + b"y" * 200
    assert found.request.body.size == 1601


def test_what_ended_too_early_is_larger_than_what_was_seen() -> None:
    peer = Wire()
    number = peer.open()
    for message in WHOLE[:2]:
        peer.send(number, message)
    peer.client.reset_stream(number)
    peer.flush()
    (found,) = peer.intake.take()
    assert (found.response, found.request.body.size) == (None, 3)
    assert peer.counts()["transactions_unended", ""] == 1
    assert peer.held() == 0


def test_a_lost_connection_hands_out_what_came() -> None:
    peer = Wire()
    first, second = peer.open(), peer.open()
    peer.send(first, WHOLE[0])
    peer.connection.connection_lost(None)
    assert [one.id for one in peer.intake.take()] == ["id-1"]
    assert peer.counts()[SKIPPED, "no_request"] == 1
    assert (peer.held(), second) == (0, 3)


def test_memory_is_bounded_whatever_is_opened() -> None:
    peer = Wire(Queue(count=10, bytes=65536), body_bytes=10**6)
    streams = [peer.open() for _ in range(40)]
    for number in streams:
        if number not in peer.ended:
            peer.send(number, WHOLE[0])
            peer.send(number, body(4, b"x" * 5000, False))
            assert peer.held() <= 65536
    assert peer.counts()[DROPPED, "queue_full"] > 0
    assert peer.counts()["bodies_cut", "queue_full"] > 0
    peer.connection.connection_lost(None)
    while peer.intake.take():
        pass
    assert peer.held() == 0
    seen = peer.counts()
    assert seen[RECEIVED, ""] + seen[DROPPED, "queue_full"] == len(streams)


@pytest.mark.parametrize(
    ("cause", "data"),
    [
        ("compressed", b"\1\0\0\0\1x"),
        ("oversized", b"\0" + (MAX_MESSAGE + 1).to_bytes(4, "big")),
        ("malformed", b"\0\0\0\0\2\x12\x7f"),
        ("not_observability_mode", b"\0" + len(body(4, b"x", True)[:-2]).to_bytes(4, "big") + body(4, b"x", True)[:-2]),
    ],
)
def test_what_cannot_be_taken_is_dropped_by_cause_and_ends_the_stream(cause: str, data: bytes) -> None:
    peer = Wire()
    number = peer.open()
    peer.raw(number, data)
    assert peer.counts()[DROPPED, cause] == 1
    assert peer.ended == {number}
    assert (peer.held(), peer.closed) == (0, False)


def test_another_method_is_unknown() -> None:
    peer = Wire()
    assert peer.ended == set()
    number = peer.open(b"/grpc.health.v1.Health/Check")
    assert peer.ended == {number}
    assert peer.held() == 0


FOREIGN = [b"GET / HTTP/1.1\r\nhost: a\r\n\r\n", b"\0\x40\x01\0\0\0\0\0\1", b"\0\0\0\0\0\0\0\0\0"]


@pytest.mark.parametrize("data", FOREIGN, ids=["http/1", "a frame too long", "data of no stream"])
@pytest.mark.parametrize("step", [1, 2, 100])
def test_a_peer_that_speaks_no_http2_is_shown_out_at_once(data: bytes, step: int) -> None:
    peer = Wire()
    for at in range(0, len(data), step):
        if not peer.closed:
            peer.connection.data_received(data[at : at + step])
    assert peer.closed
    assert peer.counts()["protocol_errors", ""] == 1


@given(st.binary(max_size=400))
def test_no_message_raises_anything_but_its_error(message: bytes) -> None:
    try:
        part = wire.parse(message)
    except DecodeError:
        return
    assert part is None or 2 <= part.kind <= 7


@settings(max_examples=60)
@given(st.lists(st.sampled_from(WHOLE), max_size=12), st.integers(0, 200))
def test_parts_in_any_order_make_one_transaction_or_none(messages: list[bytes], cap: int) -> None:
    exchange = Exchange(cap, lambda size: True)
    for message in messages:
        part = wire.parse(message)
        assert part is not None
        exchange.take(part, 1.0, 1.0)
    found = exchange.transaction("edge")
    assert (found is None) == (WHOLE[0] not in messages)
    if found is not None:
        assert len(found.request.body.data) <= max(cap, 0)
        assert found.request.body.size >= len(found.request.body.data)


@settings(max_examples=60)
@given(st.lists(st.binary(max_size=60), max_size=8))
def test_any_bytes_leave_no_memory_behind(pieces: list[bytes]) -> None:
    peer = Wire()
    number = peer.open()
    for piece in pieces:
        peer.raw(number, piece)
    peer.connection.connection_lost(None)
    peer.intake.take()
    assert peer.held() == 0
