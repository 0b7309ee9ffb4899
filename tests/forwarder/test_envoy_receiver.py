"""One line of Envoy's log → one transaction; and the tail of the log across rotations, kills and damage."""

from __future__ import annotations

import base64
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apisec.errors import DecodeError
from apisec.model.transaction import Body, Refusal
from apisec_forwarder.receivers.envoy import parse, split_torn
from apisec_forwarder.receivers.tail import QUIET_SECONDS, LogTail

HEADERS = {
    ":method": "POST",
    ":path": "/a?b=1",
    ":authority": "shop.example",
    ":scheme": "https",
    "accept": "*/*",
    "x-empty": "",
}


def frame(headers: dict[str, str] | bytes, body: bytes = b"", seen: int | None = None) -> str:
    block = headers if isinstance(headers, bytes) else "\n".join(f"{k}\n{v}" for k, v in headers.items()).encode()
    size = len(body) if seen is None else seen
    return base64.b64encode(b"%d %d\n" % (len(block), size) + block + body).decode()


def line(**changes: Any) -> bytes:
    record = {
        "address": "192.0.2.7",
        "authority": "shop.example",
        "body_in": 3,
        "body_out": 2,
        "details": "via_upstream",
        "duration_ms": 5,
        "duration_us": 5250,
        "id": "7e2c",
        "ja4": "t13d1516h2_8daaf6152771_b186095e22b6",
        "method": "POST",
        "original_path": None,
        "path": "/a?b=1",
        "pattern": None,
        "port": 40000,
        "q": frame(HEADERS, b"abc"),
        "s": frame({":status": "201", "content-type": "text/plain"}, b"ok"),
        "scheme": "https",
        "start": "1795224933.019535",
        "status": 201,
        "tls_version": "TLSv1.3",
        "upstream_us": 4125,
        "wire_in": 300,
        "wire_out": 200,
    }
    return json.dumps({**record, **changes}).encode()


def test_a_whole_line() -> None:
    transaction = parse(line(), "edge-1")
    assert transaction.id == "7e2c"
    assert transaction.gateway == "edge-1"
    assert transaction.time == pytest.approx(1795224933.019535, abs=1e-6)
    assert transaction.duration == 5.25
    assert transaction.upstream_time == 4.125
    assert parse(line(upstream_us=None)).upstream_time is None
    assert (transaction.bytes_in, transaction.bytes_out) == (300, 200)
    request, response, client = transaction.request, transaction.response, transaction.client
    assert (request.method, request.target, request.host, request.scheme) == (
        "POST",
        "/a?b=1",
        "shop.example",
        "https",
    )
    assert request.headers == (("accept", "*/*"), ("x-empty", ""))
    assert request.body == Body(b"abc", 3)
    assert response is not None
    assert (response.status, response.body) == (201, Body(b"ok", 2))
    assert response.headers == (("content-type", "text/plain"),)
    assert (client.address, client.port, client.tls_version) == ("192.0.2.7", 40000, "TLSv1.3")
    assert client.ja4 == "t13d1516h2_8daaf6152771_b186095e22b6"
    assert client.certificate_subject is None


def test_no_answer() -> None:
    transaction = parse(line(status=0, s=None, duration_us=None))
    assert transaction.response is None
    assert transaction.duration == 5


def test_a_cut_body_tells_its_size() -> None:
    assert parse(line(body_in=500)).request.body == Body(b"abc", 500)
    assert parse(line(q=frame(HEADERS, b"abc", seen=700))).request.body == Body(b"abc", 700)
    assert parse(line(body_in=500)).request.body.truncated


@pytest.mark.parametrize("broken", [None, "", "-", "!!!", "AAAA", base64.b64encode(b"x y\n").decode(), 7])
def test_a_missing_frame_leaves_what_the_log_knows(broken: object) -> None:
    transaction = parse(line(q=broken, s=broken))
    assert (transaction.request.method, transaction.request.target) == ("POST", "/a?b=1")
    assert transaction.request.host == "shop.example"
    assert transaction.request.headers == ()
    assert transaction.request.body == Body(b"", 3)
    assert transaction.request.body.truncated
    assert transaction.response is not None
    assert transaction.response.body.truncated


def test_headers_that_are_not_utf8() -> None:
    block = b":method\nGET\n:path\n/\nuser-agent\ncaf\xe9"
    assert parse(line(q=frame(block))).request.headers == (("user-agent", "café"),)


def test_the_path_before_a_rewrite() -> None:
    assert parse(line(q=None, original_path="/before")).request.target == "/before"


def test_an_id_of_its_own_when_envoy_gives_none() -> None:
    first, again, other = parse(line(id=None)), parse(line(id=None)), parse(line(id=None, port=1))
    assert first.id == again.id != other.id
    assert len(first.id) == 32


def test_the_certificate_of_a_verified_client() -> None:
    assert parse(line(subject="CN=till-7")).client.certificate_subject == "CN=till-7"


def test_a_refusal_is_what_enforcement_says() -> None:
    def refusal(details: str, pattern: str | None) -> Refusal | None:
        return Refusal(pattern or "?", "call-out") if details == "ext_authz_denied" else None

    assert parse(line(details="ext_authz_denied", pattern="p1"), refusal=refusal).refusal == Refusal("p1", "call-out")
    assert parse(line(pattern="p1"), refusal=refusal).refusal is None


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "not JSON"),
        (b"garbage", "not JSON"),
        (b'{"address":"192.0.2.7","auth', "not JSON"),
        (b"[1]", "not an object"),
        (line(method=None, path=None, q=None), "no request"),
        (line(start=None), "no start time"),
        (line(start="nan"), "no start time"),
        (line(start="-5"), "no start time"),
    ],
)
def test_lines_that_hold_no_transaction(raw: bytes, says: str) -> None:
    with pytest.raises(DecodeError, match=says) as caught:
        parse(raw)
    assert "192.0.2.7" not in str(caught.value)


@given(st.binary(max_size=200))
def test_any_bytes_give_a_transaction_or_an_error(raw: bytes) -> None:
    with pytest.raises(DecodeError):
        parse(raw)


@given(
    st.dictionaries(
        st.sampled_from(sorted(json.loads(line()))),
        st.none() | st.integers() | st.text(max_size=20) | st.booleans() | st.lists(st.integers(), max_size=2),
    )
)
def test_any_values_give_a_transaction_or_an_error(changes: dict[str, Any]) -> None:
    try:
        transaction = parse(line(**changes))
    except DecodeError:
        return
    assert transaction.request.method
    assert transaction.id


def test_a_line_that_envoy_never_ended_costs_only_itself() -> None:
    whole = line()
    torn = whole[:50]
    assert split_torn(whole) == (whole, 0)
    assert split_torn(torn + whole) == (whole, 1)
    assert split_torn(torn + torn + whole) == (whole, 2)
    tricky = line(path='{"address":')
    assert split_torn(tricky) == (tricky, 0)


@dataclass
class Log:
    """A log that the test writes as Envoy does: one open descriptor, appended to, opened anew when asked."""

    folder: Path
    now: float = 0.0
    answers: bool = True
    asked: int = 0
    written: list[str] = field(default_factory=list)
    tails: list[LogTail] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.path = self.folder / "access.json"
        self.file = self.path.open("ab", buffering=0)

    def write(self, count: int = 1, pad: int = 0) -> None:
        for _ in range(count):
            text = f"line {len(self.written)} {'x' * pad}"
            self.written.append(text)
            self.file.write(text.encode() + b"\n")

    def reopen(self) -> None:
        self.asked += 1
        if not self.answers:
            raise ConnectionRefusedError

    def open_anew(self) -> None:
        """Envoy acts on the request only with its next flush."""
        self.file.close()
        self.file = self.path.open("ab", buffering=0)

    def tail(self, rotate_bytes: int = 10**9, max_line: int = 10_000) -> LogTail:
        tail = LogTail(
            self.path,
            self.folder / "checkpoint.json",
            max_line,
            rotate_bytes=rotate_bytes,
            reopen=self.reopen,
            clock=lambda: self.now,
        )
        self.tails.append(tail)
        return tail

    def close(self) -> None:
        self.file.close()
        for tail in self.tails:
            tail.close()


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    log = Log(tmp_path)
    yield log
    log.close()


def read(tail: LogTail, rounds: int = 6) -> list[str]:
    return [one.decode() for _ in range(rounds) for one in tail.read()]


def test_a_log_that_is_not_there_yet(tmp_path: Path) -> None:
    tail = LogTail(tmp_path / "access.json", tmp_path / "c", 1000)
    assert tail.read() == []
    (tmp_path / "access.json").write_text("one\n")
    assert tail.read() == [b"one"]
    tail.close()


def test_lines_come_when_they_are_whole(log: Log) -> None:
    tail = log.tail()
    log.file.write(b"hal")
    assert read(tail) == []
    log.file.write(b"f\nnext\n")
    assert read(tail) == ["half", "next"]


def test_only_what_was_committed_is_not_read_again(log: Log) -> None:
    first = log.tail()
    log.write(5)
    assert read(first) == log.written
    first.commit(first.mark())
    log.write(5)
    assert read(first) == log.written[5:]
    second = log.tail()  # the first died before it committed
    assert read(second) == log.written[5:]
    second.commit(second.mark())
    assert read(log.tail()) == []


def test_rotation_deletes_only_what_is_durable(log: Log) -> None:
    tail = log.tail(rotate_bytes=100)
    log.write(20)
    found = read(tail)
    assert log.asked == 1
    log.write(2)  # still into the old file
    found += read(tail)
    log.open_anew()
    log.write(3)
    found += read(tail)
    assert found == log.written
    assert len(list(log.folder.glob("access.json.*"))) == 1
    tail.commit(tail.mark())
    assert list(log.folder.glob("access.json.*")) == []
    assert tail.unread_bytes() == 0


def test_a_quiet_envoy_is_waited_for(log: Log) -> None:
    """It has been asked, and writes to the old file until its next flush: up to 10 s when nobody set it."""
    tail = log.tail(rotate_bytes=100)
    log.write(20)
    read(tail)
    log.now += QUIET_SECONDS - 1
    read(tail)
    log.write(1)
    assert read(tail) == log.written[20:]
    log.now += QUIET_SECONDS + 1
    read(tail)
    log.open_anew()
    log.write(1)
    assert read(tail) == log.written[21:]


def test_a_dead_envoy_is_asked_again(log: Log) -> None:
    log.answers = False
    tail = log.tail(rotate_bytes=100)
    log.write(20)
    assert read(tail, 20) == log.written
    assert (tail.counts.rotations, tail.counts.reopen_failures) == (1, 1)
    log.write(20)
    log.answers = True
    log.now += 1.5
    assert read(tail) == log.written[20:]
    assert log.asked == 2
    assert tail.counts.rotations == 1


def test_several_rotated_files_are_read_oldest_first(log: Log) -> None:
    for number in (1, 2, 10):
        log.write(3)
        log.path.rename(log.folder / f"access.json.{number:012d}")
        log.open_anew()
    log.write(3)
    tail = log.tail()
    assert read(tail, 20) == log.written
    tail.commit(tail.mark())
    assert [path.name for path in log.folder.glob("access.json*")] == ["access.json"]


def test_restart_in_the_middle_of_rotated_files(log: Log) -> None:
    log.write(3)
    log.path.rename(log.folder / "access.json.000000000001")
    log.open_anew()
    log.write(3)
    first = log.tail()
    assert [one.decode() for one in first.read()] == log.written[:3]
    first.commit(first.mark())
    assert read(log.tail()) == log.written[3:]


def test_the_checkpoint_does_not_fit_another_file_of_the_same_inode(log: Log) -> None:
    tail = log.tail()
    log.write(5)
    read(tail)
    tail.commit(tail.mark())
    log.file.truncate(0)  # as a file system does that gives the number to a new file
    log.written.clear()
    log.written += ["other"] * 3
    log.file.write(b"other\n" * 3)
    log.file.write(b"y" * 100 + b"\n")
    assert read(log.tail()) == ["other"] * 3 + ["y" * 100]


def test_a_log_that_became_shorter_is_counted(log: Log) -> None:
    tail = log.tail()
    log.write(5)
    read(tail)
    log.file.truncate(0)
    log.file.write(b"new\n")
    assert read(tail) == ["new"]
    assert tail.counts.truncated == 1


def test_a_last_line_that_never_ended_is_counted(log: Log) -> None:
    tail = log.tail(rotate_bytes=100)
    log.write(20)
    log.file.write(b"torn")
    read(tail)
    log.open_anew()
    log.write(1)
    assert read(tail) == log.written[20:]
    assert tail.counts.torn == 1


def test_a_line_beyond_the_bound_is_skipped_and_counted(log: Log) -> None:
    tail = log.tail(max_line=1000)
    log.write(1)
    log.file.write(b"z" * 5_000_000 + b"\n")
    log.write(1)
    assert read(tail, 12) == log.written
    assert tail.counts.oversized == 1


def test_a_log_that_others_may_read_is_closed_to_them(log: Log) -> None:
    log.path.chmod(0o644)
    log.write(1)
    read(log.tail())
    assert log.path.stat().st_mode & 0o777 == 0o600


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.sampled_from(["write", "read", "commit", "crash", "anew", "wait", "flaky"]), min_size=5, max_size=60)
)
def test_nothing_is_lost_and_only_uncommitted_lines_come_twice(steps: list[str]) -> None:
    """Any order of writing, reading, committing, rotating and crashing."""
    with tempfile.TemporaryDirectory() as folder:
        log = Log(Path(folder))
        tail = log.tail(rotate_bytes=60)
        durable: list[str] = []
        pending: list[str] = []
        asked = 0
        for step in [*steps, "anew", "write", *["read"] * 40]:
            if step == "write":
                log.write(2)
            elif step == "read":
                pending += [one.decode() for one in tail.read()]
            elif step == "commit":
                tail.commit(tail.mark())
                durable, pending = durable + pending, []
            elif step == "crash":
                tail.close()
                pending = []
                tail = log.tail(rotate_bytes=60)
            elif step == "wait":
                log.now += 2
            elif step == "flaky":
                log.answers = not log.answers
            elif step == "anew" and log.asked > asked:  # only after a request, as Envoy does
                asked = log.asked
                log.open_anew()
            assert os.path.exists(log.path)  # noqa: PTH110
        if not os.path.samestat(os.fstat(log.file.fileno()), log.path.stat()):
            log.open_anew()
        log.write(1)
        for _ in range(60):
            pending += [one.decode() for one in tail.read()]
        assert durable + pending == log.written
        log.close()
