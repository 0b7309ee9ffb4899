"""pySigma reads what the detections say in Sigma, and makes SPL of it that finds what they find."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
import yaml
from sigma.backends.splunk.splunk import SplunkBackend
from sigma.collection import SigmaCollection
from sigma.correlations import SigmaCorrelationRule
from sigma.processing.pipeline import ProcessingPipeline

import detections
import sigma_export
from detections import Detection
from tests.support.splunk import Splunk

FOUND = detections.load()
SAID = [detection for detection in FOUND if sigma_export.why_not(detection) is None]
# One rule over the detection's own events, so that its own example triggers it.
SINGLE = [one for one in SAID if len(one.document["apisec"]["sigma"]) == 1]
UNSUPPORTED = "temporal_ordered"  # by pySigma's backend for Splunk, not by Sigma


def collection(detection: Detection) -> SigmaCollection:
    return SigmaCollection.from_yaml(sigma_export.dump(list(sigma_export.documents(detection))), collect_errors=True)


def backend() -> SplunkBackend:
    return SplunkBackend(processing_pipeline=ProcessingPipeline.from_yaml(sigma_export.dump([sigma_export.pipeline()])))


@pytest.mark.parametrize("detection", SAID, ids=lambda one: one.slug)
def test_pysigma_reads_it(detection: Detection) -> None:
    rules = collection(detection)
    assert rules.errors == []
    for rule in rules:
        assert rule.errors == []
        assert rule.level is not None
        assert uuid.UUID(str(rule.id))
        assert [str(tag) for tag in rule.tags]
    kinds = [rule.type.name.lower() for rule in rules if isinstance(rule, SigmaCorrelationRule)]
    if UNSUPPORTED not in kinds:
        assert backend().convert(rules)


def test_ids_are_unique_and_reasons_are_given() -> None:
    nodes = [node for detection in SAID for node in sigma_export.documents(detection)]
    assert len({node["id"] for node in nodes}) == len(nodes)
    for detection in FOUND:
        if detection not in SAID:
            assert len(str(sigma_export.why_not(detection)).split()) >= 5, detection.slug
            assert list(sigma_export.documents(detection)) == []


@pytest.mark.app
def test_its_spl_finds_what_the_detection_finds(module_splunk: Splunk) -> None:
    expected: dict[str, set[str]] = {}
    for detection in SINGLE:
        source = detection.document["data_source"][0]
        source = "apisec:transaction" if source == "apisec:anomaly" else source
        case = f"{module_splunk.marker}-{detection.slug}"
        events = [{**event, "case": case} for event in module_splunk.recent(positive(detection, source))]
        expected[detection.slug] = {case}
        about = {"index": "apisec", "source": "apisec-sigma", "sourcetype": source}
        module_splunk.hec({**about, "time": event["time"], "event": event} for event in events)
    spl = f'index=apisec source="apisec-sigma" "{module_splunk.marker}" | stats count BY case'
    module_splunk.wait(lambda: len(module_splunk.search(spl, "-7d", "+1d")) >= len(SINGLE), "the events")
    for detection in SINGLE:
        [query] = backend().convert(collection(detection))
        rows = module_splunk.mine(module_splunk.search(f"index=apisec {query} | table case", "-7d", "+1d"))
        assert expected[detection.slug] <= {row["case"] for row in rows}, query


def positive(detection: Detection, source: str) -> list[dict[str, Any]]:
    """Example lines that must trigger, of the source type that the rule is about."""
    lines = [line for test in detection.tests if detections.accused(test) for line in detections.lines(test)]
    own_source = detection.document["data_source"][0]
    return [line for line in lines if line.get("sourcetype", own_source) == source]


def test_on_the_command_line(tmp_path: Path) -> None:
    command = [sys.executable, str(detections.ROOT / "tools/sigma_export.py"), "--into", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"{len(SAID)} of {len(FOUND)}" in done.stderr
    assert {path.stem for path in tmp_path.glob("api_*.yml")} == {one.slug for one in SAID}
    [pipeline] = yaml.safe_load_all((tmp_path / sigma_export.PIPELINE).read_text("utf-8"))
    assert json.dumps(pipeline)
