"""Numbers of devices: IMEI, IMSI, SIM cards, MAC addresses, advertising and device ids by words."""

from __future__ import annotations

from typing import Optional

from apisec.detectors.base import Detector, linear, said, words
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


_NAMED = (
    *(
        "android id",
        "udid",
        "device id",
        "hardware id",
        "ssaid",
        "serial number",
        "serial no",
        "serial",
        "device serial",
    ),
    *(
        "s/n",
        "sn",
        "gerät",
        "seriennr",
        "appareil",
        "de série",
        "de serie",
        "toestel",
        "urządzenie",
        "device",
        "handset",
        "seriennummer",
        "geräte id",
        "gerätenummer",
        "gerätekennung",
        "numéro de série",
    ),
    *("identifiant de l'appareil", "identifiant appareil", "número de serie", "identificador del dispositivo"),
    *("id del dispositivo", "dispositivo", "numero di serie", "id dispositivo", "número de série", "id do dispositivo"),
    *("apparaat id", "serienummer", "identyfikator urządzenia", "numer seryjny", "enhets id", "enheds id"),
    *("cihaz kimliği", "seri numarası", "laitetunnus", "серийный номер", "идентификатор устройства"),
)


def _serial(text: str) -> Optional[str]:
    """Accept a code of letters and at least four digits."""
    return text.upper() if sum(c.isdigit() for c in text) >= 4 and any(c.isalpha() for c in text) else None


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
    Detector(
        "device.named",
        "device.id",
        linear(rf"{said(*_NAMED)}(?P<value>(?=[A-Za-z-]{{0,16}}\d)[0-9A-Za-z][0-9A-Za-z-]{{7,39}})(?![\w-])"),
        _serial,
        confidence="context",
        near=words(*_NAMED),
        gate="near",
    ),
)  # fmt: skip
