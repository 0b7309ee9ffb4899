"""Keys and the tokenizer: the same value under the same key is the same token on every forwarder.

The hash's domain is the class, so that equal digits of two classes do not correlate. Reading and writing the
key file is the forwarder's part; here is only what the document means, and at which time which key counts.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any, Callable, Dict, Mapping, Optional, Tuple, Union

from apisec.errors import KeyFileError, did_you_mean
from apisec.redaction.tokens import DIGEST_BYTES

VERSION = 2
SECRET_BYTES = 32
ALGORITHMS = ("blake2b", "hmac-sha256")  # the second one where FIPS 140 is asked for
_KEY_ID = re.compile(r"[0-9a-f]{8}")
_KEY_MEMBERS = ("id", "algorithm", "secret", "created", "retires")
_NEEDED = ("id", "algorithm", "secret", "created")
_MEMBERS = ("version", "active", "next", "keys")
_MOMENT = "%Y-%m-%dT%H:%M:%SZ"

# Gives a value's token in its own format (digits stay digits), or None where the value has none.
Preserve = Callable[["Key", str, str], Optional[str]]


def moment(text: Any, where: str) -> float:
    """Return seconds since the epoch of ``2026-12-01T00:00:00Z``, or raise KeyFileError."""
    try:
        return datetime.strptime(text, _MOMENT).replace(tzinfo=timezone.utc).timestamp()
    except (TypeError, ValueError):
        raise KeyFileError("is not a time in UTC such as 2026-12-01T00:00:00Z", where=where) from None


def moment_text(seconds: float) -> str:
    """Return the text of a time as a key file holds it."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime(_MOMENT)


@dataclass(frozen=True)
class Key:
    """One key; its secret never appears in a repr.

    ``retires``: seconds since the epoch until which events also carry this key's tokens of identities after
    another key has become active; None: its tokens end with its turn.
    """

    id: str
    algorithm: str
    secret: bytes = field(repr=False)
    created: str
    retires: Optional[float] = None

    @classmethod
    def parse(cls, document: Any, where: str) -> Key:
        """Return the key, or raise KeyFileError naming the member."""
        if not isinstance(document, Mapping):
            raise KeyFileError("a key is an object", where=where)
        for name in document:
            if name not in _KEY_MEMBERS:
                raise KeyFileError(f"unknown member {name!r}{did_you_mean(str(name), _KEY_MEMBERS)}", where=where)
        values = {name: document.get(name) for name in _NEEDED}
        for name, value in values.items():
            if not isinstance(value, str):
                raise KeyFileError("is missing or not a string", where=f"{where}.{name}")
        if not _KEY_ID.fullmatch(str(values["id"])):
            raise KeyFileError("is not 8 hex digits", where=f"{where}.id")
        if values["algorithm"] not in ALGORITHMS:
            known = " or ".join(ALGORITHMS)
            raise KeyFileError(f"is not {known}", where=f"{where}.algorithm")
        secret = _secret(str(values["secret"]), f"{where}.secret")
        retires = document.get("retires")
        until = None if retires is None else moment(retires, f"{where}.retires")
        return cls(str(values["id"]), str(values["algorithm"]), secret, str(values["created"]), until)


def _secret(text: str, where: str) -> bytes:
    try:
        secret = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise KeyFileError("is not base64", where=where) from None
    if len(secret) != SECRET_BYTES:
        raise KeyFileError(f"is {len(secret)} bytes, {SECRET_BYTES} are needed", where=where)
    return secret


def _from_1(document: Dict[str, Any]) -> Dict[str, Any]:
    """Version 2 adds ``next`` and a key's ``retires``; both may be absent."""
    return {**document, "version": 2}


_UPGRADES = {1: _from_1}


def upgrade(document: Mapping[str, Any], where: str = "key file") -> Dict[str, Any]:
    """Return the document in the present version; KeyFileError for a version that is not known."""
    current = dict(document)
    while current.get("version") != VERSION:
        found = current.get("version")
        step = _UPGRADES.get(found) if isinstance(found, int) else None
        if step is None:
            raise KeyFileError(f"version is neither {VERSION} nor an earlier one", where=where)
        current = step(current)
    return current


@dataclass(frozen=True)
class KeyRing:
    """The keys of a key file. New tokens are made with the active one.

    ``scheduled`` and ``switches``: the key that is to follow, and when. ``overlap``: the keys before it whose
    tokens of identities still travel beside the new ones (see ``at``).
    """

    active: Key
    keys: Tuple[Key, ...]
    scheduled: Optional[Key] = None
    switches: Optional[float] = None
    overlap: Tuple[Key, ...] = ()

    @classmethod
    def parse(cls, document: Mapping[str, Any], where: str = "key file") -> KeyRing:
        """Return the ring of a key document, or raise KeyFileError; no message repeats a secret."""
        if not isinstance(document, Mapping):
            raise KeyFileError("the document is not a JSON object", where=where)
        for name in document:
            if name not in _MEMBERS:
                raise KeyFileError(f"unknown member {name!r}{did_you_mean(str(name), _MEMBERS)}", where=where)
        document = upgrade(document, where)
        by_id = _keys(document.get("keys"), where)
        active = document.get("active")
        if not isinstance(active, str) or active not in by_id:
            raise KeyFileError(f"active names no key of the file (it has {', '.join(by_id)})", where=where)
        keys = tuple(by_id.values())
        scheduled, switches = _next(document.get("next"), by_id, active, where)
        return cls(by_id[active], keys, scheduled, switches)

    def at(self, now: float) -> KeyRing:
        """Return the ring as it stands at ``now`` (seconds since the epoch): which key is active, which overlap."""
        active, scheduled, switches = self.active, self.scheduled, self.switches
        if scheduled is not None and switches is not None and now >= switches:
            active, scheduled, switches = scheduled, None, None
        overlap = tuple(
            key for key in self.keys if key not in (active, scheduled) and key.retires is not None and now < key.retires
        )
        return replace(self, active=active, scheduled=scheduled, switches=switches, overlap=overlap)

    def changes_after(self, now: float) -> Optional[float]:
        """Return when ``at`` will next give another answer than at ``now``, or None: never."""
        times = [self.switches, *(key.retires for key in self.keys)]
        return min((time for time in times if time is not None and time > now), default=None)


def _keys(listed: Any, where: str) -> Dict[str, Key]:
    if not isinstance(listed, (list, tuple)) or not listed:
        raise KeyFileError("keys is not a list with at least one key", where=where)
    by_id: Dict[str, Key] = {}
    for number, document in enumerate(listed):
        key = Key.parse(document, f"{where}: keys[{number}]")
        if key.id in by_id:
            raise KeyFileError(f"key id {key.id} stands twice", where=where)
        by_id[key.id] = key
    return by_id


def _next(document: Any, by_id: Mapping[str, Key], active: str, where: str) -> Tuple[Optional[Key], Optional[float]]:
    if document is None:
        return None, None
    if not isinstance(document, Mapping) or set(document) != {"id", "at"}:
        raise KeyFileError("next is an object with id and at", where=where)
    if document["id"] not in by_id or document["id"] == active:
        raise KeyFileError("next.id names no other key of the file", where=where)
    return by_id[document["id"]], moment(document["at"], f"{where}: next.at")


class Tokenizer:
    """Makes tokens with the active key of a ring. Safe to share between threads.

    ``earlier`` are the tokenizers of the keys that overlap. ``preserve`` gives tokens that keep their value's
    format, for the classes it knows; the others are hashes.
    """

    def __init__(self, keyring: KeyRing, preserve: Optional[Preserve] = None) -> None:
        self.key_id = keyring.active.id
        self._key = keyring.active
        self._secret = keyring.active.secret
        self._fips = keyring.active.algorithm == "hmac-sha256"
        self._keyed = None if self._fips else hashlib.blake2b(key=self._secret, digest_size=DIGEST_BYTES)
        self._preserve = preserve
        rings = [replace(keyring, active=key, overlap=()) for key in keyring.overlap]
        self.earlier: Tuple[Tokenizer, ...] = tuple([Tokenizer(ring, preserve) for ring in rings])

    def token(self, cls: str, value: Union[str, bytes]) -> str:
        """Return ``~cls~hex~`` of a value; text is hashed as UTF-8."""
        if self._preserve is not None and isinstance(value, str):
            kept = self._preserve(self._key, cls, value)
            if kept is not None:
                return f"~{cls}~{kept}~"
        data = value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass")
        message = cls.encode() + b"\0" + data
        if self._keyed is None:
            digest = hmac.digest(self._secret, message, "sha256")[:DIGEST_BYTES].hex()
        else:
            state = self._keyed.copy()
            state.update(message)
            digest = state.hexdigest()
        return f"~{cls}~{digest}~"
