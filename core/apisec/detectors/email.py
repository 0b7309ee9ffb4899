"""E-mail addresses (the part of RFC 5321 that people use, and letters of any script)."""

from __future__ import annotations

from typing import Optional

from apisec.detectors.base import Detector, linear

# Names of files and packages that look like an address: logo@2x.png, name@1.2.3.
_NOT_DOMAINS = frozenset(("png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js", "map", "ts", "tsx", "json", "html"))


def _email(text: str) -> Optional[str]:
    local, _, domain = text.rpartition("@")
    top = domain.rpartition(".")[2]
    if not local.strip(".") or top.isdigit() or len(top) < 2 or top.lower() in _NOT_DOMAINS:
        return None
    return text.lower()


DETECTORS = (
    Detector(
        "email",
        "pii.email",
        linear(r"(?<![\w.+-])[\w.+-]{1,254}(?:'[\w.+-]{1,40})?@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"),
        _email,
        literals=("@",),
    ),
)
