"""Learned paths of a service: templates with their evidence, merges and splits with their reasons, pins and undoing.

What is said here counts with the next refresh of the inventory, so changes answer 202 (``pins.py`` says why).
"""

from __future__ import annotations

from typing import Any, Dict, Iterator, List

from apisec.endpoints.learning import PathModel
from apisec.endpoints.learning.model import ServicePaths
from apisec.endpoints.learning.registry import MERGE, SPLIT, UNDO, Change, Registry
from apisec.endpoints.learning.tree import FIXED, VALUE

from ...kvstore import INVENTORY, PATHS, Collection
from ...pins import PATH_PINS, UNPINNED, PathPins, Said
from .. import rows
from ..table import CLASSIFY, READ, Answer, Call, Operation, Problem, etag, not_found, paging
from .operations import SECONDS, TEXT


def _model(call: Call) -> PathModel:
    """Return what was learned of the service that the path names; Problem 404 when the caller sees none of it."""
    service = call.path["service"]
    rows.of_service(call, service, ("service",))
    document = Collection(call.system, PATHS).get(service) or {}
    model = PathModel.from_state(str(document["state"])) if document else PathModel()
    model.services.setdefault(service, ServicePaths(service))  # nothing is learned of it yet
    said = PathPins(Collection(call.system, PATH_PINS)).load([service]).get(service)
    if said is not None:
        said.apply(model.services[service].registry)
    model.decide(float(document.get("through") or 0))
    return model


def _seen(call: Call, method: str, template: str) -> bool:
    return call.sees({"service": call.path["service"], "operation": f"{method} {template}"})


def list_paths(call: Call) -> Answer:
    """Return a page of the templates that hold now."""
    service = call.path["service"]
    found = [
        {**row, "operation": f"{row['http_method']} {row['endpoint']}"}
        for row in _model(call).operations(service)
        if _seen(call, row["http_method"], row["endpoint"])
    ]
    query = ("http_method", "endpoint")
    return Answer(body=paging.page(paging.filtered(found, call.query, query), call.query))


def list_changes(call: Call) -> Answer:
    """Return a page of merges, splits and what undid them."""
    registry = _model(call).services[call.path["service"]].registry
    found = [_change(one) for one in registry.history if _seen(call, one.method, "/" + "/".join(one.after))]
    return Answer(body=paging.page(paging.filtered(found, call.query, ("kind", "http_method")), call.query, "number"))


def _change(one: Change) -> Dict[str, Any]:
    row = one.row()
    row["number"], row["http_method"] = row.pop("change"), row.pop("method")
    return row


def get_pins(call: Call) -> Answer:
    """Return the pinned words; the ETag is for pinning."""
    return Answer(body=_pins(_model(call).services[call.path["service"]].registry))


def _pins(registry: Registry) -> Dict[str, Any]:
    return {"pins": list(_pin_rows(registry))}


def _pin_rows(registry: Registry) -> Iterator[Dict[str, Any]]:
    for (place, word), meaning in sorted(registry.pins.items()):
        yield {"place": list(place), "word": word, "meaning": meaning}


def pin(call: Call) -> Answer:
    """Say what a word is at a place."""
    body = call.body
    return _say(call, lambda said, _: said.pin(tuple(body["place"]), body["word"], body["meaning"]))


def unpin(call: Call) -> Answer:
    """Take back what was said of a word."""
    place, word = tuple(call.body["place"]), str(call.body["word"])

    def forget(said: Said, registry: Registry) -> None:
        if (place, word) not in registry.pins:
            raise not_found("pinned word", "GET the pins for those there are.")
        said.pin(place, word, UNPINNED)

    return _say(call, forget)


def undo(call: Call) -> Answer:
    """Undo a merge or a split."""
    number = int(call.body["number"])

    def take_back(said: Said, registry: Registry) -> None:
        change = next((one for one in registry.history if one.number == number), None)
        if change is None or change.kind == UNDO:
            raise not_found("merge or split", "GET the changes for their numbers.")
        if any(one.kind == UNDO and one.why == (f"change {number}",) for one in registry.history):
            raise Problem(409, "", f"change {number} is undone already", "GET the pins; unpin the words to redo it.")
        said.undo(registry, number, call.caller.user, call.now)

    return _say(call, take_back)


def _say(call: Call, change: Any) -> Answer:
    """Note what was said, and answer with the pins that hold with the next refresh.

    A pin reaches every operation below its place: it is for who owns them all.
    """
    service = call.path["service"]
    registry = _model(call).services[service].registry
    heads = Collection(call.system, INVENTORY).load({"service": service}, rows.HEADS)
    if not all(call.sees(head) for head in heads):
        detail = f"operations of {service} belong to other teams too, and its paths are theirs as well"
        raise Problem(403, "", detail, "Ask an administrator, who sees every team's operations.")
    before = etag(_pins(registry))
    call.match(before)
    store = PathPins(Collection(call.system, PATH_PINS))
    said = store.load([service]).get(service) or Said()
    change(said, registry)
    store.save(service, said)
    said.apply(registry)
    after = _pins(registry)
    audit = {"what": f"paths of {service}", "team": call.owners.of(service), "before": before, "after": etag(after)}
    return Answer(202, after, etag(after), audit={**audit, "reason": call.body["reason"]})


_PLACE: Dict[str, Any] = {
    "type": "array",
    "items": {"type": "string", "minLength": 1, "maxLength": 300},
    "maxItems": 64,
    "description": "segments before the word, `{}` for a parameter: /users/{id}/x has [users, {}]",
}
_WORD: Dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": 300, "pattern": "^[^/]+$"}
_REASON: Dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": 2000, "description": "for the audit trail"}


def _closed(properties: Dict[str, Any]) -> Dict[str, Any]:
    return {
        "type": "object", "properties": properties, "required": list(properties), "additionalProperties": False,
    }  # fmt: skip


def _list(properties: Dict[str, Any]) -> Dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


_MEANING: Dict[str, Any] = {"type": "string", "enum": [FIXED, VALUE]}
_NUMBER: Dict[str, Any] = {"type": "integer", "minimum": 1}
_TEXTS: Dict[str, Any] = {"type": "array", "items": TEXT}
SCHEMAS: Dict[str, Any] = {
    "LearnedPath": _list(
        {
            "id": {"type": "string", "description": "the same on every machine, and after merges"},
            "http_method": TEXT,
            "endpoint": TEXT,
            "operation": TEXT,
            "evidence": {"type": "array", "items": {"type": "object"}, "description": "why each parameter is one"},
        }
    ),
    "LearnedPathList": paging.schema("LearnedPath"),
    "PathChange": _list(
        {
            "number": _NUMBER,
            "kind": {"type": "string", "enum": [MERGE, SPLIT, UNDO]},
            "time": SECONDS,
            "http_method": TEXT,
            "before": _TEXTS,
            "after": TEXT,
            "operations": {"type": "integer"},
            "why": _TEXTS,
            "author": TEXT,
        }
    ),
    "PathChangeList": paging.schema("PathChange"),
    "Pin": _closed({"place": _PLACE, "word": _WORD, "meaning": _MEANING, "reason": _REASON}),
    "Unpin": _closed({"place": _PLACE, "word": _WORD, "reason": _REASON}),
    "Undo": _closed({"number": {**_NUMBER, "maximum": 1_000_000_000}, "reason": _REASON}),
    "Pins": _list({"pins": {"type": "array", "items": _list({"place": _TEXTS, "word": TEXT, "meaning": _MEANING})}}),
}
_METHOD = rows.text_filter("http_method", "only of this method", 40)
_ENDPOINT = rows.text_filter("endpoint", "only this template", 1000)
_BASE = "/services/{service}/paths"


def _change_operation(name: str, verb: str, summary: str, handler: Any, takes: str, errors: List[int]) -> Operation:
    return Operation(
        name, "POST", f"{_BASE}:{verb}", CLASSIFY, summary, handler, (rows.OF_SERVICE,), takes, "Pins", tuple(errors),
        success=202, conditional=True, match_required=False,
        description="Counts with the next refresh of the inventory. For who owns all of the service's operations.",
    )  # fmt: skip


OPERATIONS = (
    Operation(
        "listPaths", "GET", _BASE, READ, "The templates that were learned of a service's paths, and why.",
        list_paths, gives="LearnedPathList",
        parameters=(rows.OF_SERVICE, _METHOD, _ENDPOINT, *paging.parameters(("endpoint", "http_method"), "endpoint")),
    ),
    Operation(
        "listPathChanges", "GET", f"{_BASE}/changes", READ, "Merges and splits of learned paths, and what undid them.",
        list_changes, gives="PathChangeList",
        parameters=(rows.OF_SERVICE, rows.choice_filter("kind", (MERGE, SPLIT, UNDO), "only of this kind"), _METHOD,
                    *paging.parameters(("time", "number"), "-number")),
    ),
    Operation("getPins", "GET", f"{_BASE}/pins", READ, "The words that people pinned as fixed, or as values.",
              get_pins, gives="Pins", parameters=(rows.OF_SERVICE,)),
    _change_operation("pinWord", "pin", "Say that a word of paths is fixed, or a value of the parameter there.",
                      pin, "Pin", [422]),
    _change_operation("unpinWord", "unpin", "Take back what was said of a word.", unpin, "Unpin", []),
    _change_operation("undoPathChange", "undo", "Undo a merge or a split; its words are pinned.", undo, "Undo", [409]),
)  # fmt: skip
