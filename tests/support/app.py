"""The built Splunk app, and a stand-in for Splunk that has it installed: processes and wire protocols only."""

from __future__ import annotations

import functools
import json
import ssl
import subprocess
import sys
import tarfile
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.support.processes import Process
from tests.support.waiting import until

ROOT = Path(__file__).resolve().parents[2]
APP = "apisec"


def build(folder: Path) -> Path:
    """Build the app into ``folder``; return the archive."""
    command = [sys.executable, str(ROOT / "tools/build_app.py"), "--work", str(folder / "build")]
    done = subprocess.run([*command, "--dist", str(folder / "dist")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return next((folder / "dist").glob("*.tar.gz"))


def unpack(archive: Path, folder: Path) -> Path:
    """Unpack the app; return its folder."""
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return folder / APP


def pythons() -> dict[str, str]:
    """Interpreters that the app must run on, by version: this one, and Splunk's two where they are installed."""
    found = {f"{sys.version_info.major}.{sys.version_info.minor}": sys.executable}
    for version in ("3.9", "3.13"):
        for path in sorted((Path.home() / ".pyenv/versions").glob(f"{version}.*/bin/python")):
            found.setdefault(version, str(path))
    return found


class StandIn:
    """``apisec-sandbox serve`` with the app installed, asked over HTTPS as an administrator's script would."""

    def __init__(self, home: Path, archive: Path, python: str = sys.executable, schedule: bool = False) -> None:
        sandbox = str(Path(sys.executable).with_name("apisec-sandbox"))
        subprocess.run([sandbox, "install", str(archive), "--home", str(home)], check=True, capture_output=True)
        self.home = home
        self._token = str(uuid.uuid4())
        ready = home / "ready.json"
        command = [sandbox, "serve", "--home", str(home), "--ready-file", str(ready), "--python", python]
        command += ["--hec-token", f"test={self._token}:apisec,apisec_risk"]
        self.process = Process([*command, *([] if schedule else ["--no-schedule"])], home / "serve.log")
        until(lambda: ready.exists() or not self.process.running(), 20, "the stand-in's start")
        assert ready.exists(), (home / "serve.log").read_text()
        self.addresses: dict[str, Any] = json.loads(ready.read_text())
        self._tls = ssl.create_default_context(cafile=self.addresses["ca"])
        password = Path(self.addresses["admin_password_file"]).read_text().strip()
        login = {"username": "admin", "password": password}
        self.session_key: str = self.call("POST", "/services/auth/login", login)["sessionKey"]

    @property
    def uri(self) -> str:
        return str(self.addresses["mgmt"])

    @functools.cached_property
    def data(self) -> str:
        return f"/servicesNS/nobody/{APP}/storage/collections/data"

    def call(self, method: str, path: str, form: Mapping[str, Any] | None = None, body: Any = None) -> Any:
        """One call; the answer's JSON."""
        url = self.uri + path + ("&" if "?" in path else "?") + "output_mode=json"
        content = json.dumps(body).encode() if body is not None else urllib.parse.urlencode(form or {}).encode()
        request = urllib.request.Request(url, data=None if method == "GET" else content, method=method)
        request.add_header(
            "Content-Type", "application/json" if body is not None else "application/x-www-form-urlencoded"
        )
        if hasattr(self, "session_key"):
            request.add_header("Authorization", f"Splunk {self.session_key}")
        try:
            with urllib.request.urlopen(request, context=self._tls, timeout=60) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read().decode()}") from None
        return json.loads(text) if text else {}

    def send(self, events: Iterable[Mapping[str, Any]], sourcetype: str = "apisec:transaction") -> None:
        """Index events by HEC, as the forwarder does, and wait until a search sees them."""
        listed = list(events)
        names = ("service", "operation", "principal", "status", "action")
        envelopes = [
            {
                "time": event["time"],
                "index": "apisec",
                "sourcetype": sourcetype,
                "event": event,
                "fields": {name: str(event[name]) for name in names if name in event},
            }
            for event in listed
        ]
        before = self.count()
        data = "\n".join(json.dumps(e) for e in envelopes).encode()
        request = urllib.request.Request(f"{self.addresses['hec']}/services/collector/event", data=data)
        request.add_header("Authorization", f"Splunk {self._token}")
        request.add_header("X-Splunk-Request-Channel", str(uuid.uuid4()))
        with urllib.request.urlopen(request, context=self._tls, timeout=60) as answer:
            assert json.load(answer)["code"] == 0
        until(lambda: self.count() >= before + len(listed), 20, "indexed events")

    def count(self) -> int:
        rows = self.search("| tstats count where index=apisec", "0", "+1d")
        return int(rows[0]["count"]) if rows else 0

    def search(self, spl: str, earliest: str = "-24h", latest: str = "now") -> list[dict[str, Any]]:
        query = spl if spl.lstrip().startswith("|") else f"search {spl}"
        form = {"search": query, "exec_mode": "oneshot", "count": "0"}
        form |= {"earliest_time": earliest, "latest_time": latest}
        rows: list[dict[str, Any]] = self.call("POST", f"/servicesNS/nobody/{APP}/search/jobs", form)["results"]
        return rows

    def collection(self, name: str) -> list[dict[str, Any]]:
        documents: list[dict[str, Any]] = self.call("GET", f"{self.data}/{name}")
        return documents

    def fill(self, state: Mapping[str, list[dict[str, Any]]]) -> None:
        """Put documents into collections, in place of what is there."""
        for name, documents in state.items():
            self.call("DELETE", f"{self.data}/{name}")
            self.call("POST", f"{self.data}/{name}/batch_save", body=documents)

    def configure_forwarder(self, name: str, url: str, token: str, ca: str) -> None:
        """What the page Configuration stores, by REST."""
        realm = f"__REST_CREDENTIAL__#{APP}#configs/conf-apisec_forwarder"
        password = {"realm": realm, "name": name, "password": json.dumps({"token": token})}
        self.call("POST", f"/servicesNS/nobody/{APP}/storage/passwords", password)
        stanza = {"name": name, "url": url, "ca": ca, "token": "******"}
        self.call("POST", f"/servicesNS/nobody/{APP}/configs/conf-apisec_forwarder", stanza)

    def close(self) -> None:
        self.process.end()


def recent(lines: Iterable[Mapping[str, Any]], now: float | None = None) -> list[dict[str, Any]]:
    """Example traffic at the times that its ``at`` (seconds from now) says."""
    base = time.time() if now is None else now
    return [{**line["event"], "time": round(base + line["at"], 3)} for line in lines]
