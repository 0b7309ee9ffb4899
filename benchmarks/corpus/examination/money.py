"""Formats of the examination that concern money and devices."""

from __future__ import annotations

from benchmarks.corpus.checks import Rng, aba, digits, iban, letters, luhn, mod11_10
from benchmarks.corpus.examination import numbers as own
from benchmarks.corpus.examination.persons import family, given
from benchmarks.corpus.split import Format, Make
from benchmarks.corpus.values import HEX, card, formats, fours, iban_of, number, pattern, random_text, shaped, whole


def _expiry(layout: str) -> Make:
    return lambda rng: layout.format(month=rng.randint(1, 12), year=rng.randint(2027, 2034), short=rng.randint(27, 34))


def _track_one(rng: Rng) -> str:
    """ISO/IEC 7813: format code B, the card's number, name, expiry, service code, discretionary data."""
    name = f"{family(rng)}/{given(rng)}".upper()
    name = "".join(sign if sign.isascii() else "O" for sign in name)
    return f"%B{card('visa')(rng)}^{name}^{rng.randint(27, 34)}{rng.randint(1, 12):02d}101{digits(rng, 13)}?"


def _track_two(rng: Rng) -> str:
    return f";{card('mastercard')(rng)}={rng.randint(27, 34)}{rng.randint(1, 12):02d}201{digits(rng, 9)}?"


def _serial(rng: Rng) -> str:
    return f"C02{letters(rng, 2)}{digits(rng, 1)}{letters(rng, 3, 'FGHJKLMN')}{letters(rng, 3, 'DGHJ012345')}"


def _lower(make: Make) -> Make:
    return lambda rng: str(make(rng)).lower()


def _upper(make: Make) -> Make:
    return lambda rng: str(make(rng)).upper()


MONEY: dict[str, tuple[Format, ...]] = {
    "pci.pan": (
        *formats(
            "pci.pan",
            ("visa dashed", fours(card("visa"), "-")),
            ("mastercard2 spaced", fours(card("mastercard2"))),
            ("mastercard2 plain", card("mastercard2")),
            ("amex four six five", shaped(card("amex"), "9999 999999 99999")),
            ("discover plain", card("discover")),
            ("diners plain", card("diners")),
            ("jcb spaced", fours(card("jcb"))),
            ("unionpay plain", card("unionpay")),
            bare=True,
        ),
        *formats(
            "pci.pan",
            ("mastercard number", number(card("mastercard"))),
            ("amex number", number(card("amex"))),
            ("discover number", number(card("discover"))),
            ("maestro plain", card("maestro")),
            ("elo spaced", fours(card("elo"))),
            ("mir plain", card("mir")),
            ("rupay plain", card("rupay")),
        ),
    ),
    "pci.cvv": formats("pci.cvv", ("4 text", pattern("9999")), ("3 number", whole(101, 999))),
    "pci.expiry": formats(
        "pci.expiry",
        ("mmyy", _expiry("{month:02d}{short}")),
        ("iso month", _expiry("{year}-{month:02d}")),
        ("blanks", _expiry("{month:02d} / {short}")),
        ("year first", _expiry("{year}/{month:02d}")),
        ("mmyyyy", _expiry("{month:02d}{year}")),
    ),
    "pci.track": formats("pci.track", ("one", _track_one), ("two", _track_two), bare=True),
    "fin.iban": formats(
        "fin.iban",
        *((f"{country} plain", iban_of(country)) for country in ("IT", "CH", "PL", "PT", "MT", "SA")),
        ("BE plain", lambda rng: iban("BE", own.bban_be(rng))),
        ("NO plain", lambda rng: iban("NO", own.bban_no(rng))),
        *((f"{country} spaced", fours(iban_of(country))) for country in ("SE", "AT", "DK", "FI", "IE", "CZ", "LT")),
        ("LU small", _lower(iban_of("LU"))),
        bare=True,
    ),
    "fin.routing": formats(
        "fin.routing",
        ("west", lambda rng: aba(rng.choice(("12", "32", "05")) + digits(rng, 6))),
        ("south, as number", lambda rng: int(aba(rng.choice(("26", "11", "31")) + digits(rng, 6)))),
        accept=("fin.account",),
    ),
    "fin.sort_code": formats(
        "fin.sort_code",
        ("dashed", pattern("20-99-99")),
        ("six", lambda rng: "11" + digits(rng, 4)),
        accept=("fin.account", "fin.routing"),
    ),
    "fin.account": formats(
        "fin.account",
        ("8 digits", lambda rng: digits(rng, 8, "123456789")),
        ("12 digits", lambda rng: digits(rng, 12, "123456789")),
        ("two groups", pattern("99999 999999")),
        ("number of 11", whole(10**10, 10**11)),
        ("with a letter", lambda rng: f"{digits(rng, 9, '123456789')}{letters(rng, 1)}"),
    ),
    "fin.bic": formats(
        "fin.bic",
        (
            "branch",
            lambda rng: (
                letters(rng, 4) + rng.choice(("IT", "CH", "CZ", "CA")) + letters(rng, 2, "MPR") + pattern("9A9")(rng)
            ),
        ),
        ("eight with digit", lambda rng: letters(rng, 4) + rng.choice(("DK", "AU", "PL")) + "P" + digits(rng, 1, "23")),
    ),
    "fin.clabe": formats(
        "fin.clabe",
        ("plain", own.clabe),
        ("groups", shaped(own.clabe, "999 999 99999999999 9")),
        accept=("fin.account",),
    ),
    "fin.ifsc": formats(
        "fin.ifsc",
        ("digits at the end", lambda rng: rng.choice(("HDFC", "SBIN", "ICIC")) + "000" + digits(rng, 4)),
        ("six digits", lambda rng: rng.choice(("YESB", "BARB")) + "0" + digits(rng, 6)),
        accept=("fin.account", "fin.routing"),
    ),
    "fin.bsb": formats(
        "fin.bsb",
        ("dashed", lambda rng: rng.choice(("03", "08", "73")) + digits(rng, 1) + "-" + digits(rng, 3)),
        ("spaced", lambda rng: rng.choice(("03", "08", "73")) + digits(rng, 1) + " " + digits(rng, 3)),
        accept=("fin.account", "fin.routing"),
    ),
    "fin.crypto": formats(
        "fin.crypto",
        ("bitcoin script hash", own.script_hash),
        ("bitcoin taproot", own.taproot),
        ("ethereum capitals", lambda rng: "0x" + random_text("", 40, HEX)(rng).upper()),
    ),
    "fin.tax_id": formats(
        "fin.tax_id",
        ("vat of britain", own.vat_gb),
        ("vat of germany", lambda rng: "DE" + mod11_10(digits(rng, 8, "123"))),
        ("vat of france", own.vat_fr),
        ("nip dashed", shaped(own.nip, "999-999-99-99")),
        ("vat of belgium", own.vat_be),
        ("partita iva", lambda rng: luhn(digits(rng, 7, "01") + f"{rng.randint(1, 100):03d}")),
        accept=("pii.national_id",),
    ),
    "device.imei": formats(
        "device.imei",
        ("dashed", shaped(lambda rng: luhn("35" + digits(rng, 12)), "99-999999-999999-9")),
        ("of china", lambda rng: luhn("86" + digits(rng, 12))),
        ("number", lambda rng: int(luhn("35" + digits(rng, 12)))),
    ),
    "device.imsi": formats(
        "device.imsi",
        ("text", lambda rng: rng.choice(("310260", "262010", "234150", "404450")) + digits(rng, 9)),
        ("short", lambda rng: rng.choice(("46000", "25001")) + digits(rng, 9)),
    ),
    "device.iccid": formats(
        "device.iccid",
        ("nineteen", lambda rng: luhn("8944" + digits(rng, 14))),
        ("twenty", lambda rng: luhn("89014" + digits(rng, 14))),
    ),
    "device.mac": formats(
        "device.mac",
        ("dashes and capitals", _upper(pattern("hh-hh-hh-hh-hh-hh"))),
        ("three groups", pattern("hhhh.hhhh.hhhh")),
    ),
    "device.id": formats(
        "device.id",
        ("uuid in capitals", _upper(pattern("hhhhhhhh-hhhh-\\4hhh-\\9hhh-hhhhhhhhhhhh"))),
        ("hex 16", random_text("", 16, HEX)),
        ("serial of a laptop", _serial),
    ),
}
