"""The pipeline process without a gateway: a log that the test writes, damage, a full disk, a transaction that fails."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from apisec_forwarder import config as configuration
from apisec_forwarder import health, keys, worker
from apisec_forwarder.spool import Spool
from tests.forwarder.test_envoy_receiver import HEADERS, frame, line
from tests.support.hec import FakeHec
from tests.support.waiting import until

CONFIG = """
gateway: {{name: edge-1, env: DEV}}
services: [{{name: shop, team: commerce, hosts: ["*"], index: team_index}}]
receiver: {{envoy: {{log: access.json}}}}
keys: {{file: keys.json}}
spool: {{directory: spool, sync_seconds: 0.05}}
hec: {{url: "{url}", token_file: hec.token, index: apisec, batch_seconds: 0}}
health: {{interval_seconds: 0.2}}
"""


class Running:
    """A worker in a thread of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hec = FakeHec().start()
        (folder / "hec.token").write_text(self.hec.token)
        (folder / "hec.token").chmod(0o600)
        (folder / "f.yaml").write_text(CONFIG.format(url=self.hec.url))
        keys.write(folder / "keys.json", keys.generate())
        self.log = folder / "access.json"
        self.stop = threading.Event()
        self.codes: list[int] = []

    def start(self) -> worker.Worker:
        made = worker.Worker(configuration.load(self.folder / "f.yaml"))
        self.thread = threading.Thread(target=lambda: self.codes.append(made.run(self.stop)))
        self.thread.start()
        return made

    def write(self, *lines: bytes) -> None:
        with self.log.open("ab") as file:
            file.write(b"".join(one + b"\n" for one in lines))

    def end(self) -> None:
        self.stop.set()
        self.thread.join(20)
        assert not self.thread.is_alive()
        self.hec.stop()

    def health(self, name: str) -> float:
        """Sum a count over all health events; ``a/b`` is one label of it."""
        first, _, label = name.partition("/")
        events = [one["event"] for one in self.hec.events("apisec:health")]
        return float(sum(one.get(first, {}).get(label, 0) if label else one.get(first, 0) for one in events))


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    rig = Running(tmp_path)
    yield rig
    if hasattr(rig, "thread"):
        rig.end()
    rig.hec.stop()


def numbered(number: int) -> bytes:
    return line(id=f"t{number}", body_in=0, q=frame({**HEADERS, ":path": f"/n/{number}"}))


def test_damage_is_counted_and_the_rest_goes_on(running: Running) -> None:
    running.start()
    whole = numbered(1)
    running.write(b"garbage", whole[:40] + numbered(2), b"[]", numbered(3), line(method=None, path=None, q=None))
    until(lambda: set(running.hec.ids()) == {"t2", "t3"}, 20)
    expected = {
        "lines_skipped/cause=not_JSON": 1,
        "lines_skipped/cause=torn": 1,
        "lines_skipped/cause=not_an_object": 1,
        "lines_skipped/cause=no_request": 1,
        "lines_received": 5,
    }
    until(lambda: {name: running.health(name) for name in expected} == expected, 20, "the counts")


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
    real = made._pipeline.process

    def process(transaction: Any) -> Any:
        if transaction.id == "t1":
            raise RuntimeError("4111111111111111")
        return real(transaction)

    monkeypatch.setattr(made._pipeline, "process", process)
    running.write(numbered(1), numbered(2))
    until(lambda: running.hec.ids() == ["t2"], 20)
    until(lambda: running.health("lines_skipped/cause=failed") == 1, 20)
    assert "pipeline.transaction_failed" in caplog.text


def test_a_full_disk_waits_and_loses_nothing(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "SPOOL_RETRY_SECONDS", 0.02)
    real, full = Spool.append, threading.Event()

    def append(self: Spool, envelope: bytes) -> None:
        if full.is_set():
            raise OSError(28, "No space left on device")
        real(self, envelope)

    monkeypatch.setattr(Spool, "append", append)
    made = running.start()
    full.set()
    running.write(*map(numbered, range(5)))
    until(lambda: made._metrics.snapshot()["counters"].get("spool_errors", 0) > 3, 20)
    full.clear()
    until(lambda: running.hec.ids() == [f"t{number}" for number in range(5)], 20)


def test_stopped_on_a_full_disk_the_lines_are_read_again(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    def append(self: Spool, envelope: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Spool, "append", append)
    made = worker.Worker(configuration.load(running.folder / "f.yaml"))
    running.write(numbered(1))
    stop = threading.Event()
    stop.set()
    made._stop = stop
    with pytest.raises(SystemExit):
        made._turn()
    assert not (running.folder / "spool" / worker.CHECKPOINT).exists()
    for part in (made._spool, made._dead):
        part.close()
    made._tail.close()


def test_the_status_file(running: Running) -> None:
    running.start()
    running.write(numbered(1))
    path = running.folder / "spool" / "status.json"

    def shipped() -> dict[str, Any]:
        status = health.read_status(path)
        return status if status and status["counters"].get("hec_events_shipped") else {}

    status = until(shipped, 20)
    assert status["gateway"] == "edge-1"
    assert status["counters"]["lines_received"] == 1
    assert status["counters"]['events{coverage="complete"}'] == 1
    assert 0 <= status["age"] < 5
    assert path.stat().st_mode & 0o777 == 0o600


def test_no_status_yet(tmp_path: Path) -> None:
    assert health.read_status(tmp_path / "none") is None
    (tmp_path / "half").write_text('{"version": 1')
    assert health.read_status(tmp_path / "half") is None


def test_stop_leaves_spool_and_checkpoint_that_agree(running: Running) -> None:
    running.start()
    running.write(*map(numbered, range(50)))
    running.end()
    assert running.codes == [0]
    document = json.loads((running.folder / "spool" / worker.CHECKPOINT).read_bytes())
    assert document["offset"] == running.log.stat().st_size
    assert len(running.hec.ids()) == 50
