"""``apisec-sandbox serve`` with the app installed, as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.processes import Process
from tests.support.splunk import Target
from tests.support.waiting import until


@contextmanager
def standin(home: Path, archive: Path, schedule: bool = False, python: str | None = None) -> Iterator[Target]:
    """Start it in ``home``, with an interpreter for the app's scripts; gives its administrator's address."""
    assert not os.environ.get("SPLUNK_URL"), "SPLUNK_URL is set: a test that starts a stand-in is marked standin"
    sandbox = str(Path(sys.executable).with_name("apisec-sandbox"))
    subprocess.run([sandbox, "install", str(archive), "--home", str(home)], check=True, capture_output=True)
    token, ready = str(uuid.uuid4()), home / "ready.json"
    command = [sandbox, "serve", "--home", str(home), "--ready-file", str(ready), "--python", python or sys.executable]
    command += [
        "--hec-token",
        f"test={token}:apisec,apisec_risk",
        "--hec-ack",
        *([] if schedule else ["--no-schedule"]),
    ]
    with Process(command, home / "serve.log") as process:
        until(lambda: ready.exists() or not process.running(), 30, "the stand-in's start")
        assert ready.exists(), (home / "serve.log").read_text()
        addresses: dict[str, Any] = json.loads(ready.read_text())
        yield Target(
            url=addresses["mgmt"],
            ca=addresses["ca"],
            username=addresses["admin_user"],
            password=Path(addresses["admin_password_file"]).read_text().strip(),
            token="",
            hec_url=addresses["hec"],
            hec_token=token,
        )
        process.end()
