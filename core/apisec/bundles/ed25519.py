"""Verify Ed25519 signatures (RFC 8032, 5.1), in pure Python: for Splunk, where nothing compiled may be shipped.

It only verifies, so that nothing here is secret and the time that it takes may depend on its input; signing is left
to a library. Like the usual libraries it compares ``encode([S]B − [k]A)`` with R, byte for byte.
"""

from __future__ import annotations

import hashlib
from typing import Optional, Tuple

KEY_BYTES, SIGNATURE_BYTES = 32, 64
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493  # the order of the base point
D = -121665 * pow(121666, P - 2, P) % P
_ROOT = pow(2, (P - 1) // 4, P)  # a square root of -1

Point = Tuple[int, int, int, int]  # extended coordinates X, Y, Z, T with x = X/Z, y = Y/Z, xy = T/Z


def _affine(y: int, sign: int) -> Optional[Tuple[int, int]]:
    """Return the point with this y and this lowest bit of x, or None (RFC 8032, 5.1.3)."""
    if y >= P:
        return None  # not the canonical encoding
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * _ROOT % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    return (P - x if x & 1 != sign else x), y


def _decode(data: bytes) -> Optional[Point]:
    number = int.from_bytes(data, "little")
    found = _affine(number & (2**255 - 1), number >> 255)
    if found is None:
        return None
    x, y = found
    return x, y, 1, x * y % P


def _encode(point: Point) -> bytes:
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(KEY_BYTES, "little")


def _add(a: Point, b: Point) -> Point:
    """Add two points; the formula holds for doubling, too (RFC 8032, 5.1.4)."""
    first = (a[1] - a[0]) * (b[1] - b[0]) % P
    second = (a[1] + a[0]) * (b[1] + b[0]) % P
    third, fourth = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = second - first, fourth - third, fourth + third, second + first
    return e * f % P, g * h % P, f * g % P, e * h % P


_NEUTRAL: Point = (0, 1, 1, 0)
_BASE_Y = 4 * pow(5, P - 2, P) % P
_BASE = _decode(_BASE_Y.to_bytes(KEY_BYTES, "little"))


def _double_product(s: int, k: int, point: Point) -> Point:
    """Return [s]B + [k]point, both at once (Shamir's trick)."""
    if _BASE is None:
        raise AssertionError("the base point is on the curve")
    both = _add(_BASE, point)
    result = _NEUTRAL
    for bit in range(max(s.bit_length(), k.bit_length()) - 1, -1, -1):
        result = _add(result, result)
        pair = (s >> bit & 1, k >> bit & 1)
        if pair != (0, 0):
            result = _add(result, both if pair == (1, 1) else _BASE if pair[0] else point)
    return result


def is_key(key: bytes) -> bool:
    """Whether these 32 bytes are a point of which no small multiple is the neutral one."""
    point = _decode(key) if len(key) == KEY_BYTES else None
    if point is None:
        return False
    for _ in range(3):  # the cofactor is 8
        point = _add(point, point)
    return _encode(point) != _encode(_NEUTRAL)


def verify(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the holder of the key (32 bytes) has signed the message (signature: 64 bytes)."""
    if len(key) != KEY_BYTES or len(signature) != SIGNATURE_BYTES or not is_key(key):
        return False
    point = _decode(key)
    half, s = signature[:KEY_BYTES], int.from_bytes(signature[KEY_BYTES:], "little")
    if point is None or s >= L:
        return False  # a greater S would be a second signature of the same message (RFC 8032, 5.1.7)
    k = int.from_bytes(hashlib.sha512(half + key + message).digest(), "little") % L
    negative = (P - point[0], point[1], point[2], P - point[3])
    return _encode(_double_product(s, k, negative)) == half
