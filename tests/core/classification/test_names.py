"""Evidence from names: stems in several languages, and the words that only look like them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from apisec.classification.names import RULES, evidence, split
from apisec.classification.names.stems import COUNTRY_WORDS
from apisec.classification.names.words import NATIONAL

CASES = yaml.safe_load((Path(__file__).parents[2] / "cases" / "names" / "named.yml").read_text(encoding="utf-8"))
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


@given(st.text(max_size=300))
def test_no_name_is_too_strange(name: str) -> None:
    evidence(name)
    evidence("number", name)
