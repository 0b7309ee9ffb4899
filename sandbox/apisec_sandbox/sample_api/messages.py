"""Reading requests and writing answers: bounded bodies, checked fields, one shape of error."""

from __future__ import annotations

import email.parser
import email.policy
import json
import re
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl
from xml.parsers import expat

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

MAX_BODY_BYTES = 1 << 20
MAX_FIELDS = 100
MAX_XML_ELEMENTS = 500
MAX_XML_DEPTH = 20


class ApiError(Exception):
    """An answer of the 4xx kind."""

    def __init__(self, status: int, code: str, message: str, details: list[dict[str, str]] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.details = status, code, message, details or []

    def response(self) -> Response:
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.details:
            error["details"] = self.details
        headers = {"www-authenticate": 'Bearer realm="shop"'} if self.status == 401 else None
        return JSONResponse({"error": error}, self.status, headers=headers)


def crash(error: Exception) -> Response:
    """A 500 that shows its stack trace: verbose errors, a deliberate weakness."""
    trace = "".join(traceback.format_exception(error))
    body = {"error": {"code": "internal", "message": f"{type(error).__name__}: {error}", "trace": trace[-4000:]}}
    return JSONResponse(body, 500)


async def read_body(request: Request) -> bytes:
    """Return the body, or raise 413 as soon as it is longer than the bound."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            raise ApiError(413, "too_large", f"body is larger than {MAX_BODY_BYTES} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


def media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


class Fields:
    """Checked access to an object's members; ``check`` raises one 422 that names every bad one."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._data = data
        self._problems: list[dict[str, str]] = []

    def __contains__(self, name: str) -> bool:
        return name in self._data

    def _problem(self, name: str, message: str) -> None:
        self._problems.append({"field": name, "message": message})

    def text(self, name: str, limit: int = 200, pattern: str | None = None, default: str | None = None) -> str:
        value = self._data.get(name, default)
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)  # clients send card numbers and postcodes as numbers
        if not isinstance(value, str) or (not value and default is None):
            self._problem(name, "is required and must be text")
            return ""
        if len(value) > limit:
            self._problem(name, f"is longer than {limit} characters")
        elif pattern and not re.fullmatch(pattern, value):
            self._problem(name, f"value {value!r} does not match {pattern}")  # echoes the value: deliberate
        return value

    def integer(self, name: str, low: int, high: int, default: int | None = None) -> int:
        value = self._data.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self._problem(name, f"must be an integer from {low} to {high}")
            return low
        return value

    def check(self) -> None:
        if self._problems:
            raise ApiError(422, "invalid", "the request has invalid fields", self._problems)


async def read_json(request: Request) -> Fields:
    """Return the fields of a JSON object; 400 when it is none."""
    if media_type(request) != "application/json":
        raise ApiError(415, "unsupported_media_type", "send application/json")
    try:
        data = json.loads(await read_body(request))
    except (ValueError, RecursionError) as error:
        raise ApiError(400, "bad_json", f"the body is not JSON: {error}") from error
    if not isinstance(data, dict):
        raise ApiError(400, "bad_json", "the body must be a JSON object")
    return Fields(data)


async def read_form(request: Request) -> Fields:
    if media_type(request) != "application/x-www-form-urlencoded":
        raise ApiError(415, "unsupported_media_type", "send application/x-www-form-urlencoded")
    try:
        text = (await read_body(request)).decode()
        return Fields(dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS)))
    except ValueError as error:
        raise ApiError(400, "bad_form", f"the body is not a form: {error}") from error


@dataclass(frozen=True)
class Part:
    name: str
    filename: str
    content_type: str
    data: bytes


async def read_multipart(request: Request) -> list[Part]:
    """Return the parts of multipart/form-data (RFC 7578), which is MIME."""
    if media_type(request) != "multipart/form-data":
        raise ApiError(415, "unsupported_media_type", "send multipart/form-data")
    head = f"content-type: {request.headers['content-type']}\r\n\r\n".encode()
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + await read_body(request))
    parts: list[Part] = []
    for part in message.iter_parts() if message.is_multipart() else ():
        name = part.get_param("name", header="content-disposition")
        data = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(data, bytes) and len(parts) < MAX_FIELDS:
            parts.append(Part(name, part.get_filename() or "", part.get_content_type(), data))
    if not parts:
        raise ApiError(400, "bad_multipart", "the body has no parts")
    return parts


def parse_xml(data: bytes) -> dict[str, str]:
    """Return the text of every leaf element by its local name; no entities, bounded size and depth."""
    texts: dict[str, str] = {}
    path: list[str] = []
    buffer: list[str] = []
    count = 0

    def start(name: str, _attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        path.append(name.rpartition(":")[2])
        if count > MAX_XML_ELEMENTS or len(path) > MAX_XML_DEPTH:
            raise ApiError(400, "bad_xml", "the document is too large")
        buffer.clear()

    def end(_name: str) -> None:
        name = path.pop()
        text = "".join(buffer).strip()
        if text:
            texts.setdefault(name, text)
        buffer.clear()

    def entity(*_: Any) -> None:
        raise ApiError(400, "bad_xml", "entity declarations are not allowed")

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler, parser.EntityDeclHandler = buffer.append, entity
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise ApiError(400, "bad_xml", f"not well-formed XML: {error}") from error
    return texts


def page_of(request: Request, size: int) -> tuple[int, int]:
    """Return the slice that ``?page=`` asks for, from 1."""
    raw = request.query_params.get("page", "1")
    if not raw.isascii() or not raw.isdigit() or not 1 <= int(raw[:7]) <= 10_000:
        raise ApiError(422, "invalid", "page must be a number from 1 to 10000")
    start = (int(raw[:7]) - 1) * size
    return start, start + size
