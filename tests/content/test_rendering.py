"""What the build makes of content/: golden output, and a lint that catches what Splunk would only say at run time."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from apisec_app.blocking import template

import confs
import detections
import render_content
import spl_lint
from apisec.patterns.document import parse
from detections import ContentError, Detection

ROOT = detections.ROOT
FOUND = detections.load()
WORDS = detections.vocabulary()
KNOWLEDGE = spl_lint.Knowledge.of(ROOT / "package/default", FOUND)
ONE = next(d for d in FOUND if d.slug == "api_skipped_step")
GOLDEN = ROOT / "tests/cases/content/savedsearches.conf"


def staged(folder: Path) -> Path:
    (folder / "default").mkdir(parents=True)
    (folder / "default/macros.conf").write_bytes((ROOT / "package/default/macros.conf").read_bytes())
    (folder / "metadata").mkdir()
    (folder / "metadata/default.meta").write_bytes((ROOT / "package/metadata/default.meta").read_bytes())
    return folder


def test_rendered_searches_are_the_golden_ones(tmp_path: Path) -> None:
    """After an intended change: python tools/render_content.py --into F && cp F/default/savedsearches.conf here."""
    render_content.render(FOUND, staged(tmp_path))
    assert (tmp_path / "default/savedsearches.conf").read_text("utf-8") == GOLDEN.read_text("utf-8")


def test_rendering_is_deterministic_and_reads_back(tmp_path: Path) -> None:
    for name in ("a", "b"):
        render_content.render(detections.load(), staged(tmp_path / name))
    files = ("default/savedsearches.conf", "default/macros.conf", "lib/apisec_app/content/patterns.json")
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    stanzas = confs.read(tmp_path / "a/default/savedsearches.conf")
    for detection in FOUND:
        stanza = stanzas[detection.stanza]
        assert [line.strip() for line in stanza["search"].splitlines()] == [
            line.strip() for line in detection.search.splitlines()
        ]
        assert stanza["disabled"] == "true"
        assert stanza["action.summary_index._name"] == "apisec_risk"
        blocks = detection.response is not None
        risk = json.loads(stanza["action.risk.param._risk"])
        assert [one["risk_object_type"] for one in risk if "risk_object_type" in one] == [
            one["type"] for one in detection.document["rba"]["risk_objects"]
        ]
        assert stanza.get("action.apisec_block") == ("0" if blocks else None)
        assert len(json.loads(stanza["action.notable.param.drilldown_searches"])) >= 2
    macros = confs.read(tmp_path / "a/default/macros.conf")
    assert {d.filter_macro for d in FOUND} <= macros.keys()


def changed(**changes: Any) -> Detection:
    document = copy.deepcopy(dict(ONE.document))
    for path, value in changes.items():
        node, *rest = path.split("__")
        target = document
        for part in rest:
            target, node = target[node], part
        target[node] = value
    return Detection(ONE.slug, document)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"tags__mitre_attack_id": ["T9999"]}, "'T9999' is not in vocabulary.yml"),
        ({"apisec__owasp_api": ["API1:2019"]}, "'API1:2019' is not in vocabulary.yml"),
        ({"apisec__owasp_api": []}, "name at least one"),
        ({"status": "ready"}, "status: 'ready' is not one of"),
        ({"id": "1"}, "is not a UUID"),
        ({"tags__throttling__fields": ["service"]}, "must hold risk_object"),
        ({"deployment__scheduling__earliest_time": "yesterday"}, "not a relative time"),
        ({"rba__risk_objects": [{"field": "src", "type": "system", "score": 50}]}, "is an address"),
        ({"rba__risk_objects": [{"field": "principal", "type": "user", "score": 500}]}, "score of 1 to 100"),
        ({"search": "`apisec_transactions` | table principal"}, "must end with `api_skipped_step_filter`"),
        ({"apisec__response__pattern__id": "x"}, "id, mode and expires are set when the pattern is pushed"),
        ({"drilldown_searches": []}, "two are needed"),
        ({"severity": "high"}, "unknown ['severity']"),
        ({"tags__cve": []}, "tags: unknown ['cve']"),
        ({"name": "API skipping"}, "must be the same words"),
        ({"tags__analytic_story": ["Ransomware"]}, "'Ransomware' is not in vocabulary.yml"),
        ({"apisec__tests": []}, "need traffic that must and traffic that must not trigger"),
    ],
)
def test_a_wrong_detection_is_refused(changes: dict[str, Any], said: str) -> None:
    assert any(said in problem for problem in detections.problems(changed(**changes), WORDS))


TAIL = "| `api_skipped_step_filter`"


@pytest.mark.parametrize(
    ("spl", "said"),
    [
        ("`apisec_transactions` | join principal [search index=x] " + TAIL, "command 'join' is not in vocabulary"),
        ("`apisec_transactions` | transaction principal " + TAIL, "command 'transaction'"),
        ("`apisec_transactions` [ search `apisec_index` | map search=x ] " + TAIL, "command 'map'"),
        ("`apisec_transaction` " + TAIL, "macro apisec_transaction is not defined"),
        ("`apisec_transactions` | lookup apisec_flow service OUTPUT requires " + TAIL, "lookup 'apisec_flow'"),
        ("`apisec_transactions` | lookup apisec_exceptions service OUTPUT required " + TAIL, "has no field 'required'"),
        ("`apisec_transactions` | where principle=1 " + TAIL, "field 'principle' is not known"),
        ("`apisec_transactions` | eval a=principal.sesion " + TAIL, "field 'sesion' is not known"),
        ("`apisec_transactions` | stats count BY principal | where status=1 " + TAIL, "field 'status' is not known"),
        ("`apisec_transactions` | where apisec_score>1 " + TAIL, "field 'apisec_score' is not known"),
        ("`apisec_transactions` | stats exactperc95(status) AS p BY service " + TAIL, "'exactperc95' is not allowed"),
        ("`apisec_transactions` | table principal " + TAIL, "its result has no field 'risk_score'"),
    ],
)
def test_the_lint_catches(spl: str, said: str) -> None:
    faults = spl_lint.lint(changed(search=spl), KNOWLEDGE)
    assert any(said in fault for fault in faults), faults


def test_the_lint_passes_what_ships() -> None:
    for detection in FOUND:
        assert spl_lint.lint(detection, KNOWLEDGE) == []


def test_templates_become_patterns_that_parse() -> None:
    """Each template, filled from a row with all fields of its search, is a pattern that a forwarder takes."""
    sys.path.insert(0, str(ROOT / "package/lib"))

    row = dict.fromkeys(("risk_message", "principal"), "~principal~a1~")
    row |= {
        "service": "shop",
        "operation": "POST /a/{a_id}",
        "required_operation": "POST /b",
        "asked": "POST /a/{a_id}",
    }
    for slug, known in json.loads(render_content.patterns(FOUND)).items():
        for more in ({}, {"flow_link": "object_ids.a_id"}):
            extension = {"mode": "shadow", "expires": "2027-01-16T00:00:00Z"}
            parsed = parse(template.document({**known, "id": slug}, {**row, **more}, extension), 1_799_000_000.0)
            assert parsed.service == "shop"


def test_check_fails_on_the_command_line(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "tools/render_content.py")]
    assert subprocess.run([*command, "--check"], capture_output=True).returncode == 0
    assert subprocess.run(command, capture_output=True).returncode == 2
    broken = tmp_path / "detections"
    broken.mkdir()
    (tmp_path / "vocabulary.yml").write_bytes((detections.CONTENT / "vocabulary.yml").read_bytes())
    (broken / "bad_one.yml").write_text("name: [")
    with pytest.raises(ContentError, match=r"bad_one\.yml: not YAML"):
        detections.load(tmp_path)
