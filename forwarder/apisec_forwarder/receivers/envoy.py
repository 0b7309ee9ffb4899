"""Turns one line of Envoy's access log (``gateway.envoy.LOG_FORMAT``) into a transaction. Pure."""

from __future__ import annotations

import binascii
import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from apisec.errors import DecodeError
from apisec.model.transaction import Body, Client, Headers, Refusal, Request, Response, Transaction

# Envoy sorts the keys, so each line begins so; inside a string the quotes would be escaped. A line that Envoy began
# and never ended (it was killed) is followed, without a line break, by the first line of the next Envoy.
LINE_START = b'{"address":'
MAX_ID = 128
FrameOf = tuple[Headers, bytes, int]  # headers, the body held, the bytes of body seen

RefusalOf = Callable[[str, str | None], Refusal | None]


def no_refusal(details: str, pattern: str | None) -> Refusal | None:
    """Used when no patterns are enforced: nothing is a refusal of ours."""
    del details, pattern
    return None


def parse(line: bytes, gateway: str = "", refusal: RefusalOf = no_refusal) -> Transaction:
    """Return the transaction of one line; DecodeError (which repeats no byte of it) when it is none."""
    record = _record(line)
    headers, held, seen = _frame(record.get("q"))
    pseudo = {name: value for name, value in headers if name.startswith(":")}
    method = pseudo.get(":method") or _text(record, "method")
    target = pseudo.get(":path") or _text(record, "original_path") or _text(record, "path")
    if not method or not target:
        raise DecodeError("no request")
    request = Request(
        method=method,
        target=target,
        headers=_regular(headers),
        body=_body(held, seen, record, "body_in"),
        scheme=pseudo.get(":scheme") or _text(record, "scheme") or "http",
        host=pseudo.get(":authority") or _text(record, "authority"),
    )
    start = _number(_text(record, "start"))
    if start is None:
        raise DecodeError("no start time")
    return Transaction(
        id=_text(record, "id")[:MAX_ID] or hashlib.blake2b(line, digest_size=16).hexdigest(),
        time=start,
        client=_client(record),
        request=request,
        response=_response(record),
        duration=_duration(record),
        gateway=gateway,
        bytes_in=_count(record, "wire_in"),
        bytes_out=_count(record, "wire_out"),
        refusal=refusal(_text(record, "details"), _text(record, "pattern") or None),
        upstream_time=_upstream(record),
    )


def split_torn(line: bytes) -> tuple[bytes, int]:
    """Return the last whole record of a line, and how many torn ones stand in front of it."""
    at = line.rfind(LINE_START)
    return (line[at:], line.count(LINE_START, 0, at) or 1) if at > 0 else (line, 0)


def _record(line: bytes) -> dict[str, Any]:
    try:
        record = orjson.loads(line)
    except ValueError:
        raise DecodeError("not JSON") from None
    if not isinstance(record, dict):
        raise DecodeError("not an object")
    return record


def _frame(value: object) -> FrameOf:
    """Read what capture.lua stored; a frame that is missing or damaged is empty (the sizes still tell the gap)."""
    if not isinstance(value, str) or not value:
        return (), b"", 0
    try:
        frame = binascii.a2b_base64(value)
        head, _, rest = frame.partition(b"\n")
        length, _, seen = head.partition(b" ")
        cut, total = int(length), int(seen)
    except ValueError:
        return (), b"", 0
    return tuple(_pairs(rest[:cut])), rest[cut:], total


def _pairs(block: bytes) -> Iterator[tuple[str, str]]:
    parts = _decode(block).split("\n")
    return zip(parts[::2], parts[1::2], strict=False)


def _decode(block: bytes) -> str:
    """Headers are UTF-8 in practice; other bytes are kept one by one (RFC 9110 5.5: obs-text is opaque)."""
    try:
        return block.decode("utf-8")
    except UnicodeDecodeError:
        return block.decode("latin-1")


def _regular(headers: Headers) -> Headers:
    return tuple((name, value) for name, value in headers if not name.startswith(":"))


def _body(held: bytes, seen: int, record: dict[str, Any], key: str) -> Body:
    return Body(held, max(seen, len(held), _count(record, key) or 0))


def _response(record: dict[str, Any]) -> Response | None:
    status = _count(record, "status")
    if not status:  # 0: the client went away before any answer
        return None
    headers, held, seen = _frame(record.get("s"))
    return Response(status=status, headers=_regular(headers), body=_body(held, seen, record, "body_out"))


def _client(record: dict[str, Any]) -> Client:
    return Client(
        address=_text(record, "address"),
        port=_count(record, "port"),
        tls_version=_text(record, "tls_version") or None,
        ja4=_text(record, "ja4") or None,
        certificate_subject=_text(record, "subject") or None,
    )


def _duration(record: dict[str, Any]) -> float | None:
    """Milliseconds to the last byte; the coarser total when the answer never ended."""
    exact = _count(record, "duration_us")
    if exact is not None:
        return exact / 1000
    return _count(record, "duration_ms")


def _upstream(record: dict[str, Any]) -> float | None:
    """Milliseconds; None when no upstream was asked, or it never ended its answer."""
    exact = _count(record, "upstream_us")
    return None if exact is None else exact / 1000


def _text(record: dict[str, Any], key: str) -> str:
    value = record.get(key)
    return value if isinstance(value, str) and value != "-" else ""


def _count(record: dict[str, Any], key: str) -> int | None:
    value = record.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 < value < 1e11 else None
