"""One request of splunkd in, one answer out: routing, rights, checks, ETags, problems and the audit trail.

Handlers only do what their operation is about. Whatever else can be wrong with a request is answered here, and an error
of ours is a 500 with an id that the log holds, and nothing else of it.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Dict, List, Optional, Tuple

from splunklib.binding import AuthenticationError, HTTPError

from apisec.errors import ApisecError, DocumentError, LimitExceeded
from apisec.http import conditional, documents, negotiation
from apisec.http import problem as problems
from apisec.http.problem import Problem
from apisec.http.schema import faults
from apisec.http.table import Answer, Operation, Table, allowed, path_values, query_values

from ..access import Caller
from .audit import Audit
from .table import Call, damaged

Connect = Callable[[str, str], Any]
Request = Mapping[str, Any]

MOUNT = "/apisec/v1"  # restmap.conf: match
MAX_PATH = 2_000  # characters
# What splunkd and Splunk Web add to any request: it says nothing to an operation.
TOLERATED = frozenset(("output_mode", "_", "_strip_links", "f"))
JSON_TYPE = "application/json; charset=utf-8"


class Application:
    """The API. ``connect`` makes a splunklib Service of splunkd's address and a token; ``clock`` is in seconds."""

    def __init__(
        self,
        table: Table,
        connect: Connect,
        caller_of: Callable[[Any, Any], Caller],
        clock: Callable[[], float],
        log: logging.Logger,
        audit: Audit,
    ) -> None:
        self.table = table
        self._connect = connect
        self._caller_of = caller_of
        self._clock = clock
        self._log = log
        self._audit = audit

    def answer(self, request: Request) -> Dict[str, Any]:
        """Return what splunkd sends on: ``status``, ``payload`` and ``headers``."""
        method = str(request.get("method", "GET")).upper()
        try:
            reply = self._answer(request, method)
        except Problem as problem:
            reply = of_problem(problem)
        except Exception:  # noqa: BLE001 - whatever it is, the client gets an id and the log the rest
            identifier = uuid.uuid4().hex
            self._log.exception("error %s: %s %s", identifier, method[:20], path_of(request)[:MAX_PATH])
            reply = of_problem(_crash(identifier))
        if method == "HEAD":
            reply["payload"] = ""
        return reply

    def _answer(self, request: Request, method: str) -> Dict[str, Any]:
        path = path_of(request)
        if len(path) > MAX_PATH:
            raise Problem(414, "", f"an address of {len(path)} characters", f"Use at most {MAX_PATH}.")
        found = self.table.find(path)
        if method == "OPTIONS":
            return reply_of(204, "", {"Allow": allowed(found.methods)})
        operation = self.table.operation(found, method)
        headers = headers_of(request)
        if not negotiation.accepts(headers.get("accept", ""), (operation.produces, problems.MEDIA_TYPE)):
            raise Problem(406, "", "Accept allows no media type that there is", f"Accept {operation.produces}.")
        call = self._call(request, operation, found.values, headers)
        return self._done(call, self._handled(call))

    def _call(
        self, request: Request, operation: Operation, values: Mapping[str, str], headers: Mapping[str, str]
    ) -> Call:
        uri = str(request["server"]["rest_uri"])
        token, system_token = str((request.get("session") or {}).get("authtoken") or ""), request["system_authtoken"]
        if not token:
            raise Problem(401, "", "no session", "Send Authorization: Bearer <token>, or a session key of Splunk.")
        user, system = self._connect(uri, token), self._connect(uri, str(system_token))
        caller = self._who(user, system)
        if operation.capability and not caller.may(operation.capability):
            detail = f"{operation.name} needs the capability {operation.capability}, which your roles do not have"
            raise Problem(403, "", detail, "Ask an administrator for a role that has it; docs/teams.md lists them.")
        path = path_values(operation, values)
        query = query_values(operation, pairs_of(request.get("query")), TOLERATED)
        body = body_of(request, operation, headers, self.table.schemas)
        return Call(caller, system, user, path, query, body, headers, self._clock(), operation)

    def _who(self, user: Any, system: Any) -> Caller:
        try:
            return self._caller_of(user, system)
        except DocumentError as error:
            raise damaged(error) from None
        except (AuthenticationError, HTTPError) as error:
            if getattr(error, "status", 401) == 401:
                raise Problem(401, "", "the session is over", "Log in again, or send another token.") from None
            raise

    def _handled(self, call: Call) -> Answer:
        """Let the handler work; what core and splunkd refuse becomes a problem, and refused changes are audited."""
        try:
            answer: Answer = call.operation.handler(call)
        except Problem as problem:
            raise self._refused(call, problem) from None
        except ApisecError as error:
            raise self._refused(call, _of_error(error)) from None
        except HTTPError as error:
            self._log.warning("%s: splunkd answered %s: %s", call.operation.name, error.status, error)
            raise self._refused(call, _of_splunkd(error)) from None
        if call.operation.changes and call.operation.audited:
            self._audit.write(call, "success", answer.status, answer.audit)
        return answer

    def _refused(self, call: Call, problem: Problem) -> Problem:
        if call.operation.changes and call.operation.audited:
            self._audit.write(call, "failure", problem.status, {"reason": problem.detail})
        return problem

    def _done(self, call: Call, answer: Answer) -> Dict[str, Any]:
        """Encode the answer; a GET whose version the client has is a 304."""
        headers = dict(answer.headers)
        payload, media = "", answer.media_type
        if isinstance(answer.body, str):
            payload = answer.body
        elif answer.body is not None:
            payload, media = documents.canonical(answer.body), JSON_TYPE
        tag = answer.etag
        if tag is None and answer.body is not None and not call.operation.changes:
            tag = conditional.etag(payload)
        if tag is not None:
            headers["ETag"] = tag
            if not call.operation.changes and conditional.unchanged(call.headers, tag):
                return reply_of(304, "", headers)
        if payload or answer.body is not None:
            headers["Content-Type"] = media
        return reply_of(answer.status, payload, headers)


def path_of(request: Request) -> str:
    """Return the path below the mount, which begins with a slash; ``path_info`` has it, ``rest_path`` the whole."""
    whole = str(request.get("rest_path") or "")
    if "path_info" in request:
        return "/" + str(request["path_info"] or "").strip("/")
    return "/" + whole[len(MOUNT) :].strip("/") if whole.startswith(MOUNT) else "/"


def headers_of(request: Request) -> Dict[str, str]:
    """Return the headers with their names in lower case; several of one name are joined, as RFC 9110, 5.3 says."""
    made: Dict[str, str] = {}
    for name, value in pairs_of(request.get("headers")):
        lower = name.lower()
        made[lower] = f"{made[lower]}, {value}" if lower in made else value
    return made


def pairs_of(given: Any) -> List[Tuple[str, str]]:
    """Return names and values: splunkd sends lists of two, and some versions an object."""
    items: Iterable[Any] = given.items() if isinstance(given, Mapping) else given or ()
    return [(str(one[0]), str(one[1])) for one in items if isinstance(one, Sequence) and len(one) == 2]


def body_of(
    request: Request, operation: Operation, headers: Mapping[str, str], schemas: Mapping[str, Mapping[str, Any]]
) -> Any:
    """Return the body, checked. Problem 400, 413, 415 or 422."""
    text = str(request.get("payload") or "")
    if len(text) > operation.max_bytes or len(text.encode("utf-8", "replace")) > operation.max_bytes:
        raise Problem(413, "", f"a body of more than {operation.max_bytes} bytes", "Send it in parts.")
    if operation.takes is None and not operation.raw:
        return None
    if not text.strip():
        if operation.body_required:
            raise Problem(400, "", "the body is empty", f"Send {' or '.join(operation.consumes)}.")
        return None
    media = negotiation.media_type(headers.get("content-type", ""))
    if media not in operation.consumes:
        detail = f"the body is {media[:100] or 'of no media type'}"
        raise Problem(415, "", detail, f"Send Content-Type: {' or '.join(operation.consumes)}.")
    if operation.raw:
        return text
    value = documents.read(text)
    found = faults(value, schemas[str(operation.takes)], schemas)
    if found:
        detail = f"{found[0].pointer or 'the body'}: {found[0].detail}"
        raise Problem(422, "", detail, "Correct the body; openapi.json has its schema.", errors=found)
    return value


def reply_of(status: int, payload: str, headers: Optional[Mapping[str, str]] = None) -> Dict[str, Any]:
    """Return an answer as splunkd takes it; nobody between client and splunkd may keep it."""
    made = {"Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff", **(headers or {})}
    return {"status": status, "payload": payload, "headers": made}


def of_problem(problem: Problem) -> Dict[str, Any]:
    """Return a problem as an answer."""
    headers = {**problem.headers, "Content-Type": problems.MEDIA_TYPE}
    return reply_of(problem.status, documents.canonical(problem.document()), headers)


def _crash(identifier: str) -> Problem:
    detail = "the app failed to answer; its log says more"
    remedy = f'Search index=_internal source="*apisec_rest.log" {identifier}, and report what it says.'
    return Problem(500, "", detail, remedy, extra={"id": identifier})


def _of_error(error: ApisecError) -> Problem:
    if isinstance(error, (DocumentError, LimitExceeded)):
        return Problem(422, "", str(error), "Correct the document.")
    return Problem(400, "", str(error), "Correct the request.")


def _of_splunkd(error: HTTPError) -> Problem:
    """Return what a caller may know of splunkd's refusal: a right that is missing is theirs, all else is ours."""
    if error.status == 403:
        return Problem(403, "", "your roles may not do what this needs in Splunk", "Ask an administrator.")
    remedy = "Try again; _internal and apisec_rest.log say more."
    return Problem(502, "", f"splunkd answered {error.status} to what this needs of it", remedy)
