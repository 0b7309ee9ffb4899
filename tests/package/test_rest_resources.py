"""What the app's REST API gives: services, operations, fields, learned paths, performance, drift, changes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from apisec_app.kvstore import DELTAS, PATHS, Collection
from apisec_app.pins import PATH_PINS, PathPins, Said
from apisec_app.refresh.paths import Paths
from openapi_spec_validator import validate

from apisec.endpoints.learning import PathModel
from tests.package.rest_rig import IDS, NOW, ORDERS, PROFILES, REFUND, TRANSFER, Rig


@pytest.fixture
def rig() -> Rig:
    return Rig()


def names(rows: list[dict[str, Any]], name: str = "operation") -> list[str]:
    return sorted({row[name] for row in rows})


# Who sees what


READS = (
    "/services", "/operations", "/services/shop/fields", "/services/shop/performance", "/services/shop/hours",
    "/services/shop/regressions", "/services/shop/paths", "/services/shop/paths/changes", "/drift",
)  # fmt: skip


@pytest.mark.parametrize("path", READS)
@pytest.mark.parametrize("who", ["ann", "bob"])
def test_a_teams_list_holds_nothing_of_another(rig: Rig, path: str, who: str) -> None:
    text = json.dumps(rig.get(path, who))
    others = {"ann": ("refunds", "transfers", "bank", "blue"), "bob": ("orders", "users", '"red"')}[who]
    assert not [word for word in others if word in text]


@pytest.mark.parametrize(
    "path",
    ["", "/openapi", "/fields", "/paths", "/paths/changes", "/paths/pins", "/performance", "/regressions", "/hours"],
)
def test_another_teams_service_is_as_one_that_is_not_there(rig: Rig, path: str) -> None:
    theirs, nobodys = rig.ask("GET", f"/services/bank{path}"), rig.ask("GET", f"/services/nothing{path}")
    assert theirs == nobodys
    assert theirs[0] == 404


@pytest.mark.parametrize("path", ["", "/fields", "/classification"])
def test_another_teams_operation_is_as_one_that_is_not_there(rig: Rig, path: str) -> None:
    theirs, nobodys = (
        rig.ask("GET", f"/operations/{IDS[TRANSFER]}{path}"),
        rig.ask("GET", f"/operations/{'0' * 16}{path}"),
    )
    assert theirs == nobodys
    assert theirs[0] == 404
    assert rig.ask("GET", f"/operations/{IDS[TRANSFER]}{path}", "bob")[0] == 200


def test_a_rule_of_ownership_counts_at_once(rig: Rig) -> None:
    assert names(rig.items("/operations", "bob")) == [REFUND, TRANSFER]
    team = {"_key": "blue", "version": 1, "owns": [{"service": "shop", "path": "/orders/**"}]}
    rig.kv.fill("apisec_teams", team)
    assert names(rig.items("/operations", "bob")) == [ORDERS, REFUND, TRANSFER]
    assert names(rig.items("/operations")) == [PROFILES]
    assert rig.ask("GET", f"/operations/{IDS[ORDERS]}")[0] == 404
    assert {row["team"] for row in rig.items("/operations?operation=GET /orders/{order_id}", "root")} == {"blue"}


# Services and operations


def test_a_service_is_summed_up_over_what_its_caller_sees(rig: Rig) -> None:
    (mine,) = rig.items("/services")
    assert (mine["service"], mine["teams"], mine["operations"], mine["count"]) == ("shop", ["red"], 2, 120)
    assert (mine["data_classes"], mine["level"], mine["specs"]) == (["pii.email"], "confidential", ["shop.yaml"])
    assert rig.get("/services/shop") == mine
    whole = rig.get("/services/shop", "root")
    assert (whole["teams"], whole["operations"], whole["count"]) == (["blue", "red"], 3, 180)


def test_services_are_sorted_by_how_closely_their_data_has_to_be_held(rig: Rig) -> None:
    for held in list(rig.kv.rows("apisec_inventory")):
        if held["service"] == "bank":
            rig.kv.fill("apisec_inventory", {**held, "level": "restricted"})
    assert [row["level"] for row in rig.items("/services?sort=-level", "root")] == ["restricted", "confidential"]
    assert [row["service"] for row in rig.items("/services?level=restricted", "root")] == ["bank"]


def test_operations_are_filtered_sorted_and_paged(rig: Rig) -> None:
    assert names(rig.items("/operations", "root")) == [ORDERS, PROFILES, REFUND, TRANSFER]
    assert names(rig.items("/operations?team=blue&service=shop", "root")) == [REFUND]
    assert names(rig.items("/operations?http_method=POST&data_classes=pii.email", "root")) == [REFUND, TRANSFER]
    assert rig.items("/operations?auth=none", "root") == []
    assert names(rig.items(f"/operations?seen_after={NOW - 7200 + 30}", "root")) == [ORDERS, PROFILES, TRANSFER]
    first = rig.get("/operations?sort=-response_time_p95&limit=1", "root")
    assert names(first["items"]) == [TRANSFER]
    rest = rig.get(f"/operations?sort=-response_time_p95&limit=9&cursor={first['next']}", "root")
    assert (len(rest["items"]), rest["next"]) == (3, None)
    assert rig.ask("GET", f"/operations?sort=count&cursor={first['next']}", "root")[0] == 422


def test_one_operation_has_everything(rig: Rig) -> None:
    one = rig.get(f"/operations/{IDS[ORDERS]}")
    assert (one["operation"], one["team"], one["count"], one["statuses"]) == (ORDERS, "red", 60, {"200": 60})
    messages = {message["message"]: message for message in one["messages"]}
    assert messages["200"]["messages"] == 60
    email = next(field for field in messages["200"]["fields"] if field["path"] == "email")
    assert (email["classes"], email["presence"]) == (["pii.email"], 1.0)
    assert [hour["count"] for hour in one["performance"]["hours"]] == [60]
    assert "state" not in one


def test_a_damaged_document_is_told_and_not_shown(rig: Rig) -> None:
    held = rig.kv.collections["apisec_inventory"][f"shop|{ORDERS}"]
    rig.kv.fill("apisec_inventory", {**held, "state": "{"})
    status, problem = rig.ask("GET", f"/operations/{IDS[ORDERS]}")
    assert (status, problem["title"]) == (422, "Unacceptable document")
    whole = {"service": "shop", "path": "email", "class": "pii.name", "reason": "a level to find anew"}
    assert rig.ask("POST", "/overrides", "ann", whole)[0] == 201
    for level in ("internal", "else", None):  # what was noted of it counts, where that is a level; else the highest
        rig.kv.fill("apisec_inventory", {**held, "state": "{", "level": level})
        levels = {row["operation"]: row["level"] for row in rig.items("/operations")}
        assert levels == {ORDERS: level if level == "internal" else "restricted", PROFILES: "confidential"}
        assert rig.get("/services/shop")["operations"] == 2


def test_what_was_discovered_is_an_openapi_document_of_ones_own_operations(rig: Rig) -> None:
    document = rig.get("/services/shop/openapi")
    validate(document)
    assert sorted(document["paths"]) == ["/orders/{order_id}", "/users/{user_id}/profile"]
    assert "/refunds" in rig.get("/services/shop/openapi", "root")["paths"]
    rig.now += 3600
    assert rig.get("/services/shop/openapi") == document


# Fields


def test_fields_are_told_with_what_says_so(rig: Rig) -> None:
    (email,) = rig.items("/services/shop/fields?path=email&operation=GET /orders/{order_id}")
    assert (email["class"], email["source"], email["level"], email["message"]) == (
        "pii.email", "traffic", "confidential", "200",
    )  # fmt: skip
    assert email["operation_id"] == IDS[ORDERS]
    assert rig.items(f"/operations/{IDS[ORDERS]}/fields?class=pii.email") == [email]
    assert {row["level"] for row in rig.items("/services/shop/fields")[:2]} == {"confidential"}


def test_an_override_counts_and_its_contradiction_is_told(rig: Rig) -> None:
    said = {"service": "shop", "path": "email", "class": "none", "reason": "of test accounts"}
    assert rig.ask("POST", "/overrides", "ann", said)[0] == 201
    rows = rig.items("/services/shop/fields?conflict=true")
    assert {(row["class"], row["source"]) for row in rows} == {("none", "override")}
    assert "traffic shows pii.email" in rows[0]["conflict"]
    assert rig.get(f"/operations/{IDS[ORDERS]}/classification")["conflicts"]


def test_what_an_operation_handles(rig: Rig) -> None:
    found = rig.get(f"/operations/{IDS[ORDERS]}/classification")
    assert (found["operation"], found["level"]) == (ORDERS, "confidential")


# Learned paths


PIN = {"place": ["users"], "word": "useraax", "meaning": "fixed", "reason": "a page of its own"}


def test_templates_are_told_with_their_evidence(rig: Rig) -> None:
    rows = rig.items("/services/shop/paths")
    assert names(rows) == [ORDERS, PROFILES]
    profile = next(row for row in rows if row["operation"] == PROFILES)
    assert profile["evidence"][0]["why"]


def test_a_service_of_which_no_paths_are_learned_has_none_and_takes_pins(rig: Rig) -> None:
    rig.kv.collections["apisec_paths"].clear()
    assert rig.items("/services/bank/paths", "bob") == []
    assert rig.items("/services/bank/paths/changes", "bob") == []
    assert rig.ask("POST", "/services/bank/paths:pin", "bob", PIN)[0] == 202
    assert [one["word"] for one in rig.get("/services/bank/paths/pins", "bob")["pins"]] == [PIN["word"]]


def refresh(rig: Rig) -> PathModel:
    """Return what the next refresh decides."""
    pins = PathPins(Collection(rig.kv, PATH_PINS))
    return Paths(Collection(rig.kv, PATHS), Collection(rig.kv, DELTAS), pins).load(NOW, rig.now)


def test_a_pinned_word_counts_with_the_next_refresh_and_until_it_is_taken_back(rig: Rig) -> None:
    path = "GET /users/useraax/profile"
    assert refresh(rig).rename("shop", path) == PROFILES
    answer = rig.raw("POST", "/services/shop/paths:pin", "root", PIN)
    assert answer["status"] == 202
    assert rig.raw("GET", "/services/shop/paths/pins", "root")["headers"]["ETag"] == answer["headers"]["ETag"]
    assert refresh(rig).rename("shop", path) == path
    rig.now -= 1
    assert refresh(rig).rename("shop", path) == PROFILES, "a window that ended before is done again with its names"
    rig.now += 2
    assert path in names(rig.items("/services/shop/paths", "root"))
    taken = {name: PIN[name] for name in ("place", "word", "reason")}
    assert rig.ask("POST", "/services/shop/paths:unpin", "root", taken) == (202, {"pins": []})
    assert refresh(rig).rename("shop", path) == PROFILES
    assert rig.ask("POST", "/services/shop/paths:unpin", "root", taken)[0] == 404


def test_two_people_do_not_overwrite_each_other(rig: Rig) -> None:
    seen = {"If-Match": rig.raw("GET", "/services/shop/paths/pins", "root")["headers"]["ETag"]}
    assert rig.ask("POST", "/services/shop/paths:pin", "root", PIN, seen)[0] == 202
    assert rig.ask("POST", "/services/shop/paths:pin", "root", {**PIN, "word": "other"}, seen)[0] == 412
    assert [pin["word"] for pin in rig.get("/services/shop/paths/pins", "root")["pins"]] == ["useraax"]


def test_who_pins_another_word_at_the_same_moment_keeps_it(rig: Rig) -> None:
    """Both have read what was said before, and each writes what they say."""
    store = PathPins(Collection(rig.kv, PATH_PINS))
    one, two = Said("shop"), Said("shop")
    one.pin(("users",), "me", "fixed", NOW)
    two.pin(("users",), "all", "fixed", NOW)
    store.save(one)
    store.save(two)
    assert [pin["word"] for pin in rig.get("/services/shop/paths/pins", "root")["pins"]] == ["all", "me"]


def test_a_merge_is_undone_once(rig: Rig) -> None:
    (merge,) = rig.items("/services/shop/paths/changes?kind=merge")
    assert merge["after"] == "/users/{}/profile"
    body = {"number": merge["number"], "reason": "these are pages"}
    status, pins = rig.ask("POST", "/services/shop/paths:undo", "root", body)
    assert (status, {pin["meaning"] for pin in pins["pins"]}) == (202, {"fixed"})
    model = refresh(rig)
    assert model.rename("shop", "GET /users/useraax/profile") == "GET /users/useraax/profile"
    assert rig.ask("POST", "/services/shop/paths:undo", "root", body)[0] == 409
    assert rig.ask("POST", "/services/shop/paths:undo", "root", {**body, "number": 999})[0] == 404
    (undone,) = rig.items("/services/shop/paths/changes?kind=undo", "root")
    assert (undone["author"], undone["why"]) == ("root", [f"change {merge['number']}"])


def test_a_template_of_no_operation_is_for_who_sees_the_whole_service(rig: Rig) -> None:
    del rig.kv.collections["apisec_inventory"][f"shop|{PROFILES}"]
    assert names(rig.items("/services/shop/paths")) == [ORDERS]
    assert rig.items("/services/shop/paths/changes") == []
    assert names(rig.items("/services/shop/paths", "root")) == [ORDERS, PROFILES, REFUND]


def test_paths_that_other_teams_share_are_not_one_teams_to_pin(rig: Rig) -> None:
    status, problem = rig.ask("POST", "/services/shop/paths:pin", "ann", PIN)
    assert (status, rig.kv.collections.get(PATH_PINS)) == (403, None)
    assert "belong to other teams" in problem["detail"]
    del rig.kv.collections["apisec_inventory"][f"shop|{REFUND}"]
    assert rig.ask("POST", "/services/shop/paths:pin", "ann", PIN)[0] == 202
    assert rig.ask("POST", "/services/shop/paths:pin", "bob", PIN)[0] == 404


def test_damaged_pins_are_told(rig: Rig) -> None:
    rig.kv.fill(PATH_PINS, {"_key": "shop|pin|x", "version": 1, "service": "shop", "kind": "pin", "place": ["x"]})
    status, problem = rig.ask("GET", "/services/shop/paths/pins")
    assert status == 422
    assert "apisec_path_pins shop|pin|x" in problem["detail"]


# Performance


def test_the_slowest_come_first(rig: Rig) -> None:
    (bank,) = rig.items("/services/bank/performance", "bob")
    assert (bank["operation"], bank["count"], bank["waited"]) == (TRANSFER, 60, pytest.approx(54, rel=0.02))
    assert names(rig.items("/services/shop/performance?operation=GET /orders/{order_id}")) == [ORDERS]


def test_hours_have_a_row_for_each_operation(rig: Rig) -> None:
    rows = rig.items("/services/shop/hours", "root")
    assert (len(rows), {row["time"] for row in rows}) == (3, {NOW - 7200})
    assert len({row["id"] for row in rows}) == 3


def test_what_became_slower_is_told(rig: Rig) -> None:
    from apisec.endpoints.inventory import Inventory
    from tests.core.inventory.events import event

    inventory = Inventory()
    for version, cost in (("1", 10.0), ("2", 400.0)):
        for n in range(80):
            at = NOW + n + (1000 if version == "2" else 0)
            inventory.add(event(time=at, uri_query=f"api-version={version}", response_time=cost + n % 5))
    rig.kv.fill("apisec_inventory", *inventory.to_documents())
    rows = rig.items("/services/shop/regressions?kind=latency")
    assert {(row["version"], row["previous_version"]) for row in rows} == {("2", "1")}
    assert all(row["reason"] for row in rows)
    assert rig.items("/services/shop/regressions?kind=failures") == []


# Drift


def test_drift_is_compared_when_it_is_asked_for(rig: Rig) -> None:
    rows = rig.items("/drift")
    kinds = {(row["kind"], row["operation"]) for row in rows}
    assert ("shadow", PROFILES) in kinds
    assert {row["team"] for row in rows} == {"red"}
    severities = [row["severity"] for row in rows]
    assert severities == sorted(severities, key=["critical", "high", "medium", "low", "info"].index)
    assert names(rig.items("/drift?kind=shadow", "root")) == [PROFILES, REFUND]
    assert rig.items("/drift?service=bank", "root") == []
    assert {row["severity"] for row in rig.items("/drift?severity=high", "root")} <= {"critical", "high"}


def test_a_document_that_cannot_be_compared_leaves_the_others_alone(rig: Rig) -> None:
    (spec,) = rig.kv.rows("apisec_specs")
    rig.kv.fill("apisec_specs", {**spec, "_key": "spec|bank|x|1", "service": "bank", "body": "damaged"})
    found = rig.get("/drift", "root")
    assert found["items"]
    assert [one["service"] for one in found["left_out"]] == ["bank"]
    assert rig.get("/drift")["left_out"] == []


# Changes


def told(number: int, **changes: Any) -> dict[str, Any]:
    base = {
        "id": f"c{number}", "time": NOW - number, "change": "sensitive_field", "severity": "high", "service": "shop",
        "team": "red", "operation": ORDERS, "before": "none of 60", "after": "pii.ssn", "reason": "an SSN", "count": 3,
        "data_class": "pii.ssn",
    }  # fmt: skip
    return {**base, **changes}


def test_changes_are_found_by_a_search_of_the_caller(rig: Rig) -> None:
    rig.kv.fill("apisec_teams", {"_key": "red", "version": 1, "index": "apisec_red", "owns": []})
    rig.found = [
        told(2), told(1, id="c1", severity="low", change="operation_new"), told(2),
        told(3, id="c3", service="bank", operation=TRANSFER, team="blue"),  # of an index that ann should not have
        {"no": "change"},
    ]  # fmt: skip
    found = rig.get('/changes?service=a"b\\*')
    assert found == {"items": [], "next": None, "complete": True}
    (search,) = rig.searches
    assert search["user"] == "ann"
    assert '(`apisec_index` OR index="apisec_red") sourcetype="apisec:change" service="a\\"b\\\\*"' in search["spl"]
    assert (search["earliest_time"], search["latest_time"]) == (f"{NOW + 1 - 86400:.0f}", f"{NOW + 1:.0f}")
    rows = rig.items("/changes")
    assert [row["id"] for row in rows] == ["c1", "c2"]
    assert rows[1]["operation_id"] == IDS[ORDERS]
    assert [row["id"] for row in rig.items("/changes?severity=medium&data_class=pii.ssn")] == ["c2"]
    assert [row["id"] for row in rig.items("/changes", "root")] == ["c1", "c2", "c3"]
    rule = {"service": "shop", "path": "/orders/**"}
    rig.kv.fill("apisec_teams", {"_key": "blue", "version": 1, "owns": [rule]})
    assert rig.items("/changes") == []  # the events are ann's index's, and the operation another team's by now


@pytest.mark.parametrize("query", ["since=5&until=4", "since=1&until=9000000"])
def test_changes_of_no_time_or_too_long_a_time_are_refused(rig: Rig, query: str) -> None:
    assert rig.ask("GET", f"/changes?{query}")[0] == 422
    assert rig.searches == []


def test_a_search_that_fails_is_told(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    from tests.package import rest_rig

    failed = json.dumps({"messages": [{"type": "FATAL", "text": "no quota"}]}).encode()
    monkeypatch.setattr(rest_rig.User, "export", lambda *_, **__: io.BytesIO(failed))
    status, problem = rig.ask("GET", "/changes")
    assert (status, problem["detail"]) == (502, "the search failed: no quota")


def test_whoami_says_what_a_client_needs_to_know(rig: Rig) -> None:
    assert rig.get("/whoami") == {
        "user": "ann", "roles": ["apisec_team_red"], "teams": ["red"], "everything": False,
        "capabilities": ["apisec_classify", "apisec_read", "apisec_triage"],
    }  # fmt: skip
