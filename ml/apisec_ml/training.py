"""Training: features by core's own scorer, weights by scikit-learn, the artefact as JSON that core reads.

Weights are never negative: each feature is built so that more of it is more suspicious, and a negative weight
would let an attacker buy off one piece of evidence with another. Features whose weight would be negative are
taken out, the most negative first, and the rest is fitted again.
"""

from __future__ import annotations

import json
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy
import sklearn
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from apisec.baselines.learned import Baselines
from apisec.baselines.sketches import value_hash
from apisec.errors import ModelError
from apisec.scoring import Model
from apisec.scoring.features import NAMES
from apisec.scoring.model import model_from_document
from apisec.sequences.flows import FlowModel
from apisec_ml.data import Dataset, Event, Label
from apisec_ml.learning import learned, scorers

GOLDEN_VECTORS = 24
ORDINARY_WEIGHT = 50.0  # how much heavier all ordinary transactions together weigh than all attacks together
Matrix = Any  # numpy.ndarray of float64, one row an event, one column a feature of features.NAMES


@dataclass(frozen=True)
class Settings:
    seed: int = 1
    # scikit-learn's C: strong smoothing, since made-up traffic is cleaner than the world.
    inverse_regularisation: float = 0.01
    history_share: float = 0.4
    restart: float = 3600.0  # seconds after which half of the training examples start with empty state
    ordinary_weight: float = ORDINARY_WEIGHT


_BLANK = Model(tuple(0.0 for _ in NAMES), 0.0, {})


def features_of(dataset: Dataset, settings: Settings) -> tuple[Matrix, list[Label]]:
    """Return features and labels as deployments see them: with learned state, without any, restarted, bare."""
    history, rest = dataset.split(settings.history_share)
    baselines, flows = learned(history)
    bare = [_bare(event) for event in rest.events]
    variants = (
        (baselines, flows, rest.events, 0.0),
        (baselines, flows, rest.events, settings.restart),
        (Baselines(), FlowModel(), rest.events, settings.restart),
        (baselines, flows, bare, 0.0),
        (baselines, flows, bare, settings.restart),
    )
    rows: list[list[float]] = []
    for knows, orders, events, restart in variants:
        pairs = scorers(_BLANK, knows, orders, events, restart)
        rows.extend(scorer.features(event) for scorer, event in pairs)
    return numpy.array(rows, dtype=numpy.float64), rest.labels * len(variants)


def _bare(event: Event) -> Event:
    """The same event from a deployment that ships no bodies and whose ids are not numbers."""
    ids = [
        f"{name}={value_hash(value):016x}x" for name, _, value in (one.partition("=") for one in event["object_ids"])
    ]
    return {**event, "response_body": None, "object_ids": ids}


def weights_of(labels: Sequence[Label], ordinary_weight: float) -> Matrix:
    """Weigh every kind of attack alike, and ordinary traffic ``ordinary_weight`` times as much as all of them."""
    counts = Counter(label.attack for label in labels)
    attacks = [name for name in counts if name is not None]
    total = len(labels)
    return numpy.array(
        [
            ordinary_weight * total / counts[None]
            if label.attack is None
            else total / (len(attacks) * counts[label.attack])
            for label in labels
        ]
    )


def fit(matrix: Matrix, target: Matrix, weights: Matrix, settings: Settings) -> Any:
    """Return the fitted scikit-learn model; raises ModelError when it does not converge."""
    kept = matrix.copy()
    while True:
        model = LogisticRegression(
            C=settings.inverse_regularisation, max_iter=5000, tol=1e-8, random_state=settings.seed
        )
        with warnings.catch_warnings():
            warnings.simplefilter("error", ConvergenceWarning)
            try:
                model.fit(kept, target, sample_weight=weights)
            except ConvergenceWarning as error:
                raise ModelError(f"the fit did not converge: {error}") from error
        worst = int(numpy.argmin(model.coef_[0]))
        if model.coef_[0][worst] >= 0:
            return model
        kept[:, worst] = 0.0


def golden(model: Any, matrix: Matrix, seed: int) -> list[dict[str, Any]]:
    """Choose vectors over the range of probabilities, plus none and all of the evidence."""
    unique = numpy.unique(matrix, axis=0)
    ordered = unique[numpy.argsort(model.predict_proba(unique)[:, 1], kind="stable")]
    picks = ordered[numpy.linspace(0, len(ordered) - 1, GOLDEN_VECTORS - 4).astype(int)]
    random = numpy.random.default_rng(seed).random((2, len(NAMES)))
    edges = numpy.array([[0.0] * len(NAMES), [1.0] * len(NAMES)])
    vectors = numpy.concatenate([edges, picks, random])
    found = model.predict_proba(vectors)[:, 1]
    return [
        {"input": [float(value) for value in vector], "probability": float(probability)}
        for vector, probability in zip(vectors, found, strict=True)
    ]


def train(datasets: Sequence[Dataset], settings: Settings) -> Model:
    """Train on all datasets together; raises ModelError when they hold no attack or nothing else."""
    parts = [features_of(dataset, settings) for dataset in datasets]
    matrix = numpy.concatenate([part[0] for part in parts])
    labels = [label for part in parts for label in part[1]]
    target = numpy.array([label.attack is not None for label in labels])
    if target.all() or not target.any():
        raise ModelError("training needs both attacks and ordinary transactions after the history")
    fitted = fit(matrix, target, weights_of(labels, settings.ordinary_weight), settings)
    training = {
        "sklearn": sklearn.__version__,
        "seed": settings.seed,
        "inverse_regularisation": settings.inverse_regularisation,
        "ordinary_weight": settings.ordinary_weight,
        "history_share": settings.history_share,
        "datasets": [dataset.name for dataset in datasets],
        "examples": {str(name or "ordinary"): count for name, count in sorted(_counts(labels).items())},
    }
    vectors = tuple((tuple(one["input"]), one["probability"]) for one in golden(fitted, matrix, settings.seed))
    weights = tuple(float(weight) for weight in fitted.coef_[0])
    model = Model(weights, float(fitted.intercept_[0]), training, vectors)
    # Through the reader's own checks: what is written can be read, and core gives what scikit-learn gave.
    return model_from_document(json.loads(json.dumps(model.to_document())))


def _counts(labels: Sequence[Label]) -> dict[str, int]:
    return dict(Counter(label.attack or "" for label in labels))
