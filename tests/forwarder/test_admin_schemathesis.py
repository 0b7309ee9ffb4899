"""The admin API against its own OpenAPI document, by schemathesis: every operation, every check, several callers.

``SCHEMATHESIS_EXAMPLES`` (3) makes it longer, and random: requests that are drawn for each operation, beside those of
the document.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from apisec_forwarder.admin.handlers import OPERATIONS
from tests.forwarder.decisions_rig import Rig, pattern

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
CONFIG = Path(__file__).parents[1] / "cases/admin/schemathesis.toml"
EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES", "3")
LONG = "SCHEMATHESIS_EXAMPLES" in os.environ
SCOPES = "patterns:read,patterns:write,bundles:read,bundles:write"
DETECTION = {"s": {"operation": "GET /orders/{order_id}"}, "condition": "s"}


class Api(Rig):
    """A control process that takes bundles, with one token of a team and one of everybody."""

    TOKENS = (("all", SCOPES, "*"), ("commerce", SCOPES, "commerce"))

    def _config(self, key: Path) -> str:
        (self.folder / "trust.yaml").write_text("version: 1\nkeys: []\n")
        bundles = f"{{store: {self.folder}/bundles, trust: {self.folder}/trust.yaml, editable: true}}"
        return f"{super()._config(key)}bundles: {bundles}\n"


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    with Api(gateway=False) as made:
        for identity in re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", CONFIG.read_text()):
            answer = made.put(pattern(identity, DETECTION, "shadow"))
            assert answer.status_code == 201, answer.text
        yield made


def run(api: Api, token: str, *options: str) -> str:
    """Run schemathesis; returns what it says. AssertionError with its report when it found something."""
    program = [str(Path(sys.executable).with_name("schemathesis")), "--no-color", "--config-file", str(CONFIG)]
    where = f"https://127.0.0.1:{api.admin_port}/openapi.json"
    command = [*program, "run", where, "-H", f"Authorization: Bearer {api.tokens[token]}"]
    command += ["--tls-verify", str(api.certificate), "--checks", "all", "--no-shrink"]
    command += [] if LONG else ["--generation-deterministic"]
    command += ["--continue-on-failure", "--request-timeout", "60", "--suppress-health-check", "all", *options]
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=800, cwd=api.folder, env=environment, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_borders_of_each_parameter_and_member(api: Api) -> None:
    """Every boundary of every schema; those of releases, which are most of them, only in long runs."""
    run(api, "all", "--phases", "examples,coverage", *(() if LONG else ("--exclude-path-regex", "bundles:")))


def test_everybody_is_answered_as_documented(api: Api) -> None:
    told = run(api, "all", "--phases", "fuzzing,stateful", "-n", EXAMPLES)
    found = re.search(r"Tested: +(\d+)", told)
    assert found, told
    assert int(found[1]) == len(OPERATIONS) - 1, told  # but for the document itself, which it has read


def test_a_team_is_answered_as_documented(api: Api) -> None:
    run(api, "commerce", "--phases", "fuzzing", "-n", EXAMPLES)


def test_what_is_there_already_is_not_made_anew(api: Api) -> None:
    change = {"overrides": [], "reason": "new"}
    for token, status in (("all", 412), ("commerce", 404)):
        answer = api.admin("PUT", "/v1/overrides/bank", token, json=change, headers={"if-none-match": "*"})
        assert answer.status_code == status, answer.text


def test_the_api_still_works_afterwards(api: Api) -> None:
    log = (api.folder / "control.log").read_text()
    assert "admin_failed" not in log
    assert api.admin("GET", "/v1/status").status_code == 200
