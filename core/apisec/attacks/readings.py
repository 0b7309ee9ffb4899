"""What a server may take a value for: decoded twice, without entities and escapes, with blanks and comments folded."""

from __future__ import annotations

import binascii
import html
import re
from typing import List
from urllib.parse import unquote

MAX_VALUE = 8_192  # characters of one value that are looked at; of a longer one its beginning and its end
_KEPT = MAX_VALUE // 2

_COMMENT = re.compile(r"/\*(?!!)[^*]{0,200}\*+/")
_BLANKS = re.compile(r"[ \t\x0b\x0c\u00a0\u2000-\u200b\u3000]+")
_ESCAPED = re.compile(r"\\u(?:\{0{0,4}([0-9a-f]{1,4})\}|([0-9a-f]{4}))|\\x([0-9a-f]{2})", re.IGNORECASE)
_UNICODE_PERCENT = re.compile(r"%u([0-9a-fA-F]{4})")
_BROKEN = re.compile(r"&(?:tab|newline|colon|lpar|rpar|quot|lt|gt|nbsp|sol|bsol|lbrace|rbrace|dollar);?", re.IGNORECASE)
_NAMED = {
    "tab": "\t",
    "newline": "\n",
    "colon": ":",
    "lpar": "(",
    "rpar": ")",
    "quot": '"',
    "lt": "<",
    "gt": ">",
    "nbsp": " ",
    "sol": "/",
    "bsol": "\\",
    "lbrace": "{",
    "rbrace": "}",
    "dollar": "$",
}
_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}  # full-width forms of ASCII
_WIDE.update({0x2460 + digit: 0x31 + digit for digit in range(9)})  # in circles, which names of hosts may have
_WIDE.update({0x24D0 + letter: 0x61 + letter for letter in range(26)})
_WIDE.update({0x24EA: 0x30, 0x3002: 0x2E})
_WIDE.update({0x2019: 0x27, 0x02BC: 0x27, 0x2215: 0x2F, 0x2216: 0x5C, 0x2039: 0x3C, 0x203A: 0x3E, 0x02BA: 0x22})

# The beginnings of what base64 makes of markup, code, quotes, brackets, paths and serialised objects.
TELLING_BASE64 = (
    r"(?:P[CDGHFz]|J[w-z0-9+/]|JH[s]|e3s|Li[4]|L2V0|O[ycnw]|I[ikCj]|KCk|XyQk|fCB|fH|YD|Yg|MSc|MScg"
    r"|MSAg|MSBv|YWRtaW4n|c2Vs|dW5p|amF2YX)"
)
_BASE64 = re.compile(rf"^\s?{TELLING_BASE64}[A-Za-z0-9+/_-]{{10,5600}}={{0,2}}\s?$")
_TEXT = re.compile(r"[\t\n\r -~]+")
_MARKED = re.compile(r"[<>'\"`;|&${(]|\.\./")


def readings(value: str) -> List[str]:
    """Return the texts a server may take the value for, in lower case, each once: mostly one, at most six."""
    if len(value) > MAX_VALUE:
        value = f"{value[:_KEPT]}\n{value[-_KEPT:]}"
    plain = value if value.isascii() else value.translate(_WIDE)
    found = [plain]
    decoded = _decoded(plain)
    if decoded != plain:
        found.append(decoded)
    inner = _unbase64(plain)
    if inner:
        found.append(inner)
    folded = []
    for text in found:
        text = _BLANKS.sub(" ", text).lower()
        folded.append(text)
        if "/*" in text:
            folded.append(_BLANKS.sub(" ", _COMMENT.sub(" ", text)))
            folded.append(_COMMENT.sub("", text))
        if "+" in text and " " not in text:
            folded.append(_BLANKS.sub(" ", text.replace("+", " ")))
    return list(dict.fromkeys(folded))


def _decoded(text: str) -> str:
    for _ in range(2):
        if "%" in text:
            text = unquote(_UNICODE_PERCENT.sub(lambda match: chr(int(match.group(1), 16)), text))
    if "&" in text:
        if "&#" in text or ";" in text:
            text = html.unescape(text)
        text = _BROKEN.sub(lambda match: _NAMED[match.group().strip("&;").lower()], text)
    if "\\" in text:
        text = _ESCAPED.sub(lambda match: chr(int(match.group(match.lastindex or 0), 16)), text)
    return text if text.isascii() else text.translate(_WIDE)


def _unbase64(text: str) -> str:
    """Return the text that a value of base64 holds where its beginning tells, or nothing."""
    if len(text) < 12 or len(text) > 5_600 or not _BASE64.match(text):
        return ""
    data = text.strip().rstrip("=").replace("-", "+").replace("_", "/")
    if len(data) % 4 == 1:
        return ""
    try:
        inner = binascii.a2b_base64(data + "=" * (-len(data) % 4)).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return inner if _TEXT.fullmatch(inner) and _MARKED.search(inner) else ""
