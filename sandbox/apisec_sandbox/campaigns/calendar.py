"""When people act: hours of the week, holidays, growth and bursts, in an application's own time zone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

HOUR, DAY, WEEK = 3_600.0, 86_400.0, 604_800.0
MONDAY = 4 * DAY  # the epoch began on a Thursday

# Share of the busiest hour, by hour of the day.
PRIVATE = (
    .10, .06, .04, .03, .04, .08, .20, .36, .48, .52, .55, .58,
    .66, .62, .56, .55, .60, .70, .84, .96, 1.0, .86, .55, .26,
)  # fmt: skip
OFFICE = (
    .02, .01, .01, .01, .02, .05, .15, .45, .90, 1.0, .98, .92,
    .60, .85, .95, .90, .80, .50, .22, .12, .09, .07, .05, .03,
)  # fmt: skip
PRIVATE_DAYS = (0.80, 0.78, 0.80, 0.84, 0.90, 1.0, 0.98)  # Monday first
OFFICE_DAYS = (1.0, 1.0, 0.98, 0.97, 0.85, 0.10, 0.06)


@dataclass(frozen=True)
class Season:
    """``zone``: hours from UTC. ``holidays``: days since the epoch. ``bursts``: from, until, factor."""

    zone: int
    start: float
    holidays: frozenset[int] = frozenset()
    growth: float = 0.01  # a week
    bursts: Sequence[tuple[float, float, float]] = field(default=())

    def level(self, now: float, office: bool) -> float:
        """Return how busy a moment is; 1 is the busiest ordinary hour of the first week."""
        local = now + self.zone * HOUR
        hour = int(local % DAY // HOUR)
        day = int((local - MONDAY) % WEEK // DAY)
        value = OFFICE[hour] * OFFICE_DAYS[day] if office else PRIVATE[hour] * PRIVATE_DAYS[day]
        if int(local // DAY) in self.holidays:
            value *= 0.08 if office else 1.15
        value *= math.exp(self.growth * (now - self.start) / WEEK)
        for begin, end, factor in self.bursts:
            if begin <= now < end and not office:
                value *= factor
        return value

    def next(self, now: float, a_day: float, office: bool, rng: Random, most: float = 6.0) -> float:
        """Return the next moment of a person that acts ``a_day`` times (a Poisson process, thinned)."""
        mean_level = 0.33 if office else 0.50
        rate = a_day / DAY / mean_level
        while True:
            now += rng.expovariate(rate * most)
            if rng.random() * most < self.level(now, office):
                return now


def season(zone: int, start: float, weeks: float, rng: Random) -> Season:
    """Return an application's season: a holiday in two weeks, and a marketing burst of some hours each week or two."""
    days = int(weeks * 7)
    first = int(start // DAY)
    holidays = frozenset(first + rng.randrange(max(1, days)) for _ in range(round(weeks / 2)))
    bursts = []
    for _ in range(max(1, round(weeks * 0.7))):
        begin = start + rng.uniform(0.1, max(0.2, weeks)) * WEEK
        bursts.append((begin, begin + rng.uniform(2, 9) * HOUR, rng.uniform(1.8, 4.5)))
    return Season(zone, start, holidays, rng.uniform(-0.005, 0.03), tuple(bursts))
