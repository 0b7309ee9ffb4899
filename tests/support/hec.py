"""A small HTTP Event Collector on the wire, for what the forwarder must bear: gzip, channels, acks, error codes.

It imports no product code. What it answers can be scripted; every request is remembered raw.
"""

from __future__ import annotations

import gzip
import json
import ssl
import threading
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

Event = dict[str, Any]
TEXTS = {0: "Success", 4: "Invalid token", 6: "Invalid data format", 7: "Incorrect index", 9: "Server is busy"}


@dataclass
class Answer:
    """A scripted answer to one event request. ``take``: how many events of it count as indexed."""

    status: int = 200
    code: int | None = 0
    bad_event: int | None = None
    take: int | None = None
    drop: bool = False  # close the connection without an answer


@dataclass
class FakeHec:
    """Listens on 127.0.0.1. ``stop`` and ``start`` on the same port are a restart: acknowledgements are forgotten."""

    token: str = "11111111-2222-3333-4444-555555555555"
    port: int = 0
    ack: bool = True
    hold_acks: bool = False  # say "not yet" to every question
    bad_index: str | None = None  # events for this index are refused with code 7
    max_bytes: int | None = None  # a larger body (after gunzip) is refused with 413
    tls: tuple[Path, Path] | None = None
    script: deque[Answer] = field(default_factory=deque)
    indexed: list[Event] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)  # ids of events whose acknowledgement was told
    bodies: list[bytes] = field(default_factory=list)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    healthy: bool = True  # what /services/collector/health says
    probes: int = 0  # how often that was asked
    _server: ThreadingHTTPServer | None = None
    _mutex: threading.Lock = field(default_factory=threading.Lock)
    _acks: dict[str, list[list[str]]] = field(default_factory=dict)  # channel → ids of events by ackId

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def start(self) -> FakeHec:
        hec = self

        class Handler(_Handler):
            owner = hec

        server = _Server(("127.0.0.1", self.port), Handler)
        if self.tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self.tls)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        self.port = server.server_address[1]
        self._server = server
        self._acks = {}
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Stop as a killed process does: open connections are cut too."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()
            server.cut()  # type: ignore[attr-defined]

    def __enter__(self) -> FakeHec:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def ids(self) -> list[str]:
        """Return the ids of the transactions indexed so far, duplicates included."""
        return [event["event"]["id"] for event in list(self.indexed) if "id" in event["event"]]

    def events(self, sourcetype: str) -> list[Event]:
        return [event for event in list(self.indexed) if event["sourcetype"] == sourcetype]

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, Any]] | None:
        """Return status and JSON for one request; None cuts the connection."""
        with self._mutex:
            self.requests.append((path, headers))
            if headers.get("authorization") != f"Splunk {self.token}":
                return 403, {"text": "Invalid token", "code": 4}
            if headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            self.bodies.append(body)
            channel = headers.get("x-splunk-request-channel", "")
            if path.endswith("/ack"):
                return self._told(channel, body)
            if self.ack and not channel:
                return 400, {"text": "Data channel is missing", "code": 10}
            return self._events(channel, body)

    def _told(self, channel: str, body: bytes) -> tuple[int, dict[str, Any]]:
        if not self.ack:
            return 400, {"text": "ACK is disabled", "code": 14}
        known = self._acks.get(channel, [])
        answer = {}
        for ack in json.loads(body)["acks"]:
            told = not self.hold_acks and ack < len(known)
            answer[str(ack)] = told
            if told:
                self.acknowledged += known[ack]
        return 200, {"acks": answer}

    def _events(self, channel: str, body: bytes) -> tuple[int, dict[str, Any]] | None:
        if self.max_bytes is not None and len(body) > self.max_bytes:
            return 413, {}
        events = list(_values(body.decode("utf-8")))
        answer = self.script.popleft() if self.script else Answer()
        bad = next((at for at, event in enumerate(events) if event.get("index") == self.bad_index), None)
        if self.bad_index is not None and bad is not None and answer.code == 0:
            answer = Answer(400, 7, bad_event=bad, take=bad)
        taken = events if answer.code == 0 and answer.take is None else events[: answer.take or 0]
        self.indexed += taken
        if answer.drop:
            return None
        document: dict[str, Any] = {"text": TEXTS.get(answer.code or 0, "Error"), "code": answer.code}
        if answer.bad_event is not None:
            document["invalid-event-number"] = answer.bad_event
        if answer.code == 0 and self.ack:
            acks = self._acks.setdefault(channel, [])
            acks.append([event["event"]["id"] for event in taken if "id" in event["event"]])
            document["ackId"] = len(acks) - 1
        return answer.status, document if answer.code is not None else {}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, *args: Any) -> None:
        self._open: set[Any] = set()
        super().__init__(*args)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def cut(self) -> None:
        for request in list(self._open):
            self.shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is what the tests are about; say nothing."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else an answer in two writes waits 40 ms for a delayed ACK
    owner: FakeHec

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        answer = self.owner.answer(self.path, {k.lower(): v for k, v in self.headers.items()}, body)
        if answer is None:
            self.close_connection = True
            self.connection.close()
            return
        self._answer(*answer)

    def _answer(self, status: int, document: dict[str, Any]) -> None:
        text = json.dumps(document).encode() if document else b""
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self) -> None:
        """Health: as busy as events would find it."""
        with self.owner._mutex:
            self.owner.probes += 1
            healthy = self.owner.healthy
        self._answer(*((200, {"text": "HEC is healthy", "code": 17}) if healthy else (503, {"code": 18})))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (its name upstream)
        """Quiet."""


def _values(text: str) -> Any:
    decoder, at = json.JSONDecoder(), 0
    while at < len(text):
        value, at = decoder.raw_decode(text, at)
        yield value
        while at < len(text) and text[at] in " \r\n\t":
            at += 1
