"""Who lives in an application of split varied, and what happens to it: all of it drawn anew for each application."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from apisec_sandbox.campaigns.calendar import DAY, HOUR
from apisec_sandbox.campaigns.ordinary import kiosk
from apisec_sandbox.campaigns.people import CARRIERS, Client, Who, address
from apisec_sandbox.campaigns.population import DEVICES, PEOPLE
from apisec_sandbox.campaigns.scene import Life, Scene
from apisec_sandbox.campaigns.staff import device, migration, office, service
from apisec_sandbox.campaigns.values import seeded
from apisec_sandbox.campaigns.varied.machines import Integration, Script, nightly, robot, watcher
from apisec_sandbox.campaigns.varied.people import Individual
from apisec_sandbox.campaigns.varied.staff import Administrator, Auditor, Clerk, QualityTester

BUSY = 30.0  # visits a day at most
MOST_ROUNDS = 3_000.0  # of an integration a day


def lives(scene: Scene, scale: float, seed: object) -> Iterator[Life]:
    """Yield everyone's life. Each has a generator of its own, so that one more changes nobody else's."""
    spec, name = scene.app.spec, scene.app.name
    rng = seeded("population", seed, name)
    world(scene, rng)
    count = max(12, round(PEOPLE * scale * spec.people))
    yield from crowd(scene, count, seed)
    yield from staff(scene, max(1, round(count * rng.uniform(0.008, 0.03))), seed)
    yield from machines(scene, scale, seed, rng)
    yield events(scene, seeded("events", seed, name))


def world(scene: Scene, rng: Random) -> None:
    """Draw what all in an application share: the carriers' addresses, closing days, how much people own."""
    # Phones are behind addresses that hundreds share, or each has its own each time.
    pool = round(rng.lognormvariate(3.0, 1.2))
    scene.carrier = tuple(address(CARRIERS[scene.split], rng) for _ in range(min(400, max(2, pool))))
    first, last = int(scene.start // DAY), int(scene.end // DAY)
    every = rng.choice((7, 14, 14, 28))
    scene.closing = frozenset(range(first + rng.randrange(every), last + 1, every))
    scene.most, scene.tail = (400, 600), rng.uniform(0.8, 1.6)


def crowd(scene: Scene, count: int, seed: object) -> Iterator[Life]:
    """Yield ordinary users: at home, in households, on phones, in offices of any size, at a kiosk, power users."""
    name, tenants = scene.app.name, scene.app.spec.tenants
    draw = seeded("crowd", seed, name)
    shares = [draw.gammavariate(each, 1.0) for each in (4.0, 3.0, 2.0, 0.3, 0.5, 0.2)]
    kinds = draw.choices(("person", "phone", "office", "kiosk", "power", "script"), shares, k=count)
    lifetime = draw.choice((1, 8, 12, 12, 24, 168, 720)) * HOUR
    heavy, median = draw.uniform(1.1, 1.8), draw.uniform(0.2, 0.6)
    offices: list[list[Client]] = []
    terminal, shared = scene.client("browser", draw), list[Individual]()
    home = tenant = ""
    for number, kind in enumerate(kinds):
        rng = seeded("person", seed, name, number)
        if tenants and (not tenant or rng.random() < 0.2):
            tenant = f"t{rng.getrandbits(32):08x}"
        a_day = min(BUSY, median * rng.paretovariate(heavy))
        if kind == "office":
            if not offices or not offices[-1]:  # a company of three, or of three hundred
                offices.append(office(scene, draw, 3 + min(300, int(3 * draw.paretovariate(0.9)))))
            client = offices[-1].pop()
        elif kind in ("phone", "kiosk"):
            client = scene.client("phone", rng, draw.choice(scene.carrier)) if kind == "phone" else terminal
        else:
            home = home if home and rng.random() < 0.3 else ""
            client = scene.client("machine" if kind == "script" and rng.random() < 0.7 else "browser", rng, home)
            home = client.address
        who = scene.person(kind, client, rng, owner=tenant)
        if scene.app.spec.auth != "api_key":
            who.lifetime = lifetime
        begin = scene.start if rng.random() < 0.85 else scene.start + rng.random() * (scene.end - scene.start)
        if kind == "script":
            yield Script(scene, who, rng, 1.0).life(begin)
            continue
        person = Individual(scene, who, rng, a_day, office=kind == "office", moves=kind == "phone")
        if kind == "power":
            person.a_day = rng.uniform(4.0, BUSY)
        elif kind == "phone":
            who.lifetime = max(who.lifetime, rng.choice((1, 7, 30, 90)) * DAY)
        elif kind == "kiosk":
            shared.append(person)
            continue
        scene.people.append(who)
        yield person.life(begin)
    if shared:
        yield kiosk(scene, shared, terminal, seeded("kiosk", seed, name))


def staff(scene: Scene, count: int, seed: object) -> Iterator[Life]:
    """Yield those who work for others: clerks by day and by night, administrators, testers, somebody who audits."""
    name = scene.app.name
    rng = seeded("staff", seed, name)
    behind = office(scene, rng, 2 * count + 8)
    remote = 0.25

    def who(persona: str, own: Random, role: str = "user") -> Who:
        client = behind.pop() if own.random() > remote and behind else scene.client("browser", own)
        return scene.person(persona, client, own, role)

    for number in range(count + 1):
        own = seeded("desk", seed, name, number)
        busy = min(120.0, 12.0 * own.lognormvariate(0.0, 0.7))
        clerk = Clerk(scene, who("desk", own, "desk"), own, busy, office=own.random() < 0.75)
        yield clerk.life(scene.start if own.random() < 0.8 else scene.start + own.random() * (scene.end - scene.start))
    for number in range(max(1, count // 2)):
        own = seeded("admin", seed, name, number)
        yield Administrator(
            scene, who("admin", own, "admin"), own, own.lognormvariate(1.5, 0.5), office=own.random() < 0.85
        ).life(scene.start)
    for number in range(rng.choice((0, 1, 1, 2))):
        own = seeded("auditor", seed, name, number)
        yield Auditor(scene, who("auditor", own, "desk"), own, 1.0, office=True).life(scene.start)
    for number in range(rng.choice((1, 1, 2))):
        own = seeded("tester", seed, name, number)
        yield QualityTester(scene, who("tester", own), own, own.uniform(1.0, 8.0), office=True).life(scene.start)


def machines(scene: Scene, scale: float, seed: object, rng: Random) -> Iterator[Life]:
    """Yield what runs by itself: monitors, crawlers, exports, a migration, integrations, devices."""
    spec, name = scene.app.spec, scene.app.name

    def own(kind: str, number: int = 0) -> Random:
        return seeded(kind, seed, name, number)

    for number in range(rng.choice((1, 1, 2))):
        yield watcher(scene, service(scene, "monitor", own("monitor", number)), own("monitored", number))
    for number in range(rng.choice((0, 1, 1, 2))):
        made = own("crawler", number)
        yield robot(scene, scene.person("crawler", scene.client("crawler", made), made), made)
    for number in range(rng.choice((0, 1, 1, 2))):
        yield nightly(scene, service(scene, "batch", own("batch", number)), own("nightly", number))
    if rng.random() < 0.6:
        yield migration(scene, own("migration"))
    for number in range(spec.partners):
        made = own("partner", number)
        partner = service(scene, "partner", made, "user")
        rounds = min(MOST_ROUNDS, made.lognormvariate(5.0, 1.2))
        # A third of them begin later: in the third week of four, say.
        begin = (
            scene.start if made.random() < 0.65 else scene.start + made.uniform(0.1, 0.8) * (scene.end - scene.start)
        )
        yield Integration(scene, partner, made, rounds).life(begin)
    for number in range(round(DEVICES * scale * spec.devices)):
        yield device(scene, own("device", number))


def events(scene: Scene, rng: Random) -> Life:
    """What happens: a deployment, new credentials for all, bad releases, slowness, outages; not all everywhere."""
    span, app = scene.end - scene.start, scene.app
    due = [(scene.start + rng.uniform(0.25, 0.6) * span, "deploy")]
    for what, chance in (
        ("rotate", 0.6),
        ("broken", 0.6),
        ("slow", 0.7),
        ("outage", 0.6),
        ("outage", 0.3),
        ("double", 0.5),
    ):
        if rng.random() < chance:
            due.append((scene.start + rng.uniform(0.1, 0.95) * span, what))
    for now, what in sorted(due):
        yield now
        scene.happened.append((now, what))
        if what == "deploy":
            app.live.update(app.operations)
            for op in app.operations.values():
                op.scale = rng.lognormvariate(0.0, 0.25)
        elif what == "rotate":
            app.rotated = now
        elif what == "broken":
            scene.broken = (now, now + rng.uniform(2.0, 20.0) * HOUR)
        elif what == "double":
            scene.doubled = (now, now + rng.uniform(0.3, 6.0) * DAY)
        elif what == "outage":
            app.down = (now, now + rng.lognormvariate(6.5, 0.9), rng.choice((0.3, 0.8, 1.0)))
        else:
            app.load = rng.uniform(2.0, 6.0)
            yield now + rng.uniform(0.3, 3.0) * HOUR
            app.load = 1.0
