"""The inventory counts every event once, wherever a refresh dies, and whoever runs beside it."""

from __future__ import annotations

import contextlib
import json
import logging
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from apisec_app.refresh import inventory as refreshing
from apisec_app.refresh import paths
from apisec_app.refresh import run as running
from apisec_app.windows.ledger import StaleRunError, Window

from apisec.endpoints.inventory import Inventory
from tests.support.kv_memory import MemoryService
from tests.support.splunk import Splunk

LOGGER = logging.getLogger("test")
SERVICE = "shop"
OPERATIONS = ("GET /a", "POST /a", "GET /b/{b_id}")


class KilledError(BaseException):
    """The process dies here."""


class Wire:
    """A connection of which a test knows when it writes: ``before`` and ``after`` are given the write's number."""

    def __init__(self, service: Any, before: Callable[[int], None], after: Callable[[int], None]) -> None:
        self._service, self._before, self._after = service, before, after
        self.writes = 0

    def get(self, path: str, **arguments: Any) -> Any:
        return self._service.get(path, **arguments)

    def post(self, path: str, **arguments: Any) -> Any:
        if path.endswith("/batch_find"):
            return self._service.post(path, **arguments)
        return self._write(lambda: self._service.post(path, **arguments))

    def delete(self, path: str, **arguments: Any) -> Any:
        return self._write(lambda: self._service.delete(path, **arguments))

    def _write(self, work: Callable[[], Any]) -> Any:
        self.writes += 1
        number = self.writes
        self._before(number)
        try:
            return work()
        finally:
            self._after(number)


class Told:
    """A merge, as a model tells it."""

    def __init__(self, family: str) -> None:
        self.family = family

    def row(self) -> dict[str, Any]:
        return {
            "change": len(self.family),
            "kind": "merge",
            "after": f"/{self.family}/{{name}}/orders",
            "why": ["many"],
        }


class Model:
    """A model of paths with one rule: of more than ten paths /FAMILY/NAME/orders, NAME is a parameter."""

    def __init__(self) -> None:
        self.services: dict[str, dict[str, set[str]]] = {}
        self.decided: set[tuple[str, str]] = set()
        self.told: set[tuple[str, str]] = set()

    def add_event(self, event: dict[str, Any]) -> None:
        family, _, rest = str(event.get("uri_path", "")).strip("/").partition("/")
        name = rest.partition("/")[0]
        self.services.setdefault(event["service"], {}).setdefault(family, set()).add(name)

    def merge(self, other: Model) -> None:
        for service, families in other.services.items():
            for family, names in families.items():
                self.services.setdefault(service, {}).setdefault(family, set()).update(names)
        self.told |= other.told

    def decide(self, _now: float) -> dict[str, list[Told]]:
        many = {(s, f) for s, families in self.services.items() for f, names in families.items() if len(names) > 10}
        self.decided, new = many, many - self.told
        self.told |= many
        return {service: [Told(f) for s, f in sorted(new) if s == service] for service in self.services}

    def rename(self, service: str, operation: str) -> str:
        family = operation.split("/")[1]
        return f"GET /{family}/{{name}}/orders" if (service, family) in self.decided else operation

    def settle(self) -> None:
        """Sources do not matter here."""

    def operations(self, service: str) -> list[str]:
        return sorted(self.services[service])

    def split(self) -> list[Model]:
        return [self] if self.services else []

    def to_state(self) -> str:
        families = {s: {f: sorted(names) for f, names in of.items()} for s, of in self.services.items()}
        return json.dumps([families, sorted(self.told)])

    @classmethod
    def from_state(cls, state: str) -> Model:
        model = cls()
        families, told = json.loads(state)
        model.services = {s: {f: set(names) for f, names in of.items()} for s, of in families.items()}
        model.told = {(s, f) for s, f in told}
        return model


class World:
    """Events by index time, and refreshes over them, with a KV store in memory: every write is a place to die at."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.kv = MemoryService()
        self.start = float(int(time.time()))
        self.indexed: list[tuple[float, dict[str, Any]]] = []
        self.settings = running.Settings(lag=0.0, retain_days=0.01, quiet_hours=0.0)
        monkeypatch.setattr(refreshing, "fetch", self._fetch)
        monkeypatch.setattr(running, "RETIRE_SECONDS", float("inf"))
        monkeypatch.setattr(paths, "PathModel", Model)
        monkeypatch.setattr(paths, "requests_of", lambda *_: paths.MIN_REQUESTS)
        before = {"_key": f"{self.start - 100:.0f}", "start": self.start - 100, "end": self.start, "noted": 1}
        self.kv.fill("apisec_inventory_windows", {**before, "done": True, "finished": self.start})

    def _fetch(self, _service: Any, span: Window) -> refreshing.Found:
        found = refreshing.Found(Inventory(), cast(Any, Model()))
        for indexed, event in self.indexed:
            if span.start <= indexed < span.end:
                found.inventory.add(event)
                found.paths.add_event(event)
        return found

    def index(self, at: float, count: int) -> None:
        """Events that were indexed ``at`` seconds after the start."""
        for n in range(count):
            operation = OPERATIONS[n % len(OPERATIONS)]
            event = {"service": SERVICE, "operation": operation, "time": self.start + at, "status": 200}
            self.indexed.append((self.start + at, {**event, "principal": f"p{n}", "response_time": n + at}))

    def refresh(
        self,
        now: float,
        before: Callable[[int], None] = lambda _: None,
        after: Callable[[int], None] = lambda _: None,
    ) -> Iterator[dict[str, Any]]:
        wire = Wire(self.kv, before, after)
        yield from running.Refresh(wire, self.settings, LOGGER).run(now)
        self.writes = wire.writes

    def run(self, at: float, **hooks: Callable[[int], None]) -> list[dict[str, Any]]:
        return list(self.refresh(self.start + at, **hooks))

    def counts(self) -> dict[str, int]:
        return {d["operation"]: int(d["count"]) for d in self.kv.rows("apisec_inventory")}

    def expected(self) -> dict[str, int]:
        one = Inventory()
        for _, event in self.indexed:
            one.add(event)
        return {row["operation"]: row["count"] for row in one.rows()}

    def right(self) -> bool:
        """Every figure is that of one pass, not only the counts."""
        one = Inventory()
        for _, event in self.indexed:
            one.add(event)
        held = Inventory.from_documents(self.kv.rows("apisec_inventory"))
        return held.to_state() == one.to_state()


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


def dying(number: int) -> Callable[[int], None]:
    def check(write: int) -> None:
        if write == number:
            raise KilledError

    return check


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_run_that_dies_at_any_write_counts_nothing_twice(world: World, when: str) -> None:
    world.index(5, 30)
    world.run(10)
    writes = world.writes
    assert writes >= 4
    assert world.right()
    for number in range(1, writes + 1):
        at = 100.0 * number
        world.index(at, 20)
        with pytest.raises(KilledError):
            world.run(at + 10, **{when: dying(number)})
        world.index(at + 20, 7)
        world.run(at + 30)
        assert world.counts() == world.expected(), f"killed {when} write {number}"
        assert world.right()


def test_a_run_that_dies_again_and_again_is_completed(world: World) -> None:
    world.index(5, 40)
    told = []
    for number in (1, 2, 3, 2, 1, 3, 4, 5, 99):
        with contextlib.suppress(KilledError):
            for event in world.refresh(world.start + 10, after=dying(number)):
                told.append(event)  # noqa: PERF402 - those before it dies
    assert world.right()
    assert {event["operation"] for event in told} == set(OPERATIONS), "no event is lost"
    assert len({event["id"] for event in told}) == len(OPERATIONS), "one that is repeated has its id"
    assert world.run(10) == []


def test_runs_that_overlap_anywhere_count_nothing_twice(world: World) -> None:
    """One run is held up before each of its writes in turn, while others go on, over the same window and the next."""
    world.index(5, 30)
    world.run(10)
    writes = world.writes
    for number in range(1, writes + 1):
        at = 100.0 * number
        world.index(at, 20)

        def meanwhile(write: int, number: int = number, at: float = at) -> None:
            if write == number:
                world.run(at + 12)
                world.index(at + 20, 9)
                world.run(at + 30)

        with contextlib.suppress(StaleRunError):
            world.run(at + 10, before=meanwhile)
        world.run(at + 40)
        assert world.counts() == world.expected(), f"held up before write {number}"
        assert world.right()


def test_a_run_over_nothing_new_writes_nothing_and_says_nothing(world: World) -> None:
    world.index(5, 10)
    assert {event["change"] for event in world.run(10)} == {"operation_new"}
    before = world.kv.rows("apisec_inventory")
    assert world.run(10) == []
    assert world.kv.rows("apisec_inventory") == before


def test_idle_operations_are_archived_and_come_back_whole(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "RETIRE_SECONDS", 0.0)
    world.index(5, 30)
    world.run(10)
    assert world.counts() == world.expected()
    world.run(1000)
    assert world.counts() == {}
    archived = world.kv.rows("apisec_inventory_archive")
    assert {d["operation"] for d in archived} == set(OPERATIONS)
    world.index(1005, 2)
    changes = world.run(1010)
    assert changes == [], "an operation that comes back is not new"
    assert set(world.counts()) == set(OPERATIONS[:2])
    assert world.counts()["GET /a"] == 11
    assert {d["operation"] for d in world.kv.rows("apisec_inventory_archive")} == {OPERATIONS[2]}


def users(world: World, at: float, family: str, names: range) -> None:
    """Requests for users by name, each stamped as an operation of its own: a forwarder cannot know better."""
    for n in names:
        path = f"/{family}/{chr(97 + n % 26)}{chr(97 + n // 26)}nna-smith/orders"
        about = {
            "service": SERVICE,
            "http_method": "GET",
            "uri_path": path,
            "endpoint": path,
            "status": 200,
        }
        event = {
            **about,
            "operation": f"GET {path}",
            "time": world.start + at,
            "principal": f"p{n}",
            "action": "allowed",
        }
        world.indexed.append((world.start + at, event))


def test_operations_that_turn_out_to_be_one_are_counted_once_wherever_it_dies(world: World) -> None:
    """It dies in the window that teaches it, after a write; then, in the next, while documents become one."""
    for number, family in enumerate(("users", "members", "friends", "pilots", "guests", "riders"), 3):
        at = 1000.0 * number
        for later in (0.0, 100.0):
            users(world, at + later, family, range(20))
            with contextlib.suppress(KilledError):
                world.run(at + later + 10, after=dying(number))
            world.run(at + later + 20)
            assert sum(world.counts().values()) == len(world.indexed), f"killed after write {number}"
        names = [name for name in world.counts() if name.startswith(f"GET /{family}/")]
        assert names == [f"GET /{family}/{{name}}/orders"]
    archived = world.kv.rows("apisec_inventory_archive")
    assert {d["renamed_to"].rpartition("|")[2] for d in archived} == set(world.counts())


def test_a_merge_is_told_once(world: World) -> None:
    users(world, 5, "users", range(4))
    assert [event for event in world.run(10) if event["change"].startswith("paths_")] == []
    users(world, 100, "users", range(20))
    told = [event for event in world.run(110) if event["change"].startswith("paths_")]
    assert [(event["change"], event["after"], event["why"]) for event in told] == [
        ("paths_merged", "/users/{name}/orders", ["many"])
    ]
    users(world, 200, "users", range(20))
    assert world.run(210) == [], "what operations went into is not new"
    assert list(world.counts()) == ["GET /users/{name}/orders"]


KILLER = """
import logging, os, signal, sys
sys.path.insert(0, sys.argv[1])
from apisec_app.connection import connect
from apisec_app.kvstore import Collection
from apisec_app.refresh import run
number, send = int(sys.argv[4]), Collection._post
def post(self, body, path):
    global number
    number -= path != "/batch_find"
    if number == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return send(self, body, path)
Collection._post = post
run.RETIRE_SECONDS = float("inf")
service = connect(sys.argv[2], sys.argv[3])
print(sum(1 for _ in run.Refresh(service, run.Settings(lag=0.0), logging.getLogger()).run(float(sys.argv[5]))))
"""


@pytest.mark.app
@pytest.mark.exclusive
def test_a_process_that_is_killed_is_made_up_for(splunk: Splunk, unpacked: Path) -> None:
    """With real searches and SIGKILL: after the window began, and after its documents."""
    key = splunk.rest.session_key
    sent = 0
    for number in (2, 4, 99):
        events = [
            {"id": f"{number}-{n}", "time": time.time() - 5, "service": "shop", "operation": "GET /x", "status": 200}
            for n in range(50)
        ]
        splunk.send(events)
        sent += len(events)
        at = int(time.time()) + 1
        splunk.wait(lambda at=at: time.time() > at, "the next second")  # type: ignore[misc]
        arguments = [str(unpacked / "lib"), splunk.target.url, key, str(number), str(time.time())]
        done = subprocess.run([sys.executable, "-c", KILLER, *arguments], capture_output=True, text=True, timeout=120)
        assert done.returncode == (-signal.SIGKILL if number < 99 else 0), done.stderr
    assert [int(d["count"]) for d in splunk.collection("apisec_inventory")] == [sent]
