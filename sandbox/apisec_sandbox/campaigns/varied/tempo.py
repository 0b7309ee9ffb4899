"""When a campaign sends: tempos of each style, drawn from wide ranges. A tempo yields the time of each next request."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from apisec_sandbox.campaigns.calendar import DAY, HOUR

if TYPE_CHECKING:
    from apisec_sandbox.campaigns.varied.campaign import Attack

Tempo = Callable[["Attack"], Iterator[float]]


def between(low: float, high: float, draw: float) -> float:
    """Return a value between two on a logarithmic scale; ``draw`` is from 0 to 1."""
    return math.exp(math.log(low) + draw * (math.log(high) - math.log(low)))


def steady(attack: Attack) -> Iterator[float]:
    """One after the other with exponential pauses, as threads do it."""
    mean = attack.span / max(1, attack.goal)
    now = attack.begin
    while True:
        yield now
        now = attack.now + attack.rng.expovariate(1.0 / mean)


def timer(attack: Attack) -> Iterator[float]:
    """A fixed pause with a little jitter."""
    period, jitter = attack.span / max(1, attack.goal), attack.rng.choice((0.01, 0.1, 0.5))
    now = attack.begin
    while True:
        yield now
        now = attack.now + period * attack.rng.uniform(1.0 - jitter, 1.0 + jitter)


def volleys(attack: Attack) -> Iterator[float]:
    """Volleys at a machine's speed, and silence between them."""
    rng = attack.rng
    size = max(3, round(between(5, 120, rng.random())))
    fast = min(between(0.03, 1.5, rng.random()), 0.5 * attack.span / max(1, attack.goal))
    silence = attack.span / max(1.0, attack.goal / size)
    now = attack.begin
    while True:
        for _ in range(max(1, round(size * rng.uniform(0.5, 1.5)))):
            yield now
            now = attack.now + rng.expovariate(1.0 / fast)
        now = attack.now + silence * rng.lognormvariate(-0.2, 0.6)


def ramp(attack: Attack) -> Iterator[float]:
    """Slow at first, to learn what is noticed, then faster and faster."""
    mean = attack.span / max(1, attack.goal)
    now, sent = attack.begin, 0
    while True:
        yield now
        sent += 1
        share = min(1.0, sent / attack.goal)
        now = attack.now + attack.rng.expovariate(1.0 / (mean * (2.2 - 2.0 * share)))


def gaps(attack: Attack) -> Iterator[float]:
    """Gaps over two orders of magnitude."""
    mean = attack.span / max(1, attack.goal)
    now = attack.begin
    while True:
        yield now
        now = attack.now + mean * attack.rng.lognormvariate(-0.6, 1.1)


def hours(attack: Attack) -> Iterator[float]:
    """Gaps, and only in the hours of the day that were chosen: an office's, or when the application's zone sleeps."""
    rng, zone = attack.rng, attack.scene.season.zone * HOUR
    first, length = rng.choice(((22.0, 8.0), (9.0, 8.0), (0.0, 5.0), (18.0, 6.0)))
    mean = attack.span / max(1, attack.goal) * length / 24.0
    now = attack.begin
    while True:
        since = (now + zone - first * HOUR) % DAY
        if since > length * HOUR and attack.span > DAY:
            now += DAY - since + rng.random() * HOUR
        yield now
        now = attack.now + rng.expovariate(1.0 / mean)


def swell(attack: Attack) -> Iterator[float]:
    """Waves that swell and ebb."""
    rng, period = attack.rng, attack.span / attack.rng.randint(2, 8)
    mean = attack.span / max(1, attack.goal)
    now = attack.begin
    while True:
        yield now
        level = 0.15 + 1.7 * math.sin(math.pi * ((now - attack.begin) % period) / period) ** 2
        now = attack.now + rng.expovariate(level / mean)


def visits(attack: Attack) -> Iterator[float]:
    """The hours and pauses of people: visits, in each of which some requests are amiss."""
    rng, scene = attack.rng, attack.scene
    each = rng.choice((1, 2, 4, 8, 15))
    a_day = min(60.0, max(2.0, attack.goal / each / (attack.span / DAY)))
    now = attack.begin
    while True:
        now = scene.season.next(max(now, attack.now), a_day, False, rng)
        for _ in range(max(1, round(rng.expovariate(1.0 / each)))):
            yield now
            now = attack.now + rng.lognormvariate(math.log(scene.app.spec.pace * 1.5), 0.9)


FLOODS: tuple[Tempo, ...] = (steady, swell, ramp, volleys)  # a flood that takes its time is none
# Of each style: what may be drawn, and the shortest and longest time that the campaign is meant to take.
TEMPOS: dict[str, tuple[tuple[Tempo, ...], float, float]] = {
    "loud": ((steady, timer, volleys, ramp), 60.0, 3 * HOUR),
    "slow": ((timer, gaps, hours, gaps), 20 * HOUR, 6 * DAY),
    "distributed": ((steady, swell, volleys, gaps), 0.3 * HOUR, 3 * DAY),
    "mimic": ((visits,), 1 * DAY, 6 * DAY),
}
