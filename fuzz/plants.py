"""Sensitive values that are planted, and the forms in which none of them may stand in an event."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

# Each shows itself wherever it stands; made up, and valid by its checksum.
VALUES = (
    "4111111111111111",
    "5500-0055-5555-5559",
    "6011 1111 1111 1117",
    "378282246310005",
    "ada.lovelace@mail.example.com",
    "DE89370400440532013000",
    "GB82WEST12345698765432",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0." + "s" * 43,
    "AKIA" + "ABCDEFGH23456723",
    "gh" + "p_" + "a1B2" * 9,
)
# Sensitive by its name alone: it is planted under such a name.
NAMED = (("password", "zq7Rk!wvuT"), ("access_token", "kfjw83hHDk29dkQpz71Lmn4x"), ("cardNumber", "4000000000000002"))


def forms(value: str) -> list[str]:
    """Return how a value may stand in an event: as it is, percent-encoded, escaped, in base64 at any offset."""
    found = [value, quote(value, safe=""), quote(quote(value, safe=""), safe=""), json.dumps(value)[1:-1]]
    found.append("".join([f"%{byte:02X}" for byte in value.encode()]))
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + value.encode()).rstrip(b"=")
        first = (shift * 8 + 5) // 6
        last = len(encoded) - (1 if (shift + len(value.encode())) % 3 else 0)
        stable = encoded[first:last].decode()
        found += [stable, stable.replace("+", "-").replace("/", "_")]
    return list(dict.fromkeys(found))
