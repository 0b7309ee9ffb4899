"""The app's REST API as clients of a Splunk meet it: addresses and namespaces, roles, searches, the audit event."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.core.inventory.events import event
from tests.support.splunk import Splunk

pytestmark = pytest.mark.app
BASE = "/services/apisec/v1"
PASSWORD = "a-long-password"


def ask(splunk: Splunk, method: str, path: str, **more: Any) -> requests.Response:
    http = splunk.rest._http
    return http.request(method, splunk.target.url + path, timeout=60, **more)


@pytest.fixture(scope="module")
def shop(module_splunk: Splunk) -> Splunk:
    """A Splunk with an operation of the test's own, and a change of it."""
    from apisec.endpoints.inventory import Inventory

    inventory = Inventory()
    for n in range(60):
        inventory.add(event(service=module_splunk.service, time=module_splunk.now() - n))
    module_splunk.put({"apisec_inventory": inventory.to_documents()})
    change = {
        "id": module_splunk.own("c1"), "time": round(module_splunk.now() - 60, 3), "change": "sensitive_field",
        "severity": "high", "service": "shop", "team": "red", "operation": "GET /orders/{order_id}",
        "before": "none of 60", "after": "pii.ssn", "reason": "This endpoint now returns SSNs.", "count": 3,
    }  # fmt: skip
    module_splunk.hec([module_splunk._envelope(module_splunk.event(change), "apisec:change")])
    return module_splunk


@pytest.mark.parametrize("base", [BASE, "/servicesNS/nobody/apisec/apisec/v1", "/servicesNS/-/-/apisec/v1"])
def test_one_address_in_every_namespace(shop: Splunk, base: str) -> None:
    answer = ask(shop, "GET", f"{base}/operations/", params={"service": shop.service, "output_mode": "json"})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    (row,) = answer.json()["items"]
    again = ask(shop, "GET", f"{base}/operations/{row['id']}")
    tag = again.headers["ETag"]
    assert again.json()["operation"] == "GET /orders/{order_id}"
    unchanged = ask(shop, "GET", f"{base}/operations/{row['id']}", headers={"If-None-Match": tag})
    assert (unchanged.status_code, unchanged.content, unchanged.headers["ETag"]) == (304, b"", tag)


def test_methods_on_the_wire(shop: Splunk) -> None:
    head = ask(shop, "HEAD", f"{BASE}/whoami")
    assert (head.status_code, head.content) == (200, b"")
    wrong = ask(shop, "DELETE", f"{BASE}/whoami")
    assert (wrong.status_code, wrong.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")
    assert wrong.headers["Content-Type"] == "application/problem+json"
    form = ask(shop, "POST", f"{BASE}/services/{shop.service}/paths:pin", data={"word": "x"})
    assert form.status_code == 415
    bare = requests.get(shop.target.url + BASE + "/whoami", verify=shop.target.ca or True, timeout=60)
    assert bare.status_code == 401


def test_changes_are_those_that_the_callers_search_finds(shop: Splunk) -> None:
    def found() -> list[dict[str, Any]]:
        answer = ask(shop, "GET", f"{BASE}/changes", params={"service": shop.service})
        assert answer.status_code == 200, answer.text
        return list(answer.json()["items"])

    (row,) = shop.wait(found, "the change")
    assert (row["change"], row["reason"]) == ("sensitive_field", "This endpoint now returns SSNs.")
    (operation,) = ask(shop, "GET", f"{BASE}/operations", params={"service": shop.service}).json()["items"]
    assert row["operation_id"] == operation["id"]


def test_a_change_is_an_audit_event_that_can_be_searched(shop: Splunk) -> None:
    from apisec.endpoints.learning import PathModel

    model = PathModel()
    for n in range(5):
        model.add_event(event(service=shop.service, uri_path=f"/orders/{n}"))
    learned = {"_key": shop.service, "version": 1, "service": shop.service, "through": 1.0, "state": model.to_state()}
    shop.put({"apisec_paths": [learned]})
    shop.undo(lambda: shop.put({"apisec_path_pins": []}))
    pin = {"place": [], "word": "orders", "meaning": "fixed", "reason": "it is a page"}
    answer = ask(shop, "POST", f"{BASE}/services/{shop.service}/paths:pin", json=pin)
    assert answer.status_code == 202, answer.text

    def rows() -> list[dict[str, Any]]:
        return shop.search(f'`apisec_index` sourcetype="apisec:audit" "{shop.service}"', latest="+1h")

    (row,) = shop.wait(rows, "the audit event")
    event_ = json.loads(row["_raw"])
    assert (event_["call"], event_["reason"], event_["status"]) == ("pinWord", "it is a page", "success")
    assert (row["action"], row["object"], row["change_type"]) == ("modified", f"paths of {shop.service}", "API")


@pytest.fixture
def outsider(shop: Splunk) -> Iterator[Splunk]:
    """Somebody without any role of apisec."""
    name = shop.own("outsider")
    shop._make("/services/authentication/users", {"name": name, "password": PASSWORD, "roles": "user"})
    one = Splunk(shop.target.as_user(name, PASSWORD))
    yield one
    one.close()


@pytest.mark.standin
def test_who_has_no_role_of_apisec_gets_nothing(shop: Splunk, outsider: Splunk) -> None:
    assert ask(outsider, "GET", f"{BASE}/whoami").json()["capabilities"] == []
    assert ask(outsider, "GET", f"{BASE}/operations").status_code == 403
    assert ask(outsider, "GET", f"{BASE}/operations", params={"service": shop.service}).status_code == 403
