"""Credentials by their own shape: JWT, bearer and Basic credentials in text, private keys, URLs with a password."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Optional

from apisec.detectors.base import Detector, linear, whole


def _jwt(text: str) -> Optional[str]:
    """Accept a compact JWS or JWE whose first part is a JSON object with ``alg`` (RFC 7515, RFC 7516)."""
    head = text.partition(".")[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return None
    return text if isinstance(header, dict) and "alg" in header else None


def _basic(text: str) -> Optional[str]:
    try:
        decoded = base64.b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return None
    return text if b":" in decoded else None


def _bearer(text: str) -> Optional[str]:
    return text if any(c.isdigit() for c in text) or len(text) >= 24 else None


DETECTORS = (
    Detector(
        "jwt",
        "secret.jwt",
        linear(r"(?<![\w.-])ey[\w-]{8,}\.[\w-]*\.[\w-]*(?:\.[\w-]*\.[\w-]*)?", 0),
        _jwt,
        literals=("ey",),
    ),
    Detector(
        "bearer",
        "secret.bearer",
        linear(r"(?i:\bbearer)[ :]{1,2}(?P<value>[\w.+/-]{12,}={0,2})"),
        _bearer,
        literals=("earer ", "EARER ", "earer:"),
    ),
    Detector(
        "basic",
        "secret.basic",
        linear(r"(?i:\bbasic) {1,2}(?P<value>[A-Za-z0-9+/_-]{6,}={0,2})"),
        _basic,
        literals=("asic ", "ASIC "),
    ),
    Detector(
        "private_key",
        "secret.private_key",
        linear(r"-----BEGIN [A-Z ]{0,24}PRIVATE KEY-----[^-]{0,8192}(?:-----END [A-Z ]{0,24}PRIVATE KEY-----)?"),
        whole,
        literals=("PRIVATE KEY",),
    ),
    Detector(
        "url.password",
        "secret.password",
        linear(r"\b[a-zA-Z][a-zA-Z0-9+.-]{1,20}://[^\s:/?#@\"']{0,64}:(?P<value>[^\s:/?#@\"']{1,128})@"),
        whole,
        literals=("://",),
    ),
)
