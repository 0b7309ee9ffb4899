"""A split that figures were taken from: worn by what was told of its failures, and kept as a second opinion."""

from __future__ import annotations

from pathlib import Path

from benchmarks.corpus.checks import Rng, aba, digits, letters, luhn
from benchmarks.corpus.former import numbers as own
from benchmarks.corpus.former.negatives import NEGATIVES
from benchmarks.corpus.former.persons import PERSONS
from benchmarks.corpus.former.secrets import SECRETS
from benchmarks.corpus.split import Format, Make, load
from benchmarks.corpus.values import HEX, card, formats, fours, number, pattern, random_text, shaped, whole


def _expiry(layout: str) -> Make:
    return lambda rng: layout.format(month=rng.randint(1, 12), year=rng.randint(2027, 2034), short=rng.randint(27, 34))


def _serial(rng: Rng) -> str:
    return f"{letters(rng, 2)}{digits(rng, 4)}{letters(rng, 4, 'CDFGHJKL')}{digits(rng, 2)}"


FORMATS: dict[str, tuple[Format, ...]] = {
    **PERSONS,
    "pci.pan": (
        *formats(
            "pci.pan",
            ("visa spaced", fours(card("visa"))),
            ("mastercard2 dashed", fours(card("mastercard2"), "-")),
            ("amex dashed", shaped(card("amex"), "9999-999999-99999")),
            ("diners spaced", shaped(card("diners"), "9999 999999 9999")),
            ("jcb plain", card("jcb")),
            ("unionpay spaced", fours(card("unionpay"))),
            ("discover spaced", fours(card("discover"))),
            bare=True,
        ),
        *formats(
            "pci.pan",
            ("jcb number", number(card("jcb"))),
            ("maestro spaced", fours(card("maestro"))),
            ("elo plain", card("elo")),
            ("visa 13", card("visa13")),
            ("unionpay number", number(card("unionpay"))),
        ),
    ),
    "pci.cvv": formats("pci.cvv", ("4 number", whole(1001, 9999)), ("3 as number", whole(101, 999))),
    "pci.expiry": formats(
        "pci.expiry",
        ("mm/yyyy", _expiry("{month:02d}/{year}")),
        ("mm-yy", _expiry("{month:02d}-{short}")),
        ("yymm", _expiry("{short}{month:02d}")),
        ("mm.yyyy", _expiry("{month:02d}.{year}")),
        ("yyyymm number", lambda rng: rng.randint(2027, 2034) * 100 + rng.randint(1, 12)),
    ),
    "fin.iban": formats(
        "fin.iban",
        *((f"{country} plain", own.iban_from(country)) for country in ("HU", "HR", "GR", "SI", "EE", "TR", "IL", "CY")),
        *((f"{country} plain", own.iban_from(country)) for country in ("QA", "KW", "BR")),
        *(
            (f"{country} spaced", fours(own.iban_from(country)))
            for country in ("RO", "SK", "LV", "BG", "AE", "IS", "GR")
        ),
        bare=True,
    ),
    "fin.routing": formats(
        "fin.routing",
        ("north, as number", lambda rng: int(aba(rng.choice(("10", "21", "27")) + digits(rng, 6)))),
        ("spaced", shaped(lambda rng: aba("07" + digits(rng, 6)), "9999 9999 9")),
        accept=("fin.account",),
    ),
    "fin.sort_code": formats(
        "fin.sort_code",
        ("plain", pattern("409999")),
        ("spaced", pattern("60 99 99")),
        accept=("fin.account", "fin.routing"),
    ),
    "fin.account": formats(
        "fin.account",
        ("7 digits", lambda rng: digits(rng, 7, "123456789")),
        ("14 digits", lambda rng: digits(rng, 14, "123456789")),
        ("dashed", pattern("9999-99999-9")),
        ("number", whole(10**8, 10**10)),
    ),
    "fin.bic": formats(
        "fin.bic",
        (
            "head office",
            lambda rng: letters(rng, 4) + rng.choice(("NL", "ES", "SE", "JP")) + letters(rng, 2, "ABM") + "XXX",
        ),
        ("digit in place", lambda rng: letters(rng, 4) + rng.choice(("AT", "SG")) + "2" + letters(rng, 1, "ABLX")),
    ),
    "fin.bsb": formats("fin.bsb", ("plain", lambda rng: "06" + digits(rng, 4)), accept=("fin.account", "fin.routing")),
    "fin.ifsc": formats(
        "fin.ifsc",
        ("letters at the end", lambda rng: rng.choice(("UTIB", "KKBK", "PUNB")) + "0" + pattern("9999AA")(rng)),
        accept=("fin.account", "fin.routing"),
    ),
    "fin.crypto": formats("fin.crypto", ("bitcoin key hash", own.bitcoin), ("bitcoin segwit", own.segwit)),
    "fin.tax_id": formats(
        "fin.tax_id",
        ("cnpj", shaped(own.cnpj, "99.999.999/9999-99")),
        ("abn", shaped(own.abn, "99 999 999 999")),
        ("vat of austria", own.vat_at),
        accept=("pii.national_id",),
    ),
    "device.imei": formats(
        "device.imei",
        ("spaced", shaped(lambda rng: luhn("35" + digits(rng, 12)), "99 999999 999999 9")),
        ("8 6 1", shaped(lambda rng: luhn("86" + digits(rng, 12)), "99999999-999999-9")),
    ),
    "device.imsi": formats(
        "device.imsi", ("number", lambda rng: int(rng.choice(("208150", "724050", "505010")) + digits(rng, 9)))
    ),
    "device.iccid": formats(
        "device.iccid", ("spaced", lambda rng: fours(lambda rng: luhn("8933" + digits(rng, 14)))(rng))
    ),
    "device.mac": formats(
        "device.mac",
        ("capitals and colons", lambda rng: pattern("hh:hh:hh:hh:hh:hh")(rng).upper()),
        ("no separators", lambda rng: pattern("hhhhhhhhhhhh")(rng).upper()),
    ),
    "device.id": formats(
        "device.id",
        ("braces", lambda rng: "{" + pattern("hhhhhhhh-hhhh-\\4hhh-\\9hhh-hhhhhhhhhhhh")(rng) + "}"),
        ("hex 32", random_text("", 32, HEX)),
        ("serial", _serial),
    ),
    **SECRETS,
}

SPLIT = load("examination-old", 52_718_343, FORMATS, NEGATIVES, Path(__file__).with_name("words.yml"))
