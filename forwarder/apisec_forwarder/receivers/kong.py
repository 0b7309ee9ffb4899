"""Transactions from Kong's http-log plugin (3.x): one object a request, with bodies where a pre-function adds them.

Kong writes ``authorization`` as ``REDACTED``; who acts then is the consumer that Kong itself authenticated.
Source: the plugin's documented log format, https://developer.konghq.com/plugins/http-log/.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apisec.errors import DocumentError
from apisec.model.transaction import Client, Headers, Request, Response, Transaction
from apisec_forwarder.receivers.documents import (
    addressed,
    answers_with_body,
    body,
    count,
    elapsed,
    headers,
    mapping,
    number,
    stated_size,
    status,
    text,
)
from apisec_forwarder.receivers.jsonl import MAX_ID, made_id

REDACTED = "REDACTED"


def transaction(record: Mapping[str, Any], raw: bytes, position: int = 0) -> Transaction:
    """Return the transaction of one record, or raise DocumentError naming the member; ``raw`` gives the id."""
    request, response = mapping(record, "request", required=True), mapping(record, "response")
    latencies = mapping(record, "latencies")
    started = number(record, "started_at")
    if started is None:
        raise DocumentError("is missing: the time of the request in milliseconds", where="started_at")
    return Transaction(
        id=(text(request, "id", "request") or made_id(raw, position))[:MAX_ID],
        time=started / 1000,
        client=_client(record, request),
        request=_request(request),
        response=_response(response, text(request, "method", "request") or "")
        if response.get("status") is not None
        else None,
        duration=elapsed(latencies, "request"),
        bytes_in=count(request, "size", "request"),
        bytes_out=count(response, "size", "response"),
        upstream_time=_upstream(latencies),
    )


def _request(document: Mapping[str, Any]) -> Request:
    method, target, scheme, host = addressed(document)
    fields = _shown(headers(document.get("headers"), "request"))
    content = body(document, "request", _size(document, "request", fields))
    return Request(method, target, fields, content, scheme, host)


def _shown(fields: Headers) -> Headers:
    """Return the headers without those whose value Kong took away: a credential that is none must not act."""
    return tuple((name, value) for name, value in fields if value != REDACTED)


def _response(document: Mapping[str, Any], method: str) -> Response:
    fields, code = headers(document.get("headers"), "response"), status(document, "response")
    size = _size(document, "response", fields if answers_with_body(method, code) else ())
    return Response(code, fields, body(document, "response", size))


def _size(document: Mapping[str, Any], where: str, fields: Headers) -> int | None:
    """Return the size of a body: as the pre-function counted it, or as the headers state it where there is none."""
    counted = count(document, "body_size", where)
    return counted if counted is not None else stated_size(fields)


def _client(record: Mapping[str, Any], request: Mapping[str, Any]) -> Client:
    tls = mapping(request, "tls")
    return Client(
        address=text(record, "client_ip", "record") or "",
        tls_version=text(tls, "version", "request.tls"),
        authenticated=_who(record),
    )


def _upstream(latencies: Mapping[str, Any]) -> float | None:
    """Return what the upstream took: until its headers came (``proxy``), and the body (``receive``, newer versions)."""
    waited, received = elapsed(latencies, "proxy"), elapsed(latencies, "receive")
    return waited if waited is None or received is None else waited + received


def _who(record: Mapping[str, Any]) -> str | None:
    """Return whom Kong authenticated: the consumer's name or id, or the credential's id."""
    consumer, credential = mapping(record, "consumer"), mapping(record, "authenticated_entity")
    for document, names in ((consumer, ("username", "custom_id", "id")), (credential, ("consumer_id", "id"))):
        for name in names:
            value = document.get(name)
            if isinstance(value, str) and value:
                return value
    return None
