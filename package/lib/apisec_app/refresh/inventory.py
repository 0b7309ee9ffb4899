"""Step one of a refresh: the inventory of a window of index time, and its way into the documents of the KV store.

Exactly once, whoever dies where, in three steps that may each be repeated:

1. fetch: a search gives the window's inventory; the same window gives the same, for its index time is over.
2. note: each operation's part is written as a delta, keyed by the window's end and the operation.
3. settle: deltas that a document does not hold yet (their end is later than its ``through``) are merged into it. A
   document and its ``through`` are written at once.

Deltas stay for ``KEPT`` seconds. So a writer that was held up and put back an older document does no harm: the next
run finds deltas that are newer than it, and merges them again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Dict, List, NamedTuple, Optional

from apisec.endpoints.inventory import Inventory

from ..connection import SearchError, search
from ..kvstore import Collection, Document
from ..records import first
from .windows import KEPT, Window

LATENESS = "-30d"  # an event that waited longer in a forwarder's spool is not in the inventory
SPL = (
    "search `apisec_transactions` | where _indextime>={start:.0f} AND _indextime<{end:.0f} "
    "{dedup}| fields _raw, _time | apisecinventory output=state unique=true{duplicates}"
)
STATE_FIELD = "apisec_state"
DUPLICATES_FIELD = "apisec_duplicates"
TOO_MANY = "many"
TOGETHER = 50  # operations that are in memory at once


class Change(NamedTuple):
    """A document to write and the one that it replaces, None for a new operation; ``end`` of the last window in it."""

    before: Optional[Document]
    after: Document
    end: float
    restored: bool


def fetch(service: Any, span: Window) -> Inventory:
    """Return the inventory of one window. Raises SearchError, and splunklib's HTTPError.

    Ids that lie on more than one indexer are asked for again, so that each counts once; when they are very many, the
    search head has to see all events.
    """
    inventory, duplicates = _run(service, span, "", "")
    if duplicates == TOO_MANY:
        inventory, duplicates = _run(service, span, "| dedup id ", "")
    elif duplicates:
        inventory, duplicates = _run(service, span, "", f' duplicates="{duplicates}"')
    if duplicates:
        raise SearchError("events of the window were still arriving; the next run takes it again")
    return inventory


def _run(service: Any, span: Window, dedup: str, duplicates: str) -> tuple[Inventory, str]:
    inventory, found = Inventory(), ""
    spl = SPL.format(start=span.start, end=span.end, dedup=dedup, duplicates=duplicates)
    for row in search(service, spl, earliest=LATENESS, latest="now", index_window=span):
        state = first(row.get(STATE_FIELD))
        found = first(row.get(DUPLICATES_FIELD)) or found
        if state:
            inventory.merge(Inventory.from_state(state))
    return inventory, found


def deltas(new: Inventory, end: float, now: float) -> Iterator[Document]:
    """Yield a window's part of each operation as a document."""
    for part in new.split():
        document = part.to_documents()[0]
        yield {
            "_key": f"{end:.0f}|{document['_key']}",
            "version": document["version"],
            "end": end,
            "noted": now,
            "of": document["_key"],
            "service": document["service"],
            "state": document["state"],
        }


class Documents:
    """The operations' documents: those in use, those that are archived, and the deltas on their way."""

    def __init__(self, inventory: Collection, archive: Collection, noted: Collection) -> None:
        self.inventory = inventory
        self.archive = archive
        self._noted = noted

    def note(self, new: Inventory, end: float, now: float) -> int:
        """Write the deltas of a window; returns how many."""
        return self._noted.save(deltas(new, end, now))

    def forget(self, now: float) -> None:
        """Clear away deltas that were noted ``KEPT`` ago; whatever reads them has settled them before."""
        self._noted.delete_where({"noted": {"$lt": now - KEPT}})

    def unsettled(self) -> Dict[str, List[str]]:
        """Return the keys of deltas that no document holds yet, by operation and in the order of their windows."""
        ends: Dict[str, List[float]] = defaultdict(list)
        for head in self._noted.load(fields=("_key", "end", "of")):
            ends[str(head["of"])].append(float(head["end"]))
        held = {str(d["_key"]): float(d.get("through", 0)) for d in self._heads(ends)}
        waiting = {key: sorted(end for end in of_key if end > held.get(key, 0.0)) for key, of_key in ends.items()}
        return {key: [f"{end:.0f}|{key}" for end in of_key] for key, of_key in sorted(waiting.items()) if of_key}

    def _heads(self, keys: Iterable[str]) -> Iterator[Document]:
        listed = list(keys)
        found = {str(d["_key"]): d for d in self.inventory.find(listed, fields=("_key", "through"))}
        yield from found.values()
        yield from self.archive.find([key for key in listed if key not in found], fields=("_key", "through"))

    def settle(self) -> Iterator[List[Change]]:
        """Yield what has to be written, some operations at a time; ``write`` writes it."""
        waiting = list(self.unsettled().items())
        for start in range(0, len(waiting), TOGETHER):
            part = dict(waiting[start : start + TOGETHER])
            held = {str(d["_key"]): d for d in self.inventory.find(list(part))}
            archived = {str(d["_key"]): d for d in self.archive.find([key for key in part if key not in held])}
            noted = {str(d["_key"]): d for d in self._noted.find([one for keys in part.values() for one in keys])}
            yield [
                merged(
                    held.get(key) or archived.get(key), [noted[one] for one in keys if one in noted], key in archived
                )
                for key, keys in part.items()
            ]

    def write(self, changes: List[Change], now: float) -> None:
        """Write documents, then take back from the archive what was in it."""
        self.inventory.save({**change.after, "updated": now} for change in changes)
        for change in changes:
            if change.restored:
                self.archive.delete(str(change.after["_key"]))

    def retire(self, before: float, now: float) -> int:
        """Archive operations that were last seen before a time; returns how many. A crash leaves both copies."""
        count = 0
        idle = self.inventory.load({"last_seen": {"$lt": before}}, fields=("_key",))
        for start in range(0, len(idle), TOGETHER):
            keys = [str(d["_key"]) for d in idle[start : start + TOGETHER]]
            self.archive.save({**document, "archived": now} for document in self.inventory.find(keys))
            for key in keys:
                self.inventory.delete(key)
            count += len(keys)
        return count


def merged(before: Optional[Mapping[str, Any]], parts: List[Document], restored: bool) -> Change:
    """Return an operation's document with the deltas in it."""
    inventory = Inventory.from_documents([before] if before is not None else [])
    inventory.merge(Inventory.from_documents(parts))
    end = max(float(part["end"]) for part in parts)
    after = {**inventory.to_documents()[0], "through": end}
    return Change(None if before is None else dict(before), after, end, restored)
