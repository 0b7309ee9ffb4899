"""Sensitive values of people who do not exist, in two styles of format; each knows its data class.

A value is planted when a call carries it as ``Sensitive``: whoever builds the call finds it there, so that no
value is planted without being recorded.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from random import Random


class Sensitive(str):
    """A text that must not leave the gateway's network, with its class as in the event's ``data_classes``."""

    __slots__ = ("data_class",)
    data_class: str

    def __new__(cls, value: str, data_class: str) -> Sensitive:
        text = super().__new__(cls, value)
        text.data_class = data_class
        return text


class SensitiveNumber(int):
    """A sensitive number that travels as a JSON number."""

    data_class: str

    def __new__(cls, value: str, data_class: str) -> SensitiveNumber:
        number = super().__new__(cls, value)
        number.data_class = data_class
        return number


def seeded(*parts: object) -> Random:
    """Return a generator for these parts: reproducible traffic, never a secret."""
    return Random(" ".join(map(str, parts)))  # noqa: S311


@dataclass(frozen=True)
class Formats:
    """How one style writes its values."""

    given: tuple[str, ...]
    family: tuple[str, ...]
    mail_domains: tuple[str, ...]
    mail_shape: str
    card_brands: tuple[tuple[str, int], ...]  # prefix, length: issuer ranges of ISO/IEC 7812
    card_groupings: tuple[str, ...]  # "" bare, " " or "-" between groups
    card_as_number: float  # share sent as a JSON number
    ssn_shapes: tuple[str, ...]
    phone_shapes: tuple[str, ...]  # 0 stands for any digit, 2 for one from 2 to 9
    ibans: tuple[tuple[str, str], ...]  # country, BBAN with 0 for digit and A for letter
    iban_grouped: float
    streets: tuple[str, ...]
    cities: tuple[tuple[str, str], ...]
    password: Callable[[Random], str]


def _train_password(rng: Random) -> str:
    words = ("Tea", "Harbour", "Window", "Orange", "Copper", "Meadow", "Violin", "Pepper")
    return f"{rng.choice(words)}-{rng.choice(words)}-{rng.randrange(1000, 10_000)}!"


def _heldout_password(rng: Random) -> str:
    alphabet = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
    core = "".join(rng.choice(alphabet) for _ in range(rng.randint(9, 15)))
    return rng.choice(('"{}"', "{}\\9", "{}ß§x", "{}&={}", "{} {}", "{}%41")).format(core, core[:3])


TRAIN = Formats(
    given=("Anna", "Björn", "Chloë", "Dieter", "Emily", "François", "Gisela", "Hannah", "Iñigo", "Jürgen", "Kate",
           "Lucía", "Matthew", "Núria", "Oliver", "Paula", "Siobhán", "Thomas", "Úrsula", "William"),
    family=("Müller", "O'Brien", "García", "Schmidt", "Taylor", "D'Angelo", "Weber", "Smith", "Peña", "Wright",
            "Größer", "Martín", "Evans", "Köhler", "Brown"),
    mail_domains=("example.com", "mail.example.com", "post.example.net"),
    mail_shape="{given}.{family}{number}@{domain}",
    card_brands=(("4539", 16), ("4716", 16), ("4024", 16), ("5105", 16), ("5412", 16), ("5578", 16)),
    card_groupings=("", "", " "),
    card_as_number=0.15,
    ssn_shapes=("{area}-{group}-{serial}",),
    phone_shapes=("+1 222-555-0000", "(222) 555-0000", "+49 30 20000000", "+44 20 2000 0000"),
    ibans=(("DE", "000000000000000000"), ("GB", "AAAA00000000000000"), ("FR", "0000000000AAAAAAAAAAA00")),
    iban_grouped=0.3,
    streets=("Lindenstraße", "Baker Street", "Calle Mayor", "Station Road", "Hauptstraße", "Mill Lane"),
    cities=(("München", "DE"), ("London", "GB"), ("Málaga", "ES"), ("Boston", "US"), ("Köln", "DE")),
    password=_train_password,
)  # fmt: skip

HELDOUT = Formats(
    given=("Łukasz", "Şebnem", "Þóra", "Ngọc", "陽子", "Олена", "Zoë", "Małgorzata", "Çağlar", "Eiríkur", "Dmytro",
           "Thị", "健", "Agnieszka", "İpek", "Sigríður"),
    family=("Wójcik", "Yılmaz", "Jónsdóttir", "Nguyễn", "田中", "Шевченко", "Żak", "Öztürk", "D'Souza", "Kowalczyk",
            "佐藤", "Þorsteinsson", "N'Diaye"),
    mail_domains=("example.org", "inbox.example.org", "uni.example.edu"),
    mail_shape="{family}_{given}+shop{number}@{domain}",
    card_brands=(("3782", 15), ("3714", 15), ("6011", 16), ("6445", 16), ("3530", 16), ("2223", 16)),
    card_groupings=("-", " ", ""),
    card_as_number=0.3,
    ssn_shapes=("{area} {group} {serial}", "{area}-{group}-{serial}", "{area}{group}{serial}"),
    phone_shapes=("+48 222 000 000", "+90 522 200 00 00", "+354 222 0000", "+81-3-2000-0000", "222.555.0000"),
    ibans=(("NL", "AAAA0000000000"), ("PL", "000000000000000000000000"), ("SE", "00000000000000000000"),
           ("CH", "00000AAAAAAAAAAAA"), ("ES", "00000000000000000000")),
    iban_grouped=0.7,
    streets=("ul. Długa", "Atatürk Caddesi", "Laugavegur", "青山通り", "вул. Хрещатик", "Nguyễn Huệ"),
    cities=(("Kraków", "PL"), ("İzmir", "TR"), ("Reykjavík", "IS"), ("東京", "JP"), ("Київ", "UA")),
    password=_heldout_password,
)  # fmt: skip


def luhn_digit(digits: str) -> str:
    """Return the check digit that completes ``digits`` (ISO/IEC 7812-1)."""
    total = 0
    for position, character in enumerate(reversed(digits)):
        doubled = int(character) * (2 if position % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return str(-total % 10)


def iban_check(country: str, bban: str) -> str:
    """Return the two check digits of ISO 13616: 98 minus the rearranged number modulo 97."""
    digits = "".join(str(int(character, 36)) for character in f"{bban}{country}00")
    return f"{98 - int(digits) % 97:02d}"


def ascii_of(name: str) -> str:
    """Return lower-case ASCII letters for an address; names in other scripts become their code points."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    letters = "".join(character for character in plain if character.isalnum())
    return letters or "u" + "".join(f"{ord(character):x}" for character in name[:2])


@dataclass(frozen=True)
class Person:
    """One customer's personal data, as the customer types it."""

    full_name: str
    email: Sensitive
    password: Sensitive
    phone: Sensitive
    ssn: Sensitive
    iban: Sensitive
    dob: str
    street: str
    city: str
    country: str
    postcode: str


@dataclass(frozen=True)
class PaymentCard:
    number: Sensitive
    expiry: str
    cvv: str
    as_number: bool


class Values:
    """Draws values in one style."""

    def __init__(self, formats: Formats, rng: Random) -> None:
        self._formats, self._rng = formats, rng

    def _digits(self, shape: str) -> str:
        rng = self._rng
        drawn = {"0": lambda: str(rng.randrange(10)), "2": lambda: str(rng.randint(2, 9))}
        drawn["A"] = lambda: rng.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
        return "".join(drawn[character]() if character in drawn else character for character in shape)

    def _phone(self) -> str:
        """Draw a number; what stands in the shape before the first 0 or 2 of the subscriber part is kept."""
        shape = self._rng.choice(self._formats.phone_shapes)
        if not shape.startswith("+"):
            return self._digits(shape)
        country, _, rest = shape.partition(" " if " " in shape else "-")
        return country + shape[len(country)] + self._digits(rest)

    def card(self) -> PaymentCard:
        rng, formats = self._rng, self._formats
        prefix, length = rng.choice(formats.card_brands)
        digits = prefix + "".join(str(rng.randrange(10)) for _ in range(length - len(prefix) - 1))
        digits += luhn_digit(digits)
        groups = (4, 6, 5) if length == 15 else (4, 4, 4, 4)
        pieces, start = [], 0
        for size in groups:
            pieces.append(digits[start : start + size])
            start += size
        as_number = rng.random() < formats.card_as_number
        text = digits if as_number else rng.choice(formats.card_groupings).join(pieces)
        expiry = f"{rng.randint(1, 12):02d}/{rng.randint(27, 31)}"
        return PaymentCard(Sensitive(text, "pci.pan"), expiry, f"{rng.randrange(100, 1000)}", as_number)

    def ssn(self) -> Sensitive:
        """Draw a number the SSA could have issued: no area 000, 666 or 9xx, no group 00, no serial 0000."""
        rng = self._rng
        area = rng.choice([number for number in range(100, 900) if number != 666])
        shape = rng.choice(self._formats.ssn_shapes)
        text = shape.format(area=area, group=f"{rng.randint(1, 99):02d}", serial=f"{rng.randint(1, 9999):04d}")
        return Sensitive(text, "pii.ssn")

    def iban(self) -> Sensitive:
        country, shape = self._rng.choice(self._formats.ibans)
        bban = self._digits(shape)
        text = f"{country}{iban_check(country, bban)}{bban}"
        if self._rng.random() < self._formats.iban_grouped:
            text = " ".join(text[start : start + 4] for start in range(0, len(text), 4))
        return Sensitive(text, "fin.iban")

    def person(self, number: int) -> Person:
        """Draw a person; ``number`` makes the e-mail address unique within a run."""
        rng, formats = self._rng, self._formats
        given, family = rng.choice(formats.given), rng.choice(formats.family)
        email = formats.mail_shape.format(
            given=ascii_of(given), family=ascii_of(family), number=number, domain=rng.choice(formats.mail_domains)
        )
        city, country = rng.choice(formats.cities)
        return Person(
            full_name=f"{given} {family}",
            email=Sensitive(email, "pii.email"),
            password=Sensitive(formats.password(rng), "secret.password"),
            phone=Sensitive(self._phone(), "pii.phone"),
            ssn=self.ssn(),
            iban=self.iban(),
            dob=f"{rng.randint(1945, 2007)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}",
            street=f"{rng.choice(formats.streets)} {rng.randint(1, 180)}",
            city=city,
            country=country,
            postcode=f"{rng.randrange(10_000, 99_999)}",
        )
