"""How evidence stands in its value: what breaks out keeps its score, what a value is in its own right does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from apisec.abuse.payload import WEAK
from apisec.attacks.signals import Signal, scan, strongest
from apisec.attacks.standing import HELD, STRONG, WHOLE, weighed

CASES = yaml.safe_load((Path(__file__).parents[2] / "cases" / "standing.yml").read_text(encoding="utf-8"))


def test_what_is_held_back_is_what_families_count_as_weak() -> None:
    assert HELD < WEAK == STRONG


@pytest.mark.parametrize("case", CASES["held"], ids=lambda case: case["text"][:40])
def test_a_whole_of_its_own_is_weak(case: dict[str, Any]) -> None:
    found = dict(scan(case["text"]))
    assert case["signal"] in found
    assert max(found.values()) < WEAK


@pytest.mark.parametrize("case", CASES["strong"], ids=lambda case: case["text"][:40])
def test_what_breaks_out_is_strong(case: dict[str, Any]) -> None:
    assert dict(scan(case["text"])).get(case["signal"], 0.0) >= WEAK


@pytest.mark.parametrize("text", CASES["none"])
def test_what_only_looks_like_something_has_no_signal(text: str) -> None:
    assert scan(text) == []


def test_every_detector_that_is_held_back_has_a_case_of_either_kind() -> None:
    for kind in ("held", "strong"):
        assert {case["signal"] for case in CASES[kind]} >= WHOLE - {"injection.node"}


def test_weak_scores_and_other_detectors_are_left_alone() -> None:
    scores = {"injection.xss": 0.6, "injection.jndi": 0.97, "injection.command": 0.85}
    assert weighed("ls -la; df -h", "ls -la; df -h", scores) == {**scores, "injection.command": HELD}


def test_where_a_browser_is_sent_is_no_address_that_a_server_asks() -> None:
    followed, asked, metadata = strongest(
        [
            Signal("injection.ssrf", "query.redirect_uri", 0.75),
            Signal("injection.ssrf", "body.callback", 0.75),
            Signal("injection.ssrf", "query.post_logout_redirect_uri", 0.99),
        ],
        9,
    )[::-1]
    assert (followed.score, asked.score, metadata.score) == (HELD, 0.75, 0.99)
