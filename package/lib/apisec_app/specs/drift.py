"""Comparisons of services with their documents, and what is new or resolved since the last one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Dict, List

from apisec.endpoints.inventory import Inventory
from apisec.openapi.compare import Settings, compare
from apisec.openapi.drift import SEVERITIES, Drift

from ..kvstore import Collection, Document
from .readings import Readings, stale
from .store import Specs

VERSION = 1
KIND = "drift"
MAX_OPEN = 20_000  # differences of one service that are remembered; the gravest come first
_KEPT = ("id", "kind", "severity", "operation", "location", "field", "status", "team")


def drifts_of(specs: Specs, inventory: Collection, service: str, settings: Settings) -> List[Drift]:
    """Return how a service differs from its documents, the gravest first, and which of these were not read for long.

    Raises DocumentError and LimitExceeded for a document, and splunklib's HTTPError.
    """
    names = {str(head["name"]) for head in specs.heads(service)}
    found = stale(Readings(specs.collection).of_service(service), names, settings.now)
    published = specs.published(service)
    if not published.current:
        return found
    learned = Inventory.from_documents(inventory.load({"service": service}))
    operations = {name: stats for (_, name), stats in learned.items()}
    found += compare(service, published.current, operations, settings, published.former)
    return sorted(found, key=lambda one: rank(one.severity))


def rank(severity: str) -> int:
    """Return 0 for the gravest."""
    return SEVERITIES.index(severity)


class Noted:
    """What was told of a service already: one document in the collection of the documents."""

    def __init__(self, collection: Collection, service: str) -> None:
        self._collection = collection
        self._service = service
        self._key = f"drift|{service}"

    def load(self) -> Dict[str, Mapping[str, Any]]:
        document = self._collection.get(self._key) or {}
        rows = document.get("open") if document.get("version") == VERSION else None
        return {str(one["id"]): one for one in rows or () if isinstance(one, Mapping) and "id" in one}

    def save(self, found: List[Drift], now: float) -> None:
        rows = [{name: getattr(one, name) for name in _KEPT} for one in found[:MAX_OPEN]]
        self._collection.save(
            [
                {
                    "_key": self._key,
                    "version": VERSION,
                    "kind": KIND,
                    "service": self._service,
                    "stored": now,
                    "open": rows,
                }
            ]
        )


def events(before: Mapping[str, Mapping[str, Any]], found: List[Drift], now: float) -> Iterator[Document]:
    """Yield an event for each difference that is new, became graver, or is resolved."""
    service = found[0].service if found else ""
    for one in found[:MAX_OPEN]:
        known = before.get(one.id)
        if known is None:
            yield {**one.row(), "change": "new", "time": now}
        elif rank(one.severity) < rank(str(known["severity"])):
            yield {**one.row(), "change": "graver", "severity_before": known["severity"], "time": now}
    open_ids = {one.id for one in found}
    for identifier, known in sorted(before.items()):
        if identifier not in open_ids:
            yield {"service": service, **known, "change": "resolved", "time": now}
