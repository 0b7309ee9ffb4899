"""Teams, ownership and learned state over the app's REST API, in one process."""

from __future__ import annotations

from typing import Any

import pytest
from apisec_app.rest.resources import state

from tests.core.inventory.events import event, learned
from tests.package.bundles_rig import ADMINS, COMMERCE, FINANCE, LEAD, Rig

PAY = {"title": "Pay", "owns": [{"service": "shop", "path": "/pay*"}], "roles": ["pay_dev"]}


@pytest.fixture
def rig() -> Rig:
    """Service shop of commerce, service bank of finance; shop has two operations more."""
    made = Rig()
    for operation in ("GET /orders", "GET /carts"):
        about = {"service": "shop", "team": COMMERCE, "operation": operation, "endpoint": operation[4:]}
        made.kv.fill("apisec_inventory", *learned([event(**about)] * 3).to_documents())
    return made


def operations(rig: Rig, who: str) -> list[str]:
    status, body = rig.ask("GET", "/operations", who)
    assert status == 200, body
    return sorted(f"{row['service']} {row['operation']} {row['team']}" for row in body["items"])


def test_a_rule_moves_what_is_read_at_once_and_its_end_moves_it_back(rig: Rig) -> None:
    before = operations(rig, COMMERCE)
    assert before == ["shop GET /carts commerce", "shop GET /orders commerce", "shop POST /pay commerce"]
    status, moved = rig.ask("POST", "/teams/finance/compare", ADMINS, PAY)
    assert (status, [(one["operation"], one["before"], one["after"]) for one in moved["items"]]) == (
        200,
        [("POST /pay", COMMERCE, FINANCE)],
    )
    assert operations(rig, COMMERCE) == before, "a comparison changes nothing"
    assert rig.ask("PUT", "/teams/finance", ADMINS, PAY)[0] == 201
    assert operations(rig, COMMERCE) == before[:2]
    assert "shop POST /pay finance" in operations(rig, FINANCE)
    why = rig.ask("GET", "/ownership?service=shop&operation=POST%20/pay", FINANCE)[1]
    assert (why["team"], why["by"], why["rule"]["selectors"]) == (FINANCE, "rule", PAY["owns"][0])
    assert rig.ask("GET", "/ownership?service=shop&operation=POST%20/pay", COMMERCE)[0] == 404
    assert rig.ask("GET", "/ownership?service=shop", COMMERCE)[1]["by"] == "stamp"
    assert rig.ask("DELETE", "/teams/finance", ADMINS, headers={"If-Match": "*"})[0] == 204
    assert operations(rig, COMMERCE) == before


def test_learned_state_names_the_present_team(rig: Rig) -> None:
    rig.ask("PUT", "/teams/finance", ADMINS, PAY)
    (row,) = rig.ask("GET", "/state/apisec_inventory?service=shop", FINANCE)[1]["items"]
    assert row["operation"] == "POST /pay"
    assert row["team"] == FINANCE
    assert f'"{FINANCE}"' in row["state"]
    assert f'"{COMMERCE}"' not in row["state"]


def test_teams_are_changed_on_the_version_that_was_read(rig: Rig) -> None:
    assert rig.ask("PUT", "/teams/pay", ADMINS, PAY)[0] == 201
    held = rig.raw("GET", "/teams/pay", ADMINS)
    assert rig.ask("PUT", "/teams/pay", ADMINS, {**PAY, "title": "x"})[0] == 428
    tag = held["headers"]["ETag"]
    assert rig.ask("PUT", "/teams/pay", ADMINS, {**PAY, "title": "x"}, headers={"If-Match": tag})[0] == 200
    assert rig.ask("PUT", "/teams/pay", ADMINS, PAY, headers={"If-Match": tag})[0] == 412
    assert rig.ask("PUT", "/teams/pay", ADMINS, PAY, headers={"If-None-Match": "*"})[0] == 412
    assert rig.ask("GET", "/teams/pay", ADMINS)[1]["author"] == ADMINS


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a tie with another team": ({"owns": [{"service": "shop"}]}, "is as specific as owns[0] of team other"),
    "a rule for everything": ({"owns": [{"service": "*"}]}, "names nothing"),
    "another team's name": ({"team": "else"}, "another team than the address"),
    "a misspelt member": ({"own": []}, "did you mean 'owns'"),
    "a misspelt selector": ({"owns": [{"servise": "x"}]}, "did you mean 'service'"),
    "every role": ({"roles": ["*"]}, "does not match"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_a_team_may_not_be(rig: Rig, what: str) -> None:
    body, message = REFUSED[what]
    assert rig.ask("PUT", "/teams/other", ADMINS, {"owns": [{"service": "shop"}]})[0] == 201
    status, answer = rig.ask("PUT", "/teams/pay", ADMINS, body)
    assert status == 422
    assert message in str(answer)
    assert rig.ask("GET", "/teams/pay", ADMINS)[0] == 404


def test_who_sees_one_team_gives_it_nothing_whatever_their_capabilities(rig: Rig) -> None:
    """Rules decide about every team's services, and a comparison names them."""
    assert rig.ask("PUT", "/teams/other", ADMINS, {"owns": [{"service": "shop"}]})[0] == 201
    before = operations(rig, ADMINS)
    for method, path, body in (
        ("PUT", f"/teams/{LEAD}", {"owns": [{"service": "shop"}]}),
        ("PUT", "/teams/other", {"owns": [{"service": "else"}]}),
        ("POST", f"/teams/{LEAD}/compare", {"owns": [{"service": "b*"}]}),
        ("DELETE", "/teams/other", None),
    ):
        status, answer = rig.ask(method, path, LEAD, body, headers={"If-Match": "*"})
        assert (status, answer["remedy"]) == (403, "Ask somebody whose role has apisec_all_teams.")
    assert operations(rig, ADMINS) == before


def test_a_damaged_document_shows_nobody_anything_until_it_is_mended(rig: Rig) -> None:
    rig.kv.fill("apisec_teams", {"_key": "pay", "version": 1, "owns": "everything"})
    for who in (COMMERCE, ADMINS):
        status, body = rig.ask("GET", "/operations", who)
        assert (status, "pay: owns: must be a list" in body["detail"]) == (503, True), body
    assert rig.ask("PUT", "/teams/pay", ADMINS, PAY, headers={"If-Match": "*"})[0] == 200
    assert len(operations(rig, COMMERCE)) == 2


def test_state_comes_in_pages_that_hold_at_least_one_document(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = rig.ask("GET", "/state/apisec_inventory", COMMERCE)[1]["items"]
    for limit, most in ((1, 10**9), (2, 10**9), (1000, 1)):
        monkeypatch.setattr(state, "MAX_BYTES", most)
        found: list[Any] = []
        cursor = ""
        while True:
            page = rig.ask("GET", f"/state/apisec_inventory?limit={limit}{cursor}", COMMERCE)[1]
            assert 1 <= len(page["items"]) <= (limit if most > 1 else 1)
            found += page["items"]
            if not page["next"]:
                break
            cursor = f"&cursor={page['next']}"
        assert found == whole
        keys, found = [one["_key"] for one in whole], []
        while keys:
            page = rig.ask("POST", "/state/apisec_inventory/find", COMMERCE, {"keys": keys})[1]
            assert page["items"], "at least one"
            found, keys = [*found, *page["items"]], page["left"]
        assert found == whole


def test_the_longest_names_lead_to_the_next_page(rig: Rig) -> None:
    """Traffic chooses them; the inventory keeps 512 characters of each, in any script."""
    for n in range(3):
        service, operation = "字" * 512, "ö" * 511 + str(n)
        about = {"service": service, "operation": operation, "team": COMMERCE, "servers": []}
        rig.kv.fill("apisec_inventory", {"_key": f"{service}|{operation}", **about})
    for path in ("/state/apisec_inventory?", "/operations?sort=-operation&", "/operations?sort=service&"):
        seen, cursor = 0, ""
        while True:
            status, page = rig.ask("GET", f"{path}limit=1{cursor}", COMMERCE)
            assert status == 200, page
            seen += len(page["items"])
            if not page["next"]:
                break
            cursor = f"&cursor={page['next']}"
        assert seen == 6


def test_state_gives_the_members_that_were_asked_for(rig: Rig) -> None:
    about = {"service": "shop", "operation": "X", "team": COMMERCE, "servers": []}
    rig.kv.fill("apisec_inventory", {"_key": "shop|X", **about, "watch": "w", "state": "s", "_user": "nobody"})
    asked = "/state/apisec_inventory?service=shop&operation=X"
    for more, members in (
        ("", {"_key", *about, "state"}),
        ("&omit=state", {"_key", *about}),
        ("&omit=state,servers", {"_key", "service", "operation", "team"}),
        ("&fields=state", {"_key", "state"}),
        ("&fields=service", {"_key", "service"}),
    ):
        (row,) = rig.ask("GET", asked + more, COMMERCE)[1]["items"]
        assert set(row) == members, more
    keys = {"keys": ["shop|X", "bank|POST /pay", "nothing"], "fields": ["state"]}
    found = rig.ask("POST", "/state/apisec_inventory/find", COMMERCE, keys)[1]["items"]
    assert found == [{"_key": "shop|X", "state": "s"}]


def test_what_is_said_of_every_service_concerns_everybody(rig: Rig) -> None:
    shared = {"_key": "1", "service": "*", "path": "a"}
    parts = [{"_key": str(n), "service": name, "operation": "GET /x*"} for n, name in ((2, "shop"), (3, "bank"))]
    rig.kv.fill("apisec_overrides", shared, *parts)
    assert [one["_key"] for one in rig.ask("GET", "/state/apisec_overrides", COMMERCE)[1]["items"]] == ["1", "2"]
    assert [one["_key"] for one in rig.ask("GET", "/state/apisec_overrides", FINANCE)[1]["items"]] == ["1", "3"]


@pytest.mark.parametrize("collection", ["apisec_bundles", "apisec_teams", "apisec_paths", "_users", "..%2F.."])
def test_other_collections_are_not_there(rig: Rig, collection: str) -> None:
    assert rig.ask("GET", f"/state/{collection}", COMMERCE)[0] == 404
    assert rig.ask("POST", f"/state/{collection}/find", COMMERCE, {"keys": ["a"]})[0] == 404
