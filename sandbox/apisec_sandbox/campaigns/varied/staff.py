"""Staff of split varied: clerks, administrators, auditors and testers with their own ways."""

from __future__ import annotations

from random import Random

from apisec_sandbox.campaigns.bodies import Thing
from apisec_sandbox.campaigns.calendar import DAY
from apisec_sandbox.campaigns.operations import Compiled
from apisec_sandbox.campaigns.people import Who
from apisec_sandbox.campaigns.scene import Life, Scene, Times
from apisec_sandbox.campaigns.varied.people import Individual


class Worker(Individual):
    """Somebody who works for others; on closing days there is more of it."""

    def activities(self, now: float) -> Times:
        now = yield from super().activities(now)
        if int(now // DAY) in self.scene.closing:
            now = yield from super().activities(now)
        return now

    def recent(self, resource: str, size: int, old: bool = False) -> list[Thing]:
        """Return objects that a search of this worker finds: mostly new ones, or any."""
        things = list(self.app.recent[resource])
        things = things if old else things[-300:]
        return self.rng.sample(things, min(size, len(things)))


class Clerk(Worker):
    """A service desk: looks up whom a caller is about, reads and corrects what belongs to others, all day or night."""

    def __init__(self, scene: Scene, who: Who, rng: Random, a_day: float, office: bool = False) -> None:
        super().__init__(scene, who, rng, a_day, office)
        self.thorough = rng.lognormvariate(0.7, 0.6)  # objects opened a search
        self.writes = rng.betavariate(1.5, 6.0)

    def activity(self, now: float) -> Times:
        desk = self.app.need("desk")
        found = self.recent(desk.resource, self.size(), self.rng.random() < 0.2)
        now = yield from self.look(now, desk, things=found)
        opened = 0 if self.refused else int(self.rng.expovariate(1.0 / self.thorough))
        for thing in found[:opened]:
            kind = "update" if self.rng.random() < self.writes else "read"
            now = yield from self.touch(now, kind, desk.resource, thing)
        return now


class Administrator(Worker):
    """Lists accounts, some pages of them, changes one now and then, exports."""

    def activity(self, now: float) -> Times:
        app, rng = self.app, self.rng
        listing, write, export = app.need("admin"), app.need("admin_write"), app.need("export")
        if rng.random() < 0.12:
            for number in range(1 + int(rng.expovariate(0.5))):
                now = yield from self.look(
                    now, export, things=self.recent(export.resource, 2 * self.size(), True), number=number
                )
            return now
        for number in range(1 + int(rng.expovariate(1.2))):
            found = self.recent(listing.resource, self.size(), True)
            now = yield from self.look(now, listing, things=found, number=number)
            if found and not self.refused and rng.random() < 0.4:
                now = yield from self.ask(now, write, rng.choice(found))
        return now


class Auditor(Worker):
    """On a few days, and on closing days, reads a sample of some hundred cases, one after the other."""

    def life(self, begin: float) -> Life:
        rng, now = self.rng, begin
        while True:
            now = self.scene.season.next(now, 0.25, True, rng)
            yield now
            now = yield from self.sign_in(now)
            desk = self.app.need("desk")
            left = 30 + int(30 * rng.paretovariate(1.2)) if not self.refused else 0
            for number in range(min(40, left // self.size() + 1)):
                found = self.recent(desk.resource, self.size(), True)
                now = yield from self.look(now, desk, things=found, number=number)
                for thing in found if not self.refused else ():
                    now = yield from self.touch(now, "read", desk.resource, thing)


class QualityTester(Worker):
    """A tester with an ordinary account: tries what must be refused, and is, some in bursts before a release."""

    def activity(self, now: float) -> Times:
        rng = self.rng
        if rng.random() > 0.3:
            return (yield from super().activity(now))
        op: Compiled | None = self.app.of_kind(rng.choice(("admin", "desk", "admin_write", "export")))
        assert op is not None
        named = op.wants_id or op.kind == "admin_write"
        seen = self.who.seen.get(op.resource)
        if named and not seen:  # it knows ids only that the API has shown
            return (yield from self.simple(now, "me"))
        return (yield from self.ask(now, op, seen[-1] if named and seen else None))
