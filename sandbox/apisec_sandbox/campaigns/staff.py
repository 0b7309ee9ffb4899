"""Staff and machines: desks, administrators, testers, migrations, monitors, crawlers, batches, partners, devices."""

from __future__ import annotations

from random import Random

from apisec_sandbox.campaigns.bodies import Thing
from apisec_sandbox.campaigns.calendar import DAY, HOUR
from apisec_sandbox.campaigns.operations import Compiled
from apisec_sandbox.campaigns.ordinary import PAGE, Person
from apisec_sandbox.campaigns.people import Client, Who
from apisec_sandbox.campaigns.scene import Life, Scene, Times

YEARS = 1e9  # seconds that a service's credential holds


class Desk(Person):
    """A service desk: looks up whom a caller is about, reads and corrects what belongs to others, all day long."""

    def activity(self, now: float) -> Times:
        desk = self.app.need("desk")
        found = _sample(self.app.recent[desk.resource], self.rng, PAGE)
        now = yield from self.ask(now, desk, things=found)
        if self.refused:
            return now
        for thing in found[: self.rng.randrange(0, 5)]:
            now = yield from self.touch(now, "read" if self.rng.random() < 0.85 else "update", desk.resource, thing)
        return now


class Admin(Person):
    """An administrator: lists accounts, changes one now and then, exports."""

    def activity(self, now: float) -> Times:
        app, rng = self.app, self.rng
        listing, write, export = app.need("admin"), app.need("admin_write"), app.need("export")
        if rng.random() < 0.15:
            return (yield from self.ask(now, export, things=_sample(app.recent[export.resource], rng, 40)))
        found = _sample(app.recent[listing.resource], rng, PAGE)
        now = yield from self.ask(now, listing, things=found)
        if found and not self.refused and rng.random() < 0.4:
            now = yield from self.ask(now, write, rng.choice(found))
        return now


class Tester(Person):
    """A tester with an ordinary account: tries what must be refused, and is."""

    def activity(self, now: float) -> Times:
        kinds = ("admin", "desk", "admin_write")
        op = self.app.of_kind(self.rng.choice(kinds)) if self.rng.random() < 0.3 else None
        if op is None:
            return (yield from super().activity(now))
        seen = self.who.seen.get(op.resource)
        if op.wants_id and not seen:  # it knows ids only that the API has shown
            return (yield from self.simple(now, "me"))
        return (yield from self.ask(now, op, seen[-1] if op.wants_id and seen else None))


def _sample(recent: object, rng: Random, size: int) -> list[Thing]:
    """Return some of a deque, mostly of its newest part."""
    things = list(recent)[-200:]  # type: ignore[call-overload]
    return rng.sample(things, min(size, len(things)))


def service(scene: Scene, persona: str, rng: Random, role: str = "machine") -> Who:
    """Return a machine with a credential that holds for years."""
    who = scene.person(persona, scene.client("machine", rng), rng, role)
    who.lifetime = YEARS
    return who


def migration(scene: Scene, rng: Random) -> Life:
    """Staff moves data once: page after page is listed and each record rewritten, for an hour or two."""
    desk, update = scene.app.of_kind("desk"), scene.app.of_kind("update")
    if desk is None or update is None:
        return
    who = service(scene, "migration", rng, "admin")
    now = scene.start + rng.uniform(0.35, 0.85) * (scene.end - scene.start)
    end = now + rng.uniform(0.4, 1.2) * HOUR
    scene.app.credential(who, now)
    while now < end:
        yield now
        things = list(scene.app.recent[desk.resource])
        at = rng.randrange(0, max(1, len(things) - 40))
        page = things[at : at + 25]
        status = scene.app.request(now, who, desk, things=page)
        if status < 300 and update.resource == desk.resource:
            for thing in page:
                now += rng.uniform(0.8, 2.5)
                yield now
                scene.app.request(now, who, update, thing)
        now += rng.uniform(0.5, 2.0)


def monitor(scene: Scene, rng: Random) -> Life:
    """A health check each minute, and a look at one's own account each ten minutes."""
    who = service(scene, "monitor", rng)
    health, me = scene.app.need("health"), scene.app.need("me")
    now, checks = scene.start + rng.random() * 30.0, 0
    scene.app.credential(who, now)
    while True:
        yield now
        if scene.app.request(now, who, me if checks % 10 == 9 else health) == 401:
            scene.app.credential(who, now)
        checks += 1
        now += 60.0 + rng.random()


def crawler(scene: Scene, rng: Random) -> Life:
    """A search engine's robot: all pages of the catalogue, then all that they name, politely and without an account."""
    who = scene.person("crawler", scene.client("crawler", rng), rng)
    browse, view = scene.app.need("browse"), scene.app.need("view")
    shelf = scene.app.catalogue[browse.resource]
    now = scene.start + rng.random() * HOUR
    while True:
        for first in range(0, len(shelf), PAGE):
            yield now
            page = shelf[first : first + PAGE]
            status = scene.app.request(now, who, browse, things=page, anonymous=True)
            now += rng.uniform(3.0, 9.0)
            for thing in page if status < 300 else ():
                yield now
                gone = rng.random() < 0.01
                scene.app.request(now, who, view, thing, status=404 if gone else 0, anonymous=True)
                now += rng.uniform(3.0, 9.0)
        now += rng.uniform(12.0, 40.0) * HOUR


def batch(scene: Scene, rng: Random) -> Life:
    """A nightly job: exports page after page, at the same hour."""
    export = scene.app.of_kind("export")
    if export is None:
        return
    who = service(scene, "batch", rng)
    night = rng.uniform(1.0, 4.0) * HOUR - scene.season.zone * HOUR
    midnight = scene.start - scene.start % DAY
    scene.app.credential(who, scene.start)
    for day in range(10_000):
        now = midnight + day * DAY + night + rng.random() * 120.0
        if now < scene.start:
            continue
        for _ in range(rng.randint(20, 60)):
            yield now
            things = _sample(scene.app.recent[export.resource], rng, 40)
            if scene.app.request(now, who, export, things=things) == 401:
                scene.app.credential(who, now)
            now += rng.uniform(0.3, 2.0)


class Partner(Person):
    """A partner's integration: lists, reads and creates by key round the clock, and tries again after a timeout."""

    def life(self, begin: float) -> Life:
        now = begin + self.rng.random() * HOUR
        self.app.credential(self.who, now)
        while True:
            now = yield from self.round(now)
            now += self.rng.uniform(0.4, 1.6) * 86_400.0 / self.a_day

    def round(self, now: float) -> Times:
        for _ in range(self.rng.randint(1, 3)):
            now = yield from (self.flow(now) if self.rng.random() < 0.3 else self.own_things(now))
            if self.refused and self.who.credential and self.who.credential.issued < self.app.rotated:
                self.app.credential(self.who, now)
        return now

    def pause(self) -> float:
        return 0.15 + self.rng.expovariate(2.0)


def device(scene: Scene, rng: Random) -> Life:
    """A thing that reports its readings every few minutes with a token of its own, for months."""
    ingest: Compiled | None = scene.app.of_kind("ingest")
    if ingest is None:
        return
    who = service(scene, "device", rng)
    period = rng.choice((300.0, 600.0, 900.0))
    now = scene.start + rng.random() * period
    scene.app.credential(who, now)
    while True:
        yield now
        status = scene.app.request(now, who, ingest)
        if status == 401:
            now += rng.uniform(2.0, 90.0)
            scene.app.credential(who, now)
        elif status >= 500:
            now += 5.0
        else:
            now += period + rng.uniform(-2.0, 2.0)


def office(scene: Scene, rng: Random, size: int) -> list[Client]:
    """Return the machines behind one address."""
    first = scene.client("browser", rng)
    return [first, *(scene.client("browser", rng, first.address) for _ in range(size - 1))]
