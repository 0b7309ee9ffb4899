"""The supervisor: starts children again, gives up on a bad configuration, ends everything when told."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from apisec.errors import ConfigError
from apisec_forwarder import child as children
from apisec_forwarder import logs, supervisor
from apisec_forwarder.child import Child
from apisec_forwarder.process import EXIT_REPLACE
from apisec_forwarder.supervisor import Generation, Reloads, Supervisor
from tests.forwarder.gateway_rig import Gateway
from tests.support.waiting import until

NOTE = "import os, pathlib, sys, time; pathlib.Path({path!r}).open('a').write(f'{{os.getpid()}} {{sys.argv[1:]}}\\n'); "
READY = "os.write(int(sys.argv[sys.argv.index('--ready-fd') + 1]), b'.'); "


def child(path: Path, then: str, name: str = "worker-0a", **options: Any) -> Child:
    beats = "READY" in then
    return Child(
        name,
        (sys.executable, "-c", NOTE.format(path=str(path)) + then.replace("READY", READY)),
        beats=beats,
        **options,
    )


def starts(path: Path) -> list[int]:
    return [int(line.split()[0]) for line in path.read_text().splitlines()] if path.exists() else []


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@dataclass
class Watched:
    stop: threading.Event = field(default_factory=threading.Event)
    reload: threading.Event = field(default_factory=threading.Event)
    codes: list[int] = field(default_factory=list)
    reloads: list[Reloads] = field(default_factory=list)
    retired: list[object] = field(default_factory=list)

    def generation(self, *workers: Child, exporter: Child | None = None, control: Child | None = None) -> Generation:
        made = Generation(workers, exporter, control)
        made.retire = lambda keep: self.retired.append((made, keep))
        return made


@contextmanager
def supervising(first: Generation, watched: Watched, following: Callable[[], Generation]) -> Iterator[None]:
    made = Supervisor(first, following, report=lambda _, reloads: watched.reloads.append(reloads))
    thread = threading.Thread(target=lambda: watched.codes.append(made.run(watched.stop, watched.reload)))
    thread.start()
    try:
        yield
    finally:
        watched.stop.set()
        thread.join(30)
        assert not thread.is_alive()


def none() -> Generation:
    raise AssertionError("nobody asked for a reload")


@pytest.fixture
def watched() -> Watched:
    return Watched()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "BACKOFF_FIRST_SECONDS", 0.02)
    # the kernel ties the death signal to the starting thread, and here that is not the main one
    monkeypatch.setattr(children, "_end_with_parent", lambda: None)


def test_a_child_that_ends_is_started_again(tmp_path: Path, watched: Watched) -> None:
    other = child(tmp_path / "b", "time.sleep(60)", "control")
    first = watched.generation(child(tmp_path / "a", "raise SystemExit(1)"), control=other)
    with supervising(first, watched, none):
        until(lambda: len(starts(tmp_path / "a")) >= 3, 20)
        assert len(starts(tmp_path / "b")) == 1  # the other one is left alone


def test_restarts_become_rarer(tmp_path: Path) -> None:
    now = [0.0]
    one = child(tmp_path / "a", "raise SystemExit(1)", clock=lambda: now[0])
    pauses = []
    for _ in range(12):
        one.look()
        assert one.process is not None
        one.process.wait()
        one.look()
        pauses.append(one.start_at - now[0])
        now[0] = one.start_at
    assert pauses == sorted(pauses)
    assert pauses[0] < 0.1
    assert pauses[-1] == children.BACKOFF_CAP_SECONDS


def test_one_that_asks_for_a_successor_gets_it_at_once(tmp_path: Path) -> None:
    now = [0.0]
    one = child(tmp_path / "a", "raise SystemExit(75)", clock=lambda: now[0])
    one.look()
    assert one.process is not None
    one.process.wait()
    now[0] = children.STEADY_SECONDS + 1
    assert one.look() == EXIT_REPLACE
    assert one.start_at == now[0]
    assert one.failures_ever == 0


def test_crashes_make_the_next_one_careful(tmp_path: Path) -> None:
    now = [0.0]
    one = child(tmp_path / "a", "os.kill(os.getpid(), 11)", careful=True, clock=lambda: now[0])
    for _ in range(3):
        one.look()
        assert one.process is not None
        assert one.process.wait() == -signal.SIGSEGV
        one.look()
        now[0] = one.start_at
    lines = (tmp_path / "a").read_text().splitlines()
    assert ["--careful" in line for line in lines] == [False, False, True]


def test_one_that_falls_silent_is_ended(tmp_path: Path) -> None:
    now = [0.0]
    one = child(tmp_path / "a", "READY time.sleep(60)", clock=lambda: now[0])
    one.look()
    until(lambda: one.look() is None and one.ready, 20)
    now[0] += children.SILENT_SECONDS + 1
    one.look()
    assert one.process is not None
    assert one.process.wait(20) == -signal.SIGABRT
    one.look()
    assert one.crashes == 1
    one.end(0)


def test_a_bad_configuration_ends_it_with_2(tmp_path: Path, watched: Watched) -> None:
    first = watched.generation(child(tmp_path / "a", "sys.exit(2); READY"))
    with supervising(first, watched, none):
        until(lambda: watched.codes, 20)
    assert watched.codes == [2]
    assert len(starts(tmp_path / "a")) == 1


def test_control_may_fail_without_ending_the_copy(tmp_path: Path, watched: Watched) -> None:
    failing = child(tmp_path / "c", "raise SystemExit(2)", "control")
    first = watched.generation(child(tmp_path / "a", "READY time.sleep(60)"), control=failing)
    with supervising(first, watched, none):
        until(lambda: len(starts(tmp_path / "c")) >= 2, 20)
        assert not watched.codes


def test_stop_ends_what_does_not_want_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, watched: Watched) -> None:
    monkeypatch.setattr(supervisor, "STOP_SECONDS", 0.3)
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); READY time.sleep(60)"
    one = child(tmp_path / "a", deaf)
    with supervising(watched.generation(one), watched, none):
        until(lambda: one.ready, 20)
        watched.stop.set()
        until(lambda: watched.codes, 20)
    assert not alive(starts(tmp_path / "a")[0])


def test_reload_starts_the_new_before_it_ends_the_old(tmp_path: Path, watched: Watched) -> None:
    first = watched.generation(child(tmp_path / "a", "READY time.sleep(60)"))
    seen = str(tmp_path / "seen")
    gone = f"pathlib.Path({seen!r}).write_text(str(os.path.exists('/proc/OLD'))); READY time.sleep(60)"
    made: list[Generation] = []

    def following() -> Generation:
        then = gone.replace("OLD", str(starts(tmp_path / "a")[0]))
        made.append(watched.generation(child(tmp_path / "b", then, "worker-0b")))
        return made[0]

    with supervising(first, watched, following):
        until(lambda: first.workers[0].ready, 20)
        watched.reload.set()
        until(lambda: watched.retired, 20)
        assert watched.retired == [(first, made[0])]
        assert (tmp_path / "seen").read_text() == "True"
        assert not alive(starts(tmp_path / "a")[0])
        assert alive(starts(tmp_path / "b")[0])
        until(lambda: watched.reloads[-1].accepted == 1, 20)


@pytest.mark.parametrize("fault", ["configuration", "start"])
def test_a_bad_reload_changes_nothing(tmp_path: Path, watched: Watched, fault: str, capfd: Any) -> None:
    first = watched.generation(child(tmp_path / "a", "READY time.sleep(60)"))

    def following() -> Generation:
        if fault == "configuration":
            raise ConfigError("unknown key 'evn' (did you mean 'env'?)", where="f.yaml:1")
        return watched.generation(child(tmp_path / "b", "sys.exit(2); READY", "worker-0b"))

    with supervising(first, watched, following):
        until(lambda: first.workers[0].ready, 20)
        watched.reload.set()
        until(lambda: watched.reloads and watched.reloads[-1].refused == 1, 20)
        assert watched.reloads[-1].ok is False
        assert alive(starts(tmp_path / "a")[0])
        assert len(starts(tmp_path / "a")) == 1
    assert "apisec-forwarder: error: " in capfd.readouterr().err


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
        until(lambda: gateway.status()["gauges"]["config_reload_ok"] == 0, 10, "the metric")
        gateway.config.write_text(good.replace("env: DEV", "env: QA"))
        os.kill(process.pid, signal.SIGHUP)
        until(lambda: "supervisor.reloaded" in gateway.forwarder_log.read_text(), 30, "the reload")
        gateway.send("GET", "/two")
        assert gateway.event("/two")["env"] == "QA"
        until(lambda: gateway.status()["gauges"]["config_reload_ok"] == 1, 10, "the metric")
        assert sorted(gateway.hec.ids()) == sorted(set(gateway.hec.ids()))


@pytest.mark.gateway
def test_the_children_go_with_a_killed_supervisor(tmp_path: Path) -> None:
    with Gateway(tmp_path) as gateway:
        process = gateway.start_forwarder()
        until(lambda: "worker.started" in gateway.forwarder_log.read_text(), 20)
        worker = gateway.child_pid("worker-0a")
        os.kill(process.pid, signal.SIGKILL)
        until(lambda: not alive(worker), 15, "the end of the worker")
