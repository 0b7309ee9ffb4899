"""Makes secrets of each vendor from the templates of the rule set. No secret stands in the repository."""

from __future__ import annotations

import random
import re
import string
import uuid
import zlib

from apisec.classification.vendors import SecretRule
from apisec.detectors.api_keys import base62_crc32

_UPPER, _LOWER, _DIGITS = string.ascii_uppercase, string.ascii_lowercase, string.digits
ALPHABETS = {
    "d": _DIGITS,
    "h": "0123456789abcdef",
    "l": _LOWER + _DIGITS,
    "u": _UPPER + _DIGITS,
    "w": _UPPER + _LOWER + _DIGITS,
    "s": _UPPER + _LOWER,
    "b": _UPPER + _LOWER + _DIGITS + "+/",
    "r": _UPPER + _LOWER + _DIGITS + "-_",
    "q": _UPPER + "234567",
    "e": "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L",
}
_HOLE = re.compile(r"\{(?:([a-z]):(\d+)|(uuid)|(crc))\}")


def example(rule: SecretRule, rng: random.Random) -> str:
    """Return a text that holds a secret of the rule's kind."""
    text = ""
    position = 0
    for hole in _HOLE.finditer(rule.example):
        text += rule.example[position : hole.start()]
        position = hole.end()
        if hole[1]:
            text += "".join(rng.choices(ALPHABETS[hole[1]], k=int(hole[2])))
        elif hole[3]:
            text += str(uuid.UUID(int=rng.getrandbits(128), version=4))
        else:
            text += checksum(rule, text)
    return text + rule.example[position:]


def checksum(rule: SecretRule, head: str) -> str:
    """Return the checksum that the vendor appends to ``head``."""
    if rule.check == "crc32_base62":
        return base62_crc32(head.partition("_")[2])
    return zlib.crc32(head.rstrip("_").encode()).to_bytes(4, "little").hex()
