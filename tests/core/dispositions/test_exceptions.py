"""Exceptions hide what they name, for as long as they say, and nothing else."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any, Dict, List

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from apisec.dispositions import verdicts
from apisec.dispositions.exceptions import FAMILIES, MEMBERS, Exemptions, key_of, parse, read, within
from apisec.errors import DocumentError

CASES = yaml.safe_load((Path(__file__).parents[2] / "cases" / "dispositions.yml").read_text("utf-8"))
TODAY = datetime.date(2026, 11, 21)
BASE: Dict[str, Any] = {
    "service": "shop", "family": "scraping", "reason": "price comparison by contract", "author": "ada",
    "expires": "2027-01-31",
}  # fmt: skip


@pytest.mark.parametrize("case", CASES["matches"], ids=lambda case: case["what"])
def test_an_exception_hides_what_it_names(case: Dict[str, Any]) -> None:
    entry = {**BASE, "family": None, **case["exception"]}
    exceptions = Exemptions([parse(entry)])

    found = exceptions.of_anomaly({"service": "shop", **case["anomaly"]})

    assert (found is not None) == case["hidden"]


@pytest.mark.parametrize("case", CASES["refused"], ids=lambda case: case["says"])
def test_what_is_wrong_is_named(case: Dict[str, Any]) -> None:
    entry = {name: value for name, value in {**BASE, **case["exception"]}.items() if value != "absent"}
    with pytest.raises(DocumentError) as caught:
        within(parse(entry), TODAY)
    assert case["says"] in str(caught.value)


def test_an_exception_ends_on_its_day() -> None:
    exceptions = Exemptions([parse(BASE)])
    last = datetime.date(2027, 1, 30)
    assert len(exceptions.on(last)) == 1
    assert len(exceptions.on(last + datetime.timedelta(days=1))) == 0


def test_damaged_rows_hide_nothing_and_are_told() -> None:
    good = {"_key": "a", "version": 1, **BASE}
    rows: List[Dict[str, Any]] = [good, {"_key": "b", "version": 9, **BASE}, {"_key": "c", "version": 1, "service": 7}]
    found, problems = read(rows)
    assert [one.family for one in found.entries] == ["scraping"]
    assert [line.split(":")[0].split()[1].partition(".")[0] for line in problems] == ["b", "c"]


def test_a_second_word_about_the_same_thing_has_the_same_key() -> None:
    other = {**BASE, "reason": "another reason for it", "author": "bob", "expires": "2026-12-01"}
    assert key_of(BASE) == key_of(other) == parse(other).key
    assert key_of(BASE) != key_of({**BASE, "family": "flooding"})


@given(
    st.fixed_dictionaries(
        {}, optional={name: st.one_of(st.none(), st.text(max_size=30), st.integers()) for name in (*MEMBERS, "more")}
    )
)
def test_any_document_is_taken_or_refused_in_words(entry: Dict[str, Any]) -> None:
    try:
        one = parse(entry)
    except DocumentError:
        return
    assert parse(one.to_document()) == one


CAMPAIGN = {
    "_key": "c-1", "service": "shop", "families": ["scraping"], "operations": ["GET /items/{id}"],
    "members": {"~principal~1~": 7, "~principal~2~": 8}, "member_count": 2, "first": 10.0, "last": 20.0,
}  # fmt: skip


@pytest.mark.parametrize("case", CASES["dispositions"], ids=lambda case: case["what"])
def test_a_benign_disposition_makes_exceptions(case: Dict[str, Any]) -> None:
    said = verdicts.disposition({**CAMPAIGN, **case.get("campaign", {})}, "benign", "a crawler of ours", "ada", 5.0)
    if "says" in case:
        with pytest.raises(DocumentError) as caught:
            verdicts.exemptions(said, case["scope"], None, TODAY)
        assert case["says"] in str(caught.value)
        return
    made = verdicts.exemptions(said, case["scope"], None, TODAY)
    assert [
        {k: v for k, v in one.to_document().items() if k in ("principal", "operation", "family")} for one in made
    ] == case["makes"]
    assert {one.expires for one in made} == {TODAY + datetime.timedelta(days=90)}
    assert all(parse(one.to_document()) == one for one in made)


def test_a_label_says_who_did_what_when() -> None:
    said = verdicts.disposition(CAMPAIGN, "true_positive", "the ids were sold on", "ada", 5.0)
    assert verdicts.label(said) == {
        "campaign": "c-1", "service": "shop", "families": ["scraping"], "operations": ["GET /items/{id}"],
        "principals": ["~principal~1~", "~principal~2~"], "first_time": 10.0, "last_time": 20.0,
        "verdict": "true_positive", "author": "ada", "time": 5.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "says"),
    [({"verdict": "maybe"}, "verdict"), ({"reason": "ok"}, "reason"), ({"campaign": {}}, "campaign")],
)
def test_a_disposition_needs_verdict_reason_and_campaign(change: Dict[str, Any], says: str) -> None:
    given_ = {"campaign": CAMPAIGN, "verdict": "benign", "reason": "a crawler of ours", **change}
    with pytest.raises(DocumentError, match=says):
        verdicts.disposition(given_["campaign"], given_["verdict"], given_["reason"], "ada", 5.0)


def test_the_families_are_those_that_anomalies_have() -> None:
    assert len(FAMILIES) == 16
