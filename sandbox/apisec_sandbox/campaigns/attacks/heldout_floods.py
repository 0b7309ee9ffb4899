"""What held-out floods send, and when. Not to be read by who works on detection.

Drawn anew on 22 November 2026, because earlier ones had been read: as tools and services describe them. Each asks for
at least half a request a second in every five minutes.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterator
from typing import Any

from apisec_sandbox.campaigns.attacks.base import Campaign, Move, Moves
from apisec_sandbox.campaigns.attacks.floods import requests, unless_too_late
from apisec_sandbox.campaigns.attacks.heldout_tempo import one_of
from apisec_sandbox.campaigns.attacks.tempo import Tempo
from apisec_sandbox.campaigns.bodies import Thing
from apisec_sandbox.campaigns.operations import Compiled
from apisec_sandbox.campaigns.values import WORDS

Asked = tuple[Compiled, Thing | None, dict[str, Any]]  # operation, what it names, more options of the request

CROWDS = {"loud": (1, 3), "slow": (1, 2), "mimic": (3, 10)}  # fewest and most accounts or sources

# --- loud -------------------------------------------------------------------------------------------------


def threads(campaign: Campaign) -> Iterator[float]:
    """Some threads, of which each sends when it has its answer."""
    rng, now = campaign.rng, campaign.begin
    pause = rng.uniform(0.15, 0.8) / rng.randint(2, 24)
    for _ in range(requests(rng)):
        yield now
        now = campaign.now + rng.gammavariate(2.0, pause / 2.0)


def pulses(campaign: Campaign) -> Iterator[float]:
    """On and off by the clock, as one attacker turns from target to target."""
    rng, left = campaign.rng, requests(campaign.rng)
    period, pause = rng.uniform(20.0, 120.0), 1.0 / rng.uniform(8.0, 38.0)
    on, begin = period * rng.uniform(0.2, 0.6), campaign.begin
    while left > 0:
        now = max(begin, campaign.now)
        while left > 0 and now < begin + on:
            yield now
            now = campaign.now + pause * rng.uniform(0.8, 1.2)
            left -= 1
        begin += period


def stairs(campaign: Campaign) -> Iterator[float]:
    """Some minutes at each load, then a higher one, to see where the service gives way."""
    rng, now = campaign.rng, campaign.begin
    first, top, factor, stays = (
        rng.uniform(1.0, 2.5),
        rng.uniform(12.0, 38.0),
        rng.uniform(1.3, 2.0),
        rng.uniform(60, 240),
    )
    for _ in range(requests(rng)):
        yield now
        rate = min(top, first * factor ** ((campaign.now - campaign.begin) // stays))
        now = campaign.now + rng.expovariate(rate)


# --- slow -------------------------------------------------------------------------------------------------


def shrew(campaign: Campaign) -> Iterator[float]:
    """Short volleys at fixed times: few in all, and queues never become empty."""
    rng, left = campaign.rng, requests(campaign.rng)
    period, rate, pause = rng.uniform(15.0, 45.0), rng.uniform(0.65, 1.6), rng.uniform(0.03, 0.2)
    begin = campaign.begin
    while left > 0:
        now = max(begin, campaign.now)
        for _ in range(min(left, max(3, round(rate * period * rng.uniform(0.85, 1.15))))):
            yield now
            now = campaign.now + pause * rng.uniform(0.5, 1.5)
            left -= 1
        begin += period


def drizzle(campaign: Campaign) -> Iterator[float]:
    """About one a second for hours, at a rate that wanders."""
    rng, now = campaign.rng, campaign.begin
    rate = rng.uniform(0.7, 1.5)
    for _ in range(requests(rng)):
        yield now
        rate = min(1.7, max(0.66, rate * math.exp(rng.gauss(0.0, 0.02))))
        now = campaign.now + rng.gammavariate(1.5, 1.0 / 1.5 / rate)


# --- distributed ------------------------------------------------------------------------------------------


def joining(campaign: Campaign) -> Iterator[float]:
    """One machine after the other joins in; towards the end they are lost again."""
    rng, now = campaign.rng, campaign.begin
    rate, takes, count = rng.uniform(5.0, 30.0), rng.uniform(120.0, 1_200.0), requests(rng)
    for number in range(count):
        yield now
        here = 1.0 / (1.0 + math.exp(4.0 - 8.0 * (campaign.now - campaign.begin) / takes))
        left = min(1.0, (count - number) / (0.15 * count))
        now = campaign.now + rng.expovariate(max(0.8, rate * here * left))


def at_once(campaign: Campaign) -> Iterator[float]:
    """All at once; then less and less, as they are shut out or move on."""
    rng, now = campaign.rng, campaign.begin
    rate, half, least = rng.uniform(10.0, 35.0), rng.uniform(300.0, 1_200.0), rng.uniform(1.0, 2.5)
    for _ in range(requests(rng)):
        yield now
        now = campaign.now + rng.expovariate(max(least, rate * 0.5 ** ((campaign.now - campaign.begin) / half)))


def by_order(campaign: Campaign) -> Iterator[float]:
    """Stretches that somebody orders, between which a few go on."""
    rng, left, now = campaign.rng, requests(campaign.rng), campaign.begin
    most = rng.uniform(4.0, 25.0)
    while left > 0:
        for rate, until in ((most, rng.uniform(60.0, 300.0)), (0.8, rng.uniform(30.0, 180.0))):
            until += now
            while left > 0 and now < until:
                yield now
                now = campaign.now + rng.expovariate(rate)
                left -= 1


# --- mimic ------------------------------------------------------------------------------------------------


def rush(campaign: Campaign) -> Iterator[float]:
    """When people are there, as after a link in the news: ever more of them open a page and what belongs to it."""
    rng, left = campaign.rng, requests(campaign.rng)
    begin = now = unless_too_late(campaign, campaign.scene.season.next(campaign.begin, 30.0, False, rng))
    most, rises, period = rng.uniform(2.0, 8.0), rng.uniform(300.0, 1_200.0), rng.uniform(1_200.0, 2_400.0)
    while left > 0:
        size = min(left, rng.randint(2, 6))
        for _ in range(size):
            yield now
            campaign.hurried = True
            now = campaign.now + rng.uniform(0.05, 0.3)
        left -= size
        since = campaign.now - begin
        rate = 1.2 + (most - 1.2) * min(1.0, since / rises)
        now = campaign.now + rng.expovariate(rate * (1.0 + 0.25 * math.sin(math.tau * since / period)) / size)


def sessions(campaign: Campaign) -> Iterator[float]:
    """Some browsers without a window, each with pages and pauses of its own, that begin within a minute or two."""
    rng, left = campaign.rng, requests(campaign.rng)
    begin = unless_too_late(campaign, campaign.scene.season.next(campaign.begin, 30.0, False, rng))
    due = [(begin + number * rng.uniform(0.0, 12.0), rng.randint(2, 9)) for number in range(rng.randint(4, 10))]
    heapq.heapify(due)
    think = rng.uniform(2.0, 4.0)
    while left > 0:
        now, page = due[0]
        yield max(now, campaign.now)
        campaign.hurried = True
        left -= 1
        if page > 1:
            heapq.heapreplace(due, (now + rng.uniform(0.1, 0.6), page - 1))
        else:
            heapq.heapreplace(due, (campaign.now + think * rng.lognormvariate(0.0, 0.7), rng.randint(2, 9)))


# --- what -------------------------------------------------------------------------------------------------


def _live(campaign: Campaign, fresh: bool) -> list[Compiled]:
    app = campaign.scene.app
    kinds = ("search", "browse", "view") if fresh else ("search", "browse", "view", "list", "me")
    return [op for kind in kinds for op in app.by_kind.get(kind, ()) if op.spec.key in app.live]


def _one(campaign: Campaign, op: Compiled, term: str) -> Asked:
    shelf, rng = campaign.scene.app.catalogue.get(op.resource, ()), campaign.rng
    found = rng.sample(shelf, min(len(shelf), 10)) if shelf and op.kind in ("search", "browse") else []
    thing = rng.choice(shelf) if shelf and op.wants_id else None
    return op, thing, {"things": found, "values": [term] * len(op.query)}


def past_caches(campaign: Campaign, fresh: bool) -> Iterator[Asked]:
    """One address with a value that no cache has."""
    op = campaign.op("search", "browse") if fresh else campaign.op("search", "browse", "list")
    while True:
        yield _one(campaign, op, f"{campaign.rng.choice(WORDS)}{campaign.rng.randrange(10**7)}")


def by_turns(campaign: Campaign, fresh: bool) -> Iterator[Asked]:
    """A file of a few addresses, again and again."""
    rng, ops = campaign.rng, _live(campaign, fresh)
    file = [_one(campaign, rng.choice(ops), rng.choice(WORDS)) for _ in range(rng.randint(2, 7))]
    while True:
        yield from file


def carpet(campaign: Campaign, fresh: bool) -> Iterator[Asked]:
    """All there is to read, evenly."""
    rng, ops = campaign.rng, _live(campaign, fresh)
    while True:
        yield _one(campaign, rng.choice(ops), rng.choice(WORDS))


def pages(campaign: Campaign, fresh: bool) -> Iterator[Asked]:
    """A list or what a search found, and some of the things in it."""
    rng = campaign.rng
    while True:
        page = _one(campaign, campaign.op("search", "browse", "browse"), rng.choice(WORDS))
        yield page
        views = [op for op in _live(campaign, fresh) if op.kind == "view" and op.resource == page[0].resource]
        for thing in rng.sample(page[2]["things"], min(len(page[2]["things"]), rng.randint(1, 5))) if views else ():
            yield rng.choice(views), thing, {}


def flooding(campaign: Campaign) -> Moves:
    """One of these, with an account or without, to a service that bears it, refuses or fails."""
    rng = campaign.rng
    fresh, mixes = rng.random() < 0.5, (past_caches, by_turns, carpet)
    mix: Callable[[Campaign, bool], Iterator[Asked]] = pages if campaign.style == "mimic" else rng.choice(mixes)
    share, answer, bears = rng.choice((0.0, 0.0, 0.1, 0.4, 0.8)), rng.choice((429, 503, 504)), rng.randint(80, 700)
    for count, (op, thing, options) in enumerate(mix(campaign, fresh)):
        status = answer if count > bears and rng.random() < share else 0
        yield Move(op, thing, {**options, "status": status, "anonymous": fresh}, fresh=fresh)


FLOODS: dict[str, Tempo] = {
    "loud": one_of(threads, pulses, stairs),
    "slow": one_of(shrew, drizzle),
    "distributed": one_of(joining, at_once, by_order),
    "mimic": one_of(rush, sessions),
}
