"""The management port: routes, authentication and namespaces.

Source: REST API User Manual ("Access endpoint descriptions", "Namespaces") and Reference. The shape of errors as
measured by others on 10.4.
"""

from __future__ import annotations

import base64
import binascii
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from apisec_sandbox.errors import SandboxError
from apisec_sandbox.splunkd.atom import Entry, message_reply, quoted
from apisec_sandbox.splunkd.auth import Session
from apisec_sandbox.splunkd.intake import Stream
from apisec_sandbox.splunkd.rest import access, attributes, custom, receivers
from apisec_sandbox.splunkd.rest.call import Call, Route, wants_json
from apisec_sandbox.splunkd.rest.routes import ROUTES
from apisec_sandbox.splunkd.web import HttpError, Reply, Request

if TYPE_CHECKING:
    from apisec_sandbox.splunkd.server import Splunkd


RESERVED = ("_new", "_reload")  # parts of addresses that are no names


class Rest:
    """Answers requests to /services and /servicesNS."""

    def __init__(self, splunkd: Splunkd) -> None:
        self._splunkd = splunkd
        self._by_length: dict[int, list[Route]] = {}
        for route in ROUTES:
            self._by_length.setdefault(len(route.parts), []).append(route)

    def serve(self, request: Request) -> Reply:
        """Answer a request from outside, and write it to the access log."""
        started = time.monotonic()
        reply = self.handle(request)
        self._splunkd.access.note(request, reply, time.monotonic() - started)
        return reply

    def handle(self, request: Request) -> Reply:
        """Answer one request; HttpError and SandboxError become Splunk's messages."""
        try:
            return self._answer(request)
        except HttpError as error:
            return self.error(request, error)
        except SandboxError as error:
            return self.error(request, HttpError(400, str(error)))

    def open_stream(self, request: Request) -> Stream:
        """What takes the events of an open connection (receivers/stream)."""
        owner, app, _ = _namespace(request.segments)
        session, _ = self._authenticate(request)
        return receivers.open_stream(Call(self._splunkd, request, session, owner, app))

    @staticmethod
    def error(request: Request, error: HttpError) -> Reply:
        return message_reply(error.status, [(error.kind, error.text)], wants_json(request), error.code)

    @staticmethod
    def too_large(request: Request) -> Reply:
        return message_reply(413, [("ERROR", "The request is too large.")], wants_json(request))

    def _answer(self, request: Request) -> Reply:
        owner, app, path = _namespace(request.segments)
        candidates = self._matching(path)
        chosen = next(((route, values) for route, values in candidates if route.method == request.method), None)
        if chosen and chosen[0].open:
            return chosen[0].handler(Call(self._splunkd, request, Session("", ""), owner, app), *chosen[1])
        target = None if candidates else self._splunkd.handlers.find(path)
        if target and custom.is_open(target):
            return custom.answer(Call(self._splunkd, request, Session("", ""), owner, app), target)
        session, cookie = self._authenticate(request)
        call = Call(self._splunkd, request, session, owner, app)
        if target:
            reply = custom.answer(call, target)
        elif chosen:
            reply = chosen[0].handler(call, *chosen[1])
        else:
            reply = self._common(call, path, bool(candidates))
        reply.user = session.user
        if cookie:
            reply.headers.setdefault("set-cookie", cookie)
        return reply

    def _common(self, call: Call, path: tuple[str, ...], known: bool) -> Reply:
        """What every collection and object has, and paths that only lead to others."""
        verb = path[-1] if path else ""
        parent = path[:-1]
        if call.request.method == "POST" and verb in ("enable", "disable"):
            return self._switch(call, parent, verb)
        if verb == "_reload" and self._matching(parent):
            return call.empty(parent[-1])
        if call.request.method == "GET" and verb == "_new" and self._makes(parent):
            entry = Entry("_new", {}, "/".join((*map(quoted, parent), "_new")), call.target_app, call.session.user)
            return call.one(parent[-1], replace(entry, attributes=attributes.of_new(parent[-1])))
        if known:
            raise HttpError(405, "Method Not Allowed")
        if call.request.method == "GET" and (names := self._below(path)):
            prefix = "".join(quoted(part) + "/" for part in path)
            entries = [Entry(name, {}, prefix + quoted(name), "", "system", "system", plain=True) for name in names]
            return call.feed(path[-1] if path else "services", entries)
        raise HttpError(404, "Not Found")

    def _makes(self, path: tuple[str, ...]) -> bool:
        return any(route.method == "POST" for route, _ in self._matching(path))

    def _switch(self, call: Call, path: tuple[str, ...], verb: str) -> Reply:
        """POST …/enable is an edit of ``disabled`` (REST API Reference, e.g. data/indexes/{name}/disable)."""
        edits = [(route, values) for route, values in self._matching(path) if route.method == "POST"]
        shows = [(route, values) for route, values in self._matching(path) if route.method == "GET"]
        if not edits or not shows:
            raise HttpError(404, "Not Found")
        route, values = edits[0]
        query = (("disabled", "0" if verb == "enable" else "1"),)
        kept = tuple(pair for pair in call.params.items() if pair[0] == "output_mode")
        segments = call.request.segments[:-1]
        request = replace(call.request, query=kept + query, body=b"", segments=segments)
        return route.handler(replace(call, request=request), *values)

    def _below(self, path: tuple[str, ...]) -> list[str]:
        """The next parts of the routes that start with this path."""
        depth = len(path)
        found = {route.parts[depth] for route in ROUTES if len(route.parts) > depth and route.parts[:depth] == path}
        return sorted(name for name in found if not name.startswith("{"))

    def _matching(self, path: tuple[str, ...]) -> list[tuple[Route, list[str]]]:
        """Routes that fit the path, those with fewer placeholders first."""
        found = []
        for route in self._by_length.get(len(path), ()):
            values = _bind(route.parts, path)
            if values is not None:
                found.append((route, values))
        return sorted(found, key=lambda item: len(item[1]))

    def _authenticate(self, request: Request) -> tuple[Session, str]:
        """The session, and the cookie to renew when it came by one (docs: "Cookie-based authorization").

        Raises:
            HttpError: 401, there is none.
        """
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        session, cookie = None, ""
        if scheme.lower() in ("splunk", "bearer"):
            session = self._splunkd.users.session(value.strip())
        elif scheme.lower() == "basic":
            session = self._basic(value)
        elif not scheme:
            session, cookie = self._cookie(request.headers.get("cookie", ""))
        if session is None:
            raise HttpError(401, "call not properly authenticated", "WARN")
        return session, cookie

    def _basic(self, value: str) -> Session | None:
        try:
            name, _, password = base64.b64decode(value, validate=True).decode("utf-8").partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return Session("", name) if self._splunkd.users.check(name, password) else None

    def _cookie(self, header: str) -> tuple[Session | None, str]:
        for part in header.split(";"):
            name, _, value = part.strip().partition("=")
            if name.startswith("splunkd_") and (session := self._splunkd.users.session(value.strip('"'))):
                return session, access.cookie(self._splunkd, session)
        return None, ""


def _namespace(segments: tuple[str, ...]) -> tuple[str, str, tuple[str, ...]]:
    """Split off /services or /servicesNS/{owner}/{app}."""
    if segments[:1] == ("services",):
        return "", "", segments[1:]
    if segments[:1] == ("servicesNS",) and len(segments) > 2:
        return segments[1], segments[2], segments[3:]
    raise HttpError(404, "Not Found")


def _bind(parts: tuple[str, ...], path: tuple[str, ...]) -> list[str] | None:
    values: list[str] = []
    for part, given in zip(parts, path, strict=True):
        if part.startswith("{") and given not in RESERVED:
            values.append(given)
        elif part != given:
            return None
    return values
