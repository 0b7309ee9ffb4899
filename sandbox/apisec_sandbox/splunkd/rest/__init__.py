"""The management port: routes, authentication and namespaces.

Source: REST API User Manual ("Access endpoint descriptions", "Namespaces") and Reference. The shape of errors as
measured by others on 10.4.
"""

from __future__ import annotations

import base64
import binascii
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING

from apisec_sandbox.errors import SandboxError
from apisec_sandbox.splunkd.atom import message_reply
from apisec_sandbox.splunkd.auth import Session
from apisec_sandbox.splunkd.rest import configs, objects, receivers, saved, search, storage, system, users
from apisec_sandbox.splunkd.rest.call import Call, Route, wants_json
from apisec_sandbox.splunkd.web import HttpError, Reply, Request

if TYPE_CHECKING:
    from apisec_sandbox.splunkd.server import Splunkd

ROUTES: tuple[Route, ...] = (
    *system.ROUTES,
    *users.ROUTES,
    *search.ROUTES,
    *saved.ROUTES,
    *storage.ROUTES,
    *objects.ROUTES,
    *receivers.ROUTES,
    *configs.ROUTES,
)


class Rest:
    """Answers requests to /services and /servicesNS."""

    def __init__(self, splunkd: Splunkd) -> None:
        self._splunkd = splunkd
        self._by_length: dict[int, list[Route]] = {}
        for route in ROUTES:
            self._by_length.setdefault(len(route.parts), []).append(route)

    def handle(self, request: Request) -> Reply:
        """Answer one request; HttpError and SandboxError become Splunk's messages."""
        try:
            return self._answer(request)
        except HttpError as error:
            return self.error(request, error)
        except SandboxError as error:
            return self.error(request, HttpError(400, str(error)))

    @staticmethod
    def error(request: Request, error: HttpError) -> Reply:
        return message_reply(error.status, [(error.kind, error.text)], wants_json(request))

    @staticmethod
    def too_large(request: Request) -> Reply:
        return message_reply(413, [("ERROR", "The request is too large.")], wants_json(request))

    def _answer(self, request: Request) -> Reply:
        owner, app, path = _namespace(request.segments)
        candidates = self._matching(path)
        if not candidates:
            self._authenticate(request)
            raise HttpError(404, "Not Found")
        chosen = next(((route, values) for route, values in candidates if route.method == request.method), None)
        if chosen is None:
            self._authenticate(request)
            raise HttpError(405, "Method Not Allowed")
        route, values = chosen
        session = Session("", "") if route.open else self._authenticate(request)
        return route.handler(Call(self._splunkd, request, session, owner, app), *values)

    def _matching(self, path: tuple[str, ...]) -> list[tuple[Route, list[str]]]:
        """Routes that fit the path, those with fewer placeholders first."""
        found = []
        for route in self._by_length.get(len(path), ()):
            values = _bind(route.parts, path)
            if values is not None:
                found.append((route, values))
        return sorted(found, key=lambda item: len(item[1]))

    def _authenticate(self, request: Request) -> Session:
        header = request.headers.get("authorization", "")
        scheme, _, value = header.partition(" ")
        session = None
        if scheme.lower() in ("splunk", "bearer"):
            session = self._splunkd.users.session(value.strip())
        elif scheme.lower() == "basic":
            session = self._basic(value)
        elif request.headers.get("cookie"):
            session = self._cookie(request.headers["cookie"])
        if session is None:
            raise HttpError(401, "call not properly authenticated", "WARN")
        return session

    def _basic(self, value: str) -> Session | None:
        try:
            name, _, password = base64.b64decode(value, validate=True).decode("utf-8").partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return Session("", name) if self._splunkd.users.check(name, password) else None

    def _cookie(self, header: str) -> Session | None:
        try:
            cookies = SimpleCookie(header)
        except CookieError:
            return None
        for name, morsel in cookies.items():
            if name.startswith("splunkd_") and (session := self._splunkd.users.session(morsel.value)):
                return session
        return None


def _namespace(segments: tuple[str, ...]) -> tuple[str, str, tuple[str, ...]]:
    """Split off /services or /servicesNS/{owner}/{app}."""
    if segments[:1] == ("services",):
        return "", "", segments[1:]
    if segments[:1] == ("servicesNS",) and len(segments) > 3:
        return segments[1], segments[2], segments[3:]
    return "", "", segments


def _bind(parts: tuple[str, ...], path: tuple[str, ...]) -> list[str] | None:
    values: list[str] = []
    for part, given in zip(parts, path, strict=True):
        if part.startswith("{"):
            values.append(given)
        elif part != given:
            return None
    return values
