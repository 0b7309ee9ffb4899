"""Redaction of values and documents, and echoes of what was found."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apisec.classification.names import evidence
from apisec.decoders import Limits, decode_text, media_type
from apisec.redaction.echo import Echo
from apisec.redaction.fields import field_list
from apisec.redaction.keys import KeyRing, Tokenizer
from apisec.redaction.redactor import Redactor, label
from apisec.redaction.tokens import TOKEN, class_of, is_token

SECRET = base64.b64encode(b"k" * 32).decode()
KEY = {"id": "0000000a", "algorithm": "blake2b", "secret": SECRET, "created": "2026-01-01T00:00:00Z"}
TOKENIZER = Tokenizer(KeyRing.parse({"version": 1, "active": "0000000a", "keys": [KEY]}))


def redacted(document: Any, media: str = "application/json") -> Any:
    text = document if isinstance(document, str) else json.dumps(document)
    redactor = Redactor(TOKENIZER)
    part = redactor.part(decode_text(text, media_type(media), Limits(), label))
    Echo(redactor.secrets).part(part)
    return part.render() if isinstance(document, str) else json.loads(part.render())


def shape(text: str) -> str:
    """A text with its tokens as <class>: what a reader sees of it."""
    return TOKEN.sub(lambda match: f"<{class_of(match.group())}>", text)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("password", "hunter2", "<secret.password>"),
        ("password", "password", "<secret.password>"),
        ("password", "********", "********"),
        ("cvv", "123", "<pci.cvv>"),
        ("cvv", "yes", "yes"),
        ("card_number", "1234567890123456", "<pci.pan>"),  # named: Luhn need not hold
        ("card_number", "ending in 1111", "ending in 1111"),
        ("ssn", "123456789", "<pii.ssn>"),
        ("phone", "2125550187", "<pii.phone>"),
        ("first_name", "Ada", "<pii.name>"),
        ("dob", "1815-12-10", "<pii.dob>"),
        ("address", "12 Main St", "<pii.address>"),
        ("address", "192.0.2.1", "192.0.2.1"),
        ("iban", "XX00 1234 5678", "<fin.iban>"),
        ("token_type", "Bearer", "Bearer"),
        ("access_token", "abcdef123456", "<secret.token>"),
        ("access_token", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcdefgh", "<secret.jwt>"),
        ("note", "mail ada@example.com or bob@example.com", "mail <pii.email> or <pii.email>"),
        ("note", "password=hunter2 and more", "password=<secret.password> and more"),
        ("note", "Password: must be long", "Password: must be long"),
        ("note", 'login(user: "x", password: "two words")', 'login(user: "x", password: "<secret.password>")'),
        ("url", "https://x.example/?token=abcdef1&q=1", "https://x.example/?token=<secret.token>&q=1"),
        ("order_id", "4111111111111111", "4111111111111111"),
        ("note", "4111111111111111", "<pci.pan>"),
        ("order_note", "my card 4111111111111111", "my card <pci.pan>"),
        ("note", "nothing to see", "nothing to see"),
    ],
)
def test_value(name: str, value: str, expected: str) -> None:
    assert shape(redacted({name: value})[name]) == expected


def test_the_same_value_in_other_clothes_is_the_same_token() -> None:
    body = redacted(
        {"a": "4111111111111111", "b": "4111 1111 1111 1111", "c": "4111-1111-1111-1111", "card_no": 4111111111111111}
    )
    assert len(set(body.values())) == 1
    mails = redacted({"a": "Ada@Example.com", "b": "<ada@example.com>"})
    assert mails["b"] == f"<{mails['a']}>"


def test_numbers_become_strings_and_everything_else_stays_as_it_was() -> None:
    text = '{ "pan" : 4111111111111111, "price": 1.10, "price": 1e3,\t"on": true, "note": "\\u00fc\\/" }'
    shown = redacted(text)
    assert shape(shown) == text.replace("4111111111111111", '"<pci.pan>"')


@pytest.mark.parametrize("number", ["4.111111111111111e15", "4111111111111111.0", "4111111111111111e0"])
def test_a_number_in_other_notation(number: str) -> None:
    assert shape(redacted(f'{{"n": {number}}}')) == '{"n": "<pci.pan>"}'
    assert redacted('{"n": 1.5e3, "m": 1e999, "k": NaN}') == '{"n": 1.5e3, "m": 1e999, "k": NaN}'


def test_below_other_encodings() -> None:
    inner = json.dumps({"card": {"number": "4111111111111111"}})
    body = redacted({"json": inner, "b64": base64.b64encode(inner.encode()).decode(), "pct": "a%2540b.example%2520x"})
    assert shape(body["json"]) == '{"card": {"number": "<pci.pan>"}}'
    assert shape(body["b64"]) == "<pci.pan>"
    twice = redacted({"pct": "ada%2540example.com"})
    assert shape(twice["pct"]) == "<pii.email>"


def test_an_echo_is_found_in_every_form() -> None:
    password = "tr0ub4dor&3 horse"
    body = redacted(
        {
            "password": password,
            "error": f"bad password '{password}'",
            "next": "/login?p=tr0ub4dor%263%20horse",
            "blob": base64.b64encode(b"x:" + password.encode() + b":y").decode(),
            "html": "tr0ub4dor&amp;3 horse",
        }
    )
    assert "tr0ub4dor" not in json.dumps(body)
    assert shape(body["error"]) == "bad password '<secret.password>'"


def test_short_and_common_values_do_not_destroy_the_rest() -> None:
    body = redacted(
        {
            "cvv": "123",
            "quantity": 123,
            "total": "1234",
            "first_name": "Will",
            "note": "I Will go",
            "password": "items",
            "items": [1],
        }
    )
    assert body["quantity"] == 123
    assert body["total"] == "1234"
    assert body["items"] == [1]


def test_sensitive_names_are_redacted_and_labelled() -> None:
    document = decode_text(
        '{"ada@example.com": {"x": 1}, "7": {"y": 2}}', media_type("application/json"), Limits(), label
    )
    part = Redactor(TOKENIZER).part(document)
    assert shape(part.render()) == '{"<pii.email>": {"x": 1}, "7": {"y": 2}}'
    assert [entry["path"] for entry in field_list("body", part.fields, 10)] == ["{id}.y", "{pii.email}.x"]


def test_fields_say_type_and_classes_and_merge_over_items() -> None:
    document = decode_text(
        '{"c": [{"mail": null, "n": 1}, {"mail": "a@b.example", "n": 2}]}', media_type(""), Limits(), label
    )
    part = Redactor(TOKENIZER).part(document)
    assert field_list("body", part.fields, 10) == [
        {"path": "c[].mail", "in": "body", "type": "string", "classes": ["pii.email"]},
        {"path": "c[].n", "in": "body", "type": "integer"},
    ]
    assert len(field_list("body", part.fields, 1)) == 1


sensitive = st.sampled_from(
    [
        "4111111111111111",
        "ada@example.com",
        "123-45-6789",
        "DE89370400440532013000",
        "+1 212-555-0187",
        "password=hunter22x",
    ]
)
texts = st.lists(st.one_of(sensitive, st.text(max_size=12), st.just("~"), st.just("%25"), st.just("&#64;")), max_size=6)


@settings(max_examples=300, deadline=None)
@given(texts, st.sampled_from(["note", "password", "order_id", "q"]))
def test_redacting_twice_is_redacting_once(pieces: list[str], name: str) -> None:
    once = redacted({name: " ".join(pieces)})
    assert redacted(once) == once


@given(st.sampled_from(["secret.password", "pci.pan"]), st.text(max_size=30))
def test_a_token_is_never_matched_again(data_class: str, value: str) -> None:
    token = TOKENIZER.token(data_class, value)
    assert is_token(token)
    for name in ("password", "card_number", "note", "email"):
        assert Redactor(TOKENIZER).value(token, evidence(name)) is None
    assert redacted({"note": f"a {token} b"}) == {"note": f"a {token} b"}
