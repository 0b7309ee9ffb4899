"""National numbers of the examination: other countries and layouts than development's."""

from __future__ import annotations

from benchmarks.corpus import national
from benchmarks.corpus.checks import Rng, digits, weighted
from benchmarks.corpus.examination import numbers as own
from benchmarks.corpus.former import numbers as former
from benchmarks.corpus.split import Format, Make
from benchmarks.corpus.values import TextMaker, formats, number, shaped

TAX = ("fin.tax_id",)  # for numbers that are a person's tax number


def _national(country: str, *listed: tuple[str, Make], accept: tuple[str, ...] = ()) -> tuple[Format, ...]:
    return formats(f"pii.national_id.{country}", *listed, accept=accept)


def _of_kind(kind: str, listed: tuple[Format, ...]) -> tuple[Format, ...]:
    return tuple(Format(one.key, one.make, one.data_class, one.bare, one.accept, kind) for one in listed)


def _typed(make: TextMaker) -> TextMaker:
    """As people type it: one of five in small letters."""
    return lambda rng: make(rng).lower() if rng.random() < 0.2 else make(rng)


def _gb_pairs(rng: Rng) -> str:
    return shaped(national.gb, "99 99 99 99 9")(rng)


def _se_full(rng: Rng) -> str:
    return "19" + national.se(rng)


def _pl_young(rng: Rng) -> str:
    """PESEL of who was born after 1999: 20 is added to the month."""
    body = f"{rng.randint(0, 8):02d}{rng.randint(21, 32):02d}{rng.randint(1, 28):02d}{digits(rng, 4)}"
    return body + str(-weighted(body, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)) % 10)


def _no_late(rng: Rng) -> str:
    """Who was born from the tenth on: a number in JSON keeps all digits."""
    while True:
        found = national.no(rng)
        if not found.startswith("0"):
            return found


COUNTRIES: dict[str, tuple[Format, ...]] = {
    "gb": _national("gb", ("pairs", _gb_pairs), ("as typed", _typed(national.gb))),
    "de": _national(
        "de", ("tax id in groups", shaped(national.de, "99 999 999 999")), ("tax id, text", national.de), accept=TAX
    ),
    "fr": _national(
        "fr", ("groups", shaped(national.fr, "9 99 99 99 999 999 99")), ("no key", lambda rng: national.fr(rng)[:13])
    ),
    "es": _national(
        "es", ("nie plain", national.es_nie), ("dni dashed", shaped(national.es, "99999999-9")), accept=TAX
    ),
    "it": _national("it", ("as typed", _typed(national.it)), accept=TAX),
    "pl": _national("pl", ("born after 1999", _pl_young), ("text of eleven", national.pl)),
    "se": _national("se", ("twelve digits", _se_full), ("number", number(_se_full))),
    "no": _national("no", ("plain", national.no), ("number", number(_no_late))),
    "dk": _national(
        "dk", ("dashed", shaped(national.dk, "999999-9999")), ("spaced", shaped(national.dk, "999999 9999"))
    ),
    "fi": _national("fi", ("born before 2000", _typed(national.fi)), ("born later, as typed", _typed(former.fi))),
    "nl": _national("nl", ("plain", national.nl), ("number", number(national.nl))),
    "be": _national("be", ("dotted", shaped(national.be, "99.99.99-999.99")), ("text of eleven", national.be)),
    "ch": _national("ch", ("dotted", shaped(national.ch, "999.9999.9999.99")), ("number", number(national.ch))),
    "pt": _national("pt", ("plain", national.pt), ("number", number(national.pt)), accept=TAX),
    "hu": _national("hu", ("plain", own.hu), ("number", number(own.hu)), accept=TAX),
    "ro": _national("ro", ("text", national.ro)),
    "tr": _national("tr", ("text", national.tr)),
    "ru": _national("ru", ("snils", shaped(own.snils, "999-999-999 99")), ("inn", own.inn), accept=TAX),
    "ua": _national("ua", ("plain", own.ua)),
    "lv": _national("lv", ("dashed", shaped(own.lv, "999999-99999")), ("plain", own.lv)),
    "rs": _national("rs", ("plain", own.rs)),
    "sa": _national("sa", ("plain", own.sa), ("number", number(own.sa))),
    "za": _national("za", ("plain", national.za), ("dashed", shaped(national.za, "999999-9999-99-9"))),
    "in": (
        *_of_kind("aadhaar", _national("in", ("aadhaar plain", national.in_aadhaar))),
        *_of_kind("pan", _national("in", ("pan", own.in_pan), accept=TAX)),
    ),
    "id": _national("id", ("plain", own.indonesia), ("number", number(own.indonesia))),
    "cn": _national("cn", ("plain", national.cn)),
    "kr": _national("kr", ("dashed", shaped(national.kr, "999999-9999999")), ("text of thirteen", national.kr)),
    "jp": _national("jp", ("plain", former.jp), ("dashed", shaped(former.jp, "9999-9999-9999"))),
    "nz": _national("nz", ("dashed", shaped(own.nz, "999-999-999")), ("plain", own.nz), accept=TAX),
    "br": _national(
        "br", ("dotted", shaped(national.br, "999.999.999-99")), ("slash", shaped(national.br, "999.999.999/99"))
    ),
    "mx": _national("mx", ("as typed", _typed(national.mx))),
    "ca": _national("ca", ("dashed", shaped(national.ca, "999-999-999")), ("number", number(national.ca))),
}
