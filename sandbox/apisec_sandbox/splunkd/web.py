"""HTTP at the edge: an ASGI front that bounds what it reads and hands each request to a plain function.

Handlers are synchronous and run in a thread pool: search is CPU work and files are blocking anyway.
"""

from __future__ import annotations

import asyncio
import functools
import gzip
import logging
import socket
import ssl
import threading
import zlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qsl, unquote_plus

import uvicorn

from apisec_sandbox.errors import SandboxError

LOG = logging.getLogger("apisec_sandbox.web")
MAX_FORM_FIELDS = 2000
START_DEADLINE = 15.0  # seconds
BODY_SECONDS = 120.0  # for the next piece of a request's body


class HttpError(SandboxError):
    """Answer with ``status`` and Splunk's message list."""

    def __init__(self, status: int, text: str, kind: str = "ERROR", code: str = "") -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.kind = kind
        self.code = code


@dataclass(frozen=True)
class Request:
    """One HTTP request: header names in lower case, path segments decoded one by one."""

    method: str
    segments: tuple[str, ...]
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes
    client: str = ""

    @functools.cached_property
    def form(self) -> tuple[tuple[str, str], ...]:
        """Fields of an urlencoded body, also where the content type says something else, as Splunk takes it."""
        kind = self.headers.get("content-type", "")
        if not self.body or "multipart" in kind or ("json" in kind and self.body.lstrip()[:1] in (b"{", b"[")):
            return ()
        try:
            text = self.body.decode("utf-8")
            return tuple(parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FORM_FIELDS))
        except (UnicodeDecodeError, ValueError):
            return ()

    @functools.cached_property
    def params(self) -> dict[str, str]:
        """Query and form fields, the last one of a name wins."""
        return dict(self.query + self.form)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.query + self.form if key == name]


@dataclass
class Reply:
    status: int = 200
    body: bytes = b""
    content_type: str = "text/xml; charset=UTF-8"
    headers: dict[str, str] = field(default_factory=dict)
    user: str = ""  # who asked, for the access log
    stream: Iterator[bytes] | None = None  # the body in pieces, instead of ``body``


Handler = Callable[[Request], Reply]
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class TooLargeError(Exception):
    """The body is longer than the front accepts."""


class ClientGoneError(Exception):
    """The client went, or fell silent, in the middle of its request."""


def parse_target(method: str, target: str, headers: Mapping[str, str], client: str) -> Request:
    """A request without a body, its path split and decoded segment by segment."""
    path, _, query = target.partition("?")
    return Request(
        method=method,
        segments=tuple(_segment(part) for part in path.split("/") if part),
        query=tuple(parse_qsl(query, keep_blank_values=True, max_num_fields=MAX_FORM_FIELDS)),
        headers=headers,
        body=b"",
        client=client,
    )


def inflate(body: bytes, limit: int) -> bytes:
    """Gunzip at most ``limit`` bytes.

    Raises:
        TooLargeError: it would inflate to more.
        ValueError: it is not gzip.
    """
    engine = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        plain = engine.decompress(body, limit + 1)
    except zlib.error as error:
        raise ValueError("not gzip") from error
    if len(plain) > limit:
        raise TooLargeError
    if not engine.eof:
        raise ValueError("truncated gzip")
    return plain


def deflate(body: bytes) -> bytes:
    return gzip.compress(body, 1)


class Front:
    """An ASGI application around one handler."""

    def __init__(self, handler: Handler, too_large: Handler, max_body: int, pool: ThreadPoolExecutor) -> None:
        self._handler = handler
        self._too_large = too_large
        self._max_body = max_body
        self._pool = pool

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        handler = self._handler
        try:
            body = await self._read(receive, _declared(scope))
        except TooLargeError:
            handler, body = self._too_large, b""
        except ClientGoneError:
            await send({"type": "http.response.start", "status": 408, "headers": [(b"connection", b"close")]})
            await send({"type": "http.response.body", "body": b""})
            return
        request = self._request(scope, body)
        reply = await asyncio.get_running_loop().run_in_executor(self._pool, handler, request)
        await self._send(reply, request, receive, send)

    async def _read(self, receive: Receive, declared: int) -> bytes:
        """The whole body.

        Raises:
            TooLargeError: it is longer than this front takes.
            ClientGoneError: it ended before its end, or came too slowly.
        """
        if declared > self._max_body:
            raise TooLargeError
        chunks, size, more = [], 0, True
        while more:
            try:
                message = await asyncio.wait_for(receive(), BODY_SECONDS)
            except TimeoutError as error:
                raise ClientGoneError from error
            if message["type"] == "http.disconnect":
                raise ClientGoneError
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > self._max_body:
                raise TooLargeError
            chunks.append(chunk)
            more = message.get("more_body", False)
        return b"".join(chunks)

    @staticmethod
    def _request(scope: Scope, body: bytes) -> Request:
        raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
        headers: dict[str, str] = {}
        for name, value in scope["headers"]:
            key, text = name.decode("latin-1"), value.decode("latin-1")
            headers[key] = f"{headers[key]}; {text}" if key == "cookie" and key in headers else text
        target = raw_path.partition(b"?")[0] + b"?" + scope.get("query_string", b"")
        request = parse_target(scope["method"], target.decode("latin-1"), headers, (scope.get("client") or ("",))[0])
        return replace(request, body=body)

    async def _send(self, reply: Reply, request: Request, receive: Receive, send: Send) -> None:
        # splunklib reads an empty body when no Connection header comes back.
        close = reply.status == 413 or request.headers.get("connection", "").lower() == "close"
        length = {} if reply.stream else {"content-length": str(len(reply.body))}
        headers = {
            "content-type": reply.content_type,
            **length,
            "connection": "close" if close else "keep-alive",
            "server": "Splunkd",
            "x-content-type-options": "nosniff",
            **reply.headers,
        }
        pairs = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": reply.status, "headers": pairs})
        if reply.stream is not None:
            await self._send_pieces(reply.stream, receive, send)
        else:
            await send({"type": "http.response.body", "body": b"" if request.method == "HEAD" else reply.body})

    async def _send_pieces(self, pieces: Iterator[bytes], receive: Receive, send: Send) -> None:
        """Send what the iterator makes as it makes it; close it when the client is gone."""
        loop = asyncio.get_running_loop()
        gone = asyncio.ensure_future(_until_gone(receive))
        try:
            while (piece := await loop.run_in_executor(self._pool, next, pieces, None)) is not None:
                if gone.done():
                    return
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            gone.cancel()
            close = getattr(pieces, "close", None)
            if close:
                await loop.run_in_executor(self._pool, close)


def _declared(scope: Scope) -> int:
    """The length that the head states, 0 where it states none."""
    text = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    return int(text) if text.isdigit() else 0


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


@dataclass(frozen=True)
class Listener:
    """One port to serve: an application on host and port (0 asks the system for one), with TLS or without."""

    app: Front
    host: str
    port: int
    certificate: Path | None = None
    key: Path | None = None
    protocol: Callable[..., asyncio.Protocol] | None = None  # in place of uvicorn's own


def _segment(part: str) -> str:
    """Decode one segment. Splunk's links carry a slash inside a name as ``%252F``, so that one decoding leaves it."""
    return unquote_plus(part).replace("%2F", "/").replace("%2f", "/")


class Servers:
    """Listeners served by one event loop in a thread of its own."""

    def __init__(self, listeners: list[Listener]) -> None:
        self._sockets = [_bind(listener.host, listener.port) for listener in listeners]
        self.ports = [sock.getsockname()[1] for sock in self._sockets]
        self._servers = [_server(listener) for listener in listeners]
        self._thread = threading.Thread(target=self._run, name="web", daemon=True)
        self._error: BaseException | None = None

    def start(self) -> None:
        """Return when every port answers; raise SandboxError when one cannot."""
        self._thread.start()
        pause = threading.Event()
        waited = 0.0
        while not all(server.started for server in self._servers):
            if self._error or not self._thread.is_alive() or waited > START_DEADLINE:
                raise SandboxError(f"the web servers did not start: {self._error or 'timed out'}")
            pause.wait(0.01)
            waited += 0.01

    def stop(self) -> None:
        for server in self._servers:
            server.should_exit = True
        self._thread.join(timeout=10)
        if self._thread.is_alive():
            for server in self._servers:
                server.force_exit = True
            self._thread.join(timeout=5)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits in start()
            self._error = error

    async def _serve(self) -> None:
        jobs = zip(self._servers, self._sockets, strict=True)
        await asyncio.gather(*(server.serve(sockets=[sock]) for server, sock in jobs))


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Accepted sockets inherit it; asyncio sets it only on sockets of an explicit protocol.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        raise SandboxError(f"cannot listen on {host}:{port}: {error.strerror}; choose another port") from error
    return sock


def _server(listener: Listener) -> uvicorn.Server:
    config = uvicorn.Config(
        listener.app,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_keep_alive=60,
        timeout_graceful_shutdown=3,
        server_header=False,
        ws="none",
        ssl_certfile=str(listener.certificate) if listener.certificate else None,
        ssl_keyfile=str(listener.key) if listener.key else None,
        h11_max_incomplete_event_size=128 * 1024,
        backlog=512,
    )
    config.load()
    if listener.protocol:
        config.http_protocol_class = cast("Any", listener.protocol)
    if config.ssl:
        config.ssl.minimum_version = ssl.TLSVersion.TLSv1_2
    return uvicorn.Server(config)


def guarded(handler: Handler, on_error: Callable[[Request, HttpError], Reply]) -> Handler:
    """Turn HttpError into its reply, and anything unforeseen into a logged 500."""

    def run(request: Request) -> Reply:
        try:
            return handler(request)
        except HttpError as error:
            return on_error(request, error)
        except Exception:
            LOG.exception("unforeseen error in %s /%s", request.method, "/".join(request.segments))
            return on_error(request, HttpError(500, "Internal error: see the sandbox's log"))

    return run
