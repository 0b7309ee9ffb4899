"""DEV → QA → PROD: three forwarders as they run, a bundle that the CI script promotes, and each refusal on the way."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from apisec_forwarder.admin.client import Client
from apisec_forwarder.spool.segments import list_segments
from tests.forwarder.decisions_rig import certificate
from tests.support.processes import Process, forwarder
from tests.support.waiting import free_port, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
ROOT = Path(__file__).parents[2]
CHAIN = ("DEV", "QA", "PROD")
PAN = "4111111111111111"


def run(*arguments: str | Path, code: int = 0, **environment: str) -> subprocess.CompletedProcess[str]:
    command = forwarder("bundle", *map(str, arguments))
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment})
    assert done.returncode == code, (done.stdout, done.stderr)
    return done


class Forwarder:
    """One environment: a whole forwarder that follows a file, with an admin API and a store of bundles."""

    def __init__(self, folder: Path, env: str, trust: Path) -> None:
        self.env, self.folder = env, folder / env.lower()
        self.folder.mkdir()
        self.traffic = self.folder / "traffic.jsonl"
        self.traffic.touch()
        self.port = free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self.certificate, key = certificate(self.folder)
        (self.folder / "hec.token").write_text("00000000-0000-0000-0000-000000000000\n")
        (self.folder / "hec.token").chmod(0o600)
        self._do("keys", "generate", "--output", str(self.folder / "keys.json"))
        self.tokens = {name: self._token(name) for name in ("commerce", "finance")}
        self.config = self.folder / "f.yaml"
        self.config.write_text(self._config(key, trust))
        self.process = Process(forwarder("run", "--config", str(self.config)), self.folder / "log")
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

    def _do(self, *arguments: str) -> str:
        return subprocess.run(forwarder(*arguments), check=True, capture_output=True, text=True).stdout.strip()

    def _token(self, team: str) -> Path:
        made = self._do("patterns", "token", "--name", team, "--scopes", "bundles:read,bundles:write", "--teams", team,
                        "--tokens-file", str(self.folder / "tokens.json"))  # fmt: skip
        file = self.folder / f"{team}.token"
        file.write_text(made)
        file.chmod(0o600)
        return file

    def remote(self, team: str = "commerce") -> tuple[str, ...]:
        return ("--url", self.url, "--token-file", str(self.tokens[team]), "--ca-file", str(self.certificate))

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

    def traffics(self, count: int, body: dict[str, Any], path: str = "/pay") -> None:
        """Append requests to the file that the forwarder follows."""
        with self.traffic.open("a") as file:
            for _ in range(count):
                self.written += 1
                request = {"method": "POST", "url": f"https://shop.example{path}", "body": json.dumps(body),
                           "headers": {"content-type": "application/json"}}  # fmt: skip
                line = {"id": f"t{self.written}", "time": time.time(), "request": request, "response": {"status": 200}}
                file.write(json.dumps(line) + "\n")

    def spooled(self, sourcetype: str = "apisec:transaction") -> list[dict[str, Any]]:
        found = []
        for segment in list_segments(self.folder / "spool"):
            for line in segment.path.read_bytes().splitlines(keepends=True):
                whole = b"{" in line and line.endswith(b"\n")  # the last one may be on its way
                record = json.loads(line[line.find(b"{") :]) if whole else {}
                if record.get("sourcetype") == sourcetype:
                    found.append(record["event"])
        return found

    def events(self, file: Path) -> None:
        """Write the events as Splunk would export them."""
        file.write_text("".join(json.dumps(event) + "\n" for event in self.spooled()))


class World:
    """The three forwarders, keys of the team and of the pipeline, and a trust file that all read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        entries: list[Any] = []
        for name, teams, environments in (
            ("ada", "commerce", "DEV"),
            ("pipeline", "*", "QA,PROD"),
            ("fin", "finance", "*"),
            ("lost", "*", "*"),
        ):
            made = run("keygen", "--output", folder / f"{name}.key", "--teams", teams, "--environments", environments)
            entries += yaml.safe_load(made.stdout)
        entries[3]["revoked"] = "laptop lost"
        run("keygen", "--output", folder / "stranger.key")
        self.trust = folder / "trust.yml"
        self.trust.write_text(yaml.safe_dump({"version": 1, "keys": entries}))
        self.trust.chmod(0o644)
        self.forwarders = {env: Forwarder(folder, env, self.trust) for env in CHAIN}

    def __getitem__(self, env: str) -> Forwarder:
        return self.forwarders[env]

    def file(self, name: str) -> Path:
        return self.folder / name

    def promote(self, source: str, target: str, seen: Path, key: str = "pipeline") -> subprocess.CompletedProcess[str]:
        """Run the CI script as the pipelines do."""
        came, goes = self[source], self[target]
        environment = {
            "SERVICE": "shop", "FROM": source, "SEEN": str(seen), "KEY": str(self.file(f"{key}.key")),
            "FROM_URL": came.url, "FROM_TOKEN_FILE": str(came.tokens["commerce"]), "FROM_CA": str(came.certificate),
            "TO_URL": goes.url, "TO_TOKEN_FILE": str(goes.tokens["commerce"]), "TO_CA": str(goes.certificate),
            "BUNDLE": " ".join(forwarder("bundle")), "WAIT_SECONDS": "90",
        }  # fmt: skip
        script = str(ROOT / "packaging/ci/promote.sh")
        return subprocess.run([script], capture_output=True, text=True, env={**os.environ, **environment}, timeout=200)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with tempfile.TemporaryDirectory(prefix="apisec-") as name:
        made = World(Path(name))
        try:
            for one in made.forwarders.values():
                until(one.answers, 30, f"{one.env} answers")
            yield made
        finally:
            for one in made.forwarders.values():
                one.process.kill()


def test_from_dev_to_prod(world: World) -> None:
    dev, qa, prod = (world[env] for env in CHAIN)
    dev.traffics(20, {"ref": {"x": "Ada Lovelace"}, "card": {"number": PAN}})
    until(lambda: len(dev.spooled()) == 20, 30, "the traffic of DEV is spooled")
    dev.events(world.file("dev.jsonl"))
    shown = world.file("dev.seen.yml")
    run("seen", "--events", world.file("dev.jsonl"), "--service", "shop", "--environment", "DEV", "--output", shown)
    assert [one["class"] for one in yaml.safe_load(shown.read_text())["fields"]] == ["pci.pan"]

    # --- DEV: the first bundle, refused without and by wrong signatures
    bundle = world.file("shop.yml")
    run("init", "--service", "shop", "--team", "commerce", "--environments", ",".join(CHAIN),
        "--author", "ada@example.org", "--reason", "first classification", "--output", bundle)  # fmt: skip
    document = yaml.safe_load(bundle.read_text())
    reason = {"author": "ada@example.org", "reason": "customers write their names here"}
    document["overrides"] = [{"operation": "POST /pay", "in": "body", "path": "ref.x", "class": "pii.name", **reason}]
    bundle.write_text(yaml.safe_dump(document, sort_keys=False))
    signed = world.file("shop.release.json")
    for key, said in (
        ("stranger", "is not trusted here"),
        ("lost", "is revoked: laptop lost"),
        ("fin", "may not sign for team commerce"),
        ("pipeline", "may not sign for environment DEV"),
    ):
        run("sign", bundle, "--key", world.file(f"{key}.key"), "--output", signed)
        assert said in run("apply", signed, *dev.remote(), code=1).stderr
    run("sign", bundle, "--key", world.file("ada.key"), "--output", signed)
    tampered = signed.with_name("tampered.json")
    tampered.write_text(signed.read_text().replace("pii.name", "pii.email"))
    assert "was changed after it was signed" in run("apply", tampered, *dev.remote(), code=1).stderr
    assert "comes from nowhere" in run("verify", signed, *qa.remote(), code=1).stderr

    # --- DEV: applied under traffic; nothing is lost or written twice, and the same again changes nothing
    assert "ref.x of POST /pay: – → pii.name (raised)" in run("diff", bundle, *dev.remote()).stdout
    before = dev.spooled()
    assert all("pii.name" not in event["data_classes"] for event in before)
    dev.traffics(30, {"ref": {"x": "Ada Lovelace"}})
    run("apply", signed, *dev.remote(), "--wait", "90")
    dev.traffics(30, {"ref": {"x": "Ada Lovelace"}})
    until(lambda: len(dev.spooled()) >= 80, 30, "all of it is spooled")
    events = dev.spooled()
    assert len(events) == len({event["id"] for event in events}) == 80
    assert all("pii.name" in event["data_classes"] for event in events[-30:])
    assert "was applied already" in run("apply", signed, *dev.remote()).stdout
    stored = dev.folder / "bundles" / "shop.json"
    assert stat.S_IMODE(stored.stat().st_mode) == 0o600
    audit = [event["change"] for event in dev.spooled("apisec:decision")]
    assert audit == ["bundle_refused"] * 5 + ["bundle_apply"]

    # --- QA: a field that DEV has seen is not classified; then it is, in the next version
    refused = world.promote("DEV", "QA", shown)
    assert refused.returncode == 1
    assert "DEV has seen sensitive fields that the bundle does not classify: card.number of POST /pay" in refused.stderr
    following = world.file("shop2.yml")
    run("export", "--service", "shop", "--next", "--seen", shown, "--author", "ada@example.org",
        "--reason", "cards, too", "--output", following, *dev.remote())  # fmt: skip
    run("sign", following, "--key", world.file("ada.key"), "--output", signed)
    run("apply", signed, *dev.remote(), "--wait", "90")
    done = world.promote("DEV", "QA", shown)
    assert done.returncode == 0, (done.stdout, done.stderr)
    qa.traffics(5, {"ref": {"x": "Ada Lovelace"}, "card": {"number": PAN}})
    until(lambda: len(qa.spooled()) == 5, 30, "the traffic of QA is spooled")
    assert all({"pii.name", "pci.pan"} <= set(event["data_classes"]) for event in qa.spooled())

    # --- PROD takes from QA only, with what QA has seen; the bundle is the same in all three
    assert "PROD takes bundles from QA" in world.promote("DEV", "PROD", shown).stderr
    qa.events(world.file("qa.jsonl"))
    saw = world.file("qa.seen.yml")
    run("seen", "--events", world.file("qa.jsonl"), "--service", "shop", "--environment", "QA", "--output", saw)
    done = world.promote("QA", "PROD", saw)
    assert done.returncode == 0, (done.stdout, done.stderr)
    digests = {one.api().call("GET", "/v1/bundles/shop")["applied"]["digest"] for one in world.forwarders.values()}
    assert len(digests) == 1
    assert json.loads(run("list", "--json", *prod.remote()).stdout)["services"][0]["applied"]["version"] == 2

    # --- a change that nobody made on what is applied, a lowered class, an expired override
    wrong: tuple[tuple[dict[str, Any], str], ...] = (
        ({"version": 9, "base": "sha256:" + "0" * 64}, "wrong base: version 2"),
        ({"overrides": [{**document["overrides"][0], "class": "none", "reason": "safe"}]}, "(lowered): its reason has"),
        ({"overrides": [{**document["overrides"][0], "expires": "2026-01-01"}]}, "has expired on 2026-01-01"),
    )
    for changes, said in wrong:
        body = yaml.safe_load(following.read_text())
        body.update({"version": 3, "base": next(iter(digests)), **changes})
        bundle.write_text(yaml.safe_dump(body, sort_keys=False))
        run("sign", bundle, "--key", world.file("ada.key"), "--output", signed)
        assert said in run("apply", signed, *dev.remote(), code=1).stderr

    # --- back to the bundle before
    run("rollback", "--service", "shop", "--reason", "as an exercise", *dev.remote())
    until(dev.answers, 30)
    until(lambda: dev.answers() and _in_force(dev) == 1, 60, "the first bundle is in force again")


def _in_force(one: Forwarder) -> int | None:
    try:
        shown = one.ask("GET", "/v1/bundles/shop").json()
    except requests.RequestException:
        return None
    version: int = shown["applied"]["version"]
    return version if shown["in_force"] == shown["applied"]["digest"] else None


def test_a_team_sees_and_changes_its_own_services_only(world: World) -> None:
    one = world["PROD"]
    until(one.answers, 30)
    rows = one.ask("GET", "/v1/services", "finance").json()["services"]
    assert [row["service"] for row in rows] == ["bank"]
    doors: tuple[tuple[str, str, Any], ...] = (
        ("GET", "/v1/bundles/shop", None),
        ("GET", "/v1/overrides/shop", None),
        ("POST", "/v1/bundles/shop:rollback", {"reason": "mine"}),
        ("PUT", "/v1/overrides/shop", {"overrides": [], "reason": "mine"}),
    )
    for method, path, change in doors:
        answer = one.ask(method, path, "finance", json=change)
        assert (answer.status_code, "no service 'shop'" in answer.json()["detail"]) == (404, True), path
    assert [row["service"] for row in one.ask("GET", "/v1/bundles", "finance").json()["bundles"]] == []
    made = {"author": "fin", "reason": "taking over", "at": "2026-11-21T00:00:00Z"}
    body = {"apisec_bundle": 1, "service": "shop", "version": 9, "environments": ["PROD"], "made": made}
    for team in ("finance", "commerce"):
        file = world.file("theft.yml")
        file.write_text(yaml.safe_dump({**body, "ownership": {"team": team}}))
        run("sign", file, "--key", world.file("fin.key"), "--output", world.file("theft.json"))
        refused = run("apply", world.file("theft.json"), *one.remote("finance"), code=1).stderr
        assert "no service 'shop' of your teams" in refused
        content = world.file("theft.json").read_bytes()
        assert one.ask("POST", "/v1/bundles:apply", "finance", data=content).status_code == 409
        check = one.ask("POST", "/v1/bundles:verify", "finance", data=content).json()
        assert ([row["code"] for row in check["refusals"]], check["effects"]) == (["service"], [])


def test_the_api_bounds_and_names_what_is_wrong(world: World) -> None:
    one = world["PROD"]
    until(one.answers, 30)
    for data, status, said in (
        (b"{", 422, "is not JSON"),
        (b'{"apisec_release": 1, "apisec_release": 1}', 422, "a key stands twice"),
        (b'{"apisec_release": 1}', 422, "bundle: is missing"),
        (b"[" * 100_000, 422, "is not JSON"),
        (b"x" * (2 * 2**20 + 1), 413, "2097152 bytes"),
    ):
        answer = one.ask("POST", "/v1/bundles:apply", data=data)
        assert (answer.status_code, said in answer.json()["detail"]) == (status, True), answer.text
    unsigned = one.ask("PUT", "/v1/overrides/shop", json={"overrides": [], "reason": "x"})
    assert (unsigned.status_code, "bundles.editable" in unsigned.json()["detail"]) == (403, True)
    stale = one.ask("POST", "/v1/bundles/shop:rollback", json={"reason": "x"}, headers={"if-match": '"0"'})
    assert stale.status_code == 412
