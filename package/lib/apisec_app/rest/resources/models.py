"""The families' models that detection weighs evidence by: those that ship, or signed ones of one's own."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional

from apisec.abuse import artefact
from apisec.errors import ModelError

from ...detection.models import Own, OwnModels
from ..table import ADMIN, READ, Answer, Call, Operation, Parameter, Problem, etag
from .bundle_schemas import REASON

SHIPPED, OWN = "shipped", "own"
REMEDY = "Sign them with a key that GET /trust shows for all teams (*): apisec-ml sign; docs/ml.md says how."


def get_models(call: Call) -> Answer:
    """Return which models are in use."""
    own = OwnModels(call.system).held(call.now)
    return Answer(body=_body(own), etag=_etag(own))


def put_models(call: Call) -> Answer:
    """Take models of one's own."""
    call.demand_everything()
    store = OwnModels(call.system)
    before = store.held(call.now)
    call.match(_etag(before))
    try:
        document = store.read(call.body, call.now)
    except ModelError as error:
        raise Problem(422, "", f"these models are not taken: {error}", REMEDY) from None
    store.save(document, call.caller.user, call.now)
    after = store.held(call.now)
    audit = {"what": "models of detection", "before": _sha256(before), "after": document["sha256"]}
    return Answer(body=_body(after), etag=_etag(after), audit=audit)


def delete_models(call: Call) -> Answer:
    """Go back to the models that ship."""
    call.demand_everything()
    store = OwnModels(call.system)
    before = store.held(call.now)
    call.match(_etag(before))
    store.remove()
    audit = {"what": "models of detection", "before": _sha256(before), "after": None, "reason": call.query["reason"]}
    return Answer(204, audit=audit)


def _sha256(own: Optional[Own]) -> Optional[str]:
    return str(own.document.get("sha256", "")) if own is not None else None


def _etag(own: Optional[Own]) -> str:
    return etag([own.document, own.by, own.at, own.problem] if own is not None else SHIPPED)


def _body(own: Optional[Own]) -> Dict[str, Any]:
    body: Dict[str, Any] = {"in_use": SHIPPED if own is None or own.problem else OWN, "shipped": _about(_shipped())}
    body["own"] = None
    if own is not None:
        given = {"given_by": own.by, "given_at": own.at, "signed_by": own.key or None, "problem": own.problem or None}
        body["own"] = {**_about(own.document), **given}
    return body


def _shipped() -> Mapping[str, Any]:
    try:
        return artefact.shipped()
    except ModelError:
        return {}  # the selfcheck says so


def _about(document: Mapping[str, Any]) -> Dict[str, Any]:
    training = document.get("training") or {}
    return {
        "sha256": str(document.get("sha256", "")),
        "families": sorted(document.get("families") or ()),
        "transactions": _count(training.get("transactions")),
        "principal_days": _count(training.get("principal_days")),
        "campaigns": _count(training.get("campaigns")),
    }


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


_TEXT = {"type": "string"}
_NUMBER = {"type": "integer", "minimum": 0}
_ARTEFACT: Dict[str, Any] = {
    "sha256": _TEXT,
    "families": {"type": "array", "items": _TEXT, "description": "those with a trained model; others go by evidence"},
    "transactions": {**_NUMBER, "description": "ordinary ones that they were trained on"},
    "principal_days": {**_NUMBER, "description": "ordinary days of principals among them"},
    "campaigns": {**_NUMBER, "description": "labelled ones among them"},
}
_GIVEN: Dict[str, Any] = {
    "given_by": _TEXT,
    "given_at": {"type": "number", "description": "seconds since the epoch"},
    "signed_by": {"type": ["string", "null"], "description": "id of the trusted key"},
    "problem": {"type": ["string", "null"], "description": "why they are not used, though they were given"},
}
SCHEMAS: Dict[str, Any] = {
    "Models": {
        "type": "object",
        "properties": {
            "in_use": {"type": "string", "enum": [SHIPPED, OWN]},
            "shipped": {"type": "object", "properties": _ARTEFACT, "required": list(_ARTEFACT)},
            "own": {
                "anyOf": [
                    {"type": "object", "properties": {**_ARTEFACT, **_GIVEN}, "required": [*_ARTEFACT, *_GIVEN]},
                    {"type": "null"},
                ]
            },
        },
        "required": ["in_use", "shipped", "own"],
    },
    "Artefact": {"type": "object", "description": "what `apisec-ml train` wrote and `apisec-ml sign` signed"},
}
OPERATIONS = (
    Operation("getModels", "GET", "/models", READ, "Which models detection uses: those that ship, or own ones.",
              get_models, gives="Models"),
    Operation("putModels", "PUT", "/models", ADMIN,
              "Use models of your own, signed by a key that is trusted for all teams.", put_models,
              takes="Artefact", gives="Models", errors=(403, 412, 413, 415, 422), raw=True, conditional=True,
              match_required=False, max_bytes=artefact.MAX_BYTES),
    Operation("deleteModels", "DELETE", "/models", ADMIN, "Go back to the models that ship.", delete_models,
              (Parameter("reason", REASON, "why; the audit keeps it", required=True),), success=204,
              errors=(403, 412), conditional=True, match_required=False),
)  # fmt: skip
__all__ = ["OPERATIONS", "SCHEMAS"]
