"""The engine: gates that hide nothing, telling words, hints, strict mode, and which class wins where two overlap."""

from __future__ import annotations

import random
import re
from functools import cache
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from apisec.classification.vendors import RULES
from apisec.detectors import DETECTORS
from apisec.detectors.base import NEAR, words
from apisec.detectors.engine import any_of, candidates, find, scan
from tests.core.detectors.examples import example

CASES = Path(__file__).parents[2] / "cases" / "detectors"


@cache
def texts() -> list[str]:
    """Return every text of the corpus, positive and negative, and one secret of each kind."""
    documents = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(CASES.glob("*.yml"))]
    cases = [case["text"] for document in documents for case in [*document["positive"], *document["negative"]]]
    found = ["".join(text) if isinstance(text, list) else text for text in cases]
    rng = random.Random(4)
    return found + [example(rule, rng) for rule in RULES]


def classes(text: str, **options: object) -> list[str]:
    return [match.data_class for match in scan(text, **options)]  # type: ignore[arg-type]


def test_no_gate_hides_what_its_detector_would_find() -> None:
    """A gate is a superset of its detectors' shapes: other engines ask it first, and so does this one."""
    for text in texts():
        asked = {detector.id for detector in candidates(text, strict=True)}
        for detector in DETECTORS.values():
            if detector.confidence == "context" and not detector.checked:
                continue
            if detector.id not in asked:
                assert not list(find(detector, text)), (detector.id, text)


@pytest.mark.parametrize("words_between", ["", "of the holder ", "x" * (NEAR - 10) + " "])
def test_a_telling_word_counts_within_48_characters(words_between: str) -> None:
    assert classes(f"ssn {words_between}123456788") == ["pii.ssn"]


def test_a_telling_word_further_away_or_behind_does_not_count() -> None:
    assert classes("ssn " + "x" * NEAR + " 123456788") == []
    assert classes("123456788 is the ssn") == []


def test_a_hint_speaks_for_its_class_and_for_the_classes_below() -> None:
    assert classes("9876543210", hint="pii.phone") == ["pii.phone"]
    assert classes("9876543210") == []
    assert classes("44051401359", hint="pii.national_id") == ["pii.national_id.pl"]
    assert classes("44051401359", hint="pii.national_id.pl") == ["pii.national_id.pl"]


def test_a_reference_speaks_against_a_checksum_but_not_in_strict_mode() -> None:
    card = "4111111111111111"
    assert classes(card) == ["pci.pan"]
    assert classes(card, reference=True) == []
    assert classes(card, reference=True, strict=True) == ["pci.pan"]


def test_strict_mode_takes_a_checksum_for_proof_and_nothing_less() -> None:
    assert classes("9f4111111111111111e") == []
    assert classes("9f4111111111111111e", strict=True) == ["pci.pan"]
    assert classes("9f4111111111111112e", strict=True) == []
    assert "pii.ssn" not in classes("123456788", strict=True), "an SSN has no check digit"


def test_strict_mode_finds_at_least_what_balanced_mode_finds() -> None:
    for text in texts():
        balanced = {(match.start, match.end) for match in scan(text)}
        strict = scan(text, strict=True)
        assert all(any(m.start <= start and end <= m.end for m in strict) for start, end in balanced), text


def test_the_nearest_telling_word_wins() -> None:
    assert classes("phone 2125550187, NHS number 943 476 5919") == ["pii.phone", "health.nhs"]


def test_the_longer_of_two_proofs_wins() -> None:
    """Digits of an IBAN that pass Luhn are no card."""
    assert classes("GB33 BUKB 2020 1555 5555 55") == ["fin.iban"]
    assert classes("DE89370400440532013000") == ["fin.iban"]


def test_a_vendor_says_more_than_the_header_around_its_token() -> None:
    token = "glpat-" + "aB3dE5gH7jK9mN1pQ2rS"
    assert classes(f"Authorization: Bearer {token}") == ["secret.api_key.gitlab"]


@given(st.lists(st.text("abc-", min_size=1, max_size=4), min_size=1, max_size=6), st.text("abc-", max_size=24))
def test_literals_are_found_wherever_they_overlap(literals: list[str], text: str) -> None:
    found = set(any_of(literals).findall(text))
    for literal in literals:
        if literal in text:
            assert any(longer.startswith(literal) for longer in found)
    assert all(literal in literals for literal in found)


@pytest.mark.parametrize(
    ("stem", "yes", "no"),
    [
        ("straße", ["STRASSE 1", "straße", "Straße:"], ["strassenbahn", "hochstraße"]),
        ("código", ["Codigo", "CÓDIGO=", "código"], ["codigos"]),
        ("security code", ["Security-Code", "SECURITY_CODE", "securitycode 1", "security code"], ["insecurity code"]),
        ("kunde*", ["Kundennummer", "kunde_17"], ["urkunden"]),
    ],
)
def test_telling_words(stem: str, yes: list[str], no: list[str]) -> None:
    telling = words(stem)
    assert all(telling.shape.search(text) for text in yes)
    assert not any(telling.shape.search(text) for text in no)
    for text in yes:
        assert {word[:3].lower() for word in text.replace("_", " ").replace("-", " ").split()} & telling.heads


def test_words_by_their_first_letter_say_what_words_one_by_one_say() -> None:
    nears = {detector.near.pattern: detector.near for detector in DETECTORS.values() if detector.near}.values()
    for index, near in enumerate(nears):
        one_by_one = re.compile(near.pattern)
        for text in texts()[index % 79 :: 79]:  # each gets others: all of them for all would take long
            found, expected = near.shape.search(text), one_by_one.search(text)
            assert (found and found.span()) == (expected and expected.span()), text


def test_who_waits_for_words_is_asked_where_one_stands_and_nowhere_else() -> None:
    waiting = [d for d in DETECTORS.values() if d.confidence == "context" and d.near is not None and d.gate == "near"]
    assert waiting
    for text in texts()[::79]:
        chosen = {d.id for d in candidates(text)}
        assert chosen >= {d.id for d in waiting if d.near is not None and d.near.shape.search(text)}, text
        for one in candidates(text):
            assert one.confidence != "context" or (one.near is not None and one.near.shape.search(text)), (text, one.id)


@pytest.mark.parametrize("stem", ["2fa", "ab*", " pin", ""])
def test_a_stem_that_could_not_be_looked_up_is_refused(stem: str) -> None:
    with pytest.raises(ValueError, match="telling word"):
        words(stem)
