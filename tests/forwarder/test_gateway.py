"""The generated Envoy configuration: accepted by the real Envoy, private, and complete in what it logs."""

from __future__ import annotations

import http.client
import socket
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from apisec.model.transaction import Transaction
from apisec_forwarder import config as configuration
from apisec_forwarder.config import Address, Config
from apisec_forwarder.enforcement import ecds
from apisec_forwarder.gateway import envoy
from apisec_forwarder.gateway.admin import EnvoyAdmin
from apisec_forwarder.receivers.envoy import parse
from tests.support.certificates import self_signed
from tests.support.processes import Process, envoy_binary, forwarder, start_envoy
from tests.support.upstream import Upstream
from tests.support.waiting import free_port, until

BASE = """
gateway: {name: edge-1, env: DEV}
receiver: {envoy: {log: log/access.json, admin_socket: admin.sock, request_bytes: 1000, response_bytes: 2000}}
keys: {file: keys.json}
spool: {directory: spool}
hec: {url: "http://127.0.0.1:8088", token_file: hec.token}
"""
CONTROL = """
admin: {listen: "127.0.0.1:9443", tls_certificate: c.pem, tls_key: k.pem, tokens_file: t.json}
decisions: {socket: a.sock, feed_socket: f.sock, ecds_directory: ecds, store: patterns}
"""
LISTEN, UPSTREAM = Address("127.0.0.1", 8080), Address("127.0.0.1", 9000)


def config(folder: Path, text: str = BASE) -> Config:
    found, errors = configuration.parse(text, folder / "f.yaml")
    assert found is not None, errors
    return found


def test_capture_stands_first_and_the_router_last(tmp_path: Path) -> None:
    built = envoy.build(config(tmp_path, BASE + CONTROL), LISTEN, UPSTREAM)
    manager = built["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    names = [one["name"] for one in manager["http_filters"]]
    assert names[0] == "apisec.capture"
    assert names[-1] == "envoy.filters.http.router"
    assert len(names) > 2
    assert len(built["static_resources"]["clusters"]) == 2


def test_what_is_printed_is_what_was_built(tmp_path: Path) -> None:
    built = envoy.build(config(tmp_path), LISTEN, UPSTREAM)
    assert yaml.safe_load(envoy.render(built)) == built


def test_without_an_admin_socket_envoy_has_no_admin_interface(tmp_path: Path) -> None:
    text = BASE.replace("admin_socket: admin.sock, ", "")
    assert "admin" not in envoy.build(config(tmp_path, text), LISTEN, UPSTREAM)


@pytest.mark.parametrize(
    "options",
    [
        ["--listen", "127.0.0.1", "--upstream", "a:1"],
        ["--listen", "127.0.0.1:1", "--upstream", "a:1", "--tls-key", "k"],
        ["--listen", "127.0.0.1:1", "--upstream", "a:1", "--client-ca", "k"],
        ["--listen", "127.0.0.1:1", "--upstream", "a:1", "--trusted-hops", "-1"],
    ],
)
def test_bad_options(tmp_path: Path, options: list[str]) -> None:
    (tmp_path / "f.yaml").write_text(BASE)
    done = subprocess.run(
        forwarder("gateway", "--config", str(tmp_path / "f.yaml"), *options), capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stdout == ""


def read_answer(link: ssl.SSLSocket) -> bytes:
    """Read to the end of the body: a client that leaves after the head cuts what the gateway copies."""
    answer = http.client.HTTPResponse(link)
    answer.begin()
    body = answer.read()
    return f"HTTP/1.1 {answer.status} {answer.reason}\r\n\r\n".encode() + body


@dataclass
class Edge:
    """A TLS gateway; ``transactions`` reads its log."""

    folder: Path
    port: int
    upstream: Upstream
    process: Process

    def connect(self, client_certificate: bool = False) -> ssl.SSLSocket:
        context = ssl.create_default_context(cafile=self.folder / "c.pem")
        if client_certificate:
            context.load_cert_chain(self.folder / "c.pem", self.folder / "k.pem")
        link = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        return context.wrap_socket(link, server_hostname="localhost")

    def ask(self, request: bytes, client_certificate: bool = False) -> bytes:
        with self.connect(client_certificate) as link:
            link.sendall(request)
            return read_answer(link)

    def transactions(self, target: str, count: int = 1) -> list[Transaction]:
        log = self.folder / "log" / "access.json"

        def found() -> list[Transaction]:
            every = [parse(line) for line in log.read_bytes().splitlines()]
            return [one for one in every if one.request.target == target]

        return until(lambda: found() if len(found()) >= count else [], 10, target)


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    folder = tmp_path_factory.mktemp("edge")
    (folder / "log").mkdir()
    certificate, key = self_signed(folder)
    port = free_port()
    with Upstream() as upstream:
        tls = envoy.Tls(certificate, key, client_ca=certificate)
        built = envoy.build(
            config(folder), Address("127.0.0.1", port), Address("127.0.0.1", upstream.port), tls, trusted_hops=1
        )
        (folder / "envoy.yaml").write_text(envoy.render(built))
        with start_envoy(folder / "envoy.yaml", port, folder / "envoy.log") as process:
            yield Edge(folder, port, upstream, process)


@pytest.mark.gateway
def test_tls_facts_reach_the_transaction(edge: Edge) -> None:
    answer = edge.ask(b"GET /tls HTTP/1.1\r\nhost: localhost\r\nx-forwarded-for: 198.51.100.9\r\n\r\n", True)
    assert answer.startswith(b"HTTP/1.1 200")
    client = edge.transactions("/tls")[0].client
    assert client.tls_version == "TLSv1.3"
    assert client.ja4 is not None
    assert client.ja4.startswith("t13")
    assert client.certificate_subject == "CN=localhost"
    assert client.address == "198.51.100.9"  # one trusted hop


@pytest.mark.gateway
def test_the_time_of_the_upstream_is_told_apart(edge: Edge) -> None:
    edge.ask(b"GET /events HTTP/1.1\r\nhost: localhost\r\n\r\n")
    found = edge.transactions("/events")[0]
    assert found.duration is not None
    assert found.upstream_time is not None
    assert 1600 < found.upstream_time <= found.duration  # four pauses of 400 ms between first and last byte


@pytest.mark.gateway
def test_without_a_certificate_there_is_no_subject(edge: Edge) -> None:
    edge.ask(b"GET /plain HTTP/1.1\r\nhost: localhost\r\n\r\n")
    assert edge.transactions("/plain")[0].client.certificate_subject is None


@pytest.mark.gateway
def test_caps_are_per_direction(edge: Edge) -> None:
    edge.ask(b"POST /echo HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5000\r\n\r\n" + b"x" * 5000)
    transaction = edge.transactions("/echo")[0]
    assert (len(transaction.request.body.data), transaction.request.body.size) == (1000, 5000)
    assert transaction.response is not None
    assert (len(transaction.response.body.data), transaction.response.body.size) == (2000, 5000)


@pytest.mark.gateway
def test_a_client_that_leaves_a_stream(edge: Edge) -> None:
    with edge.connect() as link:
        link.sendall(b"GET /events HTTP/1.1\r\nhost: localhost\r\n\r\n")
        data = b""
        while b"data: 1" not in data:
            data += link.recv(65536)
    response = edge.transactions("/events")[0].response
    assert response is not None
    assert b"data: 0" in response.body.data


@pytest.mark.gateway
@pytest.mark.parametrize(
    ("path", "header", "known"),
    [
        ("/chunks-out", b"transfer-encoding: chunked", True),
        ("/upgrade-out", b"connection: upgrade\r\nupgrade: websocket", True),
        ("/length-out", b"content-length: 5", False),
    ],
)
def test_a_client_that_leaves_before_its_body(edge: Edge, path: str, header: bytes, known: bool) -> None:
    """What may stay out for long leaves its headers at once; of the others the log knows method, path and addresses."""
    with edge.connect() as link:
        link.sendall(b"POST %s HTTP/1.1\r\nhost: localhost\r\nx-who: ada\r\n%s\r\n\r\n" % (path.encode(), header))
    (transaction,) = edge.transactions(path)
    assert (("x-who", "ada") in transaction.request.headers) == known
    assert transaction.request.method == "POST"
    assert transaction.client.address == "127.0.0.1"


@pytest.mark.gateway
def test_the_path_is_what_the_upstream_got(edge: Edge) -> None:
    edge.ask(b"GET /x/../y//z%2Fw HTTP/1.1\r\nhost: localhost\r\n\r\n")
    edge.transactions("/y/z/w")
    assert "/y/z/w" in edge.upstream.seen


@pytest.mark.gateway
def test_admin_interface(edge: Edge) -> None:
    admin = EnvoyAdmin(edge.folder / "admin.sock")
    admin.reopen_logs()
    assert admin.write_failures() == 0
    with pytest.raises(OSError, match="40"):
        admin._call("POST", "/quitquitquit")
    with pytest.raises(OSError):
        EnvoyAdmin(edge.folder / "none.sock").reopen_logs()


@pytest.mark.gateway
def test_no_script_error(edge: Edge) -> None:
    edge.ask(b"GET /last HTTP/1.1\r\nhost: localhost\r\n\r\n")
    edge.transactions("/last")
    assert "script log" not in (edge.folder / "envoy.log").read_text()


@pytest.mark.gateway
@pytest.mark.parametrize("text", [BASE, BASE + CONTROL], ids=["copy only", "with decisions"])
def test_the_real_envoy_accepts_it(tmp_path: Path, text: str) -> None:
    (tmp_path / "f.yaml").write_text(text)
    (tmp_path / "log").mkdir()
    ecds.prepare(tmp_path / "ecds")
    command = forwarder("gateway", "--config", str(tmp_path / "f.yaml"), "--listen", "127.0.0.1:0")
    made = subprocess.run([*command, "--upstream", "127.0.0.1:9000"], check=True, capture_output=True)
    (tmp_path / "envoy.yaml").write_bytes(made.stdout)
    binary = envoy_binary()
    assert binary is not None
    done = subprocess.run(
        [binary, "--mode", "validate", "-c", str(tmp_path / "envoy.yaml")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
