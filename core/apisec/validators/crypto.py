"""Addresses of wallets: base58check (Bitcoin), bech32 and bech32m (BIP 173, BIP 350), Ethereum by its shape."""

from __future__ import annotations

import hashlib
from typing import Optional

_BASE58 = {c: i for i, c in enumerate("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")}
_BECH32 = {c: i for i, c in enumerate("qpzry9x8gf2tvdw0s3jn54khce6mua7l")}
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)  # BIP 173
_BECH32_END, _BECH32M_END = 1, 0x2BC830A3
_VERSIONS = (0x00, 0x05)  # P2PKH, P2SH of the main network


def base58check(text: str) -> Optional[str]:
    """Return a Bitcoin address of version 1 or 3 as it stands when its four bytes of checksum are right."""
    number = 0
    for c in text:
        value = _BASE58.get(c)
        if value is None:
            return None
        number = number * 58 + value
    if number >> 200:
        return None
    data = number.to_bytes(25, "big")
    digest = hashlib.sha256(hashlib.sha256(data[:21]).digest()).digest()
    return text if data[0] in _VERSIONS and digest[:4] == data[21:] else None


def bech32(text: str) -> Optional[str]:
    """Return a SegWit or Taproot address in lower case when its polynomial checksum is right."""
    lower = text.lower()
    if text not in (lower, text.upper()) or not lower[lower.rfind("1") + 1 :]:
        return None
    prefix, _, data = lower.rpartition("1")
    state = 1
    for value in [
        *[ord(c) >> 5 for c in prefix],
        0,
        *[ord(c) & 31 for c in prefix],
        *[_BECH32.get(c, 99) for c in data],
    ]:
        if value == 99:
            return None
        top, state = state >> 25, (state & 0x1FFFFFF) << 5 ^ value
        for i in range(5):
            if top >> i & 1:
                state ^= _GENERATOR[i]
    # Version 0 ends in bech32's constant, later ones in bech32m's.
    return lower if state == (_BECH32_END if data[0] == "q" else _BECH32M_END) else None


def mixed_case(text: str) -> Optional[str]:
    """Return an Ethereum address in lower case when its letters are of both cases, as EIP-55 writes them.

    The checksum itself needs Keccak-256, which the standard library lacks: hexadecimal text of one case is told by
    its field's name or by words.
    """
    digits = text[2:]
    return text.lower() if digits != digits.lower() and digits != digits.upper() else None
