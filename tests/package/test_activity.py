"""``apisecactivity`` as splunkd runs it, and the input ``apisec_detection`` over a Splunk."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest

from apisec.activity import Activity, Row
from tests.package import chunked
from tests.support import app
from tests.support.shop_events import Shop
from tests.support.splunk import Splunk
from tests.support.waiting import until

PYTHONS = app.pythons()
Record = dict[str, Any]

pytestmark = pytest.mark.app


@pytest.fixture(scope="module")
def events() -> list[Record]:
    return Shop(seed=4, users=6, hours=1).events[:300]


def raw(events: list[Record]) -> list[Record]:
    return [{"_time": str(e["time"]), "_raw": json.dumps(e), "principal": e["principal"]} for e in events]


def documents(events: list[Record]) -> list[Any]:
    """The rows of core, as the command has to give them."""
    activity = Activity()
    for event in events:
        activity.add(event)
    rows = sorted(activity.rows(), key=lambda row: (row.service, row.principal, row.slot))
    return [json.loads(json.dumps(row.to_document())) for row in rows]


def rows_in(records: list[Record]) -> list[Any]:
    return [json.loads(record["apisec_row"]) for record in records if record.get("apisec_row")]


class Search:
    """Map processes on some indexers, and reduce on the head."""

    def __init__(self, unpacked: Path, version: str, indexers: list[list[Record]]) -> None:
        self.python, self.script, self.indexers = PYTHONS[version], unpacked / "bin/apisecactivity.py", indexers

    def run(self, *options: str) -> list[Record]:
        mapped: list[Record] = []
        for events in self.indexers:
            chunks = [raw(events[: len(events) // 2]), raw(events[len(events) // 2 :])]
            mapped += chunked.run(self.python, self.script, chunks, ["phase=map", *options])[1]
        return chunked.run(self.python, self.script, [mapped[::2], mapped[1::2]], options)[1]


@pytest.mark.parametrize("version", PYTHONS)
def test_map_and_reduce_give_the_rows_of_one_pass(unpacked: Path, events: list[Record], version: str) -> None:
    shuffled = random.Random(5).sample(events, len(events))
    search = Search(unpacked, version, [shuffled[:100], shuffled[100:250], shuffled[250:]])
    assert rows_in(search.run("output=state")) == documents(events)


def test_rows_are_for_people(unpacked: Path, events: list[Record]) -> None:
    script = unpacked / "bin/apisecactivity.py"
    configuration, rows, messages = chunked.run(PYTHONS["3.11"], script, [raw(events[:100]), raw(events[100:])])
    assert configuration["type"] == "reporting"
    assert configuration["streaming_preop"].split()[:2] == ["apisecactivity", 'phase="map"']
    assert (sum(int(row["requests"]) for row in rows), messages) == (len(events), [])
    expected = {row.key: row for row in map(Row.from_document, documents(events))}
    for row in rows:
        own = expected[(row["service"], row["principal"], int(float(row["_time"])) // 300)]
        assert int(row["objects"]) == sum(one.object_count for one in own.operations.values())
        shown = row["operations"]
        assert {*(shown if isinstance(shown, list) else [shown])} == {*own.operations}


def test_copies_count_once_wherever_they_lie(unpacked: Path, events: list[Record]) -> None:
    twice = [*events[:40], *events[:5]]  # some of them twice on one indexer
    search = Search(unpacked, "3.11", [twice, events[30:120], events[100:]])
    first = search.run("output=state", "unique=true")
    [told] = [row["apisec_duplicates"] for row in first if row.get("apisec_duplicates")]
    again = search.run("output=state", "unique=true", f"duplicates={told}")
    assert rows_in(again) == documents(events)
    assert not [row for row in again if row.get("apisec_duplicates")]


def test_what_is_no_transaction_is_left_out_and_told(unpacked: Path, events: list[Record]) -> None:
    broken = [{"_raw": "{", "_time": "x"}, {"_raw": "[" * 100_000, "_time": "1"}, {"_raw": "", "_time": ""}]
    script = unpacked / "bin/apisecactivity.py"
    _, rows, messages = chunked.run(PYTHONS["3.11"], script, [[*raw(events[:3]), *broken]], ["phase=map"])
    assert sum(document["r"] for document in rows_in(rows)) == 3
    assert "3 events left out" in str(messages)


@pytest.mark.parametrize("text", ["{", "[]", '{"v":1}', '{"v":9,"p":"a","n":1}', "[" * 50_000])
def test_rows_that_are_none_are_refused(unpacked: Path, text: str) -> None:
    record = {"service": "a", "principal": "b", "slot": "1", "apisec_row": text}
    with pytest.raises(AssertionError, match="apisecactivity"):
        chunked.run(PYTHONS["3.11"], unpacked / "bin/apisecactivity.py", [[record, record]])


# --- the input ---


class Input:
    """One input named ``demo``, run on this machine as splunkd would on its own."""

    def __init__(self, splunk: Splunk, unpacked: Path, folder: Path) -> None:
        self.splunk, self.home = splunk, folder
        self.script = unpacked / "bin/apisec_detection.py"
        self.stderr = ""
        self.judged = 0  # requests, by the log of the runs

    def start(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-E", "-s", "-S", str(self.script), *arguments]
        env = {"SPLUNK_HOME": str(self.home)}
        return subprocess.run(command, input=stdin, capture_output=True, text=True, env=env, timeout=120)

    def run(self, session_key: str = "", **parameters: str) -> list[Record]:
        """One run; the anomalies about the test's own service."""
        values = {"interval": "5", "lag": "0", "index": "apisec", "history_hours": "0", **parameters}
        named = "".join(f'<param name="{name}">{escape(value)}</param>' for name, value in values.items())
        done = self.start(
            stdin=f"<input><server_host>h</server_host><server_uri>{self.splunk.target.url}</server_uri>"
            f"<session_key>{session_key or self.splunk.rest.session_key}</session_key>"
            f"<checkpoint_dir>{self.home}</checkpoint_dir><configuration>"
            f'<stanza name="apisec_detection://demo">{named}</stanza></configuration></input>'
        )
        assert done.returncode == 0, done.stderr
        self.stderr = done.stderr
        self.judged += sum(int(found[1]) for found in re.finditer(r"requests=(\d+)", done.stderr))
        stream = ET.fromstring(done.stdout) if done.stdout.strip() else ET.Element("stream")
        found = list(stream.iter("event"))
        assert {event.findtext("sourcetype") for event in found} <= {"apisec:anomaly"}
        return self.splunk.mine([json.loads(event.findtext("data") or "") for event in found])


@pytest.fixture
def detection(splunk: Splunk, unpacked: Path, tmp_path: Path) -> Input:
    return Input(splunk, unpacked, tmp_path)


def shop(seed: int, count: int) -> list[Record]:
    """Ordinary events of the hour before now."""
    made = Shop(seed=seed, users=8, hours=1)
    shift = time.time() - 60 - made.end
    return [{**e, "id": f"{seed}-{n}", "time": e["time"] + shift} for n, e in enumerate(made.events)][-count:]


def send(splunk: Splunk, events: list[Record]) -> None:
    splunk.send(events)
    began = int(time.time())  # index times are whole seconds, and a window ends before the second that runs
    until(lambda: int(time.time()) > began, 3)


@pytest.mark.exclusive
def test_the_input_judges_what_is_new_once(splunk: Splunk, detection: Input) -> None:
    detection.run()  # whatever other tests have sent
    before = detection.judged
    first, second = shop(1, 120), shop(2, 80)
    send(splunk, first)
    detection.run()
    send(splunk, [*second, *second])  # a forwarder ships at least once
    detection.run()
    detection.run()
    assert detection.judged == before + 200
    kept = splunk.rest.call("GET", splunk.data("apisec_profiles"))
    ofs = [one["of"] for one in kept if one["kind"] != "commit"]
    assert len(ofs) == len(set(ofs)), "one version of each document"
    services = {json.loads(one["state"])["key"][0] for one in kept if one["kind"] == "profiles"}
    assert splunk.service in services


@pytest.mark.exclusive
def test_a_failure_says_so_and_the_next_run_goes_on(splunk: Splunk, detection: Input) -> None:
    assert detection.run(session_key="not-a-session") == []
    assert "apisec_detection demo" in detection.stderr
    detection.run()
    assert "apisec_detection demo" not in detection.stderr


def test_scheme_and_validation(detection: Input) -> None:
    scheme = ET.fromstring(detection.start("--scheme").stdout)
    assert {argument.get("name") for argument in scheme.iter("arg")} == {"lag", "history_hours"}
    for value, fine in (("5", True), ("-1", False), ("soon", False), ("99999", False)):
        items = (
            "<items><server_host>h</server_host><server_uri>u</server_uri><session_key>k</session_key>"
            f'<checkpoint_dir>c</checkpoint_dir><item name="demo"><param name="lag">{value}</param></item></items>'
        )
        done = detection.start("--validate-arguments", stdin=items)
        assert (done.returncode == 0) is fine
        assert fine or "lag" in done.stdout
