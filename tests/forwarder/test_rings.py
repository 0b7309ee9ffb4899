"""HAProxy's rings: framing, numbers and connections by themselves, and with the real HAProxy whose reader goes away."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apisec_forwarder.config.reader import Address
from apisec_forwarder.config.receivers import HaproxyReceiver
from apisec_forwarder.gateway import others
from apisec_forwarder.receivers import rings
from apisec_forwarder.receivers.base import Place
from apisec_forwarder.receivers.rings import MAX_MESSAGE, Connection, Frames, HaproxySource, Numbers, RingLines
from tests.support.certificates import self_signed
from tests.support.processes import Process
from tests.support.waiting import free_port, listening, until

HAPROXY = shutil.which("haproxy", path=os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin")
BOOT = "00000000-0000-4000-8000-000000000001"


def framed(message: bytes) -> bytes:
    return b"%d %s" % (len(message), message)


def line(number: int, frontend: str = "edge", boot: str = BOOT) -> bytes:
    return (
        f'{{"boot":"{boot}","frontend":"{frontend}","number":{number},"id":"{number}","start":"1767225600.250",'
        '"method":"GET","url":"Lw==","in":"aG9zdDogeA0KDQo=","status":200}'
    ).encode()


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=8), st.lists(st.integers(0, 60), max_size=20))
def test_messages_are_the_same_however_the_stream_is_cut(messages: list[bytes], cuts: list[int]) -> None:
    frames, found, stream = Frames(), [], b"".join(map(framed, messages))
    for cut in [*cuts, len(stream)]:
        found += frames.feed(stream[:cut])
        stream = stream[cut:]
    found += frames.feed(stream)
    assert found == messages
    assert not frames.broken


@pytest.mark.parametrize(
    "stream",
    [b"GET / HTTP/1.1\r\n", b"05 hello", b"0 ", b"-3 abc", b"9999999999", b" 5 hello", b"%d x" % (MAX_MESSAGE + 1)],
)
def test_what_is_not_octet_counted_ends_the_connection_behind_what_was(stream: bytes) -> None:
    frames = Frames()
    assert frames.feed(framed(b"a good one") + stream) == [b"a good one"]
    assert frames.broken
    assert frames.feed(framed(b"another")) == []


@given(st.binary(max_size=200))
def test_no_bytes_break_the_framing_or_make_it_wait_for_too_much(stream: bytes) -> None:
    frames = Frames()
    assert all(len(message) <= MAX_MESSAGE for message in frames.feed(stream))


def test_numbers_tell_what_did_not_come_also_over_a_restart(tmp_path: Path) -> None:
    first = Numbers(tmp_path / "n.json", 1)
    for number in (0, 1, 3, 2, 7):  # 2 was overtaken; 4, 5 and 6 are missing
        first.saw(line(number))
    first.saw(b'{"id":"1"}')  # a format without numbers
    assert (first.made, first.came) == (8, 5)
    first.save()
    first.close()
    second = Numbers(tmp_path / "n.json", 1)
    second.saw(line(9))  # 8 went to nobody
    second.saw(line(0, "other"))
    second.saw(line(1, boot="2"))  # a new HAProxy, whose 0 did not come
    assert (second.made, second.came) == (2 + 1 + 2, 3)
    second.close()


def test_damaged_numbers_are_none_and_old_ones_are_forgotten(tmp_path: Path) -> None:
    (tmp_path / "n.json").write_text('{"last": {"a": "b"}}')
    (tmp_path / "n.json").chmod(0o600)
    numbers = Numbers(tmp_path / "n.json", 1)
    for at in range(2 * rings.MAX_KEPT):
        numbers.saw(line(0, boot=f"{at}"))
    numbers.save()
    assert len(rings._numbers((tmp_path / "n.json").read_bytes())) == rings.MAX_KEPT
    numbers.close()
    assert (tmp_path / "n.json").stat().st_mode & 0o777 == 0o600


def test_one_of_several_rings_expects_its_share(tmp_path: Path) -> None:
    numbers = Numbers(tmp_path / "n.json", 2)
    for number in (0, 2, 4, 6):
        numbers.saw(line(number))
    assert (numbers.made, numbers.came) == (3, 4)  # the half of seven; exact but for one a ring
    numbers.close()


@pytest.fixture
def source(tmp_path: Path) -> Iterator[HaproxySource]:
    made = HaproxySource(HaproxyReceiver(Address("127.0.0.1", free_port())), Place("edge", tmp_path))
    yield made
    made.close()


def port_of(source: HaproxySource) -> int:
    bound = source._ring._listening
    assert bound is not None
    port: int = bound.getsockname()[1]
    return port


def taken(source: HaproxySource, count: int, seconds: float = 30) -> list[str]:
    found: list[str] = []

    def enough() -> bool:
        found.extend(one.id for one in source.read())
        return len(found) >= count

    until(enough, seconds, f"{count} transactions: {len(found)}, {source.counters()}")
    return found


def ended(source: HaproxySource) -> list[str]:
    """Stop a source as a worker does; return what it still gave."""
    found: list[str] = []
    source.drain(handover=False)

    def over() -> bool:
        found.extend(one.id for one in source.read())
        return not source.pending()

    until(over, 30, "the end of the connections")
    source.commit()
    source.close()
    return found


def test_messages_of_the_ring_itself_are_counted(source: HaproxySource) -> None:
    with socket.create_connection(("127.0.0.1", port_of(source))) as sender:
        others_say = [b"17 events dropped", b"1 event dropped\n", b"Server api/api1 is DOWN."]
        sender.sendall(b"".join(map(framed, [line(0), *others_say, b"{cut", line(19)])))
        assert taken(source, 2) == ["0", "19"]
    counters = source.counters()
    assert counters["transactions_dropped", "by_gateway"] == 18
    assert counters["transactions_skipped", "other_log"] == 1
    assert counters["transactions_skipped", "malformed"] == 1
    assert (counters["gateway_copies_begun", ""], counters["copies_begun", ""]) == (20, 2)


def test_who_sends_something_else_is_hung_up_on(source: HaproxySource) -> None:
    with socket.create_connection(("127.0.0.1", port_of(source))) as sender:
        sender.sendall(b"GET / HTTP/1.1\r\n\r\n")
        until(lambda: not source.read() and source.counters().get(("transactions_skipped", "not_octet_counted")), 30)
        assert sender.recv(10) == b""


def test_draining_reads_to_the_end_that_the_sender_makes(source: HaproxySource) -> None:
    with socket.create_connection(("127.0.0.1", port_of(source))) as sender:
        sender.sendall(framed(line(0)))
        assert taken(source, 1) == ["0"]
        sender.sendall(framed(line(1)))
        source.drain(handover=True)
        assert sender.recv(10) == b""
        assert source.pending()
        sender.sendall(framed(line(2)))
        assert taken(source, 2) == ["1", "2"]
    until(lambda: not source.read() and not source.pending(), 30, "the end")


def test_after_a_stop_nobody_listens_and_a_successor_does_again(tmp_path: Path) -> None:
    settings = HaproxyReceiver(Address("127.0.0.1", free_port()))
    held = rings.listen(settings)
    place = Place("edge", tmp_path, sockets={"haproxy": held})
    first = HaproxySource(settings, place)
    first.drain(handover=False)
    assert not listening(settings.listen.port)
    first.close()
    second = HaproxySource(settings, place)
    with socket.create_connection(("127.0.0.1", settings.listen.port)) as sender:
        sender.sendall(framed(line(0)))
        assert taken(second, 1) == ["0"]
    second.close()
    held.close()


def test_over_tls_both_sides_show_certificates(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    settings = HaproxyReceiver(Address("127.0.0.1", free_port()), certificate, key, certificate)
    source = HaproxySource(settings, Place("edge", tmp_path))
    trusting = ssl.create_default_context(cafile=str(certificate))

    def send(context: ssl.SSLContext, message: bytes) -> None:
        with (
            socket.create_connection(("127.0.0.1", settings.listen.port), timeout=30) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as sender,
        ):
            sender.sendall(framed(message))
            sender.recv(1)

    refused: list[BaseException] = []

    def without() -> None:
        try:
            send(trusting, line(0))
        except OSError as error:
            refused.append(error)

    stranger = threading.Thread(target=without)
    stranger.start()
    until(lambda: not source.read() and not stranger.is_alive(), 30, "the refusal")
    assert refused
    trusting.load_cert_chain(certificate, key)
    known = threading.Thread(target=send, args=(trusting, line(1)))
    known.start()
    assert taken(source, 1) == ["1"]
    assert ended(source) == []
    known.join(30)


def test_a_handshake_that_stays_out_is_given_up() -> None:
    now = [0.0]
    ours, theirs = socket.socketpair()
    connection = Connection(ours, ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), lambda: now[0])
    assert (connection.receive(), connection.open) == ([], True)
    now[0] = rings.HANDSHAKE_SECONDS
    assert (connection.receive(), connection.open) == ([], False)
    connection.close()
    theirs.close()


def test_connections_are_bounded(tmp_path: Path) -> None:
    bound = socket.create_server(("127.0.0.1", 0), backlog=rings.MAX_CONNECTIONS + 8)
    lines = RingLines(bound, None, Numbers(tmp_path / "n.json", 1))
    address = bound.getsockname()
    many = [socket.create_connection(address) for _ in range(rings.MAX_CONNECTIONS + 1)]
    many[-1].sendall(framed(line(1)))
    assert lines.read() == []
    many[0].close()
    until(lambda: lines.read() == [line(1)], 30, "the place that came free")
    for one in many:
        one.close()
    lines.close()


Gateway = Callable[..., Process]


@pytest.fixture
def haproxy(tmp_path: Path) -> Iterator[Gateway]:
    """Starts HAProxy with the configuration that is printed; its API is HAProxy itself."""
    if HAPROXY is None:
        pytest.skip("haproxy is not installed (apt-get install haproxy)")
    running: list[Process] = []

    def start(settings: HaproxyReceiver, port: int, workers: int = 1) -> Process:
        text = others.haproxy(settings, Address("127.0.0.1", port), Address("127.0.0.1", 1), workers)
        answer = "    http-request return status 200 content-type text/plain string hello if TRUE\n"
        text = text.replace("    default_backend api\n", answer + "    default_backend api\n")
        (tmp_path / "haproxy.cfg").write_text(text)
        process = Process([str(HAPROXY), "-f", str(tmp_path / "haproxy.cfg")], tmp_path / "haproxy.log")
        running.append(process)
        until(lambda: listening(port) or not process.running(), 30, "haproxy listens")
        assert process.running(), (tmp_path / "haproxy.log").read_text()
        return process

    yield start
    for process in running:
        process.kill()


def ask(port: int, count: int, body: bytes = b"") -> None:
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for _ in range(count):
        link.request("POST", "/orders", body)
        assert link.getresponse().read() == b"hello"
    link.close()


@pytest.mark.gateway
def test_haproxy_keeps_what_it_made_while_nobody_listened(haproxy: Gateway, tmp_path: Path) -> None:
    """Stopped, killed, and not there yet: no message is missing, and no request fails."""
    settings, port = HaproxyReceiver(Address("127.0.0.1", free_port())), free_port()
    haproxy(settings, port)
    place = Place("edge", tmp_path)
    ids: list[str] = []
    for number in range(1, 4):
        ask(port, 30)  # nobody listens
        source = HaproxySource(settings, place)
        ids += taken(source, 50 * number - 20 - len(ids))
        ask(port, 20)
        ids += ended(source)
    last = HaproxySource(settings, place)
    ids += taken(last, 150 - len(ids)) if len(ids) < 150 else []
    assert len(ids) == len(set(ids)) == 150
    ask(port, 1)
    taken(last, 1)
    assert last.counters()["gateway_copies_begun", ""] == last.counters()["copies_begun", ""]
    last.close()


@pytest.mark.gateway
def test_what_the_ring_cannot_hold_is_counted(haproxy: Gateway, tmp_path: Path) -> None:
    settings, port = HaproxyReceiver(Address("127.0.0.1", free_port()), ring_bytes=2**20), free_port()
    haproxy(settings, port)
    first = HaproxySource(settings, Place("edge", tmp_path))
    ask(port, 1)
    ids = [*taken(first, 1), *ended(first)]
    ask(port, 120, b"x" * 16384)  # 22 KB each in the log
    second = HaproxySource(settings, Place("edge", tmp_path))
    ids += taken(second, 30)
    ask(port, 1)  # the ring says what it has dropped when it takes something again

    def all_told() -> bool:
        ids.extend(one.id for one in second.read())
        return len(ids) + second.counters().get(("transactions_dropped", "by_gateway"), 0) == 122

    until(all_told, 30, f"{second.counters()}")
    counters = second.counters()
    lost = counters["gateway_copies_begun", ""] - counters["copies_begun", ""]
    assert lost == counters["transactions_dropped", "by_gateway"] > 50
    second.close()


@pytest.mark.gateway
def test_the_longest_line_arrives(haproxy: Gateway, tmp_path: Path) -> None:
    settings = HaproxyReceiver(Address("127.0.0.1", free_port()), request_bytes=20 * 1024)
    source, port = HaproxySource(settings, Place("edge", tmp_path)), free_port()
    haproxy(settings, port)
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    link.request("POST", "/" + "a" * 8000, b"x" * 20480, {"x-a": "b" * 14000})
    assert link.getresponse().read() == b"hello"
    link.close()
    assert taken(source, 1)
    source.close()


@pytest.mark.gateway
def test_a_ring_for_each_worker(haproxy: Gateway, tmp_path: Path) -> None:
    settings, port = HaproxyReceiver(Address("127.0.0.1", two_ports())), free_port()
    sources = [HaproxySource(settings, Place("edge", tmp_path, at, 2), rings.section(at)) for at in range(2)]
    haproxy(settings, port, 2)
    ask(port, 40)
    found = [taken(one, 20) for one in sources]
    assert [len(ids) for ids in found] == [20, 20]
    assert len({*found[0], *found[1]}) == 40
    for one in sources:
        one.close()


def two_ports() -> int:
    """Return the first of two ports that follow one another and are free."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port
