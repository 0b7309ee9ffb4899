"""What the pipeline says about itself: health events for Splunk, and the status file for the admin API."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from apisec.model.event import SOURCETYPE_HEALTH
from apisec_forwarder import __version__
from apisec_forwarder.config import Config, status_file
from apisec_forwarder.files import write_private

HEALTH_VERSION = 1
SOURCE = "apisec-forwarder"
MAX_STATUS_BYTES = 2**20


def health_event(
    config: Config, before: Mapping[str, float], snapshot: Mapping[str, Mapping[str, float]], hec: Mapping[str, Any]
) -> dict[str, Any]:
    """Return one apisec:health event: counts since ``before`` (counters of the last one), gauges as they are.

    Counters with labels become objects: ``events: {"coverage=complete": 10}``; what did not change is left out.
    """
    event: dict[str, Any] = {
        "schema": HEALTH_VERSION,
        "gateway": config.gateway.name,
        "env": config.gateway.env,
        "version": __version__,
        "interval": config.health.interval_seconds,
        "hec": dict(hec),
        **snapshot["gauges"],
    }
    for name in ("lines_received", "hec_events_shipped"):
        event[name] = 0
    for key, value in snapshot["counters"].items():
        change = value - before.get(key, 0)
        name, _, labels = key.partition("{")
        if not labels:
            event[name] = change
        elif change:
            event.setdefault(name, {})[labels.rstrip("}").replace('"', "")] = change
    return event


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


def write_status(
    config: Config, snapshot: Mapping[str, Mapping[str, float]], hec: Mapping[str, Any], now: float
) -> None:
    """Replace the status file."""
    document = {
        "version": 1,
        "time": round(now, 3),
        "pid": os.getpid(),
        "gateway": config.gateway.name,
        "env": config.gateway.env,
        "hec": dict(hec),
        **snapshot,
    }
    write_private(status_file(config), json.dumps(document).encode(), durable=False)


def read_status(path: Path, now: float | None = None) -> dict[str, Any] | None:
    """Return what the pipeline last wrote, with ``age`` in seconds; None when it never did, or not JSON."""
    try:
        with path.open("rb") as file:
            document = json.loads(file.read(MAX_STATUS_BYTES))
        document["age"] = round((time.time() if now is None else now) - float(document["time"]), 3)
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return document if isinstance(document, dict) else None
