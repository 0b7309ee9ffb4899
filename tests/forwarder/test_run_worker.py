"""Worker and exporter without a gateway: a log that the test writes, damage, a full disk, what fails or kills."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from apisec_forwarder import config as configuration
from apisec_forwarder import keys, process, status, worker
from apisec_forwarder.exporter import Exporter
from apisec_forwarder.process import EXIT_REPLACE, Start, Stop
from apisec_forwarder.receivers.envoy_log import CHECKPOINT
from apisec_forwarder.spool import Spool
from tests.forwarder.test_envoy_receiver import HEADERS, frame, line
from tests.support.hec import FakeHec
from tests.support.waiting import until

CONFIG = """
gateway: {{name: edge-1, env: DEV}}
services: [{{name: shop, team: commerce, hosts: ["*"], index: team_index}}]
receiver: {{envoy: {{log: access.json}}}}
workers: {{engine: pure, memory: 8GiB}}
keys: {{file: keys.json}}
spool: {{directory: spool, sync_seconds: 0.05}}
hec: {{url: "{url}", token_file: hec.token, index: apisec, batch_seconds: 0}}
health: {{interval_seconds: 0.2}}
"""


class Running:
    """A worker and an exporter, each in a thread of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hec = FakeHec().start()
        (folder / "hec.token").write_text(self.hec.token)
        (folder / "hec.token").chmod(0o600)
        (folder / "f.yaml").write_text(CONFIG.format(url=self.hec.url))
        keys.write(folder / "keys.json", keys.generate())
        self.log = folder / "access.json"
        self.codes: list[int] = []
        self._stops: list[Stop] = []
        self._threads: list[threading.Thread] = []

    def load(self) -> configuration.Config:
        return configuration.load(self.folder / "f.yaml")

    def start(self) -> worker.Worker:
        made = self.start_worker()
        exporter = Exporter(self.load())
        self._run(lambda stop: exporter.run(stop))
        return made

    def start_worker(self, **start: Any) -> worker.Worker:
        made = worker.Worker(self.load(), Start(self.folder / "f.yaml", **start))
        self._run(lambda stop: self.codes.append(made.run(stop)))
        return made

    def _run(self, work: Any) -> None:
        stop = Stop()
        thread = threading.Thread(target=lambda: work(stop))
        self._stops.append(stop)
        self._threads.append(thread)
        thread.start()

    def write(self, *lines: bytes) -> None:
        with self.log.open("ab") as file:
            file.write(b"".join(one + b"\n" for one in lines))

    def end(self, *, handover: bool = False) -> None:
        """End the worker, then the exporter."""
        for stop, thread in zip(self._stops, self._threads, strict=True):
            stop.handover = handover
            stop.asked.set()
            thread.join(30)
            assert not thread.is_alive()
        self._stops, self._threads = [], []

    def health(self, name: str) -> float:
        """Sum a count over all health events; ``a/b`` is one label of it."""
        first, _, label = name.partition("/")
        events = [one["event"] for one in self.hec.events("apisec:health")]
        return float(sum(one.get(first, {}).get(label, 0) if label else one.get(first, 0) for one in events))


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    rig = Running(tmp_path)
    yield rig
    rig.end()
    rig.hec.stop()


def numbered(number: int) -> bytes:
    return line(id=f"t{number}", body_in=0, q=frame({**HEADERS, ":path": f"/n/{number}"}))


def test_damage_is_counted_and_the_rest_goes_on(running: Running) -> None:
    running.start()
    whole = numbered(1)
    running.write(b"garbage", whole[:40] + numbered(2), b"[]", numbered(3), line(method=None, path=None, q=None))
    until(lambda: set(running.hec.ids()) == {"t2", "t3"}, 20)
    skipped = "transactions_skipped/cause={},source=envoy"
    expected = {skipped.format(cause): 1 for cause in ("not_JSON", "torn", "not_an_object", "no_request")}
    expected["transactions_received"] = 2
    until(lambda: {name: running.health(name) for name in expected} == expected, 20, "the counts")


def test_health_is_summed_and_by_process(running: Running) -> None:
    running.start()
    running.write(*map(numbered, range(3)))

    def told() -> list[dict[str, Any]]:
        events = [one["event"] for one in running.hec.events("apisec:health")]
        return [one for one in events if one["processes"].get("worker-0a", {}).get("transactions_received")]

    until(told, 20, "the worker's part")
    assert sum(one["transactions_received"] for one in told()) == 3
    parts = [one["processes"]["worker-0a"]["transactions_received"]["source=envoy"] for one in told()]
    assert sum(parts) == 3
    assert all(one["processes"]["worker-0a"]["resident_bytes"] > 0 for one in told())


def test_events_go_to_their_team_and_health_to_the_operators(running: Running) -> None:
    running.start()
    running.write(numbered(1))
    until(lambda: running.hec.ids() and running.hec.events("apisec:health"), 20)
    (event,) = running.hec.events("apisec:transaction")
    assert event["index"] == "team_index"
    assert event["host"] == "edge-1"
    assert event["fields"]["service"] == "shop"
    assert {one["index"] for one in running.hec.events("apisec:health")} == {"apisec"}


def test_a_transaction_that_fails_is_counted_and_says_nothing(
    running: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made = running.start()
    real = made._lane.make

    def make(transaction: Any, *, want_event: bool) -> Any:
        if transaction.id == "t1":
            raise RuntimeError("4111111111111111")
        return real(transaction, want_event=want_event)

    monkeypatch.setattr(made._lane, "make", make)
    running.write(numbered(1), numbered(2))
    until(lambda: running.hec.ids() == ["t2"], 20)
    until(lambda: running.health("transactions_failed") == 1, 20)
    assert "worker.transaction_failed" in caplog.text


def test_a_full_disk_waits_and_loses_nothing(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "SPOOL_RETRY_SECONDS", 0.02)
    real, full = Spool.extend, threading.Event()

    def extend(self: Spool, envelopes: Any) -> None:
        if full.is_set():
            raise OSError(28, "No space left on device")
        real(self, envelopes)

    monkeypatch.setattr(Spool, "extend", extend)
    full.set()
    made = running.start()
    running.write(*map(numbered, range(5)))
    until(lambda: made._metrics.snapshot()["counters"].get("spool_errors", 0) > 3, 20)
    assert not (running.folder / "spool" / CHECKPOINT).exists()  # nothing of it counts as done
    full.clear()
    until(lambda: running.hec.ids() == [f"t{number}" for number in range(5)], 20)


def test_stopped_on_a_full_disk_the_lines_are_read_again(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Spool.extend

    def extend(self: Spool, envelopes: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Spool, "extend", extend)
    made = worker.Worker(running.load())
    running.write(numbered(1))
    stop = Stop()
    stop.asked.set()
    made._stop = stop
    with pytest.raises(SystemExit):
        made._turn()
    assert not (running.folder / "spool" / CHECKPOINT).exists()
    for source in made._sources:
        source.close()
    made._spool.close()
    monkeypatch.setattr(Spool, "extend", real)
    running.start()
    until(lambda: running.hec.ids() == ["t1"], 20)


def test_a_worker_beyond_its_memory_finishes_and_asks_for_a_successor(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    resident = [0]
    monkeypatch.setattr(process, "resident_bytes", lambda: resident[0])
    monkeypatch.setattr(worker, "STATUS_SECONDS", 0.0)
    running.start()
    running.write(numbered(1))
    until(lambda: running.hec.ids() == ["t1"], 20)
    resident[0] = 2**40
    until(lambda: running.codes == [EXIT_REPLACE], 20)
    resident[0] = 0
    running.write(numbered(2))
    running.start_worker()
    until(lambda: running.hec.ids() == ["t1", "t2"], 20)
    until(lambda: running.health("memory_replacements") == 1, 20)


def test_a_handover_leaves_the_log_to_the_next_generation(running: Running) -> None:
    """The next one is there before the first one goes, and reads on from its checkpoint."""
    first = worker.Worker(running.load(), Start(running.folder / "f.yaml"))
    running.write(*map(numbered, range(3)))
    first._turn()
    following = worker.Worker(running.load(), Start(running.folder / "f.yaml", letter="b"))
    running.write(*map(numbered, range(3, 6)))
    assert not following._turn()  # the log is not its own yet
    stop = Stop(handover=True)
    stop.asked.set()
    assert first.run(stop) == 0
    running.write(numbered(6))
    stop = Stop()
    stop.asked.set()
    assert following.run(stop) == 0
    running.start()
    until(lambda: len(running.hec.ids()) >= 7, 20)
    assert sorted(running.hec.ids()) == [f"t{number}" for number in range(7)]


def test_a_transaction_that_kills_goes_out_without_its_body(running: Running) -> None:
    """Twice the worker died; with ``careful`` the next one notes each, and the one after knows."""
    body = b'{"note": "hello"}'
    killer = line(id="bad", body_in=len(body), q=frame({**HEADERS, "content-type": "application/json"}, body))
    running.write(numbered(1), killer, numbered(2))

    def die(transaction: Any, *, want_event: bool) -> Any:
        if transaction.id == "bad" and transaction.request.body.data:
            raise KeyboardInterrupt  # stands for a signal: nothing in the worker catches it
        return real(transaction, want_event=want_event)

    for _ in range(2):
        made = worker.Worker(running.load(), Start(running.folder / "f.yaml", careful=True))
        real = made._lane.make
        made._lane.make = die  # type: ignore[method-assign]
        try:
            made._turn()
        except KeyboardInterrupt:
            for source in made._sources:
                source.close()
            made._spool.close()
    stop = Stop()
    stop.asked.set()
    assert made.run(stop) == 0
    running.start()
    until(lambda: {"t1", "bad", "t2"} <= set(running.hec.ids()), 20)
    (event,) = (one["event"] for one in running.hec.events("apisec:transaction") if one["event"]["id"] == "bad")
    assert event["coverage"] == "truncated"
    until(lambda: running.health("suspects") == 1, 20)


def test_the_status_file(running: Running) -> None:
    running.start()
    running.write(numbered(1))
    path = running.folder / "spool" / "status.json"

    def shipped() -> dict[str, Any]:
        document = status.read(path)
        counters = document["counters"] if document else {}
        found = counters.get("hec_events_shipped") and counters.get('events{coverage="complete"}')
        return document if document and found else {}

    document = until(shipped, 20)
    assert document["gateway"] == "edge-1"
    assert document["counters"]['transactions_received{source="envoy"}'] == 1
    assert set(document["processes"]) == {"worker-0a", "exporter"}
    assert sum(document["histograms"]["transaction_lag_seconds"]["counts"]) == 1
    assert document["age"] >= 0
    assert path.stat().st_mode & 0o777 == 0o600


def test_counts_go_on_when_a_process_is_replaced(running: Running) -> None:
    for number in range(2):
        running.write(numbered(number))
        running.start()
        until(lambda number=number: f"t{number}" in running.hec.ids(), 20)  # type: ignore[misc]
        running.end()
    document = status.collect(running.load(), 0.0)
    assert document["counters"]['transactions_received{source="envoy"}'] == 2
    assert document["counters"]['process_starts{process="worker-0a"}'] == 2
    assert document["gauges"]['process_up{process="worker-0a"}'] == 0


def test_no_status_yet(tmp_path: Path) -> None:
    assert status.read(tmp_path / "none") is None
    (tmp_path / "half").write_text('{"version": 1')
    assert status.read(tmp_path / "half") is None


def test_stop_leaves_spool_and_checkpoint_that_agree(running: Running) -> None:
    running.start()
    running.write(*map(numbered, range(50)))
    running.end()
    assert running.codes == [0]
    document = json.loads((running.folder / "spool" / CHECKPOINT).read_bytes())
    assert document["offset"] == running.log.stat().st_size
    assert len(running.hec.ids()) == 50
