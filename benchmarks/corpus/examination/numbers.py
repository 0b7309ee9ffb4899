"""Makers of numbers that only this examination plants, each valid by the rule of its issuer."""

from __future__ import annotations

import datetime
import hashlib

from benchmarks.corpus import national
from benchmarks.corpus.checks import Rng, digits, letters, luhn, verhoeff, weighted


def hu(rng: Rng) -> str:
    """Adóazonosító jel: 8, days since 1867, three digits, and the sum of digits times their place modulo 11."""
    while True:
        days = (national.born(rng) - datetime.date(1867, 1, 1)).days
        body = f"8{days:05d}{digits(rng, 3)}"
        check = weighted(body, range(1, 10)) % 11
        if check < 10:
            return f"{body}{check}"


def lv(rng: Rng) -> str:
    """Personas kods: day of birth, century, serial, check digit."""
    while True:
        body = f"{national.born(rng):%d%m%y}1{digits(rng, 3)}"
        check = (1 + weighted(body, (10, 5, 8, 4, 2, 1, 6, 3, 7, 9))) % 11
        if check < 10:
            return f"{body}{check}"


def nz(rng: Rng) -> str:
    """IRD number of nine digits."""
    while True:
        body = f"{rng.randint(10_000_000, 14_999_999)}"
        rest = weighted(body, (3, 2, 7, 6, 5, 4, 3, 2)) % 11
        if rest != 1:  # a check of 10 takes other weights: left out
            return f"{body}{(11 - rest) % 11}"


def ua(rng: Rng) -> str:
    """RNOKPP: days since 1899, serial, check digit."""
    days = (national.born(rng) - datetime.date(1899, 12, 31)).days
    body = f"{days:05d}{digits(rng, 4)}"
    return body + str(weighted(body, (-1, 5, 7, 9, 4, 6, 10, 5, 7)) % 11 % 10)


def snils(rng: Rng) -> str:
    body = digits(rng, 9, "1")
    check = weighted(body, range(9, 0, -1)) % 101
    return body + f"{check % 100:02d}"


def inn(rng: Rng) -> str:
    """INN of a person: twelve digits."""
    body = f"{rng.randint(1, 92):02d}{digits(rng, 8)}"
    for weights in ((7, 2, 4, 10, 3, 5, 9, 4, 6, 8), (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)):
        body += str(weighted(body, weights) % 11 % 10)
    return body


def rs(rng: Rng) -> str:
    """JMBG: day of birth with three digits of the year, region, serial, check digit."""
    while True:
        day = national.born(rng)
        body = f"{day:%d%m}{day.year % 1000:03d}{rng.randint(70, 89)}{digits(rng, 3)}"
        check = -weighted(body, (7, 6, 5, 4, 3, 2) * 2) % 11
        if check < 10:
            return f"{body}{check}"


def sa(rng: Rng) -> str:
    return luhn(digits(rng, 9, "12"))


def indonesia(rng: Rng) -> str:
    """NIK: region, day of birth (plus 40 for women), serial; no check digit."""
    day = national.born(rng)
    number = day.day + rng.choice((0, 40))
    region = f"{rng.choice((31, 32, 33, 35, 51, 73))}{rng.randint(1, 30):02d}{rng.randint(1, 20):02d}"
    return f"{region}{number:02d}{day:%m%y}{rng.randint(1, 99):04d}"


def in_pan(rng: Rng) -> str:
    """PAN of a person: three letters, P, the surname's letter, four digits, a letter."""
    return letters(rng, 3) + "P" + letters(rng, 1) + digits(rng, 4) + letters(rng, 1)


def nhi(rng: Rng) -> str:
    """NHI number of New Zealand in the older form: three letters, three digits, check digit (modulus 11)."""
    order = "ABCDEFGHJKLMNPQRSTUVWXYZ"
    while True:
        head, body = letters(rng, 3, order), digits(rng, 3)
        values = [order.index(letter) + 1 for letter in head] + [int(digit) for digit in body]
        rest = sum(value * weight for value, weight in zip(values, range(7, 1, -1), strict=True)) % 11
        if rest:
            return f"{head}{body}{(11 - rest) % 10}"


def medicare_au(rng: Rng) -> str:
    body = digits(rng, 8, "23456")
    return f"{body}{weighted(body, (1, 3, 7, 9, 1, 3, 7, 9)) % 10}{rng.randint(1, 9)}"


def phn_bc(rng: Rng) -> str:
    """Personal health number of British Columbia: 9, eight digits, check digit (modulus 11)."""
    while True:
        body = digits(rng, 8)
        check = 11 - weighted(body, (2, 4, 8, 5, 10, 9, 7, 3)) % 11
        if check < 10:
            return f"9{body}{check}"


def clabe(rng: Rng) -> str:
    body = rng.choice(("002", "012", "014", "021", "072")) + f"{rng.choice((180, 320, 580))}" + digits(rng, 11)
    return body + str(-sum(int(c) * w % 10 for c, w in zip(body, (3, 7, 1) * 6, strict=False)) % 10)


def vat_gb(rng: Rng) -> str:
    """VAT number of the United Kingdom: 97 divides the weighted sum."""
    body = digits(rng, 7, "123456789")
    return f"GB{body}{-weighted(body, (8, 7, 6, 5, 4, 3, 2)) % 97:02d}"


def siren(rng: Rng) -> str:
    return luhn(digits(rng, 8, "3456789"))


def vat_fr(rng: Rng) -> str:
    number = siren(rng)
    return f"FR{(12 + 3 * (int(number) % 97)) % 97:02d}{number}"


def nip(rng: Rng) -> str:
    while True:
        body = digits(rng, 9, "56789")
        check = weighted(body, (6, 5, 7, 2, 3, 4, 5, 6, 7)) % 11
        if check < 10:
            return f"{body}{check}"


def vat_be(rng: Rng) -> str:
    body = f"0{digits(rng, 7, '4567')}"
    return f"BE{body}{97 - int(body) % 97:02d}"


def dea(rng: Rng) -> str:
    body = digits(rng, 6)
    check = (weighted(body[::2], (1, 1, 1)) + 2 * weighted(body[1::2], (1, 1, 1))) % 10
    return f"{rng.choice('ABF')}{letters(rng, 1)}{body}{check}"


def ehic(rng: Rng) -> str:
    """Number of the card: 80 for health, the country of ISO 3166, an institution, a serial, and the digit of Luhn."""
    return luhn("80" + rng.choice(("040", "056", "203", "246", "616")) + digits(rng, 14))


def luxembourg(rng: Rng) -> str:
    """Matricule: day of birth, serial, the digits of Luhn and of Verhoeff over both."""
    body = f"{national.born(rng):%Y%m%d}{digits(rng, 3)}"
    return luhn(body) + verhoeff(body)[-1]


def _mrz_check(text: str) -> str:
    """ICAO 9303: weights 7, 3, 1; letters count from 10, fillers nothing."""
    values = (0 if sign == "<" else int(sign, 36) for sign in text)
    return str(sum(value * (7, 3, 1)[place % 3] for place, value in enumerate(values)) % 10)


def mrz(family: str, given: str, rng: Rng) -> str:
    """Machine-readable zone of a passport: two lines of 44."""
    country = rng.choice(("AUT", "CZE", "KEN", "PER"))
    first = f"P<{country}{family}<<{given}".ljust(44, "<")
    number = (letters(rng, 1) + digits(rng, 7)).ljust(9, "<")
    born, until = f"{national.born(rng):%y%m%d}", f"{rng.randint(27, 34)}{rng.randint(1, 12):02d}15"
    number, dates = number + _mrz_check(number), (born + _mrz_check(born), until + _mrz_check(until))
    personal = "<" * 14 + "0"
    whole = number + dates[0] + dates[1] + personal
    return f"{first}\n{number}{country}{dates[0]}{rng.choice('FM')}{dates[1]}{personal}{_mrz_check(whole)}"


_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def script_hash(rng: Rng) -> str:
    """A Bitcoin address that pays to a script's hash: Base58Check of version 5 and 20 bytes."""
    payload = b"\x05" + rng.randbytes(20)
    whole = payload + hashlib.sha256(hashlib.sha256(payload).digest()).digest()[:4]
    value, text = int.from_bytes(whole, "big"), ""
    while value:
        value, rest = divmod(value, 58)
        text = _BASE58[rest] + text
    return text


def witness(program: list[int]) -> str:
    """Return an address of a witness program, its version first, each number of five bits (BIP 350)."""
    check = 1
    for value in [3, 3, 0, 2, 3, *program, 0, 0, 0, 0, 0, 0]:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= generator if top >> bit & 1 else 0
    check ^= 0x2BC830A3
    return "bc1" + "".join(_BECH32[v] for v in program + [check >> 5 * (5 - i) & 31 for i in range(6)])


def taproot(rng: Rng) -> str:
    """A Bitcoin address of version 1: 256 bits, and four zeros."""
    return witness([1] + [rng.randrange(32) for _ in range(51)] + [rng.choice((0, 16))])


def bban_be(rng: Rng) -> str:
    """Account of Belgium: ten digits, and what they leave modulo 97."""
    body = digits(rng, 10)
    return f"{body}{int(body) % 97 or 97:02d}"


def bban_no(rng: Rng) -> str:
    """Account of Norway: ten digits and a check digit (modulus 11)."""
    while True:
        body = digits(rng, 10)
        check = -weighted(body, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
        if check < 10:
            return f"{body}{check}"
