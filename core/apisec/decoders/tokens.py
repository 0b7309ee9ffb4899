"""Claims of a JSON Web Token as a document (RFC 7519): values of a person that a token carries."""

from __future__ import annotations

import binascii
from typing import Optional

from apisec.decoders.base import Document, Label, Limits, MediaType, as_is
from apisec.decoders.json_text import JsonDecoder
from apisec.errors import ApisecError

MAX_TOKEN = 16_384  # characters; servers refuse headers that are longer
_JSON = JsonDecoder()


def claims(token: str, limits: Limits, label: Label = as_is) -> Optional[Document]:
    """Return the claims of a compact JWS, unchecked, or None when it is none or its claims are encrypted."""
    parts = token.split(".")
    if len(parts) != 3 or not token.startswith("ey") or len(token) > MAX_TOKEN:
        return None
    payload = parts[1].replace("-", "+").replace("_", "/")
    try:
        text = binascii.a2b_base64(payload + "=" * (-len(payload) % 4)).decode("utf-8")
        return _JSON.decode(text, MediaType(), limits, label, False) if text[:1] == "{" else None
    except (binascii.Error, UnicodeError, ApisecError):
        return None
