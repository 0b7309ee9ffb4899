"""A made-up shop: people who browse and buy in the order of its checkout, as steps of activity rows."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping

from apisec.activity import Activity, Row
from apisec.activity.hashing import value_hash32
from apisec.activity.row import Step

DAY, HOUR = 86_400.0, 3600.0
START = 1_767_571_200.0  # 2026-01-05, a Monday
BROWSE = ("GET /products", "GET /products/{product_id}", "GET /search", "GET /orders")
CART, PAY, CONFIRM = "POST /cart", "POST /cart/{cart_id}/payment", "POST /cart/{cart_id}/confirm"
NOTE = "PUT /me"
VOUCHER = "POST /vouchers"
FLOW = (CART, PAY, CONFIRM)

Taken = tuple[str, Step]
Client = tuple[str, str]  # address and agent
BROWSERS = ("Firefox", "Chrome", "Safari", "Edg")


class Shop:
    """``people`` who visit about once a day, and what attackers do; ``linked``: steps carry the cart's id."""

    def __init__(self, seed: int = 1, people: int = 60, linked: bool = True) -> None:
        self.chance = random.Random(seed)
        self.people, self.linked = people, linked
        self.carts = seed * 1_000_000

    def cart(self) -> tuple[int, ...]:
        self.carts += 1
        return (self.carts,) if self.linked else ()

    def days(self, first: int, last: int) -> list[Taken]:
        """Everybody's ordinary visits of some days, in order of time."""
        found: list[Taken] = []
        for day in range(first, last):
            for number in range(self.people):
                if self.chance.random() < 0.8:
                    who = f"~principal~{number:016x}~"
                    found += self.visit(who, START + day * DAY + self.chance.uniform(8, 20) * HOUR)
        return sorted(found, key=lambda one: one[1].time)

    def visit(self, who: str, now: float) -> Iterator[Taken]:
        for _ in range(self.chance.randint(3, 12)):
            yield who, Step(now, self.chance.choice(BROWSE), 200, (), 0)
            now += self.chance.expovariate(0.1)
        if self.chance.random() < 0.2:
            yield who, Step(now, NOTE, 200, (), 0)
        if self.chance.random() < 0.3:
            yield who, Step(now, VOUCHER, self.chance.choice((200, 200, 200, 404)), (), 0)
        if self.chance.random() < 0.7:
            yield from self.buy(who, now)

    def buy(self, who: str, now: float, leave_out: Iterable[str] = (), pause: float = 20.0) -> Iterator[Taken]:
        ids = self.cart()
        for operation in FLOW:
            now += self.chance.uniform(0.5, 1.5) * pause
            if operation not in leave_out:
                yield who, Step(now, operation, 200, ids, 0)


def client_of(who: str, clients: Mapping[str, Client]) -> dict[str, str]:
    number = value_hash32(who)
    home = f"198.{number % 250}.{number // 256 % 250}.7", f"Mozilla/5.0 ({number % 3}) {BROWSERS[number % 4]}/140"
    source, agent = clients.get(who, home)
    return {"src": source, "http_user_agent": agent}


def windows(
    taken: Iterable[Taken], service: str = "shop", kind: str = "jwt", clients: Mapping[str, Client] = {}
) -> Iterator[tuple[float, list[Row]]]:
    """Activity rows of steps, slot by slot, with the end of each slot; who has no client is at home with a browser."""
    gathered: dict[int, Activity] = {}
    for number, (who, step) in enumerate(taken):
        event = {
            "service": service, "team": "team", "id": f"e{number}", "principal": who, "principal_kind": kind,
            "operation": step.operation, "time": step.time, "status": step.status, "action": "allowed",
            "object_ids": [f"cart_id={one}" for one in step.ids], **client_of(who, clients),
        }  # fmt: skip
        gathered.setdefault(int(step.time // 300), Activity()).add(event)
    for slot in sorted(gathered):
        yield (slot + 1) * 300.0, gathered[slot].rows()
