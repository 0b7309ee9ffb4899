"""What responses give away, and what the heads of requests tell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from apisec.attacks import protocol
from apisec.attacks.answers import ANSWERS, TELLING, scan

CASES = yaml.safe_load((Path(__file__).parents[2] / "cases" / "answers" / "answers.yml").read_text(encoding="utf-8"))


def show(case: Any) -> str:
    return str(case["text"][:40])


@pytest.mark.parametrize("case", CASES["positive"], ids=show)
def test_a_response_tells(case: dict[str, Any]) -> None:
    assert case["signal"] in dict(scan(case["text"]))
    assert TELLING.search(case["text"])


@pytest.mark.parametrize("case", CASES["negative"], ids=show)
def test_an_ordinary_response_tells_nothing(case: dict[str, Any]) -> None:
    assert scan(case["text"]) == []


def test_every_row_is_reached() -> None:
    texts = [case["text"].lower() for case in CASES["positive"]]
    silent = [row.shape.pattern for one in ANSWERS for row in one.evidence if not any(map(row.shape.search, texts))]
    assert silent == []


HEADS: list[tuple[tuple[tuple[str, str], ...], set[str]]] = [
    ((("Host", "a.example"), ("Content-Type", "application/json"), ("Accept", "*/*")), set()),
    ((("Content-Length", "3"), ("Transfer-Encoding", "chunked")), {"protocol.smuggling"}),
    ((("Content-Length", "3"), ("Content-Length", "4")), {"protocol.smuggling"}),
    ((("Content-Length", "3"), ("Content-Length", "3")), set()),
    ((("Transfer-Encoding", "chunked"),), set()),
    ((("Bad Name", "x"),), {"protocol.smuggling"}),
    ((("X-Original-URL", "/admin"),), {"protocol.override"}),
    ((("X-HTTP-Method-Override", "DELETE"),), {"protocol.override"}),
    ((("X-HTTP-Method-Override", "GET"),), set()),
    ((("Proxy", "http://x"),), {"protocol.override"}),
    ((("Host", "a.example@evil.example"),), {"protocol.host"}),
    ((("Host", "[::1]:8080"),), set()),
    ((("Content-Type", 'multipart/form-data; boundary="application/json"'),), {"protocol.content_type"}),
    ((("Content-Type", "multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW"),), set()),
    ((("Content-Type", "application/json; charset=utf-8"),), set()),
]


@pytest.mark.parametrize(("headers", "expected"), HEADS)
def test_heads(headers: tuple[tuple[str, str], ...], expected: set[str]) -> None:
    host = next((value for name, value in headers if name == "Host"), "")
    found = {detector for detector, _, _ in protocol.of_heads(headers, host)}
    assert found == expected
    names = [name.lower() for name, _ in headers]
    values = any(protocol.odd_host(v) or protocol.odd_type(v) for n, v in headers if n in ("Host", "Content-Type"))
    assert not found or protocol.unusual(names) or values  # what the native engine asks first
