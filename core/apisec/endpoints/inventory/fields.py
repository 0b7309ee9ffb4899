"""The fields of requests or of responses: in how many they stood, their types and the classes of their data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Dict, List, Optional, Tuple

from apisec.baselines.values import mappings, text, texts
from apisec.endpoints.inventory.tally import Counts, add_all, counts_of, tally

MAX_FIELDS = 400  # of one direction of an operation
MAX_CLASSES = 64
MAX_LISTED = 500  # of one message, as the forwarder lists them

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
    """The fields of messages of one kind. ``limit`` is how many more its operation has room for."""

    __slots__ = ("dropped", "stats")

    def __init__(self) -> None:
        self.stats: Dict[FieldKey, FieldStats] = {}
        self.dropped = 0

    def get(self, key: FieldKey) -> Optional[FieldStats]:
        """Return a field's counts, which may be new; None, and counted, where there is no room for one more."""
        found = self.stats.get(key)
        if found is None:
            if len(self.stats) >= MAX_FIELDS:
                self.dropped += 1
                return None
            found = self.stats[key] = FieldStats()
        return found

    def add(self, fields: Any, times: int = 1) -> None:
        """Count the fields of ``times`` equal messages; a path that repeats (an array's items) is present once."""
        seen = set()
        for field in mappings(fields, MAX_LISTED):
            key = (text(field.get("in"), 16), text(field.get("path")))
            stats = self.get(key)
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
        self.dropped += other.dropped
        for key in sorted(other.stats):
            mine = self.get(key)
            if mine is not None:
                mine.merge(other.stats[key])

    def items(self) -> Iterator[Tuple[FieldKey, FieldStats]]:
        return ((key, self.stats[key]) for key in sorted(self.stats))

    def keep(self, count: int) -> None:
        """Keep the ``count`` fields that stood in most messages, and those that carry classes before all others."""
        ordered = sorted(self.stats, key=lambda key: (not self.stats[key].classes, -self.stats[key].present, key))
        for key in ordered[count:]:
            del self.stats[key]
            self.dropped += 1

    def to_state(self) -> List[Any]:
        rows = [[where, path, s.present, s.types, s.classes] for (where, path), s in self.items()]
        return [self.dropped, rows]

    @classmethod
    def from_state(cls, state: Any) -> Fields:
        """TypeError or ValueError when the state is not one of ``to_state``."""
        fields = cls()
        fields.dropped, rows = int(state[0]), state[1]
        for where, path, present, types, classes in rows[:MAX_FIELDS]:
            stats = fields.stats[str(where), str(path)] = FieldStats()
            stats.present = int(present)
            stats.types = counts_of(types)
            stats.classes = counts_of(classes)
        return fields
