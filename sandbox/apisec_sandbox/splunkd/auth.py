"""Users, roles, capabilities and sessions.

Passwords are kept as scrypt hashes, tokens as SHA-256, both in files of mode 600. Session keys live in memory.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
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
from apisec_sandbox.splunkd.tokens import Tokens

SYSTEM_USER = "splunk-system-user"
SESSION_SECONDS = 3600.0  # server.conf [general] sessionTimeout = 1h, from the last use
UNITS = {"": 60.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}  # a bare number is minutes
NO_CAPABILITIES = ("srch", "importRoles", "cumulative", "rtSrch", "defaultApp", "grantableRoles", "deleteIndexes")
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
    filters: tuple[str, ...]  # srchFilter of roles whose filters select: any of them may match
    eliminating: tuple[str, ...] = ()  # srchFilter with srchFilterSelecting = false: each must match
    indexes_disallowed: tuple[str, ...] = ()
    time_window: float = 0.0  # seconds, srchTimeWin; 0 without a limit
    jobs_quota: int = 0

    def may_search(self, index: str) -> bool:
        """Allowed and not disallowed: what is disallowed wins (authorize.conf.spec, srchIndexesDisallowed)."""
        return _covers(self.indexes_allowed, index) and not _covers(self.indexes_disallowed, index)


def _covers(patterns: Iterable[str], index: str) -> bool:
    """``*`` stands for every index but the internal ones, for which ``_*`` stands."""
    return any(
        fnmatchcase(index, pattern) and (pattern.startswith("_") or not index.startswith("_")) for pattern in patterns
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
        """Add up what the roles and those they import say (authorize.conf.spec)."""
        own = tuple(roles)
        stanzas = [stanza for role in self.resolved(own) if (stanza := self.stanza(role))]
        capabilities = {
            name for stanza in stanzas for name, value in stanza.settings.items() if is_capability(name, value)
        }
        lists = {
            name: tuple(dict.fromkeys(item for stanza in stanzas for item in split_list(stanza.get(name))))
            for name in ("srchIndexesAllowed", "srchIndexesDefault", "srchIndexesDisallowed")
        }
        filters = [(stanza.get("srchFilter"), stanza.flag("srchFilterSelecting", True)) for stanza in stanzas]
        return Rights(
            own,
            frozenset(capabilities),
            lists["srchIndexesAllowed"],
            lists["srchIndexesDefault"],
            tuple(dict.fromkeys(text for text, selecting in filters if text and selecting)),
            tuple(dict.fromkeys(text for text, selecting in filters if text and not selecting)),
            lists["srchIndexesDisallowed"],
            _window(stanzas),
            max((_whole(stanza.get("srchJobsQuota")) for stanza in stanzas), default=0),
        )


def _window(stanzas: Iterable[Stanza]) -> float:
    """The longest srchTimeWin of the roles; -1 says nothing, 0 lifts every limit (authorize.conf.spec)."""
    given = [_whole(stanza.get("srchTimeWin")) for stanza in stanzas if stanza.get("srchTimeWin") not in ("", "-1")]
    return 0.0 if not given or 0 in given else float(max(given))


def _whole(text: str) -> int:
    return int(text) if text.strip().isdigit() else 0


def is_capability(name: str, value: str) -> bool:
    return is_true(value) and not name.startswith(NO_CAPABILITIES)


def split_list(text: str) -> list[str]:
    """``a;b`` or ``a,b`` as authorize.conf writes lists."""
    return [item.strip() for item in text.replace(",", ";").split(";") if item.strip()]


class Users:
    """Users in HOME/etc/auth/users.json and tokens in tokens.json."""

    def __init__(self, home: Home, roles: Roles, clock: Callable[[], float] = time.time) -> None:
        self._path = home.auth / "users.json"
        self._roles = roles
        self._clock = clock
        self._lock = threading.RLock()
        self._users: dict[str, dict[str, Any]] = _load(self._path)
        self.tokens = Tokens(home.auth / "tokens.json", clock)
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

    def known_as(self, name: str) -> str | None:
        """The user's name as it is kept, found whatever its case; None when there is no such user."""
        if name in self._users:
            return name
        return next((held for held in self._users if held.lower() == name.lower()), None)

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
            self._sessions[session.key] = (session, now + self.session_seconds())
        return session

    def sessions(self) -> list[Session]:
        """The live sessions."""
        now = self._clock()
        return [session for session, until in list(self._sessions.values()) if until > now]

    def close_sessions(self) -> None:
        with self._lock:
            self._sessions = {}

    def close_session(self, key: str) -> None:
        with self._lock:
            self._sessions.pop(key, None)

    def session(self, key: str) -> Session | None:
        """Return the live session of this key or token, renewed by its use."""
        with self._lock:
            known = self._sessions.get(key)
            now = self._clock()
            if known and known[1] > now:
                self._sessions[key] = (known[0], now + self.session_seconds())
                return known[0]
        user = self.tokens.user_of(key) if key else None
        return Session(key, user) if user in self._users and user else None

    def session_seconds(self) -> float:
        """server.conf [general] sessionTimeout, a number with s, m, h or d behind it."""
        stanza = self._roles.confs.stanza("server", "general")
        match = re.fullmatch(r"(\d+)\s*([smhd]?)\w*", (stanza.get("sessionTimeout") if stanza else "").strip())
        return float(match[1]) * UNITS[match[2]] if match else SESSION_SECONDS


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
