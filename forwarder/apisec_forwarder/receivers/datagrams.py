"""Datagrams of a unix socket, as HAProxy logs them: one line each, taken in by a thread into a bounded queue.

A gateway that logs to a socket never waits: what the socket's buffer does not hold it drops itself, and counts. What
the queue does not hold is dropped here, and counted. A datagram that was taken and not spooled when a process was
killed is lost: where that matters, a receiver with a file is the better choice.
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from apisec_forwarder.receivers import serving
from apisec_forwarder.receivers.base import DROPPED, Place
from apisec_forwarder.receivers.haproxy import dropped_logs
from apisec_forwarder.receivers.haproxy import parse as parse_haproxy
from apisec_forwarder.receivers.lines import LineSource

if TYPE_CHECKING:
    from apisec_forwarder.config.receivers import HaproxyReceiver, Queue

MAX_DATAGRAM = 2**17  # HAProxy's longest line is 65,535 bytes
SOCKET_BYTES = 8 * 2**20  # asked of the kernel, which gives net.core.rmem_max
READ_LINES = 200
WAIT_SECONDS = 0.2


class DatagramLines:
    """The queue between the socket's thread and the worker."""

    def __init__(self, bound: socket.socket, bounds: Queue, dropped_by_gateway: Callable[[], int] | None) -> None:
        self._socket = bound
        self._bounds = bounds
        self._dropped_by_gateway = dropped_by_gateway
        self._lines: deque[bytes] = deque()
        self._bytes = 0
        self._counts: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="datagrams", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        self._socket.setblocking(False)
        while not self._stop.is_set():
            ready, _, _ = select.select([self._socket], [], [], WAIT_SECONDS)
            if ready:
                self._receive()

    def _receive(self) -> None:
        """Take what stands in the socket's buffer."""
        while True:
            try:
                line = self._socket.recv(MAX_DATAGRAM, socket.MSG_TRUNC)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                self._stop.set()
                return
            self._queue(line)

    def _queue(self, line: bytes) -> None:
        with self._lock:
            if len(self._lines) >= self._bounds.count or self._bytes + len(line) > self._bounds.bytes:
                self._counts[DROPPED, "queue_full"] += 1
                return
            self._lines.append(line)
            self._bytes += len(line)

    def read(self) -> Sequence[bytes]:
        with self._lock:
            found = [self._lines.popleft() for _ in range(min(READ_LINES, len(self._lines)))]
            self._bytes -= sum(map(len, found))
        return found

    def commit(self) -> None:
        """A datagram has no way back."""

    def drain(self, *, handover: bool) -> bool:
        """Leave what is still in the socket's buffer to the successor; without one take it in as well."""
        self._halt()
        if not handover:
            self._receive()
        return bool(self._lines)

    def _halt(self) -> None:
        self._stop.set()
        self._thread.join()

    def counters(self) -> Iterator[tuple[tuple[str, str], int]]:
        with self._lock:
            yield from list(self._counts.items())
        if self._dropped_by_gateway is not None:
            with contextlib.suppress(OSError, ValueError):  # the gateway is away: it drops nothing then
                yield (DROPPED, "by_gateway"), self._dropped_by_gateway()

    def gauges(self) -> Mapping[str, float]:
        with self._lock:
            return {"queue_bytes": self._bytes}

    def close(self) -> None:
        self._halt()
        self._socket.close()


def haproxy_source(settings: HaproxyReceiver, place: Place, name: str = "haproxy") -> LineSource:
    """Open HAProxy's socket, or share the one that the supervisor holds."""
    held = place.sockets.get(name)
    bound = held.dup() if held is not None else listen(settings)
    stats = settings.stats_socket
    # of all workers one asks: the count is the gateway's, and would be summed
    counted = (lambda: dropped_logs(stats)) if stats is not None and place.index == 0 else None
    return LineSource(name, DatagramLines(bound, settings.queue, counted), parse_haproxy)


def listen(settings: HaproxyReceiver) -> socket.socket:
    """Bind the datagram socket; ConfigError when that cannot be done."""
    return serving.unix(settings.socket, "receiver.haproxy.socket", datagrams=True, buffer=SOCKET_BYTES)
