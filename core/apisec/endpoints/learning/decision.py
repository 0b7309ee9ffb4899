"""Which words of a place are values of one parameter: a linear judgement on ``evidence``, made twice.

The first look finds what is surely a value; the second compares what is left with that. Weights are fitted on traffic
made of the development part of public OpenAPI documents (``python -m benchmarks.templating --fit``), with and without
fields of answers, at one to a thousand requests an operation; the examination never saw them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Callable, Dict, List, Tuple

from apisec.endpoints.learning.evidence import Commonness, Place, features

SURE = 0.97  # probability at which a word joins the values that others are compared with
LIKELY = 0.95  # probability at which it is a value: a fixed path lost costs more than a value listed
REASONS = 3
# Words that are values together: none of them surely, but there are many, and each is asked for so seldom that they can
# hardly all be operations.
MANY = 8
SELDOM = -1.2  # mean logarithm: less than a third of how often an operation is asked for
TOGETHER = 0.55  # the probability that each of them has, at least

# feature: weight of the first look, weight of the second
WEIGHTS: Mapping[str, Tuple[float, float]] = {
    "bias": (-3.261, -2.387),
    "density": (-0.734, -1.193),
    "densities": (-0.101, -0.185),
    "once": (0.139, -0.045),
    "familiar": (-1.386, -1.915),
    "weak": (3.569, 3.731),
    "dashed": (2.303, 2.266),
    "upper": (1.516, 3.031),
    "length": (-0.867, -0.228),
    "shares_steps": (2.567, 2.715),
    "has_steps": (-1.366, -0.616),
    "methods_alike": (0.47, 0.433),
    "fields_alike": (2.171, 1.328),
    "fields_known": (-0.474, -0.013),
    "fields_best": (0.057, 0.609),
    "deeper_alike": (0.903, 0.176),
    "values_share": (2.68, 3.646),
    "values_alike": (1.439, 1.711),
    "values_fields": (2.103, 1.867),
    "values_known": (-0.969, -0.355),
    "candidates": (0.419, -0.042),
    "once_share": (3.428, 3.041),
    "familiar_mean": (-3.656, -5.039),
    "steps_mean": (0.23, -0.512),
    "fields_mean": (0.069, -0.767),
    "root": (-1.181, 0.709),
    "after_parameter": (0.501, 1.925),
    "plural": (1.366, 1.065),
    "parent_familiar": (-0.021, -0.139),
    "forgotten": (0.311, 2.527),
    "known_id": (3.0, 3.0),
}

_TEXT = {
    "candidates": "many different words stand here",
    "once_share": "most words came once",
    "once": "it came once",
    "density": "what it is part of is asked for seldom",
    "densities": "what stands here is asked for seldom",
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
    is_value: bool


def judge(place: Place, common: Commonness, is_known: Callable[[str], bool], typical: float) -> Dict[str, Verdict]:
    """Return a verdict for each candidate of a place."""
    numbers = features(place, common, is_known, typical)
    verdicts = {key: _judged(found, 0) for key, found in numbers.items()}
    sure = {key for key, verdict in verdicts.items() if verdict.probability > SURE}
    if sure and len(sure) < len(verdicts):
        again = features(second_look(place, sure), common, is_known, typical)
        verdicts.update((key, _judged(found, 1)) for key, found in again.items())
    likely = [key for key, verdict in verdicts.items() if verdict.probability > TOGETHER]
    if len(likely) >= MANY and sum(numbers[key]["density"] for key in likely) / len(likely) < SELDOM:
        verdicts.update((key, replace(verdicts[key], is_value=True)) for key in likely)
    return verdicts


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
    return Verdict(probability, tuple(_TEXT[name] for _, name in telling), probability > LIKELY)
