"""What an actor does, as data: calls to make and pauses to take. Transports turn it into traffic.

An actor is a generator. It yields ``Call``, ``Wait`` and ``Rest``; it gets the reply of a call back. It never
opens a socket and never reads a clock.
"""

from __future__ import annotations

import csv
import io
import json
import zlib
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote, quote_plus, urlencode
from xml.sax.saxutils import escape, unescape

from apisec_sandbox.traffic.clients import Client
from apisec_sandbox.traffic.values import Sensitive, SensitiveNumber

MAX_REPLY_BYTES = 4 << 20

Result = TypeVar("Result")
Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Plant:
    """A sensitive value that a message carried, and where in it."""

    value: str
    data_class: str
    where: str


@dataclass(frozen=True)
class Call:
    """One request, ready to send; ``operation`` is "METHOD /template" of the API's document."""

    operation: str
    method: str
    target: str  # path and query as on the wire
    headers: Headers
    body: bytes
    client: Client
    attack: str | None
    plants: tuple[Plant, ...]


@dataclass(frozen=True)
class Wait:
    """Think time inside a visit, seconds."""

    seconds: float


@dataclass(frozen=True)
class Rest:
    """Time between visits, seconds; live traffic shortens it."""

    seconds: float


class UnexpectedReplyError(Exception):
    """The reply is not what the actor's plan needs (a refusal, an error): the visit ends here."""


@dataclass(frozen=True)
class Reply:
    """Status 0 means that no answer came."""

    status: int
    headers: Headers = ()
    body: bytes = b""
    _parsed: list[Any] = field(default_factory=list, compare=False, repr=False)

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name), "")

    @property
    def plain(self) -> bytes:
        """The body without its content coding, at most MAX_REPLY_BYTES."""
        if self.header("content-encoding") != "gzip":
            return self.body
        try:
            return zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(self.body, MAX_REPLY_BYTES)
        except zlib.error:
            return b""

    @property
    def data(self) -> Any:
        """The JSON body, or None."""
        if not self._parsed:
            try:
                self._parsed.append(json.loads(self.plain) if "json" in self.header("content-type") else None)
            except (ValueError, RecursionError):
                self._parsed.append(None)
        return self._parsed[0]

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def refused(self) -> bool:
        """Whether the gateway refused it for a block pattern."""
        if self.status != 403:
            return False
        blocked = isinstance(self.data, dict) and self.data.get("error") == "blocked"
        return bool(self.header("x-apisec-pattern")) or blocked or b'"blocked"' in self.body[:200]

    def need(self, name: str) -> Any:
        """Return a member of a successful JSON reply; UnexpectedReplyError when there is none."""
        if not self.ok or not isinstance(self.data, dict) or name not in self.data:
            raise UnexpectedReplyError(f"{self.status} without {name!r}")
        return self.data[name]


Step = Call | Wait | Rest
Steps = Generator[Step, Reply | None, Result]


def send(call: Call) -> Steps[Reply]:
    reply = yield call
    if reply is None:
        raise RuntimeError("the stage resumed a call without a reply")
    return reply


def _walk(value: Any, where: str) -> Iterator[Plant]:
    if isinstance(value, (Sensitive, SensitiveNumber)):
        yield Plant(str(value), value.data_class, where)
    elif isinstance(value, Mapping):
        for key, member in value.items():
            yield from _walk(member, f"{where}.{key}")
    elif isinstance(value, (list, tuple)):
        for member in value:
            yield from _walk(member, f"{where}[]")


@dataclass(frozen=True)
class File:
    """A part of a multipart body."""

    name: str
    filename: str
    content_type: str
    data: bytes


@dataclass(frozen=True)
class Content:
    """A request body: its bytes, its media type, and what sensitive values it carries."""

    data: bytes = b""
    media_type: str = ""
    plants: tuple[Plant, ...] = ()


def json_content(value: Mapping[str, Any], *, ascii_only: bool = False) -> Content:
    text = json.dumps(value, ensure_ascii=ascii_only, separators=(",", ":"))
    return Content(text.encode(), "application/json", tuple(_walk(value, "request.json")))


def form_content(value: Mapping[str, str]) -> Content:
    return Content(
        urlencode(value, quote_via=quote_plus).encode(),
        "application/x-www-form-urlencoded",
        tuple(_walk(value, "request.form")),
    )


def xml_content(template: str, values: Mapping[str, str]) -> Content:
    """Fill ``{name}`` placeholders with escaped values."""
    escaped = {key: escape(value) for key, value in values.items()}
    return Content(template.format(**escaped).encode(), "application/xml", tuple(_walk(values, "request.xml")))


def multipart_content(fields: Mapping[str, str], files: Iterable[File], boundary: str) -> Content:
    pieces = [
        f'--{boundary}\r\ncontent-disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    for file in files:
        head = f'--{boundary}\r\ncontent-disposition: form-data; name="{file.name}"; filename="{file.filename}"'
        pieces.append(f"{head}\r\ncontent-type: {file.content_type}\r\n\r\n".encode() + file.data + b"\r\n")
    pieces.append(f"--{boundary}--\r\n".encode())
    plants = tuple(_walk(fields, "request.multipart"))
    return Content(b"".join(pieces), f"multipart/form-data; boundary={boundary}", plants)


def build(
    client: Client,
    operation: str,
    *,
    path: Mapping[str, str] | None = None,
    raw_path: str | None = None,
    query: Mapping[str, str] | None = None,
    headers: Sequence[tuple[str, str]] = (),
    header_plants: Iterable[Plant] = (),
    content: Content = Content(),
    attack: str | None = None,
) -> Call:
    """Return the call of one operation. ``path`` and ``query`` are encoded; ``raw_path`` is sent as it is."""
    method, _, template = operation.partition(" ")
    target = template
    for name, value in (path or {}).items():
        target = target.replace(f"{{{name}}}", quote(value, safe=""))
    if raw_path is not None:
        target = raw_path
    if query:
        target += "?" + urlencode(query, quote_via=quote_plus)
    sent = [*client.headers(), *headers]
    if content.media_type:
        sent.append(("content-type", content.media_type))
    plants = (
        *_walk(path or {}, "request.path"),
        *_walk(query or {}, "request.query"),
        *header_plants,
        *_walk(dict(headers), "request.header"),
        *content.plants,
    )
    return Call(operation, method, target, tuple(sent), content.data, client, attack, plants)


SENSITIVE_KEYS = {
    "email": "pii.email",
    "phone": "pii.phone",
    "ssn": "pii.ssn",
    "iban": "fin.iban",
    "access_token": "secret.jwt",
    "refresh_token": "secret.bearer",
}  # the names under which the sample API answers with sensitive values


def plants_of_reply(reply: Reply) -> Iterator[Plant]:
    """Yield the sensitive values that the API's answer carries: JSON members, XML elements, the cookie."""
    cookie = reply.header("set-cookie")
    if cookie.startswith("sid="):
        yield Plant(cookie[4:].partition(";")[0], "secret.session", "response.header.set-cookie")
    if reply.data is not None:
        yield from _walk_reply(reply.data, "response.json")
    elif "xml" in reply.header("content-type"):
        for tag, data_class in ((b"Email", "pii.email"), (b"Phone", "pii.phone"), (b"PayTo", "fin.iban")):
            value = reply.plain.partition(b":%s>" % tag)[2].partition(b"<")[0]
            if value:
                yield Plant(unescape(value.decode()), data_class, f"response.xml.{tag.decode()}")
    elif "csv" in reply.header("content-type"):
        for row in csv.DictReader(io.StringIO(reply.plain.decode())):
            for name in sorted(SENSITIVE_KEYS.keys() & row.keys()):
                if row[name]:
                    yield Plant(row[name], SENSITIVE_KEYS[name], f"response.csv.{name}")


def _walk_reply(value: Any, where: str) -> Iterator[Plant]:
    if isinstance(value, dict):
        for key, member in value.items():
            if isinstance(member, str) and member and key in SENSITIVE_KEYS:
                yield Plant(member, SENSITIVE_KEYS[key], f"{where}.{key}")
            else:
                yield from _walk_reply(member, f"{where}.{key}")
    elif isinstance(value, list):
        for member in value:
            yield from _walk_reply(member, f"{where}[]")
