"""An application with its season, its population and what happens to it: what ordinary actors and attackers share."""

from __future__ import annotations

import heapq
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from random import Random

from apisec_sandbox.campaigns.app import App
from apisec_sandbox.campaigns.bodies import Thing
from apisec_sandbox.campaigns.calendar import Season
from apisec_sandbox.campaigns.people import AGENTS, CARRIERS, HOSTERS, NETWORKS, Client, Who, address
from apisec_sandbox.campaigns.values import login_of

Life = Generator[float, None, None]  # yields when it acts next; what it sends, it sends when it is resumed
Times = Generator[float, None, float]  # a part of a life; returns the time at its end

FOREVER = 1e9  # seconds that a key holds


@dataclass
class Scene:
    """``split``: dev, varied or heldout. ``broken``: from, until of a client release that sends what is not valid.

    ``doubled``: from, until of a page that sends what it reads twice. ``most`` are objects that somebody has before
    the simulation and keeps at most, ``tail`` the exponent of their distribution. ``closing``: days since the epoch on
    which accounts are closed and reports are drawn. ``carrier``: addresses behind which phones are.
    """

    app: App
    season: Season
    split: str
    start: float
    end: float
    rng: Random
    people: list[Who] = field(default_factory=list)
    groups: dict[str, dict[str, list[Thing]]] = field(default_factory=dict)
    broken: tuple[float, float] = (0.0, 0.0)
    doubled: tuple[float, float] = (0.0, 0.0)
    most: tuple[int, int] = (14, 60)
    tail: float = 1.3
    closing: frozenset[int] = frozenset()
    carrier: tuple[str, ...] = ()
    numbers: int = 0
    happened: list[tuple[float, str]] = field(default_factory=list)  # deployments and the like

    def client(self, kind: str, rng: Random, source: str = "") -> Client:
        """Return a client of a kind: browser, phone, machine, tool or crawler."""
        networks = (CARRIERS if kind == "phone" else HOSTERS if kind in ("tool", "crawler") else NETWORKS)[self.split]
        agent = rng.choice(AGENTS[self.split][kind])
        return Client(source or address(networks, rng), agent, rng.randrange(32_768, 61_000), self.app.tokens)

    def person(self, persona: str, client: Client, rng: Random, role: str = "user", owner: str = "") -> Who:
        """Return a principal with an account."""
        self.numbers += 1
        subject = f"u{self.numbers:05d}{rng.getrandbits(24):06x}"
        who = Who(f"{self.app.name}/{persona}-{self.numbers}", persona, role, subject, owner or subject, client)
        who.identify(rng)
        if self.app.spec.own_logins:
            who.login = login_of(self.app.account_kind, rng)
            if self.app.spec.auth == "api_key":
                who.lifetime = FOREVER
        who.mark(self.app.sink)
        self.groups.setdefault(who.owner, {})
        return who

    def things(self, who: Who, resource: str) -> list[Thing]:
        """Return the objects that belong to a principal or its tenant, oldest first."""
        group = self.groups[who.owner]
        found = group.get(resource)
        if found is None:  # what it had before the simulation began
            before = min(self.most[0], int(self.rng.paretovariate(self.tail)))
            old = bool(self.app.spec.past)
            found = group[resource] = [self.app.make(resource, who.owner, old) for _ in range(before)]
        return found

    def add(self, who: Who, resource: str) -> Thing:
        """Make an object of a principal."""
        found = self.things(who, resource)
        made = self.app.make(resource, who.owner)
        found.append(made)
        if len(found) > self.most[1]:
            del found[: self.most[1] // 3]
        return made


class Clock:
    """Resumes lives in the order of their times."""

    def __init__(self) -> None:
        self._queue: list[tuple[float, int, Life]] = []
        self._number = 0

    def add(self, lives: Iterable[Life], now: float) -> None:
        """Start lives; each yields its first time at once."""
        for life in lives:
            due = next(life, None)
            if due is not None:
                self._number += 1
                heapq.heappush(self._queue, (max(due, now), self._number, life))

    def run(self, end: float) -> Generator[float, None, None]:
        """Resume lives until ``end``; yield the time now and then, for progress."""
        queue = self._queue
        steps = 0
        while queue and queue[0][0] < end:
            now, number, life = queue[0]
            due = next(life, None)
            if due is None:
                heapq.heappop(queue)
            else:
                heapq.heapreplace(queue, (due if due > now else now, number, life))
            steps += 1
            if steps % 4096 == 0:
                yield now
