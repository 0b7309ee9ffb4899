"""How much HEC holds at once, and the switch by which tests make it refuse.

The queue counts the bytes of requests from their acceptance until their events are on disk: what splunkd's
``httpInputQ`` counts until the indexer took it (server.conf.spec, [queue=<name>] maxSize). From NEAR of its size on
code 24 is answered, from its size on code 26. More requests at once than maxThreads (inputs.conf.spec [http]) are
answered with code 9.
"""

from __future__ import annotations

import contextlib
import heapq
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from apisec_sandbox.errors import SandboxError
from apisec_sandbox.splunkd.hec import codes
from apisec_sandbox.splunkd.hec.codes import TEXTS, HecError
from apisec_sandbox.splunkd.home import Home, write_atomic
from apisec_sandbox.splunkd.indexes import Store

NEAR = 0.9  # of the size


@dataclass
class Place:
    """A request's place in the queue; ``ticket`` is set once its events are written."""

    size: int
    ticket: int = 0


class Queue:
    def __init__(self, store: Store, capacity: Callable[[], int]) -> None:
        self._store = store
        self._capacity = capacity
        self._lock = threading.Lock()
        self._taken = 0
        self._written: list[tuple[int, int]] = []  # heap of (ticket, size): written, not yet durable

    @contextlib.contextmanager
    def place(self, size: int) -> Iterator[Place]:
        """Hold a place for a request; one that is written keeps it until the disk has it.

        Raises:
            HecError: 26, nothing was taken.
        """
        with self._lock:
            self._settle()
            if self._taken >= self._capacity():
                raise HecError(codes.QUEUE_FULL)
            self._taken += size
        place = Place(size)
        try:
            yield place
        finally:
            with self._lock:
                if place.ticket:
                    heapq.heappush(self._written, (place.ticket, size))
                else:
                    self._taken -= size
                self._settle()

    def level(self) -> float:
        """How full it is, of 1."""
        with self._lock:
            self._settle()
            capacity = self._capacity()
            return self._taken / capacity if capacity else 1.0

    def _settle(self) -> None:
        while self._written and self._store.durable(self._written[0][0]):
            self._taken -= heapq.heappop(self._written)[1]


class Slots:
    """How many requests are worked on at once."""

    def __init__(self, limit: Callable[[], int]) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._active = 0

    @contextlib.contextmanager
    def one(self) -> Iterator[None]:
        """Raise HecError 9 when as many are at work as may be; 0 and less is no limit."""
        limit = self._limit()
        with self._lock:
            if 0 < limit <= self._active:
                raise HecError(codes.BUSY)
            self._active += 1
        try:
            yield
        finally:
            with self._lock:
                self._active -= 1


class Overload:
    """Answer so many requests (or all, with -1) with a code; with 24 and 25 they are taken nevertheless.

    Kept in ``var/run/hec_overload.json`` as ``{"code": 9, "requests": -1}``; ``{"queue": 4096}`` sets the size of the
    queue in bytes instead, or as well. The file may also be written by hand.
    """

    def __init__(self, home: Home) -> None:
        self._path: Path = home.root / "var" / "run" / "hec_overload.json"
        self._lock = threading.Lock()

    def set(self, code: int, requests: int, queue: int | None = None) -> None:
        if code not in TEXTS:
            raise SandboxError(f"{code} is no HEC code; known: {sorted(TEXTS)}")
        with self._lock:
            if (code == 0 or requests == 0) and queue is None:
                self._path.unlink(missing_ok=True)
            else:
                self._write(code, requests, queue)

    def _write(self, code: int, requests: int, queue: int | None) -> None:
        state = {"code": code, "requests": requests} | ({} if queue is None else {"queue": queue})
        write_atomic(self._path, json.dumps(state).encode())

    def _state(self) -> tuple[int, int, int | None]:
        if not self._path.exists():
            return 0, 0, None
        try:
            state = json.loads(self._path.read_text())
            code, requests = int(state.get("code", 0)), int(state.get("requests", -1))
            queue = state.get("queue")
            return (code if code in TEXTS and requests else 0), requests, None if queue is None else int(queue)
        except (OSError, ValueError, AttributeError, TypeError):
            return 0, 0, None

    def code(self) -> int:
        """The code that is set, without counting a request."""
        return self._state()[0]

    def queue(self) -> int | None:
        return self._state()[2]

    def take(self) -> int:
        """Return the code to answer this request with, 0 for none."""
        with self._lock:
            code, requests, queue = self._state()
            if not code:
                return 0
            if requests == 1 and queue is None:
                self._path.unlink(missing_ok=True)
            elif requests > 0:
                self._write(code if requests > 1 else 0, requests - 1, queue)
            return code
