"""tools/compare_splunk.py: stand-in against stand-in it finds nothing, and what differs it shows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import spl_cases
from tests.support.app import ROOT
from tests.support.splunk import Target

TOOL = ROOT / "tools/compare_splunk.py"
OWN = 'index=i source="s"'
pytestmark = pytest.mark.app


def run(target: Target | None, *arguments: str) -> subprocess.CompletedProcess[str]:
    outside = {name: value for name, value in os.environ.items() if not name.startswith("SPLUNK_")}
    if target is not None:
        outside |= {"SPLUNK_URL": target.url, "SPLUNK_CA": target.ca, "SPLUNK_USERNAME": target.username}
        outside |= {"SPLUNK_PASSWORD": target.password, "SPLUNK_TOKEN": target.token}
        outside |= {"SPLUNK_HEC_URL": target.hec_url, "SPLUNK_HEC_TOKEN": target.hec_token}
    command = [sys.executable, str(TOOL), "--index", "apisec", *arguments]
    return subprocess.run(command, env=outside, capture_output=True, text=True)


@pytest.mark.slow
@pytest.mark.standin
def test_a_stand_in_does_not_differ_from_itself(target: Target) -> None:
    done = run(target, "--format", "json", "--only", "stats")  # every case runs in tests/sandbox
    document = json.loads(done.stdout)
    assert document["differences"] == []
    assert done.returncode == 0
    assert document["compared"] > 20


CASES = """
cases:
  - { page: "nobody knows it", search: "| rest_of_it" }
  - { page: "random", search: "| makeresults | eval r=random() | table r" }
  - { page: "a number", search: "| makeresults count=3 | streamstats count AS n | table n" }
  - { page: "alike", search: "| makeresults | eval a=1+1 | table a" }
  - { page: "writes", search: "| makeresults | outputlookup x.csv" }
"""


@pytest.mark.standin
def test_what_differs_is_shown(target: Target, tmp_path: Path) -> None:
    (tmp_path / "own.yml").write_text(CASES)
    done = run(target, str(tmp_path))
    assert done.returncode == 1, done.stderr
    assert "own 1: random [rows]" in done.stdout
    assert "Splunk    row 1:" in done.stdout
    assert "stand-in  row 1:" in done.stdout
    assert "alike" not in done.stdout
    assert "3 cases compared, 1 differ, 2 left out" in done.stdout
    assert "1  outputlookup is not compared" in done.stdout
    assert "1  both refuse" in done.stdout


def test_without_a_splunk_it_says_what_to_set() -> None:
    done = run(None)
    assert done.returncode == 2
    assert "set SPLUNK_URL=https://host:8089" in done.stderr
    assert "--only" in subprocess.run([sys.executable, str(TOOL), "--help"], capture_output=True, text=True).stdout


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("index=main", f"search {OWN} "),
        ("search user=a OR b=1 | stats count", f"search {OWN} (user=a OR b=1) | stats count"),
        ('search "a | b" | head 1', f'search {OWN} ("a | b") | head 1'),
        ("| makeresults | eval a=1", "| makeresults | eval a=1"),
        ("| tstats count where index=main by host", f"| tstats count where {OWN} by host"),
        (
            "search index=main [ search index=main a=1 | fields a ] | head 1",
            f"search {OWN} ([search {OWN} (a=1) | fields a ]) | head 1",
        ),
        (
            "| makeresults | append [ search a=1 | append [ search b=2 ] ] | foreach a* [ eval x=1 ]",
            f"| makeresults | append [search {OWN} (a=1) | append [search {OWN} (b=2) ] ] | foreach a* [ eval x=1 ]",
        ),
    ],
)
def test_a_search_is_narrowed_to_the_events_of_the_run(search: str, expected: str) -> None:
    assert " ".join(spl_cases.narrowed(search, "i", "s").split()) == " ".join(expected.split())


def test_every_file_of_cases_is_read() -> None:
    loaded, worlds = spl_cases.load([ROOT / "tests/cases/spl"], spl_cases.Run("apisec", "m"))
    stems = {case.name.split(":")[0].split()[0] for case in loaded}
    files = [path for path in (ROOT / "tests/cases/spl").rglob("*.yml") if not path.name.startswith("_")]
    assert {path.stem for path in files} - {"world", "knowledge"} <= stems
    assert all(world.envelopes for name, world in worlds.items() if name in ("commands", "documented"))
    runnable: list[Any] = [case for case in loaded if not case.reason]
    assert len(runnable) > 0.8 * len(loaded)
