"""Transactions from APISIX's http-logger plugin (3.x), with bodies where ``include_req_body`` and the like are set.

Source: the plugin's documented log format, https://apisix.apache.org/docs/apisix/plugins/http-logger/.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apisec.errors import DocumentError
from apisec.model.transaction import Body, Client, Request, Response, Transaction
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
from apisec_forwarder.receivers.jsonl import made_id

CUT_BYTES = 524_288  # where APISIX cuts a body by default (max_req_body_bytes, max_resp_body_bytes)


def transaction(record: Mapping[str, Any], raw: bytes, position: int = 0) -> Transaction:
    """Return the transaction of one record, or raise DocumentError naming the member; ``raw`` gives the id."""
    request, response = mapping(record, "request", required=True), mapping(record, "response")
    started = number(record, "start_time")
    if started is None:
        raise DocumentError("is missing: the time of the request in milliseconds", where="start_time")
    return Transaction(
        id=made_id(raw, position),
        time=started / 1000,
        client=Client(text(record, "client_ip", "record") or "", authenticated=_who(record)),
        request=_request(request),
        response=_response(response, text(request, "method", "request") or "")
        if response.get("status") is not None
        else None,
        duration=elapsed(record, "latency"),
        bytes_in=count(request, "size", "request"),
        bytes_out=count(response, "size", "response"),
        upstream_time=elapsed(record, "upstream_latency"),
    )


def _request(document: Mapping[str, Any]) -> Request:
    method, target, scheme, host = addressed(document)
    fields = headers(document.get("headers"), "request")
    content = _body(document, "request", stated_size(fields))
    return Request(method, target, fields, content, scheme, host)


def _response(document: Mapping[str, Any], method: str) -> Response:
    fields, code = headers(document.get("headers"), "response"), status(document, "response")
    size = stated_size(fields) if answers_with_body(method, code) else None
    return Response(code, fields, _body(document, "response", size))


def _body(document: Mapping[str, Any], where: str, stated: int | None) -> Body:
    """Return the body. APISIX does not say that it cut one: one of exactly the cut's length is taken for cut."""
    found = body(document, where, stated)
    return Body(found.data, max(found.size, CUT_BYTES + 1)) if len(found.data) == CUT_BYTES else found


def _who(record: Mapping[str, Any]) -> str | None:
    consumer = mapping(record, "consumer")
    name = consumer.get("username") or consumer.get("consumer_name")
    return name if isinstance(name, str) and name else None
