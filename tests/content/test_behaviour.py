"""From transactions to findings: the engine judges a shop's days, and the detections accuse the attackers alone.

The engine is the one of the input apisec_detection, whose windows and state tests/package hold. Here it runs at times
that never change, so that the hour at which the tests run decides nothing; what it tells is then moved to now.
"""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from typing import Any

import pytest

import detections
from apisec.abuse.base import SLOT_SECONDS
from apisec.abuse.engine import CAMPAIGNS, EXPECTATIONS, PROFILES, Engine
from apisec.activity import Activity
from tests.content.behaviour import ATTACKS, Shop
from tests.content.scene import run_by_scheduler
from tests.support.splunk import Splunk

NOW = 5_900_000 * SLOT_SECONDS + 1.5 * 86400.0  # seconds since the epoch


@pytest.fixture(scope="module")
def shop() -> Shop:
    return Shop()


@pytest.fixture(scope="module")
def told(shop: Shop) -> list[dict[str, Any]]:
    """The anomalies, slot by slot."""
    activity = Activity()
    for event in shop.events:
        activity.add({**event, "time": NOW + event["at"]})
    engine = Engine({PROFILES: [], CAMPAIGNS: [], EXPECTATIONS: []})
    found: list[dict[str, Any]] = []
    for slot, rows in groupby(activity.rows(), key=lambda row: row.slot):
        found += engine.advance(list(rows), (slot + 1) * float(SLOT_SECONDS))
    return found


def test_each_attack_is_one_campaign_and_nobody_else_has_one(shop: Shop, told: list[dict[str, Any]]) -> None:
    new = [anomaly for anomaly in told if anomaly["new"]]
    assert Counter((one["principal"], one["family"]) for one in new) == Counter(
        (principal, family) for family, principal in shop.attackers.items()
    )


@pytest.mark.app
def test_detections_accuse_the_attackers_once(scheduling: Splunk, shop: Shop, told: list[dict[str, Any]]) -> None:
    send(scheduling, told)
    families = {family: one for one in detections.load() for family in ATTACKS if f'family="{family}"' in one.search}
    assert set(families) == set(ATTACKS)
    for family, detection in families.items():
        rows = scheduling.mine(run_by_scheduler(scheduling, detection))
        assert [row["risk_object"] for row in rows] == [scheduling.token(shop.attackers[family])], family
        for row in rows:
            assert float(row["score"]) >= 90
            assert row["reason"] in row["risk_message"]


def send(splunk: Splunk, told: list[dict[str, Any]]) -> None:
    """Index the anomalies of the last hour as if it were the one before now."""
    shift = splunk.now() - NOW
    recent = [
        {
            **{
                name: value + shift if name in ("time", "first_time", "last_time") else value
                for name, value in one.items()
            },
            "campaign": f"{splunk.marker}-{one['campaign']}",
        }
        for one in told
        if one["time"] > NOW - 3500
    ]
    splunk.send(recent, "apisec:anomaly")
