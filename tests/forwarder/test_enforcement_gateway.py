"""Block patterns at a real Envoy: who is asked, who is refused, what cannot be evaded, and what passes when we fail."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from tests.forwarder.decisions_rig import Rig, pattern
from tests.support.waiting import until

pytestmark = [pytest.mark.gateway, pytest.mark.timeout(120)]

BOT = {"user-agent": "sqlmap/1.7"}


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with Rig(whole=True) as made:
        yield made


@pytest.fixture
def empty(rig: Rig) -> Iterator[Rig]:
    """The rig without patterns, before and after."""
    yield rig
    for row in rig.admin("GET", "/v1/patterns").json()["patterns"]:
        assert rig.admin("DELETE", f"/v1/patterns/{row['id']}").status_code == 204


def push(rig: Rig, detection: dict[str, Any], mode: str = "enforce", **extension: Any) -> str:
    """Put a pattern and return its id once Envoy has taken over the rules."""
    made = pattern(str(uuid.uuid4()), detection, mode, **extension)
    answer = rig.put(made)
    assert answer.status_code == 201, answer.text
    return str(made["id"])


def refused(rig: Rig, method: str, path: str, headers: dict[str, str] | None = None) -> bool:
    return rig.ask(method, path, headers)[0] == 403


def by_bots(operation: str = "GET /orders/{order_id}") -> dict[str, Any]:
    """Asked about, not held: the gateway cannot see ids of objects."""
    agent = {"http_user_agent|contains": "sqlmap", "object_ids.order_id": "17"}
    return {"selection": {"operation": operation, **agent}, "condition": "selection"}


def test_selected_requests_are_asked_about_and_others_are_not(empty: Rig) -> None:
    push(empty, by_bots())
    until(lambda: refused(empty, "GET", "/orders/17", BOT), 5)
    before = empty.decisions()["call_outs"]
    for path in ("/admin/export", "/orders", "/orders/17/invoice", "/cart?next=/orders/17"):
        assert empty.ask("GET", path)[0] == 200
    assert empty.ask("POST", "/orders/17", body=b"{}")[0] == 200
    assert empty.decisions()["call_outs"] == before
    assert empty.ask("GET", "/orders/18")[0] == 200
    assert empty.decisions()["call_outs"] == before + 1


def test_a_refusal_names_its_pattern(empty: Rig) -> None:
    identity = push(empty, by_bots())
    until(lambda: refused(empty, "GET", "/orders/17", BOT), 5)
    status, headers, body = empty.ask("GET", "/orders/17", BOT)
    assert (status, headers["x-apisec-pattern"]) == (403, identity)
    assert json.loads(body) == {"error": "blocked", "pattern": identity}


EVASIONS = [
    "/orders/17/", "/Orders/17", "/ORDERS/17", "//orders/17", "/orders//17", "/%6frders/17", "/%6Frders/%317",
    "/orders%2f17", "/orders%5c17", "/orders\\17", "/orders;v=1/17", "/orders/17;v=1", "/x/../orders/17",
    "/x/%2e%2e/orders/17", "/orders/./17", "/orders/17?x=1", "/%256frders/17", "/Orders;a/17/?q",
]  # fmt: skip


def test_no_spelling_of_the_path_evades_the_call_out(empty: Rig) -> None:
    push(empty, by_bots())
    until(lambda: refused(empty, "GET", "/orders/17", BOT), 5)
    passed = [path for path in EVASIONS if not refused(empty, "GET", path, BOT)]
    assert passed == []
    assert empty.ask("get", "/orders/17", BOT)[0] == 400, "Envoy takes methods in upper case only"


def test_no_spelling_evades_what_the_gateway_holds(empty: Rig) -> None:
    identity = push(empty, {"s": {"operation": "GET /orders/{order_id}"}, "condition": "s"})
    until(lambda: refused(empty, "GET", "/orders/17"), 5)
    state = empty.admin("GET", f"/v1/patterns/{identity}").json()
    assert state["held_by_gateway"] is True
    before = empty.decisions()["call_outs"]
    status, headers, _ = empty.ask("GET", "/orders/17")
    assert (status, headers["x-apisec-pattern"]) == (403, identity)
    assert empty.decisions()["call_outs"] == before, "Envoy refuses it by itself"
    passed = [path for path in EVASIONS if not refused(empty, "GET", path)]
    assert passed == []
    assert empty.ask("GET", "/orders/search")[0] == 200, "another operation of the same form"
    assert empty.ask("POST", "/orders/17", body=b"")[0] == 200


def test_a_held_user_agent(empty: Rig) -> None:
    agent = {"http_user_agent|startswith": ["SQLMap/", "nikto"]}
    identity = push(empty, {"s": {"operation": "GET /admin/export", **agent}, "condition": "s"})
    until(lambda: refused(empty, "GET", "/admin/export", BOT), 5)
    assert empty.admin("GET", f"/v1/patterns/{identity}").json()["held_by_gateway"] is True
    assert empty.ask("GET", "/admin/export", {"user-agent": "curl/8"})[0] == 200
    assert empty.ask("GET", "/admin/export")[0] == 200


def test_principals_are_the_same_tokens_in_call_out_and_copy(empty: Rig) -> None:
    """The heart of blocking by principal: the pattern carries the token that the copy showed."""
    who = [
        {"authorization": "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4iLCJzaWQiOiJzMSJ9.c2ln"},
        {"authorization": "Basic YW5uOnNlY3JldA=="},
        {"x-api-key": "k-4f9a8b7c6d5e4f3a2b1c"},
        {"cookie": "theme=dark; session=8f14e45fceea167a5a36dedd4bea2543"},
        {"user-agent": "Mozilla/5.0 (X11; Linux x86_64)"},
        {},
    ]
    paths = [f"/orders/9{index}" for index in range(len(who))]
    for headers, path in zip(who, paths, strict=True):
        assert empty.ask("GET", path, headers)[0] == 200
    events = until(lambda: _events(empty, set(paths)), 10)
    tokens = [events[path]["principal"] for path in paths]
    assert len(set(tokens)) == len(who), "each is someone else"
    for index, headers in enumerate(who):
        identity = push(
            empty, {"s": {"operation": "GET /orders/{order_id}", "principal": tokens[index]}, "condition": "s"}
        )
        until(partial(refused, empty, "GET", "/orders/17", headers), 5)
        answers = [refused(empty, "GET", "/orders/17", other) for other in who]
        assert answers == [other is headers for other in who]
        empty.admin("DELETE", f"/v1/patterns/{identity}")


def _events(rig: Rig, paths: set[str]) -> dict[str, dict[str, Any]]:
    found = {e["event"]["uri_path"]: e["event"] for e in rig.spooled() if "uri_path" in e["event"]}
    return found if paths <= set(found) else {}


def test_a_client_cannot_choose_its_address_or_fingerprint(empty: Rig) -> None:
    """Patterns that refuse the forged values never do; one that refuses the true address does."""
    for forged in ({"src": "6.6.6.6"}, {"ja4": "forged"}):
        push(empty, {"s": {"operation": "GET /orders/{order_id}", **forged}, "condition": "s"})
    headers = {"x-apisec-address": "6.6.6.6", "X-APISEC-JA4": "forged", "x-apisec-subject": "CN=admin"}
    before = empty.decisions()["call_outs"]
    until(lambda: empty.ask("GET", "/orders/17", headers)[0] == 200 and empty.decisions()["call_outs"] > before, 5)
    assert empty.ask("GET", "/orders/17", headers)[0] == 200
    true = push(empty, {"s": {"operation": "GET /orders/{order_id}", "src": "127.0.0.1"}, "condition": "s"})
    until(lambda: empty.ask("GET", "/orders/17", headers)[1].get("x-apisec-pattern") == true, 5)


def test_bodies_are_looked_into(empty: Rig) -> None:
    push(empty, {"s": {"operation": "POST /notes", "request_fields.path|endswith": "is_admin"}, "condition": "s"})
    sort = {"content-type": "application/json"}
    until(lambda: empty.ask("POST", "/notes", sort, b'{"user": {"is_admin": true}}')[0] == 403, 5)
    assert empty.ask("POST", "/notes", sort, b'{"text": "hello"}')[0] == 200
    large = b'{"text": "' + b"x" * 300_000 + b'"}'
    status, _, body = empty.ask("POST", "/notes", sort, large)
    assert (status, json.loads(body)["received"]) == (200, len(large)), "a body beyond the cap passes whole"


def test_an_injection_is_refused_by_its_signal(empty: Rig) -> None:
    push(empty, {"s": {"signals.detector|startswith": "injection."}, "condition": "s"})
    attack = "/orders/search?q=%27%20UNION%20SELECT%20password%20FROM%20users--%20"
    until(lambda: refused(empty, "GET", attack), 5)
    assert empty.ask("GET", "/orders/search?q=O%27Brien")[0] == 200


SKIP = {
    "confirm": {"operation": "POST /checkout/{checkout_id}/confirm"},
    "payment": {"operation": "POST /checkout/{checkout_id}/payment"},
    "condition": "confirm",
}


def test_a_skipped_step_is_refused_and_fast_ordinary_users_are_not(empty: Rig) -> None:
    requires = {"selection": "payment", "timespan": "10m", "warmup": "1s"}
    early = [{"x-api-key": f"early-{number}-0123456789abcdef"} for number in range(3)]
    for own in early:  # just before the push, so that their copies come after it
        assert empty.ask("POST", "/checkout/1/payment", own, b"{}")[0] == 200
    push(empty, SKIP, requires=requires)
    for own in early:
        assert empty.ask("POST", "/checkout/1/confirm", own, b"{}")[0] == 200
    attacker = {"x-api-key": "attacker-0123456789abcdef"}
    until(lambda: empty.ask("POST", "/checkout/9/confirm", attacker, b"{}")[0] == 403, 10)
    for own in early:
        assert empty.ask("POST", "/checkout/1/confirm", own, b"{}")[0] == 200
    for number in range(10):  # faster than the copy can be
        own = {"x-api-key": f"fast-{number}-0123456789abcdef"}
        link = empty.connection()
        assert empty.ask("POST", f"/checkout/{number}/payment", own, b"{}", link)[0] == 200
        assert empty.ask("POST", f"/checkout/{number}/confirm", own, b"{}", link)[0] == 200
        link.close()
    assert empty.ask("POST", "/checkout/9/confirm", attacker, b"{}")[0] == 403


def test_refusals_are_seen_in_the_copy_and_counted_once(empty: Rig) -> None:
    asked = push(empty, by_bots())
    until(lambda: refused(empty, "GET", "/orders/17", BOT), 5)
    held = push(empty, {"s": {"operation": "GET /admin/export"}, "condition": "s"})
    until(lambda: refused(empty, "GET", "/admin/export"), 5)
    empty.ask("GET", "/orders/17", BOT)

    def stats(identity: str) -> dict[str, Any]:
        found: dict[str, Any] = empty.admin("GET", f"/v1/patterns/{identity}/stats").json()
        return found

    def blocked(identity: str) -> list[dict[str, Any]]:
        events = [e["event"] for e in empty.spooled()]
        return [e for e in events if e.get("action") == "blocked" and e.get("pattern") == identity]

    until(lambda: stats(asked)["refused"]["enforce"] > 0 and stats(held)["refused"]["enforce"] > 0, 10)
    until(lambda: len(blocked(asked)) == stats(asked)["refused"]["enforce"] >= 2, 10)
    until(lambda: len(blocked(held)) == stats(held)["refused"]["enforce"] >= 1, 10)
    assert {e["decision"] for e in blocked(asked)} == {"block"}
    assert stats(asked)["seconds_from_change_to_first_refusal"] < 1.0


def test_a_pattern_expires_at_its_time(empty: Rig) -> None:
    for detection in (by_bots(), {"s": {"operation": "GET /admin/export"}, "condition": "s"}):
        made = pattern(str(uuid.uuid4()), detection)
        made["apisec"]["expires"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3))
        assert empty.put(made).status_code == 201
    until(lambda: refused(empty, "GET", "/orders/17", BOT) and refused(empty, "GET", "/admin/export"), 2.5)
    until(lambda: empty.ask("GET", "/orders/17", BOT)[0] == 200 and empty.ask("GET", "/admin/export")[0] == 200, 6)
    rows = empty.admin("GET", "/v1/patterns").json()["patterns"]
    assert {row["mode"] for row in rows} == {"expired"}
    changes = [e["event"]["change"] for e in empty.spooled() if e["sourcetype"] == "apisec:decision"]
    assert changes.count("expire") >= 2


def test_traffic_flows_when_decisions_die_and_they_remember_when_they_return(empty: Rig) -> None:
    requires = {"selection": "payment", "timespan": "10m", "warmup": "1s"}
    push(empty, SKIP, requires=requires)
    attacker, customer = {"x-api-key": "attacker-0123456789abcdef"}, {"x-api-key": "customer-0123456789abcdef"}
    until(lambda: empty.ask("POST", "/checkout/9/confirm", attacker, b"{}")[0] == 403, 10)
    before = empty.decisions()["observed"]
    assert empty.ask("POST", "/checkout/1/payment", customer, b"{}")[0] == 200
    until(lambda: empty.decisions()["observed"] > before, 10)
    empty.processes["control"].kill()
    assert empty.ask("POST", "/checkout/9/confirm", attacker, b"{}")[0] == 200, "fail open"
    late = {"x-api-key": "late-0123456789abcdef"}
    assert empty.ask("POST", "/checkout/2/payment", late, b"{}")[0] == 200, "paid while decisions were dead"
    empty.start_control()
    until(lambda: empty.ask("POST", "/checkout/9/confirm", attacker, b"{}")[0] == 403, 15)
    assert empty.ask("POST", "/checkout/1/confirm", customer, b"{}")[0] == 200
    assert empty.ask("POST", "/checkout/2/confirm", late, b"{}")[0] == 200
    assert [row["mode"] for row in empty.admin("GET", "/v1/patterns").json()["patterns"]] == ["enforce"]
