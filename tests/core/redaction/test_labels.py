"""Which names of members a field's path shows."""

from __future__ import annotations

import base64
import random
from typing import List

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apisec.redaction.labels import MAX_LABEL, label

_WORDS = (
    "employer identification number borrower social security last updated customer address line default card expiry"
    " numero seguridad titular versicherung nummer account holder primary reference shipping created at is"
)
WORDS = _WORDS.split()


@pytest.mark.parametrize(
    "name",
    [
        "employerIdentificationNumber",
        "borrower_ssn_last_updated_at",
        "EMPLOYER_IDENTIFICATION_NUMBER",
        "krankenversicherungsnummer",
        "numeroDeSeguridadSocialDelTitular",
        "x-amz-meta-customer-social-security",
        "addressLine2AlternativeText",
        "Ünïcode-namen-die-sehr-lang-sind",
    ],
)
def test_words_stay(name: str) -> None:
    assert label(name) == name


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("ada@example.com", "{pii.email}"),
        ("7", "{id}"),
        ("4f2b9c1e-0a7d-4e7b-9c55-0f4c8f1f2a10", "{id}"),
        ("~pii.email~0123456789abcdef~", "{pii.email}"),
        ("q8Xn2LrT0vB5mZc1Ks7Yd4Wf", "{key}"),
        ("mzxw6ytboi4dcmrtgq2tmnzymrqw", "{key}"),
        ("word" * 17, "{key}"),
        (base64.b64encode(b"x ada@example.com").decode(), "{pii.email}"),
        ("a%b~c.d", "a_b_c_d"),
    ],
)
def test_data_is_not_shown(name: str, shown: str) -> None:
    assert label(name) == shown


@settings(deadline=None)
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6), st.sampled_from(["_", "-", "camel"]))
def test_any_joined_words_stay_themselves(words: List[str], joint: str) -> None:
    name = words[0] + "".join(map(str.title, words[1:])) if joint == "camel" else joint.join(words)
    assert label(name) == (name if len(name) <= MAX_LABEL else "{key}")


def test_random_keys_hardly_ever_pass_for_words() -> None:
    dice = random.Random(4)
    keys = [base64.urlsafe_b64encode(bytes(dice.randrange(256) for _ in range(24))).decode() for _ in range(2000)]
    assert sum(label(key) == key for key in keys) <= 4
