"""The shop's initial data: products, customers with past orders and reviews, staff. Same seed, same data."""

from __future__ import annotations

from random import Random

from apisec_sandbox.sample_api.credentials import STAFF
from apisec_sandbox.sample_api.model import Account, Address, Card, Item, Product, Review, Shop

CUSTOMERS = 150
DAY = 86_400.0

ADJECTIVES = ("Classic", "Organic", "Smoky", "Royal", "Little", "Midnight", "Golden", "Wild", "Nordic", "Velvet")
GOODS = (
    ("tea", ("Earl Grey", "Assam", "Sencha", "Rooibos", "Chai", "Darjeeling"), 420, 2400),
    ("coffee", ("Espresso", "Filter Roast", "Cold Brew", "Mocha Beans"), 700, 3200),
    ("kitchen", ("Teapot", "Kettle", "Milk Jug", "Mug", "Strainer", "Table Cloth"), 900, 8900),
    ("biscuits", ("Shortbread", "Oat Biscuit", "Ginger Snap", "Wafer"), 250, 1200),
    ("books", ("Cook Book", "Tea Almanac", "Garden Diary"), 1200, 4500),
)
SENTENCES = (
    "A favourite of the house since we opened the first shop.",
    "Picked by hand in small lots and packed on the day of your order.",
    "Keep it dry, cool and away from strong smells.",
    "Comes in a tin that can be filled again.",
    "Goes well with lemon, with milk, and with a long afternoon.",
    "Part of the proceeds goes to the growers' school fund.",
    "May contain traces of nuts, almonds and sesame.",
    "Gift wrapping is available at checkout for a small extra charge.",
)
OPINIONS = (
    ("Lovely", "Exactly what I hoped for. Would order again."),
    ("Good value", "Arrived in two days, well packed, tastes fresh."),
    ("Not bad", "A bit strong for me, but my partner drinks nothing else now."),
    ("Broken lid", "The lid was cracked; support sent another one at once."),
    ("Gift", "Bought it for my mother's birthday, she was delighted."),
)
GIVEN = ("Alice", "Ben", "Carla", "David", "Elena", "Farid", "Grace", "Henry", "Ines", "Jonas", "Kira", "Liam")
FAMILY = ("Baker", "Castillo", "Dunn", "Ellis", "Fischer", "Garcia", "Huber", "Ito", "Jensen", "Klein", "Lopez")
STREETS = ("High Street", "Station Road", "Mill Lane", "Church Street", "Harbour View", "Oak Avenue")
CITIES = (("Leeds", "GB"), ("Austin", "US"), ("Bremen", "DE"), ("Lyon", "FR"), ("Dublin", "IE"), ("Portland", "US"))
PREFIXES = ("4539", "4716", "5412", "5301")


def luhn_digit(digits: str) -> str:
    """Return the check digit that completes ``digits`` (ISO/IEC 7812-1)."""
    total = sum(int(d) if i % 2 else sum(divmod(int(d) * 2, 10)) for i, d in enumerate(reversed(digits)))
    return str(-total % 10)


def _products(rng: Random) -> list[Product]:
    found: list[Product] = []
    for number, adjective in enumerate(ADJECTIVES):
        for category, names, low, high in GOODS:
            name = f"{adjective} {names[(number + rng.randrange(len(names))) % len(names)]}"
            identity = 1000 + len(found)
            found.append(
                Product(
                    id=identity,
                    slug=f"{name.lower().replace(' ', '-')}-{identity}",
                    name=name,
                    category=category,
                    price=rng.randrange(low, high, 5),
                    rating=round(rng.uniform(3.1, 4.9), 1),
                    stock=rng.randrange(5, 400),
                    description=" ".join(rng.sample(SENTENCES, rng.randint(3, 6))),
                )
            )
    return found


def _customer(shop: Shop, number: int) -> Account:
    rng = shop.rng
    name = f"{rng.choice(GIVEN)} {rng.choice(FAMILY)}"
    account = shop.add_account(
        f"{name.lower().replace(' ', '.')}{number}@customers.example", f"Seeded-{rng.getrandbits(40):010x}", name
    )
    account.created = shop.clock() - rng.uniform(30, 900) * DAY
    account.phone = f"+1 202 555 {rng.randrange(100, 10_000):04d}"
    account.dob = f"{rng.randint(1948, 2006)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"
    account.ssn = f"{rng.randint(101, 665)}-{rng.randint(10, 99)}-{rng.randint(1000, 9999)}"
    city, country = rng.choice(CITIES)
    street = f"{rng.randint(1, 240)} {rng.choice(STREETS)}"
    postcode = f"{rng.randrange(10_000, 99_999)}"
    account.addresses.append(Address(shop.ids.opaque("adr"), name, street, city, postcode, country))
    digits = rng.choice(PREFIXES) + "".join(str(rng.randrange(10)) for _ in range(11))
    card = Card(shop.ids.opaque("crd"), name, digits + luhn_digit(digits), f"{rng.randint(1, 12):02d}/29")
    account.cards[card.id] = card
    return account


def _history(shop: Shop, account: Account) -> None:
    """Give the customer one to four past orders, some of them reviewed."""
    rng = shop.rng
    slugs = list(shop.products)
    for _ in range(rng.randint(1, 4)):
        items = []
        for _ in range(rng.randint(1, 3)):
            product = shop.products[rng.choice(slugs)]
            items.append(Item(shop.ids.opaque("itm"), product.slug, rng.randint(1, 3), product.price))
        order = shop.add_order(account, items)
        order.created = shop.clock() - rng.uniform(1, 300) * DAY
        order.status = rng.choice(("delivered", "delivered", "shipped"))
        order.card_last4 = next(iter(account.cards.values())).last4
        if rng.random() < 0.5:
            title, text = rng.choice(OPINIONS)
            shop.reviews[items[0].slug].append(
                Review(
                    shop.ids.opaque("rev"), account.full_name, order.id, rng.randint(2, 5), title, text, order.created
                )
            )


def fill(shop: Shop) -> None:
    """Add the initial data to an empty shop."""
    for product in _products(shop.rng):
        shop.products[product.slug] = product
        shop.reviews[product.slug] = []
    for staff in STAFF:
        shop.add_account(staff.email, staff.password, staff.full_name, staff.role)
    customers = [_customer(shop, number) for number in range(CUSTOMERS)]
    for account in customers:
        _history(shop, account)
