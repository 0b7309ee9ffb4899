"""Dispositions over REST: what analysts say of campaigns, the exceptions and labels that follow, and whose they are."""

from __future__ import annotations

from typing import Any

import pytest

from apisec.abuse.campaigns import Campaign
from tests.package.rest_rig import NOW, ORDERS, REFUND, Rig

OPEN, CLOSED, OTHERS = f"c-{1:016x}", f"c-{2:016x}", f"c-{3:016x}"
SCRAPER = "~principal~00000000000000a1~"
BENIGN = {"campaign": OPEN, "verdict": "benign", "reason": "the search engine that we pay"}
TRUE = {"campaign": OPEN, "verdict": "true_positive", "reason": "the list was sold on a forum"}
WHY = "?reason=it+was+a+mistake"
EXCEPTION = {
    "service": "shop", "family": "flooding", "operation": ORDERS, "reason": "the load test of every night",
    "expires": "2026-12-24",
}  # fmt: skip


def campaign(identity: str, operations: list[str]) -> dict[str, Any]:
    made = Campaign(identity, "shop", 1)
    made.families, made.operations, made.members = ["scraping"], operations, {SCRAPER: 3}
    made.member_count, made.first, made.last, made.peak, made.told = 1, NOW - 900, NOW - 60, 97.5, True
    return made.to_document()


@pytest.fixture
def rig() -> Rig:
    rig = Rig()
    rig.now = 1_795_000_000.0  # 2026-11-18
    rig.kv.fill("apisec_campaigns", campaign(OPEN, [ORDERS]), campaign(OTHERS, [ORDERS, REFUND]))
    return rig


def test_open_campaigns_are_listed_to_those_who_own_all_of_them(rig: Rig) -> None:
    listed = rig.ask("GET", "/campaigns?families=scraping", "ann")[1]["items"]
    assert [(one["id"], one["team"], one["finding"], one["verdict"]) for one in listed] == [(OPEN, "red", True, None)]
    assert [one["id"] for one in rig.ask("GET", "/campaigns", "root")[1]["items"]] == [OPEN, OTHERS]
    assert rig.ask("GET", "/campaigns?finding=false", "root")[1]["items"] == []
    assert rig.ask("GET", "/campaigns", "bob")[1]["items"] == []
    assert rig.ask("GET", f"/campaigns/{OTHERS}", "ann")[0] == 404, "it names what is another team's"


def test_a_benign_campaign_becomes_an_exception_and_a_label(rig: Rig) -> None:
    status, body = rig.ask("POST", "/dispositions", "ann", BENIGN)
    assert (status, body["author"], len(body["exceptions"])) == (201, "ann", 1)
    exception = rig.ask("GET", f"/exceptions/{body['exceptions'][0]}", "ann")[1]
    assert (exception["principal"], exception["family"], exception["expires"]) == (SCRAPER, "scraping", "2027-02-16")
    assert (exception["source"], exception["reason"], exception["expired"]) == (OPEN, BENIGN["reason"], False)
    (label,) = rig.ask("GET", "/labels", "ann")[1]["items"]
    assert (label["verdict"], label["principals"], label["last_time"]) == ("benign", [SCRAPER], NOW - 60)
    assert rig.ask("GET", f"/campaigns/{OPEN}", "ann")[1]["verdict"] == "benign"
    audit = rig.kv.events[-1]
    assert (audit["reason"], audit["team"], "benign" in audit["what"]) == (BENIGN["reason"], "red", True)


def test_who_thinks_better_of_it_takes_the_exception_back(rig: Rig) -> None:
    rig.ask("POST", "/dispositions", "ann", BENIGN)
    status, body = rig.ask("POST", "/dispositions", "ann", TRUE)
    assert (status, body["verdict"], body["exceptions"]) == (200, "true_positive", [])
    assert rig.kv.rows("apisec_exceptions") == []
    rig.ask("POST", "/dispositions", "ann", {**BENIGN, "scope": "operation", "expires": "2026-12-01"})
    (exception,) = rig.kv.rows("apisec_exceptions")
    assert (exception["operation"], exception["expires"], "principal" in exception) == (ORDERS, "2026-12-01", False)
    assert rig.ask("DELETE", f"/dispositions/{OPEN}{WHY}", "ann")[0] == 204
    assert rig.kv.rows("apisec_exceptions") == rig.kv.rows("apisec_dispositions") == []


def test_an_exception_that_somebody_said_again_outlives_the_disposition(rig: Rig) -> None:
    rig.ask("POST", "/dispositions", "ann", BENIGN)
    (row,) = rig.kv.rows("apisec_exceptions")
    again = {name: row[name] for name in ("service", "family", "principal", "reason", "expires")}
    assert rig.ask("POST", "/exceptions", "ann", again)[0] == 404, "it would hide findings of another team's operations"
    assert rig.ask("POST", "/exceptions", "root", again)[0] == 200
    assert rig.ask("DELETE", f"/dispositions/{OPEN}{WHY}", "ann")[0] == 204
    assert [one["_key"] for one in rig.kv.rows("apisec_exceptions")] == [row["_key"]]


def test_a_closed_campaign_is_found_by_its_events(rig: Rig) -> None:
    event = {
        "campaign": CLOSED, "service": "shop", "family": "scraping", "families": ["scraping"], "operations": [ORDERS],
        "members": [SCRAPER], "member_count": 1, "first_time": 5.0, "last_time": 9.0, "score": 96.0, "peak": 96.0,
    }  # fmt: skip
    assert rig.ask("POST", "/dispositions", "ann", {**TRUE, "campaign": CLOSED})[0] == 404
    rig.found = [event]
    status, body = rig.ask("POST", "/dispositions", "ann", {**TRUE, "campaign": CLOSED})
    assert (status, body["principals"], body["last_time"]) == (201, [SCRAPER], 9.0)
    assert rig.searches[-1]["user"] == "ann", "it runs with the caller's rights"
    assert CLOSED in rig.searches[-1]["spl"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"reason": "ok"}, "at least 10"),
        ({"verdict": "maybe"}, "verdict"),
        ({"expires": "2026-11-01"}, "has passed"),
        ({"expires": "2030-01-01"}, "at most 366"),
        ({"scope": "team"}, "scope"),
        ({**TRUE, "scope": "family"}, "Leave them out"),
    ],
)
def test_what_may_not_be_said_is_named(rig: Rig, changes: dict[str, Any], says: str) -> None:
    status, body = rig.ask("POST", "/dispositions", "ann", {**BENIGN, **changes})
    assert (status, says in str(body)) == (422, True), body
    assert rig.kv.rows("apisec_exceptions") == rig.kv.rows("apisec_dispositions") == []


def test_an_exception_is_said_read_and_taken_back(rig: Rig) -> None:
    status, made = rig.ask("POST", "/exceptions", "ann", EXCEPTION)
    assert (status, made["author"], made["team"], made["expired"]) == (201, "ann", "red", False)
    assert rig.ask("POST", "/exceptions", "ann", {**EXCEPTION, "reason": "the load test, again"})[0] == 200
    listed = rig.ask("GET", "/exceptions?family=flooding&expired=false", "ann")[1]["items"]
    assert [one["reason"] for one in listed] == ["the load test, again"]
    rig.now += 60 * 86_400
    assert [one["expired"] for one in rig.ask("GET", "/exceptions", "ann")[1]["items"]] == [True]
    assert rig.ask("DELETE", f"/exceptions/{made['id']}{WHY}", "ann")[0] == 204
    assert rig.ask("GET", f"/exceptions/{made['id']}", "ann")[0] == 404


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"operation": REFUND}, 404),  # blue's operation of the same service
        ({"operation": None}, 404),  # the whole family of the service
        ({"operation": "POST *"}, 404),
        ({"operation": "GET *"}, 201),
        ({"service": "bank", "operation": None}, 404),
        ({"service": "nowhere"}, 404),
        ({"family": None, "operation": None}, 404),
        ({"family": "scrapping"}, 422),
        ({"principal": "*"}, 422),
    ],
)
def test_an_exception_is_for_who_owns_all_that_it_hides(rig: Rig, changes: dict[str, Any], status: int) -> None:
    blue = {"_key": "blue", "version": 1, "owns": [{"service": "shop", "path": "/refunds"}]}
    red = {"_key": "red", "version": 1, "owns": [{"service": "shop", "path": "/orders"}]}
    rig.kv.fill("apisec_teams", red, blue)
    entry = {name: value for name, value in {**EXCEPTION, **changes}.items() if value is not None}
    assert rig.ask("POST", "/exceptions", "ann", entry)[0] == status
    assert bool(rig.kv.rows("apisec_exceptions")) == (status == 201)


def test_reading_takes_another_right_than_saying(rig: Rig) -> None:
    for method, path, body in (("POST", "/dispositions", BENIGN), ("POST", "/exceptions", EXCEPTION)):
        assert rig.ask(method, path, "eve", body)[0] == 403, path
    assert rig.ask("GET", "/dispositions", "eve")[0] == 403
