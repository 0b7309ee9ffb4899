"""Connections at the edge: requests that never end, and clients that are slow or say too much.

``receivers/stream`` takes events as long as the client keeps its socket open: the head of the request says
``X-Splunk-Input-Mode: Streaming`` and neither a length nor an encoding, so that it is no HTTP that a server could
parse on. Source: REST API Reference, "receivers/stream"; splunk-sdk, ``Index.attach``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from uvicorn.protocols.http.auto import AutoHTTPProtocol

from apisec_sandbox.splunkd.web import HttpError, Reply, Request, parse_target

LOG = logging.getLogger("apisec_sandbox.streaming")
MAX_HEAD = 128 * 1024  # bytes of request line and headers
HEAD_SECONDS = 30.0  # for a client to send the first head of its connection
IDLE_SECONDS = 600.0  # without a byte of an open stream
HIGH_WATER = 1024 * 1024  # bytes not yet indexed that stop the reading
REASONS = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 431: "Headers Too Large"}


class Sink(Protocol):
    """Takes the bytes of one stream."""

    def feed(self, chunk: bytes) -> None: ...

    def finish(self) -> None: ...


Opener = Callable[[Request], Sink]
ErrorReply = Callable[[Request, HttpError], Reply]


class EdgeProtocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type, unused-ignore]
    """uvicorn's protocol, with a bound on heads and with streams.

    The first bytes of a connection are held until they show whether they begin a stream.
    """

    def __init__(
        self, *args: Any, opener: Opener | None, on_error: ErrorReply, pool: ThreadPoolExecutor, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._opener, self._on_error, self._pool = opener, on_error, pool
        self._held = b""
        self._decided = opener is None
        self._head = 0
        self._stream: _Stream | None = None
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._deadline = self.loop.call_later(HEAD_SECONDS, self._too_slow)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._deadline:
            self._deadline.cancel()
        if self._stream:
            self._stream.end()
        super().connection_lost(exc)

    def _too_slow(self) -> None:
        if self.cycle is None and self._stream is None:
            self.transport.close()

    def eof_received(self) -> None:
        if self._stream:
            self._stream.end()

    def data_received(self, data: bytes) -> None:
        if self._stream:
            self._stream.push(data)
        elif self._decided:
            self._pass_on(data)
        else:
            self._decide(data)

    def _decide(self, data: bytes) -> None:
        self._held += data
        method = self._held[:5]
        head, end, rest = self._held.partition(b"\r\n\r\n")
        if b"POST ".startswith(method) and not end and len(self._held) <= MAX_HEAD:
            return
        self._decided = True
        request = stream_request(head, self.client) if end else None
        held, self._held = self._held, b""
        if request is None:
            self._pass_on(held)
        elif self._opener is not None:
            self._stream = _Stream(self, request, self._opener, self._on_error, self._pool)
            self._stream.push(rest)

    def _pass_on(self, data: bytes) -> None:
        """Count what comes before a head is complete; uvicorn's fast parser has no bound of its own."""
        self._head += len(data)
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._head = 0
        elif self._head > MAX_HEAD:
            self.transport.write(_http(Reply(431, b"")))
            self.transport.close()


def stream_request(head: bytes, client: tuple[str, int] | None) -> Request | None:
    """The request of a stream's head; None for every other request."""
    lines = head.decode("latin-1").split("\r\n")
    parts = lines[0].split(" ")
    if len(parts) != 3 or parts[0] != "POST":
        return None
    pairs = [line.partition(":") for line in lines[1:]]
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    bounded = "content-length" in headers or "transfer-encoding" in headers
    if bounded or headers.get("x-splunk-input-mode", "").lower() != "streaming":
        return None
    request = parse_target("POST", parts[1], headers, client[0] if client else "")
    return request if request.segments[-2:] == ("receivers", "stream") else None


class _Stream:
    """Hands bytes to a sink, a piece at a time and in order, outside the event loop."""

    def __init__(
        self, protocol: Any, request: Request, opener: Opener, on_error: ErrorReply, pool: ThreadPoolExecutor
    ) -> None:
        self._transport, self._loop = protocol.transport, protocol.loop
        self._request, self._opener, self._on_error, self._pool = request, opener, on_error, pool
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._waiting = 0
        self._ended = False
        self._task = self._loop.create_task(self._run())

    def push(self, data: bytes) -> None:
        if not data:
            return
        self._waiting += len(data)
        if self._waiting > HIGH_WATER:
            self._transport.pause_reading()
        self._queue.put_nowait(data)

    def end(self) -> None:
        if not self._ended:
            self._ended = True
            self._queue.put_nowait(None)

    async def _run(self) -> None:
        try:
            sink = await self._loop.run_in_executor(self._pool, self._opener, self._request)
        except HttpError as error:
            self._transport.write(_http(self._on_error(self._request, error)))
            self._transport.close()
            return
        try:
            while (data := await asyncio.wait_for(self._queue.get(), IDLE_SECONDS)) is not None:
                await self._loop.run_in_executor(self._pool, sink.feed, data)
                self._waiting -= len(data)
                if self._waiting <= HIGH_WATER and not self._ended:
                    self._transport.resume_reading()
        except TimeoutError:
            LOG.info("closed a stream that was silent for %.0f seconds", IDLE_SECONDS)
        except Exception:
            LOG.exception("a stream failed")
        finally:
            await self._loop.run_in_executor(self._pool, sink.finish)
            self._transport.close()


def _http(reply: Reply) -> bytes:
    head = (
        f"HTTP/1.1 {reply.status} {REASONS.get(reply.status, 'Error')}\r\nContent-Type: {reply.content_type}\r\n"
        f"Content-Length: {len(reply.body)}\r\nConnection: Close\r\nServer: Splunkd\r\n\r\n"
    )
    return head.encode("latin-1", "replace") + reply.body
