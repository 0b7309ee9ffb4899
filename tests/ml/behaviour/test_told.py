"""Drift by what was told: rates beside the training's, strengths and features, from a file of anomalies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy
import pytest

from apisec_ml.behaviour.told import as_text, told_drift, told_of
from apisec_ml.cli import main
from tests.ml.behaviour.made import anomaly, told_models

TRANSACTIONS = 1_000_000


def told(count: int, seed: int = 1, stronger: float = 0.0, feature: str = "objects") -> list[Any]:
    """Campaigns of scraping, whose evidence is 3.5 decades and more."""
    excess = numpy.random.default_rng(seed).exponential(0.5, count) + 3.5 + stronger
    return [
        anomaly(f"p{number}", number, score=min(100.0, 18 * one), p_value=10**-one, features={feature: one})[1]
        for number, one in enumerate(map(float, excess))
    ]


MODELS = told_models(told_of(told(120)), TRANSACTIONS)


@pytest.mark.parametrize(
    ("found", "transactions", "verdict"),
    [
        (told(60, 2), TRANSACTIONS // 2, "ok"),
        (told(60, 2), TRANSACTIONS // 10, "look"),  # ten times as many a million
        (told(6, 2), TRANSACTIONS, "watch"),  # a twentieth: what went silent?
        (told(60, 2, stronger=1.0), TRANSACTIONS // 2, "look"),
        (told(60, 2), 0, "ok"),  # how many a million is not known, the strength is
        (told(6, 2), 0, "too few"),
        ([], TRANSACTIONS // 1000, "ok"),
    ],
)
def test_what_moved_is_said(found: list[Any], transactions: int, verdict: str) -> None:
    report = told_drift(MODELS, told_of(found), transactions)
    assert report["families"]["scraping"]["verdict"] == verdict
    assert report["families"]["flooding"]["campaigns"] == 0
    assert verdict in as_text(report)


def test_the_feature_that_moved_is_named() -> None:
    found = told_drift(MODELS, told_of(told(60, 2, feature="records")), TRANSACTIONS)["families"]["scraping"]
    assert found["features"]["objects"]["psi"] > 0.25


def test_a_campaign_counts_once_by_its_strongest_and_not_what_is_excepted_or_weak() -> None:
    course = [anomaly("thief", hour, score=95.0, p_value=10.0 ** -(5 + hour))[1] for hour in range(3)]
    hidden = anomaly("known", 1, excepted="x-1")[1]
    [one] = told_of([*course, hidden, anomaly("weak", 1, score=59.9)[1]])
    assert (one.family, one.decades) == ("scraping", 7.0)


def test_a_file_of_anomalies_is_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, path = tmp_path / "model.json", tmp_path / "anomalies.jsonl"
    model.write_text(json.dumps(MODELS))
    path.write_text("\n".join(json.dumps(one) for one in told(60, 2)))
    drift = ["drift", "--anomalies", str(path), "--transactions", str(TRANSACTIONS // 2)]
    assert main([*drift, "--model", str(model), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["families"]["scraping"]["per_million"] == 120.0
    path.write_text('{"family": "scraping"}')
    assert main([*drift, "--model", str(model)]) == 2
    assert "anomalies.jsonl:1: is no event of sourcetype apisec:anomaly" in capsys.readouterr().err


def test_models_that_were_not_trained_have_nothing_to_compare_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "model.json"
    training = {name: value for name, value in MODELS["training"].items() if name != "told"}
    from apisec.abuse.artefact import digest

    document = {**MODELS, "training": training}
    model.write_text(json.dumps({**document, "sha256": digest(document)}))
    path = tmp_path / "none"
    path.touch()
    assert main(["drift", "--anomalies", str(path), "--model", str(model)]) == 2
    assert "were not trained" in capsys.readouterr().err
