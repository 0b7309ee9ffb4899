"""The body of a request: gzip within bounds, nothing else.

Measured by others on Splunk: gzip is accepted, any other coding is 415, a gzip stream that is broken code 6.
"""

from __future__ import annotations

import zlib

from apisec_sandbox.splunkd.hec import codes
from apisec_sandbox.splunkd.hec.codes import HecError, HttpRefusal, too_large, unsupported_coding
from apisec_sandbox.splunkd.web import Request

MAX_INFLATED = 64 * 1024 * 1024  # bytes


def body_of(request: Request) -> bytes:
    """Raise HecError 6 for a broken stream, HttpRefusal for another coding or one that inflates beyond measure."""
    coding = request.headers.get("content-encoding", "").strip().lower()
    if coding in ("", "identity"):
        return request.body
    if coding != "gzip":
        raise HttpRefusal(unsupported_coding(coding[:40]))
    return gunzip(request.body)


def gunzip(data: bytes) -> bytes:
    """Inflate all members of a gzip stream (RFC 1952 allows several)."""
    pieces: list[bytes] = []
    room = MAX_INFLATED
    while data:
        engine = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        try:
            plain = engine.decompress(data, room + 1)
        except zlib.error as error:
            raise HecError(codes.INVALID_FORMAT) from error
        room -= len(plain)
        if room < 0:
            raise HttpRefusal(too_large("the inflated body", MAX_INFLATED))
        if not engine.eof:
            raise HecError(codes.INVALID_FORMAT)
        pieces.append(plain)
        data = engine.unused_data
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
