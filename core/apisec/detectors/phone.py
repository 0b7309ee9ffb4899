"""Telephone numbers: international and some national forms by shape, the others near a word or under a name."""

from __future__ import annotations

import re
from typing import Optional

from apisec.detectors.base import Detector, linear, words
from apisec.validators.digits import ascii_digits
from apisec.validators.phone import e164, nanp

_DASH = r" ./()\u00a0\u2010-\u2015-"
_DATE = re.compile(r"\d{1,2}[./-]\d{1,2}[./-](?:19|20)?\d{2}|(?:19|20)\d\d[./-]\d\d[./-]\d\d.{0,6}")
_VERSION = re.compile(r"\d{1,3}(?:\.\d{1,3}){2,3}")

_WORDS = words(
    *("phone*", "telephone*", "tel", "mobile*", "cell", "cellphone", "call", "fax", "whatsapp", "sms", "hotline"),
    *("dial", "telefon*", "handy*", "mobil*", "rufnummer", "anruf*", "rückruf*", "durchwahl", "festnetz*"),
    *("teléfono*", "telefono*", "móvil*", "celular*", "llam*", "téléphone*", "portable", "appel*", "joindre"),
    *("cellulare*", "chiama*", "telefone*", "telemóvel", "ligue", "telefoon*", "mobiel*", "bel", "msisdn"),
)


def _international(text: str) -> Optional[str]:
    digits = ascii_digits(text)
    return digits if e164(digits) else None


def _double_zero(text: str) -> Optional[str]:
    digits = ascii_digits(text)[2:]
    return digits if e164(digits) and len(digits) >= 9 else None


def _north_american(text: str) -> Optional[str]:
    digits = ascii_digits(text)[-10:]
    return digits if nanp(digits) else None


def _national(text: str) -> Optional[str]:
    """Accept digits that a national plan can dial: with a trunk zero, or as long as a country's subscriber numbers."""
    digits = ascii_digits(text)
    if _DATE.fullmatch(text) or _VERSION.fullmatch(text) or len(set(digits)) < 3:
        return None
    if digits[0] == "0":
        return digits if 9 <= len(digits) <= 13 and digits[1] != "0" else None
    long = len(digits) in (10, 11)  # US, IN, BR, IT
    return digits if long or (len(digits) == 9 and digits[0] in "6789") else None  # ES, and many others


def _trunk(text: str) -> Optional[str]:
    digits = ascii_digits(text)
    international = digits.startswith("00")
    fits = 11 <= len(digits) <= 17 if international else 9 <= len(digits) <= 12
    return (digits[2:] if international else digits) if fits and len(set(digits)) > 3 else None


def _grouped(text: str) -> Optional[str]:
    digits = ascii_digits(text)
    return digits if len(set(digits)) > 3 else None


DETECTORS = (
    Detector(
        "phone.international",
        "pii.phone",
        linear(rf"(?<![\w+])\+\d(?:[{_DASH}]{{0,2}}\d){{7,14}}(?!\d)"),
        _international,
        literals=("+",),
    ),
    Detector(
        "phone.double_zero",
        "pii.phone",
        linear(rf"(?<![\w+.,-])00[1-9]\d?(?:[{_DASH}]{{0,2}}\d){{7,13}}(?![\w])"),
        _double_zero,
        confidence="context",
        near=_WORDS,
        gate="digits",
    ),
    Detector(
        "phone.north_american",
        "pii.phone",
        linear(r"(?<![\w.-])(?:1[-. ])?(?:\(\d{3}\) ?\d{3}[-. ]|\d{3}([-.])\d{3}\1)\d{4}(?![\w-])"),
        _north_american,
        confidence="checksum",
        gate="groups",
    ),
    # In brackets: Brazil (11) 91234-5678, Australia (02) 9374 4000, Britain (020) 7946 0958, Germany (030) 901820
    Detector(
        "phone.area_code",
        "pii.phone",
        linear(
            r"(?<![\w.-])(?:\([1-9]\d\) ?9?\d{4}-\d{4}|\(0\d\) ?\d{4}[ -]?\d{4}"
            r"|\(0\d{2,4}\) ?\d{3,4}[ -]?\d{3,4})(?![\w-])"
        ),
        _grouped,
        gate="digits",
    ),
    # France: five pairs
    Detector(
        "phone.pairs",
        "pii.phone",
        linear(r"(?<![\w.,:-])0[1-9]([ .-])\d{2}(?:\1\d{2}){3}(?![\w:-])(?![ .-]\d)"),
        _grouped,
        confidence="checksum",
        gate="digits",
    ),
    # With a trunk zero or 00, and grouped: 030 901820, 0171/2345678, 020 7946 0958, 0049 30 901820
    Detector(
        "phone.trunk",
        "pii.phone",
        linear(
            r"(?<![\w.,:/-])(?:0[1-9]\d{1,4}[ /-]\d{3,4}(?:[ -]?\d{2,4}){1,2}|0[1-9]\d{1,3}[ /]\d{6,8}"
            r"|00[1-9]\d{0,2}[ /-]{1,2}(?:\(0\) ?)?\d{2,4}(?:[ /-]?\d{2,4}){1,4})(?![\w:/-])(?![.,]\d)"
        ),
        _trunk,
        confidence="checksum",
        gate="digits",
    ),
    Detector(
        "phone.national",
        "pii.phone",
        linear(rf"(?<![\w+.,:-])\(?\d(?:[{_DASH}]{{0,2}}\d){{6,12}}(?![\w%:])(?![.,]\d)"),
        _national,
        confidence="context",
        near=_WORDS,
        gate="digits",
    ),
)
