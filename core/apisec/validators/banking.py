"""Numbers of banks, branches and accounts."""

from __future__ import annotations

from typing import Tuple

from apisec.validators.checks import sums_to_zero, varied, weighted
from apisec.validators.iban import LENGTHS
from apisec.validators.numbers import Number, anything

_aba_sum = sums_to_zero((3, 7, 1) * 3, 10)


def aba(d: str) -> bool:
    """Return whether nine digits are an ABA routing number: a Federal Reserve district, weights 3 7 1."""
    district = int(d[:2])
    known = district <= 12 or 21 <= district <= 32 or 61 <= district <= 72 or district == 80
    return known and d[:4] != "0000" and _aba_sum(d)


def clabe(d: str) -> bool:
    """Return whether 18 digits are a CLABE: each product of weights 3 7 1 counts modulo 10 (Banxico)."""
    return varied(d) and -weighted(d[:17], (3, 7, 1) * 6) % 10 == int(d[17])


# Banxico's catalogue of institutions: the first three digits of a CLABE.
_MX_BANKS = (
    r"(?:0(?:0[269]|1[249]|21|3[0267]|4[24]|5[89]|6[02]|72)|10[1368]|11[0236]|12[4-9]|13[0-35789]|14[013578]|15[0-24-8]"
    r"|16[0678]|6\d\d|7[0-3]\d)"
)

# ISO 3166-1 alpha-2: a BIC's fifth and sixth character (ISO 9362), with XK for Kosovo.
COUNTRIES = frozenset(
    (
        *("AD", "AE", "AF", "AG", "AI", "AL", "AM", "AO", "AQ", "AR", "AS", "AT", "AU", "AW", "AX", "AZ", "BA"),
        *("BB", "BD", "BE", "BF", "BG", "BH", "BI", "BJ", "BL", "BM", "BN", "BO", "BQ", "BR", "BS", "BT", "BV"),
        *("BW", "BY", "BZ", "CA", "CC", "CD", "CF", "CG", "CH", "CI", "CK", "CL", "CM", "CN", "CO", "CR", "CU"),
        *("CV", "CW", "CX", "CY", "CZ", "DE", "DJ", "DK", "DM", "DO", "DZ", "EC", "EE", "EG", "EH", "ER", "ES"),
        *("ET", "FI", "FJ", "FK", "FM", "FO", "FR", "GA", "GB", "GD", "GE", "GF", "GG", "GH", "GI", "GL", "GM"),
        *("GN", "GP", "GQ", "GR", "GS", "GT", "GU", "GW", "GY", "HK", "HM", "HN", "HR", "HT", "HU", "ID", "IE"),
        *("IL", "IM", "IN", "IO", "IQ", "IR", "IS", "IT", "JE", "JM", "JO", "JP", "KE", "KG", "KH", "KI", "KM"),
        *("KN", "KP", "KR", "KW", "KY", "KZ", "LA", "LB", "LC", "LI", "LK", "LR", "LS", "LT", "LU", "LV", "LY"),
        *("MA", "MC", "MD", "ME", "MF", "MG", "MH", "MK", "ML", "MM", "MN", "MO", "MP", "MQ", "MR", "MS", "MT"),
        *("MU", "MV", "MW", "MX", "MY", "MZ", "NA", "NC", "NE", "NF", "NG", "NI", "NL", "NO", "NP", "NR", "NU"),
        *("NZ", "OM", "PA", "PE", "PF", "PG", "PH", "PK", "PL", "PM", "PN", "PR", "PS", "PT", "PW", "PY", "QA"),
        *("RE", "RO", "RS", "RU", "RW", "SA", "SB", "SC", "SD", "SE", "SG", "SH", "SI", "SJ", "SK", "SL", "SM"),
        *("SN", "SO", "SR", "SS", "ST", "SV", "SX", "SY", "SZ", "TC", "TD", "TF", "TG", "TH", "TJ", "TK", "TL"),
        *("TM", "TN", "TO", "TR", "TT", "TV", "TW", "TZ", "UA", "UG", "UM", "US", "UY", "UZ", "VA", "VC", "VE"),
        *("VG", "VI", "VN", "VU", "WF", "WS", "XK", "YE", "YT", "ZA", "ZM", "ZW"),
    )
)


def bic(text: str) -> bool:
    """Return whether eight or eleven characters can be a BIC: its country exists (ISO 9362)."""
    return text[4:6] in COUNTRIES and text[7] != "0"


# Banks whose codes begin most IFSCs (RBI: list of IFS codes); others are told by words or name.
_IFSC_BANKS = (
    "SBIN|HDFC|ICIC|UTIB|PUNB|BARB|CNRB|UBIN|BKID|IOBA|IDIB|CBIN|UCBA|KKBK|YESB|INDB|FDRL|IDFB|RATN|SIBL|KVBL|CIUB|TMBL"
    "|MAHB|PSIB|BDBL|AUBL|ESFB|USFB|JAKA|KARB|DCBL|CSBK|DLXB|HSBC|CITI|SCBL|DEUT|DBSS|PYTM|AIRP|IPOS|NSPB|FINO|SURY"
)

_IBAN_COUNTRIES = frozenset(LENGTHS)


def sort_code(d: str) -> bool:
    """Return whether six digits can be a sort code: the first two are a clearing bank's, from 01 to 98."""
    return "01" <= d[:2] <= "98" and varied(d)


ROWS: Tuple[Number, ...] = (
    Number("us.aba", "fin.routing", r"\d{9}", aba, 1 / 27, ("aba", "routing", "rtn", "transit number", "wire", "wired",
           "fedwire", "ach", "bank code"), "ABA Key to Routing Numbers"),
    Number("mx.clabe", "fin.clabe", rf"{_MX_BANKS}\d{{15}}", clabe, 1 / 10, ("clabe", "cuenta clabe", "clave bancaria"),
           "Banxico: CLABE", (r"\d{3} \d{3} \d{11} \d",), rare=0.198),
    Number("gb.sort_code", "fin.sort_code", r"\d{6}", sort_code, 0.98, ("sort code", "sortcode", "sort cd"),
           "Pay.UK: EISCD", (r"\d{2}-\d{2}-\d{2}", r"\d{2} \d{2} \d{2}"), checked=False, gate="near",
           written_gate="near"),
    Number("au.bsb", "fin.bsb", r"\d{6}", varied, 1.0, ("bsb", "bsb number", "bank state branch"), "AusPayNet: BSB",
           (r"\d{3}-\d{3}",), checked=False, gate="near", written_gate="near"),
    Number("in.ifsc", "fin.ifsc", r"[A-Z]{4}0[A-Z0-9]{6}", anything, 1.0, ("ifsc", "ifs code", "rtgs", "neft"),
           "RBI: IFSC", checked=False, gate="near"),
    Number("in.ifsc_known", "fin.ifsc", rf"(?:{_IFSC_BANKS})0[A-Z0-9]{{6}}", anything, 1.0, ("ifsc",), "RBI: IFSC",
           (), "", "shape", checked=False, gate="ifsc"),
    Number("bic", "fin.bic", r"[A-Z]{6}[A-Z1-9][A-NP-Z0-9](?:[A-Z0-9]{3})?", bic, 1 / 2.7, ("bic", "swift code",
           "bic code", "swift bic", "bic swift"), "ISO 9362", checked=False, gate="near"),
)  # fmt: skip
