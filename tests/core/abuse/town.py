"""A shop with ordinary people, and what somebody else does there; windows of five minutes through an engine."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Dict, List, Sequence

from apisec.abuse.engine import Engine
from apisec.abuse.families import FAMILIES
from apisec.activity import Activity

COUNTING = tuple(family for family in FAMILIES if hasattr(family, "mark"))
START_SLOT = 20_454 * 288  # a Monday, 2026-01-05
SERVICE = "shop"
DAYS = 3
Event = Dict[str, Any]
Anomalies = List[Dict[str, Any]]


def at(day: int, hour: float, second: float = 0.0) -> float:
    return (START_SLOT + 288 * day) * 300.0 + hour * 3600.0 + second


def event(time: float, who: str, operation: str, status: int = 200, **more: Any) -> Event:
    method, _, path = operation.partition(" ")
    made: Event = {
        "schema": 1, "id": f"{time:.3f}-{who}-{status}", "time": time, "service": SERVICE, "team": "web",
        "action": "allowed", "http_method": method, "endpoint": path, "operation": operation, "status": status,
        "principal": f"~principal~{who}~", "principal_kind": "jwt", "auth": "bearer",
        "auth_token": f"~secret.jwt~{who}~", "src": "192.0.2.1", "http_user_agent": "Mozilla/5.0 Firefox/140.0",
        "object_ids": [], "bytes_in": 10, "bytes_out": 600, "response_time": 12.5, "request_fields": [],
        "response_fields": [], "data_classes": [],
    }  # fmt: skip
    return {**made, **more}


def login(time: float, who: str, account: str, status: int = 200, **more: Any) -> Event:
    return _asking(time, who, "POST /login", account, status, password="~secret.password~00~", **more)


def forgot(time: float, who: str, account: str, status: int = 200, **more: Any) -> Event:
    return _asking(time, who, "POST /forgot", account, status, **more)


def _asking(time: float, who: str, operation: str, account: str, status: int, password: str = "", **more: Any) -> Event:
    body = {"email": f"~pii.email~{account}~", **({"password": password} if password else {})}
    fields = [{"path": "email", "in": "body", "type": "string", "classes": ["pii.email"]}]
    if password:
        fields.append({"path": "password", "in": "body", "type": "string", "classes": ["secret.password"]})
    about = {"principal_kind": "anonymous", "auth": "none", "auth_token": "", "request_body": json.dumps(body)}
    return event(time, who, operation, status, **{**about, "request_fields": fields, **more})


def signal(family: str, score: float, where: str = "query.q") -> Event:
    return {"detector": f"injection.{family}", "family": family, "where": where, "score": score}


def visit(time: float, who: str, seed: int) -> List[Event]:
    """What an ordinary visitor does: looks around, buys, looks at the order."""
    src = f"198.51.{seed % 200}.7"
    steps = [login(time, f"a{who}", who, 401 if seed % 9 == 0 else 200, src=src)]
    steps += [login(time + 9, f"a{who}", who, src=src)] if seed % 9 == 0 else []
    for index in range(2 + seed % 4):
        item = (seed * 7 + index * 11) % 80
        steps.append(event(time + 20 + index, who, "GET /products", src=src, bytes_out=900 + 10 * index))
        steps.append(
            event(time + 40 + index, who, "GET /products/{id}", src=src, object_ids=[f"id={item}"], bytes_out=500)
        )
    steps.append(event(time + 60, who, "GET /search", src=src, bytes_out=700))
    steps.append(event(time + 70, who, "POST /orders", 422 if seed % 23 == 0 else 201, src=src))
    steps.append(event(time + 80, who, "GET /orders", src=src, bytes_out=300 + 100 * (seed % 9)))
    steps += [forgot(time + 90, f"a{who}", who, 404 if seed % 34 == 0 else 200, src=src)] if seed % 17 == 0 else []
    return steps


def ordinary(day: int, people: int = 40) -> List[Event]:
    """A day of the town: everybody comes once or twice, and a monitor asks for health all day."""
    events: List[Event] = []
    for index in range(people):
        seed = index * 5 + day * 3
        events += visit(at(day, 7 + seed * 0.37 % 12), f"u{index:03}", seed)
        if index % 3 == day % 3:
            events += visit(at(day, 15 + seed * 0.11 % 6), f"u{index:03}", seed + 1)
    events += [event(at(day, quarter / 4, 5), "monitor", "GET /health", src="203.0.113.9") for quarter in range(96)]
    return events


def run(engine: Engine, events: Iterable[Event]) -> Anomalies:
    """Step through the windows of the events in order of time."""
    activity = Activity()
    for one in events:
        activity.add(one)
    slots: Dict[int, List[Any]] = {}
    for row in activity.rows():
        slots.setdefault(row.slot, []).append(row)
    return [anomaly for slot in sorted(slots) for anomaly in engine.advance(slots[slot], (slot + 1) * 300.0)]


def copied(engine: Engine, **more: Any) -> Engine:
    """The engine as another process would read it from the store."""
    return Engine(json.loads(json.dumps(engine.documents(dirty_only=False))), **more)


def findings(anomalies: Sequence[Dict[str, Any]]) -> Anomalies:
    return [one for one in anomalies if one["new"]]
