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
        values = {
            "interval": "10",
            "lag": "0",
            "index": "apisec",
            "learn_hours": "24",
            "quiet_hours": "0",
            **parameters,
        }
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
    by_kind = {kind: [event for event in new if event["change"] == kind] for kind in {e["change"] for e in new}}
    assert {event["operation"] for event in by_kind["operation_new"]} == {event["operation"] for event in first}
    assert set(by_kind) <= {"operation_new", "consumer_new"}

    assert refresh.run() == [], "a second run over nothing new"
    assert refresh.total() == len(first)

    send(splunk, second)
    refresh.run()
    assert refresh.total() == len(first) + len(second)
    [paths] = splunk.collection("apisec_paths")
    assert int(paths["operations"]) >= len({event["operation"] for event in first})
    by_state = splunk.mine(splunk.search("| `apisec_learned` | apisecinventory output=versions"))
    assert sum(int(row["count"]) for row in by_state) == len(first) + len(second)


def with_class(event: dict[str, Any], number: int) -> dict[str, Any]:
    """An answer that carries an SSN, to a request without a credential."""
    field = {"path": "ssn", "in": "body", "type": "string", "classes": ["pii.ssn"]}
    changed = {"id": f"ssn-{number}", "auth": "none", "principal_kind": "anonymous", "data_classes": ["pii.ssn"]}
    return {**event, **changed, "status": 200, "response_fields": [*event.get("response_fields", ()), field]}


def test_resent_events_are_counted_once_and_changes_are_told_once(splunk: Splunk, refresh: Input) -> None:
    events = [{**event, "auth": "bearer"} for event in shop(3) if event["status"] == 200]
    operation = max({e["operation"] for e in events}, key=lambda name: sum(e["operation"] == name for e in events))
    mine = [event for event in events if event["operation"] == operation][:80]
    assert len(mine) == 80, "enough to compare with"
    send(splunk, mine)
    refresh.run()
    changed = [with_class(event, number) for number, event in enumerate(mine[:12])]
    send(splunk, changed * 2)
    told = {event["change"]: event for event in refresh.run() if event["change"] != "consumer_new"}
    assert set(told) == {"sensitive_field", "authentication_dropped"}
    field = told["sensitive_field"]
    assert (field["field"], field["data_class"], field["message"], field["severity"]) == (
        "ssn", "pii.ssn", "response", "critical",
    )  # fmt: skip
    assert (field["count"], field["messages_before"], field["level"]) == (12, 80, "restricted")
    assert told["authentication_dropped"]["operation"] == operation
    assert refresh.total() == 92
    send(splunk, [with_class(event, 100 + number) for number, event in enumerate(mine[:12])])
    assert refresh.run() == [], "it was told"


def test_a_service_is_learned_before_its_changes_are_told(splunk: Splunk, refresh: Input) -> None:
    send(splunk, shop(6))
    told = refresh.run(quiet_hours="24")
    assert {event["change"] for event in told} <= {"service_new"}, "which is told where there are others"
    assert [event for event in refresh.run(quiet_hours="24") if told] == []
    more = [{**event, "id": f"{event['id']}+", "operation": "GET /x", "endpoint": "/x"} for event in shop(6)[:300]]
    send(splunk, more)
    [new] = [event for event in refresh.run(quiet_hours="0.01") if event["change"] == "operation_new"]
    assert (new["operation"], new["http_method"], new["endpoint"]) == ("GET /x", "GET", "/x")


def test_a_failure_says_so_and_loses_nothing(splunk: Splunk, refresh: Input) -> None:
    send(splunk, shop(5)[:100])
    assert refresh.run(session_key="not-a-session") == []
    assert "takes the same window" in refresh.stderr or "apisec_inventory demo" in refresh.stderr
    assert refresh.total() == 0
    refresh.run()
    assert refresh.total() == 100


def test_scheme_and_validation(refresh: Input) -> None:
    scheme = ET.fromstring(refresh.start("--scheme").stdout)
    assert {argument.get("name") for argument in scheme.iter("arg")} == {
        "lag", "learn_hours", "quiet_hours", "retain_days",
    }  # fmt: skip
    for value, fine in (("5", True), ("-1", False), ("soon", False), ("99999", False)):
        items = (
            "<items><server_host>h</server_host><server_uri>u</server_uri><session_key>k</session_key>"
            f'<checkpoint_dir>c</checkpoint_dir><item name="demo"><param name="lag">{value}</param></item></items>'
        )
        done = refresh.start("--validate-arguments", stdin=items)
        assert (done.returncode == 0) is fine
        assert fine or "lag" in done.stdout
