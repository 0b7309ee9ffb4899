"""From example traffic to an enforced pattern, as an administrator would switch it on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.package.fake_admin import TOKEN, FakeAdmin
from tests.support.examples import anomalies, transactions
from tests.support.splunk import Splunk, Target

pytestmark = [pytest.mark.app, pytest.mark.callback, pytest.mark.exclusive]
SEARCH = "APISEC - API skipped step - Rule"
# Ordinary traffic enough for a replay that bounds the rate below one per cent.
BROWSING = 400


@pytest.fixture
def admin(tmp_path: Path, target: Target) -> Iterator[FakeAdmin]:
    fake = FakeAdmin(tmp_path, target.reach or "127.0.0.1")
    yield fake
    fake.close()


def traffic(splunk: Splunk) -> list[dict[str, Any]]:
    lines = transactions("checkout")
    one = {**lines[0]["event"], "operation": "GET /products", "endpoint": "/products", "object_ids": []}
    lines += [{"at": -900 + n, "event": {**one, "id": f"browse-{n}"}} for n in range(BROWSING)]
    return splunk.recent(lines)


def risk(splunk: Splunk) -> list[dict[str, Any]]:
    return splunk.mine(
        splunk.search("`apisec_risk_index` | table risk_object, risk_score, detection, operation, required_operation")
    )


def test_the_whole_way(splunk: Splunk, admin: FakeAdmin) -> None:
    edge = splunk.own("edge")
    splunk.configure_forwarder(edge, admin.url, TOKEN, admin.ca.read_text())
    splunk.send(traffic(splunk))
    splunk.send(anomalies(splunk, "api_skipped_step"), "apisec:anomaly")
    assert splunk.saved(SEARCH)["disabled"] is True
    settings = {"disabled": "0", "actions": "summary_index,apisec_block", "action.apisec_block": "1"}
    splunk.edit_saved(SEARCH, {**settings, "action.apisec_block.param.forwarder": edge})

    splunk.dispatch(SEARCH)
    splunk.wait(lambda: len(risk(splunk)) == 2, "two risk events")
    found = risk(splunk)
    assert {row["detection"] for row in found} == {"api_skipped_step"}
    assert {row["risk_object"][-5:] for row in found} == {"00b1~", "00b2~"}
    splunk.wait(lambda: len(splunk.collection("apisec_patterns")) == 1, "the pattern's record")
    [pattern] = admin.patterns.values()
    assert pattern["mode"] == "shadow"
    assert pattern["document"]["apisec"]["requires"]["group-by"] == ["principal", "object_ids.checkout_id"]

    splunk.dispatch(SEARCH)
    assert len(risk(splunk)) == 2, "the same campaigns are throttled"

    # An analyst promotes it from the risk event.
    splunk.search(
        f'`apisec_risk_index` detection=api_skipped_step service="{splunk.service}" | head 1 | sendalert apisec_block '
        f"param.pattern=api_skipped_step param.mode=enforce param.forwarder={edge}"
    )
    [pattern] = admin.patterns.values()
    assert pattern["mode"] == "enforce"
    evidence = pattern["document"]["apisec"]["evidence"]
    assert evidence["benign_matched_events"] == 0
    assert evidence["matched_principals"] == 3, "two skippers, and one whom the API itself refused"
    assert evidence["false_positive_upper_bound"] < 0.01
