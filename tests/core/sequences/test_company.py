"""Who does an operation: doing nothing else is unusual of what people do among other things, not of what devices do."""

from __future__ import annotations

import json
import random

import pytest

from apisec.abuse.flow_company import MAX_MEMBERS, Company
from apisec.abuse.flow_repeats import Doing
from apisec.errors import DocumentError

DAY = 288  # slots
NOW = 10 * DAY
BROWSER, DAEMON = 7, 8
STRENGTH = 4.0  # decades that it would say of the service's operations together


def company(people: int = 0, devices: int = 0, at: int = NOW - 2 * DAY) -> Company:
    made, chance = Company(), random.Random(5)
    for number in range(people):
        made.note(at, f"person {number}", Doing(chance.randint(1, 4), chance.uniform(8, 60)), BROWSER)
    for number in range(devices):
        for slot in (at, at + DAY):
            made.note(slot, f"device {number}", Doing(280.0, chance.choice((0.0, 1.0))), DAEMON)
    return made


def alone(made: Company, times: float = 300.0, others: float = 0.0, software: int = BROWSER) -> float:
    return made.alone(NOW, "somebody", Doing(times, others), software, STRENGTH)


def test_a_device_among_devices_is_ordinary_and_who_does_nothing_but_buy_is_not() -> None:
    assert alone(company(devices=5), software=DAEMON) < 0.1
    assert alone(company(people=5)) < 2.0
    assert alone(company(people=100), times=12.0) > 3.5


def test_programs_that_live_by_it_are_no_excuse_for_who_comes_as_people_do() -> None:
    made = company(people=100, devices=5)
    assert alone(made, software=DAEMON) < 1.5, "one more of them"
    assert alone(company(people=100), software=DAEMON) > 3.5, "where there never was a program"
    assert alone(made) == alone(company(people=100)) > 3.5


def test_of_what_is_new_nothing_is_known() -> None:
    assert alone(Company()) < 0.7
    assert alone(company(devices=30, at=NOW - 5), software=DAEMON) < 0.7, "they came today, as it did"


def test_yesterdays_attackers_are_no_excuse() -> None:
    made = company(people=100)
    for number in range(20):
        made.note(NOW - DAY - 9, f"account {number}", Doing(20.0, 0.0), BROWSER)
    assert alone(made) > 3.5
    for number in range(20):
        made.drop(f"account {number}")
    assert alone(made) == alone(company(people=100))


def test_other_accounts_of_the_same_day_are_no_excuse() -> None:
    made = company(people=100)
    before = alone(made)
    for number in range(6):
        made.note(NOW - 3, f"account {number}", Doing(20.0, 0.0), BROWSER)
    assert alone(made) == before
    assert alone(made, others=5.0) == made.alone(NOW, "account 1", Doing(300.0, 5.0), BROWSER, STRENGTH)


def test_a_software_is_peoples_when_several_of_them_come_by_it() -> None:
    made = company(people=20, devices=40)
    assert made.is_common(BROWSER)
    assert not made.is_common(DAEMON), "however many devices run it"
    assert not company(people=4).is_common(BROWSER)


def test_at_home_is_who_did_it_by_the_same_software_before_today() -> None:
    made = company(people=1)
    assert made.is_home(NOW, "person 0", BROWSER)
    assert not made.is_home(NOW, "person 0", DAEMON)
    assert not made.is_home(NOW - 2 * DAY + 9, "person 0", BROWSER)
    assert not made.is_home(NOW, "somebody", BROWSER)


def test_it_is_a_bounded_sample_that_forgets_merges_and_is_read_again() -> None:
    made = company(people=3 * MAX_MEMBERS)
    other = company(devices=3 * MAX_MEMBERS, at=NOW - 9 * DAY)
    together, reverse = Company(), Company()
    for one in (made, other):
        together.merge(one)
    for one in (other, made):
        reverse.merge(one)
    state = json.loads(json.dumps(together.to_state()))
    assert state == json.loads(json.dumps(reverse.to_state()))
    assert len(state) == MAX_MEMBERS
    assert Company.from_state(state).to_state() == state
    together.forget(NOW + 7 * DAY)
    assert 0 < len(together.to_state()) < MAX_MEMBERS


@pytest.mark.parametrize("state", [7, {"a": [1, 1, 1, 1, 1]}, {"1": [1, 1]}, {"1": [1, 1, -1, 1, 1]}])
def test_states_that_are_no_company_are_refused(state: object) -> None:
    with pytest.raises(DocumentError):
        Company.from_state(state)
