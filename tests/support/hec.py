"""A small HTTP Event Collector on the wire, for what the forwarder must bear: gzip, channels, acks, error codes.

It imports no product code. What it answers can be scripted; every request is remembered raw.
"""

from __future__ import annotations

import gzip
import json
import ssl
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, Any

Event = dict[str, Any]
MAX_REMEMBERED = 20_000  # requests; a long run keeps its events in ``journal``
TEXTS = {0: "Success", 4: "Invalid token", 6: "Invalid data format", 7: "Incorrect index", 9: "Server is busy"}


@dataclass
class Answer:
    """A scripted answer to one event request. ``take``: how many events of it count as indexed."""

    status: int = 200
    code: int | None = 0
    bad_event: int | None = None
    take: int | None = None
    drop: bool = False  # close the connection without an answer
    retry_after: str | None = None
    delay: float = 0.0  # seconds before the answer


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
    cookies: tuple[str, ...] = ()  # of a load balancer before it
    client_ca: Path | None = None  # with ``tls``: clients must show a certificate of this CA
    tls_version: ssl.TLSVersion | None = None  # the only one that it speaks
    slow: float = 0.0  # seconds before each answer
    constant: Answer | None = None  # the answer to every event request while it is set
    teams: dict[str, str] = field(default_factory=dict)  # further tokens, each for its own index only
    journal: IO[str] | None = None  # instead of ``indexed``: lines "indexed|told <monotonic clock> <id>"
    index_seconds: float = 0.0  # an event that is younger is lost with the process and not acknowledged
    _server: ThreadingHTTPServer | None = None
    _mutex: threading.Lock = field(default_factory=threading.Lock)
    _acks: dict[str, list[list[str]]] = field(default_factory=dict)  # channel → ids of events by ackId
    _young: deque[tuple[float, str, int, list[str]]] = field(default_factory=deque)  # not indexed: due, channel, ackId

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
            if self.tls_version is not None:
                context.minimum_version = context.maximum_version = self.tls_version
            if self.client_ca is not None:
                context.verify_mode = ssl.CERT_REQUIRED
                context.load_verify_locations(self.client_ca)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        self.port = server.server_address[1]
        self._server = server
        self._acks = {}
        self._young.clear()
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

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> Wire | None:
        """Return status, JSON and what else was scripted for one request; None cuts the connection."""
        if self.slow:
            time.sleep(self.slow)
        with self._mutex:
            if len(self.requests) < MAX_REMEMBERED:
                self.requests.append((path, headers))
            token = headers.get("authorization", "").removeprefix("Splunk ")
            if token != self.token and token not in self.teams:
                return 403, {"text": "Invalid token", "code": 4}, Answer()
            if headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            if len(self.bodies) < MAX_REMEMBERED:
                self.bodies.append(body)
            channel = headers.get("x-splunk-request-channel", "")
            if path.endswith("/ack"):
                return self._told(channel, body)
            if self.ack and not channel:
                return 400, {"text": "Data channel is missing", "code": 10}, Answer()
            answer = self._events(channel, body, self.teams.get(token))
        if answer is not None and answer[2].delay:
            time.sleep(answer[2].delay)
        return answer

    def _told(self, channel: str, body: bytes) -> Wire:
        if not self.ack:
            return 400, {"text": "ACK is disabled", "code": 14}, Answer()
        self._index()
        known = self._acks.get(channel, [])
        young = {(one[1], one[2]) for one in self._young}
        answer = {}
        for ack in json.loads(body)["acks"]:
            told = not self.hold_acks and ack < len(known) and (channel, ack) not in young
            answer[str(ack)] = told
            if told:
                self._remember("told", known[ack])
        return 200, {"acks": answer}, Answer()

    def _index(self) -> None:
        """Write down what is old enough."""
        while self._young and self._young[0][0] <= time.monotonic():
            self._remember("indexed", self._young.popleft()[3])

    def _remember(self, what: str, ids: list[str]) -> None:
        if self.journal is None:
            self.acknowledged += ids if what == "told" else []
            return
        now = time.monotonic()
        self.journal.write("".join(f"{what} {now:.3f} {one}\n" for one in ids))
        self.journal.flush()

    def _events(self, channel: str, body: bytes, index: str | None) -> Wire | None:
        if self.max_bytes is not None and len(body) > self.max_bytes:
            return 413, {}, Answer()
        events = list(_values(body.decode("utf-8")))
        answer = self.constant or (self.script.popleft() if self.script else Answer())
        bad = next((at for at, event in enumerate(events) if self._refused(event.get("index"), index)), None)
        if bad is not None and answer.code == 0:
            answer = Answer(400, 7, bad_event=bad, take=bad)
        taken = events if answer.code == 0 and answer.take is None else events[: answer.take or 0]
        ids = [event["event"]["id"] for event in taken if "id" in event["event"]]
        acks = self._acks.setdefault(channel, [])
        if self.journal is None:
            self.indexed += taken
        elif ids:
            ack = -1 if answer.drop else len(acks)
            self._young.append((time.monotonic() + self.index_seconds, channel, ack, ids))
        if answer.drop:
            return None
        document: dict[str, Any] = {"text": TEXTS.get(answer.code or 0, "Error"), "code": answer.code}
        if answer.bad_event is not None:
            document["invalid-event-number"] = answer.bad_event
        if answer.code == 0 and self.ack:
            acks.append(ids)
            document["ackId"] = len(acks) - 1
        return answer.status, document if answer.code is not None else {}, answer

    def _refused(self, index: object, own: str | None) -> bool:
        return (self.bad_index is not None and index == self.bad_index) or (own is not None and index != own)


Wire = tuple[int, dict[str, Any], Answer]


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

    def do_PUT(self) -> None:
        """Set a fault from outside: ``{"status", "code", "retry_after", "slow", "drop"}``; nothing heals."""
        fault = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))))
        self.owner.slow = fault.pop("slow", 0.0)
        self.owner.constant = Answer(**{"take": 0, **fault}) if fault else None
        self.owner.healthy = fault.get("status") != 503
        self._answer(200, {})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        answer = self.owner.answer(self.path, {k.lower(): v for k, v in self.headers.items()}, body)
        if answer is None:
            self.close_connection = True
            self.connection.close()
            return
        self._answer(*answer)

    def _answer(self, status: int, document: dict[str, Any], how: Answer | None = None) -> None:
        text = json.dumps(document).encode() if document else b""
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        if how is not None and how.retry_after is not None:
            self.send_header("Retry-After", how.retry_after)
        for cookie in self.owner.cookies:
            self.send_header("Set-Cookie", cookie)
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


def main() -> None:
    """Run as a process of its own: ``python -m tests.support.hec PORT JOURNAL INDEX_SECONDS``."""
    port, journal, seconds = sys.argv[1:]
    with Path(journal).open("a", encoding="utf-8") as file:
        hec = FakeHec(port=int(port), journal=file, index_seconds=float(seconds))
        with hec:
            while True:
                time.sleep(0.05)
                with hec._mutex:
                    hec._index()


if __name__ == "__main__":
    main()
