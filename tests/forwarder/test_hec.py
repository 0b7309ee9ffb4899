"""The exporter against a HEC on the wire: nothing lost, nothing sent again that HEC took, codes as documented."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from apisec.errors import ConfigError
from apisec_forwarder.exporters.hec import Action, interpret, read_token
from apisec_forwarder.metrics import Metrics, prometheus_text
from apisec_forwarder.spool import SpoolReader
from apisec_forwarder.spool.segments import list_segments
from tests.forwarder.hec_rig import Rig
from tests.support.certificates import self_signed
from tests.support.hec import Answer, FakeHec
from tests.support.waiting import free_port


def answer(code: int | None, **more: Any) -> bytes:
    return json.dumps({"text": "…", "code": code, **more}).encode()


@pytest.mark.parametrize(
    ("status", "body", "action"),
    [
        (200, answer(0, ackId=0), Action.ACCEPTED),
        (200, answer(24), Action.ACCEPTED),
        (200, answer(25), Action.ACCEPTED),
        (403, answer(1), Action.REFUSED),
        (401, answer(2), Action.REFUSED),
        (401, answer(3), Action.REFUSED),
        (403, answer(4), Action.REFUSED),
        (400, answer(5), Action.SPLIT),
        (400, answer(6, **{"invalid-event-number": 3}), Action.SKIP),
        (400, answer(7, **{"invalid-event-number": 0}), Action.SKIP),
        (400, answer(12, **{"invalid-event-number": 1}), Action.SKIP),
        (400, answer(13, **{"invalid-event-number": 1}), Action.SKIP),
        (400, answer(15, **{"invalid-event-number": 1}), Action.SKIP),
        (400, answer(6), Action.SPLIT),
        (500, answer(8), Action.BUSY),
        (503, answer(9), Action.BUSY),
        (400, answer(10), Action.CHANNEL),
        (400, answer(11), Action.CHANNEL),
        (400, answer(14), Action.ACK_DISABLED),
        (503, answer(18), Action.BUSY),
        (503, answer(20), Action.BUSY),
        (503, answer(23), Action.BUSY),
        (429, answer(26), Action.BUSY),
        (429, answer(27), Action.BUSY),
        (429, b"", Action.BUSY),
        (413, b"<html>", Action.SPLIT),
        (502, b"<html>bad gateway", Action.BUSY),
        (404, b"", Action.REFUSED),
        (301, b"", Action.REFUSED),
        (200, b"<html>please log in", Action.BUSY),
        (200, b'{"hello": 1}', Action.BUSY),
        (200, b'["not", "an", "object"]', Action.BUSY),
        (201, answer(0), Action.BUSY),
    ],
)
def test_what_an_answer_asks(status: int, body: bytes, action: Action) -> None:
    outcome = interpret(status, body)
    assert outcome.action is action
    if action is Action.SKIP:
        assert outcome.bad_event == json.loads(body)["invalid-event-number"]


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with FakeHec() as hec:
        made = Rig(tmp_path, hec)
        yield made
        made.close()


def test_everything_arrives_once_and_leaves_the_spool(rig: Rig) -> None:
    ids = rig.add(100)
    rig.steps()
    assert rig.hec.ids() == ids
    assert sorted(rig.hec.acknowledged) == sorted(ids)
    assert rig.shipper.drained()
    assert all(len(body) <= 1000 for body in rig.hec.bodies)
    assert all(headers["content-encoding"] == "gzip" for path, headers in rig.hec.requests if path.endswith("/event"))
    assert rig.counter("hec_events_shipped") == 100


def test_it_stays_in_the_spool_until_it_is_acknowledged(rig: Rig) -> None:
    rig.hec.hold_acks = True
    ids = rig.add(5)
    rig.steps(10)
    assert rig.hec.ids() == ids
    assert not rig.shipper.drained()
    rig.hec.hold_acks = False
    rig.steps(20)
    assert rig.shipper.drained()
    assert rig.hec.ids() == ids


def test_no_acknowledgement_in_time_means_the_same_events_again(rig: Rig) -> None:
    rig.hec.hold_acks = True
    ids = rig.add(5)
    rig.steps(10)
    rig.now += rig.settings.ack_timeout_seconds
    rig.hec.hold_acks = False
    rig.steps(20)
    assert rig.hec.ids() == ids + ids
    assert rig.shipper.drained()
    assert rig.counter("hec_events_resent") == 5


def test_without_acknowledgement_the_answer_counts(rig: Rig) -> None:
    rig.hec.ack = False
    rig.start(ack=False)
    ids = rig.add(30)
    rig.steps()
    assert rig.hec.ids() == ids
    assert rig.shipper.drained()
    assert not any(path.endswith("/ack") for path, _ in rig.hec.requests)


def test_a_token_without_acknowledgement_is_said_and_does_not_block(rig: Rig) -> None:
    rig.hec.ack = False
    rig.add(30)
    rig.steps()
    assert rig.shipper.drained()
    assert rig.shipper.state.state == "ack_disabled"


@pytest.mark.parametrize("code", [6, 7, 12, 13, 15])
def test_one_bad_event_costs_only_itself(rig: Rig, code: int) -> None:
    ids = rig.add(6)
    rig.hec.script.append(Answer(400, code, bad_event=2, take=2))
    rig.steps()
    assert rig.hec.ids() == ids[:2] + ids[3:]  # those before it are not sent again
    assert rig.buried() == [ids[2]]
    assert rig.shipper.drained()
    assert rig.counter(f'hec_events_refused{{code="{code}"}}') == 1


def test_many_bad_events(rig: Rig) -> None:
    rig.hec.bad_index = "gone"
    good, bad = [], []
    for _ in range(10):
        good += rig.add(2)
        bad += rig.add(1, index="gone")
    rig.steps(100)
    assert rig.hec.ids() == good
    assert rig.buried() == bad
    assert rig.shipper.drained()


def test_dead_letters_are_sent_again_when_they_are_renamed(rig: Rig) -> None:
    rig.hec.bad_index = "gone"
    bad = rig.add(2, index="gone")
    rig.steps()
    assert rig.buried() == bad
    rig.hec.bad_index = None
    rig.dead.close()
    for segment in list_segments(rig.folder / "spool", ".dead"):
        segment.path.rename(segment.path.with_suffix(".log"))
    rig.steps()
    assert rig.hec.ids() == bad
    assert rig.shipper.drained()


def test_a_bad_event_that_is_not_named_is_found_by_halving(rig: Rig) -> None:
    ids = rig.add(8)
    rig.hec.script.extend([Answer(400, 6, take=0)] * 4)  # 8, 4, 2, 1: the first event
    rig.steps()
    assert sorted(rig.hec.ids()) == sorted(ids[1:])
    assert rig.buried() == ids[:1]


def test_a_number_beyond_the_batch_is_not_believed(rig: Rig) -> None:
    ids = rig.add(2)
    rig.hec.script.append(Answer(400, 6, bad_event=17, take=0))
    rig.steps()
    assert rig.hec.ids() == ids
    assert rig.buried() == []


def test_too_large_is_halved(rig: Rig) -> None:
    rig.hec.max_bytes = 400
    ids = rig.add(40)
    rig.steps(120)
    assert sorted(rig.hec.ids()) == sorted(ids)
    assert rig.buried() == []
    late = rig.add(20)
    before = len(rig.hec.requests)
    rig.steps(60)
    assert set(late) <= set(rig.hec.ids())
    assert len(rig.hec.requests) - before < 40  # it has learned the size


def test_one_event_that_is_too_large_goes_to_the_dead_letters(rig: Rig) -> None:
    rig.hec.max_bytes = 400
    first, huge, last = rig.add(1), rig.add(1, pad=3000), rig.add(1)
    rig.steps()
    assert sorted(rig.hec.ids()) == sorted(first + last)
    assert rig.buried() == huge


@pytest.mark.parametrize("busy", [Answer(503, 9, take=0), Answer(429, None, take=0), Answer(500, 8, take=0)])
def test_busy_backs_off_and_loses_nothing(rig: Rig, busy: Answer) -> None:
    ids = rig.add(5)
    rig.hec.script.extend([busy] * 4)
    times = []
    while len(rig.hec.ids()) < 5:
        before = len(rig.hec.bodies)
        rig.shipper.step()
        if len(rig.hec.bodies) > before:
            times.append(rig.now)
        rig.now += 0.05
    gaps = [round(later - earlier, 1) for earlier, later in itertools.pairwise(times)]
    assert gaps[:4] == [0.2, 0.5, 1.0, 2.0] or gaps[:4] == [0.3, 0.5, 1.0, 2.0]
    rig.steps()
    assert rig.hec.ids() == ids


def test_a_refused_token_is_read_again(rig: Rig) -> None:
    good = rig.hec.token
    rig.hec.token = "another"
    ids = rig.add(5)
    rig.steps(100, 1.0)
    assert rig.hec.ids() == []
    assert rig.shipper.state.state == "refused"
    assert rig.shipper.state.code == 4
    assert len(rig.hec.requests) < 10  # slowly
    rig.settings.token_file.write_text("another")
    rig.steps(100, 1.0)
    assert rig.hec.ids() == ids
    assert good != rig.hec.token


def test_an_answer_that_got_lost_means_a_duplicate_not_a_loss(rig: Rig) -> None:
    ids = rig.add(5)
    rig.hec.script.append(Answer(take=5, drop=True))
    rig.steps(20)
    assert rig.hec.ids() == ids + ids
    assert rig.shipper.drained()


def test_a_restart_forgets_acknowledgements_and_nothing_is_lost(rig: Rig) -> None:
    """The new HEC counts its acks from zero again: an old id must not be taken for a new one."""
    rig.hec.hold_acks = True
    first = rig.add(5)
    rig.steps(5)
    rig.hec.stop()
    second = rig.add(5)
    rig.steps(5)
    assert rig.shipper.state.state == "unreachable"
    rig.hec.hold_acks = False
    rig.hec.indexed.clear()  # it had lost what it had not acknowledged
    rig.hec.start()
    rig.steps(200)
    assert set(rig.hec.ids()) == {*first, *second}
    assert rig.shipper.drained()


def test_a_restart_that_nobody_noticed(rig: Rig) -> None:
    """Ack ids that count from zero again on the same channel show it."""
    rig.hec.hold_acks = True
    first = rig.add(30)
    rig.steps(8, 0.01)
    sent = len(rig.hec.ids())
    rig.hec._acks.clear()
    rig.hec.indexed.clear()
    rig.hec.hold_acks = False
    second = rig.add(5)
    rig.steps(100)
    assert sent > 10
    assert set(rig.hec.ids()) == {*first, *second}
    assert rig.shipper.drained()


def test_a_new_process_sends_what_was_not_acknowledged(rig: Rig) -> None:
    rig.hec.hold_acks = True
    ids = rig.add(5)
    rig.steps(5)
    rig.reader.close()
    rig.reader = SpoolReader(rig.folder / "spool")
    rig.hec.hold_acks = False
    rig.start()
    rig.steps()
    assert rig.hec.ids() == ids + ids
    assert rig.shipper.drained()


def test_memory_is_bounded_while_nothing_is_acknowledged(rig: Rig) -> None:
    rig.hec.hold_acks = True
    rig.add(1000)
    rig.steps(100, 0.1)
    assert len(rig.hec.ids()) < rig.settings.window * 10
    assert rig.shipper.state.in_flight == rig.settings.window


def test_the_certificate_is_verified(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    with FakeHec(tls=(certificate, key)) as hec:
        rig = Rig(tmp_path, hec)
        rig.add(3)
        rig.steps(5)
        assert rig.shipper.state.state == "unreachable"
        assert rig.shipper.state.cause == "SSLError"
        assert hec.requests == []
        rig.start(ca_file=certificate)
        rig.reader._taken.clear()
        rig.steps()
        assert len(hec.ids()) == 3
        rig.close()


def test_nobody_listens(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    rig.add(1)
    rig.start(url=f"http://127.0.0.1:{free_port()}")
    rig.steps(5)
    assert rig.shipper.state.state == "unreachable"
    assert rig.hec.token not in caplog.text


def test_the_environment_is_not_asked(rig: Rig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A proxy or a .netrc of the environment would see the token or replace it."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login a password b\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    rig.start()
    ids = rig.add(2)
    rig.steps()
    assert rig.hec.ids() == ids


@pytest.mark.parametrize("content", ["", "two words", "line\nbreak", "ü", "x" * 300])
def test_token_files_that_hold_none(tmp_path: Path, content: str) -> None:
    path = tmp_path / "token"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="must hold the HEC token"):
        read_token(path)


def test_token_file_open_to_others(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("abc")
    path.chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        read_token(path)


def test_prometheus_text() -> None:
    metrics = Metrics()
    metrics.inc("events", coverage="complete")
    metrics.inc("events", 2, coverage="truncated")
    metrics.gauge("lag_seconds", 0.25)
    lines = prometheus_text(metrics.snapshot()).splitlines()
    assert lines == [
        "# HELP apisec_events_total Events made, by coverage.",
        "# TYPE apisec_events_total counter",
        'apisec_events_total{coverage="complete"} 1',
        'apisec_events_total{coverage="truncated"} 2',
        "# HELP apisec_lag_seconds Age of the newest transaction read while more are waiting.",
        "# TYPE apisec_lag_seconds gauge",
        "apisec_lag_seconds 0.25",
    ]
