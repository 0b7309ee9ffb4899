"""The split that may be looked at while detectors are written."""

from __future__ import annotations

import string

from benchmarks.corpus import national
from benchmarks.corpus.checks import aba, digits, ean, letters, luhn, vin
from benchmarks.corpus.split import Format, Negative, load
from benchmarks.corpus.values import (
    BASE36,
    HEX,
    birthday,
    card,
    decimal,
    formats,
    fours,
    iban_of,
    identifier,
    joined,
    jwt,
    moment,
    number,
    pattern,
    pem,
    pick,
    random_text,
    shaped,
    whole,
)

FIRST = ("Alice", "Robert", "Maria", "James", "Linda", "Peter", "Susan", "David", "Karen", "Thomas")
LAST = ("Johnson", "Miller", "Smith", "Brown", "Wilson", "Taylor", "Anderson", "Clark", "Walker", "Hughes")
WORDS = ("blue", "cotton", "shirt", "standard", "parcel", "carrier", "gift", "large", "express", "summer")

_CARDS = (
    *formats(
        "pci.pan",
        ("visa plain", card("visa")),
        ("mastercard spaced", fours(card("mastercard"))),
        ("amex plain", card("amex")),
        ("discover dashed", fours(card("discover"), "-")),
        bare=True,
    ),
    *formats("pci.pan", ("visa number", number(card("visa"))), ("mastercard plain", card("mastercard"))),
)

KEY = ("secret.api_key", "secret.token")  # another vendor's, or by its name: right too, not exact

FORMATS: dict[str, tuple[Format, ...]] = {
    "pci.pan": _CARDS,
    "pci.cvv": formats("pci.cvv", ("3 text", pattern("999"))),
    "pci.expiry": formats("pci.expiry", ("mm/yy", lambda rng: f"{rng.randint(1, 12):02d}/{rng.randint(26, 33)}")),
    "pii.ssn": formats(
        "pii.ssn",
        ("plain", national.us_ssn),
        ("number", lambda rng: rng.randint(101, 665) * 10**6 + rng.randint(10, 99) * 10**4 + rng.randint(1, 9999)),
    ),
    "pii.national_id": (
        *formats("pii.national_id.gb", ("plain", national.gb)),
        *formats("pii.national_id.de", ("plain", national.de)),
        *formats("pii.national_id.fr", ("plain", national.fr)),
        *formats("pii.national_id.es", ("dni plain", national.es)),
        *formats("pii.national_id.br", ("cpf plain", national.br)),
        *formats("pii.national_id.pl", ("plain", national.pl)),
        *formats("pii.national_id.in", ("aadhaar spaced", shaped(national.in_aadhaar, "9999 9999 9999"))),
        *formats("pii.national_id.ca", ("spaced", shaped(national.ca, "999 999 999"))),
        *formats("pii.national_id.se", ("dashed", shaped(national.se, "999999-9999"))),
    ),
    "fin.iban": formats(
        "fin.iban",
        ("DE plain", iban_of("DE")),
        ("GB spaced", fours(iban_of("GB"))),
        ("FR plain", iban_of("FR")),
        ("ES spaced", fours(iban_of("ES"))),
        ("NL plain", iban_of("NL")),
        bare=True,
    ),
    "fin.routing": formats(
        "fin.routing",
        ("text", lambda rng: aba(rng.choice(("02", "11", "31")) + digits(rng, 6))),
        accept=("fin.account",),
    ),
    "fin.account": formats("fin.account", ("10 digits", lambda rng: digits(rng, 10, "123456789"))),
    "fin.bic": formats(
        "fin.bic", ("8", lambda rng: pattern("AAAA")(rng) + rng.choice(("DE", "GB", "FR")) + letters(rng, 2, "ADFMP"))
    ),
    "pii.email": formats(
        "pii.email",
        (
            "plain",
            joined(
                pick(*map(str.lower, FIRST)),
                ".",
                pick(*map(str.lower, LAST)),
                pattern("999"),
                pick("@gmail.com", "@mail.example.com", "@corp.example.org"),
            ),
        ),
        bare=True,
    ),
    "pii.phone": (
        *formats(
            "pii.phone",
            ("us e164", lambda rng: f"+1{rng.choice(('212', '415', '312'))}555{digits(rng, 4)}"),
            ("gb international", lambda rng: f"+44 20 7946 0{digits(rng, 3)}"),
            bare=True,
        ),
        *formats(
            "pii.phone", ("us brackets", lambda rng: f"({rng.choice(('212', '415', '312'))}) 555-{digits(rng, 4)}")
        ),
    ),
    "pii.name": formats(
        "pii.name",
        ("first last", lambda rng: f"{rng.choice(FIRST)} {rng.choice(LAST)}"),
        ("one word with digits, of a test system", lambda rng: f"test{digits(rng, 3)}"),
        (
            "three of a script without capitals",
            lambda rng: "".join(rng.sample("王李张刘陈杨黄赵周吴伟芳娜敏静丽强磊军洋", 3)),
        ),
        (
            "two words of another alphabet",
            lambda rng: f"{rng.choice(('Олена', 'Ирина', 'Тарас'))} {rng.choice(('Коваль', 'Бондар'))}",
        ),
    ),
    "pii.address": formats(
        "pii.address",
        (
            "us",
            lambda rng: (
                f"{rng.randint(1, 999)} {rng.choice(('Main', 'Oak', 'Elm'))} {rng.choice(('Street', 'Avenue'))}"
            ),
        ),
    ),
    "pii.postcode": formats(
        "pii.postcode",
        ("us5", lambda rng: digits(rng, 5, "123456789")),
        ("of no country", pattern("9AA9A9")),
        accept=("pii.address",),
    ),
    "pii.dob": formats("pii.dob", ("iso", birthday("%Y-%m-%d")), ("us", birthday("%m/%d/%Y"))),
    "pii.passport": formats(
        "pii.passport", ("9 digits", lambda rng: digits(rng, 9, "123456789")), accept=("pii.national_id",)
    ),
    "pii.driving_licence": formats(
        "pii.driving_licence", ("letter and 7", pattern("A9999999")), accept=("pii.national_id",)
    ),
    "pii.location": formats("pii.location", ("decimal 4", decimal(-80, 80, 4))),
    "pii.vehicle": formats(
        "pii.vehicle",
        ("vin of honda", lambda rng: vin("1HGCM826" + digits(rng, 1) + letters(rng, 1, "ABCEFGH") + digits(rng, 6))),
    ),
    "device.imei": formats("device.imei", ("plain", lambda rng: luhn("35" + digits(rng, 12)))),
    "device.mac": formats("device.mac", ("colons", pattern("hh:hh:hh:hh:hh:hh"))),
    "device.id": formats("device.id", ("uuid", identifier)),
    "health.npi": formats("health.npi", ("plain", lambda rng: luhn("80840" + "1" + digits(rng, 8))[5:])),
    "health.mrn": formats("health.mrn", ("7 digits", lambda rng: digits(rng, 7, "123456789"))),
    "health.nhs": formats("health.nhs", ("plain", national.nhs)),
    "health.diagnosis": formats(
        "health.diagnosis", ("icd", lambda rng: f"{rng.choice('EFIJ')}{rng.randint(10, 69)}.{rng.randint(0, 9)}")
    ),
    "fin.crypto": formats("fin.crypto", ("ethereum", random_text("0x", 40, HEX))),
    "fin.tax_id": formats("fin.tax_id", ("ein", pattern("99-9999999")), accept=("pii.national_id",)),
    "secret.password": formats(
        "secret.password",
        ("word and digits", lambda rng: f"{rng.choice(WORDS).title()}{digits(rng, 3)}!"),
        ("random 12", random_text("", 12)),
        ("phrase of four words", lambda rng: " ".join(rng.sample(WORDS, 4))),
    ),
    "secret.otp": formats(
        "secret.otp", ("6 digits", lambda rng: digits(rng, 6)), accept=("secret.token", "secret.password")
    ),
    "secret.session": formats("secret.session", ("hex 32", random_text("", 32, HEX)), accept=("secret.token",)),
    "secret.token": formats(
        "secret.token",
        ("base36 40", random_text("", 40, BASE36)),
        ("three parts of letters", lambda rng: ".".join(letters(rng, 3, string.ascii_lowercase) for _ in range(3))),
        accept=("secret.bearer", "secret.session", "secret.api_key"),
    ),
    "secret.api_key": (
        *formats("secret.api_key", ("hex 40", random_text("", 40, HEX)), accept=KEY),
        *formats(
            "secret.api_key.aws",
            ("access key", lambda rng: "AKIA" + "".join(rng.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=16))),
            bare=True,
            accept=KEY,
        ),
        *formats(
            "secret.api_key.github",
            ("ghp", random_text("ghp_", 36)),
            bare=True,
            accept=KEY,
        ),
        *formats(
            "secret.api_key.stripe",
            ("live", random_text("sk_live_", 24)),
            bare=True,
            accept=KEY,
        ),
        *formats(
            "secret.api_key.google",
            ("api", random_text("AIza", 35)),
            bare=True,
            accept=KEY,
        ),
        *formats(
            "secret.api_key.slack",
            (
                "bot",
                lambda rng: (
                    f"xoxb-{digits(rng, 12, '123456789')}-{digits(rng, 12, '123456789')}-{random_text('', 24)(rng)}"
                ),
            ),
            bare=True,
            accept=KEY,
        ),
    ),
    "secret.jwt": formats("secret.jwt", ("HS256", jwt("HS256", ("jti",))), bare=True, accept=("secret.session",)),
    "secret.private_key": formats("secret.private_key", ("rsa", pem("RSA PRIVATE KEY", 600)), bare=True),
}


NEGATIVES: tuple[Negative, ...] = (
    Negative("order passing luhn", "order id", lambda rng: luhn("4" + digits(rng, 14)), ("pci.pan",)),
    Negative("invoice 10", "invoice number", lambda rng: digits(rng, 10, "123456789"), ("*",)),
    Negative("ean13", "ean", lambda rng: ean("40" + digits(rng, 10)), ("*",)),
    Negative("epoch seconds", "timestamp", whole(1_690_000_000, 1_790_000_000), ("*",)),
    Negative("iso time", "created at", lambda rng: moment(rng).isoformat()),
    Negative("uuid", "request id", identifier),
    Negative("uuid id", "id", identifier),
    Negative("md5", "checksum", random_text("", 32, HEX)),
    Negative("sha256", "sha256", random_text("", 64, HEX)),
    Negative("version", "version", pattern("9.9.99")),
    Negative("price", "price", decimal(1, 5000, 2)),
    Negative("total", "total amount", decimal(1, 5000, 2)),
    Negative("sku", "sku", pattern("SKU-99999")),
    Negative("ups", "tracking number", lambda rng: "1Z" + pattern("AAA999")(rng) + digits(rng, 10), ("*",)),
    Negative("words", "description", lambda rng: " ".join(rng.choices(WORDS, k=5))),
    Negative("word passenger", "passenger count", whole(1, 9)),
    Negative("last four", "last4", lambda rng: digits(rng, 4)),
    Negative("expires", "expires in", whole(60, 86400)),
    Negative("count", "quantity", whole(1, 50)),
    # under names that say nothing: numbers as long as a card's that are none
    Negative("time and serial", "outcome", lambda rng: moment(rng).strftime("%y%m%d%H%M%S") + digits(rng, 4), ("*",)),
    Negative("day first and serial", "remark", lambda rng: moment(rng).strftime("%d%m%Y") + digits(rng, 8), ("*",)),
    Negative("epoch milliseconds", "marker", whole(1_690_000_000_000, 1_790_000_000_000), ("*",)),
    Negative("epoch nanoseconds", "sign", whole(169 * 10**16, 179 * 10**16), ("*",)),
    Negative("snowflake", "outcome", whole(10**18, 18 * 10**17), ("*",)),
    Negative("member of a social network", "remark", lambda rng: luhn("1000" + digits(rng, 10)), ("*",)),
    Negative("13 of visa's range", "marker", lambda rng: luhn("4" + digits(rng, 11)), ("*",)),
    Negative("sscc", "sign", lambda rng: ean("3" + digits(rng, 16)), ("*",)),
)

SPLIT = load("development", 1811, FORMATS, NEGATIVES)
