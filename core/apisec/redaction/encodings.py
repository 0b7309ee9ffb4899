"""What text hides behind: percent-encoding, entities, escapes, base64, and numbers in scientific notation.

The gates here are shared with the forwarder's native engine: they have no lookaround, so that any engine can ask
them, and a text that no gate knows holds nothing that the functions beside it could undo.
"""

from __future__ import annotations

import binascii
import html
import re
from decimal import Decimal
from typing import Callable, Iterable, Iterator, Optional, Tuple
from urllib.parse import quote, unquote

from apisec.detectors.engine import MIN_LENGTH

MAX_WHOLE = 10**19  # card numbers have at most 19 digits

PERCENT = re.compile(r"%[0-9A-Fa-f]{2}")
ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|amp|lt|gt|quot|apos|commat|nbsp|period);")
ESCAPED = re.compile(r"\\u([0-9A-Fa-f]{4})|\\x([0-9A-Fa-f]{2})")
BASE64 = re.compile(r"(?<![A-Za-z0-9+/_=-])[A-Za-z0-9+/_-]{8,}(?:={1,2}|(?![A-Za-z0-9+/_=-]))")

_UNPRINTABLE = bytes(set(range(32)) - {9, 10, 13}) + b"\x7f"
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_MIN_BASE64 = -(-MIN_LENGTH * 4 // 3)  # characters that the shortest value takes
_ASCII_STRETCH = re.compile(rb"[\x09\x0a\x0d\x20-\x7e]{%d,}" % MIN_LENGTH)
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def _sextets(values: Iterable[int]) -> str:
    """Return the class of the base64 characters (both alphabets) of six-bit values."""
    chars = "".join([_ALPHABET[value] for value in values])
    chars += ("-" if "+" in chars else "") + ("_" if "/" in chars else "")
    return "[" + re.escape(chars) + "]"


def _capital(characters: str) -> str:
    """Return the capitals of a class."""
    return f"[{''.join([c for c in _ALPHABET[:26] if re.match(characters, c)])}]"


# Six printable bytes (RFC 4648, 4) in a row, whatever stands around them. A printable byte is below 0x80 and above
# 0x1f, or a tab or line break; what that leaves for each of the four characters that hold three bytes:
_FIRST = _sextets([2, 3, *range(8, 32)])  # the high six bits of a byte
_SECOND = _sextets([v for v in range(64) if v & 15 in (0, 2, 3, 4, 5, 6, 7)])  # … the high four bits of the next
_THIRD_LOW, _THIRD_HIGH = _sextets(range(0, 64, 4)), _sextets(range(1, 64, 4))  # … the high two bits of the third
_FOURTH_LOW = _sextets([9, 10, 13, *range(32, 64)])
_ANY = "[A-Za-z0-9+/_-]"
_PAIR = f"(?:{_THIRD_LOW}{_FOURTH_LOW}|{_THIRD_HIGH}{_ANY})"
_QUANTUM = f"{_FIRST}{_SECOND}{_PAIR}"
BASE64_TEXT = re.compile(
    f"{_QUANTUM}{_QUANTUM}"  # the six bytes begin with a quantum's first,
    f"|{_SECOND}{_PAIR}{_QUANTUM}{_FIRST}"  # its second,
    f"|{_PAIR}{_QUANTUM}{_FIRST}{_SECOND}"  # or its third byte
)

# A run without a capital is taken for no base64. Where six such bytes stand in one that has a capital, one of these
# does: the five characters that each of the ways above holds, with the capital before, in or behind them.
_HELD = f"{_QUANTUM}{_FIRST}"
_IN_IT = (
    f"{_capital(_FIRST)}{_SECOND}{_PAIR}{_FIRST}",
    f"{_FIRST}{_capital(_SECOND)}{_PAIR}{_FIRST}",
    f"{_FIRST}{_SECOND}(?:{_capital(_THIRD_LOW)}{_FOURTH_LOW}|{_capital(_THIRD_HIGH)}{_ANY}){_FIRST}",
    f"{_FIRST}{_SECOND}(?:{_THIRD_LOW}{_capital(_FOURTH_LOW)}|{_THIRD_HIGH}[A-Z]){_FIRST}",
    f"{_QUANTUM}{_capital(_FIRST)}",
)
BASE64_GATE = re.compile(f"[A-Z]{_ANY}*{_HELD}|{'|'.join(_IN_IT)}|{_HELD}[a-z0-9+/_-]*[A-Z]")


def layers(text: str) -> Iterator[Tuple[str, Callable[[str], str]]]:
    """Yield a text with one encoding undone, for each that it shows, and what puts that encoding on again."""
    if "%" in text and PERCENT.search(text):
        inner = unquote(text)
        if inner != text:
            yield inner, _percent
    if "&" in text and ENTITY.search(text):
        yield html.unescape(text), html.escape
    if "\\" in text and ESCAPED.search(text):
        yield unescape(text), str


def _percent(text: str) -> str:
    return quote(text, safe="~/?&=:;,@+$!*'()[]")


def resolve(text: str) -> str:
    """Undo percent-encoding twice, entities and escapes."""
    text = unquote(unquote(text)) if "%" in text else text
    text = html.unescape(text) if "&" in text else text
    return unescape(text) if "\\" in text else text


def unescape(text: str) -> str:
    """Undo escapes of JavaScript and Python."""
    return ESCAPED.sub(_character, text)


def _character(match: re.Match[str]) -> str:
    return chr(int(match.group(1) or match.group(2), 16))


def integral(number: str) -> str:
    """Return a JSON number that is a whole one in its plain notation: 4.111e15 is a number of 16 digits."""
    if len(number) > 32 or ("e" not in number.lower() and not number.endswith(".0")):
        return number
    try:
        value = Decimal(number)
        return str(int(value)) if abs(value) < MAX_WHOLE and value == int(value) else number
    except (ArithmeticError, ValueError):
        return number


def unbase64(run: str) -> Iterator[str]:
    """Yield texts that a run of base64 may hold, at each of the places where a quantum can begin.

    A run may begin with other text (``/files/`` is in the alphabet) and may hold binary data around a value:
    then the stretches of ASCII in it are yielded together.
    """
    data = run.rstrip("=").encode().translate(_URL_SAFE)
    for offset in range(4 if len(data) <= 4096 else 1):
        piece = data[offset:]
        if len(piece) < _MIN_BASE64:
            return
        if len(piece) % 4 == 1:
            piece = piece[:-1]
        try:
            decoded = binascii.a2b_base64(piece + b"=" * (-len(piece) % 4))
        except binascii.Error:
            continue
        stretches = _ASCII_STRETCH.findall(decoded)
        if not stretches:
            continue
        text = _printable(decoded)
        yield b"\n".join(stretches).decode() if text is None else text


def _printable(data: bytes) -> Optional[str]:
    """Return bytes that are all text, else None."""
    if data.translate(None, _UNPRINTABLE) != data:
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None
