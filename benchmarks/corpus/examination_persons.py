"""Formats of the examination that concern persons and their health."""

from __future__ import annotations

from benchmarks.corpus import national
from benchmarks.corpus.checks import digits, letters, luhn, vin, weighted
from benchmarks.corpus.split import Format
from benchmarks.corpus.values import birthday, decimal, formats, joined, number, pattern, pick, shaped

FIRST = ("Siobhán", "Mateus", "Ingrid", "Kwame", "Yuki", "François", "Agnieszka", "Dmitri", "Priya", "Jürgen", "Fatima")
LAST = ("O'Connor", "Nakamura", "Lindqvist", "Mensah", "Kowalczyk", "Müller", "da Silva", "Petrov", "Iyer", "Al-Farsi")
NOUNS = ("harbour", "lantern", "granite", "willow", "copper", "meadow", "saffron", "quartz", "ember", "thistle")
BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def _ascii(text: str) -> str:
    import unicodedata

    folded = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return "".join(c for c in folded if c.isalpha()).lower()


def _dea(rng: object) -> str:
    import random

    assert isinstance(rng, random.Random)
    body = digits(rng, 6)
    check = (weighted(body[::2], (1, 1, 1)) + 2 * weighted(body[1::2], (1, 1, 1))) % 10
    return f"{rng.choice('ABFM')}{letters(rng, 1)}{body}{check}"


PERSONS: dict[str, tuple[Format, ...]] = {
    "pii.ssn": (
        *formats("pii.ssn", ("dashed", shaped(national.us_ssn, "999-99-9999")), bare=True),
        *formats("pii.ssn", ("spaced", shaped(national.us_ssn, "999 99 9999"))),
    ),
    "pii.itin": formats(
        "pii.itin", ("dashed", shaped(national.us_itin, "999-99-9999")), accept=("pii.national_id", "pii.ssn")
    ),
    "pii.national_id": (
        *formats("pii.national_id.gb", ("spaced", shaped(national.gb, "99 99 99 99 9"))),
        *formats("pii.national_id.de", ("spaced", shaped(national.de, "99 999 999 999"))),
        *formats("pii.national_id.fr", ("spaced", shaped(national.fr, "9 99 99 99 999 999 99"))),
        *formats("pii.national_id.es", ("nie", national.es_nie), ("dni dashed", shaped(national.es, "99999999-9"))),
        *formats("pii.national_id.it", ("plain", national.it)),
        *formats(
            "pii.national_id.br",
            ("cpf dotted", shaped(national.br, "999.999.999-99")),
        ),
        *formats("pii.national_id.in", ("aadhaar plain", national.in_aadhaar)),
        *formats("pii.national_id.ca", ("dashed", shaped(national.ca, "999-999-999"))),
        *formats("pii.national_id.se", ("century", lambda rng: "19" + national.se(rng))),
        *formats("pii.national_id.nl", ("plain", national.nl)),
        *formats("pii.national_id.tr", ("plain", national.tr)),
        *formats("pii.national_id.pt", ("plain", national.pt)),
        *formats("pii.national_id.fi", ("dashed", national.fi)),
        *formats("pii.national_id.no", ("plain", national.no)),
        *formats("pii.national_id.dk", ("dashed", shaped(national.dk, "999999-9999"))),
        *formats(
            "pii.national_id.be",
            ("dotted", shaped(national.be, "99.99.99-999.99")),
        ),
        *formats("pii.national_id.cz", ("slash", shaped(national.cz, "999999/9999"))),
        *formats("pii.national_id.ro", ("plain", national.ro)),
        *formats("pii.national_id.bg", ("plain", national.bg)),
        *formats(
            "pii.national_id.cl",
            ("dotted", shaped(national.cl, "99.999.999-9")),
        ),
        *formats("pii.national_id.mx", ("curp", national.mx)),
        *formats("pii.national_id.za", ("plain", national.za)),
        *formats("pii.national_id.kr", ("dashed", shaped(national.kr, "999999-9999999"))),
        *formats("pii.national_id.cn", ("plain", national.cn)),
        *formats("pii.national_id.sg", ("plain", national.sg)),
        *formats("pii.national_id.hk", ("brackets", national.hk)),
        *formats("pii.national_id.au", ("tfn spaced", shaped(national.au, "999 999 999"))),
        *formats(
            "pii.national_id.ch",
            ("dotted", shaped(national.ch, "999.9999.9999.99")),
        ),
        *formats("pii.national_id.ee", ("plain", national.ee)),
        *formats("pii.national_id.ie", ("plain", national.ie)),
        *formats("pii.national_id.th", ("plain", national.th)),
    ),
    "pii.email": formats(
        "pii.email",
        ("tag", lambda rng: f"{_ascii(rng.choice(FIRST))}+{rng.choice(NOUNS)}@{rng.choice(NOUNS)}.technology"),
        ("subdomains", lambda rng: f"{_ascii(rng.choice(LAST))}_{rng.randint(1, 99)}@mx.{rng.choice(NOUNS)}.co.uk"),
        (
            "upper",
            lambda rng: (
                f"{_ascii(rng.choice(FIRST)).upper()}.{_ascii(rng.choice(LAST)).upper()}@{rng.choice(NOUNS).upper()}.COM"
            ),
        ),
        ("short", lambda rng: f"{rng.choice('abcdefgh')}{rng.randint(10, 99)}@{rng.choice(NOUNS)}.io"),
        ("dashed domain", lambda rng: f"{_ascii(rng.choice(FIRST))}@{rng.choice(NOUNS)}-{rng.choice(NOUNS)}.fr"),
        bare=True,
    ),
    "pii.phone": (
        *formats(
            "pii.phone",
            ("de international", lambda rng: f"+49 30 {digits(rng, 7, '23456789')}"),
            (
                "fr dots",
                lambda rng: (
                    f"+33.1.{rng.randint(40, 49)}.{rng.randint(10, 99)}.{rng.randint(10, 99)}.{rng.randint(10, 99)}"
                ),
            ),
            ("br e164", lambda rng: f"+55119{digits(rng, 8, '6789')}"),
            ("in e164 spaced", lambda rng: f"+91 9{digits(rng, 4)} {digits(rng, 5)}"),
            ("us plus brackets", lambda rng: f"+1 (503) 555-{digits(rng, 4)}"),
            bare=True,
        ),
        *formats(
            "pii.phone",
            ("us dashed", lambda rng: f"617-555-{digits(rng, 4)}"),
            ("us dots", lambda rng: f"206.555.{digits(rng, 4)}"),
            ("gb national", lambda rng: f"07700 900{digits(rng, 3)}"),
            ("double zero", lambda rng: f"0043 1 {digits(rng, 7, '23456789')}"),
            ("number", lambda rng: int(f"1503555{digits(rng, 4)}")),
            ("extension", lambda rng: f"617-555-{digits(rng, 4)} x{digits(rng, 3)}"),
        ),
    ),
    "pii.name": formats(
        "pii.name",
        ("diacritics", lambda rng: f"{rng.choice(FIRST)} {rng.choice(LAST)}"),
        ("last comma first", lambda rng: f"{rng.choice(LAST)}, {rng.choice(FIRST)}"),
        ("upper", lambda rng: f"{_ascii(rng.choice(FIRST)).upper()} {_ascii(rng.choice(LAST)).upper()}"),
        ("han", pick("王小明", "佐藤花子", "김민수", "陳大文")),
        ("title", lambda rng: f"Dr. {rng.choice(FIRST)} M. {rng.choice(LAST)}"),
    ),
    "pii.address": formats(
        "pii.address",
        ("de", lambda rng: f"{rng.choice(('Lindenstraße', 'Am Markt', 'Goethestr.'))} {rng.randint(1, 140)}"),
        (
            "gb flat",
            lambda rng: f"Flat {rng.randint(1, 30)}, {rng.randint(1, 90)} {rng.choice(('Kings Road', 'Mill Lane'))}",
        ),
        ("es", lambda rng: f"Calle de Alcalá {rng.randint(1, 200)}, {rng.randint(1, 9)}º B"),
        ("po box", lambda rng: f"P.O. Box {digits(rng, 4, '123456789')}"),
        ("fr", lambda rng: f"{rng.randint(1, 90)} bis, rue de la Paix"),
    ),
    "pii.postcode": formats(
        "pii.postcode",
        (
            "gb",
            joined(pick("SW4", "EC1", "M16", "LS9"), " ", pattern("9AA", "ABDEFGH")),
        ),
        ("us9", pattern("99999-9999")),
        ("ca", lambda rng: pattern("A9A 9A9")(rng)),
        accept=("pii.address",),
    ),
    "pii.dob": formats(
        "pii.dob",
        ("de", birthday("%d.%m.%Y")),
        ("compact", birthday("%Y%m%d")),
        ("words", birthday("%d %B %Y")),
        ("iso time", birthday("%Y-%m-%dT00:00:00Z")),
        ("slashes day first", birthday("%d/%m/%y")),
    ),
    "pii.passport": formats(
        "pii.passport",
        ("de", lambda rng: rng.choice("CFGHJK") + pattern("9A9A99")(rng) + digits(rng, 2)),
        ("letter 8", pattern("A99999999")),
        ("two letters", pattern("AA9999999")),
        accept=("pii.national_id",),
    ),
    "pii.driving_licence": formats(
        "pii.driving_licence",
        ("gb", lambda rng: f"{letters(rng, 5)}{digits(rng, 6)}{letters(rng, 2)}9{letters(rng, 2)}"),
        ("8 digits", lambda rng: digits(rng, 8, "123456789")),
        accept=("pii.national_id",),
    ),
    "pii.location": formats(
        "pii.location",
        ("decimal 6", decimal(-80, 80, 6)),
        ("pair", lambda rng: f"{rng.uniform(-80, 80):.5f},{rng.uniform(-170, 170):.5f}"),
        ("text", lambda rng: f"{rng.uniform(-80, 80):.7f}"),
    ),
    "pii.vehicle": formats(
        "pii.vehicle",
        (
            "vin of bmw",
            lambda rng: vin(
                "WBA" + letters(rng, 1, "ABCEH") + digits(rng, 4) + letters(rng, 1, "ABCEH") + "K" + digits(rng, 6)
            ),
        ),
    ),
    "health.npi": formats("health.npi", ("second range", lambda rng: luhn("80840" + "2" + digits(rng, 8))[5:])),
    "health.dea": formats("health.dea", ("plain", lambda rng: _dea(rng))),
    "health.mbi": formats("health.mbi", ("dashed", joined(pick(*"123456789"), pattern("AA9-AA9-AA99", "ACDEFGHJK")))),
    "health.mrn": formats(
        "health.mrn", ("letters", lambda rng: f"{letters(rng, 2)}{digits(rng, 6)}"), ("dashed", pattern("999-99-99-9"))
    ),
    "health.nhs": formats(
        "health.nhs",
        ("spaced", shaped(national.nhs, "999 999 9999")),
        ("number", number(national.nhs)),
        accept=("pii.national_id",),
    ),
    "health.insurance": formats(
        "health.insurance", ("group", lambda rng: f"{letters(rng, 3)}{digits(rng, 9)}"), accept=("health.mbi",)
    ),
    "health.diagnosis": formats(
        "health.diagnosis",
        ("icd long", lambda rng: f"{rng.choice('MSTZ')}{rng.randint(10, 92)}.{rng.randint(100, 999)}"),
        ("words", pick("chronic asthma", "type 2 diabetes mellitus", "major depressive disorder")),
    ),
}
