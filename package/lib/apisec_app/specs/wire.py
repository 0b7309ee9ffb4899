"""One GET: a connection to an address that was looked at, TLS verified, bounded in time and bytes.

The standard library's client does HTTP; what it does not bound is bounded here. Nothing is read from the environment:
no proxy, no .netrc. Sources: RFC 9110 (semantics), RFC 9112 (HTTP/1.1).
"""

from __future__ import annotations

import contextlib
import http.client
import io
import socket
import ssl
import time
import zlib
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Dict, List, NamedTuple, Optional

from .addresses import AddressError, allowed, literal_refusal

MAX_BYTES = 16_000_000  # of a body, as it comes and as it is when it is inflated
MAX_ADDRESSES = 4  # of one host that are tried
_CHUNK = 65_536
_TIMEOUTS = (socket.timeout, TimeoutError)  # two classes before Python 3.10


class WireError(Exception):
    """No answer, or one that cannot be read. The message holds neither URL nor secret."""


@dataclass(frozen=True)
class Proxy:
    """An HTTP proxy that does CONNECT. Its password is never shown."""

    host: str
    port: int
    username: str = ""
    password: str = field(default="", repr=False)

    def headers(self) -> Dict[str, str]:
        if not self.username:
            return {}
        pair = f"{self.username}:{self.password}".encode()
        return {"Proxy-Authorization": f"Basic {b64encode(pair).decode()}"}


@dataclass(frozen=True)
class Route:
    """How hosts are reached. ``context`` None: no TLS, for http. ``private``: addresses that are not public, too."""

    context: Optional[ssl.SSLContext] = None
    private: bool = False
    proxy: Optional[Proxy] = None
    connect_seconds: float = 10.0
    read_seconds: float = 20.0  # without a byte


def strict(context: ssl.SSLContext) -> ssl.SSLContext:
    """Have a context refuse TLS before 1.2, and the end of a connection that TLS did not announce."""
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Python 3.9 has OpenSSL 3 ignore such ends, and no name for that: a text that was cut looks whole.
    context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0x80)
    return context


class Deadline:
    """When a whole exchange, redirects and parts included, has to be over."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def left(self, most: float) -> float:
        """Return how long the next step may take; WireError when the time is over."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise WireError(f"took longer than {self.seconds:.0f} s")
        return min(left, most)


class Answer(NamedTuple):
    """``headers`` by their names in small letters; ``body`` inflated."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _Bytes(io.RawIOBase):
    """What a socket gives, each piece within what is left of the time."""

    def __init__(self, sock: socket.socket, seconds: float, deadline: Deadline) -> None:
        super().__init__()
        self._sock, self._seconds, self._deadline = sock, seconds, deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(self._deadline.left(self._seconds))
        return self._sock.recv_into(buffer)


class _Bounded:
    """As much of a socket as http.client asks for."""

    def __init__(self, sock: socket.socket, seconds: float, deadline: Deadline) -> None:
        self._sock, self._seconds, self._deadline = sock, seconds, deadline

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Bytes(self._sock, self._seconds, self._deadline), _CHUNK)

    def sendall(self, data: bytes) -> None:
        self._sock.settimeout(self._deadline.left(self._seconds))
        self._sock.sendall(data)

    def close(self) -> None:
        """Leave the socket to who opened it: http.client closes as soon as it has read the head of the last answer."""


def get(
    host: str,
    port: int,
    target: str,
    headers: Mapping[str, str],
    route: Route,
    deadline: Deadline,
    most: int = MAX_BYTES,
) -> Answer:
    """Ask one server; ``most`` is for the body. WireError names what went wrong, AddressError what is refused."""
    with contextlib.ExitStack() as stack:
        try:
            sock = _connected(host, port, route, deadline, stack)
            if route.proxy and route.context is None:  # RFC 9112, 3.2.2: a proxy is asked by the whole URL
                target, headers = f"http://{headers['Host']}{target}", {**headers, **route.proxy.headers()}
            return _asked(_Bounded(sock, route.read_seconds, deadline), target, headers, most, stack)
        except ssl.SSLCertVerificationError as error:
            raise WireError(f"has a certificate that does not verify: {error.verify_message}") from None
        except ssl.SSLError as error:
            if "EOF" in str(error):
                raise WireError("ended in the middle of the answer, without TLS's own end") from None
            raise WireError(f"fails in TLS: {printable(error.reason or str(error))}") from None
        except _TIMEOUTS:
            deadline.left(1)  # says so when the whole time is over
            raise WireError(f"sent nothing for {route.read_seconds:.0f} s") from None
        except http.client.HTTPException as error:
            raise WireError(f"does not answer as HTTP does: {type(error).__name__}") from None
        except OSError as error:
            raise WireError(f"cannot be reached or broke off: {error.strerror or type(error).__name__}") from None


def _connected(host: str, port: int, route: Route, deadline: Deadline, stack: contextlib.ExitStack) -> socket.socket:
    proxy = route.proxy
    if proxy is None:
        found = allowed(host, port, private=route.private, seconds=deadline.left(route.connect_seconds))
        sock = _first(found, port, route, deadline, stack)
    else:
        reason = literal_refusal(host, private=route.private)
        if reason:
            raise AddressError(f"{host} is {reason}")
        found = allowed(proxy.host, proxy.port, private=True, seconds=deadline.left(route.connect_seconds))
        sock = _first(found, proxy.port, route, deadline, stack)
        if route.context is not None:
            _tunnel(_Bounded(sock, route.read_seconds, deadline), host, port, proxy)
    if route.context is None:
        return sock
    sock.settimeout(deadline.left(route.connect_seconds))
    # suppress_ragged_eofs: a body that ends with the connection is whole only when TLS says that it ended.
    secured = route.context.wrap_socket(sock, server_hostname=host, suppress_ragged_eofs=False)
    return stack.enter_context(secured)


def _first(
    addresses: List[str], port: int, route: Route, deadline: Deadline, stack: contextlib.ExitStack
) -> socket.socket:
    """Connect to the first address that answers; OSError of the last when none does."""
    failure: Exception = OSError("no address")
    for address in addresses[:MAX_ADDRESSES]:
        try:
            sock = socket.create_connection((address, port), timeout=deadline.left(route.connect_seconds))
        except OSError as error:  # noqa: PERF203 - the next address may answer
            failure = error
        else:
            return stack.enter_context(sock)
    if isinstance(failure, _TIMEOUTS):
        deadline.left(1)
        raise WireError(f"did not accept a connection within {route.connect_seconds:.0f} s")
    raise failure


def _tunnel(sock: _Bounded, host: str, port: int, proxy: Proxy) -> None:
    """Have the proxy connect to the host (RFC 9110, 9.3.6)."""
    name = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {name} HTTP/1.1", f"Host: {name}", *(f"{n}: {v}" for n, v in proxy.headers().items())]
    sock.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
    answer = http.client.HTTPResponse(sock, method="CONNECT")  # type: ignore[arg-type]
    with contextlib.closing(answer):
        answer.begin()
        if not 200 <= answer.status < 300:
            raise WireError(f"is behind the proxy {proxy.host}:{proxy.port}, which answered {answer.status}")


def _asked(sock: _Bounded, target: str, headers: Mapping[str, str], most: int, stack: contextlib.ExitStack) -> Answer:
    connection = http.client.HTTPConnection("connected.invalid")  # it is, and the header Host is given
    connection.sock = sock
    connection.request("GET", target, headers={**headers, "Accept-Encoding": "gzip", "Connection": "close"})
    response = stack.enter_context(connection.getresponse())
    listed = {name.lower(): value for name, value in response.getheaders()}
    if response.status != http.client.OK:
        return Answer(response.status, listed, b"")
    if response.length is not None and response.length > most:
        raise WireError(f"is {response.length} bytes: {most} are taken")
    pieces = _inflated(_pieces(response, most), listed.get("content-encoding", "").strip().lower(), most)
    return Answer(response.status, listed, b"".join(pieces))


def _pieces(response: http.client.HTTPResponse, most: int) -> Iterator[bytes]:
    size = 0
    while True:
        piece = response.read(_CHUNK)
        if not piece:
            break
        size += len(piece)
        if size > most:
            raise WireError(f"is more than {most} bytes")
        yield piece
    if response.length:
        raise WireError(f"broke off {response.length} bytes before its end")


def _inflated(pieces: Iterator[bytes], encoding: str, most: int) -> Iterator[bytes]:
    """Yield the body without its content encoding; one that is more than ``most`` bytes ends the exchange."""
    if encoding in ("", "identity"):
        yield from pieces
        return
    if encoding not in ("gzip", "x-gzip"):
        raise WireError(f"is encoded as {printable(encoding)}: gzip was asked for")
    left, reader, whole = most, zlib.decompressobj(31), False
    try:
        for piece in pieces:
            data = piece
            while data:
                if reader.eof:  # another member (RFC 1952, 2.2)
                    reader = zlib.decompressobj(31)
                made = reader.decompress(data, left + 1)
                left -= len(made)
                if left < 0:
                    raise WireError(f"is more than {most} bytes when it is inflated")
                yield made
                data = reader.unused_data if reader.eof else reader.unconsumed_tail
                whole = reader.eof
    except zlib.error:
        raise WireError("is no gzip, though it says so") from None
    if not whole:
        raise WireError("broke off in the middle of its gzip")


def printable(text: str, most: int = 100) -> str:
    """Return what a server said as a log may hold it."""
    return "".join(letter if " " <= letter <= "~" else "?" for letter in text[:most])
