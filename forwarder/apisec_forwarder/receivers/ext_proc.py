"""Envoy's external processing in observability mode: whole bodies, over gRPC, without a file.

Envoy waits for nothing; it holds what it cannot send in its own memory, up to the bounds that the printed
configuration sets (``gateway.ext_proc``). What was taken and is not spooled yet when a process is killed is lost:
where that matters, and bodies fit the cap, ``envoy_log`` is the better choice.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import uvloop

from apisec.model.transaction import Transaction
from apisec_forwarder import logs
from apisec_forwarder.files import write_private
from apisec_forwarder.gateway.admin import EnvoyAdmin
from apisec_forwarder.receivers import serving
from apisec_forwarder.receivers.base import DROPPED, RECEIVED, SKIPPED, Place
from apisec_forwarder.receivers.envoy import RefusalOf, no_refusal
from apisec_forwarder.receivers.ext_proc_exchange import Exchange
from apisec_forwarder.receivers.ext_proc_server import Server
from apisec_forwarder.receivers.growing import Growing

if TYPE_CHECKING:
    from apisec_forwarder.config.receivers import ExtProcReceiver, Queue

LOG = logging.getLogger(__name__)

READ_TRANSACTIONS = 200
READ_BYTES = 4 * 2**20  # handed out at once, beyond the first
BACKLOG = 256
STOP_SECONDS = 10.0
ASK_SECONDS = 5.0  # how often Envoy is asked how many transactions it began to copy
KEPT = "ext-proc-begun"
T = TypeVar("T")


class Intake:
    """The queue between the server's thread and the worker's, and the bytes of what is still on its way."""

    def __init__(self, bounds: Queue, gateway: str, refusal: RefusalOf) -> None:
        self._bounds = bounds
        self._gateway = gateway
        self._refusal = refusal
        self._lock = threading.Lock()
        self._waiting: deque[tuple[Exchange, int]] = deque()
        self._bytes = 0
        self._counts: Counter[tuple[str, str]] = Counter()

    def reserve(self, size: int) -> bool:
        with self._lock:
            if self._bytes + size > self._bounds.bytes:
                return False
            self._bytes += size
            return True

    def release(self, size: int) -> None:
        with self._lock:
            self._bytes -= size

    def finished(self, exchange: Exchange, size: int) -> None:
        with self._lock:
            if len(self._waiting) < self._bounds.count:
                self._waiting.append((exchange, size))
                return
            self._bytes -= size
            self._counts[DROPPED, "queue_full"] += 1

    def dropped(self, cause: str) -> None:
        self.counted(DROPPED, cause)

    def counted(self, metric: str, cause: str) -> None:
        with self._lock:
            self._counts[metric, cause] += 1

    def take(self) -> list[Transaction]:
        """Return the next transactions; they are put together here, in the worker's thread."""
        found: list[tuple[Exchange, int]] = []
        total = 0
        with self._lock:
            while self._waiting and len(found) < READ_TRANSACTIONS and (not found or total < READ_BYTES):
                found.append(self._waiting.popleft())
                total += found[-1][1]
            self._bytes -= total
        made = [exchange.transaction(self._gateway, self._refusal) for exchange, _ in found]
        unended = sum(not exchange.complete for exchange, _ in found)
        transactions = [one for one in made if one is not None]
        with self._lock:
            self._counts[RECEIVED, ""] += len(transactions)
            if unended:
                self._counts["transactions_unended", ""] += unended
            if len(transactions) < len(made):
                self._counts[SKIPPED, "no_request"] += len(made) - len(transactions)
        return transactions

    def waiting(self) -> bool:
        with self._lock:
            return bool(self._waiting)

    def counters(self) -> dict[tuple[str, str], int]:
        with self._lock:
            return dict(self._counts)

    def gauges(self) -> dict[str, float]:
        with self._lock:
            return {"queue_bytes": self._bytes}


class ExtProcSource:
    """Serves Envoy in a thread of its own; a ``Source`` for the worker."""

    prompt = False

    def __init__(
        self,
        settings: ExtProcReceiver,
        place: Place,
        refusal: RefusalOf = no_refusal,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = "ext_proc"
        self._intake = Intake(settings.queue, place.gateway, refusal)
        self._server = Server(self._intake, settings.body_bytes)
        held = place.sockets.get(self.name)
        self._socket = held.dup() if held is not None else listen(settings)
        self._socket.setblocking(False)
        admin = settings.admin_socket if place.index == 0 else None  # Envoy counts for all workers together
        self._begun = _Begun(EnvoyAdmin(admin), place.state / KEPT, clock) if admin is not None else None
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._work, name="ext-proc", daemon=True)
        self._thread.start()
        tls = serving.tls(settings, "receiver.ext_proc")
        if tls is not None:
            tls.set_alpn_protocols(["h2"])
        self._listening = self._call(self._listen(tls))

    async def _listen(self, tls: Any) -> asyncio.AbstractServer:
        if self._socket.family == socket.AF_UNIX:
            return await self._loop.create_unix_server(self._server.connection, sock=self._socket, backlog=BACKLOG)
        return await self._loop.create_server(self._server.connection, sock=self._socket, ssl=tls, backlog=BACKLOG)

    def _work(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        except Exception:  # noqa: BLE001 (the other sources go on; health shows that nothing comes)
            logs.failure(LOG, "receiver.ext_proc_failed")

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(STOP_SECONDS)

    def read(self) -> Sequence[Transaction]:
        return self._intake.take()

    def commit(self) -> None:
        """A stream has no way back."""

    def drain(self, *, handover: bool) -> None:
        """Accept no connection more, and have Envoy open its streams elsewhere; open ones go on."""
        del handover

        async def leave() -> None:
            self._listening.close()
            self._server.drain()

        self._call(leave())

    def pending(self) -> bool:
        return bool(self._server.streams) or self._intake.waiting()

    def counters(self) -> Mapping[tuple[str, str], int]:
        begun = {("gateway_copies_begun", ""): self._begun.total()} if self._begun is not None else {}
        return {**self._intake.counters(), **begun}

    def gauges(self) -> Mapping[str, float]:
        return {**self._intake.gauges(), "open_streams": self._server.streams}

    def close(self) -> None:
        """End every connection; what has come of open streams is handed out by no further ``read``."""

        async def end() -> None:
            self._listening.close()
            self._server.abandon()

        with contextlib.suppress(TimeoutError):
            self._call(end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(STOP_SECONDS)
        if not self._thread.is_alive():
            self._loop.close()
        self._socket.close()


class _Begun:
    """How many transactions Envoy began to copy: what is more than the workers have seen, Envoy could not send.

    The last value is kept on disk, so that what was begun while no forwarder ran is counted by the next one.
    """

    def __init__(self, admin: EnvoyAdmin, kept: Path, clock: Callable[[], float]) -> None:
        self._admin = admin
        self._kept = kept
        self._clock = clock
        self._ask_at = 0.0
        self._found = Growing(self._before())

    def _before(self) -> int:
        try:
            return int(self._kept.read_text())
        except (OSError, ValueError):
            return 0  # the first forwarder: whatever Envoy has begun so far, nobody saw

    def total(self) -> int:
        now = self._clock()
        if now >= self._ask_at:
            self._ask_at = now + ASK_SECONDS
            with contextlib.suppress(OSError):  # Envoy is away: it begins nothing then either
                self._found.saw(self._admin.copies_begun())
                write_private(self._kept, str(self._found.last).encode(), durable=False)
        return self._found.total


def open_source(settings: ExtProcReceiver, place: Place, refusal: RefusalOf = no_refusal) -> ExtProcSource:
    """Open the source of one worker; ConfigError when it cannot listen."""
    return ExtProcSource(settings, place, refusal)


def listen(settings: ExtProcReceiver) -> socket.socket:
    """Bind; the workers share the socket, and the kernel spreads connections over them."""
    if settings.socket is not None:
        return serving.unix(settings.socket, "receiver.ext_proc.socket", backlog=BACKLOG)
    assert settings.listen is not None
    return serving.tcp(settings.listen, BACKLOG, "receiver.ext_proc.listen")
