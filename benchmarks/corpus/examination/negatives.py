"""What the examination plants that is not sensitive: makers by kind, under the names of ``harmless.yml``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import yaml

from benchmarks.corpus.checks import Rng, digits, ean, letters, luhn
from benchmarks.corpus.split import Make, Negative
from benchmarks.corpus.values import ALNUM, HEX, card, decimal, identifier, moment, number, pattern, random_text, whole

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ANY = ("*",)  # a checksum may speak for such a number, in strict mode


def _number(count: int) -> Make:
    return lambda rng: digits(rng, count, "123456789")


def _no_card(rng: Rng) -> str:
    """Sixteen digits that do not pass Luhn."""
    while True:
        found = digits(rng, 16, "123456789")
        if luhn(found[:-1]) != found:
            return found


def _luhn_card(rng: Rng) -> str:
    return card(rng.choice(("visa", "mastercard", "discover", "jcb")))(rng)


def _sku(rng: Rng) -> str:
    return f"{letters(rng, 2)}-{digits(rng, 4)}-{letters(rng, 1)}"


def _url(rng: Rng) -> str:
    return f"https://static.shop.app/{rng.choice(('img', 'docs'))}/{random_text('', 8)(rng)}?v={rng.randint(1, 99)}"


def _dotted(rng: Rng) -> str:
    return rng.choice(
        ("customer.email.label", "1.3.6.1.4.1.311", "auth.password.title", "ORU^R01", "pk#order", "inetOrgPerson")
    )


def _arn(rng: Rng) -> str:
    return f"arn:aws:{rng.choice(('iam', 'sns'))}::{digits(rng, 12)}:{rng.choice(('role/reader', 'alerts'))}"


def _short(rng: Rng) -> str:
    return rng.choice((pattern("AA99"), pattern("9999"), pattern("AAAA"), pattern("A999"), pattern("AAAA99")))(rng)


KINDS: dict[str, tuple[Make, tuple[str, ...]]] = {
    "luhn card": (_luhn_card, ("pci.pan",)),
    "luhn card number": (number(_luhn_card), ("pci.pan",)),
    **{f"digits {count}": (_number(count), ANY) for count in (9, 10, 11, 12, 13, 15)},
    "digits 16": (_no_card, ANY),
    "gtin 13": (lambda rng: ean(rng.choice(("50", "84", "54")) + digits(rng, 10)), ANY),
    "gtin 14": (lambda rng: ean("1" + digits(rng, 12)), ANY),
    "isbn": (lambda rng: ean("978" + digits(rng, 9)), ANY),
    "snowflake": (lambda rng: str(rng.randint(10**17, 12 * 10**17)), ANY),
    "epoch seconds": (whole(1_690_000_000, 1_790_000_000), ANY),
    "epoch millis": (whole(1_690_000_000_000, 1_790_000_000_000), ANY),
    "epoch nanos": (whole(1_690_000_000 * 10**9, 1_790_000_000 * 10**9), ANY),
    "iso time": (lambda rng: moment(rng).strftime("%Y-%m-%dT%H:%M:%SZ"), ()),
    "iso date": (lambda rng: moment(rng).strftime("%Y-%m-%d"), ()),
    "sequence": (whole(10**6, 10**9), ANY),
    "tracking ups": (lambda rng: "1Z" + pattern("9A9A99")(rng) + digits(rng, 10), ANY),
    "tracking s10": (lambda rng: f"LX{digits(rng, 9)}DE", ANY),
    "iata flight": (pattern("AA999"), ()),
    "locator": (pattern("AAA9A9"), ()),
    "uuid": (identifier, ()),
    "sha256": (random_text("", 64, HEX), ()),
    "sha1": (random_text("", 40, HEX), ()),
    "md5": (random_text("", 32, HEX), ()),
    "ulid": (random_text("01H", 23, CROCKFORD), ()),
    "base64 etag": (random_text("", 20, ALNUM, "=="), ()),
    "price": (decimal(1, 90_000, 2), ()),
    "minor": (whole(100, 9_999_999), ()),
    "percent": (decimal(0, 100, 1), ()),
    "small count": (whole(0, 40), ()),
    "big count": (whole(100, 90_000), ()),
    "boolean": (lambda rng: rng.choice((True, False, True, False, "Y", "N")), ()),
    "reason codes": (lambda rng: f"{rng.choice('RED')}{digits(rng, 2)}", ()),
    "short codes": (_short, ()),
    "version": (pattern("9.99.9"), ()),
    "sku": (_sku, ()),
    "vector": (decimal(-40, 9000, 3), ()),
    "dimension": (decimal(0.1, 900, 1), ()),
    "url": (_url, ()),
    "color": (random_text("#", 6, HEX), ()),
    "dotted": (_dotted, ()),
    "arn": (_arn, ANY),
    "ipv4 mask": (lambda rng: f"255.255.{rng.choice((0, 128, 240, 255))}.0", ()),
    "duration": (whole(10, 7_776_000), ()),
}


def _one_of(values: list[str]) -> Callable[[Rng], str]:
    return lambda rng: rng.choice(values)


def read() -> tuple[Negative, ...]:
    """Read the names, each with the maker of its kind."""
    document = yaml.safe_load(Path(__file__).with_name("harmless.yml").read_text(encoding="utf-8"))
    listed = {kind: (_one_of(values), ()) for kind, values in document.pop("values").items()}
    makers: dict[str, tuple[Make, tuple[str, ...]]] = {**KINDS, **listed}
    return tuple(
        Negative(f"{kind}: {name}", name, *makers[kind], stratum)
        for stratum, kinds in document.items()
        for kind, names in kinds.items()
        for name in names
    )
