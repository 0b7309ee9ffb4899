"""Ids that nobody gave: found among peers, by history, over days and over many accounts; silent where ids come from
elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import List

import pytest

from apisec.abuse.base import PRINCIPAL, SLOT_SECONDS, Observation
from apisec.abuse.counters import PrincipalCounters
from apisec.abuse.engine import Engine
from apisec.abuse.object_enumeration import ObjectEnumeration
from apisec.activity import Activity
from tests.core.abuse_special import world
from tests.core.abuse_special.world import LIST, Event, World, at, order, own, probe, request, users, visit

FINDING = 90.0


@pytest.fixture
def lived() -> World:
    """Three days of twenty users, who list their orders and read them."""
    found = World(ObjectEnumeration())
    for day in range(3):
        for index, who in enumerate(users(20)):
            found.step(visit(at(day, 1_000 + 300 * index), who, own(who)))
    found.memory.reload()
    return found


def test_one_among_peers_of_a_first_minute() -> None:
    """A service that was never seen: a part of one slot has to do."""
    cold = World(ObjectEnumeration())
    events = [event for index, who in enumerate(users(24)) for event in visit(at(0, index), who, own(who))]
    events += visit(at(0, 3), "mallory", [9_000, 9_001])
    events += probe(at(0, 10), "mallory", range(0, 180, 3))
    found = cold.step(events)
    assert found[0].principal == "mallory"
    assert found[0].score >= FINDING
    assert found[0].basis == "peers"
    assert all(one.score < 54 for one in found[1:])


def test_the_engine_tells_it_in_a_first_minute() -> None:
    activity = Activity()
    for index, who in enumerate(users(24)):
        for event in visit(at(0, index), who, own(who)):
            activity.add(event)
    for event in probe(at(0, 10), "mallory", range(0, 180, 3)):
        activity.add(event)
    told = Engine().advance(activity.rows(), at(0, 300))
    findings = [one for one in told if one["new"]]
    assert {one["principal"] for one in findings} == {"mallory"}
    named = next(one for one in findings if "object_enumeration" in one["families"])
    assert named["examples"]
    assert named["score"] >= FINDING


def test_against_what_was_learned(lived: World) -> None:
    found = lived.step(probe(at(4, 5_000), "mallory", range(0, 120, 3)))
    assert found[0].score >= FINDING
    assert (found[0].operation, found[0].basis) == (world.READ, "operation")
    assert found[0].seen == 40
    assert found[0].expected < 1.0
    assert "40 of them by ids that no response had given" in found[0].reasons[0]
    assert found[0].features["owners"] > 0  # the responses name others than its own


def test_ordinary_users_are_silent(lived: World) -> None:
    for day in (3, 4):
        for index, who in enumerate(users(20)):
            assert not lived.step(visit(at(day, 500 + 300 * index), who, own(who, 6)))


@pytest.mark.parametrize("much", [1, 2])
def test_one_or_two_ids_are_no_finding(lived: World, much: int) -> None:
    found = lived.step(probe(at(4), "mallory", range(7, 7 + much)))
    assert all(one.score < 72 for one in found)


def test_low_and_slow_adds_up_over_days(lived: World) -> None:
    """One id each four hours: no hour and hardly a day is unusual, the week is."""
    scores = []
    for day in range(4, 9):
        for hour in range(0, 24, 4):
            found = lived.step(probe(at(day, hour * 3_600), "mallory", [day * 20 + hour]))
            scores.append(found[0].score if found else 0.0)
    assert scores[0] < 72
    assert max(scores) >= FINDING


def test_ids_from_elsewhere_accuse_nobody() -> None:
    """Links in mails: nobody's ids were in a response, whoever asks and however many."""
    outside = World(ObjectEnumeration())
    for day in range(3):
        for index, who in enumerate(users(20)):
            outside.step(visit(at(day, 1_000 + 300 * index), who, own(who), listed=False))
    found = outside.step(visit(at(4), "user3", range(500, 530), listed=False))
    assert all(one.score < FINDING for one in found)


def test_a_release_after_which_clients_keep_ids_accuses_nobody(lived: World) -> None:
    """From one hour on nobody lists any more: all do it at once."""
    events = []
    for index, who in enumerate(users(20)):
        events += visit(at(4, index), who, [700 + 10 * index + step for step in range(5)], listed=False)
    assert all(one.score < FINDING for one in lived.step(events))


def test_accomplices_are_no_release(lived: World) -> None:
    """Three accounts of one attacker ask for much in the same minutes: three among many change nothing for all."""
    events = [
        event
        for index in range(3)
        for event in probe(at(4, 5_000 + index), f"mule{index}", range(index, 171 + index, 3), gap=2.0)
    ]
    found = lived.step(events)
    assert {one.principal for one in found if one.score >= FINDING} == {"mule0", "mule1", "mule2"}


@pytest.mark.parametrize(("size", "told"), [(160_000, False), (9_000, True)])
def test_what_was_cut_off_a_list_may_have_been_given(lived: World, size: int, told: bool) -> None:
    """An auditor gets a page of hundreds, of which an event holds the first few, and opens some of all of them."""
    page = [order(700 + number, f"cus-{number}") for number in range(20)]
    listing = {**request(at(4, 9_000), "auditor", LIST, body={"items": page}), "bytes_out": size}
    found = lived.step([listing, *probe(at(4, 9_300), "auditor", range(705, 900, 5))])
    assert any(one.score >= FINDING for one in found) == told


def test_what_was_cut_off_a_catalogue_was_no_order(lived: World) -> None:
    """Everybody turns its pages: who gets a long one was not given orders by it."""
    shelf = {"items": [{"id": f"article-{number:04}"} for number in range(20)]}
    for index, who in enumerate(users(20)):
        lived.step([{**request(at(4, 60 * index), who, "GET /articles", body=shelf), "bytes_out": 160_000}])
    asked = probe(at(5, 9_300), "user3", range(705, 900, 5))
    assert any(one.score >= FINDING for one in lived.step(asked))


def test_what_few_ask_for_is_judged_by_what_all_else_shows() -> None:
    """Nobody's ids are seen to be given (their name says nothing): so neither where two clerks only ask."""
    blind = World(ObjectEnumeration())
    found = []
    for day in range(3):
        for index, who in enumerate(users(12)):
            blind.step(visit(at(day, 1_000 + 300 * index), who, [3_000 + 90 * day + 5 * index], listed=False))
        for clerk in range(2):
            asked = probe(at(day, 9_000 + 300 * clerk), f"clerk{clerk}", range(400 * day, 400 * day + 90, 3))
            if day:  # from the second day on they also change what they read
                asked = [{**event, "operation": "PATCH /orders/{order_id}"} for event in asked]
            found += blind.step(asked)
    assert all(one.score < FINDING for one in found)


def test_a_mailing_to_many_is_no_crowd(lived: World) -> None:
    """Each opens two objects of its own from a mail: nothing but the ids is unusual."""
    events = []
    for index, who in enumerate(users(20)):
        events += visit(at(4, index), who, [900 + 2 * index, 901 + 2 * index], listed=False)
    assert not [one for one in lived.step(events) if one.entity == "operation" and one.score >= FINDING]


def test_many_accounts_a_little_each(lived: World) -> None:
    """Twelve accounts with three refused guesses each, no two in the same minute."""
    found = []
    for index in range(12):
        guesses = range(5_000 + 7 * index, 5_000 + 7 * index + 3)
        found = lived.step(probe(at(4, 300 * index), f"mule{index}", guesses, status=404))
    crowd = next(one for one in found if one.entity == "operation")
    assert crowd.score >= FINDING
    assert set(crowd.members) == {f"mule{index}" for index in range(12)}
    assert crowd.principal == ""


class Town(World):
    """A world in which it is counted what principals do, as the engine does before families look."""

    def step(self, events: Iterable[Event]) -> List[Observation]:
        made = list(events)
        for one in made:
            key, slot = (one["service"], one["principal"]), int(one["time"] // SLOT_SECONDS)
            self.memory.first.setdefault((PRINCIPAL, key), slot)
            self.memory.part(PRINCIPAL, key, PrincipalCounters).operation(one["operation"]).add(slot, {"requests": 1.0})
        return super().step(made)


def mules(objects: Sequence[int], *, known: bool = False, curious: bool = False) -> List[Event]:
    """Twenty, each with one object of another; ``curious`` ones ask for something else, too."""
    names = users(20) if known else [f"mule{index}" for index in range(20)]
    made = []
    for index, who in enumerate(names):
        made += probe(at(4, 300 * index), who, [objects[index % len(objects)]])
        made += [request(at(4, 300 * index + 9), who, "GET /me")] if curious else []
    return made


@pytest.mark.parametrize(
    ("events", "told"),
    [
        (mules(range(7_000, 7_020)), True),
        (mules([7_000]), False),  # a link that is passed on
        (mules(range(7_000, 7_020), known=True), False),  # a mailing to customers
        (mules(range(7_000, 7_020), curious=True), False),  # a mailing whose links open pages
    ],
)
def test_many_new_accounts_with_one_object_each(events: List[Event], told: bool) -> None:
    town = Town(ObjectEnumeration())
    for day in range(3):
        for index, who in enumerate(users(20)):
            town.step(visit(at(day, 1_000 + 300 * index), who, own(who)))
    crowds = [one for one in town.step(events) if one.entity == "operation" and one.score >= FINDING]
    assert bool(crowds) == told
    assert all(who.startswith("mule") for one in crowds for who in one.members)


def test_links_in_mails_to_strangers_become_ordinary() -> None:
    """Every day some open an object of theirs from a mail, and come for nothing else; once it is many of them."""
    town = Town(ObjectEnumeration())
    for day in range(12):
        for index, who in enumerate(users(20)):
            town.step(visit(at(day, 1_000 + 300 * index), who, own(who)))
        for number in range(4):
            town.step(probe(at(day, 9_000 + 300 * number), f"guest{day}-{number}", [9_000 + 100 * day + number]))
    last = [one for index in range(9) for one in probe(at(12, 300 * index), f"late{index}", [20_000 + 10 * index])]
    assert not [one for one in town.step(last) if one.entity == "operation" and one.score >= FINDING]


def test_a_partner_that_brings_its_own_ids_is_its_kinds_way() -> None:
    """An integration by key that asks by a list of its own from the first day, beside users who never do."""
    mixed = World(ObjectEnumeration())
    last = []
    for day in range(9):
        for index, who in enumerate(users(8)):
            last = mixed.step(visit(at(day, 1_000 + 300 * index), who, own(who)))
        last = mixed.step(probe(at(day, 100), "partner", range(500 + day * 10, 505 + day * 10), kind="api_key"))
        assert all(one.score < FINDING for one in last)


def test_without_bodies_the_holders_of_objects_have_to_tell() -> None:
    """No response's body is visible: every id is unissued, but most are used by one principal only."""
    blind = World(ObjectEnumeration())
    for day in range(5):
        for index, who in enumerate(users(40)):
            numbers = range(1_000 * index + 6 * day, 1_000 * index + 6 * day + 6)
            events = visit(at(day, 1_000 + 30 * index), who, numbers, listed=False)
            blind.step([{**event, "response_body": None} for event in events])
    guesses = [1_000 * index + step for index in range(40) for step in (3, 17)]
    found = blind.step([{**event, "response_body": None} for event in probe(at(6), "mallory", guesses)])
    assert found[0].score >= FINDING
    assert found[0].basis == "holders"
    assert max(found[0].features, key=lambda name: found[0].features[name]) == "foreign"


def test_sessions_of_one_client_have_one_signature(lived: World) -> None:
    first = lived.step(probe(at(4), "session-1", range(0, 60, 3), kind="session"))
    second = lived.step(probe(at(4, 9_000), "session-2", range(61, 121, 3), kind="session"))
    lasting = lived.step(probe(at(4, 12_000), "mallory", range(122, 182, 3)))
    assert first[0].signature == second[0].signature == "192.0.2.0/24 Firefox on Windows"
    assert lasting[0].signature == ""


def test_who_is_back_under_another_name_is_no_thief(lived: World) -> None:
    """The phone keeps the ids of its orders, and its new credential is another principal's in another network."""
    lived.step(visit(at(3.5), "user3", own("user3", 9)))
    back = lived.step(visit(at(4), "user3-anew", own("user3", 9)[::4], listed=False, client=world.TOOL))
    assert back
    assert all(one.score < FINDING for one in back)


def test_sessions_of_one_client_remember_what_the_last_was_given(lived: World) -> None:
    for day in range(4, 7):
        lived.step(visit(at(day), f"session{day}", [801, 802], kind="session"))
        kept = lived.step(visit(at(day, 9_000), f"session{day}-later", [801, 802], kind="session", listed=False))
        assert not [one for one in kept if one.features.get("unissued")]


def test_what_it_says_and_keeps_is_json(lived: World) -> None:
    before = lived.step(probe(at(4), "mallory", range(0, 30, 3)))
    lived.memory.reload()
    after = lived.step(probe(at(4, 600), "mallory", range(30, 60, 3)))
    assert after[0].seen == before[0].seen + 10
    assert set(before[0].features) <= set(ObjectEnumeration.features)
    assert before[0].evidence["horizon"] == "a day"
