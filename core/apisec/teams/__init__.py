"""Teams, and which of them owns what: by rules over services, paths, hosts, documents and gateways.

A team is one document, as the KV store keeps it:

    {"_key": "payments", "title": "Payments", "roles": ["payments_dev"], "index": "apisec_payments",
     "contacts": ["payments@example.org"], "version": 1, "author": "ada", "updated": 1767225600,
     "owns": [{"service": "shop", "path": "/payments/**"}, {"host": "pay*.example.org"}]}

What a rule names must all hold. Globs are those of overrides (``classification/globs``): ``*`` stands for any
characters. The most specific rule decides (``rules.Key``): what it says of the service counts first, then of the
path, the host, the published document, the gateway. Two rules of different teams that are equally specific and can
hold for the same operation are refused when the documents are read, so that their order never decides. What no rule
holds for belongs to the team that the forwarder stamped on the events.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Dict, FrozenSet, List, NamedTuple, Optional, Tuple

from apisec.classification.globs import fits
from apisec.errors import DocumentError
from apisec.teams.document import INDEX, MAX_GLOB, MAX_NAMES, NAME, ROLE, ROLE_PREFIX, SELECTORS, Reading, Rule, Team
from apisec.teams.rules import asked_of, first, holds, key, path_of, ties_of

__all__ = ["INDEX", "MAX_GLOB", "MAX_NAMES", "NAME", "ROLE", "SELECTORS", "Ownership", "Rule", "Team", "Teams"]

CACHE = 4_096  # services whose rules are remembered


class Ownership(NamedTuple):
    """Who owns something and why: the rule that decides, None where the stamp does; ``beaten`` hold too, but lose."""

    team: str
    rule: Optional[Rule]
    beaten: Tuple[Rule, ...]


class Teams:
    """All teams, ready to be asked. Immutable but for its memory of services."""

    def __init__(self, teams: Iterable[Team] = ()) -> None:
        self._teams: Dict[str, Team] = {team.name: team for team in teams}
        rules = sorted((rule for team in self for rule in team.owns), key=key, reverse=True)
        self._services: Dict[str, List[Rule]] = {}
        self._of_service: Dict[str, List[Rule]] = {}
        self._others: List[Rule] = []
        for rule in rules:
            exact = rule.service and "*" not in rule.service
            (self._of_service.setdefault(rule.service, []) if exact else self._others).append(rule)

    def __iter__(self) -> Iterator[Team]:
        return iter(sorted(self._teams.values(), key=lambda team: team.name))

    def __len__(self) -> int:
        return len(self._teams)

    @classmethod
    def parse(cls, documents: Iterable[Mapping[str, Any]], *, ties: bool = True) -> Teams:
        """Take the documents of all teams; DocumentError with a line for each thing that is wrong.

        ``ties=False`` leaves out the comparison of rules with each other, for documents that passed it when they were
        written. Should two rules share the first place all the same, neither decides.
        """
        reading = Reading()
        teams = reading.teams(documents)
        problems = reading.problems or (ties_of(teams) if ties else [])
        if problems:
            raise DocumentError("\n".join(problems))
        return cls(teams)

    def get(self, name: str) -> Optional[Team]:
        """Return a team, or None where there is no document of it."""
        return self._teams.get(name)

    def index_of(self, team: str) -> Optional[str]:
        """Return the index for what is written about a team; None where its document names none."""
        held = self._teams.get(team)
        return held.index if held else None

    def of_roles(self, roles: Iterable[str]) -> FrozenSet[str]:
        """Return the teams that these roles are of: by the documents, and by the names of the roles."""
        held = frozenset(role.lower() for role in roles)
        folded = {name.lower(): name for name in self._teams}
        named = {role[len(ROLE_PREFIX) :] for role in held if role.startswith(ROLE_PREFIX)} - {""}
        said = {team.name for team in self if not team.roles.isdisjoint(held)}
        return frozenset(said | {folded.get(name, name) for name in named})

    def owner(
        self,
        service: str,
        operation: str = "",
        *,
        hosts: Iterable[str] = (),
        gateways: Iterable[str] = (),
        specs: Iterable[str] = (),
        default: str = "",
    ) -> str:
        """Return the team that owns an operation, ``GET /orders/{id}``, or a service where none is given.

        ``hosts``, ``gateways`` and ``specs`` are those it was seen on or is described in. ``default`` is the team
        that the forwarder stamped. Clients choose the host that they name: what was seen on hosts of different
        owners belongs to the default.
        """
        listed, path = self._listed(service), path_of(operation)
        teams = {first(listed, asked) for asked in asked_of(path, hosts, gateways, specs)}
        found = teams.pop()
        return default if teams or found is None else found

    def why(
        self,
        service: str,
        operation: str = "",
        *,
        hosts: Iterable[str] = (),
        gateways: Iterable[str] = (),
        specs: Iterable[str] = (),
        default: str = "",
    ) -> Ownership:
        """Return who owns an operation as ``owner`` does, and by which rule."""
        hosts, gateways, specs = tuple(hosts), tuple(gateways), tuple(specs)
        team = self.owner(service, operation, hosts=hosts, gateways=gateways, specs=specs)
        listed, path = self._listed(service), path_of(operation)
        asked = asked_of(path, hosts, gateways, specs)
        holding = tuple(rule for rule in listed if any(holds(rule, one) for one in asked))
        rule = next((rule for rule in holding if rule.team == team), None)
        if rule is None:
            return Ownership(default, None, holding)
        return Ownership(team, rule, tuple(one for one in holding if one is not rule))

    def _listed(self, service: str) -> List[Rule]:
        """Return the rules that can hold in a service, the most specific first."""
        listed = self._services.get(service)
        if listed is None:
            if len(self._services) >= CACHE:  # traffic may choose names, so that their number has no bound
                self._services.clear()
            others = (rule for rule in self._others if not rule.service or fits(rule.service, service))
            listed = self._services[service] = [*self._of_service.get(service, ()), *others]
        return listed
