"""Teams, and which of them owns what: by rules over services, paths, hosts, documents and gateways.

A team is one document, as the KV store keeps it:

    {"_key": "payments", "title": "Payments", "roles": ["payments_dev"], "index": "apisec_payments",
     "contacts": ["payments@example.org"], "version": 1, "author": "ada", "updated": 1767225600,
     "owns": [{"service": "shop", "path": "/payments/**"}, {"host": "pay*.example.org"}]}

What a rule names must all hold. Globs are those of overrides (``classification/globs``): ``*`` stands for any
characters. The most specific rule decides (``_Key``): what it says of the service counts first, then of the path, the
host, the published document, the gateway. Two rules of different teams that are equally specific and can hold for the
same operation are refused when the documents are read, so that their order never decides. What no rule holds for
belongs to the team that the forwarder stamped on the events.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Dict, FrozenSet, List, NamedTuple, Optional, Tuple

from apisec.classification.globs import fits, intersect, literal_length
from apisec.errors import DocumentError, did_you_mean

VERSION = 1
SELECTORS = ("service", "path", "host", "spec", "gateway")  # the order in which they decide
ROLE_PREFIX = "apisec_team_"  # apisec_team_payments is a role of team payments, without a document that says so
MAX_TEAMS = 1_000
MAX_RULES = 10_000  # of all teams
MAX_GLOBS = 2_000  # rules with a star: each pair of them is compared for ties
MAX_NAMES = 64  # roles, contacts of one team
MAX_GLOB = 300  # characters
CACHE = 4_096  # services whose rules are remembered

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")  # as forwarders take a team's name
ROLE = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")  # Splunk keeps the names of roles in lower case
INDEX = re.compile(r"[a-z0-9][a-z0-9_-]{0,79}")  # indexes.conf.spec: lower case, no leading _ or -
_REQUIRED = ("_key",)
_KEYS = ("_key", "_user", "title", "roles", "index", "contacts", "owns", "version", "author", "updated")


@dataclass(frozen=True)
class Rule:
    """What a team owns; a selector that is empty holds for everything. ``position`` is its place in ``owns``."""

    team: str
    position: int
    service: str = ""
    path: str = ""
    host: str = ""
    spec: str = ""
    gateway: str = ""

    def selectors(self) -> Dict[str, str]:
        """Return what it names, as the document says it."""
        return {name: getattr(self, name) for name in SELECTORS if getattr(self, name)}

    def line(self) -> str:
        """Return it in words: ``payments: service=shop, path=/payments/**``."""
        said = ", ".join(f"{name}={glob}" for name, glob in self.selectors().items())
        return f"{self.team}: {said}"


class _Key(NamedTuple):
    """How specific a rule is; the first difference decides, and the greater one wins."""

    service: Tuple[bool, int]
    path: Tuple[bool, int]
    host: Tuple[bool, int]
    spec: Tuple[bool, int]
    gateway: Tuple[bool, int]


def _weight(glob: str) -> Tuple[bool, int]:
    """Whether a selector names one thing, and how many of its characters stand for themselves."""
    return bool(glob) and "*" not in glob, literal_length(glob)


@lru_cache(maxsize=MAX_RULES)
def _key(rule: Rule) -> _Key:
    return _Key(*(_weight(getattr(rule, name)) for name in SELECTORS))


@dataclass(frozen=True)
class Team:
    """One team. ``updated`` is in seconds since the epoch."""

    name: str
    title: str = ""
    roles: FrozenSet[str] = frozenset()
    index: Optional[str] = None
    contacts: Tuple[str, ...] = ()
    owns: Tuple[Rule, ...] = ()
    author: str = ""
    updated: float = 0.0

    def document(self) -> Dict[str, Any]:
        """Return it as the KV store keeps it."""
        return {
            "_key": self.name,
            "version": VERSION,
            "title": self.title,
            "roles": sorted(self.roles),
            "index": self.index,
            "contacts": list(self.contacts),
            "owns": [rule.selectors() for rule in self.owns],
            "author": self.author,
            "updated": self.updated,
        }


class Ownership(NamedTuple):
    """Who owns something and why: the rule that decides, None where the stamp does; ``beaten`` hold too, but lose."""

    team: str
    rule: Optional[Rule]
    beaten: Tuple[Rule, ...]


class Teams:
    """All teams, ready to be asked. Immutable but for its memory of services."""

    def __init__(self, teams: Iterable[Team] = ()) -> None:
        self._teams: Dict[str, Team] = {team.name: team for team in teams}
        rules = sorted((rule for team in self for rule in team.owns), key=_key, reverse=True)
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
        reading = _Reading()
        teams = reading.teams(documents)
        problems = reading.problems or (_ties(teams) if ties else [])
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
        listed, path = self._listed(service), _path(operation)
        teams = {_first(listed, asked) for asked in _asked(path, hosts, gateways, specs)}
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
        listed, path = self._listed(service), _path(operation)
        asked = _asked(path, hosts, gateways, specs)
        holding = tuple(rule for rule in listed if any(_holds(rule, one) for one in asked))
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


def _path(operation: str) -> str:
    return operation.partition(" ")[2] or operation


class _Asked(NamedTuple):
    """Where something was seen, with one host: a rule has to hold for each of them."""

    path: Tuple[str, ...]
    host: Tuple[str, ...]
    spec: Tuple[str, ...]
    gateway: Tuple[str, ...]


def _asked(path: str, hosts: Iterable[str], gateways: Iterable[str], specs: Iterable[str]) -> List[_Asked]:
    paths, documents, seen_by = (path,) if path else (), tuple(specs), tuple(gateways)
    names = sorted({host.lower() for host in hosts})
    each: List[Tuple[str, ...]] = [(name,) for name in names] or [()]
    return [_Asked(paths, host, documents, seen_by) for host in each]


def _holds(rule: Rule, asked: _Asked) -> bool:
    for name, values in zip(asked._fields, asked):
        glob = getattr(rule, name)
        if glob and not any(fits(glob, value) for value in values):
            return False
    return True


def _first(listed: Iterable[Rule], asked: _Asked) -> Optional[str]:
    """Return the team of the most specific rule that holds; None without one, or when teams share that place."""
    best: Optional[Rule] = None
    for rule in listed:
        if best is not None and _key(rule) != _key(best):
            break
        if _holds(rule, asked):
            if best is not None and best.team != rule.team:
                return None
            best = best or rule
    return best.team if best else None


def _ties(teams: Iterable[Team]) -> List[str]:
    """Name rules of different teams that are equally specific and can hold for the same operation."""
    exact: Dict[Tuple[str, ...], Rule] = {}
    globs: Dict[_Key, List[Rule]] = {}
    problems: List[str] = []
    for rule in (rule for team in teams for rule in team.owns):
        if any("*" in glob for glob in rule.selectors().values()):
            globs.setdefault(_key(rule), []).append(rule)
            continue
        other = exact.setdefault(tuple(getattr(rule, name) for name in SELECTORS), rule)
        if other.team != rule.team:
            problems.append(_tie(rule, other))
    if sum(map(len, globs.values())) > MAX_GLOBS:
        return [*problems, f"more than {MAX_GLOBS} rules have wildcards; name the services"]
    return problems + [problem for group in globs.values() for problem in _disagreeing(group)]


def _disagreeing(group: List[Rule]) -> Iterator[str]:
    for position, rule in enumerate(group):
        for earlier in group[:position]:
            if rule.team != earlier.team and _overlap(rule, earlier):
                yield _tie(rule, earlier)
                break


def _overlap(one: Rule, other: Rule) -> bool:
    return all(intersect(getattr(one, name) or "*", getattr(other, name) or "*") for name in SELECTORS)


def _tie(rule: Rule, other: Rule) -> str:
    return (
        f"{rule.team}: owns[{rule.position}]: is as specific as owns[{other.position}] of team {other.team} "
        f"({other.line()}) and can hold for the same operation; make one of the two more specific"
    )


class _Reading:
    """Documents being read; every fault is noted with the team and its place."""

    def __init__(self) -> None:
        self.problems: List[str] = []
        self._rules = 0

    def teams(self, documents: Iterable[Mapping[str, Any]]) -> List[Team]:
        found: Dict[str, Team] = {}
        folded: Dict[str, str] = {}
        for position, document in enumerate(documents):
            if position >= MAX_TEAMS:
                self.problems.append(f"more than {MAX_TEAMS} teams")
                break
            team = self._team(document, position)
            other = folded.setdefault(team.name.lower(), team.name)
            if team.name in found:
                self._add(team.name, "", "there are two documents of this team")
            elif other != team.name:
                self._add(team.name, "", f"differs from team {other} by upper and lower case only")
            found[team.name] = team
        if self._rules > MAX_RULES:
            self.problems.append(f"more than {MAX_RULES} rules")
        return list(found.values())

    def _add(self, team: str, at: str, message: str) -> None:
        self.problems.append(f"{team}: {at}: {message}" if at else f"{team}: {message}")

    def _team(self, document: Any, position: int) -> Team:
        if not isinstance(document, Mapping):
            self._add(f"teams[{position}]", "", "must be a mapping")
            return Team("")
        name = document.get("_key")
        if not isinstance(name, str) or not NAME.fullmatch(name):
            message = "must be a team's name: letters, digits, . _ -, at most 64, the first a letter or a digit"
            self._add(f"teams[{position}]", "_key", message)
            name = ""
        for key in document:
            if key not in _KEYS:
                self._add(name, str(key), f"unknown key{did_you_mean(str(key), _KEYS)}")
        if document.get("version", VERSION) != VERSION or isinstance(document.get("version"), bool):
            self._add(name, "version", f"must be {VERSION}: the only version that this apisec reads")
        index = document.get("index")
        updated = document.get("updated") or 0.0
        if isinstance(updated, bool) or not isinstance(updated, (int, float)) or not math.isfinite(updated):
            self._add(name, "updated", "must be seconds since the epoch")
            updated = 0.0
        return Team(
            name=name,
            title=self._text(name, "title", document.get("title") or ""),
            roles=frozenset(self._names(name, "roles", document.get("roles"), ROLE, "a role's name in lower case")),
            index=self._index(name, index) if index else None,
            contacts=self._names(name, "contacts", document.get("contacts"), None, "a text of 1 to 300 characters"),
            owns=self._owns(name, document.get("owns")),
            author=self._text(name, "author", document.get("author") or ""),
            updated=float(updated),
        )

    def _text(self, team: str, at: str, value: Any) -> str:
        if not isinstance(value, str) or len(value) > MAX_GLOB or (value and not value.isprintable()):
            self._add(team, at, f"must be a text of at most {MAX_GLOB} characters in one line")
            return ""
        return value.strip()

    def _index(self, team: str, value: Any) -> Optional[str]:
        if not isinstance(value, str) or not INDEX.fullmatch(value):
            self._add(team, "index", "must be an index: lower-case letters, digits, _ and -, the first no _ or -")
            return None
        return value

    def _names(self, team: str, at: str, value: Any, shape: Optional[re.Pattern[str]], what: str) -> Tuple[str, ...]:
        if value is None:
            return ()
        if not isinstance(value, (list, tuple)) or len(value) > MAX_NAMES:
            self._add(team, at, f"must be a list of at most {MAX_NAMES} texts")
            return ()
        found: List[str] = []
        for position, item in enumerate(value):
            text = isinstance(item, str) and item.strip() and len(item) <= MAX_GLOB and item.isprintable()
            if not text or (shape is not None and not shape.fullmatch(item)):
                self._add(team, f"{at}[{position}]", f"must be {what}")
            elif item in found:
                self._add(team, f"{at}[{position}]", "is named twice")
            else:
                found.append(item)
        return tuple(found)

    def _owns(self, team: str, value: Any) -> Tuple[Rule, ...]:
        if value is None:
            return ()
        if not isinstance(value, (list, tuple)) or len(value) > MAX_RULES:
            self._add(team, "owns", f"must be a list of at most {MAX_RULES} rules")
            return ()
        self._rules += len(value)
        return tuple(self._rule(team, position, item) for position, item in enumerate(value))

    def _rule(self, team: str, position: int, value: Any) -> Rule:
        at = f"owns[{position}]"
        if not isinstance(value, Mapping) or not value:
            self._add(team, at, f"must be a mapping that names one of {', '.join(SELECTORS)}")
            return Rule(team, position)
        selectors: Dict[str, str] = {}
        for key, glob in value.items():
            if key not in SELECTORS:
                self._add(team, f"{at}.{key}", f"unknown selector{did_you_mean(str(key), SELECTORS)}")
            elif not isinstance(glob, str) or not glob or len(glob) > MAX_GLOB or not glob.isprintable():
                self._add(team, f"{at}.{key}", f"must be a glob of 1 to {MAX_GLOB} characters")
            else:
                selectors[str(key)] = glob.lower() if key == "host" else glob
        if selectors and not any(map(literal_length, selectors.values())):
            self._add(team, at, "names nothing: it consists of wildcards")
        return Rule(team, position, **selectors)
