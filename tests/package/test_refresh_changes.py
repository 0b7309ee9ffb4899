"""Changes that a refresh tells: of which services, and to whom, from what the KV store holds."""

from __future__ import annotations

import logging
from typing import Any, Optional

import pytest
from apisec_app.kvstore import ARCHIVE, CHANGES, DELTAS, INVENTORY, TEAMS, Collection
from apisec_app.refresh.changes import Changes
from apisec_app.refresh.inventory import Documents

from apisec.endpoints.inventory import Inventory
from tests.core.inventory.events import START, event, principal
from tests.support.kv_memory import MemoryService

DAY = 86_400.0
LOG = logging.getLogger("apisec_test")


class Rig:
    """Windows of five minutes, one after the other; ``settle`` as ``Changes`` has it."""

    def __init__(self, settle: float = DAY) -> None:
        self.kv = MemoryService()
        self.settle = settle
        self.end = START

    def collection(self, name: str) -> Collection:
        return Collection(self.kv, name)

    def window(self, *groups: dict[str, Any], count: int = 60) -> list[dict[str, Any]]:
        """Let each group of events be seen ``count`` times; return what is told."""
        part = Inventory()
        for about in groups:
            for n in range(count):
                part.add(event(**{"time": self.end + n, "principal": principal(n % 20), **about}))
        self.end += 300
        documents = Documents(self.collection(INVENTORY), self.collection(ARCHIVE), self.collection(DELTAS))
        documents.note(part, self.end, self.end)
        changes, told = Changes(self.kv, self.settle, LOG), []
        for steps in documents.settle():
            looked = changes.look(steps, self.end)
            told += looked.events
            changes.save(looked.services)
            documents.write(looked.documents, self.end)
        return told

    def team(self, name: str, *owns: dict[str, str]) -> None:
        self.kv.fill(TEAMS, {"_key": name, "version": 1, "owns": list(owns)})


@pytest.fixture
def rig() -> Rig:
    return Rig()


@pytest.mark.parametrize("place", [INVENTORY, ARCHIVE])
def test_a_service_of_the_inventory_is_not_new_when_it_begins_to_be_watched(rig: Rig, place: str) -> None:
    """After an upgrade nothing is watched yet, and services return one by one; a damaged watch begins anew."""
    rig.window({"service": "quiet"})
    rig.kv.collections[place] = {
        key: {name: value for name, value in row.items() if name != "watch"}
        for key, row in rig.kv.collections[INVENTORY].items()
    }
    if place == ARCHIVE:
        rig.kv.collections[INVENTORY].clear()
    rig.kv.collections[CHANGES].clear()
    assert rig.window({"service": "busy"}) == []
    assert rig.window({"service": "quiet"}) == []
    rig.kv.fill(CHANGES, {"_key": "busy", "version": 1, "state": {"v": 0}})
    assert rig.window({"service": "busy"}, {"service": "quiet"}) == []
    [told] = rig.window({"service": "other"}, {"service": "busy"})
    assert (told["change"], told["service"]) == ("service_new", "other")


@pytest.mark.parametrize(
    "rule", [{"service": "shop"}, {"gateway": "edge-*"}, {"host": "shop.example"}, {"path": "/orders/**"}, None]
)
def test_what_is_told_is_told_to_the_owner(rig: Rig, rule: Optional[dict[str, str]]) -> None:
    """The rules say whose an operation is, and the team that forwarders stamp only without one."""
    about = {"service": "shop", "team": "stamped", "gateway": "edge-1", "url": "https://shop.example/orders/7"}
    rig.settle = 300.0
    if rule:
        rig.team("owning", rule)
    for _ in range(6):
        rig.window(about)
    found = rig.window(
        {**about, "operation": "GET /orders/new", "endpoint": "/orders/new", "http_user_agent": "Sync/3.1"}, count=90
    )
    kinds = {one["change"]: one["team"] for one in found}
    assert kinds.keys() == {"operation_new", "consumer_new"}
    owner = "owning" if rule else "stamped"
    assert kinds["operation_new"] == owner
    assert kinds["consumer_new"] == ("stamped" if rule and "path" in rule else owner), "a service has no path"


def test_what_was_seen_on_hosts_of_two_owners_is_told_to_neither(rig: Rig) -> None:
    """Clients choose the host that they name: a window with one of them alone gives nobody the operation."""
    rig.settle = 300.0
    rig.team("red", {"host": "a.example"})
    rig.team("blue", {"host": "b.example"})
    about = {"service": "shop", "team": "stamped", "gateway": "edge-1"}
    both = [{**about, "url": f"https://{name}.example/orders/7"} for name in "ab"]
    for _ in range(6):
        rig.window(*both)
    [told] = rig.window({**both[0], "auth": "none", "principal_kind": "anonymous"})
    assert (told["change"], told["team"]) == ("authentication_dropped", "stamped")


def test_no_operation_moves_while_teams_cannot_be_read(rig: Rig) -> None:
    about = {"service": "shop", "team": "stamped"}
    rig.settle = 300.0
    rig.team("owning", {"service": "shop"})
    for _ in range(6):
        rig.window(about)
    rig.kv.fill(TEAMS, {"_key": "broken", "version": 9})
    assert rig.window(about) == []
    rig.kv.collections[TEAMS].pop("broken")
    assert rig.window(about) == []
    rig.kv.collections[TEAMS].clear()
    [told] = rig.window(about)
    assert (told["change"], told["before"], told["after"]) == ("team_changed", "owning", "stamped")
