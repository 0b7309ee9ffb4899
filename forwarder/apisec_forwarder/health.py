"""What the forwarder says of itself in Splunk: one apisec:health event an interval, summed and by process."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from apisec.model.event import SOURCETYPE_HEALTH
from apisec_forwarder import __version__
from apisec_forwarder.config import Config
from apisec_forwarder.status import is_fresh

HEALTH_VERSION = 2
SOURCE = "apisec-forwarder"
_ALWAYS = ("transactions_received", "hec_events_shipped")  # 0 says something, too


def health_event(config: Config, before: Mapping[str, Any], status: Mapping[str, Any]) -> dict[str, Any]:
    """Return one event: counts since ``before`` (the status document of the last one), gauges as they are.

    Counters with labels become objects: ``events: {"coverage=complete": 10}``; what did not change is left out.
    ``processes`` holds the same for each process that runs or that counted something meanwhile.
    """
    earlier = before.get("processes", {})
    processes = {
        name: {"pid": document["pid"], "running": is_fresh(document), **_part(earlier.get(name, {}), document)}
        for name, document in status["processes"].items()
        if is_fresh(document) or _changes(earlier.get(name, {}), document)
    }
    event: dict[str, Any] = {
        "schema": HEALTH_VERSION,
        "gateway": config.gateway.name,
        "env": config.gateway.env,
        "version": __version__,
        "interval": config.health.interval_seconds,
        "hec": dict(status["hec"]),
        **dict.fromkeys(_ALWAYS, 0),
        **_part(before, status),
        "processes": processes,
    }
    for name in _ALWAYS:
        if isinstance(event[name], dict):
            event[name] = sum(event[name].values())
    return event


def _part(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """Return counts and gauges of one status document; gauges by process are left to ``processes``."""
    part = {key: value for key, value in now.get("gauges", {}).items() if "{" not in key}
    for key, change in _changes(before, now).items():
        name, _, labels = key.partition("{")
        if labels:
            part.setdefault(name, {})[labels.rstrip("}").replace('"', "")] = change
        else:
            part[name] = change
    return part


def _changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, float]:
    earlier = before.get("counters", {})
    changes = {key: value - earlier.get(key, 0) for key, value in now.get("counters", {}).items()}
    return {key: change for key, change in changes.items() if change}


def health_envelope(config: Config, event: Mapping[str, Any], now: float) -> bytes:
    """Return the HEC envelope of a health event; ``now`` in seconds since the epoch."""
    document = {
        "time": round(now, 3),
        "host": config.gateway.name,
        "source": SOURCE,
        "sourcetype": SOURCETYPE_HEALTH,
        "index": config.hec.index,
        "event": event,
    }
    return json.dumps(document, separators=(",", ":")).encode()
