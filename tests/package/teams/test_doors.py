"""Every way from one team to what another has is shut, and open to those it is for."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.package.teams.world import CART, PAY, SPLUNK, Person, Reply, World
from tests.support.app import ROOT

pytestmark = [pytest.mark.standin, pytest.mark.slow]
CASES = ROOT / "tests/cases/teams"
FORBIDDEN = "[403]"  # of the pages of UCC, which hide the status in their message
METHODS = ("get", "post", "delete")


def cases(name: str) -> list[Any]:
    listed = yaml.safe_load((CASES / name).read_text("utf-8"))
    return [pytest.param(one, id=one["way"]) for one in listed]


def go(person: Person, world: World, case: dict[str, Any]) -> Reply:
    """Do what a case says, as a person."""

    def filled(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: filled(one) for name, one in value.items()}
        if isinstance(value, str):
            for name, one in world.ids.items():
                value = value.replace("{" + name + "}", one)
        return value

    if "spl" in case:
        return person.search(filled(case["spl"]), case.get("app", "apisec"))
    (method,) = [name for name in METHODS if name in case]
    body = case["json"] if "json" in case else filled(case.get("text"))
    return person.ask(method.upper(), filled(case[method]), body, filled(case.get("form")))


@pytest.mark.parametrize("case", cases("reading.yml"))
def test_what_another_team_has_is_not_shown(teams: World, case: dict[str, Any]) -> None:
    reply = go(teams.people["pat"], teams, case)
    assert reply.status < 500 or FORBIDDEN in reply.text, reply.text
    assert not reply.shows(CART), reply.text[:3000]
    if "opens" in case:
        control = go(teams.people[case["opens"]], teams, case)
        assert control.good, control.text[:3000]
        assert control.shows(CART), control.text[:3000]


CHANGES = cases("changing.yml")


@pytest.fixture(scope="module")
def before(teams: World) -> str:
    """What there was before anybody tried to change it."""
    return state(teams)


@pytest.mark.parametrize("case", CHANGES)
def test_changing_what_another_team_has_is_refused(teams: World, before: str, case: dict[str, Any]) -> None:
    assert before
    reply = go(teams.people["pat"], teams, case)
    assert reply.status in (400, 403, 404) or FORBIDDEN in reply.text, (reply.status, reply.text[:3000])


def test_what_was_refused_has_changed_nothing(teams: World, before: str) -> None:
    assert state(teams) == before


@pytest.mark.parametrize("case", [one for one in CHANGES if "passes" in one.values[0]])
def test_the_same_way_is_open_to_those_it_is_for(teams: World, case: dict[str, Any]) -> None:
    reply = go(teams.people[case["passes"]], teams, case)
    assert reply.good, reply.text[:3000]


def state(world: World) -> str:
    """What there is to change: documents, settings, rights."""
    rest = world.root.rest
    kept: list[Any] = [
        rest.call("GET", world.root.data(name)) for name in ("apisec_profiles", "apisec_exceptions", "apisec_teams")
    ]
    for path in ("configs/conf-macros", "configs/conf-inputs", "configs/conf-apisec_forwarder", "data/ui/views"):
        kept += [(one["name"], one["content"]) for one in rest.entries(f"{SPLUNK}/{path}")]
    for path in ("/services/authorization/roles", "/services/authentication/users", "/services/data/inputs/http"):
        kept += [(one["name"], one["content"]) for one in rest.entries(path)]
    return json.dumps(kept, sort_keys=True)


@pytest.mark.parametrize("who", ["pat by token", "lee"])
@pytest.mark.parametrize("spl", ["index=*", "| apisecread operations", "| tstats count where index=* by operation"])
def test_a_token_is_no_way_around_and_who_left_sees_nothing(teams: World, who: str, spl: str) -> None:
    reply = teams.people[who].search(spl)
    assert reply.good, reply.text
    assert not reply.shows(CART)
    assert reply.shows(PAY) is (who == "pat by token")


def test_a_team_by_an_imported_role_and_by_a_filter(teams: World) -> None:
    for who in ("dev", "sam"):
        for spl in ("index=*", "| apisecread operations"):
            reply = teams.people[who].search(spl)
            assert reply.shows(CART), (who, spl)
            assert not reply.shows(PAY), (who, spl)


def test_every_shipped_search_gives_a_team_its_own(teams: World) -> None:
    """Reports run for everybody; a detection is there for nobody of a team."""
    names = [one["name"] for one in teams.root.rest.entries(f"{SPLUNK}/saved/searches")]
    reports = [name for name in names if name.startswith("apisec_")]
    assert len(reports) >= 7
    searches = {name: teams.root.saved(name)["search"] for name in reports if name != "apisec_selfcheck"}
    assert {spl.partition("\n")[0] for spl in searches.values()} == {"| `apisec_learned` "}, "they read what teams may"
    for name in ("apisec_slowest_operations", "apisec_openapi"):
        reply = teams.people["cora"].search(f"| savedsearch {name}")
        assert reply.good, (name, reply.text[:2000])
        assert reply.shows(CART), name
        assert not reply.shows(PAY), name
    shown = json.loads(teams.people["cora"].ask("GET", f"{SPLUNK}/saved/searches?count=0").text)["entry"]
    own = {one["name"] for one in shown if one["acl"]["app"] == "apisec"}
    assert {name for name in own if name.startswith("APISEC")} == set()
    assert set(reports) <= own


def test_every_search_of_the_views_works_for_a_team(teams: World) -> None:
    for view in sorted((ROOT / "package/default/data/ui/views").glob("*.xml")):
        for name, spl in _searches(view, teams.ids["campaign_id"]):
            reply = teams.people["cora"].search(spl)
            assert reply.good, (view.name, name, reply.text[:2000])
            assert not reply.shows(PAY), (view.name, name)


def _searches(view: Path, campaign: str) -> Iterator[tuple[str, str]]:
    """The searches of a view that only look, with their tokens filled in."""
    text = view.read_text("utf-8")
    if "<![CDATA[" not in text:  # a form in Simple XML
        for number, query in enumerate(ET.fromstring(text).iter("query")):
            if "apisecdispose" not in (query.text or ""):
                yield str(number), (query.text or "").replace("$campaign$", campaign).replace("$finding$", "")
        return
    definition: dict[str, Any] = json.loads(text[text.index("<![CDATA[") + 9 : text.index("]]>")])
    for name, source in definition["dataSources"].items():
        if source["type"] == "ds.search":
            yield name, source["options"]["query"].replace("$service|s$", '"*"')
