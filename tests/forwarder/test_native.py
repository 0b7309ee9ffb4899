"""The native engine and the core make the same event of every transaction, whatever way each part takes."""

from __future__ import annotations

import json
import os
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apisec.classification.overrides import Overrides
from apisec.model.transaction import Body, Client, Refusal, Request, Response, Transaction
from apisec.redaction.keys import Tokenizer
from apisec_forwarder.pipeline import PipelineSettings, Service, engine, envelope, missing
from apisec_forwarder.pipeline.engines import PureEngine
from tests.forwarder.test_leaks import ENCODINGS, KEYS, NAMED, REQUESTS, RESPONSES, VALUES, answer, typed

native = pytest.importorskip("apisec_forwarder.pipeline.native", exc_type=ImportError)

CASES = Path(__file__).parents[1] / "cases"
OVERRIDES = Overrides.parse(
    {
        "version": 1,
        "overrides": [
            {"service": "shop", "path": "customer.ref", "class": "pii.name", "author": "a", "reason": "initials"},
            {"service": "shop", "in": "body", "path": "items[].code", "class": "none", "author": "a",
             "reason": "article codes pass the check of cards"},
            {"service": "shop", "in": "query", "path": "token", "class": "none", "author": "a",
             "reason": "a public continuation mark"},
        ],
    },
    "test",
)  # fmt: skip
SHOP = Service("shop", "commerce", ("shop.example",), templates=("/orders/{id}", "/reset/{token}"))
PAY = Service("pay", "payments", ("pay.example",), mode="strict")
SETTINGS = PipelineSettings("edge", "DEV", (SHOP, PAY), body_cap=2000, index="apisec")
FORCED_SETTINGS = PipelineSettings("edge", "DEV", (SHOP, PAY), overrides=OVERRIDES)
CACHE = Path(tempfile.gettempdir()) / f"apisec-engine-{os.geteuid()}"  # private, and shared by this machine's runs
JSON = ("content-type", "application/json")


@cache
def made_once(settings: PipelineSettings) -> Any:
    """Return an engine; not at import, for compiling its patterns takes seconds."""
    return native.NativePipeline(settings, Tokenizer(KEYS), cache=CACHE)


def canonical(event: Any) -> str:
    return json.dumps(json.loads(json.dumps(event)), sort_keys=True)


def agree(transaction: Transaction, of: PipelineSettings = SETTINGS) -> dict[str, Any]:
    """Make the event twice, so that what is remembered is asked too."""
    made = made_once(of)
    want = made.core.process(transaction)
    for _ in range(2):
        assert canonical(made.process(transaction)) == canonical(want)
    assert canonical(json.loads(made.record(transaction))) == canonical(envelope(want, made.settings))
    assert made.lanes["failed"] == 0
    return dict(want)


def sent(request: Request, response: Response | None = None) -> Transaction:
    client = Client("192.0.2.1", 40000)
    return Transaction("5f0c1c1e-0000-4000-8000-00000000000a", 1.5, client, request, response, 12.5, upstream_time=11.5)


@pytest.mark.parametrize("place", sorted(REQUESTS))
@pytest.mark.parametrize("kind", ["pan", "email", "jwt", "phone"])
def test_planted_values_at_every_place(place: str, kind: str) -> None:
    fixed = {
        "pan": "4111111111111111", "email": "ada.lovelace@mail.example.com", "phone": "+1 212-555-0187",
        "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0." + "s" * 43,
    }[kind]  # fmt: skip
    request = REQUESTS[place](fixed)
    body = json.dumps({"note": fixed, "items": [{"id": 7, "sku": "SKU-1"}]}).encode()
    agree(sent(request, Response(200, (JSON,), Body(body, len(body)))))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(st.data())
def test_planted_values_in_every_encoding(data: st.DataObject) -> None:
    value = data.draw(VALUES[data.draw(st.sampled_from(sorted(VALUES)))])
    encode = ENCODINGS[data.draw(st.sampled_from(sorted(ENCODINGS)))]
    request = REQUESTS[data.draw(st.sampled_from(sorted(REQUESTS)))](encode(value))
    response = RESPONSES[data.draw(st.sampled_from(sorted(RESPONSES)))](encode(value))
    agree(sent(request, data.draw(st.sampled_from([None, response]))))


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(st.data())
def test_echoes_of_named_values(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(NAMED)))
    value = data.draw(NAMED[name])
    encode = ENCODINGS[data.draw(st.sampled_from(["plain", "percent", "base64", "base64_1"]))]
    body = json.dumps({"user": {"id": 7, name: value}})
    agree(
        sent(typed("application/json", body), answer("application/json", json.dumps({"error": f"bad {encode(value)}"})))
    )


@pytest.mark.parametrize("place", sorted(REQUESTS))
@pytest.mark.parametrize(
    "form", ["card=4111+1111+1111+1111&x=1", "a=1&b=2", "u%5Bdob%5D=1815%2d12%2d10&&", "x=ada%2540b.com&y="]
)
def test_forms_inside_of_values(place: str, form: str) -> None:
    body = json.dumps([{"payload": form, "session": form, "note": f"{form} "}]).encode()
    agree(sent(REQUESTS[place](form), Response(200, (JSON,), Body(body, len(body)))))


SOAP = "<s:Envelope xmlns:s='u'><s:Body><m:{}><id>1</id></m:{}></s:Body></s:Envelope>"
SEND = '{"jsonrpc": "2.0", "method": "orders.find", "params": {"id": 7, "password": "orders.find"}}'


@pytest.mark.parametrize(
    ("kind", "body", "operation"),
    [
        ("application/json", '{"jsonrpc": "2.0", "method": "orders.find", "params": {"id": 7}}', "orders.find"),
        ("application/json", '{"jsonrpc": "2.0", "method": "orders.find", "params": [1, 1]}', "orders.find"),
        ("application/json", '{"query": "query Q { a(email: \\"ada@example.com\\") { id } }"}', "Q"),
        ("application/json", '{"query": "{ hero { id } }", "operationName": "H", "query": "{ hero { id } }"}', "H"),
        ("application/json", '{"query": "shoes"}', None),
        ("application/json", '{"items": [1]}', None),
        ("application/json", SEND, None),  # somebody's password
        ("application/json", SEND.replace('"password"', '"note"'), "orders.find"),
        ("application/json", '{"jsonrpc": "2.0", "method": "u5f0c1c1e0c2d4f5e9b8a7c6d5e4f3a2b"}', None),  # a key
        ("application/json", '{"jsonrpc": "2.0", "method": "card:4111111111111111"}', None),
        ("application/graphql", "mutation { save(a: 1) { id } }", "save"),
        ("text/xml", SOAP.format("Find", "Find"), "Find"),
        ("application/x-www-form-urlencoded", "method=x&jsonrpc=2.0", None),
    ],
)
def test_operations_that_bodies_name(kind: str, body: str, operation: str | None) -> None:
    event = agree(sent(typed(kind, body), answer(kind, body)))
    assert event.get("body_operation") == operation
    assert "body_operation" not in agree(sent(Request("GET", "/a", (), Body()), answer(kind, body)))


TELLING = st.sampled_from(
    ["firstName", "lastName", "email", "phone", "street", "postcode", "birthDate", "ssn", "nationalId", "iban", "cvv",
     "cardNumber", "expiry", "password", "otp", "accessToken", "apiKey", "deviceId", "mrn", "taxId", "owner", "plate"]
)  # fmt: skip


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(st.data())
def test_values_under_telling_names(data: st.DataObject) -> None:
    known = {**VALUES, **NAMED}
    rows = [
        {data.draw(TELLING): data.draw(known[data.draw(st.sampled_from(sorted(known)))] | st.text(max_size=24))}
        for _ in range(6)
    ]
    body = json.dumps(rows, ensure_ascii=data.draw(st.booleans())).encode("utf-8", "replace")
    host = data.draw(st.sampled_from(["shop.example", "pay.example"]))
    request = Request("POST", "/a", (JSON,), Body(body, len(body)), "https", host)
    agree(sent(request, Response(200, (JSON,), Body(body, len(body)))))


NAMES = st.sampled_from(
    ["id", "orderId", "email", "password", "name", "firstName", "phone", "cardNumber", "cvv", "items", "note", "sku",
     "createdAt", "amount", "latitude", "dob", "iban", "customer", "ref", "code", "token", "a.b", "x-y", "naïve", "$ne"]
)  # fmt: skip
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-10, 10**6), st.integers(10**9, 10**19), st.floats(-1e6, 1e6),
    st.sampled_from([4111111111111111, 1e15, 4.111111111111111e15, 40.7128, -0.0]),
    st.sampled_from(
        ["", "blue shirt", "2026-01-05T12:00:00Z", "4111 1111 1111 1111", "ada@example.com", "https://x.example/a?b=1",
         'a"b', "line\nbreak", "Grüße", "ﬁ１２３", "O'Brien", "{\"a\": 1}", "[1]", "<a>1</a>", "%61%40b.com", "a\\b",
         "~pii.email~0123456789abcdef~", "password=hunter2x", "passport no. X1234567", "1' or '1'='1", "user: bob",
         "YWRhQGV4YW1wbGUuY29t", "078-05-1120", "mutation{a(password:\"x1y2z3\")}", "8005551234", "İ", "\x1f"]
    ),
    st.text(max_size=20),
)  # fmt: skip
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=14,
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(DOCUMENTS, DOCUMENTS, st.booleans(), st.booleans(), st.sampled_from(["shop.example", "pay.example"]))
def test_documents_of_any_shape(one: Any, other: Any, escaped: bool, compact: bool, host: str) -> None:
    def written(document: Any) -> bytes:
        separators = (",", ":") if compact else None
        return json.dumps(document, ensure_ascii=escaped, separators=separators).encode("utf-8", "replace")

    body, back = written(one), written(other)
    request = Request("POST", "/orders/17?page=2", (JSON,), Body(body, len(body)), "https", host)
    agree(sent(request, Response(200, (JSON,), Body(back, len(back)))))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(DOCUMENTS)
def test_overrides_decide_alike(document: Any) -> None:
    body = json.dumps(
        {"customer": {"ref": "X4711"}, "items": [{"code": "4111111111111111"}], "more": document}
    ).encode()
    request = Request("POST", "/orders/17?token=abc12345", (JSON,), Body(body, len(body)), "https", "shop.example")
    agree(sent(request, Response(200, (JSON,), Body(body, len(body)))), FORCED_SETTINGS)


def test_an_override_wins_over_name_and_detector() -> None:
    body = b'{"customer": {"ref": "X4711"}, "items": [{"code": "4111111111111111"}]}'
    request = Request("POST", "/orders/17?token=abc12345", (JSON,), Body(body, len(body)), "https", "shop.example")
    found = agree(sent(request), FORCED_SETTINGS)
    assert "4111111111111111" in found["request_body"]
    assert "X4711" not in found["request_body"]
    assert found["uri_query"] == "token=abc12345"
    assert found["data_classes"] == ["pii.name"]


RAW = [
    b'{"password": "first77", "password": "second7"}',
    b'{"a": 1, "a": 2}',
    b'{"n": 12345678901234567890123, "m": 1.50, "k": -0}',
    b'{"card": 4111111111111111, "lat": 40.7128000, "latitude": 40.7128000}',
    b'{"x": NaN}',
    b'{"a": "\\u0061da@example.com", "b": "a\\/b", "c": "\\\\"}',
    b'\xef\xbb\xbf{"email": "ada@example.com"}',
    b'{"email": "ada@ex\xffample.com"}',
    b'[]', b'{}', b'"text"', b'7', b'null', b'{"a": 1} {"b": 2}', b'{"a": [[[1], ["x"]], {}]}',
    b'{"email": "ada@example.com", "note": "ada@example.com", "copy": {"email": "ada@example.com"}}',
    b'{"firstName": "Ada", "title": "Ada"}',
    b'{"phone": 2125550187, "other": {"phone": 2125550187}}',
    b'{"name":"x","ssn": "078-05-1120" ,"list":["078-05-1120"]}',
    b'{"ts": 1767225600123, "createdAt": 4111111111111111}',
]  # fmt: skip


@pytest.mark.parametrize("body", RAW)
@pytest.mark.parametrize("host", ["shop.example", "pay.example", "other.example"])
def test_bodies_that_take_the_long_way(body: bytes, host: str) -> None:
    request = Request("POST", "/a/b", (JSON,), Body(body, len(body)), "https", host)
    agree(sent(request, Response(200, (JSON,), Body(body, len(body)))))


BESIDE = [
    {"name": "Adam", "email": "adam@mail.example.com", "number": "9876895423"},
    [{"name": "Adam", "email": "adam@mail.example.com"}, {"name": "Blue shirt", "sku": "B-7"}] * 3,
    [{"name": "Adam", "sku": "B-7"}] * 4 + [{"name": "Adam", "email": "adam@mail.example.com"}],
    [{"question": "security question", "answer": "Rex77", "securityQuestion": "pet"}] * 5,
    {"rows": [{"name": "Eve", "number": 9876895423, "password": None}] * 3, "name": "Eve"},
    {
        "owner": "Ada Lovelace",
        "manager": "none",
        "rows": [{"owner": "Ada Lovelace"}, {"owner": "shop"}, {"sn": "Smith"}],
    },
]


@pytest.mark.parametrize("document", BESIDE)
def test_names_beside_a_name_count_alike(document: Any) -> None:
    body = json.dumps(document).encode()
    form = b"name=Adam&email=adam%40mail.example.com&number=9876895423&a.name=Rex"
    sending = Request("POST", f"/orders/17?{form.decode()}", (JSON,), Body(body, len(body)), "https", "shop.example")
    agree(sent(sending, Response(200, (JSON,), Body(body, len(body)))))
    agree(sent(typed("application/x-www-form-urlencoded", form.decode())))


FORMS = [
    "user=ada&password=hunter2x&next=%2Fhome",
    "q=1%27+or+%271%27%3D%271&card=4111+1111+1111+1111",
    "&&a=1&b=2&&", "a", "a=1&a=2&items[0].id=7",
    "{\"a\": 1}", "x=%7B%22email%22%3A%22ada%40example.com%22%7D", "n=a\x1fb",
]  # fmt: skip


@pytest.mark.parametrize("text", FORMS)
def test_forms(text: str) -> None:
    agree(sent(typed("application/x-www-form-urlencoded", text), answer("application/json", json.dumps({"t": text}))))
    agree(sent(Request("GET", f"/a?{text}", (), Body(), "https", "shop.example"), Response(204)))


TARGETS = [
    "/",
    "//a//",
    "/orders/17",
    "/orders/abc?x",
    "/reset/abcdef",
    "/v1/users/5f0c1c1e-0000-4000-8000-00000000000a",
    "/pin/1234",
    "/ssn/123456",
    "/a/4111111111111111",
    "/users/ada@example.com",
    "/a;b=c",
    "/a%20b",
    "*",
    "",
    "https://u:p@x.example/a",
    "/a?q=O%27Brien+%26+Sons&page=2",
    "/a?user[id]=7&items[0].sku=x",
    "/a?&&=",
    "/a?email=ada@example.com",
    "/a?q=1%27%20or%201=1--",
    "/a?api_key=k-1234567890",
    "/..;/etc/passwd",
    "/2024/01",
]


@pytest.mark.parametrize("target", TARGETS)
def test_targets(target: str) -> None:
    agree(sent(Request("GET", target, (), Body(), "https", "shop.example"), Response(204)))


HEADS = [
    (),
    (("authorization", "Bearer opaque-token-123456"), ("x-note", "ada@example.com")),
    (("Cookie", "theme=dark; JSESSIONID=0123456789abcdef"), ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64)")),
    (("x-api-key", "k-1234567890"), ("referer", "https://x.example/a?email=ada@example.com")),
    (("user-agent", "${jndi:ldap://x.example/a}"), ("x-forwarded-for", "10.0.0.1")),
    (("content-type", "application/json"), ("content-type", "text/plain")),
    (("user-agent", "a"), ("user-agent", "../../etc/passwd\x00")),
    (("referer", "/a"), ("Referer", "https://x.example/?q=<script>alert(1)</script>")),
    (("x-a", "1"), ("x-a", "2"), ("X-Weird~Name", "x"), ("x-json", '{"a": "ada@example.com"}')),
    (("authorization", "Basic YWRhOmxvdmVsYWNl"), ("origin", "https://x.example"), ("x-q", "1' or '1'='1")),
    (("content-type", "Application/JSON; charset=utf-8"), ("x-api-version", "2024-01-01"), ("accept", "a/b;v=2")),
    (("content-type", "application/4111111111111111"), ("api-version", "4111111111111111")),
    (("content-type", "application/vnd.orders.v2+json"), ("x-password", "application/vnd.orders.v2+json")),
    (("accept", "application/vnd.shop.v3+json, */*;q=0.1"), ("authorization", "Basic YWRhOnYzdjN2Mw==")),
    (("authorization", "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260101/eu/s3/aws4_request, Signature=fe"),),
    (("authorization", 'Digest username="ada", realm="a", response="6629fae49393a05397450978507c4ef1"'),),
    (("Signature-Input", 'a=("@method");created=1;keyid="shop-7"'), ("signature", "a=:aGVsbG8=:"), ("x-a", "1")),
    (("x-hub-signature-256", "sha256=" + "0" * 64), ("user-agent", "GitHub-Hookshot/1")),
]


@pytest.mark.parametrize("headers", HEADS)
def test_heads(headers: tuple[tuple[str, str], ...]) -> None:
    back = (*headers, ("set-cookie", "sid=abcdef0123; HttpOnly"), ("location", "/x?token=abc123456789"), JSON)
    agree(sent(Request("GET", "/a?b=1", headers, Body(), "https", "shop.example"), Response(200, back, Body(b"{}", 2))))


def test_refusals_and_halves() -> None:
    request = Request("GET", "/a", (), Body(), "https", "shop.example")
    agree(Transaction("x", 1.0, Client("192.0.2.1"), request, None))
    agree(
        Transaction(
            "x", 1.0, Client("ada@example.com", tls_version="?"), request, Response(403), refusal=Refusal("p", "rbac")
        )
    )
    agree(Transaction("ada@example.com", 1.0, Client("192.0.2.1", authenticated="bob"), request, Response(200)))


def test_ordinary_traffic_takes_the_short_way() -> None:
    made = native.NativePipeline(SETTINGS, Tokenizer(KEYS), cache=CACHE)
    body = json.dumps({"items": [{"id": i, "title": "blue shirt", "email": f"u{i}@example.com"} for i in range(20)]})
    for i in range(5):
        made.record(sent(typed("application/json", json.dumps({"n": i})), answer("application/json", body)))
    assert made.lanes["native"] == 5
    assert made.lanes["part"] == made.lanes["pure"] == made.lanes["failed"] == 0


def test_the_engine_is_chosen() -> None:
    assert missing() == []
    assert engine(SETTINGS, Tokenizer(KEYS), "native", cache=CACHE).name == "native"
    assert isinstance(engine(SETTINGS, Tokenizer(KEYS), "pure"), PureEngine)


def detector_texts() -> list[str]:
    texts: list[str] = []
    for path in sorted([*(CASES / "detectors").glob("*.yml"), *(CASES / "attacks").glob("*.yml")]):
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        texts += [text for text in _strings(document) if 5 < len(text) < 2000]
    return texts


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for item in inner for text in _strings(item)]


@pytest.mark.parametrize("host", ["shop.example", "pay.example"])
def test_every_case_of_every_detector(host: str) -> None:
    texts = detector_texts()
    assert len(texts) > 300
    for start in range(0, len(texts), 40):
        some = texts[start : start + 40]
        body = json.dumps({"a": some, "reference": some[:10]}, ensure_ascii=False).encode("utf-8", "replace")
        request = Request("GET", "/a", (), Body(), "https", host)
        agree(sent(request, Response(200, (JSON,), Body(body, len(body)))))
