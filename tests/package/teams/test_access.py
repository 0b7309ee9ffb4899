"""Who asks, and what reads for them: roles that import roles, whose hosts, rows through pages."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from apisec_app.access import ALL_TEAMS, PAGE, Visible, caller_of, reader
from apisec_app.kvstore import INVENTORY, PATTERNS, TEAMS, Collection
from apisec_app.teams import host_of, owners, with_team

from tests.core.inventory.events import event, learned
from tests.support.kv_memory import MemoryService

ROLES = {
    "leads": ["pay_dev"],
    "pay_dev": "apisec_team",  # as splunkd says it where there is one only
    "apisec_team": [],
    "loop": ["loop2"],
    "loop2": ["loop"],
    "apisec_team_cart": ["apisec_team"],
}


class Splunkd(MemoryService):
    """The KV store, roles, and a session."""

    def __init__(self, roles: list[str], *capabilities: str) -> None:
        super().__init__()
        self.context = {"username": "ann", "roles": roles, "capabilities": ["search", *capabilities]}
        self.asked: list[str] = []

    def get(self, path: str, **arguments: Any) -> Any:
        self.asked.append(path)
        if path.endswith("current-context"):
            return answer({"entry": [{"name": "context", "content": self.context}]})
        if path.endswith("authorization/roles"):
            listed = [{"name": name, "content": {"imported_roles": held}} for name, held in ROLES.items()]
            return answer({"entry": listed})
        return super().get(path, **arguments)


def answer(body: Any) -> Any:
    return SimpleNamespace(body=SimpleNamespace(read=lambda: json.dumps(body).encode()))


TEAM = {"_key": "pay", "version": 1, "roles": ["pay_dev"], "owns": [{"host": "pay.example"}]}
CALLERS: dict[str, tuple[list[str], set[str]]] = {
    "a role of a document": (["pay_dev"], {"pay"}),
    "in upper case": (["Pay_Dev"], {"pay"}),
    "a role that imports it": (["leads"], {"pay"}),
    "a role of the team's name": (["apisec_team_cart"], {"cart"}),
    "both": (["leads", "apisec_team_cart"], {"pay", "cart"}),
    "the base alone": (["apisec_team"], set()),
    "roles that import each other": (["loop"], set()),
    "a role that is gone": (["nowhere"], set()),
}


@pytest.mark.parametrize("who", CALLERS)
def test_teams_of_a_caller(who: str) -> None:
    roles, teams = CALLERS[who]
    splunkd = Splunkd(roles)
    splunkd.fill(TEAMS, TEAM)
    found = caller_of(splunkd, splunkd)
    assert (found.user, found.everything) == ("ann", False)
    assert found.teams == frozenset(teams)
    assert caller_of(splunkd).teams == frozenset(), "without splunkd's own session nobody is of a team"
    for team in ("pay", "cart", ""):
        assert found.sees(team) is (team in teams)


def test_who_sees_everything_sees_what_is_nobody_s() -> None:
    found = caller_of(Splunkd(["apisec_analyst"], ALL_TEAMS))
    assert found.sees("")
    assert found.sees("any")
    assert isinstance(reader(Splunkd(["apisec_analyst"], ALL_TEAMS), PATTERNS), Collection)
    assert isinstance(reader(Splunkd(["pay_dev"]), PATTERNS), Visible)


@pytest.mark.parametrize(
    ("server", "host"),
    [
        ("https://Pay.example:8443", "pay.example"),
        ("http://pay.example", "pay.example"),
        ("https://[2001:db8::1]:443", "2001:db8::1"),
        ("pay.example/x", "pay.example"),
        ("", ""),
    ],
)
def test_the_host_of_a_server(server: str, host: str) -> None:
    assert host_of(server) == host


def test_owners_by_host_by_the_operation_and_by_the_latest_stamp() -> None:
    splunkd = Splunkd([])
    splunkd.fill(TEAMS, TEAM)
    rows = [
        event(service="s", team="old", operation="GET /a", time=1.0, url="https://pay.example/a"),
        event(service="s", team="new", operation="GET /b", time=2.0, url="https://other.example/b"),
    ]
    splunkd.fill(INVENTORY, *learned(rows).to_documents())
    found = owners(splunkd)
    assert found.of("s", "GET /a") == "pay"
    assert found.of("s", "GET /b") == "new"
    assert found.of("s", "GET /unheard-of") == "new", "the service's latest stamp"
    assert found.of("s") == "new"
    assert found.of("unheard-of") == ""
    assert found.team_of({"service": "s", "operation": "GET /a", "principal": "p"}) == "pay"
    assert splunkd.asked.count(f"/servicesNS/nobody/apisec/storage/collections/data/{INVENTORY}") == 1


def test_a_document_of_another_team_says_so_in_its_state() -> None:
    (document,) = learned([event(team="red")] * 2).to_documents()
    assert with_team(document, "red") is document
    moved = with_team(document, "blue")
    assert moved["team"] == "blue"
    assert moved["state"] != document["state"]
    assert with_team(moved, "red")["state"] == document["state"]
    assert with_team({"_key": "1"}, "blue") == {"_key": "1"}


class Api:
    """The app's REST API as far as a reader asks it: pages of two."""

    def __init__(self) -> None:
        self.rows = [{"_key": str(n), "service": "s" if n % 2 else "t"} for n in range(5)]
        self.posted: list[Any] = []

    def get(self, path: str, limit: int, cursor: str = "0", **arguments: str) -> Any:
        assert (path, limit) == ("/services/apisec/v1/state/apisec_patterns", PAGE)
        held = [row for row in self.rows if row["service"] == arguments.get("service", row["service"])]
        at = int(cursor)
        return answer({"items": held[at : at + 2], "next": str(at + 2) if at + 2 < len(held) else None})

    def post(self, path: str, body: str, headers: Any) -> Any:
        assert dict(headers) == {"Content-Type": "application/json"}
        assert path.endswith("/find")
        keys = json.loads(body)["keys"]
        self.posted.append(len(keys))
        return answer({"items": [row for row in self.rows if row["_key"] in keys[:40]], "left": keys[40:]})


def test_a_reader_of_rows_reads_as_a_collection_does() -> None:
    api = Api()
    read = Visible(api, PATTERNS)
    assert read.load() == api.rows
    assert [row["_key"] for row in read.load({"service": "s"})] == ["1", "3"]
    assert [row["_key"] for row in read.load({"$or": [{"service": "s"}, {"service": "t"}]})] == [
        "1",
        "3",
        "0",
        "2",
        "4",
    ]
    assert read.get("3") == api.rows[3]
    assert read.get("9") is None
    assert read.find([str(n) for n in range(120)]) == api.rows
    assert api.posted == [1, 1, 50, 10, 50, 10, 20]
    for query in ({"team": "x"}, {"service": "s", "_key": "1"}, {"$or": [{"kind": "x"}]}):
        with pytest.raises(ValueError, match="can be asked for by service and operation"):
            read.load(query)
