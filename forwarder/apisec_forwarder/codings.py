"""Content codings that the standard library cannot undo: Brotli (RFC 7932) and Zstandard (RFC 8878)."""

from __future__ import annotations

import brotli
import zstandard

from apisec.decoders import codings
from apisec.errors import DecodeError, LimitExceeded

MAX_WINDOW = 8 << 20  # bytes; RFC 8878, 3.1.1.1.2, and RFC 9659: the most that a receiver has to hold
_STEP = 1 << 16  # bytes that are asked of Brotli at a time
_SIP = 32  # bytes that Zstandard is given at a time: at most 11 blocks, each at most 128 KiB of one repeated byte


def brotli_data(data: bytes, limit: int, truncated: bool) -> tuple[bytes, bool]:
    """Undo Brotli; at most ``limit`` bytes are ever made."""
    decoder = brotli.Decompressor()
    pieces: list[bytes] = []
    size, rest = 0, data
    try:
        while size <= limit:
            piece = decoder.process(rest, output_buffer_limit=min(_STEP, limit + 1 - size))
            rest = b""
            size += len(piece)
            pieces.append(piece)
            if decoder.is_finished() or (not piece and decoder.can_accept_more_data()):
                break
    except brotli.error:
        raise DecodeError("not br data") from None
    out = b"".join(pieces)
    if size > limit:
        return out[:limit], True
    if not decoder.is_finished():
        if not truncated:
            raise DecodeError("br data ends too early")
        return out, True
    return out, False


def zstandard_data(data: bytes, limit: int, truncated: bool) -> tuple[bytes, bool]:
    """Undo Zstandard, all its frames; not more than ``limit`` bytes and what one sip holds are ever made."""
    pieces: list[bytes] = []
    room, rest = limit, data
    for _ in range(codings.MAX_MEMBERS):
        frame = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW).decompressobj()
        taken = 0
        try:
            while taken < len(rest) and room >= 0 and not frame.eof:
                piece = frame.decompress(rest[taken : taken + _SIP])
                taken += _SIP
                room -= len(piece)
                pieces.append(piece)
        except zstandard.ZstdError:
            raise DecodeError("not zstd data") from None
        if room < 0:
            return b"".join(pieces)[:limit], True
        if not frame.eof:
            if not truncated:
                raise DecodeError("zstd data ends too early")
            return b"".join(pieces), True
        rest = frame.unused_data + rest[taken:]
        if not rest:
            return b"".join(pieces), truncated
    raise LimitExceeded(f"more than {codings.MAX_MEMBERS} zstd frames")


CODINGS = codings.register(codings.CODINGS, {"br": brotli_data, "zstd": zstandard_data})
