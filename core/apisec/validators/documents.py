"""Travel documents, licences and vehicles: machine-readable zones (ICAO 9303), VIN, driving licences."""

from __future__ import annotations

import re
from typing import Optional, Tuple

from apisec.validators.checks import calendar_date, mrz_digit
from apisec.validators.numbers import Number

_NOT_MRZ = re.compile(r"[^A-Z0-9<]")


def _fields(*pairs: Tuple[str, str]) -> bool:
    """Return whether each field carries its check digit; ``<`` stands for 0 where a field is empty (9303-3, 4.9)."""
    return all((digit == "<" and not field.strip("<")) or digit == str(mrz_digit(field)) for field, digit in pairs)


def mrz(text: str) -> Optional[str]:
    """Return the zone that a text is, without line breaks, when its check digits are right; else None.

    Three lines of 30 (TD1), two of 36 (TD2, visa B) or 44 (TD3 passports, visa A); or the last line alone of a
    passport's zone.
    """
    zone = _NOT_MRZ.sub("", text.upper())
    if len(zone) in (88, 44):
        line = zone[-44:]
        known = _fields((line[:9], line[9]), (line[13:19], line[19]), (line[21:27], line[27]))
        return zone if known and (zone[0] == "V" or _passport_composite(line)) else None
    if len(zone) == 72:
        line = zone[36:]
        return zone if _fields((line[:9], line[9]), (line[13:19], line[19]), (line[21:27], line[27])) else None
    if len(zone) == 90:
        return zone if _fields((zone[5:14], zone[14]), (zone[30:36], zone[36]), (zone[38:44], zone[44])) else None
    return None


def _passport_composite(line: str) -> bool:
    return _fields((line[:10] + line[13:20] + line[21:43], line[43]))


# ISO 3779 and 49 CFR 565.15: letters' values, weights by place; the ninth character is the check.
_VIN_VALUES = dict(
    zip("ABCDEFGHJKLMNPRSTUVWXYZ", (1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 7, 9, 2, 3, 4, 5, 6, 7, 8, 9))
)
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


def vin(text: str) -> bool:
    """Return whether 17 characters carry the check digit that North America and China require in the ninth place."""
    total = sum([(_VIN_VALUES.get(c) or int(c)) * w for c, w in zip(text, _VIN_WEIGHTS)])
    return text[8] == "0123456789X"[total % 11] and not text.isdigit() and len(set(text)) > 4


def _gb_licence(text: str) -> bool:
    # The second digit of the month is raised by 5 for women.
    decade, month, day, year = text[5], int(text[6:8]), int(text[8:10]), text[10]
    return calendar_date(int(decade + year), month - 50 if month > 50 else month, day)


ROWS: Tuple[Number, ...] = (
    Number("vin", "pii.vehicle", r"[A-HJ-NPR-Z0-9]{13}\d{4}", vin, 1 / 33, ("vin", "vehicle identification*",
           "chassis*", "fahrgestell*", "fin nummer", "fahrzeug ident*", "numéro de série", "bastidor", "telaio"),
           "ISO 3779; 49 CFR 565.15", (), "", "checksum", gate="code"),
    Number("vin.any", "pii.vehicle", r"[A-HJ-NPR-Z0-9]{13}\d{4}", lambda text : not text.isdigit(), 0.99, ("vin",
           "vehicle identification*", "chassis*", "fahrgestell*", "fahrzeug ident*", "bastidor", "telaio"),
           "ISO 3779: Europe requires no check", checked=False, gate="near"),
    Number("gb.licence", "pii.driving_licence", r"[A-Z][A-Z9]{4}\d[0156]\d[0-3]\d{2}[A-Z][A-Z9]\d[A-Z]{2}",
           _gb_licence, 1 / 2.3, ("driving licence", "driver number", "dvla", "licence no", "licence number"),
           "DVLA INF1D", (), "", "checksum", checked=False, gate="code"),
)  # fmt: skip
