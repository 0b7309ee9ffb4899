"""Who asks, and what of the app's state is theirs to see.

Splunk knows no rows: whoever may read a collection reads all of it. So the collections are open to the roles that see
every team (capability ``apisec_all_teams``), and to nobody else; a team's people get their rows from REST handlers,
which read with Splunk's own session and leave out what is not theirs, and from commands, which ask those handlers.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Dict, FrozenSet, List, Optional, Union

from .kvstore import Collection, Document
from .teams import TeamStore

READ = "apisec_read"
CLASSIFY = "apisec_classify"
TRIAGE = "apisec_triage"
BLOCK = "apisec_block"
ADMIN = "apisec_admin"
ALL_TEAMS = "apisec_all_teams"

STATE = "/services/apisec/v1/state/{collection}"
PAGE = 1_000  # documents in one answer
KEYS = 50  # in one question
QUERIES = ("service", "operation")
_CONTEXT = "/services/authentication/current-context"
_ROLES = "/services/authorization/roles"


@dataclass(frozen=True)
class Caller:
    """Who asks. ``roles`` are with those that they import; ``everything`` says that every team's things are theirs."""

    user: str
    roles: FrozenSet[str]
    capabilities: FrozenSet[str]
    teams: FrozenSet[str]
    everything: bool

    def may(self, capability: str) -> bool:
        return capability in self.capabilities

    def sees(self, team: str) -> bool:
        """Return whether a team's things are theirs; what has no team is for who sees everything."""
        return self.everything or (bool(team) and team in self.teams)


def caller_of(user_service: Any, system_service: Optional[Any] = None) -> Caller:
    """Return whose session a connected service holds.

    ``system_service`` reads what users may not: the documents of teams, and the roles that a role imports. Without it
    a caller who does not see everything is in no team. Raises splunklib's HTTPError where the session is over, and
    DocumentError for a document of a team that cannot be read.
    """
    context = _entries(user_service, _CONTEXT)[0]["content"]
    capabilities = frozenset(str(name) for name in context.get("capabilities") or ())
    roles = frozenset(str(name).lower() for name in context.get("roles") or ())
    everything = ALL_TEAMS in capabilities
    teams: FrozenSet[str] = frozenset()
    if system_service is not None and not everything:
        roles = _with_imported(roles, system_service)
        teams = TeamStore(system_service).load().of_roles(roles)
    return Caller(str(context["username"]), roles, capabilities, teams, everything)


def _with_imported(roles: FrozenSet[str], system_service: Any) -> FrozenSet[str]:
    """Return roles with those that they import, and those import: Splunk names the ones given to a user only."""
    listed = _entries(system_service, _ROLES, count=0)
    imports = {str(one["name"]).lower(): _names(one["content"].get("imported_roles")) for one in listed}
    found, pending = set(roles), list(roles)
    while pending:
        new = imports.get(pending.pop(), frozenset()) - found
        found |= new
        pending += sorted(new)
    return frozenset(found)


def _names(value: Any) -> FrozenSet[str]:
    """Return names of a setting: a list, or where there is one only, a text."""
    listed = [value] if isinstance(value, str) else value or ()
    return frozenset(str(name).lower() for name in listed)


def _entries(service: Any, path: str, **arguments: Any) -> List[Dict[str, Any]]:
    answer = service.get(path, output_mode="json", **arguments)
    entries: List[Dict[str, Any]] = json.loads(answer.body.read())["entry"]
    return entries


class Visible:
    """The rows of a collection that the caller's teams own, read as ``Collection`` is."""

    def __init__(self, service: Any, name: str) -> None:
        self.name = name
        self._service = service
        self._path = STATE.format(collection=name)

    def load(self, query: Optional[Document] = None, fields: Sequence[str] = ()) -> List[Document]:
        """Every document, in the order of keys, with these ``fields``.

        ``query`` may name a service and an operation, or with ``$or`` several. Raises ValueError for any other query.
        """
        asked = {**(query or {})}
        several = asked.pop("$or", None)
        for part in (asked, *(several or ())):
            unknown = sorted(set(part) - set(QUERIES))
            if unknown:
                raise ValueError(f"rows of a team can be asked for by {' and '.join(QUERIES)}, not by {unknown[0]}")
        if several is not None:
            return [one for part in several for one in self._load({**asked, **part}, fields)]
        return self._load(asked, fields)

    def _load(self, query: Document, fields: Sequence[str]) -> List[Document]:
        arguments = {name: str(value) for name, value in query.items()}
        if fields:
            arguments["fields"] = ",".join(fields)
        found: List[Document] = []
        while True:
            page = self._read(self._service.get(self._path, limit=PAGE, **arguments))
            found += page["items"]
            if not page["next"]:
                return found
            arguments["cursor"] = page["next"]

    def find(self, keys: Sequence[str]) -> List[Document]:
        """The documents of these keys that there are."""
        found: List[Document] = []
        for start in range(0, len(keys), KEYS):
            left = list(keys[start : start + KEYS])
            while left:
                answer = self._asked(left)
                found += answer["items"]
                left = answer["left"]
        return found

    def _asked(self, keys: List[str]) -> Any:
        headers = [("Content-Type", "application/json")]
        return self._read(self._service.post(f"{self._path}/find", body=json.dumps({"keys": keys}), headers=headers))

    def get(self, key: str) -> Optional[Document]:
        """The document with this key, or None."""
        found = self.find([key])
        return found[0] if found else None

    @staticmethod
    def _read(response: Any) -> Any:
        return json.loads(response.body.read())


Reader = Union[Collection, Visible]


def reader(service: Any, name: str, caller: Optional[Caller] = None) -> Reader:
    """Return what reads a collection for whoever a search runs as: all of it, or the rows of their teams."""
    everything = (caller or caller_of(service)).everything
    return Collection(service, name) if everything else Visible(service, name)
