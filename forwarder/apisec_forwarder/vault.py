"""Turns tokens back, for active tests alone: the values of test traffic, encrypted, beside the gateway.

A test that takes an order's id from one user and asks for it as another needs the value behind a token. So a tester
marks its requests with a header that only the holder of the vault's secret can make; the values of those
transactions are kept, each bound to its test run, and of no others. Off by default.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import re
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from apisec.errors import KeyFileError
from apisec.model.transaction import Headers, header
from apisec_forwarder.files import read_private, write_private

if TYPE_CHECKING:
    from apisec_forwarder.config.schema import Vault as Settings

HEADER = "x-apisec-test"
MAX_MARKER_SECONDS = 7 * 86400.0  # a marker that was stolen is of no use for longer
CLOCK_SKEW_SECONDS = 300.0
MAX_VALUE_BYTES = 8192
BUSY_SECONDS = 2.0  # how long one worker waits for another's write
SECRET_BYTES = 32
NONCE_BYTES = 12  # AES-GCM, NIST SP 800-38D, 8.2

_MARKER = re.compile(r"1\.(\d{10})\.([0-9a-f]{16})\.([0-9a-f]{64})")
_SCHEMA = """
create table if not exists kept (
    place blob primary key,
    nonce blob not null,
    sealed blob not null,
    expires real not null
) without rowid;
create index if not exists kept_expires on kept (expires);
pragma user_version = 1;
"""


@dataclass(frozen=True)
class VaultSecret:
    """The three keys that are derived from a vault's secret: for markers, for places and for values."""

    marker: bytes
    place: bytes
    value: bytes

    @classmethod
    def derive(cls, secret: bytes) -> VaultSecret:
        def one(purpose: str) -> bytes:
            return HKDF(hashes.SHA256(), 32, salt=None, info=f"apisec vault 1 {purpose}".encode()).derive(secret)

        return cls(one("marker"), one("place"), one("value"))

    @classmethod
    def load(cls, path: Path) -> VaultSecret:
        """Return the secret of a file of mode 600, or raise KeyFileError with the remedy."""
        remedy = "make one with: apisec-forwarder vault init --output FILE"
        raw = read_private(path, 4096, remedy)
        try:
            document = json.loads(raw)
            secret = base64.b64decode(document["secret"], validate=True)
        except (ValueError, KeyError, TypeError):
            raise KeyFileError(f"is not the secret of a vault; {remedy}", where=str(path)) from None
        if document.get("version") != 1 or len(secret) != SECRET_BYTES:
            raise KeyFileError(f"is not the secret of a vault; {remedy}", where=str(path))
        return cls.derive(secret)


def write_secret(path: Path) -> None:
    """Write a new secret of mode 600; an existing file is an error."""
    if path.exists():
        raise KeyFileError("exists already; values kept with it could not be read with another one", where=str(path))
    secret = base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
    write_private(path, (json.dumps({"version": 1, "secret": secret}) + "\n").encode())


def new_run() -> str:
    """Return the id of a new test run."""
    return secrets.token_hex(8)


def marker(secret: VaultSecret, run: str, expires: float) -> str:
    """Return the value of the header that marks the requests of a test run until ``expires`` (epoch seconds)."""
    signed = f"1.{int(expires):010d}.{run}"
    return f"{signed}.{hmac.digest(secret.marker, signed.encode(), 'sha256').hex()}"


class Vault:
    """The values of marked transactions. Several workers may share one; each opens its own."""

    def __init__(self, path: Path, secret: VaultSecret, *, keep_seconds: float = 86400.0, max_values: int = 100_000):
        self._secret = secret
        self._keep = keep_seconds
        self._max = max_values
        self._cipher = AESGCM(secret.value)
        self.failures = 0  # transactions whose values could not be kept
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            path.chmod(0o600)
            self._database = sqlite3.connect(path, timeout=BUSY_SECONDS, check_same_thread=False)
            self._database.execute("pragma journal_mode = wal")
            self._database.execute("pragma secure_delete = on")
            self._database.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise KeyFileError(f"the vault cannot be used: {error}", where=str(path)) from None

    def run_of(self, headers: Headers, now: float) -> str | None:
        """Return the test run that marked a request, or None: no marker, a forged one, or one that has expired."""
        value = header(headers, HEADER)
        found = _MARKER.fullmatch(value) if value else None
        if found is None:
            return None
        expires, run, mac = found.groups()
        right = hmac.digest(self._secret.marker, f"1.{expires}.{run}".encode(), "sha256").hex()
        if not hmac.compare_digest(mac, right):
            return None
        left = int(expires) - now
        return run if -CLOCK_SKEW_SECONDS <= left <= MAX_MARKER_SECONDS + CLOCK_SKEW_SECONDS else None

    def keep(self, run: str, pairs: Mapping[str, str], now: float) -> None:
        """Keep the values (raw value to token) of one marked transaction; a failure is counted, never raised."""
        rows = [self._row(run, token, value, now) for value, token in pairs.items()]
        try:
            with self._database:
                self._database.executemany(
                    "insert or replace into kept values (?, ?, ?, ?)", [row for row in rows if row is not None]
                )
                self._database.execute("delete from kept where expires <= ?", (now,))
                self._database.execute(
                    "delete from kept where place in (select place from kept order by expires limit "
                    "max(0, (select count(*) from kept) - ?))",
                    (self._max,),
                )
        except sqlite3.Error:
            self.failures += 1

    def open(self, run: str, tokens: Iterable[str], now: float) -> Iterator[tuple[str, str | None]]:
        """Yield each token with its value, or None where this run has seen none."""
        for token in tokens:
            found = self._database.execute(
                "select nonce, sealed from kept where place = ? and expires > ?", (self._place(run, token), now)
            ).fetchone()
            yield token, self._unseal(run, token, *found) if found else None

    def purge(self, now: float = float("inf")) -> int:
        """Delete what has expired by ``now``, everything without it; return how much it was."""
        with self._database:
            return self._database.execute("delete from kept where expires <= ?", (now,)).rowcount

    def count(self) -> int:
        return int(self._database.execute("select count(*) from kept").fetchone()[0])

    def close(self) -> None:
        self._database.close()

    def _row(self, run: str, token: str, value: str, now: float) -> tuple[bytes, bytes, bytes, float] | None:
        data = value.encode("utf-8", "surrogatepass")
        if len(data) > MAX_VALUE_BYTES:
            return None
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, data, _bound(run, token))
        return self._place(run, token), nonce, sealed, now + self._keep

    def _place(self, run: str, token: str) -> bytes:
        return hmac.new(self._secret.place, _bound(run, token), hashlib.sha256).digest()[:16]

    def _unseal(self, run: str, token: str, nonce: bytes, sealed: bytes) -> str | None:
        try:
            return self._cipher.decrypt(nonce, sealed, _bound(run, token)).decode("utf-8", "surrogatepass")
        except InvalidTag:
            return None


def _bound(run: str, token: str) -> bytes:
    """What a kept value belongs to: another run's secret-holder cannot open it by moving rows."""
    return f"{run}\0{token}".encode()


def opened(settings: Settings | None) -> Vault | None:
    """Return the configured vault, or None where there is none; KeyFileError when it cannot be used."""
    if settings is None:
        return None
    secret = VaultSecret.load(settings.secret_file)
    return Vault(settings.file, secret, keep_seconds=settings.keep_hours * 3600, max_values=settings.max_values)
