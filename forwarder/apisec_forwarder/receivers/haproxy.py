"""Turns one line of HAProxy's log (``gateway/haproxy.cfg``'s log-format) into a transaction.

HAProxy writes ``-`` for what is not there. Headers and bodies come in base64, so that no byte of them can break a line.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import orjson

from apisec.errors import DecodeError
from apisec.model.transaction import Body, Client, Headers, Request, Response, Transaction, header

MAX_ID = 128


def parse(line: bytes) -> Transaction:
    """Return the transaction of one line, or raise DecodeError, which repeats no byte of it."""
    record = _record(line)
    start, method = _number(record, "start"), _text(record, "method")
    fields = _headers(record, "in")
    if start is None or not method:
        raise DecodeError("no start time or no method")
    target = _bytes(record, "url").decode("latin-1")
    if not target:
        raise DecodeError("no target")
    status = _number(record, "status")
    return Transaction(
        id=_text(record, "id")[:MAX_ID],
        time=start,
        client=_client(record),
        request=Request(
            method,
            target,
            fields,
            _body(record, "body_in", "size_in", fields),
            "https" if _text(record, "tls") else "http",
            header(fields, "host") or "",
        ),
        # HAProxy writes status -1, or its own error, where no server answered
        response=_response(record, int(status)) if status is not None and 100 <= status <= 999 else None,
        duration=_number(record, "duration"),
        bytes_in=_count(record, "bytes_in"),
        bytes_out=_count(record, "bytes_out"),
        upstream_time=_upstream(record),
    )


def _upstream(record: Mapping[str, Any]) -> float | None:
    """Return what the server took: until its headers came (%Tr), and the body (%Td); -1 when it never got so far."""
    waited, received = _number(record, "server"), _number(record, "data")
    if waited is None or received is None or waited < 0 or received < 0:
        return None
    return waited + received


def _record(line: bytes) -> Mapping[str, Any]:
    """Return the object of a line; a syslog header before it is passed over."""
    begin = line.find(b"{")
    try:
        record = orjson.loads(line[begin:]) if begin >= 0 else None
    except ValueError:
        raise DecodeError("not JSON: cut, or another log format") from None
    if not isinstance(record, dict):
        raise DecodeError("not an object")
    return record


def _response(record: Mapping[str, Any], status: int) -> Response:
    fields = _headers(record, "out")
    return Response(status, fields, _body(record, "body_out", "size_out", fields))


def _client(record: Mapping[str, Any]) -> Client:
    subject = _bytes(record, "subject").decode("utf-8", "replace") if _text(record, "verified") == "0" else ""
    port = _count(record, "port")
    return Client(_text(record, "address"), port, _text(record, "tls") or None, certificate_subject=subject or None)


def _body(record: Mapping[str, Any], name: str, size: str, fields: Headers) -> Body:
    """Return the body as captured; its size is the larger of what HAProxy counted and what the headers said."""
    data = _bytes(record, name)
    stated = header(fields, "content-length") or ""
    said = int(stated) if stated.isascii() and stated.isdigit() and len(stated) < 16 else 0
    return Body(data, max(len(data), said, _count(record, size) or 0))


def _headers(record: Mapping[str, Any], name: str) -> Headers:
    """Return the headers of a block as HTTP/1 writes it."""
    found = []
    for line in _bytes(record, name).decode("latin-1").split("\r\n"):
        key, colon, value = line.partition(":")
        if colon:
            found.append((key, value.strip()))
    return tuple(found)


def _text(record: Mapping[str, Any], name: str) -> str:
    value = record.get(name)
    return value if isinstance(value, str) and value != "-" else ""


def _bytes(record: Mapping[str, Any], name: str) -> bytes:
    try:
        return base64.b64decode(_text(record, name), validate=True)
    except (binascii.Error, ValueError):
        raise DecodeError("not base64") from None


def _number(record: Mapping[str, Any], name: str) -> float | None:
    value = record.get(name)
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return None
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _count(record: Mapping[str, Any], name: str) -> int | None:
    value = _number(record, name)
    return int(value) if value is not None and 0 <= value < 1e15 else None
