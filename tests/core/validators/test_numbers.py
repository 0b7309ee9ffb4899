"""The tables of numbers: each check refuses what it should, as often as its row says."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from apisec.classification.classes import BY_NAME
from apisec.validators import banking, devices, documents, health, national, tax
from apisec.validators.cards import pan, pan_alone
from apisec.validators.checks import calendar_date, luhn, mod_11_10, verhoeff
from apisec.validators.crypto import base58check, bech32
from apisec.validators.numbers import MAX_ALONE, Number, by_class, compact
from tests.support.forms import sample

ROWS = {row.id: row for row in (*national.ROWS, *tax.ROWS, *health.ROWS, *banking.ROWS, *devices.ROWS, *documents.ROWS)}
SAMPLE = 1500
FOLDER = Path(__file__).parents[2] / "cases" / "detectors"


@pytest.mark.parametrize(
    "row", [row for row in ROWS.values() if row.checked and row.odds > 1 / 90], ids=lambda row: row.id
)
def test_a_weak_check_of_few_characters_needs_words_in_strict_mode_too(row: Number) -> None:
    rng = random.Random(row.id)
    assert min(len(sample(row.form, rng)) for _ in range(200)) >= 9


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_random_text_of_the_form_passes_as_often_as_the_row_says(row: Number) -> None:
    rng = random.Random(row.id)
    passed = sum(row.of_compact(sample(row.form, rng)) is not None for _ in range(SAMPLE))
    spread = 5 * (row.odds * (1 - row.odds) / SAMPLE) ** 0.5
    assert abs(passed / SAMPLE - row.odds) <= 0.3 * row.odds + spread + 2 / SAMPLE


@pytest.mark.parametrize("row", [row for row in ROWS.values() if row.checked], ids=lambda row: str(row.id))
def test_a_check_catches_most_slips_of_one_digit(row: Number) -> None:
    """A valid number with one digit changed passes seldom: at most one in ten, and one in five where two rules hold."""
    rng = random.Random(row.id)
    valid = next(text for text in iter(lambda: sample(row.form, rng), "") if row.of_compact(text))
    slips = [
        valid[:place] + digit + valid[place + 1 :]
        for place, old in enumerate(valid)
        if old.isdigit()
        for digit in "0123456789"
        if digit != old
    ]
    assert sum(row.of_compact(slip) is not None for slip in slips) <= len(slips) / 4


def test_rows_name_known_classes_and_gates_and_at_least_thirty_countries() -> None:
    assert {row.data_class for row in ROWS.values()} <= BY_NAME.keys()
    assert len({row.data_class for row in national.ROWS}) >= 60
    assert all(row.words and row.source for row in ROWS.values())
    declared = {name for name in BY_NAME if name.startswith("pii.national_id.")}
    assert declared <= {row.data_class for row in national.ROWS}


def test_a_second_row_of_the_same_id_is_refused() -> None:
    with pytest.raises(ValueError, match="defined twice"):
        by_class(national.ROWS[:1] * 2)


def test_every_row_has_an_example_that_nobody_computed_here() -> None:
    """The corpus's numbers come from the issuers: each row accepts one of its class."""
    for family, rows in (("national_ids", national.ROWS), ("health", health.ROWS), ("devices", devices.ROWS)):
        cases = yaml.safe_load((FOLDER / f"{family}.yml").read_text(encoding="utf-8"))["positive"]
        values = [case["canonical"] for case in cases if "canonical" in case]
        for row in rows:
            assert any(row.of_compact(value) for value in values), row.id


@given(st.text(max_size=60))
def test_no_text_breaks_a_row(text: str) -> None:
    for row in ROWS.values():
        found = row.accept(text)
        assert found is None or found == compact(text)


@given(st.text(max_size=100))
def test_no_text_breaks_the_other_validators(text: str) -> None:
    assert base58check(text) in (None, text)
    assert bech32(text) in (None, text.lower())
    assert documents.mrz(text) is None or "<" in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12 34-56.78", "12345678"),
        ("ab\u00a012\u201334", "AB1234"),
        ("٤٥٦", "456"),
        ("\uff11\uff12\uff21", "12A"),
        ("", ""),
    ],
)
def test_compact(text: str, expected: str) -> None:
    assert compact(text) == expected


def test_published_examples_of_the_algorithms() -> None:
    assert verhoeff("2363")
    assert not verhoeff("2364")
    assert mod_11_10("07945")  # ISO/IEC 7064
    assert luhn("79927398713")
    assert calendar_date(2000, 2, 29)
    assert not calendar_date(1900, 2, 29)
    assert not calendar_date(2026, 4, 31)


@pytest.mark.parametrize(
    "number",
    [
        *("4111111111111111", "378282246310005", "30569309025904", "6011111111111117", "3530111333300000"),
        *("5555555555554444", "2223003122003222", "6200000000000005", "6759649826438453", "6062826786276634"),
        *("6362970000457013", "5066991111111118", "6073849700004947", "2200770239097761", "9792030394440796"),
        "135410014004955",
    ],
)
def test_cards_of_every_scheme(number: str) -> None:
    assert pan(number)
    assert not pan(number[:-1] + str((int(number[-1]) + 1) % 10))


def _random_digits(rng: random.Random, length: int) -> str:
    return rng.choice("123456789") + "".join(rng.choices("0123456789", k=length - 1))


@pytest.mark.parametrize(("length", "most"), [(12, 1000), (13, 1000), (14, 150), (15, 250), (16, 28), (19, 60)])
def test_of_random_numbers_few_are_a_card_that_stands_alone(length: int, most: int) -> None:
    rng = random.Random(length)
    passed = sum(pan_alone(_random_digits(rng, length)) for _ in range(20_000))
    assert passed <= 20_000 / most


@pytest.mark.parametrize("form", ["%y%m%d%H%M%S", "%Y%m%d%H%M%S", "%d%m%Y", "%m%d%Y", "%d%m%Y%H%M%S"])
def test_a_number_that_begins_with_a_time_is_no_card_alone(form: str) -> None:
    rng = random.Random(form)
    for _ in range(2000):
        moment = time.strftime(form, time.gmtime(rng.randint(1_262_304_000, 1_830_000_000)))  # 2010 to 2027
        for length in range(max(14, len(moment)), 20):
            assert not pan_alone(moment + "".join(rng.choices("0123456789", k=length - len(moment))))


@pytest.mark.parametrize(
    "card",
    [
        *("4111111111111111", "5555555555554444", "2223003122003222", "378282246310005", "6011111111111117"),
        *(
            "3530111333300000",
            "30569309025904",
            "36227206271667",
            "6200000000000005",
            "6205500000000000004",
            "4000000000000000006",
        ),
    ],
)
def test_cards_of_the_networks_stand_alone(card: str) -> None:
    assert pan(card)
    assert pan_alone(card)


@pytest.mark.parametrize("card", ["4222222222222", "135410014004955", "3566000000000000007"])
def test_lengths_that_networks_hardly_give_out_need_a_name(card: str) -> None:
    assert pan(card)
    assert not pan_alone(card)


@pytest.mark.parametrize("length", range(6, 20))
def test_of_random_numbers_few_are_anything_alone_in_strict_mode(length: int) -> None:
    rng = random.Random(length)
    digits = [row for row in ROWS.values() if row.alone and row.bare_as == "context"]
    for row in digits:
        passed = sum(row.of_compact(_random_digits(rng, length)) is not None for _ in range(1500))
        assert passed / 1500 <= MAX_ALONE * 1.5, row.id
