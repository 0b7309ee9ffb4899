"""Texts inside values, claims inside tokens, and the operation that a body names."""

from __future__ import annotations

import base64
import json

import pytest

from apisec.decoders import Limits, claims, decode_body, embedded, media_type, operation_hint
from apisec.decoders.base import Document

LIMITS = Limits()


def leaves(document: Document | None) -> list[tuple[str, str]] | None:
    return None if document is None else [(leaf.path, leaf.value) for leaf in document.leaves]


@pytest.mark.parametrize(
    ("value", "name", "found"),
    [
        ('{"email": "a@b"}', "payload", [("email", "a@b")]),
        (" [1]\n", "payload", [("[]", "1")]),
        (json.dumps(json.dumps({"a": 1})), "payload", [("", '{"a": 1}')]),
        ('mutation { login(password: "x") { id } }', "q", [("login.password", "x")]),
        ('{ login(password: "x") { id } }', "query", [("login.password", "x")]),
        ('{ login(password: "x") { id } }', "note", None),  # braces alone say too little
        ("<a><ssn>1</ssn></a>", "xml", [("a.ssn", "1")]),
        ("<a><ssn>1</a>", "xml", None),
        ("hello", "note", None),
        ("", "note", None),
        ("{}", "note", []),
        ('{"a": ', "note", None),
        ("[" * 100_000 + "]", "note", None),
        ('"plain"', "note", None),
    ],
)
def test_a_value_that_holds_a_format(value: str, name: str, found: list[tuple[str, str]] | None) -> None:
    assert leaves(embedded(value, name, LIMITS)) == found


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("name=Ada+L&card=4111+1111&mail=a%40b", [("name", "Ada L"), ("card", "4111 1111"), ("mail", "a@b")]),
        ("u[x]=1&u[y]=", [("u.x", "1"), ("u.y", "")]),
        ("a=1", None),
        ("if a=1 & b=2", None),
        ("https://x/?a=1&b=2", None),
        ("a=1&b", None),
        ("a=<1>&b=2", None),
    ],
)
def test_a_form_in_a_value_where_it_may_be_one(value: str, found: list[tuple[str, str]] | None) -> None:
    assert leaves(embedded(value, "payload", LIMITS, forms=True)) == found
    assert embedded(value, "payload", LIMITS) is None


def token(payload: object) -> str:
    def part(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).decode().rstrip("=")

    return ".".join([part(b'{"alg": "HS256"}'), part(json.dumps(payload).encode()), "sig"])


def test_claims_are_fields() -> None:
    document = claims(token({"sub": "7", "email": "a@b", "address": {"locality": "X"}}), LIMITS)
    assert leaves(document) == [("sub", "7"), ("email", "a@b"), ("address.locality", "X")]


@pytest.mark.parametrize(
    "text",
    ["", "ey.x", "eyJh.%%%.x", "a.b.c", "eyJhbGciOiJub25lIn0.bm8ganNvbg.x", "ey." + "A" * 20_000 + ".x"],
)
def test_what_is_no_token_has_no_claims(text: str) -> None:
    assert claims(text, LIMITS) is None
    assert claims(token([1]), LIMITS) is None


@pytest.mark.parametrize(
    ("media", "body", "operation"),
    [
        ("application/json", '{"jsonrpc": "2.0", "method": "user.find", "params": {}}', "user.find"),
        ("application/json", '[{"jsonrpc": "2.0", "method": "a"}, {"jsonrpc": "2.0", "method": "b"}]', "a"),
        ("application/json", '{"method": "user.find"}', None),
        ("application/json", '{"query": "query Q($a: Int) { user(id: $a) { id } }"}', "Q"),
        ("application/json", '{"operationName": "Z", "query": "query Q { a } query Z { b }"}', "Z"),
        ("application/json", '{"query": "{ x: user(id: 1) { id } }"}', "user"),
        ("application/json", '{"query": "shoes"}', None),
        ("application/json", '{"query": {"term": 1}, "operationName": "X"}', None),
        ("application/json", '{"operationName": "Hero", "extensions": {"persistedQuery": {}}}', "Hero"),
        ("application/json", '{"jsonrpc": "2.0", "method": 7}', None),
        ("application/json", '{"data": {"jsonrpc": "2.0", "method": "inner"}}', None),
        ("application/json", '[["jsonrpc"]]', None),
        ("application/graphql", "mutation { save(a: 1) { id } }", "save"),
        ("text/xml", '<s:Envelope xmlns:s="u"><s:Body><m:Find><id>1</id></m:Find></s:Body></s:Envelope>', "Find"),
        ("text/xml", "<a><b>1</b></a>", None),
        ("application/x-www-form-urlencoded", "method=x", None),
        ("application/json", '{"jsonrpc": "2.0", "method": "a b; drop"}', None),
    ],
)
def test_the_operation_that_a_body_names(media: str, body: str, operation: str | None) -> None:
    assert operation_hint(decode_body(body.encode(), media, None, LIMITS)) == operation


@pytest.mark.parametrize(
    ("header", "essence", "boundary"),
    [
        ('multipart/form-data; boundary="a;b"', "multipart/form-data", "a;b"),
        ('Multipart/Form-Data;charset=x;  Boundary = "a\\"b"', "multipart/form-data", 'a"b'),
        ("text/plain", "text/plain", None),
        (";;;", "", None),
        (None, "", None),
        ("x/y; a=" + "b" * 5000, "x/y", None),
    ],
)
def test_media_types_are_parsed_with_their_quotes(header: str | None, essence: str, boundary: str | None) -> None:
    media = media_type(header)
    assert (media.essence, media.parameter("boundary")) == (essence, boundary)
