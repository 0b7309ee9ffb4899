"""The artefact of the families' models: what ships is read as it was meant, and what is broken is named."""

from __future__ import annotations

import copy
import json
import math
from typing import Any, Dict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apisec.abuse.artefact import MAX_BYTES, TOLERANCE, check, default_models, digest, document_of, parse_models
from apisec.abuse.base import FAMILIES, P_FLOOR
from apisec.abuse.model import FamilyModel, Models
from apisec.errors import ModelError

MODEL = FamilyModel(0.5, {"a": 2.0, "b": 0.0}, ((0.0, 0.0), (2.0, -1.0), (4.0, -4.0)), 0.5)


def made(**more: Any) -> Dict[str, Any]:
    """A small artefact; ``more`` replaces members before it is digested."""
    features = {"a": 1.0, "b": 3.0, "unknown": 0.25}
    golden = {"family": "scraping", "features": features, "z": 2.75, "p": 10**-2.125}
    document = document_of({"scraping": MODEL}, {"seed": 1}, [golden])
    document.update(more)
    return {**document, "sha256": digest(document)}


def test_what_ships_is_read_and_proves_itself() -> None:
    models = default_models()
    for family in FAMILIES:
        assert models.p_value(family, {}) <= 1.0
        assert models.p_value(family, dict.fromkeys("xyz", 100.0)) == P_FLOOR


def test_a_model_weighs_known_features_and_takes_others_as_they_are() -> None:
    models = parse_models(json.dumps(made()))
    model = models.get("scraping")
    assert model.z({"a": 1.0, "b": 100.0, "new": 0.5}) == 3.0
    assert math.isclose(model.p_value({"a": 0.75}), 0.1, rel_tol=TOLERANCE)
    assert models.get("flooding").p_value({"x": 3.0}) == pytest.approx(1e-3)  # without a model: decades


@pytest.mark.parametrize(
    ("z", "expected"), [(-1.0, 0.0), (0.0, 0.0), (1.0, -0.5), (2.0, -1.0), (3.0, -2.5), (6.0, -5.0)]
)
def test_between_knots_it_is_linear_and_beyond_as_steep_as_the_slope(z: float, expected: float) -> None:
    assert MODEL.log10_p(z) == pytest.approx(expected)


@given(st.floats(-10, 50), st.floats(0, 50))
def test_more_evidence_never_makes_it_likelier(z: float, more: float) -> None:
    assert MODEL.log10_p(z + more) <= MODEL.log10_p(z) + 1e-12


def broken(path: str, value: Any) -> Dict[str, Any]:
    document = copy.deepcopy(made())
    at: Any = document
    *parents, last = path.split(".")
    for name in parents:
        at = at[int(name)] if isinstance(at, list) else at[name]
    at[int(last) if isinstance(at, list) else last] = value
    return {**document, "sha256": digest(document)}


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("version", 2, "version: this apisec reads family_models version 1"),
        ("kind", "pickle", "this apisec reads"),
        ("more", 1, "unknown keys: more"),
        ("training", [], "training: is not an object"),
        ("families", {"new_family": {}}, "families of this apisec"),
        ("families.scraping", {"bias": 0}, "families.scraping: is not an object of"),
        ("families.scraping.weights.a", -1.0, "negative weight"),
        ("families.scraping.weights.a", "1", "families.scraping.weights.a: is not a finite number"),
        ("families.scraping.weights.a", True, "not a finite number"),
        ("families.scraping.bias", 1e400, "cannot be digested"),
        ("families.scraping.slope", 0.0, "slope: is not positive"),
        ("families.scraping.knots", [], "1 to 256 knots"),
        ("families.scraping.knots.1", [0.0, -1.0], "z has to rise"),
        ("families.scraping.knots.1", [2.0, 0.5], "from at most 0"),
        ("families.scraping.knots.2", [4.0, -0.5], "log10 p to fall"),
        ("families.scraping.knots.2", [4.0], "pair"),
        ("golden", [], "1 to 4096 golden vectors"),
        ("golden.0", {"family": "scraping"}, "is not an object of"),
        ("golden.0.z", 2.75000001, "golden.0.: gives 2.75"),
        ("golden.0.p", 1e-3, "golden.0.: gives"),
    ],
)
def test_what_is_broken_is_named(path: str, value: Any, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        check(broken(path, value))


def test_what_was_changed_after_it_was_made_is_refused() -> None:
    document = made()
    document["families"]["scraping"]["bias"] = 0.4
    with pytest.raises(ModelError, match="sha256: does not fit the content"):
        check(document)


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "not JSON"), ("[]", "not a JSON object"), ("[" * 100_000, "not JSON"), (" " * (MAX_BYTES + 1), "larger")],
)
def test_what_is_no_artefact_is_refused(text: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        parse_models(text)


def test_models_without_artefact_are_the_features_own_word() -> None:
    assert Models().p_value("scraping", {"a": 2.0, "b": 1.5}) == pytest.approx(10**-3.5)
