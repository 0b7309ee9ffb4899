"""The table of classes, and the page that is generated from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from apisec.classification.classes import BY_NAME, CLASSES, _by_name, sensitivity
from apisec.classification.levels import LEVELS, highest, level, reference
from apisec.redaction.tokens import TOKEN

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "classes.md"


def test_the_page_is_what_the_table_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference()


def test_a_second_definition_is_refused() -> None:
    with pytest.raises(ValueError, match="defined twice"):
        _by_name((*CLASSES, CLASSES[0]))


def test_every_class_can_be_a_token() -> None:
    for name in BY_NAME:
        assert TOKEN.fullmatch(f"~{name}~0123456789abcdef~")


def test_an_unknown_class_counts_as_personal() -> None:
    assert sensitivity("health.unknown") == 2
    assert sensitivity("pci.pan") == 4


def test_credentials_and_card_data_ask_for_the_highest_level() -> None:
    assert {level(name) for name in BY_NAME if sensitivity(name) >= 3} == {"restricted"}


def test_a_more_sensitive_class_never_asks_for_less() -> None:
    asked = [LEVELS.index(level(c.name)) for c in sorted(CLASSES, key=lambda c: c.sensitivity)]
    assert asked == sorted(asked)


def test_the_highest_of_no_level_is_public() -> None:
    assert highest(()) == "public"
    assert highest(("internal", "restricted", "confidential")) == "restricted"
