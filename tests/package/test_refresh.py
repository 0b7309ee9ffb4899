"""The modular input as splunkd starts it: a process with its stanza as XML on stdin."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

import pytest

from tests.support.shop_events import Shop
from tests.support.splunk import Splunk
from tests.support.waiting import until

pytestmark = [pytest.mark.app, pytest.mark.exclusive]


class Input:
    """One input named ``demo`` of the app, run on this machine as splunkd would on its own."""

    def __init__(self, splunk: Splunk, unpacked: Path, folder: Path) -> None:
        self.splunk = splunk
        self.home = folder
        self.checkpoints = folder / "checkpoints"
        self.script = unpacked / "bin/apisec_inventory.py"

    def start(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-E", "-s", "-S", str(self.script), *arguments]
        env = {"SPLUNK_HOME": str(self.home)}
        return subprocess.run(command, input=stdin, capture_output=True, text=True, env=env, timeout=120)

    def run(self, session_key: str = "", **parameters: str) -> list[dict[str, Any]]:
        """One run; the events that it wrote about the test's own service."""
        values = {"interval": "10", "lag": "0", "index": "apisec", "learn_hours": "24", **parameters}
        named = "".join(f'<param name="{name}">{escape(value)}</param>' for name, value in values.items())
        done = self.start(
            stdin=f"<input><server_host>h</server_host><server_uri>{self.splunk.target.url}</server_uri>"
            f"<session_key>{session_key or self.splunk.rest.session_key}</session_key>"
            f"<checkpoint_dir>{self.checkpoints}</checkpoint_dir><configuration>"
            f'<stanza name="apisec_inventory://demo">{named}</stanza></configuration></input>'
        )
        assert done.returncode == 0, done.stderr
        self.stderr = done.stderr
        stream = ET.fromstring(done.stdout) if done.stdout.strip() else ET.Element("stream")
        return self.splunk.mine([json.loads(event.findtext("data") or "") for event in stream.iter("event")])

    def total(self) -> int:
        return sum(int(document["count"]) for document in self.splunk.collection("apisec_inventory"))


@pytest.fixture
def refresh(splunk: Splunk, unpacked: Path, tmp_path: Path) -> Input:
    query = quote(json.dumps({"_key": "learned"}))  # so that the next run learns, whatever ran before it
    splunk.rest.call("DELETE", f"{splunk.data('apisec_inventory_windows')}?query={query}")
    return Input(splunk, unpacked, tmp_path)


def shop(seed: int) -> list[dict[str, Any]]:
    """Ordinary events of the hours before now."""
    made = Shop(seed=seed, users=8, hours=3)
    shift = time.time() - 60 - made.end
    shifted = ({**e, "id": f"{seed}-{n}", "time": e["time"] + shift} for n, e in enumerate(made.events))
    return [{**e, "uri_path": re.sub(r"\{\w+\}", str(seed * 1000), e["endpoint"])} for e in shifted]


def next_second() -> None:
    """Index times are whole seconds, and a window ends before the second that runs."""
    began = int(time.time())
    until(lambda: int(time.time()) > began, 3)


def send(splunk: Splunk, events: list[dict[str, Any]]) -> None:
    for start in range(0, len(events), 400):
        splunk.send(events[start : start + 400])
    next_second()


def test_windows_are_counted_once(splunk: Splunk, refresh: Input) -> None:
    first, second = shop(1), shop(2)
    send(splunk, first)
    new = refresh.run()
    assert refresh.total() == len(first)
    assert {event["change"] for event in new} == {"new"}
    assert {event["operation"] for event in new} == {event["operation"] for event in first}

    assert refresh.run() == [], "a second run over nothing new"
    assert refresh.total() == len(first)

    send(splunk, second)
    refresh.run()
    assert refresh.total() == len(first) + len(second)
    [paths] = splunk.collection("apisec_paths")
    assert int(paths["operations"]) >= len({event["operation"] for event in first})
    by_state = splunk.mine(splunk.search("| `apisec_learned` | apisecinventory output=versions"))
    assert sum(int(row["count"]) for row in by_state) == len(first) + len(second)


def test_resent_events_are_counted_once_and_changes_are_told(splunk: Splunk, refresh: Input) -> None:
    events = shop(3)
    send(splunk, events[:200])
    refresh.run()
    one = {**events[0], "id": "with a class", "data_classes": ["pii.ssn"], "auth": "basic"}
    send(splunk, [one, one])
    [told] = refresh.run()
    assert told["change"] == "changed"
    assert "data class + pii.ssn" in told["changes"]
    assert "auth + basic" in told["changes"]
    assert refresh.total() == 201


def test_flows_and_baselines_are_learned(splunk: Splunk, refresh: Input) -> None:
    send(splunk, shop(4))
    refresh.run()
    flows = splunk.collection("apisec_flows")
    confirm = next(flow for flow in flows if flow["operation"].endswith("/confirm"))
    assert confirm["requires"].endswith("/payment")
    assert confirm["confidence"] > 0.9
    baselines = splunk.collection("apisec_baselines")
    assert {document["operation"] for document in baselines} >= {"GET /orders/{order_id}"}
    assert all(document["updated"] for document in [*flows, *baselines])


def test_a_failure_says_so_and_loses_nothing(splunk: Splunk, refresh: Input) -> None:
    send(splunk, shop(5)[:100])
    assert refresh.run(session_key="not-a-session") == []
    assert "takes the same window" in refresh.stderr or "apisec_inventory demo" in refresh.stderr
    assert refresh.total() == 0
    refresh.run()
    assert refresh.total() == 100


def test_scheme_and_validation(refresh: Input) -> None:
    scheme = ET.fromstring(refresh.start("--scheme").stdout)
    assert {argument.get("name") for argument in scheme.iter("arg")} == {"lag", "learn_hours", "retain_days"}
    for value, fine in (("5", True), ("-1", False), ("soon", False), ("99999", False)):
        items = (
            "<items><server_host>h</server_host><server_uri>u</server_uri><session_key>k</session_key>"
            f'<checkpoint_dir>c</checkpoint_dir><item name="demo"><param name="lag">{value}</param></item></items>'
        )
        done = refresh.start("--validate-arguments", stdin=items)
        assert (done.returncode == 0) is fine
        assert fine or "lag" in done.stdout
