"""Readers of the members of JSON documents that describe a transaction; every error names the member."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from apisec.decoders.framing import unchunk
from apisec.errors import DecodeError, DocumentError
from apisec.model.transaction import Body, Headers, header

MAX_RECORD = 256 << 20  # bytes of one record: a 50 MB body in base64 with both halves, and room
MAX_HEADERS = 1000


def parsed(record: bytes) -> Mapping[str, Any]:
    """Return the object of one record. Bytes that are no UTF-8 (a body that a gateway copied as it was) survive."""
    try:
        document = json.loads(record.decode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError) as error:
        column = f" at column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise DocumentError(f"not JSON{column}; each record is one JSON object") from None
    if not isinstance(document, dict):
        raise DocumentError("not a JSON object; each record is one transaction")
    return document


def raw(text: str) -> bytes:
    """Return the bytes that a text stood for on the wire: those that were no UTF-8 as they were."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half a surrogate pair, which JSON can write and UTF-8 cannot
        return text.encode("utf-8", "surrogatepass")


def mapping(document: Mapping[str, Any], name: str, *, required: bool = False) -> Mapping[str, Any]:
    """Return an object among the members; an empty one when it is absent and not required."""
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
            found = datetime.fromisoformat(value)
        except ValueError:
            pass
        else:
            return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    raise DocumentError("is missing, or neither seconds since the epoch nor RFC 3339", where=where)


def number(document: Mapping[str, Any], name: str) -> float | None:
    """Return a number among the members, or None when it is absent."""
    value = document.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise DocumentError("is not a number", where=name)
    return float(value)


def elapsed(document: Mapping[str, Any], name: str) -> float | None:
    """Return milliseconds among the members; None when they are absent, or negative, as gateways write *not known*."""
    value = number(document, name)
    return value if value is not None and value >= 0 else None


def text(document: Mapping[str, Any], name: str, where: str) -> str | None:
    """Return a text among the members, or None when it is absent."""
    value = document.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise DocumentError("is not a string", where=f"{where}.{name}")
    return readable(value)


def readable(value: str) -> str:
    """Return a text with bytes that were no UTF-8 as Latin-1, as HTTP's fields were once defined (RFC 9110, 5.5)."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return raw(value).decode("latin-1")
    return value


def count(document: Mapping[str, Any], name: str, where: str) -> int | None:
    """Return a number of bytes, also one written as a text, or None."""
    value = document.get(name)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        return int(value)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e15:
        raise DocumentError("is not a number of bytes", where=f"{where}.{name}")
    return int(value)


def status(document: Mapping[str, Any], where: str) -> int:
    """Return the HTTP status of a response."""
    value = document.get("status")
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 999:
        raise DocumentError("is missing or not an HTTP status", where=f"{where}.status")
    return value


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
        value = pair[1] if isinstance(pair[1], str) else json.dumps(pair[1])
        found.append((readable(pair[0]), readable(value)))
    if len(found) > MAX_HEADERS:
        raise DocumentError(f"holds more than {MAX_HEADERS} fields", where=f"{where}.headers")
    return tuple(found)


def body(document: Mapping[str, Any], where: str, size: int | None = None) -> Body:
    """Return the body of a message: text, or base64 with ``body_encoding``; ``size`` is what crossed the wire.

    ``body_framing: chunked`` says that the copy still has the chunks of HTTP/1.1; they are joined here.
    """
    content = document.get("body")
    if content is None or content == "":
        return Body(b"", size or 0)
    if not isinstance(content, str):
        # A body given as JSON instead of as text: taken as the text it would have been.
        content = json.dumps(content)
    encoding = document.get("body_encoding")
    if encoding is None:
        data = raw(content)
    elif encoding == "base64":
        try:
            data = base64.b64decode(content, validate=True)
        except (binascii.Error, ValueError):
            raise DocumentError("is not base64, but body_encoding says so", where=f"{where}.body") from None
    else:
        raise DocumentError("is not 'base64', the only encoding", where=f"{where}.body_encoding")
    if document.get("body_framing") is not None:
        return _unchunked(data, size or 0, document["body_framing"], where)
    return Body(data, max(size or 0, len(data)))


def _unchunked(data: bytes, size: int, framing: Any, where: str) -> Body:
    if framing != "chunked":
        raise DocumentError("is not 'chunked', the only framing", where=f"{where}.body_framing")
    try:
        joined, cut = unchunk(data, truncated=size > len(data))
    except DecodeError as error:
        raise DocumentError(f"cannot be read as chunks: {error}", where=f"{where}.body") from None
    return Body(joined, len(joined) + cut)


def stated_size(fields: Headers) -> int | None:
    """Return the length of the body that a message's headers state; None when they state none."""
    value = header(fields, "content-length") or ""
    return int(value) if value.isascii() and value.isdigit() and len(value) < 16 else None


def answers_with_body(method: str, status_code: int) -> bool:
    """Whether ``content-length`` of a response counts bytes that follow (RFC 9110 8.6)."""
    return method != "HEAD" and status_code not in (204, 304)


def addressed(document: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """Return method, target, scheme and host of a gateway's request: ``uri`` as the client sent it, ``url`` whole."""
    method, url = text(document, "method", "request"), text(document, "url", "request") or ""
    uri = text(document, "uri", "request")
    if not method or not (uri or url):
        raise DocumentError("is missing", where="request.method" if not method else "request.uri")
    try:
        parts = urlsplit(url)
        scheme, host = parts.scheme, parts.netloc.rpartition("@")[2]
    except ValueError:
        scheme, host = "", ""
    return method, uri or url, scheme or "https", host
