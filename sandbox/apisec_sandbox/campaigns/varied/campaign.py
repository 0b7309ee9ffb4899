"""A campaign whose ways are drawn: how many accounts and sources, from where, how long, how much."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from apisec_sandbox.campaigns.attacks.base import Campaign, Move
from apisec_sandbox.campaigns.bodies import Body, Thing
from apisec_sandbox.campaigns.operations import Compiled
from apisec_sandbox.campaigns.people import CARRIERS, HOSTERS, NETWORKS, Who, address
from apisec_sandbox.campaigns.scene import Life, Times
from apisec_sandbox.campaigns.values import LOGINS, login_of, password_of, seeded
from apisec_sandbox.campaigns.varied.people import Individual
from apisec_sandbox.campaigns.varied.tempo import between


@dataclass(frozen=True)
class Soon(Move):
    """A move that follows the one before within seconds, whatever the tempo: the next step of one flow."""

    seconds: tuple[float, float] = (0.3, 4.0)


@dataclass
class Attack(Campaign):
    """``goal``: requests (or rounds of a flow) that it is about; ``span``: seconds that they are meant to take."""

    goal: int = 100
    span: float = 3600.0
    strategy: str = ""
    ended: bool = False  # has done all that it wanted to
    home: float = 0.5  # share of sources in the networks of ordinary users
    stay: int = 1  # requests of one account or source before the next one's turn
    known: float = 0.5  # share of accounts that were ordinary users before
    bare: float = 0.4  # share of requests without anything ordinary before them
    kept: float = 0.7  # share of old objects that are still there
    near: dict[str, dict[int, Thing]] = field(default_factory=dict)
    people: dict[str, Individual] = field(default_factory=dict)

    def prepare(self) -> None:
        rng = self.rng
        self.home, self.known, self.bare = rng.random(), rng.random(), rng.uniform(0.1, 0.9)
        self.kept = rng.uniform(0.3, 0.95)
        self.stay = rng.choice((1, 1, 3, 8, 25))
        count = round(between(6, 80, rng.random())) if self.many else rng.choice((1, 1, 1, 1, 2, 3))
        people = [who for who in self.scene.people if who.persona in ("person", "phone", "power")]
        for _ in range(count):
            if people and rng.random() < self.known:
                self.accounts.append(rng.choice(people))
            else:
                kind = rng.choice(("browser", "phone", "tool", "tool"))
                client = self.scene.client("browser" if self.style == "mimic" else kind, rng)
                self.accounts.append(self.scene.person("intruder", client, rng))
        # Proxies are cheap: a distributed campaign has more sources than accounts.
        sources = round(between(8, 300, rng.random())) if self.many else rng.choice((1, 1, 1, 2))
        agent = "" if rng.random() < 0.3 else self.source().client.agent
        for _ in range(sources):
            self.sources.append(self.source(agent))

    def source(self, agent: str = "") -> Who:
        rng = self.rng
        home = self.style == "mimic" or rng.random() < self.home
        client = self.scene.client("browser" if home or rng.random() < 0.4 else "tool", rng)
        if agent and agent != client.agent:
            client = type(client)(client.address, agent, client.port, client.tokens)
        networks = (NETWORKS if rng.random() < 0.7 else CARRIERS) if home else HOSTERS
        client.move(address(networks[self.split], rng))
        return self.scene.person("intruder", client, rng)

    def actor(self, move: Move) -> Who:
        if move.by is not None or move.account is not None:
            return super().actor(move)
        pool = self.sources if move.fresh else self.accounts
        self.turn += 1
        return pool[(self.turn // self.stay) % len(pool)]

    def at(self, resource: str, number: int) -> Thing | None:
        """Return the object of a number: of somebody who lives here, of somebody who does not any more, or None."""
        app = self.scene.app
        found = self.near.get(resource)
        if found is None:
            found = self.near[resource] = {thing.number: thing for thing in self.strangers(resource)}
        if number in found:
            return found[number]
        spec = app.spec
        if spec.first <= number < spec.first + spec.past and seeded(app.name, resource, number).random() < self.kept:
            return app.thing(resource, number, f"u{seeded('away', number).getrandbits(44):011x}")
        return None

    def login_body(self, op: Compiled, password: str = "", name: str = "") -> Body:
        """Return a login of somebody else: of ``name`` or a made-up account, with some password."""
        values = {}
        for member, written in op.spec.body:
            if written in LOGINS:
                values[member] = name or login_of(written, self.rng)
            elif written in ("password", "otp"):
                values[member] = password or (
                    password_of(self.rng) if written == "password" else f"{self.rng.randrange(10**6):06}"
                )
        return self.filled(op, **values)

    def cover(self, now: float, who: Who) -> Times:
        """Do what ordinary users do for a while, with habits of one's own."""
        if who.credential is None or self.rng.random() < self.bare:
            return now
        person = self.people.get(who.name)
        if person is None:
            person = self.people[who.name] = Individual(self.scene, who, self.rng, 1.0)
        return (yield from self.beside(who, person.activity, now))

    def life(self) -> Life:
        if self.begin > self.scene.start:
            yield self.begin - 1.0
        self.prepare()
        self.now = self.begin
        moves = self.tactic(self)
        move = next(moves, None)
        times: Iterator[float] = self.tempo(self)
        app, sink = self.scene.app, self.scene.app.sink
        while move is not None:
            due = self.now + self.rng.uniform(*move.seconds) if isinstance(move, Soon) else next(times)
            now = max(due, self.now + 0.01)
            if now >= self.scene.end:
                return
            yield now
            who = self.actor(move)
            now = yield from self.ready(now, who, move)
            if self.style == "mimic" and not self.hurried and not isinstance(move, Soon) and not move.fresh:
                now = yield from self.cover(now, who)
            self._mark(who, cover=False)
            status = app.request(now, who, move.op, move.thing, **move.options)
            who.mark(sink)
            self.now = now
            try:
                move = moves.send(status)
            except StopIteration:
                self.ended = True
                return
