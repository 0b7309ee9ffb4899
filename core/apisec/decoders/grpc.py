"""Messages with a prefix: gRPC, gRPC-Web (binary and its base64 text) and Connect streams.

Each is a flag byte, four bytes of length, and a message (github.com/grpc/grpc: doc/PROTOCOL-HTTP2.md,
PROTOCOL-WEB.md; connectrpc.com/docs/protocol). Messages are Protocol Buffers unless the media type says JSON.
"""

from __future__ import annotations

import binascii
import re
from typing import Iterator, List, Mapping, Tuple

from apisec.decoders import codings, protobuf
from apisec.decoders.base import Limits, MediaType
from apisec.decoders.tree import Budget, Members, text_of, write
from apisec.errors import DecodeError

_COMPRESSED, _CONNECT_END, _TRAILERS = 0x01, 0x02, 0x80
_QUANTUM = re.compile(rb"[A-Za-z0-9+/]+={0,2}")  # padding ends a piece; another may follow (PROTOCOL-WEB.md)


def to_json(
    data: bytes, media: MediaType, limits: Limits, truncated: bool, coding: str, table: Mapping[str, codings.Undo]
) -> Tuple[str, bool]:
    """Return the messages as JSON texts, a line each, and whether some are missing. ``coding``: of compressed ones."""
    if "-text" in media.essence:
        data, truncated = _from_base64(data, truncated)
    budget = Budget(limits)
    lines: List[str] = []
    room = limits.text
    for flags, message, whole in _frames(data, truncated):
        budget.value()
        if flags & _COMPRESSED:
            message, cut = codings.decode(message, coding or "gzip", max(room, 1), truncated=not whole, table=table)
            whole = whole and not cut
        room -= len(message)
        text, end_missing = _message(flags, message, media, limits, budget, not whole)
        if text:
            lines.append(text)
        truncated = truncated or end_missing or not whole
    return "\n".join(lines), truncated


def _frames(data: bytes, truncated: bool) -> Iterator[Tuple[int, bytes, bool]]:
    """Yield the flags of each message, its bytes, and whether they are all there."""
    position = 0
    while position < len(data):
        start = position + 5
        flags = data[position]
        if flags & ~(_COMPRESSED | _CONNECT_END | _TRAILERS):
            raise DecodeError("not prefixed messages")
        size = int.from_bytes(data[position + 1 : start], "big")
        position = start + size
        whole = position <= len(data)
        if not whole and not truncated:
            raise DecodeError("prefixed messages end too early")
        if start < len(data) or whole:
            yield flags, data[start:position], whole


def _message(
    flags: int, message: bytes, media: MediaType, limits: Limits, budget: Budget, cut: bool
) -> Tuple[str, bool]:
    if flags & _TRAILERS:
        return write(_trailers(message)), False
    if flags & _CONNECT_END or media.essence.endswith("+json"):
        text = text_of(message)
        if not isinstance(text, str):
            raise DecodeError("a message is no JSON text")
        return ("" if cut else text), cut
    if cut and not message:
        return "", True
    tree, missing = protobuf.to_tree(message, limits, cut, budget)
    return write(tree), missing


def _trailers(block: bytes) -> Members:
    pairs = []
    for line in block.split(b"\r\n")[:64]:
        name, colon, value = line.partition(b":")
        if colon:
            pairs.append((name.decode("latin-1").strip().lower(), text_of(value.strip())))
    return Members([("trailers", Members(list(pairs)))])


def _from_base64(data: bytes, truncated: bool) -> Tuple[bytes, bool]:
    pieces: List[bytes] = []
    position = 0
    for match in _QUANTUM.finditer(data):
        if match.start() != position:
            break
        position = match.end()
        piece = match.group()
        if len(piece) % 4:
            if not truncated:
                raise DecodeError("not base64")
            piece = piece[: len(piece) // 4 * 4]
        try:
            pieces.append(binascii.a2b_base64(piece))
        except binascii.Error:
            raise DecodeError("not base64") from None
    if data[position:].strip():
        raise DecodeError("not base64")
    return b"".join(pieces), truncated
