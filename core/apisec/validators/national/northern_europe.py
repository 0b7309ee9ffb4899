"""National ids of northern Europe and the Baltic states: most begin with the date of birth."""

from __future__ import annotations

from typing import Tuple

from apisec.validators.checks import calendar_date, dmy, luhn, sums_to_zero, varied, weighted, ymd
from apisec.validators.numbers import Number

_dk_sum = sums_to_zero((4, 3, 2, 7, 6, 5, 4, 3, 2, 1), 11)


def _dk(d: str) -> bool:
    return dmy(d[:6]) and _dk_sum(d)


def _dk_date(d: str) -> bool:
    # Since October 2007 numbers without the check are issued, where a day's numbers had run out.
    return dmy(d[:6]) and d[6:] != "0000"


_FI_LETTERS = "0123456789ABCDEFHJKLMNPRSTUVWXY"


def _fi(text: str) -> bool:
    return dmy(text[:6]) and int(text[-4:-1]) >= 2 and text[-1] == _FI_LETTERS[int(text[:6] + text[-4:-1]) % 31]


_is_sum = sums_to_zero((3, 2, 7, 6, 5, 4, 3, 2, 1), 11)


def _is(d: str) -> bool:
    return d[9] in "890" and dmy(d[:6]) and _is_sum(d)


_no_first = sums_to_zero((3, 7, 6, 1, 8, 9, 4, 5, 2, 1), 11)
_no_second = sums_to_zero((5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1), 11)


def _no(d: str) -> bool:
    # D numbers add 40 to the day, H numbers 40 to the month, synthetic ones of the tax agency 80.
    day, month = int(d[:2]), int(d[2:4]) % 40
    if day > 40:
        day -= 40
    return calendar_date(int(d[4:6]), month, day) and _no_first(d) and _no_second(d)


def _se(d: str) -> bool:
    # Coordination numbers add 60 to the day; the year may stand with its century.
    short = d[-10:]
    if len(d) == 12 and d[:2] not in ("18", "19", "20"):
        return False
    return calendar_date(int(short[:2]), int(short[2:4]), int(short[4:6]) % 60) and luhn(short)


def _baltic(d: str) -> bool:
    """Estonia and Lithuania: century and sex, YYMMDD, serial; two sets of weights (ENRS; LST 1185)."""
    if not ymd(d[1:7]):
        return False
    rest = weighted(d[:10], (1, 2, 3, 4, 5, 6, 7, 8, 9, 1)) % 11
    if rest == 10:
        rest = weighted(d[:10], (3, 4, 5, 6, 7, 8, 9, 1, 2, 3)) % 11 % 10
    return rest == int(d[10])


def _lv(d: str) -> bool:
    if not dmy(d[:6]) or d[6] not in "012":
        return False
    return (1101 - weighted(d[:10], (1, 6, 3, 7, 9, 10, 5, 8, 4, 2))) % 11 % 10 == int(d[10])


ROWS: Tuple[Number, ...] = (
    Number("dk.cpr", "pii.national_id.dk", r"\d{10}", _dk, 1 / 300, ("cpr", "cpr nummer", "cpr nr", "personnummer"),
           "CPR-kontoret: modulus 11", (r"\d{6}-\d{4}",), "checksum"),
    Number("dk.cpr_2007", "pii.national_id.dk", r"\d{10}", _dk_date, 1 / 27, ("cpr", "cpr nummer", "cpr nr"),
           "CPR-kontoret: personnumre uden modulus 11 kontrol", (r"\d{6}-\d{4}",), checked=False),
    Number("fi.hetu", "pii.national_id.fi", r"\d{6}[A-FU-Y]?\d{3}[0-9A-FHJ-NPR-Y]", _fi, 1 / 880, ("hetu",
           "henkilötunnus", "henkilotunnus", "personbeteckning", "sotu"), "Valtioneuvoston asetus 128/2010; DVV",
           (r"\d{6}[-+A-FU-Y]\d{3}[0-9A-FHJ-NPR-Y]",), "shape", written_gate="date_code"),
    Number("is.kennitala", "pii.national_id.is", r"\d{10}", _is, 1 / 1000, ("kennitala", "kt", "kennitölu"),
           "Þjóðskrá: kennitala, mod 11", (r"\d{6}-\d{4}",), "checksum"),
    Number("no.fnr", "pii.national_id.no", r"\d{11}", _no, 1 / 600, ("fødselsnummer", "fodselsnummer", "fnr",
           "personnummer", "d nummer"), "Skatteetaten: fødselsnummer", (r"\d{6} \d{5}",), "checksum"),
    Number("se.pnr", "pii.national_id.se", r"(?:18|19|20)?\d{10}", _se, 1 / 140, ("personnummer", "samordningsnummer",
           "pnr", "personnr", "social security"), "Skatteverket SKV 704", (r"(?:18|19|20)?\d{6}[-+]\d{4}",),
           "checksum"),
    Number("ee.isikukood", "pii.national_id.ee", r"[1-8]\d{10}", _baltic, 1 / 275, ("isikukood", "isikukoodi",
           "personal code"), "EVS 585:2007"),
    Number("lt.kodas", "pii.national_id.lt", r"[3-6]\d{10}", _baltic, 1 / 275, ("asmens kodas", "asmens kodo",
           "personal code"), "LR gyventojų registro įstatymas"),
    Number("lv.kods", "pii.national_id.lv", r"\d{11}", _lv, 1 / 1000, ("personas kods", "personas koda", "pk",
           "personal code"), "PMLP: personas kods", (r"\d{6}-\d{5}",), "checksum"),
    Number("lv.kods_2017", "pii.national_id.lv", r"32\d{9}", varied, 1.0, ("personas kods", "personas koda", "pk",
           "personal code"), "PMLP: since July 2017 without date and check", (r"32\d{4}-\d{5}",), checked=False),
)  # fmt: skip
