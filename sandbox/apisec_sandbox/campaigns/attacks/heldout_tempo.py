"""When held-out campaigns send (floods: ``heldout_floods.py``). Not to be read by who works on detection.

Drawn anew on 22 November 2026, because earlier ones had been read.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from apisec_sandbox.campaigns.attacks.base import Campaign
from apisec_sandbox.campaigns.attacks.tempo import Tempo
from apisec_sandbox.campaigns.calendar import DAY, HOUR


def one_of(*tempos: Tempo) -> Tempo:
    """Return a tempo that is drawn when a campaign begins."""

    def drawn(campaign: Campaign) -> Iterator[float]:
        return campaign.rng.choice(tempos)(campaign)

    return drawn


# --- loud ---------------------------------------------------------------------------------------------------


def stints(campaign: Campaign) -> Iterator[float]:
    """Each request when the answer to the one before was read by a script; minutes or more until it is run again."""
    rng, now = campaign.rng, campaign.begin
    left = round(rng.randint(130, 480) * campaign.size)
    answer = rng.uniform(0.2, 1.2)
    while left > 0:
        for _ in range(min(left, rng.randint(40, 200))):
            yield now
            now += answer * rng.lognormvariate(0.0, 0.35)
            left -= 1
        now += rng.uniform(3.0, 40.0) * 60.0


def bolder(campaign: Campaign) -> Iterator[float]:
    """By hand to begin with, then with pauses that become shorter and shorter."""
    rng, now = campaign.rng, campaign.begin
    count = round(rng.randint(130, 420) * campaign.size)
    first, last = rng.uniform(3.0, 9.0), rng.uniform(0.12, 0.5)
    for step in range(count):
        yield now
        now += first * (last / first) ** (step / count) * rng.lognormvariate(-0.1, 0.4)


# --- slow ---------------------------------------------------------------------------------------------------


def shifts(campaign: Campaign) -> Iterator[float]:
    """A few an hour, in some hours of each day: whenever a machine that somebody else turns off is on."""
    rng, begin = campaign.rng, campaign.begin
    length, rate = rng.uniform(4.0, 8.0) * HOUR, rng.uniform(3.0, 5.5) / HOUR / campaign.pace
    for day in range(rng.randint(3, 7)):
        opens = begin + day * DAY + (rng.gauss(0.0, 0.5) * HOUR if day else 0.0)
        now = opens + (rng.expovariate(rate) if day else 0.0)
        while now < opens + length:
            yield now
            now += rng.expovariate(rate)


def fading(campaign: Campaign) -> Iterator[float]:
    """By day and by night, with gaps that grow from minutes to hours."""
    rng, now = campaign.rng, campaign.begin
    count = round(rng.randint(50, 110) / campaign.pace)
    first, last = 12.0 * 60.0, rng.uniform(1.5, 3.0) * HOUR
    for step in range(count):
        yield now
        now += first * (last / first) ** (step / count) * campaign.pace * rng.lognormvariate(0.0, 0.3)


# --- distributed --------------------------------------------------------------------------------------------


def batches(campaign: Campaign) -> Iterator[float]:
    """The work is handed out: some dozens within minutes, and as long again until the next ones have their share."""
    rng, now = campaign.rng, campaign.begin
    left = round(rng.randint(250, 600) * campaign.size)
    while left > 0:
        gap = rng.uniform(3.0, 40.0)
        for _ in range(min(left, rng.randint(10, 45))):
            yield now
            now += gap * rng.uniform(0.6, 1.4)
            left -= 1
        now += rng.uniform(5.0, 50.0) * 60.0


def background(campaign: Campaign) -> Iterator[float]:
    """A minute or some between two of all of them, as many as people are there."""
    rng, now = campaign.rng, campaign.begin
    rate = rng.uniform(40.0, 110.0) / HOUR
    for _ in range(round(rng.randint(220, 480) * campaign.size)):
        yield now
        level = 0.35 + campaign.scene.season.level(now, office=False)
        now += rng.expovariate(rate * level)


# --- mimic --------------------------------------------------------------------------------------------------


def sittings(campaign: Campaign) -> Iterator[float]:
    """Visits when people are there, each with a few requests amiss in a row, as fast as people click."""
    rng, now = campaign.rng, campaign.begin
    left = round(rng.randint(40, 115) * campaign.size)
    while left > 0:
        now = campaign.scene.season.next(now, 9.0, False, rng)
        for _ in range(min(left, round(rng.randint(2, 6) * campaign.size))):
            yield now
            now += rng.lognormvariate(math.log(campaign.scene.app.spec.pace * 2.0), 0.7)
            left -= 1


def habit(campaign: Campaign) -> Iterator[float]:
    """Once a day at about the same hour, as long as somebody has a break."""
    rng, begin = campaign.rng, campaign.begin
    left, day = round(rng.randint(45, 110) * campaign.size), 0
    while left > 0:
        now = begin + day * DAY + (rng.gauss(0.0, 0.35) * HOUR if day else 0.0)
        for _ in range(min(left, round(rng.randint(8, 26) * campaign.size))):
            yield now
            now += rng.lognormvariate(math.log(campaign.scene.app.spec.pace * 2.5), 0.8)
            left -= 1
        day += 1


TEMPOS: dict[str, Tempo] = {
    "loud": one_of(stints, bolder),
    "slow": one_of(shifts, fading),
    "distributed": one_of(batches, background),
    "mimic": one_of(sittings, habit),
}
