"""Teams as the KV store keeps them, and whose the rows of the other collections are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Dict, List, Optional, Tuple

from apisec.endpoints.inventory import Inventory
from apisec.teams import Ownership, Team, Teams

from .kvstore import ARCHIVE, INVENTORY, SPECS, TEAMS, Collection, Document

_HEADS = ("_key", "service", "operation", "team", "servers", "gateways", "last_seen")


class TeamStore:
    """The documents of teams. ``service`` is connected with Splunk's own session; its HTTPError passes through."""

    def __init__(self, service: Any) -> None:
        self._collection = Collection(service, TEAMS)

    def documents(self) -> List[Document]:
        return self._collection.load()

    def load(self) -> Teams:
        """Return all teams. DocumentError for a document that cannot be read: what is whose is not guessed then."""
        return Teams.parse(self.documents(), ties=False)

    def put(self, team: Team) -> None:
        """Keep a team in place of what was known of it. DocumentError when its rules tie with another team's."""
        others = [document for document in self.documents() if document["_key"] != team.name]
        Teams.parse([*others, team.document()])
        self._collection.save([team.document()])

    def delete(self, name: str) -> None:
        """Forget a team; its roles see nothing then, and what its rules held for goes back to the stamp."""
        self._collection.delete(name)


class Owners:
    """Whose something is: by the teams' rules, else by the team that forwarders stamped on its latest event."""

    def __init__(self, teams: Teams, system_service: Any) -> None:
        self.teams = teams
        self._system = system_service
        self._operations: Optional[Dict[Tuple[str, str], Document]] = None
        self._services: Dict[str, Document] = {}
        self._specs: Optional[Dict[str, List[str]]] = None

    def team_of(self, row: Mapping[str, Any]) -> str:
        """Return whose a row is: one of the inventory, or any other with ``service`` and perhaps ``operation``.

        ``team``, ``servers`` and ``gateways`` count where the row has them, else those of its operation.
        """
        return self.why(row).team

    def of(self, service: str, operation: str = "") -> str:
        """Return whose an operation is, or a service as a whole."""
        return self.why({"service": service, "operation": operation}).team

    def why(self, row: Mapping[str, Any]) -> Ownership:
        """Return whose a row is, and by which rule."""
        service, operation = str(row.get("service") or ""), str(row.get("operation") or "")
        known = row if "team" in row and "servers" in row else self._head(service, operation)
        return self.teams.why(
            service,
            operation,
            hosts=[host_of(server) for server in _listed(known.get("servers"))],
            gateways=_listed(known.get("gateways")),
            specs=self._specs_of(service),
            default=str(known.get("team") or ""),
        )

    def _head(self, service: str, operation: str) -> Mapping[str, Any]:
        """Return what the inventory knows of an operation; of a service, or an operation new to it, the latest."""
        if self._operations is None:
            self._operations = {}
            for name in (ARCHIVE, INVENTORY):  # what is in use comes last, and wins
                for head in Collection(self._system, name).load(fields=_HEADS):
                    self._remember(head)
        found = self._operations.get((service, operation)) if operation else None
        return found or self._services.get(service) or {}

    def _remember(self, head: Document) -> None:
        assert self._operations is not None
        service = str(head.get("service") or "")
        self._operations[service, str(head.get("operation") or "")] = head
        known = self._services.get(service)
        if known is None or _seen(head) >= _seen(known):
            self._services[service] = head

    def _specs_of(self, service: str) -> List[str]:
        if not any(rule.spec for team in self.teams for rule in team.owns):
            return []
        if self._specs is None:
            self._specs = {}
            heads = Collection(self._system, SPECS).load({"kind": "spec"}, fields=("_key", "service", "name"))
            for head in heads:
                self._specs.setdefault(str(head["service"]), []).append(str(head["name"]))
        return self._specs.get(service, [])


def owners(system_service: Any) -> Owners:
    """Return who owns what now. DocumentError for a document of a team that cannot be read."""
    return Owners(TeamStore(system_service).load(), system_service)


def with_team(document: Document, team: str) -> Document:
    """Return a document with another team than the one that forwarders stamped; in an operation's state, too."""
    if document.get("team", team) == team:
        return document
    made = {**document, "team": team}
    if "state" in document:
        inventory = Inventory.from_state(str(document["state"]))
        for stats in inventory.operations():
            stats.latest = (stats.latest[0], team, *stats.latest[2:])
        made["state"] = inventory.to_state()
    return made


def host_of(server: str) -> str:
    """Return the host of a server: ``https://pay.example.org:8443`` is ``pay.example.org``."""
    rest = server.partition("://")[2] or server
    if rest.startswith("["):  # an IPv6 address
        return rest[1:].partition("]")[0].lower()
    return rest.partition("/")[0].partition(":")[0].lower()


def _listed(value: Any) -> Iterable[str]:
    if value is None or value == "":
        return ()
    return [str(one) for one in value] if isinstance(value, (list, tuple)) else [str(value)]


def _seen(head: Mapping[str, Any]) -> float:
    value = head.get("last_seen")
    return float(value) if isinstance(value, (int, float)) else 0.0
