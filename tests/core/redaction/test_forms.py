"""What a value must look like to be believed under a telling name."""

from __future__ import annotations

import random
import string
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from apisec.redaction import forms
from apisec.redaction.redactor import DULL
from apisec.redaction.values import MAX_NAMED, confirmed, refine

CASES = yaml.safe_load((Path(__file__).parents[2] / "cases" / "redaction" / "values.yml").read_text(encoding="utf-8"))
CHECKS = {
    **{
        name: getattr(forms, name)
        for name in ("person", "password", "one_time", "birth", "street", "known_postcode", "mail")
    },
    "secret": lambda value: forms.secret(value, 6),
}
DRAWN = {
    "hex": "0123456789abcdef",
    "base36": string.ascii_lowercase + string.digits,
    "base62": string.ascii_letters + string.digits,
    "base32": string.ascii_uppercase + "234567",
    "base64url": string.ascii_letters + string.digits + "-_",
}


def listed(kind: str) -> list[tuple[str, str]]:
    found = [(form, value) for form, lists in CASES.items() for value in lists[kind]]
    assert len(found) > 60
    return found


def test_every_form_has_cases() -> None:
    assert CASES.keys() == CHECKS.keys()


@pytest.mark.parametrize(("form", "value"), listed("accepted"))
def test_accepted(form: str, value: str) -> None:
    assert CHECKS[form](value)


@pytest.mark.parametrize(("form", "value"), listed("refused"))
def test_refused(form: str, value: str) -> None:
    assert CHECKS[form](value) is None


@pytest.mark.parametrize("alphabet", DRAWN)
@pytest.mark.parametrize("length", [8, 12, 20, 32])
def test_what_was_drawn_at_random_is_a_secret(alphabet: str, length: int) -> None:
    rng = random.Random(f"{alphabet} {length}")
    assert all(forms.secret("".join(rng.choices(DRAWN[alphabet], k=length)), 6) for _ in range(4000))


@given(st.integers(0, 10**10 - 1), st.integers(4, 10))
def test_digits_of_any_one_time_code_are_accepted(number: int, length: int) -> None:
    assert forms.one_time(f"{number % 10**length:0{length}d}")


@given(st.text(max_size=400))
def test_no_text_breaks_a_form(text: str) -> None:
    for check in CHECKS.values():
        found = check(text)
        assert found is None or found


@pytest.mark.parametrize(
    "piece", ["a", "a ", "a-", "1", "1.", "A1", "'", "ab_", "Aa", ". ", "a@", "e\u0301", "^[", "{{"]
)
@pytest.mark.parametrize(
    "data_class",
    ["pii.name", "secret.password", "secret.token", "secret.otp", "pii.dob", "pii.address", "pii.postcode"],
)
def test_the_longest_values_take_no_more_than_linear_work(data_class: str, piece: str) -> None:
    """A catastrophic expression would never come back from these: the suite's own timeout would tell."""
    refine(data_class, (piece * MAX_NAMED)[: MAX_NAMED - 1] + "!")
    refine(data_class, "\u0000" + (piece * MAX_NAMED)[: MAX_NAMED - 1])


@pytest.mark.parametrize(
    ("data_class", "strong", "weak"),
    [
        (
            "pii.name",
            ["Ada Lovelace", "ADA LOVELACE", "李小龙", "Мария Петрова"],
            ["ada", "platform", "Ops Team"],
        ),
        ("pii.national_id", ["44051401359", "390.533.447-05"], ["12345678", "AB-1234"]),
        ("pii.postcode", ["SW1A 1AA", "1012 AB", "01310-100"], ["10115", "8FJ4K1X"]),
        ("pii.phone", ["+12125550187", "(212) 555-0187"], ["2125550187", "555-0187"]),
        ("pii.address", ["12 Main St"], ["Main Street", "test123"]),
        ("pii.dob", ["1990-05-12", "19900512", "12.05.90"], ["1990", "642470400"]),
        ("pci.pan", ["4111111111111111"], ["4111111111111112", "0000000000000001"]),
        ("pii.ssn", ["123-45-6789"], ["123456789"]),
        ("fin.iban", ["DE89370400440532013000"], ["DE89370400440532013001"]),
        ("health.nhs", ["943 476 5919"], ["943 476 5918"]),
        ("device.id", ["550e8400-e29b-41d4-a716-446655440000", "9f1c2e3a4b"], ["1234567890", "sensor-12"]),
        ("secret.token", ["9f86d081884c7d65"], ["abc.def.ghi", "550e8400-e29b-41d4-a716-446655440000"]),
    ],
)
def test_a_name_that_may_mean_many_things_needs_a_strong_form(
    data_class: str, strong: list[str], weak: list[str]
) -> None:
    for value in strong:
        assert confirmed(data_class, value) == refine(data_class, value) is not None, value
    for value in weak:
        assert refine(data_class, value)
        assert confirmed(data_class, value) is None, value


@pytest.mark.parametrize(
    "text",
    ["my name is Anna Keller", "Dear Ms Keller", "I live at 12 Main Street", "bor i Storgata 5", "kenteken AB-12-CD"],
)
def test_short_sentences_of_plain_words_are_asked(text: str) -> None:
    assert DULL.fullmatch(text) is None


@pytest.mark.parametrize(
    "text",
    ["active", "Blue Shirt", "ORDER_CREATED", "/in/out", "Payment received", "item 3", "created at 12", "in/Out/Foo"],
)
def test_words_in_which_nothing_can_stand_are_not_asked(text: str) -> None:
    assert DULL.fullmatch(text)
