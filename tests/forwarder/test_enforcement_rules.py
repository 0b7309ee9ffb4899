"""What patterns become at the gateway: held or asked about, always acceptable to Envoy, never half written."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from apisec.model.pattern import Pattern
from apisec.model.transaction import Refusal
from apisec.patterns.document import parse
from apisec_forwarder.enforcement import ecds
from apisec_forwarder.enforcement.compile import ODD_PATHS, compile_patterns, loose_regex
from apisec_forwarder.enforcement.envoy import refusal
from tests.support.processes import envoy_binary

ID = "929a690e-bef0-4204-a928-ef5e620d6fcc"
NOW = 1795219200.0


@dataclass
class Service:
    name: str = "shop"
    hosts: tuple[str, ...] = ("shop.example", "*.shop.test")
    paths: tuple[str, ...] = ("/",)
    templates: tuple[str, ...] = ("/orders/{order_id}", "/orders/search", "/admin/export")


SHOP = Service()


def made(selection: Any, mode: str = "enforce", condition: str = "s", **rest: Any) -> Pattern:
    detection = {"s": selection, **rest.pop("selections", {})}
    document = {
        "title": "x",
        "id": rest.pop("id", ID),
        "logsource": {"category": "api", "product": "apisec", "service": "shop"},
        "detection": detection,
        "apisec": {"mode": mode, "expires": "2026-12-01T00:00:00Z", **rest.pop("extension", {})},
        **rest,
    }
    if "correlation" not in rest:
        detection["condition"] = condition
    return parse(document)


HELD = [
    {"operation": "GET /orders/{order_id}"},
    {"operation": ["GET /orders/{order_id}", "POST /admin/export"]},
    {"endpoint": "/admin/export", "http_method": "DELETE"},
    {"operation": "GET /admin/export", "http_user_agent|contains": ["sqlmap", 'a"b\\d']},
]
ASKED = [
    {"operation": "GET /orders/{order_id}", "principal": "~principal~0123456789abcdef~"},
    {"operation": "GET /not/in/the/spec"},
    {"operation|startswith": "GET /orders"},
    {"signals.detector": "injection.sqli"},
    {"operation": "GET /admin/export", "http_user_agent|re": "^x+"},
    {"operation": "GET /admin/export", "http_user_agent": "~secret.bearer~0123456789abcdef~"},
    {"operation": "GET /orders/{order_id}", "uri_query|contains": "debug"},
    {"endpoint": "/admin/export"},
]


@pytest.mark.parametrize("selection", HELD, ids=str)
def test_what_the_gateway_holds(selection: Any) -> None:
    compiled = compile_patterns([made(selection)], [SHOP], NOW)
    assert compiled.held == {ID}
    assert set(compiled.shadow_rules["policies"]) == {ID, ODD_PATHS}, "other spellings are asked about"


@pytest.mark.parametrize("selection", ASKED, ids=str)
def test_what_is_asked_about(selection: Any) -> None:
    compiled = compile_patterns([made(selection)], [SHOP], NOW)
    assert (compiled.held, compiled.rules) == (frozenset(), ecds.OPEN)
    assert set(compiled.shadow_rules["policies"]) == {ID, ODD_PATHS}


@pytest.mark.parametrize(
    "services",
    [
        [],
        [Service(templates=())],
        [SHOP, Service("other", ("shop.example",), ("/orders",))],
        [SHOP, Service("other", ("*",), ("/",))],
        [Service(paths=("/api",)), Service("other", ("shop.example",), ("/",))],
    ],
)
def test_the_gateway_holds_nothing_where_it_cannot_tell_whose_path_it_is(services: list[Service]) -> None:
    assert compile_patterns([made(HELD[0])], services, NOW).held == frozenset()


def test_shadow_and_expired_patterns_cost_the_gateway_nothing() -> None:
    shadow = made(HELD[0], "shadow")
    for patterns, now in (([shadow], NOW), ([made(HELD[0])], NOW + 40 * 86400), ([], NOW)):
        compiled = compile_patterns(patterns, [SHOP], now)
        assert compiled.rules == compiled.shadow_rules == ecds.OPEN


def test_a_canary_is_asked_about() -> None:
    compiled = compile_patterns([made(HELD[0], "canary")], [SHOP], NOW)
    assert (compiled.held, set(compiled.shadow_rules["policies"])) == (frozenset(), {ID, ODD_PATHS})


def test_required_and_correlated_steps_are_asked_about_too() -> None:
    requires = {"requires": {"selection": "pay", "timespan": "1h"}}
    pay = {"pay": {"operation": "POST /pay"}}
    skip = made({"operation": "POST /confirm"}, selections=pay, extension=requires)
    text = json.dumps(compile_patterns([skip], [SHOP], NOW).shadow_rules)
    assert "/pay" in text
    assert "/confirm" in text
    body = {"type": "temporal", "rules": ["s", "pay"], "group-by": ["principal"], "timespan": "1m"}
    both = made({"operation": "GET /one"}, selections=pay, correlation=body)
    text = json.dumps(compile_patterns([both], [SHOP], NOW).shadow_rules)
    assert "/pay" in text
    assert "/one" in text


@pytest.mark.parametrize(
    ("path", "fits"),
    [("/orders/1", True), ("/ORDERS/1/", True), ("/orders//", True), ("/orders", False), ("/orders/1/2", False)],
)
def test_the_loose_expression(path: str, fits: bool) -> None:
    assert bool(re.fullmatch(loose_regex("/orders/{order_id}"), path)) is fits


def test_metacharacters_in_templates_are_literal() -> None:
    assert re.fullmatch(loose_regex("/a.b/(x)/{id}"), "/a.b/(x)/1")
    assert not re.fullmatch(loose_regex("/a.b/(x)/{id}"), "/aXb/(x)/1")


@pytest.mark.gateway
def test_envoy_accepts_whatever_is_compiled(tmp_path: Path) -> None:
    """Through Envoy's own validation, as the static form of the same message."""
    patterns = [
        made(selection, id=f"{index:08x}-bef0-4204-a928-ef5e620d6fcc") for index, selection in enumerate(HELD + ASKED)
    ]
    patterns.append(made({"endpoint": "/ü b/'\"\\/{id}"}, id="ffffffff-bef0-4204-a928-ef5e620d6fcc"))
    compiled = compile_patterns(patterns, [SHOP], NOW)
    assert len(compiled.held) == len(HELD)
    ecds.write(tmp_path, compiled.rules, compiled.shadow_rules)
    (resource,) = json.loads(ecds.rules_file(tmp_path).read_text())["resources"]
    assert resource["name"] == ecds.FILTER
    kind = "type.googleapis.com/envoy.extensions.filters"
    manager = {
        "@type": f"{kind}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "x",
        "route_config": {"virtual_hosts": [{"name": "x", "domains": ["*"]}]},
        "http_filters": [
            {"name": "rbac", "typed_config": resource["typed_config"]},
            {"name": "router", "typed_config": {"@type": f"{kind}.http.router.v3.Router"}},
        ],
    }
    chain = {"filters": [{"name": "hcm", "typed_config": manager}]}
    address = {"socket_address": {"address": "127.0.0.1", "port_value": 0}}
    listeners = [{"name": "x", "address": address, "filter_chains": [chain]}]
    (tmp_path / "envoy.yaml").write_text(yaml.safe_dump({"static_resources": {"listeners": listeners}}))
    binary = envoy_binary()
    assert binary is not None
    command = [binary, "--mode", "validate", "-c", str(tmp_path / "envoy.yaml"), "-l", "error"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "rules",
    [
        {"action": "ALLOW", "policies": {}},
        {"action": "DENY", "policies": {"x": {"permissions": [], "principals": [{"any": True}]}}},
        {"action": "DENY", "policies": {"x": {"permissions": [{"any": True}], "principals": []}}},
        {"action": "DENY", "policies": {"x": {"permissions": [{"nay": 1}], "principals": [{"any": True}]}}},
        {"action": "DENY", "policies": {"x": {"permissions": [{"or_rules": {"rules": []}}],
                                              "principals": [{"any": True}]}}},
        {"action": "DENY", "policies": {"x": {"permissions": [
            {"url_path": {"path": {"safe_regex": {"regex": "(?=x)"}}}}], "principals": [{"any": True}]}}},
    ],
)  # fmt: skip
def test_bad_rules_are_not_written(tmp_path: Path, rules: Any) -> None:
    ecds.prepare(tmp_path / "e")
    before = ecds.rules_file(tmp_path / "e").read_bytes()
    with pytest.raises(ValueError):
        ecds.write(tmp_path / "e", rules, ecds.OPEN)
    assert ecds.rules_file(tmp_path / "e").read_bytes() == before


def test_prepare_keeps_what_is_there(tmp_path: Path) -> None:
    compiled = compile_patterns([made(HELD[0])], [SHOP], NOW)
    ecds.prepare(tmp_path / "e")
    ecds.write(tmp_path / "e", compiled.rules, compiled.shadow_rules)
    ecds.prepare(tmp_path / "e")
    assert ID in ecds.rules_file(tmp_path / "e").read_text()


@pytest.mark.parametrize(
    ("details", "header", "found"),
    [
        (f"rbac_access_denied_matched_policy[{ID}]", None, Refusal(ID, "rbac")),
        ("ext_authz_denied", ID, Refusal(ID, "call-out")),
        ("via_upstream", ID, None),
        ("ext_authz_denied", None, None),
        ("ext_authz_denied", "<script>", None),
        ("rbac_access_denied_matched_policy[none]", ID, None),
        ("", None, None),
    ],
)
def test_refusals_are_read_from_the_log(details: str, header: str | None, found: Refusal | None) -> None:
    assert refusal(details, header) == found
