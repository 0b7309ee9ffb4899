"""Baselines of operations: per principal and hour, unmoved by a few attackers, careful with little data."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from apisec.baselines.learned import DEFAULT_OBJECTS, Baselines, learn_baselines
from apisec.errors import DocumentError

OPERATION = "GET /orders/{order_id}"


def reads(who: str, start: float, ids: list[int], status: int = 200) -> list[dict[str, Any]]:
    base = {"service": "shop", "operation": OPERATION, "principal": who, "status": status}
    return [{**base, "time": start + n, "object_ids": [f"order_id={one}"]} for n, one in enumerate(ids)]


def ordinary(users: int = 50, hours: int = 5) -> list[dict[str, Any]]:
    chance = random.Random(1)
    rows = []
    for user in range(users):
        for hour in range(hours):
            count = chance.choice([1, 1, 1, 2, 2, 3])
            rows += reads(f"p{user}", hour * 3600.0, [user * 10 + n for n in range(count)] * 2)
    return rows


def test_objects_and_requests_are_counted_per_principal_and_hour() -> None:
    baseline = learn_baselines(ordinary()).get("shop", OPERATION)
    assert baseline is not None
    assert (baseline.principals, baseline.hours) == (50, 250)
    assert baseline.objects_p99 == pytest.approx(3.0, rel=0.05)
    assert baseline.requests_p99 == pytest.approx(6.0, rel=0.2)
    assert baseline.error_share < 0.001
    assert baseline.habits == {}


def test_an_attacker_in_the_data_moves_the_maximum_but_not_the_p99() -> None:
    rows = ordinary() + reads("bad", 0.0, list(range(1000, 1900)), 404)
    baseline = learn_baselines(rows).get("shop", OPERATION)
    assert baseline is not None
    assert baseline.objects_max == 900
    assert baseline.objects_p99 == pytest.approx(3.0, rel=0.05)
    assert baseline.error_share < 0.05


def test_a_service_desk_is_known_by_its_habit() -> None:
    rows = ordinary()
    for hour in range(8):
        rows += reads("clerk", hour * 3600.0, [hour * 100 + n for n in range(40)])
    rows += reads("bad", 0.0, list(range(5000, 5400)))
    baseline = learn_baselines(rows).get("shop", OPERATION)
    assert baseline is not None
    assert baseline.habits == {"clerk": (40.0, 40.0)}


def test_who_changes_has_no_habit() -> None:
    rows = ordinary()
    for hour in range(3):
        rows += reads("turned", hour * 3600.0, [7])
    for hour in range(3, 14):
        rows += reads("turned", hour * 3600.0, [hour * 100 + n for n in range(40)])
    baseline = learn_baselines(rows).get("shop", OPERATION)
    assert baseline is not None
    assert baseline.habits == {}


def test_little_data_is_shrunk_towards_what_is_common_in_the_service() -> None:
    others = []
    for n in range(6):
        others += [{**row, "operation": f"GET /things{n}"} for row in ordinary(10, 3)]
    one = learn_baselines([*others, *reads("p1", 0.0, [1])]).get("shop", OPERATION)
    assert one is not None
    assert 2.5 < one.objects_p99 < 4.0


def test_half_a_minute_of_data_leaves_the_defaults() -> None:
    rows = [row for user in range(30) for row in reads(f"p{user}", float(user), [user])]
    baseline = learn_baselines(rows).get("shop", OPERATION)
    assert baseline is not None
    assert baseline.objects_p99 == pytest.approx(DEFAULT_OBJECTS, rel=0.1)


def test_rows_that_a_search_aggregated_teach_the_same() -> None:
    rows = ordinary()
    counts: dict[tuple[str, int], dict[str, Any]] = {}
    ids: dict[tuple[str, int], set[str]] = {}
    for row in rows:
        key = (row["principal"], int(row["time"] // 3600))
        ids.setdefault(key, set()).update(row["object_ids"])
        one = counts.setdefault(key, {"requests": 0, "errors": 0})
        one["requests"] += 1
    aggregated = [
        {
            "service": "shop",
            "operation": OPERATION,
            "principal": key[0],
            "_time": str(key[1] * 3600),
            "requests": str(one["requests"]),
            "objects": str(len(ids[key])),
            "errors": "0",
        }
        for key, one in counts.items()
    ]
    assert learn_baselines(aggregated).to_documents() == learn_baselines(rows).to_documents()


def test_documents_survive_the_key_value_store() -> None:
    learned = learn_baselines(ordinary())
    documents = json.loads(json.dumps(learned.to_documents()))
    assert Baselines.from_documents(documents).to_documents() == learned.to_documents()
    with pytest.raises(DocumentError, match="objects_p99"):
        Baselines.from_documents([{**documents[0], "objects_p99": "many"}])


def test_an_unknown_operation_has_no_baseline() -> None:
    assert learn_baselines(ordinary()).get("bank", OPERATION) is None
