"""Scoring cases as data: tests/cases/scoring/*.yml, each a sequence of events and what must be said of it."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from apisec.baselines.learned import Baselines, learn_baselines
from apisec.scoring import Score, Scorer, default_model
from apisec.sequences.flows import FlowModel, learn_flows
from tests.support.shop_events import Shop, event

CASES = Path(__file__).parents[2] / "cases" / "scoring"
_NAMES = {"as": "principal", "kind": "principal_kind", "user_agent": "http_user_agent", "body": "response_body"}
_BLOCK = {"as", "operation", "repeat", "every", "start", "object_ids"}
_EXPECTATIONS = {"severity", "above", "below", "reasons", "evidence"}


def load() -> list[Any]:
    found = [case for path in sorted(CASES.glob("*.yml")) for case in yaml.safe_load(path.read_text("utf-8"))]
    assert len(found) >= 15, "the cases were not found"
    return [pytest.param(case, id=case["name"]) for case in found]


@lru_cache(maxsize=1)
def shop() -> tuple[Shop, Shop, Baselines, FlowModel]:
    """A day to learn from, and another to hide the case in."""
    past, present = Shop(seed=1), Shop(seed=2, hours=2)
    return past, present, learn_baselines(past.events), learn_flows(past.events)


def events_of(case: dict[str, Any], start: float) -> list[dict[str, Any]]:
    found = []
    now = start
    for block in case["do"]:
        changes = {_NAMES.get(key, key): value for key, value in block.items() if key not in _BLOCK}
        for n in range(block.get("start", 0), block.get("start", 0) + block["repeat"]):
            ids = [one.replace("{n}", str(n)) for one in block.get("object_ids", [])]
            now += block.get("every", 1)
            found.append(event(block["as"], block["operation"], now, object_ids=ids, **changes))
    return found


def play(case: dict[str, Any]) -> list[Score]:
    assert case["background"] == "shop"
    assert case["learned"] in ("shop", "nothing")
    _, present, baselines, flows = shop()
    learned = (baselines, flows) if case["learned"] == "shop" else (None, None)
    scorer = Scorer(default_model(), *learned)
    for one in present.events:
        scorer.score(one)
    return [scorer.score(one) for one in events_of(case, present.end + 10)]


@pytest.mark.parametrize("case", load())
def test_case(case: dict[str, Any]) -> None:
    scores = play(case)
    last = scores[-1]
    expect = case.get("expect", {})
    assert expect or case.get("never"), "a case must expect something"
    assert expect.keys() <= _EXPECTATIONS
    for score in scores:
        assert score.severity not in case.get("never", {}).get("severity", []), score
    if "severity" in expect:
        assert last.severity in expect["severity"], last
    for name, least in expect.get("above", {}).items():
        assert last.components[name] > least, last
    for name, most in expect.get("below", {}).items():
        assert last.components[name] < most, last
    for sentence in expect.get("reasons", []):
        assert any(sentence in reason for reason in last.reasons), last.reasons
    for name, value in expect.get("evidence", {}).items():
        assert last.evidence[name] == value


@pytest.mark.parametrize("knows", [True, False])
def test_the_shop_itself_stays_quiet(knows: bool) -> None:
    _, present, baselines, flows = shop()
    scorer = Scorer(default_model(), baselines, flows) if knows else Scorer(default_model())
    assert {scorer.score(one).severity for one in present.events} <= {"informational", "low"}
