"""The schemas of bundles. What stands inside a bundle is core's to check: it names each fault with its place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Dict

from apisec.bundles import document, release, seen, trust
from apisec.bundles.effects import ADDED, CHANGED, LOWERED, RAISED, REMOVED
from apisec.bundles.history import APPLY, EDIT, ROLLBACK
from apisec.bundles.reading import MAX_TEXT, NAME
from apisec.http import paging

Node = Dict[str, Any]

_TEXT: Node = {"type": "string"}
_NAMES: Node = {"type": "array", "items": _TEXT}
_DIGEST: Node = {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"}
_SECONDS: Node = {"type": "number", "description": "seconds since the epoch"}
_ANY: Node = {"type": "object"}
_ENVIRONMENT: Node = {"type": "string", "pattern": f"^{NAME.pattern}$", "maxLength": 64}
REASON: Node = {"type": "string", "minLength": 1, "maxLength": MAX_TEXT, "description": "why; the audit keeps it"}


def _object(properties: Node, required: Iterable[str] = (), **more: Any) -> Node:
    return {"type": "object", "properties": properties, "required": list(required), **more}


def _list(schema: str) -> Node:
    return {"type": "array", "items": {"$ref": f"#/components/schemas/{schema}"}}


def _or_null(schema: Node) -> Node:
    return {"anyOf": [schema, {"type": "null"}]}


_SUMMARY = _object(
    {
        "version": {"type": "integer", "minimum": 1},
        "digest": _DIGEST,
        "at": _SECONDS,
        "by": _TEXT,
        "action": {"type": "string", "enum": [APPLY, ROLLBACK, EDIT]},
        "author": _TEXT,
        "reason": _TEXT,
        "keys": {**_NAMES, "description": "ids of the keys that signed it"},
    },
    ("version", "digest", "at", "by", "action", "author", "reason", "keys"),
)
_ROW: Node = {
    "service": _TEXT,
    "team": {"type": "string", "description": "who owns it now; empty: nobody"},
    "applied": _or_null(_SUMMARY),
    "in_force": {"type": ["string", "null"], "description": "digest of the applied bundle; null while it is written"},
    "pending": {"type": "boolean", "description": "a change is being written, or was cut off"},
}
_CHANGES: Node = {
    "effects": _list("Effect"),
    "warnings": _NAMES,
    "unread": {**_NAMES, "description": "parts that work at forwarders and change nothing in Splunk"},
}
_RELEASE: Node = {
    "apisec_release": {"type": "integer", "const": release.FORMAT},
    "bundle": {"type": "object", "description": f"apisec_bundle: {document.FORMAT}; docs/bundles.md says its form"},
    "source": _or_null(_object({"environment": _TEXT, "seen": _DIGEST}, ("environment", "seen"))),
    "signatures": {
        "type": "array",
        "maxItems": release.MAX_SIGNATURES,
        "items": _object({"key": _TEXT, "signature": _TEXT}, ("key", "signature")),
    },
    "seen": {"type": "object", "description": "the fields seen (apisec_seen); its digest is in source"},
}
_KEY: Node = {
    "id": _TEXT,
    "public": {"type": "string", "description": "32 bytes in base64"},
    "teams": _NAMES,
    "environments": _NAMES,
    "owner": _TEXT,
    "expires": {"type": "string", "format": "date-time"},
    "revoked": {"type": "string", "description": "why the key does not count any more"},
}

SCHEMAS: Dict[str, Any] = {
    "BundleRow": _object(_ROW, _ROW),
    "BundleList": paging.schema("BundleRow"),
    "BundleExport": _object(
        {
            **_ROW,
            "document": {"type": "object", "description": "the applied bundle, or what Splunk knows"},
            "release": _or_null(_ANY),
            "history": {"type": "array", "items": _SUMMARY},
            "drift": _or_null(_object({"effects": _list("Effect"), "notes": _NAMES}, ("effects", "notes"))),
            "edited": {
                "anyOf": [_ANY, {"type": "null"}],
                "description": "the bundle with what was edited in Splunk since; null where nothing was",
            },
        },
        (*_ROW, "document", "release", "history", "drift", "edited"),
    ),
    "Release": _object(_RELEASE, ("apisec_release", "bundle"), additionalProperties=False),
    "Refusal": _object({"code": _TEXT, "message": _TEXT}, ("code", "message")),
    "Effect": _object(
        {
            "part": {
                "type": "string",
                "enum": ["overrides", "ownership", "specs", "patterns", "thresholds", "exceptions"],
            },
            "subject": _TEXT,
            "before": {"type": ["string", "null"]},
            "after": {"type": ["string", "null"]},
            "kind": {"type": "string", "enum": [RAISED, LOWERED, CHANGED, ADDED, REMOVED]},
            "reason": _TEXT,
            "line": _TEXT,
        },
        ("part", "subject", "before", "after", "kind", "reason", "line"),
    ),
    "BundleCheck": _object(
        {
            "service": _TEXT,
            "version": {"type": "integer", "minimum": 1},
            "digest": _DIGEST,
            "acceptable": {"type": "boolean"},
            "refusals": _list("Refusal"),
            **_CHANGES,
        },
        ("service", "version", "digest", "acceptable", "refusals", *_CHANGES),
    ),
    "BundleOutcome": _object(
        {**_ROW, "changed": {"type": "boolean"}, **_CHANGES}, (*_ROW, "changed", *_CHANGES)
    ),
    "BundleRollback": _object(
        {"to": {**_DIGEST, "description": "the bundle before, when absent"}, "reason": REASON},
        ("reason",),
        additionalProperties=False,
    ),
    "Seen": _object(
        {
            "apisec_seen": {"type": "integer", "const": seen.FORMAT},
            "service": _TEXT,
            "environment": _TEXT,
            "since": {"type": "string", "format": "date-time"},
            "until": {"type": "string", "format": "date-time"},
            "transactions": {"type": "integer", "minimum": 0},
            "fields": {
                "type": "array",
                "items": _object(
                    {"operation": _TEXT, "in": _TEXT, "path": _TEXT, "class": _TEXT,
                     "samples": {"type": "integer", "minimum": 1}},
                    ("operation", "in", "path", "class", "samples"),
                ),
            },
        },
        ("apisec_seen", "service", "environment", "since", "until", "transactions", "fields"),
    ),
    "Trust": _object(
        {
            "version": {"type": "integer", "const": trust.FORMAT},
            "keys": {
                "type": "array",
                "maxItems": trust.MAX_KEYS,
                "items": _object(_KEY, ("id", "public", "teams", "environments"), additionalProperties=False),
            },
        },
        ("version", "keys"),
        additionalProperties=False,
    ),
    "Environment": _object({"environment": _ENVIRONMENT}, ("environment",), additionalProperties=False),
    "EnvironmentNow": _object(
        {"environment": {"type": ["string", "null"], "description": "null: not said, and no bundle is applied"}},
        ("environment",),
    ),
}  # fmt: skip
