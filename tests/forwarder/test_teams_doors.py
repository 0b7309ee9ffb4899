"""Every operation of the forwarder's admin API, asked by one team for what another has."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from apisec_forwarder.admin.handlers import OPERATIONS
from apisec_forwarder.bundles import signing
from tests.forwarder.decisions_rig import Rig, pattern

SCOPES = "patterns:read,patterns:write,bundles:read,bundles:write"
IDENTITY = "0a3c6a52-0d1c-4d36-9b2e-6d1f0f6f7a01"
NOTHING = "0a3c6a52-0d1c-4d36-9b2e-6d1f0f6f7aff"
MARK = "hidden-commerce"
DETECTION = {"s": {"operation": f"GET /{MARK}"}, "condition": "s"}
OTHERS = ("healthz", "openapi", "docs")  # for everybody, of nobody


class Doors(Rig):
    """A control process with a pattern and a bundle of team commerce."""

    TOKENS = (("commerce", SCOPES, "commerce"), ("finance", SCOPES, "finance"))

    def _config(self, key: Path) -> str:
        teams = ("commerce", "finance")
        self.keys = {team: signing.generate(self.folder / f"{team}.key") for team in teams}
        listed = [signing.trusted(self.keys[team], [team], ["DEV"], team) for team in teams]
        (self.folder / "trust.yaml").write_text(json.dumps({"version": 1, "keys": listed}))
        bundles = f"{{store: {self.folder}/bundles, trust: {self.folder}/trust.yaml, editable: true}}"
        return f"{super()._config(key)}bundles: {bundles}\n"

    def release(self, signer: str, version: int = 1) -> dict[str, Any]:
        """A bundle of commerce's service."""
        made = {"author": "ada@example.org", "reason": "first classification", "at": "2026-11-17T00:00:00Z"}
        override = {"path": MARK, "class": "pii.name", "author": "ada", "reason": "people write names here"}
        document = {
            "apisec_bundle": 1,
            "service": "shop",
            "version": version,
            "environments": ["DEV"],
            "made": made,
            "ownership": {"team": "commerce"},
            "overrides": [override],
        }
        return signing.sign(document, None, None, [self.keys[signer]]).to_document()


@pytest.fixture(scope="module")
def doors() -> Iterator[Doors]:
    with Doors(gateway=False) as made:
        document = pattern(IDENTITY, DETECTION, "shadow")
        assert made.admin("PUT", f"/v1/patterns/{IDENTITY}", "commerce", json=document).status_code == 201
        applied = made.admin("POST", "/v1/bundles:apply", "commerce", json=made.release("commerce"))
        assert applied.status_code == 200, applied.text
        yield made


def _asked(doors: Doors) -> dict[str, tuple[str, str, Any]]:
    """Each operation about what commerce has: kind, address, body."""
    one, shop = f"/v1/patterns/{IDENTITY}", "shop"
    moved = copy.deepcopy(pattern(IDENTITY, DETECTION, "shadow"))
    return {
        "listPatterns": ("list", "/v1/patterns", None),
        "getPattern": ("one", one, None),
        "patternStats": ("one", f"{one}/stats", None),
        "putPattern": ("change", one, {**moved, "title": "taken"}),
        "promotePattern": ("change", f"{one}:promote", {"to": "canary", "reason": "x"}),
        "rollbackPattern": ("change", f"{one}:rollback", {"reason": "x"}),
        "deletePattern": ("change", one, None),
        "listServices": ("list", "/v1/services", None),
        "listBundles": ("list", "/v1/bundles", None),
        "getOverrides": ("one", f"/v1/overrides/{shop}", None),
        "putOverrides": ("change", f"/v1/overrides/{shop}", {"overrides": [], "reason": "taken away"}),
        "exportBundle": ("one", f"/v1/bundles/{shop}", None),
        "verifyBundle": ("refused", "/v1/bundles:verify", doors.release("finance", version=2)),
        "applyBundle": ("refused", "/v1/bundles:apply", doors.release("finance", version=2)),
        "rollbackBundle": ("change", f"/v1/bundles/{shop}:rollback", {"reason": "taken back"}),
        "status": ("list", "/v1/status", None),
        "metrics": ("list", "/metrics", None),
    }


def test_every_operation_is_here(doors: Doors) -> None:
    assert sorted([*_asked(doors), *OTHERS]) == sorted(one.name for one in OPERATIONS)


def state(doors: Doors) -> list[Any]:
    paths = ("/v1/patterns", f"/v1/patterns/{IDENTITY}", "/v1/bundles/shop", "/v1/overrides/shop")
    return [doors.admin("GET", path, "commerce").json() for path in paths]


@pytest.mark.parametrize("name", [one.name for one in OPERATIONS if one.name not in OTHERS])
def test_a_token_of_another_team_finds_nothing(doors: Doors, name: str) -> None:
    kind, path, body = _asked(doors)[name]
    (operation,) = [one for one in OPERATIONS if one.name == name]
    before = state(doors)
    reply = doors.admin(operation.method, path, "finance", json=body, headers={"if-match": "*"} if body else {})
    assert MARK not in reply.text
    assert state(doors) == before
    if kind == "list":
        assert reply.status_code == 200
        assert "shop" not in reply.text, reply.text
        assert "shop" in doors.admin(operation.method, path, "commerce").text or name in ("status", "metrics")
    elif kind == "one":
        assert reply.status_code == 404
        assert "shop" in doors.admin(operation.method, path, "commerce").text or name == "patternStats"
    elif kind == "refused":
        assert reply.status_code in (200, 409), reply.text
        assert [one["code"] for one in reply.json()["refusals"]] == ["service"], reply.text
    else:
        assert reply.status_code in (403, 404), reply.text
    if kind in ("one", "change"):
        assert words(reply) == words(_of_nothing(doors, operation.method, path, body))


def words(reply: requests.Response) -> str:
    """What an answer says, without the name that was asked for."""
    text = str(reply.json().get("detail", ""))
    for name in (IDENTITY, NOTHING, "nosuch", "shop"):
        text = text.replace(name, "…")
    return text


def _of_nothing(doors: Doors, method: str, path: str, body: Any) -> requests.Response:
    """The same about what nobody has."""
    path = path.replace(IDENTITY, NOTHING).replace("shop", "nosuch")
    if isinstance(body, dict) and "id" in body:
        body = {**body, "id": NOTHING}
    return doors.admin(method, path, "finance", json=body, headers={"if-match": "*"} if body else {})


def test_what_one_team_signed_is_refused_to_the_other_s_own_people(doors: Doors) -> None:
    before = state(doors)
    reply = doors.admin("POST", "/v1/bundles:apply", "commerce", json=doors.release("finance", version=2))
    assert reply.status_code == 409
    assert "may not sign for team commerce" in reply.text
    assert state(doors) == before


def test_the_owner_s_changes_pass(doors: Doors) -> None:
    """Last, for it changes things: so that no door above is shut by a misspelling."""
    for name in ("promotePattern", "rollbackPattern", "putPattern", "deletePattern"):
        _, path, body = _asked(doors)[name]
        (operation,) = [one for one in OPERATIONS if one.name == name]
        reply = doors.admin(operation.method, path, "commerce", json=body)
        assert reply.status_code in (200, 204), (name, reply.text)
    reply = doors.admin("POST", "/v1/bundles:apply", "commerce", json=doors.release("commerce", version=2))
    assert [one["code"] for one in reply.json()["refusals"]] == ["base"], "known, signed, and made from another version"
