"""Documents, differences and each reason to refuse a release."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any, Dict, List, Optional

import pytest

from apisec.bundles import document, gate, history, release, seen, trust
from apisec.bundles.effects import effects
from apisec.bundles.gate import Configured, Target
from apisec.errors import DocumentError

NOW = 1_795_000_000.0  # 2026-11-18
PUBLIC = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
KEY = trust.key_id(PUBLIC)
PAN = {
    "operation": "POST /pay",
    "in": "body",
    "path": "card.number",
    "class": "pci.pan",
    "author": "ada",
    "reason": "a card",
}


def bundle(**changes: Any) -> Dict[str, Any]:
    made = {"author": "ada@example.org", "reason": "first classification", "at": "2026-11-17T00:00:00Z"}
    body: Dict[str, Any] = {
        "apisec_bundle": 1, "service": "shop", "version": 1, "environments": ["DEV", "QA", "PROD"], "made": made,
        "ownership": {"team": "commerce"}, "overrides": [copy.deepcopy(PAN)],
    }  # fmt: skip
    body.update(changes)
    return {key: value for key, value in body.items() if value is not None}


def shown(*fields: Dict[str, Any], **changes: Any) -> Dict[str, Any]:
    body = {
        "apisec_seen": 1, "service": "shop", "environment": "DEV", "since": "2026-11-10T00:00:00Z",
        "until": "2026-11-17T00:00:00Z", "transactions": 10, "fields": list(fields),
    }  # fmt: skip
    return {**body, **changes}


CARD = {"operation": "POST /pay", "in": "body", "path": "card.number", "class": "pci.pan", "samples": 3}
SSN = {"operation": "GET /me", "in": "body", "path": "ssn", "class": "pii.ssn", "samples": 3}


def made(body: Dict[str, Any], saw: Optional[Dict[str, Any]] = None, key: str = KEY) -> release.Release:
    value: Dict[str, Any] = {"apisec_release": 1, "bundle": body, "signatures": [{"key": key, "signature": "AA=="}]}
    if saw is not None:
        value["seen"] = saw
        value["source"] = {"environment": saw["environment"], "seen": seen.parse(saw).digest}
    return release.parse(value)


def keys(**changes: Any) -> trust.Trust:
    import base64

    entry = {
        "id": KEY,
        "public": base64.b64encode(PUBLIC).decode(),
        "teams": ["commerce"],
        "environments": ["DEV", "QA"],
    }
    return trust.Trust.parse({"version": 1, "keys": [{**entry, **changes}]})


def target(environment: str = "QA", **changes: Any) -> Target:
    services = {
        "shop": Configured("commerce", ("shop.example",), ("/",), "balanced"),
        "bank": Configured("finance", ("bank.example", "shop.example"), ("/bank",), "balanced"),
    }
    return dataclasses.replace(Target(environment, "edge-1", services, trust=keys()), **changes)


def codes(found: release.Release, where: Target, good: bool = True) -> List[str]:
    return [one.code for one in gate.refusals(found, where, NOW, lambda *_: good)]


def test_what_is_acceptable() -> None:
    assert codes(made(bundle()), target("DEV")) == []
    assert codes(made(bundle(), shown(CARD)), target("QA")) == []


@pytest.mark.parametrize(
    ("code", "text", "found", "where"),
    [
        ("service", "did you mean 'shop'?", made(bundle(service="shopp")), target("DEV")),
        ("signature", "not trusted here", made(bundle(), key="other"), target("DEV")),
        ("key_scope", "may not sign for team finance", made(bundle(ownership={"team": "finance"})), target("DEV")),
        ("key_scope", "environment PROD", made(bundle(), shown(CARD, environment="QA")), target("PROD")),
        ("signature", "is revoked: lost", made(bundle()), target("DEV", trust=keys(revoked="lost"))),
        ("signature", "has expired", made(bundle()), target("DEV", trust=keys(expires="2026-01-01T00:00:00Z"))),
        ("environment", "this forwarder is STAGE", made(bundle()), target("STAGE", trust=keys(environments=["*"]))),
        ("environment", "QA takes bundles from DEV", made(bundle()), target("QA")),
        ("environment", "comes from DEV", made(bundle(), shown(CARD)), target("PROD", trust=keys(environments=["*"]))),
        ("gateway", "for the gateways east-*", made(bundle(ownership={"team": "commerce", "gateways": ["east-*"]})),
         target("DEV")),
        ("ownership", "host bank.example", made(bundle(ownership={"team": "commerce", "hosts": ["bank.example"]})),
         target("DEV")),
        ("ownership", "path /bank/pay belongs to another service",
         made(bundle(ownership={"team": "commerce", "paths": ["/bank/pay"]})), target("DEV")),
        ("base", "wrong base: version 3", made(bundle(version=4)),
         target("DEV", applied="sha256:" + "a" * 64, version=3, highest=3)),
        ("version", "version 2 is not above 3",
         made(bundle(version=2, base="sha256:" + "a" * 64)),
         target("DEV", applied="sha256:" + "a" * 64, version=3, highest=3)),
        ("unclassified_field", "ssn of GET /me (body, pii.ssn)", made(bundle(), shown(CARD, SSN)), target("QA")),
        ("seen", "more than 30 days ago", made(bundle(), shown(CARD, since="2026-01-01T00:00:00Z",
         until="2026-02-01T00:00:00Z")), target("QA")),
        ("seen", "of bank in DEV", made(bundle(), shown(service="bank")), target("QA")),
        ("expired_override", "card.number", made(bundle(overrides=[{**PAN, "expires": "2026-11-18"}])), target("DEV")),
    ],
)  # fmt: skip
def test_each_refusal_and_its_message(code: str, text: str, found: release.Release, where: Target) -> None:
    refused = gate.refusals(found, where, NOW, lambda *_: True)
    assert [one.code for one in refused] == [code], refused
    assert text in refused[0].message


def test_a_changed_bundle_is_refused_although_another_signature_fits() -> None:
    assert codes(made(bundle()), target("DEV"), good=False) == ["signature"]


def test_a_lowered_class_needs_its_reason() -> None:
    present = document.parse(bundle())
    where = target("DEV", present=present)
    lowered = {**PAN, "class": "none", "reason": "these are test cards of the payment provider"}
    assert codes(made(bundle(version=2, overrides=[lowered])), where) == []
    gone = gate.refusals(
        made(bundle(version=2, overrides=[], ownership={"team": "commerce"})), where, NOW, lambda *_: True
    )
    assert gone == [], "the field's name says the same class as the override that went"
    named = [{**PAN, "path": "x.y"}]
    where = target("DEV", present=document.parse(bundle(overrides=named)))
    gone = gate.refusals(made(bundle(version=2, overrides=[])), where, NOW, lambda *_: True)
    assert [one.code for one in gone] == ["lowered_class"]
    assert gone[0].message.startswith("x.y of POST /pay: pci.pan → – (lowered): no override gives a reason")
    short = gate.refusals(
        made(bundle(version=2, overrides=[{**PAN, "path": "x.y", "class": "pii.name", "reason": "ok"}])),
        where, NOW, lambda *_: True,
    )  # fmt: skip
    assert "less than 10 characters" in short[0].message


def test_a_milder_redaction_needs_its_reason() -> None:
    where = target("DEV", present=document.parse(bundle(thresholds={"redaction": "strict"})))
    why = {"author": "ada", "reason": "ok", "at": "2026-11-17T00:00:00Z"}
    mild = made(bundle(version=2, made=why, thresholds={"redaction": "balanced"}))
    assert codes(mild, where) == ["lowered_class"]


def pattern(mode: str = "enforce", expires: str = "2026-12-01T00:00:00Z") -> Dict[str, Any]:
    return {
        "title": "walks orders",
        "id": "5f0c1d3e-2f43-4f6e-9a55-0d4c8f1f7f10",
        "logsource": {"category": "api", "product": "apisec", "service": "shop"},
        "detection": {"s": {"operation": "GET /orders/{order_id}"}, "condition": "s"},
        "apisec": {"mode": mode, "expires": expires},
    }


def test_patterns_enforce_with_evidence_only() -> None:
    assert codes(made(bundle(patterns=[pattern("shadow")])), target("DEV")) == []
    assert codes(made(bundle(patterns=[pattern()])), target("DEV")) == ["evidence"]
    assert codes(made(bundle(patterns=[pattern(expires="2026-11-01T00:00:00Z")])), target("DEV")) == ["expired_pattern"]
    loose = made(bundle(thresholds={"false_positive_limit": 0.5}))
    assert codes(loose, target("DEV")) == ["evidence"], "a bundle may only be stricter"


def test_a_promotion_jumps_over_versions_that_the_target_never_had() -> None:
    first = document.parse(bundle())
    second = document.parse(document.successor(first, bundle()["made"]))
    third = document.parse(document.successor(second, bundle()["made"]))
    where = target("DEV", applied=first.digest, version=1, highest=1)
    assert third.base == second.digest
    assert codes(made(dict(third.document)), where) == []
    fork = document.parse({**document.successor(first, bundle()["made"]), "overrides": []})
    where = target("DEV", applied=fork.digest, version=2, highest=2)
    assert codes(made(dict(third.document)), where) == ["base"]


def test_a_release_is_bound_to_what_was_seen() -> None:
    value = made(bundle(), shown(CARD, SSN)).to_document()
    assert release.parse(value).to_document() == value
    value["seen"]["fields"].pop()
    with pytest.raises(DocumentError, match="sign it again"):
        release.parse(value)
    del value["seen"]
    assert codes(release.parse(value), target("QA")) == ["seen"]


def test_effects_speak_of_fields() -> None:
    after = document.parse(
        bundle(
            version=2,
            overrides=[
                {**PAN, "class": "none", "reason": "article codes pass the check"},
                {"path": "note", "class": "pii.name", "author": "ada", "reason": "holds initials"},
            ],
            ownership={"team": "commerce", "hosts": {"PROD": ["shop.example"]}},
            specs=[{"url": "https://specs.example/shop.json", "sha256": "sha256:" + "0" * 64}],
            patterns=[pattern("shadow")],
            thresholds={"redaction": "strict"},
        )
    )
    lines = [one.line() for one in effects(document.parse(bundle()), after)]
    assert lines[:2] == [
        "card.number of POST /pay: pci.pan → none (lowered)",
        "note of every operation: – → pii.name (raised)",
    ]
    assert "hosts (PROD): – → shop.example (added)" in lines
    assert "redaction: – → strict (raised)" in lines
    assert any(line.startswith("pattern 'walks orders'") and line.endswith("(added)") for line in lines)
    assert effects(after, after) == []


def test_what_detectors_saw_counts_as_the_class_before() -> None:
    saw = seen.parse(shown({**CARD, "path": "data.x"}))
    none = bundle(overrides=[])
    override = {**PAN, "path": "data.x", "class": "none", "reason": "test numbers of the provider"}
    found = effects(document.parse(none), document.parse(bundle(overrides=[override])), saw)
    assert [one.line() for one in found] == ["data.x of POST /pay: pci.pan → none (lowered)"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"servce": "x"}, "servce: unknown key (did you mean 'service'?)"),
        ({"service": None}, "service: is missing"),
        ({"version": 0}, "version: must be a whole number"),
        ({"version": True}, "version: must be a whole number"),
        ({"apisec_bundle": 2}, "the only format"),
        ({"base": "sha256:xyz"}, "base: must be sha256:"),
        ({"ancestors": ["sha256:" + "a" * 64]}, "ancestors: need a base"),
        ({"environments": []}, "in the order of promotion"),
        ({"environments": ["DEV", "DEV"]}, "names one thing twice"),
        ({"made": {"author": "x", "reason": "y", "at": "today"}}, "RFC 3339"),
        ({"ownership": {"team": "commerce", "hosts": {"DEV": ["a b"]}}}, "ownership.hosts.DEV[0]: must be a host"),
        ({"overrides": [{**PAN, "service": "bank"}]}, "overrides[0].service: is the bundle's; leave it out"),
        ({"overrides": [{**PAN, "class": "pci.pam"}]}, "did you mean 'pci.pan'?"),
        ({"overrides": [{"path": "x", "class": "none", "author": "ada"}]}, "reason is missing"),
        ({"specs": [{"url": "shop.json", "sha256": "x"}]}, "specs[0].url: must be a URL"),
        ({"patterns": [{**pattern(), "logsource": {"category": "api", "product": "apisec", "service": "bank"}}]},
         "must be the bundle's service 'shop'"),
        ({"patterns": [pattern(), pattern()]}, "patterns[1].id: stands twice"),
        ({"thresholds": {"redaction": "mild"}}, "balanced or strict"),
        ({"thresholds": {"false_positive_limit": 2}}, "a share"),
    ],
)  # fmt: skip
def test_bad_documents_name_the_place(changes: Dict[str, Any], message: str) -> None:
    with pytest.raises(DocumentError) as caught:
        document.parse(bundle(**changes))
    assert message in str(caught.value)


def test_fields_seen_are_collected_from_events() -> None:
    event = {
        "service": "shop", "env": "DEV", "time": NOW, "operation": "POST /pay",
        "request_fields": [
            {"path": "card.number", "in": "body", "type": "string", "classes": ["pci.pan"]},
            {"path": "amount", "in": "body", "type": "number"},
        ],
        "response_fields": [{"path": "who.mail", "in": "body", "type": "string", "classes": ["pii.email"]}],
    }  # fmt: skip
    other = {**event, "service": "bank"}
    body = seen.collect([event, other, {**event, "time": NOW + 60}, {**event, "env": "QA"}], "shop", "DEV")
    assert body["transactions"] == 2
    assert [(one["path"], one["class"], one["samples"]) for one in body["fields"]] == [
        ("card.number", "pci.pan", 2),
        ("who.mail", "pii.email", 2),
    ]
    assert [one.path for one in seen.parse(body).unclassified(document.parse(bundle()).overrides)] == ["who.mail"]


def test_splunk_routes_no_traffic_and_is_called_by_its_name() -> None:
    where = target("DEV", gateway=None, services={"shop": Configured("commerce", (), (), "balanced")})
    claims = {"team": "commerce", "hosts": ["bank.example"], "paths": ["/bank"], "gateways": ["east-*"]}
    assert codes(made(bundle(ownership=claims)), where) == []
    elsewhere = dataclasses.replace(where, environment="STAGE", trust=keys(environments=["*"]))
    (refused,) = gate.refusals(made(bundle()), elsewhere, NOW, lambda *_: True)
    assert refused.message.startswith("the bundle goes DEV → QA → PROD; this Splunk is STAGE; where it is to go there")
    (refused,) = gate.refusals(made(bundle(service="shopp")), where, NOW, lambda *_: True)
    assert refused.message.startswith("Splunk knows no service 'shopp' of your teams (did you mean 'shop'?)")


def test_what_is_applied_already_needs_no_descent() -> None:
    """So that a pipeline that was cut off may verify and apply the same release again."""
    present = document.parse(bundle(version=4, base="sha256:" + "a" * 64))
    where = target("DEV", present=present, applied=present.digest, version=4, highest=6)
    assert codes(made(dict(present.document)), where) == []
    assert codes(made(bundle(version=4)), where) == ["base", "version"]


def test_of_several_classes_of_a_field_the_most_sensitive_stands() -> None:
    rows = [
        seen.Field("POST /pay", "body", "x", "pii.email", 90),
        seen.Field("POST /pay", "body", "x", "pci.pan", 3),
        seen.Field("POST /pay", "body", "amount", "principal", 50),
        seen.Field("POST /pay", "trailer", "y", "pci.pan", 3),
    ]
    body = seen.of_fields(rows, "shop", "DEV", NOW - 60, NOW, 100)
    assert [(one.path, one.data_class, one.samples) for one in seen.parse(body).fields] == [("x", "pci.pan", 93)]


def test_a_history_names_what_was_before() -> None:
    first = history.Entry(made(bundle()), NOW, "ada", history.APPLY)
    second = history.Entry(made(document.successor(first.release.bundle, bundle()["made"])), NOW, "ada", history.APPLY)
    state = history.State("shop", 0, ()).followed(first).followed(second)
    assert (state.highest, state.before(), state.before(first.digest)) == (2, first, first)
    back = state.followed(dataclasses.replace(first, action=history.ROLLBACK))
    assert (back.highest, back.before()) == (2, second), "a version that was is not given twice"
    assert history.Entry.from_document(first.to_document()).to_document() == first.to_document()
    for to in (None, second.digest):
        with pytest.raises(DocumentError, match="there is no bundle before"):
            history.State("shop", 1, (first,)).before(to)
    with pytest.raises(DocumentError, match="was not applied here"):
        state.before("sha256:" + "0" * 64)
    for _ in range(history.MAX_HISTORY + 5):
        state = state.followed(second)
    assert len(state.history) == history.MAX_HISTORY
