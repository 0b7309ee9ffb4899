"""What a request's head tells: two lengths, a hidden method or path, a host that is none, a session in a link.

A gateway's parser refuses the worst of it before anybody sees a copy; what passes it may still mean something else to
the server behind. ``unusual`` is a question about names alone, so that an engine may ask it once per kind of head.
"""

from __future__ import annotations

import re
from typing import Dict, FrozenSet, Iterable, Iterator, List, Sequence, Tuple

from apisec.model.transaction import Headers

MAX_TYPES = 8  # content types in one header's value that are looked at

_OVERRIDES: Dict[str, float] = {
    "x-original-url": 0.75,
    "x-rewrite-url": 0.75,
    "x-original-uri": 0.6,
    "x-http-method-override": 0.5,
    "x-http-method": 0.5,
    "x-method-override": 0.5,
    "x-custom-ip-authorization": 0.7,
    "x-originating-ip": 0.5,
    "proxy": 0.8,  # httpoxy, CVE-2016-5385
}
# What an upload is to be called.
_NAMING: FrozenSet[str] = frozenset(("x-filename", "x_filename", "x.filename", "x-file-name"))
_RUN = re.compile(
    r"\.(?:php\d?|phtml|phar|pht|jspx?|aspx?|ashx|asmx|cgi|cfm|shtml|htaccess|exe|bat|ps1|war)[.\s]*$", re.IGNORECASE
)
_ONCE: FrozenSet[str] = frozenset(("content-length", "transfer-encoding", "host", "content-type"))
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z:-]+")  # RFC 9110, 5.6.2; a colon begins HTTP/2's own
_HOST = re.compile(r"[A-Za-z0-9._~\-\u0080-\U0010ffff]{1,255}(?::\d{1,5})?|\[[0-9A-Fa-f:.%]{2,60}\](?::\d{1,5})?")
_BOUNDARY = re.compile(
    r"boundary\s*=\s*\"?[^\";,]{0,200}[/;,]|;.{0,100}?\b(?:application|text|multipart|image)/", re.IGNORECASE
)
_METHODS = re.compile(r"get|head|post|options", re.IGNORECASE)


# What servers call their sessions' ids. In a query they come by a link: somebody else may have made it (CWE-384).
_SESSIONS: FrozenSet[str] = frozenset(
    (
        "jsessionid", "phpsessid", "phpsessionid", "aspsessionid", "asp.net_sessionid", "cfid", "cftoken", "cfsid",
        "jservsession", "jwsession", "weblogicsession", "session-id", "viewstate", "sessid",
    )
)  # fmt: skip
SESSION_SCORE = 0.5


def sessions(names: Iterable[str], headers: Headers, host: str) -> Iterator[str]:
    """Yield the names of a query that hold a session's id, where no page of the same host led to it."""
    found = [name for name in names if name.lower() in _SESSIONS]
    if found:
        came = next((value for name, value in headers if name.lower() == "referer"), "")
        if came.partition("://")[2].partition("/")[0].lower() != host.lower():
            yield from found


def unusual(names: Sequence[str]) -> bool:
    """Return whether a head whose names (in lower case) are these may tell something."""
    for name in names:
        if name in _OVERRIDES or name in _NAMING or not _TOKEN.fullmatch(name):
            return True
    if "transfer-encoding" in names and "content-length" in names:
        return True
    return len(set(names)) < len(names) and any(names.count(name) > 1 for name in _ONCE)


def odd_host(host: str) -> bool:
    """Return whether a host is neither a name nor an address."""
    return bool(host) and _HOST.fullmatch(host) is None


def odd_type(value: str) -> bool:
    """Return whether a content type holds another one, for a parser that reads it otherwise."""
    return ";" in value and len(value) <= 4_096 and _BOUNDARY.search(value) is not None


def runs(name: str) -> bool:
    """Return whether a server may run a file of this name."""
    return len(name) <= 1_024 and _RUN.search(name) is not None


def of_heads(headers: Headers, host: str = "") -> Iterator[Tuple[str, str, float]]:
    """Yield detector, header and score for a request's head; ``host`` is what it was sent to."""
    if odd_host(host):
        yield "protocol.host", "host", 0.8
    names = [name.lower() for name, _ in headers]
    for name, (_, value) in zip(names, headers):
        if name == "content-type" and odd_type(value):
            yield "protocol.content_type", name, 0.6
    if unusual(names):
        yield from _of_names(names, headers)


def _of_names(names: List[str], headers: Headers) -> Iterator[Tuple[str, str, float]]:
    for name, (_, value) in zip(names, headers):
        if name in _OVERRIDES and not ("method" in name and _METHODS.fullmatch(value.strip())):
            yield "protocol.override", name, _OVERRIDES[name]
        elif name in _NAMING:
            if runs(value):
                yield "protocol.upload", name, 0.7
        elif not _TOKEN.fullmatch(name):
            yield "protocol.smuggling", "", 0.9
    if "transfer-encoding" in names and "content-length" in names:
        yield "protocol.smuggling", "content-length", 0.8
    for name in sorted(_ONCE):
        values = {value.strip() for found, (_, value) in zip(names, headers) if found == name}
        if len(values) > 1:
            yield "protocol.smuggling", name, 0.8
