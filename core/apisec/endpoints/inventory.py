"""The inventory: what each operation of each service is, carries and costs, learned from events.

Mergeable, so that it is built where the events are: the merge of the inventories of any split of the events
is the inventory of all of them (counts exactly; quantiles and distinct counts within the sketches' bounds).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any, Dict, List, Optional, Tuple

from apisec.baselines.sketches import DistinctCount, QuantileSketch, TopK
from apisec.baselines.values import event_time, mappings, number, text, texts, whole
from apisec.errors import DocumentError

STATE_VERSION = 1
MAX_OPERATIONS = 5_000  # per inventory; what comes after is counted in ``dropped``
MAX_FIELDS = 400  # per operation and direction
MAX_CLASSES = 64
MAX_STATUSES = 64
_LATENCY, _BYTES_IN, _BYTES_OUT = "response_time", "bytes_in", "bytes_out"
MEASURES = (_LATENCY, _BYTES_IN, _BYTES_OUT)  # milliseconds, bytes, bytes
SHARES = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))

Key = Tuple[str, str]
FieldKey = Tuple[str, str]


def _tally(counts: Dict[str, int], value: str, times: int, limit: int) -> None:
    if value in counts:
        counts[value] += times
    elif len(counts) < limit:
        counts[value] = times


class FieldStats:
    """One field of requests or responses: in how many it stood, its types and classes with their counts."""

    __slots__ = ("classes", "present", "types")

    def __init__(self) -> None:
        self.present = 0
        self.types: Dict[str, int] = {}
        self.classes: Dict[str, int] = {}

    def merge(self, other: FieldStats) -> None:
        self.present += other.present
        for name, times in other.types.items():
            _tally(self.types, name, times, MAX_CLASSES)
        for name, times in other.classes.items():
            _tally(self.classes, name, times, MAX_CLASSES)


class Fields:
    """The fields of one direction, by location and path."""

    __slots__ = ("dropped", "stats")

    def __init__(self) -> None:
        self.stats: Dict[FieldKey, FieldStats] = {}
        self.dropped = 0

    def _get(self, key: FieldKey) -> Optional[FieldStats]:
        found = self.stats.get(key)
        if found is None:
            if len(self.stats) >= MAX_FIELDS:
                self.dropped += 1
                return None
            found = self.stats[key] = FieldStats()
        return found

    def add(self, fields: Any) -> None:
        """Count the fields of one message; a path that repeats (an array's items) is present once."""
        seen = set()
        for field in mappings(fields, MAX_FIELDS):
            key = (text(field.get("in")), text(field.get("path")))
            stats = self._get(key)
            if stats is None:
                continue
            if key not in seen:
                seen.add(key)
                stats.present += 1
            kind = text(field.get("type"), 32)
            if kind:
                _tally(stats.types, kind, 1, MAX_CLASSES)
            for name in texts(field.get("classes")):
                _tally(stats.classes, name, 1, MAX_CLASSES)

    def merge(self, other: Fields) -> None:
        self.dropped += other.dropped
        for key, stats in other.stats.items():
            mine = self._get(key)
            if mine is not None:
                mine.merge(stats)

    def rows(self, messages: int) -> List[Dict[str, Any]]:
        """``presence`` is the share of messages that carried the field."""
        return [
            {
                "path": path,
                "in": location,
                "types": sorted(stats.types),
                "presence": round(min(1.0, stats.present / max(1, messages)), 4),
                "classes": sorted(stats.classes),
            }
            for (location, path), stats in sorted(self.stats.items())
        ]

    def to_state(self) -> List[Any]:
        items = sorted(self.stats.items())
        rows = [[where, path, s.present, s.types, s.classes] for (where, path), s in items]
        return [self.dropped, rows]

    @classmethod
    def from_state(cls, state: Any) -> Fields:
        fields = cls()
        fields.dropped, rows = int(state[0]), state[1]
        for where, path, present, types, classes in rows[:MAX_FIELDS]:
            stats = fields.stats[str(where), str(path)] = FieldStats()
            stats.present = int(present)
            stats.types = _counts(types)
            stats.classes = _counts(classes)
        return fields


def _counts(state: Any) -> Dict[str, int]:
    return {str(name): int(times) for name, times in dict(state).items()}


class OperationStats:
    """Everything that is known of one operation."""

    def __init__(self) -> None:
        self.count = 0
        self.anonymous = 0
        self.errors = 0
        self.first_seen = math.inf
        self.last_seen = -math.inf
        # Of the latest event, so that a renamed team shows; equal times fall back to the greater text.
        self.latest: Tuple[float, str, str, str] = (-math.inf, "", "", "")
        self.principals = DistinctCount()
        self.auth: Dict[str, int] = {}
        self.statuses: Dict[str, int] = {}
        self.data_classes: Dict[str, int] = {}
        self.agents = TopK(8)
        self.request_fields = Fields()
        self.response_fields = Fields()
        self.measures = {name: QuantileSketch() for name in MEASURES}

    def add(self, event: Mapping[str, Any]) -> None:
        time = event_time(event)
        status = whole(event.get("status"))
        self.count += 1
        self.anonymous += event.get("principal_kind") == "anonymous"
        self.errors += status == 0 or status >= 400
        self.first_seen = min(self.first_seen, time)
        self.last_seen = max(self.last_seen, time)
        latest = (time, text(event.get("team")), text(event.get("endpoint")), text(event.get("http_method"), 32))
        self.latest = max(self.latest, latest)
        principal = text(event.get("principal"))
        if principal:
            self.principals.add(principal)
        _tally(self.auth, text(event.get("auth"), 32) or "none", 1, MAX_CLASSES)
        _tally(self.statuses, str(status), 1, MAX_STATUSES)
        for name in texts(event.get("data_classes")):
            _tally(self.data_classes, name, 1, MAX_CLASSES)
        agent = text(event.get("http_user_agent"), 96)
        if agent:
            self.agents.add(agent)
        self.request_fields.add(event.get("request_fields"))
        self.response_fields.add(event.get("response_fields"))
        for name in MEASURES:
            value = number(event.get(name))
            if value is not None:
                self.measures[name].add(value)

    def merge(self, other: OperationStats) -> None:
        self.count += other.count
        self.anonymous += other.anonymous
        self.errors += other.errors
        self.first_seen = min(self.first_seen, other.first_seen)
        self.last_seen = max(self.last_seen, other.last_seen)
        self.latest = max(self.latest, other.latest)
        self.principals.merge(other.principals)
        self.agents.merge(other.agents)
        self.request_fields.merge(other.request_fields)
        self.response_fields.merge(other.response_fields)
        for mine, theirs, limit in (
            (self.auth, other.auth, MAX_CLASSES),
            (self.statuses, other.statuses, MAX_STATUSES),
            (self.data_classes, other.data_classes, MAX_CLASSES),
        ):
            for name, times in theirs.items():
                _tally(mine, name, times, limit)
        for name in MEASURES:
            self.measures[name].merge(other.measures[name])

    def row(self, service: str, operation: str) -> Dict[str, Any]:
        row: Dict[str, Any] = {
            "service": service,
            "team": self.latest[1],
            "operation": operation,
            "endpoint": self.latest[2],
            "http_method": self.latest[3],
            "count": self.count,
            "principals": self.principals.estimate(),
            "auth": sorted(self.auth),
            "anonymous": self.anonymous,
            "first_seen": self.first_seen,
            "last_seen": self.last_seen,
            "statuses": dict(sorted(self.statuses.items())),
            "errors": self.errors,
            "data_classes": sorted(self.data_classes),
            "user_agents": [agent for agent, _ in self.agents.items()],
            "request_fields": self.request_fields.rows(self.count),
            "response_fields": self.response_fields.rows(self.count),
            "fields_dropped": self.request_fields.dropped + self.response_fields.dropped,
        }
        for name in MEASURES:
            for label, share in SHARES:
                value = self.measures[name].quantile(share)
                row[f"{name}_{label}"] = None if value is None else round(value, 3)
        return row

    def to_state(self) -> Dict[str, Any]:
        return {
            "n": self.count,
            "anonymous": self.anonymous,
            "errors": self.errors,
            "seen": [self.first_seen, self.last_seen],
            "latest": list(self.latest),
            "principals": self.principals.to_state(),
            "auth": self.auth,
            "statuses": self.statuses,
            "classes": self.data_classes,
            "agents": self.agents.to_state(),
            "request": self.request_fields.to_state(),
            "response": self.response_fields.to_state(),
            "measures": {name: self.measures[name].to_state() for name in MEASURES},
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> OperationStats:
        stats = cls()
        stats.count = int(state["n"])
        stats.anonymous = int(state["anonymous"])
        stats.errors = int(state["errors"])
        stats.first_seen, stats.last_seen = (float(moment) for moment in state["seen"])
        time, team, endpoint, method = state["latest"]
        stats.latest = (float(time), str(team), str(endpoint), str(method))
        stats.principals = DistinctCount.from_state(state["principals"])
        stats.auth = _counts(state["auth"])
        stats.statuses = _counts(state["statuses"])
        stats.data_classes = _counts(state["classes"])
        stats.agents = TopK.from_state(state["agents"], 8)
        stats.request_fields = Fields.from_state(state["request"])
        stats.response_fields = Fields.from_state(state["response"])
        stats.measures = {name: QuantileSketch.from_state(state["measures"][name]) for name in MEASURES}
        return stats


class Inventory:
    """Operations by service and operation, with what was learned of each."""

    def __init__(self) -> None:
        self._operations: Dict[Key, OperationStats] = {}
        self.dropped = 0  # events of operations beyond MAX_OPERATIONS, and events that name no operation

    def __len__(self) -> int:
        return len(self._operations)

    def _get(self, key: Key) -> Optional[OperationStats]:
        found = self._operations.get(key)
        if found is None and len(self._operations) < MAX_OPERATIONS:
            found = self._operations[key] = OperationStats()
        return found

    def add(self, event: Mapping[str, Any]) -> None:
        """Learn from one event; numbers may be text, as Splunk hands them over."""
        operation = text(event.get("operation"))
        stats = self._get((text(event.get("service")), operation)) if operation else None
        if stats is None:
            self.dropped += 1
        else:
            stats.add(event)

    def merge(self, other: Inventory) -> None:
        self.dropped += other.dropped
        for key, stats in other._operations.items():
            mine = self._get(key)
            if mine is None:
                self.dropped += stats.count
            else:
                mine.merge(stats)

    def rows(self) -> List[Dict[str, Any]]:
        """Return one row per service and operation, in their order; times in seconds since the epoch."""
        return [stats.row(*key) for key, stats in sorted(self._operations.items())]

    def to_state(self) -> str:
        """Return JSON that ``from_state`` reads on another machine."""
        operations = [[*key, stats.to_state()] for key, stats in sorted(self._operations.items())]
        document = {"version": STATE_VERSION, "dropped": self.dropped, "operations": operations}
        return json.dumps(document, separators=(",", ":"), sort_keys=True)

    @classmethod
    def from_state(cls, state: str) -> Inventory:
        """Raises DocumentError when the state is not one of ``to_state`` or of another version."""
        try:
            document = json.loads(state)
            version = document["version"]
            if version != STATE_VERSION:
                message = f"version {version!r} of the state is not known; run the inventory anew"
                raise DocumentError(message, where="inventory")
            inventory = cls()
            inventory.dropped = int(document["dropped"])
            for service, operation, stats in document["operations"][:MAX_OPERATIONS]:
                inventory._operations[str(service), str(operation)] = OperationStats.from_state(stats)
        except (KeyError, TypeError, ValueError, IndexError, RecursionError) as error:
            raise DocumentError("not the state of an inventory", where="inventory") from error
        return inventory

    def split(self) -> List[Inventory]:
        """Return one inventory per operation: rows of a map phase, or documents of a KV store."""
        parts = []
        for key, stats in sorted(self._operations.items()):
            part = Inventory()
            part._operations[key] = stats
            parts.append(part)
        if parts and self.dropped:
            parts[0].dropped = self.dropped
        return parts

    def to_documents(self) -> List[Dict[str, Any]]:
        """Return KV documents: each operation's row, with ``_key`` and the mergeable ``state``."""
        documents = []
        for part in self.split():
            row = part.rows()[0]
            key = f"{row['service']}|{row['operation']}"
            documents.append({"_key": key, "version": STATE_VERSION, **row, "state": part.to_state()})
        return documents

    @classmethod
    def from_documents(cls, documents: Iterable[Mapping[str, Any]]) -> Inventory:
        """Merge the ``state`` of KV documents; raises DocumentError when one is not readable."""
        inventory = cls()
        for document in documents:
            inventory.merge(cls.from_state(text(document.get("state"), 16_000_000)))
        return inventory
