"""From a finding to a pattern: templates, parameters, the order of calls. No network and no Splunk."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Mapping, Optional, Tuple

import pytest
from apisec_app.blocking import action, admin, template
from apisec_app.blocking.parameters import parameters_of

from apisec.errors import ConfigError, PatternError
from apisec.patterns.document import parse
from apisec.patterns.replay import replay

NOW = 1_800_000_000.0
OPERATION = "POST /checkout/{checkout_id}/confirm"
SOURCE = {"category": "api", "product": "apisec", "service": "$result.service$"}
STEP: Dict[str, Any] = {
    "id": "step",
    "key": ["service", "operation"],
    "pattern": {
        "title": "$result.operation$ needs a payment",
        "logsource": SOURCE,
        "detection": {
            "step": {"operation": "$result.operation$"},
            "required": {"operation": "POST /checkout/{checkout_id}/payment"},
            "condition": "step",
        },
        "apisec": {
            "requires": {"selection": "required", "group-by": ["principal", "$result.link?$"], "timespan": "1h"}
        },
    },
}
ROW = {"service": "shop", "operation": OPERATION, "risk_object": "~principal~b1~"}


class Forwarder:
    def __init__(self, held: Optional[Dict[str, Any]] = None) -> None:
        self.held = held
        self.calls: List[Tuple[str, Any]] = []

    def get(self, identity: str) -> Optional[Dict[str, Any]]:
        return self.held

    def put(self, identity: str, document: Mapping[str, Any]) -> Dict[str, Any]:
        self.calls.append(("put", document["apisec"]["mode"]))
        parse(document, NOW)
        return {}

    def promote(self, identity: str, mode: str, reason: str) -> Dict[str, Any]:
        self.calls.append(("promote", mode))
        return {}


def event(seconds: float, who: str, operation: str, **more: Any) -> Dict[str, Any]:
    return {
        "time": NOW - 3600 + seconds, "service": "shop", "operation": operation, "principal": who, "status": 200,
        "action": "allowed", "object_ids": ["checkout_id=7"], **more,
    }  # fmt: skip


def context(forwarder: Optional[Forwarder], events: List[Dict[str, Any]], **configuration: str) -> action.Context:
    return action.Context(
        parameters=parameters_of({"pattern": "step", **configuration}),
        detection="rule",
        actor="admin",
        sid="1",
        forwarder="edge",
        now=NOW,
        template=STEP,
        risky={"~principal~b1~"},
        events=lambda service: events,
        admin=forwarder,
    )


HISTORY = [
    *(event(60.0 + n, "~principal~aa~", "GET /products") for n in range(400)),
    event(500.0, "~principal~aa~", "POST /checkout/{checkout_id}/payment"),
    event(510.0, "~principal~aa~", OPERATION),
    event(520.0, "~principal~b1~", OPERATION),
]


@pytest.mark.parametrize(
    ("held", "asked", "calls"),
    [
        (None, "shadow", [("put", "shadow")]),
        (None, "enforce", [("put", "shadow"), ("promote", "enforce")]),
        ({"mode": "shadow"}, "canary", [("put", "shadow"), ("promote", "canary")]),
        ({"mode": "canary", "canary_percent": 25}, "canary", [("put", "canary")]),
        ({"mode": "enforce"}, "shadow", [("put", "enforce")]),
        ({"mode": "enforce"}, "enforce", [("put", "enforce")]),
        ({"mode": "expired"}, "enforce", [("put", "shadow"), ("promote", "enforce")]),
    ],
)
def test_a_pattern_is_promoted_and_never_set_back(
    held: Optional[Dict[str, Any]], asked: str, calls: List[Tuple[str, str]]
) -> None:
    forwarder = Forwarder(held)
    record = action.block(context(forwarder, HISTORY, mode=asked), ROW)
    assert forwarder.calls == calls
    assert record["mode"] == max(asked, calls[0][1], key=("shadow", "canary", "enforce").index)


def test_the_replay_counts_the_accused_apart() -> None:
    record = action.block(context(None, HISTORY), ROW)
    assert record["state"] == "dry run"
    assert (record["matched_requests"], record["benign_matches"]) == (1, 0)
    assert record["benign_requests"] == 402
    assert record["document"]["apisec"]["evidence"]["digest"]


@pytest.mark.parametrize(
    ("change", "benign"),
    [
        ({}, True),
        ({"status": 302}, True),
        ({"status": 409}, False),
        ({"status": 0}, False),
        ({"status": "200"}, False),
        ({"action": "blocked"}, False),
        ({"principal": "~principal~b1~"}, False),
    ],
)
def test_who_would_lose_something(change: Dict[str, Any], benign: bool) -> None:
    assert action.is_benign({**HISTORY[0], **change}, {"~principal~b1~"}) is benign


def test_the_same_finding_has_the_same_id_on_every_search_head() -> None:
    one = template.identity(STEP, ROW)
    assert one == template.identity(STEP, {**ROW, "risk_message": "another time"})
    assert one != template.identity(STEP, {**ROW, "operation": "POST /other"})
    assert one != template.identity({**STEP, "id": "another template"}, ROW)


def test_optional_placeholders_and_lists() -> None:
    plain = template.fill(STEP, ROW)
    assert plain["apisec"]["requires"]["group-by"] == ["principal"]
    linked = template.fill(STEP, {**ROW, "link": "object_ids.checkout_id"})
    assert linked["apisec"]["requires"]["group-by"] == ["principal", "object_ids.checkout_id"]
    several = {**STEP, "pattern": {"detection": {"s": {"operation": "$result.operation$"}}}}
    assert template.fill(several, {"operation": "A\nB"})["detection"]["s"]["operation"] == ["A", "B"]


def test_wildcards_of_the_traffic_are_plain_characters() -> None:
    filled = template.fill(STEP, {**ROW, "operation": "GET /a*b?c\\d"})
    assert filled["detection"]["step"]["operation"] == "GET /a\\*b\\?c\\\\d"
    assert filled["title"] == "GET /a*b?c\\d needs a payment"
    parsed = parse(
        template.document(STEP, {**ROW, "operation": "GET /*"}, {"expires": "2027-01-16T00:00:00Z", "mode": "shadow"}),
        NOW,
    )
    assert replay(parsed, [event(1, "p", "GET /anything")], lambda e: True).matched_events == 0


@pytest.mark.parametrize("pattern", ["", "stp", "{", '{"key": []}', "{" * 100_000])
def test_wrong_templates_are_refused(pattern: str) -> None:
    with pytest.raises(PatternError, match=r"param\.pattern"):
        template.choose(pattern, {"step": STEP})


@pytest.mark.parametrize(
    "wrong", [{"mode": "off"}, {"ttl": "1y"}, {"ttl": "31d"}, {"replay_hours": "-1"}, {"risk_threshold": "nan"}]
)
def test_wrong_parameters_are_named(wrong: Dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=rf"param\.{next(iter(wrong))}"):
        parameters_of(wrong)


PEM = "-----BEGIN CERTIFICATE-----\n" + "\n".join(["QUJD" * 16] * 3) + "\nQUI=\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize("mangled", [PEM, PEM.replace("\n", "\\n"), PEM.replace("\n", " "), PEM.replace("\n", "\r\n")])
def test_a_certificate_survives_forms_and_conf_files(mangled: str) -> None:
    assert admin.pem(mangled) == PEM


def test_a_token_is_never_shown() -> None:
    assert "geheim" not in repr(admin.Forwarder("edge", "https://edge:9443", "geheim"))


@pytest.mark.parametrize("url", ["http://edge:9443", "edge:9443", "https://", ""])
def test_only_https_is_spoken(url: str) -> None:
    with pytest.raises(admin.AdminError, match="https://host:port"):
        admin.AdminClient(admin.Forwarder("edge", url, "t"))


def test_an_inline_template_is_its_own_identity() -> None:
    text = json.dumps({"key": ["service"], "pattern": {}})
    one, two = (template.choose(t, {}) for t in (text, text.replace(" ", "")))
    assert one["id"] == two["id"]
