"""Hostile transactions: what they may cost is counted, both engines leave out the same, and the event says so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from apisec.attacks import signals
from apisec.attacks.readings import MAX_VALUE
from apisec.redaction.keys import Tokenizer
from apisec_forwarder.pipeline import Pipeline, PipelineSettings, Service
from apisec_forwarder.pipeline.evidence import asked
from apisec_forwarder.pipeline.evidence import signals as signals_of
from fuzz.hostile import transactions
from tests.forwarder.test_leaks import KEYS
from tests.forwarder.test_native import CACHE

SETTINGS = PipelineSettings("edge", "DEV", (Service("shop", "commerce", ("shop.example",)),))
HOSTILE = dict(transactions())


@pytest.fixture(scope="module")
def pure() -> dict[str, Any]:
    one = Pipeline(SETTINGS, Tokenizer(KEYS))
    return {name: orjson.loads(orjson.dumps(one.process(made))) for name, made in HOSTILE.items()}


@pytest.mark.parametrize("name", HOSTILE)
def test_both_engines_leave_out_the_same(name: str, pure: dict[str, Any]) -> None:
    native = pytest.importorskip("apisec_forwarder.pipeline.native", exc_type=ImportError)
    engine = native.NativePipeline(SETTINGS, Tokenizer(KEYS), cache=CACHE)
    assert engine.process(HOSTILE[name]) == pure[name]


@pytest.mark.parametrize(
    "name", ["quotes", "injections", "mixed", "percent", "suspicious names", "form", "query", "cookies"]
)
def test_an_event_says_what_was_not_asked_for_attacks(name: str, pure: dict[str, Any]) -> None:
    event = pure[name]
    assert event["coverage"] == "truncated"
    assert any("not asked for attacks" in reason for reason in event["coverage_reasons"])
    assert event.get("signals") or name in ("quotes", "percent", "suspicious names", "query")


def test_a_full_body_does_not_hide_what_stands_in_the_head(pure: dict[str, Any]) -> None:
    assert any(found["where"] == "header.x-note" for found in pure["head before body"]["signals"])


def test_looking_for_attacks_is_bounded_by_counts() -> None:
    for made in HOSTILE.values():
        watch = signals.Watch()
        signals_of((), made.request, made.request.body.data.decode(), made.request.target, watch)
        done = [value for _, value in asked(made.request.headers)]
        dearest = max([signals.cost(value) for value in (*done, made.request.body.data.decode(), made.request.target)])
        assert watch.skipped or watch.spent <= signals.MAX_WORK
        assert dearest <= signals.cost("x" * MAX_VALUE)


def test_what_is_left_out_depends_on_the_transaction_alone() -> None:
    made = HOSTILE["injections"]
    first, second = (Pipeline(SETTINGS, Tokenizer(KEYS)).process(made) for _ in range(2))
    assert first == second
    strict = Pipeline(replace(SETTINGS, mode="strict"), Tokenizer(KEYS)).process(made)
    assert strict["coverage"] == "truncated"


def test_ordinary_requests_do_not_meet_the_bound() -> None:
    watch = signals.Watch()
    for number in range(60):
        watch.scan(f"It's item {number}; see <https://shop.example/items/{number}?a=1&b=2>")
    assert watch.skipped == 0
