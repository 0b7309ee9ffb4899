"""External processing with the real Envoy: what it copies is whole, and what is lost is counted."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from apisec.model.transaction import Transaction, header
from apisec_forwarder import config as configuration
from apisec_forwarder.config import Address, Config
from apisec_forwarder.gateway import envoy
from apisec_forwarder.receivers.base import DROPPED, Place
from apisec_forwarder.receivers.ext_proc import ExtProcSource, listen, open_source
from tests.support.certificates import self_signed
from tests.support.hec import FakeHec
from tests.support.processes import Process, forwarder, start_envoy
from tests.support.upstream import Upstream
from tests.support.waiting import free_port, until

CONFIG = """
gateway: {{name: edge-1, env: DEV}}
services: [{{name: shop, team: commerce, hosts: ["*"], index: apisec}}]
receiver: {{ext_proc: {{{endpoint}, admin_socket: admin.sock, body_bytes: 4MiB{more}}}}}
keys: {{file: keys.json}}
spool: {{directory: spool, sync_seconds: 0.1}}
hec: {{url: "http://127.0.0.1:{port}", token_file: hec.token, batch_seconds: 0.05}}
health: {{interval_seconds: 0.5}}
workers: {{engine: pure}}
"""


def config(folder: Path, more: str = "", port: int = 1, endpoint: str = "socket: copy.sock") -> Config:
    text = CONFIG.format(more=more, port=port, endpoint=endpoint)
    (folder / "forwarder.yaml").write_text(text)
    found, errors = configuration.parse(text, folder / "forwarder.yaml")
    assert found is not None, errors
    return found


@dataclass
class Edge:
    """Envoy, an API behind it, and the source that takes the copy."""

    port: int
    source: ExtProcSource
    envoy: Process
    folder: Path
    found: list[Transaction] = field(default_factory=list)

    def ask(self, method: str, target: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        link.request(method, target, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = link.getresponse()
        data = answer.read()
        link.close()
        return answer.status, data

    def transaction(self, path: str) -> Transaction:
        def one() -> list[Transaction]:
            self.found += self.source.read()
            self.source.commit()
            return [one for one in self.found if one.request.target.partition("?")[0] == path]

        return until(one, 60, f"{path}: {self.source.counters()} {self.source.gauges()}")[0]


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    folder = tmp_path_factory.mktemp("ext_proc")
    found = config(folder)
    assert found.receiver.ext_proc is not None
    port = free_port()
    source = open_source(found.receiver.ext_proc, Place("edge-1", folder))
    with Upstream() as upstream:
        built = envoy.build(found, Address("127.0.0.1", port), Address("127.0.0.1", upstream.port), streamed=True)
        (folder / "envoy.yaml").write_text(envoy.render(built))
        with start_envoy(folder / "envoy.yaml", port, folder / "envoy.log") as process:
            yield Edge(port, source, process, folder)
    source.close()


@pytest.mark.gateway
def test_a_request_and_its_answer_are_whole(edge: Edge) -> None:
    body = '{"name": "Ünal"}'.encode()
    assert edge.ask("POST", "/echo?a=b%20c", body, x_b="caf\xe9", content_type="application/json") == (200, body)
    found = edge.transaction("/echo")
    assert (found.request.method, found.request.target, found.gateway) == ("POST", "/echo?a=b%20c", "edge-1")
    assert header(found.request.headers, "x-b") == "café"
    assert found.request.host == f"127.0.0.1:{edge.port}"
    assert found.request.body.data == body
    assert not found.request.body.truncated
    assert found.response is not None
    assert (found.response.status, found.response.body.data) == (200, body)
    assert found.client.address == "127.0.0.1"
    assert found.client.port
    assert found.id == header(found.request.headers, "x-request-id")
    assert found.duration is not None
    assert found.duration > 0
    assert found.upstream_time is not None
    assert 0 <= found.upstream_time <= found.duration
    assert abs(found.time - (edge.folder / "envoy.yaml").stat().st_mtime) < 600  # Envoy's clock, in seconds
    assert not any(name.startswith(":") for name, _ in found.request.headers)


@pytest.mark.gateway
def test_large_bodies_are_whole_far_above_what_a_log_line_takes(edge: Edge) -> None:
    big = os.urandom(3_000_000)
    assert edge.ask("POST", "/echo?big", big) == (200, big)
    found = until(
        lambda: [one for one in [edge.transaction("/echo"), *edge.found] if one.request.body.size > 10**6], 60
    )
    assert found[0].request.body.data == big
    assert found[0].response is not None
    assert found[0].response.body.data == big


@pytest.mark.gateway
def test_compressed_chunked_and_empty(edge: Edge) -> None:
    edge.ask("GET", "/gzip")
    link = http.client.HTTPConnection("127.0.0.1", edge.port, timeout=30)
    link.request("POST", "/chunks", iter([b'{"a"', b": 1}"]), encode_chunked=True)
    assert link.getresponse().read()
    link.close()
    assert edge.ask("HEAD", "/head") == (200, b"")
    packed = edge.transaction("/gzip").response
    assert packed is not None
    assert gzip.decompress(packed.body.data) == b'{"email":"ada@example.org"}'
    assert edge.transaction("/chunks").request.body.data == b'{"a": 1}'
    empty = edge.transaction("/head")
    assert empty.response is not None
    assert empty.response.body.data == b""
    assert not empty.response.body.truncated


@pytest.mark.gateway
def test_events_pass_as_they_come_and_are_copied_also_when_the_client_leaves(edge: Edge) -> None:
    with socket.create_connection(("127.0.0.1", edge.port), timeout=30) as link:
        link.sendall(b"GET /events HTTP/1.1\r\nhost: shop\r\n\r\n")
        data = b""
        while b"data: 1" not in data:
            data += link.recv(65536)
        assert b"data: 3" not in data
    response = edge.transaction("/events").response
    assert response is not None
    assert b"data: 0" in response.body.data
    assert edge.source.counters()["transactions_unended", ""] >= 1


@pytest.mark.gateway
def test_a_client_that_leaves_in_its_request_leaves_a_gap_that_is_seen(edge: Edge) -> None:
    with socket.create_connection(("127.0.0.1", edge.port), timeout=30) as link:
        link.sendall(b"POST /left HTTP/1.1\r\nhost: shop\r\ncontent-length: 900\r\n\r\n" + b"x" * 100)
        until(lambda: edge.source.gauges()["open_streams"] > 0, 30, "the stream")
    found = edge.transaction("/left")
    assert found.response is None
    assert found.request.body.truncated


@pytest.mark.gateway
def test_where_the_queue_is_full_copies_are_dropped_and_counted_and_the_gateway_goes_on(tmp_path: Path) -> None:
    found = config(tmp_path, ", queue: {count: 3}")
    settings = found.receiver.ext_proc
    assert settings is not None
    held = listen(settings)
    source = open_source(settings, Place("edge-1", tmp_path, sockets={"ext_proc": held}))
    port = free_port()
    with Upstream() as upstream:
        built = envoy.build(found, Address("127.0.0.1", port), Address("127.0.0.1", upstream.port), streamed=True)
        (tmp_path / "envoy.yaml").write_text(envoy.render(built))
        with start_envoy(tmp_path / "envoy.yaml", port, tmp_path / "envoy.log") as process:
            edge = Edge(port, source, process, tmp_path)
            assert [edge.ask("GET", f"/{number}")[0] for number in range(8)] == [200] * 8
            until(lambda: source.counters().get((DROPPED, "queue_full")) == 5, 30, "five drops")
            assert len(source.read()) == 3
            source.drain(handover=True)
            successor = open_source(settings, Place("edge-1", tmp_path, sockets={"ext_proc": held}))
            edge.source = successor
            assert edge.ask("GET", "/after")[0] == 200
            edge.transaction("/after")
            source.close()
            successor.close()
            held.close()
            assert [edge.ask("GET", f"/dead{number}")[0] for number in range(3)] == [200] * 3
            later = open_source(settings, Place("edge-1", tmp_path))
            # what was begun while nobody listened, and between the last question and the end
            assert later.counters()["gateway_copies_begun", ""] >= 3
            assert ("copies_begun", "") not in later.counters()
            later.close()


@pytest.mark.gateway
def test_over_the_network_both_sides_show_certificates(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    address = f"127.0.0.1:{free_port()}"
    tls = f"listen: '{address}', tls_certificate: {certificate}, tls_key: {key}, client_ca: {certificate}"
    found = config(tmp_path, endpoint=tls)
    assert found.receiver.ext_proc is not None
    source = open_source(found.receiver.ext_proc, Place("edge-1", tmp_path))
    port = free_port()
    with Upstream() as upstream:
        built = envoy.build(found, Address("127.0.0.1", port), Address("127.0.0.1", upstream.port), streamed=True)
        names = {"<CA of the forwarder's certificate>": certificate, "<Envoy's certificate>": certificate}
        text = envoy.render(built)
        for placeholder, path in {**names, "<its key>": key}.items():
            assert placeholder in text
            text = text.replace(placeholder, str(path))
        (tmp_path / "envoy.yaml").write_text(text)
        with start_envoy(tmp_path / "envoy.yaml", port, tmp_path / "envoy.log") as process:
            edge = Edge(port, source, process, tmp_path)
            assert edge.ask("POST", "/echo", b"over TLS") == (200, b"over TLS")
            assert edge.transaction("/echo").request.body.data == b"over TLS"
    source.close()


@pytest.mark.gateway
def test_the_forwarder_ships_what_envoy_streams(tmp_path: Path) -> None:
    with FakeHec() as hec, Upstream() as upstream:
        (tmp_path / "hec.token").write_text(hec.token)
        (tmp_path / "hec.token").chmod(0o600)
        subprocess.run(forwarder("keys", "generate", "--output", str(tmp_path / "keys.json")), check=True)
        config(tmp_path, port=hec.port)
        port, path = free_port(), str(tmp_path / "forwarder.yaml")
        command = forwarder("gateway", "--for", "envoy-ext-proc", "--config", path, "--listen", f"127.0.0.1:{port}")
        made = subprocess.run([*command, "--upstream", f"127.0.0.1:{upstream.port}"], check=True, capture_output=True)
        (tmp_path / "envoy.yaml").write_bytes(made.stdout)
        log = tmp_path / "forwarder.log"
        with (
            Process(forwarder("run", "--config", path), log) as running,
            start_envoy(tmp_path / "envoy.yaml", port, tmp_path / "envoy.log"),
        ):
            until(lambda: "supervisor.ready" in log.read_text(), 120, "the forwarder")
            link = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            link.request("POST", "/echo", json.dumps({"card": "4111 1111 1111 1111"}), {"host": "shop"})
            assert link.getresponse().read()
            link.close()
            until(lambda: hec.ids(), 60, "the event")
            os.kill(running.pid, signal.SIGTERM)
            until(lambda: not running.running(), 60, "the end")
        event = hec.events("apisec:transaction")[0]["event"]
        assert event["coverage"] == "complete"
        assert "4111" not in json.dumps(event)
