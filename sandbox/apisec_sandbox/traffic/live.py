"""Live traffic: the actors over HTTP to a gateway on this machine; arrivals are open-loop, a Poisson process.

Open-loop means that a slow server does not slow the arrivals: who waits for an answer is passed over, and when
everyone waits the arrival is counted as missed.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import signal
import ssl
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import aiohttp
from yarl import URL

from apisec_sandbox.traffic.actors import World
from apisec_sandbox.traffic.calls import MAX_REPLY_BYTES, Call, Reply, plants_of_reply
from apisec_sandbox.traffic.cast import Plan, cast
from apisec_sandbox.traffic.clients import Client
from apisec_sandbox.traffic.report import Meter, Planted, Tally, dump
from apisec_sandbox.traffic.stage import Role, Stage
from apisec_sandbox.traffic.values import seeded

REQUEST_SECONDS = 20.0
DRAIN_SECONDS = 5.0
LOOK_EVERY = 0.2  # seconds between looks at the stop file and the attack file
AUTOMATIC = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")


@dataclass(frozen=True)
class Live:
    """Bounds of a live run. ``rate`` is arrivals per second; ``host`` the Host header, None for the URL's."""

    plan: Plan
    url: str
    ca_file: Path | None
    host: str | None
    rate: float
    duration: float
    attack_after: float
    max_requests: int
    stop_file: Path | None
    attack_file: Path | None  # when given, attackers attack once it exists, whatever attack_after says


class Connections:
    """One HTTP session per client: its own source address, its own TLS stack, its own connections."""

    def __init__(self, settings: Live) -> None:
        self._settings = settings
        self._sessions: dict[Client, aiohttp.ClientSession] = {}
        self._bind = URL(settings.url).host != "::1"  # 127.x.y.z cannot reach ::1

    def _session(self, client: Client) -> aiohttp.ClientSession:
        session = self._sessions.get(client)
        if session is None:
            context: ssl.SSLContext | bool = True
            if self._settings.url.startswith("https:"):
                context = client.stack.context(self._settings.ca_file)
            connector = aiohttp.TCPConnector(
                limit=4, ssl=context, local_addr=(client.address, 0) if self._bind else None, keepalive_timeout=30
            )
            session = aiohttp.ClientSession(
                connector=connector,
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=AUTOMATIC,
                timeout=aiohttp.ClientTimeout(total=REQUEST_SECONDS),
            )
            self._sessions[client] = session
        return session

    async def send(self, call: Call, identity: str) -> Reply:
        """Return the reply; status 0 when none came. The body is read up to MAX_REPLY_BYTES."""
        headers = [*call.headers, ("x-request-id", identity)]
        if self._settings.host:
            headers.append(("host", self._settings.host))
        url = URL(self._settings.url + call.target, encoded=True)
        try:
            async with self._session(call.client).request(
                call.method, url, headers=headers, data=call.body or None, allow_redirects=False
            ) as response:
                body = await response.content.read(MAX_REPLY_BYTES) if response.content else b""
                while not response.content.at_eof() and len(body) < MAX_REPLY_BYTES:
                    body += await response.content.read(MAX_REPLY_BYTES - len(body))
                return Reply(response.status, tuple(response.headers.items()), body)
        except (aiohttp.ClientError, TimeoutError, OSError):
            return Reply(0)

    async def close(self) -> None:
        for session in self._sessions.values():
            await session.close()
        await asyncio.sleep(0)  # let transports finish closing


class Run:
    """One live run."""

    def __init__(self, settings: Live, report: TextIO | None, planted: Planted) -> None:
        self.settings, self.report, self.planted = settings, report, planted
        self.tally = Tally()
        self.missed = 0
        self.stopped = asyncio.Event()
        self.rng = seeded("live", settings.plan.seed, settings.plan.style)
        attack_at = math.inf if settings.attack_file else time.time() + settings.attack_after
        self.world = World(settings.plan.style, natural=False, attack_at=attack_at)
        self._looked = 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    def _stop_asked(self, now: float) -> bool:
        if now - self._looked >= LOOK_EVERY:
            self._looked = now
            if self.settings.stop_file and self.settings.stop_file.exists():
                self.stopped.set()
            if self.settings.attack_file and self.settings.attack_file.exists():
                self.world.attack_at = min(self.world.attack_at, time.time())
        return self.stopped.is_set()

    async def go(self, meter: Meter) -> None:
        """Let arrivals come until time, count, the stop file or a signal ends it; then await the last replies."""
        started = time.monotonic()
        stage = Stage(cast(self.settings.plan, self.world), time.time(), natural=False)
        connections = Connections(self.settings)
        try:
            arrival = 0.0
            while self.tally.requests + len(self._tasks) < self.settings.max_requests:
                arrival += self.rng.expovariate(self.settings.rate)
                if arrival > self.settings.duration or not await self._sleep_until(started + arrival):
                    break
                self._arrive(stage, connections)
                meter.show(arrival, time.monotonic(), self.tally)
            if self._tasks:
                _, late = await asyncio.wait(self._tasks, timeout=DRAIN_SECONDS)
                for task in late:
                    task.cancel()
                await asyncio.gather(*late, return_exceptions=True)
        finally:
            meter.close()
            await connections.close()

    async def _sleep_until(self, moment: float) -> bool:
        """Return False when the run was stopped meanwhile."""
        while not self._stop_asked(now := time.monotonic()):
            if moment <= now:
                await asyncio.sleep(0)
                return True
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.stopped.wait(), min(moment - now, LOOK_EVERY))
        return False

    def _arrive(self, stage: Stage, connections: Connections) -> None:
        turn = stage.next(time.time())
        if turn is None:
            self.missed += 1
            return
        task = asyncio.create_task(self._perform(stage, connections, *turn))
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception():
            self.stopped.set()
            self.failure = task.exception()

    failure: BaseException | None = None

    async def _perform(self, stage: Stage, connections: Connections, role: Role, call: Call) -> None:
        identity = str(uuid.UUID(int=self.rng.getrandbits(128), version=4))
        self.planted.add(call.plants)  # before sending: what is in flight may be seen by the gateway already
        moment, began = time.time(), time.monotonic()
        reply = await connections.send(call, identity)
        seconds = time.monotonic() - began
        self.planted.add(plants_of_reply(reply))
        self.tally.add(role.actor, call, reply)
        if self.report:
            line = {
                "id": identity,
                "actor": role.actor.name,
                "persona": role.actor.persona,
                "kind": call.attack or "ordinary",
                "operation": call.operation,
                "status": reply.status,
                "time": round(moment, 6),
                "duration": round(seconds * 1000, 3),
                "refused": reply.refused,
                "address": call.client.address,
            }
            self.report.write(dump(line))
            self.report.flush()
        stage.finish(role, reply, seconds)


async def _main(settings: Live, report: TextIO | None, planted: Planted) -> Run:
    run = Run(settings, report, planted)
    loop = asyncio.get_running_loop()
    handled: list[signal.Signals] = []
    stop: Callable[[], None] = run.stopped.set
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(ValueError, NotImplementedError, RuntimeError):  # not in the main thread
            loop.add_signal_handler(number, stop)
            handled.append(number)
    try:
        await run.go(Meter(sys.stderr, settings.duration, "s"))
    finally:
        for number in handled:
            loop.remove_signal_handler(number)
    if run.failure:
        raise run.failure
    return run


def run_live(settings: Live, report: TextIO | None, planted: TextIO | None) -> tuple[Run, Planted]:
    """Generate traffic; OSError and ssl.SSLError for a CA file that cannot be used."""
    plants = Planted(planted, flush=True)
    if settings.url.startswith("https:"):
        ssl.create_default_context(cafile=str(settings.ca_file) if settings.ca_file else None)  # fail early
    return asyncio.run(_main(settings, report, plants)), plants
