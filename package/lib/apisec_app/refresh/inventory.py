"""Step one of a refresh: the inventory of a window of index time, and its way into the documents of the KV store.

Exactly once, whoever dies where, in three steps that may each be repeated:

1. fetch: a search gives the window's inventory; the same window gives the same, for its index time is over. Operations
   get the names that the learned paths have for them; the model has not learned this window yet, whoever does it.
2. note: each operation's part is written as a delta, keyed by the window's end and the operation. An operation that has
   another name now goes into the other one by such a delta too, and into the archive.
3. settle: deltas that a document does not hold yet (their end is later than its ``through``) are merged into it, and
   looked at for changes (``changes``). A document, its ``through`` and its watch are written at once.

Deltas stay for ``KEPT`` seconds. So a writer that was held up and put back an older document does no harm: the next
run finds deltas that are newer than it, and merges them again.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any, Dict, List, NamedTuple, Tuple

from apisec.endpoints.inventory import Inventory
from apisec.endpoints.learning import PathModel

from ..kvstore import Collection, Document
from ..records import first
from ..windows.ledger import KEPT, Window
from ..windows.reading import fetch_once
from .changes import MEMBER, Step, Written

STATE_FIELD = "apisec_state"
PATHS_FIELD = "apisec_paths"
Rename = Callable[[str, str], str]
TOGETHER = 50  # operations that are in memory at once


class Found(NamedTuple):
    """What a window holds."""

    inventory: Inventory
    paths: PathModel


def fetch(service: Any, span: Window) -> Found:
    """Return what a window holds. Raises SearchError, and splunklib's HTTPError."""
    return fetch_once(service, span, "apisecinventory", lambda: Found(Inventory(), PathModel()), _take)


def _take(found: Found, record: Document) -> None:
    state, paths = first(record.get(STATE_FIELD)), first(record.get(PATHS_FIELD))
    if state:
        found.inventory.merge(Inventory.from_state(state))
    if paths:
        found.paths.merge(PathModel.from_state(paths))


KIND = "operation"


def deltas(new: Inventory, end: float, now: float) -> Iterator[Document]:
    """Yield a window's part of each operation as a document."""
    for part in new.split():
        document = part.to_documents()[0]
        yield {
            "_key": f"{end:.0f}|{document['_key']}",
            "version": document["version"],
            "kind": KIND,
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
        self.noted = noted

    def note(self, new: Inventory, end: float, now: float) -> int:
        """Write the deltas of a window; returns how many."""
        return self.noted.save(deltas(new, end, now))

    def note_renamed(self, rename: Rename, end: float, now: float) -> int:
        """Write deltas for operations that have another name now; ``retire_renamed`` archives them afterwards."""
        heads = self.inventory.load(fields=("_key", "service", "operation"))
        keys = [str(d["_key"]) for d in heads if rename(str(d["service"]), str(d["operation"])) != d["operation"]]
        for start in range(0, len(keys), TOGETHER):
            self.noted.save(
                {
                    **delta,
                    "_key": f"{delta['_key']}|{_short(str(old['_key']))}",
                    "from": old["_key"],
                    MEMBER: old.get(MEMBER),
                }
                for old in self.inventory.find(keys[start : start + TOGETHER])
                for delta in deltas(_renamed(old, rename), end, now)
            )
        return len(keys)

    def retire_renamed(self, now: float) -> int:
        """Archive the documents of operations that went into others; returns how many."""
        heads = self.noted.load({"from": {"$ne": None}}, fields=("_key", "from", "of", "end"))
        into = {str(d["from"]): d for d in sorted(heads, key=lambda d: float(d["end"])) if d.get("from")}
        count = 0
        for start in range(0, len(into), TOGETHER):
            held = self.inventory.find(list(into)[start : start + TOGETHER])
            gone = [d for d in held if float(d.get("through", 0)) < float(into[str(d["_key"])]["end"])]
            self.archive.save({**d, "archived": now, "renamed_to": into[str(d["_key"])]["of"]} for d in gone)
            for document in gone:
                self.inventory.delete(str(document["_key"]))
            count += len(gone)
        return count

    def forget(self, now: float) -> None:
        """Clear away deltas that were noted ``KEPT`` ago; whatever reads them has settled them before."""
        self.noted.delete_where({"noted": {"$lt": now - KEPT}})

    def unsettled(self) -> Dict[str, List[str]]:
        """Return the keys of deltas that no document holds yet, by operation and in the order of their windows."""
        noted: Dict[str, List[Tuple[float, str]]] = defaultdict(list)
        for head in self.noted.load({"kind": KIND}, fields=("_key", "end", "of")):
            noted[str(head["of"])].append((float(head["end"]), str(head["_key"])))
        heads = [*self.archive.load(fields=("_key", "through")), *self.inventory.load(fields=("_key", "through"))]
        held = {str(d["_key"]): float(d.get("through", 0)) for d in heads}  # of one that is in both, the one in use
        waiting = {
            of: [key for end, key in sorted(parts) if end > held.get(of, 0.0)] for of, parts in sorted(noted.items())
        }
        return {of: keys for of, keys in waiting.items() if keys}

    def settle(self) -> Iterator[List[Step]]:
        """Yield which documents have to be written, and of what, some operations at a time; ``write`` writes them."""
        waiting = list(self.unsettled().items())
        for start in range(0, len(waiting), TOGETHER):
            part = dict(waiting[start : start + TOGETHER])
            held = {str(d["_key"]): d for d in self.inventory.find(list(part))}
            archived = self._restorable([key for key in part if key not in held])
            noted = {str(d["_key"]): d for d in self.noted.find([one for keys in part.values() for one in keys])}
            yield [
                Step(
                    held.get(key) or archived.get(key),
                    [noted[one] for one in keys if one in noted],
                    key in archived,
                )
                for key, keys in part.items()
                if any(one in noted for one in keys)  # else another run has cleared them away since
            ]

    def _restorable(self, keys: List[str]) -> Dict[str, Document]:
        """Return what may come back. What went into another operation is counted there, and starts anew if it does."""
        return {str(d["_key"]): d for d in self.archive.find(keys) if not d.get("renamed_to")}

    def write(self, written: List[Written], now: float) -> None:
        """Write documents, then take back from the archive what was in it."""
        self.inventory.save({**one.document, "updated": now} for one in written)
        for one in written:
            if one.restored:
                self.archive.delete(str(one.document["_key"]))

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


def _renamed(document: Document, rename: Rename) -> Inventory:
    inventory = Inventory.from_documents([document])
    inventory.relabel(rename)
    return inventory


def _short(key: str) -> str:
    return hashlib.blake2b(key.encode("utf-8", "replace"), digest_size=8).hexdigest()
