"""Transactions from JSON lines: ``{"time":…,"client":{…},"request":{…},"response":{…}}``, one a line."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, BinaryIO

from apisec.errors import DocumentError
from apisec.model.transaction import Body, Client, Headers, Request, Response, Transaction

MAX_LINE = 256 << 20  # bytes of one line: a 50 MB body in base64 with both halves, and room


def transactions(stream: BinaryIO, name: str) -> Iterator[Transaction | DocumentError]:
    """Yield a transaction a line, or the error of that line; ``name`` is the file's, for messages."""
    number = 0
    while True:
        line = stream.readline(MAX_LINE + 1)
        if not line:
            return
        number += 1
        if len(line) > MAX_LINE:
            yield DocumentError(f"line is longer than {MAX_LINE} bytes; split the file", where=f"{name}:{number}")
            while line and not line.endswith(b"\n"):
                line = stream.readline(MAX_LINE)
            continue
        if line.strip():
            try:
                yield parse(line, number)
            except DocumentError as error:
                yield DocumentError(str(error), where=f"{name}:{number}")


def parse(line: bytes, number: int) -> Transaction:
    """Return the transaction of one line; its id, when it has none, is made of content and position."""
    try:
        document = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
    except UnicodeDecodeError:
        raise DocumentError("not UTF-8; convert it, or give bodies as base64 with body_encoding") from None
    except (ValueError, RecursionError) as error:
        column = f" at column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise DocumentError(f"not JSON{column}; each line is one JSON object") from None
    if not isinstance(document, dict):
        raise DocumentError("not a JSON object; each line is one transaction")
    request = _mapping(document, "request", required=True)
    response = _mapping(document, "response") if document.get("response") is not None else None
    identifier = document.get("id")
    return Transaction(
        id=str(identifier) if identifier else _identifier(line, number),
        time=moment(document.get("time"), "time"),
        client=_client(_mapping(document, "client")),
        request=_request(request),
        response=_response(response) if response is not None else None,
        duration=_number(document, "duration"),
    )


def _identifier(line: bytes, number: int) -> str:
    return hashlib.blake2b(line.strip() + b"\0%d" % number, digest_size=12).hexdigest()


def _mapping(document: Mapping[str, Any], name: str, *, required: bool = False) -> Mapping[str, Any]:
    value = document.get(name)
    if value is None and not required:
        return {}
    if not isinstance(value, dict):
        raise DocumentError("is missing or not an object", where=name)
    return value


def moment(value: Any, where: str) -> float:
    """Return seconds since the epoch of a number or an RFC 3339 text."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e12:
        return float(value)
    if isinstance(value, str):
        try:
            parsed = datetime.fromisoformat(value)
        except ValueError:
            pass
        else:
            return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
    raise DocumentError("is missing, or neither seconds since the epoch nor RFC 3339", where=where)


def _number(document: Mapping[str, Any], name: str) -> float | None:
    value = document.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise DocumentError("is not a number", where=name)
    return float(value)


def _client(document: Mapping[str, Any]) -> Client:
    port = document.get("port")
    if port is not None and (isinstance(port, bool) or not isinstance(port, int)):
        raise DocumentError("is not an integer", where="client.port")
    return Client(
        address=_text(document, "address", "client") or "",
        port=port,
        tls_version=_text(document, "tls_version", "client"),
        ja4=_text(document, "ja4", "client"),
        certificate_subject=_text(document, "certificate_subject", "client"),
    )


def _text(document: Mapping[str, Any], name: str, where: str) -> str | None:
    value = document.get(name)
    if value is not None and not isinstance(value, str):
        raise DocumentError("is not a string", where=f"{where}.{name}")
    return value


def _request(document: Mapping[str, Any]) -> Request:
    method, url = _text(document, "method", "request"), _text(document, "url", "request")
    if not method or not url:
        raise DocumentError("is missing", where="request.url" if method else "request.method")
    return Request(method, url, headers(document.get("headers"), "request"), _body(document, "request"))


def _response(document: Mapping[str, Any]) -> Response:
    status = document.get("status")
    if isinstance(status, bool) or not isinstance(status, int) or not 0 <= status <= 999:
        raise DocumentError("is missing or not an HTTP status", where="response.status")
    return Response(status, headers(document.get("headers"), "response"), _body(document, "response"))


def headers(document: Any, where: str) -> Headers:
    """Return headers given as an object (values: text or a list of texts) or as a list of pairs."""
    if document is None:
        return ()
    pairs: list[Any] = []
    if isinstance(document, dict):
        for name, value in document.items():
            pairs += [(name, one) for one in (value if isinstance(value, list) else [value])]
    elif isinstance(document, list):
        pairs = document
    else:
        raise DocumentError("is neither an object nor a list of pairs", where=f"{where}.headers")
    found = []
    for pair in pairs:
        if not isinstance(pair, (list, tuple)) or len(pair) != 2 or not isinstance(pair[0], str):
            raise DocumentError("holds something that is no [name, value]", where=f"{where}.headers")
        found.append((pair[0], pair[1] if isinstance(pair[1], str) else json.dumps(pair[1])))
    return tuple(found)


def _body(document: Mapping[str, Any], where: str) -> Body:
    body = document.get("body")
    if body is None or body == "":
        return Body()
    if not isinstance(body, str):
        # A body given as JSON instead of as text: taken as the text it would have been.
        body = json.dumps(body)
    encoding = document.get("body_encoding")
    if encoding is None:
        data = body.encode("utf-8", "surrogatepass")
    elif encoding == "base64":
        try:
            data = base64.b64decode(body, validate=True)
        except (binascii.Error, ValueError):
            raise DocumentError("is not base64, but body_encoding says so", where=f"{where}.body") from None
    else:
        raise DocumentError("is not 'base64', the only encoding", where=f"{where}.body_encoding")
    return Body(data, len(data))
