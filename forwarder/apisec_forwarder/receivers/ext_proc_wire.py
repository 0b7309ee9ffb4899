"""Reads Envoy's ``ProcessingRequest`` off the wire. Pure.

Only the fields that a copy needs, by the numbers of envoy/service/ext_proc/v3/external_processor.proto: what else
a newer Envoy sends is passed over. Protobuf's wire format: https://protobuf.dev/programming-guides/encoding/.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from apisec.errors import DecodeError
from apisec.model.transaction import Headers

MAX_HEADERS = 1000
MAX_ATTRIBUTES = 64

REQUEST_HEADERS, RESPONSE_HEADERS, REQUEST_BODY, RESPONSE_BODY, REQUEST_TRAILERS, RESPONSE_TRAILERS = range(2, 8)
_ATTRIBUTES, _OBSERVED = 9, 10

Attributes = Mapping[str, "str | float | bool"]
Value = int | memoryview


@dataclass(frozen=True)
class Part:
    """One message: a part of a request or of a response. ``kind`` is the number of its field."""

    kind: int
    headers: Headers = ()
    data: bytes = b""
    ended: bool = False  # nothing of this request or response follows
    attributes: Attributes = field(default_factory=dict)
    observed: bool = True  # Envoy does not wait for an answer


def parse(message: bytes) -> Part | None:
    """Return the part that a message holds, None when it holds none of them; DecodeError when it is damaged."""
    kind, content, observed = 0, memoryview(b""), False
    attributes: dict[str, str | float | bool] = {}
    for number, value in fields(memoryview(message)):
        if isinstance(value, int):
            observed = observed or (number == _OBSERVED and bool(value))
        elif REQUEST_HEADERS <= number <= RESPONSE_TRAILERS:
            kind, content = number, value
        elif number == _ATTRIBUTES:
            _read_attributes(value, attributes)
    if not kind:
        return None
    if kind in (REQUEST_BODY, RESPONSE_BODY):
        return _body(kind, content, observed)
    if kind in (REQUEST_TRAILERS, RESPONSE_TRAILERS):
        return Part(kind, ended=True, observed=observed)
    return _headers(kind, content, attributes, observed)


def fields(message: memoryview) -> Iterator[tuple[int, Value]]:
    """Yield number and value of each field; groups, which proto3 has not, are refused."""
    position, length = 0, len(message)
    while position < length:
        tag, position = _varint(message, position)
        wire = tag & 7
        if wire == 2:
            size, position = _varint(message, position)
            end = position + size
            if end > length:
                raise DecodeError("a field is longer than its message")
            yield tag >> 3, message[position:end]
            position = end
        elif wire == 0:
            value, position = _varint(message, position)
            yield tag >> 3, value
        elif wire in (1, 5):
            end = position + (8 if wire == 1 else 4)
            if end > length:
                raise DecodeError("a number is cut")
            yield tag >> 3, message[position:end]
            position = end
        else:
            raise DecodeError("not a wire type of proto3")


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    """Return the number at a position, and where it ends."""
    try:
        byte = message[position]
        if byte < 0x80:
            return byte, position + 1
        value = shift = 0
        while shift < 70:
            byte = message[position]
            position += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value, position
            shift += 7
    except IndexError:
        raise DecodeError("a number is cut") from None
    raise DecodeError("a number has more than ten bytes")


def _body(kind: int, content: memoryview, observed: bool) -> Part:
    data, ended = b"", False
    for number, value in fields(content):
        if number == 1 and not isinstance(value, int):
            data = bytes(value)
        elif number == 2:
            ended = bool(value)
    return Part(kind, data=data, ended=ended, observed=observed)


def _headers(kind: int, content: memoryview, attributes: Attributes, observed: bool) -> Part:
    pairs: list[tuple[str, str]] = []
    ended = False
    for number, value in fields(content):
        if number == 1 and not isinstance(value, int):
            for inner, header in fields(value):
                if inner == 1 and not isinstance(header, int):
                    pairs.append(_pair(header))
                    if len(pairs) > MAX_HEADERS:
                        raise DecodeError("too many headers")
        elif number == 3:
            ended = bool(value)
    return Part(kind, tuple(pairs), ended=ended, attributes=attributes, observed=observed)


def _pair(content: memoryview) -> tuple[str, str]:
    """Return name and value of a HeaderValue: key = 1, value = 2, raw_value = 3."""
    found = {number: value for number, value in fields(content) if not isinstance(value, int)}
    empty = memoryview(b"")
    return _text(found.get(1, empty)), _text(found.get(3) or found.get(2, empty))


def _text(content: memoryview) -> str:
    """Headers are UTF-8 in practice; other bytes are kept one by one (RFC 9110 5.5: obs-text is opaque)."""
    try:
        return str(content, "utf-8")
    except UnicodeDecodeError:
        return str(content, "latin-1")


def _read_attributes(entry: memoryview, into: dict[str, str | float | bool]) -> None:
    """Read one entry of map<string, Struct>; the key names the filter, the Struct holds what was asked for."""
    for number, value in fields(entry):
        if number != 2 or isinstance(value, int):
            continue
        for inner, member in fields(value):
            if inner == 1 and not isinstance(member, int) and len(into) < MAX_ATTRIBUTES:
                name, found = _member(member)
                if found is not None:
                    into[name] = found


def _member(entry: memoryview) -> tuple[str, str | float | bool | None]:
    """Return name and value of a Struct's member; lists, structures and null are None."""
    name, found = "", None
    for number, value in fields(entry):
        if isinstance(value, int):
            continue
        if number == 1:
            name = _text(value)
        elif number == 2:
            found = _value(value)
    return name, found


def _value(content: memoryview) -> str | float | bool | None:
    """Read a google.protobuf.Value: number_value = 2, string_value = 3, bool_value = 4."""
    found: str | float | bool | None = None
    for number, value in fields(content):
        if number == 2 and not isinstance(value, int) and len(value) == 8:
            found = float(struct.unpack("<d", value)[0])
        elif number == 3 and not isinstance(value, int):
            found = _text(value)
        elif number == 4 and isinstance(value, int):
            found = bool(value)
    return found
