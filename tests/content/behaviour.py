"""Labelled transactions of a small shop: days of ordinary people, then attackers, and people who look like them.

Everything follows from the seed. Times are seconds before now; the attacks lie in the last hour.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

Event = dict[str, Any]
DAYS, CUSTOMERS, STAFF = 3, 30, 3
HOUR = 3600.0
PHONE = ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1", "t13d2014h2_a09f3c656075_e42f34c56612")
SCRIPT = ("python-requests/2.32.3", "t13d1812h1_85036bcba153_b26ce05bbdd6")
AUTH = {"jwt": "bearer", "api_key": "api_key", "anonymous": "none"}
ORDER, PRODUCT = "GET /orders/{order_id}", "GET /products/{product_id}"
LOGIN_FIELDS = [
    {"path": "email", "in": "body", "type": "string", "classes": ["pii.email"]},
    {"path": "password", "in": "body", "type": "string", "classes": ["secret.password"]},
]
NAME_FIELD = {"path": "name", "in": "body", "type": "string", "classes": ["pii.name"]}


def token(kind: str, number: int) -> str:
    return f"~{kind}~000000000000{number:04x}~"


class Shop:
    """``events`` in order of time; ``attackers`` by family."""

    def __init__(self, seed: int = 7) -> None:
        self.random = random.Random(seed)
        self.events: list[Event] = []
        self.attackers: dict[str, str] = {}
        self.orders = 10_000
        for number in range(CUSTOMERS):
            self._customer(number)
        for number in range(STAFF):
            self._staff(number)
        self._partner()
        self._office()
        for family, attack in ATTACKS.items():
            who = 0x900 + len(self.attackers)
            self.attackers[family] = token("principal", who)
            if family not in STRANGERS:
                self._customer(who, today=False)  # until then one like the others
            attack(self, who)
        self.events.sort(key=lambda event: float(event["at"]))
        for number, event in enumerate(self.events):
            event["id"] = f"b-{number:05d}"

    def add(self, who: int, at: float, operation: str, status: int = 200, kind: str = "jwt", **more: Any) -> None:
        method, _, endpoint = operation.partition(" ")
        path = more.pop("path", endpoint)
        agent, ja4 = more.pop("client", PHONE)
        size = len(more.get("response_body", "")) or int(600 * self.random.uniform(0.8, 1.2))
        event: Event = {
            "at": round(at, 3), "schema": 1, "gateway": "edge", "env": "PROD", "service": "shop", "team": "commerce",
            "http_method": method, "url": f"https://shop.example{path}", "uri_path": path, "status": status,
            "action": "allowed", "src": f"192.0.2.{who % 200 + 1}", "endpoint": endpoint, "operation": operation,
            "principal": token("principal", who), "principal_kind": kind, "auth": AUTH[kind],
            "data_classes": [], "object_ids": [], "coverage": "complete", "key_id": "0a0b0c0d", "bytes_in": 200,
            "http_user_agent": agent, "ja4": ja4, "bytes_out": size, "response_time": 20.0,
        }  # fmt: skip
        if kind != "anonymous":
            event |= {"auth_token": token("credential", who), "session": token("session", who)}
        self.events.append({**event, **more})

    def _visits(self, each_day: int, today: bool = True, until: float = -2 * HOUR) -> Iterator[float]:
        """Times of visits, by day; in the last hours before now one at most."""
        for day in range(DAYS):
            for _ in range(each_day):
                at = -(day + 1) * 24 * HOUR + self.random.uniform(0, 22 * HOUR)
                yield min(at, until)
        if today:
            yield -self.random.uniform(600, 3000)

    def _customer(self, who: int, today: bool = True) -> None:
        own: list[int] = []
        for at in self._visits(2, today):
            self.add(
                who,
                at,
                "POST /login",
                request_fields=LOGIN_FIELDS,
                request_body=json.dumps({"email": token("pii.email", who)}),
            )
            for _ in range(self.random.randint(2, 6)):
                at += self.random.uniform(4, 40)
                number = self.random.randint(1, 80)
                listed = json.dumps({"products": [{"id": number + n} for n in range(3)]})
                self.add(who, at, "GET /products", response_body=listed)
                self.product(who, at + 3, number)
            at = self._buy(who, at + 10, own) if self.random.random() < 0.6 else at
            listed = json.dumps({"orders": [{"id": order} for order in own[-5:]]})
            self.add(who, at + 30, "GET /orders", response_body=listed)
            for order in own[-1:]:
                self.order(who, at + 40, order)
            if self.random.random() < 0.3:
                body = json.dumps({"name": token("pii.name", who)})
                self.add(who, at + 60, "PATCH /me", request_fields=[NAME_FIELD], request_body=body)

    def product(self, who: int, at: float, number: int, **more: Any) -> None:
        body = json.dumps({"id": number, "price": 12})
        ids: Event = {"object_ids": [f"product_id={number}"], "path": f"/products/{number}"}
        self.add(who, at, PRODUCT, **ids, response_body=body, **more)

    def order(self, who: int, at: float, number: int, status: int = 200, **more: Any) -> None:
        ids: Event = {"object_ids": [f"order_id={number}"], "path": f"/orders/{number}"}
        body = json.dumps({"id": number, "total": 30, "owner_id": who}) if status == 200 else '{"error": "forbidden"}'
        self.add(who, at, ORDER, status, **ids, response_body=body, **more)

    def _buy(self, who: int, at: float, own: list[int]) -> float:
        """A checkout, at a person's pace."""
        self.orders += 1
        checkout: Event = {"object_ids": [f"checkout_id={self.orders}"]}
        self.add(who, at, "POST /checkout", 201, response_body=json.dumps({"checkout_id": self.orders}))
        for step in ("address", "payment", "confirm"):
            at += self.random.uniform(8, 60)
            path = f"/checkout/{self.orders}/{step}"
            self.add(who, at, f"POST /checkout/{{checkout_id}}/{step}", path=path, **checkout)
        own.append(self.orders)
        return at

    def _staff(self, number: int) -> None:
        """The service desk: many people's orders, each from a search; and what only it may call."""
        who = 0x800 + number
        for at in self._visits(3):
            for _ in range(8):
                at += self.random.uniform(20, 120)
                order = self.random.randint(10_001, 10_060)
                self.add(who, at, "GET /admin/search", response_body=json.dumps({"orders": [{"id": order}]}))
                self.order(who, at + 5, order)
                self.add(who, at + 9, "GET /admin/users")

    def _partner(self) -> None:
        """Partners' batches; the old key of one fails in one job for ever."""
        for who in range(0x810, 0x813):
            self.partner(who)
        for quarter in range(DAYS * 96):
            self.add(0x818, -quarter * 900.0 - 305, "GET /partner/stock", 401, kind="api_key", client=SCRIPT)

    def partner(self, who: int) -> None:
        """The same request every half hour."""
        for half in range(DAYS * 48):
            at = -half * 1800.0 - 300
            body = json.dumps({"items": [{"sku": n, "email": token("pii.email", n)} for n in range(10)]})
            fields = [{"path": "items[].email", "in": "body", "type": "string", "classes": ["pii.email"]}]
            more: Event = {"response_body": body, "response_fields": fields, "client": SCRIPT}
            self.add(who, at, "GET /partner/orders", kind="api_key", **more)

    def _office(self) -> None:
        """Forty people behind one address, who log in without a name of their own; most of them succeed."""
        for day in range(DAYS):
            for number in range(40):
                at = -day * 24 * HOUR - 1500 + number * 20
                body = json.dumps({"email": token("pii.email", 0x300 + number)})
                status = 401 if number % 13 == 0 else 200
                self.add(0x820, at, "POST /login", status, "anonymous", request_fields=LOGIN_FIELDS, request_body=body)


# Who attacks without an account of their own.
STRANGERS = ("credential_stuffing", "token_guessing", "account_enumeration", "reconnaissance")

# One attack a family: each begins within the last hour, at -2400 s.
BEGIN = -2400.0


def object_enumeration(shop: Shop, who: int) -> None:
    for n in range(120):
        shop.order(who, BEGIN + n * 6, 20_000 + n * 7, 200 if n % 4 else 403)


def scraping(shop: Shop, who: int) -> None:
    for page in range(50):
        listed = json.dumps({"products": [{"id": page * 10 + n} for n in range(10)]})
        shop.add(who, BEGIN + page * 30, "GET /products", response_body=listed, client=SCRIPT)
        for n in range(10):
            shop.product(who, BEGIN + page * 30 + 1 + n * 2.5, page * 10 + n, client=SCRIPT)


def credential_stuffing(shop: Shop, who: int) -> None:
    for n in range(250):
        body = json.dumps({"email": token("pii.email", 0x1000 + n)})
        more: Event = {"request_fields": LOGIN_FIELDS, "request_body": body, "client": SCRIPT}
        shop.add(who, BEGIN + n * 3, "POST /login", 401 if n % 50 else 200, "anonymous", **more)


def token_guessing(shop: Shop, who: int) -> None:
    for n in range(250):
        more: Event = {"auth": "api_key", "auth_token": token("credential", 0x2000 + n), "client": SCRIPT}
        shop.add(who, BEGIN + n * 3, "GET /partner/orders", 401, "anonymous", **more)


def account_enumeration(shop: Shop, who: int) -> None:
    for n in range(250):
        body = json.dumps({"email": token("pii.email", 0x3000 + n)})
        more: Event = {"request_fields": LOGIN_FIELDS[:1], "request_body": body, "client": SCRIPT}
        shop.add(who, BEGIN + n * 3, "POST /password/reset", 404 if n % 5 else 200, "anonymous", **more)


def _signal(detector: str, family: str, where: str) -> dict[str, Any]:
    return {"detector": detector, "family": family, "where": where, "score": 0.95}


def injection(shop: Shop, who: int) -> None:
    for n in range(15):
        signals = [_signal("injection.sqli", "sqli", "query.q")]
        if n % 3 == 0:
            signals.append(_signal("answer.database_error", "answer", "response.body"))
        shop.add(who, BEGIN + n * 9, "GET /products", 500 if n % 3 == 0 else 200, signals=signals)


def ssrf(shop: Shop, who: int) -> None:
    for n in range(8):
        signals = [_signal("injection.ssrf", "ssrf", "body.avatar")]
        shop.add(who, BEGIN + n * 9, "PATCH /me", 200, signals=signals, request_fields=[NAME_FIELD])


def mass_assignment(shop: Shop, who: int) -> None:
    for n, name in enumerate(["is_admin", "role", "balance", "owner_id", "credit_limit", "verified"]):
        fields = [NAME_FIELD, {"path": name, "in": "body", "type": "string"}]
        body = json.dumps({"name": "x", name: "admin"})
        shop.add(who, BEGIN + n * 9, "PATCH /me", 200, request_fields=fields, request_body=body)


def spec_violation(shop: Shop, who: int) -> None:
    for n in range(80):
        fields = [{"path": f"x{n}", "in": "body", "type": "array"}, {"path": "name", "in": "body", "type": "object"}]
        more: Event = {
            "request_fields": fields,
            "coverage": "undecoded",
            "coverage_reasons": ["request.body: not JSON"],
        }
        shop.add(who, BEGIN + n * 5, "PATCH /me", 400, **more)


def reconnaissance(shop: Shop, who: int) -> None:
    for n in range(300):
        path = f"/old{n}.php" if n % 3 else f"/.git/{n}"
        shop.add(who, BEGIN + n * 2, f"GET {path}", 404, "anonymous", path=path, client=SCRIPT)


def step_skipping(shop: Shop, who: int) -> None:
    for n in range(12):
        _checkout(shop, who, BEGIN + n * 60, ("confirm",), 20.0)


def flow_automation(shop: Shop, who: int) -> None:
    for n in range(60):
        _checkout(shop, who, BEGIN + n * 23, ("address", "payment", "confirm"), 1.0, client=SCRIPT)


def _checkout(shop: Shop, who: int, at: float, steps: tuple[str, ...], pause: float, **more: Any) -> None:
    shop.orders += 1
    ids: Event = {"object_ids": [f"checkout_id={shop.orders}"]}
    shop.add(who, at, "POST /checkout", 201, response_body=json.dumps({"checkout_id": shop.orders}), **more)
    for step in steps:
        at += pause
        path = f"/checkout/{shop.orders}/{step}"
        shop.add(who, at, f"POST /checkout/{{checkout_id}}/{step}", path=path, **ids, **more)


def function_abuse(shop: Shop, who: int) -> None:
    for n in range(25):
        shop.add(who, BEGIN + n * 20, "GET /admin/users", 200 if n % 2 else 403)
        listed = json.dumps({"orders": [{"id": 10_001 + n}]})
        shop.add(who, BEGIN + n * 20 + 5, "GET /admin/search", response_body=listed)


def token_theft(shop: Shop, who: int) -> None:
    """Its owner goes on at the phone, while a script uses the token from elsewhere."""
    for n in range(20):
        shop.add(who, BEGIN + n * 60, "GET /orders", response_body='{"orders": []}')
        elsewhere: Event = {"client": SCRIPT, "src": "198.51.100.7"}
        shop.add(who, BEGIN + n * 60 + 7, "GET /orders", response_body='{"orders": []}', **elsewhere)


def flooding(shop: Shop, who: int) -> None:
    for n in range(3000):
        shop.add(who, BEGIN + n * 0.5, "GET /products", 200 if n < 600 else 429, client=SCRIPT)


def excess_data(shop: Shop, who: int) -> None:
    fields = [{"path": "orders[].email", "in": "body", "type": "string", "classes": ["pii.email"]}]
    for n in range(40):
        numbers = range(30_000 + n * 200, 30_200 + n * 200)
        listed = json.dumps({"orders": [{"id": one, "email": token("pii.email", one)} for one in numbers]})
        shop.add(who, BEGIN + n * 25, "GET /orders", response_body=listed, response_fields=fields)


ATTACKS: dict[str, Callable[[Shop, int], None]] = {
    attack.__name__: attack
    for attack in (
        object_enumeration, scraping, credential_stuffing, token_guessing, account_enumeration, injection, ssrf,
        mass_assignment, spec_violation, reconnaissance, step_skipping, flow_automation, function_abuse, token_theft,
        flooding, excess_data,
    )
}  # fmt: skip
