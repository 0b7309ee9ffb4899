"""Metrics and health by HTTP, for a forwarder without the admin API: three paths, GET only, no values from traffic."""

from __future__ import annotations

import json
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from apisec.errors import ConfigError
from apisec_forwarder.config import Address
from apisec_forwarder.metrics import prometheus_text
from apisec_forwarder.status import readiness

MAX_REQUEST_BYTES = 8192
MAX_CONNECTIONS = 32  # at once; a scraper needs one
REQUEST_SECONDS = 5.0
TEXT = "text/plain; version=0.0.4; charset=utf-8"
JSON = "application/json"

Collect = Callable[[], Mapping[str, Any]]


def answer(path: str, collect: Collect) -> tuple[HTTPStatus, str, bytes]:
    """Return status, media type and body for one path."""
    if path == "/healthz":
        return HTTPStatus.OK, JSON, b'{"status":"ok"}\n'
    if path == "/readyz":
        ready = readiness(collect())
        code = HTTPStatus.OK if ready["ready"] else HTTPStatus.SERVICE_UNAVAILABLE
        return code, JSON, json.dumps(ready).encode() + b"\n"
    if path == "/metrics":
        return HTTPStatus.OK, TEXT, prometheus_text(collect()).encode()
    return HTTPStatus.NOT_FOUND, TEXT, b"only /metrics, /healthz and /readyz are here\n"


class Endpoint:
    """Listens at once, so that a taken port is an error of the start; answers from ``start`` to ``close``."""

    def __init__(self, address: Address, collect: Collect) -> None:
        family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        try:
            self._server = _Server(family, (address.host, address.port), collect)
        except OSError as error:
            raise ConfigError(f"cannot listen on {address}: {error.strerror}", where="metrics.listen") from error
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="metrics", daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """One thread a connection, bounded; one request a connection."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(self, family: socket.AddressFamily, address: tuple[str, int], collect: Collect) -> None:
        self.address_family = family
        self.collect = collect
        self._free = threading.BoundedSemaphore(MAX_CONNECTIONS)
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no event of ours."""


class _Handler(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        head = self._head()
        method, _, rest = head.partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0].decode("latin-1")
        if method not in (b"GET", b"HEAD"):
            self._send(HTTPStatus.METHOD_NOT_ALLOWED, TEXT, b"only GET\n", method)
            return
        self._send(*answer(path, self.server.collect), method)

    def _head(self) -> bytes:
        """Read up to the empty line; OSError when it stays out for ``REQUEST_SECONDS`` or is too long."""
        deadline = time.monotonic() + REQUEST_SECONDS
        head = b""
        while b"\r\n\r\n" not in head:
            self.request.settimeout(max(0.01, deadline - time.monotonic()))
            piece = self.request.recv(MAX_REQUEST_BYTES)
            head += piece
            if not piece or len(head) > MAX_REQUEST_BYTES:
                raise ConnectionError("no request")
        return head

    def _send(self, status: HTTPStatus, media_type: str, body: bytes, method: bytes) -> None:
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: {media_type}\r\n"
            f"content-length: {len(body)}\r\ncache-control: no-store\r\nconnection: close\r\n\r\n"
        )
        self.request.settimeout(REQUEST_SECONDS)
        self.request.sendall(head.encode("latin-1") + (b"" if method == b"HEAD" else body))
