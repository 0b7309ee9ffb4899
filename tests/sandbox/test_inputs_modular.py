"""Modular inputs: schemes, streaming in both modes, one process for all stanzas, ends, failures."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from apisec_sandbox.errors import SandboxError
from apisec_sandbox.splunkd.apps import install
from apisec_sandbox.splunkd.home import Home
from apisec_sandbox.splunkd.jobs import Request
from apisec_sandbox.splunkd.server import Options, Splunkd, running

from .conftest import FIXTURES


@pytest.fixture
def splunkd(tmp_path: Path) -> Iterator[Splunkd]:
    install(FIXTURES / "inputsapp", Home(tmp_path / "home"))
    with running(tmp_path / "home", Options(with_tls=False, schedule=False)) as (splunkd, _):
        yield splunkd


def until(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError("the condition did not come true")


def add(splunkd: Splunkd, name: str, **settings: str) -> None:
    splunkd.confs.write("inputs", name, settings, "inputsapp")


def rows(splunkd: Splunkd, search: str) -> list[dict[str, Any]]:
    job = splunkd.jobs.run(Request(search, "search", "admin"))
    assert job.state == "DONE", job.error
    return job.outcome.rows


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def test_schemes_hold_their_arguments(splunkd: Splunkd) -> None:
    scheme = splunkd.inputs.scheme("plain")
    assert (scheme.streaming, scheme.single, scheme.arguments) == ("simple", False, {"mode": False, "size": True})
    assert splunkd.inputs.scheme("pieces").single
    splunkd.inputs.validate("plain", "x", {"size": "3", "index": "main"})
    for settings, words in (
        ({}, "missing: size"),
        ({"size": "many"}, "must be of type number"),
        ({"size": "-3"}, "is_pos_int"),
        ({"size": "1", "color": "red"}, '"color" is not supported'),
    ):
        with pytest.raises(SandboxError, match=words):
            splunkd.inputs.validate("plain", "x", settings)
    with pytest.raises(SandboxError, match="no modular input 'nothing'"):
        splunkd.inputs.scheme("nothing")


def test_plain_text_is_broken_into_events(splunkd: Splunkd) -> None:
    add(splunkd, "plain://a", size="1", sourcetype="lines", interval="3600")
    splunkd.inputs.tick(splunkd.clock())
    found = until(lambda: len(rows(splunkd, "search index=main source=plain://a")) == 2)
    assert found
    times = rows(splunkd, "search index=main sourcetype=lines | sort _time | table _time _raw")
    assert [row["_time"] for row in times] == [1767323045, 1767323046]
    assert times[0]["_raw"] == "2026-01-02T03:04:05Z first of plain"


def test_one_process_for_all_stanzas(splunkd: Splunkd) -> None:
    add(splunkd, "pieces://a", mode="parts", host="ha", interval="3600")
    add(splunkd, "pieces://b", mode="events", host="hb", interval="3600")
    splunkd.inputs.tick(splunkd.clock())
    until(lambda: len(rows(splunkd, "search index=main sourcetype=pieces")) == 2)
    found = rows(splunkd, "search index=main sourcetype=pieces | sort host | table host source _raw _time")
    assert [(row["host"], row["source"], row["_raw"]) for row in found] == [
        ("ha", "pieces://a", "part one, part two."),
        ("hb", "own & source", "<whole>"),
    ]
    assert found[1]["_time"] == 1700000000.5


@pytest.mark.parametrize("how", ["disable", "close"])
def test_the_whole_process_group_ends(splunkd: Splunkd, tmp_path: Path, how: str) -> None:
    pids = tmp_path / "pids"
    add(splunkd, "pieces://a", mode="stay", pid_file=str(pids), interval="3600")
    splunkd.inputs.tick(splunkd.clock())
    own, child = map(int, until(lambda: pids.exists() and pids.read_text()).split())
    assert alive(own)
    assert alive(child)
    if how == "disable":
        add(splunkd, "pieces://a", disabled="1")
        splunkd.inputs.tick(splunkd.clock())
    else:
        splunkd.inputs.close()
    until(lambda: not alive(own) and not alive(child))


def test_failures_wait_longer_each_time(splunkd: Splunkd) -> None:
    add(splunkd, "pieces://a", mode="fail", interval="0")
    runs = splunkd.inputs._runs
    now = splunkd.clock()
    splunkd.inputs.tick(now)
    until(lambda: runs._failures.get("pieces") == 1)
    first = runs._next["pieces"]
    assert first > now + 1.5
    splunkd.inputs.tick(now + 1)
    assert runs._failures["pieces"] == 1
    splunkd.inputs.tick(first + 0.1)
    until(lambda: runs._failures.get("pieces") == 2)
    assert runs._next["pieces"] - splunkd.clock() > 3


def test_hostile_output_ends_the_input(splunkd: Splunkd) -> None:
    add(splunkd, "pieces://a", mode="noise", interval="3600")
    splunkd.inputs.tick(splunkd.clock())
    until(lambda: not splunkd.inputs._runs._running)
    assert rows(splunkd, "search index=main sourcetype=pieces") == []
