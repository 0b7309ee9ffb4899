"""The bound of work: what is not looked at is not shown, and ordinary texts do not meet it."""

from __future__ import annotations

import base64
import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apisec.decoders import Limits, decode_text, media_type
from apisec.redaction import work
from apisec.redaction.keys import KeyRing, Tokenizer
from apisec.redaction.labels import label
from apisec.redaction.redactor import Redactor
from apisec.redaction.tokens import TOKEN

SECRET = base64.b64encode(b"k" * 32).decode()
KEY = {"id": "0000000a", "algorithm": "blake2b", "secret": SECRET, "created": "2026-01-01T00:00:00Z"}
TOKENIZER = Tokenizer(KeyRing.parse({"version": 1, "active": "0000000a", "keys": [KEY]}))
UNSEEN = re.compile(r"\[not analysed, (\d+) characters\]")
CARD = "4111 1111 1111 1111"


@pytest.mark.parametrize(
    "unit",
    [
        "4111 ",
        "4111111111111111 ",
        "12345 6789 ",
        "QUJDREVGR0hJSg== ",
        "%2541 ",
        "ssn 123-45-6789 ",
        "ada@example.com ",
        "password=hunter2x ",
        "DE89 3704 ",
    ],
)
def test_hostile_texts_are_cut_and_counted(unit: str) -> None:
    text = unit * (131_072 // len(unit)) + CARD
    redactor = Redactor(TOKENIZER)
    shown = redactor.text(text)
    assert shown is not None
    assert shown.endswith("characters]")
    assert "1111 1111" not in shown
    assert redactor.skipped > 0
    assert redactor.spent < 2 * work.MAX_WORK


def test_many_values_share_one_bound() -> None:
    document = json.dumps([CARD + " and " + CARD] * 2000)
    redactor = Redactor(TOKENIZER)
    part = redactor.part(decode_text(document, media_type("application/json"), Limits(), label))
    shown = json.loads(part.render())
    assert not any("4111" in value for value in shown)
    assert TOKEN.search(shown[0])
    assert UNSEEN.fullmatch(shown[-1])


def test_names_that_differ_share_one_bound() -> None:
    text = " ".join([f"pass{i}word=hunter{i}x" for i in range(6000)])
    redactor = Redactor(TOKENIZER)
    shown = redactor.text(text)
    assert shown is not None
    assert "hunter5999x" not in shown
    assert redactor.skipped > 0


def test_ordinary_messages_do_not_meet_the_bound() -> None:
    items = [
        {
            "id": 1000 + i,
            "name": "Ada Lovelace",
            "mail": "ada@example.com",
            "sku": f"SKU-{i}-AB",
            "phone": "+12125550187",
        }
        for i in range(200)
    ]
    redactor = Redactor(TOKENIZER)
    redactor.part(decode_text(json.dumps(items), media_type("application/json"), Limits(), label))
    assert redactor.spent < work.MAX_WORK // 2
    assert redactor.skipped == 0


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.sampled_from(["a word. ", CARD + ". ", "ada@example.com ", "line\n", "%31", "c2VjcmV0 ", "x=1 "]),
        max_size=60,
    ),
    st.integers(0, work.MAX_WORK),
)
def test_no_raw_value_is_shown_wherever_the_bound_is_met(pieces: list[str], spent: int) -> None:
    text = "".join(pieces)
    redactor = Redactor(TOKENIZER)
    redactor.spent = work.MAX_WORK - spent // 40
    shown = redactor.text(text)
    shown = text if shown is None else shown
    if not redactor.skipped and shown == text:
        return
    assert CARD not in shown
    assert "ada@example.com" not in shown


def test_an_address_cut_by_the_bound_is_not_shown_in_part() -> None:
    text = "x " * 200 + "mail ada@example.com" * 2
    redactor = Redactor(TOKENIZER)
    redactor.spent = work.MAX_WORK - work.cost(text, strict=False) + 2
    shown = redactor.text(text)
    assert shown is not None
    assert "ada" not in shown
    assert UNSEEN.search(shown)


def test_names_without_number_are_left_unread() -> None:
    document = {f"field{number}": "Ada" for number in range(work.MAX_WORK // work.PER_FIELD + 50)}
    redactor = Redactor(TOKENIZER)
    part = redactor.part(decode_text(json.dumps(document), media_type("application/json"), Limits(), label))
    shown = list(json.loads(part.render()).values())
    assert shown[0] == "Ada"
    assert UNSEEN.fullmatch(shown[-1])
    assert redactor.skipped == sum(len("Ada") for value in shown if value != "Ada") > 0
