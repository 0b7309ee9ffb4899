"""Changes: events of sourcetype apisec:change, by a search that runs as the caller and sees what the caller may see."""

from __future__ import annotations

import json
from typing import Any, Dict, Iterator, List, Tuple

from apisec.endpoints.changes.schema import KINDS, SEVERITIES, SOURCETYPE

from ...connection import SearchError, quoted, search
from .. import rows
from ..table import READ, Answer, Call, Operation, Parameter, Problem, paging
from .operations import COUNT, SECONDS, TEXT

MAX_EVENTS = 10_000  # of one question; the newest
DAY = 86_400.0
LONGEST = 92 * DAY
_REQUIRED = {"id", "time", "change", "severity", "service", "team"}  # of any version of the event
_FILTERS = ("service", "team", "operation", "change", "data_class")
_SORTABLE = ("time", "severity", "service", "operation", "change")


def list_changes(call: Call) -> Answer:
    """Return a page of changes, the newest first."""
    found = {str(event["id"]): event for event in _events(call)}  # a repeated event has its first one's id
    least = _rank(call.query["severity"])
    listed = [row for row in map(_row, found.values()) if _rank(row["severity"]) <= least and _seen(call, row)]
    body = paging.page(paging.filtered(listed, call.query, _FILTERS), call.query, ranks={"severity": _rank})
    return Answer(body={**body, "complete": len(found) < MAX_EVENTS})


def _seen(call: Call, row: Dict[str, Any]) -> bool:
    """Hold the owner of now beside the index's rights: by the rules, else the team that was told then."""
    return call.sees({"servers": [], **row})


def _rank(severity: Any) -> int:
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)


def _row(event: Dict[str, Any]) -> Dict[str, Any]:
    operation = str(event.get("operation") or "")
    identifier = rows.operation_id(str(event.get("service") or ""), operation) if operation else ""
    return {**event, "operation": operation, "operation_id": identifier}


def _events(call: Call) -> Iterator[Dict[str, Any]]:
    earliest, latest = _span(call)
    try:
        for row in search(call.user, _spl(call), earliest=f"{earliest:.0f}", latest=f"{latest:.0f}"):
            event = _read(row.get("_raw"))
            if event is not None:
                yield event
    except SearchError as error:
        raise Problem(502, "", f"the search failed: {error}", "Try again, or a shorter time.") from None


def _span(call: Call) -> Tuple[float, float]:
    latest = float(call.query.get("until") or call.now + 1)
    earliest = float(call.query.get("since") or latest - DAY)
    if not 0 <= latest - earliest <= LONGEST:
        detail = f"since and until are {(latest - earliest) / DAY:.1f} days apart"
        raise Problem(422, "", detail, f"Give a time of 0 to {LONGEST / DAY:.0f} days.")
    return earliest, latest


def _spl(call: Call) -> str:
    """Return the search. A ``*`` in a value stands for anything there; the rows are filtered again."""
    terms = [f"{name}={quoted(call.query[name])}" for name in _FILTERS if call.query.get(name)]
    places = " OR ".join(["`apisec_index`", *(f"index={quoted(one)}" for one in _indexes(call))])
    return f"search ({places}) sourcetype={quoted(SOURCETYPE)} {' '.join(terms)} | fields _raw | head {MAX_EVENTS}"


def _indexes(call: Call) -> List[str]:
    teams = [team for team in call.owners.teams if call.caller.everything or team.name in call.caller.teams]
    return sorted({team.index for team in teams if team.index})


def _read(raw: Any) -> Any:
    try:
        event = json.loads(raw) if isinstance(raw, str) else None
    except ValueError:
        return None
    return event if isinstance(event, dict) and event.keys() >= _REQUIRED else None


_PROPERTIES: Dict[str, Any] = {
    "id": {"type": "string", "description": "the same change has the same id"},
    "time": SECONDS,
    "change": {"type": "string", "enum": [kind.name for kind in KINDS]},
    "severity": {"type": "string", "enum": list(SEVERITIES)},
    "service": TEXT,
    "team": TEXT,
    "operation": {"type": "string", "description": "empty where a whole service changed"},
    "operation_id": {"type": "string", "description": "for /operations/{id}; empty with an empty operation"},
    "before": TEXT,
    "after": TEXT,
    "reason": TEXT,
    "count": COUNT,
    "since": SECONDS,
    "until": SECONDS,
}
_LIST = paging.schema("Change")
SCHEMAS: Dict[str, Any] = {
    "Change": {
        "type": "object",
        "properties": _PROPERTIES,
        "required": ["id", "time", "change", "severity", "service", "operation", "operation_id"],
        "description": "An event of sourcetype apisec:change, with all its members.",
    },
    "ChangeList": {
        **_LIST,
        "properties": {
            **_LIST["properties"],
            "complete": {
                "type": "boolean",
                "description": f"false: there were more than {MAX_EVENTS}, give a shorter time",
            },
        },
        "required": [*_LIST["required"], "complete"],
    },
}
_MOMENT = {"type": "number", "minimum": 0, "maximum": 4_102_444_800}
OPERATIONS = (
    Operation(
        "listChanges", "GET", "/changes", READ, "What changed in services: one item a change, the newest first.",
        list_changes, gives="ChangeList",
        description="Found by a search that runs as the caller, in the index of apisec and of the caller's teams.",
        parameters=(
            rows.text_filter("service", "only of this service"),
            rows.text_filter("team", "only those told to this team"),
            rows.text_filter("operation", "only of this operation", 1000),
            rows.choice_filter("change", [kind.name for kind in KINDS], "only of this kind"),
            rows.text_filter("data_class", "only of this class of data"),
            rows.choice_filter("severity", SEVERITIES, "the least grave", "info"),
            Parameter("since", _MOMENT, "from this time on, epoch seconds; else a day before `until`", weighed=True),
            Parameter("until", _MOMENT, "before this time, epoch seconds; else now", weighed=True),
            *paging.parameters(_SORTABLE, "-time"),
        ),
        errors=(502,),
    ),
)  # fmt: skip
