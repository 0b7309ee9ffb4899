"""The ASGI application of the admin API: core's table routes and checks, one place authorises and reports."""

from __future__ import annotations

import asyncio
import json
import logging

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from apisec.errors import ApisecError, DocumentError
from apisec.http.problem import MEDIA_TYPE, Problem
from apisec.http.table import Operation, allowed, path_values, query_values
from apisec_forwarder import logs
from apisec_forwarder.admin import openapi
from apisec_forwarder.admin.context import Context
from apisec_forwarder.admin.handlers import OPERATIONS
from apisec_forwarder.admin.operations import Call, Reply
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


def build(context: Context, verifier: Verifier, directory: People | None = None) -> ASGIApp:
    """Return the application, which is given requests and nothing else (no lifespan, no WebSocket)."""
    api = _Api(context, verifier, directory)

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        await (await api.answer(request))(scope, receive, send)

    return serve


class _Api:
    """Answers requests by the table of operations."""

    def __init__(self, context: Context, verifier: Verifier, directory: People | None) -> None:
        self._context = context
        self._verifier = verifier
        self._directory = directory
        self._table = openapi.table(OPERATIONS)

    async def answer(self, request: Request) -> Response:
        """Return the answer to one request; nothing is raised."""
        try:
            return await self._answer(request)
        except Problem as refused:
            return _problem(refused)
        except ApisecError as error:
            return _refused(error)
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception:  # noqa: BLE001 - the last line: the caller learns no more than that it failed
            logs.failure(LOG, "admin_failed")
            return _problem(Problem(500, "", "the forwarder failed", "Look at the forwarder's log."))

    async def _answer(self, request: Request) -> Response:
        found = self._table.find(request.scope["path"])
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={"allow": allowed(found.methods)})
        operation = self._table.operation(found, request.method)
        caller = await _authorise(request, operation, self._verifier, self._directory)
        path = path_values(operation, found.values)
        asked = request.query_params.multi_items()
        # Probes and scrapers add what they like to addresses that are not of the API itself.
        query = query_values(operation, asked if operation.path.startswith("/v1/") else ())
        body = await _body(request, operation.max_bytes) if operation.method in ("PUT", "POST") else b""
        headers = {name.lower(): value for name, value in request.headers.items()}
        reply: Reply = await operation.handler(self._context, Call(caller, body, headers, query, path))
        return _response(reply)


async def _authorise(request: Request, operation: Operation, verifier: Verifier, directory: People | None) -> Caller:
    if operation.capability is None:
        return NOBODY
    person = basic(request.headers.get("authorization", "")) if directory is not None else None
    if directory is not None and person is not None:
        return await _person(directory, operation.capability, *person)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    entry = verifier.verify(token.strip()) if scheme.lower() == "bearer" and len(token) <= 256 else None
    challenge = {"www-authenticate": 'Bearer realm="apisec"'}
    if entry is None:
        remedy = "Send Authorization: Bearer with a token from `apisec-forwarder patterns token`."
        raise Problem(401, "", "no valid token", remedy, headers=challenge)
    if operation.capability not in entry.scopes:
        raise Problem(403, "", f"the token lacks the scope {operation.capability}", "Use a token that has it.")
    return Caller(entry.name, entry.teams)


async def _person(directory: People, scope: str, name: str, password: str) -> Caller:
    """Ask the directory in a thread of its own; whatever fails, the answer is the same."""
    groups = await asyncio.to_thread(directory.groups, name, password)
    if groups is None:
        challenge = {"www-authenticate": 'Basic realm="apisec", charset="UTF-8"'}
        raise Problem(401, "", "no valid name and password", "Sign in as in the directory.", headers=challenge)
    reached = teams(groups, scope)
    if not reached:
        raise Problem(403, "", f"none of your groups gives the scope {scope}", "Ask for a group that has it.")
    return Caller(name, reached)


async def _body(request: Request, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise Problem(413, "", f"a body of more than {limit} bytes", "Send a smaller document.")
        parts.append(part)
    return b"".join(parts)


def _response(reply: Reply) -> Response:
    headers = {"cache-control": "no-store", **reply.headers}
    if reply.body is None:
        return Response(status_code=reply.status, headers=headers)
    text = reply.body if isinstance(reply.body, str) else json.dumps(reply.body, ensure_ascii=False)
    return Response(text, reply.status, headers, media_type=reply.media_type)


def _problem(refused: Problem) -> Response:
    headers = {"cache-control": "no-store", **refused.headers}
    return Response(json.dumps(refused.document()), refused.status, headers, media_type=MEDIA_TYPE)


def _refused(error: ApisecError) -> Response:
    for kind, status, remedy in _STATUS:
        if isinstance(error, kind):
            refused = error.refusals if isinstance(error, BundleRefusedError) else None
            extra = {"refusals": [one._asdict() for one in refused]} if refused is not None else None
            return _problem(Problem(status, "", str(error), remedy, extra=extra))
    return _problem(Problem(400, "", str(error), "Correct the request."))
