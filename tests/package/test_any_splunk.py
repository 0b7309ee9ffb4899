"""The proof that the tests above run on a Splunk that they know by SPLUNK_URL alone, as an ordinary user there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.app import ROOT, version
from tests.support.splunk import TEST_ROLE, Rest, Splunk, Target, unready
from tests.support.splunk_standin import standin

# A choice of what runs there; all of it does, by `./build.sh test` with SPLUNK_URL set.
FILES = [
    "tests/package/test_block_action.py",
    "tests/package/test_dashboard.py",
    "tests/package/test_loop.py",
    "tests/package/test_roles.py",
    "tests/content/test_detections.py",
    "tests/e2e/test_demo.py",
]
USER, PASSWORD = "tester", "a-test-user's-password"
pytestmark = [pytest.mark.app, pytest.mark.standin]


@pytest.fixture(scope="module")
def foreign(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A Splunk that somebody else runs, where its administrator has made the role and the user of the page."""
    with standin(tmp_path_factory.mktemp("foreign"), archive, schedule=True) as target:
        admin = Rest(target)
        role = {"name": "apisec_tester", "imported_roles": TEST_ROLE.imports, "capabilities": TEST_ROLE.capabilities}
        admin.call("POST", "/services/authorization/roles", role)
        user = {"name": USER, "password": PASSWORD, "roles": "apisec_tester"}
        admin.call("POST", "/services/authentication/users", user)
        yield target


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("SPLUNK_", "PYTEST_"))}
    return subprocess.run(command, cwd=ROOT, env={**outside, **environment}, capture_output=True, text=True)


def environment_of(target: Target, **changes: str) -> dict[str, str]:
    return {
        "SPLUNK_URL": target.url,
        "SPLUNK_CA": target.ca,
        "SPLUNK_USERNAME": USER,
        "SPLUNK_PASSWORD": PASSWORD,
        "SPLUNK_HEC_URL": target.hec_url,
        "SPLUNK_HEC_TOKEN": target.hec_token,
        **changes,
    }


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_same_tests_pass_there_as_a_user_with_the_documented_rights(foreign: Target) -> None:
    files = [name for name in FILES if (ROOT / name).exists()]
    done = run(environment_of(foreign, SPLUNK_EXCLUSIVE="1"), *files)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed, done.stdout[-2000:]
    assert int(passed[1]) > 50
    assert "skipped" not in done.stdout.splitlines()[-1]
    left_out = done.stdout.partition("not run on SPLUNK_URL")[2]
    assert "test_demo.py::test_every_stage_is_seen: needs the stand-in's process or files" in left_out
    leftovers = Rest(foreign)
    for conf in ("storage/passwords", "configs/conf-apisec_forwarder"):
        names = [entry["name"] for entry in leftovers.entries(f"/servicesNS/nobody/apisec/{conf}")]
        assert not [name for name in names if "edge" in name], "the tests take back what they made"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"SPLUNK_URL": "http://127.0.0.1:8089"}, "TLS is always verified"),
        ({"SPLUNK_PASSWORD": ""}, "give SPLUNK_USERNAME and SPLUNK_PASSWORD, or SPLUNK_TOKEN"),
        ({"SPLUNK_HEC_URL": "", "SPLUNK_HEC_TOKEN": ""}, "give SPLUNK_HEC_URL and SPLUNK_HEC_TOKEN too"),
        ({"SPLUNK_CA": "/nowhere/ca.pem"}, "SPLUNK_CA=/nowhere/ca.pem: no such file"),
    ],
)
def test_incomplete_settings_name_what_is_missing(changes: dict[str, str], said: str) -> None:
    settings = {"SPLUNK_URL": "https://h:1", "SPLUNK_USERNAME": "u", "SPLUNK_PASSWORD": "p"}
    with pytest.raises(ValueError, match=re.escape(said)):
        Target.from_environment({**settings, "SPLUNK_HEC_URL": "https://h:2", "SPLUNK_HEC_TOKEN": "t", **changes})


def test_what_a_remote_splunk_cannot_do_is_left_out_with_the_remedy() -> None:
    settings = {"SPLUNK_URL": "https://splunk.example:8089", "SPLUNK_TOKEN": "t"}
    settings |= {"SPLUNK_HEC_URL": "https://splunk.example:8088", "SPLUNK_HEC_TOKEN": "t"}
    done = run(settings, "--collect-only", "tests/package/test_loop.py", "tests/package/test_refresh.py")
    assert "SPLUNK_REACH" in done.stdout
    assert (
        "test_refresh.py::test_scheme_and_validation: learns for the whole app: set SPLUNK_EXCLUSIVE=1" in done.stdout
    )
    done = run({**settings, "SPLUNK_REACH": "192.0.2.1", "SPLUNK_EXCLUSIVE": "1"}, "--collect-only", "tests/package")
    assert "test_loop.py::test_the_whole_way: " not in done.stdout
    assert "test_faults_of_the_data: needs the stand-in's process or files" in done.stdout


def test_a_bearer_token_will_do(foreign: Target) -> None:
    form = {"name": USER, "audience": "tests"}
    made = Rest(foreign).call("POST", "/services/authorization/tokens", form)
    token = made["entry"][0]["content"]["token"]
    environment = environment_of(foreign, SPLUNK_TOKEN=token, SPLUNK_USERNAME="", SPLUNK_PASSWORD="")
    chosen = ["-k", "figures or dry_run", "tests/package/test_dashboard.py", "tests/package/test_block_action.py"]
    done = run(environment, "-rs", *chosen)
    assert done.returncode == 0, done.stdout[-3000:]
    assert "1 passed, 1 skipped" in done.stdout
    assert "set SPLUNK_USERNAME and SPLUNK_PASSWORD" in done.stdout


def test_a_splunk_that_is_not_ready_is_told_why(foreign: Target) -> None:
    tester = Rest(foreign.as_user(USER, PASSWORD))
    assert unready(tester, version()) == []
    [said] = unready(tester, "99.0.0")
    assert said == (
        f"app apisec {version()} is installed, 99.0.0 is under test: "
        "install dist/apisec-99.0.0.tar.gz, or check out the version that is there"
    )
    admin = Rest(foreign)
    admin.call("POST", "/services/authentication/users", {"name": "plain", "password": PASSWORD, "roles": "user"})
    [said] = [one for one in unready(Rest(foreign.as_user("plain", PASSWORD)), version()) if "lacks" in one]
    assert "edit_storage_passwords" in said
    tester.skew = 400.0
    assert "Splunk's clock is +400 s from this machine's: set both by NTP" in unready(tester, version())


def test_a_run_is_told_from_any_other(foreign: Target) -> None:
    """Two tests on one Splunk, with the same example data, do not see each other."""
    target = foreign.as_user(USER, PASSWORD)
    event = {"service": "shop", "id": "1", "operation": "GET /a", "principal": "~principal~00000000000000a1~"}
    one, other = Splunk(target), Splunk(target)
    for splunk in (one, other):
        splunk.send([{**event, "time": splunk.now()}])
        splunk.fill({"apisec_patterns": [{"_key": "shop|GET /a", "service": "shop", "operation": "GET /a"}]})
    both = one.search("`apisec_transactions` principal=*a1~ | table service, principal")
    assert len({row["principal"] for row in both}) >= 2
    assert [row["service"] for row in one.mine(both)] == [one.service]
    assert (one.count(), other.count()) == (1, 1)
    one.close()
    assert one.collection("apisec_patterns") == []
    assert len(other.collection("apisec_patterns")) == 1
    other.close()


def test_a_busy_splunk_is_waited_for(foreign: Target) -> None:
    """HEC's "server is busy" comes and goes; the events arrive once."""
    splunk = Splunk(foreign)
    splunk.rest.call("POST", "/services/sandbox/hec_overload", {"code": "9", "requests": "2"})
    splunk.send([{"service": "shop", "id": "1", "time": splunk.now()}])
    assert splunk.count() == 1
    splunk.close()


def test_no_secret_is_printed(foreign: Target) -> None:
    shown = repr(foreign)
    assert foreign.url in shown
    for secret in (foreign.password, foreign.hec_token):
        assert secret
        assert secret not in shown
