"""Who takes part in a run: personas in fixed proportions, then the attackers that were asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from apisec_sandbox.sample_api.credentials import ADMIN, CLERKS
from apisec_sandbox.traffic.actors import Actor, World
from apisec_sandbox.traffic.attackers import ATTACKERS, TACTICS
from apisec_sandbox.traffic.clients import Client, Networks, draw_client
from apisec_sandbox.traffic.personas import (
    Admin,
    Clerk,
    FamilyMember,
    MobileApp,
    Monitor,
    NightOwl,
    PartnerBatch,
    PaymentProvider,
    Shopper,
    TwoDevices,
)
from apisec_sandbox.traffic.values import HELDOUT, TRAIN, Values, seeded

STYLES = ("train", "heldout")
MAX_USERS = 5_000
MAX_ATTACKERS = 50
USERS_PER_SERVICE = 100  # one more clerk and one more partner for every so many users

# Of every 20 customers; families come in households of 2 to 4.
MIX: Sequence[tuple[str, int]] = (("shopper", 9), ("mobile", 6), ("family", 1), ("two-devices", 1), ("night-owl", 1))


@dataclass(frozen=True)
class Plan:
    """What a run consists of; ``attackers`` names attacks, repeats allowed."""

    seed: int
    style: str
    users: int
    attackers: tuple[str, ...]


class Casting:
    """Makes actors one after another; each has its own generator, so that one more actor changes no other."""

    def __init__(self, plan: Plan, world: World) -> None:
        self.plan, self.world = plan, world
        self._networks = Networks(seeded("networks", plan.seed))
        self._formats = TRAIN if plan.style == "train" else HELDOUT
        self.actors: list[Actor] = []

    def add(self, make: Callable[..., Actor], role: str, label: str, addresses: Sequence[str] = ()) -> Actor:
        """Make one actor with a device of ``role`` on each of ``addresses`` (by default one on a new network)."""
        number = len(self.actors)
        name = f"{label}-{number:03d}"
        rng = seeded("actor", self.plan.seed, self.plan.style, name)
        values = Values(self._formats, rng)
        client = draw_client(self.plan.style, role, addresses[0] if addresses else self._networks.address(), rng)
        devices: list[Client] = [client, *(client.moved_to(address) for address in addresses[1:])]
        actor = make(name, self.world, devices, values.person(self.plan.seed % 1000 * 1000 + number), values, rng)
        self.actors.append(actor)
        return actor

    def services(self) -> None:
        """Staff and machines: at least one of each, however few users there are."""
        for number in range(min(1 + self.plan.users // USERS_PER_SERVICE, len(CLERKS))):
            staff = CLERKS[number]
            self.add(lambda *args, staff=staff: Clerk(staff, *args), "browser", "clerk")
            self.add(lambda *args, number=number: PartnerBatch(number, *args), "batch", "partner")
        self.add(lambda *args: Admin(ADMIN, *args), "browser", "admin")
        self.add(PaymentProvider, "service", "payments")
        self.add(Monitor, "service", "monitor")

    def customers(self, count: int) -> None:
        rng = seeded("mix", self.plan.seed)
        carrier = [self._networks.address() for _ in range(3)]  # carrier-grade NAT that phones share
        names, weights = [name for name, _ in MIX], [weight for _, weight in MIX]
        left = count
        while left > 0:
            name = rng.choices(names, weights)[0]
            made = min(left, rng.randint(2, 4) if name == "family" else 1)
            left -= made
            if name == "family":
                home = self._networks.address()
                members = [self.add(FamilyMember, rng.choice(("browser", "app")), name, [home]) for _ in range(made)]
            elif name == "mobile":
                members = [self.add(MobileApp, "app", name, [self._networks.address(), rng.choice(carrier)])]
            elif name == "two-devices":
                members = [self.add(TwoDevices, "browser", name)]
                phone = draw_client(self.plan.style, "app", rng.choice(carrier), members[0].rng)
                members[0].devices.append(phone)
            else:
                members = [self.add(NightOwl if name == "night-owl" else Shopper, "browser", name)]
            self.world.customers += members

    def attackers(self) -> None:
        for number, attack in enumerate(self.plan.attackers):
            choices = TACTICS[self.plan.style][attack]
            tactics = choices[self.plan.attackers[:number].count(attack) % len(choices)]
            kind = ATTACKERS[attack]
            role = "tool" if attack in ("inject", "replay") or number % 2 else "browser"
            self.add(lambda *args, kind=kind, tactics=tactics: kind(tactics, *args), role, attack)


def cast(plan: Plan, world: World) -> list[Actor]:
    """Return everyone of a run, ``plan.users`` ordinary users and the attackers."""
    casting = Casting(plan, world)
    casting.services()
    casting.customers(plan.users - len(casting.actors))
    casting.attackers()
    return casting.actors
