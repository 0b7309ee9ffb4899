"""Overrides in the KV store: what teams say of their own fields, one document an override.

``_key`` is made of what the override is for, so that a second word about the same fields takes the place of the first.
Beside the members of core's document (service, operation, in, path, class, author, reason, expires) a row carries
``created`` and ``updated`` (seconds since the epoch), and ``bundle``, the digest of the bundle that brought it.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Dict, List, Optional, Tuple

from apisec.classification import overrides as core
from apisec.classification.overrides import ANY_SERVICE, Override, Overrides, place
from apisec.errors import DocumentError

from .kvstore import Document

OVERRIDES = "apisec_overrides"
VERSION = 1
MEMBERS = ("service", "operation", "in", "path", "class", "author", "reason", "expires")
_SELECTOR = ("service", "operation", "in", "path")
_NAMED = 50  # services that one query lists; more are picked from all


def key_of(entry: Mapping[str, Any]) -> str:
    """Return the ``_key`` of an override: 24 hex digits of what it is for."""
    selector = [str(entry.get(name) or "") for name in _SELECTOR]
    return hashlib.sha256(json.dumps(selector).encode()).hexdigest()[:24]


def document_of(one: Override) -> Document:
    """Return an override as core's document has it, without what it does not say."""
    members = {
        "service": one.service,
        "operation": one.operation,
        "in": one.location,
        "path": one.path,
        "class": one.data_class,
        "author": one.author,
        "reason": one.reason,
        "expires": one.expires.isoformat() if one.expires else None,
    }
    return {name: value for name, value in members.items() if value is not None}


class OverrideStore:
    """The overrides of all services.

    ``collection`` is ``kvstore.Collection`` or what ``access.reader`` gives; its errors pass through.
    """

    def __init__(self, collection: Any) -> None:
        self._collection = collection

    def rows(self, services: Optional[Collection[str]] = None) -> List[Document]:
        """Return the stored documents of some services, and those for every service; all without ``services``."""
        wanted = None if services is None else {*services, ANY_SERVICE}
        query = None
        if wanted is not None and len(wanted) <= _NAMED:
            query = {"$or": [{"service": name} for name in sorted(wanted)]}
        found = self._collection.load(query)
        rows = [row for row in found if wanted is None or row.get("service") in wanted]
        return sorted(rows, key=lambda row: (str(row.get("service")), str(row.get("path")), str(row["_key"])))

    def load(self, services: Optional[Collection[str]] = None, today: Optional[datetime.date] = None) -> Overrides:
        """Return the overrides, of a day (UTC) those that count then. DocumentError names the rows that are damaged."""
        found, problems = self.readable(services, today)
        if problems:
            raise DocumentError("\n".join(problems))
        return found

    def readable(
        self, services: Optional[Collection[str]] = None, today: Optional[datetime.date] = None
    ) -> Tuple[Overrides, List[str]]:
        """Return the overrides that can be read, and one line for each that cannot."""
        entries: List[Override] = []
        problems: List[str] = []
        for rows in _by_service(self.rows(services)).values():
            found, wrong = read(rows)
            entries += found
            problems += wrong
        made = Overrides(entries)
        return (made.on(today) if today is not None else made), problems

    def get(self, key: str) -> Optional[Document]:
        """Return one stored document, or None."""
        found: Optional[Document] = self._collection.get(key)
        return found

    def put(self, entry: Mapping[str, Any], author: str, now: float, bundle: str = "") -> Document:
        """Store one override, whose author is ``author``; it takes the place of another for the same fields.

        DocumentError when core does not accept it, or when it disagrees with one that is as specific.
        """
        row = self._row({**entry, "author": author}, now, bundle)
        others = [one for one in self.rows([row["service"]]) if one["service"] == row["service"]]
        former = next((one for one in others if one["_key"] == row["_key"]), None)
        if former is not None:
            row["created"] = former.get("created", now)
        _refuse_ties([one for one in others if one is not former], [row])
        self._collection.save([row])
        return row

    def delete(self, key: str) -> Optional[Document]:
        """Remove an override; returns what it was, None for no such one."""
        former = self.get(key)
        if former is not None:
            self._collection.delete(key)
        return former

    def replace(
        self,
        service: str,
        entries: Iterable[Mapping[str, Any]],
        *,
        author: str,
        now: float,
        bundle: str = "",
        keep: Callable[[Document], bool] = lambda _: False,
    ) -> List[Document]:
        """Make these the overrides of a service, and no others; asked twice, it changes nothing the second time.

        ``author`` is that of entries without one; ``keep`` names rows that stay, as long as no entry is for the same
        fields. DocumentError, and no change, when core does not accept the entries beside those that stay.
        """
        former = {row["_key"]: row for row in self.rows([service]) if row["service"] == service}
        made = [self._row({"author": author, **entry, "service": service}, now, bundle) for entry in entries]
        keys = {row["_key"] for row in made}
        staying = [row for key, row in former.items() if key not in keys and keep(row)]
        _refuse_ties(staying, made)
        for row in made:
            known = former.get(row["_key"])
            if known is not None:
                row["created"] = known.get("created", now)
                if _said(known) == _said(row):
                    row["updated"] = known.get("updated", now)
        self._collection.save(made)
        self._collection.delete_all(sorted(former.keys() - keys - {row["_key"] for row in staying}))
        return sorted(made, key=lambda row: (str(row["path"]), str(row["_key"])))

    @staticmethod
    def _row(entry: Mapping[str, Any], now: float, bundle: str) -> Document:
        """Return the document of an override in one spelling. DocumentError when core does not accept it."""
        given = {name: entry[name] for name in entry if entry[name] is not None}
        found = Overrides.parse({"version": core.VERSION, "overrides": [given]}, "override").entries[0]
        made = document_of(found)
        return {
            "_key": key_of(made), "version": VERSION, **made, "created": now, "updated": now,
            **({"bundle": bundle} if bundle else {}),
        }  # fmt: skip


def read(rows: List[Document]) -> Tuple[List[Override], List[str]]:
    """Return the overrides of one service's rows, and one line, led by its key, for each that is wrong."""
    listed = [{name: row[name] for name in MEMBERS if row.get(name) is not None} for row in rows]
    found, wrong = core.read({"version": core.VERSION, "overrides": listed})
    problems = []
    for problem in wrong:
        index = problem.at[1] if len(problem.at) > 1 else None
        key = f" {rows[index]['_key']}" if isinstance(index, int) else ""
        problems.append(f"{OVERRIDES}{key}: {place(problem.at)}: {problem.message}")
    problems += [
        f"{OVERRIDES} {row['_key']}: version {row.get('version')!r} is not known: store the override again"
        for row in rows
        if row.get("version") != VERSION
    ]
    return list(found.entries), problems


def _refuse_ties(others: List[Document], made: List[Document]) -> None:
    """DocumentError when rows disagree with others of their service; what was wrong before is not their fault."""
    before = len(read(others)[1])
    problems = read([*others, *made])[1]
    if len(problems) > before:
        mine = [line for line in problems if any(f" {row['_key']}: " in line for row in made)] or problems
        raise DocumentError("\n".join(mine))


def _said(row: Mapping[str, Any]) -> List[Any]:
    return [row.get(name) for name in (*MEMBERS, "bundle")]


def _by_service(rows: List[Document]) -> Dict[str, List[Document]]:
    """Ties are looked for within a service: the limits of core's document are those of one service here."""
    found: Dict[str, List[Document]] = {}
    for row in rows:
        found.setdefault(str(row.get("service")), []).append(row)
    return found
