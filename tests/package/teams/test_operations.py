"""Every operation of the app's REST API, asked by one team for what another has."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import yaml
from apisec_app.rest.resources import TABLE

from tests.package.teams.world import API, CART, PAY, Person, Reply, World
from tests.support.app import ROOT

pytestmark = pytest.mark.standin
CASES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "tests/cases/teams/operations.yml").read_text("utf-8"))
BY_NAME = {one.name: one for one in TABLE.operations}
# In the place of what is cart's: what nobody has.
NOTHING = {"service": "nosuch", "team": "nosuch", "name": "nosuch", "collection": "nosuch", "campaign": f"c-{0:016x}"}
KEPT = (
    "apisec_overrides", "apisec_teams", "apisec_specs", "apisec_bundles", "apisec_path_pins", "apisec_dispositions",
    "apisec_exceptions",
)  # fmt: skip


def test_every_operation_is_here() -> None:
    assert sorted(CASES) == sorted(BY_NAME)


def go(person: Person, world: World, name: str, nothing: bool = False) -> Reply:
    """Ask for what is cart's, or in its place for what nobody has."""
    case, operation = CASES[name], BY_NAME[name]
    path = operation.path
    for parameter, value in case.get("to", {}).items():
        wanted = _nothing(parameter, name) if nothing else str(value).format(**world.ids)
        path = path.replace("{" + parameter + "}", quote(wanted, safe=""))
    query, body = dict(case.get("query", {})), case.get("body")
    if isinstance(body, str):
        body = json.loads(world.bodies[body[1:]])
    if nothing:
        query = {**query, **{one: NOTHING[one] for one in query if one in NOTHING}}
        body = _without(body)
    match = "*" if operation.conditional and operation.method == "DELETE" else ""
    return person.ask(operation.method, f"{API}{path}?{urlencode(query)}", body, If_Match=match)


def _nothing(parameter: str, name: str) -> str:
    (schema,) = [one.schema for one in BY_NAME[name].parameters if one.name == parameter and one.where == "path"]
    return NOTHING.get(parameter) or "0" * int(schema["maxLength"])


def _without(body: Any) -> Any:
    """A body about a service that nobody has."""
    if isinstance(body, dict):
        return {name: NOTHING[name] if name in ("service", "campaign") else _without(one) for name, one in body.items()}
    return body


def said(reply: Reply) -> tuple[int, str]:
    """Status and detail, with the name that was asked for left out."""
    detail = str(json.loads(reply.text).get("detail", "")) if reply.text else ""
    return reply.status, detail.replace("nosuch", "…").replace(CART, "…")


@pytest.mark.parametrize("name", CASES)
def test_an_operation_keeps_to_the_team(teams: World, name: str) -> None:
    case = CASES[name]
    before = state(teams) if BY_NAME[name].changes else ""
    reply = go(teams.people["cal"], teams, name)
    assert not reply.shows(CART), reply.text[:2000]
    assert not before or state(teams) == before
    CHECKS[case["kind"]](teams, name, reply)


def _open(world: World, name: str, reply: Reply) -> None:
    assert reply.good, reply.text
    assert not reply.shows(PAY) or name == "whoami", reply.text[:2000]
    assert go(world.people["clo"], world, name).good


def _list(world: World, name: str, reply: Reply) -> None:
    assert reply.good, reply.text
    control = go(world.people["clo"], world, name)
    assert control.good, control.text
    assert control.shows(CART) is not CASES[name].get("unmarked", False), control.text[:2000]
    assert not control.shows(PAY), control.text[:2000]


def _one(world: World, name: str, reply: Reply) -> None:
    assert reply.status == 404, reply.text
    assert said(reply) == said(go(world.people["cal"], world, name, nothing=True))
    control = go(world.people["clo"], world, name)
    assert control.good, control.text
    assert control.shows(CART) is not CASES[name].get("unmarked", False), control.text[:2000]


def _change(world: World, name: str, reply: Reply) -> None:
    assert reply.status in (403, 404, 409), reply.text
    assert said(reply) == said(go(world.people["cal"], world, name, nothing=True))
    control = go(world.people["clo"], world, name)
    assert control.status in CASES[name].get("passes", [200, 201, 202, 204]), control.text
    assert said(control) != said(reply), control.text


def _verify(world: World, name: str, reply: Reply) -> None:
    refused = json.loads(reply.text)
    assert [one["code"] for one in refused["refusals"]] == ["service"]
    nothing = json.loads(go(world.people["cal"], world, name, nothing=True).text)
    assert [one["code"] for one in nothing["refusals"]] == ["service"]
    control = json.loads(go(world.people["clo"], world, name).text)
    assert control["acceptable"], control


def _admin(world: World, name: str, reply: Reply) -> None:
    assert reply.status == 403, reply.text
    control = go(world.people["max"], world, name)
    assert control.good, control.text


CHECKS = {"open": _open, "list": _list, "one": _one, "change": _change, "verify": _verify, "admin": _admin}


def state(world: World) -> str:
    rest = world.root.rest
    return json.dumps([rest.call("GET", world.root.data(name)) for name in KEPT], sort_keys=True)


def test_somebody_who_may_only_read_changes_nothing_of_the_own_team(teams: World) -> None:
    for name, case in CASES.items():
        if case["kind"] == "change" and BY_NAME[name].audited:
            assert go(teams.people["cora"], teams, name).status == 403, name


def test_a_bundle_signed_by_another_team_is_refused_to_the_own_people(teams: World) -> None:
    """Cart's people cannot be talked into applying what pay signed for cart's service."""
    before = state(teams)
    release = json.loads(teams.bodies["signed_by_pay"])
    reply = teams.people["clo"].ask("POST", f"{API}/bundles:apply", release)
    assert reply.status == 409, reply.text
    assert "may not sign for team cart" in reply.text
    assert state(teams) == before


def test_nobody_asks_without_a_session(teams: World) -> None:
    for name in ("whoami", "listOperations", "listTeams"):
        assert teams.people["pat"].anonymous("GET", f"{API}{BY_NAME[name].path}").status == 401, name
