"""Payment card numbers, bare or in the groups that people write, and magnetic stripes."""

from __future__ import annotations

from typing import Optional

from apisec.detectors.base import Detector, linear
from apisec.validators.cards import pan
from apisec.validators.digits import ascii_digits

_GAP = r"[ \-._/\u00a0\u2009\u2010-\u2015\u202f]"
# Groups as printed: 4-4-4-4(-3), 4-6-5 (American Express), 4-6-4 (Diners), 6-10 and 8-8.
_GROUPS = (
    rf"\d{{4}}{_GAP}{{1,2}}\d{{4}}{_GAP}{{1,2}}\d{{4}}{_GAP}{{1,2}}\d{{1,4}}(?:{_GAP}{{1,2}}\d{{1,3}})?"
    rf"|\d{{4}}{_GAP}{{1,2}}\d{{6}}{_GAP}{{1,2}}\d{{4,5}}"
    rf"|\d{{8}}{_GAP}\d{{8}}|\d{{6}}{_GAP}\d{{10}}"
)
_LEFT = r"(?<!\d)(?<!\d[.,])"
_RIGHT = r"(?!\d)(?![.,]\d)"


def _pan(text: str) -> Optional[str]:
    digits = ascii_digits(text)
    return digits if pan(digits) else None


def _masked(text: str) -> Optional[str]:
    return text if any(c.isdigit() for c in text[:4]) else None


DETECTORS = (
    # First six and last four beside a keyed token of the same card must not stand (PCI DSS 4, 3.5.1).
    Detector(
        "pan.masked",
        "pci.pan",
        linear(r"(?<![\w*])\d{4}[ -]?\d{1,4}[*xX•#]{1,4}[ -]?[*xX•#]{2,8}[ -]?\d{4}(?![\w*])"),
        _masked,
        literals=("**", "XX", "xx", "••", "##"),
    ),
    Detector(
        "track",
        "pci.track",
        linear(r"%B\d{12,19}\^[^^\n]{2,26}\^\d{4,40}\??|;\d{12,19}=\d{4,40}\?"),
        lambda text: text,
        literals=("%B", ";"),
    ),
    Detector("pan.bare", "pci.pan", linear(rf"{_LEFT}\d{{12,19}}{_RIGHT}"), _pan, confidence="checksum", gate="digits"),
    Detector("pan.grouped", "pci.pan", linear(rf"{_LEFT}(?:{_GROUPS}){_RIGHT}"), _pan, gate="digits"),
)
