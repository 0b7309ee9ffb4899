"""Vendors' keys and tokens, by the rule set in ``classification/vendors``."""

from __future__ import annotations

import re
import zlib
from typing import Callable, Dict, Optional

from apisec.classification.vendors import RULES, SecretRule
from apisec.detectors.base import Detector, Validator, any_case, linear
from apisec.detectors.plausible import placeholder, random_looking

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_LEFT, _RIGHT = r"(?<![A-Za-z0-9])", r"(?![A-Za-z0-9])"
_RUN_LEFT = r"(?<![\w-])"  # where a run begins: sk-sk-sk-… must not be read anew at each sk-
_WORDS = "key token secret password auth access api app sid pat private admin server"


def base62_crc32(text: str) -> str:
    """Return the six characters that GitHub and npm append to the random part of a token."""
    number, digits = zlib.crc32(text.encode()), ""
    while number:
        number, rest = divmod(number, 62)
        digits = _BASE62[rest] + digits
    return digits.rjust(6, "0")


def _github(token: str) -> bool:
    body = token.partition("_")[2]
    return len(body) == 36 and body[30:] == base62_crc32(body[:30])


def _grafana(token: str) -> bool:
    """Return whether the last part is the CRC-32 of what stands before it, in little-endian hex."""
    head, _, checksum = token.rpartition("_")
    return zlib.crc32(head.encode()).to_bytes(4, "little").hex() == checksum


CHECKS: Dict[str, Callable[[str], bool]] = {"crc32_base62": _github, "crc32_hex": _grafana}


_SEPARATED = re.compile(r"\[[^\]]*(?:\\w|-\])")  # a class of characters that admits what stands between words


def _wordy(rule: SecretRule) -> bool:
    """Return whether names in words fit the shape, or it has no prefix of its own."""
    return bool(rule.said or not rule.literals or _SEPARATED.search(rule.shape))


def _validator(rule: SecretRule) -> Validator:
    """Return a validator. A right checksum is proof; a wrong one releases nothing.

    Where the shape admits words with separators, or has no prefix of its own, the value has to look random.
    """
    check = CHECKS[rule.check] if rule.check else None
    wordy = _wordy(rule)

    def validate(text: str) -> Optional[str]:
        if check is not None and check(text):
            return text
        return None if placeholder(text) or (wordy and not random_looking(text)) else text

    return validate


def _shape(rule: SecretRule) -> str:
    if not rule.said:
        return rf"{_RUN_LEFT if _wordy(rule) else _LEFT}(?:{rule.shape}){_RIGHT}"
    vendor = "|".join([any_case(name) for name in rule.said.split("|")])
    word = "|".join([any_case(name) for name in _WORDS.split()])
    said = rf"(?:{vendor})(?:[\s._-]{{0,2}}(?:{word})){{1,4}}"
    return rf"{_LEFT}{said}\\?[\"']?[\s:=>]{{1,5}}\\?[\"']?(?P<value>{rule.shape}){_RIGHT}"


DETECTORS = tuple(
    [
        Detector(
            f"api_key.{rule.id}",
            f"secret.api_key.{rule.vendor}",
            linear(_shape(rule)),
            _validator(rule),
            literals=tuple(rule.literals.split()),
            gate="" if rule.literals else "dotted",
        )
        for rule in RULES
    ]
)
