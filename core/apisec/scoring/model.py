"""The model artefact: a logistic regression as JSON, with the golden vectors that prove it is read right.

    {"version": 1, "kind": "logistic_regression", "features": [...], "weights": [...], "intercept": -7.1,
     "training": {...}, "golden": [{"input": [...], "probability": 0.93}], "sha256": "..."}

``sha256`` is over the canonical JSON (sorted keys, no spaces, ASCII) of everything else. No pickle is read.
"""

from __future__ import annotations

import hashlib
import json
import math
import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Dict, List, Tuple

from apisec.errors import ModelError
from apisec.scoring.features import COMPONENTS, FEATURES, NAMES

MODEL_VERSION = 1
KIND = "logistic_regression"
TOLERANCE = 1e-9  # between this and scikit-learn, on the golden vectors
MAX_MODEL_BYTES = 1_000_000
_KEYS = frozenset({"version", "kind", "features", "weights", "intercept", "training", "golden", "sha256"})


def sigmoid(logit: float) -> float:
    """Return 1 / (1 + e^-logit) without overflow."""
    if logit >= 0:
        return 1.0 / (1.0 + math.exp(-logit))
    power = math.exp(logit)
    return power / (1.0 + power)


@dataclass(frozen=True)
class Model:
    """Weights in the order of ``features.FEATURES``."""

    weights: Tuple[float, ...]
    intercept: float
    training: Mapping[str, Any]
    golden: Tuple[Tuple[Tuple[float, ...], float], ...] = ()
    sha256: str = ""

    def probability(self, vector: Sequence[float]) -> float:
        """Return the probability (0–1) that the transaction is part of an attack."""
        logit = self.intercept
        for weight, value in zip(self.weights, vector):
            logit += weight * value
        return sigmoid(logit)

    def components(self, vector: Sequence[float]) -> Dict[str, float]:
        """Return, for each component, the probability if only its own features spoke; 0 when none does."""
        logits = dict.fromkeys(COMPONENTS, 0.0)
        for feature, weight, value in zip(FEATURES, self.weights, vector):
            if value:
                logits[feature.component] += weight * value
        return {name: sigmoid(self.intercept + logit) if logit > 0 else 0.0 for name, logit in logits.items()}

    def verify(self) -> None:
        """Raises ModelError when a golden vector does not give what the trainer gave."""
        for index, (vector, expected) in enumerate(self.golden):
            found = self.probability(vector)
            if abs(found - expected) > TOLERANCE:
                raise ModelError(f"gives {found!r}, not {expected!r}", where=f"golden[{index}]")

    def to_document(self) -> Dict[str, Any]:
        document: Dict[str, Any] = {
            "version": MODEL_VERSION,
            "kind": KIND,
            "features": list(NAMES),
            "weights": list(self.weights),
            "intercept": self.intercept,
            "training": dict(self.training),
            "golden": [{"input": list(vector), "probability": value} for vector, value in self.golden],
        }
        document["sha256"] = digest(document)
        return document


def digest(document: Mapping[str, Any]) -> str:
    """Return the SHA-256 (hex) of a model document without its own ``sha256``."""
    rest = {key: value for key, value in document.items() if key != "sha256"}
    canonical = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def parse_model(text: str) -> Model:
    """Read a model artefact; raises ModelError that names what is wrong and where."""
    if len(text) > MAX_MODEL_BYTES:
        raise ModelError(f"is larger than {MAX_MODEL_BYTES} bytes")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise ModelError("is not a JSON object")
    return model_from_document(document)


def model_from_document(document: Mapping[str, Any]) -> Model:
    """Check and take a model document; raises ModelError."""
    if document.keys() != _KEYS:
        odd = ", ".join(sorted(document.keys() ^ _KEYS))
        raise ModelError(f"missing or unknown keys: {odd}")
    if document["version"] != MODEL_VERSION or document["kind"] != KIND:
        message = f"this apisec reads {KIND} version {MODEL_VERSION}; train the model anew"
        raise ModelError(message, where="version")
    if document["features"] != list(NAMES):
        raise ModelError("are not the features of this apisec; train the model anew", where="features")
    try:
        found = digest(document)
    except ValueError as error:
        raise ModelError(f"cannot be digested: {error}") from error
    if found != document["sha256"]:
        raise ModelError(f"does not fit the content, whose digest is {found}", where="sha256")
    training = document["training"]
    if not isinstance(training, Mapping):
        raise ModelError("is not an object", where="training")
    weights = _vector(document["weights"], "weights")
    intercept = _vector([document["intercept"]] * len(NAMES), "intercept")[0]
    model = Model(weights, intercept, training, _golden(document["golden"]), found)
    model.verify()
    return model


def _vector(value: Any, where: str) -> Tuple[float, ...]:
    if not isinstance(value, list) or len(value) != len(NAMES):
        raise ModelError(f"is not a list of {len(NAMES)} numbers", where=where)
    if not all(type(one) in (int, float) and math.isfinite(one) for one in value):
        raise ModelError("holds something that is not a finite number", where=where)
    return tuple(float(one) for one in value)


def _golden(value: Any) -> Tuple[Tuple[Tuple[float, ...], float], ...]:
    if not isinstance(value, list) or not value:
        raise ModelError("is not a list of at least one golden vector", where="golden")
    found: List[Tuple[Tuple[float, ...], float]] = []
    for index, one in enumerate(value):
        where = f"golden[{index}]"
        if not isinstance(one, dict) or type(one.get("probability")) not in (int, float):
            raise ModelError("needs input and probability", where=where)
        found.append((_vector(one.get("input"), f"{where}.input"), float(one["probability"])))
    return tuple(found)


@lru_cache(maxsize=1)
def default_model() -> Model:
    """Return the model that ships with apisec (``model.json`` beside this file); raises ModelError."""
    data = pkgutil.get_data("apisec.scoring", "model.json")
    if data is None:
        raise ModelError("model.json is missing from apisec.scoring; install apisec again")
    return parse_model(data.decode("utf-8"))
