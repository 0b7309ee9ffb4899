"""Whose key signed a request: AWS Signature and its like, Hawk, OAuth 1.0, HTTP message signatures, Digest.

What such a credential holds differs in each request, but for the name of the key. Nothing is verified here.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from apisec.model.credentials import SIGNATURES
from apisec.model.transaction import Headers

MAX_LOOKED_AT = 4_096  # characters of a credential
# Authorization's schemes beside those that call themselves HMAC (AWS4-HMAC-SHA256, HMAC-SHA256, EG1-HMAC-SHA256):
# AWS Signature 2 and 4a, Google's RSA form, Alibaba, Hawk, draft-ietf-oauth-v2-http-mac, draft-cavage, Azure Storage.
_SCHEMES = frozenset(
    (
        "aws",
        "aws4-ecdsa-p256-sha256",
        "goog4-rsa-sha256",
        "oss",
        "hawk",
        "mac",
        "signature",
        "sharedkey",
        "sharedkeylite",
    )
)
_MEMBER = re.compile(r'([A-Za-z_-]{1,40})=(?:"([^"]{1,512})"|([^",;&\s]{1,512}))')
_PAIR = re.compile(r"([^\s:,=]{1,256}):[^\s:]+")
# What names the key, in this order: two of them in one credential are a key and whom it acts for.
_KEY_NAMES = (
    "credential", "keyid", "key_id", "access", "accesskeyid", "oauth_token", "oauth_consumer_key", "client_token",
    "username", "id",
)  # fmt: skip
# Parameters of signed URLs.
SIGNED_PARAMETERS = frozenset(("x-amz-credential", "x-goog-credential"))
# Headers that hold a signature, or say what is signed by whom (RFC 9421).
SIGNATURE_HEADERS = frozenset(name for name in SIGNATURES if not name.startswith("x-amz-"))


class Signer(NamedTuple):
    """``key``: the name of the key, or of the user for Digest; empty where the credential names none."""

    auth: str  # hmac or digest
    key: str


def of_authorization(scheme: str, credential: str) -> Signer | None:
    """Return who signed by an Authorization header, or None when its scheme sends the secret itself."""
    lower = scheme.lower()
    members = _members(credential)
    if lower == "digest":
        return Signer("digest", members.get("username", ""))
    if lower == "oauth":  # 1.0; others put a token of theirs behind the same word
        return Signer("hmac", _key(members)) if "oauth_signature" in members else None
    if lower not in _SCHEMES and "hmac" not in lower:
        return None
    pair = _PAIR.fullmatch(credential[:MAX_LOOKED_AT])
    return Signer("hmac", _key(members) or (pair[1] if pair else ""))


def of_headers(headers: Headers) -> Signer | None:
    """Return who signed by headers of their own, or None when there are none."""
    signed = [value for name, value in headers if name.lower() in SIGNATURE_HEADERS]
    if not signed:
        return None
    return Signer("hmac", next((key for key in (_key(_members(value)) for value in signed) if key), ""))


def of_scope(value: str) -> str:
    """Return the key of AWS's and Google's credentials, which go on with day, region and service."""
    return value.partition("/")[0][:256]


def _members(credential: str) -> dict[str, str]:
    found = _MEMBER.findall(credential[:MAX_LOOKED_AT])
    return {name.lower(): quoted or bare for name, quoted, bare in reversed(found)}


def _key(members: dict[str, str]) -> str:
    name = next((one for one in _KEY_NAMES if members.get(one)), "")
    return of_scope(members[name]) if name == "credential" else members.get(name, "")
