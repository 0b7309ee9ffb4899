"""One operation: everything that is known of it, and that merges."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Dict, Iterator, List, Optional, Tuple
from urllib.parse import urlsplit

from apisec.baselines.sketches import DistinctCount, QuantileSketch, value_hash
from apisec.baselines.values import event_time, number, text, texts, whole
from apisec.endpoints.inventory.asked import Asked
from apisec.endpoints.inventory.messages import Message, partial, together
from apisec.endpoints.inventory.shapes import principal_bit
from apisec.endpoints.inventory.tally import OTHER, Counts, add_all, counts_of, names, tally
from apisec.endpoints.inventory.timing import Timing
from apisec.endpoints.inventory.versions import agent_family, version_of
from apisec.model.credentials import SIGNATURES

MAX_NAMES = 64  # classes, schemes, kinds of principals, families of agents
MAX_STATUSES = 64
MAX_SERVERS = 8
MAX_GATEWAYS = 16
MAX_RESPONSES = 12  # statuses that have fields of their own; the others share ``OTHER``

# Milliseconds and bytes; response_time is kept by version and status (timing.py). The upstream's share of it is known
# where the gateway tells it.
UPSTREAM, GATEWAY = "upstream_time", "gateway_time"
MEASURES = ("bytes_in", "bytes_out", UPSTREAM, GATEWAY)
SHARES = (("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("p999", 0.999))

_hash = lru_cache(maxsize=8192)(value_hash)
_TALLIES = ("auth", "kinds", "statuses", "classes", "agents", "servers", "envs", "gateways")
_ROOM = {"servers": MAX_SERVERS, "gateways": MAX_GATEWAYS}


class OperationStats:
    """Counts are of events. ``open`` are requests that were answered below 400 without any credential."""

    __slots__ = (
        "agents", "anonymous", "asked", "auth", "blocked", "classes", "count", "envs", "errors", "first_seen",
        "gateways", "kinds", "last_seen", "latest", "measures", "open", "principals", "request", "responses",
        "servers", "statuses", "timing",
    )  # fmt: skip

    def __init__(self) -> None:
        self.count = self.anonymous = self.errors = self.blocked = self.open = 0
        self.first_seen = math.inf
        self.last_seen = -math.inf
        # Of the latest event, so that a renamed team shows; equal times fall back to the greater text.
        self.latest: Tuple[float, str, str, str] = (-math.inf, "", "", "")
        self.principals = DistinctCount()
        self.auth: Counts = {}
        self.kinds: Counts = {}
        self.statuses: Counts = {}
        self.classes: Counts = {}
        self.agents: Counts = {}
        self.servers: Counts = {}
        self.envs: Counts = {}
        self.gateways: Counts = {}
        self.asked = Asked()
        self.request = Message()
        self.responses: Dict[str, Message] = {}
        self.measures = {name: QuantileSketch() for name in MEASURES}
        self.timing = Timing()

    def add(self, event: Mapping[str, Any]) -> None:
        time = event_time(event)
        status = whole(event.get("status"))
        self.count += 1
        self.errors += status == 0 or status >= 400
        self.blocked += event.get("action") == "blocked"
        if time < self.first_seen:
            self.first_seen = time
        if time >= self.last_seen:
            self.last_seen = time
            latest = (time, text(event.get("team")), text(event.get("endpoint")), text(event.get("http_method"), 32))
            self.latest = max(self.latest, latest)
        bit = self._who(event, status)
        tally(self.statuses, str(status), 1, MAX_STATUSES)
        for name in texts(event.get("data_classes")):
            tally(self.classes, name, 1, MAX_NAMES)
        self._where(event)
        self._messages(event, status, bit)
        self._costs(event, time, status)

    def _who(self, event: Mapping[str, Any], status: int) -> int:
        """Count who asked and how they proved it; returns the principal's bit."""
        auth = text(event.get("auth"), 32) or "none"
        kind = text(event.get("principal_kind"), 32)
        self.anonymous += kind == "anonymous"
        self.open += auth == "none" and 0 < status < 400
        tally(self.auth, auth, 1, MAX_NAMES)
        if kind:
            tally(self.kinds, kind, 1, MAX_NAMES)
        agent = agent_family(text(event.get("http_user_agent")))
        if agent:
            tally(self.agents, agent, 1, MAX_NAMES)
        principal = text(event.get("principal"))
        if not principal:
            return 0
        hashed = _hash(principal)
        self.principals.add_hash(hashed)
        return principal_bit(hashed)

    def _where(self, event: Mapping[str, Any]) -> None:
        server = server_of(text(event.get("url"), 300).partition("?")[0][:120])
        if server:
            tally(self.servers, server, 1, MAX_SERVERS)
        env = text(event.get("env"), 32)
        if env:
            tally(self.envs, env, 1, MAX_NAMES)
        gateway = text(event.get("gateway"), 64)
        if gateway:
            tally(self.gateways, gateway, 1, MAX_GATEWAYS)

    def _messages(self, event: Mapping[str, Any], status: int, bit: int) -> None:
        request = self.request
        asking, answering = partial(event.get("coverage_reasons"))
        media = text(event.get("request_content_type"), 128)
        request.add(event.get("request_fields"), event.get("request_body"), media, bit)
        request.partial += asking
        query = text(event.get("uri_query"), 4096)
        if query:
            request.query(query, bit)
        endpoint = text(event.get("endpoint"))
        if "{" in endpoint:
            request.path(endpoint, text(event.get("uri_path"), 4096), bit)
        if status:
            media = text(event.get("http_content_type"), 128)
            fields, body = event.get("response_fields"), event.get("response_body")
            response = self._response(str(status))
            response.add(fields, body, media, bit)
            response.partial += answering

    def _response(self, status: str) -> Message:
        found = self.responses.get(status)
        if found is None:
            if len(self.responses) >= MAX_RESPONSES:
                status = OTHER
            found = self.responses.setdefault(status, Message())
        return found

    def _costs(self, event: Mapping[str, Any], time: float, status: int) -> None:
        latency = number(event.get("response_time"))
        self.timing.add(time, status, version_of(event), latency)
        if event.get("body_operation"):
            self.asked.add(event, time, status, latency)
        measures = self.measures
        for name in ("bytes_in", "bytes_out"):
            value = number(event.get(name))
            if value is not None:
                measures[name].add(value)
        upstream = number(event.get(UPSTREAM))
        if upstream is not None:
            measures[UPSTREAM].add(upstream)
            if latency is not None:
                measures[GATEWAY].add(max(0.0, latency - upstream))

    def merge(self, other: OperationStats) -> None:
        for name in ("count", "anonymous", "errors", "blocked", "open"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.first_seen = min(self.first_seen, other.first_seen)
        self.last_seen = max(self.last_seen, other.last_seen)
        self.latest = max(self.latest, other.latest)
        self.principals.merge(other.principals)
        for name in _TALLIES:
            add_all(getattr(self, name), getattr(other, name), _ROOM.get(name, MAX_NAMES))
        self.asked.merge(other.asked)
        self.request.merge(other.request)
        for status in sorted(other.responses):
            self._response(status).merge(other.responses[status])
        for name in MEASURES:
            self.measures[name].merge(other.measures[name])
        self.timing.merge(other.timing)

    def messages(self) -> Iterator[Tuple[str, Message]]:
        """Yield ``request`` and the statuses, with their messages."""
        yield "request", self.request
        for status in sorted(self.responses):
            yield status, self.responses[status]

    def auth_seen(self) -> List[str]:
        """Return the schemes that were seen, ``hmac`` too where requests carry a signature in a header."""
        signed = any(
            location == "header" and path.lower() in SIGNATURES for location, path in self.request.fields.stats
        )
        return sorted({*names(self.auth), *(["hmac"] if signed else [])})

    def row(self, service: str, operation: str) -> Dict[str, Any]:
        """Return what an analyst reads; ``None`` stands for what was never measured."""
        responses = together(self.responses)
        row: Dict[str, Any] = {
            "service": service,
            "team": self.latest[1],
            "operation": operation,
            "endpoint": self.latest[2],
            "http_method": self.latest[3],
            "versions": [name for name, _ in self.timing.named_versions() if name != OTHER],
            "servers": names(self.servers),
            "envs": names(self.envs),
            "gateways": names(self.gateways),
            "count": self.count,
            "principals": self.principals.estimate(),
            "principal_kinds": names(self.kinds),
            "auth": self.auth_seen(),
            "anonymous": self.anonymous,
            "open": self.open,
            "blocked": self.blocked,
            "first_seen": self.first_seen,
            "last_seen": self.last_seen,
            "statuses": dict(sorted(self.statuses.items())),
            "errors": self.errors,
            "status_classes": self.timing.by_class(),
            "data_classes": names(self.classes),
            "user_agents": sorted(names(self.agents), key=lambda name: (-self.agents[name], name))[:8],
            "content_types": names(responses.media),
            "request_content_types": names(self.request.media),
            "body_operations": self.asked.rows(),
            "request_fields": self.request.rows(),
            "response_fields": responses.rows(),
            "fields_dropped": self.request.fields.dropped + responses.fields.dropped,
        }
        row.update(_quantiles("response_time", self.timing.latency()))
        for name in MEASURES:
            row.update(_quantiles(name, self.measures[name]))
        return row

    def to_state(self) -> Dict[str, Any]:
        state: Dict[str, Any] = {name: getattr(self, name) for name in _TALLIES}
        state.update(
            n=[self.count, self.anonymous, self.errors, self.blocked, self.open],
            seen=[self.first_seen, self.last_seen],
            latest=list(self.latest),
            principals=self.principals.to_state(),
            asked=self.asked.to_state(),
            request=self.request.to_state(),
            responses={status: message.to_state() for status, message in sorted(self.responses.items())},
            measures={name: sketch.to_state() for name, sketch in self.measures.items() if sketch.count},
            timing=self.timing.to_state(),
        )
        return state

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> OperationStats:
        """DocumentError, KeyError, TypeError or ValueError when the state is not one of ``to_state``."""
        stats = cls()
        stats.count, stats.anonymous, stats.errors, stats.blocked, stats.open = (int(n) for n in state["n"])
        stats.first_seen, stats.last_seen = (float(moment) for moment in state["seen"])
        time, team, endpoint, method = state["latest"]
        stats.latest = (float(time), str(team), str(endpoint), str(method))
        stats.principals = DistinctCount.from_state(state["principals"])
        for name in _TALLIES:
            setattr(stats, name, counts_of(state[name]))
        stats.asked = Asked.from_state(state["asked"])
        stats.request = Message.from_state(state["request"])
        stats.responses = {str(status): Message.from_state(one) for status, one in state["responses"].items()}
        stats.measures = {name: QuantileSketch.from_state(state["measures"].get(name, {})) for name in MEASURES}
        stats.timing = Timing.from_state(state["timing"])
        return stats


def _quantiles(name: str, sketch: QuantileSketch) -> Dict[str, Optional[float]]:
    found = ((label, sketch.quantile(share)) for label, share in SHARES)
    return {f"{name}_{label}": None if value is None else round(value, 3) for label, value in found}


@lru_cache(maxsize=4096)
def server_of(url: str) -> str:
    """Return scheme and host of a URL; empty when it has none."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") and parts.netloc else ""
