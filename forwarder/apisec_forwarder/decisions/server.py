"""The HTTP/1.1 server behind ext_authz, on a unix socket: one small protocol, because every microsecond is a client's.

It answers 200 with no body (pass), or 403 with a JSON body and ``x-apisec-pattern`` (refused). What it cannot
read it passes, and counts.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, cast

import httptools

from apisec.model.decision import ALLOW, Decision
from apisec.model.transaction import Transaction
from apisec_forwarder.decisions import callout

MAX_BODY = 2**20  # bytes; Envoy is told a smaller bound
MAX_HEADERS = 512
MAX_CONNECTIONS = 512

PASS = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


class Answers(Protocol):
    """What decides; it must not raise."""

    def answer(self, transaction: Transaction, now: float) -> Decision: ...

    def failed(self) -> None:
        """A call-out could not be read, and passed."""


def refusal_response(pattern: str, head: bool = False) -> bytes:
    """Return the 403 that Envoy hands on to the client."""
    body = json.dumps({"error": "blocked", "pattern": pattern}, separators=(",", ":")).encode()
    lines = (
        "HTTP/1.1 403 Forbidden",
        "content-type: application/json",
        f"x-apisec-pattern: {pattern}",
        f"content-length: {len(body)}",
        "\r\n",
    )
    return "\r\n".join(lines).encode() + (b"" if head else body)


class CallOut(asyncio.Protocol):
    """One connection of Envoy's pool."""

    def __init__(self, answers: Answers, gateway: str, clock: Callable[[], float], open_: set[CallOut]) -> None:
        self._answers = answers
        self._gateway = gateway
        self._clock = clock
        self._open = open_
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpRequestParser(self)
        self._reset()

    def _reset(self) -> None:
        self._target = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self._size = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._open.add(self)
        if len(self._open) > MAX_CONNECTIONS:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._open.discard(self)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._answers.failed()
            self.close()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    # httptools' callbacks

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if len(self._headers) < MAX_HEADERS:
            self._headers.append((name, value))

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        if self._size <= MAX_BODY:
            self._body.append(body)

    def on_message_complete(self) -> None:
        method = self._parser.get_method().decode("latin-1")
        decision = self._decide(method)
        assert self._transport is not None
        answer = PASS if decision.pattern is None else refusal_response(decision.pattern, method == "HEAD")
        self._transport.write(answer)
        self._reset()

    def _decide(self, method: str) -> Decision:
        now = self._clock()
        try:
            asked = callout.transaction(method, self._target, self._headers, b"".join(self._body), self._gateway, now)
            return self._answers.answer(asked, now)
        except Exception:  # noqa: BLE001 - fail open: no fault of ours may refuse a request
            self._answers.failed()
            return ALLOW


class Server:
    """Listens on the unix socket (mode 600: Envoy runs as the same user)."""

    def __init__(self, answers: Answers, gateway: str, clock: Callable[[], float] = time.time) -> None:
        self._answers = answers
        self._gateway = gateway
        self._clock = clock
        self._open: set[CallOut] = set()
        self._server: asyncio.AbstractServer | None = None

    async def start(self, path: Path) -> None:
        """Bind; a socket that a dead predecessor left is replaced."""
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        loop = asyncio.get_running_loop()
        mask = os.umask(0o177)
        try:
            self._server = await loop.create_unix_server(self._connection, str(path))
        finally:
            os.umask(mask)

    def _connection(self) -> CallOut:
        return CallOut(self._answers, self._gateway, self._clock, self._open)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for connection in tuple(self._open):
            connection.close()
        if self._server is not None:
            await self._server.wait_closed()
