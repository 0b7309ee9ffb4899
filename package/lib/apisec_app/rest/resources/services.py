"""Services: what each has of operations, traffic, sensitive data, documents and differences, as its caller sees it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Dict, List, Set

from apisec.classification import levels
from apisec.openapi.drift import SEVERITIES
from apisec.openapi.export import document

from ...kvstore import SPECS, Collection
from ...specs.drift import KIND as DRIFT
from .. import rows
from ..levels import LEVEL, with_levels
from ..table import READ, Answer, Call, Operation, paging
from .operations import COUNT, NAMES, SECONDS, TEXT

_HEADS = ("count", "errors", "open", "data_classes", "level", "first_seen", "last_seen", "envs")
_SORTABLE = ("service", "operations", "count", "errors", "open", "level", "first_seen", "last_seen")
RANKS = {"level": levels.rank}
_FILTERS = ("service", "teams", "level", "data_classes", "envs")


def list_services(call: Call) -> Answer:
    """Return a page of services."""
    found = _summaries(call, with_levels(call, rows.load(call, _HEADS)))
    return Answer(body=paging.page(paging.filtered(found, call.query, _FILTERS), call.query, "service", ranks=RANKS))


def get_service(call: Call) -> Answer:
    """Return one service."""
    found = _summaries(call, with_levels(call, rows.of_service(call, call.path["service"], _HEADS)))
    return Answer(body=found[0])


def get_openapi(call: Call) -> Answer:
    """Return what was discovered of a service as OpenAPI 3.1; the operations that the caller sees."""
    service = call.path["service"]
    inventory = rows.inventory_of(rows.of_service(call, service))
    operations = {name: stats for (_, name), stats in inventory.items()}
    # The newest request and not this moment: the same inventory gives the same document, and the same ETag.
    newest = max(stats.last_seen for stats in operations.values())
    return Answer(body=document(service, operations, newest))


def _summaries(call: Call, found: Iterable[Mapping[str, Any]]) -> List[Dict[str, Any]]:
    groups: Dict[str, List[Mapping[str, Any]]] = {}
    for row in found:
        groups.setdefault(str(row.get("service") or ""), []).append(row)
    store = Collection(call.system, SPECS)
    documents: Dict[str, Set[str]] = {}
    for head in store.load({"kind": "spec"}, fields=("_key", "service", "name")):
        documents.setdefault(str(head["service"]), set()).add(str(head["name"]))
    open_drifts = {str(one["service"]): one.get("open") or () for one in store.load({"kind": DRIFT})}
    return [
        {
            **_summary(service, group),
            "specs": sorted(documents.get(service, ())),
            "drift": _counts(call, service, open_drifts[service]) if service in open_drifts else None,
        }
        for service, group in sorted(groups.items())
    ]


def _summary(service: str, group: List[Mapping[str, Any]]) -> Dict[str, Any]:
    classes = sorted({str(one) for row in group for one in row.get("data_classes") or ()})
    return {
        "service": service,
        "teams": sorted({str(row["team"]) for row in group} - {""}),
        "operations": len(group),
        "count": sum(int(row.get("count") or 0) for row in group),
        "errors": sum(int(row.get("errors") or 0) for row in group),
        "open": sum(1 for row in group if int(row.get("open") or 0)),
        "data_classes": classes,
        "level": levels.highest(str(row["level"]) for row in group),
        "envs": sorted({str(one) for row in group for one in row.get("envs") or ()}),
        "first_seen": min(float(row.get("first_seen") or 0) for row in group),
        "last_seen": max(float(row.get("last_seen") or 0) for row in group),
    }


def _counts(call: Call, service: str, found: Iterable[Mapping[str, Any]]) -> Dict[str, int]:
    """Return how many differences the caller sees, by severity."""
    made = dict.fromkeys(SEVERITIES, 0)
    for one in found:
        about = {"service": service, "operation": one.get("operation")}
        if one.get("severity") in made and call.sees(about):
            made[str(one["severity"])] += 1
    return made


_PROPERTIES: Dict[str, Any] = {
    "service": TEXT,
    "teams": {**NAMES, "description": "who owns its operations, of those that the caller sees"},
    "operations": COUNT,
    "count": {**COUNT, "description": "requests"},
    "errors": COUNT,
    "open": {**COUNT, "description": "operations that answered below 400 without any credential"},
    "data_classes": NAMES,
    "level": {**LEVEL, "description": "the highest of its operations"},
    "envs": NAMES,
    "first_seen": SECONDS,
    "last_seen": SECONDS,
    "specs": {**NAMES, "description": "published documents that are known"},
    "drift": {
        "type": ["object", "null"],
        "properties": dict.fromkeys(SEVERITIES, COUNT),
        "description": "differences that the input of its documents told, by severity; null: no input has compared it "
        "yet, and GET /drift compares now",
    },
}
SCHEMAS: Dict[str, Any] = {
    "Service": {"type": "object", "properties": _PROPERTIES, "required": list(_PROPERTIES)},
    "ServiceList": paging.schema("Service"),
}
OPERATIONS = (
    Operation(
        "listServices", "GET", "/services", READ, "List services with volume, sensitivity, documents and drift.",
        list_services, gives="ServiceList",
        parameters=(
            rows.text_filter("service", "only this one"),
            rows.text_filter("teams", "only those with operations of this team"),
            rows.choice_filter("level", levels.LEVELS, "only those of this level"),
            rows.text_filter("data_classes", "only those that carry this class"),
            rows.text_filter("envs", "only those seen in this environment"),
            *paging.parameters(_SORTABLE, "service"),
        ),
    ),
    Operation("getService", "GET", "/services/{service}", READ, "One service.", get_service,
              gives="Service", parameters=(rows.OF_SERVICE,)),
    Operation(
        "discoveredOpenapi", "GET", "/services/{service}/openapi", READ,
        "What was discovered of a service, as an OpenAPI 3.1 document.",
        get_openapi, gives="Document", parameters=(rows.OF_SERVICE,),
    ),
)  # fmt: skip
