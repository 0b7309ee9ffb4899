"""Bearer tokens of users: made once, kept as hashes.

Source: Securing Splunk Enterprise, "Set up authentication with tokens": a token is a JWT with sub, aud, jti, iat,
nbr and exp.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from apisec_sandbox.errors import SandboxError
from apisec_sandbox.splunkd.home import read_or_create_secret, write_atomic

STATES = ("enabled", "disabled")


class Tokens:
    """All tokens, in one file of mode 600."""

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._held: dict[str, dict[str, Any]] = _load(path)

    def all(self) -> list[dict[str, Any]]:
        """The claims of every token, the oldest first."""
        return [{"id": name, "status": "enabled", **about} for name, about in self._held.items()]

    def make(self, user: str, audience: str, expires: float, not_before: float = 0.0) -> tuple[str, str]:
        """Return id and value of a new token; ``expires`` is an epoch time, 0 for never."""
        name, now = secrets.token_hex(32), int(self._clock())
        claims = {
            "iss": f"{user} from apisec-sandbox",
            "sub": user,
            "aud": audience,
            "idp": "Splunk",
            "jti": name,
            "iat": now,
            "exp": int(expires),
            "nbr": int(not_before or now),
        }
        token = self._signed(claims)
        about = {"user": user, "audience": audience, "expires": expires, "not_before": not_before, "issued": now}
        with self._lock:
            self._held[name] = {**about, "hash": hashlib.sha256(token.encode()).hexdigest(), "last_used": 0}
            self._save()
        return name, token

    def _signed(self, claims: dict[str, Any]) -> str:
        head = {"kid": "splunk.secret", "alg": "HS512", "ver": "v2", "ttyp": "static"}
        text = ".".join(_encoded(json.dumps(part, separators=(",", ":")).encode()) for part in (head, claims))
        secret = read_or_create_secret(self._path.with_name("token.secret"))
        return f"{text}.{_encoded(hmac.new(secret, text.encode(), hashlib.sha512).digest())}"

    def user_of(self, token: str) -> str | None:
        """Whose token it is; None when it is unknown, disabled, not yet or no longer valid."""
        wanted, now = hashlib.sha256(token.encode("utf-8", "replace")).hexdigest(), self._clock()
        for about in list(self._held.values()):
            if hmac.compare_digest(about["hash"], wanted):
                timely = about.get("not_before", 0) <= now and (not about["expires"] or about["expires"] > now)
                if not timely or about.get("status", "enabled") != "enabled":
                    return None
                about["last_used"] = int(now)
                return str(about["user"])
        return None

    def change(self, name: str, status: str) -> None:
        with self._lock:
            self._held[name]["status"] = status
            self._save()

    def delete(self, name: str) -> None:
        with self._lock:
            del self._held[name]
            self._save()

    def _save(self) -> None:
        write_atomic(self._path, json.dumps(self._held, indent=1).encode(), 0o600)


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _load(path: Path) -> dict[str, dict[str, Any]]:
    """Tokens by id; a file of before ids is read with the hash as the id."""
    if not path.exists():
        return {}
    try:
        loaded = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise SandboxError(f"{path}: not JSON ({error}); restore or remove it") from error
    return {name: {"hash": name, "last_used": 0, "issued": 0, **about} for name, about in loaded.items()}
