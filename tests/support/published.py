"""A server that publishes documents, and misbehaves as a test says."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.support.certificates import self_signed

Answering = Callable[[BaseHTTPRequestHandler], None]


def answer(status: int = 200, body: bytes | str = b"", **headers: str) -> Answering:
    """Give one answer with its length; underscores in names of headers stand for hyphens."""
    data = body.encode() if isinstance(body, str) else body

    def give(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content_Length": str(len(data)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(data)

    return give


def versioned(body: str, etag: str) -> Answering:
    """Answer 304 to who has this version already."""

    def give(handler: BaseHTTPRequestHandler) -> None:
        if handler.headers.get("If-None-Match") == etag:
            answer(304, ETag=etag)(handler)
        else:
            answer(200, body, ETag=etag, Content_Type="application/yaml")(handler)

    return give


def raw(*pieces: bytes) -> Answering:
    """Write bytes as they are, and end the connection; without TLS's own end."""

    def give(handler: BaseHTTPRequestHandler) -> None:
        for piece in pieces:
            handler.wfile.write(piece)
        handler.wfile.flush()
        handler.close_connection = True
        with contextlib.suppress(OSError):
            handler.connection.shutdown(socket.SHUT_RDWR)

    return give


class Publisher:
    """``pages`` by path; ``asked`` holds path and headers (names in small letters) of each request."""

    def __init__(self, context: ssl.SSLContext | None) -> None:
        self.pages: dict[str, Answering] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.closing = threading.Event()
        own = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                own.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                with contextlib.suppress(OSError):  # a client that has enough goes
                    own.pages.get(path, answer(404))(self)

            def log_message(self, *_: Any) -> None: ...

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def get_request(self) -> Any:
                request, address = super().get_request()
                if context is not None:  # its first read shakes hands, in the thread of the request
                    request = context.wrap_socket(request, server_side=True, do_handshake_on_connect=False)
                return request, address

            def handle_error(self, *_: Any) -> None: ...

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.port}"

    def reset(self) -> None:
        self.pages.clear()
        self.asked.clear()

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()


@contextlib.contextmanager
def publisher(folder: Path | None) -> Iterator[tuple[Publisher, str]]:
    """A server and the PEM of its CA; without a folder for certificates it speaks plain HTTP."""
    context, ca = None, ""
    if folder is not None:
        certificate, key = self_signed(folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        ca = certificate.read_text("utf-8")
    server = Publisher(context)
    server.start()
    try:
        yield server, ca
    finally:
        server.stop()
