"""From a histogram to a distribution: negative binomial for counts, log-normal for sizes, shrunk towards a prior.

Empirical Bayes: what is expected is a mean of what was seen and of the prior, weighed by how much was seen. The prior
of an operation is the typical operation of its service, that of a service is ``counters.prior``. In means the highest
sums are cut, and shapes are fitted where 2–30 % of the weight lies above, so that few odd ones move neither.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import List, NamedTuple, Tuple, Union

from apisec.baselines.counters import Prior
from apisec.baselines.histograms import UNIT, descending, lower_edge, middle_of
from apisec.baselines.tails import decades, log_normal_decades, negative_binomial_tail

# Rows of a principal follow each other and are much alike: four are taken for one observation.
ROWS_ALIKE = 4.0
CAP = 2.0  # times what 2 % of the weight reach, at most, counts a sum in the mean
LEVELS = (0.02, 0.08, 0.3)  # of the weight lies above where shapes are fitted
RARE = 2.0
DOUBLING, DOUBLING_CASES = 0.15, 6.0  # prior: of the highest, as many do twice as much; and the cases it weighs
GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0
LEAST_SIZE, MOST_SIZE = 1e-4, 2_000.0  # of fitted distributions; the highest is nearly Poisson's
SIZE_STEPS = 11  # of the golden section: a size is right to 10 %
LEAST_ROWS, MOST_ROWS = 5.0, 200.0  # that the typical operation weighs
LEAST_SIGMA, MOST_SIGMA = 0.25, 4.0


class Counts(NamedTuple):
    """A negative binomial."""

    mean: float
    size: float

    def decades(self, seen: float) -> float:
        """Return -log10 of the chance to see at least this much."""
        return decades(negative_binomial_tail(seen, self.mean, self.size))


class Sizes(NamedTuple):
    """A log-normal, of the ``share`` that is above 0."""

    median: float
    sigma: float
    share: float

    @property
    def mean(self) -> float:
        """What is expected: the median, for means of such sizes are made by the few highest."""
        return self.median

    def decades(self, seen: float) -> float:
        """Return -log10 of the chance to see at least this much."""
        if seen <= 0.0:
            return 0.0
        return log_normal_decades(seen, self.median, self.sigma) - math.log10(self.share)


Fit = Union[Counts, Sizes]


def fit_counts(weights: Mapping[int, int], total: int, prior: Prior, prior_rows: float) -> Counts:
    """Fit a negative binomial to a histogram of this total weight; ``prior_rows`` is what the prior weighs."""
    rows = total / UNIT / ROWS_ALIKE
    highest, _ = _exceedance(weights, total, LEVELS[0])
    seen = sum(min(middle_of(index), CAP * highest) * weight for index, weight in weights.items()) / max(total, 1)
    mean = (rows * seen + prior_rows * prior.location) / (rows + prior_rows)
    targets: List[Tuple[float, float]] = []
    for level in LEVELS:
        edge, share = _exceedance(weights, total, level)
        expected = negative_binomial_tail(edge, prior.location, prior.shape)
        target = (rows * share + prior_rows * expected) / (rows + prior_rows)
        if target > 0.0 and all(edge != known for known, _ in targets):
            targets.append((edge, target))
    if highest <= RARE:  # one or two are all that is seen: what more would be is not said by the rest
        targets.append((2.0 * highest, targets[0][1] * _doubling(weights, highest)))
    return Counts(mean, _size_for(mean, targets))


def _doubling(weights: Mapping[int, int], edge: float) -> float:
    """Return how many of those who reach an edge reach twice as much; few cases say little of that."""
    reached = sum(weight for index, weight in weights.items() if lower_edge(index) >= edge)
    doubled = sum(weight for index, weight in weights.items() if lower_edge(index) >= 2.0 * edge)
    unit = 1.0 / UNIT / ROWS_ALIKE
    return (doubled * unit + DOUBLING_CASES * DOUBLING) / (reached * unit + DOUBLING_CASES)


def _exceedance(weights: Mapping[int, int], total: int, level: float) -> Tuple[float, float]:
    """Return the highest edge that at least ``level`` of the weight reaches, and the share that does; at least 1."""
    reached = 0
    for index, above in descending(weights):
        reached = above
        if above >= level * total:
            return max(1.0, lower_edge(index)), above / total
    return 1.0, reached / total if total else 0.0


def _size_for(mean: float, targets: List[Tuple[float, float]]) -> float:
    """Return the size whose tails come closest to the targets (edge, share above) on the logarithmic scale."""

    def loss(size: float) -> float:
        return sum((decades(negative_binomial_tail(edge, mean, size)) - decades(share)) ** 2 for edge, share in targets)

    low, high = math.log(LEAST_SIZE), math.log(MOST_SIZE)
    left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    at_left, at_right = loss(math.exp(left)), loss(math.exp(right))
    for _ in range(SIZE_STEPS):
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - GOLDEN * (high - low)
            at_left = loss(math.exp(left))
        else:
            low, left, at_left = left, right, at_right
            right = low + GOLDEN * (high - low)
            at_right = loss(math.exp(right))
    return math.exp(left if at_left <= at_right else right)


def fit_sizes(weights: Mapping[int, int], total: int, prior: Prior, prior_rows: float) -> Sizes:
    """Fit a log-normal to what is above 0; the prior's share above 0 is one half."""
    positive = sum(weights.values())
    rows = positive / UNIT / ROWS_ALIKE
    share = (positive / UNIT / ROWS_ALIKE + 0.5 * prior_rows) / (total / UNIT / ROWS_ALIKE + prior_rows)
    if not positive:
        return Sizes(prior.location, prior.shape, min(1.0, share))
    marks = [math.log(max(_quantile(weights, positive, above), 1e-9)) for above in (0.5, 0.16, 0.04)]
    # 16 % of a normal distribution lie above 0.994 sigma, 4 % above 1.751.
    sigma = max((marks[1] - marks[0]) / 0.994, (marks[2] - marks[0]) / 1.751)
    weigh = rows / (rows + prior_rows)
    median = math.exp(weigh * marks[0] + (1 - weigh) * math.log(prior.location))
    variance = weigh * sigma * sigma + (1 - weigh) * prior.shape**2
    # Where the prior is far from what was seen, their distance is spread as well.
    variance += weigh * (1 - weigh) * (marks[0] - math.log(prior.location)) ** 2
    return Sizes(median, min(max(math.sqrt(variance), LEAST_SIGMA), MOST_SIGMA), min(1.0, share))


def _quantile(weights: Mapping[int, int], positive: int, above: float) -> float:
    for index, reached in descending(weights):
        if reached >= above * positive:
            return middle_of(index)
    return 0.0


def typical_of(known: Sequence[Tuple[Fit, float]]) -> Tuple[Prior, float]:
    """Return the typical one of some operations' fits (each with its rows), and how many rows it weighs.

    The weight is the variance within operations over that between them, by the method of moments (Morris, J. Am. Stat.
    Assoc. 78, 1983), on the logarithms of the means: where operations are alike, they know a new one well.
    """
    logs = [math.log(max(fit.mean, 1e-6)) for fit, _ in known]
    middle = sum(logs) / len(logs)
    variance = sum((one - middle) ** 2 for one in logs) / (len(logs) - 1)
    within = [_row_variance(fit) for fit, _ in known]
    noise = sum(one / max(rows, 1.0) for one, (_, rows) in zip(within, known)) / len(known)
    between = variance - noise
    rows = sorted(within)[len(within) // 2] / between if between > 0.0 else MOST_ROWS
    shape = math.exp(sum(math.log(max(fit[1], 1e-6)) for fit, _ in known) / len(known))
    if isinstance(known[0][0], Sizes):
        shape = math.sqrt(shape * shape + max(0.0, between))
    return Prior(math.exp(middle), shape), min(max(rows, LEAST_ROWS), MOST_ROWS)


def _row_variance(fit: Fit) -> float:
    """Return by how much one row's logarithm varies."""
    return fit.sigma**2 if isinstance(fit, Sizes) else 1.0 / max(fit.mean, 0.05) + 1.0 / fit.size
