"""Counters, gauges and histograms of one process, and their text in the format of Prometheus."""

from __future__ import annotations

import bisect
import threading
from collections.abc import Iterable, Mapping
from typing import Any

PREFIX = "apisec_"
# Prometheus adds _total to counters; names end in their unit. Whatever a process counts is described here.
HELP = {
    "transactions_received": "Transactions that a source handed to the pipeline.",
    "transactions_skipped": "Input of a source that held no transaction, by cause.",
    "transactions_dropped": "Transactions lost before the pipeline, by cause (a full queue, say).",
    "batches_refused": "Batches that the HTTP receiver refused, by cause; the sender was told.",
    "transactions_failed": "Transactions that could not be analysed; none of them was shipped raw.",
    "transactions_analysed": "Transactions analysed, by the lane that did it (part: a body was read by the core).",
    "events": "Events made, by coverage.",
    "events_blocked": "Events of requests that apisec refused at the gateway.",
    "spool_dropped_events": "Events dropped unshipped because the spool was full.",
    "spool_damaged": "Spool records that were torn or damaged.",
    "spool_errors": "Times that the spool took no more; the transactions stayed at their source.",
    "hec_requests": "Requests to HEC, by outcome.",
    "hec_events_shipped": "Events that Splunk has taken (and acknowledged, with hec.ack).",
    "hec_events_resent": "Events sent again because an acknowledgement stayed out.",
    "hec_events_refused": "Events that HEC refused for good, by code; they are in the dead letters.",
    "hec_events_trimmed": "Events cut down to hec.event_bytes, bodies first.",
    "hec_events_held": "Events set aside because their team's token is refused.",
    "hec_in_flight": "Batches sent and not yet acknowledged.",
    "hec_target_up": "1 while a HEC target answers.",
    "spool_unsaved": "Times that the position of what is acknowledged could not be stored.",
    "hec_dead_letters_dropped": "Refused events that the cap of the dead letters dropped.",
    "feed_dropped": "Events that the decision service was too slow to take.",
    "suspects": "Transactions over which a worker died before; they went out without bodies, or not at all.",
    "memory_replacements": "Times that a worker was replaced because of its memory.",
    "vault_failures": "Values of test traffic that the vault could not keep.",
    "gateway_write_failures": "Writes of the gateway to its log that failed (tmpfs full): transactions lost.",
    "gateway_copies_begun": "Copies that the gateway says it has begun to send; copies_begun is how many of them came.",
    "copies_begun": "Copies that the gateway has begun to send and that came here.",
    "log_rotations": "Times that the gateway's log was renamed and opened anew.",
    "log_truncations": "Times that the gateway's log became shorter under the forwarder.",
    "log_reopen_failures": "Times that the gateway did not answer when asked to open its log anew.",
    "process_starts": "Starts of a process; more than one of each is a restart.",
    "process_failures": "Ends of a process that nobody asked for.",
    "config_reloads": "Reloads of the configuration, by outcome.",
    "spool_bytes": "Bytes in the spool that Splunk has not acknowledged.",
    "unread_bytes": "Bytes in the gateway's log that have not been read.",
    "queue_transactions": "Transactions that wait in the queue of a source.",
    "queue_bytes": "Bytes of the transactions that wait in the queue of a source.",
    "lag_seconds": "Age of the newest transaction read while more are waiting.",
    "transaction_lag_seconds": "From the last byte of a response to its event in the spool.",
    "hec_delivery_seconds": "From an event's time to Splunk's acknowledgement.",
    "resident_bytes": "Resident memory of a process.",
    "start_time_seconds": "Start of a process, seconds since the epoch.",
    "config_reload_ok": "1 when the configuration on disk at the last reload is the one that runs.",
    "config_time_seconds": "When the running configuration was read, seconds since the epoch.",
    "process_up": "1 while a process runs and reports.",
}
LATENCY_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)  # upper bounds of buckets

Snapshot = dict[str, dict[str, Any]]


class Metrics:
    """Counts; safe for several threads. A name with labels is one counter for each combination.

    ``base`` is the last snapshot of a predecessor whose place this process takes: counters go on from there, so that
    what is summed over processes never goes back.
    """

    def __init__(self, base: Mapping[str, Any] | None = None) -> None:
        self._mutex = threading.Lock()
        self._base: dict[str, float] = dict((base or {}).get("counters", {}))
        self._counters: dict[str, float] = dict(self._base)
        self._gauges: dict[str, float] = {}
        self._histograms: dict[str, dict[str, Any]] = {
            name: {"counts": list(one["counts"]), "sum": one["sum"]}
            for name, one in (base or {}).get("histograms", {}).items()
            if len(one["counts"]) == len(LATENCY_SECONDS) + 1
        }

    def inc(self, name: str, by: float = 1, **labels: str | int) -> None:
        key = series(name, labels)
        with self._mutex:
            self._counters[key] = self._counters.get(key, 0) + by

    def total(self, name: str, value: float, **labels: str | int) -> None:
        """Set a counter that is counted elsewhere in this process, from zero at its start."""
        key = series(name, labels)
        with self._mutex:
            self._counters[key] = self._base.get(key, 0) + value

    def gauge(self, name: str, value: float, **labels: str | int) -> None:
        key = series(name, labels)
        with self._mutex:
            self._gauges[key] = value

    def observe(self, name: str, values: Iterable[float]) -> None:
        """Count seconds into the histogram ``name``; ``LATENCY_SECONDS`` bounds its buckets."""
        with self._mutex:
            one = self._histograms.setdefault(name, {"counts": [0] * (len(LATENCY_SECONDS) + 1), "sum": 0.0})
            counts, total = one["counts"], 0.0
            for value in values:
                counts[bisect.bisect_left(LATENCY_SECONDS, value)] += 1
                total += value
            one["sum"] += total

    def snapshot(self) -> Snapshot:
        with self._mutex:
            histograms = {name: {"counts": list(h["counts"]), "sum": h["sum"]} for name, h in self._histograms.items()}
            return {"counters": dict(self._counters), "gauges": dict(self._gauges), "histograms": histograms}


def series(name: str, labels: Mapping[str, str | int]) -> str:
    """Return a counter's key, which is its text in Prometheus: ``events{coverage="complete"}``."""
    if not labels:
        return name
    inner = ",".join(f'{key}="{value}"' for key, value in sorted(labels.items()))
    return f"{name}{{{inner}}}"


def prometheus_text(snapshot: Mapping[str, Any]) -> str:
    """Render a snapshot (of ``Metrics`` or of the status file) in Prometheus' text format, version 0.0.4."""
    families: dict[str, list[str]] = {}
    for kind, group in (("counter", "counters"), ("gauge", "gauges")):
        for key, value in sorted(snapshot.get(group, {}).items()):
            name, brace, labels = str(key).partition("{")
            full = PREFIX + name + ("_total" if kind == "counter" else "")
            family = families.setdefault(full, _heading(full, name, kind))
            family.append(f"{full}{brace}{labels} {_number(value)}")
    for name, one in sorted(snapshot.get("histograms", {}).items()):
        full = PREFIX + str(name)
        families[full] = [*_heading(full, str(name), "histogram"), *_buckets(full, one)]
    lines = [line for family in families.values() for line in family]
    return "\n".join(lines) + "\n" if lines else ""


def _heading(full: str, name: str, kind: str) -> list[str]:
    return [f"# HELP {full} {HELP.get(name, name)}", f"# TYPE {full} {kind}"]


def _buckets(full: str, one: Mapping[str, Any]) -> list[str]:
    """Return the lines of a histogram: cumulative counts, as the format wants them."""
    lines, running = [], 0
    for bound, count in zip((*map(str, LATENCY_SECONDS), "+Inf"), one["counts"], strict=False):
        running += count
        lines.append(f'{full}_bucket{{le="{bound}"}} {running}')
    return [*lines, f"{full}_sum {_number(one['sum'])}", f"{full}_count {running}"]


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))
