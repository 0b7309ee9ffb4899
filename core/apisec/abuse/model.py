"""What a family's features are worth together: a weighted sum of evidence, and its calibration into a p-value.

    z = bias + sum(weight * feature)          weights >= 0: no piece of evidence can be bought off with another
    log10 p = calibration(z)                  piecewise linear, falling; beyond its last knot as steep as ``slope``

Before training every weight is 1, the bias 0 and ``log10 p = -z``: features are evidence in decades.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Dict, Tuple

from apisec.abuse.base import P_FLOOR


@dataclass(frozen=True)
class FamilyModel:
    """``knots`` are (z, log10 p), z rising and log10 p falling; ``slope`` is decades of p per unit of z, positive."""

    bias: float = 0.0
    weights: Mapping[str, float] = field(default_factory=dict)
    knots: Tuple[Tuple[float, float], ...] = ((0.0, 0.0),)
    slope: float = 1.0

    def z(self, features: Mapping[str, float]) -> float:
        """Return the weighted sum; a feature that the model does not know has weight 1 (it is in decades)."""
        z, weights = self.bias, self.weights
        for name, value in sorted(features.items()):  # a loop: sum() rounds otherwise from Python 3.12 on
            z += weights.get(name, 1.0) * value
        return z

    def log10_p(self, z: float) -> float:
        knots = self.knots
        index = bisect_right(knots, (z, float("inf"))) - 1
        if index < 0:
            return min(0.0, knots[0][1])
        left, height = knots[index]
        if index == len(knots) - 1:
            return min(0.0, height - self.slope * (z - left))
        right, below = knots[index + 1]
        share = (z - left) / (right - left) if right > left else 0.0
        return min(0.0, height + share * (below - height))

    def p_value(self, features: Mapping[str, float]) -> float:
        return max(P_FLOOR, math.pow(10.0, max(-300.0, self.log10_p(self.z(features)))))


class Models:
    """The models of all families; a family without one goes by its features as they are."""

    def __init__(self, families: Mapping[str, FamilyModel] = {}) -> None:
        self._families: Dict[str, FamilyModel] = dict(families)

    def get(self, family: str) -> FamilyModel:
        return self._families.get(family, _UNTRAINED)

    def p_value(self, family: str, features: Mapping[str, float]) -> float:
        """Return the chance (``P_FLOOR`` to 1) that ordinary traffic shows this much."""
        return self.get(family).p_value(features)


_UNTRAINED = FamilyModel()
