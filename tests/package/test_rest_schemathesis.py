"""schemathesis against the app's REST API in a Splunk: what the OpenAPI document says is what is answered.

In the suite one accepted and some refused requests an operation, the same ones each time. APISEC_SCHEMATHESIS=50 makes
it fifty, as an admin and as a team's member, with the phases that go through every limit of every parameter and through
chains of requests (some minutes).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.package import rest_rig
from tests.support.app import ROOT
from tests.support.splunk import APP, Splunk, Target
from tests.support.splunk_standin import standin

pytestmark = [pytest.mark.app, pytest.mark.standin, pytest.mark.slow]
EXAMPLES = os.environ.get("APISEC_SCHEMATHESIS", "")
PHASES = "examples,coverage,fuzzing,stateful" if EXAMPLES else "fuzzing"
BASE = "/services/apisec/v1"


@pytest.fixture
def splunk(archive: Path, tmp_path: Path) -> Iterator[Splunk]:
    """A Splunk of its own, for what is sent is anything."""
    with standin(tmp_path / "splunk", archive) as target:
        one = Splunk(target)
        seed(one)
        yield one
        one.close()


def seed(splunk: Splunk) -> None:
    data = f"/servicesNS/nobody/{APP}/storage/collections/data"
    for name, documents in rest_rig.DOCUMENTS.items():
        splunk.rest.call("POST", f"{data}/{name}/batch_save", body=documents)
    team = {"_key": "red", "version": 1, "title": "Red", "owns": [{"service": "shop", "path": "/orders/**"}]}
    splunk.rest.call("POST", f"{data}/apisec_teams/batch_save", body=[team])
    said = {"service": "shop", "path": "email", "class": "pii.email", "reason": "customers give it"}
    splunk.rest.call("POST", f"{BASE}/overrides", body=said)


def run(target: Target, session: str, folder: Path) -> dict[str, Any]:
    """Run schemathesis; returns its report. A failure of the run shows what it says."""
    config = (ROOT / "tests/cases/rest/schemathesis.toml").read_text("utf-8")
    for name in ("ORDERS", "PROFILES"):
        config = config.replace(f"@{name}@", rest_rig.IDS[getattr(rest_rig, name)])
    (folder / "schemathesis.toml").write_text(config, "utf-8")
    report = folder / "report.json"
    command = [
        str(Path(sys.executable).with_name("st")), "--config-file", "schemathesis.toml", "--no-color", "run",
        str(ROOT / "docs/reference/app-api.json"), "--url", f"{target.url}{BASE}", "--tls-verify", target.ca,
        "-H", f"Authorization: Splunk {session}", "--generation-deterministic", "--max-examples", EXAMPLES or "1",
        "--phases", PHASES, "--continue-on-failure", "--workers", "1", "--suppress-health-check", "all",
        "--report", "json", "--report-json-path", str(report), *([] if EXAMPLES else ["--no-shrink"]),
    ]  # fmt: skip
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=3600 if EXAMPLES else 900)
    found: dict[str, Any] = json.loads(report.read_text("utf-8")) if report.exists() else {}
    assert done.returncode == 0, (done.stdout + done.stderr)[-20_000:]
    return found


def member(splunk: Splunk) -> Splunk:
    """Somebody of team red, who may classify what it owns."""
    role = {"name": "apisec_team_red", "imported_roles": "apisec_team", "capabilities": "apisec_classify"}
    splunk.rest.call("POST", "/services/authorization/roles", role)
    user = {"name": "ann", "password": "a-long-password", "roles": "apisec_team_red"}
    splunk.rest.call("POST", "/services/authentication/users", user)
    return Splunk(splunk.target.as_user("ann", "a-long-password"))


@pytest.mark.timeout(3700 if EXAMPLES else 1000)
@pytest.mark.parametrize("who", ["admin", *(["member"] if EXAMPLES else [])])
def test_answers_are_as_the_document_says(splunk: Splunk, tmp_path: Path, who: str) -> None:
    asking = splunk if who == "admin" else member(splunk)
    found = run(asking.target, asking.rest.session_key, tmp_path)
    assert found["complete"]
    assert (found["failures"], found["errors"]) == ([], [])
    tested = found["operations"]
    assert tested["tested"] == tested["total"] > 40
    rates = found["valid_rates"].items()
    accepted = [name for name, by_phase in rates if any(phase["accepted"] for phase in by_phase.values())]
    assert len(accepted) > tested["total"] / (2 if who == "admin" else 3), (
        f"hardly anything got further than a refusal: {found['valid_rates']}"
    )
    log = (tmp_path / "splunk/var/log/splunk/apisec_rest.log").read_text("utf-8")
    assert "Traceback" not in log
