"""Reading and writing the parts of a row's document, which may come from anybody: every part is checked and bounded."""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterable, Mapping
from typing import Any, Dict, List, Sequence, Tuple

from apisec.errors import DocumentError

MAX_COUNT = 1 << 53  # what JSON numbers hold exactly
MAX_TEXT = 512
SLOT_SECONDS = 300


def pack(hashes: Iterable[int]) -> str:
    """Return 32-bit hashes as text, in their order."""
    listed = list(hashes)
    return base64.b64encode(struct.pack(f">{len(listed)}I", *listed)).decode("ascii") if listed else ""


def unpack(packed: Any, limit: int, where: str) -> Tuple[int, ...]:
    """Return the hashes of ``pack``, at most ``limit``. Raises DocumentError."""
    if not isinstance(packed, str) or len(packed) > limit * 6 + 8:
        raise DocumentError(f"not at most {limit} packed hashes", where=where)
    try:
        data = base64.b64decode(packed, validate=True)
        hashes: Tuple[int, ...] = struct.unpack(f">{len(data) // 4}I", data)
    except (ValueError, struct.error) as error:
        raise DocumentError("not packed hashes", where=where) from error
    if len(hashes) > limit:
        raise DocumentError(f"more than {limit} packed hashes", where=where)
    return hashes


def count(value: Any, where: str, most: int = MAX_COUNT, least: int = 0) -> int:
    """Return a whole number within bounds. Raises DocumentError."""
    if type(value) is not int or not least <= value <= most:
        raise DocumentError(f"not a whole number from {least} to {most}", where=where)
    return int(value)


def share(value: Any, where: str) -> float:
    """Return a number from 0 to 1. Raises DocumentError."""
    if type(value) not in (int, float) or not 0.0 <= value <= 1.0:
        raise DocumentError("not a number from 0 to 1", where=where)
    return float(value)


def string(value: Any, where: str, limit: int = MAX_TEXT) -> str:
    """Return a text. Raises DocumentError."""
    if not isinstance(value, str) or len(value) > limit:
        raise DocumentError(f"not a text of at most {limit} characters", where=where)
    return value


def sequence(value: Any, where: str, limit: int) -> Sequence[Any]:
    """Return a list. Raises DocumentError."""
    if not isinstance(value, list) or len(value) > limit:
        raise DocumentError(f"not a list of at most {limit}", where=where)
    return value


def members(value: Any, where: str, limit: int) -> Mapping[str, Any]:
    """Return an object. Raises DocumentError."""
    if not isinstance(value, dict) or len(value) > limit:
        raise DocumentError(f"not an object of at most {limit} members", where=where)
    return value


def columns(value: Any, where: str, width: int) -> List[Any]:
    """Return a list of exactly ``width`` parts. Raises DocumentError."""
    if not isinstance(value, list) or len(value) != width:
        raise DocumentError(f"not a list of {width} parts", where=where)
    return value


def counts(value: Any, where: str, limit: int) -> Dict[str, int]:
    """Return counts by name. Raises DocumentError."""
    return {string(name, where): count(one, where) for name, one in members(value, where, limit).items()}


def number_counts(value: Any, where: str, limit: int) -> Dict[int, int]:
    """Return counts by number. Raises DocumentError."""
    found: Dict[int, int] = {}
    for name, one in members(value, where, limit).items():
        if not name.lstrip("-").isdigit() or len(name) > 12:
            raise DocumentError("not counts by number", where=where)
        found[int(name)] = count(one, where)
    return found


def offset_of(time: float, start: float) -> int:
    """Milliseconds since the start of the slot."""
    return round((time - start) * 1000.0)


def time_of(offset: Any, start: float, where: str) -> float:
    """Raises DocumentError for what is no time within the slot."""
    return (round(start * 1000) + count(offset, where, SLOT_SECONDS * 1000 - 1)) / 1000.0
