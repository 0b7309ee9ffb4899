"""When a campaign of split dev sends its requests (of floods: ``floods.py``)."""

from __future__ import annotations

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
    for _ in range(round(rng.randint(120, 400) * campaign.size)):
        yield now
        now += rng.expovariate(1.0 / mean)


def slow(campaign: Campaign) -> Iterator[float]:
    """About one an hour, as a timer does it, for days."""
    rng, now = campaign.rng, campaign.begin
    period = rng.uniform(0.4, 1.2) * HOUR * campaign.pace
    end = now + rng.uniform(2.0, 6.0) * DAY
    while now < end:
        yield now
        now += period * rng.uniform(0.95, 1.05)


def distributed(campaign: Campaign) -> Iterator[float]:
    """All together some a minute; each account or source only a few an hour."""
    rng, now = campaign.rng, campaign.begin
    for _ in range(round(rng.randint(250, 600) * campaign.size)):
        yield now
        now += rng.expovariate(1.0 / 15.0)


def mimic(campaign: Campaign) -> Iterator[float]:
    """In the hours when people are there, at their pace, over days."""
    rng, now = campaign.rng, campaign.begin
    for _ in range(round(rng.randint(50, 140) * campaign.size)):
        now = campaign.scene.season.next(now, 60.0 / campaign.pace, False, rng)
        yield now


TEMPOS: dict[str, Tempo] = {"loud": loud, "slow": slow, "distributed": distributed, "mimic": mimic}
