"""The admin API over its own ASGI interface: life cycle, evidence, preconditions, teams, errors."""

from __future__ import annotations

import copy
import json
import os
import stat
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from apisec.errors import ConfigError
from apisec.patterns.document import parse
from apisec.patterns.replay import replay
from apisec_forwarder.admin import documents, openapi, tokens
from apisec_forwarder.admin.handlers import OPERATIONS
from tests.forwarder.decisions_rig import Rig, pattern
from tests.support.processes import forwarder
from tests.support.waiting import until

pytestmark = pytest.mark.timeout(120)
ORDERS = {"s": {"operation": "GET /orders/{order_id}", "principal": "~principal~0123456789abcdef~"}, "condition": "s"}


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with Rig(gateway=False) as made:
        yield made


@pytest.fixture
def new() -> dict[str, Any]:
    return pattern(str(uuid.uuid4()), copy.deepcopy(ORDERS), "shadow")


def put(rig: Rig, document: dict[str, Any], **arguments: Any) -> requests.Response:
    return rig.admin("PUT", f"/v1/patterns/{document['id']}", json=document, **arguments)


def proven(document: dict[str, Any], ordinary: int = 400, struck: int = 0) -> dict[str, Any]:
    """Return the document with the evidence that a replay over ``ordinary`` benign requests gives."""
    import time

    now = time.time() - 60
    base = {"service": "shop", "operation": "GET /orders/{order_id}", "status": 200, "time": now}
    events = [{**base, "id": str(n), "principal": f"p{n}"} for n in range(ordinary)]
    events += [{**base, "id": f"x{n}", "principal": "~principal~0123456789abcdef~"} for n in range(struck)]
    evidence = replay(parse(document), events, lambda event: True).to_document()
    return {**document, "apisec": {**document["apisec"], "evidence": evidence}}


def test_life_of_a_pattern(rig: Rig, new: dict[str, Any]) -> None:
    identity = new["id"]
    document = proven(new)
    made = put(rig, document)
    assert (made.status_code, made.json()["mode"]) == (201, "shadow")
    again = put(rig, document)
    assert again.status_code == 200
    listed = rig.admin("GET", "/v1/patterns", params={"service": "shop"}).json()["patterns"]
    assert identity in [row["id"] for row in listed]
    for to in ("canary", "enforce"):
        answer = rig.admin("POST", f"/v1/patterns/{identity}:promote", json={"to": to, "reason": "INC-17"})
        assert (answer.status_code, answer.json()["mode"]) == (200, to), answer.text
    for mode in ("canary", "shadow", "shadow"):
        answer = rig.admin("POST", f"/v1/patterns/{identity}:rollback", json={"reason": "complaints"})
        assert (answer.status_code, answer.json()["mode"]) == (200, mode)
    assert rig.admin("DELETE", f"/v1/patterns/{identity}").status_code == 204
    assert rig.admin("GET", f"/v1/patterns/{identity}").status_code == 404
    audit = [e["event"] for e in rig.spooled() if e["event"].get("pattern") == identity]
    steps = [(a["change"], a["mode_before"], a["mode_after"], a["actor"]) for a in audit]
    assert steps == [
        ("put", None, "shadow", "all"),
        ("promote", "shadow", "canary", "all"),
        ("promote", "canary", "enforce", "all"),
        ("rollback", "enforce", "canary", "all"),
        ("rollback", "canary", "shadow", "all"),
        ("delete", "shadow", None, "all"),
    ]


def test_the_same_document_again_changes_and_audits_nothing(rig: Rig, new: dict[str, Any]) -> None:
    first, second = put(rig, new), put(rig, new)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.headers["etag"] == second.headers["etag"]
    assert first.json()["changes"] == second.json()["changes"]


@pytest.mark.parametrize("way", ["put", "promote"])
def test_enforcing_needs_proof(rig: Rig, new: dict[str, Any], way: str) -> None:
    def enforce(document: dict[str, Any], **extra: Any) -> requests.Response:
        if way == "put":
            wished = {**document, "apisec": {**document["apisec"], "mode": "enforce"}}
            query = {key: str(value).lower() if isinstance(value, bool) else value for key, value in extra.items()}
            return put(rig, wished, params=query)
        put(rig, document)
        body = {"to": "enforce", "reason": extra.pop("reason", "INC-17"), **extra}
        return rig.admin("POST", f"/v1/patterns/{document['id']}:promote", json=body)

    for document, why in (
        (new, "apisec.evidence: none"),
        (proven(new, ordinary=50), "bounds the false-positive rate by 5.82% only"),
        (proven(new, struck=2), "would have refused 2 of 402 benign requests"),
    ):
        answer = enforce(document)
        assert answer.status_code == 409, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert why in answer.json()["detail"]
        assert "replay" in answer.json()["remedy"].lower()
    other = {**proven(new), "detection": {"s": {"operation": "GET /admin/export"}, "condition": "s"}}
    assert "another version" in enforce(other).json()["detail"]
    assert enforce(proven(new)).json()["mode"] == "enforce"
    rig.admin("DELETE", f"/v1/patterns/{new['id']}")
    overridden = enforce(new, override=True, reason="an incident")
    assert overridden.json()["mode"] == "enforce"
    assert overridden.json()["changes"][-1]["override"] is True


def test_an_override_needs_its_reason(rig: Rig, new: dict[str, Any]) -> None:
    wished = {**new, "apisec": {**new["apisec"], "mode": "enforce"}}
    answer = put(rig, wished, params={"override": "true"})
    assert (answer.status_code, answer.json()["detail"]) == (
        422,
        "reason: an override needs a reason; the audit keeps it",
    )


def test_concurrent_changes_are_noticed(rig: Rig, new: dict[str, Any]) -> None:
    etag = put(rig, new, headers={"if-none-match": "*"}).headers["etag"]
    assert put(rig, new, headers={"if-none-match": "*"}).status_code == 412
    changed = {**new, "title": "changed"}
    assert put(rig, changed, headers={"if-match": etag}).status_code == 200
    assert put(rig, {**new, "title": "mine"}, headers={"if-match": etag}).status_code == 412
    promote = rig.admin(
        "POST", f"/v1/patterns/{new['id']}:promote", json={"to": "canary", "reason": "x"}, headers={"if-match": etag}
    )
    assert promote.status_code == 412
    assert rig.admin("DELETE", f"/v1/patterns/{new['id']}", headers={"if-match": etag}).status_code == 412
    assert put(rig, pattern(str(uuid.uuid4()), ORDERS, "shadow"), headers={"if-match": "*"}).status_code == 412


def test_a_team_reaches_its_own_patterns_only(rig: Rig, new: dict[str, Any]) -> None:
    assert put(rig, new, token="finance").status_code == 403
    assert put(rig, new, token="commerce").status_code == 201
    for method, suffix in (("GET", ""), ("GET", "/stats"), ("DELETE", ""), ("POST", ":rollback")):
        answer = rig.admin(method, f"/v1/patterns/{new['id']}{suffix}", "finance")
        assert answer.status_code == 404, "as if it were not there"
    assert rig.admin("GET", "/v1/patterns", "finance").json() == {"patterns": []}
    moved = copy.deepcopy(new)
    moved["logsource"]["service"] = "bank"
    assert put(rig, moved, token="commerce").status_code == 403
    assert put(rig, moved, token="finance").status_code == 403, "no taking over of another team's id"


def test_tokens_and_scopes(rig: Rig, new: dict[str, Any]) -> None:
    for token in (None, "apisec_wrong", "", "x" * 5000):
        answer = rig.admin("GET", "/v1/patterns", token)
        assert (answer.status_code, answer.headers["www-authenticate"][:6]) == (401, "Bearer")
    assert put(rig, new, token="reader").status_code == 403
    assert rig.admin("GET", "/v1/patterns", "reader").status_code == 200
    assert rig.admin("GET", "/metrics", None).status_code == 401
    for path in ("/healthz", "/openapi.json", "/docs"):
        assert rig.admin("GET", path, None).status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        (b"{", 422, "line 1, column 2"),
        (b"a: [", 422, "not YAML"),
        (b"\xff\xfe", 422, "not UTF-8"),
        (b"a: &x 1\nb: *x", 422, "aliases"),
        (b"a: 1\na: 2", 422, "the key 'a' stands twice"),
        (b'{"a": 1, "a": 2}', 422, "a key stands twice"),
        ("".join(f"{n}: 1\n" for n in range(27_000)).encode() + b"26999: 1", 422, "the key '26999' stands twice"),
        (b"a: !!bool perhaps", 422, "not YAML"),
        (b'a: !!int ""', 422, "not YAML"),
        (b"a: 1" + b":1" * 100_000, 422, "a number of 200001 characters"),
        (b'{"a": ' + b"1" * 5_000 + b"}", 422, "5000"),
        (b"[" * 5000, 422, "nested"),
        (b'{"a":' * 5000, 422, "nested too deep"),
        (b"", 422, "a mapping is needed"),
        (b"x" * 300_000, 413, "262144 bytes"),
    ],
)
def test_bad_bodies_are_clear_errors(rig: Rig, body: bytes, status: int, detail: str) -> None:
    answer = rig.admin("PUT", f"/v1/patterns/{uuid.uuid4()}", data=body)
    assert (answer.status_code, detail in answer.json()["detail"]) == (status, True), answer.text


def test_bad_documents_name_the_path_and_the_nearest(rig: Rig, new: dict[str, Any]) -> None:
    new["detection"]["s"]["operaton"] = "x"
    problem = put(rig, new).json()
    assert problem["detail"] == "detection.s.operaton: unknown field 'operaton' (did you mean 'operation'?)"
    assert problem["remedy"]
    del new["detection"]["s"]["operaton"]
    new["logsource"]["service"] = "shopp"
    assert "did you mean 'shop'?" in put(rig, new).json()["detail"]
    new["logsource"]["service"] = "shop"
    answer = rig.admin("PUT", f"/v1/patterns/{uuid.uuid4()}", json=new)
    assert "is not the id of the address" in answer.json()["detail"]
    assert rig.admin("GET", "/v2/nothing").json()["title"] == "Not found"
    assert rig.admin("PATCH", "/v1/patterns").status_code == 405
    assert rig.admin("POST", f"/v1/patterns/{new['id']}:promote", json={"too": "x"}).status_code == 422


def test_patterns_survive_a_restart_and_files_are_private(rig: Rig, new: dict[str, Any]) -> None:
    made = put(rig, new)
    rig.processes["control"].kill()
    rig.start_control()
    found = rig.admin("GET", f"/v1/patterns/{new['id']}")
    assert (found.json()["document"], found.headers["etag"]) == (new, made.headers["etag"])
    for name in ("store", "ecds"):
        folder = rig.folder / name
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    for name in ("authz.sock", "feed.sock"):
        assert stat.S_IMODE((rig.folder / name).stat().st_mode) == 0o600


def test_a_damaged_file_of_the_store_is_passed_over(rig: Rig, new: dict[str, Any]) -> None:
    put(rig, new)
    bad = rig.folder / "store" / f"{uuid.uuid4()}.json"
    bad.write_text("{")
    rig.processes["control"].end()
    rig.start_control()
    assert rig.admin("GET", f"/v1/patterns/{new['id']}").status_code == 200
    assert "pattern_unreadable" in (rig.folder / "control.log").read_text()
    bad.unlink()


def test_metrics_and_status(rig: Rig, new: dict[str, Any]) -> None:
    put(rig, new)
    text = rig.admin("GET", "/metrics").text
    assert f'apisec_pattern_mode{{pattern="{new["id"]}",mode="shadow"}} 1' in text
    for line in text.splitlines():
        assert line.startswith("# ") or len(line.rsplit(" ", 1)) == 2
    status = rig.admin("GET", "/v1/status").json()
    assert (status["gateway"], status["decisions"]["failed"]) == ("edge-1", 0)


def test_the_command_line(rig: Rig, new: dict[str, Any], tmp_path: Path) -> None:
    file, token = tmp_path / "p.yml", tmp_path / "token"
    file.write_text(yaml.safe_dump(new))
    token.write_text(rig.tokens["all"])
    token.chmod(0o600)
    remote = ["--config", str(rig.config), "--token-file", str(token)]

    def run(*arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(forwarder("patterns", *arguments), capture_output=True, text=True)
        assert done.returncode == code, done.stderr
        return done

    assert "GET /orders/{order_id}" in run("validate", str(file)).stdout
    assert "shadow" in run("push", str(file), *remote).stdout
    assert new["title"] in run("list", *remote).stdout
    assert json.loads(run("show", new["id"], *remote).stdout)["document"] == new
    refused = run("promote", new["id"], "--to", "enforce", "--reason", "x", *remote, code=2)
    assert "apisec.evidence: none" in refused.stderr
    assert rig.tokens["all"] not in refused.stderr
    promoted = run("promote", new["id"], "--to", "canary", "--percent", "5", "--reason", "x", *remote, "--json")
    assert json.loads(promoted.stdout)["canary_percent"] == 5
    events = tmp_path / "events.jsonl"
    base = {"service": "shop", "operation": "GET /orders/{order_id}", "status": 200, "time": 1.0}
    who = ["ann", "bob", "~principal~0123456789abcdef~"]
    events.write_text("".join(json.dumps({**base, "id": str(n), "principal": p}) + "\n" for n, p in enumerate(who)))
    (tmp_path / "bad.txt").write_text("~principal~0123456789abcdef~\n")
    found = run("replay", "--pattern", str(file), "--events", str(events), "--exclude", str(tmp_path / "bad.txt"))
    assert "would have refused 1 requests of 1 principals;\n0 of 2 benign requests" in found.stdout
    assert "deleted" in run("delete", new["id"], *remote).stdout
    token.chmod(0o644)
    assert "chmod 600" in run("list", *remote, code=2).stderr
    file.write_text("title: [")
    assert "line 1" in run("validate", str(file), code=2).stderr


def test_a_client_that_does_not_know_the_certificate_refuses(rig: Rig, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text(rig.tokens["all"])
    token.chmod(0o600)
    url = ("--url", f"https://127.0.0.1:{rig.admin_port}", "--token-file", str(token))
    done = subprocess.run(forwarder("patterns", "list", *url), capture_output=True, text=True)
    assert (done.returncode, "--ca-file" in done.stderr) == (2, True)


# --- tokens file ------------------------------------------------------------------------------------------


def test_the_tokens_file_holds_hashes_only_and_changes_are_taken_over(tmp_path: Path) -> None:
    file = tmp_path / "tokens.json"
    first = tokens.add(file, "one", ["patterns:read"], ["*"])
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert first not in file.read_text()
    verifier = tokens.Verifier(file)
    second = tokens.add(file, "two", ["patterns:write"], ["commerce"])
    assert [found.name for found in (verifier.verify(first), verifier.verify(second)) if found] == ["one", "two"]
    file.write_text("{")
    os.utime(file)
    assert verifier.verify(first) is not None, "a bad change keeps the former tokens"
    assert verifier.verify("apisec_other") is None


@pytest.mark.parametrize(
    ("document", "error"),
    [
        ([], '{"version": 1'),
        ({"version": 1, "tokens": [{"name": "x"}]}, "exactly the keys"),
        ({"version": 1, "tokens": [{"name": "x", "sha256": "1", "scopes": [], "teams": []}]}, "64 hexadecimal"),
        ({"version": 1, "tokens": [{"name": "x", "sha256": "a" * 64, "scopes": ["pattern:read"], "teams": []}]},
         "did you mean 'patterns:read'"),
        ({"version": 1, "tokens": [{"name": "x", "sha256": "a" * 64, "scopes": [], "teams": []}] * 2}, "two tokens"),
    ],
)  # fmt: skip
def test_bad_tokens_files(document: Any, error: str) -> None:
    with pytest.raises(ConfigError, match=error.replace("{", r"\{")):
        tokens.parse(document, "tokens.json")


def test_a_tokens_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "tokens.json"
    tokens.add(file, "one", ["patterns:read"], ["*"])
    file.chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        tokens.load(file)


# --- reference --------------------------------------------------------------------------------------------


def test_the_reference_is_generated_from_the_table() -> None:
    folder = Path(__file__).parents[2] / "docs/reference"
    assert (folder / "admin-api.md").read_text() == openapi.markdown(OPERATIONS)
    assert json.loads((folder / "admin-api.json").read_text()) == openapi.document(OPERATIONS)


def test_the_served_document_is_the_same_and_whole(rig: Rig) -> None:
    served = rig.admin("GET", "/openapi.json", None).json()
    assert served == json.loads(json.dumps(openapi.document(OPERATIONS)))
    text = json.dumps(served)
    for name in openapi.SCHEMAS:
        assert f"#/components/schemas/{name}" in text, f"{name} is used nowhere"


def test_yaml_dates_stay_texts() -> None:
    assert documents.read(b"a: 2026-11-30T00:00:00Z\nb: no\n") == {"a": "2026-11-30T00:00:00Z", "b": False}


def test_changes_are_taken_over_within_a_second(rig: Rig, new: dict[str, Any]) -> None:
    """From the answer of the PUT on, the rules file names the pattern."""
    enforced = proven({**new, "apisec": {**new["apisec"], "mode": "enforce"}})
    assert put(rig, enforced).status_code == 201
    rules = rig.folder / "ecds" / "apisec-rbac.json"
    assert new["id"] in rules.read_text()
    rig.admin("DELETE", f"/v1/patterns/{new['id']}")
    until(lambda: new["id"] not in rules.read_text(), 1)
