"""The features that the model weighs: each a number from 0 (nothing) to 1, each of one component.

The order is part of the model artefact's contract; a new feature goes to the end of its component and gives
the artefact a new version.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Mapping, Tuple

COMPONENTS = ("object", "sequence", "payload", "identity", "volume")


@dataclass(frozen=True)
class Feature:
    name: str
    component: str
    text: str


FEATURES: Tuple[Feature, ...] = (
    Feature("object_excess", "object", "Different object ids in an hour against what is ordinary, log scale."),
    Feature("object_misses", "object", "Share of the hour's requests for objects that were refused or not found."),
    Feature("object_walk", "object", "Share of ids that are neighbours of the id before."),
    Feature("object_foreign", "object", "Share of ids that another principal had touched first."),
    Feature("object_unissued", "object", "Share of ids that no response seen before gave to this principal."),
    Feature("sequence_skip", "sequence", "Certainty that a required earlier step was left out."),
    Feature("sequence_repeat", "sequence", "How often in the hour this principal left steps out, log scale."),
    Feature("payload_signal", "payload", "Combined score of the injection signals in the request."),
    Feature("payload_response", "payload", "The response to such a request is an error or of unusual size."),
    Feature("payload_repeat", "payload", "How many requests of the hour carried signals, log scale."),
    Feature("identity_change", "identity", "How much of network, TLS client and agent changed under a credential."),
    Feature("identity_overlap", "identity", "The changed client and the former one take turns."),
    Feature("volume_excess", "volume", "Requests in an hour against what is ordinary, log scale."),
    Feature("volume_errors", "volume", "Share of the principal's requests in the hour that failed."),
)
NAMES = tuple(feature.name for feature in FEATURES)

EXCESS_DOUBLINGS = 5.0  # 32 times what is ordinary counts as the most


def excess(count: float, expected: float) -> float:
    """Return 0 at or below what is expected, 1 at ``EXCESS_DOUBLINGS`` doublings of it and beyond."""
    if count <= expected or expected <= 0:
        return 0.0
    return min(1.0, math.log2(count / expected) / EXCESS_DOUBLINGS)


def saturating(count: float, doublings: float) -> float:
    """Return 0 for none, 1 when ``count`` + 1 reaches 2 to the power of ``doublings``."""
    return min(1.0, math.log2(1.0 + count) / doublings)


def share(part: float, whole: float, prior: float) -> float:
    """Return ``part`` of ``whole``, careful with little: ``prior`` uneventful ones are added."""
    return part / (whole + prior)


def noisy_or(scores: Tuple[float, ...]) -> float:
    """Return the chance that at least one of independent signals is right."""
    miss = 1.0
    for score in scores:
        miss *= 1.0 - min(max(score, 0.0), 1.0)
    return 1.0 - miss


def is_answer(signal: Mapping[str, Any]) -> bool:
    """Return whether a signal of an event is of the response, and so no attack by itself."""
    return str(signal.get("where", "")).startswith("response")
