"""Who lives in an application, and what happens to it: deployments, void credentials, a broken release."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from apisec_sandbox.campaigns.calendar import DAY, HOUR
from apisec_sandbox.campaigns.ordinary import Person, kiosk
from apisec_sandbox.campaigns.scene import Life, Scene
from apisec_sandbox.campaigns.staff import (
    Admin,
    Desk,
    Partner,
    Tester,
    batch,
    crawler,
    device,
    migration,
    monitor,
    office,
    service,
)
from apisec_sandbox.campaigns.values import seeded

PEOPLE = 200  # of an application at scale 1
DEVICES = 40
BUSY = 18.0  # visits a day at most


def lives(scene: Scene, scale: float, seed: object) -> Iterator[Life]:
    """Yield everyone's life. Each has a generator of its own, so that one more changes nobody else's."""
    spec = scene.app.spec
    count = max(12, round(PEOPLE * scale * spec.people))
    yield from crowd(scene, count, seed)
    yield from staff(scene, max(1, count // 60), seed)
    rng = seeded("machines", seed, scene.app.name)
    yield monitor(scene, rng)
    yield crawler(scene, seeded("crawler", seed, scene.app.name))
    yield batch(scene, seeded("batch", seed, scene.app.name))
    yield migration(scene, seeded("migration", seed, scene.app.name))
    for number in range(spec.partners):
        own = seeded("partner", seed, scene.app.name, number)
        yield Partner(scene, service(scene, "partner", own, "user"), own, own.uniform(60, 400)).life(scene.start)
    for number in range(round(DEVICES * scale * spec.devices)):
        yield device(scene, seeded("device", seed, scene.app.name, number))
    yield events(scene, seeded("events", seed, scene.app.name))


def crowd(scene: Scene, count: int, seed: object) -> Iterator[Life]:
    """Yield ordinary users: at home, in households, on phones, behind an office's address, at a kiosk, power users."""
    draw = seeded("crowd", seed, scene.app.name)
    behind = office(scene, draw, max(3, round(count * 0.14)))
    terminal = scene.client("browser", draw)
    shared: list[Person] = []
    home = ""
    tenant = ""
    for number in range(count):
        rng = seeded("person", seed, scene.app.name, number)
        if scene.app.spec.tenants and (not tenant or rng.random() < 0.2):
            tenant = f"t{rng.getrandbits(32):08x}"
        at = number / count
        a_day = min(BUSY, 0.35 * rng.paretovariate(1.4))
        if at < 0.46:
            home = home if home and rng.random() < 0.35 else ""
            client = scene.client("browser", rng, home)
            home = client.address
            person = Person(scene, scene.person("person", client, rng, owner=tenant), rng, a_day)
        elif at < 0.78:
            person = Person(
                scene, scene.person("phone", scene.client("phone", rng), rng, owner=tenant), rng, a_day, moves=True
            )
            person.who.lifetime = 30 * DAY
        elif at < 0.92 and behind:
            person = Person(
                scene, scene.person("office", behind.pop(), rng, owner=tenant), rng, a_day * 1.5, office=True
            )
        elif at < 0.95:
            shared.append(Person(scene, scene.person("kiosk", terminal, rng, owner=tenant), rng, a_day))
            continue
        else:
            power = rng.uniform(6.0, 22.0)
            person = Person(scene, scene.person("power", scene.client("browser", rng), rng, owner=tenant), rng, power)
        scene.people.append(person.who)
        # Some come later: an application grows.
        yield person.life(
            scene.start if rng.random() < 0.9 else scene.start + rng.random() * 0.7 * (scene.end - scene.start)
        )
    if shared:
        yield kiosk(scene, shared, terminal, seeded("kiosk", seed, scene.app.name))


def staff(scene: Scene, count: int, seed: object) -> Iterator[Life]:
    rng = seeded("staff", seed, scene.app.name)
    behind = office(scene, rng, 2 * count + 4)
    for number in range(count + 1):
        own = seeded("desk", seed, scene.app.name, number)
        yield Desk(scene, scene.person("desk", behind.pop(), own, "desk"), own, own.uniform(8, 25), office=True).life(
            scene.start
        )
    for number in range(max(1, count // 2)):
        own = seeded("admin", seed, scene.app.name, number)
        yield Admin(scene, scene.person("admin", behind.pop(), own, "admin"), own, own.uniform(3, 9), office=True).life(
            scene.start
        )
    own = seeded("tester", seed, scene.app.name)
    yield Tester(scene, scene.person("tester", behind.pop(), own), own, 5.0, office=True).life(scene.start)


def events(scene: Scene, rng: Random) -> Life:
    """What happens to the application: a deployment with new operations and latencies, keys replaced, a bad release."""
    span = scene.end - scene.start
    app = scene.app
    due = sorted(
        [
            (scene.start + rng.uniform(0.30, 0.50) * span, "deploy"),
            (scene.start + rng.uniform(0.50, 0.70) * span, "rotate"),
            (scene.start + rng.uniform(0.55, 0.80) * span, "broken"),
            (scene.start + rng.uniform(0.60, 0.90) * span, "slow"),
        ]
    )
    for now, what in due:
        yield now
        scene.happened.append((now, what))
        if what == "deploy":
            app.live.update(app.operations)
            for op in app.operations.values():
                op.scale = rng.choice((0.8, 1.0, 1.0, 1.4))
        elif what == "rotate":
            app.rotated = now
        elif what == "broken":
            scene.broken = (now, now + rng.uniform(3.0, 12.0) * HOUR)
        else:
            app.load = 3.0
            yield now + rng.uniform(0.5, 2.0) * HOUR
            app.load = 1.0
