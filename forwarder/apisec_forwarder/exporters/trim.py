"""Cuts an event down to a size that Splunk keeps whole: bodies first, then lists, then long texts; and says so."""

from __future__ import annotations

import json
from typing import Any

import orjson

from apisec.model.event import SOURCETYPE_TRANSACTION

_BODIES = ("request_body", "response_body")
_LISTS = ("response_fields", "request_fields", "signals", "object_ids", "coverage_reasons")
_TEXTS = ("uri_query", "url", "uri_path", "http_referrer", "http_user_agent", "http_content_type")
MIN_BODY_CHARS = 256  # less of a body tells nothing
MIN_LIST = 1
MIN_TEXT_CHARS = 200


def fit(envelope: bytes, max_bytes: int) -> bytes | None:
    """Return the envelope in at most ``max_bytes``; None when it is no transaction or nothing more can go."""
    try:
        document = orjson.loads(envelope)
    except ValueError:
        return None
    event = document.get("event") if isinstance(document, dict) else None
    if not isinstance(event, dict) or document.get("sourcetype") != SOURCETYPE_TRANSACTION:
        return None
    before = len(envelope)
    for names, least in ((_BODIES, MIN_BODY_CHARS), (_LISTS, MIN_LIST), (_TEXTS, MIN_TEXT_CHARS)):
        while True:
            _say(event, before, names)
            data = _dump(document)
            if len(data) <= max_bytes:
                return data
            if not _shrink(event, names, least):
                break
    return None


def _shrink(event: dict[str, Any], names: tuple[str, ...], least: int) -> bool:
    """Halve the longest of these members, down to ``least`` (a body: then it goes); whether anything got shorter."""
    name = max(names, key=lambda one: len(event.get(one) or ()))
    value = event.get(name) or ""
    if not isinstance(value, (str, list)) or len(value) <= least:
        removable = [one for one in names if one in _BODIES and one in event]
        for one in removable:
            del event[one]
        return bool(removable)
    event[name] = value[: max(least, len(value) // 2)]
    return True


def _say(event: dict[str, Any], before: int, names: tuple[str, ...]) -> None:
    if event.get("coverage") != "undecoded":
        event["coverage"] = "truncated"
    said = f"event: {before} bytes, {'bodies' if names is _BODIES else 'bodies and lists'} cut to fit"
    reasons = [one for one in event.get("coverage_reasons") or () if not str(one).startswith("event: ")]
    event["coverage_reasons"] = [said, *reasons]


def _dump(document: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(document)
    except TypeError:  # lone surrogates, which orjson refuses
        return json.dumps(document, separators=(",", ":")).encode("ascii")
