"""Who contributed most lately is left out of what is said of many, and no more of it than it did lately."""

from __future__ import annotations

import json
from typing import List

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apisec.abuse.base import OPERATION, SLOTS_PER_DAY, SLOTS_PER_HOUR, Observation
from apisec.abuse.breakages import Ways
from apisec.abuse.campaigns import JOIN_SCORE
from apisec.abuse.engine import Engine
from apisec.abuse.lately import Lately
from apisec.abuse.spec_violation import SpecViolation
from apisec.errors import DocumentError
from tests.core.abuse.town import DAYS, Event, at, event, ordinary, run

WIDTHS = {"1h": SLOTS_PER_HOUR, "1d": SLOTS_PER_DAY}


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 9)), max_size=80))
def test_no_less_than_the_horizon_and_no_more_than_twice_as_long(steps: List[List[int]]) -> None:
    slot, held, seen = 1000, Lately(), []
    for wait, count in steps:
        slot += wait
        held = held.add(slot, count)
        seen.append((slot, count))
        for horizon, width in WIDTHS.items():
            within, longer = (sum(n for when, n in seen if when > slot - many * width) for many in (1, 2))
            assert within <= held.most(horizon, slot) <= longer
    assert Lately.from_state(json.loads(json.dumps(held.to_state()))) == held
    assert held.most("1d", slot + 2 * SLOTS_PER_DAY) == 0


def test_merging_adds_what_is_still_of_the_same_time() -> None:
    old, new = Lately().add(100 * SLOTS_PER_DAY, 5), Lately().add(100 * SLOTS_PER_DAY + SLOTS_PER_HOUR, 7)
    for merged in (old.merge(new), new.merge(old)):
        assert (merged.most("1h", merged.slot), merged.hour, merged.total) == (12, 7, 12)
    assert new.merge(old).slot == new.slot
    assert Lately.from_state([7, 172.0]).total == 0, "a sum over an unknown time says nothing of today"
    with pytest.raises((TypeError, ValueError)):
        Lately.from_state([1, 2, 3])


def test_one_who_always_fails_does_not_hide_many_who_do_now() -> None:
    """A job that sends what is refused, for days; then forty others do, each a little."""
    seen: List[Observation] = []
    engine = Engine(families=(SpecViolation(),), watch=seen.append)
    days = range(DAYS + 1)
    job = [event(at(day, quarter / 4), "job", "POST /orders", 422) for day in days for quarter in range(96)]
    tried: List[Event] = [
        event(at(DAYS, 20, 90 * n), f"m{n // 2}", "POST /orders", 400, src=f"203.0.{n}.9", http_user_agent="curl/8.5")
        for n in range(80)
    ]
    run(engine, [*(one for day in days for one in ordinary(day)), *job, *tried])
    assert any(one.entity == OPERATION and one.score > JOIN_SCORE and len(one.members) > 5 for one in seen)


def test_what_is_always_refused_in_one_way_has_one_fault() -> None:
    ways = Ways()
    ways.add({400: 17.0, 422: 1.0}, 100 * SLOTS_PER_DAY)
    assert ways.alike(100 * SLOTS_PER_DAY)
    ways.add({500: 3.0}, 100 * SLOTS_PER_DAY + 9)
    assert not ways.alike(100 * SLOTS_PER_DAY + 9)
    read = Ways.from_state(json.loads(json.dumps(ways.to_state())))
    read.merge(ways)
    twice = {status: [slot, *(2 * n for n in rest)] for status, (slot, *rest) in ways.to_state().items()}
    assert read.to_state() == twice
    read.forget(103 * SLOTS_PER_DAY)
    assert not read.to_state()
    with pytest.raises(DocumentError):
        Ways.from_state({"400": [1, 2, 3]})
