"""Hourly totals merge exactly, are judged by the mornings' knowledge, and stay bounded."""

from __future__ import annotations

import json
import random
import zlib
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from apisec.baselines.book import PEERS, SHARE, YOUNG, Book
from apisec.baselines.season import MAX_HOURS, WEEK
from apisec.baselines.totals import MAX_STATE, Total
from apisec.errors import DocumentError

START = 20_000 * 288  # a slot, midnight
slots = st.lists(
    st.tuples(
        st.integers(START, START + 40 * 288),
        st.dictionaries(st.sampled_from(["requests", "failures", "s401"]), st.integers(0, 1 << 40), max_size=3),
    ),
    max_size=40,
)


def total_of(learned: list[tuple[int, dict[str, int]]]) -> Total:
    total = Total("operation")
    for slot, values in sorted(learned, key=lambda one: one[0]):
        total.learn(slot, values, Book())
    return total


def reread(total: Total) -> Total:
    return Total.from_state("operation", json.loads(json.dumps(total.to_state())))


@given(slots, st.randoms(use_true_random=False))
@settings(max_examples=12, deadline=None, phases=[Phase.generate])  # shrinking weeks takes minutes
def test_any_split_gives_what_one_pass_gives(learned: list[tuple[int, dict[str, int]]], rng: random.Random) -> None:
    shards: list[list[tuple[int, dict[str, int]]]] = [[], [], []]
    for one in learned:
        rng.choice(shards).append(one)
    merged = Total("operation")
    for shard in shards:
        merged.merge(reread(total_of(shard)))
    once = total_of(learned)
    assert merged.to_state()["hours"] == once.to_state()["hours"]
    assert merged.last == once.last


def steady(days: int, rate: int = 40, failures: int = 2) -> Total:
    rng = random.Random(5)
    total, book = Total("operation"), Book()
    for hour in range(days * 24):
        for part in range(12):
            count = rng.randrange(rate // 12 * 2 + 1)
            values = {"requests": count, "failures": sum(rng.random() < failures / rate for _ in range(count))}
            total.learn(START + hour * 12 + part, values, book)
    return total


def test_the_first_day_says_nothing_and_the_first_week_is_young() -> None:
    slot = START + 10 * 288 + 11
    assert steady(1).judge("requests", 0, START + 200, 10_000.0).evidence == 0.0
    assert steady(4).judge("requests", 0, START + 4 * 288 + 11, 50.0).basis == YOUNG
    judged = steady(10).judge("requests", 0, slot, 160.0)
    assert judged.basis == PEERS
    assert judged.evidence > 3.0
    assert judged.expected == pytest.approx(36.0, rel=0.25)
    assert steady(10).judge("requests", 0, slot, judged.expected).evidence == 0.0


def test_a_share_of_the_requests_is_judged_against_it() -> None:
    total, slot = steady(10), START + 10 * 288 + 11
    burst = total.judge("failures", 0, slot, 20.0, per=400.0)
    assert burst.basis == SHARE
    assert burst.evidence < 1.0, "ten times the requests bring ten times the failures"
    assert total.judge("failures", 0, slot, 20.0, per=40.0).evidence > 4.0
    assert total.judge("failures", 0, slot, 20.0).evidence > 4.0


def test_a_day_is_judged_by_what_its_morning_knew() -> None:
    total, book = steady(10), Book()
    slot = START + 10 * 288
    before = total.judge("requests", 0, slot + 11, 160.0)
    for part in range(144):
        total.learn(slot + part, {"requests": 500}, book)
    assert total.judge("requests", 0, slot + 11, 160.0) == before
    assert reread(total).judge("requests", 0, slot + 11, 160.0) == before


def test_two_days_of_a_flood_do_not_become_the_level() -> None:
    total, book = steady(14), Book()
    slot = START + 16 * 288 + 11
    calm = total.judge("requests", 0, slot - 2 * 288, 160.0)
    for part in range(2 * 288):
        total.learn(START + 14 * 288 + part, {"requests": 300}, book)
    flooded = total.judge("requests", 0, slot, 160.0)
    assert flooded.expected < 1.5 * calm.expected, "of 100 times as many"


def test_finished_hours_are_noted_in_the_book() -> None:
    total, book = Total("operation"), Book()
    for part in range(3 * 288 + 12):
        total.learn(START + part, {"requests": 4 if part % 288 < 280 else 40}, book)
    assert book.total(("operation", 0, YOUNG)) > 0
    assert any(cell.evidences for key, cell in book.cells.items() if key[1] == "requests")


def test_four_weeks_are_remembered() -> None:
    total, book = Total("operation"), Book()
    for hour in range(9 * WEEK):
        total.learn(START + hour * 12, {"requests": hour + 1, "s401": 1 if hour < 50 else 0}, book)
    assert total.last - total.start < MAX_HOURS + WEEK
    assert "s401" not in total.hours
    assert len(total.hours["requests"]) <= MAX_HOURS + WEEK
    assert len(json.dumps(total.to_state())) < 4_000
    gap = reread(total)
    gap.learn(START + 40 * WEEK * 12, {"requests": 1}, book)
    assert gap.hours == {"requests": [0] * (gap.last - gap.start) + [1]}


@pytest.mark.parametrize(
    "state",
    [
        {}, {"span": [1, 2], "hours": {}}, {"span": [5, 0, 4], "hours": {}}, {"span": [0, 0, 10**6], "hours": {}},
        {"span": [0, 0, 5], "hours": {"requests": 7}}, {"span": [0, 0, 5], "hours": {"requests": "!"}},
        {"span": [0, 0, 5], "hours": {"requests": b64encode(zlib.compress(b"\1" * 7)).decode()}},
        {"span": [0, 0, 5], "hours": {"requests": b64encode(zlib.compress(b"\0" * 10_000_000)).decode()}},
        {"span": [0, 0, 5], "hours": {"requests": b64encode(zlib.compress(b"\xff" * 12)).decode()}},
        {"span": [0, 0, 5], "hours": {"requests": "A" * (MAX_STATE + 4)}},
        {"span": [0, 0, 5], "hours": {str(n): "" for n in range(99)}}, None,
    ],
)  # fmt: skip
def test_a_broken_state_is_refused(state: Any) -> None:
    with pytest.raises(DocumentError):
        Total.from_state("operation", state)
