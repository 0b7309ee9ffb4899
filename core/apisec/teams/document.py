"""The document of a team, and everything that can be wrong with one."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Dict, FrozenSet, List, Optional, Tuple

from apisec.classification.globs import literal_length
from apisec.errors import did_you_mean

VERSION = 1
SELECTORS = ("service", "path", "host", "spec", "gateway")  # the order in which they decide
ROLE_PREFIX = "apisec_team_"  # apisec_team_payments is a role of team payments, without a document that says so
MAX_TEAMS = 1_000
MAX_RULES = 10_000  # of all teams
MAX_NAMES = 64  # roles, contacts of one team
MAX_GLOB = 300  # characters

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")  # as forwarders take a team's name
ROLE = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")  # Splunk keeps the names of roles in lower case
INDEX = re.compile(r"[a-z0-9][a-z0-9_-]{0,79}")  # indexes.conf.spec: lower case, no leading _ or -
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


class Reading:
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
