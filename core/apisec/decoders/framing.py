"""The chunked transfer coding (RFC 9112, 7.1), for receivers whose copies still have it.

A header alone does not say that: most gateways copy what they have already taken apart.
"""

from __future__ import annotations

import re
from typing import List, Tuple

from apisec.errors import DecodeError

# Strict where readers differ (request smuggling): no sign, no 0x, no bare line feed, bounded extensions.
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]{0,1024})?\r\n")
_END = re.compile(rb"(?:[^\r\n]{1,8192}\r\n){0,64}\r\n")  # trailer fields


def unchunk(data: bytes, *, truncated: bool = False) -> Tuple[bytes, bool]:
    """Return the body without chunk framing, and whether its end is missing.

    Extensions and trailer fields are dropped: they are never shown. Raises DecodeError for other framing.
    """
    pieces: List[bytes] = []
    position = 0
    while True:
        head = _CHUNK.match(data, position)
        if head is None:
            if truncated and data.find(b"\n", position) < 0:
                return b"".join(pieces), True
            raise DecodeError("not chunked")
        size, start = int(head[1], 16), head.end()
        if size == 0:
            return b"".join(pieces), _ends(data, start, truncated)
        pieces.append(data[start : start + size])
        position = start + size + 2
        if len(data) < position:
            if not truncated:
                raise DecodeError("chunked data ends too early")
            return b"".join(pieces), True
        if data[position - 2 : position] != b"\r\n":
            raise DecodeError("not chunked")


def _ends(data: bytes, start: int, truncated: bool) -> bool:
    """Return whether trailer fields are cut; what stands behind them belongs to no one and is an error."""
    end = _END.match(data, start)
    if end is None and not truncated:
        raise DecodeError("chunked data ends too early")
    if end is not None and end.end() != len(data):
        raise DecodeError("data after the last chunk")
    return end is None
