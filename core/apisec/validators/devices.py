"""Numbers of devices and SIM cards."""

from __future__ import annotations

from typing import Tuple

from apisec.validators.checks import luhn, varied
from apisec.validators.numbers import Number

# Reporting bodies that allocate type codes (GSMA TS.06): the first two digits of an IMEI.
_IMEI_BODIES = r"(?:0[01]|10|3[0135]|4[459]|5[0-4]|86|91|9[89])"


def _imei(d: str) -> bool:
    return varied(d) and luhn(d)


def imsi(d: str) -> bool:
    """Return whether 14 or 15 digits can be an IMSI: its mobile country code is assigned (ITU-T E.212)."""
    country = int(d[:3])
    return (202 <= country <= 750 or country in (901, 995)) and varied(d)


def mac(text: str) -> bool:
    """Return whether twelve hexadecimal digits are a MAC address, neither of nobody nor of everybody."""
    return varied(text)


ROWS: Tuple[Number, ...] = (
    Number("imei", "device.imei", rf"{_IMEI_BODIES}\d{{13}}", _imei, 1 / 10, ("imei", "imei number"),
           "GSMA TS.06; Luhn", (rf"{_IMEI_BODIES}[- ]\d{{6}}[- ]\d{{6}}[- ]\d",), rare=0.19),
    Number("imeisv", "device.imei", rf"{_IMEI_BODIES}\d{{14}}", varied, 1.0, ("imeisv", "imei sv"),
           "3GPP TS 23.003, 6.2.2", checked=False),
    Number("imsi", "device.imsi", r"\d{14,15}", imsi, 0.55, ("imsi", "subscriber identity"), "ITU-T E.212",
           (r"\d{3}[- ]\d{2,3}[- ]\d{9,10}",), checked=False),
    Number("iccid", "device.iccid", r"89\d{16,18}", luhn, 1 / 10, ("iccid", "sim", "sim card", "sim number"),
           "ITU-T E.118; Luhn", (r"89\d{2}(?:[ -]\d{4}){3}[ -]\d{3,4}",), "checksum", "checksum"),
    Number("mac", "device.mac", r"[0-9A-F]{12}", mac, 1.0, ("mac", "mac address", "macaddr", "bssid", "hwaddr",
           "ethernet*"), "IEEE 802", (), "", "context", checked=False, gate="near"),
)  # fmt: skip
