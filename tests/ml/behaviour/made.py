"""Made-up truths and findings for the tests of measuring."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apisec.abuse.artefact import document_of
from apisec.abuse.model import FamilyModel
from apisec_ml.behaviour.told import summary_of
from apisec_ml.behaviour.truth import Truth

START = 1_767_571_200.0  # 2026-01-05, a Monday
HOUR, DAY = 3600.0, 86400.0


def event(number: int, time: float, principal: str, operation: str = "GET /orders/{order_id}", **more: Any) -> Any:
    """An event of sourcetype apisec:transaction."""
    return {
        "schema": 1,
        "id": f"e{number}",
        "time": time,
        "gateway": "g",
        "env": "PROD",
        "service": "shop",
        "team": "store",
        "http_method": operation.partition(" ")[0],
        "endpoint": operation.partition(" ")[2],
        "operation": operation,
        "url": "https://shop.example/x",
        "uri_path": "/x",
        "status": 200,
        "action": "allowed",
        "src": "192.0.2.7",
        "principal": f"~principal~{principal}~",
        "principal_kind": "jwt",
        "auth": "bearer",
        "data_classes": [],
        "object_ids": [],
        "coverage": "complete",
        "key_id": "00000001",
        **more,
    }


def label(number: int, campaign: str | None = None, **more: Any) -> dict[str, Any]:
    return {"id": f"e{number}", "actor": "a", "persona": "person", "campaign": campaign, **more}


def truth_with(*campaigns: tuple[str, str, str, float, float], ordinary: int = 1000) -> Truth:
    """A truth with campaigns (id, family, principal, first, last in hours) and ordinary events of one person."""
    truth = Truth()
    for number in range(ordinary):
        truth.add(event(number, START + number, "ordinary"), START + number, label(number))
    for name, family, principal, first, last in campaigns:
        told = {"family": family, "style": "loud"}
        for time in (START + first * HOUR, START + last * HOUR):
            truth.add(event(0, time, principal), time, label(0, name, **told))
    return truth


def anomaly(principal: str, hours: float, **more: Any) -> tuple[float, Mapping[str, Any]]:
    """An anomaly that accuses one principal at some hour."""
    found = {
        "id": f"a-{principal}-{hours}",
        "service": "shop",
        "family": "scraping",
        "entity": "principal",
        "principal": f"~principal~{principal}~" if principal else "",
        "operation": "GET /orders/{order_id}",
        "members": [f"~principal~{principal}~"] if principal else [],
        "campaign": f"c-{principal}",
        "score": 95.0,
        "p_value": 1e-6,
        "reasons": ["too much"],
        "features": {"objects": 6.0},
        **more,
    }
    return START + hours * HOUR, found


def told_models(told: Any, transactions: int) -> dict[str, Any]:
    """An artefact that knows what was told of ordinary traffic in training, and nothing else."""
    golden = [{"family": "scraping", "features": {}, "z": 0.0, "p": 1.0}]
    training = {"transactions": transactions, "told": summary_of(told, transactions)}
    return document_of({"scraping": FamilyModel()}, training, golden)
