"""Everything the loop needs on one machine: folders, certificates, keys, configuration, processes."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import secrets
import shutil
import socket
import sys
import tempfile
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from apisec_sandbox.certificates import Authority
from apisec_sandbox.demo.processes import Child, Children, DemoError, run_tool, wait_for
from apisec_sandbox.demo.splunk import Splunk
from apisec_sandbox.splunkd.home import write_atomic

BIN = Path(sys.executable).parent
FORWARDER = str(BIN / "apisec-forwarder")
SANDBOX = str(BIN / "apisec-sandbox")
ENVOY = str(BIN / "envoy")
OPENAPI = Path(__file__).parent.parent / "sample_api" / "openapi.yaml"
SERVICE = "shop"
HOST = "shop.example"
READY_SECONDS = 30.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class World:
    """One run's parts. ``home`` is a short path: unix sockets may not be longer than 107 bytes."""

    app: Path
    home: Path
    shm: Path
    children: Children
    seed: int
    envoy_port: int = field(default_factory=free_port)
    admin_port: int = field(default_factory=free_port)
    ready: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def make(cls, app: Path, seed: int) -> World:
        home = Path(tempfile.mkdtemp(prefix="apisec-demo-"))
        shm_root = Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else home  # noqa: S108 - tmpfs, mode 700
        shm = Path(tempfile.mkdtemp(prefix="apisec-demo-", dir=shm_root))
        for name in ("logs", "run", "traffic"):
            (home / name).mkdir(mode=0o700)
        return cls(app, home, shm, Children(home / "logs"), seed)

    def remove(self) -> None:
        self.remove_traffic()
        shutil.rmtree(self.home, ignore_errors=True)

    def remove_traffic(self) -> None:
        """Remove the raw copy; what else stays of a failed run holds no raw value but the generator's own list."""
        shutil.rmtree(self.shm, ignore_errors=True)

    # Files

    @property
    def ca(self) -> Path:
        return self.home / "ca.pem"

    @property
    def config(self) -> Path:
        return self.home / "forwarder.yaml"

    @property
    def spool(self) -> Path:
        return self.home / "spool"

    @property
    def splunk_home(self) -> Path:
        return self.home / "splunk"

    @property
    def admin_token(self) -> Path:
        return self.home / "admin.token"

    @property
    def release_file(self) -> Path:
        """While it is there, the shop's next release answers."""
        return self.home / "shop.next-release"

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.envoy_port}"

    @property
    def admin_url(self) -> str:
        return f"https://127.0.0.1:{self.admin_port}"

    @property
    def leak_places(self) -> list[Path]:
        """Where raw values must never be: what reached HEC, the spool, every log, and stored patterns."""
        return [self.splunk_home, self.spool, self.home / "logs", self.home / "patterns", self.home / "run"]

    def forwarder_document(self) -> dict[str, Any]:
        run = self.home / "run"
        return {
            "gateway": {"name": "edge-demo", "env": "DEV"},
            "services": [
                {
                    "name": SERVICE,
                    "team": "commerce",
                    "hosts": [HOST, f"127.0.0.1:{self.envoy_port}", "127.0.0.1"],
                    "paths": ["/"],
                    "index": "apisec",
                    "openapi": str(self.home / "shop.yaml"),
                }
            ],
            "receiver": {
                "envoy": {"log": str(self.shm / "access.json"), "admin_socket": str(run / "envoy-admin.sock")}
            },
            "keys": {"file": str(self.home / "keys.json")},
            "spool": {"directory": str(self.spool)},
            "hec": {
                "url": self.ready["splunk"]["hec"],
                "token_file": str(self.home / "hec.token"),
                "ca_file": self.ready["splunk"]["ca"],
                "index": "apisec",
            },
            "admin": {
                "listen": f"127.0.0.1:{self.admin_port}",
                "tls_certificate": str(self.home / "admin.pem"),
                "tls_key": str(self.home / "admin.key"),
                "tokens_file": str(self.home / "admin-tokens.json"),
            },
            "decisions": {
                "socket": str(run / "authz.sock"),
                "feed_socket": str(run / "feed.sock"),
                "ecds_directory": str(run / "ecds"),
                "store": str(self.home / "patterns"),
            },
        }

    # Parts, in the order in which they start

    def prepare(self) -> None:
        """Certificates, keys and tokens, each by the command that a user would call."""
        authority = Authority(self.ca, datetime.timedelta(days=2))
        authority.issue("localhost", self.home / "admin.pem", self.home / "admin.key")
        authority.issue(HOST, self.home / "gateway.pem", self.home / "gateway.key")
        run_tool([FORWARDER, "keys", "generate", "--output", str(self.home / "keys.json")])
        command = [FORWARDER, "patterns", "token", "--name", "splunk", "--scopes", "patterns:read,patterns:write"]
        command += ["--tokens-file", str(self.home / "admin-tokens.json")]
        token = run_tool(command)
        write_atomic(self.admin_token, token.strip() + b"\n", 0o600)

    def start_splunk(self) -> Splunk:
        """Install the app into the stand-in and start it; return a client that is logged in."""
        token, password = str(uuid.uuid4()), secrets.token_urlsafe(18)
        write_atomic(self.home / "hec.token", token.encode() + b"\n", 0o600)
        write_atomic(self.home / "splunk.password", password.encode() + b"\n", 0o600)
        run_tool([SANDBOX, "install", str(self.app), "--home", str(self.splunk_home)])
        self.launch_splunk()
        return self.connect_splunk()

    def connect_splunk(self) -> Splunk:
        """Log in; a restart of splunkd ends its sessions."""
        ready = self.ready["splunk"]
        password = (self.home / "splunk.password").read_text().strip()
        return Splunk(ready["mgmt"], Path(ready["ca"]), "admin", password)

    def launch_splunk(self) -> Child:
        """Start it on its folder; again on the same ports when it ran before."""
        before = self.ready.get("splunk", {})
        mgmt_port, hec_port = (urlsplit(before.get(name, "")).port or 0 for name in ("mgmt", "hec"))
        hec_token = (self.home / "hec.token").read_text().strip()
        ready = self.home / "splunk.ready"
        ready.unlink(missing_ok=True)
        command = [SANDBOX, "serve", "--home", str(self.splunk_home), "--ready-file", str(ready)]
        command += ["--mgmt-port", str(mgmt_port), "--hec-port", str(hec_port)]
        command += ["--hec-token", f"apisec={hec_token}:apisec", "--hec-ack"]
        command += ["--admin-password-file", str(self.home / "splunk.password")]
        child = self.children.start("splunk", command)
        self.ready["splunk"] = child.wait_ready(ready, READY_SECONDS)
        return child

    def start_upstream(self) -> Child:
        ready = self.home / "upstream.ready"
        command = [SANDBOX, "sample-api", "--port", "0", "--ready-file", str(ready), "--seed", str(self.seed)]
        command += ["--release-file", str(self.release_file)]
        child = self.children.start("upstream", command)
        self.ready["upstream"] = child.wait_ready(ready, READY_SECONDS)
        return child

    def start_forwarder(self) -> Child:
        if not self.config.exists():
            shutil.copy(OPENAPI, self.home / "shop.yaml")
            self.config.write_text(yaml.safe_dump(self.forwarder_document(), sort_keys=False))
        run_tool([FORWARDER, "check-config", "--config", str(self.config)])
        return self.children.start("forwarder", [FORWARDER, "run", "--config", str(self.config)])

    def start_gateway(self) -> Child:
        upstream = self.ready["upstream"]["url"].removeprefix("http://")
        command = [FORWARDER, "gateway", "--config", str(self.config), "--listen", f"127.0.0.1:{self.envoy_port}"]
        command += ["--upstream", upstream, "--tls-certificate", str(self.home / "gateway.pem")]
        command += ["--tls-key", str(self.home / "gateway.key")]
        path = self.home / "envoy.yaml"
        path.write_bytes(run_tool(command))
        command = [ENVOY, "-c", str(path), "--concurrency", "1", "--file-flush-interval-msec", "200"]
        command += ["--disable-hot-restart", "--log-level", "warning"]
        child = self.children.start("envoy", command)

        def listening() -> bool | None:
            child.check()
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.envoy_port), 0.5):
                return True
            return None

        wait_for("Envoy listening", listening, READY_SECONDS)
        return child

    def start_traffic(self, name: str, arguments: Sequence[str]) -> Traffic:
        folder = self.home / "traffic"
        stop, report, planted = (folder / f"{name}.{kind}" for kind in ("stop", "report", "planted"))
        command = [SANDBOX, "traffic", "--url", self.url, "--ca-file", str(self.ca), "--seed", str(self.seed)]
        command += ["--report", str(report), "--planted", str(planted), "--stop-file", str(stop)]
        command += ["--host", HOST, *arguments]
        return Traffic(self.children.start(f"traffic-{name}", command), report, planted, stop)


@dataclass
class Traffic:
    """One run of the generator, read as it goes from the report it writes: one JSON line a request."""

    child: Child
    report: Path
    planted: Path
    stop_file: Path
    lines: list[dict[str, Any]] = field(default_factory=list)
    _offset: int = 0

    def read(self) -> list[dict[str, Any]]:
        """Return all requests reported so far."""
        with contextlib.suppress(FileNotFoundError), self.report.open("rb") as file:
            file.seek(self._offset)
            data = file.read()
            whole = data[: data.rfind(b"\n") + 1]
            self._offset += len(whole)
            self.lines += [json.loads(line) for line in whole.splitlines()]
        return self.lines

    def stop(self, seconds: float = 30) -> None:
        """Let it finish by itself, and insist that it ended well."""
        self.stop_file.touch()

        def ended() -> int | None:
            return self.child.process.poll() if self.child.process else 0

        if wait_for(f"{self.child.name} ended", ended, seconds) != 0:
            raise DemoError(f"{self.child.name} failed; the end of {self.child.log}:\n{self.child.tail()}")
        self.read()

    def planted_values(self) -> list[tuple[str, str]]:
        with self.planted.open(encoding="utf-8") as file:
            return [(line["value"], line["class"]) for line in map(json.loads, file)]
