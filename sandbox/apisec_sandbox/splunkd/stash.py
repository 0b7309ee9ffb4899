"""What collect writes into an index.

Source: Search Reference, "collect"; Knowledge Manual, "Use summary indexing for increased search efficiency".
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from apisec_sandbox.spl.context import Context
from apisec_sandbox.spl.times import strftime
from apisec_sandbox.spl.values import Row, to_number, to_text, values_of
from apisec_sandbox.splunkd.indexes import Event

TIME_FORMAT = "%m/%d/%Y %H:%M:%S %z"
HOST = "apisec-sandbox"
ORIGINAL = {"host": "orig_host", "source": "orig_source", "sourcetype": "orig_sourcetype", "index": "orig_index"}
IGNORED = frozenset(("splunk_server", "linecount", "timestartpos", "timeendpos", "punct"))


def stash_event(row: Row, index: str, settings: Mapping[str, str], context: Context, now: float) -> Event:
    """Return the event that a row becomes: its raw text where it has one, else its fields as pairs."""
    if settings.get("output_format", "raw").lower() == "hec":
        return _hec_event(row, index, settings, now)
    when = _when(row, settings, context, now)
    raw = row.get("_raw")
    text = to_text(raw) if raw is not None else pairs(row, when, settings, context)
    if marker := settings.get("marker"):
        text = f"{text}, {marker}"
    source = settings.get("source") or context.sid or "collect"
    return Event(
        when, now, settings.get("host") or _host(row), source, settings.get("sourcetype") or "stash", text, {}, index
    )


def _host(row: Row) -> str:
    return to_text(row.get("host") or row.get("orig_host") or HOST)


def _when(row: Row, settings: Mapping[str, str], context: Context, now: float) -> float:
    """With ``addtime`` the first of the search's earliest time, the row's own and the present one.

    A row with raw text, and one without ``addtime``, keeps its own time.
    """
    own = to_number(row.get("_time"))
    timed = settings.get("addtime", "t").lower() in ("t", "true", "1", "yes")
    if timed and row.get("_raw") is None and own is None and math.isfinite(context.earliest) and context.earliest > 0:
        own = context.earliest
    return float(now if own is None else own)


def pairs(row: Row, when: float, settings: Mapping[str, str], context: Context) -> str:
    """``MM/DD/YYYY HH:MM:SS +0000, info_…, name="value"``."""
    parts: list[str] = []
    if settings.get("addtime", "t").lower() in ("t", "true", "1", "yes"):
        parts.append(strftime(when, settings.get("timeformat") or TIME_FORMAT) or "")
    if settings.get("addinfo", "t").lower() in ("t", "true", "1", "yes"):
        parts += _info(row, context)
    for name, value in row.items():
        if not name.startswith("_") and name not in IGNORED:
            shown = ORIGINAL.get(name, name)
            parts += [f'{shown}="{_escaped(to_text(item))}"' for item in values_of(value)]
    return ", ".join(parts)


def _info(row: Row, context: Context) -> list[str]:
    """The search's own range, where the rows do not say it themselves."""
    low = context.earliest if math.isfinite(context.earliest) else 0.0
    high = f"{context.latest:.3f}" if math.isfinite(context.latest) else "+Infinity"
    info = {"info_min_time": f"{low:.3f}", "info_max_time": high, "info_search_time": f"{context.now:.3f}"}
    return [f"{name}={value}" for name, value in info.items() if name not in row]


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _hec_event(row: Row, index: str, settings: Mapping[str, str], now: float) -> Event:
    """The fields are indexed; host, source and sourcetype are those of the row."""
    when = to_number(row.get("_time"))
    fields: dict[str, Any] = {
        name: [to_text(item) for item in value] if isinstance(value, list) else to_text(value)
        for name, value in row.items()
        if not name.startswith("_") and name not in ORIGINAL and name not in IGNORED and value is not None
    }
    raw = row.get("_raw")
    text = to_text(raw) if raw is not None else json.dumps(fields, ensure_ascii=False)
    named = {name: settings.get(name) or to_text(row.get(name) or "") for name in ("host", "source", "sourcetype")}
    return Event(
        float(now if when is None else when),
        now,
        named["host"] or HOST,
        named["source"] or "collect",
        named["sourcetype"] or "stash",
        text,
        fields if raw is not None else {},
        index,
    )
