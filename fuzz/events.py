"""A transaction out of any bytes, with values planted in it: its event is made quickly, and holds none of them."""

from __future__ import annotations

import base64
import json
import time
from urllib.parse import quote

from apisec.model.event import Event
from apisec.model.transaction import Body, Client, Headers, Request, Response, Transaction
from apisec.redaction.keys import KeyRing, Tokenizer
from apisec_forwarder.pipeline import Pipeline, PipelineSettings, Service
from fuzz.formats import BODIES, CODINGS, Members
from fuzz.plants import NAMED, VALUES, forms
from fuzz.source import Source

MAX_SECONDS = 0.1  # of CPU, for one transaction
KEYS = KeyRing.parse(
    {
        "version": 1,
        "active": "0000000a",
        "keys": [
            {
                "id": "0000000a",
                "algorithm": "blake2b",
                "secret": base64.b64encode(b"k" * 32).decode(),
                "created": "2026-01-01T00:00:00Z",
            }
        ],
    }
)
SETTINGS = PipelineSettings("edge", "DEV", (Service("shop", "commerce", ("shop.example",)),))
PIPELINE = Pipeline(SETTINGS, Tokenizer(KEYS))

# Names that say nothing: under a reference's name digits are not a card's.
_NAMES = ("note", "memo", "comment", "q", "text", "x", "subject", "remark")
# Formats that have no names, or lose them: what only its name makes sensitive cannot be told there.
NAMELESS = ("protobuf", "grpc", "grpc_text", "multipart_printable", "xml_attributes", "xml_parted", "text", "html")
_METHODS = ("GET", "POST", "PUT", "patch", "DELETE", "OPTIONS", "G E T", "")
_HEADERS = ("x-note", "user-agent", "referer", "x-forwarded-for", "authorization", "x-api-key", "cookie", "accept")


def transaction(source: Source) -> tuple[Transaction, list[str]]:
    """Return a transaction, and the values that its event must not hold."""
    planted: list[str] = []
    target = _target(source, planted)
    headers = [(source.pick(_HEADERS), source.text(64)) for _ in range(source.number(3))]
    if source.chance(3):
        headers.append(("x-note", _around(source, _plant(source, planted))))
    if source.chance(4):
        headers.append(("cookie", f"a=1; note={quote(_plant(source, planted))}; {source.text(16)}"))
    request_headers, body = _message(source, headers, planted)
    request = Request(source.pick(_METHODS), target, request_headers, body, "https", "shop.example")
    response = None
    if not source.chance(4):
        response_headers, answer = _message(source, [], planted)
        response = Response(source.pick((200, 404, 500, 302)), response_headers, answer)
    made = Transaction("t-1", 1.0, Client("192.0.2.1", certificate_subject=source.text(8) or None), request, response)
    return made, list(dict.fromkeys(planted))


def _plant(source: Source, planted: list[str]) -> str:
    value = source.pick(VALUES)
    planted.append(value)
    return value


def _around(source: Source, value: str) -> str:
    """Return a value among other text; what stands beside it keeps that from becoming a part of it."""
    if source.chance(2):
        return value
    return f"{source.text(24)} is {value} in {source.text(24)}"


def _target(source: Source, planted: list[str]) -> str:
    path = "/" + quote(source.text(24))
    if source.chance(3):
        path += f"/users/{quote(_plant(source, planted), safe='')}"
    query = [f"{quote(source.text(8))}={quote(source.text(16))}" for _ in range(source.number(2))]
    if source.chance(3):
        query.append(
            f"{source.pick(_NAMES)}={quote(_around(source, _plant(source, planted)).encode('utf-8', 'replace'))}"
        )
    return path + ("?" + "&".join(query) if query else "")


def _members(source: Source, planted: list[str], named: bool) -> Members:
    members = [(source.pick(_NAMES), _around(source, _plant(source, planted)))]
    if named and source.chance(2):
        name, value = source.pick(NAMED)
        planted.append(value)
        members.append((name, value))
    members += [(source.text(8) or "k", source.text(32)) for _ in range(source.number(3))]
    return members


def _message(source: Source, headers: list[tuple[str, str]], planted: list[str]) -> tuple[Headers, Body]:
    """Return headers and a body: a well-formed one with values planted, one cut, or any bytes at all."""
    media, write = source.pick(BODIES)
    coding, pack = source.pick(CODINGS)
    named = [("content-type", media)] if media else []
    named += [("content-encoding", coding)] if coding else []
    if "grpc" in media:
        named.append(("grpc-encoding", "gzip"))
    kind = source.number(4)
    if kind == 4:
        data = source.blob(4096)
        return (*headers, *named), Body(data, len(data) + source.number(1))
    # A name that is lost, or stands behind a cut, tells nothing of a value that only it makes sensitive.
    data = pack(write(_members(source, planted, kind != 3 and write.__name__ not in NAMELESS)))
    if kind == 3:
        data = data[: source.number(len(data))]
        return (*headers, *named), Body(data, len(data) + 100)
    return (*headers, *named), Body(data, len(data))


def check(data: bytes) -> float:
    """Make the event and look for what was planted; return the CPU seconds that it took."""
    made, planted = transaction(Source(data))
    began = time.process_time()
    event = PIPELINE._event(made)
    taken = time.process_time() - began
    assert_absent(planted, event)
    return taken


def assert_absent(planted: list[str], event: Event) -> None:
    """Raise AssertionError when a planted value stands in the event, in whatever form."""
    shown = json.dumps(event) + json.dumps(event, ensure_ascii=False)
    for value in planted:
        for form in forms(value):
            assert form not in shown, f"{value!r} as {form!r} in {shown[: len(shown) // 2]}"
