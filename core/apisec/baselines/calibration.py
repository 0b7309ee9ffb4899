"""What a model's p-values are worth: how often ordinary traffic reached them.

Each judgement of ordinary traffic leaves its evidence (``-log10 p`` by the model, in tenths of a decade) in a
histogram, before the model learns from it. What is told is how often ordinary traffic reached as much, not what the
model believes. Far out nothing was seen yet; there the curve goes on with the slope that the last exceedances have, and
everything is shrunk: of a service towards all services, of all towards ``PRIOR_SLOPE``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Dict, List, Optional

from apisec.baselines.histograms import UNIT, Histogram, descending, flat, unflat
from apisec.baselines.sketches import value_hash
from apisec.errors import DocumentError

PER_DECADE = 10
MAX_DECADES = 20  # further out the slope goes on
LAST_BIN = PER_DECADE * MAX_DECADES
# Decades of truth in a decade of the model, where nothing is known: models of people are too sure of themselves, and
# what everybody does together has bursts, waves and releases that are no matter of chance.
PRIOR_SLOPE, TOTAL_SLOPE = 0.75, 0.3
LEAST_SLOPE, MOST_SLOPE = 0.15, 1.0
PRIOR_EXCEEDANCES = 10.0  # that the prior of the slope, and of each step of the curve, weighs
SLOPE_FROM, SLOPE_TO = 2.0, 6.0  # decades; exceedances beyond count as at least so much (censored)
# Sums over a time differ little from one row to the next: so many rows are taken for one observation, by horizon.
ALIKE = (4.0, 24.0, 72.0)
TRACKED_FROM = 3 * PER_DECADE  # of exceedances of 1e-3 it is remembered whose they are
MAX_TRACKED = 16


class Curve:
    """-log10 of the share of ordinary judgements that reached an evidence."""

    __slots__ = ("slope", "steps")

    def __init__(self, steps: List[float], slope: float) -> None:
        self.steps = steps  # at each tenth of a decade from 0
        self.slope = slope

    def decades(self, evidence: float) -> float:
        """Return the true decades of the model's."""
        position = evidence * PER_DECADE
        index = int(position)
        if index >= LAST_BIN:
            return self.steps[LAST_BIN] + (evidence - MAX_DECADES) * self.slope
        below = self.steps[index]
        return below + (position - index) * (self.steps[index + 1] - below)


def straight(slope: float) -> Curve:
    """Return the curve that takes the model's decades times ``slope``."""
    return Curve([step * slope / PER_DECADE for step in range(LAST_BIN + 1)], slope)


PRIOR_CURVE, TOTAL_CURVE = straight(PRIOR_SLOPE), straight(TOTAL_SLOPE)


class Calibration:
    """Of one counter, scope and horizon: evidences of ordinary judgements."""

    __slots__ = ("curve", "due", "evidences", "tracked")

    def __init__(self) -> None:
        self.evidences = Histogram()
        self.tracked: Dict[str, Dict[int, int]] = {}  # hash of a principal: his exceedances by bin
        self.curve: Optional[Curve] = None
        self.due = 0.0  # the weight of all judgements at which the curve is to be made anew

    def add(self, evidence: float, weight: int, principal: str) -> None:
        """Count a judgement; those that were 0 need not be told, for the book counts all."""
        index = min(LAST_BIN, int(evidence * PER_DECADE))
        if index > 0:
            recent = self.evidences.recent
            recent[index] = recent.get(index, 0) + weight
            if index >= TRACKED_FROM:
                self._track(f"{value_hash(principal) & 0xFFFFFFFF:x}", index, weight)

    def _track(self, principal: str, index: int, weight: int) -> None:
        tracked = self.tracked
        if principal not in tracked and len(tracked) >= MAX_TRACKED:
            del tracked[min(tracked, key=lambda who: (sum(tracked[who].values()), who))]
        own = tracked.setdefault(principal, {})
        own[index] = own.get(index, 0) + weight

    def age(self, generations: int) -> None:
        self.evidences.age(generations)
        self.tracked = {} if generations > 1 else self.tracked
        self.curve, self.due = None, 0.0

    def merge(self, other: Calibration) -> None:
        """Add another one of the same generation."""
        self.evidences.merge(other.evidences)
        for principal, bins in other.tracked.items():
            for index, weight in bins.items():
                self._track(principal, index, weight)
        self.curve, self.due = None, 0.0

    def robust(self) -> Dict[int, int]:
        """Return the evidences less those of the principal with the most exceedances, whoever he is."""
        weights = dict(self.evidences.total())
        if self.tracked:
            largest = max(self.tracked, key=lambda who: (sum(self.tracked[who].values()), who))
            for index, weight in self.tracked[largest].items():
                weights[index] = max(0, weights.get(index, 0) - weight)
        return weights

    def to_state(self) -> List[Any]:
        """Return the histogram's state and whose the highest exceedances are."""
        return [self.evidences.to_state(), {who: flat(bins) for who, bins in sorted(self.tracked.items())}]

    @classmethod
    def from_state(cls, state: Any) -> Calibration:
        """Raises DocumentError when the state is not one of ``to_state``."""
        calibration = cls()
        try:
            evidences, tracked = state
            calibration.evidences = Histogram.from_state(evidences)
            calibration.tracked = {str(who): unflat(bins) for who, bins in tracked.items()}
        except (AttributeError, TypeError, ValueError) as problem:
            raise DocumentError("not the state of a calibration", where="expectations") from problem
        if len(calibration.tracked) > MAX_TRACKED:
            raise DocumentError(f"more than {MAX_TRACKED} principals in a calibration", where="expectations")
        return calibration


def fit_curve(weights: Mapping[int, int], total: int, horizon: int, prior: Curve) -> Curve:
    """Make the curve of evidences: a product of the chances to get from one tenth of a decade to the next.

    Each chance is shrunk towards the prior's, whose slope is shrunk towards that of the exceedances seen.
    """
    unit = 1.0 / UNIT / ALIKE[horizon]
    slope = _slope(weights, unit, prior.slope)
    above = [0.0] * (LAST_BIN + 2)
    for index, reached in descending(weights):
        above[index] = reached * unit
    for index in range(LAST_BIN, -1, -1):
        above[index] = max(above[index], above[index + 1])
    above[0] = max(total * unit, above[1])
    steps = [0.0]
    for index in range(LAST_BIN):
        step = prior.steps[index + 1] - prior.steps[index] if index < SLOPE_TO * PER_DECADE else slope / PER_DECADE
        if above[index] > 0.0:
            usual = math.pow(10.0, -step)
            chance = (above[index + 1] + PRIOR_EXCEEDANCES * usual) / (above[index] + PRIOR_EXCEEDANCES)
            step = -math.log10(chance)
        steps.append(steps[-1] + step)
    return Curve(steps, slope)


def _slope(weights: Mapping[int, int], unit: float, prior: float) -> float:
    """Return the slope of the exceedances by maximum likelihood, censored at ``SLOPE_TO``."""
    seen = decades = 0.0
    start, end = int(SLOPE_FROM * PER_DECADE), int(SLOPE_TO * PER_DECADE)
    for index, weight in weights.items():
        if index >= start:
            seen += weight * unit if index < end else 0.0
            decades += weight * unit * (min(index + 0.5, end) - start) / PER_DECADE
    tenfold = math.log(10.0)
    slope = (seen + PRIOR_EXCEEDANCES) / (tenfold * decades + PRIOR_EXCEEDANCES / prior)
    return min(max(slope, LEAST_SLOPE), MOST_SLOPE)
