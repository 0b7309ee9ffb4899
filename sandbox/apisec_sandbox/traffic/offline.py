"""Offline traffic: the actors against the shop in this process, on a simulated clock; hours in seconds."""

from __future__ import annotations

import asyncio
import base64
import math
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any, TextIO
from urllib.parse import unquote

from starlette.types import ASGIApp, Message

from apisec_sandbox.sample_api.app import TOKEN_SECONDS, create_app
from apisec_sandbox.traffic.actors import Actor, World
from apisec_sandbox.traffic.calls import Call, Reply, plants_of_reply
from apisec_sandbox.traffic.cast import Plan, cast
from apisec_sandbox.traffic.report import Meter, Planted, Tally, dump
from apisec_sandbox.traffic.stage import Stage
from apisec_sandbox.traffic.values import seeded

HOST = "shop.example"
FIRST_CLIENT_PORT = 32_768
SLOW_OPERATIONS = {"payment": 180.0, "login": 60.0, "export": 90.0, "confirm": 70.0}  # median ms by last word
MEDIAN_MS = 14.0
SPREAD = 0.45  # sigma of the log-normal latency
MS_PER_KIB = 0.6


@dataclass(frozen=True)
class Offline:
    """Bounds of an offline run. ``rate`` None means natural time; else arrivals come at that rate per second."""

    plan: Plan
    start: float  # seconds since the epoch
    duration: float  # simulated seconds
    attack_after: float
    rate: float | None
    id_style: str
    max_requests: int


class Clock:
    """The simulated time, which the shop reads too."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


async def exchange(app: ASGIApp, call: Call, headers: list[tuple[str, str]], port: int) -> Reply:
    """Send one call to an ASGI application in this process and return its answer."""
    path, _, query = call.target.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": call.method,
        "scheme": "https",
        "path": _unquoted(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.encode("latin-1"), value.encode("utf-8")) for name, value in headers],
        "client": (call.client.public, port),
        "server": (HOST, 443),
    }
    messages: list[Message] = []
    pending = [{"type": "http.request", "body": call.body, "more_body": False}]

    async def receive() -> Message:
        return pending.pop() if pending else {"type": "http.disconnect"}

    async def collect(message: Message) -> None:
        messages.append(message)

    await app(scope, receive, collect)
    start = messages[0]
    answered = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"])
    return Reply(start["status"], answered, b"".join(each.get("body", b"") for each in messages[1:]))


def _unquoted(path: str) -> str:
    return unquote(path, errors="replace")


def _latency(call: Call, reply: Reply, rng: Random) -> float:
    """Return milliseconds: log-normal around the operation's median, plus the time to write the answer."""
    median = SLOW_OPERATIONS.get(call.operation.rpartition("/")[2], MEDIAN_MS)
    return rng.lognormvariate(math.log(median), SPREAD) + len(reply.body) / 1024 * MS_PER_KIB


def _body(data: bytes) -> dict[str, str]:
    if not data:
        return {}
    try:
        return {"body": data.decode()}
    except UnicodeDecodeError:
        return {"body": base64.b64encode(data).decode(), "body_encoding": "base64"}


class Writer:
    """Turns calls and replies into lines of the traffic file and of the labels file."""

    def __init__(self, output: TextIO, labels: TextIO | None) -> None:
        self._output, self._labels = output, labels

    def transaction(
        self, identity: str, now: float, port: int, call: Call, headers: list[tuple[str, str]], reply: Reply, ms: float
    ) -> None:
        stack = call.client.stack
        record: dict[str, Any] = {
            "id": identity,
            "time": now,
            "client": {
                "address": call.client.public,
                "port": port,
                "ja4": stack.ja4,
                "tls_version": stack.version,
            },
            "request": {
                "method": call.method,
                "url": f"https://{HOST}{call.target}",
                "headers": [list(pair) for pair in headers],
                **_body(call.body),
            },
            "response": {
                "status": reply.status,
                "headers": [list(pair) for pair in reply.headers],
                **_body(reply.body),
            },
            "duration": ms,
        }
        self._output.write(dump(record))

    def label(self, identity: str, actor: Actor, call: Call) -> None:
        if self._labels:
            label = {
                "id": identity,
                "actor": actor.name,
                "persona": actor.persona,
                "kind": call.attack or "ordinary",
                "attack": call.attack,
                "operation": call.operation,
            }
            self._labels.write(dump(label))


class Simulation:
    """One offline run; ``run`` may be called once."""

    def __init__(self, settings: Offline, writer: Writer, planted: Planted) -> None:
        self.settings, self.writer, self.planted = settings, writer, planted
        plan = settings.plan
        self.clock = Clock(settings.start)
        self.app = create_app(plan.seed, clock=self.clock, id_style=settings.id_style, token_seconds=TOKEN_SECONDS)
        world = World(plan.style, settings.rate is None, settings.start + settings.attack_after)
        self.actors = cast(plan, world)
        self.stage = Stage(self.actors, settings.start, natural=settings.rate is None)
        self.rng = seeded("offline", plan.seed, plan.style)
        self.tally = Tally()
        self.ports: dict[str, int] = {}

    def _times(self) -> Iterator[float | None]:
        """Yield each arrival's time, or None in natural time, where the actors bring their own."""
        now = self.settings.start
        while True:
            if self.settings.rate is None:
                yield None
            else:
                now += self.rng.expovariate(self.settings.rate)
                yield now

    async def run(self, meter: Meter) -> Tally:
        end = self.settings.start + self.settings.duration
        for arrival in self._times():
            if self.tally.requests >= self.settings.max_requests or (arrival or 0.0) > end:
                break
            turn = self.stage.next(arrival)
            assert turn is not None, "offline, no call is ever in flight"
            role, call = turn
            now = role.due if arrival is None else arrival
            if now > end:
                break
            reply, seconds = await self._perform(role.actor, call, round(now, 6))
            self.stage.finish(role, reply, seconds)
            meter.show(now - self.settings.start, time.monotonic(), self.tally)
        meter.close()
        return self.tally

    async def _perform(self, actor: Actor, call: Call, now: float) -> tuple[Reply, float]:
        self.clock.now = now
        identity = str(uuid.UUID(int=self.rng.getrandbits(128), version=4))
        headers = [("host", HOST), *call.headers, ("x-request-id", identity)]
        if call.body:
            headers.append(("content-length", str(len(call.body))))
        port = self._port(actor, call)
        reply = await exchange(self.app, call, headers, port)
        ms = round(_latency(call, reply, self.rng), 3)
        self.writer.transaction(identity, now, port, call, headers, reply, ms)
        self.writer.label(identity, actor, call)
        self.planted.add(call.plants)
        self.planted.add(plants_of_reply(reply))
        self.tally.add(actor, call, reply)
        return reply, ms / 1000

    def _port(self, actor: Actor, call: Call) -> int:
        """Connections are kept alive for a while: a new port now and then."""
        key = f"{actor.name} {call.client.address} {call.client.agent}"
        if key not in self.ports or self.rng.random() < 0.1:
            self.ports[key] = self.rng.randrange(FIRST_CLIENT_PORT, 61_000)
        return self.ports[key]


def run(settings: Offline, output: TextIO, labels: TextIO | None, planted: TextIO | None) -> tuple[Tally, Planted]:
    """Write one run's traffic; the same settings write the same bytes."""
    plants = Planted(planted)
    simulation = Simulation(settings, Writer(output, labels), plants)
    meter = Meter(sys.stderr, settings.duration, "s simulated")
    return asyncio.run(simulation.run(meter)), plants
