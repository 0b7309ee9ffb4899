"""One refresh: windows, their documents, and the events of what changed."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Dict, Optional

from apisec.endpoints.learning import PathModel

from ..kvstore import ARCHIVE, DELTAS, INVENTORY, PATHS, WINDOWS, Collection
from ..pins import PATH_PINS, PathPins
from ..windows.ledger import Window, Windows
from . import inventory
from .changes import Changes
from .paths import Paths, deltas, names

MAX_WINDOWS = 40  # of one run; what is left is the next run's
DAY = 86_400.0
RETIRE_SECONDS = 3_600.0


@dataclass(frozen=True)
class Settings:
    """``lag``: seconds a window ends before now; ``learn_hours`` of history are read at first.

    ``retain_days``: until an operation is archived; ``quiet_hours`` of a service's traffic before its changes are told.
    """

    lag: float = 10.0
    learn_hours: float = 168.0
    retain_days: float = 90.0
    quiet_hours: float = 24.0


class Refresh:
    """``service`` is connected in the app's namespace."""

    def __init__(self, service: Any, settings: Settings, logger: logging.Logger) -> None:
        self._service = service
        self._settings = settings
        self._logger = logger
        self._windows = Windows(Collection(service, WINDOWS))
        noted = Collection(service, DELTAS)
        self._documents = inventory.Documents(Collection(service, INVENTORY), Collection(service, ARCHIVE), noted)
        self._paths = Paths(Collection(service, PATHS), noted, PathPins(Collection(service, PATH_PINS)))
        self._changes = Changes(service, settings.quiet_hours * 3600, logger)

    def index_of(self, team: str) -> Optional[str]:
        """Return the index for events about a team; None where the input's is."""
        return self._changes.index_of(team)

    def run(self, now: float) -> Iterator[Dict[str, Any]]:
        """Give the events of what changed; state is written once they are taken.

        The events come before the documents: a crash between them repeats events (with equal ids) and loses none.
        Raises StaleRunError when this run was held up and others went on.
        """
        yield from self._settle(None)  # what a run before left, or a late one undid
        self._documents.forget(time.time())
        for _ in range(MAX_WINDOWS):
            span = self._windows.next(lambda: self._first(now), float(int(now - self._settings.lag)))
            if span is None:
                break
            yield from self._window(span)
        self._retire(now)

    def _first(self, now: float) -> float:
        """Return where the first window starts: after what documents hold, else as far back as is to be read."""
        known = self._documents.inventory.load(fields=("_key", "through"))
        through = max((float(d.get("through", 0)) for d in known), default=0.0)
        return through or float(int(now - self._settings.learn_hours * 3600))

    def _window(self, span: Window) -> Iterator[Dict[str, Any]]:
        # The model is read before it is asked whether the window is noted: nobody lets it learn a window before that.
        model = self._paths.load(span.start, span.end)
        if not self._windows.noted(span):
            self._note(span, model)
        yield from self._settle(span)
        for service, rows in self._paths.settle(time.time()):
            yield from self._changes.of_paths(service, rows, span.end, time.time())
        renamed = self._documents.retire_renamed(time.time())
        self._documents.forget(time.time())
        self._windows.done(span, time.time())
        self._logger.info("inventory through=%.0f renamed=%d", span.end, renamed)

    def _note(self, span: Window, model: PathModel) -> None:
        """Write down what a window holds, under the names that the windows before it taught."""
        new, paths = inventory.fetch(self._service, span)
        events = sum(stats.count for stats in new.operations())
        rename = names(model)
        new.relabel(rename)
        self._windows.check(span, time.time())
        now = time.time()
        operations = self._documents.note(new, span.end, now)
        renamed = self._documents.note_renamed(rename, span.end, now)
        self._documents.noted.save(deltas(paths, span.end, now))
        self._windows.set_noted(span, operations=operations, events=events, renamed=renamed)

    def _settle(self, span: Optional[Window]) -> Iterator[Dict[str, Any]]:
        for steps in self._documents.settle():
            looked = self._changes.look(steps, time.time())
            yield from looked.events
            if span is not None:
                self._windows.check(span, time.time())
            self._changes.save(looked.services)
            self._documents.write(looked.documents, time.time())

    def _retire(self, now: float) -> None:
        """Archive, once an hour, what nobody asked for in a long time."""
        if now - self._windows.retired() < RETIRE_SECONDS:
            return
        retired = self._documents.retire(now - self._settings.retain_days * DAY, now)
        self._windows.set_retired(now)
        self._logger.info("retired=%d", retired)
