"""Users, roles, capabilities and sessions.

Passwords are kept as scrypt hashes, tokens as SHA-256, both in files of mode 600. Session keys live in memory.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from apisec_sandbox.errors import SandboxError
from apisec_sandbox.splunkd.confs import Confs, Stanza, is_true
from apisec_sandbox.splunkd.home import Home, write_atomic

SYSTEM_USER = "splunk-system-user"
SESSION_SECONDS = 3600.0  # server.conf [general] sessionTimeout = 1h, from the last use
SCRYPT = {"n": 2**14, "r": 8, "p": 1}


@dataclass(frozen=True)
class Session:
    key: str
    user: str


@dataclass(frozen=True)
class Rights:
    """What a user's roles add up to."""

    roles: tuple[str, ...]
    capabilities: frozenset[str]
    indexes_allowed: tuple[str, ...]
    indexes_default: tuple[str, ...]
    filters: tuple[str, ...]

    def may_search(self, index: str) -> bool:
        """``*`` opens every index but the internal ones, which ``_*`` opens (authorize.conf, srchIndexesAllowed)."""
        return any(
            fnmatchcase(index, pattern) and (pattern.startswith("_") or not index.startswith("_"))
            for pattern in self.indexes_allowed
        )


class Roles:
    """Roles from authorize.conf, imports resolved."""

    def __init__(self, confs: Confs) -> None:
        self.confs = confs

    def names(self) -> list[str]:
        return sorted(name[5:] for name in self.confs.stanzas("authorize") if name.startswith("role_"))

    def stanza(self, role: str) -> Stanza | None:
        return self.confs.stanza("authorize", f"role_{role}")

    def capabilities(self) -> list[str]:
        """Every capability that any role grants or an app declares (``[capability::x]``)."""
        known = {name[12:] for name in self.confs.stanzas("authorize") if name.startswith("capability::")}
        for role in self.names():
            known |= self.rights([role]).capabilities
        return sorted(known)

    def resolved(self, roles: Iterable[str]) -> list[str]:
        """Return the roles with all they import, each once."""
        found: list[str] = []
        waiting = list(roles)
        while waiting:
            role = waiting.pop(0)
            stanza = self.stanza(role)
            if role in found or stanza is None:
                continue
            found.append(role)
            waiting += split_list(stanza.get("importRoles"))
        return found

    def rights(self, roles: Iterable[str]) -> Rights:
        own = tuple(roles)
        capabilities: set[str] = set()
        lists: dict[str, list[str]] = {"srchIndexesAllowed": [], "srchIndexesDefault": [], "srchFilter": []}
        for role in self.resolved(own):
            stanza = self.stanza(role)
            assert stanza is not None
            capabilities |= {name for name, value in stanza.settings.items() if is_capability(name, value)}
            for name, values in lists.items():
                text = stanza.get(name)
                values += [text] if name == "srchFilter" and text else split_list(text)
        allowed, default, filters = (tuple(dict.fromkeys(values)) for values in lists.values())
        return Rights(own, frozenset(capabilities), allowed, default, filters)


def is_capability(name: str, value: str) -> bool:
    return is_true(value) and not name.startswith(("srch", "importRoles", "cumulative", "rtSrch", "defaultApp"))


def split_list(text: str) -> list[str]:
    """``a;b`` or ``a,b`` as authorize.conf writes lists."""
    return [item.strip() for item in text.replace(",", ";").split(";") if item.strip()]


class Users:
    """Users in HOME/etc/auth/users.json and tokens in tokens.json."""

    def __init__(self, home: Home, roles: Roles, clock: Callable[[], float] = time.time) -> None:
        self._path = home.auth / "users.json"
        self._token_path = home.auth / "tokens.json"
        self._roles = roles
        self._clock = clock
        self._lock = threading.RLock()
        self._users: dict[str, dict[str, Any]] = _load(self._path)
        self._tokens: dict[str, dict[str, Any]] = _load(self._token_path)
        self._sessions: dict[str, tuple[Session, float]] = {}
        roles.confs.viewer = self._reads_as

    def _reads_as(self, name: str) -> frozenset[str] | None:
        """The roles that a user reads objects with; None for who may read all (admin_all_objects)."""
        if name == SYSTEM_USER or "admin_all_objects" in self.rights(name).capabilities:
            return None
        return frozenset(self._roles.resolved(self.roles_of(name)))

    def names(self) -> list[str]:
        return sorted(self._users)

    def get(self, name: str) -> dict[str, Any] | None:
        return self._users.get(name)

    def roles_of(self, name: str) -> list[str]:
        if name == SYSTEM_USER:
            return ["admin"]
        user = self._users.get(name)
        return list(user["roles"]) if user else []

    def rights(self, name: str) -> Rights:
        return self._roles.rights(self.roles_of(name))

    def save(self, name: str, password: str | None, roles: list[str] | None, **about: str) -> None:
        """Make or change a user. ``password`` and ``roles`` are left as they are when None."""
        with self._lock:
            user = dict(self._users.get(name, {"roles": ["user"], "realname": "", "email": ""}))
            if password is not None:
                salt = secrets.token_bytes(16)
                user |= {"salt": salt.hex(), "hash": _hash(password, salt)}
            if roles is not None:
                user["roles"] = roles
            user |= about
            self._users[name] = user
            write_atomic(self._path, json.dumps(self._users, indent=1).encode(), 0o600)

    def delete(self, name: str) -> None:
        with self._lock:
            del self._users[name]
            write_atomic(self._path, json.dumps(self._users, indent=1).encode(), 0o600)
            self._sessions = {k: v for k, v in self._sessions.items() if v[0].user != name}

    def check(self, name: str, password: str) -> bool:
        user = self._users.get(name)
        salt = bytes.fromhex(user["salt"]) if user else b"\0" * 16
        given = _hash(password, salt)  # hashed for unknown users too, so that both take the same time
        return user is not None and hmac.compare_digest(given, user["hash"])

    def login(self, name: str, password: str) -> Session | None:
        return self.open_session(name) if self.check(name, password) else None

    def open_session(self, name: str) -> Session:
        """Give a session without a password: for scripts that splunkd itself starts."""
        session = Session(secrets.token_urlsafe(48), name)
        with self._lock:
            now = self._clock()
            self._sessions = {k: v for k, v in self._sessions.items() if v[1] > now}
            self._sessions[session.key] = (session, now + SESSION_SECONDS)
        return session

    def close_session(self, key: str) -> None:
        with self._lock:
            self._sessions.pop(key, None)

    def session(self, key: str) -> Session | None:
        """Return the live session of this key or token, renewed by its use."""
        with self._lock:
            known = self._sessions.get(key)
            now = self._clock()
            if known and known[1] > now:
                self._sessions[key] = (known[0], now + SESSION_SECONDS)
                return known[0]
        token = self._tokens.get(hashlib.sha256(key.encode()).hexdigest())
        if token and token["user"] in self._users and (not token["expires"] or token["expires"] > now):
            return Session(key, token["user"])
        return None

    def make_token(self, name: str, audience: str, expires: float) -> str:
        """Return a new bearer token of the user; ``expires`` is an epoch time, 0 for never."""
        token = secrets.token_urlsafe(48)
        with self._lock:
            about = {"user": name, "audience": audience, "expires": expires}
            self._tokens[hashlib.sha256(token.encode()).hexdigest()] = about
            write_atomic(self._token_path, json.dumps(self._tokens, indent=1).encode(), 0o600)
        return token


def _hash(password: str, salt: bytes) -> str:
    return hashlib.scrypt(password.encode(), salt=salt, n=SCRYPT["n"], r=SCRYPT["r"], p=SCRYPT["p"]).hex()


def _load(path: Path) -> dict[str, dict[str, Any]]:
    if not path.exists():
        return {}
    try:
        loaded = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise SandboxError(f"{path}: not JSON ({error}); restore or remove it") from error
    return dict(loaded)
