"""Performance: the slowest operations of a service, what became worse and with which version, and its hours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Dict, List

from apisec.endpoints import performance
from apisec.endpoints.inventory import Inventory

from .. import rows
from ..table import READ, Answer, Call, Operation, paging
from .operations import COUNT, MILLISECONDS, SECONDS, TEXT

Rows = Callable[[Inventory], List[Dict[str, Any]]]


def _listed(made: Rows, *names: str) -> Callable[[Call], Answer]:
    """Return a handler that pages rows; ``names`` tell the rows of an operation apart."""

    def handler(call: Call) -> Answer:
        inventory = rows.inventory_of(rows.of_service(call, call.path["service"]))
        found = [{**row, **_identity(row, names)} for row in made(inventory)]
        return Answer(body=paging.page(paging.filtered(found, call.query, ("operation", "kind")), call.query))

    return handler


def _identity(row: Dict[str, Any], names: Any) -> Dict[str, Any]:
    operation = rows.operation_id(str(row["service"]), str(row["operation"]))
    return {"id": "-".join([operation, *(str(row.get(name, "")) for name in names)]), "operation_id": operation}


def _hours(inventory: Inventory) -> List[Dict[str, Any]]:
    rows_of_hours = performance.hour_rows(inventory)
    return [{("time" if name == "_time" else name): value for name, value in row.items()} for row in rows_of_hours]


_QUANTILES = {f"response_time_{name}": MILLISECONDS for name in ("p50", "p90", "p95", "p99", "p999") if name != "p999"}
_ABOUT: Dict[str, Any] = {"id": TEXT, "operation_id": TEXT, "service": TEXT, "team": TEXT, "operation": TEXT}


def _schema(properties: Dict[str, Any]) -> Dict[str, Any]:
    made = {**_ABOUT, **properties}
    return {"type": "object", "properties": made, "required": list(made)}


_UPSTREAM = {f"{where}_time_{name}": MILLISECONDS for where in ("upstream", "gateway") for name in ("p50", "p95")}
_HOUR = {f"response_time_{name}": MILLISECONDS for name in ("p50", "p95", "p99")}
SCHEMAS: Dict[str, Any] = {
    "Slow": _schema(
        {
            "count": COUNT,
            "failures": COUNT,
            **_QUANTILES,
            **_UPSTREAM,
            "waited": {"type": "number", "description": "seconds that callers waited in all, by the median"},
        }
    ),
    "Regression": _schema(
        {
            "kind": {"type": "string", "description": "latency or failures"},
            "version": TEXT,
            "previous_version": TEXT,
            "since": SECONDS,
            "requests_before": COUNT,
            "requests_after": COUNT,
            "reason": TEXT,
        }
    ),
    "Hour": _schema({"time": SECONDS, "count": COUNT, "refusals": COUNT, "failures": COUNT, **_HOUR}),
    "SlowList": paging.schema("Slow"),
    "RegressionList": paging.schema("Regression"),
    "HourList": paging.schema("Hour"),
}
_OPERATION = rows.text_filter("operation", "only of this operation", 1000)
_KIND = rows.choice_filter("kind", ("latency", "failures"), "only of this kind")
OPERATIONS = (
    Operation(
        "listSlowest", "GET", "/services/{service}/performance", READ, "Where callers of a service wait longest.",
        _listed(performance.slowest), gives="SlowList",
        parameters=(rows.OF_SERVICE, _OPERATION,
                    *paging.parameters(("waited", "count", "failures", "response_time_p95", "operation"), "-waited")),
    ),
    Operation(
        "listRegressions", "GET", "/services/{service}/regressions", READ,
        "What became slower or fails more, since when, and with which version.",
        _listed(performance.regressions, "kind", "figure", "version", "since"), gives="RegressionList",
        parameters=(rows.OF_SERVICE, _OPERATION, _KIND,
                    *paging.parameters(("since", "operation"), "-since")),
    ),
    Operation(
        "listHours", "GET", "/services/{service}/hours", READ, "Requests, refusals, failures and latency by the hour.",
        _listed(_hours, "time"), gives="HourList",
        parameters=(rows.OF_SERVICE, _OPERATION, *paging.parameters(("time", "count", "operation"), "-time")),
    ),
)  # fmt: skip
