"""Telephone numbers: E.164 and the North American Numbering Plan."""

from __future__ import annotations

MIN_E164_DIGITS = 8
MAX_E164_DIGITS = 15  # ITU-T E.164, 6.2.1


def e164(digits: str) -> bool:
    """Return whether ASCII digits, country code first, can be an international number."""
    return MIN_E164_DIGITS <= len(digits) <= MAX_E164_DIGITS and digits[0] != "0" and len(set(digits)) > 2


def nanp(digits: str) -> bool:
    """Return whether ten ASCII digits follow NPA-NXX-XXXX with N from 2 to 9."""
    return len(digits) == 10 and digits[0] in "23456789" and digits[3] in "23456789" and digits[1:3] != "11"
