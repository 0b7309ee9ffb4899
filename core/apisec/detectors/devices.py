"""Numbers of devices: IMEI, IMSI, SIM cards, MAC addresses, advertising and device ids by words."""

from __future__ import annotations

from typing import Optional

from apisec.detectors.base import Detector, linear, words
from apisec.detectors.numbers import of_numbers
from apisec.validators.devices import ROWS, mac
from apisec.validators.numbers import compact


def _mac(text: str) -> Optional[str]:
    found = compact(text)
    if "." in text and found.isdigit():  # in three groups with dots, digits alone are a version
        return None
    return found if mac(found) else None


def _advertising(text: str) -> Optional[str]:
    """Accept an id that is not all zeros, as devices send it when tracking is off."""
    found = text.upper()
    return found if found.strip("0-") else None


DETECTORS = (
    *of_numbers(ROWS),
    Detector(
        "mac.written",
        "device.mac",
        linear(r"(?i)(?<![0-9a-z:.-])(?:[0-9a-f]{2}:){5}[0-9a-f]{2}(?![0-9a-z:-])"
               r"|(?<![0-9a-z:.-])(?:[0-9a-f]{2}-){5}[0-9a-f]{2}(?![0-9a-z:-])"
               r"|(?<![0-9a-z:.-])[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}(?![0-9a-z:.-])"),
        _mac,
        confidence="shape",
        gate="mac",
    ),
    Detector(
        "device.advertising",
        "device.id",
        linear(r"(?i)(?<![0-9a-z-])[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}(?![0-9a-z-])"),
        _advertising,
        confidence="context",
        near=words("idfa", "idfv", "gaid", "aaid", "adid", "advertising id*", "advertiser id*", "ad id", "device id*",
                   "device uuid", "rida", "tifa"),
        gate="near",
    ),
    Detector(
        "device.serial",
        "device.id",
        linear(r"(?i)(?<![0-9a-z-])(?=[a-z-]{0,16}\d)[0-9a-z][0-9a-z-]{5,39}(?![0-9a-z-])"),
        lambda text: text.upper(),
        confidence="context",
        near=words("android id", "udid", "device serial*", "device id*", "hardware id*", "ssaid", "deviceid"),
        gate="near",
    ),
)  # fmt: skip
