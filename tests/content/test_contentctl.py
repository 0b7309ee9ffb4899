"""Splunk's contentctl itself reads every detection, and refuses one that is wrong."""

from __future__ import annotations

import copy
import subprocess
import time
from pathlib import Path

import pytest

import contentctl_project
import detections
from detections import Detection

pytestmark = pytest.mark.timeout(900)  # the first time, pip installs some forty packages
FOUND = detections.load()
# One process for all projects: contentctl takes longer to be imported than to read them.
EACH = """
import contextlib, io, os, sys
from contentctl import contentctl
projects, sys.argv = sys.argv[1:], ["contentctl", "validate"]
for project in projects:
    os.chdir(project)
    try:
        contentctl.main()
        print("<taken>")
    except SystemExit as end:
        print("<refused>" if end.code else "<taken>")
"""


@pytest.fixture(scope="module")
def program() -> Path:
    try:
        return contentctl_project.contentctl()
    except contentctl_project.UnavailableError as why:
        pytest.skip(str(why))


def changed(detection: Detection, **tags: object) -> Detection:
    document = copy.deepcopy(dict(detection.document))
    document["tags"] |= tags
    return Detection(detection.slug, document)


def test_contentctl_takes_every_detection_and_refuses_a_wrong_one(program: Path, tmp_path: Path) -> None:
    wrong = changed(FOUND[0], asset_type="Toaster")
    projects = []
    for name, found in (("all", FOUND), ("wrong", [wrong])):
        projects.append(str(tmp_path / name))
        contentctl_project.write(tmp_path / name, found, time.time())
    command = [str(program.with_name("python")), "-c", EACH, *projects]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    taken, _, rest = done.stdout.partition("<taken>\n")
    assert "DETECTION" in taken, done.stdout + done.stderr
    assert "Invalid Value for tags" in rest, rest
    assert rest.rstrip().endswith("<refused>")
    assert len(list((tmp_path / "all/detections/application").iterdir())) == len(FOUND)


def test_production_detections_bring_traffic_that_triggers_them(tmp_path: Path) -> None:
    contentctl_project.write(tmp_path / "project", FOUND, 1_800_000_000.0)
    for detection in FOUND:
        data = tmp_path / "project/data" / f"{detection.slug}.jsonl"
        assert data.exists() == (detection.document["status"] == "production"), detection.slug
