"""HTTP to one server: kept-alive connections, verified TLS, an optional client certificate and proxy, all bounded.

Nothing of the environment is asked: no proxy variables, no .netrc. Nothing is logged, so that no token can be.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import select
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from apisec.errors import ConfigError
from apisec_forwarder.config import HecTarget
from apisec_forwarder.exporters.secrets import read_secret

MAX_ANSWER_BYTES = 2**20  # HEC's answers are short; a longer one is not HEC's
CONNECT_SECONDS = 5.0


@dataclass(frozen=True)
class Reply:
    """What the server answered. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    cookies: tuple[str, ...]
    body: bytes


class Wire:
    """Requests to one target; safe for several threads, each of which has a connection to itself meanwhile."""

    def __init__(self, target: HecTarget, timeout: float, proxy_credentials: Path | None = None) -> None:
        parts = urlsplit(target.url)
        self._target = target
        self._timeout = timeout
        self._host, self._secure = parts.hostname or "", parts.scheme == "https"
        self._port = parts.port or (443 if self._secure else 80)
        self._prefix = parts.path
        proxy = urlsplit(target.proxy) if target.proxy else None
        self._proxy = (proxy.hostname or "", proxy.port or 3128) if proxy else None
        self._proxy_headers = _proxy_headers(proxy_credentials) if proxy and proxy_credentials else {}
        self._mutex = threading.Lock()
        self._idle: list[http.client.HTTPConnection] = []
        self._busy: dict[http.client.HTTPConnection, float] = {}  # until when its request may take
        self._context = _context(target) if self._secure else None

    def reload(self) -> None:
        """Read the certificates again for connections to come; ConfigError or OSError leave the old ones in force."""
        if self._secure:
            self._context = _context(self._target)
        self._close_idle()

    def request(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Reply:
        """Send one request and read its answer. OSError or http.client.HTTPException when there is none."""
        connection = self._take()
        try:
            reply = self._exchange(connection, method, self._prefix + path, headers, body)
        except BaseException:
            with self._mutex:
                self._busy.pop(connection, None)
            connection.close()
            raise
        with self._mutex:
            self._busy.pop(connection, None)
            if connection.sock is not None:
                self._idle.append(connection)
        return reply

    def cut_overdue(self, now: float) -> int:
        """Cut requests that trickle on beyond every bound; return how many. ``now`` is ``time.monotonic``'s."""
        with self._mutex:
            late = [one for one, until in self._busy.items() if now > until]
        for connection in late:
            sock = connection.sock
            if sock is not None:
                _cut(sock)
        return len(late)

    def close(self) -> None:
        self._close_idle()
        self.cut_overdue(float("inf"))

    def __del__(self) -> None:
        if hasattr(self, "_idle"):
            self._close_idle()

    def _close_idle(self) -> None:
        with self._mutex:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _take(self) -> http.client.HTTPConnection:
        # each read is bounded by the socket's timeout, and the sum of them by this
        until = time.monotonic() + CONNECT_SECONDS + 2 * self._timeout
        with self._mutex:
            while self._idle:
                connection = self._idle.pop()
                if _alive(connection):
                    self._busy[connection] = until
                    return connection
                connection.close()
            connection = self._new()
            self._busy[connection] = until
            return connection

    def _new(self) -> http.client.HTTPConnection:
        host, port = self._proxy or (self._host, self._port)
        connection: http.client.HTTPConnection
        if self._context is not None:
            connection = http.client.HTTPSConnection(host, port, timeout=CONNECT_SECONDS, context=self._context)
        else:
            connection = http.client.HTTPConnection(host, port, timeout=CONNECT_SECONDS)
        if self._proxy is not None:
            connection.set_tunnel(self._host, self._port, headers=dict(self._proxy_headers))
        return connection

    def _exchange(
        self, connection: http.client.HTTPConnection, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> Reply:
        if connection.sock is None:
            connection.timeout = min(CONNECT_SECONDS, self._timeout)
            connection.connect()
        assert connection.sock is not None
        connection.sock.settimeout(self._timeout)
        # a server that refuses early (413, 503) answers and closes before it has read the body
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.request(method, path, body or None, dict(headers))
        response = connection.getresponse()
        content = response.read(MAX_ANSWER_BYTES + 1)
        if len(content) > MAX_ANSWER_BYTES or response.length:
            raise http.client.IncompleteRead(b"")  # cut short, or endless: no answer of HEC's
        fields = {name.lower(): value for name, value in response.getheaders()}
        cookies = tuple(response.headers.get_all("set-cookie") or ())
        return Reply(response.status, fields, cookies, content)


def _cut(sock: socket.socket) -> None:
    """Wake the thread that reads from the socket: its read ends at once, as if the server had gone."""
    with contextlib.suppress(OSError):
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


def _alive(connection: http.client.HTTPConnection) -> bool:
    """Whether a kept-alive connection may be used: one that is readable was closed by the server, or talks unasked."""
    sock = connection.sock
    if sock is None:
        return False
    poll = select.poll()
    poll.register(sock, select.POLLIN | select.POLLERR | select.POLLHUP)
    return not poll.poll(0)


def _context(target: HecTarget) -> ssl.SSLContext:
    """TLS 1.2 or later, verified against ``ca_file`` or the system's CAs; with a client certificate when one is set."""
    try:
        context = ssl.create_default_context(cafile=str(target.ca_file) if target.ca_file else None)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError("holds no CA certificate in PEM", where=str(target.ca_file)) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if target.client_certificate is not None and target.client_key is not None:
        try:
            if target.client_key.stat().st_mode & 0o077:
                raise ConfigError(
                    f"others may read the key; run: chmod 600 {target.client_key}", where=str(target.client_key)
                )
            # without a password function, an encrypted key would ask on the terminal
            context.load_cert_chain(target.client_certificate, target.client_key, password=_no_password)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(
                "is no certificate in PEM, or not that of hec.client_key", where=str(target.client_certificate)
            ) from error
    return context


def _no_password() -> str:
    raise ConfigError("the client's key is encrypted; give it without a password, mode 600")


def _proxy_headers(credentials: Path) -> dict[str, str]:
    line = read_secret(credentials, "the proxy's user:password")
    return {"Proxy-Authorization": "Basic " + base64.b64encode(line.encode()).decode("ascii")}
