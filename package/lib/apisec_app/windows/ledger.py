"""How far the inventory, or detection, came: windows of index time, one after the other, in the KV store.

A window is begun by inserting a document whose key is its start. The KV store refuses a second document of one key, so
every start has one end, whoever begins it: two search heads that run at once do the same window, and windows neither
overlap nor leave a gap. A window stays open until everything of it is written; a run that finds one open does it again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Dict, List, NamedTuple, Optional

from ..kvstore import Collection, Document

VERSION = 1
LONGEST = 6 * 3600.0  # seconds; a long history is done in parts, so that a crash costs one
KEPT = 7200.0  # seconds that closed windows, and what they found, stay: to put right what a late writer undid
_RETIRED = "retired"


class Window(NamedTuple):
    """Index times [start, end), whole seconds since the epoch."""

    start: float
    end: float

    @property
    def key(self) -> str:
        return f"{self.start:.0f}"


class StaleRunError(Exception):
    """Others went on meanwhile; the run stops, and nothing is lost."""


class Windows:
    """The ledger of windows, one document each, of at most ``longest`` seconds."""

    def __init__(self, collection: Collection, longest: float = LONGEST) -> None:
        self._collection = collection
        self._longest = longest

    def _all(self) -> List[Document]:
        return [d for d in self._collection.load() if d["_key"] != _RETIRED]

    def next(self, first: Callable[[], float], end: float) -> Optional[Window]:
        """Return a window that is open, else the next one; None when it would be empty.

        ``first`` says where the first of all windows starts. Raises StaleRunError when others went on meanwhile.
        """
        known = self._all()
        open_ones = [_window(d) for d in known if not d["done"]]
        if open_ones:
            return min(open_ones)
        start = max((float(d["end"]) for d in known), default=0.0) or first()
        end = min(end, start + self._longest)
        return self._begin(Window(start, end)) if end > start else None

    def _begin(self, span: Window) -> Window:
        document = {"_key": span.key, "version": VERSION, "start": span.start, "end": span.end, "noted": 0, "done": 0}
        if not self._collection.insert(document):
            held = self._collection.get(span.key)
            if held is None or held["done"]:
                raise StaleRunError(f"the window from {span.key} is done already")
            return _window(held)
        others = (d for d in self._all() if d["_key"] != span.key)
        if any(float(d["end"]) > span.start for d in others):  # the document of this start was cleared away since
            self._collection.delete(span.key)
            raise StaleRunError(f"a window after {span.key} is done already")
        return span

    def check(self, span: Window, now: float) -> None:
        """Raise StaleRunError when others closed this window so long ago that nothing could be put right any more."""
        held = self._collection.get(span.key)
        if held is None or (held["done"] and now - float(held["finished"]) > KEPT / 2):
            raise StaleRunError(f"the window from {span.key} was done by others")

    def noted(self, span: Window) -> bool:
        """Return whether everything that the window found is written down as deltas."""
        held = self._collection.get(span.key)
        return bool(held and held["noted"])

    def set_noted(self, span: Window, **figures: float) -> None:
        document = {"_key": span.key, "version": VERSION, "start": span.start, "end": span.end}
        self._collection.save([{**document, "noted": 1, "done": 0, **figures}])

    def done(self, span: Window, now: float) -> None:
        """Close a window, and clear away those that were closed long ago; the newest always stays."""
        held = self._collection.get(span.key)
        if held is not None:
            self._collection.save([{**held, "done": 1, "finished": now}])
        for old in self._all():
            if old["done"] and float(old["end"]) < span.end and float(old["finished"]) < now - KEPT:
                self._collection.delete(str(old["_key"]))

    def retired(self) -> float:
        """Return when old operations were last archived; 0 for never."""
        held = self._collection.get(_RETIRED)
        return float(held["time"]) if held else 0.0

    def set_retired(self, now: float) -> None:
        self._collection.save([{"_key": _RETIRED, "version": VERSION, "time": now}])


def _window(document: Dict[str, Any]) -> Window:
    return Window(float(document["start"]), float(document["end"]))
