"""Latency and failures of one operation by the hour, and how they change at a known hour.

A shape says how many requests an hour has and how long they take. The development's shapes are those that the rules
were written with; the held-out ones have other seasons, tails and kinds of disturbance.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from apisec.endpoints.inventory.timing import HourStats

HOURS = 24 * 28  # four weeks
FIRST_HOUR = 472_224  # hours since the epoch: a Thursday at midnight
Hour = tuple[int, HourStats]


@dataclass(frozen=True)
class Shape:
    """``rate``: requests an hour; ``middle``: milliseconds; ``sigma``: of their logarithms. Functions of the hour."""

    name: str
    rate: Callable[[int], float]
    middle: Callable[[int], float]
    sigma: float = 0.5
    noise: float = 0.05  # of hours among themselves, as a logarithm
    correlation: float = 0.0  # of an hour's noise with that of the hour before
    slow_share: float = 0.0  # of requests that take ``slow_times`` as long (a cache's misses)
    slow_times: float = 8.0
    blips: float = 0.0  # chance an hour that it takes three times as long (a garbage collection, a noisy neighbour)
    failures: float = 0.001  # share
    deployments: float = 0.0  # chance a day of an hour twice as slow: caches are cold


def _daily(hour: int, low: float, high: float) -> float:
    return low + (high - low) * (1 - math.cos(2 * math.pi * ((hour % 24) - 3) / 24)) / 2


def _weekend(hour: int) -> bool:
    return (hour // 24 + 4) % 7 >= 5  # the epoch was a Thursday


def _office(hour: int) -> bool:
    return 8 <= hour % 24 < 18 and not _weekend(hour)


_PEAKS = (9, 10, 19, 20)  # hours of the day

DEVELOPMENT = (
    Shape("steady", lambda _: 200, lambda _: 40),
    Shape("steady, few requests", lambda _: 3, lambda _: 40),
    Shape("daily season", lambda h: _daily(h, 20, 400), lambda h: _daily(h, 30, 60)),
    Shape("office hours", lambda h: 300 if _office(h) else 4, lambda h: 80 if _office(h) else 35),
    Shape("slow weekends", lambda _: 120, lambda h: 70 if _weekend(h) else 40),
    Shape("nightly batch", lambda h: 500 if h % 24 in (2, 3) else 60, lambda h: 200 if h % 24 in (2, 3) else 40),
    Shape("correlated load", lambda _: 150, lambda _: 50, noise=0.12, correlation=0.7),
    Shape("cache misses", lambda _: 100, lambda _: 10, slow_share=0.06, sigma=0.3),
    Shape("blips", lambda _: 100, lambda _: 40, blips=0.02),
    Shape("deployments every day", lambda _: 100, lambda _: 40, deployments=1.0),
    Shape("fails now and then", lambda _: 80, lambda _: 40, failures=0.03),
)
HELD_OUT = (
    Shape("steady, heavy tail", lambda _: 90, lambda _: 25, sigma=1.1),
    Shape("two peaks a day", lambda h: 250 if h % 24 in _PEAKS else 30, lambda h: 90 if h % 24 in _PEAKS else 45),
    Shape("busy weekends", lambda h: (1 + 2 * _weekend(h)) * _daily(h, 10, 150), lambda h: 90 if _weekend(h) else 60),
    Shape("weekly job", lambda _: 70, lambda h: 400 if (h // 24 + 4) % 7 == 0 and h % 24 < 5 else 50),
    Shape("ten requests a day", lambda _: 0.4, lambda _: 120, sigma=0.8),
    Shape("wandering", lambda _: 110, lambda _: 45, noise=0.2, correlation=0.8),
    Shape("hits and misses", lambda h: _daily(h, 15, 200), lambda _: 5, slow_share=0.3, slow_times=20, sigma=0.4),
    Shape("noisy neighbour", lambda _: 60, lambda _: 70, blips=0.05, noise=0.1),
    Shape("deployments, few requests", lambda _: 8, lambda _: 40, deployments=1.5),
    Shape("a third fails on Mondays", lambda _: 40, lambda _: 40, failures=0.05),
)  # fmt: skip


@dataclass(frozen=True)
class Shift:
    """What begins at an hour: ``times`` as slow, for a ``share`` of requests, over ``ramp`` hours; more failures."""

    name: str
    times: float = 1.0
    share: float = 1.0
    ramp: int = 0
    failures: float = 0.0

    def factor(self, since: int, chance: random.Random) -> float:
        """Return by what a request takes longer that comes so many hours after the change."""
        if since < 0 or (self.share < 1 and chance.random() >= self.share):
            return 1.0
        part = min(1.0, (since + 1) / self.ramp) if self.ramp else 1.0
        return 1 + (self.times - 1) * part


SHIFTS = (
    Shift("step of 1.3", 1.3),
    Shift("step of 1.5", 1.5),
    Shift("step of 2", 2.0),
    Shift("step of 4", 4.0),
    Shift("ramp to 2 in a day", 2.0, ramp=24),
    Shift("a fifth takes 5 times as long", 5.0, share=0.2),
    Shift("5 % more fail", failures=0.05),
    Shift("20 % more fail", failures=0.2),
)


def hours(shape: Shape, shift: Shift | None, at: int, seed: int) -> Iterator[Hour]:
    """Yield hours with their stats; the shift begins ``at`` hours after the first."""
    chance = random.Random(f"{shape.name}|{shift.name if shift else ''}|{seed}")
    noise = 0.0
    for number in range(HOURS):
        hour = FIRST_HOUR + number
        noise = shape.correlation * noise + math.sqrt(1 - shape.correlation**2) * chance.gauss(0, shape.noise)
        slow = 3.0 if chance.random() < shape.blips else 1.0
        slow *= 2.0 if chance.random() < shape.deployments / 24 else 1.0
        middle = shape.middle(hour) * math.exp(noise) * slow
        stats = HourStats()
        for _ in range(_poisson(shape.rate(hour), chance)):
            latency = middle * chance.lognormvariate(0, shape.sigma)
            if chance.random() < shape.slow_share:
                latency *= shape.slow_times
            if shift is not None:
                latency *= shift.factor(number - at, chance)
            more = shift.failures if shift is not None and number >= at else 0.0
            stats.add(503 if chance.random() < shape.failures + more else 200, latency)
        if stats.count:
            yield hour, stats


def _poisson(mean: float, chance: random.Random) -> int:
    """Return a number of requests (Knuth for few, a normal one for many)."""
    if mean > 30:
        return max(0, round(chance.gauss(mean, math.sqrt(mean))))
    limit, product, count = math.exp(-mean), chance.random(), 0
    while product > limit:
        product *= chance.random()
        count += 1
    return count
