"""The schemas of services, overrides and bundles in the admin API's OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from apisec.bundles.document import FORMAT
from apisec.bundles.release import FORMAT as RELEASE
from apisec.classification.overrides import LOCATIONS
from apisec_forwarder.admin.operations import NAME

Node = dict[str, Any]

_TEXT: Node = {"type": "string"}
# One line that says something; a reader's rule of what is printable is a little stricter.
_LINE: Node = {"type": "string", "minLength": 1, "maxLength": 1000, "pattern": r"^[^\u0000-\u001f\u007f-\u009f]*$"}
_DIGEST: Node = {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"}
_TIME: Node = {"type": "string", "format": "date-time"}
_NAMES: Node = {"type": "array", "items": _TEXT}
_VERSION: Node = {"type": "integer", "minimum": 1}


def _object(properties: Node, required: Iterable[str] = (), **more: Any) -> Node:
    return {"type": "object", "properties": properties, "required": list(required), **more}


def _list(schema: str) -> Node:
    return {"type": "array", "items": {"$ref": f"#/components/schemas/{schema}"}}


def _or_null(schema: Node) -> Node:
    return {"oneOf": [schema, {"type": "null"}]}


_OVERRIDE: Node = {
    "operation": _LINE,
    "in": {"enum": list(LOCATIONS)},
    "path": _LINE,
    "class": _LINE,
    "author": _LINE,
    "reason": _LINE,
    "expires": {"type": "string", "format": "date"},
}
_SUMMARY = _object(
    {
        "version": _VERSION,
        "digest": _DIGEST,
        "at": {"type": "number", "description": "seconds since the epoch"},
        "by": _TEXT,
        "action": {"enum": ["apply", "rollback", "edit"]},
        "author": _TEXT,
        "reason": _TEXT,
        "keys": _NAMES,
    },
    ("version", "digest", "at", "by", "action", "author", "reason", "keys"),
)
_ROW: Node = {
    "service": _TEXT,
    "team": _TEXT,
    "applied": _or_null(_SUMMARY),
    "in_force": _or_null(_DIGEST),
}
_EXCEPTION: Node = dict.fromkeys(("operation", "family", "author", "reason", "expires"), _TEXT)
SCHEMAS: Node = {
    "Override": _object({"service": _TEXT, **_OVERRIDE}, ("path", "class", "author", "reason")),
    "OverrideList": _object({"service": _TEXT, "overrides": _list("Override")}, ("service", "overrides")),
    "OverrideChange": _object(
        {
            "overrides": {
                "type": "array",
                "items": _object(_OVERRIDE, ("path", "class", "author", "reason"), additionalProperties=False),
            },
            "reason": _LINE,
        },
        ("overrides", "reason"),
        additionalProperties=False,
    ),
    "ServiceRow": _object(_ROW, _ROW),
    "ServiceList": _object({"services": _list("ServiceRow")}, ("services",)),
    "BundleList": _object({"bundles": _list("ServiceRow")}, ("bundles",)),
    "Bundle": _object(
        {
            "apisec_bundle": {"const": FORMAT},
            "service": dict(NAME),
            "version": _VERSION,
            "base": _DIGEST,
            "ancestors": {"type": "array", "items": _DIGEST},
            "environments": {"type": "array", "items": dict(NAME), "minItems": 1, "maxItems": 10},
            "made": _object({"author": _LINE, "reason": _LINE, "at": _TIME}, ("author", "reason", "at")),
            "ownership": _object({"team": dict(NAME), "hosts": {}, "paths": _NAMES, "gateways": _NAMES}, ("team",)),
            "specs": {"type": "array", "items": _object({"url": _TEXT, "sha256": _DIGEST}, ("url", "sha256"))},
            "overrides": _list("Override"),
            "patterns": _list("Pattern"),
            "thresholds": _object({"false_positive_limit": {"type": "number"}, "redaction": _TEXT}),
            "exceptions": {"type": "array", "items": _object(_EXCEPTION, ("author", "reason", "expires"))},
        },
        ("apisec_bundle", "service", "version", "environments", "made", "ownership"),
        additionalProperties=False,
    ),
    "Release": _object(
        {
            "apisec_release": {"const": RELEASE},
            "bundle": {"$ref": "#/components/schemas/Bundle"},
            "source": _or_null(_object({"environment": _TEXT, "seen": _DIGEST}, ("environment", "seen"))),
            "signatures": {
                "type": "array",
                "items": _object({"key": _TEXT, "signature": _TEXT}, ("key", "signature")),
            },
            "seen": {"type": "object", "description": "the fields seen (apisec_seen); its digest is in source"},
        },
        ("apisec_release", "bundle"),
        additionalProperties=False,
    ),
    "Refusal": _object({"code": _TEXT, "message": _TEXT}, ("code", "message")),
    "Effect": _object(
        {
            "part": {"enum": ["overrides", "ownership", "specs", "patterns", "thresholds", "exceptions"]},
            "subject": _TEXT,
            "before": {"type": ["string", "null"]},
            "after": {"type": ["string", "null"]},
            "kind": {"enum": ["raised", "lowered", "changed", "added", "removed"]},
            "reason": _TEXT,
            "line": _TEXT,
        },
        ("part", "subject", "before", "after", "kind", "line"),
    ),
    "BundleExport": _object(
        {
            **_ROW,
            "document": {"$ref": "#/components/schemas/Bundle"},
            "release": _or_null({"$ref": "#/components/schemas/Release"}),
            "history": {"type": "array", "items": _SUMMARY},
        },
        (*_ROW, "document", "release", "history"),
    ),
    "BundleCheck": _object(
        {
            "service": _TEXT,
            "version": _VERSION,
            "digest": _DIGEST,
            "acceptable": {"type": "boolean"},
            "refusals": _list("Refusal"),
            "effects": _list("Effect"),
            "warnings": _NAMES,
        },
        ("service", "version", "digest", "acceptable", "refusals", "effects", "warnings"),
    ),
    "BundleOutcome": _object(
        {**_ROW, "changed": {"type": "boolean"}, "effects": _list("Effect"), "warnings": _NAMES},
        (*_ROW, "changed", "effects", "warnings"),
    ),
    "BundleRollback": _object(
        {"to": {"type": "string", "description": "digest; the bundle before when absent"}, "reason": _LINE},
        ("reason",),
        additionalProperties=False,
    ),
}
