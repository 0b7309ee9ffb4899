"""Bundles in Splunk over REST: applied, refused for every reason, taken back, edited beside, cut off at any write."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from apisec_app.overrides import OverrideStore

from apisec.bundles.document import parse, successor
from tests.package.bundles_rig import ADMINS, COMMERCE, FINANCE, LEAD, NOTE, NOW, PAN, Key, Rig, bundle, event

ROOT = Path(__file__).parents[2]
MADE = {"author": "ada@example.org", "reason": "the next version", "at": "2026-11-18T00:00:00Z"}


@pytest.fixture
def rig() -> Rig:
    return Rig()


def following(document: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**successor(parse(document), MADE), **changes}


def test_an_applied_bundle_is_what_splunk_reads(rig: Rig) -> None:
    status, body = rig.apply(rig.key.sign(bundle(overrides=[PAN, NOTE], thresholds={"redaction": "strict"})))

    assert (status, body["changed"], body["in_force"]) == (200, True, body["applied"]["digest"])
    assert body["unread"] == ["thresholds"]
    assert "note of every operation: – → pii.name (raised)" in [one["line"] for one in body["effects"]]
    assert rig.overrides() == {"card.number": "pci.pan", "note": "pii.name"}
    assert {row["bundle"] for row in rig.kv.rows("apisec_overrides")} == {body["applied"]["digest"]}
    assert rig.kv.rows("apisec_teams")[0]["owns"] == [{"service": "shop"}]
    again = rig.apply(rig.key.sign(bundle(overrides=[PAN, NOTE], thresholds={"redaction": "strict"})))
    assert (again[0], again[1]["changed"]) == (200, False)


def test_an_export_is_the_document_that_was_applied(rig: Rig) -> None:
    release = rig.key.sign(bundle())
    rig.apply(release)
    status, body = rig.ask("GET", "/bundles/shop")
    assert (status, body["document"], body["release"]["bundle"]) == (200, release["bundle"], release["bundle"])
    assert (body["drift"], body["edited"], body["pending"]) == (None, None, False)
    assert [one["version"] for one in body["history"]] == [1]
    rows = rig.ask("GET", "/bundles?sort=-version")[1]["items"]
    assert [(row["service"], row["applied"]["version"]) for row in rows] == [("shop", 1)]


def test_without_a_bundle_an_export_is_what_splunk_knows(rig: Rig) -> None:
    rig.ask("PUT", "/teams/commerce", ADMINS, {"owns": [{"service": "shop"}]})
    status, body = rig.ask("GET", "/bundles/shop")
    document = parse(body["document"])
    assert (status, body["applied"], document.ownership.team) == (200, None, COMMERCE)
    assert rig.apply(rig.key.sign(body["document"]))[0] == 200


def test_local_edits_show_as_drift_and_applying_again_takes_them_back(rig: Rig) -> None:
    release = rig.key.sign(bundle())
    rig.apply(release)
    key = rig.kv.rows("apisec_overrides")[0]["_key"]
    rig.kv.collections["apisec_overrides"][key].update({"class": "pii.name", "bundle": ""})

    body = rig.ask("GET", "/bundles/shop")[1]
    assert [one["line"] for one in body["drift"]["effects"]] == [
        "card.number of POST /pay: pci.pan → pii.name (lowered)"
    ]
    assert body["drift"]["notes"] == ["override of card.number of POST /pay (body): class changed in Splunk"]
    assert body["edited"]["overrides"][0]["class"] == "pii.name"
    status, outcome = rig.apply(release)
    assert (status, outcome["changed"], rig.overrides()) == (200, True, {"card.number": "pci.pan"})
    assert rig.ask("GET", "/bundles/shop")[1]["drift"] is None


def test_edits_are_taken_back_only_by_a_signature_that_still_counts(rig: Rig) -> None:
    release = rig.key.sign(bundle())
    rig.apply(release)
    rig.kv.collections["apisec_overrides"].clear()
    rig.trusts(Key(1, COMMERCE, revoked="laptop lost"))
    status, body = rig.apply(release)
    assert (status, [one["code"] for one in body["refusals"]]) == (409, ["signature"])
    assert rig.overrides() == {}


def test_a_service_that_was_given_to_another_team_drifts_from_its_bundle(rig: Rig) -> None:
    first = bundle()
    rig.apply(rig.key.sign(first))
    rig.apply(rig.key.sign(following(first)))
    rig.kv.fill("apisec_teams", {"_key": COMMERCE, "version": 1, "owns": []})
    rig.kv.fill("apisec_teams", {"_key": FINANCE, "version": 1, "owns": [{"service": "shop"}]})
    notes = rig.ask("GET", "/bundles/shop", FINANCE)[1]["drift"]["notes"]
    assert notes == ["the service belongs to team finance, the bundle says commerce"]
    back = rig.ask("POST", "/bundles/shop:rollback", ADMINS, {"reason": "it was ours"})
    assert (back[0], "may not sign for team finance" in back[1]["detail"]) == (409, True)
    rig.trusts(Key(1, COMMERCE, FINANCE))
    assert rig.ask("POST", "/bundles/shop:rollback", FINANCE, {"reason": "it was theirs"})[0] == 403
    assert rig.ask("POST", "/bundles/shop:rollback", ADMINS, {"reason": "it was ours"})[0] == 200
    assert {row["_key"]: row["owns"] for row in rig.kv.rows("apisec_teams")} == {
        COMMERCE: [{"service": "shop"}],
        FINANCE: [],
    }


def test_a_rule_that_holds_for_the_service_already_is_enough(rig: Rig) -> None:
    team = {"_key": COMMERCE, "version": 1, "owns": [{"service": "sh*"}]}
    rig.kv.fill("apisec_teams", team)
    assert rig.apply(rig.key.sign(bundle()))[0] == 200
    assert rig.kv.rows("apisec_teams") == [team]


def test_what_was_edited_counts_as_before(rig: Rig) -> None:
    """A class that somebody raised in Splunk is not lowered by a bundle without a reason."""
    rig.apply(rig.key.sign(bundle()))
    rig.kv.collections["apisec_overrides"][rig.kv.rows("apisec_overrides")[0]["_key"]].update(path="x.y")
    status, body = rig.apply(rig.key.sign(following(bundle(), overrides=[])))
    assert (status, [one["code"] for one in body["refusals"]]) == (409, ["lowered_class"])


HIDDEN = {
    "family": "scraping", "operation": "GET /orders*", "author": "ada", "reason": "the price comparison's contract",
    "expires": "2027-01-31",
}  # fmt: skip


def test_exceptions_travel_with_the_bundle_and_those_made_here_stay(rig: Rig) -> None:
    release = rig.key.sign(bundle(exceptions=[HIDDEN]))
    status, body = rig.apply(release)
    assert (status, [one["line"] for one in body["effects"] if one["part"] == "exceptions"]) == (
        200, ["findings of scraping at GET /orders*: – → hidden until 2027-01-31 (added)"]
    )  # fmt: skip
    (row,) = rig.kv.rows("apisec_exceptions")
    assert (row["service"], row["source"]) == ("shop", body["applied"]["digest"])
    mine = {"_key": "mine", "version": 1, "service": "shop", "source": "", **HIDDEN, "family": "flooding"}
    bound = {**mine, "_key": "bound", "principal": "~principal~1~"}
    rig.kv.fill("apisec_exceptions", mine, bound)
    assert rig.apply(release)[1]["changed"] is False
    edited = rig.ask("GET", "/bundles/shop")[1]["edited"]["exceptions"]
    assert sorted(one["family"] for one in edited) == ["flooding", "scraping"], "none that names a principal"

    rig.apply(rig.key.sign(following(bundle(exceptions=[HIDDEN]), exceptions=[])))
    assert sorted(one["_key"] for one in rig.kv.rows("apisec_exceptions")) == ["bound", "mine"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"principal": "~principal~1~"}, "exceptions[0].principal: is a token of one environment"),
        ({"service": "shop"}, "exceptions[0].service: is the bundle's"),
        ({"family": "scrapping"}, "did you mean 'scraping'"),
    ],
)
def test_an_exception_that_cannot_travel_is_refused(rig: Rig, changes: dict[str, Any], says: str) -> None:
    status, body = rig.apply(rig.key.sign(bundle(exceptions=[{**HIDDEN, **changes}])))
    assert (status, says in body["detail"]) == (422, True), body
    status, body = rig.apply(rig.key.sign(bundle(exceptions=[HIDDEN, HIDDEN])))
    assert "is for the same as one before" in body["detail"]


# --- refusals: each code of the table in docs/bundles.md --------------------------------------------------------


SAW: dict[str, Any] = {"apisec_seen": 1, "service": "shop", "environment": "DEV", "since": "2026-11-10T00:00:00Z",
       "until": "2026-11-17T00:00:00Z", "transactions": 60,
       "fields": [{"operation": "POST /pay", "in": "body", "path": "card.number", "class": "pci.pan",
                   "samples": 60}]}  # fmt: skip
MAIL = {"operation": "POST /pay", "in": "body", "path": "who.mail", "class": "pii.email", "samples": 60}
PATTERN = {
    "title": "orders", "id": "5f0c1d3e-2f43-4f6e-9a55-0d4c8f1f7f10",
    "logsource": {"category": "api", "product": "apisec", "service": "shop"},
    "detection": {"s": {"operation": "GET /orders/{order_id}"}, "condition": "s"},
    "apisec": {"mode": "shadow", "expires": "2026-12-01T00:00:00Z"},
}  # fmt: skip


def _refusals() -> list[tuple[str, str, Any]]:
    key = Key(1, COMMERCE)
    qa = ("DEV", SAW)
    return [
        ("signature", "DEV", {**key.sign(bundle()), "signatures": []}),
        ("signature", "DEV", Key(9, COMMERCE).sign(bundle())),
        ("signature", "DEV", {**key.sign(bundle()), "bundle": bundle(overrides=[])}),
        ("key_scope", "DEV", Key(2, FINANCE).sign(bundle())),
        ("service", "DEV", key.sign(bundle(service="shopp"))),
        ("environment", "QA", key.sign(bundle())),
        ("environment", "STAGE", key.sign(bundle())),
        ("ownership", "DEV", key.sign(bundle())),
        ("base", "DEV", key.sign(bundle(version=5))),
        ("version", "DEV", key.sign({**following(bundle()), "version": 1})),
        ("lowered_class", "DEV", key.sign(following(bundle(), overrides=[{**PAN, "class": "pii.name"}]))),
        ("unclassified_field", "QA", key.sign(bundle(), "DEV", {**SAW, "fields": [*SAW["fields"], MAIL]})),
        ("seen", "QA", {name: value for name, value in key.sign(bundle(), *qa).items() if name != "seen"}),
        ("expired_override", "DEV", key.sign(bundle(overrides=[{**PAN, "expires": "2026-11-18"}]))),
        ("exception", "DEV", key.sign(bundle(exceptions=[{**HIDDEN, "expires": "2026-11-18"}]))),
        ("expired_pattern", "DEV", key.sign(bundle(patterns=[
            {**PATTERN, "apisec": {"mode": "shadow", "expires": "2026-11-01T00:00:00Z"}}]))),
        ("evidence", "DEV", key.sign(bundle(thresholds={"false_positive_limit": 0.5}))),
    ]  # fmt: skip


@pytest.mark.parametrize(("code", "environment", "release"), _refusals())
def test_each_refusal_has_the_code_that_forwarders_give(code: str, environment: str, release: Any) -> None:
    rig = Rig("DEV")
    rig.trusts(rig.key, Key(2, FINANCE))
    if code in ("base", "version", "lowered_class"):
        assert rig.apply(rig.key.sign(bundle()))[0] == 200
    if code == "ownership":  # finance owns what the override speaks of
        rig.kv.fill("apisec_teams", {"_key": FINANCE, "version": 1, "owns": [{"service": "shop", "path": "/pay"}]})
    rig.ask("PUT", "/environment", ADMINS, {"environment": environment})
    before = rig.kv.rows("apisec_overrides")

    checked = rig.ask("POST", "/bundles:verify", COMMERCE, release)[1]
    status, body = rig.apply(release)

    assert status == 409
    assert {one["code"] for one in body["refusals"]} == {code}, body
    assert body["refusals"] == checked["refusals"]
    assert rig.kv.rows("apisec_overrides") == before
    assert not [row for row in rig.kv.rows("apisec_bundles") if row["kind"] == "lock"]


def test_every_code_of_the_documents_table_is_refused_in_splunk_or_said_to_be_the_forwarders() -> None:
    text = (ROOT / "docs/bundles.md").read_text()
    codes = set(re.findall(r"^\| `([a-z_]+)` \|", text[text.index("## Refusals") :], re.MULTILINE))
    assert codes - {"gateway"} == {row[0] for row in _refusals()}


def test_while_nobody_said_the_environment_nothing_is_applied() -> None:
    rig = Rig(None)
    status, body = rig.apply(rig.key.sign(bundle()))
    assert (status, [one["code"] for one in body["refusals"]]) == (409, ["environment"])
    assert "PUT /services/apisec/v1/environment" in body["detail"]


# --- teams --------------------------------------------------------------------------------------------------------


def test_another_teams_service_is_not_there(rig: Rig) -> None:
    rig.apply(rig.key.sign(bundle()))
    for method, path, body in (
        ("GET", "/bundles/shop", None),
        ("POST", "/bundles/shop:rollback", {"reason": "mine"}),
        ("GET", "/services/shop/seen?env=DEV", None),
    ):
        mine, absent = (rig.ask(method, path.replace("shop", name), FINANCE, body) for name in ("shop", "nowhere"))
        assert mine[0] == 404
        assert mine == absent, "the answer says nothing of what there is"
    assert [row["service"] for row in rig.ask("GET", "/bundles", FINANCE)[1]["items"]] == ["bank"]
    rig.trusts(rig.key, Key(2, "*"))
    for team in (FINANCE, COMMERCE):
        theft = Key(2, "*").sign(bundle(version=9, ownership={"team": team}))
        status, body = rig.apply(theft, FINANCE)
        assert (status, [one["code"] for one in body["refusals"]]) == (409, ["service"])


def test_a_bundle_leaves_alone_what_another_team_says_of_its_part_of_the_service(rig: Rig) -> None:
    rig.kv.fill("apisec_teams", {"_key": FINANCE, "version": 1, "owns": [{"service": "shop", "path": "/pay"}]})
    theirs = {**PAN, "service": "shop", "_key": "f" * 24, "version": 1, "created": NOW, "updated": NOW}
    rig.kv.fill("apisec_overrides", theirs)
    status, body = rig.apply(rig.key.sign(bundle(overrides=[NOTE])))
    assert (status, body["effects"][0]["line"]) == (200, "note of every operation: – → pii.name (raised)")
    assert rig.overrides() == {"card.number": "pci.pan", "note": "pii.name"}
    assert rig.ask("GET", "/bundles/shop")[1]["drift"] is None


def test_applying_again_takes_nothing_back_that_a_rule_gave_to_another_team(rig: Rig) -> None:
    release = rig.key.sign(bundle())
    assert rig.apply(release)[0] == 200
    rig.kv.fill("apisec_teams", {"_key": FINANCE, "version": 1, "owns": [{"service": "shop", "path": "/pay"}]})
    theirs = {"service": "shop", **PAN, "class": "pii.name", "reason": "it is finance's to say now"}
    assert rig.ask("POST", "/overrides", FINANCE, {k: v for k, v in theirs.items() if k != "author"})[0] == 200
    status, refused = rig.apply(release)
    assert (status, [one["code"] for one in refused["refusals"]]) == (409, ["ownership"])
    assert rig.overrides() == {PAN["path"]: "pii.name"}


def test_a_service_moves_only_with_keys_and_people_of_both_teams(rig: Rig) -> None:
    rig.trusts(rig.key, Key(3, COMMERCE, FINANCE))
    taken = bundle(ownership={"team": FINANCE})
    assert rig.apply(rig.key.sign(taken), COMMERCE)[0] == 403
    assert [one["code"] for one in rig.apply(rig.key.sign(taken), ADMINS)[1]["refusals"]] == ["key_scope"]
    assert rig.apply(Key(3, COMMERCE, FINANCE).sign(taken), ADMINS)[0] == 200
    assert rig.ask("GET", "/bundles/shop", COMMERCE)[0] == 404
    assert rig.ask("GET", "/bundles/shop", FINANCE)[0] == 200


def test_trusted_keys_are_shown_to_whom_they_concern_and_set_by_admins(rig: Rig) -> None:
    rig.trusts(rig.key, Key(2, FINANCE), Key(3, "*"))
    shown = rig.ask("GET", "/trust")[1]["keys"]
    assert [one["teams"] for one in shown] == [[COMMERCE], ["*"]]
    for who in (COMMERCE, LEAD):
        assert rig.ask("PUT", "/trust", who, {"version": 1, "keys": []})[0] == 403
        assert rig.ask("PUT", "/environment", who, {"environment": "PROD"})[0] == 403
    wrong = {**rig.key.entry, "id": "0" * 16}
    status, body = rig.ask("PUT", "/trust", ADMINS, {"version": 1, "keys": [wrong]})
    assert (status, "is not the id of this key" in body["detail"]) == (422, True)
    stale = rig.ask("PUT", "/trust", ADMINS, {"version": 1, "keys": []}, headers={"If-Match": '"0"'})
    assert stale[0] == 412


# --- back ---------------------------------------------------------------------------------------------------------


def test_a_rollback_needs_a_reason_and_a_signature_that_still_counts(rig: Rig) -> None:
    assert rig.ask("POST", "/bundles/shop:rollback", body={"reason": "x"})[0] == 422
    first = bundle()
    rig.apply(rig.key.sign(first))
    rig.apply(rig.key.sign(following(first, overrides=[PAN, NOTE])))
    assert rig.ask("POST", "/bundles/shop:rollback", body={})[0] == 422
    rig.trusts(Key(1, COMMERCE, revoked="laptop lost"))
    refused = rig.ask("POST", "/bundles/shop:rollback", body={"reason": "an exercise"})
    assert (refused[0], "is revoked" in refused[1]["detail"]) == (409, True)
    rig.trusts(rig.key)
    status, body = rig.ask("POST", "/bundles/shop:rollback", body={"reason": "an exercise"})
    assert (status, body["applied"]["version"], body["applied"]["action"]) == (200, 1, "rollback")
    assert rig.overrides() == {"card.number": "pci.pan"}
    assert rig.kv.events[-1]["reason"] == "an exercise"
    to = rig.ask("GET", "/bundles/shop")[1]["history"][1]["digest"]
    assert (
        rig.ask("POST", "/bundles/shop:rollback", body={"reason": "on again", "to": to})[1]["applied"]["version"] == 2
    )


def test_if_match_holds(rig: Rig) -> None:
    tag = rig.raw("GET", "/bundles/shop")["headers"]["ETag"]
    assert rig.apply(rig.key.sign(bundle()), headers={"If-Match": '"0"'})[0] == 412
    assert rig.apply(rig.key.sign(bundle()), headers={"If-Match": tag})[0] == 200
    assert rig.raw("GET", "/bundles/shop")["headers"]["ETag"] != tag
    rig.apply(rig.key.sign(following(bundle())))
    stale = rig.ask("POST", "/bundles/shop:rollback", body={"reason": "an exercise"}, headers={"If-Match": tag})
    assert stale[0] == 412


def test_the_releases_that_are_kept_are_those_of_the_history(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apisec.bundles.history.MAX_HISTORY", 2)
    document = bundle()
    for _ in range(4):
        assert rig.apply(rig.key.sign(document))[0] == 200
        document = following(document)
    kept = [row for row in rig.kv.rows("apisec_bundles") if row["kind"] == "release"]
    assert [one["version"] for one in rig.ask("GET", "/bundles/shop")[1]["history"]] == [3, 4]
    assert len(kept) == 2


# --- crashes ------------------------------------------------------------------------------------------------------


def test_a_crash_at_any_write_is_finished_by_the_next_call() -> None:
    """Cut off at each write in turn; afterwards the service has the old bundle whole or the new one whole."""
    cut, ended = 0, False
    while not ended:
        rig = Rig()
        rig.apply(rig.key.sign(bundle()))
        second = rig.key.sign(following(bundle(), overrides=[{**NOTE, "path": "other"}, PAN]))
        rig.kv.cut = cut
        ended = rig.apply(second)[0] == 200
        rig.kv.cut = None
        rig.now += 3600  # the lock of the one that died is over
        body = rig.ask("GET", "/bundles/shop")[1]
        assert (body["pending"], body["drift"]) == (False, None), cut
        expected = {1: {"card.number"}, 2: {"card.number", "other"}}[body["applied"]["version"]]
        assert set(rig.overrides()) == expected, cut
        assert rig.apply(second)[0] == 200
        assert set(rig.overrides()) == {"card.number", "other"}
        kinds = sorted(row["kind"] for row in rig.kv.rows("apisec_bundles"))
        assert kinds == ["release", "release", "settings", "state", "trust"], (cut, kinds)
        cut += 1
    assert cut > 5, "there are that many writes to die between"


def test_two_changes_at_once_do_not_mix(rig: Rig) -> None:
    rig.apply(rig.key.sign(bundle()))
    rig.kv.fill("apisec_bundles", {"_key": "lock|shop", "kind": "lock", "holder": "another", "until": NOW + 60})
    status, body = rig.apply(rig.key.sign(following(bundle())))
    assert (status, "somebody else changes the bundle of shop" in body["detail"]) == (503, True)
    assert rig.raw("POST", "/bundles:apply", body=rig.key.sign(following(bundle())))["headers"]["Retry-After"] == "5"
    rig.now = NOW + 61
    assert rig.apply(rig.key.sign(following(bundle())))[0] == 200


def test_who_lost_the_lock_on_the_way_does_not_close_the_change(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that was held up for longer than the lease; meanwhile another took the lock over."""
    whole = OverrideStore.replace

    def held_up(*arguments: Any, **named: Any) -> Any:
        rig.kv.fill("apisec_bundles", {"_key": "lock|shop", "kind": "lock", "holder": "another", "until": NOW + 300})
        return whole(*arguments, **named)

    monkeypatch.setattr(OverrideStore, "replace", held_up)
    assert rig.apply(rig.key.sign(bundle()))[0] == 503
    monkeypatch.undo()
    assert rig.ask("GET", "/bundles/shop")[1]["pending"] is True, "the other one has the lock, and will finish it"
    rig.now += 3600
    assert rig.ask("GET", "/bundles/shop")[1]["applied"]["version"] == 1


def test_what_is_damaged_is_named(rig: Rig) -> None:
    rig.apply(rig.key.sign(bundle()))
    rig.kv.collections["apisec_bundles"]["state|shop"]["history"] = "[{]"
    status, body = rig.ask("GET", "/bundles/shop")
    assert (status, "apisec_bundles state|shop" in body["detail"]) == (422, True)


# --- fields seen --------------------------------------------------------------------------------------------------


def test_fields_seen_are_those_that_events_would_show(rig: Rig) -> None:
    from apisec.bundles import seen

    status, body = rig.ask("GET", "/services/shop/seen?env=DEV")
    assert status == 200
    assert body == seen.collect([event() for _ in range(60)], "shop", "DEV")
    assert rig.ask("GET", "/services/shop/seen?env=QA")[0] == 404
    assert rig.ask("GET", "/services/shop/seen")[0] == 400
