"""Every kind of difference is found where it is, and not where it is not."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any, Dict, List

import pytest

from apisec.endpoints.inventory import Inventory, OperationStats
from apisec.openapi.compare import DAY, Settings, compare
from apisec.openapi.drift import KINDS, Drift
from apisec.openapi.load import load
from tests.core.inventory.events import START, event, learned, principal

NOW = START + 60 * DAY
SCHEMA = {
    "type": "object",
    "required": ["state"],
    "properties": {"email": {"type": "string"}, "state": {"type": "string"}},
}
ANSWER = {"200": {"content": {"application/json": {"schema": SCHEMA}}}}
OPERATION: Dict[str, Any] = {
    "parameters": [
        {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}},
        {"name": "page", "in": "query", "schema": {"type": "integer"}},
    ],
    "security": [{"jwt": []}],
    "responses": ANSWER,
}  # fmt: skip


def document(**operation: Any) -> Dict[str, Any]:
    return {
        "openapi": "3.0.0",
        "info": {"title": "Shop", "version": "7"},
        "servers": [{"url": "https://api.example/"}],
        "paths": {"/orders/{id}": {"get": copy.deepcopy({**OPERATION, **operation})}},
        "components": {"securitySchemes": {"jwt": {"type": "http", "scheme": "bearer"}}},
    }


def traffic(count: int = 300, **changes: Any) -> List[Dict[str, Any]]:
    return [event(time=START + n, principal=principal(n % 20), **changes) for n in range(count)]


def drifts(events: List[Dict[str, Any]], *documents: Dict[str, Any], former: Any = (), now: float = NOW) -> List[Drift]:
    operations: Dict[str, OperationStats] = {name: stats for (_, name), stats in learned(events).items()}
    specs = [load(one) for one in documents or (document(),)]
    # The operation that is always there is watched today, too, so that it is no orphan.
    for stats in operations.values():
        stats.last_seen = max(stats.last_seen, now - DAY)
    return compare("shop", specs, operations, Settings(now=now), [load(one) for one in former])


def kinds(found: List[Drift]) -> List[str]:
    return sorted(one.kind for one in found)


def with_field(
    path: str, kind: str = "string", classes: Any = (), times: int = 300, **more: Any
) -> List[Dict[str, Any]]:
    base = event()["response_fields"]
    field = {"path": path, "in": "body", "type": kind, **({"classes": list(classes)} if classes else {})}
    return traffic(times, response_fields=[*base, field], **more) + traffic(300 - times)


def test_traffic_as_documented_shows_nothing() -> None:
    assert drifts(traffic()) == []


def test_a_parameter_of_another_name_is_the_same_path() -> None:
    assert kinds(drifts(traffic(operation="GET /orders/{order}", endpoint="/orders/{order}"))) == []


@pytest.mark.parametrize("prefix", ["/shop", "/edge/shop/v2"])
def test_a_prefix_that_the_gateway_adds_is_learned(prefix: str) -> None:
    made = document()
    made["paths"]["/carts/{id}"] = made["paths"]["/orders/{id}"]
    names = [f"{prefix}/orders/{{id}}", f"{prefix}/carts/{{id}}"]
    events = [one for name in names for one in traffic(operation=f"GET {name}", endpoint=name)]
    assert drifts(events, made) == []


def test_a_base_path_that_the_gateway_strips() -> None:
    made = {**document(), "servers": [{"url": "https://api.example/shop/v2"}]}
    for name in ("/shop/v2/orders/{id}", "/v2/orders/{id}", "/orders/{id}"):
        assert drifts(traffic(operation=f"GET {name}", endpoint=name), made) == []


def test_shadow() -> None:
    events = traffic() + traffic(operation="GET /debug", endpoint="/debug", auth="none", data_classes=["pii.ssn"])
    [found] = drifts(events)
    assert (found.kind, found.severity, found.operation) == ("shadow", "critical", "GET /debug")
    assert "300 of them answered without any credential" in found.reason
    [plain] = drifts(traffic() + traffic(operation="GET /debug", endpoint="/debug", data_classes=[]))
    assert (plain.kind, plain.severity) == ("shadow", "medium")


def test_a_method_that_is_not_documented_is_shadow() -> None:
    [found] = drifts(traffic() + traffic(operation="DELETE /orders/{id}", data_classes=[]))
    assert (found.kind, found.severity) == ("shadow", "high")
    assert "The documents name GET" in found.reason


@pytest.mark.parametrize(
    "changes",
    [
        {"operation": "GET /wp-login.php", "status": 404},
        {"operation": "OPTIONS /orders/{id}"},
        {"operation": "HEAD /orders/{id}"},
        {"operation": "PROPFIND /orders/{id}"},
    ],
)
def test_what_is_no_shadow(changes: Dict[str, Any]) -> None:
    assert drifts(traffic() + traffic(**changes)) == []


def test_a_verb_behind_a_parameter_is_an_operation_of_its_own() -> None:
    name = "/orders/{id}:cancel"
    found = drifts(traffic(operation=f"POST {name}", endpoint=name, data_classes=[]), former=[document()])
    assert [one.kind for one in found if one.kind != "orphan"] == ["shadow"]
    found = drifts(traffic(operation=f"GET {name}", endpoint=name))
    assert [one.kind for one in found if one.kind != "orphan"] == ["shadow"]
    made = document()
    made["paths"] = {name: made["paths"]["/orders/{id}"]}
    assert drifts(traffic(operation=f"GET {name}", endpoint=name), made) == []


def test_words_that_a_learned_parameter_took_are_documented() -> None:
    made = document()
    made["paths"] = {f"/reports/{word}": {"get": {"responses": {}}} for word in ("daily", "weekly")}
    assert drifts(traffic(operation="GET /reports/{report}", endpoint="/reports/{report}"), made) == []
    made["paths"].pop("/reports/weekly")
    assert kinds(drifts(traffic(operation="GET /reports/{report}", endpoint="/reports/{report}"), made)) == [
        "orphan",
        "shadow",
    ]


def test_zombies() -> None:
    [found] = drifts(traffic(data_classes=[]), document(deprecated=True))
    assert (found.kind, found.severity) == ("zombie", "low")
    [over] = drifts(traffic(data_classes=[]), document(**{"x-sunset": "2023-01-01"}))
    assert (over.kind, over.severity) == ("zombie", "medium")
    assert "its end was 2023-01-01" in over.reason
    gone = document()
    gone["paths"] = {}
    [removed] = drifts(traffic(), gone, former=[document()])
    assert (removed.kind, removed.severity) == ("zombie", "high")


def test_orphans_need_days_of_watching() -> None:
    made = document()
    made["paths"]["/carts"] = {"get": {"security": []}}
    [found] = drifts(traffic(), made)
    assert (found.kind, found.severity, found.operation) == ("orphan", "low", "GET /carts")
    assert drifts(traffic(), made, now=START + 20 * DAY) == []


def test_parameters() -> None:
    fields = [*event()["request_fields"], {"path": "debug", "in": "query", "type": "string"}]
    [found] = drifts(traffic(request_fields=fields, uri_query="page=2"))
    assert (found.kind, found.field, found.location, found.count) == ("undocumented_parameter", "debug", "query", 300)
    [unseen] = drifts(traffic(request_fields=fields[:1], uri_query=""))
    assert (unseen.kind, unseen.field) == ("unseen_parameter", "page")
    ids = document(
        parameters=[*OPERATION["parameters"], {"name": "filter", "in": "query", "schema": {"type": "object"}}]
    )
    deep = [*fields[:2], {"path": "filter[name]", "in": "query", "type": "string"}]
    assert drifts(traffic(request_fields=deep), ids) == []


def test_a_parameter_of_another_type_and_one_that_is_lacking() -> None:
    assert kinds(drifts(traffic(uri_query="page=last"))) == ["wrong_type"]
    made = document()
    made["paths"]["/orders/{id}"]["get"]["parameters"][1]["required"] = True
    none = event()["request_fields"][:1]
    [found] = drifts(traffic(100, request_fields=none) + traffic(200), made)
    assert (found.kind, found.count) == ("missing_required", 100)


def test_sensitive_parameters_and_headers() -> None:
    base = event()["request_fields"]
    header = {"path": "x-ssn", "in": "header", "type": "string", "classes": ["pii.ssn"]}
    token = {"path": "authorization", "in": "header", "type": "string", "classes": ["secret.jwt"]}
    other = {"path": "x-request-id", "in": "header", "type": "string"}
    [found] = drifts(traffic(request_fields=[*base, header, token, other]))
    assert (found.kind, found.severity, found.field) == ("undocumented_sensitive_field", "high", "x-ssn")


def test_fields_of_answers() -> None:
    [found] = drifts(with_field("internal.note"))
    assert (found.kind, found.severity, found.field, found.status) == (
        "undocumented_field",
        "low",
        "internal",
        "200",
    )
    assert ", with note." in found.reason
    [leak] = drifts(with_field("ssn", classes=["pii.ssn"]))
    assert (leak.kind, leak.severity, leak.data_classes) == ("undocumented_sensitive_field", "high", ("pii.ssn",))


def test_a_field_once_in_many_is_noise_and_sensitive_twice_is_none() -> None:
    assert drifts(with_field("odd", times=2)) == []
    assert kinds(drifts(with_field("ssn", classes=["pii.ssn"], times=2))) == ["undocumented_sensitive_field"]
    assert drifts(with_field("ssn", classes=["pii.ssn"], times=1)) == []


def test_an_open_object_hides_no_sensitive_data() -> None:
    free = {"200": {"content": {"application/json": {"schema": {"type": "object"}}}}}
    assert kinds(drifts(traffic(), document(responses=free))) == ["undocumented_sensitive_field"]
    quiet = traffic(response_fields=[{"path": "a", "in": "body", "type": "string"}])
    assert drifts(quiet, document(responses=free)) == []


def test_fields_that_nobody_sends_or_some_lack() -> None:
    only = [{"path": "email", "in": "body", "type": "string", "classes": ["pii.email"]}]
    [unseen] = drifts(traffic(response_fields=only))
    assert (unseen.kind, unseen.field) == ("unseen_field", "state")
    [lacking] = drifts(traffic(100, response_fields=only) + traffic(200))
    assert (lacking.kind, lacking.field, lacking.count) == ("missing_required", "state", 100)
    assert drifts(traffic(150, response_fields=only)) == [], "too few messages to say never"
    assert drifts(traffic(response_fields=[])) == [], "bodies that were not looked at"


@pytest.mark.parametrize(("kind", "severity"), [("integer", "low"), ("boolean", "low"), ("null", "info")])
def test_fields_of_another_type(kind: str, severity: str) -> None:
    fields = [{"path": "email", "in": "body", "type": "string"}, {"path": "state", "in": "body", "type": kind}]
    [found] = drifts(traffic(response_fields=fields))
    assert (found.kind, found.severity, found.expected, found.seen) == ("wrong_type", severity, "string", kind)


def test_statuses() -> None:
    failed = {"status": 500, "response_fields": [], "data_classes": []}
    [found] = drifts(traffic(100, **failed) + traffic(300))
    assert (found.kind, found.status, found.severity) == ("undocumented_status", "500", "low")
    assert drifts(traffic(100, **failed) + traffic(300), document(responses={**ANSWER, "5XX": {}})) == []
    assert drifts(traffic(100, **failed) + traffic(300), document(responses={**ANSWER, "default": {}})) == []
    [unseen] = drifts(traffic(), document(responses={**ANSWER, "409": {}}))
    assert (unseen.kind, unseen.status) == ("unseen_status", "409")


def test_media_types() -> None:
    html = drifts(traffic(100, http_content_type="text/html") + traffic(300))
    assert [(one.kind, one.severity, one.seen) for one in html] == [
        ("undocumented_content_type", "medium", "text/html")
    ]
    both = {"200": {"content": {**ANSWER["200"]["content"], "text/csv": {}}}}
    [unseen] = drifts(traffic(), document(responses=both))
    assert (unseen.kind, unseen.expected) == ("unseen_content_type", "text/csv")


def test_authentication() -> None:
    [found] = drifts(traffic(2, auth="none") + traffic(300))
    assert (found.kind, found.severity, found.count) == ("missing_authentication", "critical", 2)
    assert drifts(traffic(2, auth="none", status=401, response_fields=[]) + traffic(300), document(responses={})) == []
    assert drifts(traffic(auth="none"), document(security=[{"jwt": []}, {}])) == []
    [other] = drifts(traffic(auth="basic"))
    assert (other.kind, other.severity) == ("other_authentication", "medium")


def test_ids_stay_and_differ() -> None:
    events = with_field("internal.note") + traffic(operation="GET /debug", endpoint="/debug")
    first, again = drifts(events), drifts(events + traffic(50), now=NOW + DAY)
    assert [one.id for one in first] == [one.id for one in again]
    renamed = [{**one, "operation": one["operation"].replace("order_id", "number")} for one in events]
    assert {one.id for one in drifts(renamed)} == {one.id for one in first}
    assert len({one.id for one in first}) == len(first) == 2


def test_every_kind_is_in_the_table_and_found_above() -> None:
    """The names in this file's assertions are the table's; what the app itself tells is held where it does."""
    text = Path(__file__).read_text("utf-8")
    assert [kind for kind in KINDS if f'"{kind}"' not in text and kind != "stale_document"] == []


def test_no_traffic_and_no_document() -> None:
    assert compare("shop", [], {}, Settings(now=NOW)) == []
    assert kinds(compare("shop", [], dict(_named(learned(traffic()))), Settings(now=NOW))) == ["shadow"]
    assert compare("shop", [load(document())], {}, Settings(now=NOW)) == []


def _named(inventory: Inventory) -> List[Any]:
    return [(name, stats) for (_, name), stats in inventory.items()]


WORD: Dict[str, Any] = {"operation": "GET /orders/latest", "endpoint": "/orders/latest"}


def identified_by(**schema: Any) -> Dict[str, Any]:
    made = document()
    made["paths"]["/orders/{id}"]["get"]["parameters"][0]["schema"] = schema
    return made


def test_a_word_where_a_parameter_is_documented_is_compared_by_credentials_alone() -> None:
    made = identified_by(type="string")
    other = [{"path": "other", "in": "body", "type": "string"}]
    assert drifts(traffic(response_fields=other, **WORD), made) == []
    assert kinds(drifts(traffic(auth="none", **WORD), made)) == ["missing_authentication"]


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "integer"},
        {"type": "string", "format": "uuid"},
        {"enum": ["open", "closed"]},
        {"oneOf": [{"type": "number"}, {"type": "string", "format": "date"}]},
    ],
)
def test_a_word_that_cannot_be_a_value_is_an_operation_of_its_own(schema: Dict[str, Any]) -> None:
    found = drifts(traffic(**WORD) + traffic(), identified_by(**schema))
    assert ("shadow", "GET /orders/latest") in {(one.kind, one.operation) for one in found}
    refused = traffic(**WORD, status=400, response_fields=[], data_classes=[])
    assert "shadow" not in kinds(drifts(refused + traffic(), identified_by(**schema))), "somebody's guess"


@pytest.mark.parametrize(
    ("word", "schema"),
    [
        ("7", {"type": "integer"}), ("-1.5e3", {"type": "number"}), ("TRUE", {"type": "boolean"}), ("x", {}),
        ("2024-02-30", {"type": "string", "format": "date"}), ("x", {"type": "string", "pattern": "^(a+)+$"}),
        ("Open", {"enum": ["open"]}),
        ("F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6", {"type": "string", "format": "uuid"}), ("a,b", {"type": "array"}),
    ],
)  # fmt: skip
def test_words_that_may_be_values(word: str, schema: Dict[str, Any]) -> None:
    events = traffic(operation=f"GET /orders/{word}", endpoint=f"/orders/{word}")
    assert "shadow" not in kinds(drifts(events, identified_by(**schema)))
