"""The scoring of the accuracy benchmark: what is found, missed, said wrongly and leaked is counted as such."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.corpus import specs
from benchmarks.corpus.leaks import Shipped
from benchmarks.corpus.score import EventReader, SpanReader, Tally, count_leaks, group, right, score

PAN = "4111111111111111"


def label(path: str | None, data_class: str | None, value: object = PAN, **more: object) -> dict[str, Any]:
    base = {
        "side": "request",
        "in": "body",
        "path": path,
        "class": data_class,
        "value": value,
        "format": "f",
        "name": "n",
    }
    return {**base, "accept": [], "strict": [], "carrier": "c", "scored": True, "text": 0, **more}


def event(fields: Mapping[str, list[str]], body: str = "") -> dict[str, Any]:
    listed = [{"path": path, "in": "body", "type": "string", "classes": classes} for path, classes in fields.items()]
    return {"id": "1", "request_fields": listed, "request_body": body}


def scored(labels: list[dict[str, Any]], seen: dict[str, Any], *, strict: bool = False) -> Tally:
    tally = Tally()
    reader = EventReader(seen, labels)
    score(tally, labels, reader, strict=strict)
    count_leaks(tally, labels, reader)
    return tally


def test_a_field_said_rightly_is_found() -> None:
    tally = scored([label("a.b", "pci.pan")], event({"a.b": ["pci.pan"]}, "~pci.pan~0123456789abcdef~"))
    assert (tally.hits["pci.pan"], tally.missed.total(), tally.false.total(), tally.leaked.total()) == (1, 0, 0, 0)


def test_a_field_said_wrongly_is_missed_and_a_false_alarm() -> None:
    tally = scored([label("a", "pci.pan")], event({"a": ["pii.phone"]}))
    assert (tally.missed["pci.pan"], tally.false["pii.phone"]) == (1, 1)


def test_a_harmless_field_said_to_be_anything_is_a_false_alarm() -> None:
    tally = scored([label("a", None, "1234")], event({"a": ["pii.phone"]}))
    assert tally.false["pii.phone"] == 1


def test_who_acts_is_no_finding() -> None:
    assert not scored([label("a", None, "ada")], event({"a": ["user", "principal"]})).false


def test_a_value_in_a_text_is_found_only_when_it_is_gone() -> None:
    gone = scored([label(None, "pci.pan")], event({"$": ["pci.pan"]}, "card ~pci.pan~0123456789abcdef~"))
    there = scored([label(None, "pci.pan")], event({"$": ["pci.pan"]}, f"card {PAN}"))
    assert (gone.hits["pci.pan"], there.missed["pci.pan"], there.leaked["pci.pan"]) == (1, 1, 1)


def test_harmless_text_that_is_gone_is_a_false_alarm() -> None:
    assert scored([label(None, None, "order 77123")], event({"$": []}, "x")).false.total() == 1
    assert not scored([label(None, None, "order 77123")], event({"$": []}, "order 77123")).false


def test_strictly_a_checksum_may_speak() -> None:
    labels = [label("orderId", None, PAN, strict=["pci.pan"])]
    seen = event({"orderId": ["pci.pan"]})
    assert scored(labels, seen).false.total() == 1
    assert not scored(labels, seen, strict=True).false
    assert scored(labels, event({"orderId": []}, PAN), strict=True).missed["pci.pan"] == 1
    tracking = [label("parcel", None, "1234567890128", strict=["*"])]
    assert not scored(tracking, event({"parcel": ["pii.national_id.de"]}), strict=True).false
    assert not scored(tracking, event({"parcel": []}), strict=True).missed


@pytest.mark.parametrize(
    ("said", "expected", "verdict"),
    [
        ("pii.national_id", "pii.national_id.pl", True),
        ("pii.national_id.pl", "pii.national_id", True),
        ("pii.national_id.pl", "pii.national_id.de", False),
        ("pii.name", "pii.names", False),
        ("pii.passport", "pii.national_id", False),
    ],
)
def test_a_class_above_or_below_is_right(said: str, expected: str, verdict: bool) -> None:
    assert right(said, label("a", expected)) is verdict
    assert right(said, label("a", "pci.pan", accept=[expected])) is verdict


def test_countries_and_vendors_are_taken_together() -> None:
    assert group("pii.national_id.pl") == "pii.national_id"
    assert group("secret.api_key.aws") == "secret.api_key"
    assert group("pci.pan") == "pci.pan"


def test_spans_of_a_peer_are_read_where_they_lie() -> None:
    texts = [f"card: {PAN}", "nothing"]
    reader = SpanReader(texts, {0: [(6, 22, "pci.pan")]})
    assert reader.classes(label(None, "pci.pan")) == {"pci.pan"}
    assert reader.hides(label(None, "pci.pan"))
    assert not reader.hides(label(None, "pci.pan", text=1, value="nothing"))


def _escaped(text: str) -> str:
    return "".join(f"\\u{ord(sign):04x}" for sign in text)


ENCODINGS = {
    "as it is": str,
    "percent": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "percent twice": lambda text: quote(quote(text, safe=""), safe=""),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 inside": lambda text: base64.b64encode(f'{{"a": "{text}"}}'.encode()).decode(),
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(f"??>>{text}".encode()).decode().rstrip("="),
    "hex": lambda text: text.encode().hex(),
    "entities": lambda text: "".join(f"&#{ord(sign)};" for sign in text),
    "named entities": html.escape,
    "escapes": _escaped,
    "JSON in JSON": lambda text: json.dumps(json.dumps({"a": text})),
    "base64 of escapes": lambda text: base64.b64encode(_escaped(text).encode()).decode(),
}


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=list(ENCODINGS))
@pytest.mark.parametrize("value", [PAN, "jane@mail.example.com", "O'Connor & Söhne", "DE89370400440532013000"])
def test_a_leak_is_seen_in_any_encoding(encode: Any, value: str) -> None:
    assert Shipped({"response_body": f'{{"x": "{encode(value)}"}}'}).holds(value)


def test_digits_leak_with_other_separators_too() -> None:
    assert Shipped({"response_body": "card 4111-1111-1111-1111"}).holds(PAN)
    assert Shipped({"response_body": "card 4111111111111111"}).holds("4111 1111 1111 1111")
    assert Shipped({"response_body": "ssn 078-05-1120"}).holds("078051120")


def test_a_token_is_no_leak() -> None:
    assert not Shipped({"response_body": "~pci.pan~4111111111111111~"}).holds(PAN)
    assert not Shipped({"id": PAN, "time": 123.5}).holds(PAN)


def test_a_short_value_leaks_by_itself_only() -> None:
    assert Shipped({"request_body": '{"cvv": "123"}'}).holds("123")
    assert not Shipped({"request_body": '{"total": 41234}'}).holds("123")


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="~"), min_size=12, max_size=60))
def test_a_value_that_stands_there_is_always_seen(value: str) -> None:
    assert Shipped({"response_body": f"before {value} after"}).holds(value)


CUSTOMER = {"$ref": "#/components/schemas/Customer"}
ROWS = {"type": "array", "items": {"type": "object", "properties": {"email": {"type": "string"}, "self": CUSTOMER}}}
PARTS = [
    {"type": "object", "properties": {"iban": {"type": "string"}, "colour": {"type": "string", "enum": ["red"]}}},
    {"type": "object", "properties": {"pets": {"type": "array", "items": CUSTOMER}}},
]
OPERATION = {
    "requestBody": {"content": {"application/json": {"schema": CUSTOMER}}},
    "responses": {"200": {"content": {"application/json": {"schema": ROWS}}}},
}
SPEC = {
    "openapi": "3.0.0",
    "paths": {"/customers": {"post": OPERATION}},
    "components": {"schemas": {"Customer": {"allOf": PARTS}}},
}


def test_a_spec_becomes_traffic_with_its_names(tmp_path: Path) -> None:
    (tmp_path / "shop.json").write_text(json.dumps(SPEC))
    drafts = list(specs.transactions(tmp_path / "shop.json", {("iban", "*"): "fin.iban", ("email", "*"): "?"}, 5))
    assert len(drafts) == 1
    found = {(one.side, one.path): one.item.data_class for one in drafts[0].labels}
    assert found["request", "iban"] == "fin.iban"
    assert found["request", "pets[].iban"] == "fin.iban"
    assert found["request", "colour"] is None
    assert ("response", "email") not in found  # not judged
    assert found["response", "self.iban"] == "fin.iban"


def test_labels_of_specs_name_classes_that_can_be_made() -> None:
    for (name, parent), classes in specs.read_labels().items():
        assert name == specs._folded(name)
        assert parent in ("", "*") or parent == specs._folded(parent)
        assert classes == "?" or classes.split("|")[0] in specs.MAKERS
