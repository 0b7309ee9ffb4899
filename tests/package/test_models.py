"""Models of one's own in Splunk: taken when a trusted key signed them, and let go when it is revoked."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from apisec_app.commands.about import about
from apisec_app.detection import rows as fetching
from apisec_app.detection import run as running

from apisec.abuse.artefact import shipped
from apisec.abuse.engine import Engine
from apisec.abuse.model import Models
from apisec.activity import Activity
from tests.package.bundles_rig import ADMINS, COMMERCE, LEAD, NOW, Key, Rig, event, models

LOG = logging.getLogger("tests.models")
EVIDENCE = {"requests": 4.0}
KEY = Key(9, "*")
GIVEN = KEY.sign_models(models())


@pytest.fixture
def rig() -> Rig:
    made = Rig()
    made.trusts(KEY, made.key)
    return made


def used(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> Models:
    """Let detection run once; return the models that its engine was given."""
    given: list[Any] = []

    class Watched(Engine):
        def __init__(self, documents: Any, **more: Any) -> None:
            given.append(more["models"])
            super().__init__(documents, **more)

    activity = Activity()
    activity.add({**event(), "principal": "~principal~a~"})
    monkeypatch.setattr(running, "Engine", Watched)
    monkeypatch.setattr(fetching, "fetch", lambda *_: activity.rows())
    list(running.Detection(rig.kv, running.Settings(history_hours=1.0), LOG).run(NOW))
    assert isinstance(given[0], Models)
    return given[0]


def test_signed_models_are_taken_and_used(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    status, body = rig.ask("PUT", "/models", ADMINS, GIVEN)
    assert (status, body["in_use"], body["own"]["signed_by"]) == (200, "own", KEY.id)
    assert (body["own"]["sha256"], body["own"]["transactions"]) == (GIVEN["sha256"], 70)
    assert [(one["call"], one["after"]) for one in rig.kv.events if one["call"] == "putModels"] == [
        ("putModels", GIVEN["sha256"])
    ]
    assert rig.ask("GET", "/models")[1] == body
    assert used(rig, monkeypatch).p_value("flooding", EVIDENCE) == pytest.approx(0.01)
    row = about(rig.kv)
    assert (row["model"], row["model_state"]) == (GIVEN["sha256"][:12], "verified")
    assert KEY.id in row["model_of"]


def test_what_is_revoked_is_used_no_more_and_says_why(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rig.ask("PUT", "/models", ADMINS, GIVEN)
    rig.trusts(Key(9, "*", revoked="the laptop was stolen"))
    body = rig.ask("GET", "/models")[1]
    assert (body["in_use"], body["own"]["signed_by"]) == ("shipped", None)
    assert "the laptop was stolen" in body["own"]["problem"]
    assert "the laptop was stolen" in about(rig.kv)["model_state"]
    assert used(rig, monkeypatch).p_value("flooding", EVIDENCE) < 0.01
    assert "the laptop was stolen" in caplog.text


def test_own_models_are_given_up(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.ask("PUT", "/models", ADMINS, GIVEN)
    assert rig.ask("DELETE", "/models?reason=worse", ADMINS)[0] == 204
    assert (rig.ask("GET", "/models")[1]["own"], about(rig.kv)["model"]) == (None, shipped()["sha256"][:12])
    assert used(rig, monkeypatch).p_value("flooding", EVIDENCE) < 0.01


REFUSED: dict[str, tuple[Any, str]] = {
    "no JSON": ("{", "is not JSON"),
    "another thing": ("{}", "missing or unknown keys"),
    "nobody signed them": (models(), "has no signature; sign it with: apisec-ml sign"),
    "changed": ({**GIVEN, "training": {}}, "was changed"),
    "signed before it was changed": ({**models(seed=2), "signatures": GIVEN["signatures"]}, "fit"),
    "a key of one team": (Key(1, COMMERCE).sign_models(models()), "may not sign for team"),
    "a stranger's key": (Key(7, "*").sign_models(models()), "is not trusted here"),
    "deep": ('{"training": ' + "[" * 200_000 + "]" * 200_000 + "}", "is not JSON"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_does_not_count_is_refused_and_nothing_changes(rig: Rig, what: str) -> None:
    body, why = REFUSED[what]
    status, answer = rig.ask("PUT", "/models", ADMINS, body)
    assert (status, why in answer["detail"]) == (422, True), answer
    assert rig.ask("GET", "/models")[1]["own"] is None


def test_only_who_decides_for_all_teams_may_give_or_take_them(rig: Rig) -> None:
    for who in (COMMERCE, LEAD):
        assert rig.ask("PUT", "/models", who, GIVEN)[0] == 403
        assert rig.ask("DELETE", "/models?reason=x", who)[0] == 403
    etag = rig.raw("GET", "/models")["headers"]["ETag"]
    assert rig.ask("PUT", "/models", ADMINS, GIVEN, headers={"If-Match": etag})[0] == 200
    assert rig.ask("PUT", "/models", ADMINS, GIVEN, headers={"If-Match": etag})[0] == 412


def test_a_document_that_somebody_damaged_stops_nothing(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.ask("PUT", "/models", ADMINS, GIVEN)
    rig.kv.collections["apisec_bundles"]["models"]["document"] = json.dumps({"version": 9})
    assert "missing or unknown keys" in rig.ask("GET", "/models")[1]["own"]["problem"]
    assert used(rig, monkeypatch).p_value("flooding", EVIDENCE) < 0.01
