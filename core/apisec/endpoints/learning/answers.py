"""Shapes of answers in a few bytes: which fields a response had, such that two of them can be compared.

A fingerprint is the ``KEPT`` smallest hashes of the fields' paths (MinHash, bottom-k: Broder, "On the resemblance and
containment of documents", 1997), so it says of any two answers how much they share, without a table to look it up in.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Iterable
from functools import lru_cache
from typing import FrozenSet

KEPT = 16
_BYTES = 3  # of a hash: four characters of base64


def fingerprint(fields: Iterable[str]) -> str:
    """Return the fingerprint of an answer with these fields' paths; empty for none."""
    hashes = sorted({_hash(path) for path in fields})[:KEPT]
    return base64.b64encode(b"".join(found.to_bytes(_BYTES, "big") for found in hashes)).decode("ascii")


@lru_cache(maxsize=16_384)
def _hash(path: str) -> int:
    return ((zlib.crc32(path.encode("utf-8", "replace")) * 0x9E3779B1) & 0xFFFFFFFF) >> 8


@lru_cache(maxsize=16_384)
def hashes_of(answer: str) -> FrozenSet[int]:
    """Return the hashes of a fingerprint; none for what is not one."""
    try:
        packed = base64.b64decode(answer, validate=True)
    except (binascii.Error, ValueError):
        return frozenset()
    return frozenset(int.from_bytes(packed[at : at + _BYTES], "big") for at in range(0, len(packed), _BYTES))
