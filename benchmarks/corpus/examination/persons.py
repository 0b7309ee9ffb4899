"""Formats of the examination that concern persons, their papers and their health."""

from __future__ import annotations

import unicodedata

from benchmarks.corpus import national
from benchmarks.corpus.checks import Rng, digits, letters, luhn, vin
from benchmarks.corpus.examination import numbers as own
from benchmarks.corpus.former import numbers as former
from benchmarks.corpus.split import Format, Make
from benchmarks.corpus.values import birthday, decimal, formats, joined, number, pattern, pick, shaped, whole

GIVEN = ("Nadia", "Kwame", "Ingrid", "Matteo", "Priya", "Yusuf", "Camille", "Tomasz", "Siobhan", "Hiroshi", "Lucía",
         "Björn", "Oksana", "Emre", "Thandiwe", "Gábor")  # fmt: skip
FAMILY = ("Haddad", "Mensah", "Lindqvist", "Ferrari", "Venkataraman", "Yılmaz", "Lefèvre", "Kowalczyk", "Gallagher",
          "Yamamoto", "Quintero", "Øvergård", "Shevchuk", "Dlamini", "Szabó", "Rautavaara")  # fmt: skip
INSURED = ("health.insurance",)  # what the numbers of an insurance scheme are, too
NOUNS = ("harbor", "saffron", "granite", "lantern", "meadow", "copper", "violet", "timber", "orchid", "nimbus")


def _ascii(text: str) -> str:
    text = text.replace("ı", "i").replace("Ø", "O").replace("ø", "o")
    folded = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return "".join(sign for sign in folded if sign.isalpha()).lower()


def given(rng: Rng) -> str:
    return rng.choice(GIVEN)


def family(rng: Rng) -> str:
    return rng.choice(FAMILY)


def _login(rng: Rng) -> str:
    return _ascii(given(rng))


def _noun(rng: Rng) -> str:
    return rng.choice(NOUNS)


def _mrz(rng: Rng) -> str:
    return own.mrz(_ascii(family(rng)).upper(), _ascii(given(rng)).upper(), rng)


def _degrees(rng: Rng) -> str:
    return f"{rng.randint(1, 79)}°{rng.randint(10, 59)}'{rng.randint(10, 59)}\"{rng.choice('NSEW')}"


def _pair(layout: str) -> Make:
    return lambda rng: layout.format(rng.uniform(-80, 80), rng.uniform(-170, 170))


def kind(name: str, listed: tuple[Format, ...]) -> tuple[Format, ...]:
    """Let formats stand under the names of one kind only."""
    return tuple(Format(one.key, one.make, one.data_class, one.bare, one.accept, name) for one in listed)


_EMAIL = formats(
    "pii.email",
    ("plus tag", lambda rng: f"{_login(rng)}+{_noun(rng)}@{_noun(rng)}mail.com"),
    ("subdomain", lambda rng: f"{_login(rng)}.{_ascii(family(rng))}@eu.{_noun(rng)}.co.uk"),
    ("hyphens", lambda rng: f"{_login(rng)}-{_ascii(family(rng))}@{_noun(rng)}-{_noun(rng)}.fr"),
    ("underscore and year", lambda rng: f"{_login(rng)}_{rng.randint(1960, 2009)}@{_noun(rng)}.net"),
    ("capitals", lambda rng: f"{_login(rng)}.{_ascii(family(rng))}@{_noun(rng)}.org".upper()),
    ("long top level", lambda rng: f"{_ascii(family(rng))}{rng.randint(1, 99)}@{_noun(rng)}.photography"),
    ("free mailer", lambda rng: f"{_login(rng)}{rng.randint(1, 999)}@{rng.choice(('yahoo.com', 'web.de', 'qq.com'))}"),
    bare=True,
)

_PHONE = (
    *formats(
        "pii.phone",
        ("de spaced", lambda rng: f"+49 17{rng.randint(0, 9)} {digits(rng, 7, '23456789')}"),
        ("fr e164", lambda rng: f"+336{digits(rng, 8)}"),
        ("in dashed", lambda rng: f"+91-9{digits(rng, 4)}-{digits(rng, 5)}"),
        ("br brackets", lambda rng: f"+55 (11) 9{digits(rng, 4, '6789')}-{digits(rng, 4)}"),
        ("mx spaced", lambda rng: f"+52 55 {digits(rng, 4, '1235')} {digits(rng, 4)}"),
        ("cn e164", lambda rng: f"+8613{digits(rng, 9)}"),
        ("za spaced", lambda rng: f"+27 8{rng.randint(2, 4)} {digits(rng, 3)} {digits(rng, 4)}"),
        ("us dotted", lambda rng: f"+1.{rng.choice(('646', '503', '972'))}.{digits(rng, 3, '3467')}.{digits(rng, 4)}"),
        ("ch spaced", lambda rng: f"+41 79 {digits(rng, 3)} {digits(rng, 2)} {digits(rng, 2)}"),
        bare=True,
    ),
    *formats(
        "pii.phone",
        ("us dashed", lambda rng: f"{rng.choice(('646', '503', '972'))}-{digits(rng, 3, '3467')}-{digits(rng, 4)}"),
        ("gb national", lambda rng: f"07{digits(rng, 3, '4578')} {digits(rng, 6)}"),
        ("nl dash", lambda rng: f"06-{digits(rng, 8, '12345')}"),
        ("in plain", lambda rng: f"9{digits(rng, 9)}"),
        ("zero zero", lambda rng: f"0049 40 {digits(rng, 7, '23456')}"),
        (
            "extension",
            lambda rng: (
                f"({rng.choice(('646', '503'))}) {digits(rng, 3, '3467')}-{digits(rng, 4)} x{digits(rng, 3, '12')}"
            ),
        ),
        ("pl plain", lambda rng: f"5{digits(rng, 8)}"),
        ("es number", lambda rng: int(f"6{digits(rng, 8)}")),
    ),
)

_NAME = (
    *kind(
        "full",
        formats(
            "pii.name",
            ("given family", lambda rng: f"{given(rng)} {family(rng)}"),
            ("family comma given", lambda rng: f"{family(rng)}, {given(rng)}"),
            ("capitals", lambda rng: f"{given(rng)} {family(rng)}".upper()),
            ("title", lambda rng: f"{rng.choice(('Dr.', 'Prof.', 'Mrs.'))} {given(rng)} {family(rng)}"),
            ("middle initial", lambda rng: f"{given(rng)} {rng.choice('BCDR')}. {family(rng)}"),
            ("double", lambda rng: f"{given(rng)} {family(rng)}-{family(rng)}"),
            ("han", pick("王小明", "李娜", "陈建国")),
            ("kana", pick("タナカ ハナコ", "スズキ イチロウ")),
        ),
    ),
    *kind(
        "family", formats("pii.name", ("family alone", family), ("family capitals", lambda rng: family(rng).upper()))
    ),
    *kind(
        "given", formats("pii.name", ("given alone", given), ("two given", lambda rng: f"{given(rng)} {given(rng)}"))
    ),
)

_ADDRESS = formats(
    "pii.address",
    (
        "de",
        lambda rng: (
            f"{rng.choice(('Lindenallee', 'Am Kirchplatz', 'Goethestr.'))} {rng.randint(1, 99)}{rng.choice('abc')}"
        ),
    ),
    ("fr", lambda rng: f"{rng.randint(1, 99)} bis rue {rng.choice(('de la Paix', 'Victor Hugo', 'des Lilas'))}"),
    ("es", lambda rng: f"C/ {rng.choice(('Mayor', 'Alcalá', 'Serrano'))} {rng.randint(1, 99)}, {rng.randint(1, 9)}º B"),
    ("se", lambda rng: f"{rng.choice(('Storgatan', 'Kungsgatan'))} {rng.randint(1, 99)} lgh {rng.randint(1001, 1604)}"),
    ("gb flat", lambda rng: f"Flat {rng.randint(1, 30)}, {rng.randint(1, 200)} {rng.choice(('Baker', 'Mill'))} Road"),
    ("us box", lambda rng: f"P.O. Box {rng.randint(100, 9999)}"),
    ("us direction", lambda rng: f"{rng.randint(100, 9999)} NW {rng.randint(2, 99)}th Ave Apt {rng.randint(1, 40)}"),
    ("jp", lambda rng: f"{rng.randint(1, 9)}-{rng.randint(1, 30)}-{rng.randint(1, 20)} Shibuya"),
    ("tr", lambda rng: f"Atatürk Cad. No: {rng.randint(1, 99)} D: {rng.randint(1, 20)}"),
    ("hu", lambda rng: f"Kossuth Lajos u. {rng.randint(1, 90)}. {rng.randint(1, 5)}/{rng.randint(1, 9)}"),
)

PERSONS: dict[str, tuple[Format, ...]] = {
    "pii.ssn": (
        *formats("pii.ssn", ("three two four", shaped(national.us_ssn, "999-99-9999")), bare=True),
        *formats("pii.ssn", ("spaced", shaped(national.us_ssn, "999 99 9999"))),
    ),
    "pii.itin": formats(
        "pii.itin",
        ("dashed", shaped(national.us_itin, "999-99-9999")),
        ("number", number(national.us_itin)),
        accept=("pii.national_id", "pii.ssn"),
    ),
    "pii.email": _EMAIL,
    "pii.phone": _PHONE,
    "pii.name": _NAME,
    "pii.address": _ADDRESS,
    "pii.postcode": formats(
        "pii.postcode",
        (
            "gb",
            lambda rng: (
                f"{letters(rng, 2, 'BEGLMS')}{rng.randint(1, 19)} {rng.randint(1, 9)}{letters(rng, 2, 'ABDEFGH')}"
            ),
        ),
        (
            "ca",
            lambda rng: (
                f"{letters(rng, 1, 'KLMV')}{rng.randint(1, 9)}{letters(rng, 1, 'ABC')} {pattern('9A9', 'ABCEG')(rng)}"
            ),
        ),
        ("us nine", lambda rng: f"{digits(rng, 5, '123456789')}-{digits(rng, 4)}"),
        ("in", lambda rng: digits(rng, 6, "1234567")),
        ("se", lambda rng: f"{digits(rng, 3, '12345')} {digits(rng, 2)}"),
        ("pt", lambda rng: f"{digits(rng, 4, '12345')}-{digits(rng, 3)}"),
        accept=("pii.address",),
    ),
    "pii.dob": formats(
        "pii.dob",
        ("dots", birthday("%d.%m.%Y")),
        ("compact text", birthday("%Y%m%d")),
        ("month in the middle", birthday("%d-%b-%Y")),
        ("zulu", birthday("%Y-%m-%dT00:00:00Z")),
        ("words", birthday("%d %B %Y")),
        ("dots year first", birthday("%Y.%m.%d")),
        ("blanks", birthday("%Y %m %d")),
    ),
    "pii.passport": (
        *formats(
            "pii.passport",
            ("it", pattern("AA9999999", "ABCEFGHMNPSTWXYZ")),
            ("de", lambda rng: "C" + "".join(rng.choices("CFGHJKLMNPRTVWXYZ0123456789", k=7)) + digits(rng, 1)),
            ("cn", lambda rng: f"E{digits(rng, 8)}"),
            ("br", lambda rng: letters(rng, 2, "FGHY") + digits(rng, 6)),
            accept=("pii.national_id",),
        ),
        *kind("mrz", formats("pii.passport", ("machine readable", _mrz))),
    ),
    "pii.driving_licence": formats(
        "pii.driving_licence",
        ("gb", lambda rng: f"{letters(rng, 5)}{digits(rng, 6, '56789')}{letters(rng, 2)}9{letters(rng, 2, 'ABCDE')}"),
        (
            "in",
            lambda rng: (
                f"{rng.choice(('KA', 'MH', 'DL'))}{digits(rng, 2, '012')} 20{digits(rng, 2, '01')}{digits(rng, 7, '0')}"
            ),
        ),
        ("fr", lambda rng: digits(rng, 12, "0123456789")),
        ("texas", lambda rng: digits(rng, 8, "123456789")),
        accept=("pii.national_id",),
    ),
    "pii.location": (
        *formats(
            "pii.location",
            ("decimal 6", decimal(-80, 80, 6)),
            ("text 5", lambda rng: f"{rng.uniform(-80, 80):.5f}"),
            ("degrees", _degrees),
            ("ten millionths", whole(100_000_000, 790_000_000)),
        ),
        *kind(
            "pair",
            formats(
                "pii.location",
                ("pair comma", _pair("{:.5f},{:.5f}")),
                ("geo", _pair("geo:{:.4f},{:.4f}")),
                ("pair blank", _pair("{:.6f} {:.6f}")),
            ),
        ),
    ),
    "pii.vehicle": (
        *formats(
            "pii.vehicle",
            (
                "vin of toyota",
                lambda rng: vin("4T1BF1F" + digits(rng, 1) + letters(rng, 1, "CDEF") + "U" + digits(rng, 6)),
            ),
            (
                "vin of bmw",
                lambda rng: vin("WBA3A5C" + digits(rng, 1) + letters(rng, 1, "CDEF") + "F" + digits(rng, 6)),
            ),
        ),
        *kind(
            "plate",
            formats(
                "pii.vehicle",
                ("de", lambda rng: f"{rng.choice(('B', 'HH', 'M'))}-{letters(rng, 2)} {digits(rng, 4, '123456789')}"),
                ("gb", lambda rng: f"{letters(rng, 2)}{rng.randint(51, 75)} {letters(rng, 3)}"),
                ("us", pattern("9AAA999")),
                ("fr", pattern("AA-999-AA")),
            ),
        ),
    ),
    "health.npi": formats("health.npi", ("organisation", lambda rng: luhn("80840" + "2" + digits(rng, 8))[5:])),
    "health.dea": formats("health.dea", ("practitioners", own.dea)),
    "health.mbi": formats(
        "health.mbi",
        ("dashed", joined(pick(*"123456789"), pattern("AA9-AA9-AA99", "ACDEFGHJK"))),
        accept=INSURED,
    ),
    "health.nhs": formats(
        "health.nhs",
        ("three three four", shaped(national.nhs, "999 999 9999")),
        ("number", number(national.nhs)),
        accept=("pii.national_id",),
    ),
    "health.medicare": (
        *kind("au", formats("health.medicare.au", ("spaced", shaped(own.medicare_au, "9999 99999 9")), accept=INSURED)),
        *kind("ca", formats("health.medicare.ca", ("bc", shaped(own.phn_bc, "9999 999 999")), accept=INSURED)),
        *kind("nz", formats("health.medicare.nz", ("three and four", own.nhi), accept=INSURED)),
    ),
    "health.ehic": formats(
        "health.ehic",
        ("plain", own.ehic),
        ("fives", shaped(own.ehic, "99999 99999 99999 99999")),
        accept=INSURED,
    ),
    "health.mrn": formats(
        "health.mrn",
        ("e and six", lambda rng: f"E{digits(rng, 6)}"),
        ("pairs", pattern("99-99-99")),
        ("nine", lambda rng: digits(rng, 9, "123456789")),
        ("number", whole(1_000_000, 99_999_999)),
    ),
    "health.insurance": formats(
        "health.insurance",
        ("prefix and nine", lambda rng: letters(rng, 3) + digits(rng, 9)),
        ("kvnr spaced", shaped(former.kvnr, "9999 999 999")),
        ("w and nine", lambda rng: f"W{digits(rng, 9)}"),
        ("eleven", lambda rng: digits(rng, 11, "123456789")),
        accept=("health.mbi", "health.medicare"),
    ),
    "health.diagnosis": formats(
        "health.diagnosis",
        ("two decimals", lambda rng: f"{rng.choice('MKNZ')}{rng.randint(10, 95)}.{rng.randint(10, 99)}"),
        ("category", lambda rng: f"{rng.choice('OPQR')}{rng.randint(10, 90)}"),
        ("injury", lambda rng: f"{rng.choice('ST')}{rng.randint(10, 90)}.{rng.randint(10, 99)}XA"),
        (
            "words",
            pick(
                "type 2 diabetes mellitus", "Asthma bronchiale", "lombalgie", "depressive episode", "faringitis aguda"
            ),
        ),
    ),
}
