"""Ordinary events of a small shop, made by rules: what scoring tests learn from and hide their cases in."""

from __future__ import annotations

import random
from typing import Any

START = 1_700_000_000.0
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1"
CHECKOUT = "POST /checkout/{checkout_id}/"


def event(who: str, operation: str, time: float, **changes: Any) -> dict[str, Any]:
    """One event; ``who`` is the principal and the name of its session."""
    method, _, endpoint = operation.partition(" ")
    base: dict[str, Any] = {
        "id": f"{who}-{time}",
        "time": time,
        "service": "shop",
        "operation": operation,
        "http_method": method,
        "endpoint": endpoint,
        "principal": who,
        "principal_kind": "jwt",
        "session": f"session-{who}",
        "src": "203.0.113.50",
        "ja4": "t13d1516h2_ordinary",
        "http_user_agent": PHONE,
        "status": 200,
        "action": "allowed",
        "bytes_out": 900,
        "object_ids": [],
    }
    return {**base, **changes}


class Shop:
    """Twelve users who shop and look at their own orders, a service desk, a partner's batch job."""

    def __init__(self, seed: int = 1, users: int = 12, hours: int = 8) -> None:
        self.random = random.Random(seed)
        self.events: list[dict[str, Any]] = []
        self.checkout = 0
        for user in range(users):
            self.user(f"user-{user}", user, hours)
        self.desk(hours)
        for n in range(hours * 120):
            self.add("partner", "GET /partner/stock", START + n * 30.0, principal_kind="api_key")
        self.events.sort(key=lambda one: float(one["time"]))
        self.end = max(float(one["time"]) for one in self.events)

    def add(self, who: str, operation: str, time: float, **changes: Any) -> None:
        size = int(900 * self.random.uniform(0.8, 1.25))
        self.events.append(event(who, operation, time, bytes_out=size, **changes))

    def user(self, who: str, number: int, hours: int) -> None:
        for hour in range(hours):
            now = START + hour * 3600 + self.random.uniform(0, 1800)
            for _ in range(self.random.randint(3, 10)):
                now += self.random.expovariate(1 / 20)
                operation = self.random.choice(["GET /search", "GET /orders", "GET /products"])
                orders = f'{{"orders": [{number * 10}, {number * 10 + 1}]}}'
                self.add(who, operation, now, response_body=orders if operation == "GET /orders" else "{}")
            ids = [f"order_id={number * 10 + self.random.randint(0, 1)}"]
            self.add(who, "GET /orders/{order_id}", now + 5, object_ids=ids)
            if self.random.random() < 0.5:
                self.buy(who, now + 10)

    def buy(self, who: str, now: float) -> None:
        self.checkout += 1
        ids = [f"checkout_id={self.checkout}"]
        self.add(who, "POST /cart/items", now)
        self.add(who, "POST /checkout/start", now + 4)
        for step in ("address", "payment", "confirm"):
            now += self.random.uniform(3, 20)
            self.add(who, CHECKOUT + step, now + 4, object_ids=ids)

    def desk(self, hours: int) -> None:
        for hour in range(hours):
            for n in range(40):
                order = self.random.randint(0, 5000)
                time = START + hour * 3600 + n * 80.0
                found = f'{{"id": 7, "orders": [{order}]}}'
                self.add("clerk", "GET /support/customers", time - 5, response_body=found)
                self.add("clerk", "GET /orders/{order_id}", time, object_ids=[f"order_id={order}"])
