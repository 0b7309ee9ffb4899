"""Ordinary people: visits with pauses, habits, mistakes and moves between networks. Nothing here is an attack."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from apisec_sandbox.campaigns.app import LATENCIES
from apisec_sandbox.campaigns.bodies import Thing
from apisec_sandbox.campaigns.calendar import HOUR
from apisec_sandbox.campaigns.operations import Compiled
from apisec_sandbox.campaigns.people import CARRIERS, Client, Who, address
from apisec_sandbox.campaigns.scene import Life, Scene, Times

PAGE = 12  # records of a page
FORGETFUL = 0.03  # of logins begin with a wrong password
GIVE_UP = 0.25  # of flows end early, at each step an equal share
STALE = 0.004  # of reads ask for what has been deleted meanwhile
MOVE_SECONDS = 3 * HOUR


class Person:
    """One account and the person who uses it. ``a_day``: visits; ``office``: in working hours only."""

    def __init__(
        self, scene: Scene, who: Who, rng: Random, a_day: float, office: bool = False, moves: bool = False
    ) -> None:
        self.scene, self.app, self.who, self.rng = scene, scene.app, who, rng
        self.a_day, self.office, self.moves = a_day, office, moves
        self.release = moves and rng.random() < 0.3  # has the client that a broken release reaches
        self.moved = 0.0
        self.forgetful = FORGETFUL
        self.refused: bool = False  # the last request's answer was an error

    # --- a life -----------------------------------------------------------------------------------------

    def life(self, begin: float) -> Life:
        now = begin
        while True:
            now = self.scene.season.next(now, self.a_day, self.office, self.rng)
            if self.moves and now - self.moved > MOVE_SECONDS:
                self.moved = now
                self.who.client.move(address(CARRIERS[self.scene.split], self.rng))
            now = yield from self.visit(now)

    def visit(self, now: float) -> Times:
        now = yield from self.sign_in(now)
        if not self.refused:
            now = yield from self.activities(now)
        return now

    def activities(self, now: float) -> Times:
        for _ in range(1 + int(self.rng.expovariate(0.45))):
            now = yield from self.activity(now)
            if self.refused and self.rng.random() < 0.5:
                break
        return now

    def activity(self, now: float) -> Times:
        draw = self.rng.random()
        if draw < 0.34:
            return (yield from self.look_around(now))
        if draw < 0.66:
            return (yield from self.own_things(now))
        if draw < 0.84:
            return (yield from self.flow(now))
        if draw < 0.90:
            return (yield from self.search(now))
        if draw < 0.985:
            return (yield from self.simple(now, "me"))
        return (yield from self.simple(now, self.rng.choice(("coupon", "fetch", "refresh"))))

    # --- requests ---------------------------------------------------------------------------------------

    def pause(self) -> float:
        """Return seconds until the next request; never none at all."""
        draw = self.app.latencies[int(self.rng.random() * LATENCIES)]
        return 0.2 + self.app.spec.pace * draw * draw

    def ask(
        self, now: float, op: Compiled, thing: Thing | None = None, things: Sequence[Thing] = (), status: int = 0
    ) -> Times:
        """Send one request, again after an answer that says so; return when the next one may follow."""
        for again in range(3):
            yield now
            if self.release and op.kind in ("create", "update") and self.scene.broken[0] <= now < self.scene.broken[1]:
                status = 400
            got = self.app.request(now, self.who, op, thing, things=things, status=status)
            self.refused = got >= 400
            if got < 500:
                break
            now += 1.0 + 2.0 * again + self.rng.random()
        return now + self.pause()

    def sign_in(self, now: float) -> Times:
        """Make sure that there is a credential; a void one is found out by being refused."""
        who, app = self.who, self.app
        self.refused = False
        login, credential = app.of_kind("login"), who.credential
        if login is None:
            if credential is not None and credential.issued < app.rotated:
                now = yield from self.simple(now, "me")
            if credential is None or self.refused:
                app.credential(who, now)  # another key, which an operator sends
                self.refused = False
            return now
        if credential is not None and now < credential.issued + who.lifetime - HOUR:
            if credential.issued >= app.rotated:
                return now
            now = yield from self.simple(now, "me")
            if not self.refused:
                return now
        if self.rng.random() < self.forgetful:
            for _ in range(self.rng.choice((1, 1, 1, 2, 3))):
                now = yield from self.ask(now, login, status=app.spec.missing)
            reset = app.of_kind("reset")
            if reset is not None and self.rng.random() < 0.3:
                now = (yield from self.ask(now, reset)) + self.rng.uniform(30, 300)
        now = yield from self.simple(now, "code")
        return (yield from self.ask(now, login))

    def simple(self, now: float, kind: str) -> Times:
        op = self.app.of_kind(kind)
        return (yield from self.ask(now, op)) if op else now

    def look_around(self, now: float) -> Times:
        """Browse the catalogue and open some of what a page shows."""
        browse, rng = self.app.of_kind("browse"), self.rng
        assert browse is not None
        shelf = self.app.catalogue[browse.resource]
        # Popular things stand on the first pages; few people turn many of them.
        first = min(int(rng.expovariate(1.2)), len(shelf) // PAGE - 1) * PAGE
        page = shelf[first : first + PAGE]
        now = yield from self.ask(now, browse, things=page)
        if self.refused:
            return now
        for _ in range(int(rng.expovariate(0.7))):
            views = [op for op in self.app.by_kind["view"] if op.spec.key in self.app.live]
            views = [op for op in views if op.resource == browse.resource]
            now = yield from self.ask(now, rng.choice(views), rng.choice(page))
        return now

    def search(self, now: float) -> Times:
        op, view = self.app.need("search"), self.app.need("view")
        shelf = self.app.catalogue[op.resource]
        found = self.rng.sample(shelf, self.rng.randrange(0, 8))
        now = yield from self.ask(now, op, things=found)
        if found and not self.refused:
            now = yield from self.ask(now, view, self.rng.choice(found))
        return now

    def own_things(self, now: float) -> Times:
        """List what is one's own, and open, change or delete some of it."""
        rng, app = self.rng, self.app
        listing = rng.choice([op for op in app.by_kind["list"] if op.spec.key in app.live])
        mine = self.scene.things(self.who, listing.resource)[-PAGE:]
        now = yield from self.ask(now, listing, things=mine)
        if self.refused or not mine:
            return now
        for _ in range(1 + int(rng.expovariate(0.8))):
            kind = rng.choices(("read", "update", "remove"), (0.88, 0.1, 0.02))[0]
            now = yield from self.touch(now, kind, listing.resource, rng.choice(mine))
        return now

    def touch(self, now: float, kind: str, resource: str, thing: Thing) -> Times:
        app = self.app
        ops = [op for op in app.by_kind.get(kind, ()) if op.resource == resource and op.spec.key in app.live]
        if not ops:
            return now
        gone = kind == "read" and self.rng.random() < STALE
        now = yield from self.ask(now, self.rng.choice(ops), thing, status=404 if gone else 0)
        owned = self.scene.things(self.who, resource)
        if kind == "remove" and not self.refused and thing in owned:
            owned.remove(thing)
        return now

    def flow(self, now: float) -> Times:
        """Go through the application's business flow in its order; some give up, some try a step again."""
        first, *rest = self.app.flow
        made = self.scene.add(self.who, first.resource)
        now = yield from self.ask(now, first, made)
        for op in rest:
            if self.refused or self.rng.random() < GIVE_UP / len(rest):
                break
            if self.rng.random() < 0.02:
                now = yield from self.ask(now, op, made, status=402)
            now = yield from self.ask(now, op, made)
        return now


def kiosk(scene: Scene, people: Sequence[Person], client: Client, rng: Random) -> Life:
    """A shared terminal: one after the other signs in on the same machine."""
    now = scene.start
    for person in people:
        person.who.client = client
    while True:
        now = scene.season.next(now, 30.0, True, rng)
        person = rng.choice(people)
        person.who.credential = None
        now = yield from person.visit(now)
