"""JSON Web Tokens with HS256 (RFC 7519, RFC 7515), signed and checked with the standard library."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

MAX_TOKEN_CHARACTERS = 4096


class TokenError(Exception):
    """The token is not one of ours, or is no longer valid; the message says which."""


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def sign(claims: Mapping[str, Any], secret: bytes) -> str:
    """Return the compact serialisation of ``claims``."""
    head = _encode(b'{"alg":"HS256","typ":"JWT"}')
    signed = f"{head}.{_encode(json.dumps(claims, separators=(',', ':')).encode())}"
    return f"{signed}.{_encode(hmac.digest(secret, signed.encode(), hashlib.sha256))}"


def verify(token: str, secret: bytes, now: float) -> dict[str, Any]:
    """Return the claims of a valid token; raise TokenError otherwise."""
    if len(token) > MAX_TOKEN_CHARACTERS or token.count(".") != 2:
        raise TokenError("malformed token")
    signed, _, signature = token.rpartition(".")
    try:
        head, claims = (json.loads(_decode(part)) for part in signed.split("."))
        given = _decode(signature)
    except (ValueError, binascii.Error, RecursionError) as error:
        raise TokenError("malformed token") from error
    if not isinstance(head, dict) or not isinstance(claims, dict) or head.get("alg") != "HS256":
        raise TokenError("unsupported algorithm")
    if not hmac.compare_digest(given, hmac.digest(secret, signed.encode(), hashlib.sha256)):
        raise TokenError("signature does not match")
    expires = claims.get("exp")
    if not isinstance(expires, int) or expires <= now:
        raise TokenError("token expired")
    return claims
