"""HAProxy's rings: log messages over TCP, octet-counted (RFC 6587, section 3.4.1).

A ring keeps in HAProxy's memory what it cannot send, and connects again by itself. So there is no queue here: what
is not read stays in the socket's buffers, and then in the ring. When the ring is full HAProxy drops, and says how
many once there is room again. What stood in the socket's buffers when a worker was killed is lost; HAProxy numbers its
messages, so that this shows too (``Numbers``).
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import ssl
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from apisec_forwarder.config.reader import Address
from apisec_forwarder.receivers import haproxy, serving
from apisec_forwarder.receivers.base import DROPPED, SKIPPED, Place
from apisec_forwarder.receivers.lines import LineSource

if TYPE_CHECKING:
    from apisec_forwarder.config.receivers import HaproxyReceiver

MAX_MESSAGE = 2**17  # HAProxy's longest line is 65,535 bytes
DIGITS = len(str(MAX_MESSAGE))
CHUNK_BYTES = 2**18
READ_BYTES = 2**20  # of one connection at once
KERNEL_BYTES = 2**18  # of a connection's receive buffer: what a kill can cost
MAX_CONNECTIONS = 64  # one is enough; HAProxy's next process comes before the last one has gone
HANDSHAKE_SECONDS = 10.0
BACKLOG = 16
KEPT_BYTES = 2**16
MAX_KEPT = 64  # processes and frontends of HAProxy whose last number is remembered
NUMBERED = re.compile(rb'\{"boot":"([0-9a-f-]{1,64})","frontend":"([^"\\]{1,200})","number":([0-9]{1,18}),')
DROPS = re.compile(rb"([0-9]{1,10}) events? dropped")  # what a ring says itself, in the place of what it dropped


class Frames:
    """Takes octet-counted messages out of a stream; ``broken`` once it is not such a stream."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.broken = False

    def feed(self, data: bytes) -> list[bytes]:
        """Return the messages that are complete now."""
        buffer, found, at = self._buffer, [], 0
        buffer += data
        while not self.broken:
            space = buffer.find(b" ", at, at + DIGITS + 1)
            if space < 0:
                self.broken = len(buffer) - at > DIGITS
                break
            length = bytes(buffer[at:space])
            self.broken = not length.isdigit() or length[:1] == b"0" or int(length) > MAX_MESSAGE
            if self.broken or len(buffer) < space + 1 + int(length):
                break
            at = space + 1 + int(length)
            found.append(bytes(buffer[space + 1 : at]))
        del buffer[:at]
        return found


class Connection:
    """One connection of a ring; ``open`` until the other side has closed it, or it has to be."""

    def __init__(self, connection: socket.socket, tls: ssl.SSLContext | None, clock: Callable[[], float]) -> None:
        connection.setblocking(False)
        self._clock = clock
        self._handshake_by = clock() + HANDSHAKE_SECONDS if tls is not None else None
        self._socket = connection if tls is None else _wrapped(tls, connection)
        self._frames = Frames()
        self.open = True

    @property
    def broken(self) -> bool:
        return self._frames.broken

    def receive(self) -> list[bytes]:
        """Return the messages that have come, at most READ_BYTES and a message of them."""
        found: list[bytes] = []
        left = READ_BYTES
        try:
            self._shake_hands()
            while left > 0 and self.open:
                data = self._socket.recv(CHUNK_BYTES)
                left -= len(data)
                found += self._frames.feed(data)
                self.open = bool(data) and not self.broken
        except (BlockingIOError, InterruptedError, ssl.SSLWantReadError):
            self.open = self._handshake_by is None or self._clock() < self._handshake_by
        except OSError:
            self.open = False
        return found

    def _shake_hands(self) -> None:
        if self._handshake_by is not None and isinstance(self._socket, ssl.SSLSocket):
            self._socket.do_handshake()
            self._handshake_by = None

    def leave(self) -> None:
        """Have the other side end the connection, once it has sent what it has begun to send."""
        with contextlib.suppress(OSError):  # it has ended already
            socket.socket.shutdown(self._socket, socket.SHUT_WR)  # SSLSocket's own would end reading as well

    def close(self) -> None:
        self._socket.close()


def _wrapped(tls: ssl.SSLContext, connection: socket.socket) -> ssl.SSLSocket:
    return tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)


class Numbers:
    """How many messages HAProxy has made and how many of them came, by the numbers that it gives them (``%lc``).

    The last number of each of its processes and frontends is kept on disk, so that what was lost while no forwarder
    ran is counted by the next one. ``share``: among how many rings HAProxy deals its messages out.
    """

    def __init__(self, kept: Path, share: int) -> None:
        self._file = os.open(kept, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._share = share
        self._last = _numbers(os.pread(self._file, KEPT_BYTES, 0))
        self._made = 0
        self._changed = False
        self.came = 0

    @property
    def made(self) -> int:
        return self._made // self._share

    def saw(self, message: bytes) -> None:
        found = NUMBERED.match(message)
        if found is None:
            return
        self.came += 1
        of = f"{found[1].decode()}/{found[2].decode('latin-1')}"
        number, last = int(found[3]), self._last.pop(of, -1)  # taken out and put at the end: the newest are kept
        self._made += max(0, number - last)  # threads of HAProxy may overtake one another by a few
        self._last[of] = max(number, last)
        self._changed = True
        if len(self._last) > MAX_KEPT:
            del self._last[next(iter(self._last))]

    def save(self) -> None:
        """Note that everything seen so far is in the spool: in place, for that is done many times a second."""
        if self._changed:
            with contextlib.suppress(OSError):  # a full disk; then a restart counts too many as lost
                os.pwrite(self._file, json.dumps({"version": 1, "last": self._last}).encode() + b"\n", 0)
            self._changed = False

    def close(self) -> None:
        os.close(self._file)


def _numbers(kept: bytes) -> dict[str, int]:
    """Return the last numbers, which stand in the first line; none when they are damaged or were never kept."""
    try:
        last = json.loads(kept.partition(b"\n")[0])["last"]
        return {str(of): int(number) for of, number in last.items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        return {}


class RingLines:
    """Takes the messages of all connections; ``Lines`` for ``LineSource``."""

    def __init__(
        self,
        bound: socket.socket,
        tls: ssl.SSLContext | None,
        numbers: Numbers,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        bound.setblocking(False)
        self._listening: socket.socket | None = bound
        self._tls = tls
        self._numbers = numbers
        self._clock = clock
        self._connections: list[Connection] = []
        self._counts: Counter[tuple[str, str]] = Counter()

    def read(self) -> Sequence[bytes]:
        self._numbers.save()  # what the last call gave is in the spool
        self._accept()
        lines: list[bytes] = []
        for one in self._connections:
            lines += filter(self._is_line, one.receive())
            if one.broken:
                self._counts[SKIPPED, "not_octet_counted"] += 1
        for one in [one for one in self._connections if not one.open]:
            one.close()
            self._connections.remove(one)
        return lines

    def _accept(self) -> None:
        while self._listening is not None and len(self._connections) < MAX_CONNECTIONS:
            try:
                connection, _ = self._listening.accept()
            except OSError:  # nobody, or one who has gone again
                return
            self._connections.append(Connection(connection, self._tls, self._clock))

    def _is_line(self, message: bytes) -> bool:
        """Whether a message is one of ours; others, as those about a server's health, are counted."""
        if message.startswith(b"{"):
            self._numbers.saw(message)
            return True
        dropped = DROPS.fullmatch(message.strip())
        if dropped is not None:
            self._counts[DROPPED, "by_gateway"] += int(dropped[1])
        else:
            self._counts[SKIPPED, "other_log"] += 1
        return False

    def commit(self) -> None:
        """A stream has no way back."""

    def drain(self, *, handover: bool) -> bool:
        """Accept nobody more, and read each connection to its end, which HAProxy is asked for."""
        if self._listening is not None:
            if not handover:  # for everybody who holds it: what HAProxy sent to nobody would be lost
                self._listening.shutdown(socket.SHUT_RDWR)
            self._listening.close()
            self._listening = None
        for one in self._connections:
            one.leave()
        return self.connected()

    def connected(self) -> bool:
        return bool(self._connections)

    def counters(self) -> Iterator[tuple[tuple[str, str], int]]:
        yield from self._counts.items()
        yield ("gateway_copies_begun", ""), self._numbers.made
        yield ("copies_begun", ""), self._numbers.came

    def gauges(self) -> Mapping[str, float]:
        return {}

    def close(self) -> None:
        if self._listening is not None:
            self._listening.close()
        for one in self._connections:
            one.close()
        self._numbers.save()
        self._numbers.close()


class HaproxySource(LineSource):
    """One ring of HAProxy's; a ``Source`` for the worker."""

    def __init__(self, settings: HaproxyReceiver, place: Place, name: str = "haproxy") -> None:
        held = place.sockets.get(name)
        bound = held.dup() if held is not None else listen(settings, place.index)
        bound.listen(BACKLOG)  # again, where a worker before this one was told to stop
        numbers = Numbers(place.state / f"{name}-numbers.json", place.count)
        self._ring = RingLines(bound, serving.tls(settings, "receiver.haproxy"), numbers)
        super().__init__(name, self._ring, haproxy.parse)

    def pending(self) -> bool:
        return self._ring.connected()


def section(index: int) -> str:
    """Return the name of a worker's ring, source and socket."""
    return "haproxy" if index == 0 else f"haproxy-{index}"


def listen(settings: HaproxyReceiver, index: int = 0) -> socket.socket:
    """Listen for the ring of one worker; ConfigError when that cannot be done."""
    return serving.tcp(ring_address(settings, index), BACKLOG, "receiver.haproxy.listen", buffer=KERNEL_BYTES)


def ring_address(settings: HaproxyReceiver, index: int) -> Address:
    """Return the address of one worker's ring: the ports follow one another."""
    return Address(settings.listen.host, settings.listen.port + index)
