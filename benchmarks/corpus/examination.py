"""The split that figures are taken from. Who writes detectors does not read this file, nor its failures one by one."""

from __future__ import annotations

from benchmarks.corpus.checks import aba, digits, ean, letters, luhn
from benchmarks.corpus.examination_persons import NOUNS, PERSONS
from benchmarks.corpus.split import Format, Negative, load
from benchmarks.corpus.values import (
    ALNUM,
    HEX,
    card,
    decimal,
    formats,
    fours,
    iban_of,
    joined,
    jwt,
    moment,
    number,
    pattern,
    pem,
    random_text,
    shaped,
    whole,
)

BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


KEY = ("secret.api_key", "secret.token")  # another vendor's, or by its name: right too, not exact

FORMATS: dict[str, tuple[Format, ...]] = {
    **PERSONS,
    "pci.pan": (
        *formats(
            "pci.pan",
            ("visa dashed", fours(card("visa"), "-")),
            ("mastercard2 plain", card("mastercard2")),
            ("amex 4 6 5", shaped(card("amex"), "9999 999999 99999")),
            ("diners plain", card("diners")),
            ("jcb spaced", fours(card("jcb"))),
            ("unionpay plain", card("unionpay")),
            ("discover plain", card("discover")),
            bare=True,
        ),
        *formats(
            "pci.pan",
            ("mastercard2 number", number(card("mastercard2"))),
            ("maestro plain", card("maestro")),
            ("amex number", number(card("amex"))),
            ("visa 19", card("visa19")),
        ),
    ),
    "pci.cvv": formats("pci.cvv", ("4 text", pattern("9999")), ("3 number", whole(101, 999))),
    "pci.expiry": formats(
        "pci.expiry",
        ("mm-yyyy", lambda rng: f"{rng.randint(1, 12):02d}-{rng.randint(2027, 2033)}"),
        ("mmyy", lambda rng: f"{rng.randint(1, 12):02d}{rng.randint(27, 33)}"),
        ("yyyy-mm", lambda rng: f"{rng.randint(2027, 2033)}-{rng.randint(1, 12):02d}"),
    ),
    "fin.iban": formats(
        "fin.iban",
        *(
            (f"{country} plain", iban_of(country))
            for country in ("IT", "CH", "BE", "PL", "NO", "SE", "LT", "MT", "IE", "SA")
        ),
        *((f"{country} spaced", fours(iban_of(country))) for country in ("AT", "PT", "FI", "DK", "LU", "CZ", "PL")),
        bare=True,
    ),
    "fin.routing": formats(
        "fin.routing",
        ("federal dashed", shaped(lambda rng: aba("06" + digits(rng, 6)), "9999-9999-9")),
        ("west", lambda rng: aba(rng.choice(("121", "322", "325")) + digits(rng, 5))),
        accept=("fin.account",),
    ),
    "fin.sort_code": formats("fin.sort_code", ("dashed", pattern("29-99-99")), accept=("fin.account", "fin.routing")),
    "fin.account": formats(
        "fin.account", ("8 digits", lambda rng: digits(rng, 8)), ("12 digits", lambda rng: digits(rng, 12, "123456789"))
    ),
    "fin.bic": formats(
        "fin.bic",
        (
            "11",
            lambda rng: (
                letters(rng, 4)
                + rng.choice(("IT", "CH", "PL", "US"))
                + pattern("A")(rng)
                + rng.choice("23456789")
                + digits(rng, 3)
            ),
        ),
    ),
    "fin.bsb": formats(
        "fin.bsb", ("dashed", pattern("09\\9-999".replace("\\9", "9"))), accept=("fin.account", "fin.routing")
    ),
    "fin.ifsc": formats(
        "fin.ifsc",
        ("plain", lambda rng: rng.choice(("HDFC", "SBIN", "ICIC")) + "0" + digits(rng, 6)),
        accept=("fin.account", "fin.routing"),
    ),
    "fin.crypto": formats("fin.crypto", ("ethereum upper", random_text("0x", 40, HEX.upper()))),
    "fin.tax_id": formats(
        "fin.tax_id",
        ("vat", lambda rng: rng.choice(("DE", "FR12", "IT12")) + digits(rng, 9, "123456789")),
        accept=("pii.national_id",),
    ),
    "device.imei": formats(
        "device.imei",
        ("dashed", shaped(lambda rng: luhn("01" + digits(rng, 12)), "99-999999-999999-9")),
        ("number", lambda rng: int(luhn("86" + digits(rng, 12)))),
    ),
    "device.imsi": formats(
        "device.imsi", ("plain", lambda rng: rng.choice(("310150", "26201", "23415")) + digits(rng, 9))
    ),
    "device.iccid": formats("device.iccid", ("plain", lambda rng: luhn("8944" + digits(rng, 14)))),
    "device.mac": formats(
        "device.mac",
        ("dashes", lambda rng: pattern("hh-hh-hh-hh-hh-hh")(rng).upper()),
        ("cisco", pattern("hhhh.hhhh.hhhh")),
    ),
    "device.id": formats(
        "device.id",
        ("upper uuid", lambda rng: pattern("hhhhhhhh-hhhh-4hhh-bhhh-hhhhhhhhhhhh")(rng).upper()),
        ("hex 16", random_text("", 16, HEX)),
    ),
    "secret.password": formats(
        "secret.password",
        ("passphrase", lambda rng: "-".join(rng.choices(NOUNS, k=3))),
        ("symbols", lambda rng: "".join(rng.choices(ALNUM + "!#$%*_.", k=14)) + "!"),
        ("short", lambda rng: rng.choice(NOUNS) + digits(rng, 2)),
    ),
    "secret.otp": formats(
        "secret.otp",
        ("8 digits", lambda rng: digits(rng, 8)),
        ("number", whole(100000, 999999)),
        accept=("secret.token", "secret.password"),
    ),
    "secret.session": formats(
        "secret.session",
        ("alnum 26", random_text("", 26)),
        ("s:", lambda rng: "s:" + random_text("", 24)(rng) + "." + random_text("", 20)(rng)),
        accept=("secret.token",),
    ),
    "secret.token": formats(
        "secret.token",
        ("urlsafe 43", random_text("", 43, ALNUM + "-_")),
        ("hex 64", random_text("", 64, HEX)),
        accept=("secret.bearer", "secret.session", "secret.api_key"),
    ),
    "secret.api_key": (
        *formats(
            "secret.api_key",
            ("dashed groups", pattern("hhhhhhhh-xxxxxxxx-xxxxxxxx")),
            accept=KEY,
        ),
        *formats(
            "secret.api_key.gitlab",
            ("pat", random_text("glpat-", 20)),
            bare=True,
            accept=KEY,
        ),
        *formats(
            "secret.api_key.sendgrid",
            ("SG", lambda rng: f"SG.{random_text('', 22)(rng)}.{random_text('', 43)(rng)}"),
            bare=True,
            accept=KEY,
        ),
        *formats("secret.api_key.npm", ("npm", random_text("npm_", 36)), bare=True, accept=KEY),
        *formats(
            "secret.api_key.digitalocean",
            ("pat", random_text("dop_v1_", 64, HEX)),
            bare=True,
            accept=KEY,
        ),
        *formats(
            "secret.api_key.shopify",
            ("shpat", random_text("shpat_", 32, HEX)),
            bare=True,
            accept=KEY,
        ),
        *formats(
            "secret.api_key.github",
            ("fine grained", lambda rng: f"github_pat_{random_text('', 22)(rng)}_{random_text('', 59)(rng)}"),
            bare=True,
            accept=KEY,
        ),
        *formats(
            "secret.api_key.huggingface",
            ("hf", random_text("hf_", 34, ALNUM[:52])),
            bare=True,
            accept=KEY,
        ),
        *formats(
            "secret.api_key.hashicorp",
            ("hvs", random_text("hvs.", 95)),
            bare=True,
            accept=KEY,
        ),
        *formats(
            "secret.api_key.postman",
            ("PMAK", lambda rng: f"PMAK-{random_text('', 24, HEX)(rng)}-{random_text('', 34, HEX)(rng)}"),
            bare=True,
            accept=KEY,
        ),
        *formats(
            "secret.api_key.linear",
            ("lin", random_text("lin_api_", 40)),
            bare=True,
            accept=KEY,
        ),
        *formats(
            "secret.api_key.newrelic",
            ("NRAK", random_text("NRAK-", 27, ALNUM[26:])),
            bare=True,
            accept=KEY,
        ),
        *formats(
            "secret.api_key.mailchimp",
            ("us", lambda rng: f"{random_text('', 32, HEX)(rng)}-us{rng.randint(1, 21)}"),
            bare=True,
            accept=KEY,
        ),
        *formats(
            "secret.api_key.anthropic",
            ("api03", random_text("sk-ant-api03-", 93, ALNUM + "-_", "AA")),
            bare=True,
            accept=KEY,
        ),
        *formats(
            "secret.api_key.aws",
            ("temporary", lambda rng: "ASIA" + random_text("", 16, BASE32)(rng)),
            bare=True,
            accept=KEY,
        ),
        *formats(
            "secret.api_key.slack",
            (
                "webhook",
                joined(
                    "https://hooks.slack.com/services/T",
                    random_text("", 10, BASE32),
                    "/B",
                    random_text("", 10, BASE32),
                    "/",
                    random_text("", 24),
                ),
            ),
            bare=True,
            accept=KEY,
        ),
    ),
    "secret.jwt": formats(
        "secret.jwt",
        ("RS256", jwt("RS256", ("sid", "scope"))),
        ("ES256", jwt("ES256", ("nonce",))),
        bare=True,
        accept=("secret.session",),
    ),
    "secret.private_key": formats(
        "secret.private_key", ("pkcs8", pem("PRIVATE KEY", 300)), ("ec", pem("EC PRIVATE KEY", 120)), bare=True
    ),
}

NEGATIVES: tuple[Negative, ...] = (
    Negative("order 16 luhn", "order number", lambda rng: luhn("5" + digits(rng, 14, "12345")), ("pci.pan",)),
    Negative("order number json", "purchase order", lambda rng: int(luhn("4" + digits(rng, 14))), ("pci.pan",)),
    Negative("invoice 9", "invoice no", lambda rng: digits(rng, 9, "123456789"), ("*",)),
    Negative("case 11", "case number", lambda rng: digits(rng, 11, "123456789"), ("*",)),
    Negative("ean8", "gtin", lambda rng: ean(digits(rng, 7, "123456789")), ("*",)),
    Negative("gtin14", "barcode", lambda rng: ean("1" + digits(rng, 12)), ("*",)),
    Negative("epoch millis", "updated at ms", whole(1_690_000_000_000, 1_790_000_000_000), ("*",)),
    Negative("epoch nanos", "start nanos", whole(1_690_000_000_000_000_000, 1_790_000_000_000_000_000), ("*",)),
    Negative("rfc time", "last modified", lambda rng: moment(rng).strftime("%a, %d %b %Y %H:%M:%S GMT")),
    Negative("date", "delivery date", lambda rng: moment(rng).strftime("%Y-%m-%d")),
    Negative("compact date", "batch date", lambda rng: moment(rng).strftime("%Y%m%d"), ("*",)),
    Negative("trace", "trace id", random_text("", 32, HEX)),
    Negative("span", "parent span", random_text("", 16, HEX)),
    Negative("sha1", "commit", random_text("", 40, HEX)),
    Negative("etag", "etag", lambda rng: f'W/"{random_text("", 27)(rng)}"'),
    Negative("ulid", "event id", random_text("01", 24, "0123456789ABCDEFGHJKMNPQRSTVWXYZ")),
    Negative("objectid", "document id", random_text("65", 22, HEX)),
    Negative("semver", "app version", pattern("9.99.9-\\bet\\a.9")),
    Negative("money", "unit cost", decimal(1, 90000, 2)),
    Negative("cents", "amount cents", whole(100, 9_999_999)),
    Negative("sku", "article code", pattern("AA-9999-AA")),
    Negative("fedex", "waybill no", lambda rng: digits(rng, 12, "123456789"), ("*",)),
    Negative("dhl", "parcel number", lambda rng: digits(rng, 20, "123456789"), ("*",)),
    Negative("usps", "shipment tracking", lambda rng: "94" + digits(rng, 20), ("*",)),
    Negative("isbn", "isbn13", lambda rng: ean("978" + digits(rng, 9)), ("*",)),
    Negative("ratio", "ratio", decimal(0, 1, 6)),
    Negative("temperature", "temperature", decimal(-20, 40, 4)),
    Negative("score", "confidence score", decimal(0, 100, 4)),
    Negative("passenger", "passengers total", whole(1, 300)),
    Negative("compass", "compass heading", whole(0, 359)),
    Negative("passed", "tests passed", whole(0, 900)),
    Negative("discard", "discarded", whole(0, 99)),
    Negative("cardboard", "cardboard boxes", whole(1, 40)),
    Negative("keyword", "keywords", lambda rng: " ".join(rng.sample(NOUNS, 3))),
    Negative("tokens", "prompt tokens", whole(1, 9000)),
    Negative("pinned", "pinned", whole(0, 1)),
    Negative("page token count", "page size", whole(10, 100)),
    Negative("mailbox size", "mailbox quota mb", whole(100, 9000)),
    Negative("masked card", "masked card", lambda rng: "**** **** **** " + digits(rng, 4)),
    Negative("birth", "birth order", whole(1, 7)),
    Negative("nationality", "nationality count", whole(1, 9)),
    Negative("session", "session duration", whole(1, 5000)),
    Negative("session n", "sessions today", whole(1, 50)),
    Negative("token expiry", "token expires at", lambda rng: moment(rng).isoformat()),
    Negative("sentence", "summary", lambda rng: "The " + " ".join(rng.sample(NOUNS, 4)) + " was reviewed."),
    Negative("title", "headline", lambda rng: f"{rng.choice(NOUNS).title()} and {rng.choice(NOUNS)}"),
    Negative("url", "self link", lambda rng: f"https://api.{rng.choice(NOUNS)}.net/v2/things/{rng.randint(1, 99999)}"),
    Negative("color", "accent", random_text("#", 6, HEX)),
    Negative("reference letters", "booking reference", pattern("AAAAAA")),
    Negative("long id", "node id", whole(10**9, 10**12), ("*",)),
    Negative("snowflake", "snowflake", whole(10**17, 9 * 10**17), ("*",)),
)

SPLIT = load("examination", 907_331, FORMATS, NEGATIVES)
