"""A whole gateway for tests: API, Envoy with the generated configuration, forwarder, HEC."""

from __future__ import annotations

import http.client
import json
import subprocess
from pathlib import Path
from typing import Any

from tests.support.certificates import self_signed
from tests.support.hec import FakeHec
from tests.support.processes import Process, forwarder, start_envoy
from tests.support.upstream import Upstream
from tests.support.waiting import free_port, listening, until

CONFIG = """
gateway: {{name: edge-1, env: DEV}}
services:
  - {{name: shop, team: commerce, hosts: [shop.example], index: apisec}}
receiver:
  envoy: {{log: {folder}/log/access.json, admin_socket: {folder}/admin.sock, rotate_bytes: {rotate_bytes}}}
keys: {{file: keys.json}}
spool: {{directory: spool, max_bytes: 64MiB, sync_seconds: 0.1}}
hec: {{url: "{url}", token_file: hec.token, batch_seconds: 0.05, ack_timeout_seconds: 5}}
health: {{interval_seconds: 0.5}}
"""


CONTROL = """
admin: {{listen: "127.0.0.1:{port}", tls_certificate: c.pem, tls_key: k.pem, tokens_file: tokens.json}}
decisions: {{socket: authz.sock, feed_socket: feed.sock, ecds_directory: ecds, store: patterns, timeout_ms: 1000}}
"""


class Gateway:
    """Everything in one folder; ``send`` speaks to Envoy, ``hec`` holds what arrived."""

    def __init__(
        self,
        folder: Path,
        rotate_bytes: int = 32 * 2**20,
        control: bool = False,
        workers: int = 1,
        engine: str = "pure",  # the native one takes seconds to build, and these tests are about what is around it
        more: str = "",
    ) -> None:
        self.folder = folder
        self.hec = FakeHec()
        self.upstream = Upstream()
        self.port = free_port()
        self.forwarder: Process | None = None
        self.envoy: Process | None = None
        self.admin_port = free_port()
        self._rotate_bytes = rotate_bytes
        self._control = control
        self._more = f"workers: {{count: {workers}, engine: {engine}}}\n{more}"
        self.forwarder_log = folder / "forwarder.log"

    def __enter__(self) -> Gateway:
        (self.folder / "log").mkdir(mode=0o700)
        self.hec.start()
        self.upstream.__enter__()
        token = self.folder / "hec.token"
        token.write_text(self.hec.token + "\n")
        token.chmod(0o600)
        self.config = self.folder / "forwarder.yaml"
        text = CONFIG.format(folder=self.folder, rotate_bytes=self._rotate_bytes, url=self.hec.url)
        text += self._more
        subprocess.run(forwarder("keys", "generate", "--output", str(self.folder / "keys.json")), check=True)
        if self._control:
            text += CONTROL.format(port=self.admin_port)
            self._prepare_control()
        self.config.write_text(text)
        if self._control:  # it makes the rules that Envoy watches, so it is first
            self.start_forwarder()
            until(lambda: listening(self.admin_port), 20, "the admin API")
        self.start_envoy()
        return self

    def _prepare_control(self) -> None:
        self_signed(self.folder)
        arguments = ("patterns", "token", "--name", "test", "--scopes", "patterns:read")
        tokens = ("--tokens-file", str(self.folder / "tokens.json"))
        made = subprocess.run(forwarder(*arguments, *tokens), check=True, capture_output=True, text=True)
        self.admin_token = made.stdout.strip()

    def __exit__(self, *_: object) -> None:
        for process in (self.forwarder, self.envoy):
            if process is not None:
                process.kill()
        self.upstream.__exit__()
        self.hec.stop()

    def start_envoy(self) -> None:
        listen, upstream = f"127.0.0.1:{self.port}", f"127.0.0.1:{self.upstream.port}"
        command = forwarder("gateway", "--config", str(self.config), "--listen", listen, "--upstream", upstream)
        made = subprocess.run(command, check=True, capture_output=True)
        (self.folder / "envoy.yaml").write_bytes(made.stdout)
        self.envoy = start_envoy(self.folder / "envoy.yaml", self.port, self.folder / "envoy.log")

    def start_forwarder(self) -> Process:
        self.forwarder = Process(forwarder("run", "--config", str(self.config)), self.forwarder_log)
        return self.forwarder

    def send(
        self, method: str, path: str, body: bytes | None = None, *, chunked: bool = False, **headers: str
    ) -> tuple[int, bytes]:
        """Send one request on its own connection; underscores in header names become dashes."""
        named = {"host": "shop.example", **{key.replace("_", "-"): value for key, value in headers.items()}}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            content: Any = iter([body[:7], body[7:]]) if chunked and body is not None else body
            connection.request(method, path, content, named, encode_chunked=chunked)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def event(self, path: str, seconds: float = 20.0) -> dict[str, Any]:
        """Wait for the event of the only request to ``path``."""

        def found() -> list[dict[str, Any]]:
            transactions = self.hec.events("apisec:transaction")
            return [one["event"] for one in transactions if one["event"]["uri_path"] == path]

        try:
            return until(found, seconds, f"the event of {path}")[0]
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.forwarder_log.read_text()[-4000:]}") from None

    def requested(self) -> set[str]:
        """Return the paths that were asked for, as the events name them."""
        return {one["event"]["uri_path"] for one in self.hec.events("apisec:transaction")}

    def status(self) -> dict[str, Any]:
        """Return what the processes say together; waits for a forwarder that has just begun."""
        path = self.folder / "spool" / "status.json"
        until(path.exists, 20, "the status file")
        document: dict[str, Any] = json.loads(path.read_bytes())
        return document

    def child_pid(self, name: str) -> int:
        """Return the process id of a child, from the supervisor's log; wait for its start."""

        def last() -> int:
            lines = [line for line in self.forwarder_log.read_text().splitlines() if "child_started" in line]
            started = [one for one in map(json.loads, lines) if one["child"] == name]
            return int(started[-1]["child_pid"]) if started else 0

        return until(last, 60, f"{name} starts")
