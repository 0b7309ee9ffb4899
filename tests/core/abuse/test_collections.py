"""A collection is scraped; of what belongs to somebody a desk reads as much, and a crawler was there before."""

from __future__ import annotations

import json
from typing import Any, List

import pytest

from apisec.abuse.base import Observation
from apisec.abuse.engine import Engine
from apisec.abuse.harvest import LEAST_THINGS
from apisec.abuse.object_enumeration import ObjectEnumeration
from apisec.abuse.scraping import Scraping
from apisec.abuse.sharing import LEAST_PRINCIPALS, MAX_PRINCIPALS, Sharing
from apisec.errors import DocumentError
from tests.core.abuse.town import Event, at, event, run

PEOPLE, DAYS, ITEMS = 40, 3, 200
EXPERTS = (ObjectEnumeration(), Scraping())
NOON = at(DAYS, 12)
LEAST_VISIT = int(LEAST_THINGS) - 1


def item(time: float, who: str, number: int) -> Event:
    return event(time, who, "GET /items/{id}", object_ids=[f"id=i-{number % ITEMS}"])


def case(time: float, who: str, number: int) -> Event:
    return event(time, who, "GET /cases/{id}", object_ids=[f"id=c-{number}"])


def crawl(day: int) -> List[Event]:
    """A page of the collection in the morning, and all that it names."""
    first, time = 60 * day, at(day, 5)
    page = json.dumps({"items": [{"id": f"i-{first + n}"} for n in range(60)]})
    return [
        event(time, "crawler", "GET /items", response_body=page),
        *(item(time + 5 + 20 * n, "crawler", first + n) for n in range(60)),
    ]


def visit(time: float, who: int, turn: int) -> List[Event]:
    """Somebody's own cases, and some things that everybody looks at."""
    name, mine = f"p{who}", [20 * who + (turn + n) % 9 for n in range(3)]
    cases = json.dumps({"cases": [{"id": f"c-{number}"} for number in mine]})
    return [
        event(time, name, "GET /cases", response_body=cases),
        *(case(time + 9 + n, name, number) for n, number in enumerate(mine)),
        *(item(time + 60 + 9 * n, name, (who * 7 + turn * 5 + n * n) % 90) for n in range(3 + who % 4)),
        event(time + 200, name, "GET /me"),
    ]


def town() -> List[Event]:
    events = [one for day in range(DAYS) for one in crawl(day)]
    for turn in range(2 * DAYS):
        for who in range(PEOPLE):
            events += visit(at(turn // 2, 7 + 6 * (turn % 2) + who * 0.31 % 5), who, turn)
    return events


@pytest.fixture(scope="module")
def state() -> str:
    engine = Engine(families=EXPERTS)
    told = run(engine, town())
    assert not [one for one in told if one["new"]], "a crawler that was there on the first day is none"
    return json.dumps(engine.documents(dirty_only=False))


def best(state: str, events: List[Event]) -> float:
    """Return the highest score of scraping."""
    seen: List[Observation] = []
    run(Engine(json.loads(state), families=EXPERTS, watch=seen.append), events)
    return max((one.score for one in seen if one.family == "scraping"), default=0.0)


def test_the_same_number_of_things_is_scraped_from_a_collection_and_read_at_a_desk(state: str) -> None:
    assert best(state, [item(NOON + 40 * n, "mallory", n) for n in range(70)]) >= 90.0
    assert best(state, [case(NOON + 40 * n, "desk", 20 * (n % PEOPLE) + n % 7) for n in range(70)]) <= 72.0


def reading(who: str, number: int, pause: float = 600.0) -> List[Event]:
    """Half of what a slow scraper asks for are searches; nothing of it is faster than people are."""
    time = NOON + pause * number
    return [event(time, who, "GET /search"), item(time + pause / 10.0, who, number)]


def test_who_reads_a_collection_at_the_pace_of_people_does_nothing_else(state: str) -> None:
    things = range(120)
    assert best(state, [one for n in things for one in reading("mallory", n)]) >= 90.0
    beside = [event(NOON + 600.0 * n + 90 + m, "p3", "GET /me") for n in things for m in range(2)]
    assert best(state, sorted([*(one for n in things for one in reading("p3", n)), *beside], key=_time)) < 90.0
    assert best(state, [one for n in range(LEAST_VISIT) for one in reading("visitor", n)]) < 90.0


def test_many_who_each_read_a_little_and_do_nothing_else_are_seen_together(state: str) -> None:
    shared = [one for n in range(24 * 8) for one in reading(f"s{n % 24}", n, pause=60.0)]
    assert best(state, shared) > 54.0
    assert best(state, [one for one in shared if one["principal"] in ("~principal~s1~", "~principal~s2~")]) < 54.0


def test_who_opens_each_thing_several_times_looks_at_it(state: str) -> None:
    once = [item(NOON + 40 * n, "mallory", n) for n in range(30)]
    several = [item(NOON + 40 * n + 9 * m, "reader", n) for n in range(30) for m in range(4)]
    some_more = [item(NOON + 1_500 + 40 * n, "reader", 30 + n) for n in range(3)]
    assert best(state, once) >= 90.0 > best(state, [*several, *some_more])


def _time(one: Event) -> float:
    return float(one["time"])


def test_few_say_nothing_and_a_fourth_decides() -> None:
    sharing = Sharing()
    for who in range(LEAST_PRINCIPALS - 1):
        sharing.take(who, 0.0)
    assert not sharing.is_private()
    sharing.take(LEAST_PRINCIPALS, 0.0)
    for desk in range(2 * LEAST_PRINCIPALS):
        sharing.take(100 + desk, 1.0)
    assert sharing.is_private()
    again = Sharing.from_state(json.loads(json.dumps(sharing.to_state())))
    for who in range(2 * MAX_PRINCIPALS):
        again.take(1_000 + who, 1.0)
    again.merge(sharing)
    assert not again.is_private()
    assert len(again.to_state()) == MAX_PRINCIPALS


@pytest.mark.parametrize("state", [None, [], {"x": 1}, {"1": "1"}, {"1": -1}])
def test_what_is_no_sharing_is_refused(state: Any) -> None:
    with pytest.raises(DocumentError):
        Sharing.from_state(state)
