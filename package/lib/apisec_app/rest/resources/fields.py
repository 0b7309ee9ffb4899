"""Fields: what each is, from traffic, name and override together (core's verdicts)."""

from __future__ import annotations

from typing import Any, Dict, Iterable, List

from apisec.classification import levels
from apisec.classification.fields import NAME, OVERRIDE, TRAFFIC, summary, verdicts
from apisec.classification.overrides import Overrides

from ...kvstore import Document
from .. import rows
from ..levels import overrides_of
from ..table import READ, Answer, Call, Operation, paging
from .operations import COUNT, NAMES, TEXT

_SORTABLE = ("operation", "path", "class", "level", "confidence", "samples")
RANKS = {"level": levels.rank}
_FILTERS = ("operation", "message", "in", "path", "class", "level", "source", "carried")
SOURCES = (OVERRIDE, TRAFFIC, NAME)


def list_fields(call: Call) -> Answer:
    """Return a page of the fields of one service."""
    return _page(call, rows.of_service(call, call.path["service"]))


def list_fields_of_operation(call: Call) -> Answer:
    """Return a page of the fields of one operation."""
    return _page(call, [rows.one(call)])


def get_classification(call: Call) -> Answer:
    """Return what one operation handles: its level and flags."""
    document = rows.one(call)
    service, operation = str(document["service"]), str(document["operation"])
    stats = rows.stats_of(document)
    found = summary(verdicts(stats, overrides_of(call, [service]), service, operation), stats)
    return Answer(body={"id": document["id"], "service": service, "operation": operation, **found.row()})


def _page(call: Call, documents: List[Document]) -> Answer:
    overrides = overrides_of(call, [str(documents[0]["service"])])
    found = paging.filtered(_rows(documents, overrides), call.query, _FILTERS)
    if call.query.get("conflict") is not None:
        found = [row for row in found if bool(row["conflict"]) == call.query["conflict"]]
    return Answer(body=paging.page(found, call.query, ranks=RANKS))


def _rows(documents: Iterable[Document], overrides: Overrides) -> Iterable[Dict[str, Any]]:
    for document in documents:
        service, operation = str(document["service"]), str(document["operation"])
        for one in verdicts(rows.stats_of(document), overrides, service, operation):
            key = rows.field_id(document["id"], one.message, one.location, one.path)
            about = {"id": key, "operation_id": document["id"], "service": service, "team": document["team"]}
            yield {**about, "operation": operation, **one.row()}


_PROPERTIES: Dict[str, Any] = {
    "id": TEXT,
    "operation_id": TEXT,
    "service": TEXT,
    "team": TEXT,
    "operation": TEXT,
    "message": {"type": "string", "description": "request, or the status of answers"},
    "in": TEXT,
    "path": TEXT,
    "class": {"type": "string", "description": "a class, `several`, `none` (a team's word), or empty"},
    "level": {"type": "string", "enum": list(levels.LEVELS)},
    "confidence": {"type": "number", "minimum": 0, "maximum": 1},
    "sure": {"type": "boolean", "description": "there were enough samples"},
    "samples": COUNT,
    "hits": COUNT,
    "source": {"type": "string", "enum": list(SOURCES)},
    "carried": NAMES,
    "seen": {**NAMES, "description": "found too rarely to tell from false alarms"},
    "conflict": {"type": "string", "description": "what contradicts an override; empty without"},
}
_FIELD_FILTERS = (
    rows.text_filter("message", "only of `request`, or of the answers of this status", 20),
    rows.text_filter("in", "only of `body`, `query`, `path`, `header` or `cookie`", 20),
    rows.text_filter("path", "only this field"),
    rows.text_filter("class", "only of this class"),
    rows.text_filter("carried", "only those that carry this class, also beside others"),
    rows.choice_filter("level", levels.LEVELS, "only of this level"),
    rows.choice_filter("source", SOURCES, "only what this says"),
    rows.flag_filter("conflict", "only those where traffic contradicts an override, or only others"),
    *paging.parameters(_SORTABLE, "-level"),
)
SCHEMAS: Dict[str, Any] = {
    "Field": {"type": "object", "properties": _PROPERTIES, "required": list(_PROPERTIES)},
    "FieldList": paging.schema("Field"),
    "Classification": {
        "type": "object",
        "properties": {"id": TEXT, "service": TEXT, "operation": TEXT, "level": _PROPERTIES["level"]},
        "required": ["id", "service", "operation", "level"],
    },
}
OPERATIONS = (
    Operation(
        "listFields", "GET", "/services/{service}/fields", READ, "What each field of a service is, and what says so.",
        list_fields, gives="FieldList",
        parameters=(rows.OF_SERVICE, rows.text_filter("operation", "only of this operation", 1000), *_FIELD_FILTERS),
    ),
    Operation(
        "listFieldsOfOperation", "GET", "/operations/{id}/fields", READ, "What each field of an operation is.",
        list_fields_of_operation, gives="FieldList", parameters=(rows.OF_OPERATION, *_FIELD_FILTERS),
    ),
    Operation(
        "getClassification", "GET", "/operations/{id}/classification", READ,
        "What an operation handles: its level, and flags such as *handles PCI data*.",
        get_classification, gives="Classification", parameters=(rows.OF_OPERATION,),
    ),
)  # fmt: skip
