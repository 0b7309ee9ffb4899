"""``apisecsequence`` as splunkd runs it: rules, transitions, who is unusual, and one path beside what was expected."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.core.sequences.shop import CART, CONFIRM, HOUR, PAY, START, Shop
from tests.package import chunked
from tests.support import app

PYTHONS = app.pythons()
THIEF = "~principal~00000000deadbeef~"
pytestmark = pytest.mark.app

Record = dict[str, Any]


@pytest.fixture(scope="module")
def records() -> list[Record]:
    shop = Shop(seed=2, people=40)
    taken = shop.days(0, 2) + list(shop.buy(THIEF, START + 6 * HOUR))
    for number in range(3):
        taken += shop.buy(THIEF, START + (8 + number) * HOUR, leave_out=[PAY])
    return [record(*one) for one in sorted(taken, key=lambda one: one[1].time)]


def record(who: str, step: Any) -> Record:
    event = {
        "service": "shop", "team": "t", "principal": who, "principal_kind": "jwt", "operation": step.operation,
        "time": step.time, "status": step.status, "action": "allowed", "object_ids": [f"cart_id={i}" for i in step.ids],
    }  # fmt: skip
    return {"_time": str(step.time), "_raw": json.dumps(event)}


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def run(unpacked: Path, chunks: list[list[Record]], args: list[str], version: str = "3.11") -> Any:
    return chunked.run(PYTHONS[version], unpacked / "bin/apisecsequence.py", chunks, args)


def test_rules_by_map_and_reduce_equal_one_pass_on_another_python(unpacked: Path, records: list[Record]) -> None:
    oldest, newest = min(PYTHONS, key=_number), max(PYTHONS, key=_number)
    configuration, whole, messages = run(unpacked, [records], [], oldest)
    assert configuration["streaming_preop"].split()[:2] == ["apisecsequence", 'phase="map"']
    assert messages == []
    parts = [run(unpacked, [records[side::2]], ["phase=map"], newest)[1] for side in range(2)]
    _, merged, _ = run(unpacked, parts, ["phase=reduce"], newest)
    assert merged == whole
    assert [(row["operation"], row["required"], row["same_object"]) for row in whole] == [
        (CONFIRM, PAY, "1"),
        (PAY, CART, "1"),
    ]
    assert [row["days_broken"] for row in whole] == ["1", "0"]


def test_one_principals_path_stands_beside_what_others_do(unpacked: Path, records: list[Record]) -> None:
    _, rows, _ = run(unpacked, [records], [f"principal={THIEF}"])
    assert [row["number"] for row in rows] == [str(n) for n in range(1, 10)]
    assert {row["principal"] for row in rows} == {THIEF}
    missing = [row for row in rows if row["missing"]]
    assert [(row["operation"], row["missing"]) for row in missing] == [(CONFIRM, PAY)] * 3
    assert {row["expected"] for row in missing} == {PAY}
    assert float(missing[0]["expected_share"]) > 0.5
    assert 0.0 < float(missing[0]["broken_at_most"]) < 0.2


def test_the_unusual_come_first(unpacked: Path, records: list[Record]) -> None:
    _, rows, _ = run(unpacked, [records], ["output=unusual"])
    assert (rows[0]["principal"], rows[0]["required"], rows[0]["times"]) == (THIEF, PAY, "3")
    assert f"without {PAY}" in str(rows[0]["reasons"])
    assert float(rows[0]["p_value"]) < 0.1 <= float(rows[1]["p_value"])


def test_transitions_are_counted(unpacked: Path, records: list[Record]) -> None:
    _, rows, _ = run(unpacked, [records], ["output=transitions"])
    shares = {(row["after"], row["operation"]): float(row["share"]) for row in rows}
    assert shares[CART, PAY] > 0.9
    assert abs(sum(share for (after, _), share in shares.items() if after == "GET /products") - 1.0) < 0.05


def test_a_path_needs_a_principal(unpacked: Path, records: list[Record]) -> None:
    _, rows, messages = run(unpacked, [records[:50]], ["output=path"])
    assert rows == []
    assert "needs principal=" in str(messages)
    _, rows, messages = run(unpacked, [records[:50]], ["principal=nobody"])
    assert "no steps of principal nobody" in str(messages)
