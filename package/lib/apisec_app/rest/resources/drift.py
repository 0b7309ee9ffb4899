"""Drift: how the traffic of services differs from the OpenAPI documents that they publish, compared when asked."""

from __future__ import annotations

from typing import Any, Dict, List

from apisec.errors import ApisecError
from apisec.openapi.compare import Settings
from apisec.openapi.drift import KINDS, SEVERITIES, Drift

from ...kvstore import INVENTORY, SPECS, Collection
from ...specs.drift import drifts_of, rank
from ...specs.store import Specs, filtered
from .. import rows
from ..table import READ, Answer, Call, Operation, Parameter, paging
from .operations import COUNT, NAMES, SECONDS, TEXT

_FILTERS = ("kind", "operation", "team", "status")
_SORTABLE = ("severity", "service", "operation", "kind", "count", "first_seen", "last_seen")


def list_drift(call: Call) -> Answer:
    """Return a page of differences, the gravest first; ``left_out`` names services that could not be compared."""
    specs, inventory = Specs(Collection(call.system, SPECS)), Collection(call.system, INVENTORY)
    settings = Settings(now=call.now, orphan_days=float(call.query["orphan_days"]))
    found: List[Drift] = []
    left_out: List[Dict[str, str]] = []
    visible = {str(row["service"]) for row in rows.load(call, ("service",))}
    for service in filtered(specs.services(), call.query.get("service")):
        if not call.caller.everything and service not in visible:
            continue
        try:
            found += drifts_of(specs, inventory, service, settings)
        except ApisecError as error:
            left_out.append({"service": service, "reason": str(error)})
    least = rank(call.query["severity"])
    listed = [_row(call, one) for one in found if rank(one.severity) <= least]
    seen = [row for row in listed if call.caller.sees(row["team"])]
    body = paging.page(paging.filtered(seen, call.query, _FILTERS), call.query, ranks={"severity": rank})
    return Answer(body={**body, "left_out": left_out})


def _row(call: Call, one: Drift) -> Dict[str, Any]:
    """Return a difference with its present owner."""
    row = one.row()
    about = {"team": call.owners.team_of(row), "operation_id": rows.operation_id(one.service, one.operation)}
    return {**row, **about}


_PROPERTIES: Dict[str, Any] = {
    "id": {"type": "string", "description": "stays the same while the difference stays"},
    "kind": {"type": "string", "enum": list(KINDS)},
    "severity": {"type": "string", "enum": list(SEVERITIES)},
    "service": TEXT,
    "team": TEXT,
    "operation": TEXT,
    "operation_id": TEXT,
    "location": TEXT,
    "field": TEXT,
    "status": TEXT,
    "reason": TEXT,
    "expected": TEXT,
    "seen": TEXT,
    "count": COUNT,
    "messages": COUNT,
    "first_seen": SECONDS,
    "last_seen": SECONDS,
    "spec": TEXT,
    "pointer": TEXT,
    "data_classes": NAMES,
}
_LIST = paging.schema("Drift")
SCHEMAS: Dict[str, Any] = {
    "Drift": {"type": "object", "properties": _PROPERTIES, "required": list(_PROPERTIES)},
    "DriftList": {
        **_LIST,
        "properties": {
            **_LIST["properties"],
            "left_out": {
                "type": "array",
                "description": "services whose documents cannot be compared, with the reason",
                "items": {"type": "object", "properties": {"service": TEXT, "reason": TEXT}},
            },
        },
        "required": [*_LIST["required"], "left_out"],
    },
}
_DAYS = {"type": "integer", "minimum": 1, "maximum": 3650, "default": 30}
OPERATIONS = (
    Operation(
        "listDrift", "GET", "/drift", READ, "How traffic differs from the published documents, the gravest first.",
        list_drift, gives="DriftList",
        parameters=(
            rows.text_filter("service", "only of this service"),
            rows.text_filter("team", "only of this team"),
            rows.text_filter("operation", "only of this operation", 1000),
            rows.text_filter("status", "only of this status", 20),
            rows.choice_filter("kind", tuple(KINDS), "only of this kind"),
            rows.choice_filter("severity", SEVERITIES, "the least grave", "info"),
            Parameter("orphan_days", _DAYS, "days without a request to an orphan"),
            *paging.parameters(_SORTABLE, "severity"),
        ),
    ),
)  # fmt: skip
