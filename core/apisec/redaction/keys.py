"""Keys and the tokenizer: the same value under the same key is the same token on every forwarder.

The hash's domain is the class, so that equal digits of two classes do not correlate. Reading and writing the
key file is the forwarder's part; here is only what the document means.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass, field
from typing import Any, Dict, Mapping, Tuple, Union

from apisec.errors import KeyFileError, did_you_mean
from apisec.redaction.tokens import DIGEST_BYTES

VERSION = 1
SECRET_BYTES = 32
ALGORITHMS = ("blake2b", "hmac-sha256")  # the second one where FIPS 140 is asked for
_KEY_ID = re.compile(r"[0-9a-f]{8}")
_KEY_MEMBERS = ("id", "algorithm", "secret", "created")


@dataclass(frozen=True)
class Key:
    """One key; its secret never appears in a repr."""

    id: str
    algorithm: str
    secret: bytes = field(repr=False)
    created: str

    @classmethod
    def parse(cls, document: Any, where: str) -> Key:
        """Return the key, or raise KeyFileError naming the member."""
        if not isinstance(document, Mapping):
            raise KeyFileError("a key is an object", where=where)
        for name in document:
            if name not in _KEY_MEMBERS:
                raise KeyFileError(f"unknown member {name!r}{did_you_mean(str(name), _KEY_MEMBERS)}", where=where)
        values = {name: document.get(name) for name in _KEY_MEMBERS}
        for name, value in values.items():
            if not isinstance(value, str):
                raise KeyFileError("is missing or not a string", where=f"{where}.{name}")
        if not _KEY_ID.fullmatch(str(values["id"])):
            raise KeyFileError("is not 8 hex digits", where=f"{where}.id")
        if values["algorithm"] not in ALGORITHMS:
            known = " or ".join(ALGORITHMS)
            raise KeyFileError(f"is not {known}", where=f"{where}.algorithm")
        secret = _secret(str(values["secret"]), f"{where}.secret")
        return cls(str(values["id"]), str(values["algorithm"]), secret, str(values["created"]))


def _secret(text: str, where: str) -> bytes:
    try:
        secret = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise KeyFileError("is not base64", where=where) from None
    if len(secret) != SECRET_BYTES:
        raise KeyFileError(f"is {len(secret)} bytes, {SECRET_BYTES} are needed", where=where)
    return secret


@dataclass(frozen=True)
class KeyRing:
    """The keys of a key file. New tokens are made with the active one; the others stay for correlation."""

    active: Key
    keys: Tuple[Key, ...]

    @classmethod
    def parse(cls, document: Mapping[str, Any], where: str = "key file") -> KeyRing:
        """Return the ring of a key document, or raise KeyFileError; no message repeats a secret."""
        if not isinstance(document, Mapping):
            raise KeyFileError("the document is not a JSON object", where=where)
        for name in document:
            if name not in ("version", "active", "keys"):
                hint = did_you_mean(str(name), ("version", "active", "keys"))
                raise KeyFileError(f"unknown member {name!r}{hint}", where=where)
        if document.get("version") != VERSION:
            raise KeyFileError(f"version is not {VERSION}", where=where)
        listed = document.get("keys")
        if not isinstance(listed, (list, tuple)) or not listed:
            raise KeyFileError("keys is not a list with at least one key", where=where)
        keys = tuple(Key.parse(key, f"{where}: keys[{i}]") for i, key in enumerate(listed))
        by_id: Dict[str, Key] = {}
        for key in keys:
            if key.id in by_id:
                raise KeyFileError(f"key id {key.id} stands twice", where=where)
            by_id[key.id] = key
        active = document.get("active")
        if not isinstance(active, str) or active not in by_id:
            raise KeyFileError(f"active names no key of the file (it has {', '.join(by_id)})", where=where)
        return cls(by_id[active], keys)


class Tokenizer:
    """Makes tokens with the active key of a ring. Safe to share between threads."""

    def __init__(self, keyring: KeyRing) -> None:
        self.key_id = keyring.active.id
        self._secret = keyring.active.secret
        self._fips = keyring.active.algorithm == "hmac-sha256"
        self._keyed = None if self._fips else hashlib.blake2b(key=self._secret, digest_size=DIGEST_BYTES)

    def token(self, cls: str, value: Union[str, bytes]) -> str:
        """Return ``~cls~hex~`` of a value; text is hashed as UTF-8."""
        data = value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass")
        message = cls.encode() + b"\0" + data
        if self._keyed is None:
            digest = hmac.digest(self._secret, message, "sha256")[:DIGEST_BYTES].hex()
        else:
            state = self._keyed.copy()
            state.update(message)
            digest = state.hexdigest()
        return f"~{cls}~{digest}~"
