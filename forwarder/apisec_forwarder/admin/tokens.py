"""Bearer tokens of the admin API: a file of mode 600 that holds only SHA-256 hashes.

    {"version": 1, "tokens": [{"name": "splunk", "sha256": "<hex>", "scopes": ["patterns:read"], "teams": ["*"]}]}

A token has 256 random bits, so that a plain hash is enough: there is nothing to guess.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apisec.errors import ConfigError, did_you_mean
from apisec_forwarder.files import write_private

SCOPES = ("patterns:read", "patterns:write", "bundles:read", "bundles:write", "transactions:write")
PREFIX = "apisec_"  # so that secret scanners and people recognise one
MAX_TOKENS = 1000
MAX_BYTES = 2**20
_HASH = re.compile(r"\A[0-9a-f]{64}\Z")
_NAME = re.compile(r"\A[A-Za-z0-9][A-Za-z0-9._@-]{0,63}\Z")


@dataclass(frozen=True)
class Token:
    name: str
    sha256: str
    scopes: frozenset[str]
    teams: frozenset[str]


def parse(document: Any, where: str) -> tuple[Token, ...]:
    """Return the tokens of a file's content; ConfigError names what is wrong, never a hash."""
    if not isinstance(document, dict) or document.get("version") != 1 or not isinstance(document.get("tokens"), list):
        raise ConfigError('must be {"version": 1, "tokens": […]}', where=where)
    if len(document["tokens"]) > MAX_TOKENS:
        raise ConfigError(f"more than {MAX_TOKENS} tokens", where=where)
    tokens = tuple(_token(entry, f"{where}: tokens[{index}]") for index, entry in enumerate(document["tokens"]))
    names = [token.name for token in tokens]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"two tokens are named {name!r}", where=where)
    return tokens


def _token(entry: Any, where: str) -> Token:
    known = ("name", "sha256", "scopes", "teams")
    if not isinstance(entry, dict) or set(entry) != set(known):
        raise ConfigError(f"must have exactly the keys {', '.join(known)}", where=where)
    if not isinstance(entry["name"], str) or not _NAME.match(entry["name"]):
        raise ConfigError("name must be letters, digits and . _ @ -, up to 64", where=where)
    if not isinstance(entry["sha256"], str) or not _HASH.match(entry["sha256"]):
        raise ConfigError("sha256 must be 64 hexadecimal digits in lower case", where=where)
    for key in ("scopes", "teams"):
        if not isinstance(entry[key], list) or not all(isinstance(item, str) and item for item in entry[key]):
            raise ConfigError(f"{key} must be a list of texts", where=where)
    for scope in entry["scopes"]:
        if scope not in SCOPES:
            raise ConfigError(f"unknown scope {scope!r}{did_you_mean(scope, SCOPES)}", where=where)
    return Token(entry["name"], entry["sha256"], frozenset(entry["scopes"]), frozenset(entry["teams"]))


def load(path: Path) -> tuple[Token, ...]:
    """Read the file; ConfigError when others may read it or it is not of the form."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise ConfigError(f"others may read it (mode {mode:o}); run: chmod 600 {path}", where=str(path))
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        remedy = "; make one with: apisec-forwarder patterns token" if isinstance(error, FileNotFoundError) else ""
        raise ConfigError(f"cannot be read: {error.strerror}{remedy}", where=str(path)) from error
    try:
        return parse(json.loads(data), str(path))
    except ValueError:
        raise ConfigError("is not JSON", where=str(path)) from None


def add(path: Path, name: str, scopes: list[str], teams: list[str]) -> str:
    """Make a token, add its hash to the file (which is made when missing), and return the token: only now."""
    existing: list[Any] = []
    if path.exists():
        load(path)
        existing = json.loads(path.read_bytes())["tokens"]
    token = PREFIX + secrets.token_urlsafe(32)
    entry = {"name": name, "sha256": fingerprint(token), "scopes": scopes, "teams": teams}
    document = {"version": 1, "tokens": [*existing, entry]}
    parse(document, str(path))
    write_private(path, json.dumps(document, indent=1).encode() + b"\n")
    return token


def fingerprint(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


class Verifier:
    """Knows the file's tokens, and reads it again when it has changed; a bad change keeps the former ones."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tokens = load(path)
        self._stamp = self._read_stamp()

    def _read_stamp(self) -> tuple[int, int]:
        status = self._path.stat()
        return status.st_mtime_ns, status.st_ino

    def verify(self, token: str) -> Token | None:
        """Return the token's entry. Every entry is compared in constant time, whatever matched before."""
        self._refresh()
        presented = fingerprint(token)
        found: Token | None = None
        for entry in self._tokens:
            if hmac.compare_digest(entry.sha256, presented):
                found = entry
        return found

    def _refresh(self) -> None:
        try:
            stamp = self._read_stamp()
            if stamp != self._stamp:
                self._stamp = stamp
                self._tokens = load(self._path)
        except (OSError, ConfigError):
            return
