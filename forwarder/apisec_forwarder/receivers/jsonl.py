"""Transactions from JSON lines: ``{"time":…,"client":{…},"request":{…},"response":{…}}``, one a line."""

from __future__ import annotations

import codecs
import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from apisec.errors import DocumentError
from apisec.model.transaction import Client, Request, Response, Transaction
from apisec_forwarder.receivers.documents import (
    MAX_RECORD,
    body,
    count,
    elapsed,
    headers,
    mapping,
    moment,
    number,
    parsed,
    status,
    text,
)

MAX_ID = 128


def transactions(stream: BinaryIO, name: str) -> Iterator[Transaction | DocumentError]:
    """Yield a transaction a line, or the error of that line; ``name`` is the file's, for messages."""
    position = 0
    while True:
        line = stream.readline(MAX_RECORD + 1)
        if not line:
            return
        position += 1
        if len(line) > MAX_RECORD:
            yield DocumentError(f"line is longer than {MAX_RECORD} bytes; split the file", where=f"{name}:{position}")
            while line and not line.endswith(b"\n"):
                line = stream.readline(MAX_RECORD)
            continue
        if position == 1:
            line = line.removeprefix(codecs.BOM_UTF8)
        if line.strip():
            try:
                yield transaction(parsed(line), line, position)
            except DocumentError as error:
                yield DocumentError(str(error), where=f"{name}:{position}")


def transaction(document: Mapping[str, Any], record: bytes, position: int = 0) -> Transaction:
    """Return the transaction of one record; its id, when it has none, is made of content and position."""
    answered = document.get("response") is not None
    identifier = document.get("id")
    return Transaction(
        id=str(identifier)[:MAX_ID] if identifier else made_id(record, position),
        time=moment(document.get("time"), "time"),
        client=_client(mapping(document, "client")),
        request=_request(mapping(document, "request", required=True)),
        response=_response(mapping(document, "response")) if answered else None,
        duration=number(document, "duration"),
        upstream_time=elapsed(document, "upstream_time"),
    )


def made_id(record: bytes, position: int = 0) -> str:
    """Return an id that the same record at the same place always has, so that a repetition can be dropped."""
    return hashlib.blake2b(record.strip() + b"\0%d" % position, digest_size=12).hexdigest()


def _client(document: Mapping[str, Any]) -> Client:
    port = document.get("port")
    if port is not None and (isinstance(port, bool) or not isinstance(port, int)):
        raise DocumentError("is not an integer", where="client.port")
    return Client(
        address=text(document, "address", "client") or "",
        port=port,
        tls_version=text(document, "tls_version", "client"),
        ja4=text(document, "ja4", "client"),
        certificate_subject=text(document, "certificate_subject", "client"),
        authenticated=text(document, "authenticated", "client"),
    )


def _request(document: Mapping[str, Any]) -> Request:
    method, url = text(document, "method", "request"), text(document, "url", "request")
    if not method or not url:
        raise DocumentError("is missing", where="request.url" if method else "request.method")
    size = count(document, "body_size", "request")
    return Request(method, url, headers(document.get("headers"), "request"), body(document, "request", size))


def _response(document: Mapping[str, Any]) -> Response:
    size = count(document, "body_size", "response")
    found = headers(document.get("headers"), "response")
    return Response(status(document, "response"), found, body(document, "response", size))
