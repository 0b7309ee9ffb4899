"""What changed since the last window, as events of sourcetype ``apisec:change``, and what is remembered for that.

What is known of an operation is in its document (``watch``), which a window writes once; what is known of a service is
in a document of its own, written before those of its operations. A crash between the events and the documents repeats
events, with equal ids; none is lost.
"""

from __future__ import annotations

import datetime
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Dict, FrozenSet, List, NamedTuple, Optional, Set, Tuple

from apisec.classification.overrides import Overrides
from apisec.endpoints.changes.schema import Change
from apisec.endpoints.changes.services import ServiceWatch
from apisec.endpoints.changes.watch import Context, Watch
from apisec.endpoints.inventory import Inventory, OperationStats
from apisec.endpoints.inventory.tally import OTHER
from apisec.errors import ApisecError, DocumentError
from apisec.teams import Teams

from ..kvstore import ARCHIVE, CHANGES, INVENTORY, Collection, Document
from ..overrides import OVERRIDES, OverrideStore
from ..teams import Owners, owners

VERSION = 1
MEMBER = "watch"  # of an operation's document
NAMED = 50  # services that one query names: it stands in the URL


class Step(NamedTuple):
    """An operation whose document gets the parts of one or more windows."""

    before: Optional[Document]
    parts: List[Document]
    restored: bool


class Written(NamedTuple):
    """A document to write, and whether it comes back from the archive."""

    document: Document
    restored: bool


class Looked(NamedTuple):
    """What a batch of steps gives: events, services to write first, documents to write then."""

    events: List[Document]
    services: List[Document]
    documents: List[Written]


class Changes:
    """Watches of services and operations. ``settle``: seconds of a service's traffic before its changes are told."""

    def __init__(self, service: Any, settle: float, logger: logging.Logger) -> None:
        self._service = service
        self._collection = Collection(service, CHANGES)
        self._settle = settle
        self._logger = logger
        self._owners: Optional[Owners] = None
        self._unread = False  # a document of a team is damaged
        self._overrides: Optional[Overrides] = None

    def index_of(self, team: str) -> Optional[str]:
        """Return the index for what is written about a team; None where its document names none."""
        return self.owners.teams.index_of(team)

    @property
    def owners(self) -> Owners:
        """Who owns what, as it was when the refresh began; nobody where a document of a team cannot be read."""
        if self._owners is None:
            try:
                self._owners = owners(self._service)
            except ApisecError as error:
                self._logger.error("teams cannot be read, changes go to the input's index: %s", error)  # noqa: TRY400
                self._owners = Owners(Teams(), self._service)
                self._unread = True
        return self._owners

    @property
    def knows_teams(self) -> bool:
        """Whether ``owners`` are those of the teams' documents."""
        return not self._unread

    @property
    def overrides(self) -> Overrides:
        """What teams say of their fields; those that can be read."""
        if self._overrides is None:
            today = datetime.datetime.now(datetime.timezone.utc).date()
            store = OverrideStore(Collection(self._service, OVERRIDES))
            self._overrides, problems = store.readable(today=today)
            for problem in problems:
                self._logger.warning("override left out: %s", problem)
        return self._overrides

    def services(self, names: Iterable[str]) -> Dict[str, ServiceWatch]:
        """Return the watches of services that have one; what cannot be read is begun anew, and logged."""
        found = {}
        for document in self._collection.find(sorted(set(names))):
            try:
                watch = ServiceWatch.from_state(document["state"])
            except (DocumentError, KeyError) as error:
                self._logger.warning("the watch of service %s is begun anew: %s", document["_key"], error)
                continue
            found[watch.service] = watch
        return found

    def save(self, documents: List[Document]) -> None:
        self._collection.save(documents)

    def look(self, steps: List[Step], now: float) -> Looked:
        """Merge the parts of operations into their documents, and return what changed with what has to be written."""
        by_service: Dict[str, List[Step]] = defaultdict(list)
        for step in steps:
            by_service[str(step.parts[0]["service"])].append(step)
        held = self.services(by_service)
        others = bool(held) or bool(self._collection.load(fields=("_key",)))
        known = self._in_inventory(by_service.keys() - held) if others else frozenset()
        looked = Looked([], [], [])
        for service, some in sorted(by_service.items()):
            watch = held.get(service)
            batch = _Batch(self, service, watch, others and service not in known)
            documents = [batch.step(step) for step in some]
            looked.events.extend(change.row() for change in batch.close())
            if batch.parts:
                looked.services.append(document_of(batch.watch, now))
            looked.documents.extend(documents)
        return looked

    def _in_inventory(self, names: Iterable[str]) -> FrozenSet[str]:
        """Return services that were there before they were watched, or whose watch is begun anew: they are not new."""
        wanted = [{"service": name} for name in sorted(names)]
        found: Set[str] = set()
        for start in range(0, len(wanted), NAMED):
            query = {"$or": wanted[start : start + NAMED]}
            for name in (INVENTORY, ARCHIVE):
                heads = Collection(self._service, name).load(query, fields=("service",))
                found |= {str(head["service"]) for head in heads}
        return frozenset(found)

    def tells(self, watch: ServiceWatch, end: float) -> bool:
        return watch.knows_enough(end, self._settle)

    def announces(self) -> bool:
        """Return whether a new service is told as such: without a time of learning its operations are."""
        return self._settle > 0

    def of_paths(self, service: str, rows: Sequence[Mapping[str, Any]], end: float, now: float) -> List[Document]:
        """Return events for merges and splits of a service's paths, as the model tells them."""
        watch = self.services([service]).get(service)
        if watch is None or not rows or not self.tells(watch, end):
            return []
        team = self.owners.of(service)
        changes = watch.admit([_path_change(service, team, row, end) for row in rows])
        self.save([document_of(watch, now)])
        return [change.row() for change in changes]


def document_of(watch: ServiceWatch, now: float) -> Document:
    """Return the document of a service's watch."""
    return {"_key": watch.service, "version": VERSION, "updated": now, "state": watch.to_state()}


class _Batch:
    """Steps of one service: what they show, and its watch."""

    def __init__(self, changes: Changes, service: str, watch: Optional[ServiceWatch], new: bool) -> None:
        self._changes = changes
        self._service = service
        self._is_new = watch is None and new
        self.watch = watch or ServiceWatch(service, float("inf"))
        self._found: List[Change] = []
        self.parts: List[Tuple[str, OperationStats]] = []
        self._moves: Dict[Tuple[str, str], List[str]] = {}
        self._end = 0.0
        self._team = ""

    def step(self, step: Step) -> Written:
        """Look at an operation's parts in the order of their windows, and merge them into its document."""
        inventory = Inventory.from_documents([step.before] if step.before is not None else [])
        watch = _watch_of(step.before, inventory)
        # What went into this operation comes first: then what its window shows is no news.
        for part in sorted(step.parts, key=lambda part: (float(part["end"]), not part.get("from"))):
            self._part(inventory, watch, part)
        document = inventory.to_documents()[0]
        self._owner(watch, document)
        end = max(float(part["end"]) for part in step.parts)
        return Written({**document, MEMBER: watch.to_state(), "through": end}, step.restored)

    def _part(self, inventory: Inventory, watch: Watch, part: Document) -> None:
        new = Inventory.from_documents([part])
        ((service, operation), stats) = next(new.items())
        end = float(part["end"])
        if part.get("from"):  # an operation that went into this one: nothing of it is news
            watch.merge(_watch_of(part, new))
            inventory.merge(new)
            return
        self._end, self._team = max(self._end, end), stats.latest[1]
        self.watch.since = min(self.watch.since, stats.first_seen)
        known = next((one for _, one in inventory.items()), OperationStats())
        team = self._team_of(operation, [known, stats])
        context = Context(
            service, operation, end, self._changes.tells(self.watch, end), self._changes.overrides, team
        )  # fmt: skip
        told = watch.observe(known, stats, context)
        self.parts.append((operation, stats))
        inventory.merge(Inventory.from_documents([part]) if not len(inventory) else new)  # which takes over what is new
        after = next(inventory.operations())
        self._found += watch.conclude(after, stats, context, told)

    def _team_of(self, operation: str, seen: Sequence[OperationStats]) -> str:
        """Return whose an operation is, or with none the service; by all that was seen of it, as readers find it."""
        row = {
            "team": self._team,
            "service": self._service,
            "operation": operation,
            "servers": sorted({server for stats in seen for server in stats.servers} - {OTHER}),
            "gateways": sorted({gateway for stats in seen for gateway in stats.gateways} - {OTHER}),
        }
        return self._changes.owners.team_of(row)

    def _owner(self, watch: Watch, document: Mapping[str, Any]) -> None:
        team = self._changes.owners.team_of(document)
        if not self._changes.knows_teams:
            return
        if watch.team and watch.team != team:
            self._moves.setdefault((watch.team, team), []).append(str(document["operation"]))
        watch.team = team

    def close(self) -> List[Change]:
        """Return the changes that are told, with those of the service as a whole."""
        if not self.parts:
            return []
        tell = self._changes.tells(self.watch, self._end)
        found = self.watch.observe(self.parts, self._end, tell)
        if self._is_new and self._changes.announces():
            found.append(self.watch.first(self.parts, self._end))
        owner = self._changes.owners.of(self._service) or self._team_of("", [stats for _, stats in self.parts])
        found = [replace(one, team=owner) for one in found]
        if tell:
            since = min(stats.first_seen for _, stats in self.parts)
            found += self.watch.moved(self._moves, since, self._end)
        return [*self.watch.left_out(self._end, owner), *self.watch.admit([*self._found, *found])]


def _watch_of(document: Optional[Mapping[str, Any]], inventory: Inventory) -> Watch:
    """Return the watch of a document; what has none, or a damaged one, is known by what the inventory holds of it."""
    if document is None:
        return Watch()
    try:
        return Watch.from_state(document[MEMBER])
    except (DocumentError, KeyError):
        return Watch.of(next(inventory.operations(), OperationStats()))


_PATHS = {"merge": "paths_merged", "split": "paths_split", "undo": "paths_undone"}


def _path_change(service: str, team: str, row: Mapping[str, Any], end: float) -> Change:
    method, after = str(row.get("method", "")), str(row.get("after", ""))
    before = [f"{method} {path}".strip() for path in row.get("before") or ()]
    count = int(row.get("operations") or len(before))
    verb = {"merge": "are one", "split": "are several", "undo": "are themselves again"}[str(row["kind"])]
    why = [str(reason) for reason in row.get("why") or ()]
    return Change(
        kind=_PATHS[str(row["kind"])], severity="info", subject=str(row["change"]), before=", ".join(before[:5]),
        after=after, service=service, operation=f"{method} {after}".strip(), team=team, count=count, until=end,
        since=float(row.get("time") or end),
        reason=f"{count} operations of {service} {verb}, {method} {after}: {'; '.join(why) or 'by a person'}",
        details={"operations": before, "why": why, "author": row.get("author") or ""},
    )  # fmt: skip
