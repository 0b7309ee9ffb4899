"""Both engines say the same about attacks, wherever they stand, and nothing passes the native one's gates unseen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from apisec.attacks.answers import scan as told
from apisec.attacks.marks import SUSPECT, suspicious
from apisec.attacks.signals import scan
from apisec.model.transaction import Body, Request, Response
from tests.forwarder.test_native import CACHE, JSON, agree, sent

gate = pytest.importorskip("apisec_forwarder.pipeline.native.gate", exc_type=ImportError)

CASES = Path(__file__).parents[1] / "cases"
HOST = "shop.example"


def texts(folder: str) -> list[str]:
    found = []
    for path in sorted((CASES / folder).glob("*.yml")):
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        found += ["".join(case["text"]) for case in [*document["positive"], *document["negative"]]]
    return found


ATTACKS = texts("attacks")
ANSWERS = texts("answers")


def missed(text: str) -> bool:
    """Return whether the core would ask a value that the gate lets through."""
    return gate.SEPARATOR not in text and suspicious(text) and not gate.signal_gate(CACHE).places([text])


def test_the_gate_misses_no_case() -> None:
    assert [text for text in ATTACKS if missed(text)] == []
    assert [text for text in ANSWERS if told(text) and not gate.answer_gate(CACHE).places([text])] == []


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(st.text(max_size=40), st.from_regex(SUSPECT), st.text(alphabet="'\"<>/?.=uniona 1Pr0oABHCD", max_size=30))
)
def test_the_gate_misses_no_text(text: str) -> None:
    assert suspicious(text) == (len(text) > 1 and SUSPECT.search(text) is not None)
    assert not missed(text)
    assert not scan(text) or suspicious(text)


def body(value: Any) -> Body:
    data = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
    return Body(data, len(data))


@pytest.mark.parametrize("start", range(0, len(ATTACKS), 25))
def test_engines_agree_about_attacks(start: int) -> None:
    some = ATTACKS[start : start + 25]
    for text in some[::5]:
        agree(sent(Request("GET", f"/a?q={quote(text)}", (), Body(), "https", HOST)))
        agree(sent(Request("GET", "/a", (("x-note", text), ("cookie", f"a={text}; {text}=1")), Body(), "https", HOST)))
    event = agree(
        sent(Request("POST", "/a", (JSON,), body({f"n{i}": text for i, text in enumerate(some)}), "https", HOST))
    )
    expected = {(name, f"body.n{i}") for i, text in enumerate(some) for name, _ in scan(text)}
    found = {(signal["detector"], signal["where"]) for signal in event.get("signals", [])}
    assert found <= expected
    assert len(expected) > 50 or found == expected


@pytest.mark.parametrize("text", ANSWERS)
def test_engines_agree_about_answers(text: str) -> None:
    request = Request("GET", "/a", (), Body(), "https", HOST)
    event = agree(sent(request, Response(500, (JSON,), body({"id": 7, "error": {"message": text}}))))
    found = {(signal["detector"], signal["where"], signal["family"]) for signal in event.get("signals", [])}
    assert found == {(name, "response.error.message", "answer") for name, _ in told(text)}
    plain = text.encode()
    agree(sent(request, Response(500, (("content-type", "text/plain"),), Body(plain, len(plain)))))


HEADS = [
    (("content-length", "2"), ("transfer-encoding", "chunked")),
    (("x-original-url", "/admin"),),
    (("x-http-method-override", "DELETE"),),
    (("content-type", 'application/x-www-form-urlencoded; boundary="text/html"'),),
    (("bad name", "x"),),
]


@pytest.mark.parametrize("headers", HEADS)
def test_engines_agree_about_heads(headers: tuple[tuple[str, str], ...]) -> None:
    event = agree(sent(Request("GET", "/a", headers, Body(), "https", HOST)))
    assert {signal["family"] for signal in event["signals"]} == {"protocol"}


@pytest.mark.parametrize(
    ("headers", "said"),
    [((), True), ((("referer", "https://evil.example/x"),), True), ((("referer", f"https://{HOST}/x"),), False)],
)
def test_a_session_in_a_link_from_elsewhere_is_said(headers: tuple[tuple[str, str], ...], said: bool) -> None:
    event = agree(sent(Request("GET", "/a?JSESSIONID=0123abcd&page=2", headers, Body(), "https", HOST)))
    found = [signal["detector"] for signal in event.get("signals", ())]
    assert found == (["protocol.session"] if said else [])


def test_engines_agree_about_a_host_that_is_none() -> None:
    event = agree(sent(Request("GET", "/a", (), Body(), "https", "a@b")))
    assert event["signals"][0]["where"] == "header.host"


def test_engines_agree_about_what_stands_around_values() -> None:
    batch = body([{"query": f'mutation {{ login(code: "{n}") {{ token }} }}'} for n in range(30)])
    event = agree(sent(Request("POST", "/graphql", (JSON,), batch, "https", HOST)))
    assert [(one["detector"], one["where"]) for one in event["signals"]] == [("injection.graphql", "body.[].query")]
    data = b'<?xml version="1.0"?><!DOCTYPE a SYSTEM "http://b.example/c.dtd"><a>1</a>'
    xml = (("content-type", "application/xml"),)
    event = agree(sent(Request("POST", "/import", xml, Body(data, len(data)), "https", HOST)))
    assert [(one["detector"], one["where"]) for one in event["signals"]] == [("injection.xxe", "body")]


def test_a_signal_says_its_family() -> None:
    event = agree(sent(Request("GET", "/a?q=' or 1=1--", (), Body(), "https", HOST)))
    assert event["signals"] == [{"detector": "injection.sqli", "family": "sqli", "where": "query.q", "score": 0.99}]


PAGE = ("content-type", "text/html; charset=utf-8")
ECHOES = {
    "a page that repeats markup": (
        "<script>alert(1)</script>",
        "<p>You asked for <script>alert(1)</script></p>",
        PAGE,
        "answer.reflection",
    ),
    "a page that escapes it": ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>", PAGE, ""),
    "a document that repeats it": ("<script>alert(1)</script>", '{"q": "<script>alert(1)</script>"}', JSON, ""),
    "a template that is computed": ("{{1337*7331}}", "<p>Hello 9801547</p>", PAGE, "answer.evaluated"),
    "a template that is repeated": ("{{1337*7331}}", "<p>{{1337*7331}} 9801547</p>", JSON, ""),
    "an answer without it": ("{{1337*7331}}", "<p>Hello 98015470</p>", PAGE, ""),
}


@pytest.mark.parametrize("name", sorted(ECHOES))
def test_engines_agree_about_what_an_answer_does_with_a_payload(name: str) -> None:
    payload, answer, kind, said = ECHOES[name]
    data = answer.encode()
    request = Request("GET", f"/a?q={quote(payload)}", (), Body(), "https", HOST)
    event = agree(sent(request, Response(200, (kind,), Body(data, len(data)))))
    found = {signal["detector"] for signal in event["signals"] if signal["where"] == "response"}
    assert found == ({said} if said else set())


@pytest.mark.parametrize("target", ["/a?doc_root=https://x.example/a", "/a?_CONF[path]=ftp://x.example/a"])
def test_engines_agree_about_what_includes_files_from_elsewhere(target: str) -> None:
    event = agree(sent(Request("GET", target, (), Body(), "https", HOST)))
    assert "injection.inclusion" in {signal["detector"] for signal in event["signals"]}


@pytest.mark.parametrize("name", ["__proto__[a]", "constructor.prototype.a", "x[constructor][prototype][b]"])
def test_engines_agree_about_names_that_reach_the_prototype(name: str) -> None:
    target = f"/api/items?{quote(name, safe='')}=1"
    nested: Any = 1
    for part in reversed(name.replace("]", "").replace("[", ".").split(".")):
        nested = {part: nested}
    for event in (
        agree(sent(Request("GET", target, (), Body(), "https", HOST))),
        agree(sent(Request("POST", "/api/items", (JSON,), body([nested]), "https", HOST))),
    ):
        assert ("injection.prototype", 0.9) in [(one["detector"], one["score"]) for one in event["signals"]]


def test_engines_agree_about_names_that_hide_something() -> None:
    for target in ("/a?Zm9yY2xvc3VyZQ=1", "/a?rO0ABQ=1"):
        assert agree(sent(Request("GET", target, (), Body(), "https", HOST)))["signals"]
    event = agree(
        sent(Request("POST", "/a", (JSON, ("cookie", "KztAAU=1")), body({"rO0ABQ": 1, "b": "c"}), "https", HOST))
    )
    assert {signal["where"].partition(".")[0] for signal in event["signals"]} == {"cookie"}
    event = agree(sent(Request("POST", "/a", (JSON,), body({"rO0ABQ": "1"}), "https", HOST)))
    assert {signal["where"].partition(".")[0] for signal in event["signals"]} == {"body"}


def test_engines_agree_about_files_that_a_server_may_run() -> None:
    for name in ("x-filename", "X_Filename"):
        event = agree(sent(Request("POST", "/up", ((name, "a.php"),), Body(), "https", HOST)))
        assert [s["detector"] for s in event["signals"]] == ["protocol.upload"]
        assert not agree(sent(Request("POST", "/up", ((name, "a.png"),), Body(), "https", HOST))).get("signals")
    data = b'--x\r\nContent-Disposition: form-data; name="f"; filename="shell.phtml"\r\n\r\nhello\r\n--x--\r\n'
    kind = ("content-type", "multipart/form-data; boundary=x")
    event = agree(sent(Request("POST", "/up", (kind,), Body(data, len(data)), "https", HOST)))
    assert "protocol.upload" in {s["detector"] for s in event["signals"]}
