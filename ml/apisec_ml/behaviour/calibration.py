"""From the weighted evidence z of a family to the chance that ordinary traffic shows as much.

The unit of the chance is an ordinary principal-day: of so many days that ordinary principals spent with the API, on
how many did the family's strongest observation reach z? Where there are enough of them the share itself is the
answer; beyond, an exponential tail (the generalised Pareto distribution with shape 0; Coles 2001, chapter 4), whose
rate is held to a prior of one decade a unit, so that a quiet family does not become certain by having seen little.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy

TAIL = 12  # exceedances from which the tail is fitted
PRIOR_STRENGTH = 4.0  # as many exceedances does the prior count
PRIOR_SLOPE = 1.0  # decades of p a unit of z: features are decades
MAX_SLOPE = 1.5
MAX_KNOTS = 24
LN10 = math.log(10.0)


@dataclass(frozen=True)
class Calibration:
    """Knots (z, log10 p) and the decades a unit of z beyond the last of them."""

    knots: tuple[tuple[float, float], ...]
    slope: float
    exceedances: int

    def log10_p(self, z: numpy.ndarray) -> numpy.ndarray:
        """Return log10 p of each z; what core does with knots and slope, computed in another way."""
        x = numpy.array([knot[0] for knot in self.knots])
        y = numpy.array([knot[1] for knot in self.knots])
        inside = numpy.interp(z, x, y)
        beyond = numpy.maximum(z - x[-1], 0.0) * self.slope
        return numpy.asarray(numpy.minimum(0.0, inside - beyond))


def calibrate(z: Sequence[float], trials: int, families: int = 1) -> Calibration:
    """Fit a map to the z of ordinary episodes, of ``trials`` ordinary principal-days.

    ``families`` is how many families look at the same day: the chance is that any of them shows as much (Bonferroni).
    """
    values = numpy.sort(numpy.asarray(z, dtype=float))[::-1]
    values = values[values > 0.0]
    count = len(values)
    trials = max(trials, count + 1)
    knots: list[tuple[float, float]] = [(0.0, 0.0)]
    tail = min(TAIL, count)
    for k in _ranks(count):
        place, height = float(values[k - 1]), _share(k, trials, families)
        # Few exceedances prove little: between them and the features' own word, by how many there are.
        trust = k / (k + PRIOR_STRENGTH)
        height = min(0.0, trust * height - (1.0 - trust) * PRIOR_SLOPE * place)
        if place > knots[-1][0] + 1e-6 and height <= knots[-1][1]:
            knots.append((place, height))
    excess = float(numpy.sum(values[: max(0, tail - 1)] - values[tail - 1])) if tail > 1 else 0.0
    # Posterior mean of an exponential rate with a gamma prior; per ln, then per decade.
    rate = (max(0, tail - 1) + PRIOR_STRENGTH) / (excess + PRIOR_STRENGTH / (PRIOR_SLOPE * LN10))
    return Calibration(tuple(knots), min(MAX_SLOPE, rate / LN10), count)


def _ranks(count: int) -> list[int]:
    """Return which order statistics become knots, from the most common down to where the tail begins."""
    if not count:
        return []
    spaced = numpy.geomspace(count, min(TAIL, count), MAX_KNOTS)
    return sorted({round(float(one)) for one in spaced}, reverse=True)


def _share(k: int, trials: int, families: int) -> float:
    """Return log10 of the chance of at least the k-th largest: (k + 1) / (n + 1) errs on the side of silence."""
    return math.log10(min(1.0, families * (k + 1) / (trials + 1)))


def exceedances(calibration: Calibration, z: Sequence[float], trials: int) -> dict[str, float]:
    """Return how often other ordinary episodes are called as rare as 1e-2 to 1e-5, over how often they should be."""
    if not trials:
        return {}
    log10_p = calibration.log10_p(numpy.asarray(z, dtype=float)) if len(z) else numpy.array([])
    found = {}
    for decades in (2, 3, 4, 5):
        expected = trials * 10.0**-decades
        found[f"1e-{decades}"] = round(float((log10_p <= -decades).sum()) / expected, 2)
    return found
