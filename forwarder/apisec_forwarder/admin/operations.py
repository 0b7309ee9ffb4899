"""Rows of the admin API's table: routing, authorisation, checks and the OpenAPI document all read it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from apisec.http.table import JSON, Operation, Parameter
from apisec_forwarder.decisions.registry import Caller

if TYPE_CHECKING:
    from apisec_forwarder.admin.context import Context

READ, WRITE = "patterns:read", "patterns:write"
BUNDLES_READ, BUNDLES_WRITE = "bundles:read", "bundles:write"


@dataclass(frozen=True)
class Call:
    """One authorised request. ``body`` is empty unless the operation takes one; header names in lower case."""

    caller: Caller
    body: bytes
    headers: Mapping[str, str]
    query: Mapping[str, Any]
    path: Mapping[str, Any]


@dataclass(frozen=True)
class Reply:
    """``body`` is JSON-like, or text of ``media_type``; None for no content."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json"


Handler = Callable[["Context", Call], Awaitable[Reply]]

IDENTIFIER: Mapping[str, Any] = {"type": "string", "format": "uuid", "minLength": 1, "maxLength": 64}
NAME: Mapping[str, Any] = {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"}
_PATH = {
    name: Parameter(name, schema, where="path", required=True)
    for name, schema in (("id", IDENTIFIER), ("service", NAME))
}
FLAG: Mapping[str, Any] = {"type": "boolean"}
_TEXT: Mapping[str, Any] = {"type": "string", "maxLength": 1000}


WITH_ETAG = ("PatternState", "BundleOutcome", "BundleExport", "OverrideList")  # schemas of what has versions
CONDITIONAL = ("applyBundle",)  # takes If-Match, though the service stands in its body


def operation(
    name: str,
    method: str,
    path: str,
    scope: str | None,
    summary: str,
    handler: Handler,
    *,
    takes: str | None = None,
    gives: str | None = None,
    query: Mapping[str, str | tuple[Mapping[str, Any], str]] | None = None,
    success: int = 200,
    **more: Any,
) -> Operation:
    """Return a row of the table. ``scope`` None: no token is needed.

    ``query`` says what each parameter is, with its schema where that is not any text. Handlers read bodies themselves.
    """
    asked = [Parameter(key, *((_TEXT, said) if isinstance(said, str) else said)) for key, said in (query or {}).items()]
    in_path = [_PATH[key] for key in ("id", "service") if f"{{{key}}}" in path]
    if takes == "Pattern":
        more["consumes"] = (JSON, "application/yaml")
    if success == 201:
        more["also"] = {200: "Replaced, or the same as before."}
    return Operation(
        name,
        method,
        path,
        scope,
        summary,
        handler,
        (*in_path, *asked),
        takes,
        gives,
        success=success,
        raw=takes is not None,
        conditional=method in ("PUT", "POST", "DELETE") and (bool(in_path) or name in CONDITIONAL),
        match_required=False,
        body_required=takes != "Rollback",
        has_etag=gives in WITH_ETAG,
        **more,
    )
