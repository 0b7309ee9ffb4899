"""The request target: what was asked for, taken apart (RFC 9112, 3.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from apisec.model.transaction import Request, header

DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
MAX_TARGET = 65_536  # characters; servers refuse far shorter ones

_ABSOLUTE = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,20})://([^/?#]*)(.*)", re.DOTALL)
_PORT = re.compile(r"(.*?):(\d{1,5})", re.DOTALL)


@dataclass(frozen=True)
class Target:
    """``path`` and ``query`` are raw (still percent-encoded); ``query`` is None when there is no question mark."""

    scheme: str
    host: str
    port: int | None
    path: str
    query: str | None
    userinfo: str = ""
    cut: bool = False


def parse(request: Request) -> Target:
    """Return the parts of the target; never raises."""
    raw, scheme, authority, userinfo = request.target, request.scheme.lower(), request.host, ""
    cut = len(raw) > MAX_TARGET
    raw = raw[:MAX_TARGET]
    absolute = _ABSOLUTE.fullmatch(raw)
    if absolute:
        scheme, authority, raw = absolute.group(1).lower(), absolute.group(2), absolute.group(3)
    elif request.method.upper() == "CONNECT":
        authority, raw = raw, ""
    authority = authority or header(request.headers, "host") or ""
    userinfo, _, authority = authority.rpartition("@")
    raw = raw.partition("#")[0]
    path, question, query = raw.partition("?")
    if not path.startswith("/"):
        path = "/" + path
    host, port = authority, DEFAULT_PORTS.get(scheme)
    explicit = _PORT.fullmatch(authority)
    if explicit and not explicit.group(1).count(":") > explicit.group(1).count("["):
        host, port = explicit.group(1), int(explicit.group(2))
    return Target(scheme, host, port, path, query if question else None, userinfo, cut)
