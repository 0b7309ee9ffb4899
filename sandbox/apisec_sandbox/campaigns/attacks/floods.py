"""When floods send. A service feels each of them: all principals together ask for .5 to 40 a second while it lasts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from random import Random
from typing import TYPE_CHECKING

from apisec_sandbox.campaigns.calendar import DAY, HOUR

if TYPE_CHECKING:
    from apisec_sandbox.campaigns.attacks.base import Campaign

Tempo = Callable[["Campaign"], Iterator[float]]

REQUESTS = (2_500, 18_000)  # with logins and what goes before, a campaign has at most 20,000 events
SHORTEST = 0.025  # seconds between two requests: 40 a second
LASTS = 9 * HOUR  # the longest, which is a slow one
CROWDS = {"loud": (1, 3), "mimic": (2, 6)}  # fewest and most accounts or sources, where it is not as in other families


def requests(rng: Random) -> int:
    """Draw how many requests a flood has, on a logarithmic scale."""
    low, high = REQUESTS
    return round(math.exp(rng.uniform(math.log(low), math.log(high))))


def unless_too_late(campaign: Campaign, due: float) -> float:
    """Return when to begin: at a moment that suits, unless the simulation ends before the flood could."""
    return due if due + LASTS < campaign.scene.end else campaign.begin


def _at_random(campaign: Campaign, slowest: float, fastest: float) -> Iterator[float]:
    rng, now = campaign.rng, campaign.begin
    rate = rng.uniform(slowest, fastest)
    for _ in range(requests(rng)):
        yield now
        now = campaign.now + rng.expovariate(rate)


# --- dev --------------------------------------------------------------------------------------------------


def hammer(campaign: Campaign) -> Iterator[float]:
    """Loud: exponential pauses of a fraction of a second."""
    return _at_random(campaign, 4.0, 30.0)


def ticks(campaign: Campaign) -> Iterator[float]:
    """Slow: about one a second, as a timer does it, for hours."""
    rng, now = campaign.rng, campaign.begin
    period = rng.uniform(0.7, 1.6)
    for _ in range(requests(rng)):
        yield now
        now = campaign.now + period * rng.uniform(0.95, 1.05)


def together(campaign: Campaign) -> Iterator[float]:
    """Distributed: many a second of all together; each source sends one every few seconds."""
    return _at_random(campaign, 2.0, 20.0)


def pages(campaign: Campaign) -> Iterator[float]:
    """Mimic: when people are there, some requests at once as of a page, and seconds until the next one."""
    rng, left = campaign.rng, requests(campaign.rng)
    now = unless_too_late(campaign, campaign.scene.season.next(campaign.begin, 60.0, False, rng))
    pause = rng.uniform(1.5, 6.0)
    while left > 0:
        for _ in range(min(left, rng.randint(3, 15))):
            yield now
            campaign.hurried = True
            now = campaign.now + rng.uniform(0.1, 0.5)
            left -= 1
        now = campaign.now + rng.expovariate(1.0 / pause)


# --- held out ---------------------------------------------------------------------------------------------


def salvoes(campaign: Campaign) -> Iterator[float]:
    """Loud: hundreds at a machine's speed, and up to minutes of silence."""
    rng, now = campaign.rng, campaign.begin
    left = requests(rng)
    while left > 0:
        pause = rng.uniform(SHORTEST, 0.08)
        for _ in range(min(left, rng.randint(300, 1_200))):
            yield now
            now = campaign.now + pause * rng.uniform(0.7, 1.3)
            left -= 1
        now = campaign.now + min(300.0, rng.lognormvariate(math.log(45.0), 0.8))


def one_night(campaign: Campaign) -> Iterator[float]:
    """Slow: uneven pauses of about a second, from when the application's zone goes to sleep."""
    rng, due = campaign.rng, campaign.begin
    local = (due + campaign.scene.season.zone * HOUR) % DAY
    if 6 * HOUR <= local < 22 * HOUR:
        due += 22 * HOUR - local + rng.random() * HOUR
    now, mean = unless_too_late(campaign, due), 1.0 / rng.uniform(0.7, 1.5)
    for _ in range(requests(rng)):
        yield now
        now = campaign.now + mean * rng.lognormvariate(-0.5, 1.0)


def tides(campaign: Campaign) -> Iterator[float]:
    """Distributed: waves of many hundreds that swell and ebb."""
    rng, now = campaign.rng, campaign.begin
    left, rate = requests(rng), rng.uniform(4.0, 20.0)
    while left > 0:
        size = min(left, rng.randint(600, 2_500))
        for step in range(size):
            yield now
            now = campaign.now + rng.expovariate(rate * (0.2 + 1.25 * math.sin(math.pi * step / size)))
        left -= size
        now = campaign.now + rng.uniform(40.0, 240.0)


def growing(campaign: Campaign) -> Iterator[float]:
    """Mimic: when people are there, at their pace to begin with, and within minutes at many times that."""
    rng = campaign.rng
    yield unless_too_late(campaign, campaign.scene.season.next(campaign.begin, 40.0, False, rng))
    campaign.hurried = True
    begun, first, rate, grows = campaign.now, 0.2, rng.uniform(1.5, 8.0), rng.uniform(360.0, 1_200.0)
    for _ in range(requests(rng)):
        level = first * (rate / first) ** min(1.0, (campaign.now - begun) / grows)
        yield campaign.now + rng.lognormvariate(-0.32, 0.8) / level


FLOODS: dict[str, dict[str, Tempo]] = {
    "dev": {"loud": hammer, "slow": ticks, "distributed": together, "mimic": pages},
    "heldout": {"loud": salvoes, "slow": one_night, "distributed": tides, "mimic": growing},
}
