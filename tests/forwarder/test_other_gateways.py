"""NGINX and HAProxy, the real ones, with the configurations that ``gateway`` prints: what they copy is complete."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from apisec.errors import ConfigError, DecodeError
from apisec.model.transaction import Transaction, header
from apisec_forwarder.config.reader import Address
from apisec_forwarder.config.receivers import HaproxyReceiver, NginxReceiver
from apisec_forwarder.gateway import others
from apisec_forwarder.receivers import haproxy
from apisec_forwarder.receivers.base import Place
from apisec_forwarder.receivers.files import nginx_source
from apisec_forwarder.receivers.lines import LineSource
from apisec_forwarder.receivers.rings import HaproxySource
from tests.support.processes import Process
from tests.support.upstream import Upstream
from tests.support.waiting import free_port, listening, until

CLOCK = 2.0  # milliseconds: a gateway rounds its two clocks each for itself
PATH = os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin"
NGINX, HAPROXY = shutil.which("nginx", path=PATH), shutil.which("haproxy", path=PATH)
NJS = Path("/usr/lib/nginx/modules/ngx_http_js_module.so")


@dataclass
class Gateway:
    """A running gateway and the source that reads its copy."""

    name: str
    port: int
    source: LineSource
    process: Process
    folder: Path

    def ask(self, method: str, target: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        link.request(method, target, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = link.getresponse()
        data = answer.read()
        link.close()
        return answer.status, data

    def transactions(self, count: int = 1) -> list[Transaction]:
        found: list[Transaction] = []

        def enough() -> bool:
            found.extend(self.source.read())
            return len(found) >= count

        until(enough, 30, f"{count} transactions of {self.name}: {self.source.counters()}")
        self.source.commit()
        return found


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[Gateway]:
    if NGINX is None or not NJS.exists():
        pytest.skip("nginx with njs is not installed (apt-get install nginx-light libnginx-mod-http-js)")
    settings = NginxReceiver(tmp_path / "traffic.json", tmp_path / "nginx.pid", rotate_bytes=65536)
    with Upstream() as upstream:
        port = free_port()
        text = others.nginx(settings, Address("127.0.0.1", port), Address("127.0.0.1", upstream.port))
        text = text.replace("modules/ngx_http_js_module.so", str(NJS))
        here = f"daemon off;\npid {settings.pid_file};\nerror_log {tmp_path}/error.log;\nuser root;\n"
        bodies = "".join(
            f"{kind}_temp_path {tmp_path}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (tmp_path / "nginx.conf").write_text(here + text.replace("http {", "http {\n" + bodies))
        command = [NGINX, "-p", str(tmp_path), "-e", str(tmp_path / "early.log"), "-c", str(tmp_path / "nginx.conf")]
        with Process(command, tmp_path / "out.log") as process:
            until(lambda: listening(port) or not process.running(), 30, "nginx listens")
            assert process.running(), (tmp_path / "out.log").read_text() + (tmp_path / "error.log").read_text()
            source = nginx_source(settings, Place("edge", tmp_path))
            yield Gateway("nginx", port, source, process, tmp_path)
            source.close()
            process.end()


@pytest.fixture
def haproxy_gateway(tmp_path: Path) -> Iterator[Gateway]:
    if HAPROXY is None:
        pytest.skip("haproxy is not installed (apt-get install haproxy)")
    settings = HaproxyReceiver(Address("127.0.0.1", free_port()))
    source = HaproxySource(settings, Place("edge", tmp_path))
    with Upstream() as upstream:
        port = free_port()
        text = others.haproxy(settings, Address("127.0.0.1", port), Address("127.0.0.1", upstream.port))
        (tmp_path / "haproxy.cfg").write_text(text)
        with Process([HAPROXY, "-f", str(tmp_path / "haproxy.cfg")], tmp_path / "out.log") as process:
            until(lambda: listening(port) or not process.running(), 30, "haproxy listens")
            assert process.running(), (tmp_path / "out.log").read_text()
            yield Gateway("haproxy", port, source, process, tmp_path)
            source.close()


@pytest.fixture(params=["nginx", "haproxy_gateway"])
def gateway(request: pytest.FixtureRequest) -> Gateway:
    found: Gateway = request.getfixturevalue(request.param)
    return found


def of(found: list[Transaction], path: str) -> Transaction:
    (one,) = [one for one in found if path in one.request.target]
    return one


@pytest.mark.gateway
def test_a_request_and_its_answer_are_copied_whole(gateway: Gateway) -> None:
    body = '{"name": "Ünal", "n": [1, 2]}'.encode()
    status, data = gateway.ask(
        "POST", "/echo?a=b%20c", body, content_type="application/json", x_b="caf\xe9", host="shop"
    )
    assert (status, data) == (200, body)
    (found,) = gateway.transactions()
    assert (found.request.method, found.client.address) == ("POST", "127.0.0.1")
    assert found.request.target.endswith("/echo?a=b%20c")
    assert header(found.request.headers, "host") == "shop"
    assert header(found.request.headers, "x-b") == "café"
    assert (found.request.body.data, found.request.body.size) == (body, len(body))
    assert found.response is not None
    assert found.response.status == 200
    assert (found.response.body.data, found.response.body.size) == (body, len(body))
    assert header(found.response.headers, "content-type") == "application/json"
    assert found.duration is not None
    assert found.upstream_time is not None
    assert 0 <= found.upstream_time <= found.duration + CLOCK
    assert found.id
    assert found.client.port


@pytest.mark.gateway
def test_what_is_larger_than_the_cap_passes_whole_and_is_known_as_cut(gateway: Gateway) -> None:
    _, data = gateway.ask("GET", "/big")
    assert len(json.loads(data)) == 20_000
    big = b"x" * 900_000
    status, echoed = gateway.ask("POST", "/echo", big)
    assert (status, len(echoed)) == (200, len(big))
    first, second = sorted(gateway.transactions(2), key=lambda one: one.time)
    assert first.response is not None
    assert first.response.body.truncated
    assert first.response.body.data.startswith(b'[{"number": 0}')
    assert second.request.body.truncated
    assert second.request.body.size == len(big)


@pytest.mark.gateway
def test_compressed_chunked_and_empty(gateway: Gateway) -> None:
    gateway.ask("GET", "/gzip")
    link = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=30)
    link.request(
        "POST", "/echo-chunks", iter([b'{"a"', b": 1}"]), {"content-type": "application/json"}, encode_chunked=True
    )
    assert link.getresponse().read()
    link.close()
    assert gateway.ask("HEAD", "/head") == (200, b"")
    found = gateway.transactions(3)
    packed = of(found, "/gzip").response
    assert packed is not None
    assert gzip.decompress(packed.body.data) == b'{"email":"ada@example.org"}'
    assert of(found, "/echo-chunks").request.body.data == b'{"a": 1}'
    empty = of(found, "/head")
    assert empty.request.body.data == b""
    assert empty.response is not None
    assert empty.response.body.data == b""


@pytest.mark.gateway
def test_events_are_passed_on_as_they_come(gateway: Gateway) -> None:
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=30) as link:
        link.sendall(b"GET /events HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n")
        first = b""
        while b"data: 0" not in first:
            first += link.recv(65536)
        assert b"data: 3" not in first
        while link.recv(65536):
            pass
    (found,) = gateway.transactions()
    assert found.response is not None
    assert found.response.status == 200
    assert found.duration is not None
    assert found.upstream_time is not None
    assert 1500 < found.upstream_time <= found.duration + CLOCK  # four pauses of 400 ms between first and last byte


@pytest.mark.gateway
def test_nginx_goes_on_writing_when_the_log_is_rotated(nginx: Gateway) -> None:
    sent = 60
    seen: list[str] = []
    for number in range(sent):
        nginx.ask("POST", f"/r{number}", b"y" * 4000)
        seen += _targets(nginx)

    def all_seen() -> bool:
        seen.extend(_targets(nginx))
        return len(seen) >= sent

    until(all_seen, 30, f"{sent} requests")
    assert seen == [f"r{number}" for number in range(sent)]
    assert nginx.source.counters()["log_rotations", ""] >= 1


def _targets(gateway: Gateway) -> list[str]:
    found = [one.request.target.rpartition("/")[2] for one in gateway.source.read()]
    gateway.source.commit()
    return found


RECORD = (
    b'<134>Nov 21 08:00:00 haproxy: {"id":"1","start":"1767225600.250","duration":3,"address":"192.0.2.1","port":4,'
    b'"tls":"TLSv1.3","verified":"0","subject":"L0NOPWFkYQ==","method":"GET","url":"Lw==","in":"aG9zdDogeA0KDQo=",'
    b'"body_in":"-","size_in":"0","status":200,"out":"-","body_out":"-","size_out":"-","bytes_in":9,"bytes_out":8}'
)


def test_a_line_of_haproxy() -> None:
    found = haproxy.parse(RECORD)
    assert (found.time, found.duration, found.client.certificate_subject) == (1767225600.25, 3.0, "/CN=ada")
    assert (found.request.host, found.request.scheme, found.client.tls_version) == ("x", "https", "TLSv1.3")
    aborted = haproxy.parse(RECORD.replace(b'"status":200', b'"status":-1'))
    assert aborted.response is None


Change = Callable[[bytes], bytes]
BROKEN: list[Change] = [
    lambda line: line[:200],
    lambda line: b"GET / 200",
    lambda line: line.replace(b'"Lw=="', b'"####"'),
    lambda line: line.replace(b'"Lw=="', b'"-"'),
    lambda line: line.replace(b"1767225600.250", b"soon"),
    lambda line: b"[1]",
]


@pytest.mark.parametrize("change", BROKEN)
def test_what_is_no_line_of_ours_is_refused_without_repeating_it(change: Change) -> None:
    with pytest.raises(DecodeError) as caught:
        haproxy.parse(change(RECORD))
    assert "Lw" not in str(caught.value)


def test_a_configuration_needs_its_receiver() -> None:
    address = Address("127.0.0.1", 1)
    with pytest.raises(ConfigError, match=r"receiver\.nginx is missing"):
        others.nginx(None, address, address)
    with pytest.raises(ConfigError, match=r"receiver\.haproxy is missing"):
        others.haproxy(None, address, address)
