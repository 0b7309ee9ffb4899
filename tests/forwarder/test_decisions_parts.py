"""The parts of the decision service: spellings, call-outs, the feed, the history on disk, counts."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apisec.model.decision import ALLOW, Decision, Match
from apisec.model.transaction import Transaction
from apisec.patterns.history import History
from apisec_forwarder.decisions import callout, snapshot
from apisec_forwarder.decisions.feed import Receiver, Sender
from apisec_forwarder.decisions.server import Server
from apisec_forwarder.decisions.spelling import respelled
from apisec_forwarder.decisions.tally import Tallies

SCOPES = [
    frozenset([("GET", "/orders/{order_id}"), ("POST", "/checkout/{id}/confirm")]),
    frozenset([(None, "/Admin/export")]),
]


# --- spellings --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "target", "others"),
    [
        ("GET", "/orders/17", []),
        ("GET", "/orders/17?a=b", []),
        ("GET", "/orders", []),
        ("POST", "/orders/17/", []),
        ("GET", "/Orders/17", [("GET", "/orders/17")]),
        ("GET", "/orders/17/?a=b", [("GET", "/orders/17?a=b")]),
        ("get", "/orders/17", [("GET", "/orders/17")]),
        ("GET", "//orders;x=1/%31%37;y//", [("GET", "/orders/17")]),
        ("GET", "/a/..\\orders/./17", [("GET", "/orders/17")]),
        ("GET", "/%256frders/17", [("GET", "/orders/17")]),
        ("GET", "/orders/a%3Fb/", [("GET", "/orders/a%3Fb")]),
        ("DELETE", "/admin/EXPORT", [("DELETE", "/Admin/export")]),
        ("GET", "/../../..", []),
    ],
)
def test_spellings(method: str, target: str, others: list[tuple[str, str]]) -> None:
    assert respelled(method, target, SCOPES) == others


@given(st.text(max_size=60))
def test_any_target_has_few_spellings_and_no_failure(target: str) -> None:
    found = respelled("GET", target, SCOPES)
    assert len(found) <= 4
    assert all(path.startswith("/") for _, path in found)


# --- call-outs --------------------------------------------------------------------------------------------


def test_the_transaction_is_that_of_the_copy() -> None:
    headers = [
        (b"host", b"shop.example"), (b"content-length", b"2"), (b"x-apisec-id", b"abc"), (b"x-apisec-time", b"12.5"),
        (b"x-apisec-scheme", b"https"), (b"x-apisec-address", b"192.0.2.7"), (b"x-apisec-port", b"4711"),
        (b"x-apisec-tls", b"TLSv1.3"), (b"x-apisec-ja4", b"t13d"), (b"x-apisec-subject", b"-"),
        (b"Cookie", b"a=b"), (b"x-envoy-auth-partial-body", b"true"),
    ]  # fmt: skip
    made = callout.transaction("POST", b"/a?b=c", headers, b"{}", "edge", 99.0)
    assert (made.id, made.time, made.gateway, made.response) == ("abc", 12.5, "edge", None)
    assert made.request.headers == (("cookie", "a=b"),)
    assert (made.request.scheme, made.request.host, made.request.target) == ("https", "shop.example", "/a?b=c")
    assert (made.client.address, made.client.port, made.client.ja4) == ("192.0.2.7", 4711, "t13d")
    assert made.client.certificate_subject is None
    assert made.request.body.truncated


@given(st.lists(st.tuples(st.binary(max_size=20), st.binary(max_size=20)), max_size=5), st.binary(max_size=20))
def test_any_bytes_make_a_transaction(headers: list[tuple[bytes, bytes]], target: bytes) -> None:
    callout.transaction("GET", target, headers, b"", "edge", 1.0)


class Answers:
    def __init__(self) -> None:
        self.asked: list[Transaction] = []
        self.failures = 0

    def answer(self, transaction: Transaction, now: float) -> Decision:
        self.asked.append(transaction)
        if transaction.request.target == "/boom":
            raise RuntimeError
        return Decision("p-1") if transaction.request.target == "/no" else ALLOW

    def failed(self) -> None:
        self.failures += 1


def exchange(path: Path, answers: Answers, *requests: bytes) -> list[bytes]:
    """Send requests over one connection; return what came back until 0.2 s of silence or the end."""

    async def work() -> list[bytes]:
        server = Server(answers, "edge", clock=lambda: 1.0)
        await server.start(path)
        reader, writer = await asyncio.open_unix_connection(str(path))
        found = []
        for request in requests:
            writer.write(request)
            await writer.drain()
            found.append(await asyncio.wait_for(reader.read(65536), 5))
        writer.close()
        await writer.wait_closed()
        await server.stop()
        return found

    return asyncio.run(work())


def test_the_server_answers(tmp_path: Path) -> None:
    answers = Answers()
    passed, refused, head, broken = exchange(
        tmp_path / "s",
        answers,
        b"GET /yes HTTP/1.1\r\nhost: a\r\n\r\n",
        b"POST /no HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n{}",
        b"HEAD /no HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET /boom HTTP/1.1\r\nhost: a\r\n\r\n",
    )
    assert passed == broken == b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
    assert refused.startswith(b"HTTP/1.1 403 Forbidden\r\n")
    assert refused.endswith(b'\r\n\r\n{"error":"blocked","pattern":"p-1"}')
    assert head.endswith(b"\r\n\r\n")
    assert answers.asked[1].request.body.data == b"{}"
    assert answers.failures == 1, "a failure of ours passes the request, and is counted"


def test_what_is_not_http_closes_the_connection(tmp_path: Path) -> None:
    answers = Answers()
    assert exchange(tmp_path / "s", answers, b"\x16\x03\x01\x02\x00") == [b""]
    assert answers.failures == 1


# --- feed -------------------------------------------------------------------------------------------------


class Takes:
    def __init__(self) -> None:
        self.events: list[Mapping[str, Any]] = []
        self.dropped = 0

    def observe(self, event: Mapping[str, Any], now: float) -> None:
        self.events.append(event)

    def feed_dropped(self, count: int, now: float) -> None:
        self.dropped += count


class Clock:
    now = 0.0

    def __call__(self) -> float:
        self.now += 1.0  # every look is past the pause between two tries
        return self.now


async def settle(sender: Sender, ready: Any) -> None:
    for _ in range(500):
        sender.flush()
        await asyncio.sleep(0.005)
        if ready():
            return
    raise AssertionError("the feed did not settle")


def test_what_was_not_covered_is_sent_again_to_a_new_receiver(tmp_path: Path) -> None:
    async def work() -> None:
        path, first, second = tmp_path / "f", Takes(), Takes()
        sender = Sender(path, clock=Clock())
        sender.send({"id": "0"})  # nobody listens yet
        receiver = Receiver(first)
        await receiver.start(path)
        for number in range(1, 6):
            sender.send({"id": str(number)})
        await settle(sender, lambda: len(first.events) == 6)
        receiver.covered(dict.fromkeys(receiver.taken(), 4))
        await settle(sender, lambda: len(sender._sent) == 2)
        await receiver.stop()
        await settle(sender, lambda: sender._socket is None)
        sender.send({"id": "6"})
        again = Receiver(second)
        await again.start(path)
        await settle(sender, lambda: len(second.events) == 3)
        assert [e["id"] for e in second.events] == ["4", "5", "6"]
        assert sender.dropped == 0
        sender.close()
        await again.stop()

    asyncio.run(work())


def test_a_full_buffer_drops_the_oldest_and_says_so(tmp_path: Path) -> None:
    async def work() -> None:
        path, takes = tmp_path / "f", Takes()
        sender = Sender(path, max_bytes=200, clock=Clock())
        for number in range(50):
            sender.send({"id": f"{number:04d}"})
        assert sender.dropped > 30
        receiver = Receiver(takes)
        await receiver.start(path)
        await settle(sender, lambda: takes.events and takes.events[-1]["id"] == "0049")
        assert takes.dropped == sender.dropped == 50 - len(takes.events)
        sender.close()
        await receiver.stop()

    asyncio.run(work())


def test_a_receiver_that_hangs_never_holds_the_sender(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "f"))
        listener.listen(1)
        sender = Sender(tmp_path / "f", max_bytes=2**20, clock=Clock())
        for _ in range(3000):
            sender.send({"id": "x" * 1000})
        assert sender.dropped > 0
        assert sender._bytes <= 2**20
        sender.close()


def test_garbage_on_the_feed_is_counted(tmp_path: Path) -> None:
    async def work() -> None:
        takes = Takes()
        receiver = Receiver(takes)
        await receiver.start(tmp_path / "f")
        _, writer = await asyncio.open_unix_connection(str(tmp_path / "f"))
        writer.write(b'{\n[]\n"x"\n{"id": "1"}\n')
        for _ in range(400):
            await asyncio.sleep(0.005)
            if takes.events:
                break
        assert (receiver.bad_lines, len(takes.events)) == (3, 1)
        writer.close()
        await receiver.stop()

    asyncio.run(work())


# --- history on disk --------------------------------------------------------------------------------------


def test_the_history_comes_back(tmp_path: Path) -> None:
    history = History()
    history.start(5.0)
    for number in range(450):
        step = {"id": str(number), "principal": f"p{number % 50}", "operation": f"GET /{number}", "status": 200}
        history.observe({**step, "time": float(number)}, float(number))
    asyncio.run(snapshot.save(history, tmp_path / "h"))
    other = History()
    assert snapshot.load(other, tmp_path / "h", 1000.0) == 50
    assert other.since == 5.0
    assert {p: other.export(p) for p in other.principals()} == {p: history.export(p) for p in history.principals()}


@pytest.mark.parametrize("content", [b"", b"{", b'{"version": 9}\n', b'{"version": 1, "since": 1}\n["p"]\n', b"\xff"])
def test_a_damaged_history_begins_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "h").write_bytes(content)
    history = History()
    snapshot.load(history, tmp_path / "h", 1000.0)
    assert history.since == 1000.0


# --- counts -----------------------------------------------------------------------------------------------


def test_an_event_counts_once_for_a_pattern() -> None:
    tallies = Tallies()
    tally = tallies.open("p", 0.0)
    for _ in range(3):
        tallies.count("e1", [Match("p", "enforce", True, "ann")], 2.0)
    tallies.count("e2", [Match("p", "shadow", False, "bob")], 3.0)
    shown = json.loads(json.dumps(tally.to_document()))
    assert shown["matched"] == {"shadow": 1, "canary": 0, "enforce": 1}
    assert shown["refused"] == {"shadow": 0, "canary": 0, "enforce": 1}
    assert (shown["first_refusal"], shown["last_match"], shown["principals"]) == (2.0, 3.0, 2)
    assert shown["seconds_from_change_to_first_refusal"] == 2.0
