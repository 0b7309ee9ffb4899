"""Which values a name makes sensitive: a name alone is not enough, the value must be able to be of the class.

``refine`` is asked with the class that a field's name says. It answers with the class that name and value say
together (a *nationalId* that is a valid PESEL is ``pii.national_id.pl``) and the canonical form of the value, or
None when the value cannot be of the class. A number whose check fails stays of the name's class as long as it looks
like one: a mistyped number is still a person's.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Callable, Dict, List, Optional, Pattern, Tuple

from apisec.redaction import forms
from apisec.redaction.encodings import resolve
from apisec.redaction.form_words import NO_NAME
from apisec.redaction.forms import DATE, UUID
from apisec.validators import banking, devices, documents, health, national, tax
from apisec.validators.cards import pan
from apisec.validators.crypto import base58check, bech32
from apisec.validators.digits import ascii_digits
from apisec.validators.iban import iban
from apisec.validators.location import coordinate
from apisec.validators.numbers import Number, by_class, compact

MAX_NAMED = 8192  # characters; a longer value under a telling name is searched as text
MIN_SECRET = 6  # characters of a token or key
MAX_NUMBER = 96  # characters of a number, its separators included
WEAK = 0.5  # odds of a number that is little more than a count of digits
STRONG = 1 / 9  # odds of a number that a weak name's value must have at most
CLOSE = 3.0  # two readings of a number whose odds differ by less than this factor are equally likely

Refined = Tuple[str, str]
Check = Callable[[str], Optional[str]]

# Dates, addresses of networks, amounts and measures: digits with separators that no telephone has.
_NO_PHONE = re.compile(
    rf"{DATE.pattern}|\d{{1,2}}[-/.]\d{{1,2}}[-/.](?:19|20)\d\d|\d{{1,3}}(?:\.\d{{1,3}}){{3}}|-?\d{{1,12}}[.,]\d{{1,2}}"
    r"|-\d+|-?\d{1,3}\.\d{5,}",
    re.DOTALL,
)
_SEPARATED = re.compile(r"[\d\s ./()+\-\u2010-\u2015]+")
_INTEGRAL = re.compile(r"-?(\d+)\.0+")
_DIAGNOSIS = re.compile(r"[A-TV-Z]\d[0-9AB](?:\.?[0-9A-TV-Z]{1,4})?")
_ETHEREUM = re.compile(r"0x[0-9A-Fa-f]{40}")
# Month and year together in any order (with a slash, as ISO 8583's YYMM, as a word), or a member for each: 12, 2027.
_EXPIRY = re.compile(
    r"(?:0?[1-9]|1[0-2])\s?[-/.|]?\s?(?:20)?\d{2}|20\d{2}\s?[-/.|]?\s?(?:0?[1-9]|1[0-2])|\d\d[-/.]?(?:0[1-9]|1[0-2])"
    r"|0?[1-9]|\d\d|20\d\d|(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?[\s/-]?(?:20)?\d\d"
)
_WORDS = re.compile(r"[A-Za-z]{7,}")  # IBANs of Malta have six letters in a row
_LONG_WORD = re.compile(r"[A-Z]{6,}")
_NO_DEVICE = re.compile(r"[ ,;@%/\\]|\A[\d.]+\.[\d.]*\Z")  # a text, a model, a version
_SSN_LAYOUT = re.compile(r"\d{3}-\d{2}-\d{4}")

_ROWS = by_class((*national.ROWS, *tax.ROWS, *health.ROWS, *banking.ROWS, *devices.ROWS, *documents.ROWS))

# A name's class, and those that its value may turn out to be of.
_SIBLINGS: Dict[str, Tuple[str, ...]] = {
    "pii.national_id": ("pii.itin", "fin.tax_id", "health.insurance"),
    "fin.tax_id": ("pii.national_id", "pii.itin"),
    "pii.ssn": ("pii.itin",),
    "fin.account": ("fin.clabe", "fin.bic", "fin.ifsc"),
    "health.insurance": ("health.mbi", "health.ehic", "health.medicare"),
}


def named(data_class: str, value: str) -> Optional[str]:
    """Return the canonical form of a value that stands under a name of the class, or None if it cannot be one."""
    found = refine(data_class, value)
    return found[1] if found else None


def refine(data_class: str, value: str) -> Optional[Refined]:
    """Return the class that a name's class and the value say together, and the value's canonical form; None if none."""
    if not value or len(value) > MAX_NAMED:
        return None
    if "%" in value:
        value = resolve(value) or value  # judged as what it says, not by the digits of its encoding
    if data_class.startswith("secret."):
        canonical = _secret(data_class, value)
        return (data_class, canonical) if canonical is not None else None
    if _readings(data_class) and len(value) <= MAX_NUMBER and not DATE.fullmatch(value):
        wide = data_class in ("pii.national_id", "fin.tax_id")
        layout = "pii.ssn" if wide and _SSN_LAYOUT.fullmatch(value) else data_class
        found = _registered(layout, compact(value))
        if found is None and layout != data_class:
            return layout, compact(value)
        if found is not None:
            return found
    check = _CHECKS.get(data_class) or _CHECKS.get(_family(data_class))
    canonical = check(value) if check else None
    if canonical is None:
        return None
    return _told_by_shape(data_class, value) or (data_class, canonical)


def confirmed(data_class: str, value: str) -> Optional[Refined]:
    """Return what a name that may mean many things (*owner*, *sn*) and a value say together: where the value's form
    alone is strong, by what it looks like or by a check that one in ten passes at most.
    """
    found = refine(data_class, value)
    if found is None:
        return None
    strong = _STRONG.get(data_class)
    if strong is not None:
        return found if strong(value) else None
    return found if _checked(*found) else None


def _checked(data_class: str, canonical: str) -> bool:
    text = compact(canonical)
    rows = [row for name in _ROWS if f"{name}.".startswith(f"{data_class}.") for row in _ROWS[name]]
    return any(row.odds <= STRONG and row.of_compact(text) for row in rows)


def _told_by_shape(data_class: str, value: str) -> Optional[Refined]:
    """Return what a value under a wide name (account, address) is by a shape or check that is its own."""
    if data_class == "fin.account":
        account = iban(value)
        return ("fin.iban", account) if account and len(account) == len(compact(value)) else None
    if data_class == "pii.address":
        wallet = _known_wallet(value.strip())
        return ("fin.crypto", wallet) if wallet else None
    return None


def _family(data_class: str) -> str:
    """Return a class's parent: pii.national_id of pii.national_id.pl."""
    return data_class.rpartition(".")[0]


class _Readings:
    """Kinds of numbers that a class can mean. One pattern asks all their forms at once; the checks follow."""

    def __init__(self, rows: List[Number]) -> None:
        self.rows = sorted(rows, key=lambda row: row.odds)
        self._forms = re.compile("".join([f"(?:(?=({row.form})\\Z))?" for row in self.rows]), re.ASCII)

    def of(self, text: str) -> List[Number]:
        """Return the kinds whose form and check the text passes, the most telling first."""
        found = self._forms.match(text)
        forms = found.groups() if found else ()
        return [row for row, form in zip(self.rows, forms) if form is not None and row.check(text)]


def _own(data_class: str) -> List[Number]:
    """Return the rows of a class and its children. Of a parent, without those that any digits pass: 8 digits are
    no DNI of Argentina unless the name says so."""
    return [
        row
        for name, rows in _ROWS.items()
        if f"{name}.".startswith(f"{data_class}.")
        for row in rows
        if name == data_class or row.odds < WEAK or row.gate != "digits"
    ]


@lru_cache(maxsize=256)
def _readings(data_class: str) -> Tuple[_Readings, ...]:
    """Return what a class can mean: its own and its children's numbers, then those of its siblings."""
    kin = [row for name in _SIBLINGS.get(data_class, ()) for row in _own(name)]
    return tuple([_Readings(rows) for rows in (_own(data_class), kin) if rows])


def _registered(data_class: str, text: str) -> Optional[Refined]:
    """Return the class whose check the number passes; the name's own where two are as likely."""
    for readings in _readings(data_class):
        passed = readings.of(text)
        if passed:
            best = passed[0]
            rivals = {row.data_class for row in passed if row.odds < best.odds * CLOSE}
            return (best.data_class if len(rivals) == 1 else data_class), text
    return None


def _secret(data_class: str, value: str) -> Optional[str]:
    if data_class == "secret.password":
        return forms.password(value)
    return forms.one_time(value) if data_class == "secret.otp" else forms.secret(value, MIN_SECRET)


def _digits(low: int, high: int) -> Check:
    """Return a check: digits of any script with separators, from ``low`` to ``high`` of them."""

    def check(value: str) -> Optional[str]:
        if not _SEPARATED.fullmatch(value):
            integral = _INTEGRAL.fullmatch(value)
            if not integral:
                return None
            value = integral.group(1)
        digits = ascii_digits(value)
        return digits if low <= len(digits) <= high else None

    return check


def _code(low: int, high: int, digits: int) -> Check:
    """Return a check: one code of ``low`` to ``high`` letters and digits, at least so many digits, and no date."""

    def check(value: str) -> Optional[str]:
        if len(value) > 2 * high or DATE.fullmatch(value):
            return None
        text = compact(value)
        fits = low <= len(text) <= high and text.isalnum() and sum(map(str.isdigit, text)) >= digits
        return text if fits else None

    return check


def _shaped(pattern: Pattern[str]) -> Check:
    return lambda value: value.strip() if pattern.fullmatch(value.strip()) else None


def _account(value: str) -> Optional[str]:
    text = "".join([c for c in value if c.isalnum()])
    if not 5 <= len(text) <= 34 or len(value) > 48 or not any(c.isdecimal() for c in text):
        return None
    if DATE.fullmatch(value) or UUID.fullmatch(value) or (_WORDS.search(value) and iban(text.upper()) is None):
        return None
    return text.upper()


def _card(value: str) -> Optional[str]:
    digits = _digits(12, 19)(value)
    return digits if digits and pan(digits) else None


def _phone(value: str) -> Optional[str]:
    return None if _NO_PHONE.fullmatch(value) else _digits(6, 15)(value)


def _code_on_card(value: str) -> Optional[str]:
    text = value.strip()
    return ascii_digits(text) if len(text) in (3, 4) and text.isdecimal() else None


def _passport(value: str) -> Optional[str]:
    return documents.mrz(value) or _code(5, 14, 2)(value)


def _postcode(value: str) -> Optional[str]:
    """Accept a country's form, or one code with a digit that no country has; no file, version or date."""
    if value.isdigit() and value.isascii():
        return value if 3 <= len(value) <= 10 else None
    text = None if "." in value or "_" in value or len(value) > 14 else _code(3, 10, 1)(value)
    return forms.known_postcode(value) or text


def _plate(value: str) -> Optional[str]:
    text = _code(3, 17, 1)(value)
    return text if text and (len(text) > 10 or not _LONG_WORD.search(text)) else None


def _device(value: str) -> Optional[str]:
    text = value.strip().upper()
    fits = 6 <= len(text) <= 80 and not _NO_DEVICE.search(text) and any(map(str.isdigit, text)) and text.strip("0-:")
    return text if fits and not DATE.fullmatch(text) else None


def _mac(value: str) -> Optional[str]:
    text = compact(value)
    return text if len(text) in (12, 16) and all(c in "0123456789ABCDEF" for c in text) and text.strip("0") else None


def _known_wallet(text: str) -> Optional[str]:
    if _ETHEREUM.fullmatch(text):
        return text.lower()
    if text[:3].lower() == "bc1":
        return bech32(text) if len(text) <= 90 else None
    return base58check(text) if 26 <= len(text) <= 35 else None


def _address(value: str) -> Optional[str]:
    return forms.street(value) or (value if _known_wallet(value.strip()) else None)  # told apart by its shape


def _wallet(value: str) -> Optional[str]:
    text = value.strip()
    known = _known_wallet(text)
    # Other chains have their own alphabets and checks.
    likely = 25 <= len(text) <= 110 and text.isalnum() and not text.isalpha() and not text.isdigit()
    return known or (text if likely else None)


def _diagnosis(value: str) -> Optional[str]:
    text = value.strip()
    if _DIAGNOSIS.fullmatch(text.upper()):
        return text.upper().replace(".", "")
    words = 4 <= len(text) <= 400 and sum(map(str.isalpha, text)) >= 4 and text.lower() not in NO_NAME
    return text if words else None


_CHECKS: Dict[str, Check] = {
    "pci.pan": _digits(12, 19),
    "pci.cvv": _code_on_card,
    "pci.track": lambda v: v if len(v) >= 8 else None,
    "pci.expiry": _shaped(_EXPIRY),
    "pii.ssn": _digits(7, 9),
    "pii.itin": _digits(9, 9),
    "pii.national_id": _code(5, 24, 3),
    "pii.email": forms.mail,
    "pii.phone": _phone,
    "pii.name": forms.person,
    "pii.address": _address,
    "pii.postcode": _postcode,
    "pii.dob": forms.birth,
    "pii.passport": _passport,
    "pii.driving_licence": _code(4, 20, 2),
    "pii.vehicle": _plate,
    "pii.location": coordinate,
    "fin.iban": _account,
    "fin.account": _account,
    "fin.routing": _digits(6, 12),
    "fin.sort_code": _digits(6, 6),
    "fin.bsb": _digits(6, 6),
    "fin.clabe": _digits(18, 18),
    "fin.crypto": _wallet,
    "fin.tax_id": _code(5, 20, 4),
    "health.npi": _digits(10, 10),
    "health.nhs": _digits(10, 10),
    "health.dea": _code(9, 9, 6),
    "health.mbi": _code(11, 11, 4),
    "health.medicare": _code(7, 12, 3),
    "health.ehic": _digits(10, 20),
    "health.mrn": _code(4, 20, 3),
    "health.insurance": _code(4, 24, 2),
    "health.diagnosis": _diagnosis,
    "device.imei": _digits(14, 16),
    "device.imsi": _digits(13, 15),
    "device.iccid": _digits(18, 20),
    "device.mac": _mac,
    "device.id": _device,
}

# By class, what a value must look like where its name says little; numbers without a row here need a check.
_STRONG: Dict[str, Check] = {
    "pci.pan": _card,
    "pii.name": forms.strong_person,
    "pii.ssn": lambda v: v if _SSN_LAYOUT.fullmatch(v.strip()) else None,
    "fin.iban": iban,
    "pii.email": forms.mail,
    "pii.phone": forms.strong_phone,
    "pii.address": forms.strong_street,
    "pii.postcode": forms.strong_postcode,
    "pii.dob": forms.strong_birth,
    "pii.location": coordinate,
    "secret.password": forms.strong_secret,
    "secret.token": forms.strong_secret,
    "secret.session": forms.strong_secret,
    "secret.api_key": forms.strong_secret,
    "secret.otp": lambda v: v if v.strip().isdigit() else None,
    "device.id": forms.strong_device,
    "device.mac": lambda v: v if ":" in v or "-" in v else None,
}
