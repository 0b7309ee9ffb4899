"""What operators see and install: metrics, health, readiness, systemd's protocol and units, the image."""

from __future__ import annotations

import configparser
import dataclasses
import json
import logging
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from apisec.errors import ConfigError
from apisec_forwarder import config as configuration
from apisec_forwarder import health, logs, metrics, status
from apisec_forwarder.config import Address, HttpReceiver, Receiver
from apisec_forwarder.endpoint import Endpoint
from apisec_forwarder.metrics import LATENCY_SECONDS, Metrics, prometheus_text
from apisec_forwarder.notify import Notifier
from apisec_forwarder.receivers.registry import close_sockets, open_sockets
from tests.support.processes import forwarder

ROOT = Path(__file__).parents[2]
PACKAGING = ROOT / "packaging"
SAMPLE = re.compile(r'apisec_[a-z_]+(\{[a-z]+="[^"\\\n]*"(,[a-z]+="[^"\\\n]*")*\})? -?[0-9.e+-]+')


@pytest.fixture
def config(tmp_path: Path) -> configuration.Config:
    (tmp_path / "spool").mkdir(mode=0o700)
    (tmp_path / "f.yaml").write_text(
        "gateway: {name: edge-1, env: DEV}\nreceiver: {envoy: {log: a.json}}\nkeys: {file: k}\n"
        "spool: {directory: spool}\nhec: {url: 'http://127.0.0.1:1', token_file: t}\n"
    )
    return configuration.load(tmp_path / "f.yaml")


# --- metrics and status ----------------------------------------------------------------------------------------


@given(st.lists(st.floats(0, 1e5), max_size=50))
def test_a_histogram_counts_everything_once(values: list[float]) -> None:
    made = Metrics()
    made.observe("hec_delivery_seconds", values)
    lines = prometheus_text(made.snapshot()).splitlines()
    buckets = {line.split('"')[1]: int(line.split()[-1]) for line in lines if "_bucket{" in line}
    for bound in LATENCY_SECONDS:
        assert buckets[str(bound)] == sum(value <= bound for value in values)
    assert buckets["+Inf"] == len(values)
    assert f"apisec_hec_delivery_seconds_count {len(values)}" in lines


def test_a_successor_goes_on_counting() -> None:
    first = Metrics()
    first.inc("events", 3, coverage="complete")
    first.total("log_rotations", 2)
    first.observe("hec_delivery_seconds", [1.0])
    second = Metrics(first.snapshot())
    second.inc("events", 1, coverage="complete")
    second.total("log_rotations", 1)  # counted from zero in the new process
    second.observe("hec_delivery_seconds", [1.0])
    assert second.snapshot()["counters"] == {'events{coverage="complete"}': 4, "log_rotations": 3}
    assert sum(second.snapshot()["histograms"]["hec_delivery_seconds"]["counts"]) == 2


def written(config: configuration.Config, process: str, counters: dict[str, float], **gauges: float) -> None:
    made = Metrics({"counters": counters})
    for name, value in gauges.items():
        made.gauge(name, value)
    status.write(config, process, made.snapshot())


def test_sums_over_processes(config: configuration.Config) -> None:
    events = 'events{coverage="complete"}'
    written(config, "worker-0a", {events: 3}, lag_seconds=0.5, unread_bytes=10, resident_bytes=100)
    written(config, "worker-1a", {events: 4}, lag_seconds=2.5, unread_bytes=20, resident_bytes=200)
    whole = status.collect(config, time.time())
    assert whole["counters"][events] == 7
    assert (whole["gauges"]["lag_seconds"], whole["gauges"]["unread_bytes"]) == (2.5, 30)
    assert whole["gauges"]['resident_bytes{process="worker-1a"}'] == 200
    later = status.collect(config, time.time() + 3600)  # none of them reports any more
    assert later["counters"][events] == 7
    assert "unread_bytes" not in later["gauges"]
    assert later["gauges"]['process_up{process="worker-0a"}'] == 0
    assert status.readiness(later)["causes"] == ["no worker runs"]
    for line in prometheus_text(whole).splitlines():
        assert line.startswith("#") or SAMPLE.fullmatch(line), line


def test_health_tells_each_count_once(config: configuration.Config) -> None:
    events, before, told = 'events{coverage="complete"}', dict[str, Any](), list[dict[str, Any]]()
    for total in (3, 3, 10):
        written(config, "worker-0a", {events: total, "spool_errors": 1})
        document = status.collect(config, time.time())
        told.append(health.health_event(config, before, document))
        before = json.loads(json.dumps(document))  # as the exporter keeps it
    assert [one.get("events", {}).get("coverage=complete", 0) for one in told] == [3, 0, 7]
    assert [one.get("spool_errors", 0) for one in told] == [1, 0, 0]
    assert [one["processes"]["worker-0a"].get("events", {}) for one in told][2] == {"coverage=complete": 7}
    assert told[1]["transactions_received"] == 0


# --- logs ------------------------------------------------------------------------------------------------------


def test_a_storm_of_one_event_is_held_back_and_counted() -> None:
    now = [0.0]
    limit = logs.RateLimit(lambda: now[0])

    def passes(event: str) -> logging.LogRecord | None:
        record = logging.LogRecord("apisec_forwarder.worker", logging.ERROR, "", 0, event, (), None)
        return record if limit.filter(record) else None

    assert sum(passes("spool.full") is not None for _ in range(1000)) == logs.BURST
    assert passes("worker.started") is not None  # others are not held back
    now[0] = logs.WINDOW_SECONDS
    first = passes("spool.full")
    assert first is not None
    assert json.loads(logs.JsonFormatter("worker-0a").format(first))["held_back"] == 1000 - logs.BURST
    again = passes("spool.full")
    assert again is not None
    assert "held_back" not in json.loads(logs.JsonFormatter("worker-0a").format(again))


# --- shared sockets ----------------------------------------------------------------------------------------


def test_sockets_are_taken_over_where_the_address_stays(config: configuration.Config, tmp_path: Path) -> None:
    def listening_on(**changes: Any) -> configuration.Config:
        http = HttpReceiver(socket=tmp_path / changes.pop("socket", "http.sock"), **changes)
        return dataclasses.replace(config, receiver=Receiver(http=http))

    first = open_sockets(listening_on())
    second = open_sockets(listening_on(max_bytes=1000), first)
    assert second["http"] is first["http"]
    close_sockets(first, keep=second)
    assert second["http"].socket.fileno() >= 0
    third = open_sockets(listening_on(socket="other.sock"), second)
    close_sockets(second, keep=third)
    assert second["http"].socket.fileno() == -1
    close_sockets(third, keep={})
    assert open_sockets(config) == {}


# --- the endpoint ----------------------------------------------------------------------------------------------


@pytest.fixture
def endpoint(config: configuration.Config) -> Iterator[Endpoint]:
    made = Endpoint(Address("127.0.0.1", 0), lambda: status.collect(config, time.time()))
    made.start()
    yield made
    made.close()


def get(endpoint: Endpoint, path: str, method: str = "GET") -> requests.Response:
    return requests.request(method, f"http://127.0.0.1:{endpoint.port}{path}", timeout=20)


def test_the_endpoint(endpoint: Endpoint, config: configuration.Config) -> None:
    assert get(endpoint, "/healthz").status_code == 200
    assert get(endpoint, "/readyz").json() == {"ready": False, "causes": ["no worker runs"]}
    written(config, "worker-0a", {'events{coverage="complete"}': 3})
    assert get(endpoint, "/readyz").status_code == 200
    answer = get(endpoint, "/metrics?x=1")
    assert 'apisec_events_total{coverage="complete"} 3' in answer.text
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert get(endpoint, "/healthz", "POST").status_code == 405
    assert get(endpoint, "/../etc/passwd").status_code == 404


@pytest.mark.parametrize("raw", [b"", b"x" * 100_000, b"GET /metrics", b"\r\n\r\n", b"GET \xff\xfe HTTP/1.1\r\n\r\n"])
def test_the_endpoint_survives_what_is_no_request(endpoint: Endpoint, raw: bytes) -> None:
    with socket.create_connection(("127.0.0.1", endpoint.port), timeout=20) as link:
        try:
            link.sendall(raw)
            link.shutdown(socket.SHUT_WR)
            while link.recv(65536):
                pass
        except OSError:
            pass  # it hung up on us
    assert get(endpoint, "/healthz").status_code == 200


def test_silent_clients_do_not_fill_the_endpoint(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apisec_forwarder.endpoint.REQUEST_SECONDS", 0.3)
    links = [socket.create_connection(("127.0.0.1", endpoint.port), timeout=20) for _ in range(40)]
    for link in links:
        assert link.recv(1) == b""  # each is closed, at once or after its time
        link.close()
    assert get(endpoint, "/healthz").status_code == 200


def test_a_taken_port_is_an_error_of_the_configuration(endpoint: Endpoint) -> None:
    with pytest.raises(ConfigError, match=r"metrics\.listen: cannot listen"):
        Endpoint(Address("127.0.0.1", endpoint.port), dict)


def test_readiness_names_its_causes() -> None:
    worker = {"process": "worker-0a", "age": 1.0, "spool": "full"}
    document = {"processes": {"worker-0a": worker}, "hec": {"state": "refused"}}
    assert status.readiness(document)["causes"] == ["worker-0a: spool full", "HEC refuses the token"]
    assert status.readiness({**document, "age": 99.0})["causes"] == ["the exporter does not report"]


def test_the_status_command(config: configuration.Config) -> None:
    def ask(*more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(forwarder("status", "--config", str(config.path), *more), capture_output=True, text=True)

    done = ask()
    assert done.returncode == 1
    assert done.stdout == "not ready: no forwarder runs with this configuration\n"
    written(config, "worker-0a", {"transactions_failed": 1}, resident_bytes=50 * 2**20, lag_seconds=0.0)
    configuration.status_file(config).write_text(json.dumps(status.collect(config, time.time())))
    done = ask()
    assert done.returncode == 0, done.stdout
    assert re.search(r"worker-0a +runs +pid [0-9]+ +50 MiB", done.stdout)
    assert json.loads(ask("--json").stdout)["ready"] is True


# --- systemd ---------------------------------------------------------------------------------------------------


def test_what_systemd_hears(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(tmp_path / "notify"))
        heard.settimeout(20)
        notifier = Notifier({"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "2000000"})
        notifier.ready()
        assert heard.recv(4096).splitlines()[0] == b"READY=1"
        notifier.reloading()
        lines = heard.recv(4096).splitlines()
        assert lines[0] == b"RELOADING=1"
        assert re.fullmatch(rb"MONOTONIC_USEC=[0-9]+", lines[1])
        for now in (0.0, 0.5, 1.0, 1.5):
            notifier.alive(now)
        assert [heard.recv(4096) for _ in range(2)] == [b"WATCHDOG=1"] * 2
        notifier.stopping()
        assert heard.recv(4096).startswith(b"STOPPING=1")


@pytest.mark.parametrize("environment", [{}, {"NOTIFY_SOCKET": "/nowhere/s"}, {"NOTIFY_SOCKET": "vsock:2:1"}])
def test_without_systemd_nothing_happens(environment: dict[str, str]) -> None:
    Notifier(environment).ready()


def unit(name: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",), comment_prefixes=("#",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(PACKAGING / "systemd" / name)
    return parser


def test_the_packaged_configuration_is_good_and_fits_the_units() -> None:
    text = (PACKAGING / "forwarder.yaml").read_text("utf-8")
    config, errors = configuration.parse(text, Path("/etc/apisec/forwarder.yaml"))
    assert errors == []
    assert config is not None
    assert config.receiver.envoy is not None
    service, mount = unit("apisec-forwarder.service")["Service"], unit("run-apisec-copy.mount")["Mount"]
    assert str(config.receiver.envoy.log.parent) == mount["Where"]
    assert mount["Where"] == "/" + "run-apisec-copy".replace("-", "/")  # systemd wants the unit's name so
    writable = service["ReadWritePaths"].split()
    for path in (config.spool.directory, config.receiver.envoy.log, config.receiver.envoy.admin_socket):
        assert any(str(path).startswith(root) for root in writable)
    made = {line.split()[1] for line in (PACKAGING / "tmpfiles.d/apisec.conf").read_text().splitlines()[1:]}
    assert {*writable, service["ReadOnlyPaths"]} == made
    assert service["User"] in (PACKAGING / "sysusers.d/apisec.conf").read_text()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not here")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    for path in (PACKAGING / "systemd").iterdir():  # the command is not installed where the tests run
        text = path.read_text("utf-8").replace("/opt/apisec/bin/apisec-forwarder", "/bin/true")
        (tmp_path / path.name).write_text(text)
    units = [str(path) for path in tmp_path.iterdir()]
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True)
    ours = [line for line in done.stderr.splitlines() if "apisec" in line]
    assert ours == []
    service = tmp_path / "apisec-forwarder.service"
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", service], capture_output=True, text=True)
    exposure = re.search(r"exposure level.*: ([0-9.]+)", done.stdout)
    assert exposure is not None, done.stderr
    assert float(exposure[1]) <= 2.0


def test_every_metric_is_described() -> None:
    names = set(re.findall(r'(?:inc|total|gauge|observe)\(\s*"([a-z_]+)"', _sources()))
    of_sources = re.findall(r'(?m)^[A-Z_]+ = "([a-z_]+)"|(?<![a-z])\("([a-z_]+)", ""\)', _sources("receivers"))
    names |= {one or other for one, other in of_sources}
    assert len(names) > 30
    assert names - set(metrics.HELP) == set()


def _sources(room_name: str = "") -> str:
    room = Path(metrics.__file__).parent / room_name
    return "\n".join(path.read_text("utf-8") for path in room.rglob("*.py") if path.name != "metrics.py")


def test_the_metrics_of_the_documentation_exist() -> None:
    text = (ROOT / "docs/operations.md").read_text("utf-8")
    named = set(re.findall(r"`apisec_([a-z_]+)", text))
    assert len(named) > 10
    assert {name.removesuffix("_total") for name in named} - set(metrics.HELP) == set()
