"""Formats of the examination that concern persons and their health."""

from __future__ import annotations

import unicodedata

from benchmarks.corpus import national
from benchmarks.corpus.checks import Rng, digits, letters, luhn, vin, weighted
from benchmarks.corpus.former import numbers as own
from benchmarks.corpus.split import Format, Make
from benchmarks.corpus.values import birthday, decimal, formats, joined, number, pattern, pick, shaped

FIRST = ("Zuzanna", "Thiago", "Astrid", "Chukwuemeka", "Haruto", "Élodie", "Bartosz", "Svetlana", "Arjun", "Käthe")
LAST = ("Ó Súilleabháin", "Watanabe", "Bergström", "Okonkwo", "Wiśniewski", "Schäfer", "Pereira", "Volkova", "Banerjee")
NOUNS = ("anvil", "juniper", "cobalt", "marble", "fjord", "walnut", "prairie", "topaz", "cinder", "clover")


def _ascii(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return "".join(c for c in folded if c.isalpha()).lower()


def _first(rng: Rng) -> str:
    return rng.choice(FIRST)


def _last(rng: Rng) -> str:
    return rng.choice(LAST)


def _noun(rng: Rng) -> str:
    return rng.choice(NOUNS)


def _login(rng: Rng) -> str:
    return _ascii(_first(rng))


def _dea(rng: Rng) -> str:
    body = digits(rng, 6)
    check = (weighted(body[::2], (1, 1, 1)) + 2 * weighted(body[1::2], (1, 1, 1))) % 10
    return f"{rng.choice('CGMP')}{letters(rng, 1)}{body}{check}"


def _pair(rng: Rng) -> tuple[float, float]:
    return rng.uniform(-80, 80), rng.uniform(-170, 170)


def _national(country: str, *listed: tuple[str, Make]) -> tuple[Format, ...]:
    return formats(f"pii.national_id.{country}", *listed)


PERSONS: dict[str, tuple[Format, ...]] = {
    "pii.ssn": (
        *formats("pii.ssn", ("dashed, shows itself", shaped(national.us_ssn, "999-99-9999")), bare=True),
        *formats("pii.ssn", ("dotted", shaped(national.us_ssn, "999.99.9999"))),
    ),
    "pii.itin": formats(
        "pii.itin",
        ("spaced", shaped(national.us_itin, "999 99 9999")),
        ("plain", national.us_itin),
        accept=("pii.national_id", "pii.ssn"),
    ),
    "pii.national_id": (
        *_national("gb", ("ends apart", shaped(national.gb, "99 999999 9"))),
        *_national("de", ("number", number(national.de))),
        *_national("fr", ("key apart", shaped(national.fr, "9999999999999 99"))),
        *_national(
            "es",
            ("nie dashed", shaped(national.es_nie, "9-9999999-9")),
            ("dni spaced", shaped(national.es, "99999999 9")),
        ),
        *_national("it", ("spaced", shaped(national.it, "999 999 99999 99999"))),
        *_national("br", ("dash only", shaped(national.br, "999999999-99"))),
        *_national("pl", ("number", number(national.pl))),
        *_national("in", ("dashed", shaped(national.in_aadhaar, "9999-9999-9999"))),
        *_national("ca", ("plain", national.ca)),
        *_national("se", ("century dashed", shaped(lambda rng: "19" + national.se(rng), "99999999-9999"))),
        *_national("nl", ("dotted", shaped(national.nl, "9999.99.999"))),
        *_national("tr", ("number", number(national.tr))),
        *_national("pt", ("spaced", shaped(national.pt, "999 999 999"))),
        *_national("fi", ("born after 1999", own.fi)),
        *_national("no", ("spaced", shaped(national.no, "999999 99999"))),
        *_national("dk", ("plain", national.dk)),
        *_national("be", ("plain", national.be)),
        *_national("cz", ("plain", national.cz)),
        *_national("ro", ("number", number(national.ro))),
        *_national("bg", ("number", number(national.bg))),
        *_national("cl", ("dash only", shaped(national.cl, "99999999-9"))),
        *_national("mx", ("curp", national.mx)),
        *_national("za", ("spaced", shaped(national.za, "999999 9999 999"))),
        *_national("kr", ("plain", national.kr)),
        *_national("cn", ("small x", lambda rng: national.cn(rng).lower())),
        *_national("sg", ("foreigner", own.sg_foreigner)),
        *_national("hk", ("no brackets", lambda rng: national.hk(rng).replace("(", "").replace(")", ""))),
        *_national("au", ("tfn plain", national.au)),
        *_national("ch", ("plain", national.ch)),
        *_national("ee", ("number", number(national.ee))),
        *_national("ie", ("two letters", own.ie_letters)),
        *_national("th", ("dashed", shaped(national.th, "9-9999-99999-99-9"))),
        *_national("hr", ("plain", own.hr)),
        *_national("lt", ("plain", national.ee)),
        *_national("il", ("plain", own.il)),
        *_national("tw", ("plain", own.tw)),
        *_national("ar", ("dashed", shaped(own.ar, "99-99999999-9"))),
        *_national("ec", ("plain", own.ec)),
        *_national("gr", ("plain", own.gr)),
        *_national("is", ("dashed", shaped(own.iceland, "999999-9999"))),
        *_national("jp", ("spaced", shaped(own.jp, "9999 9999 9999"))),
        *_national("my", ("dashed", shaped(own.my, "999999-99-9999"))),
        *formats("pii.national_id.at", ("spaced", shaped(own.at, "9999 999999")), accept=("health.insurance",)),
    ),
    "pii.email": formats(
        "pii.email",
        ("initial and name", lambda rng: f"{_login(rng)[0]}{_ascii(_last(rng))}@{_noun(rng)}.com.br"),
        ("numbers", lambda rng: f"{digits(rng, 6, '123456789')}@student.{_noun(rng)}.ac.jp"),
        ("title case", lambda rng: f"{_login(rng).title()}.{_ascii(_last(rng)).title()}@{_noun(rng).title()}.de"),
        ("apostrophe", lambda rng: f"{_login(rng)}.o'{_noun(rng)}@{_noun(rng)}.ie"),
        ("punycode", lambda rng: f"{_login(rng)}-{rng.randint(10, 99)}@xn--{_noun(rng)}-kva.se"),
        ("new domain", lambda rng: f"{_login(rng)}_{_noun(rng)}@{_noun(rng)}{rng.randint(2, 99)}.online"),
        bare=True,
    ),
    "pii.phone": (
        *formats(
            "pii.phone",
            ("au international", lambda rng: f"+61 4{digits(rng, 2)} {digits(rng, 3)} {digits(rng, 3)}"),
            ("jp dashed", lambda rng: f"+81-90-{digits(rng, 4, '234567')}-{digits(rng, 4)}"),
            ("it e164", lambda rng: f"+39347{digits(rng, 7)}"),
            ("pl spaced", lambda rng: f"+48 60{rng.randint(1, 9)} {digits(rng, 3)} {digits(rng, 3)}"),
            ("ke e164", lambda rng: f"+2547{digits(rng, 8, '012')}"),
            ("es spaced", lambda rng: f"+34 6{digits(rng, 2)} {digits(rng, 3)} {digits(rng, 3)}"),
            ("se dashed", lambda rng: f"+46 70-{digits(rng, 3)} {digits(rng, 2)} {digits(rng, 2)}"),
            ("gb zero in brackets", lambda rng: f"+44 (0)7911 12{digits(rng, 4)}"),
            bare=True,
        ),
        *formats(
            "pii.phone",
            ("fr national", lambda rng: f"06 {rng.randint(10, 99)} {rng.randint(10, 99)} {rng.randint(10, 99)} 41"),
            ("de slash", lambda rng: f"0171/{digits(rng, 7, '23456789')}"),
            ("br national", lambda rng: f"(21) 9{digits(rng, 4, '6789')}-{digits(rng, 4)}"),
            ("us plain", lambda rng: f"702555{digits(rng, 4)}"),
            ("jp national", lambda rng: f"090-{digits(rng, 4, '234567')}-{digits(rng, 4)}"),
            ("us number", lambda rng: int(f"702555{digits(rng, 4)}")),
            ("it plain", lambda rng: f"347{digits(rng, 7)}"),
        ),
    ),
    "pii.name": formats(
        "pii.name",
        ("particle", lambda rng: f"{_first(rng)} van der {_last(rng)}"),
        ("two surnames", lambda rng: f"{_first(rng)} {_last(rng)} {_last(rng)}"),
        ("initials", lambda rng: f"{rng.choice('ABCDEF')}. {rng.choice('GHJKLM')}. {_last(rng)}"),
        ("cyrillic", pick("Анна Петрова", "Олександр Шевченко", "Иван Смирнов")),
        ("arabic", pick("محمد العلي", "فاطمة حسن")),
        ("airline", lambda rng: f"{_ascii(_last(rng)).upper()}/{_login(rng).upper()} MRS"),
        ("one word", _first),
        ("suffix", lambda rng: f"{_first(rng)} {_last(rng)} Jr."),
    ),
    "pii.address": formats(
        "pii.address",
        ("pl", lambda rng: f"ul. {rng.choice(('Długa', 'Polna', 'Leśna'))} {rng.randint(1, 90)}/{rng.randint(1, 40)}"),
        ("it", lambda rng: f"Via {rng.choice(('Garibaldi', 'Dante', 'Verdi'))} {rng.randint(1, 99)}, int. 4"),
        ("nl", lambda rng: f"Keizersgracht {rng.randint(100, 800)}-II"),
        ("br", lambda rng: f"Rua das Flores, {rng.randint(10, 900)}, apto {rng.randint(11, 99)}"),
        ("us suite", lambda rng: f"{rng.randint(1000, 9999)} Harbor Blvd, Suite {rng.randint(100, 900)}"),
        ("in", lambda rng: f"Flat No {rng.randint(1, 40)}B, MG Road"),
        ("at", lambda rng: f"Mariahilfer Straße {rng.randint(1, 120)}/{rng.randint(1, 9)}/{rng.randint(10, 40)}"),
    ),
    "pii.postcode": formats(
        "pii.postcode",
        ("nl", lambda rng: f"{digits(rng, 4, '123456789')} {letters(rng, 2, 'BCDEGHJK')}"),
        ("pl", pattern("99-999")),
        ("br", lambda rng: f"{digits(rng, 5, '0123456')}-{digits(rng, 3)}"),
        ("ie", lambda rng: f"D{rng.randint(10, 24)} {letters(rng, 1, 'ACDEFH')}{digits(rng, 3)}"),
        ("jp", pattern("999-9999")),
        accept=("pii.address",),
    ),
    "pii.dob": formats(
        "pii.dob",
        ("dashes day first", birthday("%d-%m-%Y")),
        ("slashes year first", birthday("%Y/%m/%d")),
        ("abbreviated month", birthday("%d %b %Y")),
        ("month first in words", birthday("%B %d, %Y")),
        ("dots short", birthday("%d.%m.%y")),
        ("number", lambda rng: int(national.born(rng).strftime("%Y%m%d"))),
        ("offset", birthday("%Y-%m-%dT00:00:00+02:00")),
    ),
    "pii.passport": formats(
        "pii.passport",
        ("in", pattern("A9999999", "JKLMNPRSTZ")),
        ("fr", pattern("99AA99999")),
        ("es", pattern("AAA999999")),
        accept=("pii.national_id",),
    ),
    "pii.driving_licence": formats(
        "pii.driving_licence",
        ("florida", pattern("A999-999-99-999-9")),
        ("de", pattern("A999AA99A99")),
        ("it", pattern("UA9999999A")),
        accept=("pii.national_id",),
    ),
    "pii.location": formats(
        "pii.location",
        ("decimal 5", decimal(-80, 80, 5)),
        ("pair spaced", lambda rng: "{:.4f}, {:.4f}".format(*_pair(rng))),
        ("text 6", lambda rng: f"{rng.uniform(-80, 80):.6f}"),
        ("point", lambda rng: "POINT ({:.5f} {:.5f})".format(*_pair(rng))),
    ),
    "pii.vehicle": formats(
        "pii.vehicle",
        (
            "vin of ford",
            lambda rng: vin("1FTFW1E" + digits(rng, 1) + letters(rng, 1, "BCDEF") + rng.choice("FK") + digits(rng, 6)),
        ),
        ("vin of volkswagen", lambda rng: vin("3VWDP7A" + digits(rng, 1) + rng.choice("CEH") + "M" + digits(rng, 6))),
    ),
    "health.npi": formats("health.npi", ("number", lambda rng: int(luhn("80840" + "1" + digits(rng, 8))[5:]))),
    "health.dea": formats("health.dea", ("mid-level and others", _dea)),
    "health.mbi": formats("health.mbi", ("plain", joined(pick(*"123456789"), pattern("AA9AA9AA99", "ACDEFGHJK")))),
    "health.mrn": formats(
        "health.mrn",
        ("prefixed", lambda rng: f"MRN{digits(rng, 8)}"),
        ("zeros", lambda rng: "000" + digits(rng, 7, "123456789")),
        ("site and number", lambda rng: f"{rng.choice(('NW', 'SE'))}-{digits(rng, 7)}"),
    ),
    "health.nhs": formats("health.nhs", ("dashed", shaped(national.nhs, "999-999-9999")), accept=("pii.national_id",)),
    "health.insurance": formats(
        "health.insurance",
        ("kvnr", own.kvnr),
        ("letter in the middle", lambda rng: f"{digits(rng, 4)}{letters(rng, 1)}{digits(rng, 5)}"),
        accept=("health.mbi",),
    ),
    "health.diagnosis": formats(
        "health.diagnosis",
        ("icd of seven", lambda rng: f"{rng.choice('ST')}{rng.randint(10, 92)}.{rng.randint(100, 999)}A"),
        ("icd without dot", lambda rng: f"{rng.choice('CGKN')}{rng.randint(10, 92)}{rng.randint(0, 9)}"),
        ("words", pick("essential hypertension", "acute bronchitis", "Zervikalsyndrom", "migraña crónica")),
    ),
}
