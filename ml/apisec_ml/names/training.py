"""Fits one logistic regression a class over hashed features, sets thresholds on held-out stems, writes the artefact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from apisec.classification.names.features import BUCKETS, features
from apisec.classification.names.model import MAX_BYTES, NameModel, document, pack, parse_model, unverified
from apisec.errors import ModelError
from apisec_ml.names.templates import Example, Recipe, examples
from apisec_ml.names.vocabulary import Vocabulary

Floats = npt.NDArray[np.float64]
GOLDEN = 60


@dataclass(frozen=True)
class Settings:
    """``precision``: what a class's threshold must reach on held-out stems. ``keep``: weights of a class that stay."""

    recipe: Recipe = field(default_factory=Recipe)
    inverse_regularisation: float = 6.0
    precision: float = 0.97
    keep: int = 2000


def matrix(made: Sequence[Example]) -> csr_matrix:
    """Return the features of examples, each row of length 1."""
    rows = [features(one.name, one.parent) for one in made]
    lengths = np.fromiter((len(row) for row in rows), dtype=np.int64, count=len(rows))
    indices = np.fromiter((bucket for row in rows for bucket in row), dtype=np.int32, count=int(lengths.sum()))
    data = np.repeat(1.0 / np.sqrt(np.maximum(lengths, 1)), lengths)
    return csr_matrix((data, indices, np.concatenate(([0], np.cumsum(lengths)))), shape=(len(rows), BUCKETS))


@dataclass(frozen=True)
class Fitted:
    """Weights (class, bucket) and intercepts, as they are after pruning and rounding to bytes."""

    classes: tuple[str, ...]
    weights: npt.NDArray[np.int8]
    scales: Floats
    intercepts: Floats

    def scores(self, rows: csr_matrix) -> Floats:
        """Return logits (example, class)."""
        found = rows @ (self.weights.astype(np.float64) * self.scales[:, None]).T
        return np.asarray(found) + self.intercepts


def fit(made: Sequence[Example], rows: csr_matrix, classes: tuple[str, ...], settings: Settings) -> Fitted:
    """Fit, prune and quantise."""
    labels = np.array([one.data_class or "" for one in made])
    weights = np.zeros((len(classes), BUCKETS), dtype=np.int8)
    scales, intercepts = np.ones(len(classes)), np.full(len(classes), -20.0)
    used = np.unique(rows.indices)  # others weigh 0, and with them the solver takes a hundred times as long
    narrow = rows[:, used]
    for at, data_class in enumerate(classes):
        target = labels == data_class
        if not target.any():
            continue
        model = LogisticRegression(
            C=settings.inverse_regularisation, solver="liblinear", tol=1e-3, random_state=settings.recipe.seed
        )
        model.fit(narrow, target)
        coefficients = np.zeros(BUCKETS)
        coefficients[used] = model.coef_[0]
        least = np.sort(np.abs(coefficients))[-min(settings.keep, BUCKETS)]
        coefficients = np.where(np.abs(coefficients) >= least, coefficients, 0.0)
        scales[at] = float(np.abs(coefficients).max()) / 127 or 1.0
        weights[at] = np.round(coefficients / scales[at]).astype(np.int8)
        intercepts[at] = float(model.intercept_[0])
    return Fitted(classes, weights, scales, intercepts)


def held_out_scores(made: Sequence[Example], rows: csr_matrix, classes: tuple[str, ...], settings: Settings) -> Floats:
    """Return the logits of every example from a model that never saw its stem."""
    folds = np.array([one.fold for one in made])
    scores = np.zeros((len(made), len(classes)))
    for fold in range(settings.recipe.folds):
        inside = np.flatnonzero(folds != fold).tolist()
        outside = np.flatnonzero(folds == fold).tolist()
        fitted = fit([made[at] for at in inside], rows[inside], classes, settings)
        scores[outside] = fitted.scores(rows[outside])
    return scores


def thresholds(made: Sequence[Example], scores: Floats, classes: tuple[str, ...], precision: float) -> Floats:
    """Return, per class, the lowest logit from which on held-out stems are right often enough; at least 0."""
    labels = np.array([one.data_class or "" for one in made])
    winners = scores.argmax(axis=1)
    found = np.zeros(len(classes))
    for at, data_class in enumerate(classes):
        mine = np.flatnonzero((winners == at) & (scores[:, at] > -2.0))
        order = mine[np.argsort(-scores[mine, at], kind="stable")]
        right = np.cumsum(labels[order] == data_class) / np.arange(1, len(order) + 1)
        good = np.flatnonzero(right >= precision)
        found[at] = max(0.0, float(scores[order[good[-1]], at])) if len(good) else 3.0
    return found


def train(vocabulary: Vocabulary, settings: Settings) -> dict[str, Any]:
    """Return the artefact; the same for the same vocabulary and settings. ModelError when it gets too large."""
    made = examples(vocabulary, settings.recipe)
    rows = matrix(made)
    classes = vocabulary.classes
    limits = thresholds(made, held_out_scores(made, rows, classes, settings), classes, settings.precision)
    fitted = fit(made, rows, classes, settings)
    kept = np.argwhere(fitted.weights.T != 0)  # by bucket, then class
    counts = np.bincount(kept[:, 0], minlength=BUCKETS).astype(np.uint8)
    weights = fitted.weights.T[kept[:, 0], kept[:, 1]]
    model = {
        "classes": list(classes),
        "intercepts": fitted.intercepts.round(6).tolist(),
        "scales": fitted.scales.round(9).tolist(),
        "thresholds": limits.round(3).tolist(),
        "postings": pack(counts.tobytes(), kept[:, 1].astype(np.uint8).tobytes(), weights.tobytes()),
        "training": {
            "examples": len(made),
            "sensitive": sum(one.data_class is not None for one in made),
            "seed": settings.recipe.seed,
            "inverse_regularisation": settings.inverse_regularisation,
            "precision": settings.precision,
        },
    }
    return _with_golden(model, made)


def _with_golden(model: dict[str, Any], made: Sequence[Example]) -> dict[str, Any]:
    """Add golden verdicts, as core gives them."""
    reader = unverified(model)
    step = max(1, len(made) // GOLDEN)
    golden = []
    for one in made[::step]:
        best = reader.best(one.name, one.parent)
        if best is not None:
            golden.append((one.name, one.parent, best.data_class, best.margin))
    return document(model, golden)


def check(text: str) -> NameModel:
    """Read an artefact as core will; ModelError when it is larger than core takes."""
    if len(text) > MAX_BYTES:
        raise ModelError(f"has {len(text)} bytes; core reads at most {MAX_BYTES}: keep fewer weights")
    return parse_model(text)
