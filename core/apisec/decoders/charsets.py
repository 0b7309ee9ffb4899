"""Bytes to text: UTF-8, UTF-16, UTF-32 (with or without a mark), Latin-1 and its kin, East Asian charsets.

A charset that is not known is refused, for its bytes would pass as other text: UTF-7 and EBCDIC hide digits.
"""

from __future__ import annotations

import codecs
import re
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
    "utf8": "utf-8", "utf8mb4": "utf-8", "ascii": "utf-8", "usascii": "utf-8", "utf16": "utf-16",
    "utf16le": "utf-16-le", "utf16be": "utf-16-be", "utf32": "utf-32", "utf32le": "utf-32-le",
    "utf32be": "utf-32-be", "ucs2": "utf-16", "latin1": "latin-1", "koi8r": "koi8-r", "koi8u": "koi8-u",
    "gbk": "gbk", "gb2312": "gbk", "gb18030": "gb18030", "big5": "big5", "shiftjis": "cp932", "sjis": "cp932",
    "windows31j": "cp932", "eucjp": "euc_jp", "euckr": "cp949", "ksc56011987": "cp949",
    "iso88591": "latin-1", **{f"iso8859{n}": f"iso8859-{n}" for n in (2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15, 16)},
    **{f"{prefix}{n}": f"cp{n}" for n in range(1250, 1259) for prefix in ("windows", "cp")},
}  # fmt: skip
_WIDE = ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
_CONTROLS = bytes(set(range(32)) - {9, 10, 12, 13, 27, 30})  # 30: RFC 7464 begins each JSON text with it
_ASCII_TEXT = bytes([*range(32, 127), 9, 10, 13])
# UTF-8 of more bytes than needed: forbidden (RFC 3629, 3), read by some servers all the same.
_OVERLONG = re.compile(rb"[\xc0\xc1]([\x80-\xbf])|\xe0[\x80\x81]([\x80-\xbf])")
MAX_CONTROL_SHARE = 0.02


def to_text(data: bytes, charset: Optional[str], *, truncated: bool = False) -> str:
    """Return the text of a body, or raise DecodeError for binary data and charsets that are not known.

    A cut body may end inside a character; that one is dropped.
    """
    codec, data = _codec(data, charset)
    if codec not in _WIDE and _binary(data):
        raise DecodeError("binary data")
    decoder = codecs.getincrementaldecoder(codec)()
    try:
        return decoder.decode(data, final=not truncated)
    except UnicodeDecodeError:
        if codec != "utf-8":
            raise DecodeError(f"not valid {codec}") from None
    return lenient(data)


def lenient(data: bytes) -> str:
    """Return the text of bytes that should be UTF-8 and are not: structure and what we look for is ASCII."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return _OVERLONG.sub(_shortest, data).decode("latin-1")


def _shortest(match: re.Match[bytes]) -> bytes:
    lead, last = match[0], (match[1] or match[2])[0] & 0x3F
    return bytes([(lead[-2] & 1) << 6 | last])


def known(charset: str) -> bool:
    """Return whether a charset's name is known."""
    return _plain_name(charset) in _NAMES


def _plain_name(charset: str) -> str:
    return "".join([c for c in charset.lower() if c.isalnum()])


def _codec(data: bytes, charset: Optional[str]) -> Tuple[str, bytes]:
    for mark, codec in _MARKS:
        if data.startswith(mark):
            return codec, data[len(mark) :]
    if not charset:
        return _guess(data), data
    codec = _NAMES.get(_plain_name(charset), "")
    if not codec:
        raise DecodeError("its charset is not known")
    if not codec.startswith(("utf-16", "utf-32")):
        return codec, data
    if not data.translate(None, _ASCII_TEXT):
        return "utf-8", data  # whatever it says, no server finds text in it but as ASCII
    seen = _guess(data)
    if seen in _WIDE:
        return seen, data
    return (codec if codec in _WIDE else f"{codec}-be"), data  # RFC 2781, 4.3: big-endian without a mark


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
