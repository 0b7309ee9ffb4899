"""What an hour brings: season of the week, recent level, and how much hours, days and weeks deviate.

The season has 168 hours of the week, each shrunk towards its hour of a working day or weekend, and that towards the
mean, as far as the evidence goes (empirical Bayes: variance between cells against the noise within). The level is that
of the last seven days less the highest two. Everything is found from whole hours before a day: a day is judged by
what was known in its morning, whoever asks and whenever.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import List, NamedTuple, Tuple

WEEK = 168  # hours
KINDS = 48  # hours of a working day and of the weekend
MAX_HOURS = 4 * WEEK  # are remembered
SPARSE = 50.0  # counts in all hours, below which there is no season to see
LEVEL_DAYS, LEVEL_CUT = 7, 2
MAX_RATIO = 3.0  # an hour counts at most so many times what its kind of hour has
TRIM = 0.02  # of the hours, those that deviate most, do not count for how much hours deviate
HOUR_SPREAD, HOUR_WEIGHT = 0.1, 48.0  # prior of the squared coefficient of variation beyond Poisson's
DAY_SPREAD, DAY_WEIGHT = 0.05, 5.0
WEEK_SHARE = 0.6  # days of a week deviate together: of the variance of a day, this much stays in a week
# Summer time moves people by an hour, and the hour that the ramp of the morning comes early has the neighbour's load.
NEIGHBOUR = 0.6
SHIFT_HOURS, SHIFT_GAIN = 48, 5.0  # the last hours, and the log-likelihood by which a moved season must be better


class Outlook(NamedTuple):
    """``season`` is what each hour of the week is expected to bring; ``spreads`` are for an hour, a day and a week."""

    season: Tuple[float, ...]
    sums: Tuple[float, ...]  # of the season, from the week's first hour on
    spreads: Tuple[float, float, float]

    def expected(self, slot: int, horizon: int) -> float:
        """Return what the 12, 288 or 2016 slots up to and including this one are expected to bring."""
        if horizon == 2:
            return self.sums[WEEK]
        hour = hour_of_week(slot // 12)
        part = (slot % 12 + 1) / 12.0
        if horizon == 0:
            now, before = self._up(hour), self._up(hour - 1)
            return part * now + (1.0 - part) * before
        # 24 hours that end within this hour: that of yesterday counts for the rest.
        return self._sum(hour - 23, hour) + part * self.season[hour] + (1.0 - part) * self.season[hour - 24]

    def _up(self, hour: int) -> float:
        season = self.season
        return max(season[hour % WEEK], NEIGHBOUR * max(season[(hour - 1) % WEEK], season[(hour + 1) % WEEK]))

    def _sum(self, first: int, end: int) -> float:
        """Sum the season from hour ``first`` (may be below 0) up to ``end``, exclusive."""
        return (
            self.sums[end] - self.sums[first]
            if first >= 0
            else self.sums[end] + self.sums[WEEK] - self.sums[first + WEEK]
        )


def hour_of_week(hour: int) -> int:
    """Return 0 for Monday's first hour, UTC; ``hour`` counts from the epoch, which was a Thursday."""
    return (hour + 72) % WEEK


def kind_of(hour: int) -> int:
    """Return 0-23 for working days, 24-47 for Saturday and Sunday."""
    return hour % 24 + (24 if hour_of_week(hour) >= 120 else 0)


def outlook(values: Sequence[float], start: int) -> Outlook:
    """Find the outlook of a counter's whole hours; ``start`` is the first one's number. At least one hour."""
    total = sum(values)
    if total < SPARSE:
        # A half in a day is what is thought of something that never happened.
        mean = (total + 0.5) / (len(values) + 24.0)
        return _outlook([mean] * WEEK, (1.0, 1.0, 1.0))
    shape = _season(values, start)
    levels = _levels(values, start, shape)
    shift = _shift(values, start, shape, levels[-1])
    spreads = _spreads(values, start, shape, levels)
    return _outlook([levels[-1] * shape[(hour + shift) % WEEK] for hour in range(WEEK)], spreads)


def _outlook(season: List[float], spreads: Tuple[float, float, float]) -> Outlook:
    sums = [0.0]
    for value in season:
        sums.append(sums[-1] + value)
    return Outlook(tuple(season), tuple(sums), spreads)


def _season(values: Sequence[float], start: int) -> List[float]:
    """Return the week's factors, 1 in the mean."""
    mean = sum(values) / len(values)
    by_kind: List[List[float]] = [[] for _ in range(KINDS)]
    for index, value in enumerate(values):
        by_kind[kind_of(start + index)].append(value / mean)
    kinds = _shrunk([_without_burst(cell) for cell in by_kind], [1.0] * KINDS)
    by_hour: List[List[float]] = [[] for _ in range(WEEK)]
    usual = [0.0] * WEEK
    for hour in range(WEEK):
        usual[hour] = max(kinds[hour % 24 + (24 if hour >= 120 else 0)], 0.02)
    for index, value in enumerate(values):
        hour = hour_of_week(start + index)
        by_hour[hour].append(min(value / mean / usual[hour], MAX_RATIO))
    factors = _shrunk(by_hour, [1.0] * WEEK) if len(values) >= 2 * WEEK else [1.0] * WEEK
    season = [one * factor for one, factor in zip(usual, factors)]
    scale = WEEK / sum(season)
    return [one * scale for one in season]


def _without_burst(cell: List[float]) -> List[float]:
    """Let the highest value count as the second one where there are four: a burst is no season."""
    ordered = sorted(cell)
    return [*ordered[:-1], ordered[-2]] if len(ordered) >= 4 else ordered


def _shrunk(cells: Sequence[Sequence[float]], towards: Sequence[float]) -> List[float]:
    """Return the cells' means, each drawn towards its prior by the noise within cells against the spread between."""
    means = [sum(cell) / len(cell) if cell else prior for cell, prior in zip(cells, towards)]
    within = [
        sum((value - mean) ** 2 for value in cell) / (len(cell) - 1)
        for cell, mean in zip(cells, means)
        if len(cell) > 1
    ]
    if not within:
        # One value a cell: half of what is seen is taken for noise.
        return [0.5 * (mean + prior) for mean, prior in zip(means, towards)]
    noise = sum(within) / len(within)
    counts = [len(cell) for cell in cells if cell]
    typical = len(counts) / sum(1.0 / count for count in counts)
    between = sum((mean - prior) ** 2 for mean, prior in zip(means, towards)) / len(means) - noise / typical
    if between <= 0.0:
        return list(towards)
    pull = noise / between  # observations that the prior weighs
    return [
        (len(cell) * mean + pull * prior) / (len(cell) + pull) if cell else prior
        for cell, mean, prior in zip(cells, means, towards)
    ]


def _levels(values: Sequence[float], start: int, shape: Sequence[float]) -> List[float]:
    """Return the level at the end of each day: values are a level times the season."""
    days: List[float] = []
    for first in range(0, len(values), 24):
        part = values[first : first + 24]
        usual = sum(shape[hour_of_week(start + first + index)] for index in range(len(part)))
        if len(part) >= 12:  # a shorter rest says little
            days.append(sum(part) / usual)
    if not days:
        return [sum(values) / len(values)]
    return [_robust_level(days[max(0, end - LEVEL_DAYS) : end]) for end in range(1, len(days) + 1)]


def _robust_level(days: Sequence[float]) -> float:
    """Return the mean of the days less the highest two and the lowest one, as far as there are enough."""
    ordered = sorted(days)
    if len(ordered) >= 6:
        ordered = ordered[1:-LEVEL_CUT]
    elif len(ordered) >= 3:
        ordered = ordered[:-1]
    return max(sum(ordered) / len(ordered), 1e-6)


def _spreads(
    values: Sequence[float], start: int, shape: Sequence[float], levels: Sequence[float]
) -> Tuple[float, float, float]:
    """Return the squared coefficients of variation beyond Poisson's, each day against the level of the days before."""
    hours: List[Tuple[float, float]] = []  # deviation squared less Poisson's variance, expected squared
    days: List[Tuple[float, float]] = []
    for day, first in enumerate(range(0, len(values), 24)):
        level = levels[min(max(day - 1, 0), len(levels) - 1)]
        whole, usual = 0.0, 0.0
        for index, value in enumerate(values[first : first + 24]):
            expected = level * shape[hour_of_week(start + first + index)]
            hours.append(((value - expected) ** 2 - expected, expected * expected))
            whole, usual = whole + value, usual + expected
        if day:
            days.append(((whole - usual) ** 2 - usual, usual * usual))
    hour = _spread(hours, HOUR_SPREAD, HOUR_WEIGHT)
    day_spread = _spread(days, DAY_SPREAD, DAY_WEIGHT)
    return hour + day_spread / LEVEL_DAYS, day_spread, WEEK_SHARE * day_spread


def _spread(terms: List[Tuple[float, float]], prior: float, weight: float) -> float:
    kept = sorted(terms, key=lambda term: term[0] / term[1])
    kept = kept[: len(kept) - math.ceil(TRIM * len(kept))]
    squares = sum(square for _, square in kept)
    seen = max(0.0, sum(excess for excess, _ in kept) / squares) if squares > 0.0 else 0.0
    return (len(kept) * seen + weight * prior) / (len(kept) + weight)


def _shift(values: Sequence[float], start: int, shape: Sequence[float], level: float) -> int:
    """Return by how many hours (-1, 0, 1) the last two days came early: summer time begins or ends."""
    first = len(values) - SHIFT_HOURS
    if first < 2 * WEEK:
        return 0

    def likelihood(shift: int) -> float:
        total = 0.0
        for index in range(first, len(values)):
            expected = level * shape[(hour_of_week(start + index) + shift) % WEEK]
            total += values[index] * math.log(max(expected, 1e-9)) - expected
        return total

    # Counts that vary more than Poisson's say less than their likelihood.
    mean = sum(values[first:]) / SHIFT_HOURS
    usual = likelihood(0)
    gains = {shift: (likelihood(shift) - usual) / (1.0 + HOUR_SPREAD * mean) for shift in (-1, 1)}
    best = max(gains, key=lambda shift: gains[shift])
    return best if gains[best] >= SHIFT_GAIN else 0


SHARE_SPREAD, SHARE_WEIGHT = 0.5, 24.0  # prior of how much the share of an hour's requests varies, and its hours
SHARE_HORIZONS = (1.0, 1.0, 1.0)  # of that, what stays in a day and a week: waves of failures are not evened out


class Share(NamedTuple):
    """What part of the requests a counter is."""

    share: float
    spread: float  # squared coefficient of variation of an hour beyond Poisson's


def share_of(parts: Sequence[float], wholes: Sequence[float]) -> Share:
    """Find the share from whole hours, less those with the most beyond it."""
    pairs = [(part, whole) for part, whole in zip(parts, wholes) if whole > 0.0]
    rough = (sum(part for part, _ in pairs) + 0.5) / (sum(whole for _, whole in pairs) + 1.0)
    pairs.sort(key=lambda pair: pair[0] - rough * pair[1])
    kept = pairs[: len(pairs) - math.ceil(TRIM * len(pairs))] if len(pairs) >= 24 else pairs
    share = (sum(part for part, _ in kept) + 0.5) / (sum(whole for _, whole in kept) + 1.0)
    terms = [((part - share * whole) ** 2 - share * whole, (share * whole) ** 2) for part, whole in kept]
    return Share(share, _spread(terms, SHARE_SPREAD, SHARE_WEIGHT))
