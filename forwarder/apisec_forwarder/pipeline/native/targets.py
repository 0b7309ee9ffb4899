"""Where a request goes: host, path and query, each planned once and remembered by its shape."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import orjson

from apisec.attacks.protocol import odd_host
from apisec.attacks.signals import scan as signals_of
from apisec.classification.names import evidence
from apisec.endpoints.templating import Templates, is_parameter, segments_of
from apisec.model.transaction import Client, Request, Transaction
from apisec.redaction.redactor import DULL
from apisec_forwarder.pipeline.native.asking import Bounded
from apisec_forwarder.pipeline.native.plans import NotHere
from apisec_forwarder.pipeline.paths import read_path
from apisec_forwarder.pipeline.pipeline import Pipeline
from apisec_forwarder.pipeline.settings import STRICT, UNASSIGNED, PipelineSettings, Service

MAX_PLACES = 4_096
MAX_PATHS = 16_384
MAX_TARGET = 4_096  # characters; longer targets are left to the core

_DIGITS = re.compile(r"[0-9]{1,6}")
_UNIQUE = re.compile(r"(?=[^/]*[0-9])(?:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{32}|[0-9a-f]{40})")


@dataclass(frozen=True, eq=False)
class Place:
    """A host and what of a service is found at it; ``service`` is None where nobody owns the route."""

    host: str
    port: int | None
    origin: str
    service: Service | None
    templates: Templates
    strict: bool
    index: str | None

    @property
    def name(self) -> str:
        return self.service.name if self.service else UNASSIGNED

    @property
    def team(self) -> str:
        return self.service.team if self.service else UNASSIGNED


@dataclass(frozen=True, eq=False)
class PathPlan:
    """The template of paths of one shape, and where its parameters stand in them."""

    template: str
    params: tuple[tuple[str, int], ...]  # name, and which segment
    fields: bytes  # entries of request_fields

    def ids(self, segments: list[str]) -> list[tuple[str, str]]:
        """Return the parameters of a path with these segments."""
        return [(name, segments[at]) for name, at in self.params]


class Targets:
    """Plans of hosts, paths and queries."""

    def __init__(self, settings: PipelineSettings, core: Pipeline) -> None:
        self._settings = settings
        self._core = core
        self._places: Bounded[tuple[str, str], tuple[str, int | None, str] | None] = Bounded(MAX_PLACES)
        self._routed: Bounded[str, Place] = Bounded(MAX_PLACES)
        self._paths: Bounded[tuple[str, tuple[str, ...]], PathPlan] = Bounded(MAX_PATHS)
        self._one_path = all(service.paths in (("/",), ("",)) for service in settings.services)

    def place(self, request: Request) -> Place:
        """Return the place of a request; NotHere for targets and hosts that are out of the ordinary."""
        target = request.target
        if target[:1] != "/" or "#" in target or len(target) > MAX_TARGET or not request.host:
            raise NotHere
        key = (request.scheme, request.host)
        known = self._places.get(key)
        if known is None:
            known = self._places.put(key, self._host(request))
        if known is None:
            raise NotHere
        path = "/" if self._one_path else target.partition("?")[0]
        routed = f"{request.scheme}\0{request.host}\0{path}"
        place = self._routed.get(routed)
        if place is None:
            place = self._routed.put(routed, self._route(known, path))
        return place

    def _host(self, request: Request) -> tuple[str, int | None, str] | None:
        """Return host, port and origin as an event shows them, or None when the core finds something in the host."""
        if odd_host(request.host):
            return None
        plain = replace(request, target="/", method="GET")
        event = self._core.process(Transaction("x", 0.0, Client("192.0.2.1"), plain))
        host = event.get("dest", "")
        if "~" in host or "@" in request.host or event["coverage"] != "complete":
            return None
        return host, event.get("dest_port"), event["url"].removesuffix("/")

    def _route(self, known: tuple[str, int | None, str], path: str) -> Place:
        host, port, origin = known
        settings = self._settings
        found = self._core.routes.find(host, path)
        if found is None:
            return Place(host, port, origin, None, Templates(), settings.mode == STRICT, settings.index)
        service, templates = found
        index = service.index or settings.index
        return Place(host, port, origin, service, templates, service.mode == STRICT, index)

    def path(self, place: Place, request: Request) -> tuple[PathPlan, list[str], str, str]:
        """Return the plan of a path, its segments, itself, and the query behind it."""
        path, _, query = request.target.partition("?")
        segments = path.split("/")
        shape = [_kind(segment) for segment in segments]
        key = (place.name, tuple(shape))
        plan = self._paths.get(key)
        if plan is None:
            plan = self._plan(place, path, segments, shape, request.method)
            if plan is None:
                raise NotHere
            self._paths.put(key, plan)
        return plan, segments, path, query

    def _plan(self, place: Place, path: str, segments: list[str], shape: list[str], method: str) -> PathPlan | None:
        """Have the core read a path, and see whether what it says holds for every path of the shape."""
        if len(path) > MAX_TARGET or "%" in path or ";" in path or signals_of(path):
            return None
        if any(signals_of(segment) for segment in segments):
            return None
        request = Request(method, path, host=place.host or "x", scheme="https")
        work = self._core.begin(Transaction("x", 0.0, Client(), request))
        read_path(work, self._settings.limits)
        templated, part = work.templated, work.path
        if templated is None or part is None or part.replacements or part.fields or work.redactor.classes:
            return None
        names = [leaf.name for leaf in part.document.leaves]
        real = [i for i, segment in enumerate(segments) if segment]
        if len(names) != len(real):
            return None
        variable = {i for i in real if shape[i] != segments[i]}
        for index, name in zip(real, names, strict=True):
            said = evidence(name)
            # What varies here has a digit: no person's name, which /customers/17 may stand before.
            if index in variable and name and (said.data_class is not None or said.likely not in (None, "pii.name")):
                return None
        shown = segments_of(templated.template)
        params = []
        for at, (index, word) in enumerate(zip(real, shown, strict=False)):
            is_param = word.startswith("{") and word.endswith("}")
            if is_param:
                params.append((word[1:-1], index))
            elif index in variable:
                return None
            del at
        if tuple((name, segments[i]) for name, i in params) != templated.params or len(shown) != len(real):
            return None
        overrides = self._settings.overrides
        operation = f"{method} {templated.template}"
        if len(overrides) and any(overrides.find(place.name, operation, "path", n) for n, _ in params):
            return None
        entries = [{"path": name, "in": "path", "type": _type(segments[i])} for name, i in params]
        return PathPlan(templated.template, tuple(params), b",".join(map(orjson.dumps, entries)))


def _kind(segment: str) -> str:
    """Return a segment, or a mark for one of many that nothing is found in: a short number, a UUID, a hash."""
    if len(segment) <= 6 and _DIGITS.fullmatch(segment):
        return "\0"
    if len(segment) in (32, 36, 40) and _UNIQUE.fullmatch(segment) and DULL.fullmatch(segment):
        return f"\0{len(segment)}" if is_parameter(segment) else segment
    return segment


def _type(value: str) -> str:
    return "integer" if value.isascii() and value.lstrip("-").isdigit() and len(value) < 19 else "string"
