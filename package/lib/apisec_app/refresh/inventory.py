"""Step one of a refresh: merge the newly indexed window into the inventory of the KV store.

Exactly once: the checkpoint names a window before it is begun, and every document carries ``through``, the end of the
last window that it holds. A window that a crash cut off is done again with the same end: documents that hold it
already stay as they are, the others are completed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Dict, List, NamedTuple, Optional

from apisec.endpoints.inventory import Inventory

from ..connection import search
from ..kvstore import Document
from ..records import first

LATENESS = "-30d"  # an event that waited longer in a forwarder's spool is not in the inventory
SPL = (
    "search `apisec_transactions` | where _indextime>={start:.0f} AND _indextime<{end:.0f} "
    "| dedup id | fields _raw, _time | apisecinventory state=true | fields apisec_state"
)
STATE_FIELD = "apisec_state"


class Window(NamedTuple):
    """Index times [start, end), whole seconds since the epoch."""

    start: float
    end: float


class Merged(NamedTuple):
    """``documents`` to write; each with the document that it replaces, None for a new operation."""

    documents: List[Document]
    replaced: List[Optional[Document]]


def window(through: float, now: float, lag: float, learn_seconds: float) -> Optional[Window]:
    """The next window, or None when it would be empty. The first one reaches back as far as is learned from."""
    end = float(int(now - lag))
    start = through if through > 0 else float(int(now - learn_seconds))
    return Window(start, end) if end > start else None


def fetch(service: Any, span: Window) -> Inventory:
    """The inventory of one window, from the states that the search returns."""
    inventory = Inventory()
    spl = SPL.format(start=span.start, end=span.end)
    for row in search(service, spl, earliest=LATENESS, latest="now", index_window=span):
        state = first(row.get(STATE_FIELD))
        if state:
            inventory.merge(Inventory.from_state(state))
    return inventory


def merge(new: Inventory, stored: Iterable[Mapping[str, Any]], end: float) -> Merged:
    """Merge a window into stored documents; operations that already hold this window stay as they are."""
    by_key: Dict[str, Document] = {str(d["_key"]): dict(d) for d in stored}
    merged = Merged([], [])
    for part in new.split():
        document = part.to_documents()[0]
        before = by_key.get(document["_key"])
        if before is not None:
            if float(before.get("through", 0)) >= end:
                continue
            part.merge(Inventory.from_documents([before]))
            document = part.to_documents()[0]
        document["through"] = end
        merged.documents.append(document)
        merged.replaced.append(before)
    return merged
