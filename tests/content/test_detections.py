"""Every detection against example traffic: what must trigger does, and nothing else; all in one index, run once."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

import detections
from tests.content.scene import Case, Scene, cases
from tests.support.splunk import Splunk

CASES = cases()
POSITIVE = [case for case in CASES if case.accused()]


@pytest.fixture(scope="module")
def scene(scheduling: Splunk) -> Scene:
    return Scene(scheduling)


def found(scene: Scene, case: Case) -> list[dict[str, Any]]:
    return scene.cases[case.number - CASES[0].number].of(scene.rows[case.detection.slug])


@pytest.mark.app
@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_example(scene: Scene, case: Case) -> None:
    rows = found(scene, case)
    own = scene.cases[case.number - CASES[0].number]
    assert sorted(row["risk_object"] for row in rows) == sorted(own.accused())
    for row in rows:
        assert row["risk_object_type"] in ("user", "system", "other")
        assert 1 <= float(row["risk_score"]) <= 100
        assert row["risk_object"].rsplit(" ", 1)[-1] in row["risk_message"]
        assert row["threat_object"]
        assert row["threat_object_type"]
        key = (case.detection.response or {"key": []})["key"]
        assert all(row.get(name) for name in key) or row["risk_object_type"] == "other"


@pytest.mark.app
@pytest.mark.parametrize("case", POSITIVE, ids=[case.name for case in POSITIVE])
def test_drilldowns_show_something(scene: Scene, case: Case) -> None:
    row = found(scene, case)[0]
    for drilldown in case.detection.drilldowns:
        assert scene.drill(case, row, drilldown), drilldown["name"]


@pytest.mark.app
def test_every_finding_is_a_risk_event_and_nothing_else_is_found(scene: Scene) -> None:
    told = sorted((row["detection"], row["risk_object"], row["risk_object_type"]) for row in scene.risk)
    rows = [(slug, row) for slug, listed in scene.rows.items() for row in listed]
    assert told == sorted((slug, row["risk_object"], row["risk_object_type"]) for slug, row in rows)
    expected = Counter((case.detection.slug, name) for case in scene.cases for name in case.accused())
    assert Counter((slug, row["risk_object"]) for slug, row in rows) - expected == Counter()


@pytest.mark.app
def test_anomalies_are_alerts_of_cim(scene: Scene) -> None:
    """Splunk's data model Alerts: its tag, and every field that an alert of ours can fill."""
    names = ("app", "description", "dest", "id", "severity", "signature", "src", "subject", "type", "vendor_product")
    spl = f'tag=alert `apisec_anomalies` source="{scene.source}" | table user, principal_kind, {", ".join(names)}'
    rows = scene.splunk.search(spl, "-7d", "+1d")
    assert len(rows) > 40
    assert [row for row in rows if not all(row.get(name) for name in names)] == []
    assert {row["severity"] for row in rows} <= {"critical", "high", "medium", "low", "informational"}
    assert {bool(row.get("user")) for row in rows if row.get("principal_kind") == "anonymous"} == {False}
    assert {bool(row.get("user")) for row in rows if row.get("principal_kind") == "jwt"} == {True}


def test_every_example_is_used() -> None:
    folder = detections.CONTENT / "examples"
    used = {(test["events"], case) for each in CASES for test in [each.test] for case in test["case"]}
    for path in sorted(folder.glob("*.jsonl")):
        held = {json.loads(line)["case"] for line in path.read_text("utf-8").splitlines()}
        assert {(path.name, case) for case in held} <= used, path.name
    assert used == {(name, case) for name, case in used if (folder / name).is_file()}
