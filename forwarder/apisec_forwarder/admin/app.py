"""The ASGI application of the admin API: one route a row of the table, one place that authorises and reports."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from apisec.errors import ApisecError, DocumentError
from apisec_forwarder import logs
from apisec_forwarder.admin.context import Context
from apisec_forwarder.admin.handlers import OPERATIONS
from apisec_forwarder.admin.operations import Call, Operation, Reply
from apisec_forwarder.admin.people import People, basic, teams
from apisec_forwarder.admin.tokens import Verifier
from apisec_forwarder.bundles.manage import BundleRefusedError, ServiceUnknownError
from apisec_forwarder.decisions.registry import (
    Caller,
    ForbiddenError,
    NotFoundError,
    NotProvenError,
    PreconditionError,
    TooManyError,
)

LOG = logging.getLogger(__name__)

NOBODY = Caller("", frozenset())
PROBLEM = "application/problem+json"  # RFC 9457
_STATUS: tuple[tuple[type[ApisecError], int, str], ...] = (
    (ServiceUnknownError, 404, "Look at GET /v1/services for what there is."),
    (BundleRefusedError, 409, "Mend the bundle; docs/bundles.md explains each refusal."),
    (NotFoundError, 404, "Look at GET /v1/patterns for what there is."),
    (ForbiddenError, 403, "Use a token whose teams own the service."),
    (PreconditionError, 412, "GET it and repeat the change on its present version."),
    (
        NotProvenError,
        409,
        "Replay the pattern over history and attach the evidence: apisec-forwarder patterns replay.",
    ),
    (TooManyError, 429, "Delete a pattern, or wait for one to expire."),
    (DocumentError, 422, "Correct the document; docs/patterns.md and docs/bundles.md show each part."),
)


class _HttpError(Exception):
    def __init__(self, status: int, detail: str, remedy: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.remedy, self.headers = status, detail, remedy, headers or {}


def build(context: Context, verifier: Verifier, directory: People | None = None) -> Starlette:
    """Return the application."""
    by_path: dict[str, list[Operation]] = {}
    for operation in OPERATIONS:
        by_path.setdefault(operation.path, []).append(operation)
    # Longer suffixes first, so that {id} does not take ":promote" with it.
    paths = sorted(by_path, key=len, reverse=True)
    routes = [
        Route(path, _endpoint(by_path[path], context, verifier, directory), methods=[o.method for o in by_path[path]])
        for path in paths
    ]
    handlers: dict[Any, Any] = {404: _not_found, 405: _not_allowed}
    return Starlette(routes=routes, exception_handlers=handlers)


def _endpoint(
    operations: list[Operation], context: Context, verifier: Verifier, directory: People | None
) -> Callable[[Request], Awaitable[Response]]:
    by_method = {operation.method: operation for operation in operations}

    async def endpoint(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        try:
            operation = by_method[method]
            caller = await _authorise(request, operation, verifier, directory)
            body = await _body(request, operation.max_bytes) if operation.method in ("PUT", "POST") else b""
            headers = {name.lower(): value for name, value in request.headers.items()}
            call = Call(caller, body, headers, request.query_params, request.path_params)
            return _response(await operation.handler(context, call))
        except _HttpError as error:
            return problem(error.status, error.detail, error.remedy, error.headers)
        except ApisecError as error:
            return _refused(error)
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception:  # noqa: BLE001 - the last line: the caller learns no more than that it failed
            logs.failure(LOG, "admin_failed")
            return problem(500, "the forwarder failed", "Look at the forwarder's log.")

    return endpoint


async def _authorise(request: Request, operation: Operation, verifier: Verifier, directory: People | None) -> Caller:
    if operation.scope is None:
        return NOBODY
    person = basic(request.headers.get("authorization", "")) if directory is not None else None
    if directory is not None and person is not None:
        return await _person(directory, operation.scope, *person)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    entry = verifier.verify(token.strip()) if scheme.lower() == "bearer" and len(token) <= 256 else None
    challenge = {"www-authenticate": 'Bearer realm="apisec"'}
    if entry is None:
        remedy = "Send Authorization: Bearer with a token from `apisec-forwarder patterns token`."
        raise _HttpError(401, "no valid token", remedy, challenge)
    if operation.scope not in entry.scopes:
        raise _HttpError(403, f"the token lacks the scope {operation.scope}", "Use a token that has it.")
    return Caller(entry.name, entry.teams)


async def _person(directory: People, scope: str, name: str, password: str) -> Caller:
    """Ask the directory in a thread of its own; whatever fails, the answer is the same."""
    groups = await asyncio.to_thread(directory.groups, name, password)
    if groups is None:
        challenge = {"www-authenticate": 'Basic realm="apisec", charset="UTF-8"'}
        raise _HttpError(401, "no valid name and password", "Sign in as in the directory.", challenge)
    reached = teams(groups, scope)
    if not reached:
        raise _HttpError(403, f"none of your groups gives the scope {scope}", "Ask for a group that has it.")
    return Caller(name, reached)


async def _body(request: Request, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise _HttpError(413, f"a body of more than {limit} bytes", "Send a smaller document.")
        parts.append(part)
    return b"".join(parts)


def _response(reply: Reply) -> Response:
    headers = {"cache-control": "no-store", **reply.headers}
    if reply.body is None:
        return Response(status_code=reply.status, headers=headers)
    text = reply.body if isinstance(reply.body, str) else json.dumps(reply.body, ensure_ascii=False)
    return Response(text, reply.status, headers, media_type=reply.media_type)


def problem(
    status: int, detail: str, remedy: str, headers: dict[str, str] | None = None, extra: dict[str, Any] | None = None
) -> Response:
    """Return an RFC 9457 problem: what went wrong, and what to do."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "status": status,
        "title": _TITLES[status],
        "detail": detail,
        "remedy": remedy,
    }
    body.update(extra or {})
    return Response(json.dumps(body), status, {"cache-control": "no-store", **(headers or {})}, media_type=PROBLEM)


def _refused(error: ApisecError) -> Response:
    for kind, status, remedy in _STATUS:
        if isinstance(error, kind):
            refused = error.refusals if isinstance(error, BundleRefusedError) else None
            extra = {"refusals": [one._asdict() for one in refused]} if refused is not None else None
            return problem(status, str(error), remedy, extra=extra)
    return problem(400, str(error), "Correct the request.")


async def _not_found(request: Request, error: Exception) -> Response:
    del request, error
    return problem(404, "no such address", "GET /docs lists the addresses.")


async def _not_allowed(request: Request, error: Exception) -> Response:
    del request, error
    return problem(405, "the address does not take this method", "GET /docs lists the methods.")


_TITLES = {
    400: "Bad request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    409: "Refused",
    412: "Precondition failed",
    413: "Content too large",
    422: "Unacceptable document",
    429: "Too many patterns",
    500: "Internal error",
}
