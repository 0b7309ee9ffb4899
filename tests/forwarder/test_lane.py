"""The lane makes itself anew exactly when a key or an override comes into force or ends, and not otherwise."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from apisec.model.transaction import Body, Client, Request, Response, Transaction
from apisec_forwarder import config as configuration
from apisec_forwarder.config import Signals
from apisec_forwarder.lane import Lane
from tests.support.processes import forwarder

TEXT = """\
gateway: {name: edge-1, env: PROD}
services: [{name: shop, team: commerce, hosts: ['*']}]
receiver: {envoy: {log: access.json}}
keys: {file: keys.json}
spool: {directory: spool}
hec: {url: "https://splunk.example:8088", token_file: token}
redaction: {overrides: overrides.yaml}
workers: {engine: pure}
"""
OVERRIDES = """\
version: 1
overrides:
  - {service: shop, path: shelf, class: pii.name, author: ada@example.org, reason: "shelves are called after people"}
  - {service: shop, path: ref, class: pii.name, author: ada@example.org, reason: "until then", expires: 2027-01-03}
"""
NOON = datetime(2027, 1, 2, 12, tzinfo=UTC).timestamp()
MIDNIGHT = datetime(2027, 1, 3, tzinfo=UTC).timestamp()
BODY = b'{"ref": "x17", "shelf": "y18"}'
TRANSACTION = Transaction(
    "1",
    NOON,
    Client("192.0.2.1"),
    Request("POST", "/a", (("content-type", "application/json"),), Body(BODY, len(BODY))),
)


@pytest.fixture
def lane(tmp_path: Path) -> Lane:
    subprocess.run(forwarder("keys", "generate", "--output", str(tmp_path / "keys.json")), check=True)
    (tmp_path / "overrides.yaml").write_text(OVERRIDES)
    config, errors = configuration.parse(TEXT, tmp_path / "forwarder.yaml")
    assert config is not None, errors
    (tmp_path / "spool").mkdir(mode=0o700)
    return Lane(config, NOON)


def shown(lane: Lane) -> dict[str, str]:
    body: dict[str, str] = json.loads(
        json.loads(lane.make(TRANSACTION, want_event=False).record)["event"]["request_body"]
    )
    return body


def test_an_override_ends_at_the_second_it_says(lane: Lane, tmp_path: Path) -> None:
    (tmp_path / "overrides.yaml").write_text("not read again")
    assert all(value.startswith("~pii.name~") for value in shown(lane).values())
    engine = lane._engine
    lane.refresh(MIDNIGHT - 0.001)
    assert lane._engine is engine
    lane.refresh(MIDNIGHT)
    after = shown(lane)
    assert after["ref"] == "x17"
    assert after["shelf"].startswith("~pii.name~")
    assert lane.counts() == {"pure": 2}


def test_without_an_end_days_pass_and_nothing_is_made_anew(lane: Lane) -> None:
    lane.refresh(MIDNIGHT)
    engine = lane._engine
    lane.refresh(MIDNIGHT + 400 * 86400)
    assert lane._engine is engine


def test_what_cannot_be_made_anew_leaves_all_as_it_was_and_is_tried_again(lane: Lane, tmp_path: Path) -> None:
    keys = (tmp_path / "keys.json").read_bytes()
    (tmp_path / "keys.json").unlink()
    lane.refresh(MIDNIGHT)
    assert shown(lane)["ref"].startswith("~pii.name~")
    (tmp_path / "keys.json").write_bytes(keys)
    (tmp_path / "keys.json").chmod(0o600)
    lane.refresh(MIDNIGHT + 59)
    assert shown(lane)["ref"].startswith("~pii.name~")
    lane.refresh(MIDNIGHT + 60)
    assert shown(lane)["ref"] == "x17"


@pytest.mark.parametrize("learns", [True, False])
def test_parameters_are_learned_unless_the_configuration_says_no(lane: Lane, tmp_path: Path, learns: bool) -> None:
    signals = Signals(learn_parameters=learns)
    lane = Lane(dataclasses.replace(lane._config, signals=signals), NOON)
    for number in range(64):
        client = Client(f"192.0.2.{number}")
        lane.make(dataclasses.replace(TRANSACTION, client=client, response=Response(200)), want_event=False)
    lane.close()
    assert bool(list((tmp_path / "spool").glob("parameters-*"))) is learns
