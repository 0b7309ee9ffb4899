"""From what a client sends to what a row counts: who logs in, who asks about accounts, and how that was answered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from apisec.activity import Activity, OperationActivity
from apisec.activity.attempts import CLOSED, MUTE, NAMED, OPENED, PRESUMED, TRIED
from apisec.model.transaction import Body, Client, Request, Response, Transaction
from apisec.redaction.keys import KeyRing, Tokenizer
from apisec_forwarder import keys
from apisec_forwarder.pipeline import Pipeline, PipelineSettings, Service

CASES = yaml.safe_load((Path(__file__).parents[1] / "cases/activity/logins.yml").read_text("utf-8"))
SHOP = Service("shop", "commerce", ("shop.example",), ("/",), "apisec_shop", ())
PIPELINE = Pipeline(PipelineSettings("edge", "DEV", (SHOP,), index="apisec"), Tokenizer(KeyRing.parse(keys.generate())))
MANNERS = {"tried": TRIED, "named": NAMED, "presumed": PRESUMED}
OUTCOMES = {"opened": OPENED, "closed": CLOSED, "mute": MUTE}


def used(case: dict[str, Any], account: str, secret: str) -> OperationActivity:
    def filled(text: str) -> str:
        return text.replace("{account}", account).replace("{secret}", secret)

    kind = case.get("type", "application/json")
    body, answer = filled(case.get("body", "")).encode(), case.get("answer", "").encode()
    asked = Request(
        case.get("method", "POST"), filled(case["path"]), (("content-type", kind),), Body(body, len(body)),
        "https", "shop.example",
    )  # fmt: skip
    shown = "text/html" if answer[:1] == b"<" else "application/json"
    headers = (("content-type", shown), *case.get("headers", {}).items())
    response = Response(case["status"], headers, Body(answer, len(answer)))
    activity = Activity()
    activity.add(PIPELINE.process(Transaction("id", 1767225600.0, Client("192.0.2.1"), asked, response)))
    (row,) = activity.rows()
    (found,) = row.operations.values()
    return found


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_whoever_names_an_account_is_counted_by_account_and_answer(case: dict[str, Any]) -> None:
    one, other = case.get("accounts", ["ada77", "mueller"])
    secret, another = case.get("secrets", ["hunter2!", "Sommer2024"])
    first, again, different = used(case, one, secret), used(case, one, another), used(case, other, secret)
    assert set(first.attempts) == {MANNERS[case["manner"]]}
    (attempts,) = first.attempts.values()
    if case["outcome"] == "none":
        assert (attempts.requests, attempts.unanswered) == (1, 1)
        return
    outcome = OUTCOMES[case["outcome"]]
    assert [attempts.counts[place] for place in (OPENED, CLOSED, MUTE)].index(1) == outcome
    (account,) = attempts.accounts[outcome].values
    assert next(iter(again.attempts.values())).accounts[outcome].values == {account}, "the secret is no account"
    assert not next(iter(different.attempts.values())).accounts[outcome].values & {account}


def test_every_manner_and_outcome_has_a_case() -> None:
    assert {case["manner"] for case in CASES} == set(MANNERS)
    assert {case["outcome"] for case in CASES} == {*OUTCOMES, "none"}
