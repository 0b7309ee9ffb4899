"""splunk.util: the few helpers that apps use."""

from __future__ import annotations

import calendar
import time
import uuid
from typing import Any
from urllib.parse import quote

TRUE = ("1", "t", "true", "y", "yes", "on", "enabled")
FALSE = ("0", "f", "false", "n", "no", "off", "disabled")


def normalizeBoolean(input: Any, enableStrictMode: bool = False, includeIntegers: bool = True) -> Any:  # noqa: A002
    """Return a boolean for Splunk's words of truth, anything else as it is (or ValueError in strict mode)."""
    if isinstance(input, bool) or input is None:
        return input
    if isinstance(input, int):
        return bool(input) if includeIntegers else input
    folded = str(input).strip().lower()
    if folded in TRUE and (includeIntegers or folded != "1"):
        return True
    if folded in FALSE and (includeIntegers or folded != "0"):
        return False
    if enableStrictMode:
        raise ValueError(f"Unable to cast value to boolean: {input}")
    return input


def mktimegm(parts: tuple[int, ...]) -> int:
    return calendar.timegm(tuple(parts))


def getUTCTime() -> time.struct_time:
    return time.gmtime()


def safeURLQuote(text: Any, safe: str = "/", encoding: str = "utf-8") -> str:
    return quote(str(text), safe=safe)


def toUnicode(obj: Any, decodeFrom: str = "utf-8") -> str:
    return obj.decode(decodeFrom) if isinstance(obj, bytes) else str(obj)


def uuid4() -> str:
    return str(uuid.uuid4())
