"""Overrides: what teams say of their own fields. Splunk's verdicts go by them at once, forwarders by bundles."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any, Dict, List, Optional

from apisec.bundles.effects import MIN_REASON
from apisec.classification import levels
from apisec.classification.classes import BY_NAME, IDENTITY
from apisec.classification.fields import verdicts
from apisec.classification.overrides import ANY_SERVICE, LOCATIONS, MAX_TEXT, NONE, Overrides
from apisec.classification.verdict import Verdict

from ...bundles.services import is_known
from ...kvstore import INVENTORY, Collection, Document
from ...overrides import MEMBERS, OVERRIDES, OverrideStore, document_of, key_of, read
from .. import rows
from ..table import CLASSIFY, READ, Answer, Call, Operation, Parameter, Problem, etag, not_found, paging, path_parameter
from .operations import COUNT, SECONDS, TEXT

MAX_LISTED = 1_000  # fields that a check lists
_OVERRIDE = path_parameter("id", "^[0-9a-f]{24}$", "`id` of the override in lists", 24)
_FILTERS = ("service", "team", "operation", "in", "path", "class", "author", "bundle")


def _store(call: Call) -> OverrideStore:
    return OverrideStore(Collection(call.system, OVERRIDES))


def _sees(call: Call, row: Document) -> bool:
    """Return whether a row is the caller's to see: what is said of every service concerns everybody."""
    return row["service"] == ANY_SERVICE or call.sees(_place(row))


def _place(row: Document) -> Dict[str, str]:
    return {"service": str(row["service"]), "operation": str(row.get("operation") or "")}


def _may_change(call: Call, row: Document) -> bool:
    """Return whether a row is the caller's to change: of every service only for who sees every team."""
    return call.caller.everything or (row["service"] != ANY_SERVICE and call.sees(_place(row)))


def _shown(call: Call, row: Document) -> Dict[str, Any]:
    """Return a row as the API shows it, with all members; ``expired`` says that it does not count any more."""
    shared = row["service"] == ANY_SERVICE
    return {
        "id": row["_key"],
        "team": "" if shared else call.owners.team_of(_place(row)),
        **{name: row.get(name) for name in MEMBERS},
        "expired": bool(row.get("expires")) and str(row["expires"]) <= _today(call).isoformat(),
        "created": float(row.get("created") or 0),
        "updated": float(row.get("updated") or 0),
        "bundle": row.get("bundle") or None,
    }


def _today(call: Call) -> datetime.date:
    return datetime.datetime.fromtimestamp(call.now, datetime.timezone.utc).date()


def list_overrides(call: Call) -> Answer:
    """Return a page of overrides."""
    wanted = call.query.get("service")
    listed = _store(call).rows(None if wanted is None else [wanted])
    shown = [_shown(call, row) for row in listed if _sees(call, row)]
    found = paging.filtered(shown, call.query, _FILTERS)
    if call.query.get("expired") is not None:
        found = [row for row in found if row["expired"] == call.query["expired"]]
    return Answer(body=paging.page(found, call.query))


def get_override(call: Call) -> Answer:
    """Return one override."""
    return Answer(body=_shown(call, _held(call)))


def _held(call: Call) -> Document:
    row = _store(call).get(str(call.path["id"]))
    if row is None or not _sees(call, row):
        raise not_found("override", "GET /overrides for those there are.")
    return row


def put_override(call: Call) -> Answer:
    """Store an override; it takes the place of the one for the same fields."""
    _reach(call, call.body)
    store = _store(call)
    former = store.get(key_of(call.body))
    before = etag(_shown(call, former)) if former is not None else None
    call.match(before)
    row = store.put(call.body, call.caller.user, call.now)
    body = _shown(call, row)
    audit = {"what": _line(row), "team": body["team"], "before": before, "after": etag(body), "reason": row["reason"]}
    return Answer(200 if former is not None else 201, body, etag(body), audit=audit)


def _line(row: Document) -> str:
    operation = row.get("operation") or "every operation"
    return f"override of {row['path']} of {operation} of {row['service']}: {row['class']}"


def _reach(call: Call, row: Document) -> None:
    """Problem 404 for a service that is not there, or not the caller's."""
    if not _may_change(call, row) or not (
        row["service"] == ANY_SERVICE or is_known(call.system, call.owners, str(row["service"]))
    ):
        raise not_found("service", "GET /services for those there are; one without traffic needs a team's rule.")


def delete_override(call: Call) -> Answer:
    """Remove an override; what traffic and name say holds again."""
    row = _held(call)
    if not _may_change(call, row):
        detail = "this override is of every service, and you do not see every team"
        raise Problem(403, "", detail, "Ask somebody whose role has apisec_all_teams.")
    shown = _shown(call, row)
    call.match(etag(shown))
    _store(call).delete(str(row["_key"]))
    audit = {"what": _line(row), "team": shown["team"], "before": etag(shown), "reason": call.query["reason"]}
    return Answer(204, audit=audit)


# --- what it would change -------------------------------------------------------------------------------------


def check_override(call: Call) -> Answer:
    """Return which fields would change their class, and what of that traffic contradicts. Changes nothing."""
    _reach(call, call.body)
    wanted = {**call.body, "author": call.caller.user}
    service, key = str(wanted["service"]), key_of(wanted)
    listed = _store(call).rows([service])
    before = _readable([row for row in listed if row["service"] in (service, ANY_SERVICE)], call)
    after = _readable([*(row for row in listed if row["_key"] != key), _candidate(wanted, listed)], call)
    changes: List[Dict[str, Any]] = []
    conflicts: List[Dict[str, Any]] = []
    looked = 0
    for document in _operations(call, service):
        for old, new in _pairs(document, before, after):
            looked += 1
            place = {"service": document["service"], "operation": document["operation"], **_where(new)}
            if (old.data_class, old.level) != (new.data_class, new.level):
                changes.append({**place, **_change(old, new)})
            if new.conflict is not None and new.conflict != old.conflict:
                conflicts.append({**place, "grade": new.conflict.grade, "text": new.conflict.text})
    body = {
        "fields": looked,
        "changed": len(changes),
        "changes": changes[:MAX_LISTED],
        "conflicts": conflicts[:MAX_LISTED],
    }
    return Answer(body=body)


def _candidate(wanted: Document, listed: List[Document]) -> Document:
    """Return the row that would be stored. DocumentError when core does not accept it beside the others."""
    found = Overrides.parse({"version": 1, "overrides": [wanted]}, "override").entries[0]
    row = {"_key": key_of(wanted), "version": 1, **document_of(found)}
    same = [one for one in listed if one["service"] == row["service"] and one["_key"] != row["_key"]]
    problems = [line for line in read([*same, row])[1] if f" {row['_key']}: " in line]
    if problems:
        raise Problem(422, "", "\n".join(problems), "Make one of the two more specific.")
    return row


def _readable(listed: List[Document], call: Call) -> Overrides:
    """Return the overrides that count today; rows that are damaged are left out, as verdicts leave them out."""
    services = sorted({str(row["service"]) for row in listed})
    entries = [one for name in services for one in read([row for row in listed if row["service"] == name])[0]]
    return Overrides(entries).on(_today(call))


def _operations(call: Call, service: str) -> Iterator[Document]:
    """Yield the inventory's documents of a service that the caller sees; of every service without one."""
    query = None if service == ANY_SERVICE else {"service": service}
    for head in rows.load(call, ("_key",), query):
        document: Optional[Document] = Collection(call.system, INVENTORY).get(str(head["_key"]))
        if document is not None:
            yield document


def _pairs(document: Document, before: Overrides, after: Overrides) -> Iterator[Any]:
    stats, service, operation = rows.stats_of(document), str(document["service"]), str(document["operation"])
    return zip(verdicts(stats, before, service, operation), verdicts(stats, after, service, operation))


def _where(one: Verdict) -> Dict[str, str]:
    return {"message": one.message, "in": one.location, "path": one.path}


def _change(old: Verdict, new: Verdict) -> Dict[str, Any]:
    return {
        "before": old.data_class,
        "after": new.data_class,
        "level_before": old.level,
        "level_after": new.level,
        "samples": new.samples,
    }


_CLASSES = sorted([name for name, one in BY_NAME.items() if one.sensitivity > IDENTITY] + [NONE])
_LINE = {"type": "string", "minLength": 1, "maxLength": MAX_TEXT}
_REASON = {**_LINE, "minLength": MIN_REASON, "description": "why, in words that will be understood in a year"}
_MEMBERS: Dict[str, Any] = {
    "service": {**_LINE, "description": "`*`: every service; only for who sees every team"},
    "operation": {"type": ["string", "null"], "maxLength": MAX_TEXT, "description": "a glob; absent: every operation"},
    "in": {"type": ["string", "null"], "enum": [*LOCATIONS, None], "description": "absent: everywhere"},
    "path": {**_LINE, "description": "a glob over field paths: `customer.*.ref`, `items[].code`"},
    "class": {"type": "string", "enum": _CLASSES, "description": "`none`: not sensitive"},
    "reason": _REASON,
    "expires": {"type": ["string", "null"], "format": "date", "description": "the first day (UTC) without it"},
}
_PLACE: Dict[str, Any] = {"service": TEXT, "operation": TEXT, "message": TEXT, "in": TEXT, "path": TEXT}
_ROW: Dict[str, Any] = {
    "id": TEXT,
    "team": TEXT,
    **{name: {"type": ["string", "null"]} for name in MEMBERS},
    "expired": {"type": "boolean"},
    "created": SECONDS,
    "updated": SECONDS,
    "bundle": {"type": ["string", "null"], "description": "digest of the bundle that brought it"},
}
_LEVEL = {"type": "string", "enum": list(levels.LEVELS)}
_CHANGE: Dict[str, Any] = {
    **_PLACE, "before": TEXT, "after": TEXT, "level_before": _LEVEL, "level_after": _LEVEL, "samples": COUNT,
}  # fmt: skip
_CONFLICT: Dict[str, Any] = {**_PLACE, "grade": {"type": "string", "enum": ["high", "medium", "low"]}, "text": TEXT}
SCHEMAS: Dict[str, Any] = {
    "Override": {"type": "object", "properties": _ROW, "required": list(_ROW)},
    "OverrideList": paging.schema("Override"),
    "OverrideChange": {
        "type": "object",
        "properties": _MEMBERS,
        "required": ["service", "path", "class", "reason"],
        "additionalProperties": False,
        "description": "the author is who calls",
    },
    "OverrideCheck": {
        "type": "object",
        "properties": {
            "fields": {**COUNT, "description": "that were looked at"},
            "changed": COUNT,
            "changes": {"type": "array", "items": {"type": "object", "properties": _CHANGE, "required": list(_CHANGE)}},
            "conflicts": {
                "type": "array",
                "items": {"type": "object", "properties": _CONFLICT, "required": list(_CONFLICT)},
            },
        },
        "required": ["fields", "changed", "changes", "conflicts"],
    },
}
OPERATIONS = (
    Operation("listOverrides", "GET", "/overrides", READ, "What teams say of their own fields.", list_overrides,
              (*(rows.text_filter(name, f"only those with this {name}", 1000) for name in _FILTERS),
               rows.flag_filter("expired", "only those that do not count any more, or only others"),
               *paging.parameters(("service", "path", "class", "created", "updated"), "service")),
              gives="OverrideList"),
    Operation("getOverride", "GET", "/overrides/{id}", READ, "One override.", get_override, (_OVERRIDE,),
              gives="Override", errors=(404,)),
    Operation("putOverride", "POST", "/overrides", CLASSIFY,
              "Say what a field is; takes the place of what was said of the same fields.", put_override,
              takes="OverrideChange", gives="Override", also={201: "new"}, errors=(404, 412, 413, 415, 422),
              conditional=True, match_required=False),
    Operation("checkOverride", "POST", "/overrides:check", READ,
              "Which fields an override would change, and what of it traffic contradicts. Changes nothing.",
              check_override, takes="OverrideChange", gives="OverrideCheck", errors=(404, 413, 415, 422),
              audited=False),
    Operation("deleteOverride", "DELETE", "/overrides/{id}", CLASSIFY, "Take back what was said of a field.",
              delete_override, (_OVERRIDE, Parameter("reason", _REASON, "why; the audit keeps it", required=True)),
              success=204, errors=(403, 404, 412), conditional=True, match_required=False),
)  # fmt: skip
__all__ = ["OPERATIONS", "SCHEMAS"]
