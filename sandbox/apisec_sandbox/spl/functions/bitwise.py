"""Bitwise functions over non-negative whole numbers below 2^53. Source: Search Reference, "Bitwise functions"."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any

from apisec_sandbox.spl.functions.registry import MANY, simple
from apisec_sandbox.spl.values import to_number

LARGEST = 2**53 - 1
BITS = 53


def _whole(value: Any) -> int | None:
    number = to_number(value)
    if number is None or number != int(number) or not 0 <= number <= LARGEST:
        return None
    return int(number)


def _fold(name: str, combine: Callable[[int, int], int]) -> None:
    def plain(*values: Any) -> int | None:
        numbers = [_whole(value) for value in values]
        known = [number for number in numbers if number is not None]
        return functools.reduce(combine, known) if len(known) == len(numbers) else None

    simple(name, 2, MANY)(plain)


_fold("bit_and", operator.and_)
_fold("bit_or", operator.or_)
_fold("bit_xor", operator.xor)


@simple("bit_not", 1, 2)
def _bit_not(value: Any, mask: Any = LARGEST) -> int | None:
    number, wide = _whole(value), _whole(mask)
    return None if number is None or wide is None else ~number & wide


@simple("bit_shift_left", 2)
def _bit_shift_left(value: Any, offset: Any) -> int | None:
    """Bits that leave the 53 of a whole double are lost."""
    number, by = _whole(value), _whole(offset)
    return None if number is None or by is None else (number << min(by, BITS)) & LARGEST


@simple("bit_shift_right", 2)
def _bit_shift_right(value: Any, offset: Any) -> int | None:
    number, by = _whole(value), _whole(offset)
    return None if number is None or by is None else number >> min(by, BITS)
