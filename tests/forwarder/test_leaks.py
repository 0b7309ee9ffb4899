"""No planted value leaves: every class, at every place, in every encoding.

The test looks for the value in the event as it was written, percent-encoded once and twice, escaped, and as
base64 at all three alignments.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from apisec.model.transaction import Body, Client, Request, Response, Transaction
from apisec.redaction.keys import KeyRing, Tokenizer
from apisec_forwarder.pipeline import Pipeline, PipelineSettings, Service

KEYS = KeyRing.parse(
    {
        "version": 1,
        "active": "0000000a",
        "keys": [
            {
                "id": "0000000a",
                "algorithm": "blake2b",
                "secret": base64.b64encode(b"k" * 32).decode(),
                "created": "2026-01-01T00:00:00Z",
            }
        ],
    }
)
SETTINGS = PipelineSettings("edge", "DEV", (Service("shop", "commerce", ("shop.example",)),))
PIPELINE = Pipeline(SETTINGS, Tokenizer(KEYS))


def luhn_complete(head: str) -> str:
    for digit in "0123456789":
        digits = [int(c) for c in head + digit]
        doubled = [d * 2 - 9 if d > 4 else d * 2 for d in digits[-2::-2]]
        if (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0:
            return head + digit
    raise AssertionError


def iban_complete(country: str, account: str) -> str:
    digits = "".join(str(int(c, 36)) for c in account + country + "00")
    return f"{country}{98 - int(digits) % 97:02d}{account}"


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def digits(n: int) -> st.SearchStrategy[str]:
    return st.text("0123456789", min_size=n, max_size=n)


def lower(a: int, b: int) -> st.SearchStrategy[str]:
    return st.text("abcdefghijklmnopqrstuvwxyz", min_size=a, max_size=b)


def alnum(n: int) -> st.SearchStrategy[str]:
    return st.text("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789", min_size=n, max_size=n)


pan = st.builds(luhn_complete, st.builds(str.__add__, st.sampled_from(["411", "522", "558", "650"]), digits(12)))
VALUES = {
    "pan": pan,
    "pan_dashed": pan.map(lambda p: f"{p[:4]}-{p[4:8]}-{p[8:12]}-{p[12:]}"),
    "pan_spaced": pan.map(lambda p: f"{p[:4]} {p[4:8]} {p[8:12]} {p[12:]}"),
    "amex": st.builds(luhn_complete, st.builds(str.__add__, st.just("37"), digits(12))),
    "ssn": st.builds("{:03d}-{:02d}-{:04d}".format, st.integers(1, 665), st.integers(1, 99), st.integers(1, 9999)),
    "email": st.builds("{}.{}@{}.example.{}".format, lower(2, 8), lower(2, 8), lower(3, 8), st.just("com")),
    "iban": st.builds(iban_complete, st.just("DE"), digits(18)),
    "iban_gb": st.builds(iban_complete, st.just("GB"), digits(14).map(lambda d: "WEST" + d)),
    "phone": st.builds("+1 {}{}-555-0{}".format, st.sampled_from("23456789"), digits(2), digits(3)).filter(
        lambda p: p[4:6] != "11"
    ),
    "jwt": st.builds(
        lambda sub, sig: (
            f"{b64(json.dumps({'alg': 'HS256'})).rstrip('=')}.{b64(json.dumps({'sub': sub})).rstrip('=')}.{sig}"
        ),
        lower(4, 10),
        alnum(43),
    ),
    "aws": st.builds("AKIA{}".format, st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", min_size=16, max_size=16)),
    "github": alnum(36).map(lambda tail: "gh" + "p_" + tail),
}
# Values that only their name makes sensitive; they are planted beside their name and echoed elsewhere.
NAMED = {
    "password": st.one_of(
        alnum(12),
        st.builds("zq{}".format, lower(6, 12)),  # a word, but none of the schema's
        st.builds("{}!{} {}&{}".format, lower(3, 5), alnum(4), alnum(3), lower(2, 4)),
    ),
    "access_token": alnum(24),
    "api_key": alnum(32),
    "card_number": digits(16),
    "ssn": digits(9).filter(lambda d: d[0] != "0"),
}


def full(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


def escaped(text: str) -> str:
    return "".join(f"\\u{ord(c):04x}" for c in text)


ENCODINGS: dict[str, Callable[[str], str]] = {
    "plain": lambda text: text,
    "percent": lambda text: quote(text, safe=""),
    "percent_all": full,
    "percent_twice": lambda text: quote(quote(text, safe=""), safe=""),
    "percent_all_twice": lambda text: quote(full(text), safe=""),
    "base64": b64,
    "base64_1": lambda text: b64("(" + text + ") y"),
    "base64_2": lambda text: b64("x " + text + "."),
    "base64_url": lambda text: base64.urlsafe_b64encode(f"id={text};".encode()).decode().rstrip("="),
    "entities": lambda text: "".join(f"&#{ord(c)};" for c in text),
}


def request(target: str = "/", headers: tuple[tuple[str, str], ...] = (), body: bytes = b"") -> Request:
    return Request("POST", target, headers, Body(body, len(body)), "https", "shop.example")


def typed(media: str, body: str) -> Request:
    return request("/items", (("content-type", media),), body.encode())


def answer(media: str, body: str) -> Response:
    return Response(400, (("content-type", media),), Body(body.encode(), len(body.encode())))


def multipart(name: str, filename: str, value: str) -> Request:
    body = f'--XX\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n\r\n{value}\r\n--XX--\r\n'
    return typed("multipart/form-data; boundary=XX", body)


def q(text: str) -> str:
    return quote(text, safe="")


j = json.dumps
# A place takes the value as the application wrote it and puts it on the wire.
REQUESTS: dict[str, Callable[[str], Request]] = {
    "path": lambda v: request(f"/users/{q(v)}/orders"),
    "path_twice": lambda v: request(f"/users/{q(q(v))}"),
    "matrix": lambda v: request(f"/users;who={q(v)}/orders"),
    "query": lambda v: request(f"/search?q={q(v)}"),
    "query_text": lambda v: request(f"/search?q=find+{q(v)}+please"),
    "query_key": lambda v: request(f"/search?{q(v)}=1"),
    "query_bare": lambda v: request(f"/search?{q(v)}"),
    "header": lambda v: request("/", (("x-note", v),)),
    "cookie": lambda v: request("/", (("cookie", f"a=1; note={q(v)}; b=2"),)),
    "referer": lambda v: request("/", (("referer", f"https://x.example/a?q={q(v)}"),)),
    "referer_path": lambda v: request("/", (("referer", f"https://x.example/a/{q(v)}/b"),)),
    "agent": lambda v: request("/", (("user-agent", f"tool/1.0 ({v})"),)),
    "json": lambda v: typed("application/json", j({"a": {"note": v}, "n": 1})),
    "json_text": lambda v: typed("application/json", j({"note": f"it is {v}, thanks"})),
    "json_escaped": lambda v: typed("application/json", '{"note": "' + escaped(v) + '"}'),
    "json_key": lambda v: typed("application/json", j({v: {"x": 1}})),
    "json_array": lambda v: typed("application/json", j([[1, v], "x"])),
    "json_in_json": lambda v: typed("application/json", j({"payload": j({"deep": j({"note": v})})})),
    "json_in_base64": lambda v: typed("application/json", j({"payload": b64(j({"note": v}))})),
    "ndjson": lambda v: typed("application/x-ndjson", j({"a": 1}) + "\n" + j({"note": v}) + "\n"),
    "form": lambda v: typed("application/x-www-form-urlencoded", f"a=1&note={q(v)}&b=2"),
    "form_key": lambda v: typed("application/x-www-form-urlencoded", f"{q(v)}=1"),
    "form_json": lambda v: typed("application/x-www-form-urlencoded", f"payload={q(j({'note': v}))}"),
    "multipart": lambda v: multipart("note", "a.txt", v),
    "multipart_file": lambda v: multipart("note", v.replace('"', ""), "x"),
    "xml": lambda v: typed("text/xml", f"<a><note>{v.replace('&', '&amp;')}</note></a>"),
    "xml_attribute": lambda v: typed("text/xml", f'<a><b note="{v.replace("&", "&amp;")}"/></a>'),
    "xml_cdata": lambda v: typed("text/xml", f"<a><![CDATA[{v}]]></a>"),
    "text": lambda v: typed("text/plain", f"hello {v} bye"),
    "utf16": lambda v: request(
        "/", (("content-type", "application/json; charset=utf-16"),), j({"n": v}).encode("utf-16")
    ),
    "no_type": lambda v: request("/", (), j({"n": v}).encode()),
    "graphql": lambda v: typed("application/json", j({"query": f'mutation {{ note(text: "{v}") {{ id }} }}'})),
}
RESPONSES: dict[str, Callable[[str], Response]] = {
    "error": lambda v: answer("text/plain", f"Error: no such user {v} in table users"),
    "html": lambda v: answer("text/html", f"<html><body>Not found: {v}</body></html>"),
    "json_error": lambda v: answer("application/json", j({"error": {"message": f"duplicate key ({v})"}})),
    "location": lambda v: Response(302, (("location", f"/next?who={q(v)}"),)),
}


def event_of(sent: Request, answered: Response | None = None) -> dict[str, object]:
    return PIPELINE._event(Transaction("t-1", 1.0, Client("192.0.2.1"), sent, answered))


def written_forms(value: str) -> list[str]:
    """How the value may stand in the event; what of base64 does not depend on its surroundings."""
    forms = [value, quote(value, safe=""), quote(quote(value, safe=""), safe=""), full(value), full(value).lower()]
    forms += [escaped(value), j(value)[1:-1], value.replace(" ", "+"), quote(full(value), safe="")]
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + value.encode()).rstrip(b"=")
        first, last = (shift * 8 + 5) // 6, len(encoded) - (1 if (shift + len(value.encode())) % 3 else 0)
        stable = encoded[first:last].decode()
        forms += [stable, stable.translate({43: "-", 47: "_"})]
    return [form for form in forms if len(form) >= 6]


def assert_absent(value: str, event: dict[str, object]) -> None:
    shown = json.dumps(event)
    plain = json.dumps(event, ensure_ascii=False)
    for form in written_forms(value):
        assert form not in shown, (form, shown)
        assert form not in plain, (form, plain)


quick = settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)


@quick
@given(st.data())
def test_no_planted_value_leaves_in_a_request(data: st.DataObject) -> None:
    value = data.draw(VALUES[data.draw(st.sampled_from(sorted(VALUES)), "class")], "value")
    encode = ENCODINGS[data.draw(st.sampled_from(sorted(ENCODINGS)), "encoding")]
    place = REQUESTS[data.draw(st.sampled_from(sorted(REQUESTS)), "place")]
    assert_absent(value, event_of(place(encode(value))))


@quick
@given(st.data())
def test_no_planted_value_leaves_in_a_response(data: st.DataObject) -> None:
    value = data.draw(VALUES[data.draw(st.sampled_from(sorted(VALUES)), "class")], "value")
    encode = ENCODINGS[data.draw(st.sampled_from(["plain", "percent", "base64", "entities"]), "encoding")]
    place = RESPONSES[data.draw(st.sampled_from(sorted(RESPONSES)), "place")]
    assert_absent(value, event_of(request(), place(encode(value))))


@quick
@given(st.data())
def test_a_value_known_by_its_name_is_found_where_it_is_echoed(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(NAMED)), "name")
    value = data.draw(NAMED[name], "value")
    body = j({"user": {"id": 7, name: value}}).encode()
    encode = ENCODINGS[
        data.draw(st.sampled_from(["plain", "percent", "percent_twice", "base64", "base64_1"]), "encoding")
    ]
    place = data.draw(st.sampled_from(sorted(REQUESTS)), "place")
    assume(
        not (value.isalpha() and place in ("json_key", "form_key", "query_key", "query_bare"))
    )  # a word that is a name may stay a name
    echoed = REQUESTS[place](encode(value))
    headers = tuple(pair for pair in echoed.headers if pair[0] != "content-type")
    sent = Request(
        "POST",
        echoed.target,
        (*headers, ("content-type", "application/json")),
        Body(body, len(body)),
        "https",
        "shop.example",
    )
    response = Response(400, echoed.headers, echoed.body)
    assert_absent(value, event_of(sent, response))


@pytest.mark.parametrize("place", sorted(REQUESTS))
@pytest.mark.parametrize("kind", sorted(VALUES))
def test_every_class_at_every_place(place: str, kind: str) -> None:
    """The grid that the property test samples, once with a fixed value, so that no cell is ever left out."""
    fixed = {
        "pan": "4111111111111111", "pan_dashed": "5500-0055-5555-5559", "pan_spaced": "6011 1111 1111 1117",
        "amex": "378282246310005", "ssn": "078-05-1120", "email": "ada.lovelace@mail.example.com",
        "iban": "DE89370400440532013000", "iban_gb": "GB82WEST12345698765432", "phone": "+1 212-555-0187",
        "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0." + "s" * 43, "aws": "AKIA" + "ABCDEFGH23456723",
        "github": "gh" + "p_" + "a1B2" * 9,
    }  # fmt: skip
    assert_absent(fixed[kind], event_of(REQUESTS[place](fixed[kind])))
