"""How big floods of dev and heldout are, and when those of dev send.

A service feels each of them: all principals together ask for .5 to 40 a second while it lasts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from random import Random
from typing import TYPE_CHECKING

from apisec_sandbox.campaigns.calendar import HOUR

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


FLOODS: dict[str, Tempo] = {"loud": hammer, "slow": ticks, "distributed": together, "mimic": pages}
