"""When a campaign's requests are sent (of floods: ``floods.py``). The splits differ in how, not only in how fast."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from apisec_sandbox.campaigns.calendar import DAY, HOUR

if TYPE_CHECKING:
    from apisec_sandbox.campaigns.attacks.base import Campaign

Tempo = Callable[["Campaign"], Iterator[float]]


def loud(campaign: Campaign) -> Iterator[float]:
    """Exponential pauses of a second or two."""
    rng, now = campaign.rng, campaign.begin
    mean = rng.uniform(0.5, 2.5)
    for _ in range(rng.randint(120, 400)):
        yield now
        now += rng.expovariate(1.0 / mean)


def slow(campaign: Campaign) -> Iterator[float]:
    """About one an hour, as a timer does it, for days."""
    rng, now = campaign.rng, campaign.begin
    period = rng.uniform(0.4, 1.2) * HOUR
    end = now + rng.uniform(2.0, 6.0) * DAY
    while now < end:
        yield now
        now += period * rng.uniform(0.95, 1.05)


def distributed(campaign: Campaign) -> Iterator[float]:
    """All together some a minute; each account or source only a few an hour."""
    rng, now = campaign.rng, campaign.begin
    for _ in range(rng.randint(250, 600)):
        yield now
        now += rng.expovariate(1.0 / 15.0)


def mimic(campaign: Campaign) -> Iterator[float]:
    """In the hours when people are there, at their pace, over days."""
    rng, now = campaign.rng, campaign.begin
    for _ in range(rng.randint(50, 140)):
        now = campaign.scene.season.next(now, 60.0, False, rng)
        yield now


def bursts(campaign: Campaign) -> Iterator[float]:
    """Held-out loud: volleys at a machine's speed with minutes of silence between them."""
    rng, now = campaign.rng, campaign.begin
    left = round(rng.randint(150, 450) * campaign.size)
    while left > 0:
        for _ in range(min(left, rng.randint(8, 60))):
            yield now
            now += rng.uniform(0.08, 0.45)
            left -= 1
        now += rng.lognormvariate(math.log(150.0), 0.7)


def nights(campaign: Campaign) -> Iterator[float]:
    """Held-out slow: gaps over two orders of magnitude, and only while the application's zone sleeps."""
    rng, now = campaign.rng, campaign.begin
    end = now + rng.uniform(3.0, 8.0) * DAY
    zone = campaign.scene.season.zone * HOUR
    while now < end:
        local = (now + zone) % DAY
        if 6 * HOUR <= local < 22 * HOUR:
            now += 22 * HOUR - local + rng.random() * HOUR
        yield now
        now += math.exp(rng.uniform(math.log(120.0), math.log(3.0 * HOUR))) * campaign.pace


def waves(campaign: Campaign) -> Iterator[float]:
    """Held-out distributed: a wave each few hours that swells and ebbs."""
    rng, now = campaign.rng, campaign.begin
    for _ in range(rng.randint(4, 9)):
        size = round(rng.randint(40, 110) * campaign.size)
        for step in range(size):
            yield now
            swell = 1.0 - 0.85 * math.sin(math.pi * step / size)
            now += rng.expovariate(1.0 / (40.0 * swell))
        now += rng.uniform(1.5, 7.0) * HOUR


def visits(campaign: Campaign) -> Iterator[float]:
    """Held-out mimic: visits as an ordinary user's, in each of which only one or two requests are amiss."""
    rng, now = campaign.rng, campaign.begin
    left = round(rng.randint(40, 110) * campaign.size)
    while left > 0:
        now = campaign.scene.season.next(now, 14.0, False, rng)
        for _ in range(round(rng.choice((1, 1, 2)) * campaign.size)):
            yield now
            now += rng.lognormvariate(math.log(campaign.scene.app.spec.pace * 3.0), 0.8)
            left -= 1


TEMPOS: dict[str, dict[str, Tempo]] = {
    "dev": {"loud": loud, "slow": slow, "distributed": distributed, "mimic": mimic},
    "heldout": {"loud": bursts, "slow": nights, "distributed": waves, "mimic": visits},
}
