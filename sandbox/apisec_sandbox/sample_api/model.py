"""The shop's records and tables: in memory, bounded, and deterministic for a seed and an order of requests."""

from __future__ import annotations

import hashlib
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any, Generic, TypeVar

ID_STYLES = ("numeric", "prefixed", "uuid")
FIRST_ORDER = 10_001
PAYMENT_DECLINE_ONE_IN = 12

Value = TypeVar("Value")


class Table(Generic[Value]):
    """Rows by key in order of insertion; the oldest go when ``limit`` is reached, so memory stays bounded."""

    def __init__(self, limit: int) -> None:
        self._rows: OrderedDict[str, Value] = OrderedDict()
        self._limit = limit

    def put(self, key: str, row: Value) -> None:
        self._rows[key] = row
        while len(self._rows) > self._limit:
            self._rows.popitem(last=False)

    def get(self, key: str) -> Value | None:
        return self._rows.get(key)

    def pop(self, key: str) -> Value | None:
        return self._rows.pop(key, None)

    def __iter__(self) -> Iterator[Value]:
        return iter(self._rows.values())

    def __len__(self) -> int:
        return len(self._rows)


@dataclass
class Address:
    id: str
    recipient: str
    street: str
    city: str
    postcode: str
    country: str

    def document(self) -> dict[str, str]:
        return dict(vars(self))


@dataclass
class Card:
    id: str
    holder: str
    number: str  # as the customer wrote it: kept whole, a deliberate weakness
    expiry: str

    @property
    def last4(self) -> str:
        return "".join(filter(str.isdigit, self.number))[-4:]

    def document(self) -> dict[str, str]:
        return {"id": self.id, "holder": self.holder, "number": f"************{self.last4}", "expiry": self.expiry}


@dataclass
class Account:
    id: str
    email: str
    password_hash: bytes
    full_name: str
    role: str = "customer"
    phone: str = ""
    dob: str = ""
    ssn: str = ""
    created: float = 0.0
    addresses: list[Address] = field(default_factory=list)
    cards: dict[str, Card] = field(default_factory=dict)
    orders: list[str] = field(default_factory=list)  # newest last

    def document(self) -> dict[str, Any]:
        """Everything the shop knows: more than any client needs (excessive data exposure, deliberate)."""
        return {
            "id": self.id,
            "email": self.email,
            "full_name": self.full_name,
            "role": self.role,
            "phone": self.phone,
            "dob": self.dob,
            "ssn": self.ssn,
            "created": int(self.created),
        }


@dataclass
class Product:
    id: int
    slug: str
    name: str
    category: str
    price: int  # cents
    rating: float
    stock: int
    description: str

    def document(self) -> dict[str, Any]:
        return dict(vars(self))


@dataclass
class Review:
    id: str
    author: str
    order_id: str  # of the verified purchase: leaks other people's order ids (deliberate)
    rating: int
    title: str
    text: str
    created: float

    def document(self) -> dict[str, Any]:
        return {**vars(self), "created": int(self.created)}


@dataclass
class Item:
    id: str
    slug: str
    quantity: int
    price: int  # cents each

    def document(self) -> dict[str, Any]:
        return dict(vars(self))


@dataclass
class Cart:
    id: str
    account_id: str
    items: dict[str, Item] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(item.price * item.quantity for item in self.items.values())

    def document(self) -> dict[str, Any]:
        return {"id": self.id, "items": [item.document() for item in self.items.values()], "total": self.total}


@dataclass
class Checkout:
    id: str
    account_id: str
    cart: Cart
    address: Address | None = None
    card_last4: str = ""
    attempts: int = 0
    paid: bool = False
    order_id: str = ""

    @property
    def status(self) -> str:
        if self.order_id:
            return "confirmed"
        return "paid" if self.paid else "open"

    def document(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "status": self.status,
            "total": self.cart.total,
            "address": self.address.document() if self.address else None,
            "attempts": self.attempts,
        }


@dataclass
class Order:
    id: str
    account_id: str
    items: list[Item]
    total: int  # cents
    status: str
    created: float
    address: Address | None
    card_last4: str
    paid: bool
    customer: dict[str, str]

    def summary(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "status": self.status,
            "total": self.total,
            "created": int(self.created),
            "items": [item.document() for item in self.items],
        }

    def document(self) -> dict[str, Any]:
        return {
            **self.summary(),
            "customer": self.customer,
            "address": self.address.document() if self.address else None,
            "card_last4": self.card_last4,
            "paid": self.paid,
        }


@dataclass
class Session:
    id: str
    account_id: str
    refresh_token: str


class Ids:
    """Ids in one style: ``numeric`` 10001, ``prefixed`` SO-0010001-7, or ``uuid``.

    Orders are sequential in the first two, so that they can be walked.
    """

    def __init__(self, style: str, rng: Random) -> None:
        if style not in ID_STYLES:
            raise ValueError(f"unknown id style {style!r}; one of {', '.join(ID_STYLES)}")
        self._style, self._rng = style, rng
        self._next: dict[str, int] = {}

    def number(self, kind: str, first: int) -> int:
        value = self._next.get(kind, first)
        self._next[kind] = value + 1
        return value

    def uuid(self) -> str:
        return str(uuid.UUID(int=self._rng.getrandbits(128), version=4))

    def hexadecimal(self, digits: int) -> str:
        return f"{self._rng.getrandbits(digits * 4):0{digits}x}"

    def order(self) -> str:
        if self._style == "uuid":
            return self.uuid()
        number = self.number("order", FIRST_ORDER)
        return str(number) if self._style == "numeric" else f"SO-{number:07d}-{number * 7 % 11 % 10}"

    def account(self) -> str:
        return self.uuid() if self._style == "uuid" else str(self.number("account", 501))

    def opaque(self, kind: str) -> str:
        """An id that cannot be guessed: of carts, checkouts, cards, addresses, sessions."""
        return f"{kind}_{self.hexadecimal(16)}" if self._style == "prefixed" else self.uuid()


def password_hash(email: str, password: str) -> bytes:
    """One salted SHA-256: cheap on purpose, since the traffic generator logs in thousands of times."""
    return hashlib.sha256(f"{email.lower()}\0{password}".encode()).digest()


class Shop:
    """All state of one running shop.

    ``clock`` gives seconds since the epoch; ``next_release`` says whether the release after this one is deployed.
    """

    def __init__(
        self,
        seed: int,
        clock: Callable[[], float],
        id_style: str,
        token_seconds: int,
        next_release: Callable[[], bool] = lambda: False,
    ) -> None:
        self.next_release = next_release
        self.rng = Random(f"shop {seed}")  # noqa: S311  reproducible data, no secrets
        self.clock = clock
        self.ids = Ids(id_style, self.rng)
        self.secret = hashlib.sha256(f"shop signing key {seed}".encode()).digest()
        self.token_seconds = token_seconds
        self.products: dict[str, Product] = {}
        self.reviews: dict[str, list[Review]] = {}
        self.accounts: Table[Account] = Table(20_000)
        self.by_email: dict[str, str] = {}
        self.carts: Table[Cart] = Table(5_000)
        self.checkouts: Table[Checkout] = Table(5_000)
        self.orders: Table[Order] = Table(50_000)
        self.sessions: Table[Session] = Table(10_000)
        self.refresh: Table[str] = Table(10_000)  # refresh token → session id
        self.webhooks: Table[str] = Table(10_000)

    def add_account(self, email: str, password: str, full_name: str, role: str = "customer") -> Account:
        account = Account(self.ids.account(), email, password_hash(email, password), full_name, role)
        account.created = self.clock()
        self.accounts.put(account.id, account)
        self.by_email[email.lower()] = account.id
        return account

    def account_by_email(self, email: str) -> Account | None:
        return self.accounts.get(self.by_email.get(email.lower(), ""))

    def add_order(self, account: Account, items: list[Item], checkout: Checkout | None = None) -> Order:
        order = Order(
            id=self.ids.order(),
            account_id=account.id,
            items=items,
            total=sum(item.price * item.quantity for item in items),
            status="confirmed",
            created=self.clock(),
            address=checkout.address if checkout else (account.addresses[0] if account.addresses else None),
            card_last4=checkout.card_last4 if checkout else "",
            paid=checkout.paid if checkout else True,
            customer={"full_name": account.full_name, "email": account.email, "phone": account.phone},
        )
        self.orders.put(order.id, order)
        account.orders.append(order.id)
        return order

    def declines(self, checkout: Checkout) -> bool:
        """Whether the payment provider declines this attempt: one in twelve, by checkout and attempt."""
        digest = hashlib.sha256(f"{checkout.id} {checkout.attempts}".encode()).digest()
        return digest[0] % PAYMENT_DECLINE_ONE_IN == 0
