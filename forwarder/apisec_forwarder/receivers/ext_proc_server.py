"""A gRPC server for one method that takes and never answers: HTTP/2 by ``h2``, messages by hand.

Envoy's external processing in observability mode opens a stream for each request. What arrives is read at once,
whatever the worker does: were Envoy made to wait, it would keep the copies in its own memory. Memory is bounded
here instead (``Ledger``), and what finds no room is dropped and counted. A stream whose transaction is whole, or
dropped, is ended by us, so that Envoy can forget it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Protocol

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import ConnectionTerminated, DataReceived, RequestReceived, StreamEnded, StreamReset
from h2.exceptions import FrameTooLargeError, ProtocolError, StreamClosedError
from h2.settings import SettingCodes, Settings
from hyperframe.frame import GoAwayFrame

from apisec.errors import DecodeError
from apisec_forwarder.receivers import ext_proc_wire as wire
from apisec_forwarder.receivers.ext_proc_exchange import Exchange

BEGUN = "copies_begun"  # of Envoy's own count of them, what arrived here
METHOD = b"/envoy.service.ext_proc.v3.ExternalProcessor/Process"
MAX_STREAMS = 4096  # of one connection; beyond it Envoy opens another one
MAX_CONNECTIONS = 256
MAX_MESSAGE = 16 * 2**20  # bytes of one gRPC message; Envoy sends what one read gave it
STREAM_WINDOW = 2**20
CONNECTION_WINDOW = 16 * 2**20
FRAME_BYTES = 2**14  # HTTP/2's default (RFC 9113 4.2), which Envoy sends
PREFACE_BYTES = 24  # RFC 9113 3.4
HEADER_LIST_BYTES = 64 * 2**10
SETTINGS = {
    SettingCodes.MAX_CONCURRENT_STREAMS: MAX_STREAMS,
    SettingCodes.INITIAL_WINDOW_SIZE: STREAM_WINDOW,
    SettingCodes.MAX_HEADER_LIST_SIZE: HEADER_LIST_BYTES,
}
STREAM_BYTES = 2048  # what an open stream is reckoned at beside its headers and bodies
LAST_STREAM = 2**31 - 1
_OK = [(b":status", b"200"), (b"content-type", b"application/grpc"), (b"grpc-status", b"0")]
_UNKNOWN = [(b":status", b"200"), (b"content-type", b"application/grpc"), (b"grpc-status", b"12")]


class Ledger(Protocol):
    """Who says what may be held, and takes what is finished."""

    def reserve(self, size: int) -> bool:
        """Reckon with further bytes; False when there is no room."""
        ...

    def release(self, size: int) -> None: ...

    def finished(self, exchange: Exchange, size: int) -> None:
        """Take an exchange, for which ``size`` bytes are reserved."""
        ...

    def dropped(self, cause: str) -> None: ...
    def counted(self, metric: str, cause: str) -> None: ...


class Server:
    """The connections of one process; everything here runs in the loop's thread."""

    def __init__(self, ledger: Ledger, body_bytes: int) -> None:
        self.ledger = ledger
        self.body_bytes = body_bytes
        self.connections: set[Connection] = set()
        self.draining = False

    def connection(self) -> Connection:
        return Connection(self)

    def drain(self) -> None:
        """Have Envoy open its next streams elsewhere; those that are open go on."""
        self.draining = True
        for connection in self.connections:
            connection.leave()

    def abandon(self) -> None:
        """Hand out what has come so far and close."""
        for connection in list(self.connections):
            connection.close()

    @property
    def streams(self) -> int:
        return sum(len(connection.streams) for connection in list(self.connections))


class Stream:
    """One exchange on its way, with the message that is not whole yet."""

    def __init__(self, cap: int, reserve: Callable[[int], bool]) -> None:
        self.size = STREAM_BYTES
        self._ledger_reserve = reserve
        self.exchange = Exchange(cap, self.reserve)
        self.partial = bytearray()

    def reserve(self, size: int) -> bool:
        if not self._ledger_reserve(size):
            return False
        self.size += size
        return True


class Frames:
    """Where frames begin in what arrives: ``h2`` would hold one that is too long until all of its 16 MiB are there."""

    def __init__(self) -> None:
        self._skip = PREFACE_BYTES  # bytes until the next frame begins
        self._length = b""  # the first of the three bytes of its length

    def fit(self, data: bytes) -> bool:
        """Whether no frame in the next bytes is too long."""
        at = self._skip
        while at < len(data):
            known = len(self._length)
            self._length += data[at : at + 3 - known]
            if len(self._length) < 3:
                self._skip = 0
                return True
            size = int.from_bytes(self._length, "big")
            if size > FRAME_BYTES:
                return False
            at += 9 - known + size
            self._length = b""
        self._skip = at - len(data)
        return True


class Connection(asyncio.Protocol):
    """One HTTP/2 connection of Envoy's."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._ledger = server.ledger
        self.streams: dict[int, Stream] = {}
        # the gateway is not our client: only :path is looked at, so its headers need no validation
        self._h2 = H2Connection(
            H2Configuration(client_side=False, header_encoding=False, validate_inbound_headers=False)
        )
        self._frames = Frames()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        if len(self._server.connections) >= MAX_CONNECTIONS:
            self._ledger.counted("connections_refused", "too_many")
            transport.close()
            return
        self._server.connections.add(self)
        self._h2.local_settings = Settings(client=False, initial_values=dict(SETTINGS))
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(CONNECTION_WINDOW)
        self._flush()
        if self._server.draining:
            self.leave()

    def connection_lost(self, _: Exception | None) -> None:
        self._server.connections.discard(self)
        for number in list(self.streams):
            self._finish(number)

    def data_received(self, data: bytes) -> None:
        try:
            if not self._frames.fit(data):
                raise FrameTooLargeError
            for event in self._h2.receive_data(data):
                self._handle(event)
        except ProtocolError:
            self._ledger.counted("protocol_errors", "")
            self.close()
            return
        self._flush()

    def leave(self) -> None:
        """Send a GOAWAY that ends no stream (RFC 9113 6.8), which ``h2`` itself offers only for the end."""
        if self._transport is not None:
            self._transport.write(GoAwayFrame(0, last_stream_id=LAST_STREAM, error_code=0).serialize())

    def close(self) -> None:
        if self._transport is not None:
            self._flush()
            self._transport.close()

    def _flush(self) -> None:
        data = self._h2.data_to_send()
        if data and self._transport is not None:
            self._transport.write(data)

    def _handle(self, event: Any) -> None:
        if isinstance(event, DataReceived):
            self._data(event)
        elif isinstance(event, RequestReceived):
            self._open(event)
        elif isinstance(event, (StreamEnded, StreamReset)):
            self._finish(event.stream_id)
        elif isinstance(event, ConnectionTerminated):
            self.close()

    def _open(self, event: RequestReceived) -> None:
        number = event.stream_id
        assert number is not None
        if dict(event.headers or ()).get(b":path") != METHOD:
            self._end(number, _UNKNOWN)
        elif not self._ledger.reserve(STREAM_BYTES):
            self._ledger.counted(BEGUN, "")
            self._ledger.dropped("queue_full")
            self._end(number)
        else:
            self.streams[number] = Stream(self._server.body_bytes, self._ledger.reserve)

    def _data(self, event: DataReceived) -> None:
        number = event.stream_id
        assert number is not None
        if event.flow_controlled_length:
            self._h2.acknowledge_received_data(event.flow_controlled_length, number)
        stream = self.streams.get(number)
        if stream is None:
            return
        cause = self._messages(stream, event.data or b"")
        if cause:
            self._drop(number, cause)
        elif stream.exchange.complete:
            self._finish(number)
            self._end(number)

    def _messages(self, stream: Stream, data: bytes) -> str:
        """Take the messages that are whole (gRPC: a flag, four bytes of length); return why the stream must go."""
        if stream.partial:
            self._ledger.release(len(stream.partial))
            stream.size -= len(stream.partial)
            data = bytes(stream.partial) + data
            stream.partial.clear()
        position = 0
        while len(data) - position >= 5:
            length = int.from_bytes(data[position + 1 : position + 5], "big")
            if data[position] or length > MAX_MESSAGE:
                return "compressed" if data[position] else "oversized"
            end = position + 5 + length
            if end > len(data):
                break
            cause = self._take(stream, data[position + 5 : end])
            if cause:
                return cause
            position = end
        rest = len(data) - position
        if rest:
            if not stream.reserve(rest):
                return "queue_full"
            stream.partial += data[position:]
        return ""

    def _take(self, stream: Stream, message: bytes) -> str:
        try:
            part = wire.parse(message)
        except DecodeError:
            return "malformed"
        if part is None:
            return ""
        if not part.observed:
            return "not_observability_mode"  # Envoy would wait for an answer: it gets the end of the stream
        if part.kind == wire.REQUEST_HEADERS:
            self._ledger.counted(BEGUN, "")
        if part.headers and not stream.reserve(sum(len(name) + len(value) for name, value in part.headers)):
            return "queue_full"
        if not stream.exchange.take(part, time.time(), time.monotonic()):
            self._ledger.counted("bodies_cut", "queue_full")
        return ""

    def _finish(self, number: int) -> None:
        stream = self.streams.pop(number, None)
        if stream is None:
            return
        self._ledger.release(len(stream.partial))
        self._ledger.finished(stream.exchange, stream.size - len(stream.partial))

    def _drop(self, number: int, cause: str) -> None:
        stream = self.streams.pop(number)
        self._ledger.release(stream.size)
        self._ledger.dropped(cause)
        self._end(number)

    def _end(self, number: int, headers: list[tuple[bytes, bytes]] = _OK) -> None:
        """End a stream from our side: nothing more of it is needed."""
        try:
            self._h2.send_headers(number, headers, end_stream=True)
            self._h2.reset_stream(number, ErrorCodes.NO_ERROR)  # else its rest would still come (RFC 9113 8.1)
        except (StreamClosedError, ProtocolError):
            return  # Envoy has ended it in the same breath
