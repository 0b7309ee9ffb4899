"""People of a directory (LDAP, Active Directory) on the admin API: Basic authentication, groups mapped to teams.

A person is searched for by the service's own account, bound as with the password given, and gets the teams and scopes
of the groups that list them. Every failure reads alike to the caller; the log says which it was.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import logging
import secrets
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ldap3
from ldap3.core.exceptions import LDAPException
from ldap3.utils.conv import escape_filter_chars

from apisec.errors import ConfigError
from apisec_forwarder import logs
from apisec_forwarder.config.schema import Ldap, LdapGroup
from apisec_forwarder.files import read_private

LOG = logging.getLogger(__name__)
MAX_NAME, MAX_PASSWORD = 128, 512  # characters; a longer one is no person's
MAX_CACHED = 1000
REFUSED_SECONDS = 5.0  # for which the same wrong password is not tried again: directories lock accounts out
MAX_PARALLEL = 8


class Directory:
    """Asks one directory. Safe for many threads; remembers answers for a short time, under a key of its own."""

    def __init__(self, settings: Ldap, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._password = password(settings.bind_password_file)
        self._tls = ldap3.Tls(
            validate=ssl.CERT_REQUIRED,
            version=ssl.PROTOCOL_TLS_CLIENT,
            ca_certs_file=str(settings.ca_file) if settings.ca_file is not None else None,
        )
        self._groups = {one.group.lower(): one for one in settings.groups}
        self._clock = clock
        self._secret = secrets.token_bytes(32)
        self._known: dict[bytes, tuple[float, tuple[LdapGroup, ...] | None]] = {}
        self._lock = threading.Lock()
        self._room = threading.BoundedSemaphore(MAX_PARALLEL)

    def groups(self, name: str, secret: str) -> tuple[LdapGroup, ...] | None:
        """Return the mapped groups of a person, None when name or password is wrong or the directory fails."""
        if not name or not secret or len(name) > MAX_NAME or len(secret) > MAX_PASSWORD or "\0" in name + secret:
            return None  # an empty password would be an anonymous bind (RFC 4513, 5.1.2), which succeeds
        key = hmac.digest(self._secret, f"{name}\0{secret}".encode("utf-8", "surrogatepass"), hashlib.sha256)
        now = self._clock()
        with self._lock:
            until, found = self._known.get(key, (0.0, None))
        if now < until:
            return found
        if not self._room.acquire(timeout=self._settings.timeout_seconds):
            return None
        try:
            found = self._ask(name, secret)
        except (LDAPException, OSError, ValueError):
            logs.failure(LOG, "directory_failed")
            return None
        finally:
            self._room.release()
        self._remember(key, found)
        return found

    def _remember(self, key: bytes, found: tuple[LdapGroup, ...] | None) -> None:
        seconds = self._settings.cache_seconds if found else REFUSED_SECONDS
        with self._lock:
            if len(self._known) >= MAX_CACHED:
                self._known.clear()
            self._known[key] = (self._clock() + seconds, found)

    def _ask(self, name: str, secret: str) -> tuple[LdapGroup, ...] | None:
        settings = self._settings
        with self._connection(settings.bind_dn, self._password) as service:
            if service is None:
                raise ValueError("the directory refuses admin.ldap.bind_dn")
            wanted = settings.user_filter.replace("{user}", escape_filter_chars(name))
            people = _names(service, settings.base, wanted, most=2)
            if len(people) != 1:  # nobody, or not one person: two must not share a login
                return None
            with self._connection(people[0], secret) as person:
                if person is None:
                    return None
            listed = settings.group_filter.replace("{dn}", escape_filter_chars(people[0]))
            listed = listed.replace("{user}", escape_filter_chars(name))
            found = _names(service, settings.group_base or settings.base, listed, most=1000)
        return tuple(self._groups[one.lower()] for one in found if one.lower() in self._groups)

    def _connection(self, name: str, secret: str) -> _Bound:
        settings = self._settings
        server = ldap3.Server(
            settings.url, tls=self._tls, get_info=ldap3.NONE, connect_timeout=settings.timeout_seconds
        )
        connection = ldap3.Connection(
            server,
            user=name,
            password=secret,
            authentication=ldap3.SIMPLE,
            receive_timeout=settings.timeout_seconds,
            auto_referrals=False,  # a referral would carry the password to wherever it names
            read_only=True,
            raise_exceptions=False,
        )
        return _Bound(connection, start_tls=settings.start_tls)


class _Bound:
    """A bound connection as a context; None when the directory refuses the password."""

    def __init__(self, connection: Any, *, start_tls: bool) -> None:
        self._connection, self._start_tls = connection, start_tls

    def __enter__(self) -> Any | None:
        try:
            self._connection.open()
            if self._start_tls and not self._connection.start_tls():
                raise ValueError("the directory refuses StartTLS")
            return self._connection if self._connection.bind() else None
        except BaseException:
            self._close()
            raise

    def __exit__(self, *_: object) -> None:
        self._close()

    def _close(self) -> None:
        """End the connection; the library leaves the socket open where it failed half way, such as over TLS."""
        opened = self._connection.socket
        with contextlib.suppress(LDAPException, OSError, AttributeError):
            self._connection.unbind()
        if opened is not None:
            opened.close()


def _names(connection: Any, base: str, wanted: str, most: int) -> list[str]:
    connection.search(base, wanted, ldap3.SUBTREE, attributes=["1.1"], size_limit=most, time_limit=10)
    return [str(one["dn"]) for one in connection.response or () if one.get("type") == "searchResEntry"]


def password(path: Path) -> str:
    """Return the service account's password; KeyFileError when others may read its file."""
    text = read_private(path, MAX_PASSWORD, "write the password of admin.ldap.bind_dn there, mode 600")
    found = text.decode("utf-8", "replace").rstrip("\r\n")
    if not found:
        raise ConfigError("holds no password", where=str(path))
    return found
