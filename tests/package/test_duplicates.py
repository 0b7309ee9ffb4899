"""Events that a forwarder has shipped twice count once, wherever a count must be exact."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.support.examples import anomalies, transactions
from tests.support.splunk import Splunk

pytestmark = [pytest.mark.app, pytest.mark.exclusive]
SEARCH = "APISEC - API skipped step - Rule"


@pytest.fixture
def events(splunk: Splunk) -> list[dict[str, Any]]:
    """Example traffic; some of it shipped twice, some three times, as after an outage."""
    made = splunk.recent(transactions("checkout"))
    splunk.send(made)
    splunk.send(made[::2])
    splunk.send(made[:10])
    return made


def by_principal(splunk: Splunk, spl: str) -> Counter[str]:
    rows = splunk.mine(splunk.search(f"{spl} | stats count BY principal"))
    return Counter({row["principal"]: int(row["count"]) for row in rows})


def test_the_macro_counts_every_transaction_once(splunk: Splunk, events: list[dict[str, Any]]) -> None:
    once = Counter(splunk.token(event["principal"]) for event in events)
    splunk.wait(lambda: by_principal(splunk, "`apisec_transactions`").total() > len(events), "the duplicates")
    assert by_principal(splunk, "`apisec_transactions` | `apisec_dedup`") == once


def test_a_detection_finds_the_same(splunk: Splunk) -> None:
    told = anomalies(splunk, "api_skipped_step")
    splunk.send([*told, *told[::2], *told], "apisec:anomaly")
    splunk.edit_saved(SEARCH, {"disabled": "0", "actions": "summary_index"})
    splunk.dispatch(SEARCH)

    def risk() -> list[dict[str, Any]]:
        return splunk.mine(splunk.search("`apisec_risk_index` | table risk_object, risk_score, detection"))

    splunk.wait(lambda: len(risk()) >= 2, "two risk events")
    assert sorted(row["risk_object"][-5:] for row in risk()) == ["00b1~", "00b2~"]
