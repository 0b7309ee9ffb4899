"""Evidence from names: stems in several languages, and the words that only look like them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from apisec.classification.classes import BY_NAME
from apisec.classification.names import RULES, evidence, split
from apisec.classification.names.stems import CONCEPTS, COUNTRY_WORDS
from apisec.classification.names.words import NATIONAL

CASES = yaml.safe_load((Path(__file__).parents[2] / "cases" / "names" / "named.yml").read_text(encoding="utf-8"))
HELD_OUT = yaml.safe_load((Path(__file__).parents[2] / "cases" / "names" / "heldout.yml").read_text(encoding="utf-8"))
NAMED = [(group, words) for group, listed in CASES.items() for words in listed]


@pytest.mark.parametrize(("group", "words"), NAMED, ids=str)
def test_name(group: str, words: list[str]) -> None:
    said = evidence(words[-1], words[0] if len(words) > 1 else "")
    if group == "reference":
        assert said.reference
        assert said.data_class is None
    else:
        assert said.data_class == (None if group == "none" else group)


def test_every_rule_has_a_case() -> None:
    covered = {group for group, _ in NAMED}
    assert {rule[0] for rule in RULES} - covered <= {NATIONAL + country for country in COUNTRY_WORDS}


@pytest.mark.parametrize(
    "style", ["cardNumber", "card_number", "card-number", "CardNumber", "CARD_NUMBER", "card.number"]
)
def test_spelling_does_not_matter(style: str) -> None:
    assert split(style) == ("card", "number")
    assert evidence(style).data_class == "pci.pan"


def test_held_out_names() -> None:
    """Names of public APIs that no training saw: what is said of them is right, and little is missed."""
    right = wrong = missed = 0
    for group, rows in HELD_OUT.items():
        for row in rows:
            expected = None if group == "none" else group
            said = evidence(row[-1], row[0] if len(row) > 1 else "").data_class
            right += said == expected and said is not None
            wrong += said is not None and said != expected
            missed += expected is not None and said != expected
    assert right + missed > 200
    assert right / (right + wrong) >= 0.97
    assert 2 * right / (2 * right + wrong + missed) >= 0.95


# A word for one system's number, and the ways of saying that it is a number: all together still say the class.
OWN_WORDS = yaml.safe_load(
    (Path(__file__).parents[2] / "cases" / "names" / "own_words.yml").read_text(encoding="utf-8")
)
CONVENTIONS = {
    "snake": "_".join,
    "camel": lambda words: words[0] + "".join(map(str.title, words[1:])),
    "pascal": lambda words: "".join(map(str.title, words)),
    "kebab": lambda words: "-".join(words).upper(),
    "dotted": ".".join,
}


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize(
    ("data_class", "word"), [(group, word) for group, listed in OWN_WORDS["words"].items() for word in listed]
)
def test_a_systems_own_word_says_its_class_however_the_number_is_called(
    data_class: str, word: str, convention: str
) -> None:
    for way in OWN_WORDS["ways"]:
        for around in OWN_WORDS["around"]:
            name = CONVENTIONS[convention]([*around.split(), *word.split(), *way.split()])
            assert evidence(name).data_class == data_class, name


@pytest.mark.parametrize("name", OWN_WORDS["joined_ways"])
def test_a_way_may_be_joined_or_a_sign(name: str) -> None:
    for data_class in ("pii.national_id.pl", "health.nhs", "device.imei", "pii.national_id.br"):
        word = OWN_WORDS["words"][data_class][0]
        assert evidence(word + name).data_class == data_class


def test_an_objects_id_stays_one() -> None:
    for name in OWN_WORDS["objects"]:
        said = evidence(name)
        assert said.identifier, name
        assert said.data_class is None, name


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_expiry_under_a_card(convention: str) -> None:
    for words in OWN_WORDS["expiry"]["alone"]:
        assert evidence(CONVENTIONS[convention](words.split())).data_class == "pci.expiry", words
    for words in OWN_WORDS["expiry"]["of_a_card"]:
        name = CONVENTIONS[convention](words.split())
        assert evidence(name, "card").data_class == "pci.expiry", words
        assert evidence(CONVENTIONS[convention](["card", *words.split()])).data_class == "pci.expiry", words
    for words in OWN_WORDS["expiry"]["no_card"]:
        assert evidence(CONVENTIONS[convention](words.split())).data_class is None, words


def test_a_rule_names_known_classes_and_concepts() -> None:
    known = {"idword", *CONCEPTS, *(NATIONAL + country for country in COUNTRY_WORDS)}
    for rule in RULES:
        assert rule.data_class in BY_NAME
        assert frozenset().union(*rule.needed) | rule.against <= known


@pytest.mark.parametrize(
    ("name", "parent", "reference", "identifier"),
    [
        ("order_id", "", True, True),
        ("id", "order", True, True),
        ("userIds", "", True, True),
        ("createdAt", "", True, False),
        ("sha256", "", True, False),
        ("Bestellnummer", "", True, False),
        ("deviceId", "", False, True),
        ("idToken", "", False, False),
        ("id_card_no", "", False, False),
        ("email", "", False, False),
        ("colour", "", False, False),
    ],
)
def test_references_and_identifiers(name: str, parent: str, reference: bool, identifier: bool) -> None:
    said = evidence(name, parent)
    assert (said.reference, said.identifier) == (reference, identifier)


def test_the_head_turns_a_name_only_from_behind() -> None:
    assert evidence("email_template").data_class is None
    assert evidence("template_email").data_class == "pii.email"
    assert evidence("is_password").data_class is None


@given(st.text(max_size=300))
def test_no_name_is_too_strange(name: str) -> None:
    evidence(name)
    evidence("number", name)
