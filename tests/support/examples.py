"""Example traffic for tests of the app: transactions of a small shop, and anomalies of the detections' own examples."""

from __future__ import annotations

import json
from typing import Any

from tests.support.app import ROOT
from tests.support.splunk import Splunk


def transactions(name: str) -> list[dict[str, Any]]:
    """Lines of ``case``, ``at`` and ``event``: orders (walked through, looked at), checkout (gone through, skipped)."""
    return [json.loads(line) for line in (ROOT / f"tests/cases/package/{name}.jsonl").read_text("utf-8").splitlines()]


def anomalies(splunk: Splunk, detection: str) -> list[dict[str, Any]]:
    """The anomalies of a detection's examples, in campaigns of this test's own."""
    text = (ROOT / f"content/examples/{detection}.jsonl").read_text("utf-8")
    lines = [line for line in map(json.loads, text.splitlines()) if "sourcetype" not in line]
    return [
        {**event, "campaign": f"{splunk.marker}-{event['campaign']}", "members": [*map(splunk.token, event["members"])]}
        for event in splunk.recent(lines)
    ]
