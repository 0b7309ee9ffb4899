"""The app's REST API in one process over a KV store in memory, and keys that sign bundles."""

from __future__ import annotations

import base64
import json
import logging
from typing import Any
from urllib.parse import parse_qsl

from apisec_app.access import ADMIN, ALL_TEAMS, CLASSIFY, READ, Caller
from apisec_app.rest.app import Application
from apisec_app.rest.audit import Audit
from apisec_app.rest.resources import TABLE
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from apisec.abuse.artefact import covered, document_of
from apisec.abuse.model import FamilyModel
from apisec.bundles import canonical, seen
from apisec.bundles.release import unsigned
from apisec.bundles.trust import key_id
from apisec.endpoints.inventory import Inventory
from tests.support.kv_memory import MemoryService

NOW = 1_795_000_000.0  # 2026-11-18
LOG = logging.getLogger("tests.bundles")
COMMERCE, FINANCE, ADMINS, SYSTEM = "commerce", "finance", "admin", "splunkd"
LEAD = "lead"  # has apisec_admin, and does not see every team
PAN = {"operation": "POST /pay", "in": "body", "path": "card.number", "class": "pci.pan",
       "author": "ada", "reason": "a card"}  # fmt: skip
NOTE = {"path": "note", "class": "pii.name", "author": "ada", "reason": "people write names here"}


def caller(name: str) -> Caller:
    """A person of a team, or an admin of all of them."""
    if name == ADMINS:
        return Caller(name, frozenset(["admin"]), frozenset([READ, CLASSIFY, ADMIN, ALL_TEAMS]), frozenset(), True)
    rights = [READ, CLASSIFY, *([ADMIN] if name == LEAD else [])]
    return Caller(name, frozenset([f"apisec_team_{name}"]), frozenset(rights), frozenset([name]), False)


class Key:
    """A signing key, and its entry for the trusted ones."""

    def __init__(self, number: int, *teams: str, environments: tuple[str, ...] = ("*",), **more: str) -> None:
        self.private = Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)
        public = self.private.public_key().public_bytes_raw()
        self.id = key_id(public)
        self.entry = {"id": self.id, "public": base64.b64encode(public).decode(), "teams": list(teams),
                      "environments": list(environments), **more}  # fmt: skip

    def sign(self, bundle: dict[str, Any], environment: str | None = None, saw: Any = None) -> dict[str, Any]:
        digest = seen.parse(saw).digest if saw is not None else None
        covered = unsigned(bundle, environment, digest)
        signature = base64.b64encode(self.private.sign(canonical.encode(covered))).decode()
        made = {**covered, "signatures": [{"key": self.id, "signature": signature}]}
        return {**made, "seen": saw} if saw is not None else made

    def sign_models(self, document: dict[str, Any]) -> dict[str, Any]:
        signature = base64.b64encode(self.private.sign(covered(document))).decode()
        return {**document, "signatures": [{"key": self.id, "signature": signature}]}


def bundle(**changes: Any) -> dict[str, Any]:
    made = {"author": "ada@example.org", "reason": "first classification", "at": "2026-11-17T00:00:00Z"}
    body: dict[str, Any] = {
        "apisec_bundle": 1, "service": "shop", "version": 1, "environments": ["DEV", "QA", "PROD"], "made": made,
        "ownership": {"team": COMMERCE}, "overrides": [PAN],
    }  # fmt: skip
    return {key: value for key, value in {**body, **changes}.items() if value is not None}


def models(**training: Any) -> dict[str, Any]:
    """Own models, unsigned: what shows 4 decades of flooding is 1 in 100 here, and 1 in 10,000 without a model."""
    golden = [{"family": "flooding", "features": {"requests": 4.0}, "z": 4.0, "p": 0.01}]
    return document_of({"flooding": FamilyModel(slope=0.5)}, {"transactions": 70, **training}, golden)


def event(service: str = "shop", team: str = COMMERCE, **changes: Any) -> dict[str, Any]:
    base = {
        "time": NOW - 3600, "service": service, "team": team, "env": "DEV", "operation": "POST /pay",
        "endpoint": "/pay", "http_method": "POST", "status": 200, "url": "https://shop.example/pay",
        "request_fields": [{"path": "card.number", "in": "body", "type": "string", "classes": ["pci.pan"]},
                           {"path": "amount", "in": "body", "type": "number"}],
        "response_fields": [{"path": "who.mail", "in": "body", "type": "string", "classes": ["pii.email"]}],
    }  # fmt: skip
    return {**base, **changes}


class Rig:
    """One Splunk with its state in memory. ``key`` may sign for commerce in every environment."""

    def __init__(self, environment: str | None = "DEV") -> None:
        self.kv = MemoryService()
        self.now = NOW
        self.key = Key(1, COMMERCE)
        audit = Audit(LOG, LOG)
        self.app = Application(TABLE, self._connect, _who, lambda: self.now, LOG, audit)
        learned = Inventory()
        for one in [event() for _ in range(60)] + [event("bank", FINANCE) for _ in range(3)]:
            learned.add(one)
        self.kv.fill("apisec_inventory", *learned.to_documents())
        self.trusts(self.key)
        if environment is not None:
            assert self.ask("PUT", "/environment", ADMINS, {"environment": environment})[0] == 200

    def _connect(self, _: str, token: str) -> Any:
        return self.kv if token == SYSTEM else _User(token)

    def trusts(self, *keys: Key) -> None:
        assert self.ask("PUT", "/trust", ADMINS, {"version": 1, "keys": [key.entry for key in keys]})[0] == 200

    def ask(self, method: str, path: str, who: str = COMMERCE, body: Any = None, **more: Any) -> tuple[int, Any]:
        """Ask as splunkd does; returns status and JSON."""
        answer = self.raw(method, path, who, body, **more)
        return answer["status"], json.loads(answer["payload"]) if answer["payload"] else None

    def raw(
        self, method: str, path: str, who: str = COMMERCE, body: Any = None,
        headers: dict[str, str] | None = None, media: str = "application/json",
    ) -> dict[str, Any]:  # fmt: skip
        path, _, query = path.partition("?")
        given = {"Content-Type": media, **(headers or {})}
        text = body if isinstance(body, str) else json.dumps(body) if body is not None else ""
        return self.app.answer({
            "method": method, "rest_path": f"/apisec/v1{path}", "path_info": path.lstrip("/"),
            "query": parse_qsl(query, keep_blank_values=True),
            "headers": list(given.items()), "payload": text, "server": {"rest_uri": "https://127.0.0.1:8089"},
            "session": {"authtoken": who}, "system_authtoken": SYSTEM,
        })  # fmt: skip

    def apply(self, release: Any, who: str = COMMERCE, **more: Any) -> tuple[int, Any]:
        return self.ask("POST", "/bundles:apply", who, release, **more)

    def overrides(self, service: str = "shop") -> dict[str, str]:
        rows = self.kv.rows("apisec_overrides")
        return {row["path"]: row["class"] for row in rows if row["service"] == service}


class _User:
    def __init__(self, token: str) -> None:
        self.token = token


def _who(user: Any, _: Any) -> Caller:
    return caller(user.token)
