"""Masks: text of any kind with classes in the place of values, where there is no key to make tokens with."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apisec.redaction.masks import MAX_TEXT, masked, names_of

CARD = "4111 1111 1111 1111"
PAN = {"pci.pan": 1}


@pytest.mark.parametrize(
    ("text", "shown", "counts"),
    [
        (f"user=ada card={CARD} ok", "user=ada card=<pci.pan> ok", {"pci.pan": 1}),
        ('{"card": {"number": "4111111111111111"}, "n": 1}', '{"card": {"number": "<pci.pan>"}, "n": 1}', PAN),
        ("<a><mail>ada@b.org</mail></a>", "<a><mail>&lt;pii.email&gt;</mail></a>", {"pii.email": 1}),
        ("a=1&email=ada%40b.org", "a=1&email=<pii.email>", {"pii.email": 1}),
        ('{"a": "x"} and ada@b.org', '{"a": "x"} and <pii.email>', {"pii.email": 1}),
        ('{"broken": ada@b.org, "b": }', '{"broken": <pii.email>, "b": }', {"pii.email": 1}),
        ("ada@b.org wrote ada@b.org", "<pii.email> wrote <pii.email>", {"pii.email": 2}),
        ("nothing to see", "nothing to see", {}),
        ("", "", {}),
    ],
)  # fmt: skip
def test_a_text(text: str, shown: str, counts: dict[str, int]) -> None:
    found = masked(text)

    assert (found.text, found.counts, found.skipped) == (shown, counts, 0)


def test_a_value_that_was_found_by_its_name_is_masked_wherever_it_stands() -> None:
    text = json.dumps({"user": {"first_name": "Ottilie"}, "note": "Ottilie called"})

    assert "Ottilie" not in masked(text).text


def test_a_name_says_what_a_value_alone_does_not() -> None:
    assert masked("078051120", "customer.ssn").counts == {"pii.ssn": 1}
    assert masked("078051120", "order_id").counts == {}


@pytest.mark.parametrize(
    ("field", "names"),
    [("cards{}.number", ("number", "cards")), ("_raw", ("_raw", "")), ("a.b[].c", ("c", "b")), ("..", ("", ""))],
)
def test_names_of_splunks_fields(field: str, names: tuple[str, str]) -> None:
    assert names_of(field) == names


def test_a_forwarders_token_stays_and_counts() -> None:
    token = "~pii.email~00000000000000aa~"

    assert masked(f"to {token} from ada@b.org") == masked(f"to {token} from ada@b.org")
    assert masked(f"to {token} from ada@b.org").text == f"to {token} from <pii.email>"
    assert masked(f"to {token} from ada@b.org").counts == {"pii.email": 2}


def test_what_is_too_long_is_neither_looked_at_nor_shown() -> None:
    found = masked("word " * (MAX_TEXT // 4) + " ada@b.org")

    assert found.skipped > 0
    assert "ada@" not in found.text
    assert found.text.endswith("characters]")
    assert len(found.text) < MAX_TEXT + 100


_AROUND = st.text(alphabet="abcxyz .,;\n{}[]<>\"'\\", max_size=200)  # no digits, which would make another number of it


@given(_AROUND, st.sampled_from([CARD, "ada@example.org", "DE89370400440532013000"]))
def test_what_shows_itself_is_gone(around: str, value: str) -> None:
    assert value not in masked(f"{around} {value} {around[::-1]}").text


@given(st.text(max_size=300))
def test_masking_twice_finds_nothing_more(text: str) -> None:
    once = masked(text)

    assert not masked(once.text).counts or "~" in text
