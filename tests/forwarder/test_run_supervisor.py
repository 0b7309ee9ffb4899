"""The supervisor: starts children again, gives up on a bad configuration, ends everything when told."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from apisec_forwarder import logs, supervisor
from apisec_forwarder.supervisor import Child, Supervisor
from tests.forwarder.gateway_rig import Gateway
from tests.support.waiting import until

NOTE = "import os, pathlib, time; pathlib.Path({path!r}).open('a').write(f'{{os.getpid()}}\\n'); "


def child(path: Path, then: str, name: str = "pipeline") -> Child:
    return Child(name, (sys.executable, "-c", NOTE.format(path=str(path)) + then))


def starts(path: Path) -> list[int]:
    return [int(line) for line in path.read_text().splitlines()] if path.exists() else []


@contextmanager
def supervising(*children: Child) -> Iterator[tuple[threading.Event, threading.Event, list[int]]]:
    stop, reload, codes = threading.Event(), threading.Event(), list[int]()
    thread = threading.Thread(target=lambda: codes.append(Supervisor(children).run(stop, reload)))
    thread.start()
    try:
        yield stop, reload, codes
    finally:
        stop.set()
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "BACKOFF_FIRST_SECONDS", 0.02)
    # the kernel ties the death signal to the starting thread, and here that is not the main one
    monkeypatch.setattr(supervisor, "_end_with_parent", lambda: None)


def test_a_child_that_ends_is_started_again(tmp_path: Path) -> None:
    with supervising(child(tmp_path / "a", "raise SystemExit(1)"), child(tmp_path / "b", "time.sleep(60)", "other")):
        until(lambda: len(starts(tmp_path / "a")) >= 3, 20)
        assert len(starts(tmp_path / "b")) == 1  # the other one is left alone


def test_restarts_become_rarer(tmp_path: Path) -> None:
    now = [0.0]
    one = child(tmp_path / "a", "raise SystemExit(1)")
    watcher = Supervisor([one], clock=lambda: now[0])
    pauses = []
    for _ in range(12):
        watcher._look(one)
        assert one.process is not None
        one.process.wait()
        watcher._look(one)
        pauses.append(one.start_at - now[0])
        now[0] = one.start_at
    assert pauses == sorted(pauses)
    assert pauses[0] < 0.1
    assert pauses[-1] == supervisor.BACKOFF_CAP_SECONDS


def test_a_bad_configuration_ends_it_with_2(tmp_path: Path) -> None:
    with supervising(child(tmp_path / "a", "raise SystemExit(2)")) as (stop, _, codes):
        until(stop.is_set, 20)
        until(lambda: codes, 20)
    assert codes == [2]
    assert len(starts(tmp_path / "a")) == 1


def test_control_may_fail_without_ending_the_copy(tmp_path: Path) -> None:
    with supervising(child(tmp_path / "c", "raise SystemExit(2)", "control")) as (stop, _, _codes):
        until(lambda: len(starts(tmp_path / "c")) >= 2, 20)
        assert not stop.is_set()


def test_stop_ends_what_does_not_want_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "STOP_SECONDS", 0.3)
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('x', flush=True); time.sleep(60)"
    with supervising(child(tmp_path / "a", deaf)) as (stop, _, codes):
        until(lambda: starts(tmp_path / "a"), 20)
        stop.set()
        until(lambda: codes, 20)
    with pytest.raises(ProcessLookupError):
        os.kill(starts(tmp_path / "a")[0], 0)


def test_reload_starts_children_anew(tmp_path: Path) -> None:
    with supervising(child(tmp_path / "a", "time.sleep(60)")) as (_, reload, _codes):
        until(lambda: starts(tmp_path / "a"), 20)
        reload.set()
        until(lambda: len(starts(tmp_path / "a")) == 2, 20)


def test_logs_hold_no_message_of_an_exception(capsys: pytest.CaptureFixture[str]) -> None:
    import logging

    before = logging.getLogger().handlers[:], logging.getLogger().level
    try:
        logs.configure("pipeline")
        try:
            int("4111111111111111x")
        except ValueError:
            logs.failure(logging.getLogger("x"), "parse.failed", count=1)
        logging.getLogger("library").warning("refused %s", "4111111111111111")
    finally:
        logging.getLogger().handlers[:], _ = before
        logging.getLogger().setLevel(before[1])
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert lines[0]["event"] == "parse.failed"
    assert (lines[0]["error"], lines[0]["count"]) == ("ValueError", 1)
    assert "4111" not in json.dumps(lines)


@pytest.mark.gateway
def test_hang_up_reads_the_configuration_again(tmp_path: Path) -> None:
    with Gateway(tmp_path) as gateway:
        process = gateway.start_forwarder()
        gateway.send("GET", "/one")
        assert gateway.event("/one")["env"] == "DEV"
        good = gateway.config.read_text()
        gateway.config.write_text(good.replace("env: DEV", "evn: QA"))
        os.kill(process.pid, signal.SIGHUP)
        until(lambda: "did you mean 'env'" in gateway.forwarder_log.read_text(), 10, "the error")
        gateway.config.write_text(good.replace("env: DEV", "env: QA"))
        os.kill(process.pid, signal.SIGHUP)
        until(lambda: gateway.forwarder_log.read_text().count("pipeline.started") == 2, 20, "the restart")
        gateway.send("GET", "/two")
        assert gateway.event("/two")["env"] == "QA"
        assert sorted(gateway.hec.ids()) == sorted(set(gateway.hec.ids()))


@pytest.mark.gateway
def test_the_children_go_with_a_killed_supervisor(tmp_path: Path) -> None:
    with Gateway(tmp_path) as gateway:
        process = gateway.start_forwarder()
        until(lambda: "pipeline.started" in gateway.forwarder_log.read_text(), 20)
        pipeline = gateway.child_pid("pipeline")
        os.kill(process.pid, signal.SIGKILL)
        until(lambda: not alive(pipeline), 15, "the end of the pipeline")


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
