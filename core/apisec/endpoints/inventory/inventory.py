"""Operations by service and name, their rows, and the state that merges."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Dict, List, Optional, Tuple

from apisec.baselines.values import text
from apisec.classification.fields import summary, verdicts
from apisec.classification.overrides import Overrides
from apisec.endpoints.inventory.fit import fitted
from apisec.endpoints.inventory.operation import OperationStats
from apisec.endpoints.inventory.upgrades import STATE_VERSION, upgraded
from apisec.errors import DocumentError

MAX_OPERATIONS = 5_000  # per inventory; what comes after is counted in ``dropped``
MAX_STATE = 16_000_000  # characters: a document of the KV store holds no more

Key = Tuple[str, str]  # service, operation
Rename = Callable[[str, str], str]


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
        """Add what another inventory learned; it may share parts with this one afterwards."""
        self.dropped += other.dropped
        for key in sorted(other._operations):
            stats = other._operations[key]
            if key not in self._operations and len(self._operations) < MAX_OPERATIONS:
                self._operations[key] = stats  # what is new needs no copy
                continue
            mine = self._get(key)
            if mine is None:
                self.dropped += stats.count
            else:
                mine.merge(stats)

    def items(self) -> Iterator[Tuple[Key, OperationStats]]:
        """Yield what is known of each operation, by service and operation."""
        return ((key, self._operations[key]) for key in sorted(self._operations))

    def operations(self) -> Iterator[OperationStats]:
        """Yield what is known of each operation, in no order."""
        return iter(self._operations.values())

    def rows(self) -> List[Dict[str, Any]]:
        """Return one row per service and operation, in their order; times in seconds since the epoch."""
        return [stats.row(*key) for key, stats in self.items()]

    def relabel(self, rename: Rename) -> Dict[Key, Key]:
        """Give operations the names that ``rename`` has for them, merging those of one name; returns old and new."""
        renamed: Dict[Key, Key] = {}
        for key, stats in list(self.items()):
            name = rename(*key)
            if name == key[1]:
                continue
            new = (key[0], name)
            renamed[key] = new
            del self._operations[key]
            stats.latest = (*stats.latest[:2], name.partition(" ")[2] or stats.latest[2], stats.latest[3])
            known = self._operations.setdefault(new, OperationStats())
            known.merge(stats)
        return renamed

    def to_state(self) -> str:
        """Return JSON that ``from_state`` reads on another machine."""
        operations = [[*key, stats.to_state()] for key, stats in self.items()]
        document = {"version": STATE_VERSION, "dropped": self.dropped, "operations": operations}
        return json.dumps(document, separators=(",", ":"), sort_keys=True)

    @classmethod
    def from_state(cls, state: str) -> Inventory:
        """Raises DocumentError when the state is not one of ``to_state`` or of an unknown version."""
        try:
            document = upgraded(json.loads(state))
            inventory = cls()
            inventory.dropped = int(document["dropped"])
            for service, operation, stats in document["operations"][:MAX_OPERATIONS]:
                inventory._operations[str(service), str(operation)] = OperationStats.from_state(stats)
        except (AttributeError, KeyError, TypeError, ValueError, IndexError, RecursionError) as error:
            if isinstance(error, DocumentError):
                raise
            raise DocumentError("not the state of an inventory", where="inventory") from error
        return inventory

    def split(self) -> List[Inventory]:
        """Return one inventory per operation: rows of a map phase, or documents of a KV store."""
        parts = []
        for key, stats in self.items():
            part = Inventory()
            part._operations[key] = stats
            parts.append(part)
        if parts and self.dropped:
            parts[0].dropped = self.dropped
        return parts

    def to_documents(self) -> List[Dict[str, Any]]:
        """Return KV documents: each operation's row, with ``_key`` and the mergeable ``state``, in bounded size."""
        return [fitted(part, _document) for part in self.split()]

    @classmethod
    def from_documents(cls, documents: Iterable[Mapping[str, Any]]) -> Inventory:
        """Merge the ``state`` of KV documents; raises DocumentError when one is not readable."""
        inventory = cls()
        for document in documents:
            inventory.merge(cls.from_state(text(document.get("state"), MAX_STATE)))
        return inventory


def document_key(service: str, operation: str) -> str:
    """Return the ``_key`` of an operation's document."""
    return f"{service}|{operation}"


def _document(part: Inventory) -> Dict[str, Any]:
    """Return the document of one operation; ``level`` is what its traffic asks for, without anybody's overrides."""
    ((service, operation), stats) = next(part.items())
    level = summary(verdicts(stats, Overrides(), service, operation), stats).level
    head = {"_key": document_key(service, operation), "version": STATE_VERSION}
    return {**head, **stats.row(service, operation), "level": level, "state": part.to_state()}
