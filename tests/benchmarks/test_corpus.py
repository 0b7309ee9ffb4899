"""The corpus of the accuracy benchmark is honest: reproducible, its splits disjoint, its labels true."""

from __future__ import annotations

import ast
import json
import random
import statistics
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.corpus import bodies, development, elsewhere, examination, former, national
from benchmarks.corpus.checks import aba, ean, iban, luhn, mod11_10, verhoeff, vin
from benchmarks.corpus.draft import Draft
from benchmarks.corpus.examination import numbers
from benchmarks.corpus.generate import names_of, transactions
from benchmarks.corpus.score import group
from benchmarks.corpus.split import CASINGS, STRATA, Split, every_name
from benchmarks.corpus.values import BRANDS

DEVELOPMENT, EXAMINATION, FORMER = development.SPLIT, examination.SPLIT, former.SPLIT
SPLITS = (DEVELOPMENT, EXAMINATION, FORMER)
ALL = pytest.mark.parametrize("split", SPLITS, ids=lambda split: split.name)
OTHERS = pytest.mark.parametrize("other", [DEVELOPMENT, FORMER], ids=lambda split: split.name)
# Words that every API uses for a part of something; what they are parts of differs between the splits.
GENERIC = {"number"}
# Share of the examination's names that cases may come to teach without knowing them, before somebody exchanges them.
MAX_TAUGHT = 0.03


def _folded(words: str) -> str:
    return "".join(sign for sign in words.lower() if sign.isalnum())


def _names(split: Split) -> set[str]:
    listed = list(every_name(split))
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


@OTHERS
def test_the_examination_asks_for_no_name_of_another_split(other: Split) -> None:
    both = len(_names(EXAMINATION) & _names(other))  # counted: who writes the other does not know them
    assert both == 0
    assert len(_names(EXAMINATION)) >= 0.97 * len(_names(examination.WRITTEN)), "its examiner exchanges what went"


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


def test_the_examination_asks_for_hardly_a_name_that_the_cases_teach() -> None:
    """Names that the classifier is mended by stand in tests/cases; a figure over those would say nothing.

    Those that are taught are not shown: who writes cases does not know the examination.
    """
    taught = {_folded("".join(name)) for name in _taught(Path(__file__).parents[1] / "cases" / "names")}
    asked = _names(EXAMINATION)
    known, count = len(taught), len(asked & taught) / len(asked)
    del taught, asked
    assert known > 500
    assert count <= MAX_TAUGHT, "the examination wears out: its examiner exchanges the names that cases teach"


@pytest.mark.parametrize("split", [EXAMINATION, FORMER], ids=lambda split: split.name)
def test_no_format_of_an_examination_stands_in_development(split: Split) -> None:
    keys = [{form.key for forms in one.formats.values() for form in forms} for one in (DEVELOPMENT, split)]
    assert not keys[0] & keys[1]


def test_the_examination_spells_each_class_in_many_ways_of_each_stratum() -> None:
    for name, strata in examination.WRITTEN.names.items():
        least = 1 if name.startswith("pii.national_id.") else 6  # of a country's numbers; they have those of all, too
        assert set(strata) == set(STRATA), name
        assert min(map(len, strata.values())) >= least, name


@pytest.fixture(scope="module")
def whole() -> list[Draft]:
    return list(transactions(EXAMINATION))


def test_the_examination_plants_enough_of_every_class(whole: list[Draft]) -> None:
    planted = Counter(label.item.data_class for draft in whole for label in draft.labels if label.item.data_class)
    by_group = Counter(dict.fromkeys(map(group, planted), 0))
    for name, count in planted.items():
        by_group[name if name.startswith("pii.national_id") else group(name)] += count
    del by_group["pii.national_id"]
    assert len(by_group) >= 60
    assert min(by_group.values()) >= 150


def test_the_examination_is_weighed_like_the_world(whole: list[Draft]) -> None:
    strata = Counter(label.item.stratum for draft in whole for label in draft.labels if label.item.data_class)
    named = sum(strata[stratum] for stratum in STRATA)
    for stratum, share in STRATA.items():
        assert strata[stratum] / named == pytest.approx(share / 100, abs=0.03)


def test_no_harmless_name_decides_a_figure(whole: list[Draft]) -> None:
    used = Counter(label.item.name for draft in whole for label in draft.labels if label.item.data_class is None)
    assert len(used) >= 250
    usual = statistics.median(used.values())
    assert usual / 3 <= min(used.values()) <= max(used.values()) <= usual * 2


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


@OTHERS
@pytest.mark.parametrize("part", ["phrases", "texts", "traces", "wrappers", "operations", "collections", "agents"])
def test_payload_styles_differ(part: str, other: Split) -> None:
    def all_of(split: Split) -> set[object]:
        if part == "phrases":
            return {phrase for listed in split.phrases.values() for phrase in listed} | set(split.harmless_phrases)
        return set(getattr(split.style, part))

    assert all_of(other) & all_of(EXAMINATION) <= {()}  # a record without anything around it


@ALL
def test_the_same_seed_gives_the_same_traffic(split: Split) -> None:
    first, again = ([(d.line(), d.answers()) for d in transactions(split, 60)] for _ in range(2))
    assert first == again
    assert first != [(d.line(), d.answers()) for d in transactions(split, 60, seed=1)]


@ALL
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


@ALL
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


@ALL
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


class Scripted(random.Random):
    """Draws what is written, sign for sign."""

    def __init__(self, script: str) -> None:
        super().__init__(0)
        self._script = iter(script)

    def choice(self, seq: Any) -> Any:
        return next(self._script)

    def choices(self, population: Any, *args: Any, k: int = 1, **more: Any) -> list[Any]:
        return [next(self._script) for _ in range(k)]

    def randint(self, a: int, b: int) -> int:
        return int("".join(next(self._script) for _ in range(len(str(b)))))


@pytest.mark.parametrize(
    ("make", "published"),
    [
        (numbers.snils, "11223344595"),
        (numbers.nip, "1234563218"),
        (numbers.siren, "303265045"),
        (numbers.nhi, "ZZZ0016"),
        (numbers.medicare_au, "2123456701"),
    ],
)
def test_numbers_of_the_examination_are_those_that_issuers_publish(make: Callable[..., str], published: str) -> None:
    script = published[:-1] if make is not numbers.medicare_au else published[:-2] + published[-1]
    script = published[:-2] if make is numbers.snils else script
    assert make(Scripted(script)) == published


def test_addresses_of_bitcoin_end_as_the_proposal_says() -> None:
    address = "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0"  # BIP 350
    data = ["qpzry9x8gf2tvdw0s3jn54khce6mua7l".index(sign) for sign in address[3:]]
    assert numbers.witness(data[:-6]) == address


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
