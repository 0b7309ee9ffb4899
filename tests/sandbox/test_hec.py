"""HEC: every documented code, acknowledgement, and what is durable."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import pytest
import requests

from apisec_sandbox.splunkd.home import Home
from apisec_sandbox.splunkd.server import Addresses, Options, Splunkd, running

from .conftest import TOKEN

Splunk = tuple[Splunkd, Addresses]
CHANNEL = str(uuid.uuid4())


def post(addresses: Addresses, body: bytes | str, path: str = "event", **headers: str) -> requests.Response:
    sent = {"Authorization": f"Splunk {TOKEN}", "X-Splunk-Request-Channel": CHANNEL}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    sent = {name: value for name, value in sent.items() if value}
    return requests.post(f"{addresses.hec}/services/collector/{path}", data=body, headers=sent, timeout=10)


def events(splunkd: Splunkd, *indexes: str) -> list[Any]:
    return list(splunkd.store.scan(indexes or ("main",)))


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        ('{"event": "x"}', {}, 200, 0),
        ('{"event": "x"}', {"Authorization": ""}, 401, 2),
        ('{"event": "x"}', {"Authorization": "Other x"}, 401, 3),
        ('{"event": "x"}', {"Authorization": f"Splunk {uuid.uuid4()}"}, 403, 4),
        ("", {}, 400, 5),
        ("   ", {}, 400, 5),
        ("{nonsense", {}, 400, 6),
        ("[" * 100000, {}, 400, 6),
        (b"\xff\xfe", {}, 400, 6),
        ('{"event": "x", "time": "soon"}', {}, 400, 6),
        ('{"event": "x", "index": "nowhere"}', {}, 400, 7),
        ('{"event": "x"}', {"X-Splunk-Request-Channel": ""}, 400, 10),
        ('{"event": "x"}', {"X-Splunk-Request-Channel": "7"}, 400, 11),
        ('{"other": "x"}', {}, 400, 12),
        ('{"event": ""}', {}, 400, 13),
        ('{"event": null}', {}, 400, 13),
        ('{"event": "x", "fields": {"a": {"b": 1}}}', {}, 400, 15),
        ('{"event": "x", "fields": [1]}', {}, 400, 15),
    ],
)
def test_codes(splunk: Splunk, body: str, headers: dict[str, str], status: int, code: int) -> None:
    answer = post(splunk[1], body, **headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["Connection"] == "keep-alive"


def test_an_invalid_event_stops_the_batch_behind_it(splunk: Splunk) -> None:
    answer = post(splunk[1], '{"event": "a"}{"event": "b"}{"nothing": 1}{"event": "c"}')
    assert answer.json() == {"text": "Event field is required", "code": 12, "invalid-event-number": 2}
    assert sorted(event.raw for event in events(splunk[0])) == ["a", "b"]


def test_metadata_fields_time_and_raw_text(splunk: Splunk) -> None:
    splunkd, addresses = splunk
    envelope = {
        "time": "1700000000.25",
        "host": "gw1",
        "source": "src",
        "sourcetype": "st",
        "index": "team_red",
        "event": {"ü": [1, 2.5], "text": "a\nb"},
        "fields": {"status": 200, "tags": ["a", "b"], "flag": True},
    }
    assert post(addresses, json.dumps(envelope), Content_Type="text/plain").status_code == 200
    (event,) = events(splunkd, "team_red")
    assert (event.time, event.host, event.source, event.sourcetype) == (1700000000.25, "gw1", "src", "st")
    assert event.fields == {"status": "200", "tags": ["a", "b"], "flag": "true"}
    assert json.loads(event.raw) == envelope["event"]


def test_gzip_and_other_codings(splunk: Splunk) -> None:
    body = b'{"event": "zipped"}'
    assert post(splunk[1], gzip.compress(body), Content_Encoding="gzip").json()["code"] == 0
    assert post(splunk[1], body, Content_Encoding="gzip").json()["code"] == 6
    assert post(splunk[1], body, Content_Encoding="deflate").status_code == 415
    bomb = gzip.compress(b"0" * 100_000_000)
    assert post(splunk[1], bomb, Content_Encoding="gzip").status_code == 413


def test_too_large_is_413(splunk: Splunk) -> None:
    assert post(splunk[1], b"x" * (5 * 1024 * 1024 + 1)).status_code == 413


def test_raw(splunk: Splunk) -> None:
    answer = post(splunk[1], "line one\nline two\n", path="raw?sourcetype=lines&time=1700000000")
    assert answer.json()["code"] == 0
    assert {(event.raw, event.sourcetype, event.time) for event in events(splunk[0])} == {
        ("line one", "lines", 1700000000.0),
        ("line two", "lines", 1700000000.0),
    }


def acked(addresses: Addresses, number: int, channel: str = CHANNEL) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        answer = post(addresses, json.dumps({"acks": [number]}), path=f"ack?channel={channel}").json()
        if answer["acks"][str(number)]:
            return True
        time.sleep(0.01)
    return False


def test_acks_count_from_zero_per_channel_and_are_told_once(splunk: Splunk) -> None:
    addresses = splunk[1]
    other = str(uuid.uuid4())
    assert [post(addresses, '{"event": "x"}').json()["ackId"] for _ in range(2)] == [0, 1]
    assert post(addresses, '{"event": "x"}', X_Splunk_Request_Channel=other).json()["ackId"] == 0
    assert acked(addresses, 0)
    assert post(addresses, '{"acks": [0, 77]}', path="ack").json() == {"acks": {"0": False, "77": False}}
    assert acked(addresses, 1)
    assert post(addresses, '{"acks": "no"}', path="ack").json()["code"] == 6


def test_disabled_token_limited_indexes_and_no_ack(splunk: Splunk) -> None:
    splunkd, addresses = splunk
    other = str(uuid.uuid4())
    splunkd.ensure_token("limited", other, ("team_red",), use_ack=False)
    authorization = f"Splunk {other}"
    assert "ackId" not in post(addresses, '{"event": "x"}', Authorization=authorization).json()
    assert len(events(splunkd, "team_red")) == 1
    assert post(addresses, '{"event": "x", "index": "main"}', Authorization=authorization).json()["code"] == 7
    assert post(addresses, '{"acks": [0]}', path="ack", Authorization=authorization).json()["code"] == 14
    splunkd.confs.write("inputs", "http://limited", {"disabled": "1"}, "system")
    assert post(addresses, '{"event": "x"}', Authorization=authorization).json()["code"] == 1


def test_health_and_overload_switch(splunk: Splunk) -> None:
    splunkd, addresses = splunk
    health = f"{addresses.hec}/services/collector/health"
    assert requests.get(health, timeout=10).json()["code"] == 17
    switch = f"{addresses.mgmt}/services/sandbox/hec_overload"
    auth = ("admin", addresses.admin_password_file.read_text())
    assert requests.post(switch, data={"code": "9", "requests": "2"}, auth=auth, timeout=10).status_code == 200
    codes = [post(addresses, '{"event": "x"}').status_code for _ in range(3)]
    assert codes == [503, 503, 200]
    requests.post(switch, data={"code": "26"}, auth=auth, timeout=10)
    assert [post(addresses, '{"event": "x"}').status_code for _ in range(2)] == [429, 429]
    requests.post(switch, data={"code": "0"}, auth=auth, timeout=10)
    assert post(addresses, '{"event": "x"}').status_code == 200
    assert len(events(splunkd)) == 2


def test_state_survives_a_restart(tmp_path: Path) -> None:
    options = Options(with_tls=False, schedule=False)
    with running(tmp_path, options) as (splunkd, addresses):
        splunkd.ensure_token("gw", TOKEN)
        assert post(addresses, '{"event": "kept", "time": 1700000000}').json()["code"] == 0
        password = addresses.admin_password_file.read_text()
    with running(tmp_path, options) as (splunkd, addresses):
        assert [event.raw for event in events(splunkd)] == ["kept"]
        assert post(addresses, '{"event": "more"}').json() == {"text": "Success", "code": 0, "ackId": 0}
        assert splunkd.users.check("admin", password)


def test_what_was_acknowledged_outlives_a_kill(tmp_path: Path) -> None:
    """SIGKILL while requests come in: every acknowledged event is there afterwards, and a torn line harms nothing."""
    ready = tmp_path / "ready.json"
    argv = [sys.executable, "-m", "apisec_sandbox", "serve", "--home", str(tmp_path / "home"), "--no-tls"]
    argv += ["--ready-file", str(ready), "--hec-token", f"gw={TOKEN}"]
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while not ready.exists():
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.02)
        about = json.loads(ready.read_text())
        addresses = Addresses(
            about["mgmt"], about["hec"], None, "admin", Path(about["admin_password_file"]), process.pid
        )
        known = set()
        for number in range(30):
            ack = post(addresses, json.dumps({"event": f"e{number}"})).json()["ackId"]
            if number % 3 == 0 and acked(addresses, ack):
                known.add(f"e{number}")
        assert len(known) == 10
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    segment = next((tmp_path / "home").rglob("main/db/*.jsonl"))
    with segment.open("ab") as file:
        file.write(b'[1700000000,1,"torn')
    splunkd = Splunkd(Home(tmp_path / "home"))
    try:
        held = [event.raw for event in events(splunkd)]
        assert known <= set(held)
        assert len(held) == 30
    finally:
        splunkd.close()


def test_tls_verifies_against_the_homes_ca(tmp_path: Path) -> None:
    with running(tmp_path, Options(schedule=False)) as (_, addresses):
        health = f"{addresses.hec}/services/collector/health"
        assert requests.get(health, verify=str(addresses.ca), timeout=10).json()["code"] == 17
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(health, timeout=10)
        assert oct(addresses.admin_password_file.stat().st_mode)[-3:] == "600"
