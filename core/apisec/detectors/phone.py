"""Telephone numbers in written form; bare digits need a name."""

from __future__ import annotations

from typing import Optional

from apisec.detectors.base import Detector, linear
from apisec.validators.digits import ascii_digits
from apisec.validators.phone import e164, nanp


def _international(text: str) -> Optional[str]:
    digits = ascii_digits(text)
    return digits if e164(digits) else None


def _north_american(text: str) -> Optional[str]:
    digits = ascii_digits(text)[-10:]
    return digits if nanp(digits) else None


DETECTORS = (
    Detector(
        "phone.international",
        "pii.phone",
        linear(r"(?<![\w+])\+\d(?:[ .()/\u00a0\u2010-\u2015-]{0,2}\d){7,14}(?!\d)"),
        _international,
        literals=("+",),
    ),
    Detector(
        "phone.north_american",
        "pii.phone",
        linear(r"(?<![\w.-])(?:1[-. ])?(?:\(\d{3}\) ?|\d{3}[-. ])\d{3}[-. ]\d{4}(?![\w-])"),
        _north_american,
        gate="digits",
    ),
)
