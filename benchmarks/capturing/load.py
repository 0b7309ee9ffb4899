"""Sends Poisson traffic to a gateway and notes how long each answer took; a process of its own.

    python -m benchmarks.capturing.load PORT RATE SECONDS SEED

One thread on select(2), whose timeout is in microseconds, over keep-alive connections: about 50 µs of CPU a request.
Open loop: a request that finds no free connection waits, and its waiting counts. Prints one JSON object: ``samples``
(seconds since the epoch, latency in µs), ``failed``, and ``cpu``, the share of a core that the generator itself took.
"""

from __future__ import annotations

import gc
import json
import random
import select
import socket
import sys
import time
from collections import deque

CONNECTIONS = 64
DRAIN_SECONDS = 30.0  # for answers after the last request
BODY = json.dumps(
    {
        "order": [{"sku": f"A-{number}", "quantity": number, "price": 12.5} for number in range(9)],
        "card": "4111 1111 1111 1111",
        "email": "ada@example.org",
        "note": "x" * 180,
    }
)
BODY = json.dumps({**json.loads(BODY), "note": "x" * (180 + 693 - len(BODY))})
ANSWER = json.dumps({"items": [{"id": number, "state": "shipped", "city": "Vienna"} for number in range(25)]})
ANSWER = ANSWER.ljust(1336)[:1336]
HEAD = (
    "POST /orders/1042 HTTP/1.1\r\nhost: shop.example\r\ncontent-type: application/json\r\n"
    f"authorization: Bearer abc.def.ghi\r\ncontent-length: {len(BODY)}\r\n\r\n"
)
REQUEST = (HEAD + BODY).encode()


class Load:
    """Connections to one gateway, and what was seen on them."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._free = [self._connect() for _ in range(CONNECTIONS)]
        self._busy: dict[socket.socket, tuple[float, bytes]] = {}  # when it was due, and what has come
        self._waiting: deque[float] = deque()
        self.samples: list[tuple[float, int]] = []
        self.failed = 0
        self._offset = time.time() - time.perf_counter()

    def _connect(self) -> socket.socket:
        link = socket.create_connection(("127.0.0.1", self._port), timeout=10)
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link.setblocking(False)
        return link

    def run(self, rate: float, seconds: float, seed: int) -> None:
        draw = random.Random(seed)
        begin = due = time.perf_counter()
        end = begin + seconds
        while due < end or self._busy or self._waiting:
            now = time.perf_counter()
            while due <= now and due < end:
                # the timer's lateness is ours, not the gateway's: what finds a connection counts from its sending
                self._send(now) if self._free else self._waiting.append(due)
                due += draw.expovariate(rate)
                now = time.perf_counter()
            if now > end + DRAIN_SECONDS:
                self.failed += len(self._busy) + len(self._waiting)
                return
            timeout = max(0.0, due - now) if due < end else 1.0
            for link in select.select(list(self._busy), [], [], timeout)[0]:
                self._read(link)

    def _send(self, start: float) -> None:
        link = self._free.pop()
        link.send(REQUEST)
        self._busy[link] = start, b""

    def _read(self, link: socket.socket) -> None:
        start, data = self._busy[link]
        try:
            piece = link.recv(65536)
        except OSError:
            piece = b""
        data += piece
        head = data.find(b"\r\n\r\n")
        if piece and (head < 0 or len(data) < head + 4 + len(ANSWER)):
            self._busy[link] = start, data
            return
        now = time.perf_counter()
        del self._busy[link]
        if data.startswith(b"HTTP/1.1 200"):
            self.samples.append((start + self._offset, int((now - start) * 1e6)))
        else:
            self.failed += 1
        if not piece or b"connection: close" in data[:head].lower():
            link.close()
            link = self._connect()
        self._free.append(link)
        if self._waiting:
            self._send(self._waiting.popleft())


def main() -> None:
    port, rate, seconds, seed = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
    load = Load(port)
    gc.disable()
    began, spent = time.perf_counter(), time.process_time()
    load.run(rate, seconds, seed)
    share = (time.process_time() - spent) / (time.perf_counter() - began)
    json.dump({"samples": load.samples, "failed": load.failed, "cpu": round(share, 3)}, sys.stdout)


if __name__ == "__main__":
    main()
