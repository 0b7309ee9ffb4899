"""The pipeline: what an event says of a transaction, and that nothing makes it raise."""

from __future__ import annotations

import base64
import gzip
import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apisec.model.event import FIELDS, NAMES
from apisec.model.transaction import Body, Client, Refusal, Request, Response, Transaction
from apisec.redaction.keys import KeyRing, Tokenizer
from apisec_forwarder import keys
from apisec_forwarder.pipeline import Pipeline, PipelineSettings, Service, envelope

SHOP = Service(
    "shop", "commerce", ("shop.example", "*.shop.example"), ("/",), "apisec_shop", ("/orders/{id}", "/reset/{token}")
)
PAY = Service("pay", "payments", ("shop.example",), ("/pay",))
SETTINGS = PipelineSettings("edge-1", "DEV", (SHOP, PAY), body_cap=500, index="apisec")
PIPELINE = Pipeline(SETTINGS, Tokenizer(KeyRing.parse(keys.generate())))
JSON = ("content-type", "application/json")


def event(
    target: str = "/",
    *headers: tuple[str, str],
    method: str = "GET",
    body: bytes = b"",
    size: int | None = None,
    response: Response | None = None,
    client: Client = Client("192.0.2.1"),  # noqa: B008 - frozen
    host: str = "shop.example",
    **more: Any,
) -> dict[str, Any]:
    request = Request(method, target, headers, Body(body, len(body) if size is None else size), "https", host)
    transaction = Transaction("id-1", 5.0, client, request, response, **more)
    found = PIPELINE.process(transaction)
    assert set(found) <= NAMES
    assert {field.name for field in FIELDS if field.required} <= set(found)
    return found


def jwt(**claims: Any) -> str:
    def part(document: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")

    return f"{part({'alg': 'HS256'})}.{part(claims)}.c2lnbmF0dXJlMTIz"


def bearer(**claims: Any) -> tuple[str, str]:
    return ("authorization", f"Bearer {jwt(**claims)}")


def answer(body: bytes, *headers: tuple[str, str], status: int = 200, size: int | None = None) -> Response:
    return Response(status, headers or (JSON,), Body(body, len(body) if size is None else size))


def test_who_acts_stays_the_same_when_a_jwt_is_renewed() -> None:
    one = event("/", bearer(sub="u1", jti="a", iat=1))
    two = event("/", bearer(sub="u1", jti="b", iat=2))
    other = event("/", bearer(sub="u2"))
    assert one["principal"] == two["principal"] != other["principal"]
    assert one["user"] == two["user"] != other["user"]
    assert one["auth_token"] != two["auth_token"]
    assert one["session"] != two["session"]
    assert (one["principal_kind"], one["auth"]) == ("jwt", "bearer")


def test_the_same_subject_of_another_issuer_is_somebody_else() -> None:
    assert event("/", bearer(sub="u1", iss="a"))["principal"] != event("/", bearer(sub="u1", iss="b"))["principal"]


@pytest.mark.parametrize(
    ("headers", "target", "kind", "auth"),
    [
        ([("authorization", "Bearer opaque-token-123456")], "/", "session", "bearer"),
        ([("authorization", "Basic " + base64.b64encode(b"ada:pw").decode())], "/", "basic", "basic"),
        ([("x-api-key", "k-1234567890")], "/", "api_key", "api_key"),
        ([], "/?api_key=k-1234567890", "api_key", "api_key"),
        ([("cookie", "theme=dark; JSESSIONID=0123456789abcdef")], "/", "session", "cookie"),
        ([("cookie", f"auth={jwt(sub='u1')}")], "/", "jwt", "cookie"),
        ([("cookie", "theme=dark; XSRF-TOKEN=0123456789abcdef")], "/", "anonymous", "none"),
        ([], "/", "anonymous", "none"),
    ],
)
def test_kinds_of_principals(headers: list[tuple[str, str]], target: str, kind: str, auth: str) -> None:
    found = event(target, *headers)
    assert (found["principal_kind"], found["auth"]) == (kind, auth)
    assert found["principal"].startswith("~principal~")


def test_a_certificate_names_its_holder_only_when_nothing_else_does() -> None:
    client = Client("192.0.2.1", certificate_subject="CN=ada")
    assert event("/", client=client)["principal_kind"] == "mtls"
    assert event("/", bearer(sub="u1"), client=client)["principal_kind"] == "jwt"


def test_an_anonymous_principal_is_more_than_an_address() -> None:
    agents = [event("/", ("user-agent", agent))["principal"] for agent in ("a", "b")]
    prints = [event("/", client=Client("192.0.2.1", ja4=ja4))["principal"] for ja4 in ("t13d_a", "t13d_b")]
    assert len(set(agents + prints)) == 4


@pytest.mark.parametrize(
    ("host", "target", "service", "team"),
    [
        ("shop.example", "/orders/1", "shop", "commerce"),
        ("SHOP.example:8443", "/pay/1", "pay", "payments"),
        ("shop.example", "/payments", "shop", "commerce"),
        ("eu.shop.example", "/x", "shop", "commerce"),
        ("other.example", "/x", "unassigned", "unassigned"),
    ],
)
def test_routes(host: str, target: str, service: str, team: str) -> None:
    found = event(target, host=host)
    assert (found["service"], found["team"]) == (service, team)
    assert envelope(found, SETTINGS)["index"] == ("apisec_shop" if service == "shop" else "apisec")


def test_templates_of_the_spec_come_first() -> None:
    assert event("/orders/abc")["operation"] == "GET /orders/{id}"
    assert event("/things/17")["operation"] == "GET /things/{thing_id}"
    assert event("/orders/abc")["object_ids"] == ["id=abc"]


def test_a_parameter_of_the_spec_speaks_for_its_value() -> None:
    found = event("/reset/correcthorse")
    assert found["endpoint"] == "/reset/{token}"
    assert "correcthorse" not in json.dumps(found)
    assert {"path": "token", "in": "path", "type": "string", "classes": ["secret.token"]} in found["request_fields"]


def test_a_password_cannot_rewrite_the_operation_of_a_known_route() -> None:
    """Else a client could hide its calls from detections by sending a header with a path's word in it."""
    found = event("/orders/abc", JSON, method="POST", body=b'{"password": "orders"}')
    assert found["operation"] == "POST /orders/{id}"


def test_a_secret_in_a_path_is_not_shown_where_no_spec_knows_the_path() -> None:
    found = event("/correcthorse/5", JSON, method="POST", body=b'{"password": "correcthorse"}', host="other.example")
    assert "correcthorse" not in json.dumps(found)
    assert found["endpoint"] == "/{value}/{value}"


def test_object_ids() -> None:
    body = json.dumps({"order": {"id": 9}, "customerId": "c-1", "items": [{"id": 1}], "n": 5}).encode()
    found = event("/things/17?user_id=3&q=4", JSON, method="POST", body=body)
    assert found["object_ids"] == ["thing_id=17", "user_id=3", "customerId=c-1", "items_id=1", "order_id=9"]


def test_fields_of_all_places() -> None:
    found = event(
        "/things/17?q=x", JSON, ("x-note", "ada@example.com"), ("cookie", "sid=0123456789"), method="POST",
        body=b'{"a": {"b": 1}}',
        response=answer(b'[{"email": "ada@example.com"}]', JSON,
        ("set-cookie", "sid=abcdef0123; HttpOnly"), ("etag", "x")),
    )  # fmt: skip
    assert found["request_fields"] == [
        {"path": "thing_id", "in": "path", "type": "integer"},
        {"path": "q", "in": "query", "type": "string"},
        {"path": "x-note", "in": "header", "type": "string", "classes": ["pii.email"]},
        {"path": "sid", "in": "cookie", "type": "string", "classes": ["secret.session"]},
        {"path": "a.b", "in": "body", "type": "integer"},
    ]
    assert found["response_fields"] == [
        {"path": "sid", "in": "cookie", "type": "string", "classes": ["secret.session"]},
        {"path": "[].email", "in": "body", "type": "string", "classes": ["pii.email"]},
    ]
    assert found["data_classes"] == ["pii.email", "secret.session"]


def test_signals_say_where() -> None:
    found = event(
        "/search?q=%2527%20OR%201%3D1--", JSON, ("user-agent", "${jndi:ldap://x.example/a}"), method="POST",
        body=b'{"filter": {"name": {"$ne": 1}}, "text": "O\'Brien & Sons"}',
    )  # fmt: skip
    places = {(signal["detector"], signal["where"]) for signal in found["signals"]}
    assert places == {
        ("injection.sqli", "query.q"),
        ("injection.jndi", "header.user-agent"),
        ("injection.nosql", "body.filter.name.$ne"),
    }
    assert all(0.5 <= signal["score"] <= 1 for signal in found["signals"])
    assert "signals" not in event(
        "/search?q=O%27Brien+%26+Sons", ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:1)")
    )


def test_signals_of_a_body_that_cannot_be_read() -> None:
    body = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
    found = event("/", ("content-type", "text/xml"), method="POST", body=body)
    assert found["coverage"] == "undecoded"
    assert "request_body" not in found
    assert found["signals"][0]["detector"] == "injection.xxe"


@pytest.mark.parametrize(
    ("headers", "body", "coverage", "reason"),
    [
        ([JSON], b'{"password": "hunter2x', "undecoded", "request.body: not JSON"),
        ([("content-type", "image/png")], b"\x89PNG" + bytes(200), "undecoded", "binary data"),
        ([JSON, ("content-encoding", "br")], b"hunter2x", "undecoded", "not br data"),
        (
            [JSON, ("content-encoding", "compress")],
            b"hunter2x",
            "undecoded",
            "content coding compress is not supported",
        ),
        ([JSON, ("content-encoding", "gzip")], b"hunter2x", "undecoded", "not gzip data"),
        ([("content-type", "text/plain; charset=utf-7")], b"hunter2x", "undecoded", "charset is not known"),
        ([("content-type", "application/pdf")], b"hunter2x", "undecoded", "media type is not supported"),
        ([JSON], b"[" * 200, "undecoded", "deeper than 64"),
    ],
)
def test_what_cannot_be_read_is_dropped_and_said(
    headers: list[tuple[str, str]], body: bytes, coverage: str, reason: str
) -> None:
    found = event("/", *headers, method="POST", body=body)
    assert found["coverage"] == coverage
    assert reason in found["coverage_reasons"][0]
    assert "request_body" not in found
    assert "hunter2x" not in json.dumps(found)


def test_a_cut_body_keeps_what_is_whole() -> None:
    found = event("/", JSON, method="POST", body=b'{"a": 1, "password": "hunter2x", "card": "41111', size=9000)
    assert found["coverage"] == "truncated"
    assert "of 9000 bytes" in found["coverage_reasons"][0]
    assert found["request_body"].startswith('{"a": 1, "password": "~secret.password~')
    assert found["bytes_in"] == 9000
    assert event("/", JSON, method="POST", size=9000)["coverage_reasons"] == ["request.body: not captured"]


def test_a_compressed_body_is_read() -> None:
    packed = gzip.compress(b'{"email": "ada@example.com"}')
    found = event("/", response=answer(packed, JSON, ("content-encoding", "gzip")))
    assert found["response_body"].startswith('{"email": "~pii.email~')
    assert found["bytes_out"] == len(packed)


def test_a_long_body_is_capped_after_redaction_and_said() -> None:
    body = json.dumps({"items": ["ada@example.com"] * 100}).encode()
    found = event("/", response=answer(body))
    assert len(found["response_body"]) <= 500
    assert "ada" not in found["response_body"]
    assert found["response_body"].count("~") % 3 == 0  # no token is cut in two
    assert found["coverage"] == "complete"
    assert "shown up to character 500" in found["coverage_reasons"][0]


def test_fifty_megabytes_cost_a_bounded_time() -> None:
    body = b'{"a":[' + b'{"email":"ada@example.com","n":4111111111111111},' * 1_000_000 + b"1]}"
    begin = time.process_time()
    found = event("/", JSON, method="POST", body=body)
    assert time.process_time() - begin < 5
    assert found["coverage"] == "truncated"
    assert "ada@example.com" not in json.dumps(found)


def test_a_refusal() -> None:
    found = event("/", response=answer(b"", status=403), refusal=Refusal("p-17", "rbac"))
    assert (found["action"], found["decision"], found["pattern"]) == ("blocked", "block", "p-17")
    assert event("/")["action"] == "allowed"


def test_the_halfway_event_is_the_same_but_for_the_response() -> None:
    whole = event("/orders/1?q=x", bearer(sub="u1"), response=answer(b'{"a": 1}'))
    half = event("/orders/1?q=x", bearer(sub="u1"))
    assert half["status"] == 0
    assert all(whole[name] == half[name] for name in half if name != "status")


@pytest.mark.parametrize(
    ("target", "path", "query", "dest"),
    [
        ("https://ada:pw123456@other.example:8443/a?b=1#frag", "/a", "b=1", "other.example"),
        ("/a//b/", "/a//b/", None, "shop.example"),
        ("*", "/*", None, "shop.example"),
        ("/a?", "/a", None, "shop.example"),
        ("", "/", None, "shop.example"),
    ],
)
def test_targets(target: str, path: str, query: str | None, dest: str) -> None:
    found = event(target)
    assert (found["uri_path"], found.get("uri_query"), found["dest"]) == (path, query, dest)
    assert "pw123456" not in json.dumps(found)


def test_hostile_names_are_redacted_too() -> None:
    found = event(
        "/", ("host", "x"), ("referer", "https://x.example/?email=ada@example.com"), method="GET ada@example.com",
        host="ada@example.com", client=Client("ada@example.com", tls_version="ada@example.com"),
    )  # fmt: skip
    assert "ada@example.com" not in json.dumps(found)
    assert found["http_method"] == "INVALID"


def test_a_bug_costs_the_body_and_not_the_event(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("ada@example.com")

    monkeypatch.setattr("apisec_forwarder.pipeline.pipeline.identify", broken)
    found = event("/users/ada@example.com", JSON, method="POST", body=b'{"a": "ada@example.com"}')
    assert found["coverage"] == "undecoded"
    assert found["coverage_reasons"] == ["transaction: analysis failed (RuntimeError)"]
    assert "ada" not in json.dumps(found)


anything = st.text(max_size=60)
headers = st.lists(
    st.tuples(
        st.sampled_from(["content-type", "content-encoding", "authorization", "cookie", "referer", "host", "x-a"])
        | anything,
        anything | st.sampled_from(["application/json", "gzip", "Bearer a.b.c", "Basic =", "multipart/x; boundary=a"]),
    ),
    max_size=5,
).map(tuple)


@settings(max_examples=300, deadline=None)
@given(anything, anything, headers, st.binary(max_size=200), anything, st.integers(0, 500), st.booleans())
def test_nothing_makes_it_fail(
    method: str, target: str, sent: tuple[tuple[str, str], ...], body: bytes, host: str, size: int, answered: bool
) -> None:
    request = Request(method, target, sent, Body(body, max(size, len(body))), "https", host)
    response = Response(200, sent, Body(body, len(body))) if answered else None
    found = PIPELINE._event(Transaction("x", 1.0, Client(host), request, response))
    assert set(found) <= NAMES
    json.dumps(found).encode()
