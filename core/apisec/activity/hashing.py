"""Hashes of ids and values: what a row keeps instead of them, small, stable, and the same on every machine.

Numbers that are neighbours have hashes that are neighbours in a sense that only this module knows: the digits at the
end of a value are split into blocks of 256; a block starts anywhere, and within it a step of one adds ``STRIDE``. So a
walk through ids is seen in a set of hashes, whatever order they came in, and nobody needs the ids.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import Dict, List, Set, Tuple, TypeVar

MASK = 0xFFFFFFFF
RANGE = float(1 << 32)
# 2^32 / golden ratio, odd: multiples of it spread evenly (Knuth, TAOCP 3, 6.4), so that a walk looks as random as other
# ids where distinct ones are estimated from the smallest hashes.
STRIDE = 2_654_435_769
_BLOCK_BITS, _BLOCK = 8, 0xFF
_DIGITS = "0123456789"
_MAX_DIGITS = 15
_WALKED = (STRIDE, 2 * STRIDE & MASK)

K = TypeVar("K")


@lru_cache(maxsize=65_536)
def value_hash32(text: str) -> int:
    """Return 32 bits of a value, whatever its case; ``42``, ``ORD-42`` and ``042`` are three values."""
    lower = text.strip().lower()
    head = lower.rstrip(_DIGITS)
    size = len(lower) - len(head)
    if 0 < size <= _MAX_DIGITS:
        number = int(lower[-size:])
        block = number >> _BLOCK_BITS
        start = (block ^ block >> 32 ^ (size << 27 if lower[-size] == "0" else 0)) & MASK
        step = (number & _BLOCK) * STRIDE
    else:
        head, start, step = lower, 0, 0
    mixed = zlib.crc32(head.encode("utf-8", "replace"), start)
    # The finaliser of MurmurHash3 (Appleby, 2011): a checksum's bits are not spread enough to take samples by.
    mixed = (mixed ^ mixed >> 16) * 0x85EBCA6B & MASK
    mixed = (mixed ^ mixed >> 13) * 0xC2B2AE35 & MASK
    return ((mixed ^ mixed >> 16) + step) & MASK


def walked(hashes: Collection[int]) -> int:
    """Return how many of the values are numbers at most two above another one of them."""
    held = hashes if isinstance(hashes, (set, frozenset, dict)) else set(hashes)
    one, two = _WALKED
    return sum((h - one) & MASK in held or (h - two) & MASK in held for h in held)


def smallest(hashes: Iterable[int], limit: int) -> Set[int]:
    """Return the ``limit`` smallest: a sample that is the same however the values were split (bottom-k)."""
    return set(sorted(hashes)[:limit])


def distinct(hashes: Collection[int], trimmed: bool) -> int:
    """Return how many values there were, of which these are all, or (``trimmed``) those with the smallest hashes.

    The estimator of Beyer et al., SIGMOD 2007: (k - 1) / U_k; standard error 1 / sqrt(k - 2).
    """
    if not trimmed or len(hashes) < 2:
        return len(hashes)
    return max(len(hashes), round((len(hashes) - 1) * RANGE / (max(hashes) + 1)))


def fewest(counts: Dict[K, int], limit: int) -> Dict[K, int]:
    """Return at most ``limit`` entries, those whose names have the smallest hashes."""
    if len(counts) <= limit:
        return counts
    return {name: counts[name] for name in keep(counts, limit)}


def keep(names: Iterable[K], limit: int) -> List[K]:
    """Return the ``limit`` names of the smallest hashes, the same whatever order they came in."""
    ranked: List[Tuple[int, str, K]] = [(value_hash32(str(name)), str(name), name) for name in names]
    ranked.sort(key=lambda one: one[:2])
    return [name for _, _, name in ranked[:limit]]
