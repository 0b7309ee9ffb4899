"""The HEC envelope of an event."""

from __future__ import annotations

import json
from typing import Any

import orjson

from apisec.model.event import SOURCETYPE_TRANSACTION, Event, indexed_fields
from apisec_forwarder.pipeline.settings import PipelineSettings

SOURCE = "apisec-forwarder"


def envelope(event: Event, settings: PipelineSettings) -> dict[str, Any]:
    """Return the HEC envelope: time, host, source, sourcetype, the team's index, event and indexed fields."""
    wrapped: dict[str, Any] = {
        "time": event["time"],
        "host": event["gateway"],
        "source": SOURCE,
        "sourcetype": SOURCETYPE_TRANSACTION,
    }
    index = next((s.index for s in settings.services if s.name == event["service"]), None) or settings.index
    if index:
        wrapped["index"] = index
    wrapped["event"] = event
    wrapped["fields"] = indexed_fields(event)
    return wrapped


def dump(document: dict[str, Any]) -> bytes:
    """Return an envelope or event as JSON."""
    try:
        return orjson.dumps(document)
    except TypeError:  # orjson refuses lone surrogates; the escape keeps them harmless
        return json.dumps(document, separators=(",", ":")).encode("ascii")
