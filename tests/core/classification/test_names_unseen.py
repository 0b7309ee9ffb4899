"""Names in vocabularies, spellings and scripts that nobody listed: what the rules of words make of them."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, Dict, Iterator, List, Optional, Tuple
from zlib import crc32

import pytest
import yaml

from apisec.classification.names import evidence, split
from apisec.classification.names.abbreviations import MAX_COST, cost, pieces, readings
from apisec.classification.names.folding import fold
from apisec.classification.names.guessing import guess
from apisec.classification.names.stems import CONCEPTS
from apisec.classification.names.words import STEMS, meaning

CASES = Path(__file__).parents[2] / "cases" / "names"
VOCABULARIES: Dict[str, Dict[str, str]] = yaml.safe_load((CASES / "vocabularies.yml").read_text(encoding="utf-8"))
INDUSTRIES: Dict[str, Dict[str, str]] = yaml.safe_load((CASES / "industries.yml").read_text(encoding="utf-8"))
HABITS = yaml.safe_load((CASES / "habits.yml").read_text(encoding="utf-8"))
# What one word means in one country and another in the next: any of these redacts.
KIN = {
    "pii.national_id": ("pii.ssn", "fin.tax_id", "pii.itin", "pii.passport"),
    "health.insurance": ("health.mbi", "health.medicare", "health.ehic", "health.nhs", "pii.national_id"),
}


def camel(words: List[str]) -> str:
    return words[0] + "".join([word[:1].upper() + word[1:] for word in words[1:]])


def pascal(words: List[str]) -> str:
    return "".join([word[:1].upper() + word[1:] for word in words])


CONVENTIONS: Dict[str, Callable[[List[str]], str]] = {
    "camel": camel,
    "snake": "_".join,
    "joined": "".join,
    "upper": lambda words: "_".join(words).upper(),
}


def phrases(
    tuned: bool, vocabularies: Dict[str, Dict[str, str]] = VOCABULARIES
) -> Iterator[Tuple[str, str, List[str]]]:
    """Yield class, language and words of the half whose misses were looked at, or of the other."""
    for data_class, languages in vocabularies.items():
        for language, listed in languages.items():
            for phrase in listed.split(";"):
                if phrase.strip() and bool(crc32(phrase.strip().encode()) % 2) == tuned:
                    yield data_class, language, phrase.split()


def says(expected: str, found: Optional[str]) -> bool:
    kin = (expected, *KIN.get(expected, ()))
    return found is not None and any(f"{found}.".startswith(f"{one}.") for one in kin)


@pytest.mark.parametrize(("tuned", "recall"), [(True, 0.945), (False, 0.94)])
def test_recall_in_conventions(tuned: bool, recall: float) -> None:
    found = judged = 0
    for data_class, _, words in phrases(tuned):
        for spell in CONVENTIONS.values():
            if data_class != "none":
                judged += 1
                found += says(data_class, evidence(spell(words)).data_class)
    assert judged > 3000
    assert found / judged >= recall


@pytest.mark.parametrize("tuned", [True, False])
def test_ordinary_fields_are_left_alone(tuned: bool) -> None:
    said = [
        name
        for data_class, _, words in phrases(tuned)
        if data_class == "none"
        for name in (spell(words) for spell in CONVENTIONS.values())
        if evidence(name).data_class is not None
    ]
    assert len(said) <= 40, said  # of some 1,100


@pytest.mark.parametrize(("tuned", "recall"), [(True, 0.96), (False, 0.90)])
def test_what_trades_say(tuned: bool, recall: float) -> None:
    found: Dict[str, List[bool]] = {}
    for data_class, _, words in phrases(tuned, INDUSTRIES):
        for spell in CONVENTIONS.values():
            said = evidence(spell(words))
            if data_class == "reference":
                right = said.reference and said.data_class is None
            elif data_class == "none":
                right = said.data_class is None
            else:
                right = says(data_class, said.data_class)
            found.setdefault(data_class, []).append(right)
    every = [right for listed in found.values() for right in listed]
    assert len(every) > 3000
    assert sum(every) / len(every) >= recall
    assert {name for name, listed in found.items() if sum(listed) / len(listed) < recall - 0.15} == set()
    assert sum(found["reference"]) / len(found["reference"]) >= 0.94


@pytest.mark.parametrize(
    ("name", "parent", "reference"),
    [
        ("Zählernummer", "", True),
        ("nrZleceniaXyz", "", True),
        ("customerNo", "", True),
        ("xyzKey", "", True),
        ("注文番号", "", True),
        ("number", "order", True),
        ("number", "", False),
        ("number", "holder", False),
        ("code", "", False),
        ("zahlkartnr", "", False),  # of some card
        ("plastikNr", "", False),
        ("nr", "kortti", False),
        ("patientKey", "", False),
        ("notes", "", False),
        ("nombre", "", False),
        ("memo", "items", False),  # whatever people write into may hold a card
        ("orderNote", "", False),
        ("message", "", False),
        ("details", "order", False),
        ("entry", "items", False),
        ("custom1", "order", False),
        ("Verwendungszweck", "invoice", False),
        ("備考", "注文", False),
        ("line", "items", False),
        ("message_id", "", True),
        ("numberOfPhones", "", True),  # how many
        ("number_of_cards", "customer", True),
    ],
)
def test_a_number_of_something_is_a_reference(name: str, parent: str, reference: bool) -> None:
    said = evidence(name, parent)
    assert said.reference is reference
    assert not reference or said.data_class is None


def test_every_language_is_understood() -> None:
    found: Dict[str, List[bool]] = {}
    for data_class, language, words in [*phrases(True), *phrases(False)]:
        if data_class != "none":
            found.setdefault(language, []).append(says(data_class, evidence(camel(words)).data_class))
    assert len(found) >= 20
    assert {language for language, right in found.items() if sum(right) / len(right) < 0.85} == set()


@pytest.mark.parametrize("habit", HABITS["around"])
def test_what_a_habit_adds_changes_nothing(habit: str) -> None:
    lost = []
    for name in HABITS["names"]:
        words = name.split()
        expected = evidence("_".join(words)).data_class
        assert expected is not None, name
        dressed = habit.format(
            snake="_".join(words), camel=camel(words), pascal=pascal(words), upper="_".join(words).upper()
        )
        if evidence(dressed).data_class != expected:
            lost.append(dressed)
    assert lost == []


@pytest.mark.parametrize(("name", "data_class"), [tuple(row) for row in HABITS["shortened"]])
def test_shortened_names(name: str, data_class: str) -> None:
    assert evidence(name).data_class == data_class


@pytest.mark.parametrize("name", HABITS["ambiguous"])
def test_a_short_word_alone_says_nothing(name: str) -> None:
    assert evidence(name).data_class is None


@pytest.mark.parametrize(("name", "data_class"), [tuple(row) for row in HABITS["likely"]])
def test_a_terse_name_is_likely_only(name: str, data_class: str) -> None:
    said = evidence(name)
    assert said.data_class is None
    assert said.likely == data_class


@pytest.mark.parametrize(
    ("short", "full"), [("cstmr", "customer"), ("phn", "phone"), ("verif", "verification"), ("psprt", "passport")]
)
def test_short_forms(short: str, full: str) -> None:
    price = cost(short, full)
    assert price is not None
    assert 0 < price <= MAX_COST
    assert full in [one.word for one in readings(short)]


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("patent", "patient"),
        ("psp", "passport"),
        ("ph", "phone"),
        ("phone", "phone"),
        ("xphn", "phone"),
        ("enohp", "phone"),
    ],
)
def test_what_is_no_short_form(short: str, full: str) -> None:
    assert cost(short, full) is None


def test_words_written_as_one() -> None:
    assert pieces("cstmrnm", STEMS) == ["cstmr", "nm"]
    assert pieces("platform", STEMS) is None
    assert guess("mdclrcrdnmbr") == "health.mrn"
    assert guess("platform") is None


def test_an_ordinary_word_has_no_reading() -> None:
    for word in ("patterns", "platform", "result", "accounting", "address"):
        assert readings(word) == ()


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("НомерТелефона", "NomerTelefona"),
        ("τηλέφωνο", "tilefono"),
        ("Straße", "Strasse"),
        ("전화번호", "전화번호"),
        ("電話番号", "電話番号"),
        ("contraseña", "contrasena"),
        ("plain_ASCII's", "plain_ASCII's"),
    ],
)
def test_folding(text: str, folded: str) -> None:
    assert fold(text) == folded
    assert fold(fold(text)) == folded


def test_scripts_are_split_into_words() -> None:
    assert split("НомерТелефона") == ("nomer", "telefona")
    assert split("رقم الهاتف") == ("رقم", "الهاتف")
    assert split("会员手机号") == ("会员手机号",)
    assert "phone" in meaning("会员手机号")
    assert "phone" in meaning("收货人手机号")  # the first part alone is no stem of the grammar's


def test_stems_are_single_words() -> None:
    for concept, stems in CONCEPTS.items():
        for stem in stems.split():
            bare = fold(stem.rstrip("*")).lower()
            assert bare, (concept, stem)
            assert "_" not in bare, (concept, stem)
