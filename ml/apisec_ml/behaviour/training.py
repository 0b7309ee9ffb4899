"""Training the models of the families: weights by scikit-learn, calibration on ordinary days, the artefact for core.

A family's features are evidence in decades, so that their plain sum is a sound model before anything was learned.
Training may only bend it: the logistic regression sees the sum as a strong feature and each feature as a weak one, so
that all weights shrink towards one common weight; none becomes negative (one piece of evidence must not buy off
another); and they are scaled so that they are 1 on average, which keeps z in decades.
"""

from __future__ import annotations

import json
import warnings
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import joblib
import numpy
import sklearn
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from apisec.abuse.artefact import check, document_of
from apisec.abuse.base import FAMILIES, P_FLOOR
from apisec.abuse.families import FAMILIES as REGISTERED
from apisec.abuse.model import FamilyModel
from apisec.errors import ModelError
from apisec_ml.behaviour.calibration import Calibration, calibrate, trials_of
from apisec_ml.behaviour.distances import QUANTILES
from apisec_ml.behaviour.examples import ATTACK, ORDINARY, Example, Examples
from apisec_ml.behaviour.margins import calibration_of
from apisec_ml.behaviour.margins import summary_of as margins_of
from apisec_ml.behaviour.told import summary_of as told_summary

GOLDEN = 12  # vectors a family
SUM_SCALE = 10.0  # how much less the common weight is held back than those of single features
MIN_CAMPAIGNS = 4  # fewer teach no weights: then all of them are 1
MAX_FEATURE = 12.0  # decades: more is as certain, and would pull the fit

Floats = numpy.ndarray


@dataclass(frozen=True)
class Settings:
    seed: int = 1
    # How many examples the data counts as against the pull towards common weights: few, for made-up traffic is
    # cleaner than the world.
    effective_examples: float = 20.0
    jobs: int = 1  # processes; they change nothing of what is learned


@dataclass(frozen=True)
class Bent:
    """scikit-learn's model over (sum of the active features, each of them), and which features are active."""

    classifier: LogisticRegression
    active: Floats

    def logit(self, matrix: Floats) -> Floats:
        """Return scikit-learn's decision function of each row, less its intercept."""
        found = self.classifier.decision_function(design_of(matrix, self.active)) - self.classifier.intercept_[0]
        return numpy.asarray(found)

    @property
    def weights(self) -> Floats:
        coefficients = self.classifier.coef_[0]
        return numpy.asarray((coefficients[0] * SUM_SCALE + coefficients[1:]) * self.active)


@dataclass(frozen=True)
class Fitted:
    """One family: z is the logit over ``scale``, or the plain sum where there was too little to learn."""

    family: str
    features: tuple[str, ...]
    bent: Bent | None
    calibration: Calibration
    about: dict[str, Any] = field(default_factory=dict)

    @property
    def weights(self) -> Floats:
        """Weights of the features, 1 on average."""
        return self.bent.weights / self.scale if self.bent is not None else numpy.ones(len(self.features))

    @property
    def scale(self) -> float:
        return float(self.bent.weights.mean()) if self.bent is not None else 1.0

    def z(self, matrix: Floats) -> Floats:
        """Return z of each row; the intercept is the calibration's business."""
        if self.bent is None:
            return numpy.asarray(matrix.sum(axis=1))
        return self.bent.logit(matrix) / self.scale

    def p_value(self, z: Floats) -> Floats:
        return numpy.asarray(numpy.clip(10.0 ** self.calibration.log10_p(z), P_FLOOR, 1.0))

    @property
    def model(self) -> FamilyModel:
        weights = {name: float(weight) for name, weight in zip(self.features, self.weights, strict=True)}
        return FamilyModel(0.0, weights, self.calibration.knots, self.calibration.slope)


def untrained(fitted: Fitted, margin: float = 0.0) -> Fitted:
    """Return the family without weights: every one 1, and chances as its features state them, less a margin."""
    return replace(fitted, bent=None, calibration=calibration_of(margin))


def features_of(family: str, examples: Sequence[Example]) -> tuple[str, ...]:
    """Return the features of a family: those that it declares and those that were seen."""
    declared = next((one.features for one in REGISTERED if one.name == family), ())
    return tuple(sorted({*declared, *(name for one in examples for name in one.features)}))


def matrix_of(features: Sequence[str], examples: Sequence[Example]) -> Floats:
    return numpy.array([[one.features.get(name, 0.0) for name in features] for one in examples]).reshape(
        len(examples), len(features)
    )


def design_of(matrix: Floats, active: Floats) -> Floats:
    kept = matrix * active
    return numpy.column_stack([kept.sum(axis=1) * SUM_SCALE, kept])


def fit_family(family: str, examples: Sequence[Example], trials: int, settings: Settings) -> Fitted:
    """Fit weights and calibration of one family; ``trials`` as calibration counts them."""
    ordinary = [one for one in examples if one.kind == ORDINARY]
    attacks = [one for one in examples if one.kind == ATTACK]
    features = features_of(family, examples)
    campaigns = {one.campaign for one in attacks}
    about: dict[str, Any] = {"ordinary_episodes": len(ordinary), "campaigns": len(campaigns)}
    bent = None
    if len(features) > 1 and len(campaigns) >= MIN_CAMPAIGNS and ordinary:
        bent = bend(features, ordinary, attacks, settings)
    uncalibrated = Fitted(family, features, bent, Calibration(((0.0, 0.0),), 1.0, 0), about)
    z = uncalibrated.z(matrix_of(features, ordinary)) if ordinary else numpy.array([])
    return replace(uncalibrated, calibration=calibrate(z.tolist(), trials, len(FAMILIES)))


def bend(
    features: Sequence[str], ordinary: Sequence[Example], attacks: Sequence[Example], settings: Settings
) -> Bent | None:
    """Fit weights, the most negative features put aside first; None when nothing tells attacks from the ordinary."""
    matrix = numpy.minimum(matrix_of(features, [*ordinary, *attacks]), MAX_FEATURE)
    target = numpy.array([False] * len(ordinary) + [True] * len(attacks))
    per_campaign = Counter(one.campaign for one in attacks)
    # Every campaign weighs alike, and all of them together as much as all that is ordinary.
    weight = numpy.array(
        [1.0 / len(ordinary)] * len(ordinary)
        + [1.0 / len(per_campaign) / per_campaign[one.campaign] for one in attacks]
    )
    active = numpy.ones(len(features))
    while active.any():
        model = _logistic(design_of(matrix, active), target, weight, settings)
        bent = Bent(model, active)
        weights = numpy.where(active > 0, bent.weights, numpy.inf)
        worst = int(numpy.argmin(weights))
        if weights[worst] >= 0:
            return bent if bent.weights.sum() > 0 else None
        active = active.copy()
        active[worst] = 0.0
    return None


def _logistic(design: Floats, target: Floats, weight: Floats, settings: Settings) -> LogisticRegression:
    model = LogisticRegression(
        C=settings.effective_examples / 2.0, max_iter=10_000, tol=1e-9, random_state=settings.seed
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            return model.fit(design, target, sample_weight=weight)
        except ConvergenceWarning as error:
            raise ModelError(f"the fit did not converge: {error}") from error


def golden_of(fitted: Fitted, examples: Sequence[Example], seed: int) -> list[dict[str, Any]]:
    """Return golden vectors: nothing, everything, some of the examples from weak to strong, and random ones."""
    rows = matrix_of(fitted.features, examples)
    order = rows[numpy.argsort(fitted.z(rows), kind="stable")] if len(rows) else rows
    picks = order[numpy.linspace(0, len(order) - 1, GOLDEN - 4).astype(int)] if len(order) else order
    width = len(fitted.features)
    random = numpy.random.default_rng(seed).random((2, width)) * 6.0
    vectors = numpy.concatenate([numpy.zeros((1, width)), numpy.full((1, width), MAX_FEATURE), picks, random])
    z = fitted.z(vectors)
    return [
        {
            "family": fitted.family,
            "features": {name: float(value) for name, value in zip(fitted.features, row, strict=True) if value},
            "z": float(place),
            "p": float(p),
        }
        for row, place, p in zip(vectors, z, fitted.p_value(z), strict=True)
    ]


def fit_all(examples: Examples, settings: Settings) -> list[Fitted]:
    """Fit every family, each as a job of its own."""
    trials = trials_of(examples.principal_days, examples.transactions)
    tasks = (joblib.delayed(fit_family)(name, examples.of(name), trials, settings) for name in FAMILIES)
    return list(joblib.Parallel(n_jobs=settings.jobs)(tasks))


def train(
    examples: Examples, settings: Settings, splits: Any = None, kept: Collection[str] = FAMILIES
) -> dict[str, Any]:
    """Return the artefact; ``splits`` (what honest splits gave) goes into its summary. Raises ModelError.

    Families that are not ``kept`` go by what their features state, less a margin where margins are worth it.
    """
    if not examples.principal_days:
        raise ModelError("training needs ordinary traffic")
    margins = margins_of(examples.alarms, [name for name in FAMILIES if name not in kept])
    fitted = [
        one if one.family in kept else untrained(one, margins["used"].get(one.family, 0.0))
        for one in fit_all(examples, settings)
    ]
    golden = [one for model in fitted for one in golden_of(model, examples.of(model.family), settings.seed)]
    training = {
        "sklearn": sklearn.__version__,
        "seed": settings.seed,
        "effective_examples": settings.effective_examples,
        "sources": list(examples.sources),
        "transactions": examples.transactions,
        "principal_days": examples.principal_days,
        "campaigns": len(examples.campaigns),
        "kept": sorted(kept),
        "margins": margins,
        "families": {one.family: {**one.about, **summary_of(one, examples)} for one in fitted},
        "told": told_summary(examples.told, examples.transactions),
        "splits": splits or {},
    }
    document = document_of({one.family: one.model for one in fitted}, training, golden)
    # Through the reader's own checks: what is written can be read, and core gives what scikit-learn gave.
    check(json.loads(json.dumps(document)))
    return document


def summary_of(fitted: Fitted, examples: Examples) -> dict[str, Any]:
    """Return what a later look compares with: quantiles of z and of each feature over ordinary episodes."""
    ordinary = [one for one in examples.of(fitted.family) if one.kind == ORDINARY]
    if not ordinary:
        return {"z": [], "features": {}}
    rows = matrix_of(fitted.features, ordinary)
    quantiles = numpy.quantile(rows, QUANTILES, axis=0)
    return {
        "z": [round(float(value), 4) for value in numpy.quantile(fitted.z(rows), QUANTILES)],
        "features": {
            name: [round(float(value), 4) for value in column]
            for name, column in zip(fitted.features, quantiles.T, strict=True)
        },
    }
