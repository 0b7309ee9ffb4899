"""Makers of numbers that only the examination plants, each valid by the rule of its issuer."""

from __future__ import annotations

import base64
import datetime
import hashlib
import json

from benchmarks.corpus import national
from benchmarks.corpus.checks import Rng, digits, iban, letters, luhn, mod11_10, weighted
from benchmarks.corpus.split import Make
from benchmarks.corpus.values import ALNUM, TextMaker, pattern

# Layouts of a BBAN as `pattern` fills them (SWIFT's registry of IBAN).
BBAN = {
    "HU": "9" * 24, "HR": "9" * 17, "GR": "9" * 23, "RO": "AAAA" + "9" * 16, "SK": "9" * 20, "SI": "9" * 15,
    "LV": "AAAA" + "9" * 13, "EE": "9" * 16, "BG": "AAAA" + "9" * 14, "TR": "9" * 5 + "0" + "9" * 16, "AE": "9" * 19,
    "IL": "9" * 19, "IS": "9" * 22, "CY": "9" * 24, "QA": "AAAA" + "9" * 20 + "A", "KW": "AAAA" + "9" * 22,
    "BR": "9" * 23 + "C1",
}  # fmt: skip


def iban_from(country: str) -> TextMaker:
    fill = pattern(BBAN[country])
    return lambda rng: iban(country, fill(rng))


def hr(rng: Rng) -> str:
    """OIB: ISO 7064 mod 11, 10."""
    return mod11_10(digits(rng, 10))


def il(rng: Rng) -> str:
    return luhn(digits(rng, 8, "0123"))


def tw(rng: Rng) -> str:
    """A letter that stands for two digits, sex, seven digits, and the check digit."""
    order = "ABCDEFGHJKLMNPQRSTUVXYWZIO"
    head, body = rng.choice("ABCDEFGH"), rng.choice("12") + digits(rng, 7)
    code = order.index(head) + 10
    total = code // 10 + code % 10 * 9 + weighted(body, (8, 7, 6, 5, 4, 3, 2, 1))
    return f"{head}{body}{-total % 10}"


def ar(rng: Rng) -> str:
    """CUIL: modulus 11; a check of 10 makes the issuer choose another prefix, and is left out."""
    while True:
        body = rng.choice(("20", "27")) + digits(rng, 8, "1234")
        check = -weighted(body, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
        if check < 10:
            return f"{body}{check}"


def ec(rng: Rng) -> str:
    """Cédula: province, a digit below six, six digits, and the check digit of Luhn."""
    return luhn(f"{rng.randint(1, 24):02d}{rng.randint(0, 5)}{digits(rng, 6)}")


def gr(rng: Rng) -> str:
    """AMKA: day of birth and the check digit of Luhn."""
    return luhn(f"{national.born(rng):%d%m%y}{digits(rng, 4)}")


def iceland(rng: Rng) -> str:
    while True:
        body = f"{national.born(rng):%d%m%y}{rng.randint(20, 99)}"
        check = -weighted(body, (3, 2, 7, 6, 5, 4, 3, 2)) % 11
        if check < 10:
            return f"{body}{check}9"


def jp(rng: Rng) -> str:
    """Individual Number: eleven digits and the check digit of the ministry's order of 2014."""
    body = digits(rng, 11)
    rest = weighted(body, (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    return body + str(0 if rest <= 1 else 11 - rest)


def my(rng: Rng) -> str:
    """MyKad: day of birth, state of birth, four digits; no check digit."""
    return f"{national.born(rng):%y%m%d}{rng.randint(1, 16):02d}{digits(rng, 4)}"


def at(rng: Rng) -> str:
    """Sozialversicherungsnummer: three digits, check digit, day of birth."""
    while True:
        serial, day = digits(rng, 3, "123456789"), f"{national.born(rng):%d%m%y}"
        check = weighted(serial + day, (3, 7, 9, 5, 8, 4, 2, 1, 6)) % 11
        if check < 10:
            return f"{serial}{check}{day}"


def fi(rng: Rng) -> str:
    """Henkilötunnus of who was born after 1999: A between day and number."""
    day = datetime.date(2000, 1, 1) + datetime.timedelta(days=rng.randrange(2500))
    number = f"{rng.randint(2, 899):03d}"
    return f"{day:%d%m%y}A{number}{'0123456789ABCDEFHJKLMNPRSTUVWXY'[int(f'{day:%d%m%y}{number}') % 31]}"


def sg_foreigner(rng: Rng) -> str:
    head, body = rng.choice("FG"), digits(rng, 7)
    total = weighted(body, (2, 7, 6, 5, 4, 3, 2)) + (4 if head == "G" else 0)
    return head + body + "XWUTRQPNMLK"[total % 11]


def ie_letters(rng: Rng) -> str:
    """PPSN with a second letter, which counts nine times (A is 1)."""
    body, second = digits(rng, 7), rng.choice("AB")
    total = weighted(body, range(8, 1, -1)) + 9 * " AB".index(second)
    return body + "WABCDEFGHIJKLMNOPQRSTUV"[total % 23] + second


def cnpj(rng: Rng) -> str:
    body = digits(rng, 8, "123456789") + "0001"
    for weights in ((5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2), (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)):
        rest = weighted(body, weights) % 11
        body += str(0 if rest < 2 else 11 - rest)
    return body


def abn(rng: Rng) -> str:
    """Australian Business Number: 89 divides the weighted sum once the first digit is less by one; it starts at 11."""
    weights = (10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19)
    while True:
        body = digits(rng, 11, "123456789")
        if int(body[:2]) > 10 and weighted(str(int(body[0]) - 1) + body[1:], weights) % 89 == 0:
            return body


def vat_at(rng: Rng) -> str:
    body = digits(rng, 7)
    total = sum(sum(map(int, str(int(c) * (2 if i % 2 else 1)))) for i, c in enumerate(body))
    return f"ATU{body}{(96 - total) % 10}"


def kvnr(rng: Rng) -> str:
    """Krankenversichertennummer: a letter as two digits, eight digits, and a check digit (weights 1 and 2)."""
    head, body = letters(rng, 1), digits(rng, 8)
    spelled = f"{ord(head) - 64:02d}{body}"
    total = sum(sum(map(int, str(int(c) * (2 if i % 2 else 1)))) for i, c in enumerate(spelled))
    return f"{head}{body}{total % 10}"


_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def bitcoin(rng: Rng) -> str:
    """An address that pays to a public key's hash: Base58Check of version 0 and 20 bytes."""
    payload = b"\0" + rng.randbytes(20)
    whole = payload + hashlib.sha256(hashlib.sha256(payload).digest()).digest()[:4]
    number, text = int.from_bytes(whole, "big"), ""
    while number:
        number, rest = divmod(number, 58)
        text = _BASE58[rest] + text
    return "1" * (len(whole) - len(whole.lstrip(b"\0"))) + text


def _polymod(values: list[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= generator if top >> bit & 1 else 0
    return check


def segwit(rng: Rng) -> str:
    """An address of a witness program of version 0 and 20 bytes (BIP 173)."""
    program = [0] + [rng.randrange(32) for _ in range(32)]
    check = _polymod([3, 3, 0, 2, 3, *program, 0, 0, 0, 0, 0, 0]) ^ 1
    return "bc1" + "".join(_BECH32[v] for v in program + [check >> 5 * (5 - i) & 31 for i in range(6)])


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def jose(header: dict[str, str], sizes: tuple[int, ...], claims: bool) -> Make:
    """A compact JWS or JWE: header, claims in a JWS, and random parts of so many bytes (RFC 7515, 7516)."""

    def make(rng: Rng) -> str:
        parts = [json.dumps({**header, "kid": letters(rng, 6, ALNUM)}).encode()]
        if claims:
            exp = rng.randint(1_790_000_000, 1_890_000_000)
            said = {"iss": "https://login.invalid", "sub": letters(rng, 14, ALNUM), "exp": exp}
            parts.append(json.dumps(said).encode())
        return ".".join(_encoded(part) for part in [*parts, *(rng.randbytes(size) for size in sizes)])

    return make
