"""Ordinary users, each with habits of its own. Several are what a naive detection takes for attackers."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

from apisec_sandbox.sample_api.credentials import (
    LEGACY_PASSWORD,
    LEGACY_USER,
    PARTNER_KEYS,
    WEBHOOK_SECRET,
    Staff,
)
from apisec_sandbox.traffic.actors import DAYTIME, NIGHT, OFFICE, Actor, Rhythm
from apisec_sandbox.traffic.calls import Content, Plant, Reply, Rest, Steps, json_content, xml_content
from apisec_sandbox.traffic.customer import Customer
from apisec_sandbox.traffic.values import Sensitive

INVOICE = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
    '<b:Bill xmlns:b="https://partner.example/bill"><b:OrderId>{order_id}</b:OrderId><b:Iban>{iban}</b:Iban>'
    "<b:Amount>{amount}</b:Amount><b:Contact>{contact}</b:Contact></b:Bill></soap:Body></soap:Envelope>"
)


class Shopper(Customer):
    """Browses on one device, partly before logging in; logs in at each visit, or is still logged in."""

    persona = "shopper"
    rhythm = Rhythm(3, DAYTIME)

    def visit(self) -> Steps[None]:
        if self.chance(0.3):
            yield from self.browse(anonymous=True)
        yield from self.ensure_login(fresh=self.chance(0.5))
        yield from self.shop()
        if self.login and self.chance(0.15):
            yield from self.call("POST /auth/logout")
            self.logins.pop(self.device.agent, None)


class NightOwl(Shopper):
    persona = "night-owl"
    rhythm = Rhythm(4, NIGHT)


class FamilyMember(Shopper):
    """Shares an address, and sometimes a device, with the others of the household."""

    persona = "family"
    rhythm = Rhythm(3, DAYTIME)


class TwoDevices(Shopper):
    """Logged in on a computer and a phone at once: one principal, two agents, two networks, two sessions."""

    persona = "two-devices"
    rhythm = Rhythm(4, DAYTIME)

    def visit(self) -> Steps[None]:
        yield from self.ensure_login(fresh=self.chance(0.3))
        yield from self.browse()
        self.device = self.devices[1]
        yield from self.ensure_login()
        yield from self.check_orders()
        self.device = self.devices[0]
        yield from self.ensure_login()
        yield from self.shop()


class MobileApp(Customer):
    """Polls its orders, renews its token instead of logging in, and moves between Wi-Fi and the carrier's NAT."""

    persona = "mobile"
    rhythm = Rhythm(14, DAYTIME)

    def visit(self) -> Steps[None]:
        if len(self.devices) > 1 and self.chance(0.25):  # the same phone, elsewhere; never two networks at once
            self.device = self.devices[1] if self.device is self.devices[0] else self.devices[0]
        yield from self.ensure_login()
        if self.login and self.chance(0.3):
            yield from self.renew(self.login)
            yield from self.ensure_login()
        for _ in range(self.rng.randint(1, 5)):
            yield from self.poll()
        if self.chance(0.2):
            yield from self.shop()

    def register(self) -> Steps[None]:
        """The app asks first whether the address is known, by an operation that no document names."""
        yield from self.call("GET /accounts/lookup", query={"email": self.person.email}, anonymous=True)
        yield self.think(1, 3)
        yield from super().register()

    def poll(self) -> Steps[None]:
        headers = [("x-customer-email", self.person.email)] if self.chance(0.2) else []  # the old app's habit
        reply = yield from self.call("GET /orders", headers=headers)
        self.orders = [order["id"] for order in reply.need("orders")][::-1] or self.orders
        yield self.think(3, 15)
        if self.orders:
            yield from self.call("GET /orders/{order_id}", path={"order_id": self.orders[-1]})
            yield self.think(5, 20)


class StaffActor(Actor):
    """Logs in with an account that exists already."""

    def __init__(self, staff: Staff, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.staff = staff
        self.registered = True

    def log_in(self) -> Steps[None]:
        password = Sensitive(self.staff.password, "secret.password")
        body = {"email": Sensitive(self.staff.email, "pii.email"), "password": password}
        self._accept((yield from self.call("POST /auth/login", content=json_content(body), anonymous=True)))
        yield self.think(1, 3)


class Clerk(StaffActor):
    """Customer service: reads many other people's orders, and that is the job."""

    persona = "clerk"
    rhythm = Rhythm(14, OFFICE)

    def visit(self) -> Steps[None]:
        """Work through a handful of cases."""
        yield from self.ensure_login()
        for _ in range(self.rng.randint(3, 10)):
            yield from self.ensure_login()
            yield from self.case()

    def case(self) -> Steps[None]:
        found = yield from self.find()
        yield self.think(4, 20)
        orders = found.data.get("orders", []) if found.ok and isinstance(found.data, dict) else []
        for order_id in orders[-self.rng.randint(1, 4) :]:
            yield from self.call("GET /orders/{order_id}", path={"order_id": order_id})
            yield self.think(5, 30)
            if self.chance(0.25):
                yield from self.call("GET /orders/{order_id}/invoice", path={"order_id": order_id})
                yield self.think(5, 20)
        if found.ok and self.chance(0.2):
            yield from self.call("GET /admin/users/{user_id}", path={"user_id": str(found.need("id"))})
            yield self.think(5, 20)

    def find(self) -> Steps[Reply]:
        """Ask for whoever is on the phone: by e-mail in the path, or by phone, SSN or card in the query."""
        callers = [each for each in self.world.customers if each.registered]
        if not callers:
            return (yield from self.call("GET /admin/users", query={"page": str(self.rng.randint(1, 6))}))
        caller = self.rng.choice(callers)
        person = caller.person
        if isinstance(caller, Customer) and caller.identified and self.chance(0.5):
            query = {"ssn": person.ssn} if self.chance(0.5) else {"phone": person.phone}
            return (yield from self.call("GET /support/customers", query=query))
        if isinstance(caller, Customer) and caller.card and caller.card_id and self.chance(0.3):
            return (yield from self.call("GET /support/customers", query={"card": caller.card.number}))
        key = person.ssn if isinstance(caller, Customer) and caller.identified and self.chance(0.3) else person.email
        return (yield from self.call("GET /support/customers/{customer_key}", path={"customer_key": key}))


class Admin(StaffActor):
    """Pages through users, exports them, and pulls the legacy report with the finance system's password."""

    persona = "admin"
    rhythm = Rhythm(6, OFFICE)
    reported = False  # has pulled the report at least once

    def visit(self) -> Steps[None]:
        yield from self.ensure_login(fresh=self.chance(0.5))
        for page in range(1, self.rng.randint(2, 6)):
            reply = yield from self.call("GET /admin/users", query={"page": str(page)})
            yield self.think(3, 15)
            for user in self.rng.sample(reply.need("users"), k=1) if reply.need("users") else ():
                yield from self.call("GET /admin/users/{user_id}", path={"user_id": user["id"]})
                yield self.think(4, 20)
        if self.chance(0.2):
            yield from self.call("GET /admin/export")
            yield self.think(5, 20)
        if not self.reported or self.chance(0.4):
            self.reported = True
            yield from self.legacy_report()

    def legacy_report(self) -> Steps[None]:
        blob = base64.b64encode(f"{LEGACY_USER}:{LEGACY_PASSWORD}".encode()).decode()
        plants = (
            Plant(blob, "secret.basic", "request.header.authorization"),
            Plant(LEGACY_PASSWORD, "secret.password", "request.header.authorization"),
        )
        content = Content(plants=plants)
        headers = [("authorization", f"Basic {blob}")]
        yield from self.call("GET /legacy/report", headers=headers, content=content, anonymous=True)
        yield self.think(3, 10)


class PartnerBatch(Actor):
    """A carrier's batch job: an API key, no think time, many orders of many people in one go."""

    persona = "partner"
    rhythm = Rhythm(24)

    def __init__(self, number: int, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.key = Sensitive(list(PARTNER_KEYS)[number % len(PARTNER_KEYS)], "secret.api_key")
        self.billed: set[str] = set()

    def credentials(self) -> tuple[tuple[tuple[str, str], ...], tuple[Plant, ...]]:
        return (("x-api-key", self.key),), ()  # a Sensitive header is recorded where the call is built

    def visit(self) -> Steps[None]:
        reply = yield from self.call("GET /partner/orders", query={"page": "1"})
        orders = [order["id"] for order in reply.need("orders")]
        for order_id in orders[: self.rng.randint(5, 15)]:
            yield self.think(0.2, 1.5)
            yield from self.call("GET /orders/{order_id}", path={"order_id": order_id})
            if order_id not in self.billed and self.chance(0.4):
                yield from self.bill(order_id)

    def bill(self, order_id: str) -> Steps[None]:
        self.billed.add(order_id)
        values = {
            "order_id": order_id,
            "iban": self.person.iban,
            "amount": f"{self.rng.uniform(3, 12):.2f}",
            "contact": self.person.email,
        }
        yield self.think(0.2, 1)
        yield from self.call("POST /partner/invoices", content=xml_content(INVOICE, values))


class PaymentProvider(Actor):
    """Reports settled payments by signed webhooks, with card number and IBAN of the payer in the event."""

    persona = "payments"
    rhythm = Rhythm(80)

    def visit(self) -> Steps[None]:
        card = self.values.card()
        event = {
            "id": f"evt_{self.rng.getrandbits(64):016x}",
            "type": self.rng.choice(("payment.settled", "payment.settled", "payment.disputed")),
            "amount": self.rng.randint(300, 20_000),
            "source": {"number": card.number, "expiry": card.expiry, "iban": self.values.iban()},
        }
        content = json_content(event)
        signature = hmac.digest(WEBHOOK_SECRET, content.data, hashlib.sha256).hex()
        headers = [("x-signature", signature)]
        yield from self.call("POST /webhooks/payments", headers=headers, content=content, anonymous=True)


class Monitor(Actor):
    """An uptime probe: anonymous, regular, always the same."""

    persona = "monitor"

    def steps(self) -> Steps[None]:
        while True:
            yield from self.call("GET /health", anonymous=True)
            yield Rest(180.0 if self.world.natural else 16_000.0)

    def visit(self) -> Steps[None]:
        yield from self.call("GET /health", anonymous=True)
