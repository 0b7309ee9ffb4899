"""HEC clients that others wrote, unmodified, over TLS: what they send is what is indexed.

A client that is not on this machine is skipped with the reason; ``build.sh test`` installs them all where it can
(tools/system_packages.sh, npm).
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
import queue
import shutil
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import hass_splunk
import pytest
import splunk_handler
import splunk_hec
from splunk_hec_handler import SplunkHecHandler

from apisec_sandbox.splunkd.server import Options, running

from .hec_client import DEADLINE, Splunk, events

TOKEN = "66666666-0000-0000-0000-000000000000"
SCRIPTS = Path(__file__).parent / "clients_hec"
MODULES = Path(__file__).parents[2] / "build" / "hec_clients"
INSTALL_SECONDS, RUN_SECONDS = 120, 30


@pytest.fixture
def hec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Splunk]:
    """With TLS, and a token without acknowledgement: none of these clients knows channels."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    with running(tmp_path / "home", Options(schedule=False)) as (splunkd, addresses):
        splunkd.ensure_token("clients", TOKEN, use_ack=False)
        yield splunkd, addresses


def until(count: int, hec: Splunk) -> list[Any]:
    """Wait until so many events are indexed."""
    deadline = time.monotonic() + DEADLINE
    while len(found := events(hec[0])) < count:
        assert time.monotonic() < deadline, f"{len(found)} of {count} events came"
        time.sleep(0.02)
    return found


# Python


def test_splunk_handler(hec: Splunk) -> None:
    at = urlsplit(hec[1].hec)
    handler = splunk_handler.SplunkHandler(
        host=at.hostname,
        port=at.port,
        token=TOKEN,
        index="main",
        sourcetype="text",
        source="app",
        hostname="web1",
        verify=str(hec[1].ca),
        flush_interval=0.05,
    )
    logger = logging.Logger("hec", logging.INFO)
    logger.addHandler(handler)
    for number in range(20):
        logger.warning('order %d {"of": "ü"}', number)
    handler.close()
    handler.session.close()  # it leaves that to the end of the process
    found = until(20, hec)
    assert [event.raw for event in found] == [f'order {number} {{"of": "ü"}}' for number in range(20)]
    assert {event[2:5] for event in found} == {("web1", "app", "text")}
    assert all(abs(event.time - event.indextime) < 60 for event in found)


def test_splunk_hec_handler(hec: Splunk) -> None:
    at = urlsplit(hec[1].hec)
    handler = SplunkHecHandler(
        at.hostname, TOKEN, port=at.port, proto="https", ssl_verify=str(hec[1].ca), sourcetype="_json", source="app"
    )
    logger = logging.Logger("hec", logging.INFO)
    logger.addHandler(handler)
    logger.error("plain")
    logger.error({"time": 1700000000.5, "fields": {"color": "red", "codes": [1, 2]}, "user": "bob"})
    handler.close()
    handler.r.close()
    plain, rich = sorted(until(2, hec), key=lambda event: event.time, reverse=True)
    assert json.loads(plain.raw) == {"log_level": "ERROR", "message": "plain"}
    assert json.loads(rich.raw) == {"log_level": "ERROR", "time": 1700000000.5, "user": "bob"}
    assert (rich.time, rich.sourcetype) == (1700000000.5, "_json")
    assert (rich.fields["color"], rich.fields["codes"]) == ("red", ["1", "2"])


def test_hass_splunk(hec: Splunk) -> None:
    """Home Assistant's: it asks by an empty request whether token and server are well, and sends again what failed."""
    at = urlsplit(hec[1].hec)
    trusted = ssl.create_default_context(cafile=str(hec[1].ca))

    async def send() -> tuple[list[bool | None], list[int]]:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trusted)) as session:
            checks, codes = [], []
            for token in (TOKEN, "00000000-0000-0000-0000-000000000000"):
                one = hass_splunk.hass_splunk(session, token, at.hostname or "", at.port or 0)
                checks.append(await one.check(connectivity=False, busy=False))
            ours = hass_splunk.hass_splunk(session, TOKEN, at.hostname or "", at.port or 0)
            hec[0].hec.overload.set(9, 1)
            for number in range(5):
                await ours.queue({"time": 1700000000 + number, "host": "ha", "event": {"n": number}}, send=False)
            for _ in range(2):
                try:
                    await ours.send()
                except hass_splunk.SplunkPayloadError as error:
                    codes.append(error.code)
            return checks, codes

    assert asyncio.run(send()) == ([True, False], [9])
    assert [(event.time, event.raw) for event in until(5, hec)] == [
        (1700000000.0 + number, f'{{"n": {number}}}') for number in range(5)
    ]


@pytest.mark.parametrize("kind", ["json", "raw"])
def test_splunk_hec_ftf(hec: Splunk, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With acknowledgement: a channel of its own, a batch, and polling until all of it is told true."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(hec[1].ca))
    hec[0].confs.write("inputs", "http://clients", {"useACK": "1"}, "system")
    hec[0].confs.write("props", "lines", {"SHOULD_LINEMERGE": "false"}, "system")
    at = urlsplit(hec[1].hec)
    left: queue.Queue[str] = queue.Queue()
    client = splunk_hec.splunk_hec(
        TOKEN,
        at.hostname,
        str(at.port),
        input_type=kind,
        use_ack=True,
        ack_interval=1,
        backup_queue=left,
        disable_tls_validation_warnings=False,
    )
    client.set_request_params({"sourcetype": "lines", "host": "lambda"})
    for number in range(4):
        client.send_event({"event": f"e{number}"} if kind == "json" else f"e{number}")
    client.stop_threads_and_processing()
    client.http_session.close()
    assert left.empty()
    assert [event.raw for event in until(4, hec)] == ["e0", "e1", "e2", "e3"]
    assert {event[2:5] for event in events(hec[0])} == {("lambda", "http:clients", "lines")}


# JavaScript


@pytest.fixture(scope="session")
def modules() -> Path:
    """Install what package-lock.json pins, once for each state of it."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("node and npm are not here: the HEC clients of npm are not tried")
    lock = (SCRIPTS / "package-lock.json").read_bytes()
    folder = MODULES / hashlib.sha256(lock).hexdigest()[:16]
    if not (folder / "installed").exists():
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(SCRIPTS / name, folder / name)
        argv = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS)
        if done.returncode:
            pytest.skip(f"npm could not install the HEC clients: {done.stderr.strip()[-300:]}")
        (folder / "installed").touch()
    return folder / "node_modules"


def node(script: str, modules: Path, hec: Splunk) -> list[dict[str, Any]]:
    """Run one of the scripts; return the JSON lines that it printed."""
    environment = {
        "PATH": os.environ["PATH"],
        "NODE_PATH": str(modules),
        "NODE_EXTRA_CA_CERTS": str(hec[1].ca),
        "HEC_URL": hec[1].hec,
        "HEC_TOKEN": TOKEN,
    }
    argv = ["node", str(SCRIPTS / script)]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=RUN_SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def test_splunk_logging(hec: Splunk, modules: Path) -> None:
    (answers,) = node("splunk_logging.js", modules, hec)
    success = {"text": "Success", "code": 0}
    assert answers == {"one": success, "batch": [success], "refused": 4}
    one, *batch = until(4, hec)
    assert one[2:5] == ("farm.local", "chicken coop", "httpevent")
    assert one.time == 1700000000.5
    assert json.loads(one.raw)["message"] == {"temperature": "70F", "chickenCount": 500}
    assert [json.loads(event.raw)["message"] for event in batch] == ["first", "second", "third ü"]


def test_splunk_bunyan_logger(hec: Splunk, modules: Path) -> None:
    assert node("bunyan.js", modules, hec) == [{"body": {"text": "Success", "code": 0}}]
    documents = [json.loads(event.raw) for event in until(2, hec)]
    assert [(one["severity"], one["message"]["order"]) for one in documents] == [("info", 17), ("error", 18)]


def test_winston_splunk_httplogger(hec: Splunk, modules: Path) -> None:
    assert node("winston.js", modules, hec) == [{"logged": True}]
    (event,) = until(1, hec)
    assert event.sourcetype == "winston"
    assert json.loads(event.raw)["message"]["msg"] == "charged"


# C

SYSLOG_NG = """\
@version: 3.38
options {{ keep-hostname(yes); time-reopen(1); }};
source s {{ file("{folder}/in.log" follow-freq(0.1) flags(no-hostname)); }};
destination d {{
  http(
    url("{url}/services/collector/event")
    method("POST") timeout(10) batch-lines(5) batch-timeout(100) workers(2)
    headers("Authorization: Splunk {token}", "X-Splunk-Request-Channel: 00000000-0000-0000-0000-000000000009")
    body('$(format-json --scope none time=$S_UNIXTIME.$S_MSEC host=gw1 source=$PROGRAM sourcetype=syslog
           fields.pid=double($PID) fields.facility=$FACILITY event=$MSG)')
    tls(ca-file("{ca}") peer-verify(yes))
    {more}
  );
}};
log {{ source(s); destination(d); }};
"""


@pytest.fixture
def syslog_ng(tmp_path: Path, hec: Splunk) -> Iterator[Callable[[str], Path]]:
    """Start Debian's syslog-ng on a file; the function takes more options of the destination."""
    binary = shutil.which("syslog-ng") or shutil.which("syslog-ng", path="/usr/sbin")
    if binary is None:
        pytest.skip("syslog-ng is not here (tools/system_packages.sh installs it): its http() is not tried")
    processes: list[subprocess.Popen[bytes]] = []

    def start(more: str = "") -> Path:
        log = tmp_path / "in.log"
        log.touch()
        conf = tmp_path / "syslog-ng.conf"
        conf.write_text(
            SYSLOG_NG.format(folder=tmp_path, url=hec[1].hec, token=TOKEN, ca=hec[1].ca, more=more), encoding="utf-8"
        )
        state = [f"--{name}={tmp_path}/{name}" for name in ("persist-file", "pidfile", "control")]
        argv = [str(binary), "--foreground", "--no-caps", "--stderr", f"--cfgfile={conf}", *state]
        with (tmp_path / "stderr").open("wb") as errors:
            processes.append(subprocess.Popen(argv, stderr=errors, stdout=subprocess.DEVNULL))
        return log

    yield start
    for process in processes:
        process.terminate()
        process.wait(timeout=20)


def test_syslog_ng(hec: Splunk, syslog_ng: Callable[[str], Path], tmp_path: Path) -> None:
    """Batches of stacked events; two refusals in between are sent again, none is lost or doubled."""
    log = syslog_ng("retries(20)")
    hec[0].hec.overload.set(9, 2)
    with log.open("a", encoding="utf-8") as file:
        for number in range(23):
            file.write(f'<34>Nov 20 10:00:00 sshd[{100 + number}]: failed "password" for ü {number}\n')
    found = until(23, hec)
    texts = [event.raw for event in found]
    assert sorted(texts) == sorted(f'failed "password" for ü {number}' for number in range(23)), tmp_path
    assert {event[2:5] for event in found} == {("gw1", "sshd", "syslog")}
    assert sorted(float(event.fields["pid"]) for event in found) == [100.0 + number for number in range(23)]
