"""Weeks of traffic of operations that do not change, and that change at a known window.

What does not change is not simple: optional fields that some users have and others never, users who come in bursts,
lists that are empty, free text with an e-mail address in it now and then, clients of several kinds, monitors without a
credential, and operations with three requests an hour.
"""

from __future__ import annotations

import math
import random
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

WINDOW = 900.0  # seconds; refreshes are more frequent, and see less at a time
START = 1_700_006_400.0  # a Wednesday at midnight
WEEK = 7 * 86_400.0
Event = dict[str, Any]


@dataclass(frozen=True)
class Optional:
    """A field that a share of the users has; others never do. ``now_and_then``: in a share of their messages."""

    path: str
    kind: str
    users: float = 1.0
    now_and_then: float = 1.0
    classes: tuple[str, ...] = ()


FIELDS = (
    Optional("id", "integer"),
    Optional("state", "string"),
    Optional("email", "string", classes=("pii.email",)),
    Optional("phone", "string", users=0.6, classes=("pii.phone",)),
    Optional("middle_name", "string", users=0.03, classes=("pii.name",)),
    Optional("company.tax_id", "string", users=0.01, classes=("fin.tax_id",)),
    Optional("note", "string", now_and_then=0.3),
    Optional("items[].price", "number", now_and_then=0.93),
    Optional("items[].discount", "number", now_and_then=0.05),
    Optional("delivered_at", "string", now_and_then=0.7),
)
NOTE_EMAILS = 0.004  # share of notes in which somebody writes an address
AGENTS = ("okhttp/4.9", "Mozilla/5.0 Chrome/120.0", "Mozilla/5.0 Firefox/121.0", "python-requests/2.31", "Dalvik/2.1")
RARE_AGENTS = (
    "curl/8.1",
    "Go-http-client/2.0",
    "PostmanRuntime/7.3",
    "Java/17",
    "axios/1.6",
    "node-fetch/3",
    "Wget/1.2",
)


@dataclass(frozen=True)
class Steady:
    """An operation that stays as it is. ``rate``: requests an hour; ``burst``: of one user in a row."""

    name: str
    rate: float
    users: int
    burst: int = 1
    auth: tuple[str, ...] = ("bearer",)
    monitor: float = 0.0  # share of requests without a credential that are redirected
    open_share: float = 0.0  # share of successes without a credential
    errors: float = 0.02
    busy_by_day: bool = False


OPERATIONS = (
    Steady("busy", 240, 400, busy_by_day=True),
    Steady("partners", 60, 4, burst=20, auth=("api_key",)),
    Steady("few", 3, 40),
    Steady("bursts", 40, 60, burst=12, busy_by_day=True),
    Steady("several credentials", 60, 100, auth=("bearer", "bearer", "bearer", "cookie", "api_key")),
    Steady("monitored", 30, 80, monitor=0.1, errors=0.1),
    Steady("half open", 40, 80, open_share=0.3),
)


@dataclass(frozen=True)
class Change:
    """What begins at a time. ``expected``: the kind that has to be told."""

    expected: str
    effect: dict[str, Any] = field(default_factory=dict)


CHANGES = {
    "an SSN in every answer": Change("sensitive_field", {"field": Optional("ssn", "string", classes=("pii.ssn",))}),
    "an SSN for one user in ten": Change(
        "sensitive_field", {"field": Optional("ssn", "string", users=0.1, classes=("pii.ssn",))}
    ),
    "a card number in a known field": Change("sensitive_field", {"classes": {"state": ("pci.pan",)}}),
    "no credential needed, half use it": Change("authentication_dropped", {"auth_share": ("none", 0.5)}),
    "no credential needed, one in ten uses it": Change("authentication_dropped", {"auth_share": ("none", 0.1)}),
    "passwords are taken": Change("authentication_weakened", {"auth_share": ("basic", 0.3)}),
    "a number becomes a string": Change("type_changed", {"type": {"id": "string"}}),
    "a field goes": Change("field_gone", {"without": "email"}),
}


def events(
    operation: Steady, weeks: float, seed: int, change: Change | None = None, at: float = math.inf
) -> Iterator[list[Event]]:
    """Yield the events of each window; the change begins ``at`` seconds after the start."""
    chance = random.Random(f"{operation.name}|{seed}")
    user, left = 0, 0
    for window in range(int(weeks * WEEK / WINDOW)):
        begin = START + window * WINDOW
        hour = (begin % 86_400) / 3600
        by_day = 0.15 + 1.7 * max(0.0, math.sin((hour - 5) / 24 * 2 * math.pi))
        rate = operation.rate * (by_day if operation.busy_by_day else 1)
        found = []
        for _ in range(_poisson(rate * WINDOW / 3600, chance)):
            if left <= 0:
                user, left = int(operation.users * chance.random() ** 2), operation.burst
            left -= 1
            time = begin + chance.random() * WINDOW
            active = change if change is not None and time >= START + at else None
            found.append(_event(operation, user, time, chance, active.effect if active else {}))
        yield found


def _event(operation: Steady, user: int, time: float, chance: random.Random, effect: dict[str, Any]) -> Event:
    auth = operation.auth[user % len(operation.auth)]
    status = 200 if chance.random() >= operation.errors else chance.choice((400, 404, 429, 500, 503))
    share = effect.get("auth_share")
    if share and chance.random() < share[1]:
        auth = share[0]
    elif operation.open_share and chance.random() < operation.open_share:
        auth = "none"
    elif operation.monitor and chance.random() < operation.monitor:
        auth, status = "none", chance.choice((302, 302, 401))
    agent = AGENTS[user % len(AGENTS)] if chance.random() > 0.002 else chance.choice(RARE_AGENTS)
    fields = (
        list(_fields(user, chance, effect)) if status == 200 else [{"path": "error", "in": "body", "type": "string"}]
    )
    return {
        "time": time, "service": "shop", "team": "red", "operation": f"GET /{operation.name}",
        "endpoint": f"/{operation.name}",
        "http_method": "GET", "principal": f"~principal~{user:016x}~", "auth": auth, "status": status,
        "principal_kind": "anonymous" if auth == "none" else "jwt", "action": "allowed", "http_user_agent": agent,
        "response_time": 40 * chance.lognormvariate(0, 0.5), "response_fields": fields, "request_fields": [],
        "data_classes": sorted({one for item in fields for one in item.get("classes", ())}),
    }  # fmt: skip


def _fields(user: int, chance: random.Random, effect: dict[str, Any]) -> Iterator[dict[str, Any]]:
    more = (effect["field"],) if "field" in effect else ()
    for one in (*FIELDS, *more):
        has = (zlib.crc32(f"{one.path}|{user}".encode()) % 1000) / 1000 < one.users
        if one.path == effect.get("without") or not has or chance.random() >= one.now_and_then:
            continue
        classes = effect.get("classes", {}).get(one.path, one.classes)
        if one.path == "note" and chance.random() < NOTE_EMAILS:
            classes = ("pii.email",)
        kind = effect.get("type", {}).get(one.path, one.kind)
        if kind == "number" and chance.random() < 0.3:
            kind = "integer"  # 10 and 10.5
        found: dict[str, Any] = {"path": one.path, "in": "body", "type": "null" if chance.random() < 0.01 else kind}
        yield {**found, "classes": list(classes)} if classes else found


def _poisson(mean: float, chance: random.Random) -> int:
    limit, product, count = math.exp(-mean), chance.random(), 0
    while product > limit:
        product *= chance.random()
        count += 1
    return count
