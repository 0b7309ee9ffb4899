"""Where the keys come from: a file of mode 600, an environment variable, or a command that prints them."""

from __future__ import annotations

import base64
import binascii
import json
import os
import secrets
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apisec.errors import KeyFileError
from apisec.redaction.keys import ALGORITHMS, SECRET_BYTES, VERSION, KeyRing, Tokenizer, moment_text
from apisec_forwarder.files import read_private, write_private

if TYPE_CHECKING:
    from apisec_forwarder.config.schema import Keys

MAX_BYTES = 1 << 20
FIPS_ALGORITHM = "hmac-sha256"  # FIPS 198-1 over FIPS 180-4; BLAKE2 is not approved
COMMAND_SECONDS = 30.0


def generate(algorithm: str = "blake2b") -> dict[str, Any]:
    """Return a key document with one new key, which is active."""
    key = new_key(algorithm)
    return {"version": VERSION, "active": key["id"], "keys": [key]}


def new_key(algorithm: str = "blake2b") -> dict[str, str]:
    """Return one new key with a random secret and id."""
    if algorithm not in ALGORITHMS:
        raise KeyFileError(f"algorithm is not {' or '.join(ALGORITHMS)}")
    return {
        "id": secrets.token_hex(4),
        "algorithm": algorithm,
        "secret": base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode(),
        "created": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def rotated(document: Mapping[str, Any], new: Mapping[str, str], at: float | None, retires: float) -> dict[str, Any]:
    """Return the document with one more key: active at once, or from ``at`` on (seconds since the epoch).

    The key before it retires at ``retires``: until then events carry its tokens of identities, too.
    """
    listed = [
        {**key, "retires": moment_text(retires)} if key["id"] == document["active"] else key for key in document["keys"]
    ]
    changed = {**document, "version": VERSION, "keys": [*listed, dict(new)]}
    if at is None:
        changed.pop("next", None)
        return {**changed, "active": new["id"]}
    return {**changed, "next": {"id": new["id"], "at": moment_text(at)}}


def settled(document: Mapping[str, Any], now: float) -> dict[str, Any]:
    """Return the document with a switch that has happened by ``now`` written down as the active key."""
    following = document.get("next")
    ring = KeyRing.parse(document)
    if following is None or ring.at(now).active.id != following["id"]:
        return dict(document)
    return {name: value for name, value in document.items() if name != "next"} | {"active": following["id"]}


def read(path: Path) -> dict[str, Any]:
    """Return the document of a key file; refuses one that others can read."""
    raw = read_private(path, MAX_BYTES, "make one with: apisec-forwarder keys generate --output FILE")
    return _document(raw, str(path))


def _document(raw: bytes, where: str) -> dict[str, Any]:
    if len(raw) > MAX_BYTES:
        raise KeyFileError(f"is larger than {MAX_BYTES} bytes", where=where)
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        raise KeyFileError("is not JSON", where=where) from None
    if not isinstance(document, dict):
        raise KeyFileError("is not a JSON object", where=where)
    return document


def from_environment(name: str, environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the document that a variable holds, as JSON or as base64 of JSON."""
    where = f"environment variable {name}"
    text = (os.environ if environment is None else environment).get(name, "").strip()
    if not text:
        raise KeyFileError("is not set", where=where)
    if text.startswith("{"):
        return _document(text.encode(), where)
    try:
        return _document(base64.b64decode(text, validate=True), where)
    except (binascii.Error, ValueError):
        raise KeyFileError("is neither JSON nor base64 of JSON", where=where) from None


def from_command(command: Sequence[str], timeout: float = COMMAND_SECONDS) -> dict[str, Any]:
    """Return the document that a command prints; what it says on stderr stays on stderr. Never run by a shell."""
    where = f"command {command[0]}"
    try:
        done = subprocess.run(  # noqa: S603 - the configuration's own words, which its owner wrote
            list(command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired:
        raise KeyFileError(f"did not end within {timeout:g} s", where=where) from None
    except OSError as error:
        raise KeyFileError(f"cannot be run: {error.strerror}", where=where) from None
    if done.returncode:
        raise KeyFileError(f"ended with exit code {done.returncode}", where=where)
    return _document(done.stdout, where)


def load(path: Path) -> KeyRing:
    """Return the ring of a key file, or raise KeyFileError with the remedy."""
    path = Path(path)
    return KeyRing.parse(read(path), str(path))


def open_ring(settings: Keys) -> KeyRing:
    """Return the ring from wherever the configuration says, or raise KeyFileError with the remedy."""
    if settings.file is not None:
        ring = load(settings.file)
    elif settings.environment is not None:
        ring = KeyRing.parse(from_environment(settings.environment), f"environment variable {settings.environment}")
    else:
        ring = KeyRing.parse(from_command(settings.command), f"command {settings.command[0]}")
    weak = [key.id for key in ring.keys if key.algorithm != FIPS_ALGORITHM]
    if settings.fips and weak:
        remedy = f"rotate with: apisec-forwarder keys rotate --algorithm {FIPS_ALGORITHM}, and remove the others"
        raise KeyFileError(f"keys.fips allows only {FIPS_ALGORITHM}; {', '.join(weak)} have another one; {remedy}")
    return ring


def tokenizer(settings: Keys, ring: KeyRing, now: float) -> Tokenizer:
    """Return the tokenizer as it stands at ``now``, seconds since the epoch."""
    if not settings.format_preserving:
        return Tokenizer(ring.at(now))
    from apisec_forwarder.format_preserving import preserve

    return Tokenizer(ring.at(now), preserve(settings.format_preserving))


def write(path: Path, document: Mapping[str, Any], *, replace: bool = False) -> None:
    """Write a key file of mode 600, atomically; without ``replace`` an existing file is an error."""
    path = Path(path)
    KeyRing.parse(document, str(path))
    if path.exists() and not replace:
        raise KeyFileError("exists already; a new key would break correlation: use keys rotate", where=str(path))
    try:
        write_private(path, (json.dumps(document, indent=2) + "\n").encode())
    except OSError as error:
        raise KeyFileError(f"cannot be written: {error.strerror}", where=str(path)) from None
