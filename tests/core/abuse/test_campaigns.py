"""What belongs together becomes one finding, told once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from apisec.abuse.base import PRINCIPAL, SLOTS_PER_HOUR, Observation, score_of
from apisec.abuse.campaigns import FREEZE_DAYS, IDLE_HOURS, NEARBY_HOURS, NEXT_HOURS, OUTBREAK_HOURS, SHARED_HOURS
from apisec.abuse.ledger import Ledger
from apisec.errors import DocumentError

SLOT = 5_892_000


def observed(who: str = "mallory", score: float = 95.0, **more: Any) -> Observation:
    made = {
        "family": "scraping", "service": "shop", "team": "web", "operation": "GET /products/{id}", "entity": PRINCIPAL,
        "principal": who, "slot": SLOT, "first": 1.0, "last": 2.0, "features": {}, "p_value": 10 ** (-score / 18),
        "score": score, "seen": 9.0, "expected": 1.0, "unit": "objects in an hour", "basis": "peers",
    }  # fmt: skip
    return Observation(**{**made, **more})


def test_the_score_is_18_a_decade() -> None:
    assert [round(score_of(p), 6) for p in (1.0, 1e-1, 1e-5, 1e-9, 0.0)] == [0.0, 18.0, 90.0, 100.0, 100.0]


def test_a_campaign_is_new_once_when_it_reaches_90() -> None:
    ledger = Ledger()
    told = [ledger.take([observed(score=score)], SLOT + n) for n, score in enumerate((30, 60, 89.9, 90, 99, 99))]
    assert [[one.new for one in each] for each in told] == [[], [False], [False], [True], [False], []]
    assert len({one.campaign.id for each in told for one in each}) == 1


@pytest.mark.parametrize(
    ("second", "together"),
    [
        (observed(operation="GET /orders"), True),  # the same principal, elsewhere
        (observed("other"), True),  # another one, the same operation
        (observed("other", operation="GET /orders"), False),
        (observed("other", score=75.0), False),  # weak, and a stranger
        (observed("other", operation="GET /orders", signature="x"), False),
        (observed("other", score=60.0, operation="GET /orders", signature="hoster, curl"), True),
        (observed("mallory", family="flooding"), True),  # another face of the same
        (observed("other", family="flooding"), False),
        (observed(service="bank"), False),
    ],
)
def test_what_joins(second: Observation, together: bool) -> None:
    ledger = Ledger()
    ledger.take([observed(signature="hoster, curl")], SLOT)
    ledger.take([second], SLOT + OUTBREAK_HOURS * SLOTS_PER_HOUR + 1)
    assert (len(ledger) == 1) is together


@pytest.mark.parametrize(
    ("who", "hours", "together"),
    [("mallory", IDLE_HOURS, True), ("other", NEARBY_HOURS, True), ("other", SHARED_HOURS + 1, False)],
)
def test_how_long_a_campaign_is_joined(who: str, hours: int, together: bool) -> None:
    ledger = Ledger()
    ledger.take([observed()], SLOT)
    told = ledger.take([observed(who)], SLOT + hours * SLOTS_PER_HOUR)
    assert any(one.new for one in told) is not together


@pytest.mark.parametrize(
    ("family", "hours", "findings"),
    [
        ("reconnaissance", 1, 1),
        ("reconnaissance", NEARBY_HOURS + 1, 2),  # nobody came meanwhile: another one
        ("function_abuse", OUTBREAK_HOURS, 1),  # what breaks out in one kind within an hour is no chance
        ("function_abuse", OUTBREAK_HOURS + 1, 2),
    ],
)
def test_what_needs_no_account_is_one_finding_by_however_many_addresses(family: str, hours: int, findings: int) -> None:
    ledger, told = Ledger(), 0
    for number, at in ((1, 0), (2, hours)):
        one = observed(f"address {number}", family=family, operation=f"GET /{number}.php")
        told += sum(each.new for each in ledger.take([one], SLOT + at * SLOTS_PER_HOUR))
    assert told == findings


def test_a_finding_does_not_vanish_among_strangers_of_a_weak_campaign() -> None:
    ledger = Ledger()
    for who in ("a", "b", "mallory"):
        ledger.take([observed(who, score=85.0)], SLOT)
    (told,) = ledger.take([observed("mallory", 99.0, family="ssrf")], SLOT + 1)
    assert told.new
    assert told.campaign.families == ["ssrf"]


def test_sources_that_grow_one_by_one_are_one_finding() -> None:
    ledger, told = Ledger(), []
    for number in range(12):  # weak first, so that each has a campaign of its own, then strong; one every three hours
        for step, score in enumerate((60.0, 96.0)):
            one = observed(f"source {number}", score, family="token_guessing", operation="", signature="")
            told += ledger.take([one], SLOT + number * 3 * SLOTS_PER_HOUR + step)
    assert sum(one.new for one in told) == 1
    assert (len(ledger), told[-1].campaign.member_count) == (1, 12)


def test_who_is_accused_by_joining_is_told_at_once_and_many_as_they_double() -> None:
    ledger = Ledger()
    ledger.take([observed()], SLOT)
    told = [ledger.take([observed(f"member {number}")], SLOT + 1 + number // 4) for number in range(31)]
    assert [number for number, each in enumerate(told) if each] == [0, 1, 2, 3, 4, 5, 6, 14, 30]
    assert not any(one.new for each in told for one in each)
    assert [one.observation.principal for one in told[14]] == ["member 14"]


def test_those_who_came_every_hour_for_a_day_are_done_after_half_a_day() -> None:
    ledger = Ledger()
    for number in range(24):
        ledger.take([observed(f"s{number}", family="reconnaissance", operation="")], SLOT + number * SLOTS_PER_HOUR)
    later = SLOT + (24 + 12) * SLOTS_PER_HOUR
    (told,) = ledger.take([observed("another", family="reconnaissance", operation="")], later)
    assert told.new


@pytest.mark.parametrize(
    ("hours", "operation", "together"),
    [
        (NEXT_HOURS, "GET /products/{id}", True),
        (NEXT_HOURS + 1, "GET /products/{id}", False),
        (NEXT_HOURS, "", True),  # about the service as a whole
        (NEXT_HOURS + 1, "", False),
    ],
)
def test_what_the_accused_go_on_doing_makes_nobody_else_one_of_them(hours: int, operation: str, together: bool) -> None:
    ledger = Ledger()
    for hour in range(hours):
        ledger.take([observed(operation=operation)], SLOT + hour * SLOTS_PER_HOUR)
    told = ledger.take([observed("another", operation=operation)], SLOT + hours * SLOTS_PER_HOUR)
    assert any(one.new for one in told) is not together


@pytest.mark.parametrize(
    ("client", "together"), [("curl from 192.0.2.0/24", True), ("okhttp from 192.0.2.0/24", False)]
)
def test_who_comes_back_under_another_name_with_the_same_client_is_known(client: str, together: bool) -> None:
    ledger = Ledger()
    ledger.take([observed(client="curl from 192.0.2.0/24")], SLOT)
    later = observed("another", operation="GET /orders", client=client)
    told = ledger.take([later], SLOT + IDLE_HOURS * SLOTS_PER_HOUR)
    assert any(one.new for one in told) is not together


def test_who_comes_from_outside_belongs_to_others_from_outside_only() -> None:
    ledger = Ledger()
    ledger.take([observed(family="excess_data", operation="GET /orders")], SLOT)
    ledger.take([observed(family="reconnaissance", operation="GET /orders")], SLOT + 1)
    at = SLOT + 2 * SLOTS_PER_HOUR
    (told,) = ledger.take([observed("another", family="reconnaissance", operation="GET /.env")], at)
    assert told.new


def test_a_finding_does_not_vanish_where_its_family_is_a_weak_trait_of_somebody_else() -> None:
    ledger = Ledger()
    ledger.take([observed(family="step_skipping", operation="POST /pay")], SLOT)
    ledger.take([observed(score=70.0, family="flow_automation", operation="POST /pay")], SLOT + 1)
    (told,) = ledger.take([observed("other", 100.0, family="flow_automation", operation="POST /pay")], SLOT + 60)
    assert told.new


@pytest.mark.parametrize("family", ["ssrf", "account_enumeration", "token_guessing"])
def test_another_family_of_somebody_else_is_a_finding_of_its_own(family: str) -> None:
    ledger = Ledger()
    for first in ("injection", "credential_stuffing", "reconnaissance"):
        ledger.take([observed(first, family=first, signature="python-requests")], SLOT)
    (told,) = ledger.take([observed("other", family=family, signature="python-requests")], SLOT + 1)
    assert told.new


@pytest.mark.parametrize(("hours", "together"), [(SHARED_HOURS - 1, True), (SHARED_HOURS + 1, False)])
def test_what_the_accused_take_up_days_later_draws_in_nobody_else(hours: int, together: bool) -> None:
    ledger = Ledger()
    for hour in range(hours + 1):
        ledger.take([observed()], SLOT + hour * SLOTS_PER_HOUR)
    at = SLOT + hours * SLOTS_PER_HOUR
    told = ledger.take([observed(family="flooding")], at)
    assert not any(one.new for one in told)  # its own principal does more of it
    told = ledger.take([observed("other", family="flooding")], at + 1)
    assert any(one.new for one in told) is not together


@pytest.mark.parametrize(("hours", "together"), [(SHARED_HOURS - 1, True), (SHARED_HOURS + 1, False)])
def test_another_kind_of_finding_about_the_same_principal_days_later_is_one_more(hours: int, together: bool) -> None:
    ledger = Ledger()
    ledger.take([observed()], SLOT)
    ledger.take([observed(score=60.0, family="flooding")], SLOT + 1)
    told = ledger.take([observed(family="flooding")], SLOT + 1 + hours * SLOTS_PER_HOUR)
    assert any(one.new for one in told) is not together


def test_a_weak_member_that_does_worse_elsewhere_is_a_finding_of_its_own() -> None:
    ledger = Ledger()
    ledger.take([observed()], SLOT)
    ledger.take([observed("other", 85.0)], SLOT + 1)
    (told,) = ledger.take([observed("other", 99.0, family="ssrf", operation="POST /hooks")], SLOT + 2)
    assert told.new
    assert not any(one.new for one in ledger.take([observed("other", 99.0)], SLOT + 3))  # the same as the first one


def test_a_crowd_joins_the_finding_about_the_first_of_it() -> None:
    ledger = Ledger()
    ledger.take([observed("m0", family="function_abuse", operation="GET /a")], SLOT)
    crowd = observed(
        "", family="function_abuse", operation="GET /b", entity="operation", members=tuple(f"m{n}" for n in range(5))
    )
    assert not any(one.new for one in ledger.take([crowd], SLOT + 19))
    strangers = observed(
        "", family="function_abuse", operation="GET /c", entity="operation", members=tuple(f"n{n}" for n in range(5))
    )
    assert any(one.new for one in ledger.take([strangers], SLOT + 20))


def test_a_crowd_of_those_accused_accuses_nobody_who_did_a_little_meanwhile() -> None:
    ledger = Ledger()
    for hour in range(NEXT_HOURS + 1):
        ledger.take([observed("m0"), observed("m1")], SLOT + hour * SLOTS_PER_HOUR)
    at = SLOT + (NEXT_HOURS + 1) * SLOTS_PER_HOUR
    crowd = observed("", entity="operation", members=("m0", "m1", "other"))
    assert not any(one.new for one in ledger.take([crowd], at))
    (told,) = ledger.take([observed("other")], at + 1)
    assert told.new


def test_many_principals_of_one_operation_are_one_finding_with_members() -> None:
    ledger = Ledger()
    told = [one for n in range(30) for one in ledger.take([observed(f"m{n}")], SLOT + n)]
    assert sum(one.new for one in told) == 1
    assert told[-1].campaign.member_count == 30 or len(ledger) == 1


def test_it_closes_when_idle_and_is_deleted_from_the_store() -> None:
    ledger = Ledger()
    (told,) = ledger.take([observed()], SLOT)
    ledger.saved()
    ledger.close_idle(SLOT + IDLE_HOURS * SLOTS_PER_HOUR)
    assert len(ledger) == 1
    ledger.close_idle(SLOT + IDLE_HOURS * SLOTS_PER_HOUR + 1)
    assert (len(ledger), ledger.gone()) == (0, [told.campaign.id])


def test_only_members_of_told_campaigns_are_frozen_and_not_for_ever() -> None:
    ledger = Ledger()
    ledger.take([observed(score=85.0)], SLOT)
    assert ledger.frozen(SLOT) == set()
    ledger.take([observed(score=95.0)], SLOT)
    assert ledger.frozen(SLOT) == {("shop", "mallory")}
    later = SLOT + FREEZE_DAYS * 288 + 1
    for slot in (SLOT + 400, later):
        ledger.take([observed(score=96.0)], slot)  # goes on at one level
    assert ledger.frozen(later) == set()


def test_what_is_excepted_is_counted_but_is_the_finding_only_when_the_exception_has_ended() -> None:
    ledger = Ledger()
    first = ledger.take([observed()], SLOT, lambda _: "e1")
    assert [one.new for one in first] == [False]
    second = ledger.take([observed()], SLOT + 1)
    assert [one.new for one in second] == [True]


def test_documents_give_the_same_ledger() -> None:
    ledger = Ledger()
    ledger.take([observed(f"m{n}", signature="s") for n in range(5)], SLOT)
    documents = json.loads(json.dumps(ledger.documents()))
    again = Ledger(documents)
    assert again.documents(dirty_only=False) == documents
    assert not any(one.new for one in again.take([observed("m1")], SLOT + 1))


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"members": {"m": "1"}},
        {"families": [1]},
        {"peak": "high"},
        {"told": 1},
        {"arrivals": {"ssrf": [1, 2]}},
    ],
)
def test_damaged_documents_are_refused(change: Any) -> None:
    ledger = Ledger()
    ledger.take([observed()], SLOT)
    (document,) = ledger.documents()
    with pytest.raises(DocumentError):
        Ledger([{**document, **change}])
