"""What values look like, and which of them may be told."""

from __future__ import annotations

from typing import Any, List

import pytest

from apisec.endpoints.inventory.bodies import scalar
from apisec.endpoints.inventory.formats import describe
from apisec.endpoints.inventory.shapes import MAX_WORDS, MIN_PRINCIPALS, MIN_VALUES, Shape, principal_bit


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2024-02-29T23:59:59Z", "date-time"), ("2024-02-29T23:59:59.123+01:00", "date-time"), ("2024-02-29", "date"),
        ("2024-13-29", ""), ("23:59:59Z", "time"), ("P3DT4H", "duration"), ("P", ""), ("PT", ""),
        ("7d444840-9dc0-11d1-b245-5ffdce74fad2", "uuid"), ("192.0.2.1", "ipv4"), ("192.0.2.300", ""),
        ("2001:db8::1", "ipv6"), ("::ffff:192.0.2.1", "ipv6"), ("12:30", ""), ("https://a.example/x?y", "uri"),
        ("a@b.example", "email"), ("-12", "integer"), ("3.14", "decimal"), ("aGVsbG8gd29ybGQgaGVsbG8=", "byte"),
        ("hello", ""), ("", ""),
    ],
)  # fmt: skip
def test_formats(value: str, expected: str) -> None:
    found = describe(value)
    assert found is not None
    assert found.format == expected


def test_a_text_with_a_token_has_no_form_of_its_own() -> None:
    assert describe("~pii.email~00000000000000aa~") is None
    assert describe("Dear ~pii.name~00000000000000aa~,") is None
    assert describe("~not a token~") is not None


def shape(values: List[Any], principals: int = 50) -> Shape:
    made = Shape()
    for n, value in enumerate(values):
        made.add(value, principal_bit(n % principals))
    return made


def test_ranges_lengths_and_nulls() -> None:
    assert shape([3, -7, None, 2]).row() == {"nullable": True, "format": "int32", "range": [-7, 3]}
    assert shape([2**31]).row()["format"] == "int64"
    assert shape([1, 2.5]).row() == {"format": "double", "range": [1, 2.5]}
    assert shape(["ab c!", "1234567"]).row() == {"length": [5, 7]}
    assert shape([True, False]).row() == {}


def test_the_format_of_tokens_is_that_of_their_class() -> None:
    made = shape(["~pii.email~00000000000000aa~"] * 3)
    assert made.row(["pii.email"]) == {"format": "email"}
    assert made.row(["pii.name"]) == {}


def test_a_format_must_hold_for_nearly_all() -> None:
    assert shape(["2024-01-02"] * 99 + ["soon"]).row()["format"] == "date"
    assert "format" not in shape(["2024-01-02"] * 9 + ["soon"]).row()


def test_an_enumeration_is_told_only_when_many_share_its_values() -> None:
    states = ["OPEN", "PAID", "SHIPPED"] * 40
    assert shape(states).enumeration() == ["OPEN", "PAID", "SHIPPED"]
    assert shape(states).complete()
    assert shape(states[: MIN_VALUES - 1]).enumeration() == []
    assert shape(states, principals=MIN_PRINCIPALS - 1).enumeration() == []
    rare = shape([*states, "Mrs Robinson"])
    assert rare.enumeration() == ["OPEN", "PAID", "SHIPPED"], "one principal's value is nobody's business"
    assert not rare.complete()


@pytest.mark.parametrize(
    "values",
    [
        [f"word{chr(97 + n)}" for n in range(MAX_WORDS + 1)] * 9,
        ["OPEN", "7d444840-9dc0-11d1-b245-5ffdce74fad2"] * 50,
        ["OPEN", "ORD-20240102"] * 50,
        ["OPEN", "~pii.name~00000000000000aa~"] * 50,
        ["OPEN", "a longer text than any word of an enumeration would be"] * 50,
        ["OPEN", "zażółć"] * 50,
    ],
)
def test_what_is_no_enumeration(values: List[str]) -> None:
    assert shape(values).enumeration() == []


def test_words_of_parts_that_are_too_many_together_are_free_text() -> None:
    one, other = shape([f"a{chr(97 + n)}" for n in range(20)]), shape([f"b{chr(97 + n)}" for n in range(20)])
    one.merge(other)
    assert one.words is None
    again = Shape.from_state(one.to_state())
    again.merge(shape(["ab"] * 200))
    assert again.enumeration() == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", 7), ("-7", -7), ("0", 0), ("007", "007"), ("7.5", 7.5), ("true", True), ("True", "True"), ("", ""),
        ("1e5", "1e5"), ("-", "-"), ("٣", "٣"), ("1.", "1."), ("12345678901234567890", "12345678901234567890"),
    ],
)  # fmt: skip
def test_what_the_text_of_a_parameter_stands_for(text: str, value: Any) -> None:
    found = scalar(text)
    assert (type(found), found) == (type(value), value)
