"""What bodies ask for where one path stands for many operations: GraphQL, JSON-RPC, SOAP.

The operation keeps its name and its id (``POST /graphql``); what its bodies name is counted inside of it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Dict, List, Optional

from apisec.baselines.sketches import QuantileSketch
from apisec.baselines.values import mappings, text, texts
from apisec.endpoints.inventory.reading import Listed
from apisec.endpoints.inventory.tally import OTHER, Counts, add_all, counts_of, tally

MAX_ASKED = 64  # names of one operation: clients choose them, so what comes later is counted as ``OTHER``
MAX_CLASSES = 32
MAX_LISTED = 500  # fields of an answer
ERROR = 0.02  # relative, of the quantiles: 64 sketches have to stay small
SHARES = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
# Where these protocols put their own errors: GraphQL and JSON-RPC answer 200 with them. A batch is a list.
_FAULT = re.compile(r"(?:\[\]\.)?errors?(?:[.\[]|\Z)|Envelope\.Body\.Fault\b")


class AskedStats:
    """One operation that bodies name: requests, answers of 400 and more or none, and answers that hold an error."""

    __slots__ = ("classes", "count", "errors", "faults", "first_seen", "last_seen", "latency")

    def __init__(self) -> None:
        self.count = self.errors = self.faults = 0
        self.first_seen, self.last_seen = math.inf, -math.inf
        self.classes: Counts = {}
        self.latency = QuantileSketch(ERROR)

    def add(self, event: Mapping[str, Any], time: float, status: int, latency: Optional[float]) -> None:
        self.count += 1
        if status == 0 or status >= 400:
            self.errors += 1
        elif holds_fault(event.get("response_fields")):
            self.faults += 1
        self.first_seen, self.last_seen = min(self.first_seen, time), max(self.last_seen, time)
        for name in texts(event.get("data_classes")):
            tally(self.classes, name, 1, MAX_CLASSES)
        if latency is not None:
            self.latency.add(latency)

    def merge(self, other: AskedStats) -> None:
        self.count += other.count
        self.errors += other.errors
        self.faults += other.faults
        self.first_seen = min(self.first_seen, other.first_seen)
        self.last_seen = max(self.last_seen, other.last_seen)
        add_all(self.classes, other.classes, MAX_CLASSES)
        self.latency.merge(other.latency)

    def row(self, name: str) -> Dict[str, Any]:
        found = ((label, self.latency.quantile(share)) for label, share in SHARES)
        return {
            "name": name,
            "count": self.count,
            "errors": self.errors,
            "faults": self.faults,
            "first_seen": self.first_seen,
            "last_seen": self.last_seen,
            "data_classes": sorted(one for one in self.classes if one != OTHER),
            **{f"response_time_{label}": None if value is None else round(value, 3) for label, value in found},
        }

    def to_state(self) -> List[Any]:
        counts = [self.count, self.errors, self.faults]
        return [counts, [self.first_seen, self.last_seen], self.classes, self.latency.to_state()]

    @classmethod
    def from_state(cls, state: Any) -> AskedStats:
        """TypeError or ValueError when the state is not one of ``to_state``."""
        stats = cls()
        counts, seen, classes, latency = state
        stats.count, stats.errors, stats.faults = (int(n) for n in counts)
        stats.first_seen, stats.last_seen = (float(moment) for moment in seen)
        stats.classes = counts_of(classes)
        stats.latency = QuantileSketch.from_state(latency, ERROR)
        return stats


class Asked:
    """What the bodies of one operation ask for, by name; empty for nearly all operations."""

    __slots__ = ("stats",)

    def __init__(self) -> None:
        self.stats: Dict[str, AskedStats] = {}

    def add(self, event: Mapping[str, Any], time: float, status: int, latency: Optional[float]) -> None:
        """Count an event whose body names an operation."""
        self._get(text(event.get("body_operation"), 128)).add(event, time, status, latency)

    def _get(self, name: str) -> AskedStats:
        found = self.stats.get(name)
        if found is None:
            if len(self.stats) >= MAX_ASKED:
                name = OTHER
            found = self.stats.setdefault(name, AskedStats())
        return found

    def merge(self, other: Asked) -> None:
        for name in sorted(other.stats):
            self._get(name).merge(other.stats[name])

    def keep(self, count: int) -> None:
        """Keep the ``count`` names that were asked for most; the others are counted together."""
        ordered = sorted(self.stats, key=lambda name: (name == OTHER, -self.stats[name].count, name))
        for name in ordered[count:]:
            if name != OTHER:
                dropped = self.stats.pop(name)
                self.stats.setdefault(OTHER, AskedStats()).merge(dropped)

    def rows(self) -> List[Dict[str, Any]]:
        """Return a row for each name, most asked for first."""
        ordered = sorted(self.stats.items(), key=lambda item: (-item[1].count, item[0]))
        return [stats.row(name) for name, stats in ordered]

    def to_state(self) -> Dict[str, Any]:
        return {name: stats.to_state() for name, stats in sorted(self.stats.items())}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Asked:
        asked = cls()
        asked.stats = {str(name): AskedStats.from_state(one) for name, one in state.items()}
        return asked


def holds_fault(fields: Any) -> bool:
    """Return whether an answer holds an error of its own protocol, by the names of its fields."""
    if type(fields) is not Listed:
        return _fault(fields)
    if fields.fault is None:
        fields.fault = _fault(fields)
    return fields.fault


def _fault(fields: Any) -> bool:
    for field in mappings(fields, MAX_LISTED):
        path = text(field.get("path"))
        # ``error: null`` is no error
        if _FAULT.match(path) and field.get("in") == "body" and field.get("type") != "null":
            return True
    return False
