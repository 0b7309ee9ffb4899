"""What the processes say of themselves: each writes a file, the exporter sums them into one.

``status-<process>.json`` (mode 600, in the spool's folder) holds one process's counters, gauges and histograms;
``status.json`` the sums, with each process beside them. A process that takes the place of another goes on from its
counters, so that the sums never go back while a supervisor lives; it clears them when it starts.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from apisec_forwarder import __version__
from apisec_forwarder.config import Config, status_file
from apisec_forwarder.files import write_private
from apisec_forwarder.metrics import LATENCY_SECONDS, Snapshot

MAX_STATUS_BYTES = 4 * 2**20
FRESH_SECONDS = 15.0  # a process writes each second; on a machine that is quite busy it may come late
_PREFIX, _SUFFIX = "status-", ".json"
_LARGEST = ("lag_seconds", "config_reload_ok", "config_time_seconds")  # gauges whose sum would say nothing


def process_file(config: Config, process: str) -> Path:
    return config.spool.directory / f"{_PREFIX}{process}{_SUFFIX}"


def told_file(config: Config) -> Path:
    """Where the exporter keeps what its health events have told so far."""
    return config.spool.directory / "health-told.json"


def write(config: Config, process: str, snapshot: Snapshot, **more: Any) -> None:
    """Replace the file of one process; OSError when the disk takes nothing."""
    document = {"version": 1, "time": round(time.time(), 3), "pid": os.getpid(), "process": process, **more, **snapshot}
    write_private(process_file(config, process), json.dumps(document).encode(), durable=False)


def clear(config: Config) -> None:
    """Forget what an earlier run said."""
    with contextlib.suppress(OSError):
        for path in [*config.spool.directory.glob(f"{_PREFIX}*{_SUFFIX}"), status_file(config), told_file(config)]:
            path.unlink(missing_ok=True)


def read(path: Path, now: float | None = None) -> dict[str, Any] | None:
    """Return a status file, with ``age`` in seconds; None when there is none, or it is not JSON."""
    try:
        with path.open("rb") as file:
            document = json.loads(file.read(MAX_STATUS_BYTES))
        document["age"] = round((time.time() if now is None else now) - float(document["time"]), 3)
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return document if isinstance(document, dict) else None


def collect(config: Config, now: float) -> dict[str, Any]:
    """Return the sums over all processes, and each process, as ``status.json`` holds them."""
    found = [read(path, now) for path in sorted(config.spool.directory.glob(f"{_PREFIX}*{_SUFFIX}"))]
    documents = [one for one in found if one is not None and isinstance(one.get("process"), str)]
    totals: dict[str, Any] = {"counters": {}, "gauges": {}, "histograms": {}}
    hec: dict[str, Any] = {}
    for document in documents:
        _add(totals, document, fresh=is_fresh(document))
        hec = document.get("hec") or hec
    for document in documents:
        up = f'process_up{{process="{document["process"]}"}}'
        totals["gauges"][up] = 1 if is_fresh(document) else 0
    return {
        "version": 1,
        "time": round(now, 3),
        "app_version": __version__,
        "gateway": config.gateway.name,
        "env": config.gateway.env,
        "hec": hec,
        **totals,
        "processes": {document["process"]: document for document in documents},
    }


def is_fresh(document: Mapping[str, Any]) -> bool:
    """Whether the process that wrote this is running, as far as its file tells."""
    return not document.get("ended") and float(document.get("age", 0.0)) <= FRESH_SECONDS


def readiness(status: Mapping[str, Any]) -> dict[str, Any]:
    """Say whether the forwarder does its work, and what keeps it from it."""
    if float(status.get("age", 0.0)) > FRESH_SECONDS:
        return {"ready": False, "causes": ["the exporter does not report"]}
    processes = status.get("processes", {})
    workers = [one for name, one in processes.items() if str(name).startswith("worker-") and is_fresh(one)]
    causes = []
    if not workers:
        causes.append("no worker runs")
    causes += [f"{one['process']}: spool {one['spool']}" for one in workers if one.get("spool", "ok") != "ok"]
    if status.get("hec", {}).get("state") == "refused":
        causes.append("HEC refuses the token")
    return {"ready": not causes, "causes": causes}


def _add(totals: dict[str, Any], document: Mapping[str, Any], *, fresh: bool) -> None:
    """Add one process: counters and histograms always, gauges while it runs, memory and start by process."""
    counters, gauges = totals["counters"], totals["gauges"]
    for key, value in document.get("counters", {}).items():
        counters[key] = counters.get(key, 0) + value
    for name, one in document.get("histograms", {}).items():
        have = totals["histograms"].setdefault(name, {"counts": [0] * (len(LATENCY_SECONDS) + 1), "sum": 0.0})
        have["counts"] = [a + b for a, b in zip(have["counts"], one["counts"], strict=True)]
        have["sum"] += one["sum"]
    for key, value in document.get("gauges", {}).items() if fresh else ():
        if key in ("resident_bytes", "start_time_seconds"):
            gauges[f'{key}{{process="{document["process"]}"}}'] = value
        elif key in _LARGEST:
            gauges[key] = max(gauges.get(key, value), value)
        else:
            gauges[key] = gauges.get(key, 0) + value
