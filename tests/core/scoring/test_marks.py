"""What anomalies say of single transactions: whom they mark, when, and how much."""

from __future__ import annotations

from typing import Any, Dict

import pytest

from apisec.abuse.event import OWASP
from apisec.scoring.marks import (
    BESIDE,
    COMPONENT_OF,
    COMPONENTS,
    LONE,
    NOTHING,
    ORDINARY,
    Marks,
    Signs,
    Summary,
    signs_of,
)

WALKER, OTHER = "~principal~00000000000000a1~", "~principal~00000000000000a2~"
ANOMALY: Dict[str, Any] = {
    "campaign": "c-1", "family": "object_enumeration", "service": "shop", "principal": WALKER, "members": [WALKER],
    "operation": "GET /orders/{order_id}", "operations": ["GET /orders/{order_id}"], "score": 96.0, "member_count": 1,
    "first_time": 100.0, "last_time": 200.0, "reasons": ["asked for 60 different orders in an hour; 3 are expected"],
    "seen": 60, "expected": 3, "unit": "objects in an hour", "basis": "peers",
}  # fmt: skip


def judged(service: str = "shop", who: str = WALKER, at: float = 150.0, strength: float = 0.0, **changes: Any) -> float:
    operation = changes.pop("asked", "GET /orders/{order_id}")
    marks = Marks([{**ANOMALY, **changes}])
    return marks.judge(service, who, operation, at, Signs(strength, ("sqli",)) if strength else NOTHING).score


@pytest.mark.parametrize(
    ("about", "score"),
    [
        ({}, 96.0),
        ({"who": OTHER}, 0.0),
        ({"service": "bank"}, 0.0),
        ({"at": 98.0}, 0.0),
        ({"at": 202.0}, 0.0),
        ({"asked": "GET /products"}, 96.0 * BESIDE),
        ({"asked": "GET /products", "operation": ""}, 96.0),
        ({"family": "injection"}, 96.0 * BESIDE),
        ({"family": "injection", "strength": 0.9}, 96.0),
        ({"excepted": "0123"}, 0.0),
        ({"who": OTHER, "strength": 0.9}, 0.9 * LONE),
        ({"principal": "", "members": [WALKER, OTHER], "who": OTHER}, 96.0),
        ({"operation": "POST /graphql#MyOrders", "operations": [], "asked": "POST /graphql"}, 96.0),
    ],
)
def test_a_transaction_has_the_score_of_the_campaign_that_it_is_part_of(about: Dict[str, Any], score: float) -> None:
    assert judged(**about) == pytest.approx(score)


def test_the_anomalies_of_a_campaign_are_one_mark() -> None:
    later = {**ANOMALY, "last_time": 900.0, "score": 80.0, "reasons": ["weaker"], "members": [WALKER, OTHER]}
    marks = Marks([ANOMALY, later])
    found = marks.judge("shop", OTHER, "GET /orders/{order_id}", 800.0)
    assert (found.score, found.reasons) == (96.0, ANOMALY["reasons"])
    assert (len(marks), len(found.marks), found.components["object"]) == (1, 1, 96.0)
    assert found.marks[0].evidence()["expected"] == 3


def test_each_family_has_a_component() -> None:
    assert COMPONENT_OF.keys() == OWASP.keys()
    assert set(COMPONENT_OF.values()) == set(COMPONENTS)


def test_signs_of_answers_and_of_unusual_values_are_no_attack() -> None:
    signals = [
        {"family": "answer", "detector": "answer.stack_trace", "where": "response.body", "score": 1.0},
        {"family": "anomaly", "detector": "parameter.length", "where": "query.q", "score": 0.6},
        {"detector": "old.kind", "where": "response.body", "score": 1.0},
    ]
    assert signs_of(signals) is NOTHING
    assert signs_of("not a list") is NOTHING
    both = signs_of([*signals, *({"family": "sqli", "where": "query.q", "score": score} for score in (0.5, 0.5))])
    assert both == Signs(0.75, ("sqli",))


@pytest.mark.parametrize("broken", [{}, {"campaign": 7}, {"service": None}, {"family": ["x"]}])
def test_what_is_no_anomaly_marks_nothing(broken: Dict[str, Any]) -> None:
    marks = Marks([{**ANOMALY, **broken} if broken else {}])
    assert len(marks) == 0
    assert marks.judge("shop", WALKER, "", 150.0) is ORDINARY
    assert judged(first_time="x", last_time=None) == 0.0
    assert judged(score="much") == 0.0


def test_a_summary_holds_the_highest_of_each() -> None:
    marks, one = Marks([ANOMALY]), Summary()
    for at, operation in ((150.0, "GET /orders/{order_id}"), (160.0, "GET /products"), (900.0, "GET /products")):
        one.add(operation, at, marks.judge("shop", WALKER, operation, at))
    assert (one.events, one.marked, one.score, one.first, one.last) == (3, 2, 96.0, 150.0, 900.0)
    assert (list(one.families), list(one.campaigns)) == (["object_enumeration"], ["c-1"])
    assert list(one.reasons) == ANOMALY["reasons"]
