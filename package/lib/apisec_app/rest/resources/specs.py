"""Published OpenAPI documents: the versions that Splunk has, upload, and what a document would say of the traffic."""

from __future__ import annotations

import hashlib
from typing import Any, Dict, List, Mapping

from apisec.bundles.effects import MIN_REASON
from apisec.endpoints.inventory import Inventory
from apisec.errors import DocumentError
from apisec.openapi.compare import Settings, compare
from apisec.openapi.drift import Drift
from apisec.openapi.load import load as load_spec

from ...bundles.services import is_known
from ...kvstore import INVENTORY, SPECS, Collection, Document
from ...specs.drift import drifts_of, rank
from ...specs.store import Specs
from ...specs.text import MAX_JSON, parse
from .. import rows
from ..table import CLASSIFY, READ, Answer, Call, Operation, Parameter, not_found, paging, path_parameter
from .operations import COUNT, SECONDS, TEXT

UPLOADED = "uploaded"
MEDIA_TYPES = ("application/json", "application/yaml", "application/openapi+json", "application/openapi+yaml")
MAX_DRIFTS = 1_000
NAME_PATTERN = "^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$"
_SPEC = path_parameter("id", "^[0-9a-f]{16}$", "`id` of the version in lists", 16)
_NAME = path_parameter("name", NAME_PATTERN, "tells several documents of one service apart", 100)
_SHOWN = ("service", "name", "source", "title", "spec_version", "format", "digest", "sha256", "author")
_SORTABLE = ("service", "name", "stored", "operations")


def _specs(call: Call) -> Specs:
    return Specs(Collection(call.system, SPECS))


def _id(head: Mapping[str, Any]) -> str:
    """Return a version's id: its key holds names with any characters."""
    return hashlib.blake2b(str(head["_key"]).encode("utf-8", "replace"), digest_size=8).hexdigest()


def _sees(call: Call, service: str) -> bool:
    return call.sees({"service": service})


def _rows(call: Call, heads: List[Document]) -> List[Dict[str, Any]]:
    """Return the versions that the caller sees; ``in_force`` is the newest of each name."""
    newest: Dict[Any, str] = {}
    for head in heads:  # newest first
        newest.setdefault((head["service"], head["name"]), str(head["_key"]))
    visible = {service: _sees(call, service) for service in {str(head["service"]) for head in heads}}
    return [
        _row(call, head, newest[head["service"], head["name"]] == head["_key"])
        for head in heads
        if visible[str(head["service"])]
    ]


def _row(call: Call, head: Document, in_force: bool) -> Dict[str, Any]:
    return {
        "id": _id(head),
        "team": call.owners.of(str(head["service"])),
        **{name: str(head.get(name) or "") for name in _SHOWN},
        "operations": int(head.get("operations") or 0),
        "warnings": [str(one) for one in head.get("warnings") or ()],
        "stored": float(head["stored"]),
        "in_force": in_force,
    }


def list_specs(call: Call) -> Answer:
    """Return a page of versions."""
    shown = _rows(call, _specs(call).heads(call.query.get("service")))
    found = paging.filtered(shown, call.query, ("team", "name"))
    if call.query.get("in_force") is not None:
        found = [row for row in found if row["in_force"] == call.query["in_force"]]
    return Answer(body=paging.page(found, call.query))


def get_spec(call: Call) -> Answer:
    """Return what is known of one version."""
    head, listed = _found(call)
    return Answer(body=next(row for row in _rows(call, listed) if row["id"] == _id(head)))


def get_document(call: Call) -> Answer:
    """Return the OpenAPI document of one version, as JSON."""
    head, _ = _found(call)
    return Answer(body=_specs(call).text(head), media_type="application/json")


def _found(call: Call) -> Any:
    """Return the head that the path names and those of its service; Problem 404 when the caller sees none."""
    heads = _specs(call).heads()
    head = next((one for one in heads if _id(one) == call.path["id"]), None)
    if head is None or not _sees(call, str(head["service"])):
        raise not_found("document", "GET /specs for those there are.")
    return head, [one for one in heads if one["service"] == head["service"]]


def upload_spec(call: Call) -> Answer:
    """Keep a version of a document; the same again changes nothing."""
    service, name = str(call.path["service"]), str(call.path["name"])
    _reach(call, service)
    specs = _specs(call)
    author = call.caller.user
    made, changed = specs.store(service, call.body, name=name, source=UPLOADED, now=call.now, author=author)
    head = next(one for one in specs.heads(service) if one["_key"] == made["_key"])
    row = next(one for one in _rows(call, specs.heads(service)) if one["id"] == _id(head))
    audit = {"what": f"document {name} of {service}", "team": row["team"], "after": row["digest"]}
    return Answer(201 if changed else 200, row, audit=audit)


def _reach(call: Call, service: str) -> None:
    if not _sees(call, service) or not is_known(call.system, call.owners, service):
        raise not_found("service", "GET /services for those there are; one without traffic needs a team's rule.")


def delete_spec(call: Call) -> Answer:
    """Remove a version; of several the next newest is in force then."""
    head, _ = _found(call)
    _specs(call).delete(head)
    service = str(head["service"])
    audit = {
        "what": f"document {head['name']} of {service}",
        "team": call.owners.of(service),
        "before": head["digest"],
        "reason": call.query["reason"],
    }
    return Answer(204, audit=audit)


def compare_specs(call: Call) -> Answer:
    """Return how traffic differs from a document that is sent along, or from those in force without one."""
    service = str(call.path["service"])
    _reach(call, service)
    inventory = Collection(call.system, INVENTORY)
    settings = Settings(now=call.now, orphan_days=float(call.query["orphan_days"]))
    if call.body is None:
        found = drifts_of(_specs(call), inventory, service, settings)
    else:
        found = _against(call.body, inventory, service, settings)
    seen = [one for one in found if call.sees({"service": service, "operation": one.operation})]
    seen.sort(key=lambda one: (rank(one.severity), one.operation))
    return Answer(body={"differences": len(seen), "items": [_drift(call, one) for one in seen[:MAX_DRIFTS]]})


def _against(text: str, inventory: Collection, service: str, settings: Settings) -> List[Drift]:
    spec = load_spec(parse(text, "the body"), "the body")
    learned = Inventory.from_documents(inventory.load({"service": service}))
    if not len(learned):
        raise DocumentError(f"the inventory has no traffic of {service} to compare with")
    return compare(service, [spec], {name: stats for (_, name), stats in learned.items()}, settings)


def _drift(call: Call, one: Drift) -> Dict[str, Any]:
    row = one.row()
    return {**row, "team": call.owners.team_of(row), "operation_id": rows.operation_id(one.service, one.operation)}


_ROW: Dict[str, Any] = {
    "id": TEXT,
    "team": TEXT,
    **dict.fromkeys(_SHOWN, TEXT),
    "source": {"type": "string", "description": "a URL, a file of the app's folder, or `uploaded`"},
    "digest": {"type": "string", "description": "SHA-256 of the content, whatever its spelling"},
    "sha256": {"type": "string", "description": "SHA-256 of the text as it was published; bundles name it"},
    "operations": COUNT,
    "warnings": {"type": "array", "items": TEXT},
    "stored": SECONDS,
    "in_force": {"type": "boolean", "description": "the newest version of its name"},
}
_REASON = {"type": "string", "minLength": MIN_REASON, "maxLength": 1_000}
_DAYS = {"type": "integer", "minimum": 1, "maximum": 3650, "default": 30}
SCHEMAS: Dict[str, Any] = {
    "Spec": {"type": "object", "properties": _ROW, "required": list(_ROW)},
    "SpecList": paging.schema("Spec"),
    "SpecText": {"type": "object", "description": "an OpenAPI document 2.0, 3.0 or 3.1, in JSON or YAML"},
    "SpecComparison": {
        "type": "object",
        "properties": {
            "differences": COUNT,
            "items": {
                "type": "array",
                "maxItems": MAX_DRIFTS,
                "items": {"$ref": "#/components/schemas/Drift"},
                "description": "the gravest first",
            },
        },
        "required": ["differences", "items"],
    },
}
OPERATIONS = (
    Operation("listSpecs", "GET", "/specs", READ, "The published documents of services, with their versions.",
              list_specs, (rows.text_filter("service", "only of this service"),
                           rows.text_filter("team", "only of services of this team"),
                           rows.text_filter("name", "only those of this name"),
                           rows.flag_filter("in_force", "only the newest of each name, or only others"),
                           *paging.parameters(_SORTABLE, "service")), gives="SpecList"),
    Operation("getSpec", "GET", "/specs/{id}", READ, "What is known of one version of a document.", get_spec, (_SPEC,),
              gives="Spec", errors=(404,)),
    Operation("getSpecDocument", "GET", "/specs/{id}/document", READ, "One version of a document itself, as JSON.",
              get_document, (_SPEC,), gives="SpecText", errors=(404, 422)),
    Operation("uploadSpec", "PUT", "/services/{service}/specs/{name}", CLASSIFY,
              "Keep a version of a document that a service publishes. The same again changes nothing.", upload_spec,
              (rows.OF_SERVICE, _NAME), takes="SpecText", gives="Spec", also={201: "a new version"},
              errors=(404, 413, 415, 422), consumes=MEDIA_TYPES, raw=True, max_bytes=MAX_JSON),
    Operation("deleteSpec", "DELETE", "/specs/{id}", CLASSIFY, "Remove one version of a document.", delete_spec,
              (_SPEC, Parameter("reason", _REASON, "why; the audit keeps it", required=True)), success=204,
              errors=(404,)),
    Operation("compareSpecs", "POST", "/services/{service}/specs:compare", READ,
              "How traffic differs from the document that is sent along, or from those in force. Keeps nothing.",
              compare_specs, (rows.OF_SERVICE, Parameter("orphan_days", _DAYS, "days without a request to an orphan")),
              takes="SpecText", gives="SpecComparison", errors=(404, 413, 415, 422), consumes=MEDIA_TYPES, raw=True,
              body_required=False, max_bytes=MAX_JSON, audited=False),
)  # fmt: skip
__all__ = ["OPERATIONS", "SCHEMAS"]
