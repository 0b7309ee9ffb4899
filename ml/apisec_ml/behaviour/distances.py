"""How far values are from a distribution of which only quantiles are known.

PSI is the population stability index over the bins between the quantiles (sum of (a - e) ln(a / e); below .1 nothing
happened, above .25 look, as in credit scoring: Siddiqi, Credit Risk Scorecards, 2006); KS the greatest difference of
the two distributions at those quantiles.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1.0)
MIN_VALUES = 50  # fewer say nothing about a distribution
FLOOR = 1e-4  # share of an empty bin


def distance_of(quantiles: Sequence[float], values: Sequence[float]) -> dict[str, float | None]:
    """Return PSI and KS of values against the quantiles of the training; None for too few."""
    if len(values) < MIN_VALUES or len(quantiles) != len(QUANTILES):
        return {"psi": None, "ks": None}
    ordered = sorted(values)
    psi = ks = below_expected = below_seen = 0.0
    for share, seen in _bins(quantiles, ordered):
        psi += (seen - share) * math.log(max(seen, FLOOR) / max(share, FLOOR))
        below_expected, below_seen = below_expected + share, below_seen + seen
        ks = max(ks, abs(below_expected - below_seen))
    return {"psi": round(psi, 4), "ks": round(ks, 4)}


def _bins(quantiles: Sequence[float], ordered: Sequence[float]) -> list[tuple[float, float]]:
    """Return expected and seen shares of the bins that the quantiles bound; equal quantiles share one bin."""
    bins: list[tuple[float, float]] = []
    expected = seen = 0.0
    for place, level in sorted({value: level for level, value in zip(QUANTILES, quantiles, strict=True)}.items()):
        reached = bisect_left(ordered, place + 1e-9) / len(ordered)
        bins.append((level - expected, reached - seen))
        expected, seen = level, reached
    return [*bins, (1.0 - expected, 1.0 - seen)]
