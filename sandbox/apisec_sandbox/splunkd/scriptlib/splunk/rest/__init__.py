"""splunk.rest: requests to splunkd. TLS is verified against the authority in SSL_CERT_FILE."""

from __future__ import annotations

import http.client
import json
import ssl
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from .. import (
    AuthenticationFailed,
    AuthorizationFailed,
    BadRequest,
    InternalServerError,
    ResourceNotFound,
    RESTException,
    SplunkdConnectionException,
    getDefault,
    getLocalServerInfo,
)

TIMEOUT = 30  # seconds, splunk.rest.SPLUNKD_CONNECTION_TIMEOUT
MAX_BYTES = 64 * 1024 * 1024
ERRORS: dict[int, type[RESTException]] = {
    400: BadRequest,
    401: AuthenticationFailed,
    403: AuthorizationFailed,
    404: ResourceNotFound,
    500: InternalServerError,
}


def makeSplunkdUri() -> str:
    return getLocalServerInfo().rstrip("/") + "/"


class Response(dict):  # type: ignore[type-arg]
    """Headers in lower case, and ``status``."""

    def __init__(self, status: int, reason: str, headers: Any) -> None:
        super().__init__({name.lower(): value for name, value in headers})
        self.status = status
        self.reason = reason
        self["status"] = str(status)

    @property
    def messages(self) -> list[Any]:
        return []


def simpleRequest(
    path: str,
    sessionKey: Any = None,
    getargs: Any = None,
    postargs: Any = None,
    method: str = "GET",
    raiseAllErrors: bool = False,
    proxyMode: bool = False,
    rawResult: bool = False,
    timeout: Any = None,
    jsonargs: Any = None,
    token: bool = False,
) -> tuple[Response, bytes]:
    """Return the reply and its body.

    Raises:
        AuthenticationFailed: 401, unless in proxy mode or with a raw result.
        RESTException: another error, with ``raiseAllErrors``.
        SplunkdConnectionException: no answer.
    """
    uri = path if "://" in path else makeSplunkdUri() + path.lstrip("/")
    if getargs:
        pairs = {name: value for name, value in dict(getargs).items() if value is not None}
        uri += ("&" if "?" in uri else "?") + urlencode(pairs, doseq=True)
    headers, body = {}, None
    key = sessionKey or (None if proxyMode else getDefault("sessionKey"))
    if key:
        headers["Authorization"] = f"{'Bearer' if token else 'Splunk'} {key}"
    if postargs is not None or jsonargs is not None:
        method = method if method in ("PUT", "DELETE") else "POST"
    if jsonargs is not None:
        headers["Content-Type"], body = "application/json", str(jsonargs).encode()
    elif postargs is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        pairs = {name: value for name, value in dict(postargs).items() if value is not None}
        body = urlencode(pairs, doseq=True).encode()
    reply, content = _exchange(uri, method, body, headers, timeout or TIMEOUT)
    if not (proxyMode or rawResult):
        _raise_for(reply, content, raiseAllErrors)
    return reply, content


def _exchange(uri: str, method: str, body: Any, headers: Any, timeout: float) -> tuple[Response, bytes]:
    parts = urlsplit(uri)
    target = quote(parts.path, safe="/%:@!$&'()*+,;=~-._") + (f"?{parts.query}" if parts.query else "")
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        context = ssl.create_default_context()
        connection = http.client.HTTPSConnection(parts.netloc, timeout=timeout, context=context)
    else:
        connection = http.client.HTTPConnection(parts.netloc, timeout=timeout)
    try:
        connection.request(method, target, body, headers)
        reply = connection.getresponse()
        content = reply.read(MAX_BYTES)
        return Response(reply.status, reply.reason, reply.getheaders()), content
    except OSError as error:
        raise SplunkdConnectionException(f"Error connecting to {uri}: {error}") from error
    finally:
        connection.close()


def _raise_for(reply: Response, content: bytes, everything: bool) -> None:
    if reply.status == 401 or (everything and reply.status >= 400):
        text = _message(content) or reply.reason
        kind = ERRORS.get(reply.status)
        raise kind(text) if kind else RESTException(reply.status, text)  # type: ignore[arg-type]


def _message(content: bytes) -> str:
    try:
        return str(json.loads(content)["messages"][0]["text"])
    except (ValueError, KeyError, IndexError, TypeError):
        import re

        found = re.search(rb"<msg[^>]*>(.*?)</msg>", content, re.DOTALL)
        return found[1].decode("utf-8", "replace") if found else ""


def getWebCertFile() -> None:
    """No certificate of Splunk Web is presented here."""


def getWebKeyFile() -> None:
    """No key either."""


def is_cert_or_key_encrypted(path: str) -> bool:
    return False
