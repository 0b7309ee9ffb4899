"""From the weighted evidence z of a family to the chance that ordinary traffic shows as much.

What is counted are ordinary *episodes* (the strongest observation of a principal on a day), and the chance is that of
an ordinary transaction to lie in one that shows z, in any family. A finding is told once an episode; an episode counts
as ten transactions at least. So p = 1e-5, where a score is 90, is one ordinary finding in a million transactions.

Every chance is an upper bound. Where there are episodes it is that of Clopper and Pearson for how many reached z;
beyond, a generalised Pareto tail (Coles, An Introduction to Statistical Modeling of Extreme Values, 2001, chapter 4),
of which the upper quantile over all tails that fit counts. Made-up traffic is cleaner than the world: so calibration
may call a family's evidence rarer than the family itself does by a quarter at most.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy

from apisec.statistics import upper_bound

MIN_TRANSACTIONS = 10  # of an episode: one finding in a million at p = 1e-5
CONFIDENCE = 0.95  # of the shares
TAIL_CONFIDENCE = 0.8  # of the tail beyond, which multiplies with the former
TAIL = 12  # exceedances from which the tail is fitted
MAX_TAIL = 200
PRIOR_STRENGTH = 8.0  # as many exceedances of one decade a unit does the prior count
PRIOR_SHAPE = 20.0  # of the prior exp(-20 shape): a mean shape of .05
GAIN = 1.25  # by so much may evidence be rarer than it says itself
MAX_KNOTS = 24
TAIL_KNOTS = 16
LAST_Z = 40.0  # beyond, the tail goes on straight
LN10 = math.log(10.0)
SHAPES = numpy.linspace(0.0, 0.6, 25)
RATES = numpy.geomspace(0.15, 8.0, 60)  # of a tail where it begins, in units of e a unit of z

Floats = numpy.ndarray


@dataclass(frozen=True)
class Calibration:
    """Knots (z, log10 p) and the decades a unit of z beyond the last of them."""

    knots: tuple[tuple[float, float], ...]
    slope: float
    exceedances: int

    def log10_p(self, z: Floats) -> Floats:
        """Return log10 p of each z; what core does with knots and slope, computed in another way."""
        x = numpy.array([knot[0] for knot in self.knots])
        y = numpy.array([knot[1] for knot in self.knots])
        inside = numpy.interp(z, x, y)
        beyond = numpy.maximum(z - x[-1], 0.0) * self.slope
        return numpy.asarray(numpy.minimum(0.0, inside - beyond))


def trials_of(principal_days: int, transactions: int) -> int:
    """Return how many ordinary episodes there could have been."""
    return min(principal_days, max(1, transactions // MIN_TRANSACTIONS))


def calibrate(z: Sequence[float], trials: int, families: int = 1) -> Calibration:
    """Fit a map to the z of ordinary episodes, of ``trials`` that there could have been (``trials_of``).

    ``families`` is how many families look at the same traffic: the chance is that any of them shows as much
    (Bonferroni). A family of which ordinary traffic shows nothing goes by its own word: p = 10^-z.
    """
    values = numpy.sort(numpy.asarray(z, dtype=float))[::-1]
    values = values[values > 0.0]
    count = len(values)
    if not count:
        return Calibration(((0.0, 0.0),), 1.0, 0)
    trials = max(trials, count + 1)
    bend, last, height = _Bend(), 0.0, 0.0
    for k in _ranks(count):
        last, height = float(values[k - 1]), _share(k, trials, families)
        bend.add(last, height)
    excess = values[: min(MAX_TAIL, max(TAIL, count // 10), count)] - last
    for place, decades in _tail(excess[excess > 0.0], last):
        bend.add(place, height - decades)
    slope = _slope(bend.knots)
    return Calibration(tuple(bend.knots), slope, count)


class _Bend:
    """A falling line of knots, none of which says more than the evidence itself, by a quarter."""

    def __init__(self) -> None:
        self.knots: list[tuple[float, float]] = [(0.0, 0.0)]

    def add(self, place: float, height: float) -> None:
        last, before = self.knots[-1]
        if place > last + 1e-6:
            self.knots.append((place, min(before, max(height, -GAIN * place))))


def _ranks(count: int) -> list[int]:
    """Return which order statistics become knots, from the most common down to where the tail begins."""
    spaced = numpy.geomspace(count, min(TAIL, count), MAX_KNOTS)
    return sorted({round(float(one)) for one in spaced}, reverse=True)


def _share(k: int, trials: int, families: int) -> float:
    """Return log10 of the upper bound of the chance of at least the k-th largest."""
    return math.log10(min(1.0, families * upper_bound(k, trials, CONFIDENCE)))


def _tail(excess: Floats, last: float) -> list[tuple[float, float]]:
    """Return places beyond ``last``, and by how many decades the chance has fallen there, at least."""
    shape, rate, weight = _posterior(excess)
    order_of = numpy.geomspace(0.25, max(LAST_Z - last, 1.0), TAIL_KNOTS)
    found = []
    for beyond in order_of:
        survival = _log_survival(shape, rate, beyond) / LN10
        order = numpy.argsort(survival)
        share = numpy.cumsum(weight[order])
        found.append((last + float(beyond), -float(survival[order][numpy.searchsorted(share, TAIL_CONFIDENCE)])))
    return found


def _posterior(excess: Floats) -> tuple[Floats, Floats, Floats]:
    """Return shapes and rates of generalised Pareto tails, and how well each fits the exceedances and the prior.

    The prior counts as PRIOR_STRENGTH exceedances of an exponential tail that falls one decade a unit of z.
    """
    shape, rate = (one.ravel() for one in numpy.meshgrid(SHAPES, RATES, indexing="ij"))
    scaled = shape[:, None] * rate[:, None] * excess[None, :]
    with numpy.errstate(divide="ignore", invalid="ignore"):
        bent = numpy.where(
            shape[:, None] > 0.0,
            (1.0 / shape[:, None] + 1.0) * numpy.log1p(scaled),
            rate[:, None] * excess[None, :],
        )
    log = len(excess) * numpy.log(rate) - bent.sum(axis=1)
    log += PRIOR_STRENGTH * (numpy.log(rate) - rate / LN10) - PRIOR_SHAPE * shape
    weight = numpy.exp(log - log.max())
    return shape, rate, weight / weight.sum()


def _log_survival(shape: Floats, rate: Floats, beyond: float) -> Floats:
    with numpy.errstate(divide="ignore", invalid="ignore"):
        return numpy.where(shape > 0.0, -numpy.log1p(shape * rate * beyond) / shape, -rate * beyond)


def _slope(knots: Sequence[tuple[float, float]]) -> float:
    """Return how steeply the line ends; never quite flat, for core wants more evidence to be worth more."""
    (before, above), (last, below) = knots[-2], knots[-1]
    return max(1e-3, (above - below) / (last - before))


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
