"""The input apisec_detection judges every row once, wherever a run dies, and whoever runs beside it."""

from __future__ import annotations

import contextlib
import json
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from apisec_app import kvstore
from apisec_app.detection import rows as fetching
from apisec_app.detection import run as running
from apisec_app.detection.state import State
from apisec_app.kvstore import Collection
from apisec_app.windows.ledger import StaleRunError, Window
from splunklib.binding import HTTPError

from apisec.abuse.engine import CAMPAIGNS, EXPECTATIONS, PROFILES, Engine
from apisec.activity import Activity, Row
from apisec.endpoints.learning import PathModel
from apisec.errors import DocumentError
from tests.support.kv_memory import MemoryService

SLOT = 300.0
START = 5_900_000 * SLOT
LOGGER = logging.getLogger("test")
Document = dict[str, Any]


class KilledError(BaseException):
    """The process dies here."""


class Store(MemoryService):
    """A KV store of which a test knows when it is written: ``before`` and ``after`` are given the write's number."""

    def __init__(self) -> None:
        super().__init__()
        self.hook("before", None)

    def hook(self, when: str, check: Callable[[int], None] | None) -> None:
        self.writes, self._when, self._check = 0, when, check

    def post(self, path: str, body: str = "", **arguments: Any) -> Any:
        if path.endswith("/batch_find"):
            return super().post(path, body, **arguments)
        return self._hooked(lambda: super(Store, self).post(path, body, **arguments))

    def delete(self, path: str, query: str) -> Any:
        return self._hooked(lambda: super(Store, self).delete(path, query))

    def _write(self) -> None:
        """Counted by ``_hooked``."""

    def _hooked(self, work: Callable[[], Any]) -> Any:
        self.writes += 1
        number, check, when = self.writes, self._check, self._when
        if check is not None and when == "before":
            check(number)
        try:
            return work()
        finally:
            if check is not None and when == "after":
                check(number)


class Counting:
    """An engine that counts: requests by principal, all of them, and one campaign. It tells one anomaly a row.

    Who makes a request without a status is forgotten.
    """

    def __init__(self, documents: dict[str, list[Document]], **_: Any) -> None:
        self._held = {str(one["_key"]): one for kind in documents.values() for one in kind}
        self._dirty: set[str] = set()
        self._gone: set[str] = set()
        if any("broken" in one for one in self._held.values()):
            raise DocumentError("broken")

    @staticmethod
    def keys(rows: Iterable[Row]) -> list[str]:
        return sorted({f"p:{row.principal}" for row in rows})

    def load(self, profiles: Iterable[Document]) -> None:
        for one in profiles:
            if "broken" in one:
                raise DocumentError("broken")
            self._held[one["_key"]] = one

    def advance(self, rows: Iterable[Row], now: float) -> list[Document]:
        told = []
        for row in rows:
            for key in (f"p:{row.principal}", "c:all", "principals|service|shop"):
                held = self._held.setdefault(key, {"_key": key, "requests": 0, "told": []})
                held["requests"] += row.requests
                held.update(scope="principal", last=row.slot, members={row.principal: 1})
                self._dirty.add(key)
            if 0 in row.operations["GET /a"].statuses:
                self._gone.add(f"p:{row.principal}")
            total = self._held[f"p:{row.principal}"]["requests"]
            about = {"time": now, "team": row.team, "slot": row.slot, "service": row.service, "operation": "GET /a#A"}
            told.append({"id": f"{row.principal}|{total}", **about})
        return told

    def documents(self) -> dict[str, list[Document]]:
        kinds = {PROFILES: "p:", CAMPAIGNS: "c:", EXPECTATIONS: "principals"}
        dirty = sorted(self._dirty - self._gone)
        return {kind: [self._held[k] for k in dirty if k.startswith(start)] for kind, start in kinds.items()}

    def gone(self) -> dict[str, list[str]]:
        return {PROFILES: sorted(self._gone)}

    def saved(self) -> None:
        self._dirty.clear()
        self._gone.clear()

    def release(self, most: int) -> None:
        self._held = {key: one for key, one in self._held.items() if not key.startswith("p:")}


class World:
    """Events by index time, and runs of detection over them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.store = Store()
        self.indexed: list[tuple[float, Document]] = []
        self.settings = running.Settings(lag=0.0, history_hours=1.0)
        monkeypatch.setattr(fetching, "fetch", lambda _service, span: self.rows(span))
        monkeypatch.setattr(running, "Engine", Counting)

    def index(self, at: float, *principals: str, seen: float | None = None, status: int = 200) -> None:
        """Events that were indexed ``at`` seconds after the start, and seen then or at another time."""
        for who in principals:
            event = {"service": "shop", "operation": "GET /a", "principal": who, "status": status, "team": "web"}
            self.indexed.append((START + at, {**event, "time": START + (at if seen is None else seen)}))

    def rows(self, span: Window) -> list[Row]:
        activity = Activity()
        for at, event in self.indexed:
            if span.start <= at < span.end:
                activity.add(event)
        return activity.rows()

    def detect(self, at: float) -> Iterator[Document]:
        yield from running.Detection(self.store, self.settings, LOGGER).run(START + at)

    def run(self, at: float) -> list[Document]:
        return list(self.detect(at))

    def counts(self) -> dict[str, int]:
        state = State(Collection(self.store, kvstore.PROFILES), "reader")
        state.refresh()
        documents = [*state.load(PROFILES), *state.load(CAMPAIGNS), *state.load(EXPECTATIONS)]
        return {str(one["_key"]): int(one["requests"]) for one in documents}

    def expected(self) -> dict[str, int]:
        found = {"c:all": 0, "principals|service|shop": 0}
        for _, event in self.indexed:
            for key in (f"p:{event['principal']}", "c:all", "principals|service|shop"):
                found[key] = found.get(key, 0) + 1
        return found


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


def dying(number: int) -> Callable[[int], None]:
    def check(write: int) -> None:
        if write == number:
            raise KilledError

    return check


def writes_of_a_window(world: World) -> int:
    world.index(10, "a", "b", "a")
    world.run(300)
    world.index(310, "a", "b", "c")
    world.store.hook("before", None)
    world.run(600)
    assert world.store.writes >= 6, "begin, write, commit, publish, clear, close"
    assert world.counts() == world.expected()
    return world.store.writes


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_run_that_dies_at_any_write_counts_nothing_twice(world: World, when: str) -> None:
    for number in range(1, writes_of_a_window(world) + 1):
        at = 10 * SLOT * number
        world.index(at + 10, "a", "b", "d")
        world.store.hook(when, dying(number))
        told: list[Document] = []
        with contextlib.suppress(KilledError):
            for one in world.detect(at + SLOT):
                told.append(one)  # noqa: PERF402 - those before it dies
        assert world.store.writes == number
        world.store.hook("before", None)
        world.index(at + 310, "b")
        told += world.run(at + 2 * SLOT)
        assert world.counts() == world.expected(), f"killed {when} write {number}"
        assert {one["id"] for one in told} == {
            f"{who[2:]}|{n}" for who, n in world.counts().items() if who in ("p:a", "p:b", "p:d")
        } | {f"b|{world.counts()['p:b'] - 1}"}
        assert world.run(at + 2 * SLOT) == []


def test_a_run_that_dies_again_and_again_is_completed(world: World) -> None:
    writes_of_a_window(world)
    world.index(700, "a", "c")
    told = []
    for number in (2, 1, 3, 1, 2, 4, 1, 5, 6, 99):
        world.store.hook("after", dying(number))
        with contextlib.suppress(KilledError):
            told += world.run(900)
    assert world.counts() == world.expected()


def test_runs_that_overlap_anywhere_count_nothing_twice(world: World) -> None:
    """One run is held up before each of its writes in turn, while others do the same window and those after it."""
    for number in range(1, writes_of_a_window(world) + 1):
        at = 10 * SLOT * number
        world.index(at + 10, "a", "b")
        told: list[Document] = []

        def meanwhile(write: int, number: int = number, at: float = at, told: list[Document] = told) -> None:
            if write == number:
                told += world.run(at + SLOT)
                world.index(at + 310, "b", "c")
                told += world.run(at + 2 * SLOT)
                world.index(at + 610, "a")
                told += world.run(at + 3 * SLOT)

        world.store.hook("before", meanwhile)
        with contextlib.suppress(StaleRunError):
            told += world.run(at + SLOT)
        world.store.hook("before", None)
        told += world.run(at + 4 * SLOT)
        assert world.counts() == world.expected(), f"held up before write {number}"
        assert len({one["id"] for one in told}) == 5, "each row is told, one that is repeated with its id"


def test_nothing_is_left_lying(world: World) -> None:
    writes_of_a_window(world)
    for number in range(3, 9):
        world.index(number * SLOT + 10, "a", "b")
        with contextlib.suppress(KilledError):
            world.store.hook("after", dying(number % 5))
            world.run((number + 1) * SLOT)
        world.store.hook("before", None)
        world.run((number + 1) * SLOT)
    versions = [one["of"] for one in world.store.rows("apisec_profiles") if one["kind"] != "commit"]
    assert sorted(versions) == sorted(world.expected()), "one version of each document"
    assert all(one["done"] for one in world.store.rows("apisec_detection_windows"))


def test_what_the_engine_forgets_is_gone(world: World) -> None:
    world.index(10, "a", "b")
    world.run(300)
    world.index(310, "b", status=0)
    world.run(600)
    assert set(world.counts()) == {"p:a", "c:all", "principals|service|shop"}
    assert not [one for one in world.store.rows("apisec_profiles") if one["of"] == "p:b"]
    world.index(610, "b")
    world.run(900)
    assert world.counts()["p:b"] == 1, "who comes back begins anew"


def test_who_was_not_seen_for_a_month_is_forgotten(world: World) -> None:
    world.index(10, "a")
    world.run(300)
    later = 31 * 86_400.0
    world.store.collections["apisec_detection_windows"].clear()
    document = {"_key": f"{START + later - SLOT:.0f}", "start": START + later - SLOT, "end": START + later, "done": 1}
    world.store.fill("apisec_detection_windows", {**document, "finished": time.time(), "noted": 0})
    for slot in range(290):  # over a midnight
        world.index(later + slot * SLOT + 1, "b")
    world.run(later + 290 * SLOT)
    assert set(world.counts()) == {"p:b", "c:all", "principals|service|shop"}


def test_events_that_come_late_are_counted_in_the_window_that_they_come_in(world: World) -> None:
    world.index(10, "a")
    assert [one["slot"] for one in world.run(300)] == [START // 300]
    world.index(400, "a", seen=20)
    world.index(400, "b")
    told = world.run(600)
    assert [(one["slot"] - START // 300, one["time"] - START) for one in told] == [(0, 600), (1, 600)]
    assert world.counts() == world.expected()


def test_a_long_window_is_judged_slot_by_slot(world: World) -> None:
    world.index(10, "a")
    world.index(310, "a")
    world.index(610, "b", "a")
    told = world.run(900)
    assert [one["time"] - START for one in told] == [300, 600, 900, 900]


def test_a_window_ends_where_a_slot_does_and_not_before_the_lag(world: World) -> None:
    world.settings = running.Settings(lag=30.0, history_hours=1.0)
    world.index(10, "a")
    assert world.run(329) == []
    assert len(world.run(330)) == 1
    assert world.run(899) == []


def test_short_intervals_have_short_windows(world: World) -> None:
    world.settings = running.Settings(interval=5.0, lag=0.0, history_hours=1.0)
    told = []
    for at in range(5, 905, 5):
        world.index(at - 3, "a")
        told += world.run(at)
    assert [one["time"] - START for one in told] == [float(at) for at in range(5, 905, 5)]
    assert world.counts() == world.expected()


def test_steps() -> None:
    span = Window(START, START + 900)
    rows = [SimpleNamespace(start=START + at, key=("s", "p", at)) for at in (-600, 0, 0, 300, 600, 900, 90_000)]
    cut = [(end - START, [int(row.start - START) for row in some]) for end, some in fetching.steps(rows, span)]  # type: ignore[arg-type]
    assert cut == [(300, [-600, 0, 0]), (600, [300]), (900, [600, 900, 90_000])]


def test_a_document_that_is_damaged_begins_anew_and_the_rest_stays(world: World, caplog: Any) -> None:
    world.index(10, "a", "b")
    world.run(300)
    for one in world.store.rows("apisec_profiles"):
        if one["of"] in ("p:a", "c:all"):
            world.store.fill("apisec_profiles", {**one, "state": json.dumps({"_key": one["of"], "broken": 1})})
    world.index(310, "a", "b")
    with caplog.at_level(logging.ERROR):
        world.run(600)
    assert [record.args[0] for record in caplog.records] == ["c:all", "p:a"]
    assert world.counts() == {"p:a": 1, "p:b": 2, "c:all": 2, "principals|service|shop": 4}


def test_a_kv_store_that_fails_loses_nothing(world: World) -> None:
    world.index(10, "a", "b")

    def fail(_: int) -> None:
        raise HTTPError(SimpleNamespace(status=503, reason="", body=SimpleNamespace(read=lambda: b""), headers=[]))

    world.store.hook("before", fail)
    with pytest.raises(HTTPError):
        world.run(300)
    world.store.hook("before", None)
    assert len(world.run(300)) == 2
    assert world.counts() == world.expected()


def test_open_campaigns_are_published_for_others(world: World) -> None:
    world.index(10, "a", "b")
    world.run(300)
    [campaign] = world.store.rows("apisec_campaigns")
    assert (campaign["_key"], campaign["members"], campaign["requests"]) == ("c:all", ["b"], 2)


def test_anomalies_are_the_owning_teams(world: World) -> None:
    world.index(10, "a")
    detection = running.Detection(world.store, world.settings, LOGGER)
    assert [one["team"] for one in detection.run(START + 300)] == ["web"], "as stamped, where no rule says more"
    rule = {"service": "shop", "path": "/a"}
    world.store.fill("apisec_teams", {"_key": "sales", "version": 1, "owns": [rule], "index": "apisec_sales"})
    world.index(310, "a")
    detection = running.Detection(world.store, world.settings, LOGGER)
    assert [one["team"] for one in detection.run(START + 600)] == ["sales"]
    assert (detection.index_of("sales"), detection.index_of("web")) == ("apisec_sales", None)


def test_operations_have_the_names_that_the_inventory_learned(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    model = PathModel()
    for n in range(600):
        path = f"/users/{chr(97 + n % 26)}{chr(97 + n // 26)}nna-smith/orders"
        model.add_event({"service": "shop", "http_method": "GET", "uri_path": path, "endpoint": path, "status": 200})
    world.store.fill("apisec_paths", {"_key": "shop", "through": 0, "state": model.to_state()})
    made: list[Row] = []

    def fetch(_service: Any, span: Window) -> list[Row]:
        made.extend(world.rows(span))
        return made

    monkeypatch.setattr(fetching, "fetch", fetch)
    event = {"service": "shop", "operation": "GET /users/mary-jones/orders", "principal": "a", "status": 200}
    world.indexed.append((START + 10, {**event, "time": START + 10}))
    world.index(20, "a")
    world.run(300)
    assert {name for row in made for name in row.operations} == {"GET /a", "GET /users/{user_id}/orders"}


def test_the_engine_takes_what_it_gave(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine of core: a day of ordinary requests, window by window, from the store, is that of one process."""
    world = World(monkeypatch)
    monkeypatch.setattr(running, "Engine", Engine)
    for slot in range(30):
        for who in "abcdef":
            world.index(slot * SLOT + 10 + ord(who) % 7, *who * (slot % 3 + 1))
    for slot in range(30):
        world.run((slot + 1) * SLOT)
    state = State(Collection(world.store, kvstore.PROFILES), "reader")
    state.refresh()
    whole = Engine()
    for slot in range(30):
        span = Window(START + slot * SLOT, START + (slot + 1) * SLOT)
        whole.load(json.loads(json.dumps(whole.documents(dirty_only=False)[PROFILES])))
        whole.advance(world.rows(span), span.end)
        whole.saved()
    kept = whole.documents(dirty_only=False)
    for kind in (PROFILES, CAMPAIGNS, EXPECTATIONS):
        assert state.load(kind) == sorted(json.loads(json.dumps(kept[kind])), key=lambda one: one["_key"]), kind
