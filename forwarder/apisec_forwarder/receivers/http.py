"""Receives batches over HTTP: from Kong, from APISIX, and from whatever writes the JSON lines of ``replay``.

``POST /v1/transactions``, ``/v1/kong``, ``/v1/apisix``. A batch is answered when its events are durable in the spool,
so that a sender which repeats what was not answered loses nothing. When the queue is full the answer is 503 with
``Retry-After`` at once: senders have queues of their own, and the gateway's traffic never waits for us.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import threading
import zlib
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from apisec.errors import DocumentError
from apisec.model.transaction import Transaction
from apisec_forwarder import logs
from apisec_forwarder.admin.tokens import Verifier
from apisec_forwarder.receivers import records, serving
from apisec_forwarder.receivers.base import RECEIVED, SKIPPED, Place

if TYPE_CHECKING:
    from apisec_forwarder.config.receivers import HttpReceiver, Queue

LOG = logging.getLogger(__name__)

REFUSED = "batches_refused"  # by cause; the sender was told, and may send again
SCOPE = "transactions:write"
READ_TRANSACTIONS = 200  # handed out at once, so that the checkpoint moves and memory stays small
DURABLE_SECONDS = 30.0  # how long a sender waits for its answer; then 503, and what came may come twice
RETRY_SECONDS = 1
MAX_ERRORS = 20  # named in one answer
STOP_SECONDS = 30.0
BACKLOG = 1024  # connections that wait in the kernel while a worker is replaced


@dataclass
class Batch:
    """What one request brought: its transactions, and the answer that waits for them."""

    transactions: deque[Transaction]
    size: int
    done: Future[None] = field(default_factory=Future)


class Intake:
    """A queue between the server's thread and the worker's, bounded in count and bytes; safe between the two."""

    def __init__(self, bounds: Queue) -> None:
        self._bounds = bounds
        self._lock = threading.Lock()
        self._waiting: deque[Batch] = deque()
        self._taken: list[Batch] = []  # handed out whole, not yet durable
        self._bytes = 0
        self._count = 0
        self.closing = False
        self._counts: Counter[tuple[str, str]] = Counter()

    def offer(self, batch: Batch) -> bool:
        """Take a batch, or return False when it does not fit now (an empty queue takes any)."""
        with self._lock:
            count = self._count + len(batch.transactions)
            full = self._bytes + batch.size > self._bounds.bytes or count > self._bounds.count
            if self.closing or (self._bytes and full):
                return False
            self._bytes += batch.size
            self._count = count
            self._waiting.append(batch)
            return True

    def take(self, limit: int) -> list[Transaction]:
        """Return at most ``limit`` transactions."""
        found: list[Transaction] = []
        with self._lock:
            while self._waiting and len(found) < limit:
                batch = self._waiting[0]
                while batch.transactions and len(found) < limit:
                    found.append(batch.transactions.popleft())
                if not batch.transactions:
                    self._taken.append(self._waiting.popleft())
            self._counts[RECEIVED, ""] += len(found)
            self._count -= len(found)
        return found

    def waiting(self) -> bool:
        with self._lock:
            return bool(self._waiting)

    def durable(self) -> None:
        """Everything taken is on disk: let the answers go."""
        with self._lock:
            done, self._taken = self._taken, []
            self._bytes -= sum(batch.size for batch in done)
        for batch in done:
            if batch.done.set_running_or_notify_cancel():
                batch.done.set_result(None)

    def gauges(self) -> dict[str, float]:
        with self._lock:
            return {"queue_bytes": self._bytes}

    def count(self, metric: str, cause: str, by: int = 1) -> None:
        with self._lock:
            self._counts[metric, cause] += by

    def counters(self) -> dict[tuple[str, str], int]:
        with self._lock:
            return dict(self._counts)


class HttpSource:
    """Listens in a thread of its own; a ``Source`` for the worker."""

    prompt = True

    def __init__(self, settings: HttpReceiver, place: Place, name: str = "http") -> None:
        self.name = name
        self._intake = Intake(settings.queue)
        held = place.sockets.get(name)
        bound = held.dup() if held is not None else listen(settings)
        self._server = _Server(_application(settings, self._intake), settings, bound)
        self._server.start()

    def read(self) -> Sequence[Transaction]:
        return self._intake.take(READ_TRANSACTIONS)

    def commit(self) -> None:
        self._intake.durable()

    def drain(self, *, handover: bool) -> None:
        """Take no new batch; the listening socket, where the supervisor holds it, goes on to hold connections."""
        del handover
        self._intake.closing = True

    def pending(self) -> bool:
        return self._intake.waiting()

    def counters(self) -> Mapping[tuple[str, str], int]:
        return self._intake.counters()

    def gauges(self) -> Mapping[str, float]:
        return self._intake.gauges()

    def close(self) -> None:
        """Stop; what was taken but is not durable was never answered, and comes again."""
        self._server.stop()


def _application(settings: HttpReceiver, intake: Intake) -> Starlette:
    handlers = _Handlers(settings, intake)
    routes = [Route(f"/v1/{name}", handlers.receive, methods=["POST"], name=name) for name in records.FORMATS]
    return Starlette(routes=[*routes, Route("/healthz", _healthy, methods=["GET"])])


async def _healthy(_: Request) -> Response:
    return Response()


class _Handlers:
    def __init__(self, settings: HttpReceiver, intake: Intake) -> None:
        self._max = settings.max_bytes
        self._intake = intake
        self._verifier = Verifier(settings.tokens_file) if settings.tokens_file is not None else None

    async def receive(self, request: Request) -> Response:
        if not self._allowed(request):
            self._intake.count(REFUSED, "unauthorized")
            return _problem(401, "a bearer token with the scope transactions:write is needed")
        try:
            data = await self._body(request)
        except _Refused as refused:
            self._intake.count(REFUSED, refused.cause)
            return _problem(refused.status, str(refused))
        except ClientDisconnect:
            return Response(status_code=400)
        reader = records.FORMATS[request.scope["path"].rpartition("/")[2]]
        taken, errors = await asyncio.to_thread(_sorted, data, reader)
        if errors:
            self._intake.count(SKIPPED, "malformed", len(errors))
        if taken and not await self._durable(Batch(deque(taken), len(data))):
            self._intake.count(REFUSED, "queue_full")
            return _problem(503, "the queue is full; send it again", {"Retry-After": str(RETRY_SECONDS)})
        answer = {"accepted": len(taken), "rejected": len(errors), "errors": errors[:MAX_ERRORS]}
        return JSONResponse(answer, 200 if taken or not errors else 400)

    async def _durable(self, batch: Batch) -> bool:
        """Queue a batch and wait until it is on disk; False when that cannot be had now."""
        if not self._intake.offer(batch):
            return False
        try:
            await asyncio.wait_for(asyncio.wrap_future(batch.done), DURABLE_SECONDS)
        except TimeoutError:
            return False
        return True

    def _allowed(self, request: Request) -> bool:
        if self._verifier is None:
            return True
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() not in ("bearer", "splunk") or not token:
            return False
        found = self._verifier.verify(token.strip())
        return found is not None and SCOPE in found.scopes

    async def _body(self, request: Request) -> bytes:
        """Return the body without its coding; _Refused when it is too long or not what it says."""
        coding = request.headers.get("content-encoding", "identity").strip().lower()
        if coding not in ("identity", "", "gzip"):
            raise _Refused(415, "content-encoding must be gzip or none", "coding")
        pieces, length = [], 0
        async for piece in request.stream():
            length += len(piece)
            if length > self._max:
                raise _Refused(413, f"a batch has at most {self._max} bytes", "too_large")
            pieces.append(piece)
        data = b"".join(pieces)
        return await asyncio.to_thread(_inflate, data, self._max) if coding == "gzip" else data


class _Refused(Exception):  # noqa: N818 - an answer, not a fault of ours
    def __init__(self, status: int, text: str, cause: str) -> None:
        super().__init__(text)
        self.status, self.cause = status, cause


def _inflate(data: bytes, limit: int) -> bytes:
    decoder = zlib.decompressobj(31)
    try:
        out = decoder.decompress(data, limit + 1)
    except zlib.error:
        raise _Refused(400, "not gzip data", "coding") from None
    if len(out) > limit:
        raise _Refused(413, f"a batch has at most {limit} bytes when it is unpacked", "too_large")
    if not decoder.eof:
        raise _Refused(400, "gzip data ends too early", "coding")
    return out


def _sorted(data: bytes, reader: records.Reader) -> tuple[list[Transaction], list[str]]:
    taken: list[Transaction] = []
    errors: list[str] = []
    for one in records.read(data, reader):
        if isinstance(one, DocumentError):
            errors.append(str(one))
        else:
            taken.append(one)
    return taken, errors


def _problem(status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"error": text}, status, headers=dict(headers or {}))


class _Server(uvicorn.Server):
    """uvicorn in a thread: no signals, a socket that other workers share."""

    def __init__(self, application: Starlette, settings: HttpReceiver, bound: socket.socket) -> None:
        config = uvicorn.Config(
            application,
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            lifespan="off",
            ws="none",
            limit_concurrency=settings.connections,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=5,
        )
        config.load()
        config.ssl = serving.tls(settings, "receiver.http")
        super().__init__(config)
        self._socket = bound
        self._thread = threading.Thread(target=self._work, name="http-receiver", daemon=True)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.should_exit = True
        self._thread.join(timeout=STOP_SECONDS)
        self._socket.close()

    def _work(self) -> None:
        try:
            asyncio.run(self.serve(sockets=[self._socket]))
        except Exception:  # noqa: BLE001 (the other sources go on; health shows that nothing comes)
            logs.failure(LOG, "receiver.http_failed")


def listen(settings: HttpReceiver) -> socket.socket:
    """Bind; the workers share the socket, and the kernel spreads connections over them."""
    if settings.socket is not None:
        return serving.unix(settings.socket, "receiver.http.socket", backlog=BACKLOG)
    assert settings.listen is not None
    return serving.tcp(settings.listen, BACKLOG, "receiver.http.listen")
