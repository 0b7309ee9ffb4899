"""E-mail addresses: as people use them (RFC 5321, letters of any script), quoted, and written out against robots."""

from __future__ import annotations

import re
from typing import Optional

from apisec.detectors.base import Detector, linear

# Names of files and packages that look like an address: logo@2x.png, name@1.2.3.
_NOT_DOMAINS = frozenset(("png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js", "map", "ts", "tsx", "json", "html"))
_AT = re.compile(r"\s?(?:[\[({<]\s?(?:at|AT|At)\s?[\])}>]| (?:at|AT) )\s?")
_DOT = re.compile(r"\s?(?:[\[({<]\s?(?:dot|DOT|Dot)\s?[\])}>]| (?:dot|DOT) )\s?")


def _email(text: str) -> Optional[str]:
    local, _, domain = text.rpartition("@")
    top = domain.rpartition(".")[2]
    if not local.strip(".") or top.isdigit() or len(top) < 2 or top.lower() in _NOT_DOMAINS:
        return None
    return text.lower()


def _written_out(text: str) -> Optional[str]:
    return _email(_DOT.sub(".", _AT.sub("@", text, count=1)))


def _quoted(text: str) -> Optional[str]:
    local, _, domain = text.rpartition("@")
    return f"{local[1:-1]}@{domain}".lower() if local[1:-1].strip() else None


_HOST = r"[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"
_DOT_SHAPE = rf"(?:\.|{_DOT.pattern})"

DETECTORS = (
    Detector(
        "email",
        "pii.email",
        linear(rf"(?<![\w.+-])[\w.+-]{{1,254}}(?:'[\w.+-]{{1,40}})?@{_HOST}"),
        _email,
        literals=("@",),
    ),
    Detector(
        "email.quoted",
        "pii.email",
        linear(rf"\"[^\"\n\\]{{1,64}}\"@{_HOST}|\\\"[^\"\n\\]{{1,64}}\\\"@{_HOST}"),
        _quoted,
        literals=('"@',),
    ),
    # name [at] host [dot] tld: at least one of the two in brackets, or both as words
    Detector(
        "email.written_out",
        "pii.email",
        linear(
            rf"(?<![\w.+-])[\w.+-]{{2,64}}(?:\s?[\[({{<]\s?(?:at|AT|At)\s?[\])}}>]\s?[\w-]{{2,63}}(?:{_DOT_SHAPE}[\w-]{{2,63}}){{1,4}}"
            rf"| (?:at|AT) [\w-]{{2,63}}(?: (?:dot|DOT) [\w-]{{2,63}}){{1,4}})(?![\w-])"
        ),
        _written_out,
        literals=("at]", "at)", "at}", "at>", "at ]", "at )", "AT]", "AT)", "At]", "At)", " at ", " AT "),
    ),
)
