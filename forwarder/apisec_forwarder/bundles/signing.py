"""Signing keys: made, kept in a file of mode 600, used. Verifying here goes through OpenSSL, in constant time."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from apisec.bundles import canonical
from apisec.bundles.release import FORMAT, Release, decoded, parse, unsigned
from apisec.bundles.seen import Seen
from apisec.bundles.trust import key_id
from apisec.errors import DocumentError, KeyFileError
from apisec_forwarder.bundles.documents import read_json
from apisec_forwarder.files import read_private, write_private

VERSION = 1
SEED_BYTES = 32
MAX_KEY_BYTES = 4096
REMEDY = "make one with: apisec-forwarder bundle keygen --output FILE"


@dataclass(frozen=True)
class SigningKey:
    """A private key with its id; it never shows itself."""

    id: str
    private: Ed25519PrivateKey

    def __repr__(self) -> str:
        return f"SigningKey({self.id})"

    def public(self) -> bytes:
        return self.private.public_key().public_bytes_raw()


def generate(path: Path) -> SigningKey:
    """Make a key and its file (mode 600); an existing file is never replaced."""
    if path.exists():
        raise KeyFileError("exists already; name another file", where=str(path))
    private = Ed25519PrivateKey.generate()
    key = SigningKey(key_id(private.public_key().public_bytes_raw()), private)
    seed = base64.b64encode(private.private_bytes_raw()).decode("ascii")
    document = {"version": VERSION, "id": key.id, "algorithm": "ed25519", "private": seed}
    try:
        write_private(path, json.dumps(document, indent=1).encode() + b"\n")
    except OSError as error:
        raise KeyFileError(f"cannot be written: {error.strerror}", where=str(path)) from None
    return key


def load(path: Path) -> SigningKey:
    """Read a key's file; KeyFileError with the remedy, never with a byte of the key."""
    document = read_json(read_private(path, MAX_KEY_BYTES, REMEDY), str(path))
    if not isinstance(document, dict) or document.get("version") != VERSION:
        raise KeyFileError(f"is no signing key of version {VERSION}; {REMEDY}", where=str(path))
    try:
        seed = decoded(str(document.get("private", "")), SEED_BYTES)
    except DocumentError:
        raise KeyFileError(f"private is not base64 of {SEED_BYTES} bytes", where=str(path)) from None
    private = Ed25519PrivateKey.from_private_bytes(seed)
    key = SigningKey(key_id(private.public_key().public_bytes_raw()), private)
    if document.get("id") != key.id:
        raise KeyFileError(f"id is not that of the key, {key.id}: the file was edited", where=str(path))
    return key


def trusted(key: SigningKey, teams: list[str], environments: list[str], owner: str) -> dict[str, Any]:
    """Return the entry that the trust file of a forwarder needs."""
    public = base64.b64encode(key.public()).decode("ascii")
    entry = {"id": key.id, "public": public, "teams": teams, "environments": environments}
    return {**entry, "owner": owner} if owner else entry


def sign(bundle: dict[str, Any], environment: str | None, seen: Seen | None, keys: list[SigningKey]) -> Release:
    """Return the release of a bundle that comes from an environment which has seen these fields."""
    if (environment is None) != (seen is None):
        raise DocumentError("the environment that a bundle comes from and what it has seen belong together")
    covered = unsigned(bundle, environment, seen.digest if seen is not None else None)
    message = canonical.encode(covered)
    signatures = [
        {"key": key.id, "signature": base64.b64encode(key.private.sign(message)).decode("ascii")} for key in keys
    ]
    document = {**covered, "apisec_release": FORMAT, "signatures": signatures}
    return parse({**document, "seen": dict(seen.document)} if seen is not None else document)


def verify(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the key's holder signed the message."""
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
