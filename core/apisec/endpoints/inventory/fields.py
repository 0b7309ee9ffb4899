"""The fields of requests or of responses: in how many they stood, their types and the classes of their data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Dict, List, Optional, Tuple

from apisec.baselines.values import mappings, text, texts
from apisec.endpoints.inventory.reading import Listed
from apisec.endpoints.inventory.tally import Counts, add_all, counts_of, tally

MAX_FIELDS = 400  # of one direction of an operation
MAX_CLASSES = 64
MAX_LISTED = 500  # of one message, as the forwarder lists them

MAX_WAITING = 256  # different lists

FieldKey = Tuple[str, str]  # location, path


class FieldStats:
    """One field: in how many messages it stood, its types and classes with their counts."""

    __slots__ = ("classes", "present", "types")

    def __init__(self) -> None:
        self.present = 0
        self.types: Counts = {}
        self.classes: Counts = {}

    def merge(self, other: FieldStats) -> None:
        self.present += other.present
        add_all(self.types, other.types, MAX_CLASSES)
        add_all(self.classes, other.classes, MAX_CLASSES)


class Fields:
    """The fields of messages of one kind. Lists that repeat are counted as a whole first, and spread out when asked."""

    __slots__ = ("_dropped", "_stats", "_waiting")

    def __init__(self) -> None:
        self._stats: Dict[FieldKey, FieldStats] = {}
        self._dropped = 0
        self._waiting: Dict[str, Tuple[int, List[Any]]] = {}

    @property
    def stats(self) -> Dict[FieldKey, FieldStats]:
        """The counts of each field."""
        if self._waiting:
            self._spread()
        return self._stats

    @property
    def dropped(self) -> int:
        """How often a field was left out because there were ``MAX_FIELDS`` others."""
        if self._waiting:
            self._spread()
        return self._dropped

    def _spread(self) -> None:
        waiting, self._waiting = self._waiting, {}
        for times, fields in waiting.values():
            self._count(fields, times)

    def _get(self, key: FieldKey, times: int = 1) -> Optional[FieldStats]:
        """Return a field's counts, which may be new; None, and counted, where there is no room for one more."""
        found = self._stats.get(key)
        if found is None:
            if len(self._stats) >= MAX_FIELDS:
                self._dropped += times
                return None
            found = self._stats[key] = FieldStats()
        return found

    def add(self, fields: Any) -> None:
        """Count the fields of one message; a path that repeats (an array's items) is present once."""
        if type(fields) is not Listed:
            self._count(fields, 1)
            return
        known = self._waiting.get(fields.text)
        self._waiting[fields.text] = (known[0] + 1 if known else 1, fields)
        if len(self._waiting) > MAX_WAITING:
            self._spread()

    def _count(self, fields: Any, times: int) -> None:
        seen = set()
        for field in mappings(fields, MAX_LISTED):
            key = (text(field.get("in"), 16), text(field.get("path")))
            stats = self._get(key, times)
            if stats is None:
                continue
            if key not in seen:
                seen.add(key)
                stats.present += times
            kind = text(field.get("type"), 32)
            if kind:
                tally(stats.types, kind, times, MAX_CLASSES)
            for name in texts(field.get("classes")):
                tally(stats.classes, name, times, MAX_CLASSES)

    def merge(self, other: Fields) -> None:
        self._spread()  # what waits came before what is merged
        theirs = other.stats
        self._dropped += other._dropped
        for key in sorted(theirs):
            mine = self._get(key, theirs[key].present)
            if mine is not None:
                mine.merge(theirs[key])

    def items(self) -> Iterator[Tuple[FieldKey, FieldStats]]:
        stats = self.stats
        return ((key, stats[key]) for key in sorted(stats))

    def keep(self, count: int) -> None:
        """Keep the ``count`` fields that stood in most messages, and those that carry classes before all others."""
        stats = self.stats
        ordered = sorted(stats, key=lambda key: (not stats[key].classes, -stats[key].present, key))
        for key in ordered[count:]:
            self._dropped += stats.pop(key).present

    def to_state(self) -> List[Any]:
        rows = [[where, path, s.present, s.types, s.classes] for (where, path), s in self.items()]
        return [self.dropped, rows]

    @classmethod
    def from_state(cls, state: Any) -> Fields:
        """TypeError or ValueError when the state is not one of ``to_state``."""
        fields = cls()
        fields._dropped, rows = int(state[0]), state[1]
        for where, path, present, types, classes in rows[:MAX_FIELDS]:
            stats = fields._stats[str(where), str(path)] = FieldStats()
            stats.present = int(present)
            stats.types = counts_of(types)
            stats.classes = counts_of(classes)
        return fields
