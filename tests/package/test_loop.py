"""From example traffic to an enforced pattern, as an administrator would switch it on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.package.fake_admin import TOKEN, FakeAdmin
from tests.support import app
from tests.support.waiting import until

pytestmark = pytest.mark.app
EXAMPLES = app.ROOT / "content/examples"
SEARCH = "APISEC - API skipped step - Rule"
SAVED = f"/servicesNS/nobody/{app.APP}/saved/searches/{quote(SEARCH)}"
# Ordinary traffic enough for a replay that bounds the rate below one per cent.
BROWSING = 400


@pytest.fixture
def admin(tmp_path: Path) -> Iterator[FakeAdmin]:
    fake = FakeAdmin(tmp_path)
    yield fake
    fake.close()


@pytest.fixture
def splunk(tmp_path: Path) -> Iterator[app.StandIn]:
    stand_in = app.StandIn(tmp_path / "splunk", app.build(tmp_path))
    yield stand_in
    stand_in.close()


def traffic() -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (EXAMPLES / "api_skipped_step.jsonl").read_text("utf-8").splitlines()]
    one = {**lines[0]["event"], "operation": "GET /products", "endpoint": "/products", "object_ids": []}
    lines += [{"at": -900 + n, "event": {**one, "id": f"browse-{n}"}} for n in range(BROWSING)]
    return app.recent(lines)


def dispatch(splunk: app.StandIn) -> None:
    sid = splunk.call("POST", f"{SAVED}/dispatch", {"trigger_actions": "1"})["sid"]
    until(lambda: splunk.call("GET", f"/services/search/jobs/{sid}")["entry"][0]["content"]["isDone"], 30, "the job")


def risk(splunk: app.StandIn) -> list[dict[str, Any]]:
    return splunk.search(
        "`apisec_risk_index` | table risk_object, risk_score, detection, operation, required_operation"
    )


def test_the_whole_way(splunk: app.StandIn, admin: FakeAdmin) -> None:
    splunk.fill(json.loads((EXAMPLES / "api_skipped_step.state.json").read_text("utf-8")))
    splunk.configure_forwarder("edge", admin.url, TOKEN, admin.ca.read_text())
    splunk.send(traffic())
    assert splunk.call("GET", SAVED)["entry"][0]["content"]["disabled"] is True
    splunk.call("POST", SAVED, {"disabled": "0", "action.apisec_block": "1", "actions": "summary_index,apisec_block"})

    dispatch(splunk)
    until(lambda: len(risk(splunk)) == 2, 20, "two risk events")
    found = risk(splunk)
    assert {row["detection"] for row in found} == {"api_skipped_step"}
    assert {row["risk_object"][-5:] for row in found} == {"00b1~", "00b2~"}
    until(lambda: len(splunk.collection("apisec_patterns")) == 1, 30, "the pattern's record")
    [pattern] = admin.patterns.values()
    assert pattern["mode"] == "shadow"
    assert pattern["document"]["apisec"]["requires"]["group-by"] == ["principal", "object_ids.checkout_id"]

    dispatch(splunk)
    assert len(risk(splunk)) == 2, "the same principals are throttled"

    # An analyst promotes it from the risk event.
    splunk.search(
        "`apisec_risk_index` detection=api_skipped_step | head 1 | sendalert apisec_block "
        "param.pattern=api_skipped_step param.mode=enforce"
    )
    [pattern] = admin.patterns.values()
    assert pattern["mode"] == "enforce"
    evidence = pattern["document"]["apisec"]["evidence"]
    assert evidence["benign_matched_events"] == 0
    assert evidence["matched_principals"] == 3, "two skippers, and one whom the API itself refused"
    assert evidence["false_positive_upper_bound"] < 0.01
