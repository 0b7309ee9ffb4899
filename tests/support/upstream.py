"""An API behind the gateway for tests: echoes, streams, large and compressed answers."""

from __future__ import annotations

import gzip
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Upstream:
    """Listens on 127.0.0.1 in a thread; ``seen`` holds the paths that arrived."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        outer = self

        class Handler(_Handler):
            owner = outer

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]

    def __enter__(self) -> Upstream:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else an answer in two writes waits 40 ms for a delayed ACK
    owner: Upstream

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("transfer-encoding", ""):
            return self.rfile.read(int(self.headers.get("content-length", 0)))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _answer(self, body: bytes, kind: str = "application/json", **headers: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _handle(self) -> None:
        body = self._body()
        path = self.path.partition("?")[0]
        self.owner.seen.append(self.path)
        if path == "/big":
            self._answer(json.dumps([{"number": number} for number in range(20_000)]).encode())
        elif path == "/gzip":
            self._answer(gzip.compress(b'{"email":"ada@example.org"}'), Content_Encoding="gzip")
        elif path == "/events":
            self._stream()
        elif path == "/echo":
            self._answer(body, self.headers.get("content-type") or "text/plain")
        else:
            self._answer(json.dumps({"path": path, "received": len(body)}).encode())

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("X-Accel-Buffering", "no")  # what servers tell NGINX
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number in range(4):
            data = b"data: %d\n\n" % number
            self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
            self.wfile.flush()
            time.sleep(0.4)  # long enough that a client on a busy machine still sees the parts arrive apart
        self.wfile.write(b"0\r\n\r\n")

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = _handle

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (its name upstream)
        """Quiet."""
