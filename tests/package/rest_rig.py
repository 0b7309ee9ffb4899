"""The app's REST API in one process over a KV store in memory: two teams, their traffic, and people to ask."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

from apisec_app.access import ADMIN, ALL_TEAMS, CLASSIFY, READ, TRIAGE, Caller
from apisec_app.rest.app import Application
from apisec_app.rest.audit import Audit
from apisec_app.rest.resources import TABLE
from apisec_app.rest.rows import operation_id
from apisec_app.specs.store import document_of

from apisec.endpoints.inventory import Inventory
from apisec.endpoints.learning import PathModel
from apisec.http.table import Table
from tests.core.inventory.events import START, event, principal
from tests.support.kv_memory import MemoryService

NOW = START + 7200.0
SYSTEM = "splunkd"
LOG = logging.getLogger("tests.rest")
PEOPLE = {
    "ann": Caller(
        "ann", frozenset(["apisec_team_red"]), frozenset([READ, CLASSIFY, TRIAGE]), frozenset(["red"]), False
    ),
    "bob": Caller(
        "bob", frozenset(["apisec_team_blue"]), frozenset([READ, CLASSIFY, TRIAGE]), frozenset(["blue"]), False
    ),
    "eve": Caller("eve", frozenset(["user"]), frozenset(), frozenset(), False),
    "root": Caller(
        "root", frozenset(["admin"]), frozenset([READ, CLASSIFY, TRIAGE, ADMIN, ALL_TEAMS]), frozenset(), True
    ),
}
ORDERS, PROFILES, REFUND = "GET /orders/{order_id}", "GET /users/{user_id}/profile", "POST /refunds"
TRANSFER = "POST /transfers"
SPEC = """
openapi: 3.0.3
info: {title: Shop, version: "7"}
paths:
  /orders/{id}:
    get:
      responses: {200: {content: {application/json: {schema: {properties: {state: {type: string}}}}}}}
"""


def traffic() -> Iterator[dict[str, Any]]:
    """Of shop, where red owns all but the refunds, and of bank, which is blue's."""
    for n in range(60):
        about = {"time": START + n, "principal": principal(n % 7)}
        path = f"/orders/{1000 + n}"
        yield event(**about, operation=ORDERS, endpoint="/orders/{order_id}", uri_path=path)
        name = f"user{chr(97 + n % 26)}{chr(97 + n // 26)}x"
        path = f"/users/{name}/profile"
        yield event(**about, operation=PROFILES, endpoint="/users/{user_id}/profile", uri_path=path, uri_query="")
        refund = {
            "time": START,
            "operation": REFUND,
            "endpoint": "/refunds",
            "uri_path": "/refunds",
            "http_method": "POST",
        }
        yield event(**{**about, **refund}, team="blue")
        transfer = {"operation": TRANSFER, "endpoint": "/transfers", "uri_path": "/transfers", "http_method": "POST"}
        yield event(**about, **transfer, service="bank", team="blue", response_time=900.0)


def documents() -> dict[str, list[dict[str, Any]]]:
    """What the collections hold of that traffic."""
    inventory, paths = Inventory(), PathModel()
    for one in traffic():
        inventory.add(one)
        paths.add_event(one)
        if one["time"] == START and one["service"] == "bank":  # one name of a user alone is a fixed word still
            paths.decide(START)
    paths.decide(START + 60)
    paths.settle()
    learned = [
        {"_key": service, "version": 1, "service": service, "through": START + 60, "state": part.to_state()}
        for part in paths.split()
        for service in part.services
    ]
    spec = document_of("shop", SPEC, name="shop.yaml", source="tests", now=START)
    return {"apisec_inventory": inventory.to_documents(), "apisec_paths": learned, "apisec_specs": [spec]}


DOCUMENTS = documents()
IDS = {name: operation_id(service, name) for service, name in (
    ("shop", ORDERS), ("shop", PROFILES), ("shop", REFUND), ("bank", TRANSFER),
)}  # fmt: skip


class User:
    """A connection with a caller's rights; ``rows`` are what its searches find."""

    def __init__(self, name: str, rows: list[dict[str, Any]], searches: list[dict[str, Any]]) -> None:
        self.name = name
        self.jobs = self
        self._rows = rows
        self._searches = searches

    def export(self, spl: str, **arguments: Any) -> Any:
        import io

        self._searches.append({"user": self.name, "spl": spl, **arguments})
        lines = [json.dumps({"result": {"_raw": json.dumps(row)}, "preview": False}) for row in self._rows]
        return io.BytesIO("\n".join(lines).encode())


class Rig:
    """One Splunk with its state in memory."""

    def __init__(self, table: Table = TABLE) -> None:
        self.kv = MemoryService()
        for name, held in DOCUMENTS.items():
            self.kv.fill(name, *held)
        self.now = NOW
        self.found: list[dict[str, Any]] = []
        self.searches: list[dict[str, Any]] = []
        self.app = Application(table, self._connect, self._who, lambda: self.now, LOG, Audit(LOG, LOG))

    def _connect(self, _: str, token: str) -> Any:
        return self.kv if token == SYSTEM else User(token, self.found, self.searches)

    @staticmethod
    def _who(user: Any, _: Any) -> Caller:
        return PEOPLE[user.name]

    def raw(
        self, method: str, path: str, who: str = "ann", body: Any = None, headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """Ask as splunkd does; returns its answer."""
        path, _, query = path.partition("?")
        text = body if isinstance(body, str) else json.dumps(body) if body is not None else ""
        given = {**({"Content-Type": "application/json"} if text else {}), **(headers or {})}
        return self.app.answer({
            "method": method, "rest_path": f"/apisec/v1{path}", "path_info": path.lstrip("/"),
            "query": [list(pair) for pair in parse_qsl(query, keep_blank_values=True)],
            "headers": [list(pair) for pair in given.items()], "payload": text,
            "server": {"rest_uri": "https://127.0.0.1:8089"}, "system_authtoken": SYSTEM,
            "session": {"authtoken": who, "user": who},
        })  # fmt: skip

    def ask(
        self, method: str, path: str, who: str = "ann", body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """Return status and JSON."""
        answer = self.raw(method, path, who, body, headers)
        return answer["status"], json.loads(answer["payload"]) if answer["payload"] else None

    def get(self, path: str, who: str = "ann") -> Any:
        """Return the JSON of what is there."""
        status, found = self.ask("GET", path, who)
        assert status == 200, found
        return found

    def items(self, path: str, who: str = "ann") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get(path, who)["items"]
        return found
