"""Ids of objects in eleven styles, from the number an object was made with."""

from __future__ import annotations

import base64
import hashlib
import uuid

from apisec_sandbox.campaigns.values import WORDS

EPOCH_MS = 1_577_836_800_000  # 2020-01-01, where the time-ordered ids begin to count


def _digest(key: str, number: int, size: int) -> bytes:
    return hashlib.blake2b(f"{key} {number}".encode(), digest_size=size).digest()


def identity(style: str, key: str, number: int) -> str:
    """Return the id of object ``number``; ``key`` names API and resource, so that no two have ids in common."""
    if style == "int":
        return str(number)
    if style == "snow":  # time-ordered with gaps, 15 digits
        return str(400_000_000_000_000 + number * 7_919_000 + _digest(key, number, 2)[0] * 13)
    if style == "ord":
        return f"{key[-3:].upper()}-{number:07d}"
    if style == "uuid":
        return str(uuid.UUID(bytes=_digest(key, number, 16), version=4))
    if style == "short":  # seven characters of base 36
        return base64.b32encode(_digest(key, number, 5)).decode().lower()[:7]
    if style == "slug":
        first, second = _digest(key, number, 2)
        return f"{WORDS[first % len(WORDS)]}-{WORDS[second % len(WORDS)]}-{number}"
    if style == "dated":  # a month and a number
        return f"2026{1 + number // 400 % 12:02d}-{number:06d}"
    if style == "pair":  # the group that a number belongs to, and the number
        return f"{100 + _digest(key, number // 50, 1)[0]}.{number}"
    if style == "hex":
        return _digest(key, number, 12).hex()
    text = base64.b32encode(_digest(key, number, 15)).decode()
    return f"{key[:3].lower()}_{text[:14].lower()}" if style == "pre" else f"01{text[:24]}"
