"""What every campaign is made of: accounts, sources, a tactic that says what to send and a tempo that says when."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from apisec_sandbox.campaigns.bodies import Body, Listed, Thing
from apisec_sandbox.campaigns.operations import Compiled, filled
from apisec_sandbox.campaigns.ordinary import Person
from apisec_sandbox.campaigns.people import HOSTERS, NETWORKS, Who, address, fingerprint
from apisec_sandbox.campaigns.scene import Life, Scene, Times
from apisec_sandbox.campaigns.values import email_of, password_of

ACCOUNTS = (12, 40)  # of a distributed campaign


@dataclass(frozen=True)
class Move:
    """One request of a tactic. ``options`` are those of ``App.request``; ``fresh``: by somebody without an account.

    ``by`` sends it in place of the campaign's own accounts; ``account`` is the one of them that does.
    """

    op: Compiled
    thing: Thing | None = None
    options: dict[str, Any] = field(default_factory=dict)
    fresh: bool = False
    by: Who | None = None
    account: Who | None = None


Moves = Generator[Move, int, None]  # gets the status of each request back
Tactic = Callable[["Campaign"], Moves]
Tempo = Callable[["Campaign"], Iterator[float]]


@dataclass
class Campaign:
    """One attack from its first request to its last.

    ``pace`` shortens the pauses of one that takes days, ``size`` scales how much it sends; both are of scrapers.
    ``crowd``: fewest and most accounts and sources, unless it is distributed. ``shortest``: seconds between two
    requests. ``hurried``: a mimic that has no more time for what its victims do.
    """

    name: str
    family: str
    style: str
    scene: Scene
    rng: Random
    begin: float
    tactic: Tactic
    tempo: Tempo
    pace: float = 1.0
    size: float = 1.0
    crowd: tuple[int, int] = (1, 1)
    shortest: float = 0.05
    hurried: bool = False
    accounts: list[Who] = field(default_factory=list)
    sources: list[Who] = field(default_factory=list)
    turn: int = 0
    now: float = 0.0  # of the last request

    @property
    def split(self) -> str:
        return self.scene.split

    @property
    def many(self) -> bool:
        return self.style == "distributed"

    # --- who --------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Take accounts and sources: one of each or a few, or many in a distributed campaign."""
        fewest, most = ACCOUNTS if self.many else self.crowd
        count = self.rng.randint(fewest, most) if most > fewest else fewest
        known = [who for who in self.scene.people if who.persona in ("person", "phone")]
        for _ in range(count):
            # Half of the attackers have been ordinary users for long, the others sign up for it.
            if known and self.rng.random() < 0.5:
                self.accounts.append(self.rng.choice(known))
            else:
                kind = "browser" if self.style == "mimic" or self.split == "heldout" else "tool"
                self.accounts.append(self.scene.person("intruder", self.scene.client(kind, self.rng), self.rng))
            self.sources.append(self.source())

    def source(self) -> Who:
        """Return somebody without an account, from a hoster, or (mimic) from where ordinary users are."""
        home = self.style == "mimic" or (self.split == "heldout" and self.many)
        client = self.scene.client("browser" if home else "tool", self.rng)
        client.move(address((NETWORKS if home else HOSTERS)[self.split], self.rng))
        return self.scene.person("intruder", client, self.rng)

    def actor(self, move: Move) -> Who:
        if move.by is not None:
            return move.by
        if move.account is not None:
            return move.account
        pool = self.sources if move.fresh else self.accounts
        # A distributed campaign takes turns: each request another one, or some requests each.
        stay = 1 if self.split == "dev" else 5
        self.turn += 1
        return pool[(self.turn // stay) % len(pool)]

    def take(self) -> Who:
        """Return the account for what takes several requests: the next one in a distributed campaign."""
        self.turn += 1
        return self.accounts[self.turn % len(self.accounts)]

    def thief(self, victim: Who, agent: str = "", source: str = "") -> Who:
        """Return somebody who uses a victim's credential from a client of his own."""
        client = self.scene.client("tool", self.rng, source)
        if agent:
            client.agent = agent
            client.ja4 = fingerprint(agent, 7)
            client.tls = f',"tls_version":"TLSv1.3","ja4":"{client.ja4}"'
            client.move(client.address)
        return replace(victim, name=f"{self.name}/thief", persona="intruder", client=client, seen={})

    def holders(self) -> list[Who]:
        """Return users whose credential holds at this time."""
        rotated = self.scene.app.rotated
        return [
            who
            for who in self.scene.people
            if who.credential is not None
            and who.credential.used
            and rotated <= who.credential.issued
            and self.now < who.credential.issued + who.lifetime
        ]

    # --- what -------------------------------------------------------------------------------------------

    def op(self, *kinds: str) -> Compiled:
        """Return a live operation of one of these kinds."""
        app = self.scene.app
        ops = [op for kind in kinds for op in app.by_kind.get(kind, ()) if op.spec.key in app.live]
        return self.rng.choice(ops)

    def target(self) -> Compiled:
        """Return an operation that reads one object, of a resource whose owner is not checked where there is one."""
        app = self.scene.app
        reads = [op for op in app.by_kind["read"] if op.spec.key in app.live and app.spec.resources[op.resource].owner]
        weak = [op for op in reads if op.resource in app.spec.unchecked]
        return self.rng.choice(weak if weak and self.rng.random() < 0.75 else reads)

    def strangers(self, resource: str) -> list[Thing]:
        """Return objects that belong to others."""
        own = {who.owner for who in self.accounts}
        return [thing for thing in self.scene.app.recent[resource] if thing.owner not in own]

    def filled(self, op: Compiled, **members: str | int) -> Body:
        """Return an operation's request with some members replaced: by the value as sent."""
        return filled(op, self.rng, self.scene.app.tokens, members)

    def with_more(self, op: Compiled, thing: Thing, more: Sequence[tuple[str, str, str]]) -> dict[str, Any]:
        """Return an operation's own body with members more (name, JSON text, type), as options of a move."""
        sent = self.scene.app.sent(op, thing)
        base = sent if sent.size else Body("{}", 2, "{}")
        texts = ",".join(f'"{name}":{text}' for name, text, _ in more)
        end = f"{',' if base.size > 2 else ''}{texts}}}"
        body = Body(base.shown[:-1] + end, base.size - 1 + len(end), base.raw[:-1] + end)
        extra = tuple(Listed(name, "body", kind) for name, _, kind in more)
        return {"body": body, "extra": (*op.sent_fields(op.wants_id), *extra)}

    def login_body(self, op: Compiled) -> Body:
        """Return a login of somebody else with some password."""
        made = {"pii.email": email_of, "secret.password": password_of}
        values = {each.path: made[each.data_class](self.rng) for each in op.body_fields if each.data_class in made}
        return self.filled(op, **values)

    # --- when -------------------------------------------------------------------------------------------

    def life(self) -> Life:
        """Send the tactic's requests at the tempo's times; between them, a mimic behaves like its victims."""
        if self.begin > self.scene.start:
            yield self.begin - 1.0
        self.prepare()
        self.now = self.begin
        moves = self.tactic(self)
        move = next(moves, None)
        before = 0.0
        for due in self.tempo(self):
            if move is None or due >= self.scene.end:
                return
            now = max(due, before + self.shortest)
            yield now
            who = self.actor(move)
            now = yield from self.ready(now, who, move)
            if self.style == "mimic" and not self.hurried:
                now = yield from self.cover(now, who)
            self._mark(who, cover=False)
            status = self.scene.app.request(now, who, move.op, move.thing, **move.options)
            who.mark(self.scene.app.sink)
            before = self.now = now
            try:
                move = moves.send(status)
            except StopIteration:
                return

    def _mark(self, who: Who, cover: bool) -> None:
        who.mark(self.scene.app.sink, self.name, self.family, self.style, cover)

    def ready(self, now: float, who: Who, move: Move) -> Times:
        """Log in where that is needed."""
        app = self.scene.app
        if move.fresh or move.by is not None:
            return now
        login, held = app.of_kind("login"), who.credential
        void = held is None or now > held.issued + who.lifetime - 60.0 or held.issued < app.rotated
        if not void:
            return now
        if login is None:
            app.credential(who, now)
            return now
        self._mark(who, cover=True)
        code = app.of_kind("code")
        if code is not None:
            app.request(now, who, code)
            now += self.rng.uniform(8.0, 60.0)
            who.mark(app.sink)
            yield now
            self._mark(who, cover=True)
        app.request(now, who, login)
        who.mark(app.sink)
        now += self.rng.uniform(0.3, 4.0)
        yield now
        return now

    def cover(self, now: float, who: Who) -> Times:
        """Do what ordinary users do for a while."""
        if who.credential is None or self.rng.random() < 0.4:
            return now
        person = Person(self.scene, who, self.rng, 1.0)
        return (yield from self.beside(who, person.look_around if self.rng.random() < 0.5 else person.own_things, now))

    def beside(self, who: Who, does: Callable[[float], Times], now: float) -> Times:
        """Do something ordinary, labelled as cover; what its owner does meanwhile is not."""
        self._mark(who, cover=True)
        activity = does(now)
        try:
            while True:
                due = next(activity)
                who.mark(self.scene.app.sink)
                yield due
                self._mark(who, cover=True)
        except StopIteration as end:
            now = float(end.value)
        who.mark(self.scene.app.sink)
        yield now
        return now


def listed(names: Sequence[tuple[str, str]]) -> tuple[Listed, ...]:
    return tuple(Listed(name, "body", kind) for name, kind in names)
