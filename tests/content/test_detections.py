"""Every detection against its own example traffic: what must trigger does, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import detections
from tests.support.splunk import Splunk

FOUND = detections.load()
CASES = [(d, test) for d in FOUND for test in d.tests]


def lines(name: str, cases: list[str]) -> list[dict[str, Any]]:
    text = (detections.CONTENT / "examples" / name).read_text("utf-8")
    return [line for line in map(json.loads, text.splitlines()) if line["case"] in cases]


def state(test: Mapping[str, Any]) -> dict[str, Any]:
    if "state" not in test:
        return {}
    document: dict[str, Any] = json.loads((detections.CONTENT / "examples" / test["state"]).read_text("utf-8"))
    return document


def run(splunk: Splunk, detection: detections.Detection) -> list[dict[str, Any]]:
    schedule = detection.schedule
    return splunk.mine(splunk.search(detection.search, schedule["earliest_time"], schedule["latest_time"]))


def send(splunk: Splunk, detection: detections.Detection, events: list[dict[str, Any]]) -> None:
    splunk.send(splunk.recent(events), detection.document["data_source"][0])


def accused(splunk: Splunk, expect: dict[str, Any]) -> list[str]:
    """The risk objects: principals, or operations after the test's own service."""
    if "principals" in expect:
        return [splunk.token(principal) for principal in expect["principals"]]
    parts = (name.split(" ", 1) for name in expect["operations"])
    return [f"{splunk.own(service)} {operation}" for service, operation in parts]


@pytest.mark.app
@pytest.mark.parametrize(("detection", "test"), CASES, ids=[f"{d.slug}: {t['name']}" for d, t in CASES])
def test_example(splunk: Splunk, detection: detections.Detection, test: dict[str, Any]) -> None:
    splunk.fill(state(test))
    events = lines(test["events"], test["case"])
    assert {e["case"] for e in events} == set(test["case"])
    send(splunk, detection, events)
    rows = run(splunk, detection)
    assert sorted(row["risk_object"] for row in rows) == sorted(accused(splunk, test["expect"]))
    about = "principal" if "principals" in test["expect"] else "operation"
    for row in rows:
        assert row["risk_object_type"] == ("user" if about == "principal" else "other")
        assert 1 <= float(row["risk_score"]) <= 100
        assert row[about] in row["risk_message"]
        assert all(row.get(name) for name in (detection.response or {"key": [about]})["key"])


@pytest.mark.app
def test_all_examples_together(splunk: Splunk) -> None:
    """One finding per principal, whoever else is in the same index."""
    merged: dict[str, Any] = {}
    expected: dict[str, set[str]] = {}
    for detection, test in CASES:
        merged |= state(test)
        expected.setdefault(detection.slug, set()).update(accused(splunk, test["expect"]))
    splunk.fill(merged)
    for source in sorted({detection.document["data_source"][0] for detection in FOUND}):
        listed = [(d, line) for d, test in CASES for line in lines(test["events"], test["case"])]
        some = {line["event"]["id"]: line for d, line in listed if d.document["data_source"][0] == source}
        splunk.send(splunk.recent(some.values()), source)
    for detection in FOUND:
        found = [row["risk_object"] for row in run(splunk, detection)]
        assert sorted(found) == sorted(expected[detection.slug]), detection.slug


def test_every_example_is_used() -> None:
    folder = detections.CONTENT / "examples"
    used = {(test["events"], case) for _, test in CASES for case in test["case"]}
    for path in sorted(folder.glob("*.jsonl")):
        cases = {json.loads(line)["case"] for line in path.read_text("utf-8").splitlines()}
        assert {(path.name, case) for case in cases} <= used
    assert isinstance(folder, Path)
