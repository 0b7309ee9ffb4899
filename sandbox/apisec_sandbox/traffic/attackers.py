"""Attackers: ordinary customers at first, who then attack in bursts, with ordinary visits in between.

A request that is part of the attack carries the attack's name; what an ordinary customer might have sent in its
place (logging in, filling a cart) carries none. For ``skip`` that is the confirm without payment alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apisec_sandbox.traffic import payloads
from apisec_sandbox.traffic.actors import EXPIRY_MARGIN, Login
from apisec_sandbox.traffic.calls import (
    Reply,
    Rest,
    Step,
    Steps,
    UnexpectedReplyError,
    Wait,
    form_content,
    json_content,
)
from apisec_sandbox.traffic.customer import Customer
from apisec_sandbox.traffic.personas import MobileApp, Shopper

BRISK_FLOOR = 1.2  # seconds of think time below which live attackers would crowd out everyone else
BRISK_PAUSE = 2_400.0  # longest rest between bursts, before live traffic shortens it
BRISK_HASTE = 0.3  # live attackers, once they attack, take this share of the think time of ordinary steps
MISSES_BEFORE_TURNING = 25
HARVEST = 10  # ids in hand that are enough for a burst


@dataclass(frozen=True)
class Tactics:
    """How one attacker goes about it."""

    think: tuple[float, float]  # seconds between requests of a burst
    burst: tuple[int, int]  # requests, or attempts, in a burst
    pause: float  # mean seconds between bursts
    way: str


TACTICS: Mapping[str, Mapping[str, tuple[Tactics, ...]]] = {
    "train": {
        "enumerate": (
            Tactics((0.5, 3), (25, 80), 9_000, "down"),
            Tactics((2, 10), (15, 40), 7_000, "random"),
            Tactics((20, 60), (10, 25), 9_000, "down"),
        ),
        "skip": (Tactics((2, 10), (2, 6), 9_000, "payment"), Tactics((4, 30), (1, 3), 12_000, "payment")),
        "inject": (Tactics((1, 6), (12, 40), 9_000, "mixed"), Tactics((10, 60), (5, 15), 9_000, "query")),
        "replay": (Tactics((2, 10), (10, 30), 6_000, "one"), Tactics((10, 40), (4, 12), 8_000, "one")),
    },
    "heldout": {
        "enumerate": (
            Tactics((3, 15), (15, 50), 8_000, "harvest"),
            Tactics((45, 120), (8, 25), 6_000, "random"),
            Tactics((0.3, 1.5), (40, 120), 20_000, "invoices"),
        ),
        "skip": (Tactics((3, 20), (1, 4), 8_000, "address"), Tactics((1, 4), (3, 8), 15_000, "repeat")),
        "inject": (Tactics((2, 12), (8, 30), 8_000, "mixed"), Tactics((30, 120), (3, 8), 5_000, "json")),
        "replay": (Tactics((3, 20), (6, 20), 6_000, "many"), Tactics((0.5, 3), (15, 40), 15_000, "one")),
    },
}


class Attacker(Customer):
    """Visits like a shopper until ``attack_at``, then mixes bursts of attack with rare ordinary visits."""

    attack = ""
    cover = 0.2  # share of ordinary visits after the attack has begun

    def __init__(self, tactics: Tactics, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tactics = tactics

    def steps(self) -> Steps[None]:
        """Ordinary first; a refusal never ends the attack."""
        yield Rest(self.rng.uniform(0, 3_600))
        while True:
            try:
                if self.now < self.world.attack_at:
                    yield from self.ordinary()
                else:
                    if self.chance(self.cover if self.world.natural else self.cover / 4):
                        yield from self.ordinary()
                    yield from self.ready()
                    yield from self.burst()
            except UnexpectedReplyError:
                self.surprises += 1
                yield self.pace()
            yield Rest(self.pause())

    def pause(self) -> float:
        gap = self.rng.expovariate(1 / self.tactics.pause)
        if not self.world.natural:
            gap = min(gap, BRISK_PAUSE)
        until = self.world.attack_at - self.now
        return min(gap, until + 60) if until > 0 else gap  # none sleeps through the start

    def pace(self) -> Step:
        low, high = self.tactics.think
        if not self.world.natural:
            low, high = max(low, BRISK_FLOOR), max(min(high, 20.0), BRISK_FLOOR * 2)
        return super().think(low, high)

    def think(self, low: float, high: float) -> Step:
        if self.world.natural or self.now < self.world.attack_at:
            return super().think(low, high)
        return super().think(low * BRISK_HASTE, high * BRISK_HASTE)

    def ordinary(self) -> Steps[None]:
        """Visit like a shopper, but break off when the moment to attack comes."""
        early = self.now < self.world.attack_at
        visit = Shopper.visit(self)  # type: ignore[arg-type]  # any customer can make a shopper's visit
        reply: Reply | None = None
        while not (early and self.now >= self.world.attack_at):
            try:
                step = visit.send(reply)
            except StopIteration:
                return
            reply = yield step
        visit.close()

    def ready(self) -> Steps[None]:
        yield from self.ensure_login()

    def burst(self) -> Steps[None]:
        for _ in range(self.rng.randint(*self.tactics.burst)):
            yield from self.ensure_login()
            yield from self.strike()
            yield self.pace()

    def strike(self) -> Steps[None]:
        raise NotImplementedError


class Enumerator(Attacker):
    """Walks other people's orders: down from its own, at random near it, or along ids that reviews give away."""

    persona = "enumerator"
    attack = "enumerate"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.found: list[str] = []  # ids that reviews gave away, not yet read
        self.offset = 0
        self.direction = -1
        self.misses = 0

    def ready(self) -> Steps[None]:
        """Have an order of its own to start from, and ids to follow."""
        yield from self.ensure_login()
        if not self.orders:
            self.orders = [order["id"] for order in (yield from self.call("GET /orders")).need("orders")][::-1]
        if not self.orders:
            yield from self.check_out()
        if self.tactics.way == "harvest" or not self.guessable():
            yield from self.harvest()

    def guessable(self) -> bool:
        return bool(self.orders) and self.orders[0].isdigit()

    def harvest(self) -> Steps[None]:
        """Read reviews like anyone, and keep the order ids in them."""
        for _ in range(6):
            yield from self.list_products()
            yield self.pace()
            for slug in self.rng.sample(self.seen, k=min(4, len(self.seen))):
                if len(self.found) > HARVEST:
                    return
                reply = yield from self.call("GET /products/{slug}/reviews", path={"slug": slug})
                others = [review["order_id"] for review in reply.need("reviews")]
                self.found += [order_id for order_id in others if order_id and order_id not in self.orders]
                yield self.pace()

    def next_id(self) -> str:
        if self.found and (self.tactics.way == "harvest" or not self.guessable()):
            return self.found.pop()
        if not self.guessable():
            raise UnexpectedReplyError("no ids left")
        own = int(self.orders[0])
        if self.tactics.way == "random":
            while (guess := own - self.rng.randint(-15, 300)) == own:
                pass
            return str(guess)
        if self.misses > MISSES_BEFORE_TURNING:
            self.direction, self.offset, self.misses = -self.direction, 0, 0
        self.offset += self.direction
        return str(max(1, own + self.offset))

    def strike(self) -> Steps[None]:
        order_id = self.next_id()
        if order_id in self.orders:
            return
        operation = "GET /orders/{order_id}"
        if self.tactics.way == "invoices" and self.chance(0.6):
            operation += "/invoice"
        reply = yield from self.call(operation, path={"order_id": order_id}, attack=self.attack)
        self.misses = self.misses + 1 if reply.status == 404 else 0


class StepSkipper(Attacker):
    """Confirms checkouts that it never paid."""

    persona = "skipper"
    attack = "skip"

    def strike(self) -> Steps[None]:
        cart_id = yield from self.fill_cart()
        checkout = yield from self.start_checkout(cart_id)
        if self.tactics.way != "address" or self.chance(0.3):
            yield from self.give_address(checkout)
        reply = yield from self.confirm(checkout, attack=self.attack)
        if self.tactics.way == "repeat" and not reply.ok:
            yield self.pace()
            yield from self.confirm(checkout, attack=self.attack)


class Injector(Attacker):
    """Puts payloads into the parameters of ordinary operations."""

    persona = "injector"
    attack = "inject"

    def strike(self) -> Steps[None]:
        places = {"query": ("query",), "json": ("json", "json", "query")}
        place = self.rng.choice(places.get(self.tactics.way, ("query", "query", "json", "path", "form")))
        payload = payloads.draw(self.world.style, place, self.rng)
        yield from getattr(self, f"_in_{place}")(payload)

    def _in_query(self, payload: str) -> Steps[None]:
        operation, name = self.rng.choice(
            (
                ("GET /products/search", "q"),
                ("GET /products/search", "q"),
                ("GET /products", "category"),
                ("GET /products", "sort"),
                ("GET /orders/{order_id}/invoice", "template"),
            )
        )
        own = {"order_id": self.orders[-1]} if self.orders else None
        if "order_id" in operation and own is None:
            operation, name = "GET /products/search", "q"
        value = f"tea{payload}" if name == "q" and self.chance(0.4) else payload
        yield from self.call(operation, path=own, query={name: value}, attack=self.attack)

    def _in_json(self, payload: str) -> Steps[None]:
        choice = self.rng.random()
        if choice < 0.4 and self.seen:
            body: dict[str, Any] = {"rating": 5, "title": "Nice", "text": f"Nice. {payload}"}
            path = {"slug": self.rng.choice(self.seen)}
            content = json_content(body, ascii_only=True)
            yield from self.call("POST /products/{slug}/reviews", path=path, content=content, attack=self.attack)
        elif choice < 0.7:
            body = {**self.address_body(), "street": payload}
            yield from self.call("POST /accounts/me/addresses", content=json_content(body), attack=self.attack)
        else:
            content = json_content({"full_name": payload[:110]})
            yield from self.call("PATCH /accounts/me", content=content, attack=self.attack)

    def _in_path(self, payload: str) -> Steps[None]:
        if self.chance(0.5):
            path = {"slug": f"{self.rng.choice(self.seen) if self.seen else 'tea'}{payload}"}
            yield from self.call("GET /products/{slug}", path=path, attack=self.attack)
        else:
            path = {"order_id": f"{self.orders[-1] if self.orders else 1}{payload}"}
            yield from self.call("GET /orders/{order_id}", path=path, attack=self.attack)

    def _in_form(self, payload: str) -> Steps[None]:
        if not self.orders:
            yield from self._in_query(payload)
            return
        content = form_content({"reason": payload, "iban": self.person.iban})
        path = {"order_id": self.rng.choice(self.orders)}
        yield from self.call("POST /orders/{order_id}/refund", path=path, content=content, attack=self.attack)


class TokenThief(Attacker):
    """Uses a customer's bearer token from its own address, agent and TLS stack while the owner goes on."""

    persona = "thief"
    attack = "replay"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.victim: Customer | None = None
        self.loot: list[str] = []  # the victim's order ids

    def fresh_token(self) -> Login | None:
        """Return a token of the victim that was in use just now and has life left."""
        recent = 180.0 if self.world.natural else 20.0

        def usable(customer: Any) -> Login | None:
            login: Login | None = customer.latest_login
            if login and self.now - login.last_used < recent and login.expires - EXPIRY_MARGIN > self.now:
                return login
            return None

        if self.victim is None or (self.tactics.way == "many" and usable(self.victim) is None):
            online = [each for each in self.world.customers if isinstance(each, Customer) and usable(each)]
            pollers = [each for each in online if isinstance(each, MobileApp)]
            if not online:
                return None
            self.victim, self.loot = self.rng.choice(pollers or online), []
        return usable(self.victim)

    def ready(self) -> Steps[None]:
        yield from ()  # needs no login of its own

    def burst(self) -> Steps[None]:
        """Wait for the victim to be online, then use the token for as long as it lives."""
        for _ in range(40):
            login = self.fresh_token()
            if login:
                break
            yield Wait(30.0 if self.world.natural else 3.0)
        else:
            self.victim = None
            return
        for _ in range(self.rng.randint(*self.tactics.burst)):
            reply = yield from self.use(login)
            if reply.status == 401 or login.expires < self.now:
                return
            yield self.pace()

    def use(self, login: Login) -> Steps[Reply]:
        operation = self.rng.choice(
            ("GET /accounts/me", "GET /cards", "GET /orders", "GET /orders/{order_id}", "GET /accounts/me/addresses")
        )
        if "order_id" in operation and not self.loot:
            operation = "GET /orders"
        path = {"order_id": self.rng.choice(self.loot)} if "order_id" in operation else None
        headers = [("authorization", f"Bearer {login.access}")]
        # the token was recorded as planted when its owner got it
        reply = yield from self.call(operation, path=path, headers=headers, attack=self.attack, anonymous=True)
        if operation == "GET /orders" and reply.ok:
            self.loot = [order["id"] for order in reply.need("orders")]
        return reply


ATTACKERS: Mapping[str, type[Attacker]] = {
    each.attack: each for each in (Enumerator, StepSkipper, Injector, TokenThief)
}
