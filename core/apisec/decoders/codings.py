"""Content codings (RFC 9110, 8.4): a table of what undoes them, and bounds on what comes out.

The standard library undoes gzip and deflate. Who has more hands in a longer table: an entry takes data, the
most bytes it may return, and whether the copy was cut, and returns the bytes and whether some are missing.
"""

from __future__ import annotations

import zlib
from typing import Callable, Dict, List, Mapping, Tuple

from apisec.errors import DecodeError, LimitExceeded

Undo = Callable[[bytes, int, bool], Tuple[bytes, bool]]

MAX_CODINGS = 2  # a proxy adds one to the server's; more is an attempt to hide or to exhaust
MAX_MEMBERS = 64  # gzip members in a row (RFC 1952, 2.2); each costs a new decompressor
MAX_RATIO = 1000  # bytes out for one byte in; JSON reaches 300, deflate itself 1,032, br and zstd any number
FREE_BYTES = 1 << 16  # output that no ratio is asked of: small answers of blanks are harmless
_KNOWN = ("gzip", "x-gzip", "deflate", "identity", "br", "zstd", "compress")
_GZIP_MAGIC = b"\x1f\x8b\x08"
_PRINTABLE = bytes(range(32, 127)) + b"\t\r\n"


def names(header: str) -> List[str]:
    """Return the codings of a Content-Encoding header in the order they were applied."""
    return [name for name in (part.strip().lower() for part in header.split(",")) if name and name != "identity"]


def gzip(data: bytes, limit: int, truncated: bool) -> Tuple[bytes, bool]:
    """Undo gzip, all its members; what is no member behind the first one counts as missing."""
    pieces: List[bytes] = []
    room = limit + 1
    for _ in range(MAX_MEMBERS):
        decoder = zlib.decompressobj(31)
        try:
            piece = decoder.decompress(data, room)
        except zlib.error:
            raise DecodeError("not gzip data") from None
        pieces.append(piece)
        room -= len(piece)
        if room <= 0:
            return b"".join(pieces)[:limit], True
        if not decoder.eof:
            if not truncated:
                raise DecodeError("gzip data ends too early")
            return b"".join(pieces), True
        data = decoder.unused_data.lstrip(b"\0")
        if not data.startswith(_GZIP_MAGIC):
            return b"".join(pieces), bool(data) or truncated
    raise LimitExceeded(f"more than {MAX_MEMBERS} gzip members")


def deflate(data: bytes, limit: int, truncated: bool) -> Tuple[bytes, bool]:
    """Undo deflate: zlib's format, but some servers send it raw (RFC 9110, 8.4.1.2)."""
    for window in (15, -15):
        decoder = zlib.decompressobj(window)
        try:
            out = decoder.decompress(data, limit + 1)
        except zlib.error:
            continue
        if len(out) > limit:
            return out[:limit], True
        if not decoder.eof and not truncated:
            raise DecodeError("deflate data ends too early")
        return out, not decoder.eof or bool(decoder.unused_data.strip(b"\0"))
    raise DecodeError("not deflate data")


def register(*tables: Mapping[str, Undo]) -> Dict[str, Undo]:
    """Return one table of all; a second entry for a coding is a bug."""
    merged: Dict[str, Undo] = {}
    for table in tables:
        for name, undo in table.items():
            if name in merged:
                raise ValueError(f"content coding {name!r} is registered twice")
            merged[name] = undo
    return merged


CODINGS: Dict[str, Undo] = register({"gzip": gzip, "x-gzip": gzip, "deflate": deflate})


def decode(
    data: bytes, header: str, limit: int, *, truncated: bool = False, table: Mapping[str, Undo] = CODINGS
) -> Tuple[bytes, bool]:
    """Return at most ``limit`` decoded bytes, and whether there was more (or the copy was cut).

    Data that is plain text, whatever the header says, is taken as it is: servers that do not know codings of
    requests read it so. Data that is gzip although no header says so is undone. Raises DecodeError for a
    coding that cannot be undone here and for data that is not what it says.
    """
    codings = names(header)
    if len(codings) > MAX_CODINGS:
        raise LimitExceeded(f"more than {MAX_CODINGS} content codings")
    if not codings and data.startswith(_GZIP_MAGIC):
        codings = ["gzip"]
    size = len(data)
    for coding in reversed(codings):
        if _is_plain(data):
            break
        undo = table.get(coding)
        if undo is None:
            shown = coding if coding in _KNOWN else "of unknown name"
            raise DecodeError(f"content coding {shown} is not supported")
        data, truncated = undo(data, limit, truncated)
        if len(data) > max(FREE_BYTES, size * MAX_RATIO):
            raise LimitExceeded(f"expands to more than {MAX_RATIO} times its size")
    if len(data) > limit:
        return data[:limit], True
    return data, truncated


def _is_plain(data: bytes) -> bool:
    """Return whether all bytes are printable ASCII: no compressed data of more than a few bytes is."""
    return len(data) > 8 and not data.translate(None, _PRINTABLE)
