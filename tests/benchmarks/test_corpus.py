"""The corpus of the accuracy benchmark is honest: reproducible, its splits disjoint, its labels true."""

from __future__ import annotations

import ast
import json
import random
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path

import pytest
import yaml

from benchmarks.corpus import bodies, development, elsewhere, examination, national
from benchmarks.corpus.checks import aba, ean, iban, luhn, mod11_10, verhoeff, vin
from benchmarks.corpus.draft import Draft
from benchmarks.corpus.generate import names_of, transactions
from benchmarks.corpus.split import CASINGS, Name, Split
from benchmarks.corpus.values import BRANDS

DEVELOPMENT, EXAMINATION = development.SPLIT, examination.SPLIT
BOTH = pytest.mark.parametrize("split", [DEVELOPMENT, EXAMINATION], ids=lambda split: split.name)
# Words that every API uses for a part of something; what they are parts of differs between the splits.
GENERIC = {"number"}
# One word, and no other for it: what an examination cannot ask in other words.
UNAVOIDABLE: set[str] = set()


def _folded(words: str) -> str:
    return "".join(sign for sign in words.lower() if sign.isalnum())


def _names(split: Split) -> set[str]:
    listed: list[Name] = [name for names in split.names.values() for name in names]
    listed += [(one.name,) for one in split.negatives] + list(split.style.neutral_names)
    return {_folded("".join(name)) for name in listed} | {_folded(name[-1]) for name in listed} - GENERIC


def test_the_corpus_knows_nothing_of_the_product() -> None:
    """Neither imported nor asked: what the product believes of a number must not make the labels."""
    files = [*Path(bodies.__file__).parent.rglob("*.py")]
    assert len(files) > 10
    imported = {
        name.split(".")[0]
        for path in files
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert not {name for name in imported if name.startswith("apisec")}


def test_no_field_name_stands_in_both_splits() -> None:
    assert not _names(DEVELOPMENT) & _names(EXAMINATION)


def _taught(cases: Path) -> Iterator[Sequence[str]]:
    """Yield the names of the cases: those listed, and those put together of words and ways to say number."""
    for path in sorted(cases.glob("*.yml")):
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        if "words" in document:
            words = [word for listed in document.pop("words").values() for word in listed]
            yield from product(document["around"], words, document["ways"])
            document = {"expiry": document["expiry"]["alone"]}
        for listed in document.values():
            yield from ([name] if isinstance(name, str) else name for name in listed)


def test_the_examination_asks_for_no_name_that_the_cases_teach() -> None:
    """Names that the classifier is mended by stand in tests/cases; a figure over those would say nothing."""
    taught = {_folded("".join(name)) for name in _taught(Path(__file__).parents[1] / "cases" / "names")}
    assert len(taught) > 500
    assert _names(EXAMINATION) & taught == UNAVOIDABLE


def test_no_format_stands_in_both_splits() -> None:
    keys = [{form.key for forms in split.formats.values() for form in forms} for split in (DEVELOPMENT, EXAMINATION)]
    assert not keys[0] & keys[1]


def _layout(text: str) -> str:
    """What is written where, whatever the value: 9 for digits, a and A for letters."""
    return "".join("9" if c.isdigit() else "A" if c.isupper() else "a" if c.islower() else c for c in text)


@pytest.mark.parametrize(
    "family", ["pii.ssn", "pci.cvv", "pci.expiry", "pii.dob", "device.mac", "fin.bic", "pii.passport"]
)
def test_layouts_differ_where_a_class_has_but_a_few(family: str) -> None:
    seen = []
    for split in (DEVELOPMENT, EXAMINATION):
        rng = random.Random(5)
        forms = split.formats[family]
        seen.append(
            {(type(value), _layout(str(value))) for form in forms for value in (form.make(rng) for _ in range(50))}
        )
    assert not seen[0] & seen[1]


def test_cards_of_both_splits_differ_by_issuer_or_layout() -> None:
    def kinds(split: Split) -> set[tuple[str, str, str]]:
        rng, found = random.Random(5), set()
        for form in split.formats["pci.pan"]:
            for value in (form.make(rng) for _ in range(20)):
                digits = "".join(c for c in str(value) if c.isdigit())
                brand = max(
                    (p, name)
                    for name, (ps, n) in BRANDS.items()
                    for p in ps
                    if digits.startswith(p) and n == len(digits)
                )
                found.add((brand[1], type(value).__name__, _layout(str(value))))
        return found

    assert not kinds(DEVELOPMENT) & kinds(EXAMINATION)


@pytest.mark.parametrize("part", ["phrases", "texts", "traces", "wrappers", "operations", "collections", "agents"])
def test_payload_styles_differ(part: str) -> None:
    def all_of(split: Split) -> set[object]:
        if part == "phrases":
            return {phrase for listed in split.phrases.values() for phrase in listed} | set(split.harmless_phrases)
        return set(getattr(split.style, part))

    assert all_of(DEVELOPMENT) & all_of(EXAMINATION) <= {()}  # a record without anything around it


@BOTH
def test_the_same_seed_gives_the_same_traffic(split: Split) -> None:
    first, again = ([(d.line(), d.answers()) for d in transactions(split, 60)] for _ in range(2))
    assert first == again
    assert first != [(d.line(), d.answers()) for d in transactions(split, 60, seed=1)]


@BOTH
def test_every_format_has_a_name_and_every_carrier_carries(split: Split) -> None:
    assert all(names_of(split, form) for forms in split.formats.values() for form in forms)
    drafts = list(transactions(split, 1500))
    carried = {label.carrier for draft in drafts for label in draft.labels if label.item.data_class}
    assert carried == {carrier.__name__ for carrier in (*bodies.BODIES, *elsewhere.ELSEWHERE)}
    planted = {label.item.key.partition("|")[0] for draft in drafts for label in draft.labels if label.item.data_class}
    assert planted == {form.key for forms in split.formats.values() for form in forms}


def _at(document: object, path: str) -> list[object]:
    """Return the values at an event's field path."""
    found = [document]
    for part in path.split("."):
        name = part.removesuffix("[]")
        found = [inner[name] for inner in found if isinstance(inner, dict) and name in inner]
        if part.endswith("[]"):
            found = [one for inner in found if isinstance(inner, list) for one in inner]
    return found


@BOTH
def test_labels_of_json_bodies_stand_where_they_say(split: Split) -> None:
    checked = 0
    for draft in transactions(split, 300):
        for label in draft.labels:
            if (
                label.carrier in ("json_object", "json_array", "json_rpc", "graphql_variables")
                and label.path is not None
            ):
                document = json.loads(draft.side(label.side).body)
                if isinstance(document, list):
                    document = document[0]
                assert label.item.value in _at(document, label.path.removeprefix("[]."))
                checked += 1
    assert checked > 300


@BOTH
def test_a_line_is_what_replay_reads(split: Split) -> None:
    for draft in transactions(split, 100):
        document = json.loads(draft.line())
        assert document["request"]["url"].startswith("https://")
        assert set(document) == {"id", "time", "client", "request", "response", "duration"}


@pytest.mark.parametrize(
    ("made", "published"),
    [
        (luhn("411111111111111"), "4111111111111111"),
        (luhn("7992739871"), "79927398713"),
        (ean("400638133393"), "4006381333931"),
        (verhoeff("236"), "2363"),
        (iban("GB", "WEST12345698765432"), "GB82WEST12345698765432"),
        (iban("DE", "370400440532013000"), "DE89370400440532013000"),
        (mod11_10("3657426180"), "36574261809"),
        (aba("02100002"), "021000021"),
        (vin("1M8GDM9A" + "KP042788"), "1M8GDM9AXKP042788"),
    ],
)
def test_check_digits_are_those_that_issuers_publish(made: str, published: str) -> None:
    assert made == published


@pytest.mark.parametrize(
    "country", ["de", "es", "it", "br", "pl", "nl", "tr", "no", "ro", "mx", "cn", "sg", "ee", "th"]
)
def test_national_numbers_vary(country: str) -> None:
    rng = random.Random(3)
    assert len({getattr(national, country)(rng) for _ in range(200)}) > 190


def test_casings_spell_words_as_programs_do() -> None:
    words = ["card", "security", "code"]
    spelled = {name: casing(words) for name, casing in CASINGS.items()}
    assert spelled == {
        "camel": "cardSecurityCode",
        "snake": "card_security_code",
        "kebab": "card-security-code",
        "pascal": "CardSecurityCode",
        "screaming": "CARD_SECURITY_CODE",
        "flat": "cardsecuritycode",
    }


def test_a_label_tells_its_text() -> None:
    draft: Draft = next(iter(transactions(DEVELOPMENT, 1)))
    answer = json.loads(draft.answers())
    for label, text in product(answer["labels"], [answer["texts"]]):
        assert isinstance(text[label["text"]], str)
