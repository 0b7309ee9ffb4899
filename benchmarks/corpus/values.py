"""Makers of values, by issuer and layout; which split uses which of them stands in the splits."""

from __future__ import annotations

import base64
import datetime
import json
import string
import uuid
from collections.abc import Callable, Sequence

from benchmarks.corpus import national
from benchmarks.corpus.checks import Rng, digits, iban, letters, luhn
from benchmarks.corpus.split import Format, Make, Value

TextMaker = Callable[[Rng], str]

HEX = "0123456789abcdef"
ALNUM = string.ascii_letters + string.digits
BASE36 = string.ascii_lowercase + string.digits

# Issuer ranges: ISO/IEC 7812 and the schemes' own documents. Prefixes and lengths.
BRANDS = {
    "visa": (("4",), 16),
    "visa13": (("4",), 13),
    "visa19": (("4",), 19),
    "mastercard": (("51", "52", "53", "54", "55"), 16),
    "mastercard2": (("2221", "2345", "2500", "2699", "2719"), 16),
    "amex": (("34", "37"), 15),
    "discover": (("6011", "644", "65"), 16),
    "diners": (("300", "305", "36", "38"), 14),
    "jcb": (("3528", "3555", "3589"), 16),
    "unionpay": (("622126", "624", "628200"), 16),
    "maestro": (("5018", "5020", "6304", "6759"), 16),
    "elo": (("506699", "650031", "509000"), 16),
    "mir": (("2200", "2202", "2204"), 16),
    "rupay": (("6521", "6522", "8172"), 16),
}


def card(brand: str) -> TextMaker:
    prefixes, length = BRANDS[brand]

    def make(rng: Rng) -> str:
        prefix = rng.choice(prefixes)
        return luhn(prefix + digits(rng, length - 1 - len(prefix)))

    return make


# Layout of a BBAN: n digits, a capitals, c both (SWIFT's registry of IBAN).
BBAN = {
    "DE": "18n", "GB": "4a14n", "FR": "10n11n2n", "ES": "20n", "NL": "4a10n", "IT": "1a22n", "CH": "5n12n",
    "BE": "12n", "PL": "24n", "NO": "11n", "SE": "20n", "AT": "16n", "PT": "21n", "DK": "14n", "FI": "14n",
    "IE": "4a14n", "LT": "16n", "MT": "4a5n18c", "CZ": "20n", "SA": "2n18c", "LU": "3n13c",
}  # fmt: skip


def iban_of(country: str) -> TextMaker:
    def make(rng: Rng) -> str:
        body, count = "", ""
        for sign in BBAN[country]:
            if sign.isdigit():
                count += sign
                continue
            alphabet = {"n": string.digits, "a": string.ascii_uppercase, "c": string.digits + string.ascii_uppercase}
            body, count = body + letters(rng, int(count), alphabet[sign]), ""
        return iban(country, body)

    return make


def shaped(make: TextMaker, shape: str) -> TextMaker:
    """Put a value's characters in the places of 9 in a shape: ``99.999.999-9``."""

    def laid(rng: Rng) -> str:
        signs = iter(make(rng))
        return "".join(next(signs) if sign == "9" else sign for sign in shape)

    return laid


def number(make: TextMaker) -> Make:
    """A value that JSON writes as a number."""
    return lambda rng: int(make(rng))


def fours(make: TextMaker, separator: str = " ") -> Make:
    def spaced(rng: Rng) -> str:
        value = make(rng)
        return separator.join(value[i : i + 4] for i in range(0, len(value), 4))

    return spaced


def pick(*values: str) -> TextMaker:
    return lambda rng: rng.choice(values)


def pattern(shape: str, capitals: str = string.ascii_uppercase) -> TextMaker:
    """Fill a shape: 9 a digit, A a capital, a a small letter, h a hex digit, x of letters and digits, \\ the next."""
    alphabets = {"9": string.digits, "A": capitals, "a": string.ascii_lowercase, "h": HEX, "x": ALNUM}

    def make(rng: Rng) -> str:
        out, literal = [], False
        for sign in shape:
            if literal or sign not in alphabets:
                literal = sign == "\\" and not literal
                if not literal:
                    out.append(sign)
            else:
                out.append(rng.choice(alphabets[sign]))
        return "".join(out)

    return make


def random_text(prefix: str, count: int, alphabet: str = ALNUM, suffix: str = "") -> TextMaker:
    return lambda rng: prefix + "".join(rng.choices(alphabet, k=count)) + suffix


def birthday(layout: str) -> Make:
    return lambda rng: national.born(rng).strftime(layout)


def joined(*parts: TextMaker | str) -> TextMaker:
    """Put texts and what makers make one behind the other."""
    return lambda rng: "".join(part if isinstance(part, str) else part(rng) for part in parts)


def moment(rng: Rng) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(rng.randint(1_690_000_000, 1_790_000_000), datetime.UTC)


def decimal(low: float, high: float, places: int) -> Make:
    return lambda rng: round(rng.uniform(low, high), places)


def whole(low: int, high: int) -> Make:
    return lambda rng: rng.randint(low, high)


def identifier(rng: Rng) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def _part(document: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(document, separators=(",", ":")).encode()).decode().rstrip("=")


def jwt(algorithm: str, claims: Sequence[str]) -> Make:
    def make(rng: Rng) -> str:
        values: dict[str, Value] = {"sub": digits(rng, 9), "iat": rng.randint(1_690_000_000, 1_790_000_000)}
        values.update({name: letters(rng, 12, BASE36) for name in claims})
        size = {"HS256": 32, "RS256": 256, "ES256": 64}[algorithm]
        signature = base64.urlsafe_b64encode(rng.randbytes(size)).decode().rstrip("=")
        return f"{_part({'alg': algorithm, 'typ': 'JWT'})}.{_part(values)}.{signature}"

    return make


def pem(label: str, size: int) -> Make:
    def make(rng: Rng) -> str:
        text = base64.b64encode(rng.randbytes(size)).decode()
        lines = "\n".join(text[i : i + 64] for i in range(0, len(text), 64))
        return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----"

    return make


def formats(
    data_class: str, *listed: tuple[str, Make], bare: bool = False, accept: tuple[str, ...] = ()
) -> tuple[Format, ...]:
    """Make the formats of one class from pairs of key and maker."""
    return tuple(Format(f"{data_class}:{key}", make, data_class, bare, accept) for key, make in listed)
