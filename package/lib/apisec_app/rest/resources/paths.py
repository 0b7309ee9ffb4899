"""Learned paths of a service: templates with their evidence, merges and splits with their reasons, pins and undoing.

What is said here counts with the next refresh of the inventory, so changes answer 202 (``pins.py`` says why).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Dict, List

from apisec.endpoints.learning import PathModel
from apisec.endpoints.learning.model import ServicePaths
from apisec.endpoints.learning.registry import MERGE, SPLIT, UNDO, Change, Registry
from apisec.endpoints.learning.tree import FIXED, VALUE

from ...kvstore import INVENTORY, PATHS, Collection
from ...pins import PATH_PINS, UNPINNED, PathPins, Said
from .. import rows
from ..table import CLASSIFY, READ, Answer, Call, Operation, Problem, etag, not_found, paging
from .operations import SECONDS, TEXT


class _Learned:
    """What was learned of the service that the path names. Problem 404 when the caller sees none of it.

    Templates come without a team: they are the caller's where an operation of theirs has one, and nobody else's has.
    Those of no operation, which the inventory has not met yet, are for who sees all of the service.
    """

    def __init__(self, call: Call) -> None:
        self.service = str(call.path["service"])
        heads = Collection(call.system, INVENTORY).load({"service": self.service}, rows.HEADS)
        self._mine = {_shape(str(head["operation"])) for head in heads if call.sees(head)}
        self._theirs = {_shape(str(head["operation"])) for head in heads if not call.sees(head)}
        if not self._mine:
            raise not_found("service", "GET /services for those there are.")
        self.model = self._load(call)

    def _load(self, call: Call) -> PathModel:
        document = Collection(call.system, PATHS).get(self.service) or {}
        model = PathModel.from_state(str(document["state"])) if document else PathModel()
        model.services.setdefault(self.service, ServicePaths(self.service))  # nothing is learned of it yet
        said = PathPins(Collection(call.system, PATH_PINS)).load([self.service]).get(self.service)
        if said is not None:
            said.apply(model.services[self.service].registry)
        model.decide(float(document.get("through") or 0))
        return model

    @property
    def registry(self) -> Registry:
        return self.model.services[self.service].registry

    @property
    def whole(self) -> bool:
        """Whether every operation of the service is the caller's to see."""
        return not self._theirs

    def sees(self, method: str, template: str) -> bool:
        shape = _shape(f"{method} {template}")
        return self.whole or (shape in self._mine and shape not in self._theirs)


_BRACES = re.compile(r"\{[^{}]*\}")


def _shape(operation: str) -> str:
    """Return an operation without the names of its parameters."""
    return _BRACES.sub("{}", operation)


def list_paths(call: Call) -> Answer:
    """Return a page of the templates that hold now."""
    learned = _Learned(call)
    found = [
        {**row, "operation": f"{row['http_method']} {row['endpoint']}"}
        for row in learned.model.operations(learned.service)
        if learned.sees(row["http_method"], row["endpoint"])
    ]
    return Answer(body=paging.page(paging.filtered(found, call.query, ("http_method", "endpoint")), call.query))


def list_changes(call: Call) -> Answer:
    """Return a page of merges, splits and what undid them."""
    learned = _Learned(call)
    history = learned.registry.history
    found = [_change(one) for one in history if learned.sees(one.method, "/" + "/".join(one.after))]
    return Answer(body=paging.page(paging.filtered(found, call.query, ("kind", "http_method")), call.query, "number"))


def _change(one: Change) -> Dict[str, Any]:
    row = one.row()
    row["number"], row["http_method"] = row.pop("change"), row.pop("method")
    return row


def get_pins(call: Call) -> Answer:
    """Return the pinned words; the ETag is for pinning."""
    learned = _Learned(call)
    _demand_all(learned)
    return Answer(body=_pins(learned.registry))


def _demand_all(learned: _Learned) -> None:
    """A pin reaches every operation below its place: it is for who sees them all."""
    if not learned.whole:
        detail = f"operations of {learned.service} belong to other teams too, and its paths are theirs as well"
        raise Problem(403, "", detail, "Ask an administrator, who sees every team's operations.")


def _pins(registry: Registry) -> Dict[str, Any]:
    return {"pins": list(_pin_rows(registry))}


def _pin_rows(registry: Registry) -> Iterator[Dict[str, Any]]:
    for (place, word), meaning in sorted(registry.pins.items()):
        yield {"place": list(place), "word": word, "meaning": meaning}


def pin(call: Call) -> Answer:
    """Say what a word is at a place."""
    body = call.body
    return _say(call, lambda said, _: said.pin(tuple(body["place"]), body["word"], body["meaning"], call.now))


def unpin(call: Call) -> Answer:
    """Take back what was said of a word."""
    place, word = tuple(call.body["place"]), str(call.body["word"])

    def forget(said: Said, registry: Registry) -> None:
        if (place, word) not in registry.pins:
            raise not_found("pinned word", "GET the pins for those there are.")
        said.pin(place, word, UNPINNED, call.now)

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


def _say(call: Call, change: Callable[[Said, Registry], None]) -> Answer:
    """Note what was said, and answer with the pins that hold with the next refresh."""
    learned = _Learned(call)
    _demand_all(learned)
    service, registry = learned.service, learned.registry
    before = etag(_pins(registry))
    call.match(before)
    store = PathPins(Collection(call.system, PATH_PINS))
    said = store.load([service]).get(service) or Said(service)
    change(said, registry)
    store.save(said)
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
