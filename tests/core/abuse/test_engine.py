"""The engine between windows: what it writes it reads, what it was given once it counts once, bounds and damage."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from typing import Any, List

import pytest

from apisec.abuse.base import FAMILIES as NAMES
from apisec.abuse.base import PRINCIPAL, decades
from apisec.abuse.counters import MAX_OPERATIONS, PrincipalCounters
from apisec.abuse.engine import Engine
from apisec.abuse.event import OWASP
from apisec.abuse.families import FAMILIES
from apisec.abuse.state import Profile, Profiles, profile_key
from apisec.activity import Activity
from apisec.dispositions.exceptions import Exemption, Exemptions
from apisec.errors import DocumentError
from tests.core.abuse.test_attacks import enumeration, scraping, stuffing
from tests.core.abuse.town import COUNTING, DAYS, SERVICE, at, copied, event, findings, ordinary, run

Lived = Callable[..., Engine]


def test_every_family_is_registered_and_has_an_item_of_owasp() -> None:
    assert {family.name for family in FAMILIES} == set(NAMES) == set(OWASP)
    for family in FAMILIES:
        assert family.features


def test_a_restart_between_windows_changes_nothing(lived: Lived) -> None:
    events = sorted([*ordinary(DAYS, people=12), *stuffing(), *scraping()], key=lambda one: one["time"])
    middle = at(DAYS, 12, 150)
    first, second = [one for one in events if one["time"] < middle], [one for one in events if one["time"] >= middle]
    straight, stopped = lived(), lived()
    told = run(straight, first) + run(straight, second)
    before = run(stopped, first)
    after = run(copied(stopped, families=COUNTING), second)
    assert [one["id"] for one in told] == [one["id"] for one in before + after]
    assert findings(told)


def test_the_same_window_gives_the_same_ids_and_ids_are_unique(lived: Lived) -> None:
    one, other = run(lived(), stuffing() + enumeration()), run(lived(), stuffing() + enumeration())
    assert one == other
    assert len({anomaly["id"] for anomaly in one}) == len(one) > 0


def test_who_uses_more_operations_in_a_window_than_are_counted_apart_is_learned_from_all_the_same() -> None:
    engine, activity = Engine(families=COUNTING), Activity()
    for number in range(2 * MAX_OPERATIONS):
        activity.add(event(at(0, 9, number), "u001", f"GET /pages/{number}x"))
    engine.advance(activity.rows(), at(0, 9, 300))
    assert len(engine.documents()["expectations"]) > MAX_OPERATIONS


def test_only_what_was_touched_is_saved_and_only_what_is_needed_is_loaded(lived: Lived) -> None:
    whole = lived()
    collections = whole.documents(dirty_only=False)
    activity = Activity()
    for one in [event(at(DAYS, 9), "u001", "GET /products"), event(at(DAYS, 9), "stranger", "GET /products")]:
        activity.add(one)
    rows = activity.rows()
    needed = set(Engine.keys(rows))
    known = [one for one in collections["profiles"] if one["_key"] in needed]
    assert 0 < len(known) < len(needed) < len(collections["profiles"])
    small = Engine({**collections, "profiles": []}, families=COUNTING)
    small.load(known)
    small.advance(rows, at(DAYS, 9, 300))
    saved = {one["_key"] for one in small.documents()["profiles"]}
    assert {one["_key"] for one in known} <= saved <= needed  # an address is asked for, and mostly nothing is known
    small.saved()
    assert small.documents()["profiles"] == []
    small.release(1)
    assert len(small.documents(dirty_only=False)["profiles"]) == 1


def test_an_exception_hides_a_finding_and_counts_on(lived: Lived) -> None:
    until = datetime.date(2027, 1, 1)
    entry = Exemption(SERVICE, "price comparison by contract", "ada", until, principal="~principal~mallory~")
    engine = lived(exceptions=Exemptions([entry]))
    hidden = run(engine, scraping())
    assert hidden
    assert not findings(hidden)
    assert {one["excepted"] for one in hidden} == {entry.key}
    again = copied(engine, families=COUNTING)
    told = run(
        again, [{**one, "time": one["time"] + 7200, "object_ids": [f"id=x{n}"]} for n, one in enumerate(scraping())]
    )
    assert len(findings(told)) == 1


def test_a_damaged_part_is_begun_anew_and_named(lived: Lived) -> None:
    documents = lived().documents(dirty_only=False)
    key = profile_key(PRINCIPAL, (SERVICE, "~principal~u001~"))
    for one in documents["profiles"]:
        if one["_key"] == key:
            one["parts"]["counters"] = {"total": "gone"}
    engine = Engine(documents, families=COUNTING)
    run(engine, [event(at(DAYS, 9), "u001", "GET /products")])
    (problem,) = engine.damaged()
    assert key in problem
    assert "counters" in problem
    assert engine.damaged() == []


def test_a_row_of_the_future_is_left_out(lived: Lived) -> None:
    engine = lived()
    activity = Activity()
    activity.add(event(at(DAYS + 400, 9), "ahead", "GET /products"))
    assert engine.advance(activity.rows(), at(DAYS, 9)) == []
    engine.saved()
    assert engine.documents()["profiles"] == []


def test_watchers_see_observations_that_are_no_anomalies(lived: Lived) -> None:
    seen: List[Any] = []
    told = run(lived(watch=seen.append), stuffing())
    assert len(seen) > len(told) > 0
    assert all(one.p_value <= 1.0 and min(one.features.values()) >= 0 for one in seen)


def test_profiles_are_forgotten_when_unseen_for_long() -> None:
    profiles = Profiles()
    profiles.see(PRINCIPAL, ("shop", "a"), 288)
    profiles.saved()
    profiles.forget(31 * 288 + 1)
    assert len(profiles) == 1
    profiles.forget(32 * 288)
    assert (len(profiles), profiles.gone()) == (0, [profile_key(PRINCIPAL, ("shop", "a"))])


@pytest.mark.parametrize(
    "change", [{"version": 9}, {"scope": "x"}, {"key": ["shop"]}, {"key": [1, 2]}, {"first": -1}, {"parts": []}]
)
def test_damaged_profiles_are_refused(change: object) -> None:
    document = Profile(PRINCIPAL, ("shop", "a"), 1, 2).to_document()
    with pytest.raises(DocumentError):
        Profile.from_document({**document, **change})  # type: ignore[dict-item]


def test_two_kinds_of_parts_do_not_share_a_name() -> None:
    class Impostor(PrincipalCounters):
        pass

    profile = Profile(PRINCIPAL, ("shop", "a"), 1, 2)
    profile.part(PrincipalCounters)
    assert isinstance(profile.part(PrincipalCounters), PrincipalCounters)
    with pytest.raises(TypeError):
        profile.part(Impostor)


def test_state_is_plain_json(lived: Lived) -> None:
    documents = lived().documents(dirty_only=False)
    assert json.loads(json.dumps(documents, allow_nan=False)) == documents
    assert max(len(json.dumps(one)) for one in documents["profiles"]) < 60_000


def test_decades_take_trials_into_account() -> None:
    assert decades(1e-6) == pytest.approx(6.0)
    assert decades(1e-6, 10) == pytest.approx(5.0)
    assert decades(0.5, 10) == 0.0


def test_more_operations_in_a_window_than_are_remembered() -> None:
    """The trails of the first make room for the last, before any is learned from."""
    activity = Activity()
    for number in range(60):
        activity.add(event(at(1, 10.0) + number, "scanner", f"GET /o{number}"))
    engine = Engine()
    engine.advance(activity.rows(), at(1, 10.0) + 300)
    assert engine.damaged() == []
