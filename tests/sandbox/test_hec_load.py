"""HEC under load: acknowledgement, its limits, the bounded queue, and the switch that makes it refuse."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from apisec_sandbox.splunkd.hec import TEXTS
from apisec_sandbox.splunkd.server import Addresses, Options, Splunkd, running

from .conftest import TOKEN
from .hec_client import CHANNEL, DEADLINE, Splunk, acked, events, send, session

ONE = '{"event": "x"}'


def health(addresses: Addresses, query: str = "") -> int:
    return int(send(addresses, b"", "health", "GET", query, Authorization=None).json()["code"])


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, "not within the deadline"
        time.sleep(0.01)


def test_acks_count_from_zero_per_channel_and_are_told_once(splunk: Splunk) -> None:
    addresses = splunk[1]
    other = str(uuid.UUID(int=8))
    assert [send(addresses, ONE).json()["ackId"] for _ in range(2)] == [0, 1]
    assert send(addresses, ONE, X_Splunk_Request_Channel=other).json()["ackId"] == 0
    assert acked(addresses, 0)
    assert send(addresses, '{"acks": [0, 77]}', "ack").json() == {"acks": {"0": False, "77": False}}
    assert acked(addresses, 1)
    assert acked(addresses, 0, other)


def test_a_batch_that_fails_in_the_middle_acknowledges_what_it_took(splunk: Splunk) -> None:
    answer = send(splunk[1], '{"event": "a"}{"event": ""}').json()
    assert answer == {"text": TEXTS[13][1], "code": 13, "invalid-event-number": 1, "ackId": 0}
    assert acked(splunk[1], 0)


def test_a_channel_is_forgotten_when_idle(splunk: Splunk, monkeypatch: pytest.MonkeyPatch) -> None:
    splunkd, addresses = splunk
    splunkd.confs.write("inputs", "http://gw", {"maxIdleTime": "60"}, "system")
    now = time.time()
    monkeypatch.setattr(splunkd.store, "clock", lambda: now)
    assert [send(addresses, ONE).json()["ackId"] for _ in range(2)] == [0, 1]
    now += 59
    assert send(addresses, ONE).json()["ackId"] == 2
    now += 62
    assert send(addresses, '{"acks": [0]}', "ack").json() == {"acks": {"0": False}}
    assert send(addresses, ONE).json()["ackId"] == 0
    splunkd.confs.write("inputs", "http://gw", {"ackIdleCleanup": "false"}, "system")
    assert send(addresses, ONE).json()["ackId"] == 1
    now += 10_000
    assert send(addresses, ONE).json()["ackId"] == 2


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("max_number_of_acked_requests_pending_query_per_ack_channel", "10"),
        ("max_number_of_acked_requests_pending_query", "10"),
    ],
)
def test_pending_acks_are_limited(splunk: Splunk, key: str, value: str) -> None:
    """From nine tenths on 25, at the limit 27 and nothing is taken; asking makes room."""
    splunkd, addresses = splunk
    splunkd.confs.write("limits", "http_input", {key: value}, "system")
    answers = [send(addresses, ONE) for _ in range(11)]
    assert [answer.json()["code"] for answer in answers] == [0] * 8 + [25, 25, 27]
    assert (answers[-1].status_code, answers[8].status_code, answers[8].json()["ackId"]) == (429, 200, 8)
    assert len(events(splunkd)) == 10
    assert (health(addresses), health(addresses, "ack=true")) == (17, 19)
    assert acked(addresses, 0)
    assert health(addresses, "ack=true") == 25
    assert send(addresses, ONE).json()["ackId"] == 10


def test_channels_are_limited(splunk: Splunk) -> None:
    splunkd, addresses = splunk
    splunkd.confs.write("limits", "http_input", {"max_number_of_ack_channel": "1"}, "system")
    assert send(addresses, ONE).json()["ackId"] == 0
    assert send(addresses, ONE, X_Splunk_Request_Channel=str(uuid.UUID(int=8))).json()["code"] == 27
    assert send(addresses, ONE).json()["ackId"] == 1


@pytest.fixture
def stuck(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Splunkd, Addresses, threading.Event]]:
    """A stand-in whose disk does not answer until the event is set, with a queue of 1,000 bytes."""
    disk = threading.Event()
    with running(tmp_path, Options(with_tls=False, schedule=False, hec_queue_bytes=1000)) as (splunkd, addresses):
        splunkd.ensure_token("gw", TOKEN)
        monkeypatch.setattr(splunkd.store.index("main"), "sync", disk.wait)
        try:
            yield splunkd, addresses, disk
        finally:
            disk.set()


def test_a_queue_that_fills_warns_then_refuses_then_takes_again(
    stuck: tuple[Splunkd, Addresses, threading.Event],
) -> None:
    splunkd, addresses, disk = stuck
    body = json.dumps({"event": "x" * 438})
    assert len(body) == 451
    assert [send(addresses, body).json()["code"] for _ in range(4)] == [0, 24, 24, 26]
    refused = send(addresses, body)
    assert (refused.status_code, refused.json()) == (429, {"text": TEXTS[26][1], "code": 26})
    assert len(events(splunkd)) == 3
    assert (health(addresses), health(addresses, "ack=true")) == (18, 18)
    assert send(addresses, '{"acks": [0]}', "ack").json() == {"acks": {"0": False}}
    disk.set()
    until(lambda: health(addresses) == 17)
    assert acked(addresses, 2)
    assert send(addresses, body).json()["code"] == 0


def test_more_requests_than_threads_are_busy(splunk: Splunk, monkeypatch: pytest.MonkeyPatch) -> None:
    splunkd, addresses = splunk
    splunkd.confs.write("inputs", "http", {"maxThreads": "1"}, "system")
    inside, release = threading.Event(), threading.Event()
    append = splunkd.store.append

    def slow(batch: object) -> int:
        inside.set()
        release.wait(DEADLINE)
        return append(batch)  # type: ignore[arg-type]

    monkeypatch.setattr(splunkd.store, "append", slow)
    first = threading.Thread(target=send, args=(addresses, ONE))
    first.start()
    assert inside.wait(DEADLINE)
    busy = send(addresses, ONE)
    assert (busy.status_code, busy.json()) == (503, {"text": "Server is busy", "code": 9})
    assert health(addresses) == 17
    release.set()
    first.join(DEADLINE)
    assert send(addresses, ONE).json()["code"] == 0
    assert len(events(splunkd)) == 2


def test_a_disk_that_refuses_is_an_internal_error(splunk: Splunk, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(splunk[0].store, "append", full)
    answer = send(splunk[1], ONE)
    assert (answer.status_code, answer.json()) == (500, {"text": "Internal server error", "code": 8})


def test_shutting_down(splunk: Splunk) -> None:
    splunkd, addresses = splunk
    splunkd.hec.closing = True
    assert send(addresses, ONE).json() == {"text": "Server is shutting down", "code": 23}
    assert health(addresses) == 23


def test_the_switch_makes_hec_refuse_so_many_requests(splunk: Splunk) -> None:
    splunkd, addresses = splunk
    switch = f"{addresses.mgmt}/services/sandbox/hec_overload"
    auth = ("admin", addresses.admin_password_file.read_text())
    with session() as client:
        assert client.post(switch, data={"code": "9", "requests": "2"}, auth=auth, timeout=10).status_code == 200
        assert (health(addresses), health(addresses)) == (18, 18)
        assert [send(addresses, ONE).status_code for _ in range(3)] == [503, 503, 200]
        client.post(switch, data={"code": "26"}, auth=auth, timeout=10)
        assert [send(addresses, ONE).status_code for _ in range(2)] == [429, 429]
        client.post(switch, data={"code": "0"}, auth=auth, timeout=10)
        assert send(addresses, ONE).status_code == 200
    assert len(events(splunkd)) == 2


@pytest.mark.parametrize(
    ("code", "plain", "with_ack"), [(18, 18, 18), (19, 17, 19), (20, 18, 20), (24, 24, 24), (25, 25, 25), (23, 23, 23)]
)
def test_the_switch_and_health(splunk: Splunk, code: int, plain: int, with_ack: int) -> None:
    splunk[0].hec.overload.set(code, -1)
    assert (health(splunk[1]), health(splunk[1], "ack=true")) == (plain, with_ack)


@pytest.mark.parametrize("code", [24, 25])
def test_near_capacity_is_a_success(splunk: Splunk, code: int) -> None:
    """Status 200: the events are taken, and acknowledged as any others."""
    splunk[0].hec.overload.set(code, 1)
    answer = send(splunk[1], ONE)
    assert (answer.status_code, answer.json()) == (200, {"text": TEXTS[code][1], "code": code, "ackId": 0})
    assert len(events(splunk[0])) == 1
    assert send(splunk[1], ONE).json()["code"] == 0


def test_the_switch_sets_the_queue(splunk: Splunk) -> None:
    _, addresses = splunk
    switch = f"{addresses.mgmt}/services/sandbox/hec_overload"
    auth = ("admin", addresses.admin_password_file.read_text())
    with session() as client:
        assert client.post(switch, data={"queue": "0"}, auth=auth, timeout=10).json()["queue"] == 0
        assert [send(addresses, ONE).json()["code"], health(addresses)] == [26, 18]
        client.post(switch, data={"code": "0"}, auth=auth, timeout=10)
        assert send(addresses, ONE).json()["code"] == 0


def test_the_switch_by_hand_sets_the_queue(splunk: Splunk) -> None:
    splunkd, addresses = splunk
    path = splunkd.home.root / "var" / "run" / "hec_overload.json"
    path.write_text('{"queue": 0}')
    assert send(addresses, ONE).json()["code"] == 26
    path.write_text("nonsense")
    assert send(addresses, ONE).json()["code"] == 0
    path.unlink()


def test_many_clients_at_once_lose_nothing(splunk: Splunk) -> None:
    """Sixteen clients: every event once, acknowledgement ids without gaps or doubles."""
    splunkd, addresses = splunk
    given: list[int] = []

    def client(number: int) -> None:
        for turn in range(10):
            body = "".join(json.dumps({"event": f"{number}-{turn}-{item}"}) for item in range(5))
            given.append(send(addresses, body).json()["ackId"])

    threads = [threading.Thread(target=client, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(given) == list(range(160))
    assert sorted(event.raw for event in events(splunkd)) == sorted(
        f"{number}-{turn}-{item}" for number in range(16) for turn in range(10) for item in range(5)
    )
    assert acked(addresses, 159, CHANNEL)
