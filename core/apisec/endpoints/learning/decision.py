"""Which words of a place are values of one parameter: a linear judgement on ``evidence``, made twice.

The first look finds what is surely a value; the second compares what is left with that. Weights are fitted on traffic
made of the development part of public OpenAPI documents (``python -m benchmarks.templating --fit``), with and without
fields of answers, at one to 150 requests an operation; the examination never saw them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Callable, Dict, List, Tuple

from apisec.endpoints.learning.evidence import Commonness, Place, features

SURE = 0.9  # probability at which a word joins the values that others are compared with
LIKELY = 0.75  # probability at which it is a value: a fixed path lost costs more than a value listed
REASONS = 3

# feature: weight of the first look, weight of the second
WEIGHTS: Mapping[str, Tuple[float, float]] = {
    "bias": (-0.816, 0.39),
    "count": (-0.568, -0.65),
    "density": (-0.593, -0.849),
    "densities": (-0.593, -1.559),
    "once": (-0.189, -0.422),
    "familiar": (-1.525, -1.912),
    "weak": (3.787, 3.471),
    "dashed": (2.207, 2.814),
    "upper": (1.629, 2.465),
    "length": (-0.873, -0.598),
    "shares_steps": (2.722, 2.584),
    "has_steps": (-0.711, 0.013),
    "methods_alike": (0.127, -0.339),
    "fields_alike": (2.344, 0.126),
    "fields_known": (-0.223, -0.425),
    "fields_best": (0.075, 0.811),
    "deeper_alike": (1.534, 1.039),
    "values_share": (1.623, 2.524),
    "values_alike": (1.526, 1.591),
    "values_fields": (2.104, 2.242),
    "values_known": (-1.102, -0.599),
    "candidates": (0.278, -0.029),
    "requests": (0.506, 0.918),
    "once_share": (1.104, 1.665),
    "familiar_mean": (-3.528, -4.653),
    "steps_mean": (-0.094, 0.585),
    "fields_mean": (0.165, -0.792),
    "spread": (1.253, 1.562),
    "root": (-1.2, -1.466),
    "after_parameter": (0.305, 1.149),
    "plural": (1.28, 1.403),
    "parent_familiar": (0.249, 0.032),
    "forgotten": (0.01, 0.0),
}

_TEXT = {
    "candidates": "many different words stand here",
    "spread": "new words keep coming",
    "once_share": "most words came once",
    "once": "it came once",
    "density": "what it is part of is asked for seldom",
    "densities": "what stands here is asked for seldom",
    "count": "it is asked for as often as a fixed path",
    "requests": "its siblings are asked for as often as fixed paths",
    "familiar": "it is made of words that fixed paths are made of",
    "familiar_mean": "its siblings are made of words that fixed paths are made of",
    "shares_steps": "the same words follow it and its siblings",
    "steps_mean": "the same words follow its siblings",
    "fields_alike": "it is answered as its siblings are",
    "fields_best": "it is answered as one of its siblings is",
    "fields_mean": "its siblings are answered alike",
    "deeper_alike": "what follows it is answered as what follows its siblings",
    "values_alike": "the same words follow it and known values",
    "values_fields": "it is answered as known values are",
    "values_share": "values stand here",
    "values_known": "values stand here",
    "weak": "it has the shape of a value",
    "dashed": "it is made of parts",
    "upper": "it begins with a capital",
    "plural": "a collection stands before it",
    "root": "it stands at the start of paths",
    "after_parameter": "a parameter stands before it",
    "known_id": "it was seen as an id elsewhere",
}


@dataclass(frozen=True)
class Verdict:
    """What is said of one word at a place: the probability that it is a value, and what weighed most."""

    probability: float
    reasons: Tuple[str, ...]

    @property
    def is_value(self) -> bool:
        return self.probability > LIKELY


def judge(place: Place, common: Commonness, is_known: Callable[[str], bool], typical: float) -> Dict[str, Verdict]:
    """Return a verdict for each candidate of a place."""
    first = {key: _judged(f, 0) for key, f in features(place, common, is_known, typical).items()}
    sure = {key for key, verdict in first.items() if verdict.probability > SURE}
    if not sure or len(sure) == len(first):
        return first
    narrowed = second_look(place, sure)
    second = {key: _judged(f, 1) for key, f in features(narrowed, common, is_known, typical).items()}
    return {**first, **second}


def second_look(place: Place, sure: set[str]) -> Place:
    """Return the place with the sure ones among its values."""
    moved = tuple(p for p in place.candidates if p.key in sure)
    return Place(
        place.depth,
        place.parent,
        tuple(p for p in place.candidates if p.key not in sure),
        place.values + moved,
        place.forgotten,
        place.distinct + len(moved),
    )


def _judged(numbers: Mapping[str, float], look: int) -> Verdict:
    weighed: List[Tuple[float, str]] = [(numbers[name] * WEIGHTS[name][look], name) for name in WEIGHTS]
    total = sum(weight for weight, _ in weighed)
    probability = 1.0 / (1.0 + math.exp(-max(-50.0, min(50.0, total))))
    towards = [(weight if total > 0 else -weight, name) for weight, name in weighed if name in _TEXT]
    telling = sorted((item for item in towards if item[0] > 0.3), reverse=True)[:REASONS]
    return Verdict(probability, tuple(_TEXT[name] for _, name in telling))
