"""The table of classes, and the page that is generated from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from apisec.classification.classes import BY_NAME, CLASSES, _by_name, reference, sensitivity
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
