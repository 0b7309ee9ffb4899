"""Counters and gauges of one process, and their text in the format of Prometheus."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

PREFIX = "apisec_"
_HELP = {
    "lines_received": "Lines read from the gateway's log.",
    "lines_skipped": "Lines that held no transaction, by cause.",
    "events": "Events made, by coverage.",
    "events_blocked": "Events of requests that apisec refused at the gateway.",
    "spool_dropped_events": "Events dropped unshipped because the spool was full.",
    "spool_damaged": "Spool records that were torn or damaged.",
    "spool_errors": "Times that the spool took no more (disk full); the events stayed in the gateway's log.",
    "hec_requests": "Requests to HEC, by outcome.",
    "hec_events_shipped": "Events that Splunk has taken (and acknowledged, with hec.ack).",
    "hec_events_resent": "Events sent again because an acknowledgement stayed out.",
    "hec_events_refused": "Events that HEC refused for good, by code; they are in the dead letters.",
    "feed_dropped": "Events that the decision service was too slow to take.",
    "gateway_write_failures": "Writes of the gateway to its log that failed (tmpfs full): transactions lost.",
    "spool_bytes": "Bytes in the spool that Splunk has not acknowledged.",
    "unread_bytes": "Bytes in the gateway's log that have not been read.",
    "lag_seconds": "Age of the newest transaction read while more are waiting.",
    "start_time_seconds": "Start of the pipeline, seconds since the epoch.",
}


class Metrics:
    """Counts; safe for several threads. A name with labels is one counter for each combination."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._counters: dict[str, float] = {}
        self._gauges: dict[str, float] = {}

    def inc(self, name: str, by: float = 1, **labels: str | int) -> None:
        key = series(name, labels)
        with self._mutex:
            self._counters[key] = self._counters.get(key, 0) + by

    def total(self, name: str, value: float, **labels: str | int) -> None:
        """Set a counter that is counted elsewhere."""
        with self._mutex:
            self._counters[series(name, labels)] = value

    def gauge(self, name: str, value: float) -> None:
        with self._mutex:
            self._gauges[name] = value

    def snapshot(self) -> dict[str, dict[str, float]]:
        with self._mutex:
            return {"counters": dict(self._counters), "gauges": dict(self._gauges)}


def series(name: str, labels: Mapping[str, str | int]) -> str:
    """Return a counter's key, which is its text in Prometheus: ``events{coverage="complete"}``."""
    if not labels:
        return name
    inner = ",".join(f'{key}="{value}"' for key, value in sorted(labels.items()))
    return f"{name}{{{inner}}}"


def prometheus_text(snapshot: Mapping[str, Any]) -> str:
    """Render a snapshot (of ``Metrics`` or of the status file) in Prometheus' text format, version 0.0.4."""
    lines: list[str] = []
    described: set[str] = set()
    for kind, group in (("counter", "counters"), ("gauge", "gauges")):
        for key, value in sorted(snapshot.get(group, {}).items()):
            name, brace, labels = str(key).partition("{")
            full = PREFIX + name + ("_total" if kind == "counter" else "")
            if full not in described:
                described.add(full)
                lines += [f"# HELP {full} {_HELP.get(name, name)}", f"# TYPE {full} {kind}"]
            lines.append(
                f"{full}{brace}{labels} {value:g}" if value != int(value) else f"{full}{brace}{labels} {int(value)}"
            )
    return "\n".join(lines) + "\n" if lines else ""
