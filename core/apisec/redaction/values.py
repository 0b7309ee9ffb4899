"""Which values a name makes sensitive: a name alone is not enough, the value must be able to be of the class."""

from __future__ import annotations

import re
from typing import Optional

from apisec.validators.digits import ascii_digits

MAX_NAMED = 8192  # characters; a longer value under a telling name is searched as text

_NOT_A_SECRET = frozenset(
    ("true", "false", "null", "none", "nil", "undefined", "yes", "no", "bearer", "basic", "jwt", "required", "n/a")
)
_ADDRESS = re.compile(r"(?=.*\d)(?=.*[^\W\d_]{2})", re.DOTALL)
_IP = re.compile(r"[0-9.]{7,15}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")
_SEPARATED = re.compile(r"[\d\s ./()+\-\u2010-\u2015]+")
_MASK = re.compile(r"[*xX•#.\s-]+")
_INTEGRAL = re.compile(r"-?(\d+)\.0+")


def named(data_class: str, value: str) -> Optional[str]:
    """Return the canonical form of a value that stands under a name of the class, or None if it cannot be one."""
    if not value or len(value) > MAX_NAMED:
        return None
    if data_class.startswith("secret."):
        return _secret(data_class, value)
    check = _CHECKS.get(data_class)
    return check(value) if check else None


def _secret(data_class: str, value: str) -> Optional[str]:
    bare = value.strip()
    if data_class == "secret.password":
        return value if bare and not _MASK.fullmatch(bare) else None  # people do choose "undefined"
    if not bare or bare.lower() in _NOT_A_SECRET or _MASK.fullmatch(bare):
        return None
    minimum = 4 if data_class == "secret.otp" else 6
    if len(bare) < minimum or (data_class == "secret.otp" and len(bare) > 12):
        return None
    return value


def _digits(value: str, low: int, high: int) -> Optional[str]:
    if not _SEPARATED.fullmatch(value):
        integral = _INTEGRAL.fullmatch(value)
        if not integral:
            return None
        value = integral.group(1)
    digits = ascii_digits(value)
    return digits if low <= len(digits) <= high else None


def _name(value: str) -> Optional[str]:
    if len(value) > 120 or not any(c.isalpha() for c in value) or any(c in value for c in "{}[]<>=/"):
        return None
    return value if value.strip().lower() not in _NOT_A_SECRET else None


def _address(value: str) -> Optional[str]:
    fits = 5 <= len(value) <= 300 and _ADDRESS.search(value) and not _IP.fullmatch(value) and "://" not in value
    return value if fits else None


def _account(value: str) -> Optional[str]:
    compact = "".join([c for c in value if c.isalnum()])
    fits = 5 <= len(compact) <= 34 and len(value) <= 48 and any(c.isdecimal() for c in compact)
    return compact.upper() if fits else None


def _birth(value: str) -> Optional[str]:
    return value if len(value) <= 40 and sum(c.isdecimal() for c in value) >= 4 else None


_CHECKS = {
    "pci.pan": lambda v: _digits(v, 12, 19),
    "pci.cvv": lambda v: _digits(v, 3, 4),
    "pci.track": lambda v: v if len(v) >= 8 else None,
    "pii.ssn": lambda v: _digits(v, 9, 9),
    "pii.national_id": _account,
    "pii.email": lambda v: v.lower() if "@" in v and len(v) <= 320 else None,
    "pii.phone": lambda v: _digits(v, 7, 15),
    "pii.name": _name,
    "pii.address": _address,
    "pii.dob": _birth,
    "fin.iban": _account,
    "fin.account": _account,
}
