"""``apisec-forwarder status``: how a running forwarder stands, from its status file."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from apisec_forwarder import config as configuration
from apisec_forwarder import status

HELP = "show how a running forwarder stands: processes, lag, spool, Splunk"

EPILOG = """example:
  apisec-forwarder status --config forwarder.yaml

Exit code 0: it does its work. 1: it does not, and the last lines say why. A container's health check can call it.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the configuration")
    parser.add_argument("--json", action="store_true", help="the whole status as one JSON object")


def run(args: argparse.Namespace) -> int:
    config = configuration.load(args.config)
    document = status.read(configuration.status_file(config))
    if document is None:
        document = {"processes": {}, "counters": {}, "gauges": {}}
        ready: dict[str, Any] = {"ready": False, "causes": ["no forwarder runs with this configuration"]}
    else:
        ready = status.readiness(document)
    if args.json:
        print(json.dumps({**document, **ready}, indent=2))
    else:
        print("\n".join([*_lines(document), *(f"not ready: {cause}" for cause in ready["causes"])]))
    return 0 if ready["ready"] else 1


def _lines(document: Mapping[str, Any]) -> list[str]:
    """Return a line a process, and what operators ask first."""
    lines = []
    for name, one in sorted(document["processes"].items()):
        running = "runs" if status.is_fresh({**one, "age": one["age"] + document.get("age", 0.0)}) else "ended"
        memory = one["gauges"].get("resident_bytes", 0) / 2**20
        lines.append(f"{name:<14}{running:<7}pid {one['pid']:<9}{memory:.0f} MiB")
    gauges, hec = document["gauges"], document.get("hec", {})
    asked = ("lag_seconds", "unread_bytes", "spool_bytes")
    lines += [f"{key:<21}{gauges[key]:g}" for key in asked if key in gauges]
    if hec:
        lines.append(f"{'hec':<21}{hec.get('state')}")
    return lines
