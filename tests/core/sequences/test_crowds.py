"""What many do alike and what one repeats: told against what is usual, learned a day later, bounded, read again."""

from __future__ import annotations

import json
import random

import pytest

from apisec.abuse.flow_crowds import HOME, LEAST_KNOWN, MAX_RECENT, MAX_VALUES, PATH, SCRIPT, Takers
from apisec.abuse.flow_repeats import ALONE, REGULAR, Doing, Repeats
from apisec.errors import DocumentError

DAY = 288  # slots
USUAL, WAY = 7, 99  # paths
ACCOUNTS = frozenset(f"account {number}" for number in range(20))


def person(chance: random.Random) -> tuple[int, ...]:
    """One of many ways, from one of many clients, at one of many paces, seldom for the first time."""
    path = USUAL if chance.random() < 0.1 else chance.randrange(1000, 9000)
    return (
        path,
        chance.randrange(1, 9),
        chance.randrange(1, 500),
        chance.randrange(1, 9),
        int(chance.random() < 0.1),
        0,
    )


def usual(days: int = 10, people: int = 20) -> Takers:
    made, chance = Takers(), random.Random(1)
    for day in range(days):
        for number in range(people):
            made.take(day * DAY + number, f"{day}-{number}", person(chance))
        made.learn((day + 1) * DAY + people, lambda _: False)
    return made


def script(made: Takers, slot: int, count: int, path: int = WAY, software: int = 55, network: int = 66) -> None:
    for number in range(count):
        made.take(slot, f"account {number}", (path, software, network, 3, 1, 0))


def test_accounts_of_one_script_are_told_from_people() -> None:
    made = usual()
    script(made, 12 * DAY, 12)
    crowd = made.crowd(PATH, WAY)
    assert crowd is not None
    assert len(crowd.members) == crowd.takers == 12
    assert min(crowd.features[name] for name in ("path", "client", "newcomers")) > 3.0


def test_people_who_come_by_a_usual_way_are_none() -> None:
    made, chance = usual(), random.Random(2)
    for number in range(60):
        made.take(12 * DAY, f"someone {number}", person(chance))
    crowd = made.crowd(PATH, USUAL)
    assert crowd is None or max(crowd.features.values()) < 2.0


def test_a_burst_of_newcomers_who_come_by_one_link_is_a_way_and_nobodys_script() -> None:
    made, chance = usual(), random.Random(3)
    for number in range(30):  # and others of the same day are as new
        made.take(12 * DAY, f"curious {number}", (WAY, *person(chance)[1:4], 1, 0))
        made.take(12 * DAY, f"other {number}", (*person(chance)[:4], 1, 0))
    crowd = made.crowd(PATH, WAY)
    assert crowd is not None
    assert crowd.features["path"] > 5.0
    assert crowd.features["client"] < 2.0
    assert crowd.features["newcomers"] < 2.0


def test_many_who_do_little_else_are_told_whatever_way_they_came() -> None:
    made, chance = usual(), random.Random(6)
    for number in range(30):
        made.take(12 * DAY, f"someone {number}", person(chance))
    for number in range(0, 30, 3):
        made.script(f"someone {number}", hides=True)
    made.script("nobody", hides=True)
    crowd = made.crowd(SCRIPT, 1)
    assert crowd is not None
    assert len(crowd.members) == 10
    assert crowd.features["scripted"] > 3.0
    assert crowd.features["client"] < 2.0


def test_who_did_it_before_by_the_same_software_is_no_part_of_a_crowd() -> None:
    """Six clerks of one office; but scripts that come by people's software are, whatever their accounts did before."""
    made = usual()
    for number in range(6):
        made.take(12 * DAY, f"clerk {number}", (WAY, 55, 66, 3, HOME, 0))
        made.script(f"clerk {number}", hides=False)
    assert made.crowd(PATH, WAY) is None
    assert made.crowd(SCRIPT, 1) is None
    for number in range(6):
        made.script(f"clerk {number}", hides=True)
    assert made.crowd(SCRIPT, 1) is not None


def test_few_are_no_crowd_and_nothing_is_unusual_where_little_is_known() -> None:
    made = usual()
    script(made, 12 * DAY, 3)
    assert made.crowd(PATH, WAY) is None
    new = Takers()
    script(new, 0, 12)
    assert new.crowd(PATH, WAY) is None
    assert LEAST_KNOWN > 0


def test_who_is_accused_by_the_next_day_teaches_nothing() -> None:
    learned, refused = usual(), usual()
    for made, suspicious in ((learned, frozenset()), (refused, ACCOUNTS)):
        script(made, 12 * DAY, 20)
        made.learn(13 * DAY, suspicious.__contains__)
        for number in range(12):
            made.take(13 * DAY + 1, f"again {number}", (WAY, 55, 66, 3, 1, 0))
    told, forgiven = refused.crowd(PATH, WAY), learned.crowd(PATH, WAY)
    assert told is not None
    assert forgiven is not None
    assert told.features["client"] > forgiven.features["client"] + 1.0


def test_takers_are_bounded_and_read_again() -> None:
    made, chance = usual(), random.Random(4)
    for number in range(3 * MAX_RECENT):
        made.take(20 * DAY, f"someone {number}", person(chance))
    made.learn(22 * DAY, lambda _: False)
    for number in range(3 * MAX_RECENT):
        made.take(23 * DAY, f"someone {number}", person(chance))
    state = json.loads(json.dumps(made.to_state()))
    assert len(state["recent"]) == MAX_RECENT
    assert max(len(held) for held in state["usual"]) == MAX_VALUES
    assert Takers.from_state(state).to_state() == state


def test_takers_of_two_engines_come_together() -> None:
    one, other = usual(), usual()
    script(one, 12 * DAY, 6)
    for number in range(6):
        other.take(12 * DAY, f"more {number}", (WAY, 55, 66, 3, 1, 0))
    one.merge(other)
    crowd = one.crowd(PATH, WAY)
    assert crowd is not None
    assert len(crowd.members) == 12


def learned() -> Repeats:
    made, chance = Repeats(), random.Random(5)
    for number in range(300):
        bits = Doing(4.0, chance.uniform(20, 80)).bits
        made.wait(0, f"person {number}", ALONE[1], "jwt", 4.0, bits)
        if number % 30 == 29:
            made.learn(DAY, lambda _: False)
    return made


def test_who_does_little_else_is_unusual_among_its_like() -> None:
    made = learned()
    alone = Doing(40.0, 1.0).bits
    assert made.decades(ALONE[1], "jwt", 40.0, alone) > 2.0
    assert made.decades(ALONE[1], "session", 40.0, alone) > 2.0, "a person's, too"
    assert made.decades(ALONE[1], "api_key", 40.0, alone) == 0.0, "no key for programs is known here"
    assert made.decades(ALONE[1], "jwt", 40.0, Doing(40.0, 500.0).bits) < 1.0
    assert made.decades(REGULAR, "jwt", 40.0, 9.0) == 0.0, "no pauses are known"


def test_what_waits_is_not_known_and_not_learned_of_the_accused() -> None:
    made = Repeats()
    for number in range(60):
        made.wait(0, f"person {number}", ALONE[0], "jwt", 2.0, 1.0)
    made.learn(DAY - 1, lambda _: False)
    assert made.known(ALONE[0], "jwt") == 0
    made.learn(DAY, lambda who: who.endswith("7"))
    assert made.known(ALONE[0], "jwt") == 54


def test_repeats_are_read_again_and_merge() -> None:
    made = learned()
    state = json.loads(json.dumps(made.to_state()))
    assert Repeats.from_state(state).to_state() == state
    made.merge(learned())


@pytest.mark.parametrize("state", [7, {}, {"pools": {"alone": 1}, "waiting": []}, {"pools": {}, "waiting": [[1]]}])
def test_states_that_are_no_repeats_are_refused(state: object) -> None:
    with pytest.raises(DocumentError):
        Repeats.from_state(state)


@pytest.mark.parametrize(
    "change", [{"recent": {"a": [1]}}, {"usual": [{}]}, {"usual": [{"x": 1}] * 6}, {"total": -1}, {"week": "a"}]
)
def test_states_that_are_no_takers_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(DocumentError):
        Takers.from_state({**Takers().to_state(), **change})
