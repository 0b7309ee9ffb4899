"""What Splunk's documentation shows, case by case, held against the stand-in.

The cases are data in tests/cases/spl/documented: a search, the page that states its effect, and the whole result with
its columns in order. They were written from the documentation, before they were run.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.spl import Bench

FOLDER = Path(__file__).parents[1] / "cases" / "spl" / "documented"
WORLD = yaml.safe_load((FOLDER / "world.yml").read_text("utf-8"))
FILES = sorted(path for path in FOLDER.glob("*.yml") if path.name != "world.yml")
PAGES = {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in FILES}
SEARCHES = [(stem, case) for stem, page in PAGES.items() for case in page.get("cases", ())]
EXPRESSIONS = [
    (stem, page.get("given", ""), *row) for stem, page in PAGES.items() for row in page.get("expressions", ())
]
ERRORS = [(stem, *row) for stem, page in PAGES.items() for row in page.get("errors", ())]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with Bench(tmp_path_factory.mktemp("documented"), WORLD) as made:
        yield made


@pytest.mark.parametrize(("stem", "case"), SEARCHES, ids=[f"{stem}: {case['page']}" for stem, case in SEARCHES])
def test_search(bench: Bench, stem: str, case: dict[str, Any]) -> None:
    for search in case.get("before", ()):
        bench.run(search)
    found = bench.run(case["search"], case.get("earliest", ""), case.get("latest", ""))
    columns = [name for name in found.columns if not name.startswith("_") or name in case["columns"]]
    assert columns == case["columns"]
    rows = [[as_text(cell) for cell in row] for row in case["rows"]]
    own = [[row.get(name) for name in columns] for row in found.rows]
    if case.get("any_order"):
        rows, own = sorted(rows, key=str), sorted(own, key=str)
    assert own == rows
    assert set(case) <= {"page", "search", "earliest", "latest", "columns", "rows", "any_order", "before"}


@pytest.mark.parametrize(
    ("stem", "given", "expression", "expected"), EXPRESSIONS, ids=[f"{row[0]}: {row[2]}"[:90] for row in EXPRESSIONS]
)
def test_expression(bench: Bench, stem: str, given: str, expression: str, expected: Any) -> None:
    setting = f"| {given} " if given else ""
    found = bench.run(f"| makeresults {setting}| eval examined={expression} | table examined")
    assert found.rows[0].get("examined") == as_text(expected)


@pytest.mark.parametrize(("stem", "search", "said"), ERRORS, ids=[f"{row[0]}: {row[1]}"[:90] for row in ERRORS])
def test_refused(bench: Bench, stem: str, search: str, said: str) -> None:
    assert said in bench.refusal(search)


def test_there_are_as_many_as_promised() -> None:
    assert len(SEARCHES) + len(EXPRESSIONS) + len(ERRORS) >= 250
    assert all(page["url"].startswith("https://") for page in PAGES.values())


def as_text(cell: Any) -> Any:
    """Compare as a client of the results endpoint sees it: text, lists of text, or nothing."""
    if isinstance(cell, list):
        return [as_text(item) for item in cell]
    return None if cell is None else str(cell)
