"""Three environments as they run, each with a forwarder and a Splunk, and keys that sign bundles for them."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import requests
import yaml

from apisec_forwarder.admin.client import Client
from apisec_forwarder.cli import main
from apisec_forwarder.spool.segments import list_segments
from tests.forwarder.decisions_rig import certificate
from tests.package.test_refresh import Input
from tests.support.processes import Process, forwarder
from tests.support.splunk import Splunk, Target
from tests.support.splunk_standin import standin
from tests.support.waiting import free_port, until

ROOT = Path(__file__).parents[2]
CHAIN = ("DEV", "QA", "PROD")
TEAMS = ("commerce", "finance")
PASSWORD = "a-long-password"
PAN = "4111111111111111"
API = "/services/apisec/v1"


class Done(NamedTuple):
    code: int
    stdout: str
    stderr: str


def run(*arguments: str | Path, code: int = 0) -> Done:
    """Run the command line in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        ended = main([str(one) for one in arguments])
    done = Done(ended, out.getvalue(), err.getvalue())
    assert done.code == code, done
    return done


def bundle(*arguments: str | Path, code: int = 0) -> Done:
    return run("bundle", *arguments, code=code)


def private(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o600)
    return path


class Forwarder:
    """A whole forwarder that follows a file, with an admin API and a store of bundles."""

    def __init__(self, folder: Path, env: str, trust: Path) -> None:
        self.env, self.folder = env, folder
        self.traffic = folder / "traffic.jsonl"
        self.traffic.touch()
        self.port = free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self.certificate, key = certificate(folder)
        private(folder / "hec.token", "00000000-0000-0000-0000-000000000000\n")
        run("keys", "generate", "--output", folder / "keys.json")
        self.tokens = {name: self._token(name) for name in TEAMS}
        self.config = folder / "f.yaml"
        self.config.write_text(self._config(key, trust))
        self.process = Process(forwarder("run", "--config", str(self.config)), folder / "log")
        self.written = 0

    def _config(self, key: Path, trust: Path) -> str:
        f = self.folder
        return f"""
gateway: {{name: edge-{self.env.lower()}, env: {self.env}}}
services:
  - {{name: shop, team: commerce, hosts: [shop.example]}}
  - {{name: bank, team: finance, hosts: [bank.example]}}
receiver: {{files: [{{path: {self.traffic}}}]}}
keys: {{file: keys.json}}
spool: {{directory: {f}/spool}}
workers: {{engine: pure}}
hec: {{url: "https://127.0.0.1:9", token_file: hec.token, index: apisec}}
admin:
  listen: 127.0.0.1:{self.port}
  tls_certificate: {self.certificate}
  tls_key: {key}
  tokens_file: tokens.json
decisions: {{socket: {f}/authz.sock, feed_socket: {f}/feed.sock, ecds_directory: {f}/ecds, store: {f}/store}}
bundles: {{store: {f}/bundles, trust: {trust}}}
"""

    def _token(self, team: str) -> Path:
        made = run("patterns", "token", "--name", team, "--scopes", "bundles:read,bundles:write", "--teams", team,
                   "--tokens-file", self.folder / "tokens.json")  # fmt: skip
        return private(self.folder / f"{team}.token", made.stdout.strip())

    def remote(self, team: str = "commerce") -> tuple[str, ...]:
        return ("--url", self.url, "--token-file", str(self.tokens[team]), "--ca-file", str(self.certificate))

    def variables(self, prefix: str) -> dict[str, str]:
        """What the pipelines' script is told of it."""
        return {f"{prefix}_URL": self.url, f"{prefix}_TOKEN_FILE": str(self.tokens["commerce"]),
                f"{prefix}_CA": str(self.certificate)}  # fmt: skip

    def api(self, team: str = "commerce") -> Client:
        return Client(self.url, self.tokens[team].read_text(), self.certificate)

    def ask(self, method: str, path: str, team: str = "commerce", **more: Any) -> requests.Response:
        headers = {"authorization": f"Bearer {self.tokens[team].read_text()}", **more.pop("headers", {})}
        with requests.Session() as session:
            session.trust_env = False
            return session.request(
                method, self.url + path, headers=headers, verify=str(self.certificate), timeout=20, **more
            )

    def answers(self) -> bool:
        try:
            return self.ask("GET", "/v1/services").status_code == 200
        except requests.RequestException:
            return False

    def version(self) -> int | None:
        """The version of the bundle by which the processes work; None while they are replaced."""
        try:
            shown = self.ask("GET", "/v1/bundles/shop").json()
        except requests.RequestException:
            return None
        applied = shown["applied"]
        return applied["version"] if applied is not None and shown["in_force"] == applied["digest"] else None

    def traffics(self, count: int, body: dict[str, Any], path: str = "/pay") -> None:
        """Append requests to the file that the forwarder follows."""
        with self.traffic.open("a") as file:
            for _ in range(count):
                self.written += 1
                request = {"method": "POST", "url": f"https://shop.example{path}", "body": json.dumps(body),
                           "headers": {"content-type": "application/json"}}  # fmt: skip
                line = {"id": f"{self.env}{self.written}", "time": time.time(), "request": request,
                        "response": {"status": 200}}  # fmt: skip
                file.write(json.dumps(line) + "\n")

    def records(self, sourcetype: str = "apisec:transaction") -> list[dict[str, Any]]:
        """What the spool holds for Splunk."""
        found = []
        for segment in list_segments(self.folder / "spool"):
            for line in segment.path.read_bytes().splitlines(keepends=True):
                whole = b"{" in line and line.endswith(b"\n")  # the last one may be on its way
                record = json.loads(line[line.find(b"{") :]) if whole else {}
                if record.get("sourcetype") == sourcetype:
                    found.append(record)
        return found

    def spooled(self, sourcetype: str = "apisec:transaction") -> list[dict[str, Any]]:
        return [record["event"] for record in self.records(sourcetype)]


class SplunkOf:
    """One environment's Splunk: a stand-in with the app, a role and a token for each team."""

    def __init__(self, target: Target, folder: Path, unpacked: Path) -> None:
        self.splunk = Splunk(target)
        self.url, self.ca = target.url, target.ca
        self.refresh = Input(self.splunk, unpacked, folder)
        self.tokens = {team: self._person(folder, team) for team in TEAMS}
        self.admin = private(folder / "admin.splunk", self._token("admin"))

    def _person(self, folder: Path, team: str) -> Path:
        call = self.splunk.rest.call
        role = {"name": f"apisec_team_{team}", "imported_roles": "apisec_team", "capabilities": "apisec_classify"}
        call("POST", "/services/authorization/roles", role)
        call("POST", "/services/authentication/users", {"name": team, "password": PASSWORD, "roles": role["name"]})
        return private(folder / f"{team}.splunk", self._token(team))

    def _token(self, user: str) -> str:
        made = self.splunk.rest.call("POST", "/services/authorization/tokens", {"name": user, "audience": "pipeline"})
        return str(made["entry"][0]["content"]["token"])

    def remote(self, who: str = "commerce") -> tuple[str, ...]:
        token = self.admin if who == "admin" else self.tokens[who]
        return ("--splunk", self.url, "--token-file", str(token), "--ca-file", self.ca)

    def variables(self, prefix: str) -> dict[str, str]:
        return {f"{prefix}_SPLUNK": self.url, f"{prefix}_SPLUNK_TOKEN_FILE": str(self.tokens["commerce"]),
                f"{prefix}_SPLUNK_CA": self.ca}  # fmt: skip

    def api(self, who: str = "commerce") -> Client:
        token = self.admin if who == "admin" else self.tokens[who]
        return Client(self.url + "/services/apisec", token.read_text(), Path(self.ca))

    def learn(self, records: list[dict[str, Any]]) -> None:
        """Index what a forwarder has spooled, and let the inventory learn it."""
        self.splunk.hec(records)
        query = "| tstats count where index=apisec service=shop"
        self.splunk.wait(lambda: self._count(query) >= len(records), "indexed events")
        time.sleep(1.1 - time.time() % 1)  # windows end at whole seconds of index time
        self.refresh.run()

    def _count(self, query: str) -> int:
        rows = self.splunk.search(query, "-2d", "+1d")
        return int(rows[0]["count"]) if rows else 0


class Place(NamedTuple):
    """One environment."""

    forwarder: Forwarder
    splunk: SplunkOf

    def remotes(self) -> tuple[tuple[str, ...], ...]:
        """The options that name the forwarder, and those that name the Splunk."""
        return self.forwarder.remote(), self.splunk.remote()


class World:
    """The three environments, keys of the teams and of the pipeline, and one trust file for all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        entries: list[Any] = []
        for name, teams, environments in (
            ("ada", "commerce", "DEV"),
            ("pipeline", "*", "QA,PROD"),
            ("fin", "finance", "*"),
            ("lost", "*", "*"),
        ):
            made = bundle("keygen", "--output", self.key(name), "--teams", teams, "--environments", environments)
            entries += yaml.safe_load(made.stdout)
        entries[3]["revoked"] = "laptop lost"
        bundle("keygen", "--output", self.key("stranger"))
        self.trust = folder / "trust.yml"
        self.trust.write_text(yaml.safe_dump({"version": 1, "keys": entries}))
        self.trust.chmod(0o644)
        self.places: dict[str, Place] = {}

    def __getitem__(self, env: str) -> Place:
        return self.places[env]

    def key(self, name: str) -> Path:
        return self.folder / f"{name}.key"

    def file(self, name: str) -> Path:
        return self.folder / name

    @contextlib.contextmanager
    def running(self, archive: Path, unpacked: Path) -> Iterator[World]:
        """Start all six, which takes as long as the slowest of them."""
        folders = {env: self.folder / env.lower() for env in CHAIN}
        for folder in folders.values():
            (folder / "splunk").mkdir(parents=True)
        with contextlib.ExitStack() as stack, ThreadPoolExecutor(len(CHAIN)) as pool:
            forwarders = {}
            for env in CHAIN:
                forwarders[env] = Forwarder(folders[env], env, self.trust)
                stack.callback(forwarders[env].process.kill)
            managers = [standin(folders[env] / "splunk", archive) for env in CHAIN]
            starts = [pool.submit(stack.enter_context, manager) for manager in managers]
            for env, start in zip(CHAIN, starts, strict=True):
                splunk = SplunkOf(start.result(), folders[env], unpacked)
                self.places[env] = Place(forwarders[env], splunk)
                splunk.api("admin").call("PUT", "/v1/environment", json.dumps({"environment": env}).encode(), JSON)
                teams = json.dumps({"owns": [{"service": "shop"}]}).encode()
                splunk.api("admin").call("PUT", "/v1/teams/commerce", teams, JSON)
                bundle("trust", self.trust, *splunk.remote("admin"))
            for one in forwarders.values():
                until(one.answers, 30, f"the forwarder of {one.env} answers")
            yield self

    def sign(self, document: Path, key: str, name: str = "release.json", *more: str | Path) -> Path:
        """Sign a bundle; returns the release."""
        bundle("sign", document, "--key", self.key(key), "--output", self.file(name), *more)
        return self.file(name)

    def promote(self, source: str, target: str, key: str = "pipeline") -> subprocess.CompletedProcess[str]:
        """Run the CI script as the pipelines do, with Splunk on both sides."""
        came, goes = self[source], self[target]
        environment = {
            "SERVICE": "shop", "FROM": source, "KEY": str(self.key(key)), "WAIT_SECONDS": "90",
            "BUNDLE": " ".join(forwarder("bundle")), **came.forwarder.variables("FROM"),
            **came.splunk.variables("FROM"), **goes.forwarder.variables("TO"), **goes.splunk.variables("TO"),
        }  # fmt: skip
        script = str(ROOT / "packaging/ci/promote.sh")
        return subprocess.run([script], capture_output=True, text=True, env={**os.environ, **environment}, timeout=200)


JSON = {"content-type": "application/json"}
