"""Transactions from HAR 1.2 (HTTP Archive), as browsers and proxies export it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from apisec.errors import DocumentError
from apisec.model.transaction import Body, Client, Headers, Request, Response, Transaction
from apisec_forwarder.receivers.documents import moment

MAX_BYTES = 512 << 20  # of one archive: it is read as a whole

# A HAR's text is decoded, so headers that spoke of the wire no longer hold.
_WIRE_HEADERS = ("content-encoding", "transfer-encoding", "content-length")


def transactions(raw: bytes, name: str) -> Iterator[Transaction | DocumentError]:
    """Yield a transaction an entry, or the error of that entry; raises DocumentError when it is no HAR."""
    try:
        document = json.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise DocumentError("not JSON; export the archive again as HAR 1.2", where=name) from None
    log = document.get("log") if isinstance(document, dict) else None
    entries = log.get("entries") if isinstance(log, dict) else None
    if not isinstance(entries, list):
        raise DocumentError("no HAR: log.entries is missing", where=name)
    for index, entry in enumerate(entries):
        try:
            yield parse(entry, index)
        except DocumentError as error:
            yield DocumentError(str(error), where=f"{name}: log.entries[{index}]")


def parse(entry: Any, index: int) -> Transaction:
    """Return the transaction of one entry."""
    if not isinstance(entry, dict):
        raise DocumentError("is not an object")
    request, response = _object(entry, "request"), _object(entry, "response")
    url, method = request.get("url"), request.get("method")
    if not isinstance(url, str) or not isinstance(method, str):
        raise DocumentError("has no url or no method", where="request")
    content = json.dumps(entry, sort_keys=True).encode() + b"\0%d" % index
    duration = entry.get("time")
    return Transaction(
        id=hashlib.blake2b(content, digest_size=12).hexdigest(),
        time=moment(entry.get("startedDateTime"), "startedDateTime"),
        client=Client(address=str(entry.get("_clientAddress") or "")),
        request=Request(method, url, _headers(request, request.get("postData")), _posted(request)),
        response=_response(response),
        duration=float(duration) if isinstance(duration, (int, float)) and duration >= 0 else None,
    )


def _response(response: Mapping[str, Any]) -> Response | None:
    """Return the response, or None: browsers write status 0 for a request that got no answer."""
    status = response.get("status")
    if isinstance(status, bool) or not isinstance(status, int) or not 0 < status <= 999:
        return None
    return Response(status, _headers(response, response.get("content")), _content(response))


def _object(entry: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = entry.get(name)
    if not isinstance(value, dict):
        raise DocumentError("is missing or not an object", where=name)
    return value


def _headers(message: Mapping[str, Any], body: Any) -> Headers:
    """Return the headers; some exporters name the media type only beside the body."""
    listed = message.get("headers")
    found = []
    for item in listed if isinstance(listed, list) else []:
        name, value = (item.get("name"), item.get("value")) if isinstance(item, dict) else (None, None)
        if isinstance(name, str) and isinstance(value, str) and not name.startswith(":"):
            found.append((name, value))
    media_type = body.get("mimeType") if isinstance(body, dict) else None
    if isinstance(media_type, str) and media_type and all(name.lower() != "content-type" for name, _ in found):
        found.append(("content-type", media_type))
    return tuple((name, value) for name, value in found if name.lower() not in _WIRE_HEADERS)


def _posted(request: Mapping[str, Any]) -> Body:
    posted = request.get("postData")
    if not isinstance(posted, dict):
        return Body()
    text, params = posted.get("text"), posted.get("params")
    if not text and isinstance(params, list):
        pairs = [(p.get("name", ""), p.get("value", "")) for p in params if isinstance(p, dict)]
        text = urlencode(pairs)
    return _body(text, posted.get("encoding"))


def _content(response: Mapping[str, Any]) -> Body:
    content = response.get("content")
    if not isinstance(content, dict):
        return Body()
    body = _body(content.get("text"), content.get("encoding"))
    size = content.get("size")
    missing = not body.data and isinstance(size, int) and size > 0
    return Body(b"", size) if missing and isinstance(size, int) else body


def _body(text: Any, encoding: Any) -> Body:
    if not isinstance(text, str):
        return Body()
    if encoding == "base64":
        try:
            data = base64.b64decode(text)
        except (binascii.Error, ValueError):
            raise DocumentError("is not base64, but its encoding says so", where="content.text") from None
    else:
        data = text.encode("utf-8", "surrogatepass")
    return Body(data, len(data))
