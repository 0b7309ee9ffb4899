"""Searches as analysts and detection engineers write them, over a small company's logs.

What each must give is worked out by a function in plain Python over the same events (tests/support/analysts).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.analysts import api, auth, models, network, web
from tests.support.analysts.case import Case
from tests.support.analysts.world import NOW, World
from tests.support.spl import Bench

KNOWLEDGE = yaml.safe_load(
    (Path(__file__).parents[1] / "cases" / "spl" / "analysts" / "knowledge.yml").read_text("utf-8")
)
CASES = [case for module in (web, auth, network, api, models) for case in module.CASES]
WORLD = World()


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    events = [
        {
            "time": i.time,
            "index": i.index,
            "sourcetype": i.sourcetype,
            "host": i.host,
            "raw": i.raw,
            "fields": i.indexed,
        }
        for i in WORLD.items
    ]
    world = {**KNOWLEDGE, "now": NOW, "indexes": sorted({i.index for i in WORLD.items} - {"main"}), "events": events}
    with Bench(tmp_path_factory.mktemp("analysts"), world) as made:
        yield made


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_search(bench: Bench, case: Case) -> None:
    found = bench.run(case.search, case.earliest, case.latest)
    assert [name for name in found.columns if not name.startswith("_") or name in case.columns] == case.columns
    rows = [[row.get(name) for name in case.columns] for row in found.rows]
    expected = case.oracle(WORLD)
    assert expected, "an oracle that finds nothing shows nothing"
    if not case.ordered:
        rows, expected = sorted(rows, key=str), sorted(expected, key=lambda row: str([as_text(cell) for cell in row]))
    assert len(rows) == len(expected)
    for row, wanted in zip(rows, expected, strict=True):
        assert all(same(cell, other) for cell, other in zip(row, wanted, strict=True)), (row, wanted)


@pytest.mark.parametrize(("search", "name"), KNOWLEDGE["refused"], ids=[row[1] for row in KNOWLEDGE["refused"]])
def test_what_is_outside_is_refused_by_name(bench: Bench, search: str, name: str) -> None:
    assert f"{name}" in bench.refusal(search)


def test_there_are_as_many_as_promised() -> None:
    assert len(CASES) >= 60
    assert len({case.name for case in CASES}) == len(CASES)
    assert len(KNOWLEDGE["refused"]) >= 25


def same(cell: Any, wanted: Any) -> bool:
    """Numbers are equal as numbers: 5, 5.0 and 5.00 are one value in three notations."""
    if isinstance(wanted, (int, float)) and not isinstance(cell, list):
        return cell is not None and abs(float(cell) - wanted) < 1e-6 * max(1.0, abs(wanted))
    return bool(cell == as_text(wanted))


def as_text(cell: Any) -> Any:
    if isinstance(cell, list):
        return [as_text(item) for item in cell] if len(cell) != 1 else str(cell[0])
    return None if cell is None else str(cell)
