"""The OpenAPI 3.1 document of the admin API, generated from its table of operations, and a page for people."""

from __future__ import annotations

import html as escaping
from collections.abc import Iterable
from typing import Any

from apisec.http import openapi as core
from apisec.http import problem
from apisec.http.table import Operation, Table
from apisec.model.pattern import MODES
from apisec_forwarder import __version__
from apisec_forwarder.admin import bundle_schemas
from apisec_forwarder.admin.operations import NAME

Node = dict[str, Any]

_TEXT: Node = {"type": "string"}
_TIME: Node = {"type": "string", "format": "date-time"}
_SECONDS: Node = {"type": ["number", "null"], "description": "seconds since the epoch"}
_COUNT: Node = {"type": "integer", "minimum": 0}
_BY_MODE: Node = {"type": "object", "additionalProperties": _COUNT}


def _object(properties: Node, required: Iterable[str] = (), **more: Any) -> Node:
    return {"type": "object", "properties": properties, "required": list(required), **more}


_SUMMARY: Node = {
    "id": {"type": "string", "format": "uuid"},
    "title": _TEXT,
    "service": _TEXT,
    "team": _TEXT,
    "mode": {"enum": [*MODES, "expired"]},
    "canary_percent": {"type": ["number", "null"]},
    "expires": _TIME,
    "held_by_gateway": {"type": "boolean", "description": "Envoy's RBAC refuses it without a call-out"},
    "digest": {"type": "string", "description": "SHA-256 of what decides; evidence names it"},
    "pushed": _TIME,
    "pushed_by": _TEXT,
    "matched": _COUNT,
    "refused": _COUNT,
}
_EXTENSION = _object(
    {
        "mode": {"enum": list(MODES), "default": "shadow"},
        "canary_percent": {"type": "number", "exclusiveMinimum": 0, "maximum": 50, "default": 10},
        "expires": {**_TIME, "description": "at most 30 days ahead"},
        "requires": _object(
            {
                "selection": _TEXT,
                "group-by": {"type": "array", "items": _TEXT},
                "timespan": _TEXT,
                "warmup": _TEXT,
            },
            ("selection", "timespan"),
        ),
        "reason": _TEXT,
        "source": {},
        "evidence": {"type": "object"},
        "created_by": _TEXT,
    },
    ("expires",),
)
SCHEMAS: Node = {
    "Pattern": _object(
        {
            "title": {"type": "string", "maxLength": 256},
            "id": {"type": "string", "format": "uuid"},
            "logsource": _object(
                {"category": {"const": "api"}, "product": {"const": "apisec"}, "service": dict(NAME)},
                ("category", "product", "service"),
            ),
            "detection": {"type": "object", "description": "Sigma selections and their condition"},
            "correlation": {"type": "object", "description": "Sigma correlation over the selections"},
            "apisec": _EXTENSION,
        },
        ("title", "id", "logsource", "detection", "apisec"),
    ),
    "PatternSummary": _object(_SUMMARY, _SUMMARY),
    "PatternState": _object(
        {
            **_SUMMARY,
            "document": {"$ref": "#/components/schemas/Pattern"},
            "changes": {"type": "array", "items": {"type": "object"}},
        },
        (*_SUMMARY, "document", "changes"),
    ),
    "PatternList": _object(
        {"patterns": {"type": "array", "items": {"$ref": "#/components/schemas/PatternSummary"}}}, ("patterns",)
    ),
    "Promotion": _object(
        {
            "to": {"enum": ["canary", "enforce"]},
            "reason": {"type": "string", "minLength": 1, "maxLength": 2000},
            "override": {"type": "boolean", "default": False},
            "canary_percent": {"type": "number", "exclusiveMinimum": 0, "maximum": 50},
        },
        ("to", "reason"),
        additionalProperties=False,
    ),
    "Rollback": _object({"reason": {"type": "string", "maxLength": 2000}}, additionalProperties=False),
    "Stats": _object(
        {
            "id": _TEXT,
            "since": _SECONDS,
            "matched": _BY_MODE,
            "refused": _BY_MODE,
            "principals": _COUNT,
            "principals_complete": {"type": "boolean"},
            "top_principals": {"type": "array", "items": _object({"principal": _TEXT, "matched": _COUNT})},
            "first_match": _SECONDS,
            "last_match": _SECONDS,
            "first_refusal": _SECONDS,
            "last_refusal": _SECONDS,
            "seconds_from_change_to_first_refusal": {"type": ["number", "null"]},
        },
        ("id", "since", "matched", "refused"),
    ),
    "Status": _object(
        {
            "version": _TEXT,
            "gateway": _TEXT,
            "env": _TEXT,
            "decisions": {"type": "object"},
            "pipeline": {"type": ["object", "null"]},
        },
        ("version", "gateway", "env", "decisions"),
    ),
    "Health": _object({"status": {"const": "ok"}}, ("status",)),
    "Document": _object({"openapi": _TEXT, "info": {"type": "object"}, "paths": {"type": "object"}}, ("openapi",)),
    "Problem": {
        **problem.SCHEMA,
        "properties": {
            **problem.SCHEMA["properties"],
            "refusals": {"type": "array", "items": {"$ref": "#/components/schemas/Refusal"}},
        },
    },
}
SCHEMAS.update(bundle_schemas.SCHEMAS)
ABOUT = core.About(
    title="apisec forwarder: admin API",
    version=__version__,
    security={
        "token": {"type": "http", "scheme": "bearer"},
        "person": {"type": "http", "scheme": "basic", "description": "where admin.ldap is configured"},
    },
    right="scope",
    always=(401,),
    open_to_all=(),
    bodies=(400, 413, 422),
    etags=False,
    why={
        401: "No valid token.",
        403: "The token does not reach so far.",
        404: "No such pattern or service among the caller's teams.",
        409: "Refused: the evidence does not allow to enforce, or the bundle may not be applied (`refusals`).",
        422: "The document is not acceptable; the path of the fault leads the detail.",
        429: "Too many patterns are in force.",
    },
)


def table(operations: Iterable[Operation]) -> Table:
    """Return the table that routes and describes the API."""
    return Table(operations, SCHEMAS)


def document(operations: Iterable[Operation]) -> Node:
    """Return the OpenAPI document."""
    return core.document(table(operations), ABOUT)


def html(operations: Iterable[Operation]) -> str:
    """Return a page without scripts: what each operation does, takes, and may answer."""
    rows = []
    for operation in operations:
        answers = ", ".join(sorted(core.responses(operation, ABOUT)))
        cells = (operation.method, operation.path, operation.summary, operation.capability or "–", answers)
        rows.append("<tr>" + "".join(f"<td>{escaping.escape(cell)}</td>" for cell in cells) + "</tr>")
    head = "<tr><th>Method<th>Path<th>What it does<th>Scope<th>Answers</tr>"
    style = "body{font:16px sans-serif;margin:2em}td,th{text-align:left;padding:.3em 1em;border-bottom:1px solid #ccc}"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>apisec admin API</title><style>{style}</style>'
        f"<h1>apisec forwarder: admin API {escaping.escape(__version__)}</h1>"
        '<p>Bearer token; errors are <code>application/problem+json</code>. Machines read <a href="/openapi.json">'
        f"/openapi.json</a>.</p><table>{head}{''.join(rows)}</table></html>"
    )


def markdown(operations: Iterable[Operation]) -> str:
    """Return the reference page of the documentation; a test holds that the file is this text."""
    return core.markdown(table(operations), ABOUT, _INTRODUCTION)


_INTRODUCTION = """\
Generated from `admin/handlers.py`; `admin-api.json` beside this page is the full contract, and the running
forwarder serves both as `/docs` and `/openapi.json`. Bearer tokens over TLS; errors are
`application/problem+json` with `detail` (what) and `remedy`.
"""
