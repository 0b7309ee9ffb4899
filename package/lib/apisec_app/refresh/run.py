"""One refresh: the window, the documents, the events, the checkpoint, and then what is learned."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Dict

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
        progress = self._progress(stored)
        span = inventory.window(progress.through, now, self._settings.lag, self._settings.learn_hours * 3600)
        if span is not None:
            merged = inventory.merge(inventory.fetch(self._service, span), stored, span.end)
            for before, after in zip(merged.replaced, merged.documents):
                event = event_of(before, after, span.end)
                if event is not None:
                    yield event
            collection.save({**document, "updated": now} for document in merged.documents)
            progress = replace(progress, through=span.end)
            self._checkpoint.write(progress)
            self._logger.info("inventory through=%.0f operations=%d", span.end, len(merged.documents))
        self._learn(progress, stored, now)

    def _progress(self, stored: list[Dict[str, Any]]) -> Progress:
        """The file's, or what the KV store holds when another search head ran the input before."""
        progress = self._checkpoint.read()
        known = max((float(d.get("through", 0)) for d in stored), default=0.0)
        return replace(progress, through=max(progress.through, known)) if progress.through == 0 else progress

    def _learn(self, progress: Progress, stored: list[Dict[str, Any]], now: float) -> None:
        first_seen = min((float(d["first_seen"]) for d in stored if "first_seen" in d), default=now)
        if not learning.due(progress.learned, now, first_seen, self._settings.interval):
            return
        written = learning.store(self._service, learning.learn(self._service, self._settings.learn_hours), now)
        self._checkpoint.write(replace(progress, learned=now))
        self._logger.info("learned %s", " ".join(f"{name}={count}" for name, count in sorted(written.items())))
