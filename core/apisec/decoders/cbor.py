"""CBOR (RFC 8949): one or more items in a row (RFC 8742), tags looked through, lengths known or open."""

from __future__ import annotations

import struct
from typing import List, Optional, Tuple, Union

from apisec.decoders.base import Limits
from apisec.decoders.reading import BREAK, Reader, array, pairs
from apisec.decoders.tree import Binary, Node, text_of
from apisec.errors import DecodeError

_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP, _TAG, _SIMPLE = range(8)
_FLOATS = {25: ">e", 26: ">f", 27: ">d"}
_WORDS = {20: False, 21: True, 22: None, 23: None}
_BIGNUM, _NEGATIVE_BIGNUM = 2, 3  # RFC 8949, 3.4.3
_OPEN = -1  # a length that a break ends


def to_tree(data: bytes, limits: Limits, truncated: bool) -> Tuple[List[Node], bool]:
    """Return the items as trees, and whether the end is missing. Raises DecodeError or LimitExceeded."""
    reader = Reader(data, limits, truncated)
    return reader.all(lambda: _item(reader, 0), "CBOR")


def _item(reader: Reader, depth: int) -> Node:
    value = _item_or_break(reader, depth)
    if value is BREAK:
        raise DecodeError("not CBOR data")
    return value  # type: ignore[return-value]


def _item_or_break(reader: Reader, depth: int) -> Union[Node, object]:
    reader.budget.value(depth)
    first = reader.number(1)
    kind, low = first >> 5, first & 31
    if kind == _SIMPLE:
        return _simple(reader, low)
    argument = _argument(reader, low)
    if argument == _OPEN and kind in (_UNSIGNED, _NEGATIVE, _TAG):
        raise DecodeError("not CBOR data")
    if kind in (_UNSIGNED, _NEGATIVE):
        return argument if kind == _UNSIGNED else -1 - argument
    if kind in (_BYTES, _TEXT):
        return text_of(_string(reader, kind, argument))
    if kind == _TAG:
        return _tagged(reader, argument, depth + 1)
    count: Optional[int] = None if argument == _OPEN else argument

    def element() -> Union[Node, object]:
        return _item_or_break(reader, depth + 1) if count is None else _item(reader, depth + 1)

    if kind == _ARRAY:
        return array(reader, count, element)
    return pairs(reader, count, element, lambda: _item(reader, depth + 1))


def _argument(reader: Reader, low: int) -> int:
    if low < 24:
        return low
    if low < 28:
        return reader.number(1 << (low - 24))
    if low == 31:
        return _OPEN
    raise DecodeError("not CBOR data")


def _simple(reader: Reader, low: int) -> Union[Node, object]:
    if low == 31:
        return BREAK
    if low in _FLOATS:
        form = _FLOATS[low]
        real: Node = struct.unpack(form, reader.take(struct.calcsize(form)))[0]
        return real
    if low in _WORDS:
        return _WORDS[low]
    if low < 24:
        return low
    if low == 24:
        return reader.number(1)
    raise DecodeError("not CBOR data")


def _string(reader: Reader, kind: int, length: int) -> bytes:
    """Return a string's bytes; one of open length comes in pieces of its own kind."""
    if length != _OPEN:
        return reader.take(length)
    pieces: List[bytes] = []
    while True:
        reader.budget.value()
        first = reader.number(1)
        if first == 0xFF:
            return b"".join(pieces)
        size = _argument(reader, first & 31)
        if first >> 5 != kind or size == _OPEN:
            raise DecodeError("not CBOR data")
        pieces.append(reader.take(size))


def _tagged(reader: Reader, tag: int, depth: int) -> Node:
    if tag not in (_BIGNUM, _NEGATIVE_BIGNUM):
        return _item(reader, depth)
    first = reader.number(1)
    if first >> 5 != _BYTES:
        raise DecodeError("not CBOR data")
    digits = _string(reader, _BYTES, _argument(reader, first & 31))
    if len(digits) > 32:
        return Binary(len(digits))
    value = int.from_bytes(digits, "big")
    return value if tag == _BIGNUM else -1 - value
