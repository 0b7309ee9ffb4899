"""The simulator's events are those that the forwarder ships: a sample goes through it, as a process."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest

from apisec_sandbox.campaigns.attacks import FAMILIES

FORWARDER = Path(sys.executable).with_name("apisec-forwarder")
EACH = 1  # samples of one shape


def shape(event: dict[str, Any]) -> tuple[Any, ...]:
    """Return what makes an event another kind of event."""
    listed = [
        tuple(sorted((f["path"], f["type"]) for f in event.get(name, ())))
        for name in ("request_fields", "response_fields")
    ]
    signals = tuple((each["detector"], each["where"]) for each in event.get("signals", ()))
    return (
        event["service"],
        event["operation"],
        event.get("body_operation"),
        event["status"],
        event["auth"],
        *listed,
        signals,
    )


@pytest.mark.parametrize("split", ["dev", "heldout", "varied"])
def test_the_forwarder_makes_the_same_events(tmp_path: Path, split: str) -> None:
    arguments = ["--split", split, "--weeks", "0.015", "--scale", "0.06", "--attacks", "600", "--format", "both"]
    arguments += ["--families", ",".join(each for each in FAMILIES if each != "flooding"), "--seed", "3"]
    making = [sys.executable, "-m", "apisec_sandbox", "campaigns", "--output", str(tmp_path), *arguments]
    subprocess.run(making, check=True, capture_output=True, timeout=300)
    counted: Counter[tuple[Any, ...]] = Counter()
    made: dict[str, dict[str, Any]] = {}
    with (
        (tmp_path / "events.jsonl").open() as events,
        (tmp_path / "transactions.jsonl").open() as sent,
        (tmp_path / "sample.jsonl").open("w") as sample,
    ):
        for line, transaction in zip(events, sent, strict=True):
            event = orjson.loads(line)
            counted[shape(event)] += 1
            if counted[shape(event)] <= EACH:
                made[event["id"]] = event
                sample.write(transaction)
    assert len(made) > 250
    assert {event["auth"] for event in made.values()} >= {"bearer", "none"}
    assert {bool(event.get("signals")) for event in made.values()} == {True, False}
    (tmp_path / "spool").mkdir(mode=0o700)
    options = [
        "--input",
        "sample.jsonl",
        "--output",
        "shipped.jsonl",
        "--config",
        "forwarder.yaml",
        "--keys",
        "keys.json",
    ]
    subprocess.run([FORWARDER, "replay", *options], check=True, capture_output=True, timeout=300, cwd=tmp_path)
    shipped = [orjson.loads(line) for line in (tmp_path / "shipped.jsonl").read_text("utf-8").splitlines()]
    assert len(shipped) == len(made)
    for event in shipped:
        compare(event, made[event["id"]])


def compare(shipped: dict[str, Any], made: dict[str, Any]) -> None:
    """Compare member by member; of signals the telling ones, for detectors learn while this generator stands still."""
    said, found = (each.pop("signals", []) for each in (made, shipped))
    assert bool(said) == bool(found), (shipped["operation"], said, found)
    seen = {(each["family"], each["where"]): each["score"] for each in found}
    for signal in said[:1]:
        assert seen.get((signal["family"], signal["where"]), 0.0) >= 0.5, (said, found)
    assert shipped.keys() == made.keys()
    for name, value in made.items():
        assert shipped[name] == value, (name, shipped["operation"])
