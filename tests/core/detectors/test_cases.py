"""Every detector against its corpus: what it must find, and the hard negatives that it must not."""

from __future__ import annotations

import importlib
import types
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from apisec.classification.names import evidence
from apisec.classification.vendors import RULES
from apisec.detectors import DETECTORS, FAMILIES, Detector, Match, register
from apisec.detectors.base import words
from apisec.detectors.engine import candidates, scan

FOLDER = Path(__file__).parents[2] / "cases" / "detectors"
NAMES = [family.__name__.rpartition(".")[2] for family in FAMILIES]


def load(family: str) -> dict[str, list[dict[str, Any]]]:
    document = yaml.safe_load((FOLDER / f"{family}.yml").read_text(encoding="utf-8"))
    for case in [*document["positive"], *document["negative"]]:
        case["text"] = "".join(case["text"]) if isinstance(case["text"], list) else case["text"]
    return dict(document)


CORPUS = {family: load(family) for family in NAMES}
POSITIVE = [(family, case) for family in NAMES for case in CORPUS[family]["positive"]]
NEGATIVE = [(family, case) for family in NAMES for case in CORPUS[family]["negative"]]


def matches(case: dict[str, Any]) -> list[Match]:
    """Scan a case's text under its field's ``name``, or with a ``hint``, balanced or ``strict``."""
    said = evidence(case.get("name", ""))
    hint = case.get("hint", said.data_class)
    return scan(case["text"], reference=said.reference, strict=case.get("strict", False), hint=hint)


def show(case: Any) -> str:
    return case["text"][:40] if isinstance(case, dict) else str(case)


@pytest.mark.parametrize(("family", "case"), POSITIVE, ids=show)
def test_positive(family: str, case: dict[str, Any]) -> None:
    found = matches(case)
    assert case["class"] in [match.data_class for match in found]
    if "canonical" in case:
        assert case["canonical"] in [match.canonical for match in found]


@pytest.mark.parametrize(("family", "case"), NEGATIVE, ids=show)
def test_negative(family: str, case: dict[str, Any]) -> None:
    found = matches(case)
    if "class_not" in case:
        assert case["class_not"] not in [match.data_class for match in found]
    else:
        assert found == []


def test_every_case_becomes_a_test(request: pytest.FixtureRequest) -> None:
    """A runner that skips silently loses cases: each one of the corpus must be among the collected tests."""
    if request.config.option.keyword or any("::" in arg for arg in request.config.args):
        pytest.skip("only some of the tests were selected")
    mine = [item for item in request.session.items if item.path == request.path and "tive[" in item.name]
    assert len(mine) == len(POSITIVE) + len(NEGATIVE)


def test_every_file_is_registered_and_has_cases() -> None:
    folder = Path(register.__code__.co_filename).parent
    modules = [importlib.import_module(f"apisec.detectors.{path.stem}") for path in folder.glob("[a-z]*.py")]
    families = [module for module in modules if "DETECTORS" in vars(module)]
    assert {family.__name__.rpartition(".")[2] for family in families} - {"engine"} == set(NAMES)
    assert {path.stem for path in FOLDER.glob("*.yml")} == set(NAMES)


def test_every_detector_is_reached_by_a_positive_case() -> None:
    reached = {match.detector for _, case in POSITIVE for match in matches(case)}
    reached |= {f"api_key.{rule.id}" for rule in RULES}  # each has generated cases: test_vendors.py
    assert reached == set(DETECTORS)


def test_every_family_has_as_many_hard_negatives_as_matter() -> None:
    assert all(len(CORPUS[family]["negative"]) >= 2 for family in NAMES)
    assert len(POSITIVE) > 150
    assert len(NEGATIVE) > 150


def test_a_second_detector_of_the_same_id_is_refused() -> None:
    family = types.ModuleType("twice")
    family.DETECTORS = (next(iter(DETECTORS.values())),) * 2  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="registered twice"):
        register([family])


def test_a_detector_without_a_class_of_the_table_is_refused() -> None:
    known = next(iter(DETECTORS.values()))
    family = types.ModuleType("wrong")
    family.DETECTORS = (Detector("x", "pci.nothing", known.shape, known.validate),)  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="no data class"):
        register([family])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"literals": (), "gate": ""}, "neither literals nor a gate"),
        ({"literals": (), "gate": "near", "near": None}, "neither literals nor a gate"),
        ({"literals": (), "gate": "near", "near": words("pin"), "checked": True}, "strict mode needs a gate"),
        ({"confidence": "sure"}, "confidence"),
    ],
)
def test_a_detector_that_no_engine_would_ask_is_refused(wrong: dict[str, Any], message: str) -> None:
    family = types.ModuleType("wrong")
    family.DETECTORS = (replace(next(iter(DETECTORS.values())), **wrong),)  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match=message):
        register([family])


def test_the_literals_of_a_detector_never_hide_it() -> None:
    """The engine asks only detectors whose literals stand in the text: each positive case must pass that gate."""
    for _, case in POSITIVE:
        if "class" in case:
            hint = case.get("hint", evidence(case.get("name", "")).data_class)
            asked = candidates(case["text"], hint, case.get("strict", False))
            assert case["class"] in {detector.data_class for detector in asked}
