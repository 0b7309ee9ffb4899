"""Numbers of patients, insured persons and prescribers."""

from __future__ import annotations

from typing import Tuple

from apisec.validators.checks import calendar_date, luhn, varied, weighted
from apisec.validators.numbers import Number, anything


def npi(d: str) -> bool:
    """Return whether ten digits are a National Provider Identifier: Luhn with 80840 before it (45 CFR 162.406)."""
    return luhn("80840" + d)


def _dea(text: str) -> bool:
    total = sum(map(int, text[2:8:2])) + 2 * sum(map(int, text[3:8:2]))
    return varied(text[2:]) and total % 10 == int(text[8])


def nhs(d: str) -> bool:
    """Return whether ten digits are an NHS number (NHS Data Dictionary: modulus 11)."""
    return varied(d) and int(d[9]) == (11 - weighted(d[:9], range(10, 1, -1)) % 11) % 11


def _au_medicare(d: str) -> bool:
    return weighted(d[:8], (1, 3, 7, 9, 1, 3, 7, 9)) % 10 == int(d[8])


def _bc(d: str) -> bool:
    return 11 - weighted(d[1:9], (2, 4, 8, 5, 10, 9, 7, 3)) % 11 == int(d[9])


def _qc(text: str) -> bool:
    # Three letters of the name and one of the given name; women add 50 to the month.
    month = int(text[6:8])
    return calendar_date(int(text[4:6]), month - 50 if month > 50 else month, int(text[8:10]))


_NHI = {c: i for i, c in enumerate("ABCDEFGHJKLMNPQRSTUVWXYZ", 1)}


def _nhi(text: str) -> bool:
    values = [_NHI.get(c) or int(c) for c in text[:6]]
    total = sum([v * w for v, w in zip(values, (7, 6, 5, 4, 3, 2))])
    if text[6].isdigit():  # the format since 1993: modulus 11
        return total % 11 != 0 and (11 - total % 11) % 10 == int(text[6])
    return 24 - total % 24 == _NHI[text[6]]  # since 2022: modulus 24


def _kvnr(text: str) -> bool:
    # A letter as two digits, then Luhn's sums from the left (§ 290 SGB V, Richtlinie des GKV-Spitzenverbands).
    digits = f"{ord(text[0]) - 64:02d}{text[1:9]}"
    doubled = [int(c) * 2 for c in digits[1::2]]
    total = sum(map(int, digits[::2])) + sum([v // 10 + v % 10 for v in doubled])
    return varied(text[1:]) and total % 10 == int(text[9])


# ISO 3166-1 numeric codes of the states that issue the card: EU, EEA, Switzerland, United Kingdom.
_EHIC_STATES = (
    "040|056|100|191|196|203|208|233|246|250|276|300|348|352|372|380|428|438|440|442|470|528|578|616|620|642|703|705"
    "|724|752|756|826"
)

_MBI_LETTER = "[AC-HJKMNP-RT-Y]"
_MBI = (rf"[1-9]{_MBI_LETTER}[0-9AC-HJKMNP-RT-Y]\d", rf"{_MBI_LETTER}[0-9AC-HJKMNP-RT-Y]\d",
        rf"{_MBI_LETTER}{{2}}\d{{2}}")  # fmt: skip

ROWS: Tuple[Number, ...] = (
    Number("us.npi", "health.npi", r"[12]\d{9}", npi, 1 / 10, ("npi", "national provider*", "provider id*"),
           "45 CFR 162.406; CMS: Luhn with 80840"),
    Number("us.dea", "health.dea", r"[ABCDEFGHJKLMPRSTUX][A-Z9]\d{7}", _dea, 1 / 10, ("dea", "dea number", "dea no"),
           "DEA Diversion Control: registration number", gate="code", rare=0.25),
    Number("us.mbi", "health.mbi", "".join(_MBI), anything, 1.0, ("mbi", "medicare*", "beneficiary id*"),
           "CMS: Understanding the MBI", ("-".join(_MBI), " ".join(_MBI)), "shape", "checksum", checked=False,
           gate="code"),
    Number("gb.nhs", "health.nhs", r"\d{10}", nhs, 1 / 11, ("nhs", "nhs number", "nhs no"),
           "NHS Data Dictionary: NHS number", (r"\d{3}[ -]\d{3}[ -]\d{4}",)),
    Number("au.medicare", "health.medicare.au", r"[2-6]\d{9,10}", _au_medicare, 1 / 10, ("medicare", "medicare card",
           "medicare number"), "Services Australia: Medicare card number", (r"[2-6]\d{3} \d{5} \d(?:[ /-]\d)?",)),
    Number("ca.on", "health.medicare.ca", r"[1-9]\d{9}[A-Z]{0,2}", lambda text : luhn(text[: 10]), 1 / 10, ("ohip",
           "health card*", "carte santé"), "Ontario Ministry of Health: HCV; Luhn",
           (r"[1-9]\d{3}[- ]\d{3}[- ]\d{3}(?:[- ][A-Z]{2})?",)),
    Number("ca.bc", "health.medicare.ca", r"9\d{9}", _bc, 1 / 11, ("phn", "personal health number", "msp",
           "health card*"), "BC Ministry of Health: PHN check digit, mod 11", (r"9\d{3} \d{3} \d{3}",), rare=0.11),
    Number("ca.qc", "health.medicare.ca", r"[A-Z]{4}\d{8}", _qc, 1 / 14, ("ramq", "nam", "assurance maladie",
           "carte soleil", "health card*"), "RAMQ: numéro d'assurance maladie", (r"[A-Z]{4} \d{4} \d{4}",),
           "checksum", checked=False,
           gate="code"),
    Number("nz.nhi", "health.medicare.nz", r"[A-HJ-NP-Z]{3}\d{2}(?:\d{2}|[A-HJ-NP-Z]{2})", _nhi, 1 / 15, ("nhi",
           "nhi number", "national health index"), "HISO 10046:2021", checked=False, gate="code"),
    Number("eu.ehic", "health.ehic", rf"80(?:{_EHIC_STATES})\d{{15}}", anything, 1.0, ("ehic",
           "european health insurance*", "europäische krankenversicherungs*", "ceam"),
           "Decision S2 of the Administrative Commission; ISO/IEC 7812",
           (rf"80(?:{_EHIC_STATES})[ -]\d{{5}}[ -]\d{{10}}", r"80\d{3} \d{5} \d{5} \d{5}"), "checksum", "checksum",
           checked=False),
    Number("de.kvnr", "health.insurance", r"[A-Z]\d{9}", _kvnr, 1 / 10, ("kvnr", "krankenversicherten*",
           "versichertennummer", "krankenversicherung*", "versicherten nr"), "§ 290 SGB V", gate="code"),
)  # fmt: skip
