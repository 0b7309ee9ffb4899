"""What a text of a message is by its form: a date, a UUID, an address on the web. Values are redacted already."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple, Optional, Pattern, Tuple

from apisec.redaction.tokens import TOKEN

MAX_WORD = 40  # characters of a value that may belong to an enumeration

_DATE = r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
_TIME = r"(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?"
_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"

# Formats of OpenAPI's registry and of JSON Schema; the first that fits the whole text is taken.
FORMATS: Tuple[Tuple[str, Pattern[str]], ...] = (
    ("date-time", re.compile(rf"{_DATE}[Tt ]{_TIME}(?:[Zz]|[+-]\d\d:?\d\d)?")),
    ("date", re.compile(_DATE)),
    ("time", re.compile(rf"{_TIME}(?:[Zz]|[+-]\d\d:?\d\d)")),
    ("duration", re.compile(r"P(?=[\dT])(?:\d+[YMWD]){0,4}(?:T(?:\d+(?:\.\d+)?[HMS]){1,3})?")),
    ("uuid", re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")),
    ("ipv4", re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}")),
    ("ipv6", re.compile(r"(?=[^:]*:[^:]*:)[0-9a-fA-F:]{2,39}(?:(?<=:)\d{1,3}(?:\.\d{1,3}){3})?")),
    ("email", re.compile(r"[^@\s<>\"]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}")),
    ("uri", re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s<>\"]{1,2048}")),
    ("integer", re.compile(r"-?\d{1,40}")),
    ("decimal", re.compile(r"-?\d{1,40}\.\d{1,40}")),
)
_BYTE = re.compile(r"[A-Za-z0-9+/]{16,}={0,2}")
_LOWER, _UPPER, _DIGIT = (re.compile(part) for part in ("[a-z]", "[A-Z]", r"\d"))
_WORD = re.compile(rf"[A-Za-z][A-Za-z0-9 _./+:-]{{0,{MAX_WORD - 1}}}")
# What a word of an enumeration never has: a run of digits is part of an id.
_NUMBERED = re.compile(r"\d{4}|(?:.*\d){6}")

# The classes whose tokens stand for values of one format.
FORMAT_OF_CLASS = {"pii.email": "email", "pii.dob": "date", "secret.password": "password"}


class Described(NamedTuple):
    """``format`` is empty for free text; ``word`` says that the text may belong to an enumeration."""

    format: str
    word: bool


@lru_cache(maxsize=32_768)
def describe(value: str) -> Optional[Described]:
    """Return what a text is by its form, or None for one that holds a token: what that was, its class says."""
    if "~" in value and TOKEN.search(value):
        return None
    for name, shape in FORMATS:
        if shape.fullmatch(value):
            return Described(name, False)
    if len(value) % 4 == 0 and _BYTE.fullmatch(value) and all(p.search(value) for p in (_LOWER, _UPPER, _DIGIT)):
        return Described("byte", False)
    return Described("", bool(_WORD.fullmatch(value)) and not _NUMBERED.match(value))
