"""The connection to HEC: TLS, client certificates, proxies, and servers that answer early, too long or for ever."""

from __future__ import annotations

import contextlib
import gzip
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apisec.errors import ConfigError
from apisec_forwarder.config import Hec, HecTarget
from apisec_forwarder.exporters.compress import compress
from apisec_forwarder.exporters.hec import Action, Channel, HecClient, hec_tests
from apisec_forwarder.exporters.wire import MAX_ANSWER_BYTES
from tests.support.certificates import self_signed
from tests.support.hec import FakeHec
from tests.support.proxy import Proxy
from tests.support.waiting import until

ENVELOPE = b'{"sourcetype":"x","event":{"id":"t1"}}'


def private(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o600)
    return path


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Callable[..., HecClient]]:
    """Make a client of this URL; it is closed at the end."""
    made: list[HecClient] = []

    def make(url: str, token: str = FakeHec.token, **changes: object) -> HecClient:
        path = private(tmp_path / "hec.token", token)
        values = {"timeout_seconds": 5.0, "ack": False, **changes}
        made.append(HecClient(Hec(url=url, token_file=path, **values)))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for one in made:
        one.close()


Make = Callable[..., HecClient]


@given(st.binary(max_size=3000))
@settings(max_examples=50)
def test_compressed_bodies_mean_the_same(data: bytes) -> None:
    assert gzip.decompress(compress(data)) == data


# -- TLS


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_from_1_2_on(tmp_path: Path, client: Make, version: ssl.TLSVersion) -> None:
    pair = self_signed(tmp_path)
    with FakeHec(tls=pair, ack=False, tls_version=version) as hec:
        assert client(hec.url, ca_file=pair[0]).send([ENVELOPE], Channel()).action is Action.ACCEPTED


def test_older_tls_is_not_spoken(tmp_path: Path, client: Make) -> None:
    pair = self_signed(tmp_path)
    with FakeHec(tls=pair, ack=False) as hec:
        made = client(hec.url, ca_file=pair[0])
        context = made._wire._context
        assert context is not None
        assert context.minimum_version is ssl.TLSVersion.TLSv1_2
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname


def test_another_name_in_the_certificate_is_refused(tmp_path: Path, client: Make) -> None:
    (tmp_path / "other").mkdir()
    pair = self_signed(tmp_path / "other", "splunk.example", address=None)
    with FakeHec(tls=pair, ack=False) as hec:
        outcome = client(hec.url, ca_file=pair[0]).send([ENVELOPE], Channel())
        assert (outcome.action, outcome.cause) == (Action.UNREACHABLE, "SSLError")
        assert hec.requests == []


def test_a_client_certificate_is_shown(tmp_path: Path, client: Make) -> None:
    (tmp_path / "client").mkdir()
    server, (certificate, key) = self_signed(tmp_path), self_signed(tmp_path / "client", "edge-1")
    with FakeHec(tls=server, client_ca=certificate, ack=False) as hec:
        without = client(hec.url, ca_file=server[0]).send([ENVELOPE], Channel())
        assert without.action is Action.UNREACHABLE
        known = client(hec.url, ca_file=server[0], client_certificate=certificate, client_key=key)
        assert known.send([ENVELOPE], Channel()).action is Action.ACCEPTED


def test_a_client_key_that_others_may_read_is_refused(tmp_path: Path, client: Make) -> None:
    certificate, key = self_signed(tmp_path)
    key.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        client("https://127.0.0.1:1", client_certificate=certificate, client_key=key)


def test_a_renewed_certificate_is_taken_without_a_restart(tmp_path: Path, client: Make) -> None:
    (tmp_path / "new").mkdir()
    old, new = self_signed(tmp_path), self_signed(tmp_path / "new")
    with FakeHec(tls=new, ack=False) as hec:
        made = client(hec.url, ca_file=old[0])
        assert made.send([ENVELOPE], Channel()).cause == "SSLError"
        old[0].write_bytes(new[0].read_bytes())
        made.reload()
        assert made.send([ENVELOPE], Channel()).action is Action.ACCEPTED


# -- proxies


def test_by_a_proxy(tmp_path: Path, client: Make) -> None:
    pair = self_signed(tmp_path)
    secret = private(tmp_path / "proxy.secret", "edge:pa55\n")
    with FakeHec(tls=pair, ack=False) as hec, Proxy() as proxy:
        made = client(hec.url, ca_file=pair[0], proxy=proxy.url, proxy_credentials_file=secret)
        assert made.send([ENVELOPE], Channel()).action is Action.ACCEPTED
        assert made.send([ENVELOPE], Channel()).action is Action.ACCEPTED
        made.close()
    (head,) = proxy.heads
    assert head.startswith(f"CONNECT 127.0.0.1:{hec.port} ")
    assert "Basic ZWRnZTpwYTU1" in head  # edge:pa55
    assert hec.token not in head


def test_a_proxy_that_refuses(client: Make) -> None:
    with FakeHec(ack=False) as hec, Proxy(refuse=True) as proxy:
        outcome = client(hec.url, proxy=proxy.url).send([ENVELOPE], Channel())
        assert outcome.action is Action.UNREACHABLE
        assert hec.requests == []


def test_the_environment_s_proxy_is_not_asked(client: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeHec(ack=False) as hec, Proxy() as proxy:
        for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert client(hec.url).send([ENVELOPE], Channel()).action is Action.ACCEPTED
        assert proxy.heads == []


# -- servers that misbehave


class Rude:
    """Answers every connection by a function of the test."""

    def __init__(self, act: Callable[[socket.socket], None]) -> None:
        self._act = act

    def __enter__(self) -> str:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()
        return f"http://127.0.0.1:{self._server.getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for thread in self._threads:
            thread.join(10)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                peer, _ = self._server.accept()
                self._threads.append(threading.Thread(target=self._serve, args=(peer,), daemon=True))
                self._threads[-1].start()

    def _serve(self, peer: socket.socket) -> None:
        with peer, contextlib.suppress(OSError):
            self._act(peer)


def test_an_answer_before_the_body_was_read(client: Make) -> None:
    """As a proxy with a limit does: 413 at once, and the connection closed."""

    def act(peer: socket.socket) -> None:
        peer.recv(10)
        peer.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        peer.shutdown(socket.SHUT_WR)
        while peer.recv(65536):
            pass

    with Rude(act) as url:
        noise = b'"' + bytes(range(32, 127)) * 5000 + b'"'
        outcome = client(url).send([noise], Channel())
        assert (outcome.action, outcome.status) == (Action.SPLIT, 413)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70000 + b"\r\n\r\n",
    ],
)
def test_broken_answers_are_no_answers(client: Make, answer: bytes) -> None:
    def act(peer: socket.socket) -> None:
        peer.recv(65536)
        peer.sendall(answer)

    with Rude(act) as url:
        assert client(url).send([ENVELOPE], Channel()).action is Action.UNREACHABLE


def test_an_answer_without_an_end_is_cut(client: Make) -> None:
    sent: list[int] = [0]

    def act(peer: socket.socket) -> None:
        peer.recv(65536)
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n")
        while True:
            sent[0] += peer.send(b"x" * 65536)

    with Rude(act) as url:
        assert client(url).send([ENVELOPE], Channel()).action is Action.UNREACHABLE
    assert sent[0] < 20 * MAX_ANSWER_BYTES


def test_a_server_that_trickles_is_cut_from_outside(client: Make) -> None:
    """Each byte comes in time, so no timeout of the socket ends it."""
    begun = threading.Event()

    def act(peer: socket.socket) -> None:
        peer.recv(65536)
        while True:
            peer.sendall(b"H")
            begun.set()
            time.sleep(0.01)

    with Rude(act) as url:
        made = client(url)
        outcomes: list[Action] = []
        thread = threading.Thread(target=lambda: outcomes.append(made.send([ENVELOPE], Channel()).action))
        thread.start()
        begun.wait(20)
        assert made.cut_overdue(time.monotonic()) == 0
        assert made.cut_overdue(time.monotonic() + 1000) == 1
        thread.join(20)
        assert outcomes == [Action.UNREACHABLE]


def test_a_connection_that_the_server_closed_meanwhile_is_not_used_again(client: Make) -> None:
    closed = threading.Event()

    def act(peer: socket.socket) -> None:
        peer.recv(65536)
        peer.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{"code":0}')
        peer.close()
        closed.set()

    with Rude(act) as url:
        made = client(url)
        for _ in range(3):
            closed.clear()
            assert made.send([ENVELOPE], Channel()).action is Action.ACCEPTED
            closed.wait(20)
            until(lambda: not _open(made), 20, "the end of the connection is seen")


def _open(made: HecClient) -> bool:
    from apisec_forwarder.exporters.wire import _alive

    return any(map(_alive, made._wire._idle))


# -- check-config


def test_what_check_config_tries(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    good = private(tmp_path / "token", "abc")
    hec = Hec(
        token_file=good,
        targets=(
            HecTarget(url="https://a.example:8088", ca_file=certificate),
            HecTarget(url="https://b.example:8088", ca_file=key, token_file=tmp_path / "missing"),
        ),
    )
    problems = {}
    for name, value, test in hec_tests(hec):
        try:
            test()
        except (ConfigError, OSError) as error:
            problems[name, value] = str(error)
    assert set(problems) == {("hec.token_file", str(tmp_path / "missing")), ("hec.url", "https://b.example:8088")}
