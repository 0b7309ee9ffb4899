"""A client of the forwarder's admin API: TLS verified, a bearer token, problem+json errors."""

from __future__ import annotations

import http.client
import json
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, Optional
from urllib.parse import quote, urlsplit

TIMEOUT_SECONDS = 20.0
MAX_ANSWER = 4 * 1024 * 1024  # bytes of one answer
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s\\]{1,20000}?)-----END CERTIFICATE-----")


class AdminError(Exception):
    """The forwarder cannot be asked, or said no; ``status`` is its HTTP status, 0 without an answer."""

    def __init__(self, message: str, status: int = 0) -> None:
        self.status = status
        super().__init__(message)


@dataclass(frozen=True)
class Forwarder:
    """One configured forwarder; ``ca`` is PEM text, a path, or empty. The token is never shown."""

    name: str
    url: str
    token: str = field(repr=False)
    ca: str = ""


def trust(ca: str) -> ssl.SSLContext:
    """The TLS context that verifies the forwarder; raises AdminError for a CA that cannot be read."""
    try:
        if not ca.strip():
            return ssl.create_default_context()
        if "BEGIN CERTIFICATE" in ca:
            return ssl.create_default_context(cadata=pem(ca))
        return ssl.create_default_context(cadata=pem(Path(ca.strip()).read_text("utf-8")))
    except (OSError, ValueError) as error:
        raise AdminError(f"the CA certificate cannot be used: {error}; give PEM text or a readable file") from None


def pem(text: str) -> str:
    """Certificates as PEM, whatever a form or a conf file did to their line breaks."""
    blocks = []
    for body in _PEM.findall(text):
        letters = re.sub(r"\\n|\\r|[\s\\]", "", body)
        lines = [letters[i : i + 64] for i in range(0, len(letters), 64)]
        blocks.append("\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----"]))
    if not blocks:
        raise ValueError("no certificate in it")
    return "\n".join(blocks) + "\n"


class AdminClient:
    """Calls /v1/patterns of one forwarder. One connection per call: an alert action makes three."""

    def __init__(self, forwarder: Forwarder) -> None:
        parts = urlsplit(forwarder.url)
        if parts.scheme != "https" or not parts.hostname:
            raise AdminError(f"{forwarder.url!r}: the admin URL must be https://host:port")
        self._host, self._port = parts.hostname, parts.port or 443
        self._token = forwarder.token
        self._context = trust(forwarder.ca)

    def get(self, identity: str) -> Optional[Dict[str, Any]]:
        """The pattern as the forwarder holds it, None when it holds none."""
        try:
            return self._call("GET", f"/v1/patterns/{quote(identity, safe='')}")
        except AdminError as error:
            if error.status == 404:
                return None
            raise

    def put(self, identity: str, document: Mapping[str, Any]) -> Dict[str, Any]:
        return self._call("PUT", f"/v1/patterns/{quote(identity, safe='')}", document)

    def promote(self, identity: str, mode: str, reason: str) -> Dict[str, Any]:
        body = {"to": mode, "reason": reason}
        return self._call("POST", f"/v1/patterns/{quote(identity, safe='')}:promote", body)

    def _call(self, method: str, path: str, body: Optional[Mapping[str, Any]] = None) -> Dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        connection = http.client.HTTPSConnection(self._host, self._port, timeout=TIMEOUT_SECONDS, context=self._context)
        try:
            connection.request(method, path, data, headers)
            answer = connection.getresponse()
            status, content = answer.status, answer.read(MAX_ANSWER)
        except ssl.SSLCertVerificationError as error:
            remedy = "set the CA certificate of this forwarder on the page Configuration"
            raise AdminError(f"{self._host}:{self._port}: {error.verify_message}; {remedy}") from None
        except (OSError, http.client.HTTPException) as error:
            raise AdminError(f"{self._host}:{self._port} does not answer: {error}") from None
        finally:
            connection.close()
        return _checked(status, content, f"{method} {path}")


def _checked(status: int, content: bytes, what: str) -> Dict[str, Any]:
    """The answer's JSON; raises AdminError with what a problem document says (RFC 9457)."""
    try:
        document = json.loads(content) if content else {}
    except ValueError:
        document = {}
    if not isinstance(document, dict):
        document = {"items": document}
    if status < 300:
        return document
    said = [str(document[key]) for key in ("title", "detail", "remedy") if document.get(key)]
    raise AdminError(f"{what}: {status} {': '.join(said) or http.client.responses.get(status, '')}", status)
