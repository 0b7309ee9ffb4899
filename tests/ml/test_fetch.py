"""Events out of a Splunk: in order of time, none lost, none twice, TLS verified; what broke off is an error."""

from __future__ import annotations

import json
import ssl
import sys
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

import pytest
import requests

from apisec.errors import ConfigError, KeyFileError
from apisec_ml import splunk
from apisec_ml.cli import main
from apisec_ml.splunk import Access, SplunkError
from tests.ml.behaviour.made import START, anomaly, event, told_models
from tests.support.certificates import self_signed
from tests.support.processes import Process
from tests.support.waiting import until

TOKEN = "a-token"
SPAN = ["--earliest", str(START), "--latest", str(START + 7200)]


@dataclass
class Standing:
    url: str
    ca: Path
    token: str


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    """A stand-in with events of two hours, newest first, and a user's token."""
    home = tmp_path_factory.mktemp("home")
    ready, hec_token = home / "ready.json", str(uuid.uuid4())
    sandbox = str(Path(sys.executable).with_name("apisec-sandbox"))
    command = [sandbox, "serve", "--home", str(home), "--ready-file", str(ready), "--no-schedule"]
    with Process([*command, "--hec-token", f"test={hec_token}:main"], home / "serve.log") as process:
        until(lambda: ready.exists() or not process.running(), 60, "the stand-in's start")
        addresses = json.loads(ready.read_text())
        web = requests.Session()
        web.trust_env, web.verify = False, addresses["ca"]  # REQUESTS_CA_BUNDLE would win
        send(web, addresses["hec"], hec_token)
        web.auth = (addresses["admin_user"], Path(addresses["admin_password_file"]).read_text().strip())
        form = {"name": addresses["admin_user"], "audience": "ml", "output_mode": "json"}
        answer = web.post(f"{addresses['mgmt']}/services/authorization/tokens", form, timeout=60)
        web.close()
        yield Standing(addresses["mgmt"], Path(addresses["ca"]), answer.json()["entry"][0]["content"]["token"])
        process.end()


def send(web: requests.Session, hec: str, token: str) -> None:
    """Index 120 events, a minute apart, the newest first; until HEC says that they can be searched."""
    made = [
        event(number, START + number * 60.0, "p", service="shop" if number % 3 else "bank") for number in range(120)
    ]
    body = "".join(
        json.dumps({"time": one["time"], "sourcetype": "apisec:transaction", "index": "main", "event": one})
        for one in reversed(made)
    )
    time, told = anomaly("thief", 0.5)
    body += json.dumps({"time": time, "sourcetype": "apisec:anomaly", "index": "main", "event": {**told, "time": time}})
    headers = {"Authorization": f"Splunk {token}"}
    assert web.post(f"{hec}/services/collector", body.encode(), headers=headers, timeout=60).status_code == 200


def arguments(standing: Standing, folder: Path, *more: str) -> list[str]:
    token = folder / "token"
    token.write_text(standing.token)
    token.chmod(0o600)
    access = ["--url", standing.url, "--ca", str(standing.ca), "--token-file", str(token)]
    return ["fetch", *access, "--index", "main", *SPAN, *more]


def test_events_come_in_order_of_time(standing: Standing, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "events.jsonl"

    def indexed() -> bool:
        """HEC answers before what it took can be searched."""
        assert main(arguments(standing, tmp_path, "--output", str(output))) == 0
        return len(output.read_text().splitlines()) == 120

    until(indexed, 60, "the events in the index")
    assert main(arguments(standing, tmp_path, "--slice", "1800", "--output", str(output))) == 0
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    assert [row["id"] for row in rows] == [f"e{number}" for number in range(120)]
    assert "100% 120 events" in capsys.readouterr().err


def test_one_service_only(standing: Standing, tmp_path: Path) -> None:
    output = tmp_path / "events.jsonl"
    assert main(arguments(standing, tmp_path, "--service", "bank", "--output", str(output))) == 0
    assert len(output.read_text().splitlines()) == 40


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--index", "a b"], "letters, digits"),
        (["--service", 'x" OR "1"="1'], "letters, digits"),
        (["--earliest", "yesterday"], "no time"),
        (["--url", "http://localhost:8089"], "https"),
        (["--url", "https://localhost:8089/x"], "https"),
    ],
)
def test_what_cannot_be_asked_is_a_usage_error(
    more: list[str], message: str, standing: Standing, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments(standing, tmp_path, "--output", str(tmp_path / "e")), *more]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "e").exists()


def test_what_was_told_is_compared_with_the_training(
    standing: Standing, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, path = tmp_path / "model.json", tmp_path / "told"
    model.write_text(json.dumps(told_models([], 1000)))
    assert main(arguments(standing, tmp_path, "--anomalies", "--output", str(path))) == 0
    assert [json.loads(line)["campaign"] for line in path.read_text().splitlines()] == ["c-thief"]
    drift = ["drift", *arguments(standing, tmp_path)[1:], "--model", str(model), "--json"]
    capsys.readouterr()
    assert main(drift) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["transactions"], report["families"]["scraping"]["campaigns"]) == (120, 1)


def test_a_stranger_is_refused_with_a_remedy(
    standing: Standing, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = Standing(standing.url, standing.ca, "no-token")
    assert main(arguments(given, tmp_path, "--output", str(tmp_path / "e"))) == 2
    error = capsys.readouterr().err
    assert "401" in error
    assert "no-token" not in error


def test_a_certificate_that_nobody_vouches_for_ends_it(standing: Standing, tmp_path: Path) -> None:
    other, _ = self_signed(tmp_path)
    access = Access.of(standing.url, arguments_token(standing, tmp_path), other)
    with pytest.raises(SplunkError, match="CERTIFICATE_VERIFY_FAILED"):
        splunk.fetch(access, "search x", (0, 1), BytesIO(), lambda *_: None)


def arguments_token(standing: Standing, folder: Path) -> Path:
    arguments(standing, folder)
    return folder / "token"


def test_a_token_that_others_can_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token = tmp_path / "token"
    token.write_text(TOKEN)
    token.chmod(0o644)
    with pytest.raises(KeyFileError, match="chmod 600"):
        Access.of("https://localhost", token, None)
    monkeypatch.delenv("SPLUNK_TOKEN", raising=False)
    with pytest.raises(ConfigError, match="no token"):
        Access.of("https://localhost", None, None)
    monkeypatch.setenv("SPLUNK_TOKEN", TOKEN)
    access = Access.of("https://localhost", None, None)
    assert access.port == 8089
    assert TOKEN not in repr(access)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", 1000.0),
        ("-2m", 880.0),
        ("12.5", 12.5),
        ("1970-01-01T00:01:00", 60.0),
        ("1970-01-01T01:01:00+01:00", 60.0),
    ],
)
def test_times_as_people_write_them(text: str, expected: float) -> None:
    assert splunk.moment(text, 1000.0) == expected


# A Splunk that misbehaves


class Script:
    """Answers in order; the last one again and again."""

    def __init__(self, *answers: tuple[int, bytes]) -> None:
        self.answers = list(answers)
        self.asked = 0

    def next(self) -> tuple[int, bytes]:
        self.asked += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def row(number: int, last: bool = False) -> bytes:
    raw = json.dumps(event(number, START + number, "p"))
    return json.dumps(
        {"preview": False, "offset": 0, "result": {"_raw": raw}, **({"lastrow": True} if last else {})}
    ).encode()


@pytest.fixture
def scripted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Script, Access]]:
    script = Script((200, b""))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            status, body = script.next()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    certificate, key = self_signed(tmp_path)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    monkeypatch.setenv("SPLUNK_TOKEN", TOKEN)
    monkeypatch.setattr(splunk, "PAUSE_SECONDS", 0.001)
    try:
        yield script, Access.of(f"https://127.0.0.1:{server.server_port}", None, certificate)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def fetched(access: Access) -> list[str]:
    output = BytesIO()
    splunk.fetch(access, "search x", (START, START + 60), output, lambda *_: None)
    return [json.loads(line)["id"] for line in output.getvalue().splitlines()]


def test_a_busy_splunk_is_asked_again(scripted: tuple[Script, Access]) -> None:
    script, access = scripted
    script.answers = [(503, b"busy"), (429, b"quota"), (200, row(2) + b"\n" + row(1, last=True) + b"\n")]
    assert fetched(access) == ["e1", "e2"]
    assert script.asked == 3


def test_a_splunk_that_stays_busy_is_an_error_in_the_end(scripted: tuple[Script, Access]) -> None:
    script, access = scripted
    script.answers = [(503, b"busy")]
    with pytest.raises(SplunkError, match="503"):
        fetched(access)
    assert script.asked == splunk.TRIES


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (row(1), "broke off"),
        (b"<html>", "not JSON"),
        (b"[]\n", "not a JSON object"),
        (b'{"messages": [{"type": "FATAL", "text": "no such index"}]}\n', "no such index"),
        (b'{"result": {"_raw": "x"}, "lastrow": true}\n', "none of apisec"),
        (b'{"result": {}, "lastrow": true}\n', "no _raw"),
    ],
)
def test_what_is_not_whole_is_an_error(body: bytes, message: str, scripted: tuple[Script, Access]) -> None:
    script, access = scripted
    script.answers = [(200, body)]
    with pytest.raises(SplunkError, match=message):
        fetched(access)


def test_an_empty_slice_is_nothing(scripted: tuple[Script, Access]) -> None:
    script, access = scripted
    script.answers = [(200, b'{"preview":false,"lastrow":true}\n')]
    assert fetched(access) == []
