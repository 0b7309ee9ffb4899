"""Ordinary people of split varied: each with habits of its own, drawn from wide, heavy-tailed distributions."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from apisec_sandbox.campaigns.bodies import Thing
from apisec_sandbox.campaigns.operations import Compiled
from apisec_sandbox.campaigns.ordinary import MOVE_SECONDS, Person
from apisec_sandbox.campaigns.people import Who
from apisec_sandbox.campaigns.scene import Life, Scene, Times
from apisec_sandbox.campaigns.varied.asking import page_of, paged

MOST_ACTIVITIES = 60  # of one visit


@dataclass(frozen=True)
class Habits:
    """Weights of what is done; ``busy``: activities a visit; ``quick`` shortens the pauses between requests."""

    around: float
    own: float
    business: float
    search: float
    profile: float
    rare: float
    busy: float
    quick: float
    deep: float  # pages turned, and things opened of each
    forgetful: float
    leaves: float  # share of flows given up
    optional: float  # share of optional steps taken
    whole: float  # share of requests for whole records, where the API has them
    page: int  # records asked for, 0: what the API gives


def habits(rng: Random, page: int) -> Habits:
    """Draw a person's habits."""
    whole = rng.random() < 0.12
    return Habits(
        rng.gammavariate(1.2, 0.3), rng.gammavariate(1.2, 0.3), rng.gammavariate(0.8, 0.2), rng.gammavariate(0.6, 0.15),
        rng.gammavariate(0.6, 0.12), 0.02 * rng.random(), rng.lognormvariate(0.7, 0.7), rng.lognormvariate(0.0, 0.5),
        rng.lognormvariate(-0.2, 0.7), min(0.3, 0.01 * rng.paretovariate(1.0)), rng.betavariate(1.2, 3.0),
        rng.random(), 0.5 * rng.random() if whole else 0.01, rng.choice((0, 0, 0, 0, page * 2, page * 5, 100)),
    )  # fmt: skip


class Individual(Person):
    """A person with habits."""

    def __init__(
        self, scene: Scene, who: Who, rng: Random, a_day: float, office: bool = False, moves: bool = False
    ) -> None:
        super().__init__(scene, who, rng, a_day, office, moves)
        self.habits = habits(rng, scene.app.spec.page)
        self.forgetful = self.habits.forgetful

        self.page = rng.random() < 0.6  # uses the page that a bad release makes send everything twice
        self.forgets = rng.random() < 0.01  # leaves a program that knows the old password only
        self.home = who.client.address
        self.away = rng.betavariate(1.0, 1.5)  # share of visits from elsewhere than home

    def life(self, begin: float) -> Life:
        scene, rng = self.scene, self.rng
        now = begin
        while True:
            now = scene.season.next(now, self.a_day, self.office, rng)
            if self.moves and now - self.moved > MOVE_SECONDS:
                self.moved = now
                self.who.client.move(rng.choice(scene.carrier) if rng.random() < self.away else self.home)
            now = yield from self.visit(now)
            if rng.random() < 0.01:
                now = yield from self.open_tab(now)

    def sign_in(self, now: float) -> Times:
        """Sign in; now and then with a password that is no longer right, again and again, until somebody sees it."""
        login = self.app.of_kind("login")
        if self.forgets and login is not None and login.body_fields and self.rng.random() < 0.15:
            period = self.rng.choice((30.0, 300.0, 900.0))
            body = self.app.login_form(login, self.who)
            for _ in range(self.rng.randint(3, 40)):
                yield now
                self.app.request(now, self.who, login, body=body, status=self.app.spec.missing)
                now += period * self.rng.uniform(0.95, 1.05)
        return (yield from super().sign_in(now))

    def open_tab(self, now: float) -> Times:
        """Leave a page open that asks for news by itself, also when nobody is signed in any more."""
        op = self.app.need("me")
        period, end = self.rng.choice((15.0, 60.0, 300.0)), now + self.rng.lognormvariate(8.0, 1.2)
        while now < end:
            yield now
            if self.app.request(now, self.who, op) == 401 and self.rng.random() < 0.1:
                break  # the page sees it, and asks to sign in
            now += period
        return now

    def pause(self) -> float:
        return max(0.1, super().pause() * self.habits.quick)

    def activities(self, now: float) -> Times:
        for _ in range(min(MOST_ACTIVITIES, 1 + int(self.rng.expovariate(1.0 / self.habits.busy)))):
            now = yield from self.activity(now)
            if self.refused and self.rng.random() < 0.5:
                break
        return now

    def activity(self, now: float) -> Times:
        own = self.habits
        weights = (own.around, own.own, own.business, own.search, own.profile, own.rare)
        what = self.rng.choices(("around", "own", "flow", "search", "me", "rare"), weights)[0]
        if what == "around":
            return (yield from self.look_around(now))
        if what == "own":
            return (yield from self.own_things(now))
        if what == "flow":
            return (yield from self.flow(now))
        if what == "search":
            return (yield from self.search(now))
        if what == "me":
            return (yield from self.simple(now, "me"))
        return (yield from self.seldom(now))

    def seldom(self, now: float) -> Times:
        """Do what people do once in a while: a coupon, a picture from the net, all one's own data."""
        kind = self.rng.choice(("coupon", "coupon", "fetch", "refresh", "report"))
        op = self.app.of_kind(kind)
        if op is None:
            return now
        if kind == "report":
            return (yield from self.look(now, op, things=self.scene.things(self.who, op.resource)))
        mistyped = kind == "coupon" and self.rng.random() < 0.25
        return (yield from self.ask(now, op, status=404 if mistyped else 0))

    # --- requests --------------------------------------------------------------------------------------------

    def look(self, now: float, op: Compiled, thing: Thing | None = None, things: list[Thing] | None = None,
             number: int = 0, term: str = "") -> Times:  # fmt: skip
        """Send a request for a page or a record, with the parameters that this person's program writes."""
        yield now
        options = {}
        wide = self.rng.random() < self.habits.whole
        if op.shape == "many" or wide:
            options = paged(self.app, op, self.rng, number, self.habits.page, term, wide)
        status = self.app.request(now, self.who, op, thing, things=things or (), **options)
        self.refused = status >= 400
        if self.page and self.scene.doubled[0] <= now < self.scene.doubled[1]:
            now += 0.02 + 0.1 * self.rng.random()
            yield now
            self.app.request(now, self.who, op, thing, things=things or (), **options)
        if status >= 500 and self.rng.random() < 0.7:
            now += 1.0 + self.rng.expovariate(0.3)
            yield now
            self.refused = self.app.request(now, self.who, op, thing, things=things or (), **options) >= 400
        return now + self.pause()

    def size(self) -> int:
        return min(self.habits.page or self.app.spec.page, 100)

    def look_around(self, now: float) -> Times:
        """Turn pages of a catalogue and open some of what they show; popular things stand first."""
        rng, app, own = self.rng, self.app, self.habits
        browse = rng.choice(app.by_kind["browse"])
        views = [op for op in app.by_kind["view"] if op.resource == browse.resource and op.spec.key in app.live]
        shelf = app.catalogue[browse.resource]
        first = min(int(rng.expovariate(1.2)), len(shelf) // self.size())
        for number in range(first, first + 1 + int(rng.expovariate(1.5 / own.deep))):
            page = page_of(shelf, number, self.size())
            now = yield from self.look(now, browse, things=page, number=number)
            if self.refused or not page:
                return now
            for _ in range(int(rng.expovariate(0.8 / own.deep))):
                view = rng.choice(views)
                now = yield from self.look(
                    now, view, rng.choice(page), rng.sample(shelf, 3) if view.shape == "many" else []
                )
        return now

    def search(self, now: float) -> Times:
        rng, app = self.rng, self.app
        op = app.by_kind["search"][0]
        views = [each for each in app.by_kind["view"] if each.resource == op.resource and each.shape == "one"]
        found = rng.sample(app.catalogue[op.resource], min(self.size(), int(rng.expovariate(0.2))))
        # Some programs search at each key that is pressed.
        term = "".join(rng.choice("abcdeghilmnoprstu") for _ in range(rng.randint(3, 8)))
        typed = range(3, len(term) + 1) if self.habits.quick < 0.5 else (len(term),)
        for length in typed:
            due = yield from self.look(now, op, things=found, term=term[:length])
            now = due if length == len(term) else now + 0.15 + 0.3 * rng.random()
        for thing in found[: int(rng.expovariate(0.7))]:
            now = yield from self.look(now, views[0], thing)
        return now

    def own_things(self, now: float) -> Times:
        """List what is one's own, all pages of it at times, and open, change or delete some."""
        rng, app = self.rng, self.app
        listing = rng.choice([op for op in app.by_kind["list"] if op.spec.key in app.live])
        mine = self.scene.things(self.who, listing.resource)[::-1]
        seen: list[Thing] = []
        for number in range(1 + min(int(rng.expovariate(2.0 / self.habits.deep)), len(mine) // self.size())):
            page = page_of(mine, number, self.size())
            now = yield from self.look(now, listing, things=page, number=number)
            if self.refused:
                return now
            seen += page
        everything = rng.random() < 0.01  # now and then somebody reads all that there is
        for thing in (
            seen
            if everything
            else rng.choices(seen, k=1 + int(rng.expovariate(0.9 / self.habits.deep)))
            if seen
            else ()
        ):
            kind = rng.choices(("read", "update", "remove", "upload"), (0.84, 0.1, 0.02, 0.04))[0]
            now = yield from self.touch(now, kind, listing.resource, thing)
        return now

    def flow(self, now: float) -> Times:
        """Go through the business flow: repeated steps some times, optional ones as it pleases; some give up."""
        rng, spec = self.rng, self.app.spec
        first, *rest = self.app.flow
        made = self.scene.add(self.who, first.resource)
        now = yield from self.ask(now, first, made)
        for op in rest:
            if self.refused or rng.random() < self.habits.leaves / len(rest):
                break
            if op.spec.key in spec.optional and rng.random() > self.habits.optional:
                continue
            if op.spec.key in spec.repeated:
                for _ in range(min(12, int(rng.expovariate(0.6)))):
                    now = yield from self.ask(now, op, made)
            if rng.random() < 0.02:
                now = yield from self.ask(now, op, made, status=402)
            now = yield from self.ask(now, op, made)
            if rng.random() < 0.03:  # the telephone rings
                now += rng.expovariate(1.0 / 600.0)
        return now
