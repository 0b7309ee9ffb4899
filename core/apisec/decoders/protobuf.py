"""Protocol Buffers without a schema: the wire types, and a guess at what stands in bytes.

Fields are called by their number: ``f3``. Where two readings of bytes are possible, the one is taken in which
a value can be recognised; see ``_bytes`` and ``_number``. Source: protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

import struct
from typing import Dict, List, Optional, Tuple, Union

from apisec.decoders.base import Limits
from apisec.decoders.tree import Binary, Budget, Members, Node, text_of
from apisec.detectors.engine import scan
from apisec.errors import DecodeError, LimitExceeded

_VARINT, _FIXED64, _BYTES, _GROUP, _END_GROUP, _FIXED32 = range(6)
MAX_FIELD = 1 << 29  # field numbers end below it
_MAX_GUESSED_FIELD = 1 << 14  # of a message that is only guessed: real ones rarely go beyond three digits
_ZIGZAG_FROM = 10**12  # numbers below have too few digits to be any card's or account's

_Field = Tuple[int, int, Union[int, bytes]]  # number, wire type, value


def to_tree(data: bytes, limits: Limits, truncated: bool, budget: Optional[Budget] = None) -> Tuple[Members, bool]:
    """Return the message as a tree, and whether its end is missing. Raises DecodeError or LimitExceeded."""
    budget = budget or Budget(limits)
    fields, position = _fields(data, budget, MAX_FIELD)
    if position < len(data):
        if len(fields) >= limits.leaves:
            raise LimitExceeded(f"more than {limits.leaves} values")
        if not truncated or not fields:
            raise DecodeError("not protobuf data" if not truncated else "cut in its first field")
        return _members(fields, budget, 1), True
    return _members(fields, budget, 1), truncated


def _fields(data: bytes, budget: Budget, max_field: int) -> Tuple[List[_Field], int]:
    """Return the fields of one message, without looking into them, and where reading stopped."""
    found: List[_Field] = []
    position, size, most = 0, len(data), budget.limits.leaves
    while position < size and len(found) < most:
        tag, after = _varint(data, position)
        number, wire = tag >> 3, tag & 7
        if after < 0 or not 0 < number < max_field:
            return found, position
        value: Union[int, bytes]
        if wire == _VARINT:
            value, after = _varint(data, after)
        elif wire == _BYTES:
            length, start = _varint(data, after)
            after = start + length if start >= 0 else -1
            value = data[start:after] if 0 <= after <= size else b""
        elif wire in (_FIXED64, _FIXED32):
            start, after = after, after + (8 if wire == _FIXED64 else 4)
            value = data[start:after]
        elif wire == _GROUP:
            start, end, after = after, *_group_end(data, after, number, budget)
            value = data[start:end]
        else:
            return found, position
        if not 0 <= after <= size:
            return found, position
        found.append((number, wire, value))
        position = after
    return found, position


def _group_end(data: bytes, start: int, number: int, budget: Budget) -> Tuple[int, int]:
    """Return where a group's content ends and what follows begins; (-1, -1) when it has no end."""
    open_groups, position = [number], start
    while position < len(data):
        tag, after = _varint(data, position)
        wire = tag & 7
        budget.value(len(open_groups))
        if after < 0:
            break
        if wire == _END_GROUP:
            if open_groups.pop() != tag >> 3:
                break
            if not open_groups:
                return position, after
            position = after
            continue
        if wire == _GROUP:
            open_groups.append(tag >> 3)
            position = after
            continue
        position = _skip(data, after, wire)
        if position < 0:
            break
    return -1, -1


def _skip(data: bytes, position: int, wire: int) -> int:
    if wire == _VARINT:
        return _varint(data, position)[1]
    if wire == _BYTES:
        length, after = _varint(data, position)
        return after + length if after >= 0 else -1
    return position + (8 if wire == _FIXED64 else 4) if wire in (_FIXED64, _FIXED32) else -1


def _varint(data: bytes, position: int) -> Tuple[int, int]:
    """Return a number and the place behind it; the place is -1 when there is none."""
    if 0 <= position < len(data) and data[position] < 0x80:
        return data[position], position + 1  # nearly all tags and lengths
    value = shift = 0
    for index in range(position, min(position + 10, len(data))):
        byte = data[index]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, index + 1
        shift += 7
    return 0, -1


def _members(fields: List[_Field], budget: Budget, depth: int) -> Members:
    """Return fields by name in order of appearance; a repeated one becomes a list."""
    by_number: Dict[int, List[Node]] = {}
    for number, wire, value in fields:
        by_number.setdefault(number, []).append(_value(wire, value, budget, depth))
    return Members([(f"f{number}", got[0] if len(got) == 1 else got) for number, got in by_number.items()])


def _value(wire: int, value: Union[int, bytes], budget: Budget, depth: int) -> Node:
    budget.value(depth)
    if isinstance(value, int):
        return _number(value)
    if wire == _BYTES:
        return _bytes(value, budget, depth)
    if wire == _GROUP:
        fields, position = _fields(value, budget, MAX_FIELD)
        return _members(fields, budget, depth + 1) if position == len(value) else Binary(len(value))
    return _fixed(value)


def _number(value: int) -> int:
    """Return an integer; the sint64 reading of it where only that one is a number of a person."""
    if value >= 1 << 63:
        value -= 1 << 64
    if value >= _ZIGZAG_FROM and not value & 1 and not scan(str(value)) and scan(str(value >> 1)):
        return value >> 1
    return value


def _fixed(value: bytes) -> Node:
    """Return a double or float where it is a plausible one, else an integer."""
    real = struct.unpack("<d" if len(value) == 8 else "<f", value)[0]
    if real == 0.0 or 1e-6 <= abs(real) < 1e18:
        return float(f"{real:.7g}") if len(value) == 4 else float(real)
    return _number(int.from_bytes(value, "little"))


def _bytes(value: bytes, budget: Budget, depth: int) -> Node:
    """Return text, a message, or Binary.

    Text may parse as a message by chance, most of all digits, and a message whose lengths are printable may
    pass as text, with its length glued to a value. A message is believed when bytes inside it are most of it.
    """
    text = text_of(value)
    if not value:
        return ""
    fields, position = _fields(value, budget, _MAX_GUESSED_FIELD)
    if position == len(value):
        inner = sum(len(part) for _, wire, part in fields if wire == _BYTES and not isinstance(part, int))
        if isinstance(text, Binary) or inner * 2 > len(value):
            return _members(fields, budget, depth + 1)
    return text
