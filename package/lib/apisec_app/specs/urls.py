"""URLs that an input may name: absolute, http or https, without credentials inside."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

MAX_URL = 2_000
_PORTS = {"http": 80, "https": 443}
_PRINTABLE = re.compile(r"[!-\[\]^-~]+")  # ASCII without a backslash
_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}|[0-9A-Fa-f:.]{2,45}")


class Url(NamedTuple):
    """``host`` in small letters and without brackets; ``target`` is path and query."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def text(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}"

    @property
    def shown(self) -> str:
        """The URL for people and logs: a query may hold a key."""
        path, mark, _ = self.target.partition("?")
        return f"{self.scheme}://{self.authority}{path}{'?…' if mark else ''}"

    def same_origin(self, other: Url) -> bool:
        return self[:3] == other[:3]


def checked(text: str) -> Url:
    """Return a URL's parts; ValueError, which repeats no credentials, for one that is not acceptable."""
    if not 0 < len(text) <= MAX_URL or not _PRINTABLE.fullmatch(text):
        raise ValueError(
            f"give 1 to {MAX_URL} printable ASCII characters; other letters stand as %xx, or xn-- in a host"
        )
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise ValueError("its host or port cannot be read") from error
    scheme, host = parts.scheme.lower(), (parts.hostname or "").lower()
    if scheme not in _PORTS or not _HOST.fullmatch(host):
        raise ValueError("give https://host/path")
    if "@" in parts.netloc:
        raise ValueError("credentials do not belong into a URL: give them in fields of their own")
    if port == 0:
        raise ValueError("its port is 0")
    query = f"?{parts.query}" if parts.query else ""
    return Url(scheme, host, port or _PORTS[scheme], (parts.path or "/") + query)


def joined(base: Url, reference: str) -> Url:
    """Return what a reference (RFC 3986, 5) means beside a URL; ValueError for what is not acceptable."""
    return checked(urljoin(base.text, reference.strip()).partition("#")[0])
