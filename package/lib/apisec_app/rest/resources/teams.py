"""Teams: what they own, their roles, their index; and whose an operation is, and why."""

from __future__ import annotations

from typing import Any, Dict, List, Tuple

from apisec.errors import DocumentError
from apisec.teams import INDEX, MAX_GLOB, MAX_NAMES, NAME, ROLE, SELECTORS, Ownership, Rule, Team, Teams

from ...kvstore import INVENTORY, Collection
from ...teams import Owners, TeamStore
from .. import rows
from ..table import ADMIN, READ, Answer, Call, Operation, Parameter, Problem, etag, not_found, paging, path_parameter

MAX_RULES = 1_000  # of one team
_LIST = "GET /teams for those there are."


def rendered(team: Team) -> Dict[str, Any]:
    """Return a team as answers have it."""
    made = {name: value for name, value in team.document().items() if name not in ("_key", "version")}
    return {"team": team.name, **made}


def list_teams(call: Call) -> Answer:
    """Return a page of teams: the caller's own, or all for who sees all."""
    found = [rendered(team) for team in call.owners.teams if call.caller.sees(team.name)]
    return Answer(body=paging.page(found, call.query, "team"))


def get_team(call: Call) -> Answer:
    """Return one team."""
    return Answer(body=rendered(_team(call)))


def _team(call: Call) -> Team:
    """Return the team that the path names; Problem 404 for one that is not the caller's."""
    team = call.owners.teams.get(call.path["team"])
    if team is None or not call.caller.sees(team.name):
        raise not_found("team", _LIST)
    return team


def _proposed(call: Call) -> Team:
    """Return the team as the body says it. Problem 422."""
    body = {name: value for name, value in call.body.items() if name not in ("team", "author", "updated")}
    if call.body.get("team", call.path["team"]) != call.path["team"]:
        raise Problem(422, "", "the body names another team than the address", "Leave out the member team.")
    document = {**body, "_key": call.path["team"], "author": call.caller.user, "updated": round(call.now, 3)}
    return next(iter(Teams.parse([document])))


def put_team(call: Call) -> Answer:
    """Make a team, or put it in the place of what is there."""
    call.demand_everything()
    team, held = _proposed(call), _stored(call).get(call.path["team"])
    call.match(etag(rendered(held)) if held else None)
    TeamStore(call.system).put(team)
    made = rendered(team)
    audit = {"what": f"team {team.name}", "before": etag(rendered(held)) if held else None, "after": etag(made)}
    return Answer(200 if held else 201, made, etag(made), audit=audit)


def delete_team(call: Call) -> Answer:
    """Forget a team: what its rules held for goes back to the team that forwarders stamped."""
    call.demand_everything()
    held = _stored(call).get(call.path["team"])
    if held is None:
        raise not_found("team", _LIST)
    call.match(etag(rendered(held)))
    TeamStore(call.system).delete(held.name)
    return Answer(204, audit={"what": f"team {held.name}", "before": etag(rendered(held)), "after": None})


def _stored(call: Call) -> Dict[str, Team]:
    """Return the teams by name; a damaged document counts by its name alone, so that it can be put right or deleted."""
    found: Dict[str, Team] = {}
    for document in TeamStore(call.system).documents():
        try:
            team = next(iter(Teams.parse([document])))
        except DocumentError:
            team = Team(str(document.get("_key")))
        found[team.name] = team
    return found


def compare_team(call: Call) -> Answer:
    """Return what would change hands, were the body put; nothing is changed."""
    call.demand_everything()
    proposed = _proposed(call)
    documents = [one for one in TeamStore(call.system).documents() if one["_key"] != proposed.name]
    after = Owners(Teams.parse([*documents, proposed.document()]), call.system)
    moved: List[Dict[str, str]] = []
    for head in Collection(call.system, INVENTORY).load(fields=(*rows.HEADS, "last_seen")):
        before, then = call.owners.team_of(head), after.team_of(head)
        if before != then:
            service, operation = str(head["service"]), str(head["operation"])
            identifier = rows.operation_id(service, operation)
            moved.append(
                {"id": identifier, "service": service, "operation": operation, "before": before, "after": then}
            )
    return Answer(body=paging.page(moved, call.query))


def get_ownership(call: Call) -> Answer:
    """Return whose an operation is, or a service as a whole, and which rule says so."""
    asked = {"service": call.query["service"], "operation": call.query.get("operation") or ""}
    found = call.owners.why(asked)
    if not call.caller.sees(found.team):
        raise not_found("service or operation", "GET /operations for those there are.")
    return Answer(body={**asked, **_why(call, found)})


def _why(call: Call, found: Ownership) -> Dict[str, Any]:
    shown = [rule for rule in found.beaten if call.caller.sees(rule.team)]
    return {
        "team": found.team,
        "by": "rule" if found.rule else "stamp" if found.team else "nobody",
        "rule": _rule(found.rule) if found.rule else None,
        "beaten": [_rule(rule) for rule in shown],
    }


def _rule(rule: Rule) -> Dict[str, Any]:
    return {"team": rule.team, "position": rule.position, "selectors": rule.selectors()}


_TEXT = {"type": "string", "maxLength": MAX_GLOB}
_GLOB = {"type": "string", "minLength": 1, "maxLength": MAX_GLOB}
_OWNS = {
    "type": "array",
    "maxItems": MAX_RULES,
    "items": {
        "type": "object",
        "properties": dict.fromkeys(SELECTORS, _GLOB),
        "additionalProperties": False,
        "minProperties": 1,
    },
    "description": "rules; what one names must all hold, `*` stands for any characters",
}


def _names(pattern: str) -> Dict[str, Any]:
    return {
        "type": "array",
        "maxItems": MAX_NAMES,
        "uniqueItems": True,
        "items": {"type": "string", "minLength": 1, "maxLength": MAX_GLOB, "pattern": pattern},
    }


_PROPERTIES: Dict[str, Any] = {
    "team": {"type": "string", "pattern": f"^{NAME.pattern}$"},
    "title": _TEXT,
    "roles": {**_names(f"^{ROLE.pattern}$"), "description": "Splunk's roles whose people are the team"},
    "index": {"type": ["string", "null"], "pattern": f"^{INDEX.pattern}$", "description": "for what is written of it"},
    "contacts": _names("^[^\\x00-\\x1f]+$"),
    "owns": _OWNS,
    "author": {**_TEXT, "description": "who put it last"},
    "updated": {"type": "number", "description": "seconds since the epoch"},
}
_RULE = {
    "type": "object",
    "properties": {
        "team": {"type": "string"},
        "position": {"type": "integer"},
        "selectors": {"type": "object", "additionalProperties": {"type": "string"}},
    },
    "required": ["team", "position", "selectors"],
}
SCHEMAS: Dict[str, Any] = {
    "Team": {"type": "object", "properties": _PROPERTIES, "required": list(_PROPERTIES)},
    "TeamList": paging.schema("Team"),
    "TeamDocument": {
        "type": "object",
        "properties": _PROPERTIES,
        "additionalProperties": False,
        "description": "author and updated are taken from the call",
    },
    "Moved": {
        "type": "object",
        "properties": {name: {"type": "string"} for name in ("id", "service", "operation", "before", "after")},
        "required": ["id", "service", "operation", "before", "after"],
    },
    "MovedList": paging.schema("Moved"),
    "Ownership": {
        "type": "object",
        "properties": {
            "service": {"type": "string"},
            "operation": {"type": "string", "description": "empty: the service as a whole"},
            "team": {"type": "string"},
            "by": {"type": "string", "enum": ["rule", "stamp", "nobody"]},
            "rule": {"anyOf": [_RULE, {"type": "null"}]},
            "beaten": {"type": "array", "items": _RULE, "description": "rules that hold too, but are less specific"},
        },
        "required": ["service", "operation", "team", "by", "rule", "beaten"],
    },
}
_OF_TEAM = path_parameter("team", f"^{NAME.pattern}$", "name of the team", 64)
OPERATIONS: Tuple[Operation, ...] = (
    Operation(
        "listTeams", "GET", "/teams", READ, "List the caller's teams; all for who sees all.", list_teams,
        gives="TeamList", parameters=paging.parameters(("team", "updated"), "team"),
    ),
    Operation(
        "getTeam", "GET", "/teams/{team}", READ, "One team.", get_team, gives="Team", parameters=(_OF_TEAM,),
        errors=(404,),
    ),
    Operation(
        "putTeam", "PUT", "/teams/{team}", ADMIN, "Make or replace a team.", put_team, takes="TeamDocument",
        gives="Team", parameters=(_OF_TEAM,), also={201: "made"}, conditional=True,
        description="Refused when a rule is as specific as one of another team and can hold for the same operation.",
    ),
    Operation(
        "deleteTeam", "DELETE", "/teams/{team}", ADMIN, "Forget a team.", delete_team, parameters=(_OF_TEAM,),
        success=204, errors=(404,), conditional=True,
    ),
    Operation(
        "compareTeam", "POST", "/teams/{team}/compare", ADMIN,
        "What would change hands if the team were put so; changes nothing.", compare_team, takes="TeamDocument",
        gives="MovedList", parameters=(_OF_TEAM, *paging.parameters(("service", "after", "before"), "service")),
        audited=False,
    ),
    Operation(
        "getOwnership", "GET", "/ownership", READ, "Whose an operation or a service is, and why.", get_ownership,
        gives="Ownership", errors=(404,),
        parameters=(
            Parameter("service", {"type": "string", "minLength": 1, "maxLength": 300}, "its name", required=True),
            rows.text_filter("operation", "`GET /orders/{order_id}`; the service as a whole without it", 1000),
        ),
    ),
)  # fmt: skip
