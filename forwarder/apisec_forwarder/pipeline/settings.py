"""What the pipeline is set up with, and which service a request belongs to."""

from __future__ import annotations

from dataclasses import dataclass, field

from apisec.classification.overrides import Overrides
from apisec.decoders import Limits
from apisec.endpoints.templating import Templates

UNASSIGNED = "unassigned"
BALANCED, STRICT = "balanced", "strict"


@dataclass(frozen=True)
class Service:
    """One API. ``hosts``: names, ``*.name`` or ``*``; ``paths``: prefixes; ``templates``: of its OpenAPI document.

    ``mode``: balanced, or strict (a checksum alone is enough, whatever the field's name says).
    """

    name: str
    team: str
    hosts: tuple[str, ...] = ("*",)
    paths: tuple[str, ...] = ("/",)
    index: str | None = None
    templates: tuple[str, ...] = ()
    mode: str = BALANCED


@dataclass(frozen=True)
class PipelineSettings:
    """``body_cap``: characters of a redacted body in an event. ``index``, ``mode``: of what belongs to no service."""

    gateway: str
    env: str
    services: tuple[Service, ...] = ()
    body_cap: int = 16_384
    index: str | None = None
    limits: Limits = field(default_factory=Limits)
    mode: str = BALANCED
    overrides: Overrides = field(default_factory=Overrides)


class Routes:
    """Finds the service of a host and path: the most exact host first, then the longest path prefix."""

    def __init__(self, services: tuple[Service, ...]) -> None:
        compiled = [(service, Templates(service.templates)) for service in services]
        routes = [
            (host.lower(), path.rstrip("/"), service, templates)
            for service, templates in compiled
            for host in service.hosts
            for path in service.paths
        ]
        self._routes = sorted(routes, key=lambda r: (r[0] == "*", r[0].startswith("*."), -len(r[0]), -len(r[1])))

    def find(self, host: str, path: str) -> tuple[Service, Templates] | None:
        """Return the service and its templates, or None when nobody owns the route."""
        name = host.lower().rstrip(".")
        for pattern, prefix, service, templates in self._routes:
            if _host_matches(pattern, name) and (path == prefix or path.startswith(prefix + "/")):
                return service, templates
        return None


def _host_matches(pattern: str, name: str) -> bool:
    if pattern == "*":
        return True
    return name.endswith(pattern[1:]) if pattern.startswith("*.") else name == pattern
