"""One refresh: the window, the documents, the events, the checkpoint, and then what is learned."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Dict, List

from ..kvstore import INVENTORY, Collection
from . import inventory, learning
from .changes import event_of
from .checkpoint import Checkpoint, Progress


@dataclass(frozen=True)
class Settings:
    """``lag``: seconds a window ends before now; ``learn_hours``: the history to learn from."""

    interval: float = 300.0
    lag: float = 10.0
    learn_hours: float = 168.0


class Refresh:
    """``service`` is connected in the app's namespace."""

    def __init__(self, service: Any, checkpoint: Checkpoint, settings: Settings, logger: logging.Logger) -> None:
        self._service = service
        self._checkpoint = checkpoint
        self._settings = settings
        self._logger = logger

    def run(self, now: float) -> Iterator[Dict[str, Any]]:
        """Give the events of new and changed operations; state is written once they are taken.

        The events come before the documents: a crash between them repeats events (with equal ids) and loses none.
        """
        collection = Collection(self._service, INVENTORY)
        stored = collection.load()
        progress = self._checkpoint.read()
        if progress.pending:
            yield from self._window(collection, stored, progress, now)
            stored, progress = collection.load(), self._checkpoint.read()
        # Another search head may have run the input before.
        known = max((float(d.get("through", 0)) for d in stored), default=0.0)
        through = max(progress.through, known)
        span = inventory.window(through, now, self._settings.lag, self._settings.learn_hours * 3600)
        if span is not None:
            progress = replace(progress, through=span.start, pending=span.end)
            self._checkpoint.write(progress)
            yield from self._window(collection, stored, progress, now)
        self._learn(self._checkpoint.read(), collection.load() if span is not None else stored, now)

    def _window(
        self, collection: Collection, stored: List[Dict[str, Any]], progress: Progress, now: float
    ) -> Iterator[Dict[str, Any]]:
        """Do the pending window: events, documents, checkpoint."""
        span = inventory.Window(progress.through, progress.pending)
        merged = inventory.merge(inventory.fetch(self._service, span), stored, span.end)
        for before, after in zip(merged.replaced, merged.documents):
            event = event_of(before, after, span.end)
            if event is not None:
                yield event
        collection.save({**document, "updated": now} for document in merged.documents)
        self._checkpoint.write(replace(progress, through=span.end, pending=0.0))
        self._logger.info("inventory through=%.0f operations=%d", span.end, len(merged.documents))

    def _learn(self, progress: Progress, stored: List[Dict[str, Any]], now: float) -> None:
        first_seen = min((float(d["first_seen"]) for d in stored if "first_seen" in d), default=now)
        if not learning.due(progress.learned, now, first_seen, self._settings.interval):
            return
        written = learning.store(self._service, learning.learn(self._service, self._settings.learn_hours), now)
        self._checkpoint.write(replace(progress, learned=now))
        self._logger.info("learned %s", " ".join(f"{name}={count}" for name, count in sorted(written.items())))
