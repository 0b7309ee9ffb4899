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
from apisec.redaction.values import MAX_NAMED, refine

CASES = yaml.safe_load((Path(__file__).parents[2] / "cases" / "redaction" / "values.yml").read_text(encoding="utf-8"))
CHECKS = {
    **{
        name: getattr(forms, name) for name in ("person", "password", "one_time", "birth", "street", "postcode", "mail")
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
@pytest.mark.parametrize("length", [12, 16, 20, 32, 40])
def test_what_was_drawn_at_random_is_a_secret(alphabet: str, length: int) -> None:
    """Of 8,000 tokens at most one in 500 reads like a word; from 16 characters on none does."""
    rng = random.Random(f"{alphabet} {length}")
    refused = sum(forms.secret("".join(rng.choices(DRAWN[alphabet], k=length)), 6) is None for _ in range(8000))
    assert refused <= (16 if length < 16 else 0)


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
