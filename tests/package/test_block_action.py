"""The alert action as splunkd starts it: a process with a payload on stdin, against an admin API over TLS."""

from __future__ import annotations

import csv
import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.package.fake_admin import TOKEN, FakeAdmin
from tests.support.examples import transactions
from tests.support.splunk import Splunk

OPERATION = "GET /orders/{order_id}"
WALKER = "~principal~00000000000000a1~"

pytestmark = pytest.mark.app


@pytest.fixture(scope="module")
def splunk(module_splunk: Splunk) -> Splunk:
    lines = transactions("orders")
    benign = [line for line in lines if line["case"] != "walker"]
    copies = [{**line["event"], "id": f"{line['event']['id']}-{n}"} for n in range(4) for line in benign]
    times = [line["at"] for _ in range(4) for line in benign]
    base = module_splunk.now()
    module_splunk.send([{**event, "time": base + at} for event, at in zip(copies, times, strict=True)])
    module_splunk.send(module_splunk.recent(line for line in lines if line["case"] == "walker"))
    return module_splunk


@pytest.fixture
def admin(tmp_path: Path) -> Iterator[FakeAdmin]:
    fake = FakeAdmin(tmp_path)
    yield fake
    fake.close()


def row(splunk: Splunk, **changes: str) -> dict[str, str]:
    walker = splunk.token(changes.pop("principal", WALKER))
    base = {"service": splunk.service, "operation": OPERATION, "principal": walker, "risk_object": walker}
    return {**base, "risk_message": f"{walker} asked for 31 orders", **changes}


class Action:
    """Runs the script of the app on this machine, as splunkd would on its own."""

    def __init__(self, splunk: Splunk, unpacked: Path, folder: Path) -> None:
        self.splunk = splunk
        self.folder = folder
        self.script = unpacked / "bin/apisec_block.py"

    def run(self, rows: list[dict[str, str]], **configuration: str) -> subprocess.CompletedProcess[str]:
        results = self.folder / "results.csv.gz"
        with gzip.open(results, "wt", newline="") as out:
            writer = csv.DictWriter(out, list(rows[0]) if rows else ["service"])
            writer.writeheader()
            writer.writerows(rows)
        payload = {
            "app": "apisec", "owner": "admin", "sid": "1.1", "search_name": "APISEC - API object enumeration - Rule",
            "server_uri": self.splunk.target.url, "session_key": self.splunk.rest.session_key,
            "results_file": str(results), "results_link": "", "result": rows[0] if rows else {},
            "configuration": {"pattern": "api_object_enumeration", **configuration},
        }  # fmt: skip
        command = [sys.executable, "-E", "-s", "-S", str(self.script), "--execute"]
        env = {"SPLUNK_HOME": str(self.folder)}
        return subprocess.run(command, input=json.dumps(payload), capture_output=True, text=True, env=env, timeout=120)


@pytest.fixture
def action(splunk: Splunk, unpacked: Path, tmp_path: Path) -> Action:
    return Action(splunk, unpacked, tmp_path)


def configure(splunk: Splunk, admin: FakeAdmin, name: str, token: str = TOKEN) -> str:
    own = splunk.own(name)
    splunk.configure_forwarder(own, admin.url, token, admin.ca.read_text())
    return own


def record(splunk: Splunk, forwarder: str) -> dict[str, Any]:
    found = [d for d in splunk.collection("apisec_patterns") if d["forwarder"] == forwarder]
    assert len(found) == 1
    return found[0]


def test_push_then_promote_is_one_pattern(splunk: Splunk, admin: FakeAdmin, action: Action) -> None:
    name = configure(splunk, admin, "edge-push")
    done = action.run([row(splunk)], forwarder=name)
    assert done.returncode == 0, done.stderr
    [identity] = admin.patterns
    document = admin.patterns[identity]["document"]
    assert document["detection"]["walker"] == {"operation": OPERATION, "principal": splunk.token(WALKER)}
    evidence = document["apisec"]["evidence"]
    assert evidence["matched_events"] == 31
    assert evidence["benign_matched_events"] == 0
    assert evidence["benign_events"] > 300
    assert evidence["false_positive_upper_bound"] < 0.01
    assert admin.patterns[identity]["mode"] == "shadow"

    assert action.run([row(splunk)], forwarder=name, mode="enforce").returncode == 0
    assert list(admin.patterns) == [identity]
    assert admin.patterns[identity]["mode"] == "enforce"

    assert action.run([row(splunk)], forwarder=name, mode="shadow").returncode == 0
    assert admin.patterns[identity]["mode"] == "enforce", "an alert that fires again must not set a pattern back"
    written = record(splunk, name)
    assert written["state"] == "pushed"
    assert written["benign_matches"] == 0


def test_the_same_finding_twice_is_one_push(splunk: Splunk, admin: FakeAdmin, action: Action) -> None:
    name = configure(splunk, admin, "edge-twice")
    assert action.run([row(splunk), row(splunk)], forwarder=name).returncode == 0
    assert [method for method, _, _ in admin.calls] == ["GET", "PUT"]


def test_a_dry_run_pushes_nothing(splunk: Splunk, admin: FakeAdmin, action: Action) -> None:
    name = configure(splunk, admin, "edge-dry")
    done = action.run([row(splunk, principal="~principal~00000000000000d1~")], forwarder=name, dry_run="1")
    assert done.returncode == 0, done.stderr
    assert admin.calls == []
    assert record(splunk, "none")["state"] == "dry run"


def test_a_refused_promotion_is_said_and_recorded(splunk: Splunk, admin: FakeAdmin, action: Action) -> None:
    name = configure(splunk, admin, "edge-refused")
    admin.refuse = True
    done = action.run([row(splunk)], forwarder=name, mode="enforce")
    assert done.returncode == 1
    assert "bounds the rate by 40 % only: replay more" in done.stderr
    assert record(splunk, name)["state"] == "failed"


def test_a_wrong_token_and_a_missing_field_name_the_cause(splunk: Splunk, admin: FakeAdmin, action: Action) -> None:
    name = configure(splunk, admin, "edge-token", token="wrong")
    done = action.run([row(splunk)], forwarder=name)
    assert done.returncode == 1
    assert "401" in done.stderr
    assert "wrong" not in done.stderr
    missing = row(splunk)
    del missing["operation"]
    done = action.run([missing], forwarder=name)
    assert done.returncode == 1
    assert "the result has no field 'operation'" in done.stderr


def test_an_untrusted_certificate_is_refused(splunk: Splunk, admin: FakeAdmin, action: Action) -> None:
    name = splunk.own("edge-untrusted")
    splunk.configure_forwarder(name, admin.url, TOKEN, "")
    done = action.run([row(splunk)], forwarder=name)
    assert done.returncode == 1
    assert "self" in done.stderr
    assert "set the CA certificate" in done.stderr
    assert admin.patterns == {}


def test_an_address_alone_is_never_pushed(splunk: Splunk, admin: FakeAdmin, action: Action) -> None:
    name = configure(splunk, admin, "edge-address")
    template = {
        "key": ["src"],
        "pattern": {
            "title": "an address",
            "logsource": {"category": "api", "product": "apisec", "service": "$result.service$"},
            "detection": {"who": {"src": "$result.src$"}, "condition": "who"},
        },
    }
    done = action.run([row(splunk, src="192.0.2.10")], forwarder=name, pattern=json.dumps(template), mode="enforce")
    assert done.returncode == 1
    assert "address" in done.stderr
    assert not [call for call in admin.calls if call[0] == "PUT"]


@pytest.mark.parametrize(
    ("configuration", "said"),
    [
        ({"forwarder": "edge-pus"}, "no forwarder 'edge-pus' is configured"),
        ({"mode": "enforced"}, "did you mean 'enforce'?"),
        ({"ttl": "31d"}, "longer than 720 hours"),
        ({"replay_hours": "many"}, "param.replay_hours: 'many'"),
        ({"pattern": "api_object_enumeratio"}, "did you mean 'api_object_enumeration'?"),
        ({"dry_run": "perhaps"}, "neither true nor false"),
    ],
)
def test_wrong_parameters_name_the_remedy(
    splunk: Splunk, admin: FakeAdmin, action: Action, configuration: dict[str, str], said: str
) -> None:
    configuration.setdefault("forwarder", configuration.get("forwarder", "edge-any"))
    done = action.run([row(splunk)], **configuration)
    assert done.returncode == 2
    assert said in done.stderr
    assert admin.calls == []


def test_without_execute_it_says_how_it_is_run(action: Action) -> None:
    done = subprocess.run([sys.executable, str(action.script)], input="", capture_output=True, text=True)
    assert done.returncode == 2
    assert "--execute" in done.stderr
