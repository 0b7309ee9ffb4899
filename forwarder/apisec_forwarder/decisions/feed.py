"""The copy's way from the pipeline to the decisions: events over a unix stream socket, without ever waiting.

One JSON object a line. The receiver answers with the number of lines (8 bytes, big-endian, since the connection
began) that its snapshot on disk covers; the sender keeps lines until then, and sends them again to a receiver
that was restarted. So a restart of the decisions loses no step, and the same event may come twice with one id.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import orjson

from apisec_forwarder import logs

LOG = logging.getLogger(__name__)

MAX_BUFFER = 32 * 2**20  # bytes that wait in the sender
MAX_LINE = 2**20
RETRY_SECONDS = 0.2
ACK = 8  # bytes


class Sender:
    """The pipeline's side. ``dropped`` counts events that never got through; not thread-safe."""

    def __init__(self, path: Path, *, max_bytes: int = MAX_BUFFER, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = str(path)
        self._max_bytes = max_bytes
        self._clock = clock
        self._socket: socket.socket | None = None
        self._next_try = float("-inf")
        self._waiting: deque[bytes] = deque()  # not yet handed to the kernel as a whole
        self._sent: deque[bytes] = deque()  # handed over, not yet covered
        self._bytes = 0
        self._offset = 0  # of the first waiting line that is already with the kernel
        self._covered = 0  # lines of this connection that the receiver has covered
        self._acks = b""
        self._reported = 0
        self.dropped = 0

    def send(self, event: Mapping[str, Any]) -> None:
        """Queue one event and push what the kernel takes. Never blocks and never raises."""
        try:
            line = orjson.dumps(event) + b"\n"
        except TypeError:
            self.dropped += 1
            return
        if len(line) > MAX_LINE:
            self.dropped += 1
        else:
            self._add(line)
        self.flush()

    def _add(self, line: bytes) -> None:
        self._waiting.append(line)
        self._bytes += len(line)
        while self._bytes > self._max_bytes and self._sent:
            self._bytes -= len(self._sent.popleft())
            self._covered += 1  # gone from here, as if it were covered
        while self._bytes > self._max_bytes and len(self._waiting) > 1:
            first = self._waiting.popleft() if not self._offset else self._second()
            self._bytes -= len(first)
            self.dropped += 1

    def _second(self) -> bytes:
        """Take out the line after the one that is half sent."""
        half = self._waiting.popleft()
        second = self._waiting.popleft()
        self._waiting.appendleft(half)
        return second

    def flush(self) -> None:
        """Push what waits, take in acknowledgements, connect when it is time. Call it when idle, too."""
        if self._socket is None and not self._connect():
            return
        if self.dropped > self._reported and not self._offset:
            note = orjson.dumps({"feed_dropped": self.dropped - self._reported}) + b"\n"
            self._waiting.appendleft(note)
            self._bytes += len(note)
            self._reported = self.dropped
        try:
            self._receive()
            self._push()
        except BlockingIOError:
            pass
        except OSError:
            self._disconnect()

    def _connect(self) -> bool:
        now = self._clock()
        if now < self._next_try:
            return False
        self._next_try = now + RETRY_SECONDS
        link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        try:
            link.connect(self._path)
        except OSError:
            link.close()
            return False
        self._socket = link
        return True

    def _push(self) -> None:
        assert self._socket is not None
        while self._waiting:
            line = self._waiting[0]
            self._offset += self._socket.send(line[self._offset :])
            if self._offset == len(line):
                self._sent.append(self._waiting.popleft())
                self._offset = 0

    def _receive(self) -> None:
        assert self._socket is not None
        with contextlib.suppress(BlockingIOError):
            data = self._socket.recv(4096)
            if not data:
                raise ConnectionResetError
            self._acks = (self._acks + data)[-(4096 - 4096 % ACK) :]
        whole = len(self._acks) - len(self._acks) % ACK
        if whole:
            covered = int.from_bytes(self._acks[whole - ACK : whole], "big")
            self._acks = self._acks[whole:]
            while self._covered < covered and self._sent:
                self._bytes -= len(self._sent.popleft())
                self._covered += 1
            self._covered = max(self._covered, covered)

    def _disconnect(self) -> None:
        """The other side went away: everything it has not covered is to be sent again."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None
        self._waiting.extendleft(reversed(self._sent))
        self._sent.clear()
        self._offset, self._covered, self._acks = 0, 0, b""

    def close(self) -> None:
        self.flush()
        if self._socket is not None:
            self._socket.close()
        self._socket = None


class Takes(Protocol):
    def observe(self, event: Mapping[str, Any], now: float) -> None: ...
    def feed_dropped(self, count: int, now: float) -> None: ...


class Receiver:
    """The decisions' side: reads lines, hands them on, and acknowledges what a snapshot has covered."""

    def __init__(self, takes: Takes, clock: Callable[[], float] = time.time) -> None:
        self._takes = takes
        self._clock = clock
        self._taken: dict[asyncio.StreamWriter, int] = {}
        self._server: asyncio.AbstractServer | None = None
        self.bad_lines = 0

    async def start(self, path: Path) -> None:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        mask = os.umask(0o177)
        try:
            self._server = await asyncio.start_unix_server(self._read, str(path), limit=MAX_LINE)
        finally:
            os.umask(mask)

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._taken[writer] = 0
        try:
            while line := await reader.readline():
                if not line.endswith(b"\n"):
                    break
                self._take(line)
                self._taken[writer] += 1
                if self._taken[writer] % 32 == 0:
                    await asyncio.sleep(0)  # call-outs go first
        except (ValueError, ConnectionError):  # ValueError: a line beyond the limit
            self.bad_lines += 1
        finally:
            del self._taken[writer]
            writer.close()

    def _take(self, line: bytes) -> None:
        now = self._clock()
        try:
            event = orjson.loads(line)
            if not isinstance(event, dict):
                self.bad_lines += 1
            elif "feed_dropped" in event:
                self._takes.feed_dropped(int(event["feed_dropped"]), now)
            else:
                self._takes.observe(event, now)
        except Exception:  # noqa: BLE001 - one bad event must not end the feed: it would be sent again for ever
            self.bad_lines += 1
            logs.failure(LOG, "copy_not_taken")

    def taken(self) -> dict[asyncio.StreamWriter, int]:
        """Return how many lines each connection has brought; give it to ``covered`` once they are on disk."""
        return dict(self._taken)

    def covered(self, taken: Mapping[asyncio.StreamWriter, int]) -> None:
        for writer, count in taken.items():
            if writer in self._taken:
                writer.write(count.to_bytes(ACK, "big"))

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for writer in tuple(self._taken):
            writer.close()
        if self._server is not None:
            await self._server.wait_closed()
