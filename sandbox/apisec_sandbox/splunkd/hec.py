"""The HTTP Event Collector.

Codes and texts: "Troubleshoot HTTP Event Collector" and "Format events for HTTP Event Collector"; behaviour on a
batch with an invalid event as measured by others on 10.4: what precedes it is indexed, nothing from it on, and
``invalid-event-number`` counts from 0.
"""

from __future__ import annotations

import base64
import binascii
import functools
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apisec_sandbox.errors import SandboxError
from apisec_sandbox.splunkd.atom import json_reply
from apisec_sandbox.splunkd.confs import Confs, is_true
from apisec_sandbox.splunkd.home import Home, write_atomic
from apisec_sandbox.splunkd.indexes import Event, Store
from apisec_sandbox.splunkd.web import Reply, Request, TooLargeError, inflate

MAX_CONTENT = 5 * 1024 * 1024  # bytes on the wire; Splunk Cloud refuses from 5.2 MB
MAX_INFLATED = 64 * 1024 * 1024
MAX_CHANNELS = 10_000  # limits.conf [http_input] max_number_of_ack_channel is 1,000,000
MAX_ACKS = 100_000  # per channel; max_number_of_acked_requests_pending_query_per_ack_channel is 1,000,000

TEXTS: dict[int, tuple[int, str]] = {
    0: (200, "Success"),
    1: (403, "Token disabled"),
    2: (401, "Token is required"),
    3: (401, "Invalid authorization"),
    4: (403, "Invalid token"),
    5: (400, "No data"),
    6: (400, "Invalid data format"),
    7: (400, "Incorrect index"),
    8: (500, "Internal server error"),
    9: (503, "Server is busy"),
    10: (400, "Data channel is missing"),
    11: (400, "Invalid data channel"),
    12: (400, "Event field is required"),
    13: (400, "Event field cannot be blank"),
    14: (400, "ACK is disabled"),
    15: (400, "Error in handling indexed fields"),
    16: (400, "Query string authorization is not enabled"),
    17: (200, "HEC is healthy"),
    18: (503, "HEC is unhealthy, queues are full"),
    23: (503, "Server is shutting down"),
    26: (429, "HEC is at capacity: queue is full"),
}


class HecError(Exception):
    """One of the documented codes; ``extra`` joins the body."""

    def __init__(self, code: int, **extra: object) -> None:
        super().__init__(TEXTS[code][1])
        self.code = code
        self.extra = extra


class CodingError(Exception):
    """A content coding other than gzip: Splunk answers 415."""


@dataclass(frozen=True)
class Token:
    """One ``[http://name]`` stanza of inputs.conf."""

    name: str
    value: str
    disabled: bool = False
    use_ack: bool = False
    indexes: tuple[str, ...] = ()
    index: str = "main"
    host: str = ""
    source: str = ""
    sourcetype: str = ""


def reply(code: int, **extra: object) -> Reply:
    status, text = TEXTS[code]
    return json_reply({"text": text, "code": code, **extra}, status)


class Tokens:
    """Tokens from inputs.conf, found in constant time per token."""

    def __init__(self, confs: Confs) -> None:
        self._confs = confs

    def all(self) -> list[Token]:
        stanzas = self._confs.stanzas("inputs")
        found = []
        for name, stanza in stanzas.items():
            if not name.startswith("http://") or not stanza.get("token"):
                continue
            settings = stanza.settings
            found.append(
                Token(
                    name[7:],
                    stanza.get("token"),
                    stanza.flag("disabled"),
                    is_true(settings.get("useACK", "0")),
                    tuple(part.strip() for part in settings.get("indexes", "").split(",") if part.strip()),
                    settings.get("index", "main"),
                    settings.get("host", ""),
                    settings.get("source", ""),
                    settings.get("sourcetype", ""),
                )
            )
        return found

    def find(self, value: str) -> Token | None:
        given = value.strip().lower().encode("utf-8", "replace")
        match = None
        for token in self.all():
            if hmac.compare_digest(token.value.lower().encode("utf-8", "replace"), given):
                match = token
        return match


class Acks:
    """Acknowledgement ids per token and channel: counted from 0, forgotten once reported true."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._channels: dict[tuple[str, str], tuple[int, dict[int, int]]] = {}

    def give(self, token: str, channel: str, ticket: int) -> int:
        with self._lock:
            key = (token, channel)
            if key not in self._channels and len(self._channels) >= MAX_CHANNELS:
                raise HecError(9)
            following, pending = self._channels.get(key, (0, {}))
            if len(pending) >= MAX_ACKS:
                raise HecError(9)
            pending[following] = ticket
            self._channels[key] = (following + 1, pending)
            return following

    def ask(self, token: str, channel: str, ids: list[int]) -> dict[str, bool]:
        with self._lock:
            _, pending = self._channels.get((token, channel), (0, {}))
            answers = {}
            for number in ids:
                done = number in pending and self._store.durable(pending[number])
                answers[str(number)] = done
                if done:
                    del pending[number]
            return answers


class Overload:
    """A switch that tests set: answer so many requests (or all, with -1) with a code instead of taking them.

    Kept in ``var/run/hec_overload.json`` as ``{"code": 9, "requests": -1}``; the file may also be written by hand.
    """

    def __init__(self, home: Home) -> None:
        self._path: Path = home.root / "var" / "run" / "hec_overload.json"
        self._lock = threading.Lock()

    def set(self, code: int, requests: int) -> None:
        if code not in TEXTS:
            raise SandboxError(f"{code} is no HEC code; known: {sorted(TEXTS)}")
        with self._lock:
            if code == 0 or requests == 0:
                self._path.unlink(missing_ok=True)
            else:
                write_atomic(self._path, json.dumps({"code": code, "requests": requests}).encode())

    def take(self) -> int:
        """Return the code to answer with, 0 for none."""
        if not self._path.exists():
            return 0
        with self._lock:
            try:
                state = json.loads(self._path.read_text())
                code, requests = int(state["code"]), int(state.get("requests", -1))
            except (OSError, ValueError, KeyError, TypeError):
                return 0
        if requests > 0:
            self.set(code, requests - 1)
        return code if code in TEXTS else 0


class Collector:
    """Everything under /services/collector."""

    def __init__(self, home: Home, confs: Confs, store: Store) -> None:
        self.tokens = Tokens(confs)
        self.acks = Acks(store)
        self.overload = Overload(home)
        self._confs = confs
        self._store = store
        self.closing = False

    def handle(self, request: Request) -> Reply:
        try:
            return self._route(request)
        except HecError as error:
            return reply(error.code, **error.extra)
        except TooLargeError:
            return self.too_large(request)
        except CodingError:
            return Reply(415, b"Unsupported Media Type", "text/plain")

    @staticmethod
    def too_large(request: Request) -> Reply:
        size = request.headers.get("content-length", "unknown")
        text = f"Content-Length of {size} too large (maximum is {MAX_CONTENT})"
        return Reply(413, text.encode(), "text/plain")

    @staticmethod
    def failure(request: Request, error: Exception) -> Reply:  # noqa: ARG004 - the shape of an error handler
        """What an unforeseen error answers."""
        return reply(8)

    def _route(self, request: Request) -> Reply:
        path = "/".join(request.segments)
        if not path.startswith("services/collector"):
            return Reply(404, b'{"text":"The requested URL was not found on this server.","code":404}')
        tail = path.removeprefix("services/collector").strip("/").removesuffix("/1.0")
        if tail == "health":
            return reply(self._health())
        if request.method != "POST":
            return Reply(405, b'{"text":"Method Not Allowed","code":405}', "application/json")
        if tail not in ("", "event", "raw", "ack"):
            return Reply(404, b'{"text":"The requested URL was not found on this server.","code":404}')
        token = self._authorize(request)
        if self.closing:
            raise HecError(23)
        if tail == "ack":
            return self._ack(request, token)
        if code := self.overload.take():
            raise HecError(code)
        return self._take(request, token, raw=tail == "raw")

    def _health(self) -> int:
        if self.closing:
            return 23
        return {0: 17}.get(self.overload.take(), 18)

    def _authorize(self, request: Request) -> Token:
        header = request.headers.get("authorization", "")
        if not header:
            raise HecError(16 if "token" in dict(request.query) else 2)
        scheme, _, value = header.partition(" ")
        if scheme.lower() == "basic":
            value = _basic_password(value)
        elif scheme.lower() != "splunk" or not value.strip():
            raise HecError(3)
        token = self.tokens.find(value)
        if token is None:
            raise HecError(4)
        if token.disabled:
            raise HecError(1)
        return token

    def _channel(self, request: Request, needed: bool) -> str:
        channel = request.headers.get("x-splunk-request-channel") or dict(request.query).get("channel", "")
        if not channel:
            if needed:
                raise HecError(10)
            return ""
        if not _is_guid(channel):
            raise HecError(11)
        return channel.lower()

    def _ack(self, request: Request, token: Token) -> Reply:
        if not token.use_ack:
            raise HecError(14)
        channel = self._channel(request, needed=True)
        try:
            ids = json.loads(request.body)["acks"]
            numbers = [int(number) for number in ids if not isinstance(number, bool)]
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise HecError(6) from error
        return json_reply({"acks": self.acks.ask(token.value, channel, numbers)})

    def _take(self, request: Request, token: Token, raw: bool) -> Reply:
        channel = self._channel(request, needed=raw or token.use_ack)
        body = _body(request)
        if not body.strip():
            raise HecError(5)
        failure: HecError | None = None
        events: list[Event] = []
        source = self._raw_events(body, request, token) if raw else self._json_events(body, request, token)
        try:
            events.extend(source)
        except HecError as error:
            failure = error
        # extend() keeps what the generator gave before it raised.
        ticket = self._append(events)
        if failure:
            raise failure
        if token.use_ack:
            return reply(0, ackId=self.acks.give(token.value, channel, ticket))
        return reply(0)

    def _append(self, events: list[Event]) -> int:
        if not events:
            return 0
        try:
            return self._store.append(events)
        except OSError as error:
            raise HecError(8) from error

    def _json_events(self, body: bytes, request: Request, token: Token) -> Iterator[Event]:
        query = dict(request.query)
        now = self._store.clock()
        # One request asks for few indexes many times: each is looked up once.
        resolve = functools.cache(lambda asked: self._index(asked, token))
        for number, envelope in enumerate(_envelopes(body)):
            try:
                yield self._event(envelope, query, token, now, resolve)
            except HecError as error:
                raise HecError(error.code, **{"invalid-event-number": number}) from error

    @staticmethod
    def _event(
        envelope: object, query: dict[str, str], token: Token, now: float, resolve: Callable[[str], str]
    ) -> Event:
        if not isinstance(envelope, dict):
            raise HecError(6)
        if "event" not in envelope:
            raise HecError(12)
        payload = envelope["event"]
        if payload is None or (isinstance(payload, str) and not payload.strip()):
            raise HecError(13)
        text = payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
        meta = {name: _meta(envelope, query, token, name) for name in ("host", "source", "sourcetype", "index")}
        return Event(
            _time(envelope.get("time"), now),
            now,
            meta["host"] or "localhost",
            meta["source"] or f"http:{token.name}",
            meta["sourcetype"] or ("_json" if not isinstance(payload, str) else "httpevent"),
            text,
            _indexed_fields(envelope.get("fields")),
            resolve(meta["index"]),
        )

    def _index(self, asked: str, token: Token) -> str:
        index = asked or token.index or "main"
        if token.indexes and index not in token.indexes:
            raise HecError(7)
        stanza = self._confs.stanza("indexes", index)
        if stanza is None or stanza.flag("disabled"):
            raise HecError(7)
        return index

    def _raw_events(self, body: bytes, request: Request, token: Token) -> Iterator[Event]:
        query = dict(request.query)
        now = self._store.clock()
        meta = {name: _meta({}, query, token, name) for name in ("host", "source", "sourcetype", "index")}
        index = self._index(meta["index"], token)
        when = _time(query.get("time"), now)
        for line in body.decode("utf-8", "replace").splitlines():
            if line.strip():
                yield Event(
                    when,
                    now,
                    meta["host"] or request.client or "localhost",
                    meta["source"] or f"http:{token.name}",
                    meta["sourcetype"] or "httpevent",
                    line,
                    {},
                    index,
                )


def _basic_password(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode("utf-8").partition(":")[2]
    except (binascii.Error, UnicodeDecodeError) as error:
        raise HecError(3) from error


def _is_guid(text: str) -> bool:
    parts = text.split("-")
    hexadecimal = all(all(c in "0123456789abcdefABCDEF" for c in part) for part in parts)
    return hexadecimal and [len(part) for part in parts] == [8, 4, 4, 4, 12]


def _body(request: Request) -> bytes:
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("", "identity"):
        return request.body
    if encoding != "gzip":
        raise CodingError
    try:
        return inflate(request.body, MAX_INFLATED)
    except ValueError as error:
        raise HecError(6) from error


def _envelopes(body: bytes) -> Iterator[Any]:
    """Yield JSON values that stand one behind another; an array of envelopes counts as its elements.

    Raises:
        HecError: 6 with the number of the value that is not JSON.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise HecError(6, **{"invalid-event-number": 0}) from error
    decoder = json.JSONDecoder()
    position, number, end = 0, 0, len(text)
    while True:
        while position < end and text[position] in " \t\r\n":
            position += 1
        if position >= end:
            return
        try:
            value, position = decoder.raw_decode(text, position)
        except (ValueError, RecursionError) as error:
            raise HecError(6, **{"invalid-event-number": number}) from error
        for item in value if isinstance(value, list) else [value]:
            yield item
            number += 1


def _meta(envelope: dict[str, Any], query: dict[str, str], token: Token, name: str) -> str:
    value = envelope.get(name)
    if value is None:
        return query.get(name) or str(getattr(token, name))
    if not isinstance(value, str):
        raise HecError(6)
    return value


def _time(value: object, now: float) -> float:
    """Seconds since the epoch; text is accepted as others' clients send it, milliseconds are recognised by size."""
    if value is None or value == "":
        return now
    if isinstance(value, bool):
        raise HecError(6)
    try:
        seconds = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise HecError(6) from error
    if not -1e13 < seconds < 1e17:
        raise HecError(6)
    return seconds / 1000 if seconds > 1e11 else seconds


def _indexed_fields(value: object) -> dict[str, Any]:
    """``fields`` is one flat object of texts, numbers, booleans or lists of them: nesting is code 15."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise HecError(15)
    return {str(name): _field_value(item) for name, item in value.items() if item is not None}


def _field_value(value: object) -> str | list[str]:
    if isinstance(value, list):
        return [_scalar(item) for item in value]
    return _scalar(value)


def _scalar(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise HecError(15)
