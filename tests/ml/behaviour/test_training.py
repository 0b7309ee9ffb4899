"""Training of the families' models: honest chances, weights that buy nothing off, an artefact that core reads."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import replace
from typing import Any

import numpy
import pytest
from sklearn.linear_model import LogisticRegression

from apisec.abuse.artefact import check, parse_models
from apisec.abuse.base import FAMILIES
from apisec.abuse.model import FamilyModel
from apisec.errors import ModelError
from apisec_ml.behaviour.calibration import calibrate, exceedances, trials_of
from apisec_ml.behaviour.card import card_of
from apisec_ml.behaviour.drift import as_text as drift_text
from apisec_ml.behaviour.drift import drift_of
from apisec_ml.behaviour.examples import ATTACK, ORDINARY, Example, Examples
from apisec_ml.behaviour.margins import Alarm
from apisec_ml.behaviour.splits import by_source, splits_of, worth_it
from apisec_ml.behaviour.training import Settings, fit_family, matrix_of, train

DAYS = 60_000
STYLES = ("loud", "slow", "distributed", "mimic")


def made(
    seed: int = 1,
    louder: float = 1.0,
    family: str = "scraping",
    attacks: bool = True,
    noise: float = 4.0,
    shown: float = 4.0,
) -> Examples:
    """Ordinary episodes with exponential evidence, one feature useless; campaigns that show in two of three."""
    random = numpy.random.default_rng(seed)
    listed = []
    for number, (records, requests, other) in enumerate(random.exponential(0.4 * louder, (800, 3))):
        features = {"records": float(records), "requests": float(requests), "noise": float(other) * noise}
        listed.append(example(family, features, ORDINARY, f"p{number % 300}", number % 14))
    for number in range(24 if attacks else 0):
        strong = random.normal(shown, 1.0, 2).clip(0.1)
        features = {"records": float(strong[0]), "requests": float(strong[1])}
        style = STYLES[number % 4]
        listed.append(example(family, features, ATTACK, f"a{number}", number % 14, f"c{number}", style))
    return Examples(tuple(listed), DAYS, 10 * DAYS, (), ("made",))


def example(family: str, features: dict[str, float], kind: str, who: str, day: int, *campaign: str) -> Example:
    return Example(family, features, kind, "made", "shop", who, day, *campaign)


# Calibration


@pytest.mark.parametrize(("count", "trials"), [(12, 20_000), (60, 20_000), (3_000, 30_000)])
def test_chances_are_upper_bounds_and_no_excuse(count: int, trials: int) -> None:
    random = numpy.random.default_rng(count)
    calibration = calibrate(random.exponential(0.5, count).tolist(), trials)
    rates = exceedances(calibration, random.exponential(0.5, 40 * count).tolist(), 40 * trials)
    assert all(rates[name] <= 1.0 for name in ("1e-2", "1e-3", "1e-4"))
    # Beyond the data the true chance falls by .87 decades a unit.
    truth = math.log10(count / trials) - 6.0 / 0.5 / math.log(10)
    assert truth <= float(calibration.log10_p(numpy.array([6.0]))[0]) <= truth + 2.5


def test_a_heavy_tail_is_believed_less() -> None:
    count, trials = 800, 20_000
    random = numpy.random.default_rng(5)
    light = random.exponential(0.4, count)
    heavy = (random.random(count) ** -0.3 - 1.0) / 0.3 * 0.4
    at = numpy.array([6.0])
    found = [float(calibrate(values.tolist(), trials).log10_p(at)[0]) for values in (light, heavy)]
    assert found[0] < found[1] - 1.5


def test_nothing_is_rarer_than_the_evidence_says_by_a_quarter() -> None:
    random = numpy.random.default_rng(2)
    calibration = calibrate(random.exponential(0.05, 40).tolist(), 10_000_000)
    assert float(calibration.log10_p(numpy.array([4.0]))[0]) == pytest.approx(-5.0)


def test_an_episode_counts_as_ten_transactions() -> None:
    assert trials_of(5_000, 200_000) == 5_000
    assert trials_of(5_000, 20_000) == 2_000


@pytest.mark.parametrize("count", [0, 1, 5, 30, 3000])
def test_a_calibration_falls_and_core_reads_it_alike(count: int) -> None:
    z = numpy.random.default_rng(count).exponential(1.0, count)
    calibration = calibrate(z.tolist(), 10_000, 16)
    model = FamilyModel(0.0, {}, calibration.knots, calibration.slope)
    places = numpy.linspace(0.0, 30.0, 301)
    expected = calibration.log10_p(places)
    found = [model.log10_p(float(place)) for place in places]
    assert found == pytest.approx(expected.tolist(), rel=1e-9, abs=1e-12)
    assert all(later <= earlier + 1e-12 for earlier, later in itertools.pairwise(found))
    assert found[0] == 0.0


def test_a_family_that_ordinary_traffic_never_shows_goes_by_its_own_word() -> None:
    calibration = calibrate([], 1000, 16)
    assert calibration.log10_p(numpy.array([2.0, 5.0])).tolist() == [-2.0, -5.0]


def test_families_that_look_at_the_same_day_share_the_chance() -> None:
    z = numpy.random.default_rng(1).exponential(1.0, 500).tolist()
    alone, together = calibrate(z, 10_000), calibrate(z, 10_000, 16)
    difference = together.log10_p(numpy.array([3.0])) - alone.log10_p(numpy.array([3.0]))
    assert float(difference[0]) == pytest.approx(
        math.log10(16), abs=0.25
    )  # less where few teach: there the prior speaks


# Weights


def test_what_tells_weighs_and_what_does_not_is_never_negative() -> None:
    fitted = fit_family("scraping", made().of("scraping"), DAYS, Settings())
    weights = dict(zip(fitted.features, fitted.weights.tolist(), strict=True))
    assert min(weights.values()) >= 0.0
    assert weights["noise"] < 0.8 < weights["records"]
    assert fitted.weights.mean() == pytest.approx(1.0)
    assert fitted.bent is not None
    assert isinstance(fitted.bent.classifier, LogisticRegression)


def test_without_campaigns_every_feature_weighs_alike() -> None:
    fitted = fit_family("scraping", made(attacks=False).of("scraping"), DAYS, Settings())
    assert fitted.bent is None
    assert set(fitted.weights.tolist()) == {1.0}


def test_core_agrees_with_scikit_learn() -> None:
    examples = made().of("scraping")
    fitted = fit_family("scraping", examples, DAYS, Settings())
    rows = matrix_of(fitted.features, examples)
    z = fitted.z(rows)
    model = fitted.model
    for one, place, chance in zip(examples, z, fitted.p_value(z), strict=True):
        assert model.z(one.features) == pytest.approx(float(place), rel=1e-9, abs=1e-9)
        assert model.p_value(one.features) == pytest.approx(float(chance), rel=1e-9)


# The artefact


@pytest.fixture(scope="module")
def artefact() -> dict[str, Any]:
    examples = made()
    return train(examples, Settings(), splits_of(examples, Settings()))


def test_the_artefact_is_the_same_each_time_and_core_takes_it(artefact: dict[str, Any]) -> None:
    examples = made()
    assert train(examples, Settings(), artefact["training"]["splits"]) == artefact
    models = parse_models(json.dumps(artefact))
    assert models.p_value("scraping", {"records": 9.0, "requests": 9.0}) < 1e-5
    assert models.p_value("scraping", {"noise": 3.0}) > 1e-3
    assert set(artefact["families"]) == set(FAMILIES)


def test_honest_splits_say_what_a_left_out_style_is_worth(artefact: dict[str, Any]) -> None:
    splits = artefact["training"]["splits"]["scraping"]
    assert set(splits["styles"]) == set(STYLES)
    assert all(one["campaigns"] == 6 and one["found"] >= 1 for one in splits["styles"].values())
    for name in ("later_days", "other_principals"):
        assert 0.3 <= splits[name]["1e-2"] <= 3.0


@pytest.mark.parametrize(("noise", "worth"), [(16.0, True), (0.5, False)])
def test_a_family_that_says_too_much_is_worth_training_and_one_that_keeps_its_word_is_not(
    noise: float, worth: bool
) -> None:
    """A feature of which ordinary traffic shows 1.6 decades tells for nothing what training keeps silent about."""
    parts = [made(seed, 0.25, noise=noise, shown=12.0) for seed in (1, 2)]
    listed = [replace(one, source=f"s{n}") for n, part in enumerate(parts) for one in part.listed]
    found = by_source("scraping", listed, 2 * DAYS, Settings())
    assert found["campaigns"] == 48
    assert worth_it({"other_sources": found}) is worth, found


def test_what_is_not_kept_goes_by_its_features_as_they_are() -> None:
    models = parse_models(json.dumps(train(made(attacks=False), Settings(), {}, ())))
    assert models.get("scraping") == FamilyModel(0.0, models.get("scraping").weights)
    assert set(models.get("scraping").weights.values()) == {1.0}


@pytest.mark.parametrize("change", ["weights", "golden", "training"])
def test_a_changed_artefact_is_refused(change: str, artefact: dict[str, Any]) -> None:
    broken = json.loads(json.dumps(artefact))
    if change == "weights":
        broken["families"]["scraping"]["weights"]["records"] += 0.1
    elif change == "golden":
        broken["golden"][1]["p"] *= 2
    else:
        broken["training"]["seed"] = 9
    with pytest.raises(ModelError, match="was changed"):
        check(broken)


def test_the_card_names_every_family_and_the_digest(artefact: dict[str, Any]) -> None:
    card = card_of(artefact)
    assert artefact["sha256"] in card
    assert all(f"| {name} |" in card for name in FAMILIES)
    found = artefact["training"]["splits"]["scraping"]["styles"]["loud"]["found"]
    assert f"loud {found} of 6" in card


def test_a_margin_stands_in_artefact_and_card() -> None:
    alarms = tuple(
        Alarm(source, f"{source} {kind} {n}", "scraping", z, kind, f"{source} {n}" if kind == "right" else "")
        for source in "ab"
        for kind, z in (("right", 9.0), ("false", 5.5))
        for n in range(4)
    )
    trained = train(replace(made(attacks=False), alarms=alarms), Settings(), {}, ())
    assert parse_models(json.dumps(trained)).p_value("scraping", {"records": 5.75}) == pytest.approx(1e-5)
    card = card_of(trained)
    assert "missed campaigns: scraping 0.75." in card
    assert "8 campaigns found and 0 false findings; without margins 8 and 8" in card
    assert "| scraping | 8 / 8 |" in card


def test_training_needs_ordinary_traffic() -> None:
    with pytest.raises(ModelError, match="ordinary"):
        train(Examples((), 0, 0, (), ()), Settings())


# Drift


def test_the_same_traffic_has_not_drifted_and_louder_traffic_has(artefact: dict[str, Any]) -> None:
    same = drift_of(artefact, made(seed=2, attacks=False))["families"]["scraping"]
    assert same["verdict"] == "ok"
    assert same["psi"] < 0.1
    louder = drift_of(artefact, made(seed=2, louder=3.0, attacks=False))
    moved = louder["families"]["scraping"]
    assert moved["verdict"] == "look"
    assert moved["psi"] > 0.25 < moved["ks"] * 2
    assert louder["families"]["flooding"]["verdict"] == "too few"
    assert "records" in drift_text(louder)
