"""Documents inside strings: their values are fields with classes, and are redacted where they stand."""

from __future__ import annotations

import base64
import json
from typing import Any, Dict, List

import pytest

from apisec.decoders import Limits, decode_text, media_type
from apisec.redaction.keys import KeyRing, Tokenizer
from apisec.redaction.labels import label
from apisec.redaction.redactor import Part, Redactor
from apisec.redaction.tokens import TOKEN

SECRET = base64.b64encode(b"k" * 32).decode()
KEY = {"id": "0000000a", "algorithm": "blake2b", "secret": SECRET, "created": "2026-01-01T00:00:00Z"}
TOKENIZER = Tokenizer(KeyRing.parse({"version": 1, "active": "0000000a", "keys": [KEY]}))
RAW = ("ada@example.com", "hunter2x", "078-05-1120", "021000021", "0012345")


def read(document: Any, redactor: Redactor) -> Part:
    return redactor.part(decode_text(json.dumps(document), media_type("application/json"), Limits(), label))


def classes(part: Part) -> Dict[str, List[str]]:
    return {path: sorted(seen.classes) for path, seen in part.fields.items()}


@pytest.mark.parametrize(
    ("document", "path", "found"),
    [
        (
            {"query": 'mutation { login(user: {email: "ada@example.com"}, password: "hunter2x") { id } }'},
            "query.login.password",
            ["secret.password"],
        ),
        (
            {"query": '{ pay(routingNumber: "021000021", note: "x") { id } }', "variables": {}},
            "query.pay.routingNumber",
            ["fin.routing"],
        ),
        (
            {"query": "{ patient(medicalRecordNumber: 1200345) { id } }"},
            "query.patient.medicalRecordNumber",
            ["health.mrn"],
        ),
        ({"payload": '{"user": {"ssn": "078-05-1120"}}'}, "payload.user.ssn", ["pii.ssn"]),
        ({"payload": "<user><ssn>078-05-1120</ssn></user>"}, "payload.user.ssn", ["pii.ssn"]),
        ({"payload": json.dumps(json.dumps({"password": "hunter2x"}))}, "payload.password", ["secret.password"]),
        ({"tokens": '["hunter2xyz"]'}, "tokens.[]", ["secret.token"]),
    ],
)
def test_fields_inside_strings(document: Any, path: str, found: List[str]) -> None:
    part = read(document, Redactor(TOKENIZER))
    assert classes(part)[path] == found
    shown = part.render()
    assert not any(raw in shown for raw in RAW)
    assert TOKEN.search(shown)
    json.loads(shown)


FORM = "name=Ada+Lovelace&card=4111+1111+1111+1111&mail=ada%2540example.com"


@pytest.mark.parametrize("value", [FORM, base64.b64encode(FORM.encode()).decode(), json.dumps({"inner": FORM})])
def test_a_form_inside_a_string_is_read_as_one(value: str) -> None:
    redactor = Redactor(TOKENIZER)
    part = read({"payload": value}, redactor)
    assert redactor.classes >= {"pii.name", "pci.pan", "pii.email"}
    shown = part.render()
    assert not any(raw in shown for raw in ("Ada", "Lovelace", "4111", "ada%"))


def test_the_fields_of_a_form_inside_a_string() -> None:
    found = classes(read({"payload": FORM, "session": FORM}, Redactor(TOKENIZER)))
    assert found == {
        "payload": ["pci.pan", "pii.email", "pii.name"],
        "payload.name": ["pii.name"],
        "payload.card": ["pci.pan"],
        "payload.mail": ["pii.email"],
        "session": ["secret.session"],  # the whole, for its name says so
    }


def test_a_password_is_a_password_whatever_it_looks_like() -> None:
    for value in ('{"a": "b"}', '["x"]', "<a>b</a>"):
        part = read({"password": value}, Redactor(TOKENIZER))
        assert TOKEN.fullmatch(json.loads(part.render())["password"])


def test_text_that_only_looks_like_a_document_is_searched() -> None:
    shown = read({"note": "{ada@example.com}", "html": "<p>ada@example.com<br></p>"}, Redactor(TOKENIZER)).render()
    assert "ada@example.com" not in shown


def jwt(claims: Any) -> str:
    def encoded(document: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")

    return f"{encoded({'alg': 'HS256'})}.{encoded(claims)}.c2lnbmF0dXJlMTIz"


def test_claims_are_fields_and_the_token_goes_whole() -> None:
    token = jwt({"sub": "u1", "email": "ada@example.com", "address": {"street_address": "12 Main St"}})
    redactor = Redactor(TOKENIZER)
    part = read({"result": {"access_token": token}}, redactor)
    found = classes(part)
    assert found["result.access_token"] == ["secret.jwt"]
    assert found["result.access_token.claims.email"] == ["pii.email"]
    assert found["result.access_token.claims.sub"] == []
    assert found["result.access_token.claims.address.street_address"] == ["pii.address"]
    assert TOKEN.fullmatch(json.loads(part.render())["result"]["access_token"])
    assert {"ada@example.com", "12 Main St"} <= set(redactor.secrets)  # so that echoes are found


def test_overrides_decide_about_claims_too() -> None:
    token = jwt({"tenant": "acme-corp"})
    document = decode_text(json.dumps({"t": token}), media_type("application/json"), Limits(), label)
    redactor = Redactor(TOKENIZER)
    part = redactor.part(document, lambda path: "fin.account" if path == "t.claims.tenant" else None)
    assert classes(part)["t.claims.tenant"] == ["fin.account"]


@pytest.mark.parametrize("value", ["ey", "eyJ.eyJ.x", "ey.ey.ey", "Bearer ey..", "eyJhbGciOiJIUzI1NiJ9.!!!.abcdefgh"])
def test_what_is_no_token_has_no_claims(value: str) -> None:
    part = read({"t": value}, Redactor(TOKENIZER))
    assert list(part.fields) == ["t"]


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("expiryDate", "12%2F27", "pci.expiry"),
        ("expiryDate", "12%252F27", "pci.expiry"),
        ("accountNumber", "12345678903", "fin.account"),
        ("email", "bob%40example.com", "pii.email"),
    ],
)
def test_names_speak_for_what_stands_below_an_encoding(name: str, value: str, found: str) -> None:
    for strict in (False, True):
        redactor = Redactor(TOKENIZER, strict=strict)
        assert classes(read({name: value}, redactor))[name] == [found]


@pytest.mark.parametrize(
    "text",
    [
        "failed for mrn=0012345 today",
        "wire: routing_number: 021000021, amount 5",
        "passport_number='C01X00T47'",
        "imei: 490154203237518",
        "tax_id=12-3456789",
        "driving_licence=D1234567",
    ],
)
def test_every_class_is_found_by_its_name_in_text(text: str) -> None:
    shown = Redactor(TOKENIZER).text(text)
    assert shown is not None
    assert TOKEN.search(shown)


@pytest.mark.parametrize("kind", ["application/json", "text/xml", "application/x-www-form-urlencoded", "text/plain"])
def test_what_is_whole_of_a_cut_body_is_shown_and_nothing_raw(kind: str) -> None:
    whole = {
        "application/json": json.dumps([{"email": "ada@example.com", "password": "hunter2x", "n": 7}] * 3),
        "text/xml": "<a>" + "<u><email>ada@example.com</email><password>hunter2x</password></u>" * 3 + "</a>",
        "application/x-www-form-urlencoded": "email=ada%40example.com&password=hunter2x&" * 3 + "n=7",
        "text/plain": "login of ada@example.com with password=hunter2x failed.\n" * 30,
    }[kind]
    for end in range(len(whole) * 2 // 3, len(whole), 3):
        redactor = Redactor(TOKENIZER)
        part = redactor.part(decode_text(whole[:end], media_type(kind), Limits(), label, truncated=True))
        shown = part.render()
        assert "hunter2" not in shown
        assert "ada@" not in shown
        assert "ada%40" not in shown
        assert {"pii.email", "secret.password"} <= redactor.classes
        assert TOKEN.search(shown)


def test_names_in_many_forms_inside_strings_are_counted_as_work() -> None:
    redactor = Redactor(TOKENIZER)
    shown = json.loads(read([f"n{i}=1&m{i}=2" for i in range(7000)], redactor).render())
    assert shown[0] == "n0=1&m0=2"
    assert shown[-1].startswith("[not analysed")
    assert redactor.skipped
