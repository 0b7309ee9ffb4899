"""Machines of split varied: integrations that come, change and try again, scripts of single users, nightly work."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from apisec_sandbox.campaigns.bodies import Thing
from apisec_sandbox.campaigns.calendar import DAY, HOUR
from apisec_sandbox.campaigns.operations import Compiled
from apisec_sandbox.campaigns.people import Who
from apisec_sandbox.campaigns.scene import Life, Scene, Times
from apisec_sandbox.campaigns.varied.asking import page_of, paged
from apisec_sandbox.campaigns.varied.people import Individual

MOST_TRIES = 40  # of one request while the service is down


class Integration(Individual):
    """A program with a key: ``a_day`` rounds of what it does; it may begin late, and do something else one day."""

    def __init__(self, scene: Scene, who: Who, rng: Random, a_day: float) -> None:
        super().__init__(scene, who, rng, a_day)
        self.ways: tuple[Callable[[float], Times], ...] = (self.poll, self.mirror, self.order, self.follow)
        self.way: Callable[[float], Times] = rng.choice(self.ways)
        self.gap = rng.lognormvariate(-1.0, 0.8)  # seconds between two requests
        self.patience = rng.choice((0.5, 2.0, 5.0, 30.0))  # seconds before it tries again
        self.even = rng.random() < 0.5  # a timer, or whenever there is something to do

    def life(self, begin: float) -> Life:
        rng, span = self.rng, self.scene.end - begin
        changes = begin + rng.uniform(0.2, 1.5) * span if rng.random() < 0.4 else float("inf")
        now = begin + rng.random() * HOUR
        self.app.credential(self.who, now)
        while True:
            yield now
            if now > changes:  # another version of it
                self.way, changes = rng.choice(self.ways), float("inf")
                self.a_day *= rng.choice((0.3, 1.0, 1.5, 3.0))
            now = yield from self.way(now)
            period = DAY / self.a_day
            now += period * rng.uniform(0.98, 1.02) if self.even else rng.expovariate(1.0 / period)

    def pause(self) -> float:
        return self.gap * self.rng.uniform(0.7, 1.5)

    def send(self, now: float, op: Compiled, thing: Thing | None = None, things: list[Thing] | None = None,
             number: int = 0) -> Times:  # fmt: skip
        """Send one request until it is answered, patiently or not."""
        options = paged(self.app, op, self.rng, number, self.habits.page) if op.shape == "many" else {}
        for _ in range(MOST_TRIES):
            yield now
            status = self.app.request(now, self.who, op, thing, things=things or (), **options)
            self.refused = status >= 400
            if status == 401:
                self.app.credential(self.who, now)
            elif status < 500 and status != 429:
                break
            now += self.patience * self.rng.uniform(0.8, 1.6)
        return now + self.pause()

    # --- what it does ----------------------------------------------------------------------------------------

    def mine(self) -> tuple[Compiled, list[Thing]]:
        listing = self.rng.choice([op for op in self.app.by_kind["list"] if op.spec.key in self.app.live])
        return listing, self.scene.things(self.who, listing.resource)[::-1]

    def poll(self, now: float) -> Times:
        """Look whether there is anything new, and read it where there is."""
        listing, mine = self.mine()
        now = yield from self.send(now, listing, things=mine[: self.size()])
        for thing in mine[: self.rng.choice((0, 0, 0, 1, 2))] if not self.refused else ():
            now = yield from self.read(now, listing, thing)
        return now

    def mirror(self, now: float) -> Times:
        """Read all pages of all that is its own, and each thing of them: a copy for a data warehouse."""
        listing, mine = self.mine()
        for number in range(len(mine) // self.size() + 1):
            page = page_of(mine, number, self.size())
            now = yield from self.send(now, listing, things=page, number=number)
            for thing in page if not self.refused else ():
                now = yield from self.read(now, listing, thing)
        return now + 10.0 * self.rng.random() * DAY / self.a_day

    def read(self, now: float, listing: Compiled, thing: Thing) -> Times:
        ops = [
            op for op in self.app.by_kind["read"] if op.resource == listing.resource and op.spec.key in self.app.live
        ]
        return (yield from self.send(now, ops[0], thing)) if ops else now

    def order(self, now: float) -> Times:
        """Go through the flow with what a business of its own has sold, and look at it once more."""
        for _ in range(1 + int(self.rng.expovariate(1.2))):
            now = yield from self.flow(now)
        listing, mine = self.mine()
        return (yield from self.send(now, listing, things=mine[: self.size()]))

    def follow(self, now: float) -> Times:
        """Read a few of its things again and again, as somebody does who waits for a state to change."""
        listing, mine = self.mine()
        if not mine:
            return (yield from self.order(now))
        if not any(thing in mine for thing in self.who.seen.get(listing.resource, ())):
            now = yield from self.send(now, listing, things=mine[: self.size()])
        known = [thing for thing in mine[: self.size()] if thing in self.who.seen.get(listing.resource, ())]
        for thing in known[: self.rng.randint(1, 4)]:
            now = yield from self.read(now, listing, thing)
        return now


class Script(Integration):
    """Somebody's own work by a script from the machine at home: on working days at its hour, on modest scale."""

    def life(self, begin: float) -> Life:
        rng = self.rng
        hour = rng.uniform(5.0, 21.0) * HOUR - self.scene.season.zone * HOUR
        begin = max(
            begin, self.scene.start + rng.choice((0.0, 0.0, rng.random())) * (self.scene.end - self.scene.start)
        )
        size = 1 + int(rng.expovariate(0.25))
        midnight = begin - begin % DAY
        busy = begin
        for day in range(10_000):
            now = midnight + day * DAY + hour + rng.random() * 90.0
            if now < busy or (int(now // DAY) + 3) % 7 >= 5:  # the epoch began on a Thursday
                continue
            yield now
            now = yield from self.sign_in(now)
            for _ in range(max(1, round(size * rng.uniform(0.5, 1.5)))) if not self.refused else ():
                now = yield from self.way(now)
                now += self.gap
            busy = now


def nightly(scene: Scene, who: Who, rng: Random) -> Life:
    """Export page after page at one hour of the night; on closing days everything."""
    app, op = scene.app, scene.app.of_kind("export")
    assert op is not None
    hour = rng.uniform(0.0, 6.0) * HOUR - scene.season.zone * HOUR
    pages = 3 + int(rng.paretovariate(0.9))
    app.credential(who, scene.start)
    midnight = scene.start - scene.start % DAY
    for day in range(10_000):
        now = midnight + day * DAY + hour + rng.random() * 600.0
        if now < scene.start or rng.random() < 0.02:
            continue
        closing = int(now // DAY) in scene.closing
        for number in range(min(120, pages * (4 if closing else 1))):
            yield now
            things = page_of(list(app.recent[op.resource]), number, app.spec.page * 2)
            status = app.request(now, who, op, things=things, **paged(app, op, rng, number, app.spec.page * 2))
            if status == 401:
                app.credential(who, now)
            now += rng.uniform(0.3, 2.5)


def robot(scene: Scene, who: Who, rng: Random) -> Life:
    """A search engine's robot: pages of the catalogue and what they name, politely, without an account, for ever."""
    app = scene.app
    browse = app.by_kind["browse"][0]
    view = next(op for op in app.by_kind["view"] if op.resource == browse.resource and op.shape == "one")
    shelf, pause = app.catalogue[browse.resource], rng.lognormvariate(2.0, 0.8)
    now = scene.start + rng.random() * DAY
    while True:
        for number in range(len(shelf) // app.spec.page + 1):
            yield now
            page = page_of(shelf, number, app.spec.page)
            status = app.request(now, who, browse, things=page, anonymous=True, **paged(app, browse, rng, number))
            now += pause * rng.uniform(0.5, 1.5)
            for thing in page if status < 300 and rng.random() < 0.6 else ():
                yield now
                gone = 404 if rng.random() < 0.01 else 0
                app.request(now, who, view, thing, status=gone, anonymous=True)
                now += pause * rng.uniform(0.5, 1.5)
        now += rng.lognormvariate(3.0, 0.7) * HOUR


def watcher(scene: Scene, who: Who, rng: Random) -> Life:
    """A health check every minute or every few, and a look at one's own account now and then."""
    health, me = scene.app.need("health"), scene.app.need("me")
    period, deep = rng.choice((30.0, 60.0, 120.0, 300.0)), rng.randint(5, 30)
    now, checks = scene.start + rng.random() * period, 0
    scene.app.credential(who, now)
    while True:
        yield now
        if scene.app.request(now, who, me if checks % deep == deep - 1 else health) == 401:
            scene.app.credential(who, now)
        checks += 1
        now += period + rng.random()
