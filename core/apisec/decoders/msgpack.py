"""MessagePack (github.com/msgpack/msgpack, spec.md): one or more objects in a row."""

from __future__ import annotations

import struct
from typing import List, Tuple

from apisec.decoders.base import Limits
from apisec.decoders.reading import Reader, array, pairs
from apisec.decoders.tree import Binary, Node, text_of
from apisec.errors import DecodeError

_NUMBERS = {
    0xCA: ">f", 0xCB: ">d", 0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q",
    0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q",
}  # fmt: skip
_FIXED = {0xC0: None, 0xC2: False, 0xC3: True}
# First byte: kind and bytes of its length.
_LENGTHS = {
    0xC4: ("bin", 1), 0xC5: ("bin", 2), 0xC6: ("bin", 4), 0xC7: ("ext", 1), 0xC8: ("ext", 2), 0xC9: ("ext", 4),
    0xD9: ("str", 1), 0xDA: ("str", 2), 0xDB: ("str", 4), 0xDC: ("array", 2), 0xDD: ("array", 4),
    0xDE: ("map", 2), 0xDF: ("map", 4),
}  # fmt: skip


def to_tree(data: bytes, limits: Limits, truncated: bool) -> Tuple[List[Node], bool]:
    """Return the objects as trees, and whether the end is missing. Raises DecodeError or LimitExceeded."""
    reader = Reader(data, limits, truncated)
    return reader.all(lambda: _value(reader, 0), "MessagePack")


def _value(reader: Reader, depth: int) -> Node:
    reader.budget.value(depth)
    first = reader.number(1)
    if first < 0x80 or first >= 0xE0:
        return first if first < 0x80 else first - 256
    if first in _FIXED:
        return _FIXED[first]
    if first in _NUMBERS:
        form = _NUMBERS[first]
        number: Node = struct.unpack(form, reader.take(struct.calcsize(form)))[0]
        return number
    kind, length = _head(reader, first)

    def inner() -> Node:
        return _value(reader, depth + 1)

    if kind == "array":
        return array(reader, length, inner)
    if kind == "map":
        return pairs(reader, length, inner, inner)
    piece = reader.take(length)
    return Binary(length) if kind == "ext" else text_of(piece)


def _head(reader: Reader, first: int) -> Tuple[str, int]:
    """Return the kind and length (in bytes, elements or pairs) of what has one."""
    if first < 0x90:
        return "map", first & 0x0F
    if first < 0xA0:
        return "array", first & 0x0F
    if first < 0xC0:
        return "str", first & 0x1F
    if 0xD4 <= first <= 0xD8:
        return "ext", (1 << (first - 0xD4)) + 1  # its type is one byte more
    if first not in _LENGTHS:
        raise DecodeError("not MessagePack data")
    kind, width = _LENGTHS[first]
    return kind, reader.number(width) + (kind == "ext")
