"""Social security numbers of the United States: written with separators; bare nine digits need a name or a word."""

from __future__ import annotations

from typing import Optional

from apisec.detectors.base import Detector, linear, words
from apisec.validators.digits import ascii_digits
from apisec.validators.ssn import ssn


def _ssn(text: str) -> Optional[str]:
    digits = ascii_digits(text)
    return digits if ssn(digits) else None


DETECTORS = (
    Detector(
        "ssn.written",
        "pii.ssn",
        linear(r"(?<!\d)(?<!\d[-.])\d{3}([-\u2010-\u2015 ])\d{2}\1\d{4}(?!\d)(?![-.]\d)"),
        _ssn,
        gate="digits",
    ),
    Detector(
        "ssn.said",
        "pii.ssn",
        linear(r"(?<![\w.-])\d{3}[-. \u2010-\u2015]?\d{2}[-. \u2010-\u2015]?\d{4}(?![\w-])"),
        _ssn,
        confidence="context",
        near=words("ssn", "ssns", "social security*", "soc sec*", "seguro social"),
        gate="digits",
    ),
)
