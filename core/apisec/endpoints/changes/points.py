"""Since which hour a series is higher than usual: the change point of what lasts until now.

Each point is compared with what is usual for its hour: the median of that hour (and its neighbours) on the days before,
or the same hour a week ago, whichever is higher; so neither mornings nor Mondays are changes. What is left is weighed
by its standard error: of the sample (few requests say little), and of the hours among themselves, robustly (median
absolute deviation), as autocorrelation inflates it. The change point is where the sum since then is most above what
chance makes of it (the likelihood ratio of a step whose height is unknown; Hinkley, Biometrika 57, 1970), and counts
only when nearly every point since then is high.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median
from typing import Dict, List, NamedTuple, Optional

SURE_HOURS = 3  # points since the change; two do when they are far above
SOON = 2
FAR = 1.5  # times the strength, for two
MOST = 0.8  # share of the points since then that must be high
MAX_LASTING = 72  # points that a change is looked for in
MIN_USUAL = 8  # points that say what is usual
MIN_DAYS = 3  # of an hour of the day before it has something usual of its own
DAY, WEEK = 24, 168  # hours
MAD_TO_SIGMA = 1.4826  # of a normal distribution
OWN = 1.15  # what is usual is a median of about nine hours, the hour itself among them
MAX_CORRELATION = 0.8
WINSOR = 4.0  # standard deviations: one hour that is far out counts no more than that


class Need(NamedTuple):
    """``history`` in hours, before which nothing is said, and ``strength`` in standard errors."""

    history: int
    strength: float


WATCHED = Need(192, 6.0)  # a look each hour for each operation and figure; what every week has would be news
ASKED = Need(12, 4.0)  # one look, by who sees how long the history is


class Point(NamedTuple):
    """An hour since the epoch, its level, and the variance that its number of requests leaves."""

    hour: int
    level: float
    variance: float


class Shift(NamedTuple):
    """``hour`` it began, ``place`` in the series, how high it is (levels), and in how many standard errors."""

    hour: int
    place: int
    height: float
    strength: float


def lasting_shift(
    points: Sequence[Point], week_before: Dict[int, float], least: float, floor: float, need: Need = WATCHED
) -> Optional[Shift]:
    """Return since when a series is higher than usual by ``least``, or None.

    ``points`` are in the order of hours, ``week_before`` holds levels by hour since the epoch of the week before them.
    ``floor`` is the least standard deviation of hours among themselves that is believed; ``need`` says how much
    evidence it takes.
    """
    last = len(points) - SOON
    first = max(MIN_USUAL, len(points) - MAX_LASTING)
    history = points[-1].hour - min([points[0].hour, *week_before]) if points else 0
    if last < first or history < need.history:
        return None
    reference = points[: _quiet(points, first, last)]
    usual = _usual(reference, points, week_before)
    rest = [point.level - usual[point.hour] for point in points]
    sigma, inflation = _noise(rest[: len(reference)], floor)
    best: Optional[Shift] = None
    weight = total = 0.0
    for index in range(len(points) - 1, first - 1, -1):
        variance = points[index].variance + sigma * sigma
        bound = WINSOR * math.sqrt(variance)
        clipped = max(-bound, min(bound + least, rest[index]))
        weight += 1 / variance
        total += clipped / variance
        strength = total / weight / math.sqrt(inflation / weight)
        if index <= last and (best is None or strength > best.strength):
            best = Shift(points[index].hour, index, 0.0, strength)
    return _judged(best, rest, least, need.strength) if best is not None else None


def _judged(best: Shift, rest: Sequence[float], least: float, strength: float) -> Optional[Shift]:
    since = rest[best.place :]
    height = median(since)
    needed = strength if len(since) >= SURE_HOURS else FAR * strength
    high = sum(one > height / 2 for one in since)
    if height < least or best.strength < needed or high < MOST * len(since):
        return None
    return best._replace(height=height)


def _quiet(points: Sequence[Point], first: int, last: int) -> int:
    """Return where what says what is usual ends: a day before now where that leaves enough, else before the newest."""
    newest = points[-1].hour
    older = sum(point.hour <= newest - DAY for point in points)
    return max(first, min(last, older)) if older >= MIN_USUAL else first


def _usual(reference: Sequence[Point], points: Sequence[Point], week_before: Dict[int, float]) -> Dict[int, float]:
    """Return the usual level of each hour: by the hour of the day, or what it was a week before if that is more."""
    by_hour: Dict[int, List[Point]] = {}
    for point in reference:
        by_hour.setdefault(point.hour % DAY, []).append(point)
    overall = median(point.level for point in reference)
    of_day: Dict[int, float] = {}
    for here in {point.hour % DAY for point in points}:
        near = [one for step in (-1, 0, 1) for one in by_hour.get((here + step) % DAY, ())]
        levels = [one.level for one in near]
        enough = len({one.hour // DAY for one in near}) >= MIN_DAYS
        of_day[here] = median(levels) if enough else max([overall, *levels])
    usual: Dict[int, float] = {}
    for point in points:
        again = week_before.get(point.hour - WEEK)
        found = of_day[point.hour % DAY]
        usual[point.hour] = found if again is None else max(found, again)
    return usual


def _noise(rest: Sequence[float], floor: float) -> tuple[float, float]:
    """Return the standard deviation of hours among themselves, and by what autocorrelation inflates a variance."""
    middle = median(rest)
    sigma = max(floor, OWN * MAD_TO_SIGMA * median(abs(one - middle) for one in rest))
    bound = WINSOR * sigma
    clipped = [max(-bound, min(bound, one - middle)) for one in rest]
    square = sum(one * one for one in clipped)
    if square <= 0:
        return sigma, 1.0
    correlation = sum(one * other for one, other in zip(clipped, clipped[1:])) / square
    held = max(0.0, min(MAX_CORRELATION, correlation))
    return sigma, (1 + held) / (1 - held)
