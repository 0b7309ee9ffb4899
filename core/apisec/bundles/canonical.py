"""The bytes that a signature covers: JSON in the canonical form of RFC 8785 (JCS)."""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any, List, Tuple

from apisec.errors import DocumentError

MAX_EXACT = 2**53 - 1  # RFC 8785 3.2.2.3 (I-JSON, RFC 7493 2.2): greater integers are not exact in every reader
MAX_DEPTH = 60
_text = json.JSONEncoder(ensure_ascii=False).encode  # one encoder: json.dumps makes one for each text
_LEAST_PLAIN, _LEAST_EXPONENT = -6, 21  # ECMAScript 2019 7.1.12.1: between these a number has no exponent


def encode(value: Any) -> bytes:
    """Return the canonical form; DocumentError when a value has none (NaN, great integers, lone surrogates)."""
    parts: List[str] = []
    _write(value, parts, 0)
    try:
        return "".join(parts).encode("utf-8")
    except UnicodeEncodeError:
        raise DocumentError("holds half of a surrogate pair, which is no text") from None


def digest(value: Any) -> str:
    """Return ``sha256:`` and the hexadecimal SHA-256 of the canonical form."""
    return "sha256:" + hashlib.sha256(encode(value)).hexdigest()


def _write(value: Any, parts: List[str], depth: int) -> None:
    if depth > MAX_DEPTH:
        raise DocumentError(f"is nested deeper than {MAX_DEPTH}")
    if value is None or isinstance(value, bool):
        parts.append("null" if value is None else "true" if value else "false")
    elif isinstance(value, str):
        parts.append(_text(value))
    elif isinstance(value, int):
        parts.append(_integer(value))
    elif isinstance(value, float):
        parts.append(number(value))
    elif isinstance(value, dict):
        _write_object(value, parts, depth)
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            parts.append("," if index else "[")
            _write(item, parts, depth + 1)
        parts.append("]" if value else "[]")
    else:
        raise DocumentError(f"holds a {type(value).__name__}, which JSON does not have; write it as a text")


def _write_object(value: Any, parts: List[str], depth: int) -> None:
    for key in value:
        if not isinstance(key, str):
            raise DocumentError(f"the key {key!r:.60} is not a text; quote it")
    for index, key in enumerate(sorted(value, key=_units)):
        parts.append("," if index else "{")
        parts.append(_text(key) + ":")
        _write(value[key], parts, depth + 1)
    parts.append("}" if value else "{}")


def _units(text: str) -> bytes:
    """Names are sorted by UTF-16 code units (RFC 8785 3.2.3)."""
    return text.encode("utf-16-be", "surrogatepass")


def _integer(value: int) -> str:
    """Write an integer; beyond 2^53 only one that every reader takes for the same number."""
    if abs(value) <= MAX_EXACT:
        return str(value)
    if value.bit_length() <= 70 and number(float(value)) == str(value):  # 10^21 and above have an exponent
        return str(value)
    raise DocumentError("holds an integer beyond 2^53: write it as a text")


def number(value: float) -> str:
    """Write a number as ECMAScript does (RFC 8785 3.2.2.3)."""
    if not math.isfinite(value):
        raise DocumentError("holds a number that is not finite")
    if value == 0:
        return "0"
    sign, digits, point = _decimal(value)
    if len(digits) <= point <= _LEAST_EXPONENT:
        text = digits + "0" * (point - len(digits))
    elif 0 < point <= _LEAST_EXPONENT:
        text = digits[:point] + "." + digits[point:]
    elif _LEAST_PLAIN < point <= 0:
        text = "0." + "0" * -point + digits
    else:
        mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
        text = f"{mantissa}e{point - 1:+d}"
    return sign + text


def _decimal(value: float) -> Tuple[str, str, int]:
    """Return sign, shortest digits d and n with ``|value| = 0.d × 10^n`` (Python's repr gives the shortest)."""
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or "0") - (len(whole + fraction) - len(digits))
    return ("-" if value < 0 else ""), digits.rstrip("0"), point
