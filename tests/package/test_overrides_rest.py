"""Overrides over REST: said, checked beforehand, taken back, by whom; and published documents."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from tests.package.bundles_rig import ADMINS, COMMERCE, FINANCE, NOW, Rig, bundle, event

SAID = {"service": "shop", "path": "amount", "class": "fin.account", "reason": "it holds numbers of accounts"}
NONE = {"service": "shop", "path": "card.number", "class": "none", "reason": "test cards of the payment provider"}
SPEC: dict[str, Any] = {
    "openapi": "3.0.3", "info": {"title": "shop", "version": "1.0"}, "servers": [{"url": "https://shop.example"}],
    "paths": {"/pay": {"post": {"responses": {"200": {"description": "done"}}}},
              "/gone": {"get": {"responses": {"200": {"description": "done"}}}}},
}  # fmt: skip


@pytest.fixture
def rig() -> Rig:
    return Rig()


def put(rig: Rig, body: dict[str, Any], who: str = COMMERCE, **more: Any) -> tuple[int, Any]:
    return rig.ask("POST", "/overrides", who, body, **more)


def test_an_override_carries_who_said_it_and_replaces_what_was_said_before(rig: Rig) -> None:
    status, made = put(rig, SAID)
    assert (status, made["author"], made["created"], made["team"]) == (201, COMMERCE, NOW, COMMERCE)
    rig.now += 5
    status, again = put(rig, {**SAID, "class": "fin.iban"}, ADMINS)
    assert (status, again["id"], again["author"], again["created"]) == (200, made["id"], ADMINS, NOW)
    assert rig.ask("GET", f"/overrides/{made['id']}")[1]["class"] == "fin.iban"
    fields = rig.ask("GET", "/services/shop/fields?path=amount")[1]["items"]
    assert [(one["class"], one["source"]) for one in fields] == [("fin.iban", "override")]
    audit = rig.kv.events[-1]
    assert (audit["what"], audit["reason"], audit["team"]) == (
        "override of amount of every operation of shop: fin.iban", SAID["reason"], COMMERCE
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"reason": "ok"}, "at least 10 characters"),
        ({"class": "pci.pam"}, "did you mean 'pci.pan'?"),
        ({"author": "mallory"}, "/author"),
        ({"expires": "tomorrow"}, "is no date"),
        ({"in": "bdy"}, "did you mean 'body'?"),
        ({"path": "**", "class": "none"}, "a path of wildcards alone cannot be class none"),
    ],
)
def test_what_is_wrong_is_named(rig: Rig, changes: dict[str, Any], said: str) -> None:
    for path in ("/overrides", "/overrides:check"):
        status, body = rig.ask("POST", path, COMMERCE, {**SAID, **changes})
        assert (status, said in body["detail"]) == (422, True), body
    assert rig.kv.rows("apisec_overrides") == []


def test_two_that_disagree_about_the_same_fields_are_refused(rig: Rig) -> None:
    assert put(rig, {**SAID, "path": "a*.ref"})[0] == 201
    other = {**SAID, "path": "*a.ref", "class": "pii.name"}
    for path in ("/overrides", "/overrides:check"):
        status, body = rig.ask("POST", path, COMMERCE, other)
        assert (status, "make one of the two more specific" in body["detail"]) == (422, True), body


def test_a_check_says_what_changes_and_what_traffic_contradicts(rig: Rig) -> None:
    status, body = rig.ask("POST", "/overrides:check", COMMERCE, NONE)
    (change,) = body["changes"]
    assert (status, change["before"], change["after"], change["samples"]) == (200, "pci.pan", "none", 60)
    assert change["level_before"] == "restricted"
    (conflict,) = body["conflicts"]
    assert (conflict["grade"], "traffic shows pci.pan in 60 of 60 samples" in conflict["text"]) == ("high", True)
    assert rig.kv.rows("apisec_overrides") == [], "a check keeps nothing"
    put(rig, NONE)
    again = rig.ask("POST", "/overrides:check", COMMERCE, NONE)[1]
    assert (again["changed"], again["conflicts"]) == (0, []), "what is said already changes nothing"
    instead = rig.ask("POST", "/overrides:check", COMMERCE, {**NONE, "class": "pii.name"})[1]["changes"]
    assert [(one["before"], one["after"]) for one in instead] == [("none", "pii.name")], (
        "it takes the first one's place"
    )


def test_an_override_that_is_over_counts_no_more(rig: Rig) -> None:
    body = rig.ask("POST", "/overrides:check", COMMERCE, {**NONE, "expires": "2026-11-18"})[1]
    assert body["changes"] == []
    put(rig, {**NONE, "expires": "2026-11-18"})
    assert [one["expired"] for one in rig.ask("GET", "/overrides?expired=true")[1]["items"]] == [True]
    assert rig.ask("GET", "/overrides?expired=false")[1]["items"] == []


def test_another_teams_overrides_are_not_there(rig: Rig) -> None:
    made = put(rig, SAID)[1]
    path = f"/overrides/{made['id']}"
    reason = "?reason=it+was+never+mine+to+say"
    for method, asked, body in (
        ("GET", path, None),
        ("DELETE", path + reason, None),
        ("POST", "/overrides", SAID),
        ("POST", "/overrides:check", SAID),
    ):
        assert rig.ask(method, asked, FINANCE, body)[0] == 404, (method, asked)
    assert rig.ask("GET", "/overrides", FINANCE)[1]["items"] == []
    absent = rig.ask("POST", "/overrides", FINANCE, {**SAID, "service": "nowhere"})
    assert absent == rig.ask("POST", "/overrides", FINANCE, SAID)


def test_a_path_that_a_rule_gives_away_is_the_other_teams(rig: Rig) -> None:
    rig.kv.fill("apisec_teams", {"_key": FINANCE, "version": 1, "owns": [{"service": "shop", "path": "/pay"}]})
    at_pay = {**SAID, "operation": "POST /pay"}
    assert (put(rig, at_pay, COMMERCE)[0], put(rig, at_pay, FINANCE)[0]) == (404, 201)


def test_every_service_is_for_who_sees_every_team(rig: Rig) -> None:
    everywhere = {**SAID, "service": "*"}
    assert put(rig, everywhere)[0] == 404
    made = put(rig, everywhere, ADMINS)[1]
    assert [one["service"] for one in rig.ask("GET", "/overrides", FINANCE)[1]["items"]] == ["*"]
    asked = f"/overrides/{made['id']}?reason=it+is+not+so+everywhere"
    assert rig.ask("DELETE", asked, FINANCE)[0] == 403
    assert rig.ask("DELETE", asked, ADMINS)[0] == 204


def test_taking_back_needs_a_reason_and_the_version_that_was_read(rig: Rig) -> None:
    made = put(rig, SAID)[1]
    path = f"/overrides/{made['id']}"
    assert rig.ask("DELETE", path)[0] == 400
    tag = rig.raw("GET", path)["headers"]["ETag"]
    assert put(rig, {**SAID, "class": "fin.iban"}, headers={"If-Match": tag})[0] == 200
    assert put(rig, {**SAID, "class": "fin.bic"}, headers={"If-Match": tag})[0] == 412
    asked = f"{path}?reason=numbers+of+orders"
    assert rig.ask("DELETE", asked, headers={"If-Match": tag})[0] == 412
    tag = rig.raw("GET", path)["headers"]["ETag"]
    assert rig.ask("DELETE", asked, headers={"If-Match": tag})[0] == 204
    assert rig.ask("GET", path)[0] == 404
    assert rig.kv.events[-1]["reason"] == "numbers of orders"


def test_what_a_team_says_beside_a_bundle_goes_into_the_next_one(rig: Rig) -> None:
    rig.apply(rig.key.sign(bundle()))
    put(rig, SAID)
    edited = rig.ask("GET", "/bundles/shop")[1]["edited"]
    assert [one["path"] for one in edited["overrides"]] == ["amount", "card.number"]


# --- published documents ------------------------------------------------------------------------------------------


def upload(rig: Rig, text: str, media: str = "application/json", who: str = COMMERCE) -> tuple[int, Any]:
    return rig.ask("PUT", "/services/shop/specs/main", who, text, media=media)


def test_a_document_is_kept_by_version_whatever_its_spelling(rig: Rig) -> None:
    status, first = upload(rig, json.dumps(SPEC))
    assert (status, first["operations"], first["author"], first["in_force"]) == (201, 2, COMMERCE, True)
    rig.now += 60
    assert upload(rig, yaml.safe_dump(SPEC), "application/yaml")[0] == 200, "the same document in YAML"
    status, second = upload(rig, json.dumps({**SPEC, "info": {"title": "shop", "version": "2.0"}}))
    assert (status, second["spec_version"]) == (201, "2.0")
    rows = rig.ask("GET", "/specs?service=shop&sort=-stored")[1]["items"]
    assert [(row["spec_version"], row["in_force"]) for row in rows] == [("2.0", True), ("1.0", False)]
    answer = rig.raw("GET", f"/specs/{first['id']}/document")
    assert (answer["status"], json.loads(answer["payload"])) == (200, SPEC)
    assert rig.ask("DELETE", f"/specs/{second['id']}?reason=published+by+mistake")[0] == 204
    assert rig.ask("GET", f"/specs/{first['id']}")[1]["in_force"] is True


def test_documents_that_cannot_be_read_are_refused_with_their_place(rig: Rig) -> None:
    status, body = upload(rig, "openapi: 3.0.3\npaths: [\n", "application/yaml")
    assert (status, body["detail"].partition(": is neither")[0]) == (422, "uploaded:3:1")
    assert upload(rig, "{}")[0] == 422
    assert upload(rig, json.dumps(SPEC), "text/html")[0] == 415
    assert upload(rig, "x" * 16_000_001)[0] == 413
    assert rig.ask("GET", "/specs")[1]["items"] == []


def test_another_teams_documents_are_not_there(rig: Rig) -> None:
    made = upload(rig, json.dumps(SPEC))[1]
    assert upload(rig, json.dumps(SPEC), who=FINANCE)[0] == 404
    for method, path in (
        ("GET", f"/specs/{made['id']}"),
        ("GET", f"/specs/{made['id']}/document"),
        ("DELETE", f"/specs/{made['id']}?reason=not+mine+at+all"),
        ("POST", "/services/shop/specs:compare"),
    ):
        assert rig.ask(method, path, FINANCE)[0] == 404, path
    assert rig.ask("GET", "/specs", FINANCE)[1]["items"] == []


def test_a_document_is_compared_before_it_is_published(rig: Rig) -> None:
    path = "/services/shop/specs:compare"
    status, body = rig.ask("POST", path, COMMERCE, json.dumps({**SPEC, "paths": {"/gone": SPEC["paths"]["/gone"]}}))
    assert (status, "shadow" in {one["kind"] for one in body["items"]}) == (200, True)
    assert rig.ask("GET", "/specs")[1]["items"] == [], "nothing is kept"
    assert rig.ask("POST", path)[1]["differences"] == 0, "nothing is published yet"
    upload(rig, json.dumps(SPEC))
    kinds = {one["kind"] for one in rig.ask("POST", path)[1]["items"]}
    assert "shadow" not in kinds
    assert kinds


def test_a_bundle_says_which_documents_it_was_made_with(rig: Rig) -> None:
    made = upload(rig, json.dumps(SPEC))[1]
    known = rig.ask("GET", "/bundles/shop")[1]["document"]["specs"]
    assert known == [{"url": "file:uploaded", "sha256": f"sha256:{made['sha256']}"}]
    other = [{"url": "https://specs.example/shop.json", "sha256": "sha256:" + "0" * 64}]
    warnings = rig.apply(rig.key.sign(bundle(specs=other)))[1]["warnings"]
    assert warnings == [
        f"the published document main is none of the bundle's specs (its digest is sha256:{made['sha256']})"
    ]


def test_what_a_rule_gave_to_another_team_is_not_shown_as_seen(rig: Rig) -> None:
    rig.kv.fill("apisec_teams", {"_key": FINANCE, "version": 1, "owns": [{"service": "shop", "path": "/pay"}]})
    assert rig.ask("GET", "/services/shop/seen?env=DEV")[0] == 404
    assert len(rig.ask("GET", "/services/shop/seen?env=DEV", ADMINS)[1]["fields"]) == 2
    assert event()["operation"] == "POST /pay"
