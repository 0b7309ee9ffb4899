"""Random values of ordinary traffic that look like numbers of people: what must not set off a detector."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator

DIGITS = "0123456789"
HEX = "0123456789abcdef"
CAPITALS = "ABCDEFGHJKLMNPQRSTUVWXYZ"


def _digits(rng: random.Random, low: int, high: int) -> str:
    return rng.choice("123456789") + "".join(rng.choices(DIGITS, k=rng.randint(low, high) - 1))


def _ean(rng: random.Random) -> str:
    body = rng.choice(("40", "50", "61", "73", "80", "87", "93")) + "".join(rng.choices(DIGITS, k=10))
    total = sum(int(c) * (1, 3)[i % 2] for i, c in enumerate(body))
    return body + str(-total % 10)


def _sku(rng: random.Random) -> str:
    return "".join(rng.choices(CAPITALS, k=rng.randint(1, 4))) + rng.choice(("-", "")) + _digits(rng, 3, 9)


def _date(rng: random.Random) -> str:
    day = f"{rng.randint(1990, 2035)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"
    clock = f"{rng.randint(0, 23):02d}:{rng.randint(0, 59):02d}:{rng.randint(0, 59):02d}"
    return rng.choice((day, f"{day}T{clock}Z", f"{day} {clock}.{rng.randint(0, 999):03d}", day.replace("-", "/")))


def _numbered(rng: random.Random) -> str:
    return f"{rng.randint(200101, 261231)}-{rng.randint(1, 9999):04d}"


KINDS: dict[str, Callable[[random.Random], str]] = {
    "order": lambda rng: _digits(rng, 6, 20),
    "sentence": lambda rng: f"order {_digits(rng, 7, 14)} was shipped on {_date(rng)}",
    "seconds": lambda rng: str(rng.randint(1_500_000_000, 1_900_000_000)),
    "milliseconds": lambda rng: str(rng.randint(1_500_000_000_000, 1_900_000_000_000)),
    "microseconds": lambda rng: str(rng.randint(1_500_000_000_000_000, 1_900_000_000_000_000)),
    "compact_time": lambda rng: (
        f"{rng.randint(1990, 2035)}{rng.randint(1, 12):02d}{rng.randint(1, 28):02d}"
        f"{rng.randint(0, 23):02d}{rng.randint(0, 59):02d}{rng.randint(0, 59):02d}"
    ),
    "snowflake": lambda rng: str(rng.randint(10**17, 2 * 10**18)),
    "ean": _ean,
    "sku": _sku,
    "numbered": _numbered,
    "uuid": lambda rng: str(uuid.UUID(int=rng.getrandbits(128), version=4)),
    "hash": lambda rng: "".join(rng.choices(HEX, k=rng.choice((16, 24, 32, 40, 64)))),
    "nano_id": lambda rng: "".join(rng.choices(CAPITALS + CAPITALS.lower() + DIGITS, k=rng.choice((12, 16, 21, 27)))),
    "upper_id": lambda rng: "".join(rng.choices(CAPITALS + DIGITS, k=rng.choice((8, 9, 10, 11, 13, 16, 17, 26)))),
    "float": lambda rng: repr(rng.uniform(-1000, 1000)),
    "vector": lambda rng: ", ".join(f"{rng.uniform(-1, 1):.5f}" for _ in range(6)),
    "price": lambda rng: f"{rng.randint(0, 9999)}.{rng.randint(0, 99):02d} {rng.choice(('EUR', 'USD', 'CHF'))}",
    "version": lambda rng: ".".join(str(rng.randint(0, 4000)) for _ in range(rng.randint(3, 4))),
    "address_v4": lambda rng: ".".join(str(rng.randint(0, 255)) for _ in range(4)),
    "date": _date,
    "range": lambda rng: f"{_digits(rng, 3, 6)}-{_digits(rng, 3, 6)}",
    "oid": lambda rng: "2.16.840.1." + ".".join(str(rng.randint(1, 9999)) for _ in range(4)),
}


def texts(kind: str, count: int, seed: int = 20261121) -> Iterator[str]:
    rng = random.Random(f"{seed}:{kind}")
    return (KINDS[kind](rng) for _ in range(count))
