"""Check digits, written for the generator alone so that it does not share the product's misunderstandings."""

from __future__ import annotations

import random
import string
from collections.abc import Iterable, Sequence

Rng = random.Random


def digits(rng: Rng, count: int, first: str = string.digits) -> str:
    """Return ``count`` random digits, the first one of ``first``."""
    return rng.choice(first) + "".join(rng.choices(string.digits, k=count - 1)) if count else ""


def letters(rng: Rng, count: int, alphabet: str = string.ascii_uppercase) -> str:
    return "".join(rng.choices(alphabet, k=count))


def weighted(number: Iterable[str], weights: Sequence[int]) -> int:
    """Return the sum of digits times weights; as many as there are weights."""
    return sum(int(digit) * weight for digit, weight in zip(number, weights, strict=False))


def luhn(payload: str) -> str:
    """Return ``payload`` with its Luhn digit (ISO/IEC 7812-1 annex B)."""
    total = 0
    for place, digit in enumerate(reversed(payload)):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return payload + str(-total % 10)


def ean(payload: str) -> str:
    """Return ``payload`` with its GS1 check digit."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(payload)))
    return payload + str(-total % 10)


_VERHOEFF_D = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
    "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
)  # fmt: skip
_VERHOEFF_P = (
    "0123456789", "1576283094", "5803796142", "8916043527",
    "9453126870", "4286573901", "2793806415", "7046913258",
)  # fmt: skip
_VERHOEFF_INVERSE = "0432156789"


def verhoeff(payload: str) -> str:
    """Return ``payload`` with its Verhoeff digit."""
    check = 0
    for place, digit in enumerate(reversed(payload), start=1):
        check = int(_VERHOEFF_D[check][int(_VERHOEFF_P[place % 8][int(digit)])])
    return payload + _VERHOEFF_INVERSE[check]


def iban(country: str, bban: str) -> str:
    """Return an IBAN with its check digits (ISO 13616)."""
    spelled = "".join(str(int(sign, 36)) for sign in bban + country)
    return f"{country}{98 - int(spelled + '00') % 97:02d}{bban}"


def mod11_10(payload: str) -> str:
    """Return ``payload`` with its check digit by ISO 7064 mod 11, 10."""
    product = 10
    for digit in payload:
        total = (int(digit) + product) % 10 or 10
        product = total * 2 % 11
    return payload + str((11 - product) % 10)


def aba(payload: str) -> str:
    """Return eight digits with the check digit of an ABA routing number."""
    return payload + str(-weighted(payload, (3, 7, 1, 3, 7, 1, 3, 7)) % 10)


def vin(payload: str) -> str:
    """Return 16 characters of a VIN with the check digit in the ninth place (ISO 3779, 49 CFR 565)."""
    values = dict(
        zip("ABCDEFGHJKLMNPRSTUVWXYZ", (1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 7, 9, *range(2, 10)), strict=True)
    )
    weights = (8, 7, 6, 5, 4, 3, 2, 10, 9, 8, 7, 6, 5, 4, 3, 2)
    total = sum((int(c) if c.isdigit() else values[c]) * w for c, w in zip(payload, weights, strict=True))
    return payload[:8] + "0123456789X"[total % 11] + payload[8:]
