"""The subset of JSON Schema: what is refused, where, and that nothing unchecked can be promised."""

from __future__ import annotations

from typing import Any, Dict, List, Tuple

import pytest

from apisec.http.schema import MAX_FAULTS, faults, refuse_unknown

SCHEMAS: Dict[str, Any] = {"Leaf": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}}
THING: Dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 8, "minLength": 1},
        "kind": {"type": "string", "enum": ["merge", "split"]},
        "share": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
        "above": {"type": "number", "exclusiveMinimum": 0},
        "list": {"type": "array", "items": {"$ref": "#/components/schemas/Leaf"}, "maxItems": 2, "minItems": 1},
        "set": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
        "day": {"type": "string", "format": "date"},
        "time": {"type": "string", "format": "date-time"},
        "yes": {"const": True},
        "either": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
        "map": {"type": "object", "additionalProperties": {"type": "boolean"}, "maxProperties": 1, "minProperties": 1},
    },
    "required": ["name"],
    "additionalProperties": False,
}
WRONG: List[Tuple[Any, str, str]] = [
    ([], "", "must be an object, not an array"),
    ({}, "", "lacks 'name'"),
    ({"name": 1}, "/name", "must be a string, not an integer"),
    ({"name": "a\n"}, "/name", "does not match"),  # Python's $ would take it
    ({"name": ""}, "/name", "at least 1"),
    ({"name": "ä"}, "/name", "does not match"),
    ({"name": "aaaaaaaaa"}, "/name", "at most 8"),
    ({"name": "a", "kind": "merg"}, "/kind", "did you mean 'merge'"),
    ({"name": "a", "share": True}, "/share", "must be a number or null, not a boolean"),
    ({"name": "a", "share": 2}, "/share", "at most 1"),
    ({"name": "a", "share": -0.1}, "/share", "at least 0"),
    ({"name": "a", "above": 0}, "/above", "more than 0"),
    ({"name": "a", "list": []}, "/list", "at least 1 items"),
    ({"name": "a", "list": [{"n": 1}, {"n": 1.5}]}, "/list/1/n", "must be an integer"),
    ({"name": "a", "list": [{"n": 1}] * 3}, "/list", "3 items"),
    ({"name": "a", "set": ["x", "x"]}, "/set", "stands twice"),
    ({"name": "a", "day": "2026-02-30"}, "/day", "no date"),
    ({"name": "a", "day": "20260201"}, "/day", "no date"),
    ({"name": "a", "time": "2026-02-01 10:00"}, "/time", "no date-time"),
    ({"name": "a", "yes": 1}, "/yes", "must be True"),
    ({"name": "a", "either": None}, "/either", "must be a"),
    ({"name": "a", "map": {"x": 1}}, "/map/x", "must be a boolean"),
    ({"name": "a", "map": {}}, "/map", "at least 1 members"),
    ({"name": "a", "map": {"x": True, "y": True}}, "/map", "at most 1"),
    ({"name": "a", "nam~/e": 1}, "/nam~0~1e", "did you mean 'name'"),
]
RIGHT = [
    {"name": "a"},
    {"name": "a", "kind": "split", "share": None, "above": 1e-9, "list": [{"n": 1.0}], "set": ["x", "y"]},
    {"name": "a", "day": "2026-02-28", "time": "2026-02-28T10:00:60.5Z", "yes": True, "either": 3, "map": {"x": False}},
]


@pytest.mark.parametrize(("value", "pointer", "text"), WRONG)
def test_what_is_wrong_is_told_with_its_place(value: Any, pointer: str, text: str) -> None:
    found = faults(value, THING, SCHEMAS)
    assert {one.pointer for one in found} == {pointer}
    assert text in found[0].detail


@pytest.mark.parametrize("value", RIGHT)
def test_what_is_right_passes(value: Any) -> None:
    assert faults(value, THING, SCHEMAS) == []


def test_faults_are_bounded_and_repeat_little() -> None:
    found = faults(["x" * 10_000] * 500, {"type": "array", "items": {"type": "string", "maxLength": 3}}, {})
    assert len(found) == MAX_FAULTS
    assert len(faults({"a" * 9_999: 1}, THING, {})[-1].pointer) < 100


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"oneOf": []}, "'oneOf' is not checked"),
        ({"type": "object", "properties": {"a": {"multipleOf": 2}}}, "'multipleOf'"),
        ({"type": "text"}, "no type 'text'"),
        ({"items": {"$ref": "#/components/schemas/Nothing"}}, "leads nowhere"),
        ({"anyOf": [{"not": {}}]}, "'not'"),
    ],
)
def test_a_schema_promises_nothing_that_is_not_checked(schema: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        refuse_unknown(schema, SCHEMAS, "here")


def test_every_keyword_of_the_example_is_known() -> None:
    refuse_unknown(THING, SCHEMAS, "Thing")
