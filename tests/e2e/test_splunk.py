"""From a gateway's log to rows in Splunk: the forwarder as a process, HEC, extractions, scores."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from apisec_forwarder import keys
from tests.forwarder.test_envoy_receiver import HEADERS, frame, line
from tests.support.processes import Process, forwarder
from tests.support.splunk import Splunk

pytestmark = pytest.mark.app
SECRET = "alice.liddell@wonderland.example"
REQUESTS = 60
CONFIG = """
gateway: {{name: {gateway}, env: DEV}}
services: [{{name: {service}, team: commerce, hosts: ["*"], index: apisec}}]
receiver: {{envoy: {{log: access.json}}}}
keys: {{file: keys.json}}
spool: {{directory: spool, sync_seconds: 0.05}}
workers: {{engine: pure}}
hec: {{url: "{url}", token_file: hec.token, index: apisec, batch_seconds: 0{ca}}}
health: {{interval_seconds: 1}}
"""


def request(number: int) -> bytes:
    """One call of a user who signs in with an address, which must not reach Splunk."""
    path = f"/orders/{number % 7}?mail={SECRET}" if number else f"/search?q=%27%20OR%201=1--&mail={SECRET}"
    body = f'{{"email": "{SECRET}", "n": {number}}}'.encode()
    headers = {**HEADERS, ":path": path, "content-type": "application/json", "authorization": "Basic YWxpY2U6cHc="}
    began = f"{time.time() - 30 + number / 10:.6f}"
    return line(id=f"t{number}", start=began, path=path, body_in=len(body), q=frame(headers, body))


@pytest.fixture
def shipped(splunk: Splunk, tmp_path: Path) -> Iterator[Splunk]:
    """A Splunk that a forwarder has shipped ``REQUESTS`` requests to."""
    ca = f', ca_file: "{splunk.target.ca}"' if splunk.target.ca else ""
    names = {"gateway": splunk.own("edge"), "service": splunk.service, "url": splunk.target.hec_url}
    (tmp_path / "f.yaml").write_text(CONFIG.format(**names, ca=ca))
    (tmp_path / "hec.token").write_text(splunk.target.hec_token)
    (tmp_path / "hec.token").chmod(0o600)
    keys.write(tmp_path / "keys.json", keys.generate())
    (tmp_path / "access.json").write_bytes(b"".join(request(number) + b"\n" for number in range(REQUESTS)))
    with Process(forwarder("run", "--config", str(tmp_path / "f.yaml")), tmp_path / "forwarder.log") as process:
        splunk.wait(lambda: splunk.count() >= REQUESTS or not process.running(), "the forwarder's events")
        assert process.running(), (tmp_path / "forwarder.log").read_text()
        splunk.wait(lambda: rows(splunk, 'sourcetype="apisec:health" | head 1'), "a health event")
        yield splunk


def rows(splunk: Splunk, spl: str) -> list[dict[str, Any]]:
    return splunk.search(f'index=apisec gateway="{splunk.own("edge")}" {spl}', "-1h", "+1h")


def test_every_request_arrives_once_redacted_and_is_scored(shipped: Splunk) -> None:
    transactions = 'sourcetype="apisec:transaction"'
    [counted] = rows(shipped, f"{transactions} | stats count dc(id) AS ids")
    assert (counted["count"], counted["ids"]) == (str(REQUESTS), str(REQUESTS))

    assert rows(shipped, f'"{SECRET}" | head 1') == [], "a raw address reached Splunk"
    raw = rows(shipped, f"{transactions} | table _raw")
    assert len(raw) == REQUESTS
    assert not [row for row in raw if SECRET in row["_raw"]]

    by_operation = rows(shipped, f"{transactions} | stats count BY operation")
    assert sum(int(row["count"]) for row in by_operation) == REQUESTS, "a field is there twice, or not at all"

    scored = rows(shipped, f"{transactions} | sort 0 _time | apisecscore | table id, apisec_score, apisec_reasons, url")
    assert len(scored) == REQUESTS
    [injection] = [row for row in scored if "/search" in row["url"]]
    assert float(injection["apisec_score"]) == max(float(row["apisec_score"]) for row in scored)
    assert injection["apisec_reasons"] == "the request carries signs of sqli"
