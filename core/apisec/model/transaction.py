"""One request and its response as a receiver saw them: raw, before any redaction.

A ``Transaction`` never leaves the forwarder's process. What leaves is the event (see ``event.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Tuple

Headers = Tuple[Tuple[str, str], ...]


def header(headers: Headers, name: str) -> Optional[str]:
    """Return the first value of a header; ``name`` in lower case."""
    for key, value in headers:
        if key.lower() == name:
            return value
    return None


@dataclass(frozen=True)
class Body:
    """A message body as captured.

    ``data`` is what was captured, ``size`` the bytes that crossed the wire (larger when the copy was cut).
    """

    data: bytes = b""
    size: int = 0

    @property
    def truncated(self) -> bool:
        return self.size > len(self.data)


@dataclass(frozen=True)
class Client:
    """The peer of the connection, as the gateway knows it."""

    address: str = ""
    port: Optional[int] = None
    tls_version: Optional[str] = None  # "TLSv1.3"
    ja4: Optional[str] = None
    certificate_subject: Optional[str] = None  # set only when the gateway verified it
    authenticated: Optional[str] = None  # whom the gateway itself authenticated: its consumer, its user


@dataclass(frozen=True)
class Request:
    """``target`` is the request target on the wire: path and query, or an absolute URL (RFC 9112 3.2)."""

    method: str
    target: str
    headers: Headers = ()
    body: Body = Body()
    scheme: str = "https"
    host: str = ""


@dataclass(frozen=True)
class Response:
    status: int
    headers: Headers = ()
    body: Body = Body()


@dataclass(frozen=True)
class Refusal:
    """The gateway refused the request for a block pattern."""

    pattern: str  # the pattern's id
    how: str  # "rbac" (held by the gateway) or "call-out"


@dataclass(frozen=True)
class Transaction:
    """``time`` is the request's start, seconds since the epoch; ``duration`` milliseconds to the last byte.

    ``upstream_time`` is what the upstream took of them: from the request's first byte that the gateway sent it to the
    last byte of its response. None where no upstream was asked, or the gateway does not say.
    """

    id: str
    time: float
    client: Client
    request: Request
    response: Optional[Response] = None  # None: none came (reset, or asked before forwarding)
    duration: Optional[float] = None
    gateway: str = ""
    bytes_in: Optional[int] = None
    bytes_out: Optional[int] = None
    refusal: Optional[Refusal] = None
    upstream_time: Optional[float] = None
