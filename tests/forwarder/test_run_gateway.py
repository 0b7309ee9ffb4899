"""From a request at the real Envoy to an event in HEC, through the command that a user runs."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.forwarder.gateway_rig import Gateway
from tests.support.at_rest import modes, texts
from tests.support.waiting import free_port, listening, until

pytestmark = pytest.mark.gateway

RECEIVED = 'transactions_received{source="envoy"}'
ROTATIONS = 'log_rotations{source="envoy"}'
CARD = "4111111111111111"
PASSWORD = "Tr0ub4dor-and-3"
BEARER = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1c2VyLTcifQ.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with Gateway(tmp_path_factory.mktemp("gw")) as rig:
        rig.start_forwarder()
        yield rig


def test_json_post(gateway: Gateway) -> None:
    body = json.dumps({"card": CARD, "amount": 12, "password": PASSWORD}).encode()
    status, _ = gateway.send(
        "POST", "/orders/1042?coupon=x", body, content_type="application/json", authorization=f"Bearer {BEARER}"
    )
    event = gateway.event("/orders/1042")
    assert status == 200
    assert event["http_method"] == "POST"
    assert event["status"] == 200
    assert event["service"] == "shop"
    assert event["coverage"] == "complete"
    assert event["principal_kind"] == "jwt"
    assert "pci.pan" in event["data_classes"]
    assert event["src"] == "127.0.0.1"
    assert 0 < event["upstream_time"] <= event["response_time"]
    assert event["request_content_type"] == "application/json"
    assert event["bytes_in"] > len(body)
    assert CARD not in json.dumps(event)


def test_gzipped_answer_is_read(gateway: Gateway) -> None:
    gateway.send("GET", "/gzip")
    event = gateway.event("/gzip")
    assert event["coverage"] == "complete"
    assert "pii.email" in event["data_classes"]
    assert "ada@example.org" not in json.dumps(event)


def test_large_answer_passes_whole_and_is_marked(gateway: Gateway) -> None:
    _, body = gateway.send("GET", "/big")
    event = gateway.event("/big")
    assert len(json.loads(body)) == 20_000
    assert event["coverage"] == "truncated"
    assert any("response" in reason for reason in event["coverage_reasons"])


def test_fifty_megabytes_pass_whole_and_are_marked(gateway: Gateway) -> None:
    body = b'{"card": "4111111111111111", "fill": "' + b"x" * (50 * 2**20) + b'"}'
    _, answer = gateway.send("POST", "/huge", body, content_type="application/json")
    assert json.loads(answer)["received"] == len(body)
    event = gateway.event("/huge")
    assert event["coverage"] == "truncated"
    assert event["bytes_in"] >= len(body)
    assert "pci.pan" in event["data_classes"]
    assert "4111111111111111" not in json.dumps(event)


def test_server_sent_events_arrive_one_by_one(gateway: Gateway) -> None:
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as link:
        link.sendall(b"GET /events HTTP/1.1\r\nhost: shop.example\r\n\r\n")
        first = b""
        while b"data: 0" not in first:
            first += link.recv(65536)
        assert b"data: 3" not in first  # not held back until the end
        rest = b""
        while not rest.endswith(b"0\r\n\r\n"):
            rest += link.recv(65536)
    event = gateway.event("/events")
    assert event["http_content_type"] == "text/event-stream"
    assert event["bytes_out"] > 40


def test_head(gateway: Gateway) -> None:
    assert gateway.send("HEAD", "/head") == (200, b"")
    assert gateway.event("/head")["http_method"] == "HEAD"


def test_bytes_that_are_not_utf8(gateway: Gateway) -> None:
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as link:
        link.sendall(b"GET /latin HTTP/1.1\r\nhost: shop.example\r\nuser-agent: caf\xe9\r\nx-b: \xff\xfe\r\n\r\n")
        assert link.recv(65536).startswith(b"HTTP/1.1 200")
    assert gateway.event("/latin")["http_user_agent"] == "café"


def test_chunked_upload(gateway: Gateway) -> None:
    _, answer = gateway.send("POST", "/chunked", b'{"name": "x"}', chunked=True, content_type="application/json")
    assert json.loads(answer)["received"] == 13
    event = gateway.event("/chunked")
    assert event["coverage"] == "complete"
    assert any(field["path"] == "name" for field in event["request_fields"])


def test_a_client_does_not_choose_the_id(gateway: Gateway) -> None:
    gateway.send("GET", "/chosen", x_request_id="mine")
    assert gateway.event("/chosen")["id"] != "mine"


def test_the_copy_is_private(gateway: Gateway) -> None:
    gateway.send("GET", "/private")
    gateway.event("/private")
    spool = {mode for name, mode in modes(gateway.folder / "spool").items()}
    assert spool == {0o600}
    assert os.lstat(gateway.folder / "spool").st_mode & 0o777 == 0o700
    assert os.lstat(gateway.folder / "admin.sock").st_mode & 0o777 == 0o600
    assert set(modes(gateway.folder / "log").values()) == {0o600}


def test_health_counts(gateway: Gateway) -> None:
    gateway.send("GET", "/counted")
    gateway.event("/counted")

    def counted() -> bool:
        health = [one["event"] for one in gateway.hec.events("apisec:health")]
        return sum(one.get("events", {}).get("coverage=complete", 0) for one in health) >= 1 and any(
            one["hec_events_shipped"] for one in health
        )

    until(counted, 10, "health events")
    status = gateway.status()
    assert status["hec"]["state"] == "ok"
    assert status["counters"][RECEIVED] >= 1


def test_no_secret_rests_anywhere(gateway: Gateway) -> None:
    body = f"card={CARD}&password={PASSWORD}&note=%34111111111111111".encode()
    gateway.send(
        "POST",
        "/forms",
        body,
        content_type="application/x-www-form-urlencoded",
        authorization=f"Bearer {BEARER}",
        cookie=f"session={PASSWORD}",
    )
    gateway.event("/forms")
    kept = texts(gateway.folder / "spool")
    kept.update({path.name: path.read_bytes() for path in (gateway.forwarder_log, gateway.folder / "envoy.log")})
    kept["hec"] = b"\n".join(gateway.hec.bodies)
    for name, text in kept.items():
        for secret in (CARD, PASSWORD, BEARER, gateway.hec.token):
            assert secret.encode() not in text, name


def numbers(prefix: str, count: int) -> list[str]:
    return [f"/{prefix}/{number}" for number in range(count)]


def arrived(gateway: Gateway, paths: list[str]) -> bool:
    return set(paths) <= gateway.requested()


def test_killed_pipeline_is_restarted_and_loses_nothing(gateway: Gateway) -> None:
    paths, killed = numbers("killed", 60), [0]
    for at, path in enumerate(paths):
        if at in (20, 40):
            until(lambda: gateway.child_pid("worker-0a") != killed[-1], 20, "a new process")
            killed.append(gateway.child_pid("worker-0a"))
            os.kill(killed[-1], signal.SIGKILL)
        assert gateway.send("GET", path)[0] == 200
    until(lambda: arrived(gateway, paths), 30, "all transactions after the kills")


def test_traffic_flows_and_waits_while_the_forwarder_is_dead(gateway: Gateway) -> None:
    assert gateway.forwarder is not None
    gateway.forwarder.kill()
    paths = numbers("dead", 50)
    assert {gateway.send("GET", path)[0] for path in paths} == {200}
    assert not set(paths) & gateway.requested()
    gateway.start_forwarder()
    until(lambda: arrived(gateway, paths), 30, "the transactions of the outage")


def test_hec_restart_under_traffic(gateway: Gateway) -> None:
    """Each transaction arrives and is acknowledged; what comes twice carries the same id."""
    paths = numbers("restart", 60)
    for at, path in enumerate(paths):
        if at == 20:
            gateway.hec.stop()
        if at == 40:
            gateway.hec.start()
        assert gateway.send("GET", path)[0] == 200
    until(lambda: arrived(gateway, paths), 40, "all transactions after the restart")
    events = [one["event"] for one in gateway.hec.events("apisec:transaction") if one["event"]["uri_path"] in paths]
    assert len({event["id"] for event in events}) == len(paths)
    until(lambda: {event["id"] for event in events} <= set(gateway.hec.acknowledged), 20, "acknowledgements")
    # health events come twice a second, so that the spool is hardly ever quite empty
    until(lambda: gateway.status()["gauges"]["spool_bytes"] < 8_000, 20, "an empty spool")


def test_stop_drains_and_exits_zero(gateway: Gateway) -> None:
    paths = numbers("last", 20)
    for path in paths:
        gateway.send("GET", path)
    assert gateway.forwarder is not None
    until(lambda: b"/last/19" in (gateway.folder / "log" / "access.json").read_bytes() or arrived(gateway, paths), 10)
    assert gateway.forwarder.end() == 0
    until(lambda: arrived(gateway, paths), 1, "what was in the log at the stop")


def test_rotation_under_traffic(tmp_path: Path) -> None:
    with Gateway(tmp_path, rotate_bytes=64 * 1024) as gateway:
        gateway.start_forwarder()
        paths = numbers("rotate", 400)
        for at, path in enumerate(paths):
            if at in (150, 300):
                until(lambda: arrived(gateway, paths[:150]), 30, "the first transactions")
            gateway.send("POST", path, b"x" * 600, content_type="text/plain")
        until(lambda: arrived(gateway, paths), 30, "all transactions across rotations")
        ids = gateway.hec.ids()
        assert len(ids) == len(set(ids)) == len(paths)
        until(lambda: gateway.status()["counters"].get(ROTATIONS, 0) >= 2, 10, "two rotations")
        gateway.send("GET", "/rotate/end")  # shows that Envoy writes elsewhere, if the last rotation was just now
        until(lambda: len(list((tmp_path / "log").iterdir())) <= 2, 20, "rotated files are deleted")
        assert set(modes(tmp_path / "log").values()) == {0o600}


def test_both_processes(tmp_path: Path) -> None:
    """With ``admin`` and ``decisions``, the control process runs beside the pipeline, fed by it; each may die."""
    with Gateway(tmp_path, control=True) as gateway:
        gateway.send("GET", "/one")
        gateway.event("/one")

        def status() -> dict[str, Any]:
            answer = requests.get(
                f"https://127.0.0.1:{gateway.admin_port}/v1/status",
                headers={"Authorization": f"Bearer {gateway.admin_token}"},
                verify=str(tmp_path / "c.pem"),
                timeout=5,
            )
            document: dict[str, Any] = answer.json() if answer.ok else {}
            return document

        until(
            lambda: (status().get("pipeline") or {}).get("counters", {}).get(RECEIVED) == 1,
            10,
        )
        os.kill(gateway.child_pid("control"), signal.SIGKILL)
        assert gateway.send("GET", "/two")[0] == 200
        gateway.event("/two")
        until(lambda: gateway.forwarder_log.read_text().count('"child": "control"') >= 3, 20, "control again")
        until(lambda: listening(gateway.admin_port) and status().get("pipeline"), 20, "the admin API again")
        assert gateway.forwarder is not None
        assert gateway.forwarder.end() == 0
        assert gateway.send("GET", "/three")[0] == 200  # nobody is there: traffic flows


def test_workers_share_a_gateway(tmp_path: Path) -> None:
    """Envoy deals transactions out to a log for each worker; one that is killed leaves the others alone."""
    with Gateway(tmp_path, rotate_bytes=64 * 1024, workers=3) as gateway:
        gateway.start_forwarder()
        paths = numbers("shared", 300)
        for at, path in enumerate(paths):
            if at == 100:
                until(lambda: arrived(gateway, paths[:100]), 30, "the first transactions")
                os.kill(gateway.child_pid("worker-1a"), signal.SIGKILL)
            gateway.send("POST", path, b"x" * 600, content_type="text/plain")
        until(lambda: arrived(gateway, paths), 40, "all transactions")
        sources = {"worker-0a": "envoy", "worker-1a": "envoy-1", "worker-2a": "envoy-2"}

        def counted() -> dict[str, float]:
            processes = gateway.status()["processes"]
            return {
                name: processes.get(name, {}).get("counters", {}).get(f'transactions_received{{source="{source}"}}', 0)
                for name, source in sources.items()
            }

        until(lambda: min(counted().values()) >= 40, 20, "a part for each worker")
        starts = 'process_starts{process="worker-1a"}'
        until(lambda: gateway.status()["counters"].get(starts) == 2, 20, "the second start")
        assert len(set(gateway.hec.ids())) == len(paths)


def test_the_configuration_is_read_again_under_load(tmp_path: Path) -> None:
    """Reloads while requests come: more workers, fewer, a bad configuration. What was sent is what arrives, once."""
    with Gateway(tmp_path, rotate_bytes=64 * 1024, workers=2) as gateway:
        process = gateway.start_forwarder()
        good = gateway.config.read_text()
        stages = [good.replace("count: 2", "count: 3"), "gateway: {}\n", good.replace("count: 2", "count: 1")]
        outcomes = ["reloaded", "reload_refused", "reloaded"]
        stop, sent = threading.Event(), list[str]()

        def requests_come() -> None:
            while not stop.is_set():
                path = f"/again/{len(sent)}"
                gateway.send("POST", path, b"y" * 300, content_type="text/plain")
                sent.append(path)

        client = threading.Thread(target=requests_come)
        client.start()
        try:
            until(lambda: "supervisor.ready" in gateway.forwarder_log.read_text(), 30, "the start")
            for at, text in enumerate(stages):
                count = len(sent)
                until(lambda: len(sent) > count + 20, 30, "more requests")  # noqa: B023
                gateway.config.write_text(text)
                os.kill(process.pid, signal.SIGHUP)
                event = f"supervisor.{outcomes[at]}"
                times = outcomes[: at + 1].count(outcomes[at])
                until(lambda: gateway.forwarder_log.read_text().count(event) >= times, 40, event)  # noqa: B023
        finally:
            stop.set()
            client.join(30)
        until(lambda: arrived(gateway, sent), 40, "all transactions")
        ids = gateway.hec.ids()
        assert len(ids) == len(set(ids)) == len(sent)
        assert gateway.forwarder is not None
        assert gateway.forwarder.end() == 0
        assert len(gateway.hec.ids()) == len(sent)


def test_metrics_without_the_admin_api(tmp_path: Path) -> None:
    port = free_port()
    with Gateway(tmp_path, more=f'metrics: {{listen: "127.0.0.1:{port}"}}\n') as gateway:
        gateway.start_forwarder()
        gateway.send("GET", "/measured")
        gateway.event("/measured")

        def get(path: str) -> tuple[int, str]:
            answer = requests.get(f"http://127.0.0.1:{port}{path}", timeout=10)
            return answer.status_code, answer.text

        wanted = f"apisec_{RECEIVED.replace('{', '_total{')} 1\n"
        until(lambda: wanted in get("/metrics")[1], 20, "the count")
        until(lambda: get("/readyz") == (200, '{"ready": true, "causes": []}\n'), 20, "readiness")
        assert get("/healthz")[0] == 200
        assert get("/other")[0] == 404
        text = get("/metrics")[1]
        assert "# TYPE apisec_transaction_lag_seconds histogram" in text
        assert 'apisec_resident_bytes{process="worker-0a"}' in text
        names = {line.split()[2] for line in text.splitlines() if line.startswith("# HELP")}
        undescribed = [line for line in text.splitlines() if line.startswith("# HELP") and len(line.split()) <= 4]
        assert len(names) > 15
        assert undescribed == []


def test_the_native_engine_beside_a_gateway(tmp_path: Path) -> None:
    body = json.dumps({"card": CARD, "password": PASSWORD, "note": "hello"}).encode()
    with Gateway(tmp_path, engine="native") as gateway:
        gateway.start_forwarder()
        gateway.send("POST", "/native", body, content_type="application/json")
        event = gateway.event("/native", seconds=120)
        assert "pci.pan" in event["data_classes"]
        assert CARD not in json.dumps(event)
        lanes = 'transactions_analysed{lane="native"}'
        until(lambda: gateway.status()["counters"].get(lanes) == 1, 20, "the lane")
        assert gateway.status()["processes"]["worker-0a"]["engine"] == "native"
