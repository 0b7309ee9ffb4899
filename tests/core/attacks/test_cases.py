"""Every family of attacks against its cases: what it must see, and what must leave all of them silent."""

from __future__ import annotations

import types
from pathlib import Path
from typing import Any

import pytest
import yaml

from apisec.attacks import ATTACKS, FAMILIES, register
from apisec.attacks.base import attack
from apisec.attacks.marks import SUSPECT
from apisec.attacks.readings import readings
from apisec.attacks.signals import scan

FOLDER = Path(__file__).parents[2] / "cases" / "attacks"
NAMES = [family.__name__.rpartition(".")[2] for family in FAMILIES]


def load(name: str) -> dict[str, list[dict[str, Any]]]:
    document = yaml.safe_load((FOLDER / f"{name}.yml").read_text(encoding="utf-8"))
    for case in [*document["positive"], *document["negative"]]:
        case["text"] = "".join(case["text"]) if isinstance(case["text"], list) else case["text"]
    return dict(document)


CORPUS = {name: load(name) for name in NAMES}
POSITIVE = [case for name in NAMES for case in CORPUS[name]["positive"]]
NEGATIVE = [case for name in NAMES for case in CORPUS[name]["negative"]]


def show(case: Any) -> str:
    return str(case["text"][:40])


@pytest.mark.parametrize("case", POSITIVE, ids=show)
def test_positive(case: dict[str, Any]) -> None:
    assert case["signal"] in dict(scan(case["text"]))


@pytest.mark.parametrize("case", NEGATIVE, ids=show)
def test_negative(case: dict[str, Any]) -> None:
    assert scan(case["text"]) == []


def test_every_file_is_registered_and_has_cases() -> None:
    folder = Path(register.__code__.co_filename).parent
    having = {path.stem for path in folder.glob("[a-z]*.py") if "\nATTACKS = (" in path.read_text(encoding="utf-8")}
    assert having == set(NAMES) == {path.stem for path in FOLDER.glob("*.yml")}


def test_every_detector_is_reached_by_a_positive_case() -> None:
    assert {case["signal"] for case in POSITIVE} == set(ATTACKS)


def test_every_row_of_evidence_matches_a_text_of_a_case() -> None:
    """A row that no case reaches may have literals that hide it, or match nothing at all."""
    texts = [text for case in POSITIVE for text in readings(case["text"])]
    silent = [
        f"{one.id}: {row.shape.pattern[:60]}"
        for one in ATTACKS.values()
        for row in one.evidence
        if not any(row.shape.search(text) and any(need in text for need in row.needs) for text in texts)
    ]
    assert silent == []


def test_literals_never_hide_what_a_shape_would_match() -> None:
    for case in POSITIVE + NEGATIVE:
        for text in readings(case["text"]):
            for one in ATTACKS.values():
                for row in one.evidence:
                    assert any(need in text for need in row.needs) or not row.shape.search(text), (one.id, row, text)


def test_what_is_seen_passes_the_first_question() -> None:
    """The native engine asks the core about values that match ``SUSPECT``, and about no others."""
    assert [case["text"] for case in POSITIVE if not SUSPECT.search(case["text"])] == []


def test_a_second_detector_of_the_same_id_is_refused() -> None:
    family = types.ModuleType("twice")
    family.ATTACKS = (next(iter(ATTACKS.values())),) * 2  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="registered twice"):
        register([family])


def test_a_row_without_literals_is_refused() -> None:
    with pytest.raises(ValueError, match="no literals"):
        attack("injection.x", "x", (0.9, "x"))
