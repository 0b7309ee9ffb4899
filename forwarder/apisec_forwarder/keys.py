"""The key file on disk: JSON of mode 600 (see ARCHITECTURE.md for its members)."""

from __future__ import annotations

import base64
import json
import os
import secrets
import stat
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from apisec.errors import KeyFileError
from apisec.redaction.keys import ALGORITHMS, SECRET_BYTES, VERSION, KeyRing

MODE = 0o600
MAX_BYTES = 1 << 20


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


def read(path: Path) -> dict[str, Any]:
    """Return the document of a key file; refuses one that others can read."""
    where = str(path)
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & ~MODE:
                raise KeyFileError(
                    f"is readable or writable by others (mode {mode:o}); do: chmod 600 {path}", where=where
                )
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        remedy = "make one with: apisec-forwarder keys generate --output FILE"
        raise KeyFileError(f"cannot be read ({error.strerror}); {remedy}", where=where) from None
    if len(raw) > MAX_BYTES:
        raise KeyFileError(f"is larger than {MAX_BYTES} bytes", where=where)
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        raise KeyFileError("is not JSON", where=where) from None
    if not isinstance(document, dict):
        raise KeyFileError("is not a JSON object", where=where)
    return document


def load(path: Path) -> KeyRing:
    """Return the ring of a key file, or raise KeyFileError with the remedy."""
    path = Path(path)
    return KeyRing.parse(read(path), str(path))


def write(path: Path, document: Mapping[str, Any], *, replace: bool = False) -> None:
    """Write a key file of mode 600, atomically; without ``replace`` an existing file is an error."""
    path = Path(path)
    KeyRing.parse(document, str(path))
    if path.exists() and not replace:
        raise KeyFileError("exists already; a new key would break correlation: use keys rotate", where=str(path))
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE)
        with os.fdopen(descriptor, "w") as file:
            json.dump(document, file, indent=2)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise KeyFileError(f"cannot be written: {error.strerror}", where=str(path)) from None
