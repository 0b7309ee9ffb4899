"""The names that stand beside a name say what it means, in every format that has objects."""

from __future__ import annotations

import json

import pytest

from tests.core.redaction.test_redactor import redacted, shape

SIGNUP = {"name": "Adam", "email": "adam@mail.example.com", "number": "9876895423"}


def test_a_name_and_number_beside_an_address_are_a_persons() -> None:
    found = {name: shape(value) for name, value in redacted(SIGNUP).items()}
    assert found == {"name": "<pii.name>", "email": "<pii.email>", "number": "<pii.phone>"}


@pytest.mark.parametrize(
    ("text", "media"),
    [
        ("name=Adam&email=adam%40mail.example.com&number=9876895423", "application/x-www-form-urlencoded"),
        ("<u><name>Adam</name><email>adam@mail.example.com</email><number>9876895423</number></u>", "application/xml"),
    ],
)
def test_in_other_formats(text: str, media: str) -> None:
    assert "Adam" not in redacted(text, media)
    assert "9876895423" not in redacted(text, media)


def test_what_stands_in_another_object_says_nothing() -> None:
    document = {"owner": {"email": "adam@mail.example.com"}, "product": {"name": "Blue shirt", "number": "9876895423"}}
    assert redacted(document)["product"] == document["product"]


def test_each_element_is_read_by_its_own_names() -> None:
    rows = [{"name": "Adam", "email": "adam@mail.example.com"}, {"name": "Blue shirt", "sku": "B-7"}]
    first, second = json.loads(json.dumps(redacted({"data": rows})))["data"]
    assert shape(first["name"]) == "<pii.name>"
    assert second == rows[1]
