"""Tokens that keep their value's format: FF1 of NIST SP 800-38G over AES-256, keyed by the tokens' key.

A card of 16 digits has a token with 16 digits, ``~pci.pan~n8214906613550271~``, so that systems which check lengths
and alphabets go on working. The frame of tildes and the class stay: nothing takes such a token for a card, and the
re-scan leaves it alone. Off by default: whoever holds the key can turn these tokens back, which a hash forbids.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from apisec.redaction.keys import Key, Preserve

ROUNDS = 10  # SP 800-38G, 5.1
BLOCK = 16  # bytes of AES
MIN_DOMAIN = 1_000_000  # SP 800-38G revision 1: radix ** length; smaller ones can be searched through
MAX_LENGTH = 64  # numerals of one value; the standard allows 2 ** 32
DIGITS = "0123456789"
ALPHANUMERIC = "0123456789abcdefghijklmnopqrstuvwxyz"


class FF1:
    """One cipher: a key, a radix from 2 to 36, and numerals from ``0`` to ``z``."""

    def __init__(self, key: bytes, radix: int) -> None:
        # ECB of single blocks is what the standard's PRF and its CIPH are made of; no data is encrypted with it.
        self._encrypt_blocks = Cipher(algorithms.AES(key), modes.ECB()).encryptor().update  # noqa: S305
        self._radix = radix

    def encrypt(self, text: str, tweak: bytes = b"") -> str:
        """Return the text of the same length and alphabet; ValueError when the domain is too small."""
        return self._walk(text, tweak, range(ROUNDS))

    def decrypt(self, text: str, tweak: bytes = b"") -> str:
        """Undo ``encrypt``."""
        return self._walk(text, tweak, range(ROUNDS - 1, -1, -1))

    def _walk(self, text: str, tweak: bytes, rounds: Sequence[int]) -> str:
        """Run the Feistel network of algorithms 7 and 8; a falling sequence of rounds decrypts."""
        radix, length = self._radix, len(text)
        if not length or radix**length < MIN_DOMAIN or length > MAX_LENGTH:
            raise ValueError(f"{length} numerals of radix {radix} are outside FF1's domain here")
        u = length // 2
        v = length - u
        a, b = int(text[:u], radix), int(text[u:], radix)
        width = -(-(radix**v - 1).bit_length() // 8)  # b: bytes of the longer half
        d = 4 * -(-width // 4) + 4
        moduli = (radix**u, radix**v)
        fixed = bytes((1, 2, 1)) + radix.to_bytes(3, "big") + bytes((ROUNDS, u % 256))
        fixed += length.to_bytes(4, "big") + len(tweak).to_bytes(4, "big")
        start = self._encrypt_blocks(fixed)
        padding = bytes(-(len(tweak) + width + 1) % BLOCK)
        backward = rounds[0] != 0
        for i in rounds:
            half = a if backward else b
            y = self._prf(start, tweak + padding + bytes((i,)) + half.to_bytes(width, "big"), d)
            if backward:
                a, b = (b - y) % moduli[i % 2], a
            else:
                a, b = b, (a + y) % moduli[i % 2]
        return _numerals(a, radix, u) + _numerals(b, radix, v)

    def _prf(self, start: bytes, message: bytes, d: int) -> int:
        """CBC-MAC of the message, stretched to ``d`` bytes, as a number (steps 6.ii to 6.iv)."""
        state = start
        for at in range(0, len(message), BLOCK):
            state = self._encrypt_blocks(_xor(state, message[at : at + BLOCK]))
        stream = state
        for j in range(1, -(-d // BLOCK)):
            stream += self._encrypt_blocks(_xor(state, j.to_bytes(BLOCK, "big")))
        return int.from_bytes(stream[:d], "big")


def _xor(one: bytes, other: bytes) -> bytes:
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).to_bytes(BLOCK, "big")


def _numerals(number: int, radix: int, length: int) -> str:
    if radix == 10:
        return str(number).zfill(length)
    found = []
    for _ in range(length):
        number, numeral = divmod(number, radix)
        found.append(ALPHANUMERIC[numeral])
    return "".join(reversed(found))


@lru_cache(maxsize=16)
def _ciphers(key_id: str, secret: bytes) -> tuple[FF1, FF1]:
    """The ciphers for digits and for letters and digits, with a key of their own derived from the tokens' key."""
    info = b"apisec format-preserving tokens 1\0" + key_id.encode()
    derived = HKDF(hashes.SHA256(), 32, salt=None, info=info).derive(secret)
    return FF1(derived, 10), FF1(derived, 36)


def preserve(classes: Iterable[str]) -> Preserve:
    """Return what a tokenizer asks for the tokens of these classes.

    Digits give ``n`` and as many digits, letters and digits of one case ``a`` and as many of those, lower case;
    None for what is neither, too short or too long: its token is a hash.
    """
    chosen = frozenset(classes)

    def kept(key: Key, cls: str, value: str) -> str | None:
        if cls not in chosen or not 4 <= len(value) <= MAX_LENGTH or not value.isascii() or not value.isalnum():
            return None
        digits, letters = _ciphers(key.id, key.secret)
        tweak = cls.encode()
        if value.isdigit():
            return "n" + digits.encrypt(value, tweak) if len(value) >= 6 else None
        if value in (value.lower(), value.upper()):
            return "a" + letters.encrypt(value.lower(), tweak)
        return None

    return kept
