"""Signing artefacts with Ed25519: the key is the file that ``apisec-forwarder bundle keygen`` makes (mode 600)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from apisec.abuse.artefact import check, covered
from apisec.bundles.trust import key_id
from apisec.errors import KeyFileError

KEY_VERSION = 1
SEED_BYTES = 32
MAX_KEY_BYTES = 4096
REMEDY = "make one with: apisec-forwarder bundle keygen --output FILE"


def load_key(path: Path) -> Ed25519PrivateKey:
    """Read a signing key; KeyFileError with the remedy, never with a byte of the key."""
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise KeyFileError(f"others can read it; chmod 600 {path}", where=str(path))
        with path.open("rb") as file:
            text = file.read(MAX_KEY_BYTES)
    except OSError as error:
        raise KeyFileError(f"cannot be read: {error.strerror}; {REMEDY}", where=str(path)) from None
    try:
        document = json.loads(text)
        seed = base64.b64decode(document["private"], validate=True)
        version, name = document["version"], document["id"]
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise KeyFileError(f"is no signing key; {REMEDY}", where=str(path)) from None
    if version != KEY_VERSION or len(seed) != SEED_BYTES:
        raise KeyFileError(f"is no signing key of version {KEY_VERSION}; {REMEDY}", where=str(path))
    key = Ed25519PrivateKey.from_private_bytes(seed)
    if name != key_id(key.public_key().public_bytes_raw()):
        raise KeyFileError("id is not that of the key: the file was edited", where=str(path))
    return key


def sign(document: Mapping[str, Any], key: Ed25519PrivateKey) -> dict[str, Any]:
    """Return the artefact with one more signature (one a key); raises ModelError for what is no artefact."""
    check(document)
    name = key_id(key.public_key().public_bytes_raw())
    kept = [one for one in document.get("signatures") or () if one.get("key") != name]
    signature = base64.b64encode(key.sign(covered(document))).decode("ascii")
    return {**document, "signatures": [*kept, {"key": name, "signature": signature}]}


def fingerprint(document: Mapping[str, Any]) -> str:
    """Return twelve digits by which people compare artefacts."""
    return hashlib.sha256(covered(document)).hexdigest()[:12]
