"""What is no secret and no personal data must stay: random values of ordinary traffic, and how many of them may fire.

The bounds are what was measured, with a little room for a detector's next version; the corpus is fixed by its seed.
"""

from __future__ import annotations

import base64
import random
import string
import uuid
from collections.abc import Callable

import pytest

from apisec.detectors.engine import scan

Make = Callable[[random.Random], str]

HEX, WORD = "0123456789abcdef", string.ascii_letters + string.digits
ORDINARY = """
order item status price total cart basket delivery express standard invoice product color size weight page
limit sort filter region market store shelf online offline pending shipped returned blue green large small
cotton
"""
WORDS = ORDINARY.split()


def pick(rng: random.Random, alphabet: str, count: int) -> str:
    return "".join(rng.choices(alphabet, k=count))


def words(rng: random.Random, count: int, joint: str) -> str:
    return joint.join(rng.choices(WORDS, k=count))


def image(rng: random.Random) -> str:
    return "data:image/png;base64,iVBORw0KGgo" + base64.b64encode(rng.randbytes(150)).decode()


def minified(rng: random.Random) -> str:
    calls = [f"{pick(rng, string.ascii_lowercase, 1)}.{pick(rng, string.ascii_letters, 3)}({rng.randrange(999)})"]
    return ";".join(calls * 8)


# Kind, how a value is made, how many of 1,000 may fire.
KINDS: tuple[tuple[str, Make, int], ...] = (
    ("md5", lambda rng: pick(rng, HEX, 32), 1),
    ("git sha", lambda rng: pick(rng, HEX, 40), 1),
    ("sha256", lambda rng: "sha256:" + pick(rng, HEX, 64), 2),
    ("uuid", lambda rng: str(uuid.UUID(int=rng.getrandbits(128), version=4)), 2),
    ("etag", lambda rng: f'W/"{pick(rng, HEX, 4)}-{pick(rng, HEX, 11)}"', 1),
    ("nonce", lambda rng: pick(rng, WORD + "-_", 22), 1),
    ("integrity", lambda rng: "sha384-" + base64.b64encode(rng.randbytes(48)).decode(), 1),
    ("image", image, 3),
    ("minified id", lambda rng: pick(rng, string.ascii_letters, rng.randrange(6, 12)), 1),
    ("minified code", minified, 1),
    ("milliseconds", lambda rng: str(1_700_000_000_000 + rng.randrange(10**11)), 1),
    ("time", lambda rng: f"2026-0{rng.randrange(1, 10)}-1{rng.randrange(10)}T1{rng.randrange(10)}:20:30.123Z", 1),
    ("price", lambda rng: f"{rng.randrange(10**5)}.{rng.randrange(100):02d} EUR", 1),
    ("decimal", lambda rng: f"{rng.random():.16f}", 1),
    ("version", lambda rng: f"{rng.randrange(20)}.{rng.randrange(100)}.{rng.randrange(1000)}-rc.{rng.randrange(9)}", 1),
    ("sku", lambda rng: f"SKU-{pick(rng, string.ascii_uppercase, 3)}-{rng.randrange(10**6):06d}", 1),
    ("snake", lambda rng: words(rng, 5, "_"), 1),
    ("kebab", lambda rng: "sk-" + words(rng, 5, "-"), 1),
    ("sentence", lambda rng: words(rng, 9, " ").capitalize() + ".", 1),
    ("title", lambda rng: words(rng, 4, " ").title(), 1),
    ("name of product", lambda rng: "Name: " + words(rng, 3, " ").title(), 1),
    ("path", lambda rng: "/api/v2/" + words(rng, 4, "/") + f"/{rng.randrange(10**6)}", 1),
    ("asset", lambda rng: f"https://cdn.example/{words(rng, 2, '-')}.{pick(rng, HEX, 8)}.chunk.js", 1),
    (
        "placeholder",
        lambda rng: rng.choice(["sk_test_", "ghp_", "glpat-", "password="]) + "x" * rng.randrange(12, 40),
        1,
    ),
    ("template", lambda rng: f"postgres://user:${{{words(rng, 2, '_').upper()}}}@host/db", 1),
)


def alarms(make: Make, count: int, strict: bool = False) -> list[str]:
    rng = random.Random(20260112)
    values = [make(rng) for _ in range(count)]
    return [f"{match.detector}: {value[:60]}" for value in values for match in scan(value, strict=strict)]


@pytest.mark.parametrize(("kind", "make", "bound"), KINDS, ids=[kind for kind, _, _ in KINDS])
def test_ordinary_values_stay(kind: str, make: Make, bound: int) -> None:
    found = alarms(make, 1000)
    assert len(found) <= bound, found[:10]
