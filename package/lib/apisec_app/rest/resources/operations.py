"""Operations of the inventory: the list, and one with everything that was learned of it."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping

from apisec.classification import levels
from apisec.endpoints import performance
from apisec.endpoints.inventory import Inventory

from .. import rows
from ..levels import LEVEL, with_levels
from ..table import READ, Answer, Call, Operation, Parameter, paging

TEXT: Dict[str, Any] = {"type": "string"}
COUNT: Dict[str, Any] = {"type": "integer", "minimum": 0}
NAMES: Dict[str, Any] = {"type": "array", "items": TEXT}
SECONDS: Dict[str, Any] = {"type": "number", "description": "seconds since the epoch"}
MILLISECONDS: Dict[str, Any] = {"type": ["number", "null"], "description": "milliseconds; null: never measured"}

# Members of an operation in lists, as the inventory's documents have them.
SUMMARY: Dict[str, Any] = {
    "service": TEXT,
    "operation": TEXT,
    "http_method": TEXT,
    "endpoint": TEXT,
    "versions": NAMES,
    "servers": NAMES,
    "envs": NAMES,
    "count": COUNT,
    "principals": {**COUNT, "description": "an estimate; 6.3 % standard error above 256"},
    "auth": NAMES,
    "anonymous": {**COUNT, "description": "requests without a credential"},
    "open": {**COUNT, "description": "answered below 400 without any credential"},
    "blocked": COUNT,
    "errors": COUNT,
    "data_classes": NAMES,
    "level": {**LEVEL, "description": "how closely its data have to be held, by traffic and overrides"},
    "first_seen": SECONDS,
    "last_seen": SECONDS,
    "response_time_p50": MILLISECONDS,
    "response_time_p95": MILLISECONDS,
    "response_time_p99": MILLISECONDS,
}
_NUMBERS = ("count", "principals", "anonymous", "open", "blocked", "errors")
_LISTS = ("versions", "servers", "envs", "auth", "data_classes")
_SORTABLE = ("service", "operation", "count", "errors", "open", "level", "first_seen", "last_seen", "response_time_p95")
RANKS = {"level": levels.rank}
_FILTERS = ("service", "team", "operation", "http_method", "data_classes", "level", "auth", "envs")


def summary(row: Mapping[str, Any]) -> Dict[str, Any]:
    """Return what lists show of an operation's document."""
    made: Dict[str, Any] = {"id": row["id"], "team": row["team"]}
    for name in SUMMARY:
        value = row.get(name)
        if name in _NUMBERS:
            made[name] = int(value or 0)
        elif name in _LISTS:
            made[name] = [str(one) for one in value or ()]
        elif name.endswith("_seen"):
            made[name] = float(value or 0)
        elif name.startswith("response_time"):
            made[name] = None if value is None else float(value)
        else:
            made[name] = str(value or "")
    return made


def list_operations(call: Call) -> Answer:
    """Return a page of operations."""
    query = {"service": call.query["service"]} if call.query.get("service") else None
    found = paging.filtered(with_levels(call, rows.load(call, tuple(SUMMARY), query)), call.query, _FILTERS)
    if call.query.get("seen_after") is not None:
        found = [row for row in found if float(row.get("last_seen") or 0) >= call.query["seen_after"]]
    return Answer(body=paging.page(found, call.query, ranks=RANKS, render=summary))


def get_operation(call: Call) -> Answer:
    """Return one operation with its messages, versions, hours and costs."""
    (document,) = with_levels(call, [rows.one(call)])
    inventory = rows.inventory_of([document])
    return Answer(body={**_details(document, inventory), "performance": _performance(inventory)})


def _details(document: Mapping[str, Any], inventory: Inventory) -> Dict[str, Any]:
    row = inventory.rows()[0]
    kept = {name: value for name, value in row.items() if name not in SUMMARY and name != "team"}
    messages: List[Dict[str, Any]] = [
        {"message": name, "messages": message.count, "content_types": sorted(message.media), "fields": message.rows()}
        for stats in inventory.operations()
        for name, message in stats.messages()
    ]
    for name in ("request_fields", "response_fields"):
        kept.pop(name, None)
    return {
        **summary({**row, **{name: document[name] for name in ("id", "team", "level")}}),
        **kept,
        "messages": messages,
    }


def _performance(inventory: Inventory) -> Dict[str, Any]:
    return {
        "versions": performance.version_rows(inventory),
        "hours": performance.hour_rows(inventory),
        "regressions": performance.regressions(inventory),
    }


_PROPERTIES = {"id": {"type": "string", "pattern": "^[0-9a-f]{16}$"}, "team": TEXT, **SUMMARY}
_MESSAGE = {
    "type": "object",
    "properties": {
        "message": {"type": "string", "description": "request, or the status of answers"},
        "messages": COUNT,
        "content_types": NAMES,
        "fields": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "path": TEXT,
                    "in": TEXT,
                    "types": NAMES,
                    "classes": NAMES,
                    "presence": {"type": "number", "description": "share of the messages that carried it"},
                },
                "required": ["path", "in", "types", "classes", "presence"],
            },
        },
    },
    "required": ["message", "messages", "content_types", "fields"],
}
_ROWS = {"type": "array", "items": {"type": "object"}}
SCHEMAS: Dict[str, Any] = {
    "Operation": {"type": "object", "properties": _PROPERTIES, "required": list(_PROPERTIES)},
    "OperationList": paging.schema("Operation"),
    "OperationDetails": {
        "type": "object",
        "properties": {
            **_PROPERTIES,
            "statuses": {"type": "object", "additionalProperties": COUNT},
            "messages": {"type": "array", "items": _MESSAGE},
            "performance": {
                "type": "object",
                "properties": {"versions": _ROWS, "hours": _ROWS, "regressions": _ROWS},
                "required": ["versions", "hours", "regressions"],
            },
        },
        "required": [*_PROPERTIES, "statuses", "messages", "performance"],
    },
}
OPERATIONS = (
    Operation(
        "listOperations", "GET", "/operations", READ, "List operations with volume, sensitivity and latency.",
        list_operations, gives="OperationList",
        parameters=(
            rows.text_filter("service", "only of this service"),
            rows.text_filter("team", "only of this team"),
            rows.text_filter("operation", "only this one: `GET /orders/{order_id}`", 1000),
            rows.text_filter("http_method", "only of this method"),
            rows.text_filter("data_classes", "only those that carry this class: `pii.email`"),
            rows.choice_filter("level", levels.LEVELS, "only those of this level"),
            rows.text_filter("auth", "only those seen with this scheme, `none` for those without"),
            rows.text_filter("envs", "only those seen in this environment"),
            Parameter("seen_after", {"type": "number", "minimum": 0}, "only with a request since, in epoch seconds"),
            *paging.parameters(_SORTABLE, "-count"),
        ),
    ),
    Operation(
        "getOperation", "GET", "/operations/{id}", READ,
        "One operation: fields by message, credentials, versions, hours, regressions.",
        get_operation, gives="OperationDetails", parameters=(rows.OF_OPERATION,),
    ),
)  # fmt: skip
