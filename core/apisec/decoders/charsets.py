"""Bytes to text: UTF-8, UTF-16, UTF-32 (with or without a mark) and Latin-1. Other charsets are refused."""

from __future__ import annotations

import codecs
from typing import Optional, Tuple

from apisec.errors import DecodeError

_MARKS: Tuple[Tuple[bytes, str], ...] = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_NAMES = {
    "utf8": "utf-8", "ascii": "utf-8", "usascii": "utf-8", "utf16": "utf-16", "utf16le": "utf-16-le",
    "utf16be": "utf-16-be", "utf32": "utf-32", "utf32le": "utf-32-le", "utf32be": "utf-32-be",
    "iso88591": "latin-1", "latin1": "latin-1", "windows1252": "cp1252", "cp1252": "cp1252",
    "iso885915": "iso8859-15",
}  # fmt: skip
_CONTROLS = bytes(set(range(32)) - {9, 10, 12, 13, 27})
MAX_CONTROL_SHARE = 0.02


def to_text(data: bytes, charset: Optional[str], *, truncated: bool = False) -> str:
    """Return the text of a body, or raise DecodeError for binary data and charsets that are not known.

    A cut body may end inside a character; that one is dropped.
    """
    codec, data = _codec(data, charset)
    if codec in ("utf-8", "latin-1", "cp1252", "iso8859-15") and _binary(data):
        raise DecodeError("binary data")
    decoder = codecs.getincrementaldecoder(codec)()
    try:
        return decoder.decode(data, final=not truncated)
    except UnicodeDecodeError:
        if codec != "utf-8":
            raise DecodeError(f"not valid {codec}") from None
    return data.decode("latin-1")  # structure and everything we look for is ASCII in both


def _codec(data: bytes, charset: Optional[str]) -> Tuple[str, bytes]:
    for mark, codec in _MARKS:
        if data.startswith(mark):
            return codec, data[len(mark) :]
    if charset:
        name = "".join([c for c in charset.lower() if c.isalnum()])
        known = _NAMES.get(name)
        if known is None:
            raise DecodeError("its charset is not known")
        if known in ("utf-16", "utf-32"):
            return f"{known}-be", data  # RFC 2781, 4.3: big-endian without a mark
        return known, data
    return _guess(data), data


def _guess(data: bytes) -> str:
    """Tell UTF-16 and UTF-32 without a mark by where the zero bytes of ASCII stand (RFC 4627, 3)."""
    head = data[:4]
    if len(head) < 4 or 0 not in head:
        return "utf-8"
    zeros = (head[0] == 0, head[1] == 0, head[2] == 0, head[3] == 0)
    patterns = {
        (True, True, True, False): "utf-32-be",
        (False, True, True, True): "utf-32-le",
        (True, False, True, False): "utf-16-be",
        (False, True, False, True): "utf-16-le",
    }
    return patterns.get(zeros, "utf-8")


def _binary(data: bytes) -> bool:
    sample = data[:4096] + data[-4096:]
    return len(sample) - len(sample.translate(None, _CONTROLS)) > MAX_CONTROL_SHARE * len(sample) or b"\0" in data
