"""The admin API's operations as one table: routing, authorisation and the OpenAPI document all read it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from apisec_forwarder.decisions.registry import Caller

if TYPE_CHECKING:
    from apisec_forwarder.admin.context import Context

READ, WRITE = "patterns:read", "patterns:write"
BUNDLES_READ, BUNDLES_WRITE = "bundles:read", "bundles:write"
MAX_BODY = 262_144  # bytes, unless an operation says otherwise


@dataclass(frozen=True)
class Call:
    """One authorised request. ``body`` is empty unless the operation takes one; header names in lower case."""

    caller: Caller
    body: bytes
    headers: Mapping[str, str]
    query: Mapping[str, str]
    path: Mapping[str, str]


@dataclass(frozen=True)
class Reply:
    """``body`` is JSON-like, or text of ``media_type``; None for no content."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json"


Handler = Callable[["Context", Call], Awaitable[Reply]]


@dataclass(frozen=True)
class Operation:
    """``scope`` None: no token is needed. ``takes`` and ``gives`` name schemas of the OpenAPI document."""

    name: str
    method: str
    path: str
    scope: str | None
    summary: str
    handler: Handler
    takes: str | None = None
    gives: str | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    errors: tuple[int, ...] = ()
    success: int = 200
    max_bytes: int = MAX_BODY
