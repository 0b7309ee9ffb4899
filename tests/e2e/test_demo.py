"""The demo itself: exit code 0 means that every stage was seen, and its record says what."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
LEARNING = ["set-up", "learn", "inventory", "deploy"]
DETECTING = ["attack", "score", "risk"]
BLOCKING = ["push", "shadow", "proof", "enforce", "blocked", "lift"]
STAGES = [*LEARNING, *DETECTING, *BLOCKING, "leaks"]


@pytest.mark.slow
@pytest.mark.gateway
@pytest.mark.app
@pytest.mark.standin
@pytest.mark.timeout(400)
def test_every_stage_is_seen(tmp_path: Path) -> None:
    record = tmp_path / "out.json"
    done = subprocess.run(
        [sys.executable, "-m", "apisec_sandbox", "demo", "--once", "--json", str(record), "--seed", "23"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    document = json.loads(record.read_text())
    assert document["passed"]
    assert [stage["name"] for stage in document["stages"]] == STAGES
    assert all(stage["observed"] for stage in document["stages"])
    assert document["ordinary_refused"] == 0
    assert document["ordinary_requests"] > 1000
    assert set(document["attackers_refused"]) == {"enumerate", "skip", "inject"}
    assert set(document["seconds_to_first_refusal"]) == {"enumerate", "skip", "inject"}
    stages = {stage["name"]: stage for stage in document["stages"]}
    assert stages["deploy"]["changes"]["sensitive_field"] >= 1
    assert stages["leaks"]["leaked"] == 0
    assert stages["leaks"]["planted"] > 500
    assert stages["shadow"]["refused"] == 0
    assert stages["enforce"]["fastest_seconds_to_first_refusal"] < 1


def test_a_missing_app_is_named(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "apisec_sandbox", "demo", "--app", str(tmp_path / "none.tar.gz")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "./build.sh package" in done.stderr
