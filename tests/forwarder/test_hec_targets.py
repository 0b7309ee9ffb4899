"""Several HECs and several tokens: what one target or one team's token does wrong costs nothing and holds up nobody."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from apisec_forwarder.config import HecTeam
from apisec_forwarder.exporters.hec import interpret, retry_after
from apisec_forwarder.exporters.routes import Routes
from apisec_forwarder.exporters.targets import BACKOFF_CAP_SECONDS, backoff
from apisec_forwarder.spool.segments import list_segments
from tests.forwarder.hec_rig import Rig
from tests.support.hec import Answer, FakeHec

BUSY = Answer(503, 9, take=0)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Rig, FakeHec, FakeHec]]:
    with FakeHec() as first, FakeHec() as second:
        rig = Rig(tmp_path, first, others=(second,))
        yield rig, first, second
        rig.close()


Pair = tuple[Rig, FakeHec, FakeHec]


def test_the_first_target_takes_all_while_it_works(two: Pair) -> None:
    rig, first, second = two
    ids = rig.add(60)
    rig.steps()
    assert first.ids() == ids
    assert second.requests == []
    assert rig.shipper.drained()


def test_balanced_targets_share(two: Pair) -> None:
    rig, first, second = two
    rig.start(strategy="balance")
    ids = rig.add(200)
    rig.steps(80)
    assert sorted(first.ids() + second.ids()) == sorted(ids)
    assert min(len(first.ids()), len(second.ids())) > 60
    assert rig.shipper.drained()


@pytest.mark.parametrize("strategy", ["failover", "balance"])
def test_a_dead_target_costs_nothing(two: Pair, strategy: str) -> None:
    rig, first, second = two
    rig.start(strategy=strategy)
    first.stop()
    ids = rig.add(60)
    rig.steps(60, 0.05)
    assert sorted(second.ids()) == sorted(ids)
    assert rig.shipper.drained()
    assert rig.shipper.state.state == "ok"
    assert sorted(rig.shipper.state.targets.values()) == ["ok", "unreachable"]


def test_a_target_that_is_back_takes_over_again(two: Pair) -> None:
    rig, first, second = two
    first.stop()
    rig.add(20)
    rig.steps(20)
    first.start()
    rig.now += BACKOFF_CAP_SECONDS
    rig.add(1)  # one request alone shows that it works again
    rig.steps(5)
    before = len(second.ids())
    late = rig.add(20)
    rig.steps(20)
    assert set(late) <= set(first.ids())
    assert len(second.ids()) == before


def test_a_busy_target_is_left_alone_and_probed_without_events(two: Pair) -> None:
    rig, first, second = two
    first.constant, first.healthy = BUSY, False
    ids = rig.add(100)
    rig.steps(100, 0.5)
    assert second.ids() == ids
    assert len(first.requests) == 1, "one request was answered with 503; after that it is only asked for its health"
    assert 3 <= first.probes < 20
    first.constant, first.healthy = None, True
    rig.now += BACKOFF_CAP_SECONDS
    rig.add(1)
    rig.steps(3)
    late = rig.add(10)
    rig.steps(10)
    assert set(late) <= set(first.ids())


def test_what_waits_at_a_target_that_died_goes_to_another(two: Pair) -> None:
    """Its acknowledgements will never come, and the events may have died with it."""
    rig, first, second = two
    first.hold_acks = True
    ids = rig.add(30)
    rig.steps(10, 0.1)
    assert set(first.ids()) == set(ids)
    first.stop()
    rig.steps(200, 0.1)  # less than the timeout of acknowledgements
    assert sorted(second.ids()) == sorted(ids)
    assert rig.shipper.drained()


def test_acknowledgements_are_asked_where_the_batch_went(two: Pair) -> None:
    rig, first, second = two
    rig.start(strategy="balance")
    rig.add(100)
    rig.steps(60)
    for hec in (first, second):
        assert sorted(hec.acknowledged) == sorted(hec.ids())
        channels = {headers["x-splunk-request-channel"] for _, headers in hec.requests}
        assert len(channels) == 1
    assert rig.shipper.drained()


def test_all_targets_dead_then_one_back(two: Pair) -> None:
    rig, first, second = two
    first.stop()
    second.stop()
    ids = rig.add(30)
    rig.steps(40, 0.5)
    assert rig.shipper.state.state == "unreachable"
    second.start()
    rig.steps(60, 1.0)
    assert second.ids() == ids
    assert rig.shipper.drained()


def test_a_token_that_only_one_target_refuses(two: Pair) -> None:
    rig, first, second = two
    first.token = "another"
    ids = rig.add(30)
    rig.steps(30)
    assert second.ids() == ids
    assert rig.shipper.drained()


# -- Retry-After and backoff


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": " 0 "}, 0),
        ({"retry-after": "99999999999999999999"}, 3600),
        ({"retry-after": "-3"}, 0),
        ({"retry-after": "1.5"}, 0),
        ({"retry-after": "soon"}, 0),
        ({"retry-after": "²"}, 0),
        ({"retry-after": "Fri, 31 Dec 1999 23:59:59 GMT", "date": "Fri, 31 Dec 1999 23:59:29 GMT"}, 30),
        ({"retry-after": "Fri, 31 Dec 1999 23:59:59 GMT", "date": "Sat, 01 Jan 2000 23:59:29 GMT"}, 0),
        ({"retry-after": "Fri, 31 Dec 1999 23:59:59 GMT"}, 0),
        ({}, 0),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float) -> None:
    assert retry_after(headers) == seconds


def test_retry_after_counts_only_with_an_answer_that_says_later() -> None:
    assert interpret(429, b"", {"retry-after": "9"}).retry_after == 9
    assert interpret(403, b'{"code": 4}', {"retry-after": "9"}).retry_after == 0


def test_retry_after_is_honoured_on_the_wire(tmp_path: Path) -> None:
    with FakeHec() as hec:
        rig = Rig(tmp_path, hec)
        hec.script.append(Answer(429, 27, take=0, retry_after="20"))
        ids = rig.add(3)
        rig.steps(19, 1.0)
        assert hec.ids() == []
        rig.steps(10, 1.0)
        assert hec.ids() == ids
        rig.close()


def test_backoff_is_full_jitter_under_a_cap() -> None:
    assert [backoff(failures, 1.0) for failures in range(9)] == [0.25, 0.5, 1, 2, 4, 8, 16, 30, 30]
    assert backoff(10_000, 1.0) == BACKOFF_CAP_SECONDS
    assert backoff(5, 0.0) == 0.0


# -- tokens of teams


PAY, SHOP = "22222222-aaaa", "33333333-bbbb"


@pytest.fixture
def teams(tmp_path: Path) -> Iterator[Rig]:
    names = {"payments": PAY, "shop": SHOP}
    made = []
    for name, token in names.items():
        path = tmp_path / f"{name}.token"
        path.write_text(token)
        path.chmod(0o600)
        made.append(HecTeam(team=name, token_file=path, index=f"apisec_{name}"))
    with FakeHec(teams={PAY: "apisec_payments", SHOP: "apisec_shop"}) as hec:
        rig = Rig(tmp_path, hec, teams=tuple(made))
        yield rig
        rig.close()


def test_every_team_goes_by_its_own_token(teams: Rig) -> None:
    """The tokens of the teams are refused for any other index."""
    ids = []
    for _ in range(20):
        ids += teams.add(1) + teams.add(1, index="apisec_payments") + teams.add(1, index="apisec_shop")
    teams.steps(100)
    assert sorted(teams.hec.ids()) == sorted(ids)
    assert teams.buried() == []
    assert teams.shipper.drained()
    used = {headers["authorization"] for path, headers in teams.hec.requests if path.endswith("/event")}
    assert used == {f"Splunk {one}" for one in (teams.hec.token, PAY, SHOP)}


def test_one_team_s_refused_token_holds_up_nobody_else(teams: Rig) -> None:
    del teams.hec.teams[PAY]
    others, theirs = [], []
    for _ in range(60):
        others += teams.add(3) + teams.add(3, index="apisec_shop")
        theirs += teams.add(2, index="apisec_payments")
    teams.steps(300, 0.2)
    assert sorted(teams.hec.ids()) == sorted(others)
    assert teams.counter("hec_events_held") >= len(theirs)
    assert any(segment.writer.startswith("held_") for segment in list_segments(teams.folder / "spool"))
    teams.hec.teams[PAY] = "apisec_payments"
    teams.steps(400, 0.5)
    assert set(teams.hec.ids()) == {*others, *theirs}
    assert teams.shipper.drained()


def test_the_index_is_read_from_any_spelling_of_the_envelope() -> None:
    routes = Routes([("apisec_pay", "pay")])
    as_written = (
        b'{"time":1.5,"host":"edge","source":"apisec-forwarder","sourcetype":"a:b","index":"apisec_pay","event":{}}'
    )
    other_order = b'{"event": {"index": "apisec_other"}, "index": "apisec_pay"}'
    within = b'{"time":1.5,"host":"edge","source":"s","sourcetype":"a:b","event":{"x":"\\"index\\":\\"apisec_pay\\""}}'
    assert routes.group([as_written, within, other_order, b"not JSON", b"[]"]) == {"pay": [0, 2], "": [1, 3, 4]}


# -- a load balancer's cookies


def test_cookies_keep_a_channel_in_one_place(tmp_path: Path) -> None:
    with FakeHec(cookies=("AWSALB=one; Path=/; Secure", "other=two")) as hec:
        rig = Rig(tmp_path, hec)
        rig.add(30)
        rig.steps()
        assert "cookie" not in hec.requests[0][1]
        assert {headers["cookie"] for _, headers in hec.requests[1:]} == {"AWSALB=one; other=two"}
        rig.close()
