"""Coordinates: degrees of latitude and longitude (WGS 84)."""

from __future__ import annotations

import re
from typing import Optional

_DECIMAL = re.compile(r"[-+]?\d{1,3}\.\d{1,20}", re.ASCII)
_NUMBER = re.compile(r"[-+]?\d{1,3}(?:\.\d{1,20})?", re.ASCII)
_FIXED = re.compile(
    r"[-+]?\d{6,10}", re.ASCII
)  # millionths or ten-millionths of a degree, as phones and maps keep them
MAX_FIXED = 1_800_000_000
_DEGREES = re.compile(r"\d{1,3}\s?°")


def pair(text: str) -> Optional[str]:
    """Return two numbers as ``latitude,longitude`` when the first is within 90 degrees and the second within 180."""
    numbers = _NUMBER.findall(text)
    if len(numbers) != 2 or abs(float(numbers[0])) > 90 or abs(float(numbers[1])) > 180:
        return None
    return ",".join([number.lstrip("+") for number in numbers])


def coordinate(text: str) -> Optional[str]:
    """Return what a place's field can hold: a decimal within 180, a fixed-point number, a pair, or degrees."""
    text = text.strip()
    if _FIXED.fullmatch(text):
        return text.lstrip("+") if abs(int(text)) <= MAX_FIXED else None
    if _DECIMAL.fullmatch(text):
        return text.lstrip("+") if abs(float(text)) <= 180 else None
    if _DEGREES.search(text) and len(text) <= 64:
        return text
    return pair(text) if "." in text and re.fullmatch(r"[-+.,;\d\s()\[\]]{3,64}", text) else None
