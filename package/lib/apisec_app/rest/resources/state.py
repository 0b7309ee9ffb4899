"""Learned state for search commands that run for a team: documents of collections as they are, by owner.

Whoever sees every team reads the KV store itself (``access.reader``); a team's searches come here.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Dict, List, Tuple

from ...kvstore import ARCHIVE, INVENTORY, PATTERNS, Collection, Document
from ...teams import with_team
from .. import rows
from ..table import READ, Answer, Call, Operation, Parameter, paging

OVERRIDES = "apisec_overrides"
COLLECTIONS = (INVENTORY, ARCHIVE, PATTERNS, OVERRIDES)
ANY_SERVICE = "*"  # of an override that holds for all services: it is nobody's, and concerns everybody
MAX_KEYS = 50
MAX_KEY = 1_200  # characters: a service's name and an operation's
MAX_FIELDS = 40
MAX_BYTES = 8_000_000  # of documents in one answer, which has one at least; a document has some 200 KB at most
TOGETHER = 20  # documents that are read at once
STATE = "state"  # the member that is most of an operation's document; it is read only where it is wanted
WATCH = "watch"  # the change detector's own
_FILTERS = ("service", "operation")
_FIELD = "[A-Za-z_][A-Za-z0-9_]{0,63}"


def sees(call: Call, head: Document) -> bool:
    """Return whether a document is the caller's to see. What is said of many operations concerns the whole service."""
    if call.sees(head) or head.get("service") == ANY_SERVICE:
        return True
    return "*" in str(head.get("operation") or "") and call.sees({"service": head.get("service")})


def list_state(call: Call) -> Answer:
    """Return a page of documents; it ends early where they are large."""
    collection = Collection(call.system, call.path["collection"])
    query = {name: call.query[name] for name in _FILTERS if call.query.get(name) is not None}
    omit, fields = _names(call, "omit"), _names(call, "fields")
    if STATE in omit or (fields and STATE not in fields):
        unread = sorted({STATE, WATCH, *omit}.difference(rows.HEADS))
        wanted = (*rows.HEADS, *fields) if fields else [f"{name}:0" for name in unread]
        held = [one for one in collection.load(query or None, wanted) if sees(call, one)]
        page = paging.page(held, call.query, "_key")
        return Answer(body={**page, "items": [_given(call, one, fields, omit) for one in page["items"]]})
    heads = [head for head in collection.load(query or None, rows.HEADS) if sees(call, head)]
    keys = [str(head["_key"]) for head in paging.page(heads, call.query, "_key")["items"]]
    items, taken = _documents(call, collection, keys, fields, omit)
    page = paging.page(heads, {**call.query, "limit": max(taken, 1)}, "_key")
    return Answer(body={"items": items, "next": page["next"]})


def find_state(call: Call) -> Answer:
    """Return the documents of these keys that there are and that the caller sees; ``left``: keys to ask for next."""
    collection = Collection(call.system, call.path["collection"])
    keys = sorted({str(key) for key in call.body["keys"]})
    items, taken = _documents(call, collection, keys, tuple(call.body.get("fields") or ()), ())
    return Answer(body={"items": items, "left": keys[taken:]})


def _names(call: Call, parameter: str) -> Tuple[str, ...]:
    return tuple(str(call.query[parameter]).split(",")) if call.query.get(parameter) else ()


def _documents(
    call: Call, collection: Collection, keys: Sequence[str], fields: Sequence[str], omit: Sequence[str]
) -> Tuple[List[Document], int]:
    """Return documents that the caller sees, and how many of the keys they stand for.

    They have ``fields``, or all members but those to ``omit``.
    """
    items: List[Document] = []
    size = taken = 0
    for start in range(0, len(keys), TOGETHER):
        part = keys[start : start + TOGETHER]
        found = {str(one["_key"]): one for one in collection.find(part)}
        for key in part:
            document = found.get(key)
            if document is not None and sees(call, document):
                made = _given(call, document, fields, omit)
                size += len(json.dumps(made))
                if items and size > MAX_BYTES:
                    return items, taken
                items.append(made)
            taken += 1
    return items, taken


def _given(call: Call, document: Document, fields: Sequence[str], omit: Sequence[str]) -> Document:
    """Return what the caller gets: with its present team, and without the store's own members."""
    made = {
        name: value
        for name, value in document.items()
        if name == "_key" or (name not in ("_user", WATCH, *omit) and (not fields or name in fields))
    }
    return with_team(made, call.owners.team_of(document))


_COLLECTION = Parameter("collection", {"type": "string", "enum": list(COLLECTIONS)}, "its name", "path", True)
_ITEMS = {"type": "array", "items": {"type": "object", "required": ["_key"]}}
SCHEMAS: Dict[str, Any] = {
    "StateList": {
        "type": "object",
        "properties": {"items": _ITEMS, "next": {"type": ["string", "null"]}},
        "required": ["items", "next"],
    },
    "StateKeys": {
        "type": "object",
        "properties": {
            "keys": {
                "type": "array",
                "items": {"type": "string", "minLength": 1, "maxLength": MAX_KEY},
                "minItems": 1,
                "maxItems": MAX_KEYS,
            },
            "fields": {"type": "array", "items": {"type": "string", "pattern": f"^{_FIELD}$"}, "maxItems": MAX_FIELDS},
        },
        "required": ["keys"],
        "additionalProperties": False,
    },
    "StateFound": {
        "type": "object",
        "properties": {
            "items": _ITEMS,
            "left": {
                "type": "array",
                "items": {"type": "string"},
                "description": "keys that were not looked at, because the documents before them are large",
            },
        },
        "required": ["items", "left"],
    },
}
OPERATIONS = (
    Operation(
        "listState", "GET", "/state/{collection}", READ,
        "Documents of a collection as search commands read them.", list_state, gives="StateList",
        parameters=(
            _COLLECTION,
            rows.text_filter("service", "only of this service"),
            rows.text_filter("operation", "only of this operation", 1000),
            Parameter(
                "fields",
                {"type": "string", "pattern": f"^{_FIELD}(,{_FIELD}){{0,{MAX_FIELDS - 1}}}$", "maxLength": 1000},
                "members to give, separated by commas; all without it",
            ),
            Parameter(
                "omit",
                {"type": "string", "pattern": f"^{_FIELD}(,{_FIELD}){{0,{MAX_FIELDS - 1}}}$", "maxLength": 1000},
                "members to leave out: `state` is most of an operation's document",
            ),
            *paging.parameters(("_key",), "_key"),
        ),
    ),
    Operation(
        "findState", "POST", "/state/{collection}/find", READ,
        "Documents of a collection by their keys; changes nothing.", find_state, takes="StateKeys", gives="StateFound",
        parameters=(_COLLECTION,), audited=False,
    ),
)  # fmt: skip
