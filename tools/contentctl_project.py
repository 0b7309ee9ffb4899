"""Write content/ as a project of Splunk's contentctl, and have contentctl check it: ``--validate``.

A detection of content/ is contentctl's document and a member ``apisec``. The project holds it without that member, with
``tests`` and their traffic made from ours, and what it names: macros, lookups, data sources, stories. contentctl pins
libraries that nothing else here can have at those versions, so it lives in an environment of its own,
.venv-contentctl, which is made when it is first asked for.

Example:
    python tools/contentctl_project.py --validate
    python tools/contentctl_project.py --into /tmp/apisec-content    # for contentctl build, test, report
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

import confs
import detections
from detections import ContentError, Detection

ROOT = detections.ROOT
VENV = ROOT / ".venv-contentctl"
REQUIREMENTS = detections.CONTENT / "requirements-contentctl.txt"
# Fixed for ever: ids of what contentctl wants an id for and we name only.
NAMESPACE = uuid.UUID("7f6e0f0c-54a9-4b5a-9c1a-6f0f6a1b2c3d")
FOLDERS = ("deployments", "lookups", "macros", "stories", "baselines", "data_sources", "playbooks", "detections",
           "dashboards", "removed", "investigations", "data")  # fmt: skip
SOURCE = "apisec-forwarder"


class UnavailableError(Exception):
    """contentctl cannot be installed here; the message says why."""


def document(detection: Detection, data: str | None) -> dict[str, Any]:
    """One detection as contentctl reads it; ``data`` is the file of the traffic that must trigger it."""
    made = {key: value for key, value in detection.document.items() if key != "apisec"}
    if data is not None:
        attack = {"data": data, "source": SOURCE, "sourcetype": detection.document["data_source"][0]}
        made["tests"] = [{"name": f"{detection.document['name']} finds", "attack_data": [attack]}]
    return made


def traffic(detection: Detection, now: float) -> Iterator[dict[str, Any]]:
    """Events of the tests that must trigger it and need nothing learned before; times in seconds since the epoch."""
    for test in detection.tests:
        if detections.accused(test) and "state" not in test:
            for line in detections.lines(test):
                if line.get("sourcetype", detection.document["data_source"][0]) == detection.document["data_source"][0]:
                    yield {**line["event"], "time": round(now + line["at"], 3)}


def named(kind: str, name: str, description: str) -> dict[str, Any]:
    """What contentctl wants of everything that has a name."""
    identity = str(uuid.uuid5(NAMESPACE, f"{kind}:{name}"))
    return {"name": name, "id": identity, "version": 1, "date": "2026-11-21", "author": "apisec",
            "description": description}  # fmt: skip


def macros(default: Path) -> Iterator[dict[str, Any]]:
    for name, stanza in confs.read(default / "macros.conf").items():
        plain, _, arguments = name.partition("(")
        made = {**named("macro", plain, f"Macro of the app apisec: {plain}"), "definition": stanza["definition"]}
        yield {**made, "arguments": stanza["args"].split(",")} if arguments else made


def lookups(default: Path) -> Iterator[dict[str, Any]]:
    for name, stanza in confs.read(default / "transforms.conf").items():
        if stanza.get("external_type") == "kvstore" and stanza["collection"] == name:
            fields = [field.strip() for field in stanza["fields_list"].split(",")]
            yield {**named("lookup", name, f"Collection {name}"), "lookup_type": "kvstore", "fields": fields}


def data_sources(default: Path, found: Iterable[Detection]) -> Iterator[dict[str, Any]]:
    known = confs.read(default / "props.conf")
    for name in sorted({*known, *(source for one in found for source in one.document["data_source"])}):
        about = named("data source", name, known.get(name, {}).get("description", name))
        yield {**about, "source": SOURCE, "sourcetype": name}


def write(into: Path, found: Iterable[Detection], now: float) -> None:
    """Write the project; ``into`` is a folder that is not there, or empty."""
    default = ROOT / "package/default"
    for folder in FOLDERS:
        (into / folder).mkdir(parents=True)
    _yaml(into / "contentctl.yml", {"path": ".", "app": _app()})
    for story in sorted((detections.CONTENT / "stories").glob("*.yml")):
        shutil.copy(story, into / "stories")
    found = list(found)
    named_parts = {"macros": macros(default), "lookups": lookups(default), "data_sources": data_sources(default, found)}
    for folder, listed in named_parts.items():
        for one in listed:
            _yaml(into / folder / f"{one['name'].lower()}.yml", one)
    (into / "detections/application").mkdir()
    for detection in found:
        events = [json.dumps(event, sort_keys=True) for event in traffic(detection, now)]
        data = f"data/{detection.slug}.jsonl" if events else None
        if data is not None:
            (into / data).write_text("\n".join(events) + "\n", "utf-8")
        _yaml(into / "detections/application" / f"{detection.slug}.yml", document(detection, data))


def _app() -> dict[str, Any]:
    manifest = json.loads((ROOT / "app.manifest").read_text("utf-8"))["info"]
    identity = manifest["id"]
    return {"uid": 3000, "title": manifest["title"], "appid": identity["name"], "version": identity["version"],
            "prefix": "APISEC", "label": "APISEC", "description": manifest["description"], "author_name": "apisec",
            "author_email": "apisec@example.com", "author_company": "apisec"}  # fmt: skip


def _yaml(path: Path, node: Mapping[str, Any]) -> None:
    path.write_text(yaml.safe_dump(dict(node), sort_keys=False, allow_unicode=True, width=120), "utf-8")


def contentctl() -> Path:
    """The program, installed when it is not there. Raises UnavailableError."""
    program, stamp = VENV / "bin/contentctl", VENV / ".installed"
    wanted = REQUIREMENTS.read_text("utf-8")
    if not (program.exists() and stamp.exists() and stamp.read_text("utf-8") == wanted):
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True)  # noqa: S603 - our own command
        install = [str(VENV / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]
        done = subprocess.run([*install, str(REQUIREMENTS)], capture_output=True, text=True)  # noqa: S603 - our own command
        if done.returncode != 0:
            raise UnavailableError(f"pip could not install {wanted.strip()}: {done.stderr[-2000:]}")
        stamp.write_text(wanted, "utf-8")
    return program


def validate(project: Path) -> tuple[bool, str]:
    """Whether contentctl takes the project, and what it says."""
    command = [str(contentctl()), "validate"]
    done = subprocess.run(  # noqa: S603 - our own command
        command, cwd=project, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    return done.returncode == 0, done.stdout + done.stderr


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--into", type=Path, help="a folder that is not there yet")
    parser.add_argument("--validate", action="store_true", help="have contentctl check it")
    arguments = parser.parse_args()
    if arguments.into is None and not arguments.validate:
        parser.error("say where to (--into FOLDER), or --validate")
    try:
        with tempfile.TemporaryDirectory() as folder:
            project = arguments.into or Path(folder) / "project"
            write(project, detections.load(), time.time())
            taken, said = validate(project) if arguments.validate else (True, "")
    except (ContentError, UnavailableError, FileExistsError) as error:
        print(f"contentctl_project: error: {error}", file=sys.stderr)
        return 1
    print(said, end="", file=sys.stderr)
    return 0 if taken else 1


if __name__ == "__main__":
    sys.exit(main())
