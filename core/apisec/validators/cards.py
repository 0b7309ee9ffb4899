"""Payment card numbers: ISO/IEC 7812-1 (Luhn) and the ranges that issuers hold."""

from __future__ import annotations

from typing import Tuple

MIN_PAN_DIGITS = 12  # ISO/IEC 7812-1 allows 10; Maestro begins at 12
MAX_PAN_DIGITS = 19

# First and last prefix (inclusive), lengths. Issuers' published ranges.
_RANGES: Tuple[Tuple[str, str, Tuple[int, ...]], ...] = (
    ("34", "34", (15,)),  # American Express
    ("37", "37", (15,)),
    ("300", "305", (14, 16)),  # Diners Club
    ("3095", "3095", (14, 16)),
    ("36", "36", (14, 16, 19)),
    ("38", "39", (14, 16, 19)),
    ("3528", "3589", (16, 17, 18, 19)),  # JCB
    ("4", "4", (13, 16, 19)),  # Visa
    ("51", "55", (16,)),  # Mastercard
    ("2221", "2720", (16,)),
    ("6011", "6011", (16, 19)),  # Discover
    ("644", "649", (16, 19)),
    ("65", "65", (16, 19)),
    ("62", "62", (16, 17, 18, 19)),  # UnionPay
    ("81", "81", (16, 17, 18, 19)),
    ("5018", "5018", (12, 13, 14, 15, 16, 17, 18, 19)),  # Maestro
    ("5020", "5020", (12, 13, 14, 15, 16, 17, 18, 19)),
    ("5038", "5038", (12, 13, 14, 15, 16, 17, 18, 19)),
    ("5893", "5893", (12, 13, 14, 15, 16, 17, 18, 19)),
    ("6304", "6304", (12, 13, 14, 15, 16, 17, 18, 19)),
    ("6759", "6759", (12, 13, 14, 15, 16, 17, 18, 19)),
    ("6761", "6763", (12, 13, 14, 15, 16, 17, 18, 19)),
    ("2200", "2204", (16, 17, 18, 19)),  # Mir
    ("508", "508", (16,)),  # RuPay
    ("9792", "9792", (16,)),  # Troy
)

_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def luhn(digits: str) -> bool:
    """Return whether ASCII digits carry a right Luhn check digit (ISO/IEC 7812-1, annex B)."""
    values = [ord(c) - 48 for c in digits]
    return (sum(values[-1::-2]) + sum([_DOUBLED[v] for v in values[-2::-2]])) % 10 == 0


def issuer_known(digits: str) -> bool:
    """Return whether an issuer holds this prefix with this length."""
    length = len(digits)
    return any(first <= digits[: len(first)] <= last and length in lengths for first, last, lengths in _RANGES)


def pan(digits: str) -> bool:
    """Return whether ASCII digits are a payment card number."""
    return (
        MIN_PAN_DIGITS <= len(digits) <= MAX_PAN_DIGITS
        and issuer_known(digits)
        and luhn(digits)
        and digits.count(digits[0]) < len(digits)
    )
