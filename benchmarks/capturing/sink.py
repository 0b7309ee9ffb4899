"""A HEC that keeps what it is sent and looks at it only when it is asked; a process of its own.

    python -m benchmarks.capturing.sink PORT

Answers every batch at once (indexer acknowledgement off). ``GET /ids`` gives the ids of all transactions so far, as
a JSON list in the order of their arrival: so counting costs nothing while something is measured.
"""

from __future__ import annotations

import gzip
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BODIES: list[tuple[bool, bytes]] = []


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else an answer in two writes waits 40 ms for a delayed ACK

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        BODIES.append((self.headers.get("content-encoding") == "gzip", body))
        self._answer(b'{"text":"Success","code":0}')

    def do_GET(self) -> None:
        ids = [] if self.path != "/ids" else [one for packed, body in list(BODIES) for one in _ids(packed, body)]
        self._answer(json.dumps(ids).encode())

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name upstream)
        """Quiet."""


def _ids(packed: bool, body: bytes) -> list[str]:
    text = (gzip.decompress(body) if packed else body).decode()
    decoder, at, found = json.JSONDecoder(), 0, []
    while at < len(text):
        envelope, at = decoder.raw_decode(text, at)
        if envelope["sourcetype"] == "apisec:transaction":
            found.append(envelope["event"]["id"])
        while at < len(text) and text[at] in " \r\n":
            at += 1
    return found


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
