"""Content codings: gzip and deflate, with a bound on what comes out (RFC 9110, 8.4)."""

from __future__ import annotations

import zlib
from typing import List, Tuple

from apisec.errors import DecodeError, LimitExceeded

MAX_CODINGS = 2  # a proxy adds one to the server's; more is an attempt to hide or to exhaust
_KNOWN = ("gzip", "x-gzip", "deflate", "identity", "br", "zstd", "compress")


def names(header: str) -> List[str]:
    """Return the codings of a Content-Encoding header in the order they were applied."""
    return [name for name in (part.strip().lower() for part in header.split(",")) if name and name != "identity"]


def decode(data: bytes, header: str, limit: int, *, truncated: bool = False) -> Tuple[bytes, bool]:
    """Return at most ``limit`` decoded bytes, and whether there was more (or the copy was cut).

    Raises DecodeError for a coding that cannot be undone here and for data that is not what it says.
    """
    codings = names(header)
    if len(codings) > MAX_CODINGS:
        raise LimitExceeded(f"more than {MAX_CODINGS} content codings")
    for coding in reversed(codings):
        if coding not in ("gzip", "x-gzip", "deflate"):
            shown = coding if coding in _KNOWN else "of unknown name"
            raise DecodeError(f"content coding {shown} is not supported")
        data, more = _inflate(data, coding, limit, truncated)
        truncated = truncated or more
    if len(data) > limit:
        return data[:limit], True
    return data, truncated


def _inflate(data: bytes, coding: str, limit: int, truncated: bool) -> Tuple[bytes, bool]:
    """Undo one coding. ``deflate`` is zlib's format, but some servers send it raw (RFC 9110, 8.4.1.2)."""
    windows = (31,) if coding != "deflate" else (15, -15)
    for window in windows:
        decoder = zlib.decompressobj(window)
        try:
            out = decoder.decompress(data, limit + 1)
        except zlib.error:
            continue
        if len(out) > limit:
            return out[:limit], True
        if not decoder.eof and not truncated:
            raise DecodeError(f"{coding} data ends too early")
        return out, not decoder.eof or bool(decoder.unused_data.strip(b"\0"))
    raise DecodeError(f"not {coding} data")
