"""HEC: metadata, load, acknowledgement, HTTP itself, and what is durable. Single answers: test_hec_answers.py."""

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
from urllib.parse import urlsplit

import pytest
import requests

from apisec_sandbox.splunkd.home import Home
from apisec_sandbox.splunkd.server import Addresses, Options, Splunkd, running

from .conftest import TOKEN
from .hec_client import CHANNEL, Splunk, acked, events, send, session


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
    assert send(addresses, json.dumps(envelope), Content_Type="text/plain").status_code == 200
    (event,) = events(splunkd, "team_red")
    assert (event.time, event.host, event.source, event.sourcetype) == (1700000000.25, "gw1", "src", "st")
    assert event.fields == {"status": "200", "tags": ["a", "b"], "flag": "true"}
    assert json.loads(event.raw) == envelope["event"]


def test_defaults_of_the_server_the_token_the_query_and_the_event(splunk: Splunk) -> None:
    """Precedence: event, query string, token, server (host: the request's; source: http:TOKEN)."""
    splunkd, addresses = splunk
    send(addresses, '{"event": "x"}')
    splunkd.confs.write(
        "inputs", "http://gw", {"host": "h", "source": "s", "sourcetype": "t", "index": "team_red"}, "system"
    )
    send(addresses, '{"event": "y"}')
    send(addresses, '{"event": "z", "host": "own"}', query="host=q&source=q&sourcetype=q&index=main")
    seen = {event.raw: (event.host, event.source, event.sourcetype) for event in events(splunkd, "main", "team_red")}
    at = urlsplit(addresses.hec).netloc
    assert seen == {"x": (at, "http:gw", "httpevent"), "y": ("h", "s", "t"), "z": ("own", "q", "q")}
    assert [event.raw for event in events(splunkd, "team_red")] == ["y"]


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ("1700000000.25", 1700000000.25),
        ('"1700000000.25"', 1700000000.25),
        ("1700000000123", 1700000000.123),
        ('" 1700000000 "', 1700000000.0),
        ("-1.5", -1.5),
        ("0", 0.0),
    ],
)
def test_time(splunk: Splunk, given: str, seconds: float) -> None:
    assert send(splunk[1], f'{{"event": "x", "time": {given}}}').json()["code"] == 0
    assert events(splunk[0])[0].time == seconds


def test_the_time_of_the_text_is_taken_on_demand(splunk: Splunk) -> None:
    body = '{"event": "at 2026-11-20T10:11:12Z it rained"}'
    send(splunk[1], body, query="auto_extract_timestamp=true")
    send(splunk[1], body)
    first, second = (event.time for event in events(splunk[0]))
    assert first == 1795169472.0
    assert second > 1795169472.0 + 1000


def test_failures_are_written_down_as_splunkd_does(splunk: Splunk) -> None:
    splunkd, addresses = splunk
    send(addresses, '{"event": "a"}{"event": null}')
    send(addresses, '{"event": "a"}{"event": 1 2}')
    send(addresses, '{"event": "a", "index": "nowhere"}')
    send(addresses, '{"event": "a"}', Authorization=f"Splunk {uuid.uuid4()}")
    held = [event.raw for event in splunkd.store.scan(["_internal"]) if "HttpInputDataHandler" in event.raw][::-1]
    assert (splunkd.home.log / "splunkd.log").read_text(encoding="utf-8").splitlines() == held
    null, broken, index, token = (raw.partition("token name=")[2] for raw in held)
    assert null == (
        f"gw, channel={CHANNEL}, source_IP=127.0.0.1, reply=6, events_processed=1, http_input_body_size=29, "
        'parsing_err="Got unexpected null element while expecting event\'s raw text"'
    )
    assert "reply=6, events_processed=1" in broken
    assert 'parsing_err="index nowhere does not exist or is disabled"' in index
    assert token == "n/a, channel=n/a, source_IP=127.0.0.1, reply=4, events_processed=0, http_input_body_size=14"


def test_the_log_of_failures_is_bounded(splunk: Splunk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apisec_sandbox.splunkd.hec.journal.MAX_LOG", 500)
    for _ in range(10):
        send(splunk[1], "nonsense")
    sizes = [path.stat().st_size for path in splunk[0].home.log.glob("splunkd.log*")]
    assert len(sizes) == 2
    assert max(sizes) < 1000


def test_configuration_that_is_edited_in_place_holds_soon(splunk: Splunk) -> None:
    """Over REST it holds at once, which the other tests show; a file that someone edits is looked at every second."""
    splunkd, addresses = splunk
    path = splunkd.home.etc / "system" / "local" / "inputs.conf"
    assert send(addresses, '{"event": "x"}').status_code == 200
    text = path.read_text(encoding="utf-8")
    with path.open("r+", encoding="utf-8") as file:
        file.write(text.replace("disabled = 0", "disabled = 1"))
    deadline = time.monotonic() + 10
    while send(addresses, '{"event": "x"}').json()["code"] != 1:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_gzip_and_other_codings(splunk: Splunk) -> None:
    addresses = splunk[1]
    body = b'{"event": "zipped"}'
    packed = gzip.compress(body)
    for data, coding in ((packed, "gzip"), (packed, "GZip"), (packed + packed, "gzip"), (body, "identity")):
        assert send(addresses, data, Content_Encoding=coding).json()["code"] == 0
    assert len(events(splunk[0])) == 5
    for broken in (body, packed[:-3], packed + b"rest", b""):
        assert send(addresses, broken, Content_Encoding="gzip").json()["code"] in (5, 6)
    refused = send(addresses, body, Content_Encoding="deflate")
    assert (refused.status_code, refused.headers["Content-Type"]) == (415, "text/html; charset=UTF-8")
    bomb = gzip.compress(b"0" * 100_000_000)
    assert send(addresses, bomb, Content_Encoding="gzip").status_code == 413
    assert len(events(splunk[0])) == 5


def test_too_large_is_a_page_of_413(splunk: Splunk) -> None:
    answer = send(splunk[1], b"x" * (5 * 1024 * 1024 + 1))
    assert answer.status_code == 413
    assert "Content-Length of 5242881 too large (maximum is 5242880)" in answer.text
    assert answer.headers["Content-Type"] == "text/html; charset=UTF-8"


def test_the_largest_request_is_configured(tmp_path: Path) -> None:
    """limits.conf [http_input] max_content_length, read when the server starts."""
    limits = tmp_path / "etc" / "system" / "local" / "limits.conf"
    limits.parent.mkdir(parents=True)
    limits.write_text("[http_input]\nmax_content_length = 1000\n", encoding="utf-8")
    with running(tmp_path, Options(with_tls=False, schedule=False)) as (splunkd, addresses):
        splunkd.ensure_token("gw", TOKEN)
        body = json.dumps({"event": "x" * 987})
        assert len(body) == 1000
        assert send(addresses, body).json()["code"] == 0
        assert "(maximum is 1000)" in send(addresses, body + " ").text


def test_an_event_longer_than_maxEventSize_is_invalid(splunk: Splunk) -> None:
    splunk[0].confs.write("inputs", "http", {"maxEventSize": "1KB"}, "system")
    answer = send(splunk[1], json.dumps({"event": "a"}) + json.dumps({"event": "b" * 1025})).json()
    assert (answer["code"], answer["invalid-event-number"]) == (6, 1)
    assert send(splunk[1], json.dumps({"event": "b" * 1024})).json()["code"] == 0


def test_raw_is_broken_by_the_rules_of_its_source_type(splunk: Splunk) -> None:
    splunkd, addresses = splunk
    splunkd.confs.write("props", "lines", {"SHOULD_LINEMERGE": "false"}, "system")
    query = "sourcetype=lines&time=1700000000&host=h&source=s"
    assert send(addresses, "line one\nline two\r\n\n", "raw", query=query).json()["code"] == 0
    assert [event[:6] for event in events(splunkd) if event.host == "h"] == [
        (1700000000.0, event.indextime, "h", "s", "lines", event.raw) for event in events(splunkd)
    ]
    assert [event.raw for event in events(splunkd)] == ["line one", "line two"]


def test_a_rule_that_cannot_be_applied_is_an_error_that_is_logged_by_name(
    splunk: Splunk, caplog: pytest.LogCaptureFixture
) -> None:
    splunkd, addresses = splunk
    splunkd.confs.write("props", "odd", {"TRANSFORMS-a": "missing"}, "system")
    assert send(addresses, "x", "raw", query="sourcetype=odd").json()["code"] == 8
    assert send(addresses, '{"event": "x", "sourcetype": "odd"}').status_code == 500
    assert "transforms.conf [missing] does not exist" in caplog.text
    assert events(splunkd) == []


def test_state_survives_a_restart(tmp_path: Path) -> None:
    options = Options(with_tls=False, schedule=False)
    with running(tmp_path, options) as (splunkd, addresses):
        splunkd.ensure_token("gw", TOKEN)
        assert send(addresses, '{"event": "kept", "time": 1700000000}').json()["code"] == 0
        password = addresses.admin_password_file.read_text()
    with running(tmp_path, options) as (splunkd, addresses):
        assert [event.raw for event in events(splunkd)] == ["kept"]
        assert send(addresses, '{"event": "more"}').json() == {"text": "Success", "code": 0, "ackId": 0}
        assert splunkd.users.check("admin", password)


def test_what_was_acknowledged_outlives_a_kill(tmp_path: Path) -> None:
    """SIGKILL while requests come in: every acknowledged event is there afterwards, and a torn line harms nothing."""
    ready = tmp_path / "ready.json"
    argv = [sys.executable, "-m", "apisec_sandbox", "serve", "--home", str(tmp_path / "home"), "--no-tls"]
    argv += ["--ready-file", str(ready), "--hec-token", f"gw={TOKEN}", "--hec-ack"]
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
            ack = send(addresses, json.dumps({"event": f"e{number}"})).json()["ackId"]
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
        with session() as client:
            assert client.get(health, verify=str(addresses.ca), timeout=10).json()["code"] == 17
            with pytest.raises(requests.exceptions.SSLError):
                client.get(health, timeout=10)
        assert oct(addresses.admin_password_file.stat().st_mode)[-3:] == "600"
