"""Levels of operations and services over REST: as the inventory noted them, and as teams say since."""

from __future__ import annotations

from typing import Any

import pytest

from tests.package.rest_rig import IDS, NOW, ORDERS, PROFILES, REFUND, TRANSFER, Rig


@pytest.fixture
def rig() -> Rig:
    return Rig()


def names(rows: list[dict[str, Any]]) -> list[str]:
    return sorted({row["operation"] for row in rows})


def test_levels_follow_traffic_and_what_teams_say_since(rig: Rig) -> None:
    """A caller's own credential asks for no more than internal, though its class alone would be restricted."""
    assert {row["level"] for row in rig.items("/operations", "root")} == {"confidential"}
    row = {
        "_key": "0" * 24,
        "version": 1,
        "service": "shop",
        "operation": "GET /orders/*",
        "path": "**",
        "class": "pci.pan",
    }
    said = {"author": "ann", "reason": "numbers of cards", "in": "body", "created": NOW, "updated": NOW}
    rig.kv.fill("apisec_overrides", {**row, **said})
    assert names(rig.items("/operations?level=restricted", "root")) == [ORDERS]
    assert names(rig.items("/operations?sort=-level&limit=1", "root")) == [ORDERS]
    assert [rig.get(f"/operations/{IDS[name]}", "root")["level"] for name in (ORDERS, REFUND)] == [
        "restricted",
        "confidential",
    ]
    assert [row["service"] for row in rig.items("/services?level=restricted", "root")] == ["shop"]
    for name in IDS.values():
        assert (
            rig.get(f"/operations/{name}", "root")["level"]
            == rig.get(f"/operations/{name}/classification", "root")["level"]
        )


def test_a_level_that_no_document_has_yet_is_judged(rig: Rig) -> None:
    for held in list(rig.kv.rows("apisec_inventory")):
        rig.kv.fill("apisec_inventory", {name: value for name, value in held.items() if name != "level"})
    assert {row["level"] for row in rig.items("/operations", "root")} == {"confidential"}


def test_a_services_differences_are_those_that_its_input_told(rig: Rig) -> None:
    assert rig.get("/services/shop")["drift"] is None
    told = {"_key": "drift|shop", "version": 1, "kind": "drift", "service": "shop", "stored": NOW}
    rig.kv.fill("apisec_specs", {**told, "open": [{"id": "a", "severity": "high", "operation": ORDERS}]})
    assert rig.get("/services/shop")["drift"] == {"critical": 0, "high": 1, "medium": 0, "low": 0, "info": 0}


@pytest.mark.parametrize(
    ("service", "operation", "raised"),
    [
        ("shop", ORDERS, [ORDERS]),
        ("shop", None, [ORDERS, PROFILES, REFUND]),
        ("*", "POST *", [REFUND, TRANSFER]),
        ("bank", ORDERS, []),
    ],
)
def test_an_override_raises_the_operations_that_it_is_about(
    rig: Rig, service: str, operation: str | None, raised: list[str]
) -> None:
    row = {"_key": "0" * 24, "version": 1, "service": service, "path": "**", "class": "pci.pan", "author": "ann"}
    more = {} if operation is None else {"operation": operation}
    rig.kv.fill("apisec_overrides", {**row, **more, "reason": "numbers of cards", "created": NOW, "updated": NOW})
    assert names(rig.items("/operations?level=restricted", "root")) == raised
