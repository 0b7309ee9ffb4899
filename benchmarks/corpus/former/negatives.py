"""What the examination plants that is not sensitive, under names and in layouts that look as if it were."""

from __future__ import annotations

from benchmarks.corpus.checks import digits, ean, letters, luhn
from benchmarks.corpus.former.persons import NOUNS
from benchmarks.corpus.split import Negative
from benchmarks.corpus.values import (
    ALNUM,
    HEX,
    card,
    decimal,
    identifier,
    joined,
    moment,
    number,
    pattern,
    random_text,
    whole,
)

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

NEGATIVES: tuple[Negative, ...] = (
    # References that happen to pass the checks of a card
    Negative("consignment luhn", "consignment number", card("visa"), ("pci.pan",)),
    Negative("rental luhn number", "rental order no", number(card("mastercard")), ("pci.pan",)),
    Negative("transaction luhn", "transaction reference", card("jcb"), ("pci.pan",)),
    # References, of lengths that numbers of persons have
    Negative("eticket 13", "ticket nr", lambda rng: "220" + digits(rng, 10), ("*",)),
    Negative("delivery note 10", "delivery note no", lambda rng: "008" + digits(rng, 7), ("*",)),
    Negative("sap material 18", "material no", lambda rng: "0" * 9 + digits(rng, 9, "123456789"), ("*",)),
    Negative("bol", "bill of lading no", lambda rng: digits(rng, 12, "123456789"), ("*",)),
    Negative("lot", "batch lot no", lambda rng: digits(rng, 8, "123456789"), ("*",)),
    Negative("claim", "claim ref", lambda rng: digits(rng, 11, "123456789"), ("*",)),
    Negative("correlation guid", "correlation guid", lambda rng: identifier(rng).upper()),
    Negative("message sequence", "message sequence no", whole(10**8, 10**9), ("*",)),
    Negative("container", "container no", lambda rng: letters(rng, 3) + "U" + digits(rng, 7), ("*",)),
    Negative("flight", "flight no", pattern("AA9999")),
    Negative("record locator", "record locator", pattern("AAAAAA")),
    Negative("upc", "upc", lambda rng: ean("0" + digits(rng, 10)), ("*",)),
    Negative("article gtin", "article gtin", lambda rng: ean("76" + digits(rng, 10)), ("*",)),
    Negative("sscc", "sscc", lambda rng: ean("0" + digits(rng, 16)), ("*",)),
    Negative("issn", "issn", pattern("9999-9999")),
    Negative("hs code", "customs tariff code", pattern("9999.99.99")),
    Negative("royal mail", "parcel tracking code", lambda rng: f"RB{digits(rng, 9)}GB", ("*",)),
    # Times and amounts
    Negative("epoch micros", "emitted micros", whole(1_690_000_000_000_000, 1_790_000_000_000_000), ("*",)),
    Negative("epoch float", "recorded ts", decimal(1_690_000_000, 1_790_000_000, 3)),
    Negative("compact time", "valid from", lambda rng: moment(rng).strftime("%Y%m%d%H%M%S"), ("*",)),
    Negative("date dots", "check in date", lambda rng: moment(rng).strftime("%d.%m.%Y")),
    Negative("date slashes", "posting date", lambda rng: moment(rng).strftime("%m/%d/%Y")),
    Negative("duration", "elapsed ns", whole(10**6, 10**10), ("*",)),
    Negative("euro", "net price text", lambda rng: f"{rng.randint(1, 99)}.{digits(rng, 3)},{digits(rng, 2)} EUR"),
    Negative("rate", "exchange rate usd", decimal(0.5, 150, 6)),
    Negative("minor units", "gross minor units", whole(100, 99_999_999)),
    # What machines make
    Negative(
        "traceparent",
        "traceparent",
        lambda rng: f"00-{random_text('', 32, HEX)(rng)}-{random_text('', 16, HEX)(rng)}-01",
    ),
    Negative("sha512", "content sha512", random_text("", 128, HEX)),
    Negative("image digest", "image digest", random_text("sha256:", 64, HEX)),
    Negative("xid", "job run id", random_text("", 20, "0123456789abcdefghijklmnopqrstuv")),
    Negative("ulid", "workflow run ulid", random_text("01J", 23, CROCKFORD)),
    Negative("nanoid", "widget id", random_text("", 21, ALNUM + "-_")),
    Negative("git short", "revision", random_text("", 8, HEX)),
    Negative("build", "build no", whole(1000, 99999)),
    Negative("semver", "sdk version", pattern("99.9.9+9999")),
    Negative("arn", "queue arn", lambda rng: f"arn:aws:sqs:eu-west-1:{digits(rng, 12)}:{rng.choice(NOUNS)}", ("*",)),
    Negative("url", "docs href", lambda rng: f"https://cdn.{rng.choice(NOUNS)}.app/p/{rng.randint(1, 99999)}?lang=en"),
    Negative("color", "theme color", random_text("#", 6, HEX.upper()[:16])),
    Negative("cron", "schedule", lambda rng: f"{rng.randint(0, 59)} {rng.randint(0, 23)} * * {rng.randint(0, 6)}"),
    # Names that hold the word of another thing
    Negative("camera", "pan angle", decimal(-180, 180, 2)),
    Negative("sine", "sin amplitude", decimal(0, 1, 6)),
    Negative("rut", "rut depth mm", decimal(0, 40, 1)),
    Negative("cell", "cell voltage", decimal(3, 4.2, 3)),
    Negative("tower", "serving cell load", whole(0, 100)),
    Negative("panel", "solar panels", whole(1, 60)),
    Negative("expanse", "expansion slots", whole(0, 9)),
    Negative("pins", "pin count", whole(4, 256)),
    Negative("passing", "passing score", whole(40, 100)),
    Negative("cards dealt", "cards dealt", whole(1, 52)),
    Negative("mails", "emails sent", whole(0, 9000)),
    Negative("tokens", "tokens used", whole(1, 90000)),
    Negative("keys", "key count", whole(0, 400)),
    Negative("addresses", "address count", whole(0, 5)),
    Negative("sessions", "peak sessions", whole(0, 5000)),
    Negative("calls", "phone calls today", whole(0, 300)),
    Negative("renames", "rename count", whole(0, 30)),
    Negative("longest", "longest streak", whole(0, 365)),
    Negative("zipper", "zipper length mm", whole(50, 900)),
    Negative("accounting", "ledger code", pattern("999999")),
    Negative("counters", "account manager count", whole(0, 20)),
    Negative("passwords", "password max age", whole(30, 365)),
    Negative("secrets", "secret rotation days", whole(1, 90)),
    Negative("births", "births per mille", decimal(1, 40, 2)),
    Negative("names", "unnamed items", whole(0, 30)),
    Negative("masked account", "masked account", lambda rng: "xxxxxx" + digits(rng, 4)),
    Negative("card tail", "card last digits", lambda rng: digits(rng, 4)),
    Negative("starred", "password display", lambda rng: "*" * rng.randint(6, 12)),
    # Sentences
    Negative("sentence", "release remarks", lambda rng: "Moved the " + " and the ".join(rng.sample(NOUNS, 3)) + "."),
    Negative("heading", "page heading", lambda rng: f"About {rng.choice(NOUNS)} and {rng.choice(NOUNS)}"),
    Negative("counted sentence", "alert body", joined("Seen ", pattern("99"), " times in ", pattern("9"), " hours")),
    Negative("luhn in a part no", "spare part number", lambda rng: luhn(digits(rng, 8, "123456789")), ("*",)),
)
