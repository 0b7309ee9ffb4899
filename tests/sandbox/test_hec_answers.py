"""HEC: each case of tests/cases/hec/answers.yml over the wire."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from apisec_sandbox.splunkd.server import Options, running

from .conftest import TOKEN
from .hec_client import CHANNEL, Splunk, events, send

CASES: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parents[1] / "cases" / "hec" / "answers.yml").read_text("utf-8")
)
TOKENS = {
    "gw": TOKEN,
    "plain": "22222222-0000-0000-0000-000000000000",
    "query": "33333333-0000-0000-0000-000000000000",
    "disabled": "44444444-0000-0000-0000-000000000000",
    "limited": "55555555-0000-0000-0000-000000000000",
}


@pytest.fixture(scope="module")
def hec(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Splunk]:
    with running(tmp_path_factory.mktemp("hec"), Options(with_tls=False, schedule=False)) as (splunkd, addresses):
        splunkd.confs.write("indexes", "limited", {"disabled": "0"}, "system")
        for name, value in TOKENS.items():
            splunkd.ensure_token(name, value, ("limited",) if name == "limited" else (), use_ack=name == "gw")
        splunkd.confs.write("inputs", "http://disabled", {"disabled": "1"}, "system")
        splunkd.confs.write("inputs", "http://query", {"allowQueryStringAuth": "true"}, "system")
        yield splunkd, addresses


def test_the_cases_cover_the_codes() -> None:
    """Overload, shutdown and errors of the disk need a state of the server: test_hec.py."""
    asked = {case["answer"].get("code") for case in CASES}
    assert set(range(23)) - {8, 9, 18, 19, 20} <= asked
    assert len(CASES) > 60


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_answer(hec: Splunk, case: dict[str, Any]) -> None:
    splunkd, addresses = hec
    index = "limited" if case.get("token") == "limited" else "main"
    before = len(events(splunkd, index))
    headers: dict[str, str | None] = {"X-Splunk-Request-Channel": case.get("channel", CHANNEL)}
    if "token" in case:
        headers["Authorization"] = f"Splunk {TOKENS[case['token']]}"
    headers |= case.get("headers", {})
    reply = send(
        addresses, case["body"], case.get("path", "event"), case.get("method", "POST"), case.get("query", ""), **headers
    )
    body = reply.json()
    acknowledged = body.pop("ackId", None)
    assert (reply.status_code, body) == (case.get("status", 200), case["answer"])
    indexed = [event.raw for event in events(splunkd, index)[before:]]
    assert indexed == case.get("indexed", [])
    # An id is given for whatever was taken, in a reply of failure too, and only where acknowledgement is on.
    assert (acknowledged is not None) == (bool(indexed) and case.get("token", "gw") == "gw")
    assert reply.headers["Content-Type"] == "application/json; charset=UTF-8"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert b" " not in reply.content.replace(body.get("text", "").encode(), b"")
