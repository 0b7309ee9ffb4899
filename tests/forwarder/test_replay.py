"""``apisec-forwarder replay`` as a process: JSON lines and HAR in, events out, in order, whatever a line holds."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from apisec.model.event import FIELDS, NAMES
from apisec_forwarder import keys

PAN = "4111111111111111"


def run(*options: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "apisec_forwarder", "replay", *options]
    return subprocess.run(command, input=stdin, capture_output=True, timeout=60, check=False)


def replay(text: str, *options: str) -> list[dict[str, Any]]:
    done = run("--input", "-", "--output", "-", *options, stdin=text.encode())
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def line(**changes: Any) -> dict[str, Any]:
    document: dict[str, Any] = {
        "time": 1767225600.5,
        "client": {"address": "203.0.113.7", "port": 40000, "ja4": "t13d1516h2_8daaf6152771_b186095e22b6"},
        "request": {
            "method": "POST",
            "url": "https://shop.example/pay/7?ref=x",
            "headers": {"content-type": "application/json", "authorization": "Basic YWRhOmxvdmVsYWNl"},
            "body": json.dumps({"card": {"number": PAN}}),
        },
        "response": {"status": 200, "headers": [["content-type", "application/json"]], "body": '{"ok": true}'},
        "duration": 12.5,
        "upstream_time": 10.5,
    }
    return {**document, **changes}


def test_events_hold_the_schema_and_no_value() -> None:
    (event,) = replay(json.dumps(line()), "--service", "shop")
    assert set(event) <= NAMES
    assert {field.name for field in FIELDS if field.required} <= set(event)
    assert PAN not in json.dumps(event)
    assert "lovelace" not in json.dumps(event)
    assert event["service"] == "shop"
    assert event["operation"] == "POST /pay/{pay_id}"
    assert (event["auth"], event["principal_kind"]) == ("basic", "basic")
    assert event["time"] == 1767225600.5
    assert (event["response_time"], event["upstream_time"]) == (12.5, 10.5)
    assert event["request_content_type"] == "application/json"
    assert event["data_classes"] == ["pci.pan", "secret.basic", "secret.password"]


def test_without_keys_the_key_is_ephemeral_and_said() -> None:
    done = run("--input", "-", "--output", "-", stdin=json.dumps(line()).encode())
    assert b"ephemeral key" in done.stderr
    again = run("--input", "-", "--output", "-", stdin=json.dumps(line()).encode())
    assert json.loads(done.stdout)["principal"] != json.loads(again.stdout)["principal"]


def test_two_processes_with_one_key_make_the_same_tokens_and_another_key_others(tmp_path: Path) -> None:
    one, other = tmp_path / "one.json", tmp_path / "other.json"
    for path in (one, other):
        keys.write(path, keys.generate())
    text = json.dumps(line())
    first, second = replay(text, "--keys", str(one)), replay(text, "--keys", str(one))
    assert first == second
    (third,) = replay(text, "--keys", str(other))
    for name in ("principal", "user", "auth_token", "request_body", "key_id"):
        assert third[name] != first[0][name]
    assert third["id"] == first[0]["id"]


def test_a_broken_line_is_named_and_the_others_come_out_in_order(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    broken = [
        (b"{broken", "not JSON at column 2"),
        (b"[1]", "not a JSON object"),
        (b'{"time": 1}', "request: is missing"),
        (b'{"time": "yesterday", "request": {"method": "GET", "url": "/"}}', "time: is missing, or neither"),
        (b'{"time": 1, "request": {"method": "GET"}}', "request.url: is missing"),
        (
            b'{"time": 1, "request": {"method": "GET", "url": "/", "body": "#", "body_encoding": "base64"}}',
            "not base64",
        ),
        (
            b'{"time": 1, "request": {"method": "GET", "url": "/", "body": "5;", "body_framing": "chunked"}}',
            "request.body: cannot be read as chunks: not chunked",
        ),
        (b'{"time": 1, "request": {"method": "GET", "url": "/", "body": "1", "body_framing": 1}}', "the only framing"),
        (b'{"time": 1, "request": {"method": "GET", "url": "/", "headers": 7}}', "request.headers"),
        (b'{"time": 1, "request": {"method": "GET", "url": "/"}, "response": {"status": "ok"}}', "response.status"),
        (b'{"time": 1, "client": {"port": "x"}, "request": {"method": "GET", "url": "/"}}', "client.port"),
        (b"\xff\xfe", "not JSON"),
    ]
    lines = []
    for number, (text, _) in enumerate(broken):
        lines += [json.dumps(line(id=f"good-{number}")).encode(), text, b""]
    source.write_bytes(b"\n".join(lines))
    done = run("--input", str(source), "--output", str(tmp_path / "out.jsonl"))
    assert done.returncode == 1
    errors = done.stderr.decode()
    for number, (_, message) in enumerate(broken):
        assert f"{source}:{3 * number + 2}: " in errors
        assert message in errors
    events = [json.loads(text) for text in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [event["id"] for event in events] == [f"good-{number}" for number in range(len(broken))]


def test_bodies_in_base64_and_times_as_text() -> None:
    body = base64.b64encode(f"number={PAN}".encode()).decode()
    request = {
        "method": "POST",
        "url": "http://shop.example:8080/x",
        "headers": [["Content-Type", "application/x-www-form-urlencoded"]],
        "body": body,
        "body_encoding": "base64",
    }
    (event,) = replay(json.dumps(line(time="2026-01-01T00:00:00Z", request=request, response=None)))
    assert event["time"] == 1767225600.0
    assert event["request_body"].startswith("number=~pci.pan~")
    assert event["status"] == 0
    assert event["dest_port"] == 8080


def test_ids_are_stable_and_tell_equal_lines_apart() -> None:
    text = json.dumps(line()) + "\n" + json.dumps(line()) + "\n"
    first, second = replay(text), replay(text)
    assert [event["id"] for event in first] == [event["id"] for event in second]
    assert first[0]["id"] != first[1]["id"]


def test_hec_envelopes() -> None:
    (wrapped,) = replay(json.dumps(line()), "--format", "hec", "--service", "shop")
    assert wrapped["sourcetype"] == "apisec:transaction"
    assert wrapped["time"] == wrapped["event"]["time"]
    assert wrapped["fields"]["operation"] == wrapped["event"]["operation"]
    assert wrapped["host"] == "replay"


def har(entries: list[Any]) -> str:
    return json.dumps({"log": {"version": "1.2", "entries": entries}}, indent=1)


def har_entry() -> dict[str, Any]:
    return {
        "startedDateTime": "2026-01-01T00:00:00.000Z",
        "time": 20,
        "request": {
            "method": "POST",
            "url": "https://shop.example/login",
            "headers": [
                {"name": ":authority", "value": "shop.example"},
                {"name": "content-type", "value": "application/json"},
            ],
            "postData": {"mimeType": "application/json", "text": '{"password": "hunter2x"}'},
        },
        "response": {
            "status": 401,
            "headers": [{"name": "Content-Encoding", "value": "gzip"}, {"name": "Content-Type", "value": "text/plain"}],
            "content": {"size": 12, "text": base64.b64encode(b"no hunter2x!").decode(), "encoding": "base64"},
        },
    }


def test_har() -> None:
    unanswered = {**har_entry(), "response": {"status": 0, "headers": [], "content": {}}}
    first, second = replay(har([har_entry(), unanswered]))
    assert "hunter2x" not in json.dumps([first, second])
    assert first["response_body"].startswith("no ~secret.password~")
    assert first["coverage"] == "complete"
    assert (first["status"], second["status"]) == (401, 0)
    assert first["response_time"] == 20


def test_a_har_that_names_the_media_type_beside_the_body_only() -> None:
    entry = har_entry()
    params = [{"name": "password", "value": "letmein99"}, {"name": "n", "value": "1"}]
    entry["request"]["headers"] = []
    entry["request"]["postData"] = {"mimeType": "application/x-www-form-urlencoded", "params": params}
    (event,) = replay(har([entry]))
    body = {field["path"]: field.get("classes") for field in event["request_fields"] if field["in"] == "body"}
    assert body == {"password": ["secret.password"], "n": None}


def test_a_broken_har_entry_is_named() -> None:
    done = run("--input", "-", "--output", "-", stdin=har([{"request": {}}, har_entry()]).encode())
    assert done.returncode == 1
    assert b"stdin: log.entries[0]: response: is missing" in done.stderr
    assert len(done.stdout.splitlines()) == 1


@pytest.mark.parametrize(
    ("options", "stdin", "message"),
    [
        (["--input", "/nowhere.jsonl", "--output", "-"], b"", b"cannot be read"),
        (["--input", "-", "--output", "/nowhere/x"], b"", b"cannot be written"),
        (["--input", "-", "--output", "-"], b'{"log": {}}', b"log.entries is missing"),
        (["--input", "-", "--output", "-", "--keys", "/nowhere.json"], b"", b"keys generate"),
        (["--input", "-", "--output", "-", "--config", "x", "--service", "y"], b"", b"does not go with"),
    ],
)
def test_bad_usage_has_its_exit_code_and_remedy(options: list[str], stdin: bytes, message: bytes) -> None:
    done = run(*options, stdin=stdin)
    assert done.returncode == 2
    assert message in done.stderr
    assert b"Traceback" not in done.stderr
